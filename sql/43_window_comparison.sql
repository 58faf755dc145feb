-- One row: one label set and two scorers that differ in nothing but the window, compared on the associations that both
-- scored. Never two correlations on two different sets of rows.
CREATE OR REPLACE VIEW window_comparison AS
WITH twin AS (
  SELECT a.scorer_id, b.scorer_id AS other_id, b.window_bp AS other_window_bp
  FROM scorer AS a
  JOIN scorer AS b
    ON a.window_bp < b.window_bp
   AND json_merge_patch(a.config, '{"window_bp": null}') = json_merge_patch(b.config, '{"window_bp": null}')
),
paired AS (
  SELECT x.label, x.tissue, x.scorer, x.window_bp AS window_a, t.other_window_bp AS window_b, x.source_id, x.source,
         x.scorer_id AS scorer_a, t.other_id AS scorer_b, x.effect, x.score AS score_a, y.score AS score_b
  FROM scored_qtl AS x
  JOIN twin AS t ON t.scorer_id = x.scorer_id
  JOIN prediction AS y
    ON y.scorer_id = t.other_id AND y.assembly = x.assembly AND y.variant_id = x.variant_id
   AND (y.gene_id IS NULL OR y.gene_id = x.gene_id)
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
