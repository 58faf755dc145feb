-- One row: a variant that lies in a peak (rule span), with the strongest signal of its peaks and how far it is from the
-- nearest of their summits.
CREATE OR REPLACE VIEW peak_of_variant AS
SELECT v.assembly, v.chrom, v.pos, v.ref, v.alt, count(*) AS n_peaks, max(p.signal_value) AS peak_signal,
       min(abs(p.summit - (v.pos - 1))) AS summit_distance
FROM variant_in_peak AS v
JOIN peak AS p ON p.peak_id = v.peak_id
GROUP BY ALL;

COMMENT ON VIEW peak_of_variant IS 'One row per variant that lies in a peak: how strong the peak is, and how far its summit.';
COMMENT ON COLUMN peak_of_variant.assembly IS 'Assembly.';
COMMENT ON COLUMN peak_of_variant.chrom IS 'Chromosome.';
COMMENT ON COLUMN peak_of_variant.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN peak_of_variant.ref IS 'Reference allele.';
COMMENT ON COLUMN peak_of_variant.alt IS 'Alternative allele.';
COMMENT ON COLUMN peak_of_variant.n_peaks IS 'Peaks that it lies in, of all sources.';
COMMENT ON COLUMN peak_of_variant.peak_signal IS 'Largest signalValue of them; NULL where the files have none.';
COMMENT ON COLUMN peak_of_variant.summit_distance IS 'Bases between pos and the nearest summit of them; NULL where the files have none.';
