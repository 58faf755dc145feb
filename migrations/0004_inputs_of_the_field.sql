-- What the field has besides eQTLs and peaks: other molecular QTLs, fine-mapping, lists of variants, genes, blacklists,
-- and liftover chains, whose blocks are rows, so that lifting is a range join.
ALTER TABLE source RENAME TO source_0001;
CREATE TABLE source (
  source_id INTEGER NOT NULL,
  kind VARCHAR NOT NULL CHECK (
    kind IN ('qtl', 'credible', 'variants', 'peaks', 'blacklist', 'genes', 'genome', 'chain', 'predictions')
  ),
  format VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  qtl_type VARCHAR,
  tissue VARCHAR,
  biosample VARCHAR,
  assembly assembly_t NOT NULL,
  lifted_from assembly_t,
  lifted_by INTEGER,
  effect VARCHAR,
  effect_unit VARCHAR,
  effect_allele VARCHAR,
  null_value DOUBLE,
  row_filter VARCHAR,
  path VARCHAR NOT NULL,
  sha256 VARCHAR NOT NULL,
  bytes BIGINT NOT NULL,
  rows_read BIGINT,
  rows_kept BIGINT,
  rows_rejected BIGINT,
  run_id INTEGER NOT NULL
);
INSERT INTO source BY NAME SELECT *, if(effect IS NULL, NULL, 'eqtl') AS qtl_type FROM source_0001;
UPDATE source SET effect_unit = 'sd' WHERE effect_unit = 'SD of inverse-normal expression per ALT allele';
UPDATE source SET effect_unit = 'p-value' WHERE effect = 'pval_nominal';
DROP TABLE source_0001;
COMMENT ON TABLE source IS 'One row per ingested file (and tissue, where a file holds several): what it is, its assembly, its sha256, and how many of its rows were kept.';
COMMENT ON COLUMN source.source_id IS 'Number of the source in this database, from 1.';
COMMENT ON COLUMN source.kind IS 'qtl, credible, variants, peaks, blacklist, genes, genome, chain or predictions.';
COMMENT ON COLUMN source.format IS 'Preset or layout that it was read with, e.g. gtex_v8_pairs, eqtl_catalogue, narrowPeak, vcf, original.';
COMMENT ON COLUMN source.name IS 'File name.';
COMMENT ON COLUMN source.qtl_type IS 'What a QTL source measured: eqtl, sqtl, caqtl, dsqtl, ...';
COMMENT ON COLUMN source.tissue IS 'Tissue or cell type of a QTL source, as the user or the file names it (GTEx spelling, e.g. Whole_Blood).';
COMMENT ON COLUMN source.biosample IS 'Biosample of a peak source, e.g. K562.';
COMMENT ON COLUMN source.assembly IS 'Genome that its coordinates refer to in this database. Unequal assemblies never meet in a join.';
COMMENT ON COLUMN source.lifted_from IS 'Genome that the coordinates of the file refer to, where they were lifted at ingest.';
COMMENT ON COLUMN source.lifted_by IS 'Source (kind chain) that lifted them.';
COMMENT ON COLUMN source.effect IS 'What its label is: slope, or pval_nominal where a file has nothing else.';
COMMENT ON COLUMN source.effect_unit IS 'Unit of the label per ALT allele: sd, log2fc, allelic_ratio, ...; labels of unlike units are never pooled.';
COMMENT ON COLUMN source.effect_allele IS 'Allele that the effect refers to in the file: alt, ref, or a column; in this database it is ALT. NULL where the label has no direction.';
COMMENT ON COLUMN source.null_value IS 'Value of the label that means no effect: 0, or 0.5 for an allelic ratio.';
COMMENT ON COLUMN source.row_filter IS 'Condition over the columns of the file that its rows had to meet; NULL where all were read.';
COMMENT ON COLUMN source.path IS 'Where the file was; - for standard input.';
COMMENT ON COLUMN source.sha256 IS 'sha256 of its bytes.';
COMMENT ON COLUMN source.bytes IS 'Its size.';
COMMENT ON COLUMN source.rows_read IS 'Data rows of the file (that meet row_filter, of this tissue).';
COMMENT ON COLUMN source.rows_kept IS 'Rows that were kept.';
COMMENT ON COLUMN source.rows_rejected IS 'Rows that were refused one by one; they stand in table rejected.';
COMMENT ON COLUMN source.run_id IS 'Run that ingested it.';

