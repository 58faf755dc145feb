-- One row: a source with effects, and what its numbers look like: what the checks of the effect column look at.
CREATE OR REPLACE VIEW effect_range AS
SELECT q.source_id, s.effect_unit, coalesce(s.null_value, 0) AS null_value, count(*) AS n, min(slope) AS lowest,
       median(slope) AS middle, max(slope) AS highest,
       avg((slope BETWEEN 0.25 AND 0.75)::INTEGER) AS share_near_half,
       avg((slope < 1)::INTEGER) AS share_below_one
FROM qtl AS q
JOIN source AS s ON s.source_id = q.source_id
WHERE slope IS NOT NULL
GROUP BY ALL;

COMMENT ON VIEW effect_range IS 'One row per source with effects: their range, to tell effects from p-values, ratios and absolute values.';
COMMENT ON COLUMN effect_range.source_id IS 'The source.';
COMMENT ON COLUMN effect_range.effect_unit IS 'Its unit.';
COMMENT ON COLUMN effect_range.null_value IS 'Value that means no effect.';
COMMENT ON COLUMN effect_range.n IS 'Associations with an effect.';
COMMENT ON COLUMN effect_range.lowest IS 'Smallest effect.';
COMMENT ON COLUMN effect_range.middle IS 'Median.';
COMMENT ON COLUMN effect_range.highest IS 'Largest effect.';
COMMENT ON COLUMN effect_range.share_near_half IS 'Share from 0.25 to 0.75: most of them, in allelic ratios.';
COMMENT ON COLUMN effect_range.share_below_one IS 'Share below 1: about a half, in fold changes and odds ratios.';
