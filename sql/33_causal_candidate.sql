-- One row: a scored association, as in analysed_qtl, whose phenotype was fine-mapped in its tissue and whose variant is
-- clearly causal for it (PIP > 0.9), or clearly not: a control was tested against a fine-mapped phenotype and has a
-- PIP below 0.01, or lies in none of its credible sets; and it is so for every phenotype of the tissue, for a variant that
-- moves the gene next door is no control. What lies between is in neither class. agdb stats matches controls among these.
CREATE OR REPLACE VIEW causal_candidate AS
FROM analysed_qtl WHERE causal_class IS NOT NULL;

COMMENT ON VIEW causal_candidate IS 'One row per scored association of a fine-mapped phenotype whose variant is clearly causal (PIP > 0.9) or clearly not: what causal variants and their controls are taken from.';
COMMENT ON COLUMN causal_candidate.label IS 'What the label is: slope, conditional_slope, or pval_nominal where the file had nothing else.';
COMMENT ON COLUMN causal_candidate.source_id IS 'QTL source.';
COMMENT ON COLUMN causal_candidate.source IS 'Its name.';
COMMENT ON COLUMN causal_candidate.label_source_id IS 'Source of the label.';
COMMENT ON COLUMN causal_candidate.tissue IS 'Its tissue.';
COMMENT ON COLUMN causal_candidate.effect_unit IS 'Unit of the label.';
COMMENT ON COLUMN causal_candidate.scorer_id IS 'The scorer.';
COMMENT ON COLUMN causal_candidate.scorer IS 'Its name.';
COMMENT ON COLUMN causal_candidate.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN causal_candidate.family IS 'Scorers of one family differ in nothing but the window.';
COMMENT ON COLUMN causal_candidate.is_signed IS 'Whether the score has a direction.';
COMMENT ON COLUMN causal_candidate.provider IS 'Who computed the score.';
COMMENT ON COLUMN causal_candidate.assembly IS 'Assembly.';
COMMENT ON COLUMN causal_candidate.variant_id IS 'The variant.';
COMMENT ON COLUMN causal_candidate.phenotype_id IS 'The phenotype.';
COMMENT ON COLUMN causal_candidate.gene_id IS 'The gene.';
COMMENT ON COLUMN causal_candidate.chrom IS 'Chromosome.';
COMMENT ON COLUMN causal_candidate.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN causal_candidate.ref IS 'Reference allele.';
COMMENT ON COLUMN causal_candidate.alt IS 'Alternative allele.';
COMMENT ON COLUMN causal_candidate.kind IS 'SNV, insertion, deletion or MNV.';
COMMENT ON COLUMN causal_candidate.ref_status IS 'match, or unchecked where no FASTA covers it.';
COMMENT ON COLUMN causal_candidate.in_peak IS 'Whether the variant lies in a peak (rule span); NULL where the chromosome has no peaks at all.';
COMMENT ON COLUMN causal_candidate.effect IS 'The label: measured effect of ALT against REF (or the p-value, where label says so).';
COMMENT ON COLUMN causal_candidate.score IS 'The prediction: ALT against REF.';
COMMENT ON COLUMN causal_candidate.slope IS 'Effect of ALT against REF; NULL where the label is not a slope.';
COMMENT ON COLUMN causal_candidate.slope_se IS 'Its standard error.';
COMMENT ON COLUMN causal_candidate.pval_nominal IS 'Its nominal p-value.';
COMMENT ON COLUMN causal_candidate.qval IS 'q-value of the gene, where the source has it.';
COMMENT ON COLUMN causal_candidate.maf IS 'Minor allele frequency.';
COMMENT ON COLUMN causal_candidate.tss_distance IS 'pos minus TSS in bp, as the source has it, else from table gene.';
COMMENT ON COLUMN causal_candidate.null_value IS 'Value of the label that means no effect: 0, 0.5 for an allelic ratio, 1 for a p-value.';
COMMENT ON COLUMN causal_candidate.pip IS 'Probability that the variant is causal for this phenotype in this tissue, where it was fine-mapped.';
COMMENT ON COLUMN causal_candidate.peak_signal IS 'Largest signalValue of the peaks that the variant lies in.';
COMMENT ON COLUMN causal_candidate.summit_distance IS 'Bases to the nearest summit of the peaks that it lies in.';
COMMENT ON COLUMN causal_candidate.effect_cut IS 'By the original study''s cuts of |slope|, less the value that means no effect: 0.0005 and 0.01.';
COMMENT ON COLUMN causal_candidate.peak IS 'in peak or outside peaks; NULL where the chromosome has no peaks at all.';
COMMENT ON COLUMN causal_candidate.egene IS 'eGene (qval <= 0.05) or not, where the source has qval.';
COMMENT ON COLUMN causal_candidate.pip_bin IS 'By pip, cut at 0.01, 0.1, 0.5 and 0.9.';
COMMENT ON COLUMN causal_candidate.tss_bin IS 'By |tss_distance|, cut at 3, 12 and 35 kb.';
COMMENT ON COLUMN causal_candidate.maf_bin IS 'By maf, cut at 0.01, 0.05 and 0.2.';
COMMENT ON COLUMN causal_candidate.summit_bin IS 'By summit_distance, cut at 50 and 150 bp.';
COMMENT ON COLUMN causal_candidate.in_mhc IS 'Whether it lies in the MHC (extended class I to class II), whose linkage is long.';
COMMENT ON COLUMN causal_candidate.cluster_start IS 'With chrom the cluster: chrom_start of its block of linkage; where none is known -1 less the number of its 1 Mb window.';
COMMENT ON COLUMN causal_candidate.largest_pip IS 'Largest PIP of the variant, over all phenotypes of the tissue; NULL where it is in no credible set.';
COMMENT ON COLUMN causal_candidate.causal_class IS 'causal: PIP > 0.9 for this phenotype. control: tested against a fine-mapped phenotype, and in no credible set or below 0.01 for every phenotype of the tissue.';
