-- One row: a variant and a peak that holds the first base of REF (rule `point`: [pos-1, pos)). This is the rule of the
-- original study, which looked at one base of every deletion; kept to reproduce its counts.
CREATE OR REPLACE VIEW variant_in_peak_point AS
SELECT v.assembly, v.chrom, v.pos, v.ref, v.alt, variant_id(v.chrom, v.pos, v.ref, v.alt) AS variant_id,
       p.peak_id, p.source_id, p.biosample
FROM variant AS v
JOIN peak_bin AS p
  ON p.assembly = v.assembly
 AND p.chrom = v.chrom
 AND p.bin = v.chrom_start >> 11
 AND v.chrom_start < p.chrom_end
 AND v.chrom_start >= p.chrom_start
WHERE p.kind = 'peaks';

COMMENT ON VIEW variant_in_peak_point IS 'One row per variant and peak that holds its first REF base (rule point, the original study''s).';
COMMENT ON COLUMN variant_in_peak_point.assembly IS 'Assembly of both.';
COMMENT ON COLUMN variant_in_peak_point.chrom IS 'Chromosome.';
COMMENT ON COLUMN variant_in_peak_point.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN variant_in_peak_point.ref IS 'Reference allele.';
COMMENT ON COLUMN variant_in_peak_point.alt IS 'Alternative allele.';
COMMENT ON COLUMN variant_in_peak_point.variant_id IS 'The variant, chrom_pos_ref_alt.';
COMMENT ON COLUMN variant_in_peak_point.peak_id IS 'The peak.';
COMMENT ON COLUMN variant_in_peak_point.source_id IS 'Its source.';
COMMENT ON COLUMN variant_in_peak_point.biosample IS 'Its biosample.';
