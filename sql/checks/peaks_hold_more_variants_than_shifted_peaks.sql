-- severity: warn
-- gates: qtl, peaks
-- cure: are the peaks on the assembly that was said (hg19 peaks under hg38 variants look like this), or of another tissue?
-- One row: a source of associations and one of peaks that share no more bases than by chance: the variants lie in peaks
-- no more often than when they are shifted round their chromosome (20 shifts, between the first and the last peak; at
-- most some 100,000 variants of a source, and a million of all; peaks wider than 100 kb, which are artefacts, count for
-- nothing). QTLs of blood lie 4 times as often in K562 peaks as shifted ones; the original study's, under hg19 peaks,
-- 0.9 times. Fewer than 100 variants, or those of fewer than 10 megabases, tell nothing: of a few loci it depends on
-- the loci. Told twice, for either source. When sources are added, those alone are paired with the others: the pairs of
-- 49 tissues would else be shifted 49 times.
WITH new AS (
  SELECT source_id, kind
  FROM source
  WHERE coalesce(list_contains(getvariable('new_sources'), source_id), true)
),
asked AS (
  SELECT source_id, rows_kept, least(100000, 1000000 // greatest(count(effect) OVER (), 1)) AS n_sampled
  FROM source
  WHERE source_id IN (SELECT source_id FROM new) OR 'peaks' IN (SELECT kind FROM new)
),
extent AS (
  SELECT p.source_id, p.assembly, p.chrom, min(p.chrom_start) AS lo, max(p.chrom_end) - min(p.chrom_start) AS width
  FROM peak_bin AS p
  WHERE p.kind = 'peaks' AND p.chrom_end - p.chrom_start <= 100000
  GROUP BY ALL
),
sampled AS (
  SELECT DISTINCT q.source_id, q.assembly, q.chrom, q.pos - 1 AS s
  FROM qtl AS q
  JOIN asked AS s ON s.source_id = q.source_id
  WHERE hash(q.chrom, q.pos) % greatest(s.rows_kept // s.n_sampled, 1)::UBIGINT = 0
),
shifted AS (
  SELECT v.source_id AS qtl_source, e.source_id AS peak_source, v.assembly, v.chrom, k,
         e.lo + (v.s - e.lo + (k * e.width) // 21) % e.width AS s
  FROM sampled AS v
  JOIN extent AS e ON e.assembly = v.assembly AND e.chrom = v.chrom AND v.s BETWEEN e.lo AND e.lo + e.width - 1,
  range(21) AS r (k)
  WHERE v.source_id IN (SELECT source_id FROM new) OR e.source_id IN (SELECT source_id FROM new)
),
looked_up AS (
  SELECT v.qtl_source, v.peak_source, v.k, v.chrom, v.s, bool_or(p.bin IS NOT NULL) AS is_inside
  FROM shifted AS v
  LEFT JOIN peak_bin AS p
    ON p.source_id = v.peak_source AND p.chrom = v.chrom AND p.bin = v.s >> 11 AND v.s < p.chrom_end
   AND v.s >= p.chrom_start AND p.chrom_end - p.chrom_start <= 100000
  GROUP BY ALL
),
held AS (
  SELECT qtl_source, peak_source, k, count(*) AS n, count(*) FILTER (is_inside) AS inside,
         count(DISTINCT (chrom, s // 1000000)) AS megabases
  FROM looked_up
  GROUP BY ALL
),
judged AS (
  SELECT qtl_source, peak_source, max(n) AS n, max(inside) FILTER (k = 0) AS found,
         avg(inside) FILTER (k > 0) AS expected, max(inside) FILTER (k > 0) AS most
  FROM held
  GROUP BY ALL
  HAVING max(n) >= 100 AND max(megabases) FILTER (k = 0) >= 10
)
SELECT unnest([qtl_source, peak_source]) AS source_id,
       format('{:,} of {:,}', found, n) || ' variants of ' || q.name
         || if(count(*) OVER (PARTITION BY q.name, p.name) > 1, ' (' || coalesce(q.tissue, '') || ')', '')
         || ' lie in peaks of ' || p.name || '; shifted along the genome '
         || format('{:,} would (at most {:,})', round(expected)::INTEGER, most) || ': no enrichment' AS problem
FROM judged
JOIN source AS q ON q.source_id = qtl_source
JOIN source AS p ON p.source_id = peak_source
WHERE found <= most
