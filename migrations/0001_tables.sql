-- The tables of agdb: facts, in the coordinates and the words of the field. Intervals are BED (0-based, half-open),
-- variants are VCF (1-based `pos`). No primary keys: on 6 M predictions one costs 16.6 s / 555 MiB against
-- 5.0 s / 90 MiB without; uniqueness is kept by anti-joins in one transaction and proven by sql/checks.

CREATE TYPE chrom_t AS ENUM (
  'chr1', 'chr2', 'chr3', 'chr4', 'chr5', 'chr6', 'chr7', 'chr8', 'chr9', 'chr10', 'chr11', 'chr12', 'chr13', 'chr14',
  'chr15', 'chr16', 'chr17', 'chr18', 'chr19', 'chr20', 'chr21', 'chr22', 'chrX', 'chrY', 'chrM'
);

CREATE TABLE run (
  run_id INTEGER NOT NULL,
  command VARCHAR NOT NULL,
  arguments VARCHAR NOT NULL,
  agdb_version VARCHAR NOT NULL,
  duckdb_version VARCHAR NOT NULL,
  software VARCHAR,
  started_at TIMESTAMP NOT NULL,
  finished_at TIMESTAMP,
  status VARCHAR NOT NULL CHECK (status IN ('running', 'done', 'failed', 'interrupted')),
  n_rows BIGINT
);
COMMENT ON TABLE run IS 'One row per command that wrote: which arguments, which versions, when, how it ended.';
COMMENT ON COLUMN run.run_id IS 'Number of the run in this database, from 1.';
COMMENT ON COLUMN run.command IS 'The command, e.g. ingest gtex.';
COMMENT ON COLUMN run.arguments IS 'Its arguments as JSON; secrets are never among them.';
COMMENT ON COLUMN run.agdb_version IS 'Version of agdb.';
COMMENT ON COLUMN run.duckdb_version IS 'Version of DuckDB.';
COMMENT ON COLUMN run.software IS 'Who computed the scores of a predict run, name and version.';
COMMENT ON COLUMN run.started_at IS 'UTC.';
COMMENT ON COLUMN run.finished_at IS 'UTC; NULL while it runs, or where it was killed.';
COMMENT ON COLUMN run.status IS 'running, done, failed or interrupted.';
COMMENT ON COLUMN run.n_rows IS 'Rows that it wrote.';

CREATE TABLE source (
  source_id INTEGER NOT NULL,
  kind VARCHAR NOT NULL CHECK (kind IN ('qtl', 'peaks', 'genome', 'predictions')),
  format VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  tissue VARCHAR,
  biosample VARCHAR,
  assembly VARCHAR NOT NULL,
  effect VARCHAR,
  effect_unit VARCHAR,
  effect_allele VARCHAR,
  null_value DOUBLE,
  path VARCHAR NOT NULL,
  sha256 VARCHAR NOT NULL,
  bytes BIGINT NOT NULL,
  rows_read BIGINT,
  rows_kept BIGINT,
  rows_rejected BIGINT,
  run_id INTEGER NOT NULL
);
COMMENT ON TABLE source IS 'One row per ingested file: what it is, its assembly, its sha256, and how many of its rows were kept.';
COMMENT ON COLUMN source.source_id IS 'Number of the source in this database, from 1.';
COMMENT ON COLUMN source.kind IS 'qtl, peaks, genome or predictions.';
COMMENT ON COLUMN source.format IS 'Layout that was read, e.g. gtex_pairs, gtex_egenes, narrowPeak, bed4, fasta, original.';
COMMENT ON COLUMN source.name IS 'File name.';
COMMENT ON COLUMN source.tissue IS 'Tissue of a QTL source, as the user named it (GTEx spelling, e.g. Whole_Blood).';
COMMENT ON COLUMN source.biosample IS 'Biosample of a peak source, e.g. K562.';
COMMENT ON COLUMN source.assembly IS 'Genome that its coordinates refer to, e.g. GRCh38. Unequal assemblies never meet in a join.';
COMMENT ON COLUMN source.effect IS 'Column that holds the label: slope, or pval_nominal where a file has nothing else.';
COMMENT ON COLUMN source.effect_unit IS 'Unit of the label, e.g. SD of inverse-normal expression per ALT allele.';
COMMENT ON COLUMN source.effect_allele IS 'Allele that the effect refers to after ingest: ALT. NULL where the label has no direction.';
COMMENT ON COLUMN source.null_value IS 'Value of the label that means no effect.';
COMMENT ON COLUMN source.path IS 'Where the file was.';
COMMENT ON COLUMN source.sha256 IS 'sha256 of its bytes.';
COMMENT ON COLUMN source.bytes IS 'Its size.';
COMMENT ON COLUMN source.rows_read IS 'Data rows in the file.';
COMMENT ON COLUMN source.rows_kept IS 'Rows that were kept.';
COMMENT ON COLUMN source.rows_rejected IS 'Rows that were refused one by one; they stand in table rejected.';
COMMENT ON COLUMN source.run_id IS 'Run that ingested it.';