INSERT INTO contig
SELECT 'NCBI36', chrom, length FROM (VALUES  -- UCSC chrom.sizes of hg18: it can be lifted from
  ('chr1', 247249719), ('chr2', 242951149), ('chr3', 199501827), ('chr4', 191273063), ('chr5', 180857866),
  ('chr6', 170899992), ('chr7', 158821424), ('chr8', 146274826), ('chr9', 140273252), ('chr10', 135374737),
  ('chr11', 134452384), ('chr12', 132349534), ('chr13', 114142980), ('chr14', 106368585), ('chr15', 100338915),
  ('chr16', 88827254), ('chr17', 78774742), ('chr18', 76117153), ('chr19', 63811651), ('chr20', 62435964),
  ('chr21', 46944323), ('chr22', 49691432), ('chrX', 154913754), ('chrY', 57772954), ('chrM', 16571)
) AS t (chrom, length);

ALTER TABLE peak ADD COLUMN n_samples INTEGER;
ALTER TABLE peak ADD COLUMN component VARCHAR;
COMMENT ON TABLE peak IS 'One row per interval of a source: a peak (DNase-hypersensitive site), or a region of a blacklist. BED coordinates.';
COMMENT ON COLUMN peak.n_samples IS 'Biosamples in which the site is open (DHS index).';
COMMENT ON COLUMN peak.component IS 'Component of the DHS vocabulary, e.g. Myeloid / erythroid.';

CREATE TABLE gene (
  source_id INTEGER NOT NULL,
  assembly assembly_t NOT NULL,
  gene_id VARCHAR NOT NULL,
  gene_name VARCHAR,
  chrom chrom_t NOT NULL,
  chrom_start INTEGER NOT NULL CHECK (chrom_start >= 0),
  chrom_end INTEGER NOT NULL CHECK (chrom_end > chrom_start),
  strand VARCHAR NOT NULL CHECK (strand IN ('+', '-')),
  biotype VARCHAR,
  tss INTEGER GENERATED ALWAYS AS (if(strand = '+', chrom_start + 1, chrom_end))
);
COMMENT ON TABLE gene IS 'One row per gene of an annotation: where it lies and where its transcription starts.';
COMMENT ON COLUMN gene.source_id IS 'The annotation.';
COMMENT ON COLUMN gene.assembly IS 'Its assembly.';
COMMENT ON COLUMN gene.gene_id IS 'Ensembl gene as the annotation writes it; genes are met without their version where one side has none.';
COMMENT ON COLUMN gene.gene_name IS 'Gene symbol.';
COMMENT ON COLUMN gene.chrom IS 'Chromosome.';
COMMENT ON COLUMN gene.chrom_start IS 'First base, 0-based (BED).';
COMMENT ON COLUMN gene.chrom_end IS 'End, 0-based exclusive (BED).';
COMMENT ON COLUMN gene.strand IS '+ or -.';
COMMENT ON COLUMN gene.biotype IS 'e.g. protein_coding.';
COMMENT ON COLUMN gene.tss IS 'Transcription start site, 1-based: the first base on +, the last on -; GTEx''s tss_distance is pos - tss.';

