-- severity: warn
-- gates: qtl, genes
-- cure: another annotation has other transcription start sites: ingest the one that the QTLs were called with
-- One row: a source of which more than 1 % of the associations have another tss_distance than pos - tss of an annotation.
-- Told twice, for either source.
WITH compared AS (
  SELECT q.source_id, t.source_id AS gene_source, t.chrom = q.chrom AND q.tss_distance = q.pos - t.tss AS agrees
  FROM qtl AS q
  JOIN gene_tss AS t ON t.assembly = q.assembly AND t.gene = gene_key(q.gene_id)
  WHERE q.tss_distance IS NOT NULL
)
SELECT unnest([c.source_id, c.gene_source]) AS source_id,
       format('{:,}', count(*) FILTER (NOT agrees)) || ' of ' || format('{:,}', count(*)) || ' associations of ' || q.name
         || ' have a tss_distance that is not pos - tss of ' || g.name AS problem
FROM compared AS c
JOIN source AS q ON q.source_id = c.source_id
JOIN source AS g ON g.source_id = c.gene_source
GROUP BY c.source_id, c.gene_source, q.name, g.name
HAVING count(*) FILTER (NOT agrees) > 0.01 * count(*)
