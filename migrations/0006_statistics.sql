-- Label sets as data; blocks of linkage; and results with all that a number needs to be believed: the unit and the clusters
-- it was computed on, two intervals, what could have been found, and the second scorer of a paired difference.
CREATE TABLE label_set (
  name VARCHAR NOT NULL,
  label VARCHAR NOT NULL,
  source_ids INTEGER[],
  condition VARCHAR,
  unit VARCHAR NOT NULL CHECK (unit IN ('pair', 'variant')),
  cluster VARCHAR NOT NULL CHECK (cluster IN ('block', 'gene', 'chrom')),
  about VARCHAR NOT NULL,
  created_at TIMESTAMP NOT NULL
);
INSERT INTO label_set (name, label, condition, unit, cluster, about, created_at)
SELECT *, now()::TIMESTAMP FROM (VALUES
  ('all', 'slope', NULL, 'pair', 'block', 'every association with a slope'),
  ('lead', 'slope', NULL, 'variant', 'block', 'one row a variant: its association with the smallest p-value'),
  ('fine-mapped', 'slope', 'pip > 0.9', 'pair', 'block', 'associations whose variant is probably causal (PIP > 0.9)'),
  ('egenes', 'slope', 'qval <= 0.05', 'pair', 'block', 'associations of genes with a significant eQTL'),
  ('no-mhc', 'slope', 'NOT in_mhc', 'pair', 'block', 'without the MHC, whose linkage is long'),
  ('conditional', 'conditional_slope', NULL, 'pair', 'block', 'slopes conditional on the other signals of the gene'),
  ('p-value', 'pval_nominal', NULL, 'pair', 'block', 'files with nothing but p-values: the original study''s label')
);
COMMENT ON TABLE label_set IS 'One row per label set: which associations, and what is an observation. agdb labels lists them and adds more.';
COMMENT ON COLUMN label_set.name IS 'Its name, for agdb stats --labels.';
COMMENT ON COLUMN label_set.label IS 'slope, conditional_slope or pval_nominal.';
COMMENT ON COLUMN label_set.source_ids IS 'QTL sources; NULL for each source that has the label, one after the other.';
COMMENT ON COLUMN label_set.condition IS 'SQL over the columns of view analysed_qtl; NULL for all rows.';
COMMENT ON COLUMN label_set.unit IS 'What a row is: pair (a variant and a phenotype), or variant (its association with the smallest p-value).';
COMMENT ON COLUMN label_set.cluster IS 'What is drawn as a whole when intervals are made: block (of linkage; 1 Mb where none were ingested), gene, or chrom.';
COMMENT ON COLUMN label_set.about IS 'What it is for.';
COMMENT ON COLUMN label_set.created_at IS 'When it was made, UTC.';

CREATE TABLE ld_block (
  source_id INTEGER NOT NULL,
  assembly assembly_t NOT NULL,
  chrom chrom_t NOT NULL,
  chrom_start INTEGER NOT NULL CHECK (chrom_start >= 0),
  chrom_end INTEGER NOT NULL,
  CHECK (chrom_end > chrom_start)
);
COMMENT ON TABLE ld_block IS 'One row per block of linkage disequilibrium (e.g. Berisa & Pickrell 2016): variants of different blocks are about independent. BED coordinates.';
COMMENT ON COLUMN ld_block.source_id IS 'The file it came from.';
COMMENT ON COLUMN ld_block.assembly IS 'Assembly.';
COMMENT ON COLUMN ld_block.chrom IS 'Chromosome.';
COMMENT ON COLUMN ld_block.chrom_start IS 'First base, 0-based.';
COMMENT ON COLUMN ld_block.chrom_end IS 'End, 0-based exclusive.';

ALTER TABLE result RENAME TO result_0001;
CREATE TABLE result (
  result_id INTEGER NOT NULL,
  run_id INTEGER NOT NULL,
  label_set VARCHAR NOT NULL,
  label VARCHAR NOT NULL,
  source_id INTEGER NOT NULL,
  source VARCHAR NOT NULL,
  tissue VARCHAR NOT NULL,
  scorer_id VARCHAR NOT NULL,
  scorer VARCHAR NOT NULL,
  window_bp INTEGER NOT NULL,
  versus VARCHAR,
  stratification VARCHAR NOT NULL,
  stratum VARCHAR NOT NULL,
  metric VARCHAR NOT NULL,
  unit VARCHAR NOT NULL,
  n BIGINT NOT NULL,
  n_variants BIGINT,
  n_genes BIGINT,
  cluster VARCHAR NOT NULL,
  n_clusters BIGINT,
  estimate DOUBLE,
  ci_low DOUBLE,
  ci_high DOUBLE,
  se DOUBLE,
  analytic_low DOUBLE,
  analytic_high DOUBLE,
  analytic_p DOUBLE,
  p DOUBLE,
  q DOUBLE,
  design_effect DOUBLE,
  detectable DOUBLE,
  ceiling DOUBLE,
  expected VARCHAR,
  method VARCHAR NOT NULL,
  seed INTEGER,
  resamples INTEGER,
  reason VARCHAR
);
INSERT INTO result BY NAME
SELECT result_id, run_id, 'all' AS label_set, label, source_id, source, tissue, scorer_id, scorer, window_bp,
       if(metric = 'spearman_difference', stratum, NULL) AS versus,
       if(metric = 'spearman_difference', 'window', split_part(stratum, ': ', 1)) AS stratification,
       if(stratum LIKE '%: %', split_part(stratum, ': ', 2), 'all') AS stratum, metric, 'pair' AS unit, n,
       'none' AS cluster, estimate, ci_low AS analytic_low, ci_high AS analytic_high, p AS analytic_p, method, reason
