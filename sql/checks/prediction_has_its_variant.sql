-- severity: refuse
-- gates: predictions
-- cure: ingest the QTL file that the variants came from
-- One row: a scorer with predictions for variants that are not in the database.
SELECT NULL::INTEGER AS source_id,
       count(*) || ' predictions of scorer ' || p.scorer_id || ' are for unknown variants, e.g. ' || min(p.variant_id) AS problem
FROM prediction AS p
ANTI JOIN variant AS v ON v.assembly = p.assembly AND v.variant_id = p.variant_id
GROUP BY p.scorer_id
