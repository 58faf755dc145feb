-- A list of variants, too, says which of its variants a genome has turned: one that has some swapped may have swapped its
-- indels, which no genome can tell. NULL in a list that was checked by an older agdb.
ALTER TABLE listed_variant ADD COLUMN reoriented VARCHAR;
COMMENT ON COLUMN listed_variant.reoriented IS 'As in qtl: NULL where the alleles are as the source gives them.';
