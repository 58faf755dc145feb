-- severity: warn
-- gates: genome
-- cure: such variants are left out of every analysis; are alleles swapped in the QTL table, or is it another assembly?
-- One row: an assembly with variants whose REF differs from the registered FASTA.
SELECT NULL::INTEGER AS source_id,
       format('{:,}', count(*) FILTER (ref_status = 'mismatch')) || ' of ' || format('{:,}', count(*) FILTER (ref_status <> 'unchecked'))
         || ' checked variants of ' || assembly || ' have a REF that is not the genome''s' AS problem
FROM variant
GROUP BY assembly
HAVING count(*) FILTER (ref_status = 'mismatch') > 0
