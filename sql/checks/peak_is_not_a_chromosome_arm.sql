-- severity: warn
-- gates: peaks
-- cure: filter the peaks of such a width, or do not count their variants: join peak and use chrom_end - chrom_start
-- One row: a source with peaks wider than 100 kb: artefacts of the peak caller over gaps (a real file opens with
-- chr22:0-10,709,810).
SELECT peak.source_id,
       format('{:,}', count(*)) || ' peaks are wider than 100 kb, the widest ' || format('{:,}', max(chrom_end - chrom_start)) || ' bp: artefacts over gaps'
         AS problem
FROM peak
SEMI JOIN source ON source.source_id = peak.source_id AND source.kind = 'peaks'
WHERE chrom_end - chrom_start > 100000
GROUP BY peak.source_id
