TYPE chrom_t ENUM (chr1, chr2, chr3, chr4, chr5, chr6, chr7, chr8, chr9, chr10, chr11, chr12, chr13, chr14, chr15, chr16, chr17, chr18, chr19, chr20, chr21, chr22, chrX, chrY, chrM)

TABLE contig  -- One row per chromosome of an assembly: a coordinate beyond its length is refused.
  assembly VARCHAR NOT NULL  -- GRCh38 or GRCh37.
  chrom ENUM NOT NULL  -- Chromosome, UCSC style.
  length INTEGER NOT NULL  -- Length in bp.

TABLE egene  -- One row per tested gene of a GTEx egenes file; an eGene has qval <= 0.05 in qtl.
  source_id INTEGER NOT NULL  -- The egenes file.
  gene_id VARCHAR NOT NULL  -- Ensembl gene with version.
  gene_name VARCHAR  -- Gene symbol.
  gene_chr VARCHAR  -- Chromosome of the gene.
  gene_start INTEGER  -- First base of the gene, 1-based inclusive, as GTEx prints it.
  gene_end INTEGER  -- Last base of the gene, 1-based inclusive.
  strand VARCHAR  -- Strand of the gene.
  num_var INTEGER  -- Variants tested for the gene.
  beta_shape1 DOUBLE  -- First shape of the fitted beta distribution.
  beta_shape2 DOUBLE  -- Second shape of the fitted beta distribution.
  true_df DOUBLE  -- Effective degrees of freedom of the beta approximation.
  pval_true_df DOUBLE  -- Smallest nominal p-value at true_df.
  pval_perm DOUBLE  -- Direct permutation p-value of the gene.
  variant_id VARCHAR NOT NULL  -- Its lead variant: with gene_id the association in qtl, where slope, p-values and qval stand.
  num_alt_per_site INTEGER  -- ALT alleles observed at the site.
  rs_id VARCHAR  -- dbSNP id(s), comma-separated; NULL where there is none.
  ref_factor TINYINT  -- 1 where the minor allele is ALT, -1 where it is REF.
  log2_afc DOUBLE  -- Allelic fold change, log2 of ALT against REF.
  log2_afc_lower DOUBLE  -- Lower end of its 95 % interval.
  log2_afc_upper DOUBLE  -- Upper end of its 95 % interval.

TABLE failure  -- One row per variant that a scorer could not score, with the reason; such a variant is not pending.
  scorer_id VARCHAR NOT NULL  -- The scorer.
  assembly VARCHAR NOT NULL  -- Assembly of the variant.
  variant_id VARCHAR NOT NULL  -- The variant.
  reason VARCHAR NOT NULL  -- Why, e.g. window_outside_genome.
  last_at TIMESTAMP NOT NULL  -- When, UTC.
  run_id INTEGER NOT NULL  -- Run that met it.

TABLE genome_contig  -- One row per record of a registered FASTA: the stretch of its chromosome that it covers.
  source_id INTEGER NOT NULL  -- The FASTA.
  record VARCHAR NOT NULL  -- Name of the record.
  chrom VARCHAR NOT NULL  -- Chromosome, UCSC style.
  chrom_start INTEGER NOT NULL  -- First base, 0-based; not 0 where the name says so (22:20000001-21000000).
  chrom_end INTEGER NOT NULL  -- End, 0-based exclusive.