CREATE TABLE rejected (
  source_id INTEGER NOT NULL,
  line BIGINT NOT NULL,
  reason VARCHAR NOT NULL,
  text VARCHAR NOT NULL
);
COMMENT ON TABLE rejected IS 'One row per rejected row of a source: nothing is dropped without a trace.';
COMMENT ON COLUMN rejected.source_id IS 'Its source.';
COMMENT ON COLUMN rejected.line IS 'Line in the (decompressed) file, from 1.';
COMMENT ON COLUMN rejected.reason IS 'Why, e.g. contig_not_primary, allele_not_acgt.';
COMMENT ON COLUMN rejected.text IS 'The row as it was read, as JSON.';

CREATE TABLE contig (
  assembly VARCHAR NOT NULL,
  chrom chrom_t NOT NULL,
  length INTEGER NOT NULL
);
COMMENT ON TABLE contig IS 'One row per chromosome of an assembly: a coordinate beyond its length is refused.';
COMMENT ON COLUMN contig.assembly IS 'GRCh38 or GRCh37.';
COMMENT ON COLUMN contig.chrom IS 'Chromosome, UCSC style.';
COMMENT ON COLUMN contig.length IS 'Length in bp.';

CREATE TABLE genome_contig (
  source_id INTEGER NOT NULL,
  record VARCHAR NOT NULL,
  chrom VARCHAR NOT NULL,
  chrom_start INTEGER NOT NULL,
  chrom_end INTEGER NOT NULL
);
COMMENT ON TABLE genome_contig IS 'One row per record of a registered FASTA: the stretch of its chromosome that it covers.';
COMMENT ON COLUMN genome_contig.source_id IS 'The FASTA.';
COMMENT ON COLUMN genome_contig.record IS 'Name of the record.';
COMMENT ON COLUMN genome_contig.chrom IS 'Chromosome, UCSC style.';
COMMENT ON COLUMN genome_contig.chrom_start IS 'First base, 0-based; not 0 where the name says so (22:20000001-21000000).';
COMMENT ON COLUMN genome_contig.chrom_end IS 'End, 0-based exclusive.';

