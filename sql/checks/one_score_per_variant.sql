-- severity: refuse
-- gates: predictions
-- cure: a bug, or a file written by something else than agdb: please report it with the output of agdb status
-- One row: a computation with two predictions for the same variant, gene and track: each would count its associations twice.
WITH twice AS (
  SELECT computation_id, assembly, chrom, pos, ref, alt
  FROM prediction
  GROUP BY computation_id, assembly, chrom, pos, ref, alt, gene_id, track_id
  HAVING count(*) > 1
)
SELECT NULL::INTEGER AS source_id,
       format('{:,}', count(DISTINCT (chrom, pos, ref, alt))) || ' variants have two predictions of computation ' || computation_id
         || ', e.g. ' || min(variant_id(chrom, pos, ref, alt)) AS problem
FROM twice
GROUP BY computation_id
