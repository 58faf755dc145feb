-- One row: a step of a run of agdb compare-study, from the original study to the right one: what it changes, what the
-- correlation is then, and what the change made of it. A step that was left out has a reason and no numbers.
CREATE OR REPLACE VIEW study_step AS
SELECT r.run_id, s.place, s.step, s.change, r.label, r.scorer, r.window_bp, r.unit, r.n, r.n_variants, r.n_genes, r.cluster,
       r.n_clusters, r.estimate AS spearman, r.ci_low, r.ci_high, r.p, r.expected, d.versus, d.estimate AS difference,
       d.ci_low AS difference_low, d.ci_high AS difference_high, d.p AS difference_p, d.detectable, d.n AS n_compared,
       coalesce(r.reason, d.reason) AS reason, r.label_set, r.source_id, r.source, r.tissue, r.result_id,
       d.result_id AS difference_id
FROM result AS r
JOIN (VALUES (1, 'published', 'as the study had it'),
             (2, 'slope', 'p-value -> slope'),
             (3, 'peaks', '-> rows in peaks of this assembly'),
             (4, 'tracks', 'all tracks -> those of the cell type'),
             (5, 'mask', 'mean of the window -> 501 bp mask'),
             (6, 'variants', 'pairs -> variants'),
             (7, 'fine-mapped', 'all -> fine-mapped'),
             (8, 'RNA_SEQ', 'chromatin -> expression')) AS s(place, step, change)
  ON s.step = r.stratum
JOIN run AS u ON u.run_id = r.run_id AND u.command = 'compare-study'
LEFT JOIN result AS d
  ON d.run_id = r.run_id AND d.stratification = 'study' AND d.stratum = r.stratum AND d.metric = 'spearman_difference'
WHERE r.stratification = 'study' AND r.metric = 'spearman';

COMMENT ON VIEW study_step IS 'One row per run of agdb compare-study and step from the original study to the right one.';
COMMENT ON COLUMN study_step.run_id IS 'The run.';
COMMENT ON COLUMN study_step.place IS 'Place of the step, from 1.';
COMMENT ON COLUMN study_step.step IS 'published, slope, peaks, tracks, mask, variants, fine-mapped, RNA_SEQ; in result it is the stratum of stratification study.';
COMMENT ON COLUMN study_step.change IS 'What it changes.';
COMMENT ON COLUMN study_step.label IS 'The label from this step on.';
COMMENT ON COLUMN study_step.scorer IS 'The scorer from this step on.';
COMMENT ON COLUMN study_step.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN study_step.unit IS 'What a row is: pair or variant.';
COMMENT ON COLUMN study_step.n IS 'Rows; 0 where the step was left out.';
COMMENT ON COLUMN study_step.n_variants IS 'Variants among them.';
COMMENT ON COLUMN study_step.n_genes IS 'Phenotypes among them.';
COMMENT ON COLUMN study_step.cluster IS 'What is drawn as a whole: block, mb, gene, chrom.';
COMMENT ON COLUMN study_step.n_clusters IS 'How many of them have rows.';
COMMENT ON COLUMN study_step.spearman IS 'Spearman correlation of label and score.';
COMMENT ON COLUMN study_step.ci_low IS 'Lower end of its 95 % interval by resampling clusters.';
COMMENT ON COLUMN study_step.ci_high IS 'Upper end of its 95 % interval by resampling clusters.';
COMMENT ON COLUMN study_step.p IS 'Two-sided p-value from the same resamples.';
COMMENT ON COLUMN study_step.expected IS 'What the field has found in such a setting, where it has.';
COMMENT ON COLUMN study_step.versus IS 'The step that it is compared with: the last one before it that was not left out.';
COMMENT ON COLUMN study_step.difference IS 'Spearman of this step less that of versus: on the rows that both have where the label or the scorer changed, else each on its own rows.';
COMMENT ON COLUMN study_step.difference_low IS 'Lower end of its 95 % interval, by flipping the signs of what clusters add to it.';
COMMENT ON COLUMN study_step.difference_high IS 'Upper end of it.';
COMMENT ON COLUMN study_step.difference_p IS 'Two-sided p-value of no difference, from the same flips.';
COMMENT ON COLUMN study_step.detectable IS 'Smallest difference that a test at 0.05 would have found with 80 % power.';
COMMENT ON COLUMN study_step.n_compared IS 'Rows that the difference rests on.';
COMMENT ON COLUMN study_step.reason IS 'Why the step was left out, or has no difference; else NULL.';
COMMENT ON COLUMN study_step.label_set IS 'The label set.';
COMMENT ON COLUMN study_step.source_id IS 'The QTL source.';
COMMENT ON COLUMN study_step.source IS 'Its name.';
COMMENT ON COLUMN study_step.tissue IS 'Its tissue.';
COMMENT ON COLUMN study_step.result_id IS 'Result of the correlation: agdb explain tells where it is from.';
COMMENT ON COLUMN study_step.difference_id IS 'Result of the difference.';