TABLE peak  -- One row per peak of a source (DNase-hypersensitive site or other interval), BED coordinates.
  peak_id BIGINT NOT NULL DEFAULT nextval('peak_id')  -- Number of the peak in this database.
  source_id INTEGER NOT NULL  -- The file it came from.
  biosample VARCHAR NOT NULL  -- Biosample of the source, e.g. K562.
  assembly VARCHAR NOT NULL  -- Assembly of the source.
  chrom ENUM NOT NULL  -- Chromosome, UCSC style.
  chrom_start INTEGER NOT NULL  -- First base, 0-based.
  chrom_end INTEGER NOT NULL  -- End, 0-based exclusive.
  name VARCHAR  -- Name in the file; NULL for a dot.
  score DOUBLE  -- BED score, 0 to 1000 by the format (MACS may exceed it).
  signal_value DOUBLE  -- signalValue of narrowPeak/broadPeak.
  neglog10_p DOUBLE  -- -log10 p-value; NULL where the file has -1.
  neglog10_q DOUBLE  -- -log10 q-value; NULL where the file has -1.
  summit INTEGER  -- Summit as a 0-based position on the chromosome (chrom_start + the offset of narrowPeak); NULL where the file has -1.
  CHECK((chrom_end > chrom_start))
  CHECK((chrom_start >= 0))

TABLE prediction  -- One row per scorer, variant, gene and track: the score of ALT against REF.
  scorer_id VARCHAR NOT NULL  -- What was computed.
  assembly VARCHAR NOT NULL  -- Assembly of the variant and of the scorer.
  variant_id VARCHAR NOT NULL  -- The variant.
  gene_id VARCHAR  -- Gene, for scorers that score genes; else NULL.
  track_id VARCHAR  -- Track, by ontology curie; NULL where the scorer has none.
  score DOUBLE NOT NULL  -- Score, ALT against REF; the formula is the aggregation of the scorer.
  quantile DOUBLE  -- Rank of the score among common variants, where the provider gives it.
  ref_value DOUBLE  -- Predicted value of the REF sequence, where the provider gives it.
  alt_value DOUBLE  -- Predicted value of the ALT sequence, where the provider gives it.
  provider VARCHAR NOT NULL  -- Who computed it: alphagenome, motif, import.
  run_id INTEGER NOT NULL  -- Run that wrote it.
  CHECK(isfinite(score))

TABLE qtl  -- One row per association: a variant, a phenotype, in one source. Predictions belong to variants, not to these rows.
  source_id INTEGER NOT NULL  -- The file it came from.
  assembly VARCHAR NOT NULL  -- Assembly of the source.
  variant_id VARCHAR NOT NULL  -- The variant.
  phenotype_id VARCHAR NOT NULL  -- What was measured; for an eQTL the gene.
  gene_id VARCHAR  -- Ensembl gene with version, e.g. ENSG00000225972.1.
  tissue VARCHAR NOT NULL  -- Tissue of the source.
  slope DOUBLE  -- Effect of ALT against REF in the unit of the source (GTEx: SD of inverse-normal expression per ALT allele).
  slope_se DOUBLE  -- Standard error of slope.
  pval_nominal DOUBLE  -- Nominal p-value of slope = 0.
  maf DOUBLE  -- Minor allele frequency, 0 to 0.5.
  tss_distance INTEGER  -- pos minus transcription start site in bp, signed by position, not by strand.
  ma_samples INTEGER  -- Samples that carry the minor allele.
  ma_count INTEGER  -- Minor alleles among the samples.
  pval_nominal_threshold DOUBLE  -- Nominal p-value threshold of the gene.
  min_pval_nominal DOUBLE  -- Smallest nominal p-value of the gene.
  pval_beta DOUBLE  -- Beta-approximated permutation p-value of the gene.
  qval DOUBLE  -- Storey q-value of the gene (egenes); an eGene has qval <= 0.05.

TABLE rejected  -- One row per rejected row of a source: nothing is dropped without a trace.
  source_id INTEGER NOT NULL  -- Its source.
  line BIGINT NOT NULL  -- Line in the (decompressed) file, from 1.
  reason VARCHAR NOT NULL  -- Why, e.g. contig_not_primary, allele_not_acgt.
  text VARCHAR NOT NULL  -- The row as it was read, as JSON.

