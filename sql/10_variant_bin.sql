-- One row: a variant and one 2,048-base bin of its chromosome that its REF touches: mostly that of its first base alone. A
-- pair of a variant and an interval may share several bins; it counts in the first of them, which is the first of one of
-- the two. So no pair is found twice, and a REF of a million bases is a matter of its own 489 bins, not of all peaks.
CREATE OR REPLACE VIEW variant_bin AS
SELECT assembly, chrom, pos, ref, alt, chrom_start, chrom_end, chrom_start >> 11 AS bin
FROM variant
UNION ALL
SELECT assembly, chrom, pos, ref, alt, chrom_start, chrom_end,
       unnest(range((chrom_start >> 11) + 1, ((chrom_end - 1) >> 11) + 1))::INTEGER AS bin
FROM variant
WHERE length(ref) > 1 AND (chrom_end - 1) >> 11 > chrom_start >> 11;

COMMENT ON VIEW variant_bin IS 'One row per variant and 2,048-base bin that its REF touches: what meets peak_bin.';
COMMENT ON COLUMN variant_bin.assembly IS 'Assembly.';
COMMENT ON COLUMN variant_bin.chrom IS 'Chromosome.';
COMMENT ON COLUMN variant_bin.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN variant_bin.ref IS 'Reference allele.';
COMMENT ON COLUMN variant_bin.alt IS 'Alternative allele.';
COMMENT ON COLUMN variant_bin.chrom_start IS 'Start of the span of REF, 0-based.';
COMMENT ON COLUMN variant_bin.chrom_end IS 'Its end, 0-based exclusive.';
COMMENT ON COLUMN variant_bin.bin IS 'Bin of 2,048 bases: 0-based position >> 11.';
