-- severity: refuse
-- gates: predictions
-- cure: say what to make of its tracks, under another name: agdb predict SCORER --track-aggregation mean --name NAME
-- One row: a scorer that makes nothing of several tracks, several of which a variant (and gene) has scores of: each would
-- count its associations again, or stand for the others. The model may have got another track of the same biosample.
WITH several AS (
  SELECT s.scorer_id, s.name, s.window_bp, unnest(s.computations) AS computation_id
  FROM scorer AS s
  WHERE s.track_aggregation IS NULL AND (SELECT count(*) FROM scorer_track AS t WHERE t.scorer_id = s.scorer_id) > 1
),
twice AS (
  SELECT s.scorer_id, s.name, s.window_bp, p.chrom, p.pos, p.ref, p.alt
  FROM several AS s
  JOIN prediction AS p ON p.computation_id = s.computation_id
  JOIN scorer_track AS t ON t.scorer_id = s.scorer_id AND t.track_id = p.track_id
  GROUP BY s.scorer_id, s.name, s.window_bp, p.computation_id, p.assembly, p.chrom, p.pos, p.ref, p.alt, p.gene_id
  HAVING count(*) > 1
)
SELECT NULL::INTEGER AS source_id,
       format('{:,}', count(DISTINCT (chrom, pos, ref, alt))) || ' variants have several scores of scorer ' || name || ' at '
         || window_bp || ' bp, one of each track, e.g. ' || min(variant_id(chrom, pos, ref, alt)) AS problem
FROM twice
GROUP BY scorer_id, name, window_bp
