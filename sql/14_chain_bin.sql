-- One row: a block of a liftover chain and one bin of 131,072 bases of its first assembly that it reaches into. Lifting is
-- the same join as the overlap: a base looks in its one bin for the block that holds it.
CREATE OR REPLACE VIEW chain_bin AS
SELECT *, chrom_start >> 17 AS first_bin, unnest(range(chrom_start >> 17, ((chrom_end - 1) >> 17) + 1))::INTEGER AS bin
FROM chain_block;

COMMENT ON VIEW chain_bin IS 'One row per block of a chain and bin of 131,072 bases: the equality key of lifting.';
COMMENT ON COLUMN chain_bin.source_id IS 'The chain file.';
COMMENT ON COLUMN chain_bin.chain_id IS 'Id of the chain in the file.';
COMMENT ON COLUMN chain_bin.score IS 'Score of the chain.';
COMMENT ON COLUMN chain_bin.chrom IS 'Chromosome of the first assembly.';
COMMENT ON COLUMN chain_bin.chrom_start IS 'First base there, 0-based.';
COMMENT ON COLUMN chain_bin.chrom_end IS 'End there, 0-based exclusive.';
COMMENT ON COLUMN chain_bin.to_chrom IS 'Chromosome of the second assembly.';
COMMENT ON COLUMN chain_bin.to_strand IS 'Its strand.';
COMMENT ON COLUMN chain_bin.to_start IS 'Lowest base of the block there, on its + strand, 0-based.';
COMMENT ON COLUMN chain_bin.first_bin IS 'First bin of the block.';
COMMENT ON COLUMN chain_bin.bin IS 'Bin: 0-based position >> 17.';
