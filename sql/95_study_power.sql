-- One row: a label set and a scorer: what a test of so many independent rows finds, and with what chance it finds
-- correlations of 0.01, 0.05 and 0.1. Rows are dependent: result.detectable of agdb stats is the one of the clusters.
CREATE OR REPLACE VIEW study_power AS
SELECT label, tissue, scorer, window_bp, n, detectable_correlation(n) AS detectable,
       correlation_power(0.01, n) AS power_for_001, correlation_power(0.05, n) AS power_for_005,
       correlation_power(0.1, n) AS power_for_01, source_id, source, scorer_id
FROM correlation;

COMMENT ON VIEW study_power IS 'One row per label set and scorer: what correlation so many independent rows would show.';
COMMENT ON COLUMN study_power.label IS 'Name of the label column of the source.';
COMMENT ON COLUMN study_power.tissue IS 'Tissue of the source.';
COMMENT ON COLUMN study_power.scorer IS 'Name of the scorer.';
COMMENT ON COLUMN study_power.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN study_power.n IS 'Associations.';
COMMENT ON COLUMN study_power.detectable IS 'Smallest |rho| that a two-sided test at 0.05 of n independent rows finds with 80 % power.';
COMMENT ON COLUMN study_power.power_for_001 IS 'Chance that it finds a true correlation of 0.01.';
COMMENT ON COLUMN study_power.power_for_005 IS 'Chance that it finds a true correlation of 0.05.';
COMMENT ON COLUMN study_power.power_for_01 IS 'Chance that it finds a true correlation of 0.1.';
COMMENT ON COLUMN study_power.source_id IS 'QTL source of the label.';
COMMENT ON COLUMN study_power.source IS 'Its name.';
COMMENT ON COLUMN study_power.scorer_id IS 'The scorer.';
