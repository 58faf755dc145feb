-- One row: a variant and a region of a blacklist (sequence that piles up reads for no biological reason) that share a base
-- (rule `span`). Such variants are no candidates.
CREATE OR REPLACE VIEW variant_in_blacklist AS
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
WHERE p.kind = 'blacklist';

COMMENT ON VIEW variant_in_blacklist IS 'One row per variant and blacklisted region that share a base (rule span).';
COMMENT ON COLUMN variant_in_blacklist.assembly IS 'Assembly of both.';
COMMENT ON COLUMN variant_in_blacklist.chrom IS 'Chromosome.';
COMMENT ON COLUMN variant_in_blacklist.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN variant_in_blacklist.ref IS 'Reference allele.';
COMMENT ON COLUMN variant_in_blacklist.alt IS 'Alternative allele.';
COMMENT ON COLUMN variant_in_blacklist.variant_id IS 'The variant, chrom_pos_ref_alt.';
COMMENT ON COLUMN variant_in_blacklist.peak_id IS 'The region.';
COMMENT ON COLUMN variant_in_blacklist.source_id IS 'Its source.';
COMMENT ON COLUMN variant_in_blacklist.biosample IS 'Name of the blacklist.';
