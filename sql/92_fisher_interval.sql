-- Intervals of correlations of n independent rows, and the smallest that n rows find. Rows of a study are seldom
-- independent: the intervals of agdb stats resample clusters. NULL where there is none: n of 3 or less, or abs(r) = 1.
CREATE OR REPLACE MACRO correlation_interval(r, variance, level) AS
  CASE WHEN variance > 0 AND abs(r) < 1 THEN {
    'low': tanh(atanh(r) - normal_quantile((1 + level) / 2) * sqrt(variance)),
    'high': tanh(atanh(r) + normal_quantile((1 + level) / 2) * sqrt(variance))
  } END;

CREATE OR REPLACE MACRO fisher_interval(r, n, level := 0.95) AS
  correlation_interval(r, 1 / nullif(greatest(n - 3, 0), 0)::DOUBLE, level);

CREATE OR REPLACE MACRO bonett_wright(r, n, level := 0.95) AS
  correlation_interval(r, (1 + r * r / 2) / nullif(greatest(n - 3, 0), 0)::DOUBLE, level);

CREATE OR REPLACE MACRO detectable_correlation(n, power := 0.8, alpha := 0.05) AS
  tanh((normal_quantile(1 - alpha / 2) + normal_quantile(power)) / sqrt(nullif(greatest(n - 3, 0), 0)));

CREATE OR REPLACE MACRO average_rank(x, within := 0) AS
  rank() OVER (PARTITION BY within ORDER BY x) + (count(*) OVER (PARTITION BY within, x) - 1) / 2;

COMMENT ON MACRO correlation_interval IS 'correlation_interval(r, variance, level): interval of a correlation whose atanh has this variance, as {low, high}.';
COMMENT ON MACRO fisher_interval IS 'fisher_interval(r, n, level := 0.95): interval of a Pearson correlation of n independent rows, as {low, high} (Fisher 1921).';
COMMENT ON MACRO bonett_wright IS 'bonett_wright(r, n, level := 0.95): interval of a Spearman correlation of n independent rows, as {low, high} (Bonett & Wright 2000).';
COMMENT ON MACRO detectable_correlation IS 'detectable_correlation(n, power := 0.8, alpha := 0.05): smallest abs(r) that a two-sided test of n independent rows finds.';
COMMENT ON MACRO average_rank IS 'average_rank(x, within := 0): rank with ties averaged, among the rows that share within: corr() of two such ranks is Spearman''s rho.';
