-- The interval of a proportion, and the proportion that agdb stats takes it of.
CREATE OR REPLACE MACRO wilson(k, n, level := 0.95) AS CASE WHEN n > 0 AND k BETWEEN 0 AND n THEN {
  'low': greatest(0, (k + normal_quantile((1 + level) / 2) ** 2 / 2 - normal_quantile((1 + level) / 2)
           * sqrt(k::DOUBLE * (n - k) / n + normal_quantile((1 + level) / 2) ** 2 / 4))
         / (n + normal_quantile((1 + level) / 2) ** 2)),
  'high': least(1, (k + normal_quantile((1 + level) / 2) ** 2 / 2 + normal_quantile((1 + level) / 2)
            * sqrt(k::DOUBLE * (n - k) / n + normal_quantile((1 + level) / 2) ** 2 / 4))
          / (n + normal_quantile((1 + level) / 2) ** 2))
} END;

CREATE OR REPLACE MACRO sign_concordance(effect, score) AS
  count(*) FILTER (sign(effect) * sign(score) > 0) / nullif(count(*) FILTER (sign(effect) * sign(score) <> 0), 0);

COMMENT ON MACRO wilson IS 'wilson(k, n, level := 0.95): interval of the proportion k / n, as {low, high} (Wilson 1927); NULL for n = 0.';
COMMENT ON MACRO sign_concordance IS 'sign_concordance(effect, score): share of the rows whose signs agree, of those that have two; an aggregate. An effect whose null is not 0 is given less its null.';
