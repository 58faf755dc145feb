-- One row: a source with effects, standard errors and p-values, and how |effect / standard error| orders its rows against the
-- p-value. Within one source the degrees of freedom are the same for all rows, so the rank correlation is -1 but for
-- rounding; no distribution is needed. About 100,000 rows of a source are enough and always the same ones: ranking all of
-- 2.4 M takes seven times as long.
CREATE OR REPLACE VIEW effect_order AS
WITH ranked AS (
  SELECT q.source_id,
         rank() OVER (PARTITION BY q.source_id ORDER BY abs((q.slope - coalesce(s.null_value, 0)) / q.slope_se)) AS by_t,
         rank() OVER (PARTITION BY q.source_id ORDER BY q.pval_nominal) AS by_p
  FROM qtl AS q
  JOIN source AS s ON s.source_id = q.source_id
  WHERE q.slope IS NOT NULL AND q.slope_se > 0 AND q.pval_nominal IS NOT NULL
    AND hash(q.chrom, q.pos, q.gene_id, q.molecular_trait_id) % greatest(s.rows_kept // 100000, 1)::UBIGINT = 0
)
SELECT source_id, count(*) AS n, coalesce(corr(by_t, by_p), 0) AS rank_correlation
FROM ranked
GROUP BY source_id;

COMMENT ON VIEW effect_order IS 'One row per source: whether |slope / slope_se| orders the rows as pval_nominal does.';
COMMENT ON COLUMN effect_order.source_id IS 'The source.';
COMMENT ON COLUMN effect_order.n IS 'Rows looked at.';
COMMENT ON COLUMN effect_order.rank_correlation IS 'Rank correlation of |slope / slope_se| and pval_nominal; -1 where they are of one test.';