-- The one place where 1-based positions become 0-based intervals.
CREATE TABLE variant (
  variant_id VARCHAR NOT NULL,
  assembly VARCHAR NOT NULL,
  chrom chrom_t NOT NULL,
  pos INTEGER NOT NULL CHECK (pos >= 1),
  ref VARCHAR NOT NULL,
  alt VARCHAR NOT NULL CHECK (alt <> ref),
  chrom_start INTEGER GENERATED ALWAYS AS (pos - 1),
  chrom_end INTEGER GENERATED ALWAYS AS ((pos - 1 + length(ref))::INTEGER),
  kind VARCHAR GENERATED ALWAYS AS (
    CASE WHEN length(ref) > length(alt) THEN 'deletion' WHEN length(ref) < length(alt) THEN 'insertion'
         WHEN length(ref) = 1 THEN 'SNV' ELSE 'MNV' END
  ),
  ref_status VARCHAR NOT NULL DEFAULT 'unchecked' CHECK (ref_status IN ('unchecked', 'match', 'mismatch'))
);
COMMENT ON TABLE variant IS 'One row per variant of an assembly. Associations and predictions refer to it by (assembly, variant_id).';
COMMENT ON COLUMN variant.variant_id IS 'chrom_pos_ref_alt, e.g. chr1_1284987_G_A.';
COMMENT ON COLUMN variant.assembly IS 'Genome that pos refers to.';
COMMENT ON COLUMN variant.chrom IS 'Chromosome, UCSC style.';
COMMENT ON COLUMN variant.pos IS 'Position of the first base of REF, 1-based (VCF).';
COMMENT ON COLUMN variant.ref IS 'Reference allele.';
COMMENT ON COLUMN variant.alt IS 'Alternative allele: effects and scores are of ALT against REF.';
COMMENT ON COLUMN variant.chrom_start IS 'pos - 1: start of the span of REF, 0-based (BED).';
COMMENT ON COLUMN variant.chrom_end IS 'pos - 1 + length(ref): end of the span of REF, exclusive (BED).';
COMMENT ON COLUMN variant.kind IS 'SNV, insertion, deletion or MNV.';
COMMENT ON COLUMN variant.ref_status IS 'The whole REF allele against the registered FASTA: match, mismatch (never analysed), or unchecked (no FASTA covers it).';

CREATE TABLE qtl (
  source_id INTEGER NOT NULL,
  assembly VARCHAR NOT NULL,
  variant_id VARCHAR NOT NULL,
  phenotype_id VARCHAR NOT NULL,
  gene_id VARCHAR,
  tissue VARCHAR NOT NULL,
  slope DOUBLE,
  slope_se DOUBLE,
  pval_nominal DOUBLE,
  maf DOUBLE,
  tss_distance INTEGER,
  ma_samples INTEGER,
  ma_count INTEGER,
  pval_nominal_threshold DOUBLE,
  min_pval_nominal DOUBLE,
  pval_beta DOUBLE,
  qval DOUBLE
);
COMMENT ON TABLE qtl IS 'One row per association: a variant, a phenotype, in one source. Predictions belong to variants, not to these rows.';
COMMENT ON COLUMN qtl.source_id IS 'The file it came from.';
COMMENT ON COLUMN qtl.assembly IS 'Assembly of the source.';
COMMENT ON COLUMN qtl.variant_id IS 'The variant.';
COMMENT ON COLUMN qtl.phenotype_id IS 'What was measured; for an eQTL the gene.';
COMMENT ON COLUMN qtl.gene_id IS 'Ensembl gene with version, e.g. ENSG00000225972.1.';
COMMENT ON COLUMN qtl.tissue IS 'Tissue of the source.';
COMMENT ON COLUMN qtl.slope IS 'Effect of ALT against REF in the unit of the source (GTEx: SD of inverse-normal expression per ALT allele).';
COMMENT ON COLUMN qtl.slope_se IS 'Standard error of slope.';
COMMENT ON COLUMN qtl.pval_nominal IS 'Nominal p-value of slope = 0.';
COMMENT ON COLUMN qtl.maf IS 'Minor allele frequency, 0 to 0.5.';
COMMENT ON COLUMN qtl.tss_distance IS 'pos minus transcription start site in bp, signed by position, not by strand.';
COMMENT ON COLUMN qtl.ma_samples IS 'Samples that carry the minor allele.';
COMMENT ON COLUMN qtl.ma_count IS 'Minor alleles among the samples.';
COMMENT ON COLUMN qtl.pval_nominal_threshold IS 'Nominal p-value threshold of the gene.';
COMMENT ON COLUMN qtl.min_pval_nominal IS 'Smallest nominal p-value of the gene.';
COMMENT ON COLUMN qtl.pval_beta IS 'Beta-approximated permutation p-value of the gene.';
COMMENT ON COLUMN qtl.qval IS 'Storey q-value of the gene (egenes); an eGene has qval <= 0.05.';

