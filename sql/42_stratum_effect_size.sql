-- One row: one label set and one scorer in one quartile of the size of the effect (Q1 smallest, Q4 largest),
-- counted from the value that means none, cut within the rows scored.
CREATE OR REPLACE VIEW stratum_effect_size AS
SELECT * EXCLUDE (stratification)
FROM stratum
WHERE stratification = 'effect_size';

COMMENT ON VIEW stratum_effect_size IS 'One row per label set, scorer and quartile of |slope less the value that means no effect|.';
COMMENT ON COLUMN stratum_effect_size.label IS 'Name of the label column of the source.';
COMMENT ON COLUMN stratum_effect_size.tissue IS 'Tissue of the source.';
COMMENT ON COLUMN stratum_effect_size.scorer IS 'Name of the scorer.';
COMMENT ON COLUMN stratum_effect_size.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN stratum_effect_size.stratum IS 'Q1 (smallest effects) to Q4 (largest).';
COMMENT ON COLUMN stratum_effect_size.n IS 'Associations.';
COMMENT ON COLUMN stratum_effect_size.spearman IS 'Spearman correlation within the quartile, average ranks.';
COMMENT ON COLUMN stratum_effect_size.pearson IS 'Pearson correlation within the quartile.';
COMMENT ON COLUMN stratum_effect_size.n_variants IS 'Unique variants among them.';
COMMENT ON COLUMN stratum_effect_size.n_genes IS 'Unique genes among them.';
COMMENT ON COLUMN stratum_effect_size.effect_sd IS 'Standard deviation of the label.';
COMMENT ON COLUMN stratum_effect_size.score_sd IS 'Standard deviation of the score.';
COMMENT ON COLUMN stratum_effect_size.effect_abs_min IS 'Smallest |slope less the value that means no effect| of the quartile.';
COMMENT ON COLUMN stratum_effect_size.effect_abs_max IS 'Largest |slope less the value that means no effect| of the quartile.';
COMMENT ON COLUMN stratum_effect_size.n_ref_unchecked IS 'Associations whose REF allele no registered FASTA covers.';
COMMENT ON COLUMN stratum_effect_size.source_id IS 'QTL source of the label.';
COMMENT ON COLUMN stratum_effect_size.source IS 'Its name.';
COMMENT ON COLUMN stratum_effect_size.scorer_id IS 'The scorer.';
