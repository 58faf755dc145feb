-- One row: one label set and two scorers that differ in nothing but the window, compared on the associations that both
-- scored. Never two correlations on two different sets of rows.
CREATE OR REPLACE VIEW window_comparison AS
WITH paired AS (
  SELECT a.label, a.tissue, a.scorer, a.window_bp AS window_a, b.window_bp AS window_b, a.source_id, a.source,
         a.scorer_id AS scorer_a, b.scorer_id AS scorer_b, a.effect, a.score AS score_a, b.score AS score_b
  FROM scored_qtl AS a
  JOIN scored_qtl AS b
    ON b.source_id = a.source_id AND b.label = a.label AND b.family = a.family
   AND b.variant_id = a.variant_id AND b.phenotype_id = a.phenotype_id AND b.window_bp > a.window_bp
),
ranked AS (
  SELECT *,
         count(*) OVER (g ORDER BY effect RANGE UNBOUNDED PRECEDING) + rank() OVER (g ORDER BY effect)
           - count(*) OVER g - 1 AS e,
         count(*) OVER (g ORDER BY score_a RANGE UNBOUNDED PRECEDING) + rank() OVER (g ORDER BY score_a)
           - count(*) OVER g - 1 AS a,
         count(*) OVER (g ORDER BY score_b RANGE UNBOUNDED PRECEDING) + rank() OVER (g ORDER BY score_b)
           - count(*) OVER g - 1 AS b
  FROM paired
  WINDOW g AS (PARTITION BY source_id, label, scorer_a, scorer_b)
)
SELECT label, tissue, scorer, window_a, window_b, count(*) AS n,
       sum(e * a)::DOUBLE / nullif(sqrt(sum(e * e)::DOUBLE) * sqrt(sum(a * a)::DOUBLE), 0) AS spearman_a,
       sum(e * b)::DOUBLE / nullif(sqrt(sum(e * e)::DOUBLE) * sqrt(sum(b * b)::DOUBLE), 0) AS spearman_b,
       spearman_a - spearman_b AS difference,
       sum(a * b)::DOUBLE / nullif(sqrt(sum(a * a)::DOUBLE) * sqrt(sum(b * b)::DOUBLE), 0) AS spearman_ab,
       source_id, source, scorer_a, scorer_b
FROM ranked
GROUP BY ALL;

COMMENT ON VIEW window_comparison IS 'One row per label set and pair of windows of one scorer, on the associations that both scored.';
COMMENT ON COLUMN window_comparison.label IS 'Name of the label column of the source.';
COMMENT ON COLUMN window_comparison.tissue IS 'Tissue of the source.';
COMMENT ON COLUMN window_comparison.scorer IS 'Name of the scorer.';
COMMENT ON COLUMN window_comparison.window_a IS 'Smaller window in bp.';
COMMENT ON COLUMN window_comparison.window_b IS 'Larger window in bp.';
COMMENT ON COLUMN window_comparison.n IS 'Associations that both windows scored.';
COMMENT ON COLUMN window_comparison.spearman_a IS 'Spearman correlation of label and score at window_a.';
COMMENT ON COLUMN window_comparison.spearman_b IS 'Spearman correlation of label and score at window_b.';
COMMENT ON COLUMN window_comparison.difference IS 'spearman_a - spearman_b; agdb stats adds its interval.';
COMMENT ON COLUMN window_comparison.spearman_ab IS 'Spearman correlation of the two scores: what the interval of the difference needs.';
COMMENT ON COLUMN window_comparison.source_id IS 'QTL source of the label.';
COMMENT ON COLUMN window_comparison.source IS 'Its name.';
COMMENT ON COLUMN window_comparison.scorer_a IS 'Scorer at window_a.';
COMMENT ON COLUMN window_comparison.scorer_b IS 'Scorer at window_b.';
