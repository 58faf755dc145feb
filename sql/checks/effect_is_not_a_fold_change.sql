-- severity: refuse
-- gates: qtl
-- cure: take the logarithm: --effect-unit log2fc, lnfc or log_odds; in a preset, slope = "log2(column)" under [derived]
-- One row: a source whose effects are all positive and lie on both sides of 1: fold changes or odds ratios, whose null is 1.
SELECT source_id,
       'the column given as slope holds fold changes or odds ratios, not effects about 0: all ' || format('{:,}', n) || ' values lie in '
         || printf('%.3g', lowest) || ' to ' || printf('%.3g', highest) || ', on both sides of 1' AS problem
FROM effect_range
WHERE n >= 20 AND null_value = 0 AND lowest > 0 AND highest > 1 AND share_below_one BETWEEN 0.2 AND 0.8
