-- One row: an association and a label for it: what was measured, that a score is to agree with. Mostly this is the slope
-- of its own source; a slope that is conditional on other signals of the gene is another quantity and has another name. A
-- source that brought only p-values (the original study's files) has that label, named as what it is, and besides it the
-- true slope of every pair that another source of the same tissue holds: re-labelling costs no prediction. Those slopes
-- are of one unit, that of the first such source: units are never mixed.
CREATE OR REPLACE VIEW label AS
SELECT CASE WHEN q.is_conditional THEN 'conditional_slope' ELSE s.effect END AS label,
       q.source_id, q.source_id AS label_source_id, s.tissue, q.assembly, q.chrom, q.pos, q.ref, q.alt,
       coalesce(q.molecular_trait_id, q.gene_id) AS phenotype_id, q.gene_id, s.effect_unit, s.null_value,
       CASE s.effect WHEN 'slope' THEN q.slope WHEN 'pval_nominal' THEN q.pval_nominal END AS effect,
       q.slope_se, q.pval_nominal, q.qval, q.maf, q.tss_distance
FROM qtl AS q
JOIN source AS s ON s.source_id = q.source_id
UNION ALL
SELECT 'slope', q.source_id, t.source_id, s.tissue, q.assembly, q.chrom, q.pos, q.ref, q.alt,
       coalesce(q.molecular_trait_id, q.gene_id), q.gene_id, t.effect_unit, t.null_value,
       t.slope, t.slope_se, t.pval_nominal, t.qval, t.maf, t.tss_distance
FROM qtl AS q
JOIN source AS s ON s.source_id = q.source_id AND s.effect = 'pval_nominal'
JOIN (
  SELECT x.*, y.tissue, y.effect_unit, y.null_value
  FROM qtl AS x
  JOIN (
    FROM source
    SEMI JOIN source AS p ON p.effect = 'pval_nominal' AND p.tissue = source.tissue AND p.assembly = source.assembly
    WHERE effect = 'slope'
    QUALIFY effect_unit = first_value(effect_unit) OVER (PARTITION BY assembly, tissue ORDER BY source_id)
  ) AS y ON y.source_id = x.source_id
  WHERE x.is_conditional IS DISTINCT FROM true
  -- the pairs and the egenes file of a tissue hold the same slope for a lead pair: one of them is enough
  QUALIFY row_number() OVER (
    PARTITION BY x.assembly, y.tissue, x.chrom, x.pos, x.ref, x.alt, coalesce(x.molecular_trait_id, x.gene_id)
    ORDER BY x.source_id
  ) = 1
) AS t
  ON t.assembly = q.assembly AND t.tissue = s.tissue AND t.chrom = q.chrom AND t.pos = q.pos AND t.ref = q.ref
 AND t.alt = q.alt
 AND coalesce(t.molecular_trait_id, t.gene_id) = coalesce(q.molecular_trait_id, q.gene_id);

COMMENT ON VIEW label IS 'One row per association and label: the measured value that a score is to agree with.';
COMMENT ON COLUMN label.label IS 'What the label is: slope, conditional_slope, or pval_nominal where the file had nothing else.';
COMMENT ON COLUMN label.source_id IS 'Source of the association.';
COMMENT ON COLUMN label.label_source_id IS 'Source of the label: another one where a pair was re-labelled with its true slope.';
COMMENT ON COLUMN label.tissue IS 'Tissue.';
COMMENT ON COLUMN label.assembly IS 'Assembly.';
COMMENT ON COLUMN label.chrom IS 'Chromosome.';
COMMENT ON COLUMN label.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN label.ref IS 'Reference allele.';
COMMENT ON COLUMN label.alt IS 'Alternative allele.';
COMMENT ON COLUMN label.phenotype_id IS 'The phenotype.';
COMMENT ON COLUMN label.gene_id IS 'The gene.';
COMMENT ON COLUMN label.effect_unit IS 'Unit of the label.';
COMMENT ON COLUMN label.null_value IS 'Value of the label that means no effect.';
COMMENT ON COLUMN label.effect IS 'The label: effect of ALT against REF (or the p-value, where label says so).';
COMMENT ON COLUMN label.slope_se IS 'Standard error of the slope.';
COMMENT ON COLUMN label.pval_nominal IS 'Nominal p-value.';
COMMENT ON COLUMN label.qval IS 'q-value of the gene, where the source has it.';
COMMENT ON COLUMN label.maf IS 'Minor allele frequency.';
COMMENT ON COLUMN label.tss_distance IS 'pos minus TSS in bp.';
