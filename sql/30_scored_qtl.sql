-- One row: a labelled association and a scorer that scored its variant: label, score, and what strata need. Many
-- associations may share one prediction; a gene scorer meets only the associations of its gene. Variants whose REF
-- contradicts the genome, and unequal assemblies, do not enter.
CREATE OR REPLACE VIEW scored_qtl AS
SELECT q.label, q.source_id, s.name AS source, q.label_source_id, q.tissue, q.effect_unit,
       p.scorer_id, r.name AS scorer, r.window_bp, r.family, r.is_signed, p.provider,
       q.assembly, c.variant_id, c.chrom, c.pos, c.ref, c.alt, q.phenotype_id, q.gene_id, c.kind, c.ref_status, c.in_peak,
       q.effect, p.score, if(q.label = 'slope', q.effect, NULL) AS slope, q.slope_se, q.pval_nominal, q.qval, q.maf,
       q.tss_distance
FROM label AS q
JOIN source AS s ON s.source_id = q.source_id
JOIN candidate AS c
  ON c.assembly = q.assembly AND c.chrom = q.chrom AND c.pos = q.pos AND c.ref = q.ref AND c.alt = q.alt
JOIN score AS p
  ON p.assembly = q.assembly AND p.chrom = q.chrom AND p.pos = q.pos AND p.ref = q.ref AND p.alt = q.alt
 AND (p.gene_id IS NULL OR p.gene_id = gene_key(q.gene_id))
JOIN scorer_family AS r ON r.scorer_id = p.scorer_id;

COMMENT ON VIEW scored_qtl IS 'One row per association and scorer: label, score, and what strata need.';
COMMENT ON COLUMN scored_qtl.label IS 'What the label is: slope, conditional_slope, or pval_nominal where the file had nothing else.';
COMMENT ON COLUMN scored_qtl.source_id IS 'QTL source.';
COMMENT ON COLUMN scored_qtl.source IS 'Its name.';
COMMENT ON COLUMN scored_qtl.label_source_id IS 'Source of the label.';
COMMENT ON COLUMN scored_qtl.tissue IS 'Its tissue.';
COMMENT ON COLUMN scored_qtl.effect_unit IS 'Unit of the label.';
COMMENT ON COLUMN scored_qtl.scorer_id IS 'The scorer.';
COMMENT ON COLUMN scored_qtl.scorer IS 'Its name.';
COMMENT ON COLUMN scored_qtl.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN scored_qtl.family IS 'Scorers of one family differ in nothing but the window.';
COMMENT ON COLUMN scored_qtl.is_signed IS 'Whether the score has a direction.';
COMMENT ON COLUMN scored_qtl.provider IS 'Who computed the score.';
COMMENT ON COLUMN scored_qtl.assembly IS 'Assembly.';
COMMENT ON COLUMN scored_qtl.variant_id IS 'The variant.';
COMMENT ON COLUMN scored_qtl.phenotype_id IS 'The phenotype.';
COMMENT ON COLUMN scored_qtl.gene_id IS 'The gene.';
COMMENT ON COLUMN scored_qtl.chrom IS 'Chromosome.';
COMMENT ON COLUMN scored_qtl.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN scored_qtl.ref IS 'Reference allele.';
COMMENT ON COLUMN scored_qtl.alt IS 'Alternative allele.';
COMMENT ON COLUMN scored_qtl.kind IS 'SNV, insertion, deletion or MNV.';
COMMENT ON COLUMN scored_qtl.ref_status IS 'match, or unchecked where no FASTA covers it.';
COMMENT ON COLUMN scored_qtl.in_peak IS 'Whether the variant lies in a peak (rule span); NULL where the chromosome has no peaks at all.';
COMMENT ON COLUMN scored_qtl.effect IS 'The label: measured effect of ALT against REF (or the p-value, where label says so).';
COMMENT ON COLUMN scored_qtl.score IS 'The prediction: ALT against REF.';
COMMENT ON COLUMN scored_qtl.slope IS 'Effect of ALT against REF; NULL where the label is not a slope.';
COMMENT ON COLUMN scored_qtl.slope_se IS 'Its standard error.';
COMMENT ON COLUMN scored_qtl.pval_nominal IS 'Its nominal p-value.';
COMMENT ON COLUMN scored_qtl.qval IS 'q-value of the gene, where the source has it.';
COMMENT ON COLUMN scored_qtl.maf IS 'Minor allele frequency.';
COMMENT ON COLUMN scored_qtl.tss_distance IS 'pos minus TSS in bp.';
