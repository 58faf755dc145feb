-- One row: a variant and a peak that share at least one base of REF (rule `span`: [pos-1, pos-1+length(ref)) meets
-- [chrom_start, chrom_end)). A deletion that reaches into a peak lies in it; an insertion counts by its anchor base.
-- Several peaks, several rows; unequal assemblies never meet.
CREATE OR REPLACE VIEW variant_in_peak AS
SELECT v.assembly, v.chrom, v.pos, v.ref, v.alt, variant_id(v.chrom, v.pos, v.ref, v.alt) AS variant_id,
       p.peak_id, p.source_id, p.biosample
FROM variant_bin AS v
JOIN peak_bin AS p
  ON p.assembly = v.assembly
 AND p.chrom = v.chrom
 AND p.bin = v.bin
 AND (p.bin = v.chrom_start >> 11 OR p.bin = p.chrom_start >> 11)
 AND v.chrom_start < p.chrom_end
 AND v.chrom_end > p.chrom_start
WHERE p.kind = 'peaks';

COMMENT ON VIEW variant_in_peak IS 'One row per variant and peak that share a base (rule span).';
COMMENT ON COLUMN variant_in_peak.assembly IS 'Assembly of both.';
COMMENT ON COLUMN variant_in_peak.chrom IS 'Chromosome.';
COMMENT ON COLUMN variant_in_peak.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN variant_in_peak.ref IS 'Reference allele.';
COMMENT ON COLUMN variant_in_peak.alt IS 'Alternative allele.';
COMMENT ON COLUMN variant_in_peak.variant_id IS 'The variant, chrom_pos_ref_alt.';
COMMENT ON COLUMN variant_in_peak.peak_id IS 'The peak.';
COMMENT ON COLUMN variant_in_peak.source_id IS 'Its source.';
COMMENT ON COLUMN variant_in_peak.biosample IS 'Its biosample.';
