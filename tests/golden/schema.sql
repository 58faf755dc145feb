TYPE assembly_t ENUM (NCBI36, GRCh37, GRCh38)

TYPE chrom_t ENUM (chr1, chr2, chr3, chr4, chr5, chr6, chr7, chr8, chr9, chr10, chr11, chr12, chr13, chr14, chr15, chr16, chr17, chr18, chr19, chr20, chr21, chr22, chrX, chrY, chrM)

TABLE chain_block  -- One row per gapless block of a liftover chain: bases that lie in both assemblies in the same order.
  source_id INTEGER NOT NULL  -- The chain file; source.lifted_from is its first assembly, source.assembly the second.
  chain_id INTEGER NOT NULL  -- Id of the chain in the file.
  score BIGINT NOT NULL  -- Score of the chain.
  chrom ENUM NOT NULL  -- Chromosome of the first assembly.
  chrom_start INTEGER NOT NULL  -- First base there, 0-based.
  chrom_end INTEGER NOT NULL  -- End there, 0-based exclusive.
  to_chrom VARCHAR NOT NULL  -- Chromosome of the second assembly.
  to_strand VARCHAR NOT NULL  -- Its strand: on - the block lies turned round.
  to_start INTEGER NOT NULL  -- Lowest base of the block on the + strand of the second assembly, 0-based.
  CHECK((to_strand IN ('+', '-')))

TABLE computation  -- One row per computation: what one call computes for a variant, in all tracks, and who computes it.
  computation_id VARCHAR NOT NULL  -- Hash of the content: the same in every database.
  provider VARCHAR NOT NULL  -- Who computes: alphagenome, atlas, motif, or import.
  model VARCHAR NOT NULL  -- The model, e.g. alphagenome.
  model_version VARCHAR NOT NULL  -- Its version, as its maker names it.
  assembly ENUM NOT NULL  -- Genome that the model reads.
  output_type VARCHAR NOT NULL  -- Predicted assay, e.g. DNASE.
  window_bp INTEGER NOT NULL  -- Bases of sequence that the model reads.
  mask_bp INTEGER  -- Central bases over which the score aggregates; NULL for the whole window, or for genes.
  aggregation VARCHAR NOT NULL  -- Formula, e.g. DIFF_LOG2_SUM.
  is_signed BOOLEAN NOT NULL  -- Whether the score has a direction (ALT against REF).
  reads_genome BOOLEAN NOT NULL  -- Whether it reads the registered FASTA.

TABLE contig  -- One row per chromosome of an assembly: a coordinate beyond its length is refused.
  assembly ENUM NOT NULL  -- NCBI36 (hg18), GRCh37 (hg19) or GRCh38 (hg38).
  chrom ENUM NOT NULL  -- Chromosome, UCSC style.
  length INTEGER NOT NULL  -- Length in bp.

TABLE credible  -- One row per fine-mapped variant, phenotype and credible set: the probability that it is the causal one.
  source_id INTEGER NOT NULL  -- The fine-mapping.
  assembly ENUM NOT NULL  -- Its assembly.
  chrom ENUM NOT NULL  -- Chromosome of the variant.
  pos INTEGER NOT NULL  -- Position of the first base of REF, 1-based.
  ref VARCHAR NOT NULL  -- Reference allele.
  alt VARCHAR NOT NULL  -- Alternative allele.
  gene_id VARCHAR  -- Gene.
  molecular_trait_id VARCHAR  -- What was measured, where that is not the gene itself.
  pip DOUBLE NOT NULL  -- Posterior inclusion probability, 0 to 1.
  cs_id VARCHAR  -- Credible set or cluster that it belongs to; NULL where it is in none.
  cs_size INTEGER  -- Variants in the set.
  cs_pip DOUBLE  -- Probability of the whole set (DAP-G: cluster pip), 0 to 1.
  z DOUBLE  -- z-score of ALT, where the file has it.
  posterior_mean DOUBLE  -- Posterior mean of the effect of ALT, in the unit of the source.
  posterior_sd DOUBLE  -- Its standard deviation.
  reoriented VARCHAR  -- As in qtl.
  CHECK(((pip >= 0) AND (pip <= 1)))
  CHECK((reoriented IN ('swapped', 'strand', 'strand_swapped')))

TABLE egene  -- One row per tested gene of a GTEx egenes file, or per signal of an independent-eQTL file: what is not a fact of the association itself.
  source_id INTEGER NOT NULL  -- The file.
  gene_id VARCHAR NOT NULL  -- Ensembl gene with version; with source_id (and signal_rank) the association in qtl, where slope, p-values and qval stand.
  gene_name VARCHAR  -- Gene symbol.
  gene_chr VARCHAR  -- Chromosome of the gene.
  gene_start INTEGER  -- First base of the gene, 1-based inclusive, as GTEx prints it.
  gene_end INTEGER  -- Last base of the gene, 1-based inclusive.
  strand VARCHAR  -- Strand of the gene.
  biotype VARCHAR  -- Biotype of the gene, where the file has it.
  num_var INTEGER  -- Variants tested for the gene.
  beta_shape1 DOUBLE  -- First shape of the fitted beta distribution.
  beta_shape2 DOUBLE  -- Second shape of the fitted beta distribution.
  true_df DOUBLE  -- Effective degrees of freedom of the beta approximation.
  pval_true_df DOUBLE  -- Smallest nominal p-value at true_df.
  pval_perm DOUBLE  -- Direct permutation p-value of the gene.
  signal_rank SMALLINT  -- Rank of the signal in an independent-eQTL file; NULL in an egenes file.
  num_alt_per_site INTEGER  -- ALT alleles observed at the site of the lead variant.
  ref_factor TINYINT  -- 1 where the minor allele of the lead variant is ALT, -1 where it is REF.
  log2_afc DOUBLE  -- Allelic fold change, log2 of ALT against REF.
  log2_afc_lower DOUBLE  -- Lower end of its 95 % interval.
  log2_afc_upper DOUBLE  -- Upper end of its 95 % interval.

TABLE failure  -- One row per computation and variant that could not be scored, with the reason; only predict --retry-failed asks again.
  computation_id VARCHAR NOT NULL  -- The computation.
  assembly ENUM NOT NULL  -- Assembly of the variant.
  chrom ENUM NOT NULL  -- Chromosome of the variant.
  pos INTEGER NOT NULL  -- Position of the first base of REF, 1-based.
  ref VARCHAR NOT NULL  -- Reference allele.
  alt VARCHAR NOT NULL  -- Alternative allele.
  reason VARCHAR NOT NULL  -- Why, e.g. window_outside_genome, or the status and words of the server.
  attempts INTEGER NOT NULL  -- Calls made for it, in all runs.
  last_at TIMESTAMP NOT NULL  -- When last, UTC.
  run_id INTEGER NOT NULL  -- Run that met it last.

TABLE gene  -- One row per gene of an annotation: where it lies and where its transcription starts.
  source_id INTEGER NOT NULL  -- The annotation.
  assembly ENUM NOT NULL  -- Its assembly.
  gene_id VARCHAR NOT NULL  -- Ensembl gene as the annotation writes it; genes are met without their version where one side has none.
  gene_name VARCHAR  -- Gene symbol.
  chrom ENUM NOT NULL  -- Chromosome.
  chrom_start INTEGER NOT NULL  -- First base, 0-based (BED).
  chrom_end INTEGER NOT NULL  -- End, 0-based exclusive (BED).
  strand VARCHAR NOT NULL  -- + or -.
  biotype VARCHAR  -- e.g. protein_coding.
  tss INTEGER DEFAULT CAST("if"((strand = '+'), (chrom_start + 1), chrom_end) AS INTEGER)  -- Transcription start site, 1-based: the first base on +, the last on -; GTEx's tss_distance is pos - tss.
  CHECK((chrom_end > chrom_start))
  CHECK((chrom_start >= 0))
  CHECK((strand IN ('+', '-')))

