-- One row: a variant, a gene (or another phenotype) and a tissue that was fine-mapped: the probability that the variant is
-- causal there. Of several fine-mappings of a tissue, and of several sets of one, the largest counts.
CREATE OR REPLACE VIEW fine_mapped AS
SELECT s.tissue, c.assembly, c.chrom, c.pos, c.ref, c.alt,
       unversioned(coalesce(c.molecular_trait_id, c.gene_id)) AS phenotype, max(c.pip) AS pip
FROM credible AS c
JOIN source AS s ON s.source_id = c.source_id
GROUP BY ALL;

COMMENT ON VIEW fine_mapped IS 'One row per variant, phenotype and tissue that was fine-mapped.';
COMMENT ON COLUMN fine_mapped.tissue IS 'Tissue of the fine-mapping, as its source names it.';
COMMENT ON COLUMN fine_mapped.assembly IS 'Assembly.';
COMMENT ON COLUMN fine_mapped.chrom IS 'Chromosome.';
COMMENT ON COLUMN fine_mapped.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN fine_mapped.ref IS 'Reference allele.';
COMMENT ON COLUMN fine_mapped.alt IS 'Alternative allele.';
COMMENT ON COLUMN fine_mapped.phenotype IS 'Molecular trait, or gene, without the version of its Ensembl id.';
COMMENT ON COLUMN fine_mapped.pip IS 'Posterior inclusion probability, 0 to 1.';
