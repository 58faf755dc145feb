-- severity: refuse
-- gates: qtl
-- cure: give the column of effects: in GTEx, pval_nominal is field 7 and slope field 8; agdb reads them by name
-- One row: a source whose slopes are all positive and at most 1, reach below 0.001, and have at least 20 rows. The original study
-- correlated such a column (GTEx's pval_nominal, read by position) for 107,229 pairs.
SELECT source_id,
       'the column given as slope holds p-values, not effects: all ' || count(*) || ' values lie in '
         || printf('%.3g', min(slope)) || ' to ' || printf('%.3g', max(slope)) || ', none is negative; it is probably pval_nominal'
         AS problem
FROM qtl
WHERE slope IS NOT NULL
GROUP BY source_id
HAVING count(*) >= 20 AND min(slope) >= 0 AND max(slope) <= 1 AND min(slope) < 0.001
