-- Where a file is from: what agdb fetch wrote beside it, taken over when its bytes are the ones that were fetched.
ALTER TABLE source ADD COLUMN url VARCHAR;
ALTER TABLE source ADD COLUMN archive_member VARCHAR;
ALTER TABLE source ADD COLUMN retrieved_at TIMESTAMP;
ALTER TABLE source ADD COLUMN release VARCHAR;
ALTER TABLE source ADD COLUMN licence VARCHAR;
ALTER TABLE source ADD COLUMN citation VARCHAR;
COMMENT ON COLUMN source.url IS 'Official address that agdb fetch brought these bytes from; NULL where the file came otherwise.';
COMMENT ON COLUMN source.archive_member IS 'Name in the archive at that address; NULL where the address is the file itself.';
COMMENT ON COLUMN source.retrieved_at IS 'When it was fetched, UTC; NULL where it was brought by hand and only checked.';
COMMENT ON COLUMN source.release IS 'Release of the data, as the table of addresses names it, e.g. GTEx v8.';
COMMENT ON COLUMN source.licence IS 'Terms of the data, as the table of addresses gives them.';
COMMENT ON COLUMN source.citation IS 'What to cite for it.';
