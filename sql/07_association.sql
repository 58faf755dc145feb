-- One row: an association, with the names that table qtl leaves to its source: the qtl table for people.
CREATE OR REPLACE VIEW association AS
SELECT q.source_id, s.name AS source, s.qtl_type, s.tissue, q.assembly,
       variant_id(q.chrom, q.pos, q.ref, q.alt) AS variant_id, q.chrom, q.pos, q.ref, q.alt,
       coalesce(q.molecular_trait_id, q.gene_id) AS phenotype_id, q.gene_id,
       q.slope, s.effect_unit, q.slope_se, q.pval_nominal, q.af, q.maf,
       coalesce(q.tss_distance, q.pos - t.tss) AS tss_distance,
       q.ma_samples, q.ma_count, q.pval_nominal_threshold, q.min_pval_nominal, q.pval_beta, q.qval, q.signal_rank,
       q.is_conditional, q.reoriented
FROM qtl AS q
JOIN source AS s ON s.source_id = q.source_id
LEFT JOIN gene_tss AS t ON t.assembly = q.assembly AND t.gene = gene_key(q.gene_id) AND t.chrom = q.chrom;

COMMENT ON VIEW association IS 'One row per association: table qtl with variant_id, phenotype_id, tissue and source.';
COMMENT ON COLUMN association.source_id IS 'The source.';
COMMENT ON COLUMN association.source IS 'Its file name.';
COMMENT ON COLUMN association.qtl_type IS 'eqtl, sqtl, caqtl, ...';
COMMENT ON COLUMN association.tissue IS 'Tissue of the source.';
COMMENT ON COLUMN association.assembly IS 'Assembly.';
COMMENT ON COLUMN association.variant_id IS 'The variant, chrom_pos_ref_alt.';
COMMENT ON COLUMN association.chrom IS 'Chromosome.';
COMMENT ON COLUMN association.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN association.ref IS 'Reference allele.';
COMMENT ON COLUMN association.alt IS 'Alternative allele.';
COMMENT ON COLUMN association.phenotype_id IS 'What was measured; for an eQTL the gene.';
COMMENT ON COLUMN association.gene_id IS 'Ensembl gene as the source writes it.';
COMMENT ON COLUMN association.slope IS 'Effect of ALT against REF.';
COMMENT ON COLUMN association.effect_unit IS 'Unit of slope per ALT allele.';
COMMENT ON COLUMN association.slope_se IS 'Its standard error.';
COMMENT ON COLUMN association.pval_nominal IS 'Nominal p-value.';
COMMENT ON COLUMN association.af IS 'Frequency of ALT.';
COMMENT ON COLUMN association.maf IS 'Minor allele frequency.';
COMMENT ON COLUMN association.tss_distance IS 'pos minus TSS in bp, as the source has it, else from table gene; NULL for a gene of another chromosome.';
COMMENT ON COLUMN association.ma_samples IS 'Samples that carry the minor allele.';
COMMENT ON COLUMN association.ma_count IS 'Minor alleles among the samples.';
COMMENT ON COLUMN association.pval_nominal_threshold IS 'Nominal p-value threshold of the gene.';
COMMENT ON COLUMN association.min_pval_nominal IS 'Smallest nominal p-value of the gene.';
COMMENT ON COLUMN association.pval_beta IS 'Beta-approximated permutation p-value of the gene.';
COMMENT ON COLUMN association.qval IS 'q-value of the gene, where the source has it.';
COMMENT ON COLUMN association.signal_rank IS 'Rank of the independent signal of the gene.';
COMMENT ON COLUMN association.is_conditional IS 'Whether slope is conditional on other signals.';
COMMENT ON COLUMN association.reoriented IS 'How the alleles were turned to those of the genome; NULL where they are as given.';
