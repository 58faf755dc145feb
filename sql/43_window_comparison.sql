-- One row: one label set and two scorers that differ in nothing but the window, compared on the associations that both
-- scored. Never two correlations on two different sets of rows.
CREATE OR REPLACE VIEW window_comparison AS
WITH paired AS (
  SELECT a.label, a.source_id, a.scorer_id AS scorer_a, b.scorer_id AS scorer_b, a.effect, a.score AS score_a,
         b.score AS score_b, hash(a.source_id, a.label, a.scorer_id, b.scorer_id) AS cell  -- as in stratum: one small key
  FROM scored_qtl AS a
  JOIN scored_qtl AS b
    ON a.is_signed AND b.source_id = a.source_id AND b.label = a.label AND b.family = a.family
   AND b.chrom = a.chrom AND b.pos = a.pos AND b.ref = a.ref AND b.alt = a.alt
   AND b.phenotype_id = a.phenotype_id AND b.window_bp > a.window_bp
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
  WINDOW g AS (PARTITION BY cell)
),
compared AS (
  SELECT label, source_id, scorer_a, scorer_b, count(*) AS n,
         sum(e * a)::DOUBLE / nullif(sqrt(sum(e * e)::DOUBLE * sum(a * a)::DOUBLE), 0) AS spearman_a,
         sum(e * b)::DOUBLE / nullif(sqrt(sum(e * e)::DOUBLE * sum(b * b)::DOUBLE), 0) AS spearman_b,
         sum(a * b)::DOUBLE / nullif(sqrt(sum(a * a)::DOUBLE * sum(b * b)::DOUBLE), 0) AS spearman_ab
  FROM ranked
  GROUP BY label, source_id, scorer_a, scorer_b
)
SELECT c.label, s.tissue, ra.name AS scorer, ra.window_bp AS window_a, rb.window_bp AS window_b, c.n, c.spearman_a,
       c.spearman_b, c.spearman_a - c.spearman_b AS difference, c.spearman_ab, c.source_id, s.name AS source,
       c.scorer_a, c.scorer_b
FROM compared AS c
JOIN source AS s ON s.source_id = c.source_id
JOIN scorer AS ra ON ra.scorer_id = c.scorer_a
JOIN scorer AS rb ON rb.scorer_id = c.scorer_b;

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
