-- severity: refuse
-- gates: predictions
-- cure: ingest the QTL file that the variants came from
-- One row: a scorer with predictions for variants that are not in the database.
SELECT NULL::INTEGER AS source_id,
       format('{:,}', count(*)) || ' predictions of scorer ' || p.scorer_id || ' are for unknown variants, e.g. ' || min(variant_id(p.chrom, p.pos, p.ref, p.alt)) AS problem
FROM prediction AS p
ANTI JOIN variant AS v 
  ON v.assembly = p.assembly AND v.chrom = p.chrom AND v.pos = p.pos AND v.ref = p.ref AND v.alt = p.alt
GROUP BY p.scorer_id
