-- severity: refuse
-- gates: qtl
-- cure: give the original file; a merge on a key that is not unique doubles rows
-- One row: a source with two rows for the same variant and phenotype. Hashes are grouped first: rows that are the same have
-- the same hash, and grouping one number instead of six columns takes half the time; only rows whose hash stands twice are
-- compared themselves.
WITH hashed AS (
  SELECT source_id, hash(chrom, pos, ref, alt, gene_id, molecular_trait_id) AS h
  FROM qtl
),
suspect AS (
  SELECT source_id, h FROM hashed GROUP BY ALL HAVING count(*) > 1
),
twice AS (
  SELECT q.source_id, q.chrom, q.pos, q.ref, q.alt, coalesce(q.molecular_trait_id, q.gene_id) AS phenotype_id
  FROM qtl AS q
  SEMI JOIN suspect AS s
    ON s.source_id = q.source_id AND s.h = hash(q.chrom, q.pos, q.ref, q.alt, q.gene_id, q.molecular_trait_id)
  GROUP BY ALL
  HAVING count(*) > 1
)
SELECT source_id,
       format('{:,}', count(*)) || ' associations stand twice or more, e.g. '
         || min(variant_id(chrom, pos, ref, alt) || ' with ' || phenotype_id) AS problem
FROM twice
GROUP BY source_id
