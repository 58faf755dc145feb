-- severity: refuse
-- gates: qtl
-- cure: give signed effects of ALT against REF: absolute values, allelic ratios and p-values have one sign only
-- One row: a source with at least 20 slopes that all have the same sign.
SELECT source_id,
       'all ' || count(*) || ' slopes have the same sign (' || printf('%.3g', min(slope)) || ' to '
         || printf('%.3g', max(slope)) || '): effects of ALT against REF go both ways' AS problem
FROM qtl
WHERE slope IS NOT NULL
GROUP BY source_id
HAVING count(*) >= 20 AND (min(slope) >= 0 OR max(slope) <= 0)
