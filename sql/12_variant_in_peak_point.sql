-- One row: a variant and a peak that holds the first base of REF (rule `point`: [pos-1, pos)). This is the rule of the
-- original study, which looked at one base of every deletion; kept to reproduce its counts.
CREATE OR REPLACE VIEW variant_in_peak_point AS
SELECT v.variant_id, p.peak_id, p.source_id, p.biosample, v.assembly
FROM variant AS v
JOIN peak_bin AS p
  ON p.assembly = v.assembly
 AND p.chrom = v.chrom
 AND p.bin = v.chrom_start >> 11
 AND v.chrom_start < p.chrom_end
 AND v.chrom_start >= p.chrom_start;

COMMENT ON VIEW variant_in_peak_point IS 'One row per variant and peak that holds its first REF base (rule point, the original study''s).';
COMMENT ON COLUMN variant_in_peak_point.variant_id IS 'The variant.';
COMMENT ON COLUMN variant_in_peak_point.peak_id IS 'The peak.';
COMMENT ON COLUMN variant_in_peak_point.source_id IS 'Source of the peak.';
COMMENT ON COLUMN variant_in_peak_point.biosample IS 'Biosample of the peak.';
COMMENT ON COLUMN variant_in_peak_point.assembly IS 'Assembly of both.';
