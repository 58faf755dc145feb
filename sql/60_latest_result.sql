-- One row: a result that no later run of `agdb stats` (or `agdb compare-study`) has answered anew. What is told together
-- is of one run: a division, whose strata may be other ones now, with their differences; the causal measures; the steps.
CREATE OR REPLACE VIEW latest_result AS
FROM result
QUALIFY run_id = max(run_id) OVER (
  PARTITION BY
    label_set, source_id, stratification,
    if(stratification = 'study', NULL, (label, scorer_id, unit)),  -- a step may have another label and scorer
    CASE WHEN stratification <> 'all' THEN NULL WHEN starts_with(metric, 'causal_') THEN 'causal' ELSE metric END,
    if(stratification = 'all', versus, NULL)  -- scorers are compared one by one
);

COMMENT ON VIEW latest_result IS 'Of each question that was asked of the data its newest stored results; a division, with its strata and their differences, is one question, and a comparison of study steps another.';
COMMENT ON COLUMN latest_result.result_id IS 'Number of the result in this database.';
COMMENT ON COLUMN latest_result.run_id IS 'Run that computed it; its arguments say what was asked.';
COMMENT ON COLUMN latest_result.label_set IS 'The label set.';
COMMENT ON COLUMN latest_result.label IS 'The label: slope, conditional_slope or pval_nominal.';
COMMENT ON COLUMN latest_result.source_id IS 'QTL source of the label.';
COMMENT ON COLUMN latest_result.source IS 'Its name.';
COMMENT ON COLUMN latest_result.tissue IS 'Its tissue.';
COMMENT ON COLUMN latest_result.scorer_id IS 'The scorer; in a paired difference the first of the two.';
COMMENT ON COLUMN latest_result.scorer IS 'Its name.';
COMMENT ON COLUMN latest_result.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN latest_result.versus IS 'What it is compared with: another scorer on the same rows, or another stratum; NULL where nothing is compared.';
COMMENT ON COLUMN latest_result.stratification IS 'How rows were divided: all, kind, tss_distance, ..., or an expression of the user''s.';
COMMENT ON COLUMN latest_result.stratum IS 'The rows that entered: all, or one of the strata.';
COMMENT ON COLUMN latest_result.metric IS 'spearman, pearson, kendall, sign_concordance, sign_auroc, abs_spearman (|effect| and |score|); partial_, permutation_, disattenuated_spearman; spearman_fiqt, spearman_conditional (without winner''s curse); overlap_enrichment; causal_auroc, causal_auprc, causal_pairwise, causal_auroc_tss_distance, causal_auroc_gain, causal_matched, causal_smd_* (causal variants against matched controls); *_difference; heterogeneity.';
COMMENT ON COLUMN latest_result.unit IS 'What a row is: pair (variant and phenotype) or variant.';
COMMENT ON COLUMN latest_result.n IS 'Rows that entered.';
COMMENT ON COLUMN latest_result.n_variants IS 'Variants among them.';
COMMENT ON COLUMN latest_result.n_genes IS 'Phenotypes among them.';
COMMENT ON COLUMN latest_result.cluster IS 'What was drawn as a whole: block (of linkage), mb (1 Mb windows, where no blocks are known), gene, chrom.';
COMMENT ON COLUMN latest_result.n_clusters IS 'How many of them have rows.';
COMMENT ON COLUMN latest_result.estimate IS 'The statistic; NULL with a reason where it is not defined.';
COMMENT ON COLUMN latest_result.ci_low IS 'Lower end of its 95 % interval, the one to cite: by resampling clusters, of a difference by flipping the signs of what they add to it; method says which.';
COMMENT ON COLUMN latest_result.ci_high IS 'Upper end of it.';
COMMENT ON COLUMN latest_result.se IS 'Standard error of the estimate, by the same.';
COMMENT ON COLUMN latest_result.analytic_low IS 'Lower end of the 95 % interval of independent rows, for comparison.';
COMMENT ON COLUMN latest_result.analytic_high IS 'Upper end of the 95 % interval of independent rows.';
COMMENT ON COLUMN latest_result.analytic_p IS 'Two-sided p-value of independent rows: t test (correlations), score test (sign concordance), DeLong (AUROC), Meng-Rosenthal-Rubin (paired differences).';
COMMENT ON COLUMN latest_result.p IS 'Two-sided p-value, from the standard error by resampling clusters, of a difference from the flips (else method says how).';
COMMENT ON COLUMN latest_result.q IS 'Benjamini-Hochberg q-value within the family: this run, label set, source and metric; of scorers or strata that are compared two and two, where there are several, the max-T adjusted p-value.';
COMMENT ON COLUMN latest_result.design_effect IS 'Variance by resampling clusters over that of independent rows; n / design_effect independent rows say as much.';
COMMENT ON COLUMN latest_result.detectable IS 'Smallest absolute value that a test at 0.05 would have found with 80 % power.';
COMMENT ON COLUMN latest_result.ceiling IS 'Largest correlation that the noise of the slopes leaves: sqrt(1 - mean(slope_se^2) / var(slope)); slopes picked for significance make it too high.';
COMMENT ON COLUMN latest_result.expected IS 'What the field has found in such a setting, where it has; far outside, look for a bug first.';
COMMENT ON COLUMN latest_result.method IS 'How estimate, intervals and p-value were made.';
COMMENT ON COLUMN latest_result.seed IS 'Seed of the resamples and flips: the same inputs and seed give the same numbers.';
COMMENT ON COLUMN latest_result.resamples IS 'Resamples of the clusters, or flips of their signs; of permutation_* the permutations, of overlap_enrichment the shifts.';
COMMENT ON COLUMN latest_result.reason IS 'Why estimate or interval is NULL; else NULL.';
COMMENT ON COLUMN latest_result.chance IS 'Value of the statistic for a score that knows nothing: 0 for correlations and differences, 0.5 for AUROC, concordance and pairs, the share of causal variants for causal_auprc, 1 for an enrichment; NULL where there is none.';