TABLE result  -- One row per statistic that agdb stats computed: estimate, 95 % interval, p-value, and how.
  result_id INTEGER NOT NULL  -- Number of the result in this database.
  run_id INTEGER NOT NULL  -- Run that computed it.
  metric VARCHAR NOT NULL  -- spearman, pearson, or spearman_difference (between two windows, on the same rows).
  label VARCHAR NOT NULL  -- The label: slope, or pval_nominal.
  source_id INTEGER NOT NULL  -- QTL source of the label.
  source VARCHAR NOT NULL  -- Its name.
  tissue VARCHAR NOT NULL  -- Its tissue.
  scorer_id VARCHAR NOT NULL  -- The scorer; in a difference the first of the two.
  scorer VARCHAR NOT NULL  -- Its name.
  window_bp INTEGER NOT NULL  -- Its window in bp.
  stratum VARCHAR NOT NULL  -- all; in_peak; |slope| quartile; or the pair of windows compared.
  n BIGINT NOT NULL  -- Associations that entered.
  estimate DOUBLE  -- The statistic; NULL with a reason where it is not defined.
  ci_low DOUBLE  -- Lower end of its 95 % interval.
  ci_high DOUBLE  -- Upper end of its 95 % interval.
  p DOUBLE  -- Two-sided p-value.
  method VARCHAR NOT NULL  -- How interval and p-value were made.
  reason VARCHAR  -- Why estimate is NULL; else NULL.

TABLE run  -- One row per command that wrote: which arguments, which versions, when, how it ended.
  run_id INTEGER NOT NULL  -- Number of the run in this database, from 1.
  command VARCHAR NOT NULL  -- The command, e.g. ingest gtex.
  arguments VARCHAR NOT NULL  -- Its arguments as JSON; secrets are never among them.
  agdb_version VARCHAR NOT NULL  -- Version of agdb.
  duckdb_version VARCHAR NOT NULL  -- Version of DuckDB.
  software VARCHAR  -- Who computed the scores of a predict run, name and version.
  started_at TIMESTAMP NOT NULL  -- UTC.
  finished_at TIMESTAMP  -- UTC; NULL while it runs, or where it was killed.
  status VARCHAR NOT NULL  -- running, done, failed or interrupted.
  n_rows BIGINT  -- Rows that it wrote.
  CHECK((status IN ('running', 'done', 'failed', 'interrupted')))

TABLE schema_migration  -- One row per migration applied: what made the tables.
  number INTEGER NOT NULL  -- Its number; migrations are applied in this order.
  name VARCHAR NOT NULL  -- Its file, without .sql.
  sha256 VARCHAR NOT NULL  -- sha256 of its text: an edited migration is refused.
  applied_at TIMESTAMP NOT NULL  -- When, UTC.
  agdb_version VARCHAR NOT NULL  -- Version of agdb that applied it.
  duckdb_version VARCHAR NOT NULL  -- Version of DuckDB that applied it.

TABLE scorer  -- One row per scorer: everything that, if it changed, would change the number.
  scorer_id VARCHAR NOT NULL  -- First 16 hex digits of the sha256 of config: equal scorers have equal ids in every database.
  name VARCHAR NOT NULL  -- What users call it, e.g. motif, dnase-k562, original.
  model VARCHAR NOT NULL  -- Model, e.g. alphagenome, agdb-motif.
  model_version VARCHAR NOT NULL  -- Version of the model as its maker names it.
  assembly VARCHAR NOT NULL  -- Genome that the model reads.
  output_type VARCHAR NOT NULL  -- Predicted assay, e.g. DNASE.
  window_bp INTEGER NOT NULL  -- Bases of sequence that the model reads.
  mask_bp INTEGER  -- Central bases that the score aggregates over; NULL for the whole window.
  aggregation VARCHAR NOT NULL  -- How ALT and REF become one number, e.g. DIFF_LOG2_SUM.
  track_set VARCHAR NOT NULL  -- Tracks that enter, by ontology curie, or all.
  is_signed BOOLEAN NOT NULL  -- Whether the score has a direction (ALT against REF).
  reads_genome BOOLEAN NOT NULL  -- Whether it reads the registered FASTA, so that only REF-checked variants can be scored.
  config VARCHAR NOT NULL  -- All of it, canonical JSON.

