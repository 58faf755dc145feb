-- severity: refuse
-- gates: qtl
-- cure: say --effect-unit allelic_ratio: its null value is 0.5, not 0
-- One row: a source whose effects all lie from 0 to 1 and gather about a half, although its unit says that 0 means none; and
-- whose p-values, if it has any, are not those of a distance from 0 (those of absolute values are).
SELECT source_id,
       'the column given as slope holds allelic ratios, not effects about 0: all ' || format('{:,}', r.n) || ' values lie in '
         || printf('%.3g', lowest) || ' to ' || printf('%.3g', highest) || ', '
         || round(100 * share_near_half)::INTEGER || ' % of them from 0.25 to 0.75' AS problem
FROM effect_range AS r
LEFT JOIN (FROM effect_order WHERE coalesce(list_contains(getvariable('new_sources'), source_id), true)) AS o USING (source_id)
WHERE r.n >= 20 AND coalesce(o.rank_correlation, 0) > -0.95 AND null_value = 0 AND lowest >= 0 AND highest <= 1 AND share_near_half >= 0.6
