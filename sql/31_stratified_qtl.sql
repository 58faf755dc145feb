-- One row: an association, a scorer, and one way to stratify it. A new stratification is one more SELECT here and its name
-- in view stratum; ranks and correlations follow by themselves. scored_qtl is joined once for all of them; a filter on one
-- stratification leaves out the others. The size of an effect is counted from the value that means none: of an allelic ratio
-- of 0.1 it is 0.4, of one of 0.5 it is 0.
CREATE OR REPLACE VIEW stratified_qtl AS
WITH q AS MATERIALIZED (
  SELECT q.*, abs(q.effect - if(q.label = 'pval_nominal', 0, coalesce(s.null_value, 0))) AS effect_size
  FROM scored_qtl AS q
  JOIN source AS s ON s.source_id = q.label_source_id
)
SELECT 'all' AS stratification, 'all' AS stratum, * FROM q
UNION ALL
SELECT 'effect_size', 'Q' || ntile(4) OVER (
         PARTITION BY source_id, label, scorer_id ORDER BY effect_size, chrom, pos, ref, alt, phenotype_id
       ), *
FROM q WHERE label = 'slope'
UNION ALL
SELECT 'peak', if(in_peak, 'in peak', 'outside peaks'), * FROM q WHERE in_peak IS NOT NULL
UNION ALL
SELECT 'egene', if(qval <= 0.05, 'eGene', 'not an eGene'), * FROM q WHERE qval IS NOT NULL
UNION ALL
SELECT 'kind', kind, * FROM q
UNION ALL  -- windows may be compared only on rows that all of them scored: the original study compared 9,998 with 10,000
SELECT 'window', 'every window', q.*
FROM q
SEMI JOIN (
  SELECT source_id, label, family, chrom, pos, ref, alt, phenotype_id
  FROM q
  JOIN (SELECT source_id, label, family, count(DISTINCT scorer_id) AS windows FROM q GROUP BY ALL HAVING windows > 1)
    USING (source_id, label, family)
  GROUP BY source_id, label, family, windows, chrom, pos, ref, alt, phenotype_id
  HAVING count(DISTINCT scorer_id) = windows
) USING (source_id, label, family, chrom, pos, ref, alt, phenotype_id);

COMMENT ON VIEW stratified_qtl IS 'One row per association, scorer and way to stratify; every column of scored_qtl besides.';
COMMENT ON COLUMN stratified_qtl.stratification IS 'all, effect_size (quartile of effect_size within source and scorer), peak, egene (qval <= 0.05), kind, or window (rows that every window of the scorer scored).';
COMMENT ON COLUMN stratified_qtl.stratum IS 'Stratum within it, e.g. Q4, in peak, eGene, deletion.';
COMMENT ON COLUMN stratified_qtl.label IS 'What the label is: slope, or pval_nominal where the file had nothing else.';
COMMENT ON COLUMN stratified_qtl.source_id IS 'QTL source.';
COMMENT ON COLUMN stratified_qtl.source IS 'Its name.';
COMMENT ON COLUMN stratified_qtl.label_source_id IS 'Source of the label.';
COMMENT ON COLUMN stratified_qtl.tissue IS 'Its tissue.';
COMMENT ON COLUMN stratified_qtl.effect_unit IS 'Unit of the label.';
COMMENT ON COLUMN stratified_qtl.scorer_id IS 'The scorer.';
COMMENT ON COLUMN stratified_qtl.scorer IS 'Its name.';
COMMENT ON COLUMN stratified_qtl.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN stratified_qtl.family IS 'Scorers of one family differ in nothing but the window.';
COMMENT ON COLUMN stratified_qtl.is_signed IS 'Whether the score has a direction.';
COMMENT ON COLUMN stratified_qtl.provider IS 'Who computed the score.';
COMMENT ON COLUMN stratified_qtl.assembly IS 'Assembly.';
COMMENT ON COLUMN stratified_qtl.variant_id IS 'The variant.';
COMMENT ON COLUMN stratified_qtl.phenotype_id IS 'The phenotype.';
COMMENT ON COLUMN stratified_qtl.gene_id IS 'The gene.';
COMMENT ON COLUMN stratified_qtl.chrom IS 'Chromosome.';
COMMENT ON COLUMN stratified_qtl.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN stratified_qtl.ref IS 'Reference allele.';
COMMENT ON COLUMN stratified_qtl.alt IS 'Alternative allele.';
COMMENT ON COLUMN stratified_qtl.kind IS 'SNV, insertion, deletion or MNV.';
COMMENT ON COLUMN stratified_qtl.ref_status IS 'match, or unchecked where no FASTA covers it.';
COMMENT ON COLUMN stratified_qtl.in_peak IS 'Whether the variant lies in a peak (rule span); NULL where the chromosome has no peaks at all.';
COMMENT ON COLUMN stratified_qtl.effect IS 'The label: measured effect of ALT against REF (or the p-value, where label says so).';
COMMENT ON COLUMN stratified_qtl.score IS 'The prediction: ALT against REF.';
COMMENT ON COLUMN stratified_qtl.slope IS 'Effect of ALT against REF; NULL where the label is not a slope.';
COMMENT ON COLUMN stratified_qtl.slope_se IS 'Its standard error.';
COMMENT ON COLUMN stratified_qtl.pval_nominal IS 'Its nominal p-value.';
COMMENT ON COLUMN stratified_qtl.qval IS 'q-value of the gene, where the source has it.';
COMMENT ON COLUMN stratified_qtl.maf IS 'Minor allele frequency.';
COMMENT ON COLUMN stratified_qtl.tss_distance IS 'pos minus TSS in bp.';
COMMENT ON COLUMN stratified_qtl.effect_size IS '|effect less the value that means none|: |slope|, |allelic ratio - 0.5|, or the p-value itself.';
