-- One row: a scorer, with the family of scorers that differ from it in nothing but the window.
CREATE OR REPLACE VIEW scorer_family AS
SELECT *, md5(json_merge_patch(config, '{"window_bp": null}')::VARCHAR) AS family
FROM scorer;

COMMENT ON VIEW scorer_family IS 'One row per scorer, with the family of those that differ from it in nothing but the window.';
COMMENT ON COLUMN scorer_family.scorer_id IS 'The scorer.';
COMMENT ON COLUMN scorer_family.family IS 'Hash of everything in the scorer but its window.';
