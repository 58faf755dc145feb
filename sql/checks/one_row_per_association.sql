-- severity: refuse
-- gates: qtl
-- cure: give the original file; a merge on a key that is not unique doubles rows
-- One row: a source with two rows for the same variant and phenotype. Equal keys have equal hashes, and grouping by
-- numbers is faster than by strings: only rows whose hash stands twice are compared as they are.
WITH suspect AS (
  SELECT source_id, hash(variant_id, phenotype_id) AS key
  FROM qtl
  GROUP BY ALL
  HAVING count(*) > 1
),
twice AS (
  SELECT q.source_id, q.variant_id, q.phenotype_id
  FROM qtl AS q
  SEMI JOIN suspect AS s ON s.source_id = q.source_id AND s.key = hash(q.variant_id, q.phenotype_id)
  GROUP BY ALL
  HAVING count(*) > 1
)
SELECT source_id,
       count(*) || ' associations stand twice or more, e.g. ' || min(variant_id || ' with ' || phenotype_id) AS problem
FROM twice
GROUP BY source_id
