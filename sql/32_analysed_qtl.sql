-- One row: a labelled association and a scorer, as in scored_qtl, with what strata, clusters and controls need besides: the
-- field's bins, a column each (NULL: it falls in none), and where its cluster begins. What is not asked for is not
-- computed. The cuts of effect_cut are those that the original study named.
CREATE OR REPLACE VIEW analysed_qtl AS
WITH newest AS (SELECT assembly, max(source_id) AS source_id FROM ld_block GROUP BY assembly),
blocks AS (  -- by bin, as peaks: they do not overlap, and ASOF JOIN sorts all columns of all associations
  SELECT b.*, unnest(range(b.chrom_start >> 17, ((b.chrom_end - 1) >> 17) + 1))::INTEGER AS bin
  FROM ld_block AS b JOIN newest USING (assembly, source_id)
),
placed AS (  -- where the source does not say how far the TSS is, table gene may
  SELECT q.* REPLACE (coalesce(q.tss_distance, q.pos - t.tss) AS tss_distance)
  FROM scored_qtl AS q
  LEFT JOIN gene_tss AS t ON t.assembly = q.assembly AND t.gene = gene_key(q.gene_id) AND t.chrom = q.chrom
)
SELECT q.*, coalesce(s.null_value, 0) AS null_value, f.pip, v.peak_signal, v.summit_distance,
       CASE WHEN q.label <> 'slope' THEN NULL WHEN abs(q.effect - coalesce(s.null_value, 0)) > 0.01 THEN '> 0.01'
            WHEN abs(q.effect - coalesce(s.null_value, 0)) > 0.0005 THEN '0.0005 to 0.01' ELSE '<= 0.0005' END AS effect_cut,
       CASE WHEN q.in_peak THEN 'in peak' WHEN NOT q.in_peak THEN 'outside peaks' END AS peak,
       CASE WHEN q.qval <= 0.05 THEN 'eGene' WHEN q.qval > 0.05 THEN 'not an eGene' END AS egene,
       CASE WHEN f.pip < 0.01 THEN '< 0.01' WHEN f.pip < 0.1 THEN '0.01 to 0.1' WHEN f.pip < 0.5 THEN '0.1 to 0.5'
            WHEN f.pip <= 0.9 THEN '0.5 to 0.9' WHEN f.pip > 0.9 THEN '> 0.9' END AS pip_bin,
       CASE WHEN abs(q.tss_distance) < 3000 THEN '< 3 kb' WHEN abs(q.tss_distance) < 12000 THEN '3 to 12 kb'
            WHEN abs(q.tss_distance) < 35000 THEN '12 to 35 kb' WHEN abs(q.tss_distance) >= 35000 THEN '>= 35 kb'
            END AS tss_bin,
       CASE WHEN q.maf < 0.01 THEN '< 0.01' WHEN q.maf < 0.05 THEN '0.01 to 0.05' WHEN q.maf < 0.2 THEN '0.05 to 0.2'
            WHEN q.maf >= 0.2 THEN '>= 0.2' END AS maf_bin,
       CASE WHEN v.summit_distance < 50 THEN '< 50 bp' WHEN v.summit_distance < 150 THEN '50 to 150 bp'
            WHEN v.summit_distance >= 150 THEN '>= 150 bp' END AS summit_bin,
       q.chrom = 'chr6' AND CASE q.assembly WHEN 'GRCh38' THEN q.pos BETWEEN 28510120 AND 33480577
                                            WHEN 'GRCh37' THEN q.pos BETWEEN 28477797 AND 33448354
                                            ELSE q.pos BETWEEN 28585776 AND 33556427 END AS in_mhc,
       coalesce(b.chrom_start, -1 - (q.pos - 1) // 1000000) AS cluster_start, l.largest_pip,
       CASE WHEN f.pip > 0.9 THEN 'causal'
            WHEN m.phenotype IS NOT NULL AND coalesce(l.largest_pip, 0) < 0.01 THEN 'control' END AS causal_class
FROM placed AS q
JOIN source AS s ON s.source_id = q.label_source_id
LEFT JOIN fine_mapped AS f
  ON f.tissue = q.tissue AND f.assembly = q.assembly AND f.chrom = q.chrom AND f.pos = q.pos AND f.ref = q.ref
 AND f.alt = q.alt AND f.phenotype = unversioned(q.phenotype_id)
LEFT JOIN (SELECT DISTINCT tissue, assembly, phenotype FROM fine_mapped) AS m
  ON m.tissue = q.tissue AND m.assembly = q.assembly AND m.phenotype = unversioned(q.phenotype_id)
LEFT JOIN (SELECT tissue, assembly, chrom, pos, ref, alt, max(pip) AS largest_pip FROM fine_mapped GROUP BY ALL) AS l
  ON l.tissue = q.tissue AND l.assembly = q.assembly AND l.chrom = q.chrom AND l.pos = q.pos AND l.ref = q.ref
 AND l.alt = q.alt
LEFT JOIN peak_of_variant AS v
  ON v.assembly = q.assembly AND v.chrom = q.chrom AND v.pos = q.pos AND v.ref = q.ref AND v.alt = q.alt
LEFT JOIN blocks AS b
  ON b.assembly = q.assembly AND b.chrom = q.chrom AND b.bin = (q.pos - 1) >> 17 AND q.pos - 1 >= b.chrom_start
 AND q.pos - 1 < b.chrom_end;

COMMENT ON VIEW analysed_qtl IS 'One row per association and scorer, as scored_qtl, with bins, cluster and fine-mapping: what agdb stats reads.';
COMMENT ON COLUMN analysed_qtl.label IS 'What the label is: slope, conditional_slope, or pval_nominal where the file had nothing else.';
COMMENT ON COLUMN analysed_qtl.source_id IS 'QTL source.';
COMMENT ON COLUMN analysed_qtl.source IS 'Its name.';
COMMENT ON COLUMN analysed_qtl.label_source_id IS 'Source of the label.';
COMMENT ON COLUMN analysed_qtl.tissue IS 'Its tissue.';
COMMENT ON COLUMN analysed_qtl.effect_unit IS 'Unit of the label.';
COMMENT ON COLUMN analysed_qtl.scorer_id IS 'The scorer.';
COMMENT ON COLUMN analysed_qtl.scorer IS 'Its name.';
COMMENT ON COLUMN analysed_qtl.window_bp IS 'Its window in bp.';
COMMENT ON COLUMN analysed_qtl.family IS 'Scorers of one family differ in nothing but the window.';
COMMENT ON COLUMN analysed_qtl.is_signed IS 'Whether the score has a direction.';
COMMENT ON COLUMN analysed_qtl.provider IS 'Who computed the score.';
COMMENT ON COLUMN analysed_qtl.assembly IS 'Assembly.';
COMMENT ON COLUMN analysed_qtl.variant_id IS 'The variant.';
COMMENT ON COLUMN analysed_qtl.phenotype_id IS 'The phenotype.';
COMMENT ON COLUMN analysed_qtl.gene_id IS 'The gene.';
COMMENT ON COLUMN analysed_qtl.chrom IS 'Chromosome.';
COMMENT ON COLUMN analysed_qtl.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN analysed_qtl.ref IS 'Reference allele.';
COMMENT ON COLUMN analysed_qtl.alt IS 'Alternative allele.';
COMMENT ON COLUMN analysed_qtl.kind IS 'SNV, insertion, deletion or MNV.';
COMMENT ON COLUMN analysed_qtl.ref_status IS 'match, or unchecked where no FASTA covers it.';
COMMENT ON COLUMN analysed_qtl.in_peak IS 'Whether the variant lies in a peak (rule span); NULL where the chromosome has no peaks at all.';
COMMENT ON COLUMN analysed_qtl.effect IS 'The label: measured effect of ALT against REF (or the p-value, where label says so).';
COMMENT ON COLUMN analysed_qtl.score IS 'The prediction: ALT against REF.';
COMMENT ON COLUMN analysed_qtl.slope IS 'Effect of ALT against REF; NULL where the label is not a slope.';
COMMENT ON COLUMN analysed_qtl.slope_se IS 'Its standard error.';
COMMENT ON COLUMN analysed_qtl.pval_nominal IS 'Its nominal p-value.';
COMMENT ON COLUMN analysed_qtl.qval IS 'q-value of the gene, where the source has it.';
COMMENT ON COLUMN analysed_qtl.maf IS 'Minor allele frequency.';
COMMENT ON COLUMN analysed_qtl.tss_distance IS 'pos minus TSS in bp, as the source has it, else from table gene.';
COMMENT ON COLUMN analysed_qtl.null_value IS 'Value of the label that means no effect: 0, 0.5 for an allelic ratio, 1 for a p-value.';
COMMENT ON COLUMN analysed_qtl.pip IS 'Probability that the variant is causal for this phenotype in this tissue, where it was fine-mapped.';
COMMENT ON COLUMN analysed_qtl.peak_signal IS 'Largest signalValue of the peaks that the variant lies in.';
COMMENT ON COLUMN analysed_qtl.summit_distance IS 'Bases to the nearest summit of the peaks that it lies in.';
COMMENT ON COLUMN analysed_qtl.effect_cut IS 'By the original study''s cuts of |slope|, less the value that means no effect: 0.0005 and 0.01.';
COMMENT ON COLUMN analysed_qtl.peak IS 'in peak or outside peaks; NULL where the chromosome has no peaks at all.';
COMMENT ON COLUMN analysed_qtl.egene IS 'eGene (qval <= 0.05) or not, where the source has qval.';
COMMENT ON COLUMN analysed_qtl.pip_bin IS 'By pip, cut at 0.01, 0.1, 0.5 and 0.9.';
COMMENT ON COLUMN analysed_qtl.tss_bin IS 'By |tss_distance|, cut at 3, 12 and 35 kb.';
COMMENT ON COLUMN analysed_qtl.maf_bin IS 'By maf, cut at 0.01, 0.05 and 0.2.';
COMMENT ON COLUMN analysed_qtl.summit_bin IS 'By summit_distance, cut at 50 and 150 bp.';
COMMENT ON COLUMN analysed_qtl.in_mhc IS 'Whether it lies in the MHC (extended class I to class II), whose linkage is long.';
COMMENT ON COLUMN analysed_qtl.cluster_start IS 'With chrom the cluster: chrom_start of its block of linkage; where none is known -1 less the number of its 1 Mb window.';
COMMENT ON COLUMN analysed_qtl.largest_pip IS 'Largest PIP of the variant, over all phenotypes of the tissue; NULL where it is in no credible set.';
COMMENT ON COLUMN analysed_qtl.causal_class IS 'causal: PIP > 0.9 for this phenotype. control: its phenotype was fine-mapped, and it is in no credible set, or below 0.01, for every phenotype of the tissue. NULL: neither.';
