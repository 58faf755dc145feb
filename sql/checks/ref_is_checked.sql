-- severity: warn
-- gates: genome
-- cure: agdb ingest genome FASTA --assembly ... registers the genome and checks them
-- One row: an assembly with variants that are analysed although no registered FASTA covers them.
SELECT NULL::INTEGER AS source_id,
       format('{:,}', count(*)) || ' candidate variants of ' || assembly || ' were never checked against a genome' AS problem
FROM candidate
WHERE ref_status = 'unchecked'
GROUP BY assembly
