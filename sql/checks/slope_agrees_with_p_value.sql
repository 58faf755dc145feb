-- severity: refuse
-- gates: qtl
-- cure: slope, slope_se and pval_nominal must be columns of one test: are columns swapped, or taken from two files?
-- One row: a source where |slope / slope_se| does not order the rows as the p-value does. Within one tissue the degrees of
-- freedom are the same for all rows, so the rank correlation is -1 but for rounding; no distribution is needed. About
-- 100,000 rows of a source are enough and always the same ones: ranking all of 2.4 M takes seven times as long.
WITH ranked AS (
  SELECT q.source_id,
         rank() OVER (PARTITION BY q.source_id ORDER BY abs(q.slope / q.slope_se)) AS by_t,
         rank() OVER (PARTITION BY q.source_id ORDER BY q.pval_nominal) AS by_p
  FROM qtl AS q
  JOIN source AS s ON s.source_id = q.source_id
  WHERE q.slope IS NOT NULL AND q.slope_se > 0 AND q.pval_nominal IS NOT NULL
    AND hash(q.variant_id, q.phenotype_id) % greatest(s.rows_kept // 100000, 1)::UBIGINT = 0
)
SELECT source_id,
       '|slope / slope_se| does not agree with pval_nominal (rank correlation ' || printf('%.3f', corr(by_t, by_p))
         || ' over ' || count(*) || ' rows, -1 expected)' AS problem
FROM ranked
GROUP BY source_id
HAVING count(*) >= 20 AND coalesce(corr(by_t, by_p), 0) > -0.95
