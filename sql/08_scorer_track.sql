-- One row: a scorer and a track that enters it. `track_set` is a list of ontology curies, gtex_tissue=..., gtex, or all.
CREATE OR REPLACE VIEW scorer_track AS
SELECT s.scorer_id, t.track_id, t.name, t.strand, t.ontology_curie, t.biosample_name, t.gtex_tissue
FROM scorer AS s
JOIN track AS t
  ON t.model = s.model
 AND t.output_type = s.output_type
 AND (s.track_set = 'all' OR list_contains(string_split(s.track_set, ','), t.ontology_curie)
      OR s.track_set = 'gtex_tissue=' || t.gtex_tissue OR s.track_set = 'gtex' AND t.gtex_tissue IS NOT NULL);

COMMENT ON VIEW scorer_track IS 'One row per scorer and track that enters it.';
COMMENT ON COLUMN scorer_track.scorer_id IS 'The scorer.';
COMMENT ON COLUMN scorer_track.track_id IS 'The track.';
COMMENT ON COLUMN scorer_track.name IS 'Its name.';
COMMENT ON COLUMN scorer_track.strand IS 'Its strand.';
COMMENT ON COLUMN scorer_track.ontology_curie IS 'Its biosample by ontology term.';
COMMENT ON COLUMN scorer_track.biosample_name IS 'Its biosample in words.';
COMMENT ON COLUMN scorer_track.gtex_tissue IS 'Its GTEx tissue.';
