-- severity: warn
-- gates: peaks
-- cure: BED scores go from 0 to 1000 (MACS goes beyond): rank peaks by signal_value or neglog10_p instead
-- One row: a source with scores outside of what the format allows.
SELECT source_id,
       format('{:,}', count(*)) || ' peaks have a score outside of 0 to 1000 (' || printf('%.6g', min(score)) || ' to '
         || printf('%.6g', max(score)) || ')' AS problem
FROM peak
WHERE score < 0 OR score > 1000
GROUP BY source_id