TABLE genome_contig  -- One row per record of a registered FASTA: the stretch of its chromosome that it covers.
  source_id INTEGER NOT NULL  -- The FASTA.
  record VARCHAR NOT NULL  -- Name of the record.
  chrom VARCHAR NOT NULL  -- Chromosome, UCSC style.
  chrom_start INTEGER NOT NULL  -- First base, 0-based; not 0 where the name says so (22:20000001-21000000).
  chrom_end INTEGER NOT NULL  -- End, 0-based exclusive.

TABLE label_set  -- One row per label set: which associations, and what is an observation. agdb labels lists them and adds more.
  name VARCHAR NOT NULL  -- Its name, for agdb stats --labels.
  label VARCHAR NOT NULL  -- slope, conditional_slope or pval_nominal.
  source_ids INTEGER[]  -- QTL sources; NULL for each source that has the label.
  condition VARCHAR  -- SQL over the columns of view analysed_qtl; NULL for all rows.
  unit VARCHAR NOT NULL  -- What a row is: pair (a variant and a phenotype), or variant (its association with the smallest p-value).
  cluster VARCHAR NOT NULL  -- What is drawn as a whole when intervals are made: block (of linkage; 1 Mb where none were ingested), gene, or chrom.
  about VARCHAR NOT NULL  -- What it is for.
  created_at TIMESTAMP NOT NULL  -- When it was made, UTC.
  is_pooled BOOLEAN DEFAULT false  -- Whether its sources are analysed together, a row each variant, phenotype and tissue; else one after the other. Their units are alike.
  CHECK(("cluster" IN ('block', 'gene', 'chrom')))
  CHECK((unit IN ('pair', 'variant')))

TABLE ld_block  -- One row per block of linkage disequilibrium (e.g. Berisa & Pickrell 2016): variants of different blocks are about independent. BED coordinates.
  source_id INTEGER NOT NULL  -- The file it came from.
  assembly ENUM NOT NULL  -- Assembly.
  chrom ENUM NOT NULL  -- Chromosome.
  chrom_start INTEGER NOT NULL  -- First base, 0-based.
  chrom_end INTEGER NOT NULL  -- End, 0-based exclusive.
  CHECK((chrom_end > chrom_start))
  CHECK((chrom_start >= 0))

TABLE listed_variant  -- One row per variant, name and source: the variants that a VCF lists, and the rsIDs of QTL tables.
  source_id INTEGER NOT NULL  -- The source that lists it.
  assembly ENUM NOT NULL  -- Assembly of the source.
  chrom ENUM NOT NULL  -- Chromosome.
  pos INTEGER NOT NULL  -- Position of the first base of REF, 1-based.
  ref VARCHAR NOT NULL  -- Reference allele.
  alt VARCHAR NOT NULL  -- Alternative allele.
  name VARCHAR  -- Its name there, e.g. rs1258209587; NULL where it has none.
  reoriented VARCHAR  -- As in qtl: NULL where the alleles are as the source gives them.

TABLE peak  -- One row per interval of a source: a peak (DNase-hypersensitive site), or a region of a blacklist. BED coordinates.
  peak_id BIGINT NOT NULL  -- Number of the peak in this database.
  source_id INTEGER NOT NULL  -- The file it came from.
  biosample VARCHAR NOT NULL  -- Biosample of the source, e.g. K562.
  assembly ENUM NOT NULL  -- Assembly of the source.
  chrom ENUM NOT NULL  -- Chromosome, UCSC style.
  chrom_start INTEGER NOT NULL  -- First base, 0-based.
  chrom_end INTEGER NOT NULL  -- End, 0-based exclusive.
  name VARCHAR  -- Name in the file; NULL for a dot.
  score DOUBLE  -- BED score, 0 to 1000 by the format (MACS may exceed it).
  signal_value DOUBLE  -- signalValue of narrowPeak/broadPeak.
  neglog10_p DOUBLE  -- -log10 p-value; NULL where the file has -1.
  neglog10_q DOUBLE  -- -log10 q-value; NULL where the file has -1.
  summit INTEGER  -- Summit as a 0-based position on the chromosome (chrom_start + the offset of narrowPeak); NULL where the file has -1.
  n_samples INTEGER  -- Biosamples in which the site is open (DHS index).
  component VARCHAR  -- Component of the DHS vocabulary, e.g. Myeloid / erythroid.
  CHECK((chrom_end > chrom_start))
  CHECK((chrom_start >= 0))

TABLE prediction  -- One row per computation, variant, gene and track: the score of ALT against REF. View score has them by scorer.
  computation_id VARCHAR NOT NULL  -- The computation.
  assembly ENUM NOT NULL  -- Assembly of the variant.
  chrom ENUM NOT NULL  -- Chromosome of the variant.
  pos INTEGER NOT NULL  -- Position of the first base of REF, 1-based.
  ref VARCHAR NOT NULL  -- Reference allele.
  alt VARCHAR NOT NULL  -- Alternative allele.
  gene_id VARCHAR  -- Gene, without version, where genes are scored; else NULL.
  track_id INTEGER  -- The track; NULL where the model has none, or a file brought one number for all of them.
  score DOUBLE NOT NULL  -- Score, ALT against REF; the formula is the aggregation of the computation.
  quantile DOUBLE  -- Rank of the score among common variants, -1 to 1, where the provider gives it.
  ref_value DOUBLE  -- Predicted value of the REF sequence, where the provider gives it.
  alt_value DOUBLE  -- Predicted value of the ALT sequence, where the provider gives it.
  CHECK(isfinite(score))

TABLE qtl  -- One row per association: a variant, a phenotype, in one source. View association adds variant_id, phenotype_id, tissue and source.
  source_id INTEGER NOT NULL  -- The source; its tissue, assembly, unit and file stand there.
  assembly ENUM NOT NULL  -- Assembly of the source.
  chrom ENUM NOT NULL  -- Chromosome of the variant.
  pos INTEGER NOT NULL  -- Position of the first base of REF, 1-based.
  ref VARCHAR NOT NULL  -- Reference allele.
  alt VARCHAR NOT NULL  -- Alternative allele.
  gene_id VARCHAR  -- Ensembl gene as the source writes it, with version or without; NULL where the phenotype is no gene.
  molecular_trait_id VARCHAR  -- What was measured where that is not the gene itself: a splice cluster, a peak, a transcript; NULL for an eQTL.
  slope DOUBLE  -- Effect of ALT against REF in the unit of the source (GTEx: SD of inverse-normal expression per ALT allele).
  slope_se DOUBLE  -- Standard error of slope.
  pval_nominal DOUBLE  -- Nominal p-value of no effect.
  af DOUBLE  -- Frequency of ALT, 0 to 1; NULL where the source gives only maf.
  maf DOUBLE  -- Minor allele frequency, 0 to 0.5.
  tss_distance INTEGER  -- pos minus transcription start site in bp, signed by position, not by strand; NULL where the source has none (view association fills it from table gene).
  ma_samples INTEGER  -- Samples that carry the minor allele.
  ma_count INTEGER  -- Minor alleles among the samples.
  pval_nominal_threshold DOUBLE  -- Nominal p-value threshold of the gene.
  min_pval_nominal DOUBLE  -- Smallest nominal p-value of the gene.
  pval_beta DOUBLE  -- Beta-approximated permutation p-value of the gene.
  qval DOUBLE  -- Storey q-value of the gene (egenes); an eGene has qval <= 0.05.
  signal_rank SMALLINT  -- Rank of the signal among the independent signals of the gene (conditional analysis), from 1.
  is_conditional BOOLEAN  -- Whether slope is the effect given the gene's other signals, which no marginal slope may be pooled with.
  reoriented VARCHAR  -- How the alleles of the source were turned to those of the genome: swapped (slope and af turned with them), strand (complemented), strand_swapped; NULL where they are as given.
  CHECK((reoriented IN ('swapped', 'strand', 'strand_swapped')))

