-- One row: one label set and one scorer in one stratum: how well they agree. Spearman has average ranks: count over the
-- RANGE frame + rank() is twice the average rank, an integer, so that (centred) its sums are exact and the same on every
-- run; parallel corr() of ranks differs in the last bits from run to run. So does that of values, which is settled.
-- Rows are ranked by two small keys, not by five strings: a sort on strings takes three times as long. The stratification
-- stays a key of its own, for then `WHERE stratification = 'all'` reaches stratified_qtl and the others are not computed.
CREATE OR REPLACE VIEW stratum AS
WITH keyed AS (
  SELECT source_id, label, scorer_id, stratum, chrom, pos, ref, alt, gene_id, ref_status, effect, effect_size, score,
         stratification::ENUM ('all', 'effect_size', 'peak', 'egene', 'kind', 'window') AS stratification,
         hash(source_id, label, scorer_id, stratum) AS cell
  FROM stratified_qtl
),
ranked AS (
  SELECT *,
         count(*) OVER (g ORDER BY effect RANGE UNBOUNDED PRECEDING) + rank() OVER (g ORDER BY effect)
           - count(*) OVER g - 1 AS effect_rank,
         count(*) OVER (g ORDER BY score RANGE UNBOUNDED PRECEDING) + rank() OVER (g ORDER BY score)
           - count(*) OVER g - 1 AS score_rank
  FROM keyed
  WINDOW g AS (PARTITION BY stratification, cell)
),
agreement AS (
  SELECT source_id, label, scorer_id, stratification::VARCHAR AS stratification, stratum, count(*) AS n,
         sum(effect_rank * score_rank)::DOUBLE
           / nullif(sqrt(sum(effect_rank * effect_rank)::DOUBLE * sum(score_rank * score_rank)::DOUBLE), 0) AS spearman,
         CASE WHEN min(effect) < max(effect) AND min(score) < max(score)  -- and their squares are numbers yet
                   AND stddev_samp(effect) BETWEEN 1e-150 AND 1e150 AND stddev_samp(score) BETWEEN 1e-150 AND 1e150
              THEN settled(corr(effect, score)) END AS pearson,
         count(DISTINCT (chrom, pos, ref, alt)) AS n_variants,
         count(DISTINCT gene_id) AS n_genes,
         settled(stddev_samp(effect)) AS effect_sd,
         settled(stddev_samp(score)) AS score_sd,
         min(effect_size) AS effect_abs_min,
         max(effect_size) AS effect_abs_max,
         count(*) FILTER (ref_status = 'unchecked') AS n_ref_unchecked
  FROM ranked
  GROUP BY source_id, label, scorer_id, ranked.stratification, stratum
)
SELECT a.label, s.tissue, r.name AS scorer, r.window_bp, a.stratification, a.stratum, a.n,
       CASE WHEN r.is_signed THEN a.spearman END AS spearman, CASE WHEN r.is_signed THEN a.pearson END AS pearson,
       a.n_variants, a.n_genes, a.effect_sd, a.score_sd, a.effect_abs_min, a.effect_abs_max, a.n_ref_unchecked,
       a.source_id, s.name AS source, a.scorer_id
FROM agreement AS a
JOIN source AS s ON s.source_id = a.source_id
JOIN scorer AS r ON r.scorer_id = a.scorer_id;

COMMENT ON VIEW stratum IS 'One row per label set, scorer and stratum: rank and linear correlation of score and label.';
COMMENT ON COLUMN stratum.label IS 'Name of the label column of the source: slope, or pval_nominal.';
COMMENT ON COLUMN stratum.tissue IS 'Tissue of the source.';
COMMENT ON COLUMN stratum.scorer IS 'Name of the scorer.';
COMMENT ON COLUMN stratum.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN stratum.stratification IS 'all, effect_size, peak, egene, kind or window.';
COMMENT ON COLUMN stratum.stratum IS 'Stratum within it.';
COMMENT ON COLUMN stratum.n IS 'Associations.';
COMMENT ON COLUMN stratum.spearman IS 'Spearman correlation, average ranks; NULL where label or score is constant.';
COMMENT ON COLUMN stratum.pearson IS 'Pearson correlation; NULL where label or score is constant, or spread beyond 1e150.';
COMMENT ON COLUMN stratum.n_variants IS 'Unique variants among them.';
COMMENT ON COLUMN stratum.n_genes IS 'Unique genes among them.';
COMMENT ON COLUMN stratum.effect_sd IS 'Standard deviation of the label.';
COMMENT ON COLUMN stratum.score_sd IS 'Standard deviation of the score.';
COMMENT ON COLUMN stratum.effect_abs_min IS 'Smallest |label less the value that means no effect|.';
COMMENT ON COLUMN stratum.effect_abs_max IS 'Largest |label less the value that means no effect|.';
COMMENT ON COLUMN stratum.n_ref_unchecked IS 'Associations whose REF allele no registered FASTA covers.';
COMMENT ON COLUMN stratum.source_id IS 'QTL source of the label.';
COMMENT ON COLUMN stratum.source IS 'Its name.';
COMMENT ON COLUMN stratum.scorer_id IS 'The scorer.';