TABLE source  -- One row per ingested file: what it is, its assembly, its sha256, and how many of its rows were kept.
  source_id INTEGER NOT NULL  -- Number of the source in this database, from 1.
  kind VARCHAR NOT NULL  -- qtl, peaks, genome or predictions.
  format VARCHAR NOT NULL  -- Layout that was read, e.g. gtex_pairs, gtex_egenes, narrowPeak, bed4, fasta, original.
  name VARCHAR NOT NULL  -- File name.
  tissue VARCHAR  -- Tissue of a QTL source, as the user named it (GTEx spelling, e.g. Whole_Blood).
  biosample VARCHAR  -- Biosample of a peak source, e.g. K562.
  assembly VARCHAR NOT NULL  -- Genome that its coordinates refer to, e.g. GRCh38. Unequal assemblies never meet in a join.
  effect VARCHAR  -- Column that holds the label: slope, or pval_nominal where a file has nothing else.
  effect_unit VARCHAR  -- Unit of the label, e.g. SD of inverse-normal expression per ALT allele.
  effect_allele VARCHAR  -- Allele that the effect refers to after ingest: ALT. NULL where the label has no direction.
  null_value DOUBLE  -- Value of the label that means no effect.
  path VARCHAR NOT NULL  -- Where the file was.
  sha256 VARCHAR NOT NULL  -- sha256 of its bytes.
  bytes BIGINT NOT NULL  -- Its size.
  rows_read BIGINT  -- Data rows in the file.
  rows_kept BIGINT  -- Rows that were kept.
  rows_rejected BIGINT  -- Rows that were refused one by one; they stand in table rejected.
  run_id INTEGER NOT NULL  -- Run that ingested it.
  CHECK((kind IN ('qtl', 'peaks', 'genome', 'predictions')))

TABLE variant  -- One row per variant of an assembly. Associations and predictions refer to it by (assembly, variant_id).
  variant_id VARCHAR NOT NULL  -- chrom_pos_ref_alt, e.g. chr1_1284987_G_A.
  assembly VARCHAR NOT NULL  -- Genome that pos refers to.
  chrom ENUM NOT NULL  -- Chromosome, UCSC style.
  pos INTEGER NOT NULL  -- Position of the first base of REF, 1-based (VCF).
  ref VARCHAR NOT NULL  -- Reference allele.
  alt VARCHAR NOT NULL  -- Alternative allele: effects and scores are of ALT against REF.
  chrom_start INTEGER DEFAULT CAST((pos - 1) AS INTEGER)  -- pos - 1: start of the span of REF, 0-based (BED).
  chrom_end INTEGER DEFAULT CAST(CAST(((pos - 1) + length("ref")) AS INTEGER) AS INTEGER)  -- pos - 1 + length(ref): end of the span of REF, exclusive (BED).
  kind VARCHAR DEFAULT CAST(CASE  WHEN ((length("ref") > length(alt))) THEN ('deletion') WHEN ((length("ref") < length(alt))) THEN ('insertion') WHEN ((length("ref") = 1)) THEN ('SNV') ELSE 'MNV' END AS VARCHAR)  -- SNV, insertion, deletion or MNV.
  ref_status VARCHAR NOT NULL DEFAULT 'unchecked'  -- The whole REF allele against the registered FASTA: match, mismatch (never analysed), or unchecked (no FASTA covers it).
  CHECK((alt != "ref"))
  CHECK((pos >= 1))
  CHECK((ref_status IN ('unchecked', 'match', 'mismatch')))

VIEW candidate  -- One row per variant that has an association and whose REF does not contradict the genome.
  assembly VARCHAR  -- Assembly.
  variant_id VARCHAR  -- The variant.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  kind VARCHAR  -- SNV, insertion, deletion or MNV.
  ref_status VARCHAR  -- match, or unchecked where no FASTA covers it.
  in_peak BOOLEAN  -- Whether it lies in a peak (rule span); NULL where the chromosome has no peaks at all.

