-- severity: refuse
-- gates: qtl
-- cure: pval_nominal, pval_nominal_threshold and min_pval_nominal must be those of one gene: are columns swapped?
-- One row: a source with a p-value above the threshold of its gene, or below the smallest of its gene (GTEx pairs only:
-- egenes list every tested gene).
SELECT source_id,
       format('{:,}', count(*)) || ' rows have pval_nominal above their pval_nominal_threshold or below their min_pval_nominal' AS problem
FROM qtl
WHERE min_pval_nominal IS NOT NULL
  AND (pval_nominal > pval_nominal_threshold OR pval_nominal < min_pval_nominal)
GROUP BY source_id
