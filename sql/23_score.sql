-- One row: a scorer and a variant (and a gene, for scorers of genes): the number that it gives. Most scorers have one
-- computation and one track, and their scores are rows of `prediction` as they are. The others pick the computation that
-- answers (never a mixture within a variant) and make one number of their tracks, if the variant has a score in every one
-- of them. A track counts that the computation has scored in any variant: a table of tracks, or another model, may know
-- more of them. Where it has scored none of a term that the scorer names, there is no number. Of the two strands of an
-- experiment, which share a name, a gene has a score on its own alone.
CREATE OR REPLACE VIEW score AS
WITH plain AS (FROM scorer WHERE len(computations) = 1 AND track_aggregation IS NULL),
composed AS (FROM scorer WHERE len(computations) > 1 OR track_aggregation IS NOT NULL),
n_tracks AS (
  SELECT c.scorer_id, c.computation_id,
         CASE WHEN count(DISTINCT coalesce(t.ontology_curie, '')) < any_value(c.n_terms) THEN 0
              WHEN any_value(c.is_of_genes) THEN count(DISTINCT t.name) ELSE count(*) END AS n_tracks
  FROM (
    SELECT scorer_id, unnest(computations) AS computation_id, starts_with(aggregation, 'GENE_') AS is_of_genes,
           len(list_distinct(string_split(track_set, ','))) AS n_terms
    FROM composed
  ) AS c
  JOIN scorer_track AS t ON t.scorer_id = c.scorer_id
  SEMI JOIN prediction AS p ON p.computation_id = c.computation_id AND p.track_id = t.track_id
  GROUP BY c.scorer_id, c.computation_id
)
SELECT s.scorer_id, c.provider, p.assembly, p.chrom, p.pos, p.ref, p.alt, p.gene_id, p.score, p.quantile, p.ref_value,
       p.alt_value
FROM plain AS s
JOIN computation AS c ON c.computation_id = s.computations[1]
JOIN prediction AS p ON p.computation_id = c.computation_id
WHERE p.track_id IS NULL OR (s.scorer_id, p.track_id) IN (SELECT (scorer_id, track_id) FROM scorer_track)
UNION ALL
SELECT s.scorer_id, any_value(c.provider), p.assembly, p.chrom, p.pos, p.ref, p.alt, p.gene_id,
       CASE any_value(s.track_aggregation) WHEN 'max_abs' THEN arg_max(p.score, (abs(p.score), p.score)) ELSE avg(p.score) END,
       CASE WHEN any_value(s.track_aggregation) IS NULL THEN any_value(p.quantile) END,
       CASE WHEN any_value(s.track_aggregation) IS DISTINCT FROM 'max_abs' THEN avg(p.ref_value) END,
       CASE WHEN any_value(s.track_aggregation) IS DISTINCT FROM 'max_abs' THEN avg(p.alt_value) END
FROM composed AS s
JOIN answer AS a ON a.scorer_id = s.scorer_id
JOIN computation AS c ON c.computation_id = a.computation_id
JOIN prediction AS p
  ON p.computation_id = a.computation_id AND p.assembly = a.assembly AND p.chrom = a.chrom AND p.pos = a.pos
 AND p.ref = a.ref AND p.alt = a.alt
LEFT JOIN n_tracks AS n ON n.scorer_id = s.scorer_id AND n.computation_id = a.computation_id
WHERE p.track_id IS NULL OR (s.scorer_id, p.track_id) IN (SELECT (scorer_id, track_id) FROM scorer_track)
GROUP BY s.scorer_id, p.assembly, p.chrom, p.pos, p.ref, p.alt, p.gene_id, n.n_tracks
HAVING count(*) = coalesce(n.n_tracks, 1) OR any_value(s.track_aggregation) IS NULL;

COMMENT ON VIEW score IS 'One row per scorer and variant (and gene, where genes are scored): the number that it gives.';
COMMENT ON COLUMN score.scorer_id IS 'The scorer.';
COMMENT ON COLUMN score.provider IS 'Who computed it: alphagenome, atlas, motif, import.';
COMMENT ON COLUMN score.assembly IS 'Assembly.';
COMMENT ON COLUMN score.chrom IS 'Chromosome.';
COMMENT ON COLUMN score.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN score.ref IS 'Reference allele.';
COMMENT ON COLUMN score.alt IS 'Alternative allele.';
COMMENT ON COLUMN score.gene_id IS 'Gene, without version, where genes are scored; else NULL.';
COMMENT ON COLUMN score.score IS 'The score, ALT against REF.';
COMMENT ON COLUMN score.quantile IS 'Rank of the score among common variants, -1 to 1, where the provider gives it and the scorer has one track.';
COMMENT ON COLUMN score.ref_value IS 'Predicted value of the REF sequence, where the provider gives it: the mean of the tracks.';
COMMENT ON COLUMN score.alt_value IS 'Predicted value of the ALT sequence, likewise.';