VIEW correlation  -- One row per label set and scorer: rank and linear correlation of score and label.
  label VARCHAR  -- Name of the label column of the source: slope, or pval_nominal.
  tissue VARCHAR  -- Tissue of the source.
  scorer VARCHAR  -- Name of the scorer.
  window_bp INTEGER  -- Its window in bp.
  n BIGINT  -- Associations.
  spearman DOUBLE  -- Spearman correlation, average ranks; NULL where label or score is constant.
  pearson DOUBLE  -- Pearson correlation; NULL where label or score is constant.
  n_variants BIGINT  -- Unique variants among them.
  n_genes BIGINT  -- Unique genes among them.
  effect_sd DOUBLE  -- Standard deviation of the label.
  score_sd DOUBLE  -- Standard deviation of the score.
  n_ref_unchecked BIGINT  -- Associations whose REF allele no registered FASTA covers.
  source_id INTEGER  -- QTL source of the label.
  source VARCHAR  -- Its name.
  scorer_id VARCHAR  -- The scorer.

VIEW label  -- One row per association and label: the measured value that a score is to agree with.
  label VARCHAR  -- What the label is: slope, or pval_nominal where the file had nothing else.
  source_id INTEGER  -- Source of the association.
  label_source_id INTEGER  -- Source of the label: another one where a pair was re-labelled with its true slope.
  assembly VARCHAR  -- Assembly.
  variant_id VARCHAR  -- The variant.
  phenotype_id VARCHAR  -- The phenotype.
  gene_id VARCHAR  -- The gene.
  tissue VARCHAR  -- Tissue.
  effect_unit VARCHAR  -- Unit of the label.
  effect DOUBLE  -- The label: effect of ALT against REF (or the p-value, where label says so).
  slope_se DOUBLE  -- Standard error of the slope.
  pval_nominal DOUBLE  -- Nominal p-value.
  qval DOUBLE  -- q-value of the gene, where the source has it.
  maf DOUBLE  -- Minor allele frequency.
  tss_distance INTEGER  -- pos minus TSS in bp.

VIEW peak_bin  -- One row per peak and 2,048-base bin: the equality key that makes the overlap a fast join.
  peak_id BIGINT  -- The peak.
  source_id INTEGER  -- Its source.
  biosample VARCHAR  -- Its biosample.
  assembly VARCHAR  -- Its assembly.
  chrom ENUM  -- Its chromosome.
  chrom_start INTEGER  -- Its first base, 0-based.
  chrom_end INTEGER  -- Its end, 0-based exclusive.
  bin INTEGER  -- Bin of 2,048 bases: 0-based position >> 11.

VIEW pending  -- One row per scorer and candidate variant that it has neither scored nor failed on: the work list.
  scorer_id VARCHAR  -- The scorer.
  scorer VARCHAR  -- Its name.
  window_bp INTEGER  -- Its window in bp.
  assembly VARCHAR  -- Assembly.
  variant_id VARCHAR  -- The variant.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  in_peak BOOLEAN  -- Whether it lies in a peak (rule span); NULL where the chromosome has no peaks at all.

