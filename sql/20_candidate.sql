-- One row: a variant that may be analysed: its REF does not contradict the genome, and it lies in no blacklisted region.
-- `in_peak` is NULL where no peak source has a peak on the chromosome: not measured is not the same as outside.
CREATE OR REPLACE VIEW candidate AS
SELECT v.assembly, v.chrom, v.pos, v.ref, v.alt, variant_id(v.chrom, v.pos, v.ref, v.alt) AS variant_id, v.kind,
       v.ref_status, CASE WHEN p.pos IS NOT NULL THEN true WHEN c.chrom IS NOT NULL THEN false END AS in_peak
FROM variant AS v
ANTI JOIN variant_in_blacklist AS b
  ON b.assembly = v.assembly AND b.chrom = v.chrom AND b.pos = v.pos AND b.ref = v.ref AND b.alt = v.alt
LEFT JOIN (SELECT DISTINCT assembly, chrom, pos, ref, alt FROM variant_in_peak) AS p
  ON p.assembly = v.assembly AND p.chrom = v.chrom AND p.pos = v.pos AND p.ref = v.ref AND p.alt = v.alt
LEFT JOIN (SELECT DISTINCT assembly, chrom FROM peak_bin WHERE kind = 'peaks') AS c
  ON c.assembly = v.assembly AND c.chrom = v.chrom
WHERE v.ref_status IN ('match', 'unchecked');

COMMENT ON VIEW candidate IS 'One row per variant that may be analysed: REF does not contradict the genome, and no blacklisted region holds it.';
COMMENT ON COLUMN candidate.assembly IS 'Assembly.';
COMMENT ON COLUMN candidate.chrom IS 'Chromosome.';
COMMENT ON COLUMN candidate.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN candidate.ref IS 'Reference allele.';
COMMENT ON COLUMN candidate.alt IS 'Alternative allele.';
COMMENT ON COLUMN candidate.variant_id IS 'The variant, chrom_pos_ref_alt.';
COMMENT ON COLUMN candidate.kind IS 'SNV, insertion, deletion or MNV.';
COMMENT ON COLUMN candidate.ref_status IS 'match, or unchecked where no FASTA covers it.';
COMMENT ON COLUMN candidate.in_peak IS 'Whether it lies in a peak (rule span); NULL where the chromosome has no peaks at all.';
