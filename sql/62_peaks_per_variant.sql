-- One row: an assembly and a number of peaks: how many candidate variants lie in so many of them (rule span), and how far
-- they are from the nearest summit. Variants of chromosomes without peaks do not count.
CREATE OR REPLACE VIEW peaks_per_variant AS
SELECT c.assembly, coalesce(p.n_peaks, 0) AS n_peaks, count(*) AS n, count(p.summit_distance) AS n_with_summit,
       median(p.summit_distance) AS summit_distance_median
FROM candidate AS c
LEFT JOIN peak_of_variant AS p
  ON p.assembly = c.assembly AND p.chrom = c.chrom AND p.pos = c.pos AND p.ref = c.ref AND p.alt = c.alt
WHERE c.in_peak IS NOT NULL
GROUP BY ALL;

COMMENT ON VIEW peaks_per_variant IS 'One row per assembly and number of peaks that a candidate variant lies in.';
COMMENT ON COLUMN peaks_per_variant.assembly IS 'Assembly.';
COMMENT ON COLUMN peaks_per_variant.n_peaks IS 'Peaks that a variant lies in, of all sources; 0: outside peaks.';
COMMENT ON COLUMN peaks_per_variant.n IS 'Candidate variants with so many.';
COMMENT ON COLUMN peaks_per_variant.n_with_summit IS 'Of these, variants whose peaks have a summit.';
COMMENT ON COLUMN peaks_per_variant.summit_distance_median IS 'Median distance to the nearest summit in bp; NULL where no peak has one.';