CREATE TABLE credible (
  source_id INTEGER NOT NULL,
  assembly assembly_t NOT NULL,
  chrom chrom_t NOT NULL,
  pos INTEGER NOT NULL,
  ref VARCHAR NOT NULL,
  alt VARCHAR NOT NULL,
  gene_id VARCHAR,
  molecular_trait_id VARCHAR,
  pip DOUBLE NOT NULL CHECK (pip >= 0 AND pip <= 1),
  cs_id VARCHAR,
  cs_size INTEGER,
  cs_pip DOUBLE,
  z DOUBLE,
  posterior_mean DOUBLE,
  posterior_sd DOUBLE,
  reoriented VARCHAR CHECK (reoriented IN ('swapped', 'strand', 'strand_swapped'))
);
COMMENT ON TABLE credible IS 'One row per fine-mapped variant, phenotype and credible set: the probability that it is the causal one.';
COMMENT ON COLUMN credible.source_id IS 'The fine-mapping.';
COMMENT ON COLUMN credible.assembly IS 'Its assembly.';
COMMENT ON COLUMN credible.chrom IS 'Chromosome of the variant.';
COMMENT ON COLUMN credible.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN credible.ref IS 'Reference allele.';
COMMENT ON COLUMN credible.alt IS 'Alternative allele.';
COMMENT ON COLUMN credible.gene_id IS 'Gene.';
COMMENT ON COLUMN credible.molecular_trait_id IS 'What was measured, where that is not the gene itself.';
COMMENT ON COLUMN credible.pip IS 'Posterior inclusion probability, 0 to 1.';
COMMENT ON COLUMN credible.cs_id IS 'Credible set or cluster that it belongs to; NULL where it is in none.';
COMMENT ON COLUMN credible.cs_size IS 'Variants in the set.';
COMMENT ON COLUMN credible.cs_pip IS 'Probability of the whole set (DAP-G: cluster pip), 0 to 1.';
COMMENT ON COLUMN credible.z IS 'z-score of ALT, where the file has it.';
COMMENT ON COLUMN credible.posterior_mean IS 'Posterior mean of the effect of ALT, in the unit of the source.';
COMMENT ON COLUMN credible.posterior_sd IS 'Its standard deviation.';
COMMENT ON COLUMN credible.reoriented IS 'As in qtl.';

CREATE TABLE chain_block (
  source_id INTEGER NOT NULL,
  chain_id INTEGER NOT NULL,
  score BIGINT NOT NULL,
  chrom chrom_t NOT NULL,
  chrom_start INTEGER NOT NULL,
  chrom_end INTEGER NOT NULL,
  to_chrom VARCHAR NOT NULL,
  to_strand VARCHAR NOT NULL CHECK (to_strand IN ('+', '-')),
  to_start INTEGER NOT NULL
);
COMMENT ON TABLE chain_block IS 'One row per gapless block of a liftover chain: bases that lie in both assemblies in the same order.';
COMMENT ON COLUMN chain_block.source_id IS 'The chain file; source.lifted_from is its first assembly, source.assembly the second.';
COMMENT ON COLUMN chain_block.chain_id IS 'Id of the chain in the file.';
COMMENT ON COLUMN chain_block.score IS 'Score of the chain.';
COMMENT ON COLUMN chain_block.chrom IS 'Chromosome of the first assembly.';
COMMENT ON COLUMN chain_block.chrom_start IS 'First base there, 0-based.';
COMMENT ON COLUMN chain_block.chrom_end IS 'End there, 0-based exclusive.';
COMMENT ON COLUMN chain_block.to_chrom IS 'Chromosome of the second assembly.';
COMMENT ON COLUMN chain_block.to_strand IS 'Its strand: on - the block lies turned round.';
COMMENT ON COLUMN chain_block.to_start IS 'Lowest base of the block on the + strand of the second assembly, 0-based.';

ALTER TABLE rejected ALTER line DROP NOT NULL;
COMMENT ON COLUMN rejected.line IS 'Line in the (decompressed) file, or row of a Parquet file, from 1.';
COMMENT ON COLUMN rejected.text IS 'The line as it stands in the file; of a Parquet file the row as JSON.';
