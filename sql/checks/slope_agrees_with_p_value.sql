-- severity: refuse
-- gates: qtl
-- cure: slope, slope_se and pval_nominal must be columns of one test: are columns swapped, or taken from two files?
-- One row: a source where |slope / slope_se| does not order the rows as the p-value does. Within one tissue the degrees of
-- freedom are the same for all rows, so the rank correlation is -1 but for rounding; no distribution is needed.
WITH ranked AS (
  SELECT source_id,
         rank() OVER (PARTITION BY source_id ORDER BY abs(slope / slope_se)) AS by_t,
         rank() OVER (PARTITION BY source_id ORDER BY pval_nominal) AS by_p
  FROM qtl
  WHERE slope IS NOT NULL AND slope_se > 0 AND pval_nominal IS NOT NULL
)
SELECT source_id,
       '|slope / slope_se| does not agree with pval_nominal (rank correlation ' || printf('%.3f', corr(by_t, by_p))
         || ' over ' || count(*) || ' rows, -1 expected)' AS problem
FROM ranked
GROUP BY source_id
HAVING count(*) >= 20 AND coalesce(corr(by_t, by_p), 0) > -0.95
