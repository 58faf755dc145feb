-- One row: a scorer and a variant that one of its computations has scored, in the tracks that the scorer needs. Where several
-- have (Atlas, then the model), the preferred one answers.
CREATE OR REPLACE VIEW answer AS
SELECT s.scorer_id, a.assembly, a.chrom, a.pos, a.ref, a.alt,
       arg_min(a.computation_id, list_position(s.computations, a.computation_id)) AS computation_id
FROM scorer AS s
JOIN scored_variant AS a
  ON list_contains(s.computations, a.computation_id)
 AND (a.tracks IN ('all', s.track_set) OR a.tracks = 'gtex' AND starts_with(s.track_set, 'gtex_tissue='))
GROUP BY ALL;

COMMENT ON VIEW answer IS 'One row per scorer and variant that has been scored: by which computation.';
COMMENT ON COLUMN answer.scorer_id IS 'The scorer.';
COMMENT ON COLUMN answer.assembly IS 'Assembly.';
COMMENT ON COLUMN answer.chrom IS 'Chromosome.';
COMMENT ON COLUMN answer.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN answer.ref IS 'Reference allele.';
COMMENT ON COLUMN answer.alt IS 'Alternative allele.';
COMMENT ON COLUMN answer.computation_id IS 'The computation that answers.';