TABLE rejected  -- One row per rejected row of a source: nothing is dropped without a trace.
  source_id INTEGER NOT NULL  -- Its source.
  line BIGINT  -- Line in the (decompressed) file, or row of a Parquet file, from 1.
  reason VARCHAR NOT NULL  -- Why, e.g. contig_not_primary, allele_not_acgt.
  text VARCHAR NOT NULL  -- The line as it stands in the file; of a Parquet file the row as JSON.

TABLE replicate  -- One row per score that agdb audit computed again: it enters no analysis, it tells whether the provider repeats itself.
  computation_id VARCHAR NOT NULL  -- The computation.
  assembly ENUM NOT NULL  -- Assembly of the variant.
  chrom ENUM NOT NULL  -- Chromosome of the variant.
  pos INTEGER NOT NULL  -- Position of the first base of REF, 1-based.
  ref VARCHAR NOT NULL  -- Reference allele.
  alt VARCHAR NOT NULL  -- Alternative allele.
  gene_id VARCHAR  -- Gene, where genes are scored.
  track_id INTEGER  -- The track.
  score DOUBLE NOT NULL  -- The score, computed again.
  run_id INTEGER NOT NULL  -- Run of the audit.
  CHECK(isfinite(score))

TABLE result  -- One row per statistic that agdb stats computed, with its intervals and all that they rest on. agdb explain tells the way back to the files.
  result_id INTEGER NOT NULL  -- Number of the result in this database.
  run_id INTEGER NOT NULL  -- Run that computed it; its arguments say what was asked.
  label_set VARCHAR NOT NULL  -- The label set.
  label VARCHAR NOT NULL  -- The label: slope, conditional_slope or pval_nominal.
  source_id INTEGER NOT NULL  -- QTL source of the label.
  source VARCHAR NOT NULL  -- Its name.
  tissue VARCHAR NOT NULL  -- Its tissue.
  scorer_id VARCHAR NOT NULL  -- The scorer; in a paired difference the first of the two.
  scorer VARCHAR NOT NULL  -- Its name.
  window_bp INTEGER NOT NULL  -- Its window in bp.
  versus VARCHAR  -- What it is compared with: another scorer on the same rows, or another stratum; NULL where nothing is compared.
  stratification VARCHAR NOT NULL  -- How rows were divided: all, kind, tss_distance, ..., or an expression of the user's.
  stratum VARCHAR NOT NULL  -- The rows that entered: all, or one of the strata.
  metric VARCHAR NOT NULL  -- spearman, pearson, kendall, sign_concordance, sign_auroc, abs_spearman (|effect| and |score|); partial_, permutation_, disattenuated_spearman; spearman_fiqt, spearman_conditional (without winner's curse); overlap_enrichment; causal_auroc, causal_auprc, causal_pairwise, causal_auroc_tss_distance, causal_auroc_gain, causal_matched, causal_smd_* (causal variants against matched controls); *_difference; heterogeneity.
  unit VARCHAR NOT NULL  -- What a row is: pair (variant and phenotype) or variant.
  n BIGINT NOT NULL  -- Rows that entered.
  n_variants BIGINT  -- Variants among them.
  n_genes BIGINT  -- Phenotypes among them.
  cluster VARCHAR NOT NULL  -- What was drawn as a whole: block (of linkage), mb (1 Mb windows, where no blocks are known), gene, chrom.
  n_clusters BIGINT  -- How many of them have rows.
  estimate DOUBLE  -- The statistic; NULL with a reason where it is not defined.
  ci_low DOUBLE  -- Lower end of its 95 % interval of clusters, the one to cite: by resampling them, of a difference by flipping the signs of what they add to it; method says which.
  ci_high DOUBLE  -- Upper end of its 95 % interval of clusters.
  se DOUBLE  -- Standard error of the estimate, of clusters.
  analytic_low DOUBLE  -- Lower end of the 95 % interval of independent rows, for comparison.
  analytic_high DOUBLE  -- Upper end of the 95 % interval of independent rows.
  analytic_p DOUBLE  -- Two-sided p-value of independent rows: t test (correlations), score test (sign concordance), DeLong (AUROC), Meng-Rosenthal-Rubin (paired differences).
  p DOUBLE  -- Two-sided p-value, from the standard error by resampling clusters, of a difference from the flips (else method says how).
  q DOUBLE  -- Benjamini-Hochberg q-value within the family: this run, label set, source and metric; of scorers or strata that are compared two and two, where there are several, the max-T adjusted p-value.
  design_effect DOUBLE  -- Variance by resampling clusters over that of independent rows; n / design_effect independent rows say as much.
  detectable DOUBLE  -- Smallest absolute value that a test at 0.05 would have found with 80 % power.
  ceiling DOUBLE  -- Largest correlation that the noise of the slopes leaves: sqrt(1 - mean(slope_se^2) / var(slope)); slopes picked for significance make it too high.
  expected VARCHAR  -- What the field has found in such a setting, where it has; far outside, look for a bug first.
  method VARCHAR NOT NULL  -- How estimate, intervals and p-value were made.
  seed INTEGER  -- Seed of the resamples and flips: the same inputs and seed give the same numbers.
  resamples INTEGER  -- Resamples of the clusters, or flips of their signs; of permutation_* the permutations, of overlap_enrichment the shifts.
  reason VARCHAR  -- Why estimate or interval is NULL; else NULL.
  chance DOUBLE  -- Value of the statistic for a score that knows nothing: 0 for correlations and differences, 0.5 for AUROC, concordance and pairs, the share of causal variants for causal_auprc, 1 for an enrichment; NULL where there is none.

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
  run_uuid VARCHAR  -- Id of a predict run that every machine knows: its spool files carry it.
  n_calls BIGINT  -- Calls that a predict run made, with those that were refused or repeated.
  seconds_waited DOUBLE  -- Seconds that it waited for the quota.
  CHECK((status IN ('running', 'done', 'failed', 'interrupted')))

TABLE sample  -- One row per sample of variants that was drawn: the same n, seed and condition give the same variants to every scorer.
  sample_id INTEGER NOT NULL  -- Number of the sample.
  n INTEGER NOT NULL  -- Variants asked for.
  seed INTEGER NOT NULL  -- Seed of the drawing.
  condition VARCHAR NOT NULL  -- SQL condition on candidates that they were drawn from; true for all.
  assembly ENUM NOT NULL  -- Assembly of the variants.
  made_at TIMESTAMP NOT NULL  -- When, UTC.

TABLE sample_variant  -- One row per variant of a sample.
  sample_id INTEGER NOT NULL  -- The sample.
  assembly ENUM NOT NULL  -- Assembly.
  chrom ENUM NOT NULL  -- Chromosome.
  pos INTEGER NOT NULL  -- Position of the first base of REF, 1-based.
  ref VARCHAR NOT NULL  -- Reference allele.
  alt VARCHAR NOT NULL  -- Alternative allele.

TABLE schema_migration  -- One row per migration applied: what made the tables.
  number INTEGER NOT NULL  -- Its number; migrations are applied in this order.
  name VARCHAR NOT NULL  -- Its file, without .sql.
  sha256 VARCHAR NOT NULL  -- sha256 of its text: an edited migration is refused.
  applied_at TIMESTAMP NOT NULL  -- When, UTC.
  agdb_version VARCHAR NOT NULL  -- Version of agdb that applied it.
  duckdb_version VARCHAR NOT NULL  -- Version of DuckDB that applied it.

TABLE scored_variant  -- One row per computation, variant and set of tracks that was kept: it has been scored, and need not be again.
  computation_id VARCHAR NOT NULL  -- The computation.
  assembly ENUM NOT NULL  -- Assembly of the variant.
  chrom ENUM NOT NULL  -- Chromosome of the variant.
  pos INTEGER NOT NULL  -- Position of the first base of REF, 1-based.
  ref VARCHAR NOT NULL  -- Reference allele.
  alt VARCHAR NOT NULL  -- Alternative allele.
  tracks VARCHAR NOT NULL  -- Tracks whose scores were kept: all, gtex, or the track_set of a scorer.
  run_id INTEGER NOT NULL  -- Run that scored it.

TABLE scorer  -- One row per scorer: a number for a variant: computations, and what is made of their tracks.
  scorer_id VARCHAR NOT NULL  -- First 16 hex digits of the sha256 of config: equal scorers have equal ids in every database.
  name VARCHAR NOT NULL  -- What users call it, e.g. motif, dnase-k562, original.
  model VARCHAR NOT NULL  -- Model, e.g. alphagenome, agdb-motif.
  model_version VARCHAR NOT NULL  -- Version of the model as its maker names it.
  assembly ENUM NOT NULL  -- Genome that the model reads.
  output_type VARCHAR NOT NULL  -- Predicted assay, e.g. DNASE.
  window_bp INTEGER NOT NULL  -- Bases of sequence that the model reads.
  mask_bp INTEGER  -- Central bases that the score aggregates over; NULL for the whole window.
  aggregation VARCHAR NOT NULL  -- How ALT and REF become one number, e.g. DIFF_LOG2_SUM.
  track_set VARCHAR NOT NULL  -- Tracks that enter: ontology curies, gtex_tissue=..., or all; empty where the model has none.
  is_signed BOOLEAN NOT NULL  -- Whether the score has a direction (ALT against REF).
  reads_genome BOOLEAN NOT NULL  -- Whether it reads the registered FASTA, so that only REF-checked variants can be scored.
  config VARCHAR NOT NULL  -- All of it, canonical JSON.
  track_aggregation VARCHAR  -- How several tracks become one number: mean, or max_abs (the score that is furthest from 0); NULL for one track.
  computations VARCHAR[]  -- The computations that answer it, the preferred one first; another only where that one has no answer.

TABLE source  -- One row per ingested file (and tissue, where a file holds several): what it is, its assembly, its sha256, and how many of its rows were kept.
  source_id INTEGER NOT NULL  -- Number of the source in this database, from 1.
  kind VARCHAR NOT NULL  -- qtl, credible, variants, peaks, blacklist, genes, genome, chain, predictions, tracks or blocks.
  format VARCHAR NOT NULL  -- Preset or layout that it was read with, e.g. gtex_v8_pairs, eqtl_catalogue, narrowPeak, vcf, original.
  name VARCHAR NOT NULL  -- File name.
  qtl_type VARCHAR  -- What a QTL source measured: eqtl, sqtl, caqtl, dsqtl, ...
  tissue VARCHAR  -- Tissue or cell type of a QTL source, as the user or the file names it (GTEx spelling, e.g. Whole_Blood).
  biosample VARCHAR  -- Biosample of a peak source, e.g. K562.
  assembly ENUM NOT NULL  -- Genome that its coordinates refer to in this database. Unequal assemblies never meet in a join.
  lifted_from ENUM  -- Genome that the coordinates of the file refer to, where they were lifted at ingest.
  lifted_by INTEGER  -- Source (kind chain) that lifted them.
  effect VARCHAR  -- What its label is: slope, or pval_nominal where a file has nothing else.
  effect_unit VARCHAR  -- Unit of the label per ALT allele: sd, log2fc, allelic_ratio, ...; labels of unlike units are never pooled.
  effect_allele VARCHAR  -- Allele that the effect refers to in the file: alt, ref, or a column; in this database it is ALT. NULL where the label has no direction.
  null_value DOUBLE  -- Value of the label that means no effect: 0, or 0.5 for an allelic ratio.
  row_filter VARCHAR  -- Condition over the columns of the file that its rows had to meet; NULL where all were read.
  path VARCHAR NOT NULL  -- Where the file was; - for standard input.
  sha256 VARCHAR NOT NULL  -- sha256 of its bytes.
  bytes BIGINT NOT NULL  -- Its size.
  rows_read BIGINT  -- Data rows of the file (that meet row_filter, of this tissue).
  rows_kept BIGINT  -- Rows that were kept.
  rows_rejected BIGINT  -- Rows that were refused one by one; they stand in table rejected.
  run_id INTEGER NOT NULL  -- Run that ingested it.
  url VARCHAR  -- Official address that agdb fetch brought these bytes from; NULL where the file came otherwise.
  archive_member VARCHAR  -- Name in the archive at that address; NULL where the address is the file itself.
  retrieved_at TIMESTAMP  -- When it was fetched, UTC; NULL where it was brought by hand and only checked.
  release VARCHAR  -- Release of the data, as the table of addresses names it, e.g. GTEx v8.
  licence VARCHAR  -- Terms of the data, as the table of addresses gives them.
  citation VARCHAR  -- What to cite for it.
  CHECK((kind IN ('qtl', 'credible', 'variants', 'peaks', 'blacklist', 'genes', 'genome', 'chain', 'predictions', 'tracks', 'blocks')))

TABLE track  -- One row per track of a model: an assay in a biosample. Found by ontology_curie, never by its place.
  track_id INTEGER NOT NULL  -- Number of the track in this database.
  model VARCHAR NOT NULL  -- The model, e.g. alphagenome.
  output_type VARCHAR NOT NULL  -- Predicted assay, e.g. DNASE.
  name VARCHAR NOT NULL  -- Its name; with model, output_type and strand it is unique.
  strand VARCHAR NOT NULL  -- +, - or . (unstranded).
  ontology_curie VARCHAR  -- Biosample by ontology term, e.g. EFO:0002067 (K562).
  biosample_name VARCHAR  -- Biosample in words.
  biosample_type VARCHAR  -- cell_line, primary_cell, tissue, ...
  biosample_life_stage VARCHAR  -- adult, embryonic, ...
  assay VARCHAR  -- Assay title, e.g. DNase-seq.
  data_source VARCHAR  -- encode, gtex, ...
  gtex_tissue VARCHAR  -- GTEx tissue of an RNA_SEQ track, e.g. Whole_Blood.

TABLE variant  -- One row per variant, told by (assembly, chrom, pos, ref, alt): the key that associations, predictions and all else refer to.
  assembly ENUM NOT NULL  -- Genome that pos refers to.
  chrom ENUM NOT NULL  -- Chromosome, UCSC style.
  pos INTEGER NOT NULL  -- Position of the first base of REF, 1-based (VCF).
  ref VARCHAR NOT NULL  -- Reference allele.
  alt VARCHAR NOT NULL  -- Alternative allele: effects and scores are of ALT against REF.
  chrom_start INTEGER DEFAULT CAST((pos - 1) AS INTEGER)  -- pos - 1: start of the span of REF, 0-based (BED).
  chrom_end INTEGER DEFAULT CAST(CAST(((pos - 1) + length("ref")) AS INTEGER) AS INTEGER)  -- pos - 1 + length(ref): end of the span of REF, exclusive (BED).
  kind VARCHAR DEFAULT CAST(CASE  WHEN ((length("ref") > length(alt))) THEN ('deletion') WHEN ((length("ref") < length(alt))) THEN ('insertion') WHEN ((length("ref") = 1)) THEN ('SNV') ELSE 'MNV' END AS VARCHAR)  -- SNV, insertion, deletion or MNV.
  ref_status VARCHAR NOT NULL DEFAULT 'unchecked'  -- The whole REF allele against the registered FASTA: match; unchecked (no FASTA covers it); or why this row is never analysed: swapped, strand and strand_swapped (alleles as a source gave them: its associations now belong to the variant that the genome has), palindromic (A/T or C/G, and REF is not the genome's: swapped or the other strand, nobody can tell), mismatch.
  CHECK((alt != "ref"))
  CHECK((pos >= 1))
  CHECK((ref_status IN ('unchecked', 'match', 'swapped', 'strand', 'strand_swapped', 'palindromic', 'mismatch')))

VIEW analysed_qtl  -- One row per association and scorer, as scored_qtl, with bins, cluster and fine-mapping: what agdb stats reads.
  label VARCHAR  -- What the label is: slope, conditional_slope, or pval_nominal where the file had nothing else.
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
  assembly ENUM  -- Assembly.
  variant_id VARCHAR  -- The variant.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  phenotype_id VARCHAR  -- The phenotype.
  gene_id VARCHAR  -- The gene.
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
  tss_distance INTEGER  -- pos minus TSS in bp, as the source has it, else from table gene.
  null_value DOUBLE  -- Value of the label that means no effect: 0, 0.5 for an allelic ratio, 1 for a p-value.
  pip DOUBLE  -- Probability that the variant is causal for this phenotype in this tissue, where it was fine-mapped.
  peak_signal DOUBLE  -- Largest signalValue of the peaks that the variant lies in.
  summit_distance INTEGER  -- Bases to the nearest summit of the peaks that it lies in.
  effect_cut VARCHAR  -- By the original study's cuts of |slope|, less the value that means no effect: 0.0005 and 0.01.
  peak VARCHAR  -- in peak or outside peaks; NULL where the chromosome has no peaks at all.
  egene VARCHAR  -- eGene (qval <= 0.05) or not, where the source has qval.
  pip_bin VARCHAR  -- By pip, cut at 0.01, 0.1, 0.5 and 0.9.
  tss_bin VARCHAR  -- By |tss_distance|, cut at 3, 12 and 35 kb.
  maf_bin VARCHAR  -- By maf, cut at 0.01, 0.05 and 0.2.
  summit_bin VARCHAR  -- By summit_distance, cut at 50 and 150 bp.
  in_mhc BOOLEAN  -- Whether it lies in the MHC (extended class I to class II), whose linkage is long.
  cluster_start INTEGER  -- With chrom the cluster: chrom_start of its block of linkage; where none is known -1 less the number of its 1 Mb window.
  largest_pip DOUBLE  -- Largest PIP of the variant, over all phenotypes of the tissue; NULL where it is in no credible set.
  causal_class VARCHAR  -- causal: PIP > 0.9 for this phenotype. control: its phenotype was fine-mapped, and it is in no credible set, or below 0.01, for every phenotype of the tissue. NULL: neither.

VIEW answer  -- One row per scorer and variant that has been scored: by which computation.
  scorer_id VARCHAR  -- The scorer.
  assembly ENUM  -- Assembly.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  computation_id VARCHAR  -- The computation that answers.

VIEW association  -- One row per association: table qtl with variant_id, phenotype_id, tissue and source.
  source_id INTEGER  -- The source.
  source VARCHAR  -- Its file name.
  qtl_type VARCHAR  -- eqtl, sqtl, caqtl, ...
  tissue VARCHAR  -- Tissue of the source.
  assembly ENUM  -- Assembly.
  variant_id VARCHAR  -- The variant, chrom_pos_ref_alt.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  phenotype_id VARCHAR  -- What was measured; for an eQTL the gene.
  gene_id VARCHAR  -- Ensembl gene as the source writes it.
  slope DOUBLE  -- Effect of ALT against REF.
  effect_unit VARCHAR  -- Unit of slope per ALT allele.
  slope_se DOUBLE  -- Its standard error.
  pval_nominal DOUBLE  -- Nominal p-value.
  af DOUBLE  -- Frequency of ALT.
  maf DOUBLE  -- Minor allele frequency.
  tss_distance INTEGER  -- pos minus TSS in bp, as the source has it, else from table gene; NULL for a gene of another chromosome.
  ma_samples INTEGER  -- Samples that carry the minor allele.
  ma_count INTEGER  -- Minor alleles among the samples.
  pval_nominal_threshold DOUBLE  -- Nominal p-value threshold of the gene.
  min_pval_nominal DOUBLE  -- Smallest nominal p-value of the gene.
  pval_beta DOUBLE  -- Beta-approximated permutation p-value of the gene.
  qval DOUBLE  -- q-value of the gene, where the source has it.
  signal_rank SMALLINT  -- Rank of the independent signal of the gene.
  is_conditional BOOLEAN  -- Whether slope is conditional on other signals.
  reoriented VARCHAR  -- How the alleles were turned to those of the genome; NULL where they are as given.

VIEW association_fate  -- One row per QTL source, scorer, side of the peaks and fate: how many associations are scored, and where and why the others were lost.
  source_id INTEGER  -- QTL source.
  scorer_id VARCHAR  -- The scorer.
  in_peak BOOLEAN  -- Whether the variant lies in a peak (rule span); NULL where the chromosome has no peaks, or the variant is no candidate.
  fate VARCHAR  -- not usable (no candidate), not scored, or scored.
  reason VARCHAR  -- Why it was lost; NULL for what is scored.
  n BIGINT  -- Associations.
  n_variants BIGINT  -- Unique variants among them.

VIEW calibration  -- One row per label set, signed scorer and tenth of the associations by |score|: how often the sign of the effect is the one that the score says.
  label VARCHAR  -- The label: slope or conditional_slope.
  tissue VARCHAR  -- Tissue of the source.
  scorer VARCHAR  -- Name of the scorer.
  window_bp INTEGER  -- Its window in bp.
  decile BIGINT  -- 1 (smallest |score|) to 10 (largest).
  n BIGINT  -- Associations.
  score_abs_min DOUBLE  -- Smallest |score| of the tenth.
  score_abs_max DOUBLE  -- Largest |score| of the tenth.
  n_signed BIGINT  -- Associations with neither an effect nor a score of none: those that have two signs.
  n_agree BIGINT  -- Those whose two signs are one.
  sign_concordance DOUBLE  -- n_agree / n_signed; 0.5 is chance.
  wilson_low DOUBLE  -- Lower end of its 95 % interval of independent rows (Wilson 1927).
  wilson_high DOUBLE  -- Upper end of its 95 % interval of independent rows.
  effect_along_score DOUBLE  -- Mean effect in the direction that the score gives: effect times the sign of the score, in the unit of the source.
  source_id INTEGER  -- QTL source of the label.
  source VARCHAR  -- Its name.
  scorer_id VARCHAR  -- The scorer.

VIEW candidate  -- One row per variant that may be analysed: REF does not contradict the genome, and no blacklisted region holds it.
  assembly ENUM  -- Assembly.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  variant_id VARCHAR  -- The variant, chrom_pos_ref_alt.
  kind VARCHAR  -- SNV, insertion, deletion or MNV.
  ref_status VARCHAR  -- match, or unchecked where no FASTA covers it.
  in_peak BOOLEAN  -- Whether it lies in a peak (rule span); NULL where the chromosome has no peaks at all.

VIEW causal_candidate  -- One row per scored association of a fine-mapped phenotype whose variant is clearly causal (PIP > 0.9) or clearly not: what causal variants and their controls are taken from.
  label VARCHAR  -- What the label is: slope, conditional_slope, or pval_nominal where the file had nothing else.
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
  assembly ENUM  -- Assembly.
  variant_id VARCHAR  -- The variant.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  phenotype_id VARCHAR  -- The phenotype.
  gene_id VARCHAR  -- The gene.
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
  tss_distance INTEGER  -- pos minus TSS in bp, as the source has it, else from table gene.
  null_value DOUBLE  -- Value of the label that means no effect: 0, 0.5 for an allelic ratio, 1 for a p-value.
  pip DOUBLE  -- Probability that the variant is causal for this phenotype in this tissue, where it was fine-mapped.
  peak_signal DOUBLE  -- Largest signalValue of the peaks that the variant lies in.
  summit_distance INTEGER  -- Bases to the nearest summit of the peaks that it lies in.
  effect_cut VARCHAR  -- By the original study's cuts of |slope|, less the value that means no effect: 0.0005 and 0.01.
  peak VARCHAR  -- in peak or outside peaks; NULL where the chromosome has no peaks at all.
  egene VARCHAR  -- eGene (qval <= 0.05) or not, where the source has qval.
  pip_bin VARCHAR  -- By pip, cut at 0.01, 0.1, 0.5 and 0.9.
  tss_bin VARCHAR  -- By |tss_distance|, cut at 3, 12 and 35 kb.
  maf_bin VARCHAR  -- By maf, cut at 0.01, 0.05 and 0.2.
  summit_bin VARCHAR  -- By summit_distance, cut at 50 and 150 bp.
  in_mhc BOOLEAN  -- Whether it lies in the MHC (extended class I to class II), whose linkage is long.
  cluster_start INTEGER  -- With chrom the cluster: chrom_start of its block of linkage; where none is known -1 less the number of its 1 Mb window.
  largest_pip DOUBLE  -- Largest PIP of the variant, over all phenotypes of the tissue; NULL where it is in no credible set.
  causal_class VARCHAR  -- causal: PIP > 0.9 for this phenotype. control: tested against a fine-mapped phenotype, and in no credible set or below 0.01 for every phenotype of the tissue.

VIEW chain_bin  -- One row per block of a chain and bin of 131,072 bases: the equality key of lifting.
  source_id INTEGER  -- The chain file.
  chain_id INTEGER  -- Id of the chain in the file.
  score BIGINT  -- Score of the chain.
  chrom ENUM  -- Chromosome of the first assembly.
  chrom_start INTEGER  -- First base there, 0-based.
  chrom_end INTEGER  -- End there, 0-based exclusive.
  to_chrom VARCHAR  -- Chromosome of the second assembly.
  to_strand VARCHAR  -- Its strand.
  to_start INTEGER  -- Lowest base of the block there, on its + strand, 0-based.
  first_bin INTEGER  -- First bin of the block.
  bin INTEGER  -- Bin: 0-based position >> 17.

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

VIEW effect_order  -- One row per source: whether |slope / slope_se| orders the rows as pval_nominal does.
  source_id INTEGER  -- The source.
  n BIGINT  -- Rows looked at.
  rank_correlation DOUBLE  -- Rank correlation of |slope / slope_se| and pval_nominal; -1 where they are of one test.

VIEW effect_range  -- One row per source with effects: their range, to tell effects from p-values, ratios and absolute values.
  source_id INTEGER  -- The source.
  effect_unit VARCHAR  -- Its unit.
  null_value DOUBLE  -- Value that means no effect.
  n BIGINT  -- Associations with an effect.
  lowest DOUBLE  -- Smallest effect.
  middle DOUBLE  -- Median.
  highest DOUBLE  -- Largest effect.
  share_near_half DOUBLE  -- Share from 0.25 to 0.75: most of them, in allelic ratios.
  share_below_one DOUBLE  -- Share below 1: about a half, in fold changes and odds ratios.

VIEW fine_mapped  -- One row per variant, phenotype and tissue that was fine-mapped.
  tissue VARCHAR  -- Tissue of the fine-mapping, as its source names it.
  assembly ENUM  -- Assembly.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  phenotype VARCHAR  -- Molecular trait, or gene, without the version of its Ensembl id.
  pip DOUBLE  -- Posterior inclusion probability, 0 to 1.

VIEW gene_tss  -- One row per gene of an assembly: its transcription start site.
  assembly ENUM  -- Assembly.
  gene VARCHAR  -- The gene, an Ensembl one without version.
  chrom ENUM  -- Its chromosome.
  tss INTEGER  -- Transcription start site, 1-based.
  source_id INTEGER  -- The annotation that says so.

VIEW kind_share  -- One row per label set, scorer and kind of variant: its share of the associations and of the squared scores.
  label VARCHAR  -- Name of the label column of the source.
  tissue VARCHAR  -- Tissue of the source.
  scorer VARCHAR  -- Name of the scorer.
  window_bp INTEGER  -- Its window in bp.
  kind VARCHAR  -- SNV, insertion, deletion or MNV.
  n BIGINT  -- Associations.
  share_of_rows DOUBLE  -- Share of the associations of the label set, 0 to 1.
  share_of_squares DOUBLE  -- Share of the sum of squared scores of the label set, 0 to 1: what the kind weighs in a Pearson correlation.
  score_sd DOUBLE  -- Standard deviation of its scores.
  source_id INTEGER  -- QTL source of the label.
  source VARCHAR  -- Its name.
  scorer_id VARCHAR  -- The scorer.

VIEW label  -- One row per association and label: the measured value that a score is to agree with.
  label VARCHAR  -- What the label is: slope, conditional_slope, or pval_nominal where the file had nothing else.
  source_id INTEGER  -- Source of the association.
  label_source_id INTEGER  -- Source of the label: another one where a pair was re-labelled with its true slope.
  tissue VARCHAR  -- Tissue.
  assembly ENUM  -- Assembly.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  phenotype_id VARCHAR  -- The phenotype.
  gene_id VARCHAR  -- The gene.
  effect_unit VARCHAR  -- Unit of the label.
  null_value DOUBLE  -- Value of the label that means no effect.
  effect DOUBLE  -- The label: effect of ALT against REF (or the p-value, where label says so).
  slope_se DOUBLE  -- Standard error of the slope.
  pval_nominal DOUBLE  -- Nominal p-value.
  qval DOUBLE  -- q-value of the gene, where the source has it.
  maf DOUBLE  -- Minor allele frequency.
  tss_distance INTEGER  -- pos minus TSS in bp.

VIEW latest_result  -- Of each question that was asked of the data its newest stored results; a division, with its strata and their differences, is one question, and a comparison of study steps another.
  result_id INTEGER  -- Number of the result in this database.
  run_id INTEGER  -- Run that computed it; its arguments say what was asked.
  label_set VARCHAR  -- The label set.
  label VARCHAR  -- The label: slope, conditional_slope or pval_nominal.
  source_id INTEGER  -- QTL source of the label.
  source VARCHAR  -- Its name.
  tissue VARCHAR  -- Its tissue.
  scorer_id VARCHAR  -- The scorer; in a paired difference the first of the two.
  scorer VARCHAR  -- Its name.
  window_bp INTEGER  -- Its window in bp.
  versus VARCHAR  -- What it is compared with: another scorer on the same rows, or another stratum; NULL where nothing is compared.
  stratification VARCHAR  -- How rows were divided: all, kind, tss_distance, ..., or an expression of the user's.
  stratum VARCHAR  -- The rows that entered: all, or one of the strata.
  metric VARCHAR  -- spearman, pearson, kendall, sign_concordance, sign_auroc, abs_spearman (|effect| and |score|); partial_, permutation_, disattenuated_spearman; spearman_fiqt, spearman_conditional (without winner's curse); overlap_enrichment; causal_auroc, causal_auprc, causal_pairwise, causal_auroc_tss_distance, causal_auroc_gain, causal_matched, causal_smd_* (causal variants against matched controls); *_difference; heterogeneity.
  unit VARCHAR  -- What a row is: pair (variant and phenotype) or variant.
  n BIGINT  -- Rows that entered.
  n_variants BIGINT  -- Variants among them.
  n_genes BIGINT  -- Phenotypes among them.
  cluster VARCHAR  -- What was drawn as a whole: block (of linkage), mb (1 Mb windows, where no blocks are known), gene, chrom.
  n_clusters BIGINT  -- How many of them have rows.
  estimate DOUBLE  -- The statistic; NULL with a reason where it is not defined.
  ci_low DOUBLE  -- Lower end of its 95 % interval, the one to cite: by resampling clusters, of a difference by flipping the signs of what they add to it; method says which.
  ci_high DOUBLE  -- Upper end of it.
  se DOUBLE  -- Standard error of the estimate, by the same.
  analytic_low DOUBLE  -- Lower end of the 95 % interval of independent rows, for comparison.
  analytic_high DOUBLE  -- Upper end of the 95 % interval of independent rows.
  analytic_p DOUBLE  -- Two-sided p-value of independent rows: t test (correlations), score test (sign concordance), DeLong (AUROC), Meng-Rosenthal-Rubin (paired differences).
  p DOUBLE  -- Two-sided p-value, from the standard error by resampling clusters, of a difference from the flips (else method says how).
  q DOUBLE  -- Benjamini-Hochberg q-value within the family: this run, label set, source and metric; of scorers or strata that are compared two and two, where there are several, the max-T adjusted p-value.
  design_effect DOUBLE  -- Variance by resampling clusters over that of independent rows; n / design_effect independent rows say as much.
  detectable DOUBLE  -- Smallest absolute value that a test at 0.05 would have found with 80 % power.
  ceiling DOUBLE  -- Largest correlation that the noise of the slopes leaves: sqrt(1 - mean(slope_se^2) / var(slope)); slopes picked for significance make it too high.
  expected VARCHAR  -- What the field has found in such a setting, where it has; far outside, look for a bug first.
  method VARCHAR  -- How estimate, intervals and p-value were made.
  seed INTEGER  -- Seed of the resamples and flips: the same inputs and seed give the same numbers.
  resamples INTEGER  -- Resamples of the clusters, or flips of their signs; of permutation_* the permutations, of overlap_enrichment the shifts.
  reason VARCHAR  -- Why estimate or interval is NULL; else NULL.
  chance DOUBLE  -- Value of the statistic for a score that knows nothing: 0 for correlations and differences, 0.5 for AUROC, concordance and pairs, the share of causal variants for causal_auprc, 1 for an enrichment; NULL where there is none.

VIEW p_value_quantile  -- One row per QTL source, side of the peaks and rank of the nominal p-value, thinned: observed against expected.
  source_id INTEGER  -- QTL source.
  side VARCHAR  -- in a peak, outside peaks, or peaks not known (no peaks on the chromosome, or no candidate).
  n BIGINT  -- P-values of that side.
  nth BIGINT  -- Rank of the p-value, the smallest first.
  p DOUBLE  -- The p-value of that rank.
  expected DOUBLE  -- Expected by chance, (nth - 0.5) / n, where p-values are uniform from 0 to 1.

VIEW peak_bin  -- One row per interval and 2,048-base bin: the equality key that makes the overlap a fast join.
  peak_id BIGINT  -- The peak.
  source_id INTEGER  -- Its source.
  kind VARCHAR  -- Kind of its source: peaks or blacklist.
  biosample VARCHAR  -- Its biosample.
  assembly ENUM  -- Its assembly.
  chrom ENUM  -- Its chromosome.
  chrom_start INTEGER  -- Its first base, 0-based.
  chrom_end INTEGER  -- Its end, 0-based exclusive.
  bin INTEGER  -- Bin of 2,048 bases: 0-based position >> 11.

VIEW peak_of_variant  -- One row per variant that lies in a peak: how strong the peak is, and how far its summit.
  assembly ENUM  -- Assembly.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  n_peaks BIGINT  -- Peaks that it lies in, of all sources.
  peak_signal DOUBLE  -- Largest signalValue of them; NULL where the files have none.
  summit_distance INTEGER  -- Bases between pos and the nearest summit of them; NULL where the files have none.

VIEW peaks_per_variant  -- One row per assembly and number of peaks that a candidate variant lies in.
  assembly ENUM  -- Assembly.
  n_peaks BIGINT  -- Peaks that a variant lies in, of all sources; 0: outside peaks.
  n BIGINT  -- Candidate variants with so many.
  n_with_summit BIGINT  -- Of these, variants whose peaks have a summit.
  summit_distance_median DOUBLE  -- Median distance to the nearest summit in bp; NULL where no peak has one.

VIEW pending  -- One row per scorer and candidate variant that it has neither scored nor failed on: the work list.
  scorer_id VARCHAR  -- The scorer.
  scorer VARCHAR  -- Its name.
  window_bp INTEGER  -- Its window in bp.
  assembly ENUM  -- Assembly.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  variant_id VARCHAR  -- The variant, chrom_pos_ref_alt.
  kind VARCHAR  -- SNV, insertion, deletion or MNV.
  in_peak BOOLEAN  -- Whether it lies in a peak (rule span); NULL where the chromosome has no peaks at all.

VIEW score  -- One row per scorer and variant (and gene, where genes are scored): the number that it gives.
  scorer_id VARCHAR  -- The scorer.
  provider VARCHAR  -- Who computed it: alphagenome, atlas, motif, import.
  assembly ENUM  -- Assembly.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  gene_id VARCHAR  -- Gene, without version, where genes are scored; else NULL.
  score DOUBLE  -- The score, ALT against REF.
  quantile DOUBLE  -- Rank of the score among common variants, -1 to 1, where the provider gives it and the scorer has one track.
  ref_value DOUBLE  -- Predicted value of the REF sequence, where the provider gives it: the mean of the tracks.
  alt_value DOUBLE  -- Predicted value of the ALT sequence, likewise.

VIEW scored_qtl  -- One row per association and scorer: label, score, and what strata need.
  label VARCHAR  -- What the label is: slope, conditional_slope, or pval_nominal where the file had nothing else.
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
  assembly ENUM  -- Assembly.
  variant_id VARCHAR  -- The variant.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  phenotype_id VARCHAR  -- The phenotype.
  gene_id VARCHAR  -- The gene.
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

VIEW scorer_track  -- One row per scorer and track that enters it.
  scorer_id VARCHAR  -- The scorer.
  track_id INTEGER  -- The track.
  name VARCHAR  -- Its name.
  strand VARCHAR  -- Its strand.
  ontology_curie VARCHAR  -- Its biosample by ontology term.
  biosample_name VARCHAR  -- Its biosample in words.
  gtex_tissue VARCHAR  -- Its GTEx tissue.

VIEW stratified_qtl  -- One row per association, scorer and way to stratify; every column of scored_qtl besides.
  stratification VARCHAR  -- all, effect_size (quartile of effect_size within source and scorer), peak, egene (qval <= 0.05), kind, or window (rows that every window of the scorer scored).
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
  assembly ENUM  -- Assembly.
  variant_id VARCHAR  -- The variant.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  phenotype_id VARCHAR  -- The phenotype.
  gene_id VARCHAR  -- The gene.
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
  effect_size DOUBLE  -- |effect less the value that means none|: |slope|, |allelic ratio - 0.5|, or the p-value itself.

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
  effect_abs_min DOUBLE  -- Smallest |label less the value that means no effect|.
  effect_abs_max DOUBLE  -- Largest |label less the value that means no effect|.
  n_ref_unchecked BIGINT  -- Associations whose REF allele no registered FASTA covers.
  source_id INTEGER  -- QTL source of the label.
  source VARCHAR  -- Its name.
  scorer_id VARCHAR  -- The scorer.

VIEW stratum_effect_size  -- One row per label set, scorer and quartile of |slope less the value that means no effect|.
  label VARCHAR  -- Name of the label column of the source.
  tissue VARCHAR  -- Tissue of the source.
  scorer VARCHAR  -- Name of the scorer.
  window_bp INTEGER  -- Its window in bp.
  stratum VARCHAR  -- Q1 (smallest effects) to Q4 (largest).
  n BIGINT  -- Associations.
  spearman DOUBLE  -- Spearman correlation within the quartile, average ranks.
  pearson DOUBLE  -- Pearson correlation within the quartile.
  n_variants BIGINT  -- Unique variants among them.
  n_genes BIGINT  -- Unique genes among them.
  effect_sd DOUBLE  -- Standard deviation of the label.
  score_sd DOUBLE  -- Standard deviation of the score.
  effect_abs_min DOUBLE  -- Smallest |slope less the value that means no effect| of the quartile.
  effect_abs_max DOUBLE  -- Largest |slope less the value that means no effect| of the quartile.
  n_ref_unchecked BIGINT  -- Associations whose REF allele no registered FASTA covers.
  source_id INTEGER  -- QTL source of the label.
  source VARCHAR  -- Its name.
  scorer_id VARCHAR  -- The scorer.

VIEW study_power  -- One row per label set and scorer: what correlation so many independent rows would show.
  label VARCHAR  -- Name of the label column of the source.
  tissue VARCHAR  -- Tissue of the source.
  scorer VARCHAR  -- Name of the scorer.
  window_bp INTEGER  -- Its window in bp.
  n BIGINT  -- Associations.
  detectable DOUBLE  -- Smallest |rho| that a two-sided test at 0.05 of n independent rows finds with 80 % power.
  power_for_001 DOUBLE  -- Chance that it finds a true correlation of 0.01.
  power_for_005 DOUBLE  -- Chance that it finds a true correlation of 0.05.
  power_for_01 DOUBLE  -- Chance that it finds a true correlation of 0.1.
  source_id INTEGER  -- QTL source of the label.
  source VARCHAR  -- Its name.
  scorer_id VARCHAR  -- The scorer.

VIEW study_step  -- One row per run of agdb compare-study and step from the original study to the right one.
  run_id INTEGER  -- The run.
  place INTEGER  -- Place of the step, from 1.
  step VARCHAR  -- published, slope, peaks, tracks, mask, variants, fine-mapped, RNA_SEQ; in result it is the stratum of stratification study.
  change VARCHAR  -- What it changes.
  label VARCHAR  -- The label from this step on.
  scorer VARCHAR  -- The scorer from this step on.
  window_bp INTEGER  -- Its window in bp.
  unit VARCHAR  -- What a row is: pair or variant.
  n BIGINT  -- Rows; 0 where the step was left out.
  n_variants BIGINT  -- Variants among them.
  n_genes BIGINT  -- Phenotypes among them.
  cluster VARCHAR  -- What is drawn as a whole: block, mb, gene, chrom.
  n_clusters BIGINT  -- How many of them have rows.
  spearman DOUBLE  -- Spearman correlation of label and score.
  ci_low DOUBLE  -- Lower end of its 95 % interval by resampling clusters.
  ci_high DOUBLE  -- Upper end of its 95 % interval by resampling clusters.
  p DOUBLE  -- Two-sided p-value from the same resamples.
  expected VARCHAR  -- What the field has found in such a setting, where it has.
  versus VARCHAR  -- The step that it is compared with: the last one before it that was not left out.
  difference DOUBLE  -- Spearman of this step less that of versus: on the rows that both have where the label or the scorer changed, else each on its own rows.
  difference_low DOUBLE  -- Lower end of its 95 % interval, by flipping the signs of what clusters add to it.
  difference_high DOUBLE  -- Upper end of it.
  difference_p DOUBLE  -- Two-sided p-value of no difference, from the same flips.
  detectable DOUBLE  -- Smallest difference that a test at 0.05 would have found with 80 % power.
  n_compared BIGINT  -- Rows that the difference rests on.
  reason VARCHAR  -- Why the step was left out, or has no difference; else NULL.
  label_set VARCHAR  -- The label set.
  source_id INTEGER  -- The QTL source.
  source VARCHAR  -- Its name.
  tissue VARCHAR  -- Its tissue.
  result_id INTEGER  -- Result of the correlation: agdb explain tells where it is from.
  difference_id INTEGER  -- Result of the difference.

VIEW summit_distance_bin  -- One row per assembly and 25-base bin of the distance between variants in peaks and the nearest summit.
  assembly ENUM  -- Assembly.
  distance_start INTEGER  -- Smallest distance of the bin in bp; the bin is 25 bases wide.
  n BIGINT  -- Candidate variants in it.

VIEW variant_bin  -- One row per variant and 2,048-base bin that its REF touches: what meets peak_bin.
  assembly ENUM  -- Assembly.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  chrom_start INTEGER  -- Start of the span of REF, 0-based.
  chrom_end INTEGER  -- Its end, 0-based exclusive.
  bin INTEGER  -- Bin of 2,048 bases: 0-based position >> 11.

VIEW variant_in_blacklist  -- One row per variant and blacklisted region that share a base (rule span).
  assembly ENUM  -- Assembly of both.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  variant_id VARCHAR  -- The variant, chrom_pos_ref_alt.
  peak_id BIGINT  -- The region.
  source_id INTEGER  -- Its source.
  biosample VARCHAR  -- Name of the blacklist.

VIEW variant_in_peak  -- One row per variant and peak that share a base (rule span).
  assembly ENUM  -- Assembly of both.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  variant_id VARCHAR  -- The variant, chrom_pos_ref_alt.
  peak_id BIGINT  -- The peak.
  source_id INTEGER  -- Its source.
  biosample VARCHAR  -- Its biosample.

VIEW variant_in_peak_point  -- One row per variant and peak that holds its first REF base (rule point, the original study's).
  assembly ENUM  -- Assembly of both.
  chrom ENUM  -- Chromosome.
  pos INTEGER  -- Position of the first base of REF, 1-based.
  ref VARCHAR  -- Reference allele.
  alt VARCHAR  -- Alternative allele.
  variant_id VARCHAR  -- The variant, chrom_pos_ref_alt.
  peak_id BIGINT  -- The peak.
  source_id INTEGER  -- Its source.
  biosample VARCHAR  -- Its biosample.

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
