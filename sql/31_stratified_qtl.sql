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
SELECT 'kind', kind, * FROM scored_qtl
UNION ALL  -- windows may be compared only on rows that all of them scored: the original study compared 9,998 with 10,000
SELECT 'window', 'every window', * EXCLUDE (windows_here, windows)
FROM (
  SELECT *, count(*) OVER (PARTITION BY source_id, label, family, variant_id, phenotype_id) AS windows_here
  FROM scored_qtl
)
JOIN (
  SELECT source_id, label, family, count(DISTINCT scorer_id) AS windows FROM scored_qtl GROUP BY ALL
) USING (source_id, label, family)
WHERE windows > 1 AND windows_here = windows;

COMMENT ON VIEW stratified_qtl IS 'One row per association, scorer and way to stratify; every column of scored_qtl besides.';
COMMENT ON COLUMN stratified_qtl.stratification IS 'all, effect_size (quartile of |slope| within source and scorer), peak, egene (qval <= 0.05), kind, or window (rows that every window of the scorer scored).';
COMMENT ON COLUMN stratified_qtl.stratum IS 'Stratum within it, e.g. Q4, in peak, eGene, deletion.';
