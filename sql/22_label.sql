-- One row: an association and a label for it: what was measured, that a score is to agree with. Mostly this is the slope
-- of its own source. A source that brought only p-values (the original study's files) has that label, named as what it
-- is, and besides it the true slope of every pair that another source of the same tissue holds: re-labelling costs no
-- prediction.
CREATE OR REPLACE VIEW label AS
SELECT s.effect AS label, q.source_id, q.source_id AS label_source_id, q.assembly, q.variant_id, q.phenotype_id, q.gene_id,
       q.tissue, s.effect_unit,
       CASE s.effect WHEN 'slope' THEN q.slope WHEN 'pval_nominal' THEN q.pval_nominal END AS effect,
       q.slope_se, q.pval_nominal, q.qval, q.maf, q.tss_distance
FROM qtl AS q
JOIN source AS s ON s.source_id = q.source_id
UNION ALL
SELECT 'slope', q.source_id, t.source_id, q.assembly, q.variant_id, q.phenotype_id, q.gene_id,
       q.tissue, t.effect_unit, t.slope, t.slope_se, t.pval_nominal, t.qval, t.maf, t.tss_distance
FROM qtl AS q
JOIN source AS s ON s.source_id = q.source_id AND s.effect = 'pval_nominal'
JOIN (
  SELECT x.*, y.effect_unit
  FROM qtl AS x
  JOIN source AS y ON y.source_id = x.source_id AND y.effect = 'slope'
  SEMI JOIN source AS z ON z.effect = 'pval_nominal' AND z.tissue = x.tissue
  -- the pairs and the egenes file of a tissue hold the same slope for a lead pair: one of them is enough
  QUALIFY row_number() OVER (PARTITION BY x.assembly, x.tissue, x.variant_id, x.phenotype_id ORDER BY x.source_id) = 1
) AS t ON t.assembly = q.assembly AND t.tissue = q.tissue AND t.variant_id = q.variant_id AND t.phenotype_id = q.phenotype_id;

COMMENT ON VIEW label IS 'One row per association and label: the measured value that a score is to agree with.';
COMMENT ON COLUMN label.label IS 'What the label is: slope, or pval_nominal where the file had nothing else.';
COMMENT ON COLUMN label.source_id IS 'Source of the association.';
COMMENT ON COLUMN label.label_source_id IS 'Source of the label: another one where a pair was re-labelled with its true slope.';
COMMENT ON COLUMN label.assembly IS 'Assembly.';
COMMENT ON COLUMN label.variant_id IS 'The variant.';
COMMENT ON COLUMN label.phenotype_id IS 'The phenotype.';
COMMENT ON COLUMN label.gene_id IS 'The gene.';
COMMENT ON COLUMN label.tissue IS 'Tissue.';
COMMENT ON COLUMN label.effect_unit IS 'Unit of the label.';
COMMENT ON COLUMN label.effect IS 'The label: effect of ALT against REF (or the p-value, where label says so).';
COMMENT ON COLUMN label.slope_se IS 'Standard error of the slope.';
COMMENT ON COLUMN label.pval_nominal IS 'Nominal p-value.';
COMMENT ON COLUMN label.qval IS 'q-value of the gene, where the source has it.';
COMMENT ON COLUMN label.maf IS 'Minor allele frequency.';
COMMENT ON COLUMN label.tss_distance IS 'pos minus TSS in bp.';