-- What an egenes file holds beyond the association of its lead variant. Not columns of qtl: 17 columns that are NULL in
-- every row of a pairs file took 37 % of the time in which its 2.4 M rows are written.
CREATE TABLE egene (
  source_id INTEGER NOT NULL,
  gene_id VARCHAR NOT NULL,
  gene_name VARCHAR,
  gene_chr VARCHAR,
  gene_start INTEGER,
  gene_end INTEGER,
  strand VARCHAR,
  num_var INTEGER,
  beta_shape1 DOUBLE,
  beta_shape2 DOUBLE,
  true_df DOUBLE,
  pval_true_df DOUBLE,
  pval_perm DOUBLE,
  variant_id VARCHAR NOT NULL,
  num_alt_per_site INTEGER,
  rs_id VARCHAR,
  ref_factor TINYINT,
  log2_afc DOUBLE,
  log2_afc_lower DOUBLE,
  log2_afc_upper DOUBLE
);
COMMENT ON TABLE egene IS 'One row per tested gene of a GTEx egenes file; an eGene has qval <= 0.05 in qtl.';
COMMENT ON COLUMN egene.source_id IS 'The egenes file.';
COMMENT ON COLUMN egene.gene_id IS 'Ensembl gene with version.';
COMMENT ON COLUMN egene.gene_name IS 'Gene symbol.';
COMMENT ON COLUMN egene.gene_chr IS 'Chromosome of the gene.';
COMMENT ON COLUMN egene.gene_start IS 'First base of the gene, 1-based inclusive, as GTEx prints it.';
COMMENT ON COLUMN egene.gene_end IS 'Last base of the gene, 1-based inclusive.';
COMMENT ON COLUMN egene.strand IS 'Strand of the gene.';
COMMENT ON COLUMN egene.num_var IS 'Variants tested for the gene.';
COMMENT ON COLUMN egene.beta_shape1 IS 'First shape of the fitted beta distribution.';
COMMENT ON COLUMN egene.beta_shape2 IS 'Second shape of the fitted beta distribution.';
COMMENT ON COLUMN egene.true_df IS 'Effective degrees of freedom of the beta approximation.';
COMMENT ON COLUMN egene.pval_true_df IS 'Smallest nominal p-value at true_df.';
COMMENT ON COLUMN egene.pval_perm IS 'Direct permutation p-value of the gene.';
COMMENT ON COLUMN egene.variant_id IS 'Its lead variant: with gene_id the association in qtl, where slope, p-values and qval stand.';
COMMENT ON COLUMN egene.num_alt_per_site IS 'ALT alleles observed at the site.';
COMMENT ON COLUMN egene.rs_id IS 'dbSNP id(s), comma-separated; NULL where there is none.';
COMMENT ON COLUMN egene.ref_factor IS '1 where the minor allele is ALT, -1 where it is REF.';
COMMENT ON COLUMN egene.log2_afc IS 'Allelic fold change, log2 of ALT against REF.';
COMMENT ON COLUMN egene.log2_afc_lower IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN egene.log2_afc_upper IS 'Upper end of its 95 % interval.';

CREATE SEQUENCE peak_id;
CREATE TABLE peak (
  peak_id BIGINT NOT NULL DEFAULT nextval('peak_id'),
  source_id INTEGER NOT NULL,
  biosample VARCHAR NOT NULL,
  assembly VARCHAR NOT NULL,
  chrom chrom_t NOT NULL,
  chrom_start INTEGER NOT NULL CHECK (chrom_start >= 0),
  chrom_end INTEGER NOT NULL CHECK (chrom_end > chrom_start),
  name VARCHAR,
  score DOUBLE,
  signal_value DOUBLE,
  neglog10_p DOUBLE,
  neglog10_q DOUBLE,
  summit INTEGER
);
COMMENT ON TABLE peak IS 'One row per peak of a source (DNase-hypersensitive site or other interval), BED coordinates.';
COMMENT ON COLUMN peak.peak_id IS 'Number of the peak in this database.';
COMMENT ON COLUMN peak.source_id IS 'The file it came from.';
COMMENT ON COLUMN peak.biosample IS 'Biosample of the source, e.g. K562.';
COMMENT ON COLUMN peak.assembly IS 'Assembly of the source.';
COMMENT ON COLUMN peak.chrom IS 'Chromosome, UCSC style.';
COMMENT ON COLUMN peak.chrom_start IS 'First base, 0-based.';
COMMENT ON COLUMN peak.chrom_end IS 'End, 0-based exclusive.';
COMMENT ON COLUMN peak.name IS 'Name in the file; NULL for a dot.';
COMMENT ON COLUMN peak.score IS 'BED score, 0 to 1000 by the format (MACS may exceed it).';
COMMENT ON COLUMN peak.signal_value IS 'signalValue of narrowPeak/broadPeak.';
COMMENT ON COLUMN peak.neglog10_p IS '-log10 p-value; NULL where the file has -1.';
COMMENT ON COLUMN peak.neglog10_q IS '-log10 q-value; NULL where the file has -1.';
COMMENT ON COLUMN peak.summit IS 'Summit as a 0-based position on the chromosome (chrom_start + the offset of narrowPeak); NULL where the file has -1.';

