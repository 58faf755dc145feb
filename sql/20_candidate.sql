-- One row: a variant that has at least one association and may be analysed (its REF does not contradict the genome).
-- `in_peak` is NULL where no peak source has a peak on the chromosome: not measured is not the same as outside.
CREATE OR REPLACE VIEW candidate AS
SELECT v.assembly, v.variant_id, v.chrom, v.pos, v.ref, v.alt, v.kind, v.ref_status,
       CASE WHEN (v.assembly, v.variant_id) IN (SELECT (assembly, variant_id) FROM variant_in_peak) THEN true
            WHEN c.chrom IS NOT NULL THEN false END AS in_peak
FROM variant AS v
SEMI JOIN qtl AS q ON q.assembly = v.assembly AND q.variant_id = v.variant_id
LEFT JOIN (SELECT DISTINCT assembly, chrom FROM peak) AS c ON c.assembly = v.assembly AND c.chrom = v.chrom
WHERE v.ref_status <> 'mismatch';

COMMENT ON VIEW candidate IS 'One row per variant that has an association and whose REF does not contradict the genome.';
COMMENT ON COLUMN candidate.assembly IS 'Assembly.';
COMMENT ON COLUMN candidate.variant_id IS 'The variant.';
COMMENT ON COLUMN candidate.chrom IS 'Chromosome.';
COMMENT ON COLUMN candidate.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN candidate.ref IS 'Reference allele.';
COMMENT ON COLUMN candidate.alt IS 'Alternative allele.';
COMMENT ON COLUMN candidate.kind IS 'SNV, insertion, deletion or MNV.';
COMMENT ON COLUMN candidate.ref_status IS 'match, or unchecked where no FASTA covers it.';
COMMENT ON COLUMN candidate.in_peak IS 'Whether it lies in a peak (rule span); NULL where the chromosome has no peaks at all.';
