-- severity: refuse
-- gates: predictions
-- cure: a bug, or a file written by something else than agdb: please report it with the output of agdb status
-- One row: a scorer with two predictions for the same variant (and gene): each would count its associations twice.
WITH twice AS (
  SELECT scorer_id, assembly, chrom, pos, ref, alt
  FROM prediction
  GROUP BY scorer_id, assembly, chrom, pos, ref, alt, gene_id
  HAVING count(*) > 1
)
SELECT NULL::INTEGER AS source_id,
       format('{:,}', count(*)) || ' variants have two predictions of scorer ' || scorer_id || ', e.g. ' || min(variant_id(chrom, pos, ref, alt)) AS problem
FROM twice
GROUP BY scorer_id