VIEW scored_qtl  -- One row per association and scorer: label, score, and what strata need.
  label VARCHAR  -- What the label is: slope, or pval_nominal where the file had nothing else.
  source_id INTEGER  -- QTL source.
  source VARCHAR  -- Its name.
  label_source_id INTEGER  -- Source of the label.
  tissue VARCHAR  -- Its tissue.
  effect_unit VARCHAR  -- Unit of the label.
  scorer_id VARCHAR  -- The scorer.
  scorer VARCHAR  -- Its name.
  window_bp INTEGER  -- Its window in bp.
  family VARCHAR  -- Scorers of one family differ in nothing but the window.
  is_signed BOOLEAN  -- Whether the score has a direction.
  provider VARCHAR  -- Who computed the score.
  assembly VARCHAR  -- Assembly.
  variant_id VARCHAR  -- The variant.
  phenotype_id VARCHAR  -- The phenotype.
  gene_id VARCHAR  -- The gene.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  kind VARCHAR  -- SNV, insertion, deletion or MNV.
  ref_status VARCHAR  -- match, or unchecked where no FASTA covers it.
  in_peak BOOLEAN  -- Whether the variant lies in a peak (rule span); NULL where the chromosome has no peaks at all.
  effect DOUBLE  -- The label: measured effect of ALT against REF (or the p-value, where label says so).
  score DOUBLE  -- The prediction: ALT against REF.
  slope DOUBLE  -- Effect of ALT against REF; NULL where the label is not a slope.
  slope_se DOUBLE  -- Its standard error.
  pval_nominal DOUBLE  -- Its nominal p-value.
  qval DOUBLE  -- q-value of the gene, where the source has it.
  maf DOUBLE  -- Minor allele frequency.
  tss_distance INTEGER  -- pos minus TSS in bp.

VIEW scorer_family  -- One row per scorer, with the family of those that differ from it in nothing but the window.
  scorer_id VARCHAR  -- The scorer.
  name VARCHAR  -- Its name.
  window_bp INTEGER  -- Its window in bp.
  is_signed BOOLEAN  -- Whether its score has a direction.
  family VARCHAR  -- Hash of everything in the scorer but its window.

VIEW stratified_qtl  -- One row per association, scorer and way to stratify; every column of scored_qtl besides.
  stratification VARCHAR  -- all, effect_size (quartile of |slope| within source and scorer), peak, egene (qval <= 0.05), kind, or window (rows that every window of the scorer scored).
  stratum VARCHAR  -- Stratum within it, e.g. Q4, in peak, eGene, deletion.
  label VARCHAR  -- What the label is: slope, or pval_nominal where the file had nothing else.
  source_id INTEGER  -- QTL source.
  source VARCHAR  -- Its name.
  label_source_id INTEGER  -- Source of the label.
  tissue VARCHAR  -- Its tissue.
  effect_unit VARCHAR  -- Unit of the label.
  scorer_id VARCHAR  -- The scorer.
  scorer VARCHAR  -- Its name.
  window_bp INTEGER  -- Its window in bp.
  family VARCHAR  -- Scorers of one family differ in nothing but the window.
  is_signed BOOLEAN  -- Whether the score has a direction.
  provider VARCHAR  -- Who computed the score.
  assembly VARCHAR  -- Assembly.
  variant_id VARCHAR  -- The variant.
  phenotype_id VARCHAR  -- The phenotype.
  gene_id VARCHAR  -- The gene.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  kind VARCHAR  -- SNV, insertion, deletion or MNV.
  ref_status VARCHAR  -- match, or unchecked where no FASTA covers it.
  in_peak BOOLEAN  -- Whether the variant lies in a peak (rule span); NULL where the chromosome has no peaks at all.
  effect DOUBLE  -- The label: measured effect of ALT against REF (or the p-value, where label says so).
  score DOUBLE  -- The prediction: ALT against REF.
  slope DOUBLE  -- Effect of ALT against REF; NULL where the label is not a slope.
  slope_se DOUBLE  -- Its standard error.
  pval_nominal DOUBLE  -- Its nominal p-value.
  qval DOUBLE  -- q-value of the gene, where the source has it.
  maf DOUBLE  -- Minor allele frequency.
  tss_distance INTEGER  -- pos minus TSS in bp.

