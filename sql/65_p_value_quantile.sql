-- One row: a QTL source, a side of the peaks, and a rank of its nominal p-values: what a quantile-quantile figure draws. Of
-- millions of ranks some fifty a power of ten are kept: the smallest p-values one by one, the others ever thinner.
CREATE OR REPLACE VIEW p_value_quantile AS
WITH p AS (
  SELECT q.source_id, CASE WHEN c.in_peak THEN 'in a peak' WHEN NOT c.in_peak THEN 'outside peaks'
                           ELSE 'peaks not known' END AS side, q.pval_nominal
  FROM qtl AS q
  LEFT JOIN candidate AS c
    ON c.assembly = q.assembly AND c.chrom = q.chrom AND c.pos = q.pos AND c.ref = q.ref AND c.alt = q.alt
  WHERE q.pval_nominal IS NOT NULL
),
ranked AS (
  SELECT *, row_number() OVER (PARTITION BY source_id, side ORDER BY pval_nominal) AS nth,
         count(*) OVER (PARTITION BY source_id, side) AS n
  FROM p
)
SELECT source_id, side, n, nth, pval_nominal AS p, (nth - 0.5) / n AS expected
FROM ranked
WHERE nth = 1 OR nth = n OR floor(50 * log10(nth)) > floor(50 * log10(nth - 1));

COMMENT ON VIEW p_value_quantile IS 'One row per QTL source, side of the peaks and rank of the nominal p-value, thinned: observed against expected.';
COMMENT ON COLUMN p_value_quantile.source_id IS 'QTL source.';
COMMENT ON COLUMN p_value_quantile.side IS 'in a peak, outside peaks, or peaks not known (no peaks on the chromosome, or no candidate).';
COMMENT ON COLUMN p_value_quantile.n IS 'P-values of that side.';
COMMENT ON COLUMN p_value_quantile.nth IS 'Rank of the p-value, the smallest first.';
COMMENT ON COLUMN p_value_quantile.p IS 'The p-value of that rank.';
COMMENT ON COLUMN p_value_quantile.expected IS 'Expected by chance, (nth - 0.5) / n, where p-values are uniform from 0 to 1.';
