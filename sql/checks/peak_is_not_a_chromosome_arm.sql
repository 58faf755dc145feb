-- severity: warn
-- gates: peaks
-- cure: filter the peaks of such a width, or do not count their variants: join peak and use chrom_end - chrom_start
-- One row: a source with peaks wider than 100 kb: artefacts of the peak caller over gaps (a real file opens with
-- chr22:0-10,709,810).
SELECT source_id,
       count(*) || ' peaks are wider than 100 kb, the widest ' || max(chrom_end - chrom_start) || ' bp: artefacts over gaps'
         AS problem
FROM peak
WHERE chrom_end - chrom_start > 100000
GROUP BY source_id