CREATE TABLE scorer (
  scorer_id VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  model VARCHAR NOT NULL,
  model_version VARCHAR NOT NULL,
  assembly VARCHAR NOT NULL,
  output_type VARCHAR NOT NULL,
  window_bp INTEGER NOT NULL,
  mask_bp INTEGER,
  aggregation VARCHAR NOT NULL,
  track_set VARCHAR NOT NULL,
  is_signed BOOLEAN NOT NULL,
  reads_genome BOOLEAN NOT NULL,
  config VARCHAR NOT NULL
);
COMMENT ON TABLE scorer IS 'One row per scorer: everything that, if it changed, would change the number.';
COMMENT ON COLUMN scorer.scorer_id IS 'First 16 hex digits of the sha256 of config: equal scorers have equal ids in every database.';
COMMENT ON COLUMN scorer.name IS 'What users call it, e.g. motif, dnase-k562, original.';
COMMENT ON COLUMN scorer.model IS 'Model, e.g. alphagenome, agdb-motif.';
COMMENT ON COLUMN scorer.model_version IS 'Version of the model as its maker names it.';
COMMENT ON COLUMN scorer.assembly IS 'Genome that the model reads.';
COMMENT ON COLUMN scorer.output_type IS 'Predicted assay, e.g. DNASE.';
COMMENT ON COLUMN scorer.window_bp IS 'Bases of sequence that the model reads.';
COMMENT ON COLUMN scorer.mask_bp IS 'Central bases that the score aggregates over; NULL for the whole window.';
COMMENT ON COLUMN scorer.aggregation IS 'How ALT and REF become one number, e.g. DIFF_LOG2_SUM.';
COMMENT ON COLUMN scorer.track_set IS 'Tracks that enter, by ontology curie, or all.';
COMMENT ON COLUMN scorer.is_signed IS 'Whether the score has a direction (ALT against REF).';
COMMENT ON COLUMN scorer.reads_genome IS 'Whether it reads the registered FASTA, so that only REF-checked variants can be scored.';
COMMENT ON COLUMN scorer.config IS 'All of it, canonical JSON.';

CREATE TABLE prediction (
  scorer_id VARCHAR NOT NULL,
  assembly VARCHAR NOT NULL,
  variant_id VARCHAR NOT NULL,
  gene_id VARCHAR,
  track_id VARCHAR,
  score DOUBLE NOT NULL CHECK (isfinite(score)),
  quantile DOUBLE,
  ref_value DOUBLE,
  alt_value DOUBLE,
  provider VARCHAR NOT NULL,
  run_id INTEGER NOT NULL
);
COMMENT ON TABLE prediction IS 'One row per scorer, variant, gene and track: the score of ALT against REF.';
COMMENT ON COLUMN prediction.scorer_id IS 'What was computed.';
COMMENT ON COLUMN prediction.assembly IS 'Assembly of the variant and of the scorer.';
COMMENT ON COLUMN prediction.variant_id IS 'The variant.';
COMMENT ON COLUMN prediction.gene_id IS 'Gene, for scorers that score genes; else NULL.';
COMMENT ON COLUMN prediction.track_id IS 'Track, by ontology curie; NULL where the scorer has none.';
COMMENT ON COLUMN prediction.score IS 'Score, ALT against REF; the formula is the aggregation of the scorer.';
COMMENT ON COLUMN prediction.quantile IS 'Rank of the score among common variants, where the provider gives it.';
COMMENT ON COLUMN prediction.ref_value IS 'Predicted value of the REF sequence, where the provider gives it.';
COMMENT ON COLUMN prediction.alt_value IS 'Predicted value of the ALT sequence, where the provider gives it.';
COMMENT ON COLUMN prediction.provider IS 'Who computed it: alphagenome, motif, import.';
COMMENT ON COLUMN prediction.run_id IS 'Run that wrote it.';

