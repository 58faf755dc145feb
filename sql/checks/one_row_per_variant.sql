-- severity: refuse
-- gates: variants
-- cure: a bug, or a file written by something else than agdb: please report it with the output of agdb status
-- One row: an assembly with a variant that stands twice in table variant: each would count its associations twice.
WITH twice AS (
  SELECT assembly, chrom, pos, ref, alt
  FROM variant
  GROUP BY ALL
  HAVING count(*) > 1
)
SELECT NULL::INTEGER AS source_id,
       format('{:,}', count(*)) || ' variants of ' || assembly || ' stand twice, e.g. ' || min(variant_id(chrom, pos, ref, alt)) AS problem
FROM twice
GROUP BY assembly
