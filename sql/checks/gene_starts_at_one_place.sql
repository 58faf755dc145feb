-- severity: warn
-- gates: genes
-- cure: give one row a gene: its distances are those from the first of its starts in the file
-- One row: an annotation with genes that have several transcription start sites on one chromosome (a table of transcripts,
-- named by their genes). One on chrX and chrY both is a gene of the pseudoautosomal regions.
WITH several AS (
  SELECT source_id, chrom, gene_key(gene_id) AS gene
  FROM gene
  GROUP BY ALL
  HAVING count(DISTINCT tss) > 1
)
SELECT source_id,
       format('{:,}', count(DISTINCT gene)) || ' genes have several transcription start sites, e.g. ' || min(gene)
         || ': of each the first in the file counts' AS problem
FROM several
GROUP BY source_id
