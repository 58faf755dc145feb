-- severity: refuse
-- gates: qtl
-- cure: give the original file; a merge on a key that is not unique doubles rows
-- One row: a source with two rows for the same variant and phenotype. One grouping, so that a question about one source
-- reads the rows of that source only, however many there are.
WITH twice AS (
  SELECT source_id, variant_id, phenotype_id
  FROM qtl
  GROUP BY ALL
  HAVING count(*) > 1
)
SELECT source_id,
       count(*) || ' associations stand twice or more, e.g. ' || min(variant_id || ' with ' || phenotype_id) AS problem
FROM twice
GROUP BY source_id
