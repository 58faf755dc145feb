-- One row: an association, a scorer, and one way to stratify it. A new stratification is one more SELECT here; ranks and
-- correlations (view stratum) follow by themselves.
CREATE OR REPLACE VIEW stratified_qtl AS
SELECT 'all' AS stratification, 'all' AS stratum, * FROM scored_qtl
UNION ALL
SELECT 'effect_size', 'Q' || ntile(4) OVER (
         PARTITION BY source_id, label, scorer_id ORDER BY abs(effect), variant_id, phenotype_id
       ), *
FROM scored_qtl WHERE label = 'slope'
UNION ALL
SELECT 'peak', if(in_peak, 'in peak', 'outside peaks'), * FROM scored_qtl WHERE in_peak IS NOT NULL
UNION ALL
SELECT 'egene', if(qval <= 0.05, 'eGene', 'not an eGene'), * FROM scored_qtl WHERE qval IS NOT NULL
UNION ALL
SELECT 'kind', kind, * FROM scored_qtl;

COMMENT ON VIEW stratified_qtl IS 'One row per association, scorer and way to stratify; every column of scored_qtl besides.';
COMMENT ON COLUMN stratified_qtl.stratification IS 'all, effect_size (quartile of |slope| within source and scorer), peak, egene (qval <= 0.05), or kind.';
COMMENT ON COLUMN stratified_qtl.stratum IS 'Stratum within it, e.g. Q4, in peak, eGene, deletion.';
