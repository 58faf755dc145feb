-- One row: one label set (a QTL source and its label column) and one scorer, over all their associations.
CREATE OR REPLACE VIEW correlation AS
SELECT * EXCLUDE (stratification, stratum, effect_abs_min, effect_abs_max)
FROM stratum
WHERE stratification = 'all';

COMMENT ON VIEW correlation IS 'One row per label set and scorer: rank and linear correlation of score and label.';
COMMENT ON COLUMN correlation.label IS 'Name of the label column of the source: slope, or pval_nominal.';
COMMENT ON COLUMN correlation.tissue IS 'Tissue of the source.';
COMMENT ON COLUMN correlation.scorer IS 'Name of the scorer.';
COMMENT ON COLUMN correlation.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN correlation.n IS 'Associations.';
COMMENT ON COLUMN correlation.spearman IS 'Spearman correlation, average ranks; NULL where label or score is constant.';
COMMENT ON COLUMN correlation.pearson IS 'Pearson correlation; NULL where label or score is constant.';
COMMENT ON COLUMN correlation.n_variants IS 'Unique variants among them.';
COMMENT ON COLUMN correlation.n_genes IS 'Unique genes among them.';
COMMENT ON COLUMN correlation.effect_sd IS 'Standard deviation of the label.';
COMMENT ON COLUMN correlation.score_sd IS 'Standard deviation of the score.';
COMMENT ON COLUMN correlation.n_ref_unchecked IS 'Associations whose REF allele no registered FASTA covers.';
COMMENT ON COLUMN correlation.source_id IS 'QTL source of the label.';
COMMENT ON COLUMN correlation.source IS 'Its name.';
COMMENT ON COLUMN correlation.scorer_id IS 'The scorer.';
