-- What a score that knows nothing would have had: an average precision or an enrichment means nothing without it.
ALTER TABLE result ADD COLUMN chance DOUBLE;
UPDATE result SET chance = CASE WHEN metric IN ('sign_concordance', 'sign_auroc') THEN 0.5
                                WHEN metric <> 'heterogeneity' AND NOT starts_with(metric, 'permutation_') THEN 0 END;
COMMENT ON COLUMN result.chance IS 'Value of the statistic for a score that knows nothing: 0 for correlations and differences, 0.5 for AUROC, concordance and pairs, the share of causal variants for causal_auprc, 1 for an enrichment; NULL where there is none.';
COMMENT ON COLUMN result.metric IS 'spearman, pearson, kendall, sign_concordance, sign_auroc, abs_spearman (|effect| and |score|); partial_, permutation_, disattenuated_spearman; spearman_fiqt, spearman_conditional (without winner''s curse); overlap_enrichment; causal_auroc, causal_auprc, causal_pairwise, causal_auroc_tss_distance, causal_auroc_gain, causal_matched, causal_smd_* (causal variants against matched controls); *_difference; heterogeneity.';
COMMENT ON COLUMN result.analytic_p IS 'Two-sided p-value of independent rows: t test (correlations), score test (sign concordance), DeLong (AUROC), Meng-Rosenthal-Rubin (paired differences).';
COMMENT ON COLUMN result.ci_low IS 'Lower end of its 95 % interval of clusters (by resampling them, or as method says): the interval to cite.';
COMMENT ON COLUMN result.ci_high IS 'Upper end of its 95 % interval of clusters.';
COMMENT ON COLUMN result.se IS 'Standard error of the estimate, of clusters.';
