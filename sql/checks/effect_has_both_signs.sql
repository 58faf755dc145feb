-- severity: refuse
-- gates: qtl
-- cure: give signed effects of ALT against REF: absolute values have one sign only, and no direction to agree with
-- One row: a source whose effects lie on one side of the null value, those of at least 20 loci (phenotypes, or megabases)
-- that are nothing that another check names. Fewer tell nothing: the effects of one gene are those of one block of linkage,
-- and in GTEx's kidney pairs 300 genes of 1,259 have only one sign.
WITH suspect AS (
  SELECT source_id, r.n, lowest, highest, null_value
  FROM effect_range AS r
  LEFT JOIN (FROM effect_order WHERE coalesce(list_contains(getvariable('new_sources'), source_id), true)) AS o USING (source_id)
  WHERE r.n >= 20 AND (lowest >= null_value OR highest <= null_value)
    AND NOT (null_value = 0 AND lowest >= 0 AND highest <= 1 AND (
      (share_near_half < 0.6 AND lowest < 0.001)
      OR (share_near_half >= 0.6 AND coalesce(o.rank_correlation, 0) > -0.95)))
    AND NOT (null_value = 0 AND lowest > 0 AND highest > 1 AND share_below_one BETWEEN 0.2 AND 0.8
      AND coalesce(o.rank_correlation, 0) > -0.95)
)
SELECT source_id,
       'all ' || format('{:,}', n) || ' effects have the same sign (' || printf('%.3g', lowest) || ' to ' || printf('%.3g', highest)
         || if(lowest >= null_value, '): absolute values?', '): is one allele always the effect allele?') AS problem
FROM suspect
JOIN qtl AS q USING (source_id)
WHERE q.slope IS NOT NULL
GROUP BY ALL
HAVING greatest(count(DISTINCT coalesce(q.molecular_trait_id, q.gene_id)), count(DISTINCT (q.chrom, q.pos // 1000000))) >= 20
