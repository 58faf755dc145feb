-- One row: a scorer and a candidate that it has neither scored nor failed on. This is the whole work list of
-- `agdb predict`: there is no state to repair, a stopped run resumes because its rows are missing here. A failure counts
-- where the last of the scorer's computations met it: what Atlas does not hold, the model is asked.
CREATE OR REPLACE VIEW pending AS
SELECT s.scorer_id, s.name AS scorer, s.window_bp, c.assembly, c.chrom, c.pos, c.ref, c.alt, c.variant_id, c.kind, c.in_peak
FROM scorer AS s
JOIN candidate AS c ON c.assembly = s.assembly AND (c.ref_status = 'match' OR NOT s.reads_genome)
ANTI JOIN answer AS a
  ON a.scorer_id = s.scorer_id AND a.assembly = c.assembly AND a.chrom = c.chrom AND a.pos = c.pos AND a.ref = c.ref
 AND a.alt = c.alt
ANTI JOIN failure AS f
  ON f.computation_id = s.computations[-1] AND f.assembly = c.assembly AND f.chrom = c.chrom AND f.pos = c.pos
 AND f.ref = c.ref AND f.alt = c.alt;

COMMENT ON VIEW pending IS 'One row per scorer and candidate variant that it has neither scored nor failed on: the work list.';
COMMENT ON COLUMN pending.scorer_id IS 'The scorer.';
COMMENT ON COLUMN pending.scorer IS 'Its name.';
COMMENT ON COLUMN pending.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN pending.assembly IS 'Assembly.';
COMMENT ON COLUMN pending.chrom IS 'Chromosome.';
COMMENT ON COLUMN pending.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN pending.ref IS 'Reference allele.';
COMMENT ON COLUMN pending.alt IS 'Alternative allele.';
COMMENT ON COLUMN pending.variant_id IS 'The variant, chrom_pos_ref_alt.';
COMMENT ON COLUMN pending.kind IS 'SNV, insertion, deletion or MNV.';
COMMENT ON COLUMN pending.in_peak IS 'Whether it lies in a peak (rule span); NULL where the chromosome has no peaks at all.';
