-- Label sets that take several sources together: tissues of one study.
ALTER TABLE label_set ADD COLUMN is_pooled BOOLEAN DEFAULT false;
COMMENT ON COLUMN label_set.is_pooled IS 'Whether its sources are analysed together, a row each variant, phenotype and tissue; else one after the other. Their units are alike.';
COMMENT ON COLUMN label_set.source_ids IS 'QTL sources; NULL for each source that has the label.';
