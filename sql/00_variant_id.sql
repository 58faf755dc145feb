-- A variant as text: chr1_1284987_G_A (pos 1-based). Tables hold its parts; what people read and write is this.
CREATE OR REPLACE MACRO variant_id(chrom, pos, ref, alt) AS chrom || '_' || pos || '_' || ref || '_' || alt;

COMMENT ON MACRO variant_id IS 'variant_id(chrom, pos, ref, alt): chr1_1284987_G_A, position 1-based.';
