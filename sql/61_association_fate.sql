-- One row: a QTL source, a scorer of its assembly, whether the variant lies in a peak, and what became of the association
-- on its way to the analysis: scored, or where and why it was lost. A variant is lost at the first of these: its REF is
-- not the genome's, a blacklisted region holds it, the scorer failed on it, it was never asked for, or the scorer has no
-- score of this gene. `in_peak` is NULL where the chromosome has no peaks, or the variant is no candidate.
CREATE OR REPLACE VIEW association_fate AS
WITH failed AS (
  SELECT s.scorer_id, f.assembly, f.chrom, f.pos, f.ref, f.alt, arg_max(f.reason, f.run_id) AS reason
  FROM failure AS f
  JOIN scorer AS s ON f.computation_id = s.computations[-1]
  GROUP BY ALL
),
scored AS (
  SELECT scorer_id, assembly, chrom, pos, ref, alt, gene_id FROM score
)
SELECT q.source_id, r.scorer_id, c.in_peak,
       CASE WHEN v.ref_status NOT IN ('match', 'unchecked') THEN 'not usable' WHEN c.pos IS NULL THEN 'not usable'
            WHEN p.pos IS NOT NULL THEN 'scored' ELSE 'not scored' END AS fate,
       CASE WHEN v.ref_status = 'palindromic' THEN 'REF and ALT may be swapped (palindromic)'
            WHEN v.ref_status NOT IN ('match', 'unchecked') THEN 'REF is not the genome''s (' || v.ref_status || ')'
            WHEN c.pos IS NULL THEN 'in a blacklisted region' WHEN p.pos IS NOT NULL THEN NULL
            WHEN f.pos IS NOT NULL THEN 'failed: ' || f.reason
            WHEN a.pos IS NOT NULL THEN 'the scorer has no score of the gene' ELSE 'not asked for' END AS reason,
       count(*) AS n, count(DISTINCT (q.chrom, q.pos, q.ref, q.alt)) AS n_variants
FROM qtl AS q
JOIN variant AS v
  ON v.assembly = q.assembly AND v.chrom = q.chrom AND v.pos = q.pos AND v.ref = q.ref AND v.alt = q.alt
JOIN scorer AS r ON r.assembly = q.assembly
LEFT JOIN candidate AS c
  ON c.assembly = q.assembly AND c.chrom = q.chrom AND c.pos = q.pos AND c.ref = q.ref AND c.alt = q.alt
LEFT JOIN answer AS a
  ON a.scorer_id = r.scorer_id AND a.assembly = q.assembly AND a.chrom = q.chrom AND a.pos = q.pos AND a.ref = q.ref
 AND a.alt = q.alt
LEFT JOIN scored AS p
  ON p.scorer_id = r.scorer_id AND p.assembly = q.assembly AND p.chrom = q.chrom AND p.pos = q.pos AND p.ref = q.ref
 AND p.alt = q.alt AND (p.gene_id IS NULL OR p.gene_id = gene_key(q.gene_id))
LEFT JOIN failed AS f
  ON f.scorer_id = r.scorer_id AND f.assembly = q.assembly AND f.chrom = q.chrom AND f.pos = q.pos AND f.ref = q.ref
 AND f.alt = q.alt
GROUP BY ALL;

COMMENT ON VIEW association_fate IS 'One row per QTL source, scorer, side of the peaks and fate: how many associations are scored, and where and why the others were lost.';
COMMENT ON COLUMN association_fate.source_id IS 'QTL source.';
COMMENT ON COLUMN association_fate.scorer_id IS 'The scorer.';
COMMENT ON COLUMN association_fate.in_peak IS 'Whether the variant lies in a peak (rule span); NULL where the chromosome has no peaks, or the variant is no candidate.';
COMMENT ON COLUMN association_fate.fate IS 'not usable (no candidate), not scored, or scored.';
COMMENT ON COLUMN association_fate.reason IS 'Why it was lost; NULL for what is scored.';
COMMENT ON COLUMN association_fate.n IS 'Associations.';
COMMENT ON COLUMN association_fate.n_variants IS 'Unique variants among them.';
