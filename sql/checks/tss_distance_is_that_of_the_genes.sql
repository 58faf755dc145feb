-- severity: warn
-- gates: qtl, genes
-- cure: another annotation has other transcription start sites: ingest the one that the QTLs were called with
-- One row: a source of which more than 1 % of the associations have another tss_distance than pos - tss of table gene.
WITH compared AS (
  SELECT q.source_id, q.tss_distance = q.pos - t.tss AS agrees
  FROM qtl AS q
  JOIN gene_tss AS t ON t.assembly = q.assembly AND t.gene = split_part(q.gene_id, '.', 1)
  WHERE q.tss_distance IS NOT NULL
)
SELECT source_id,
       format('{:,}', count(*) FILTER (NOT agrees)) || ' of ' || format('{:,}', count(*)) || ' associations have a tss_distance that is not pos - tss'
         AS problem
FROM compared
GROUP BY source_id
HAVING count(*) FILTER (NOT agrees) > 0.01 * count(*)
