-- One row: a label set (a QTL source and its label), a scorer with a direction, and a tenth of its associations by |score|,
-- the smallest first: how often score and effect have one sign there, and how large the effect is in the direction that
-- the score gives it. A score that is calibrated rises from 0.5; a flat line says that the magnitude of the score tells
-- nothing. The deciles are those of `agdb stats --stratify score_decile`. The interval (Wilson 1927) is that of
-- independent rows: table result has those of clusters.
CREATE OR REPLACE VIEW calibration AS
WITH divided AS (
  SELECT q.label, q.source_id, q.tissue, q.scorer_id, q.scorer, q.window_bp,
         q.effect - coalesce(s.null_value, 0) AS effect, q.score,
         ntile(10) OVER (
           PARTITION BY q.label, q.source_id, q.scorer_id
           ORDER BY abs(q.score), q.assembly, q.chrom, q.pos, q.ref, q.alt, q.phenotype_id
         ) AS decile
  FROM scored_qtl AS q
  JOIN source AS s ON s.source_id = q.label_source_id
  WHERE q.is_signed AND q.label <> 'pval_nominal' AND q.effect IS NOT NULL
),
counted AS (
  SELECT label, source_id, tissue, scorer_id, scorer, window_bp, decile, count(*) AS n,
         min(abs(score)) AS score_abs_min, max(abs(score)) AS score_abs_max,
         settled(sum(effect * sign(score)) / count(*)) AS effect_along_score,
         count(*) FILTER (score <> 0 AND effect <> 0) AS n_signed,
         count(*) FILTER (sign(score) = sign(effect) AND score <> 0) AS n_agree
  FROM divided
  GROUP BY ALL
)
SELECT c.label, c.tissue, c.scorer, c.window_bp, c.decile, c.n, c.score_abs_min, c.score_abs_max, c.n_signed, c.n_agree,
       c.n_agree / nullif(c.n_signed, 0) AS sign_concordance,
       wilson(c.n_agree, c.n_signed).low AS wilson_low, wilson(c.n_agree, c.n_signed).high AS wilson_high,
       c.effect_along_score, c.source_id, s.name AS source, c.scorer_id
FROM counted AS c
JOIN source AS s ON s.source_id = c.source_id;

COMMENT ON VIEW calibration IS 'One row per label set, signed scorer and tenth of the associations by |score|: how often the sign of the effect is the one that the score says.';
COMMENT ON COLUMN calibration.label IS 'The label: slope or conditional_slope.';
COMMENT ON COLUMN calibration.tissue IS 'Tissue of the source.';
COMMENT ON COLUMN calibration.scorer IS 'Name of the scorer.';
COMMENT ON COLUMN calibration.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN calibration.decile IS '1 (smallest |score|) to 10 (largest).';
COMMENT ON COLUMN calibration.n IS 'Associations.';
COMMENT ON COLUMN calibration.score_abs_min IS 'Smallest |score| of the tenth.';
COMMENT ON COLUMN calibration.score_abs_max IS 'Largest |score| of the tenth.';
COMMENT ON COLUMN calibration.n_signed IS 'Associations with neither an effect nor a score of none: those that have two signs.';
COMMENT ON COLUMN calibration.n_agree IS 'Those whose two signs are one.';
COMMENT ON COLUMN calibration.sign_concordance IS 'n_agree / n_signed; 0.5 is chance.';
COMMENT ON COLUMN calibration.wilson_low IS 'Lower end of its 95 % interval of independent rows (Wilson 1927).';
COMMENT ON COLUMN calibration.wilson_high IS 'Upper end of its 95 % interval of independent rows.';
COMMENT ON COLUMN calibration.effect_along_score IS 'Mean effect in the direction that the score gives: effect times the sign of the score, in the unit of the source.';
COMMENT ON COLUMN calibration.source_id IS 'QTL source of the label.';
COMMENT ON COLUMN calibration.source IS 'Its name.';
COMMENT ON COLUMN calibration.scorer_id IS 'The scorer.';
