-- severity: refuse
-- gates: qtl
-- cure: of fold changes and odds ratios take the logarithm: in a preset, slope = "log2(column)" under [derived], with effect_unit = "log2fc"; of absolute values give the signed ones
-- One row: a source whose effects are all positive and lie on both sides of 1: fold changes or odds ratios, whose null is 1;
-- and whose p-values, if it has any, are not those of a distance from 0 (those of absolute values are).
SELECT source_id,
       'the column given as slope holds ' || if(o.rank_correlation IS NULL, 'fold changes, odds ratios or absolute values', 'fold changes or odds ratios')
         || ', not effects about 0: all ' || format('{:,}', r.n) || ' values lie in ' || printf('%.3g', lowest) || ' to ' || printf('%.3g', highest)
         || ', on both sides of 1' AS problem
FROM effect_range AS r
LEFT JOIN (FROM effect_order WHERE coalesce(list_contains(getvariable('new_sources'), source_id), true)) AS o USING (source_id)
WHERE r.n >= 20 AND coalesce(o.rank_correlation, 0) > -0.95 AND null_value = 0 AND lowest > 0 AND highest > 1
  AND share_below_one BETWEEN 0.2 AND 0.8
