-- One row: an assembly and a bin of 25 bases: how many candidate variants in peaks are so far from the nearest summit.
CREATE OR REPLACE VIEW summit_distance_bin AS
SELECT c.assembly, (p.summit_distance // 25)::INTEGER * 25 AS distance_start, count(*) AS n
FROM candidate AS c
JOIN peak_of_variant AS p
  ON p.assembly = c.assembly AND p.chrom = c.chrom AND p.pos = c.pos AND p.ref = c.ref AND p.alt = c.alt
WHERE p.summit_distance IS NOT NULL
GROUP BY ALL;

COMMENT ON VIEW summit_distance_bin IS 'One row per assembly and 25-base bin of the distance between variants in peaks and the nearest summit.';
COMMENT ON COLUMN summit_distance_bin.assembly IS 'Assembly.';
COMMENT ON COLUMN summit_distance_bin.distance_start IS 'Smallest distance of the bin in bp; the bin is 25 bases wide.';
COMMENT ON COLUMN summit_distance_bin.n IS 'Candidate variants in it.';
