-- severity: warn
-- gates: peaks
-- cure: unequal assemblies are never joined: ingest peaks of the variants' assembly
-- One row: a peak source whose assembly has no variants, although variants of another assembly are there.
SELECT s.source_id,
       'peaks of ' || s.name || ' are on ' || s.assembly || ', the variants on '
         || (SELECT string_agg(DISTINCT assembly::VARCHAR, ', ') FROM variant) || ': they never meet' AS problem
FROM source AS s
WHERE s.kind = 'peaks'
  AND EXISTS (FROM variant)
  AND s.assembly NOT IN (SELECT assembly FROM variant)
