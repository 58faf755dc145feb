-- severity: refuse
-- gates: qtl
-- cure: give the share of ALT among the reads, 0 to 1, or another --effect-unit
-- One row: a source of allelic ratios with values outside of 0 to 1.
SELECT source_id,
       'allelic ratios lie from 0 to 1, these from ' || printf('%.3g', lowest) || ' to ' || printf('%.3g', highest)
         AS problem
FROM effect_range
WHERE effect_unit = 'allelic_ratio' AND (lowest < 0 OR highest > 1)
