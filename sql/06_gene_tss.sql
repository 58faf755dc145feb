-- One row: a gene of an assembly, without the version of its id, and where its transcription starts. Where several
-- annotations hold it, the first one ingested counts, and of one that has it several times the first row; a gene of both
-- PARs counts where it lies on chrX.
CREATE OR REPLACE VIEW gene_tss AS
SELECT assembly, gene_key(gene_id) AS gene, arg_min(chrom, (source_id, chrom)) AS chrom,
       arg_min(tss, (source_id, chrom, rowid)) AS tss, min(source_id) AS source_id
FROM gene
GROUP BY ALL;

COMMENT ON VIEW gene_tss IS 'One row per gene of an assembly: its transcription start site.';
COMMENT ON COLUMN gene_tss.assembly IS 'Assembly.';
COMMENT ON COLUMN gene_tss.gene IS 'The gene, an Ensembl one without version.';
COMMENT ON COLUMN gene_tss.chrom IS 'Its chromosome.';
COMMENT ON COLUMN gene_tss.tss IS 'Transcription start site, 1-based.';
COMMENT ON COLUMN gene_tss.source_id IS 'The annotation that says so.';