VIEW stratum  -- One row per label set, scorer and stratum: rank and linear correlation of score and label.
  label VARCHAR  -- Name of the label column of the source: slope, or pval_nominal.
  tissue VARCHAR  -- Tissue of the source.
  scorer VARCHAR  -- Name of the scorer.
  window_bp INTEGER  -- Its window in bp.
  stratification VARCHAR  -- all, effect_size, peak, egene, kind or window.
  stratum VARCHAR  -- Stratum within it.
  n BIGINT  -- Associations.
  spearman DOUBLE  -- Spearman correlation, average ranks; NULL where label or score is constant.
  pearson DOUBLE  -- Pearson correlation; NULL where label or score is constant, or spread beyond 1e150.
  n_variants BIGINT  -- Unique variants among them.
  n_genes BIGINT  -- Unique genes among them.
  effect_sd DOUBLE  -- Standard deviation of the label.
  score_sd DOUBLE  -- Standard deviation of the score.
  effect_abs_min DOUBLE  -- Smallest |label|.
  effect_abs_max DOUBLE  -- Largest |label|.
  n_ref_unchecked BIGINT  -- Associations whose REF allele no registered FASTA covers.
  source_id INTEGER  -- QTL source of the label.
  source VARCHAR  -- Its name.
  scorer_id VARCHAR  -- The scorer.

VIEW stratum_effect_size  -- One row per label set, scorer and quartile of |slope|.
  label VARCHAR  -- Name of the label column of the source.
  tissue VARCHAR  -- Tissue of the source.
  scorer VARCHAR  -- Name of the scorer.
  window_bp INTEGER  -- Its window in bp.
  stratum VARCHAR  -- Q1 (smallest |slope|) to Q4 (largest).
  n BIGINT  -- Associations.
  spearman DOUBLE  -- Spearman correlation within the quartile, average ranks.
  pearson DOUBLE  -- Pearson correlation within the quartile.
  n_variants BIGINT  -- Unique variants among them.
  n_genes BIGINT  -- Unique genes among them.
  effect_sd DOUBLE  -- Standard deviation of the label.
  score_sd DOUBLE  -- Standard deviation of the score.
  effect_abs_min DOUBLE  -- Smallest |slope| of the quartile.
  effect_abs_max DOUBLE  -- Largest |slope| of the quartile.
  n_ref_unchecked BIGINT  -- Associations whose REF allele no registered FASTA covers.
  source_id INTEGER  -- QTL source of the label.
  source VARCHAR  -- Its name.
  scorer_id VARCHAR  -- The scorer.

VIEW variant_in_peak  -- One row per variant and peak that share a base (rule span).
  variant_id VARCHAR  -- The variant.
  peak_id BIGINT  -- The peak.
  source_id INTEGER  -- Source of the peak.
  biosample VARCHAR  -- Biosample of the peak.
  assembly VARCHAR  -- Assembly of both.

VIEW variant_in_peak_point  -- One row per variant and peak that holds its first REF base (rule point, the original study's).
  variant_id VARCHAR  -- The variant.
  peak_id BIGINT  -- The peak.
  source_id INTEGER  -- Source of the peak.
  biosample VARCHAR  -- Biosample of the peak.
  assembly VARCHAR  -- Assembly of both.

VIEW window_comparison  -- One row per label set and pair of windows of one scorer, on the associations that both scored.
  label VARCHAR  -- Name of the label column of the source.
  tissue VARCHAR  -- Tissue of the source.
  scorer VARCHAR  -- Name of the scorer.
  window_a INTEGER  -- Smaller window in bp.
  window_b INTEGER  -- Larger window in bp.
  n BIGINT  -- Associations that both windows scored.
  spearman_a DOUBLE  -- Spearman correlation of label and score at window_a.
  spearman_b DOUBLE  -- Spearman correlation of label and score at window_b.
  difference DOUBLE  -- spearman_a - spearman_b; agdb stats adds its interval.
  spearman_ab DOUBLE  -- Spearman correlation of the two scores: what the interval of the difference needs.
  source_id INTEGER  -- QTL source of the label.
  source VARCHAR  -- Its name.
  scorer_a VARCHAR  -- Scorer at window_a.
  scorer_b VARCHAR  -- Scorer at window_b.
