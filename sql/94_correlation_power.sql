-- What a test of n independent rows would find: of a study that is planned, or was published without its data. What the
-- clusters of a result could have found stands beside it, in result.detectable. The normal distribution is the Chebyshev
-- fit of Press et al., Numerical Recipes, section 6.2, good to 1.2e-7 of its tail; DuckDB has none.
CREATE OR REPLACE MACRO normal_upper_half(z) AS  -- P(Z > z) for z of 0 or more
  exp(-z * z / 2 + horner([0.17087277, -0.82215223, 1.48851587, -1.13520398, 0.27886807, -0.18628806, 0.09678418,
                           0.37409196, 1.00002368, -1.26551223], 1 / (1 + z / sqrt(8)))) / (2 + z / sqrt(2));

CREATE OR REPLACE MACRO normal_tail(z) AS
  CASE WHEN z < 0 THEN 1 - normal_upper_half(-z::DOUBLE) WHEN z >= 0 THEN normal_upper_half(z::DOUBLE) END;

CREATE OR REPLACE MACRO correlation_power(r, n, alpha := 0.05) AS
  normal_tail(normal_quantile(1 - alpha / 2) - abs(atanh(r)) * sqrt(nullif(greatest(n - 3, 0), 0)))
  + normal_tail(normal_quantile(1 - alpha / 2) + abs(atanh(r)) * sqrt(nullif(greatest(n - 3, 0), 0)));

COMMENT ON MACRO normal_upper_half IS 'normal_upper_half(z): probability of a normal deviate above z, where z is 0 or more.';
COMMENT ON MACRO normal_tail IS 'normal_tail(z): probability of a normal deviate above z, to 1.2e-7 of it.';
COMMENT ON MACRO correlation_power IS 'correlation_power(r, n, alpha := 0.05): chance that a two-sided test of n independent rows finds a true correlation r (Fisher 1921).';
