-- One row: a label set, a scorer and a kind of variant: its share of the associations, and of the sum of squared scores. A
-- few indels can carry most of a score's variance: in the original study 7 % of the rows carry 61 % of it at 131 kb,
-- because a window that is padded at one end moves every base.
CREATE OR REPLACE VIEW kind_share AS
WITH counted AS (
  SELECT label, source_id, scorer_id, kind, count(*) AS n, settled(sum(score * score)) AS squares, settled(stddev_samp(score)) AS score_sd
  FROM scored_qtl
  GROUP BY ALL
)
SELECT c.label, s.tissue, r.name AS scorer, r.window_bp, c.kind, c.n, c.n / sum(c.n) OVER of_set AS share_of_rows,
       c.squares / nullif(sum(c.squares) OVER of_set, 0) AS share_of_squares, c.score_sd, c.source_id, s.name AS source,
       c.scorer_id
FROM counted AS c
JOIN source AS s ON s.source_id = c.source_id
JOIN scorer AS r ON r.scorer_id = c.scorer_id
WINDOW of_set AS (PARTITION BY c.label, c.source_id, c.scorer_id);

COMMENT ON VIEW kind_share IS 'One row per label set, scorer and kind of variant: its share of the associations and of the squared scores.';
COMMENT ON COLUMN kind_share.label IS 'Name of the label column of the source.';
COMMENT ON COLUMN kind_share.tissue IS 'Tissue of the source.';
COMMENT ON COLUMN kind_share.scorer IS 'Name of the scorer.';
COMMENT ON COLUMN kind_share.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN kind_share.kind IS 'SNV, insertion, deletion or MNV.';
COMMENT ON COLUMN kind_share.n IS 'Associations.';
COMMENT ON COLUMN kind_share.share_of_rows IS 'Share of the associations of the label set, 0 to 1.';
COMMENT ON COLUMN kind_share.share_of_squares IS 'Share of the sum of squared scores of the label set, 0 to 1: what the kind weighs in a Pearson correlation.';
COMMENT ON COLUMN kind_share.score_sd IS 'Standard deviation of its scores.';
COMMENT ON COLUMN kind_share.source_id IS 'QTL source of the label.';
COMMENT ON COLUMN kind_share.source IS 'Its name.';
COMMENT ON COLUMN kind_share.scorer_id IS 'The scorer.';