CREATE TABLE failure (
  scorer_id VARCHAR NOT NULL,
  assembly VARCHAR NOT NULL,
  variant_id VARCHAR NOT NULL,
  reason VARCHAR NOT NULL,
  last_at TIMESTAMP NOT NULL,
  run_id INTEGER NOT NULL
);
COMMENT ON TABLE failure IS 'One row per variant that a scorer could not score, with the reason; such a variant is not pending.';
COMMENT ON COLUMN failure.scorer_id IS 'The scorer.';
COMMENT ON COLUMN failure.assembly IS 'Assembly of the variant.';
COMMENT ON COLUMN failure.variant_id IS 'The variant.';
COMMENT ON COLUMN failure.reason IS 'Why, e.g. window_outside_genome.';
COMMENT ON COLUMN failure.last_at IS 'When, UTC.';
COMMENT ON COLUMN failure.run_id IS 'Run that met it.';

CREATE TABLE result (
  result_id INTEGER NOT NULL,
  run_id INTEGER NOT NULL,
  metric VARCHAR NOT NULL,
  label VARCHAR NOT NULL,
  source_id INTEGER NOT NULL,
  source VARCHAR NOT NULL,
  tissue VARCHAR NOT NULL,
  scorer_id VARCHAR NOT NULL,
  scorer VARCHAR NOT NULL,
  window_bp INTEGER NOT NULL,
  stratum VARCHAR NOT NULL,
  n BIGINT NOT NULL,
  estimate DOUBLE,
  ci_low DOUBLE,
  ci_high DOUBLE,
  p DOUBLE,
  method VARCHAR NOT NULL,
  reason VARCHAR
);
COMMENT ON TABLE result IS 'One row per statistic that agdb stats computed: estimate, 95 % interval, p-value, and how.';
COMMENT ON COLUMN result.result_id IS 'Number of the result in this database.';
COMMENT ON COLUMN result.run_id IS 'Run that computed it.';
COMMENT ON COLUMN result.metric IS 'spearman, pearson, or spearman_difference (between two windows, on the same rows).';
COMMENT ON COLUMN result.label IS 'The label: slope, or pval_nominal.';
COMMENT ON COLUMN result.source_id IS 'QTL source of the label.';
COMMENT ON COLUMN result.source IS 'Its name.';
COMMENT ON COLUMN result.tissue IS 'Its tissue.';
COMMENT ON COLUMN result.scorer_id IS 'The scorer; in a difference the first of the two.';
COMMENT ON COLUMN result.scorer IS 'Its name.';
COMMENT ON COLUMN result.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN result.stratum IS 'all; in_peak; |slope| quartile; or the pair of windows compared.';
COMMENT ON COLUMN result.n IS 'Associations that entered.';
COMMENT ON COLUMN result.estimate IS 'The statistic; NULL with a reason where it is not defined.';
COMMENT ON COLUMN result.ci_low IS 'Lower end of its 95 % interval.';
COMMENT ON COLUMN result.ci_high IS 'Upper end of its 95 % interval.';
COMMENT ON COLUMN result.p IS 'Two-sided p-value.';
COMMENT ON COLUMN result.method IS 'How interval and p-value were made.';
COMMENT ON COLUMN result.reason IS 'Why estimate is NULL; else NULL.';
