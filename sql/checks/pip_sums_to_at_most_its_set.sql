-- severity: warn
-- gates: credible
-- cure: is the column given as pip one of z-scores or Bayes factors, or are rows doubled?
-- One row: a source with credible sets whose pips add up to more than 1: a set holds one causal variant.
WITH summed AS (
  SELECT source_id, coalesce(molecular_trait_id, gene_id) AS phenotype_id, cs_id, sum(pip) AS total
  FROM credible
  WHERE cs_id IS NOT NULL
  GROUP BY ALL
)
SELECT source_id,
       format('{:,}', count(*)) || ' credible sets have pips that add up to more than 1, at most ' || printf('%.3g', max(total)) AS problem
FROM summed
WHERE total > 1.1
GROUP BY source_id
