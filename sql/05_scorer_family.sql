-- One row: a scorer, with the family of scorers that differ from it in nothing but the window.
CREATE OR REPLACE VIEW scorer_family AS
SELECT scorer_id, name, window_bp, is_signed, md5(json_merge_patch(config, '{"window_bp": null}')::VARCHAR) AS family
FROM scorer;

COMMENT ON VIEW scorer_family IS 'One row per scorer, with the family of those that differ from it in nothing but the window.';
COMMENT ON COLUMN scorer_family.scorer_id IS 'The scorer.';
COMMENT ON COLUMN scorer_family.name IS 'Its name.';
COMMENT ON COLUMN scorer_family.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN scorer_family.is_signed IS 'Whether its score has a direction.';
COMMENT ON COLUMN scorer_family.family IS 'Hash of everything in the scorer but its window.';
