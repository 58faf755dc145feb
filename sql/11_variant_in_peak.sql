-- One row: a variant and a peak that share at least one base of REF (rule `span`: [pos-1, pos-1+length(ref)) meets
-- [chrom_start, chrom_end)). A deletion that reaches into a peak lies in it; an insertion counts by its anchor base.
-- Several peaks, several rows; unequal assemblies never meet.
CREATE OR REPLACE VIEW variant_in_peak AS
SELECT v.variant_id, p.peak_id, p.source_id, p.biosample, v.assembly
FROM variant AS v
JOIN peak_bin AS p
  ON p.assembly = v.assembly
 AND p.chrom = v.chrom
 AND p.bin = v.chrom_start >> 11
 AND v.chrom_start < p.chrom_end
 AND v.chrom_end > p.chrom_start;

COMMENT ON VIEW variant_in_peak IS 'One row per variant and peak that share a base (rule span).';
COMMENT ON COLUMN variant_in_peak.variant_id IS 'The variant.';
COMMENT ON COLUMN variant_in_peak.peak_id IS 'The peak.';
COMMENT ON COLUMN variant_in_peak.source_id IS 'Source of the peak.';
COMMENT ON COLUMN variant_in_peak.biosample IS 'Biosample of the peak.';
COMMENT ON COLUMN variant_in_peak.assembly IS 'Assembly of both.';