FROM result_0001;
DROP TABLE result_0001;
COMMENT ON TABLE result IS 'One row per statistic that agdb stats computed, with its intervals and all that they rest on. agdb explain tells the way back to the files.';
COMMENT ON COLUMN result.result_id IS 'Number of the result in this database.';
COMMENT ON COLUMN result.run_id IS 'Run that computed it; its arguments say what was asked.';
COMMENT ON COLUMN result.label_set IS 'The label set.';
COMMENT ON COLUMN result.label IS 'The label: slope, conditional_slope or pval_nominal.';
COMMENT ON COLUMN result.source_id IS 'QTL source of the label.';
COMMENT ON COLUMN result.source IS 'Its name.';
COMMENT ON COLUMN result.tissue IS 'Its tissue.';
COMMENT ON COLUMN result.scorer_id IS 'The scorer; in a paired difference the first of the two.';
COMMENT ON COLUMN result.scorer IS 'Its name.';
COMMENT ON COLUMN result.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN result.versus IS 'What it is compared with: another scorer on the same rows, or another stratum; NULL where nothing is compared.';
COMMENT ON COLUMN result.stratification IS 'How rows were divided: all, kind, tss_distance, ..., or an expression of the user''s.';
COMMENT ON COLUMN result.stratum IS 'The rows that entered: all, or one of the strata.';
COMMENT ON COLUMN result.metric IS 'spearman, pearson, kendall, sign_concordance, sign_auroc, abs_spearman, partial_spearman, permutation_spearman, disattenuated_spearman; *_difference; heterogeneity.';
COMMENT ON COLUMN result.unit IS 'What a row is: pair (variant and phenotype) or variant.';
COMMENT ON COLUMN result.n IS 'Rows that entered.';
COMMENT ON COLUMN result.n_variants IS 'Variants among them.';
COMMENT ON COLUMN result.n_genes IS 'Phenotypes among them.';
COMMENT ON COLUMN result.cluster IS 'What was drawn as a whole: block (of linkage), mb (1 Mb windows, where no blocks are known), gene, chrom.';
COMMENT ON COLUMN result.n_clusters IS 'How many of them have rows.';
COMMENT ON COLUMN result.estimate IS 'The statistic; NULL with a reason where it is not defined.';
COMMENT ON COLUMN result.ci_low IS 'Lower end of its 95 % interval by resampling clusters: the interval to cite.';
COMMENT ON COLUMN result.ci_high IS 'Upper end of its 95 % interval by resampling clusters.';
COMMENT ON COLUMN result.se IS 'Standard error of the estimate by resampling clusters.';
COMMENT ON COLUMN result.analytic_low IS 'Lower end of the 95 % interval of independent rows, for comparison.';
COMMENT ON COLUMN result.analytic_high IS 'Upper end of the 95 % interval of independent rows.';
COMMENT ON COLUMN result.analytic_p IS 'Two-sided p-value of independent rows: t test, or Meng-Rosenthal-Rubin for a difference.';
COMMENT ON COLUMN result.p IS 'Two-sided p-value, from the standard error by resampling clusters (else method says how).';
COMMENT ON COLUMN result.q IS 'Benjamini-Hochberg q-value within the family: this run, label set, source and metric.';
COMMENT ON COLUMN result.design_effect IS 'Variance by resampling clusters over that of independent rows; n / design_effect independent rows say as much.';
COMMENT ON COLUMN result.detectable IS 'Smallest absolute value that a test at 0.05 would have found with 80 % power.';
COMMENT ON COLUMN result.ceiling IS 'Largest correlation that the noise of the slopes leaves: sqrt(1 - mean(slope_se^2) / var(slope)); slopes picked for significance make it too high.';
COMMENT ON COLUMN result.expected IS 'What the field has found in such a setting, where it has; far outside, look for a bug first.';
COMMENT ON COLUMN result.method IS 'How estimate, intervals and p-value were made.';
COMMENT ON COLUMN result.seed IS 'Seed of the resamples: the same inputs and seed give the same numbers.';
COMMENT ON COLUMN result.resamples IS 'Resamples of the clusters.';
COMMENT ON COLUMN result.reason IS 'Why estimate or interval is NULL; else NULL.';
