-- severity: refuse
-- gates: predictions
-- cure: ingest the QTL file that the variants came from
-- One row: a computation that has scored variants that are not in the database.
SELECT NULL::INTEGER AS source_id,
       format('{:,}', count(*)) || ' scores of computation ' || p.computation_id || ' are for unknown variants, e.g. '
         || min(variant_id(p.chrom, p.pos, p.ref, p.alt)) AS problem
FROM scored_variant AS p
ANTI JOIN variant AS v
  ON v.assembly = p.assembly AND v.chrom = p.chrom AND v.pos = p.pos AND v.ref = p.ref AND v.alt = p.alt
GROUP BY p.computation_id
