-- severity: warn
-- gates: qtl
-- cure: is slope_se a standard deviation, or are slope and p-value of two models? the p-value enters no correlation
-- One row: a source whose p-values are those of slope / slope_se with no number of degrees of freedom. The number is tried
-- from 3 to 10,000 on some 2,000 rows; that of the smallest median error is told. GTEx Kidney_Cortex gives 48, Whole_Blood
-- about 600.
WITH sampled AS (
  SELECT q.source_id, abs(slope - coalesce(s.null_value, 0)) / slope_se AS t, ln(pval_nominal) AS ln_p
  FROM qtl AS q
  JOIN source AS s ON s.source_id = q.source_id
  WHERE slope IS NOT NULL AND slope_se > 0 AND pval_nominal BETWEEN 1e-290 AND 0.1
    AND hash(q.chrom, q.pos, q.gene_id, q.molecular_trait_id) % greatest(s.rows_kept // 2000, 1)::UBIGINT = 0
),
tried AS (
  SELECT source_id, df, count(*) AS n, median(abs(ln_p - student_t(t, df)) / (abs(ln_p) + 1)) AS off
  FROM sampled, (SELECT DISTINCT round(exp(i / 12.0)) AS df FROM range(13, 111) AS r (i))
  GROUP BY ALL
)
SELECT source_id,
       'pval_nominal is not that of t = slope / slope_se: the nearest, with ' || arg_min(df, off)::INTEGER
         || ' degrees of freedom, is off by ' || round(100 * min(off), 1) || ' % of ln p in the median' AS problem
FROM tried
WHERE n >= 20
GROUP BY source_id
HAVING min(off) > 0.03
