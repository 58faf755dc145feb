-- severity: refuse
-- gates: qtl
-- cure: give the column of effects: in GTEx, pval_nominal is field 7 and slope field 8; agdb reads them by name
-- One row: a source whose effects all lie from 0 to 1, go below 0.001, and do not gather about a half. The original study
-- correlated such a column (GTEx's pval_nominal, read by position) for 107,229 pairs.
SELECT source_id,
       'the column given as slope holds p-values, not effects: all ' || format('{:,}', n) || ' values lie in ' || printf('%.3g', lowest)
         || ' to ' || printf('%.3g', highest) || ', none is negative; it is probably pval_nominal' AS problem
FROM effect_range
WHERE n >= 20 AND null_value = 0 AND lowest >= 0 AND highest <= 1 AND lowest < 0.001 AND share_near_half < 0.6
