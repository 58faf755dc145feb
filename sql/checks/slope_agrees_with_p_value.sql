-- severity: refuse
-- gates: qtl
-- cure: slope, slope_se and pval_nominal must be columns of one test: are columns swapped, or taken from two files?
-- One row: a source where |slope / slope_se| does not order the rows as the p-value does.
SELECT source_id,
       '|slope / slope_se| does not agree with pval_nominal (rank correlation ' || printf('%.3f', rank_correlation)
         || ' over ' || n || ' rows, -1 expected)' AS problem
FROM effect_order
WHERE n >= 20 AND rank_correlation > -0.95 AND NOT isnan(rank_correlation)
