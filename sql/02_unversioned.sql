-- An Ensembl id without its version: ENSG00000227232.5 -> ENSG00000227232, wherever it ends the id of a phenotype. Nothing
-- else is cut: ENSG00000188157.grp_1.contained.ENST00000479707 and ...ENST00000620552 are two transcripts, peak.12 and
-- peak.13 two peaks.
CREATE OR REPLACE MACRO unversioned(id) AS regexp_replace(id, '(ENS[A-Z]*[0-9]+)\.[0-9]+$', '\1');

COMMENT ON MACRO unversioned IS 'unversioned(id): the id of a gene or phenotype, without the version of the Ensembl id that ends it.';
