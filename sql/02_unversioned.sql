-- An Ensembl id without its version: ENSG00000227232.5 -> ENSG00000227232, wherever it ends the id of a phenotype. Nothing
-- else is cut: ENSG00000188157.grp_1.contained.ENST00000479707 and ...ENST00000620552 are two transcripts, peak.12 and
-- peak.13 two peaks.
CREATE OR REPLACE MACRO unversioned(id) AS regexp_replace(id, '(ENS[A-Z]*[0-9]+)\.[0-9]+$', '\1');

-- The same of the id of a gene, as a key of joins: without a regular expression, which takes a second on 2.4 M rows. A gene
-- of both PARs is one gene (ENSG00000002586.20_PAR_Y); the clones RP11-34P13.7 and RP11-34P13.13 are two.
CREATE OR REPLACE MACRO gene_key(id) AS CASE WHEN id[1:3] = 'ENS' THEN split_part(id, '.', 1) ELSE id END;

COMMENT ON MACRO unversioned IS 'unversioned(id): the id of a gene or phenotype, without the version of the Ensembl id that ends it.';
COMMENT ON MACRO gene_key IS 'gene_key(id): the id of a gene without what stands behind the first dot of an Ensembl id; other ids as they are.';
