-- severity: warn
-- gates: peaks, qtl, credible, variants, predictions
-- cure: unequal assemblies are never joined: ingest peaks of the variants' assembly
-- One row: a peak source whose assembly has no variants, although variants of another assembly are there. Told of each
-- source of variants too, whichever comes last.
SELECT unnest([s.source_id] || v.source_ids) AS source_id,
       'peaks of ' || s.name || ' are on ' || s.assembly || ', the variants on ' || v.assemblies || ': they never meet' AS problem
FROM source AS s,
(
  SELECT coalesce(list(source_id) FILTER (kind IN ('qtl', 'credible', 'variants', 'predictions')), []) AS source_ids,
         (SELECT string_agg(DISTINCT assembly::VARCHAR, ', ') FROM variant) AS assemblies
  FROM source
) AS v
WHERE s.kind = 'peaks'
  AND EXISTS (FROM variant)
  AND s.assembly NOT IN (SELECT assembly FROM variant)
