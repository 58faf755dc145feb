-- The tail of Student's t without a distribution function, which DuckDB has none of: good to 3 % of ln p for p of 0.1 or
-- less and 20 degrees of freedom or more (at 3, to 14 %), to tell whether a slope, its standard error and its p-value
-- belong together. Wallace 1959 (Ann. Math. Stat. 30:1124) turns t into a normal deviate; its tail is
-- phi(z) 2 / (z + sqrt(z^2 + 8/pi)) (Komatu's bound, tightened to be exact at 0).
CREATE OR REPLACE MACRO ln_p_of_z(z) AS
  ln(4 / sqrt(2 * pi())) - z * z / 2 - ln(abs(z) + sqrt(z * z + 8 / pi()));

CREATE OR REPLACE MACRO student_t(t, df) AS
  ln_p_of_z((8 * df + 1) / (8 * df + 3) * sqrt(df * ln(1 + t * t / df)));

COMMENT ON MACRO ln_p_of_z IS 'ln_p_of_z(z): natural logarithm of the two-sided p-value of a normal deviate, to 3 % where it is 0.1 or less.';
COMMENT ON MACRO student_t IS 'student_t(t, df): natural logarithm of the two-sided p-value of t, to 3 % where it is 0.1 or less and df 20 or more.';
