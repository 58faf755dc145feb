-- One row: a gene of an assembly, without the version of its id, and where its transcription starts. Where several
-- annotations hold it, the first one ingested counts; a gene of both PARs counts where it lies on chrX.
CREATE OR REPLACE VIEW gene_tss AS
SELECT assembly, split_part(gene_id, '.', 1) AS gene, arg_min(tss, (source_id, chrom)) AS tss, min(source_id) AS source_id
FROM gene
GROUP BY ALL;

COMMENT ON VIEW gene_tss IS 'One row per gene of an assembly: its transcription start site.';
COMMENT ON COLUMN gene_tss.assembly IS 'Assembly.';
COMMENT ON COLUMN gene_tss.gene IS 'Ensembl gene without version.';
COMMENT ON COLUMN gene_tss.tss IS 'Transcription start site, 1-based.';
COMMENT ON COLUMN gene_tss.source_id IS 'The annotation that says so.';
