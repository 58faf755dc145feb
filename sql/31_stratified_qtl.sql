-- One row: an association, a scorer, and one way to stratify it. A new stratification is one more SELECT here and its name
-- in view stratum; ranks and correlations follow by themselves. scored_qtl is joined once for all of them; a filter on one
-- stratification leaves out the others.
CREATE OR REPLACE VIEW stratified_qtl AS
WITH q AS MATERIALIZED (FROM scored_qtl)
SELECT 'all' AS stratification, 'all' AS stratum, * FROM q
UNION ALL
SELECT 'effect_size', 'Q' || ntile(4) OVER (
         PARTITION BY source_id, label, scorer_id ORDER BY abs(effect), variant_id, phenotype_id
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
  SELECT source_id, label, family, variant_id, phenotype_id
  FROM q
  JOIN (SELECT source_id, label, family, count(DISTINCT scorer_id) AS windows FROM q GROUP BY ALL HAVING windows > 1)
    USING (source_id, label, family)
  GROUP BY source_id, label, family, windows, variant_id, phenotype_id
  HAVING count(DISTINCT scorer_id) = windows
) USING (source_id, label, family, variant_id, phenotype_id);

COMMENT ON VIEW stratified_qtl IS 'One row per association, scorer and way to stratify; every column of scored_qtl besides.';
COMMENT ON COLUMN stratified_qtl.stratification IS 'all, effect_size (quartile of |slope| within source and scorer), peak, egene (qval <= 0.05), kind, or window (rows that every window of the scorer scored).';
COMMENT ON COLUMN stratified_qtl.stratum IS 'Stratum within it, e.g. Q4, in peak, eGene, deletion.';
