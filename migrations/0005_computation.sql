-- What is paid for is a computation: all that one call computes for a variant, in every track at once. Scorers that differ
-- in their tracks alone share it, so that another track set, or another aggregation over tracks, costs no call.
CREATE TABLE computation (
  computation_id VARCHAR NOT NULL,
  provider VARCHAR NOT NULL,
  model VARCHAR NOT NULL,
  model_version VARCHAR NOT NULL,
  assembly assembly_t NOT NULL,
  output_type VARCHAR NOT NULL,
  window_bp INTEGER NOT NULL,
  mask_bp INTEGER,
  aggregation VARCHAR NOT NULL,
  is_signed BOOLEAN NOT NULL,
  reads_genome BOOLEAN NOT NULL
);
-- Scorers of before had one computation each. Ids are hashes of the canonical JSON of the content, as
-- agdb/predictors/contract.py makes them: keys in order, no spaces.
CREATE TEMP TABLE before_0005 AS
SELECT s.*, coalesce(p.provider, if(s.model = 'agdb-motif', 'motif', s.model)) AS provider
FROM scorer AS s
LEFT JOIN (SELECT scorer_id, min(provider) AS provider FROM prediction GROUP BY scorer_id) AS p ON p.scorer_id = s.scorer_id;
CREATE TEMP TABLE after_0005 AS
SELECT scorer_id AS old_id, provider, track_set, left(sha256(config), 16) AS scorer_id, config,
       left(sha256(json_object(
         'aggregation', aggregation, 'assembly', assembly::VARCHAR, 'is_signed', is_signed, 'mask_bp', mask_bp, 'model', model,
         'model_version', model_version, 'output_type', output_type, 'provider', provider, 'reads_genome', reads_genome,
         'window_bp', window_bp
       )::VARCHAR), 16) AS computation_id
FROM (
  SELECT * EXCLUDE (config), json_object(
    'aggregation', aggregation, 'assembly', assembly::VARCHAR, 'is_signed', is_signed, 'mask_bp', mask_bp, 'model', model,
    'model_version', model_version, 'name', name, 'output_type', output_type, 'providers', [provider],
    'reads_genome', reads_genome, 'track_aggregation', NULL, 'track_set', track_set,
    'window_bp', window_bp
  )::VARCHAR AS config
  FROM before_0005
);
INSERT INTO computation
SELECT DISTINCT a.computation_id, b.provider, b.model, b.model_version, b.assembly, b.output_type, b.window_bp, b.mask_bp,
       b.aggregation, b.is_signed, b.reads_genome
FROM before_0005 AS b JOIN after_0005 AS a ON a.old_id = b.scorer_id;
COMMENT ON TABLE computation IS 'One row per computation: what one call computes for a variant, in all tracks, and who computes it.';
COMMENT ON COLUMN computation.computation_id IS 'Hash of the content: the same in every database.';
COMMENT ON COLUMN computation.provider IS 'Who computes: alphagenome, atlas, motif, or import.';
COMMENT ON COLUMN computation.model IS 'The model, e.g. alphagenome.';
COMMENT ON COLUMN computation.model_version IS 'Its version, as its maker names it.';
COMMENT ON COLUMN computation.assembly IS 'Genome that the model reads.';
COMMENT ON COLUMN computation.output_type IS 'Predicted assay, e.g. DNASE.';
COMMENT ON COLUMN computation.window_bp IS 'Bases of sequence that the model reads.';
COMMENT ON COLUMN computation.mask_bp IS 'Central bases over which the score aggregates; NULL for the whole window, or for genes.';
COMMENT ON COLUMN computation.aggregation IS 'Formula, e.g. DIFF_LOG2_SUM.';
COMMENT ON COLUMN computation.is_signed IS 'Whether the score has a direction (ALT against REF).';
COMMENT ON COLUMN computation.reads_genome IS 'Whether it reads the registered FASTA.';

CREATE TABLE track (
  track_id INTEGER NOT NULL,
  model VARCHAR NOT NULL,
  output_type VARCHAR NOT NULL,
  name VARCHAR NOT NULL,
  strand VARCHAR NOT NULL,
  ontology_curie VARCHAR,
  biosample_name VARCHAR,
  biosample_type VARCHAR,
  biosample_life_stage VARCHAR,
  assay VARCHAR,
  data_source VARCHAR,
  gtex_tissue VARCHAR
);
-- A track was told by its term. AlphaGenome names its DNase tracks for term and assay: so they are met again by the next run.
INSERT INTO track (track_id, model, output_type, name, strand, ontology_curie)
SELECT row_number() OVER (ORDER BY model, output_type, track_id), model, output_type,
       track_id || if(model = 'alphagenome' AND output_type = 'DNASE', ' DNase-seq', ''), '.', track_id
FROM (
  SELECT DISTINCT s.model, s.output_type, p.track_id
  FROM prediction AS p JOIN scorer AS s ON s.scorer_id = p.scorer_id WHERE p.track_id IS NOT NULL
);
COMMENT ON TABLE track IS 'One row per track of a model: an assay in a biosample. Found by ontology_curie, never by its place.';
COMMENT ON COLUMN track.track_id IS 'Number of the track in this database.';
COMMENT ON COLUMN track.model IS 'The model, e.g. alphagenome.';
COMMENT ON COLUMN track.output_type IS 'Predicted assay, e.g. DNASE.';
COMMENT ON COLUMN track.name IS 'Its name; with model, output_type and strand it is unique.';
COMMENT ON COLUMN track.strand IS '+, - or . (unstranded).';
COMMENT ON COLUMN track.ontology_curie IS 'Biosample by ontology term, e.g. EFO:0002067 (K562).';
COMMENT ON COLUMN track.biosample_name IS 'Biosample in words.';
COMMENT ON COLUMN track.biosample_type IS 'cell_line, primary_cell, tissue, ...';
COMMENT ON COLUMN track.biosample_life_stage IS 'adult, embryonic, ...';
COMMENT ON COLUMN track.assay IS 'Assay title, e.g. DNase-seq.';
COMMENT ON COLUMN track.data_source IS 'encode, gtex, ...';
COMMENT ON COLUMN track.gtex_tissue IS 'GTEx tissue of an RNA_SEQ track, e.g. Whole_Blood.';

CREATE TABLE scored_variant (
  computation_id VARCHAR NOT NULL,
  assembly assembly_t NOT NULL,
  chrom chrom_t NOT NULL,
  pos INTEGER NOT NULL,
  ref VARCHAR NOT NULL,
  alt VARCHAR NOT NULL,
  tracks VARCHAR NOT NULL,
  run_id INTEGER NOT NULL
);
INSERT INTO scored_variant
SELECT a.computation_id, assembly, chrom, pos, ref, alt, a.track_set, min(run_id)
FROM prediction AS p JOIN after_0005 AS a ON a.old_id = p.scorer_id
GROUP BY ALL;
COMMENT ON TABLE scored_variant IS 'One row per computation, variant and set of tracks that was kept: it has been scored, and need not be again.';
COMMENT ON COLUMN scored_variant.computation_id IS 'The computation.';
COMMENT ON COLUMN scored_variant.assembly IS 'Assembly of the variant.';
COMMENT ON COLUMN scored_variant.chrom IS 'Chromosome of the variant.';
COMMENT ON COLUMN scored_variant.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN scored_variant.ref IS 'Reference allele.';
COMMENT ON COLUMN scored_variant.alt IS 'Alternative allele.';
COMMENT ON COLUMN scored_variant.tracks IS 'Tracks whose scores were kept: all, gtex, or the track_set of a scorer.';
COMMENT ON COLUMN scored_variant.run_id IS 'Run that scored it.';

ALTER TABLE prediction RENAME TO prediction_0003;
CREATE TABLE prediction (
  computation_id VARCHAR NOT NULL,
  assembly assembly_t NOT NULL,
  chrom chrom_t NOT NULL,
  pos INTEGER NOT NULL,
  ref VARCHAR NOT NULL,
  alt VARCHAR NOT NULL,
  gene_id VARCHAR,
  track_id INTEGER,
  score DOUBLE NOT NULL CHECK (isfinite(score)),
  quantile DOUBLE,
  ref_value DOUBLE,
  alt_value DOUBLE
);
INSERT INTO prediction
SELECT a.computation_id, p.assembly, chrom, pos, ref, alt, split_part(gene_id, '.', 1), t.track_id, score, quantile,
       ref_value, alt_value
FROM prediction_0003 AS p
JOIN after_0005 AS a ON a.old_id = p.scorer_id
JOIN scorer AS s ON s.scorer_id = p.scorer_id
LEFT JOIN track AS t ON t.model = s.model AND t.output_type = s.output_type AND t.ontology_curie = p.track_id;
DROP TABLE prediction_0003;
COMMENT ON TABLE prediction IS 'One row per computation, variant, gene and track: the score of ALT against REF. View score has them by scorer.';
COMMENT ON COLUMN prediction.computation_id IS 'The computation.';
COMMENT ON COLUMN prediction.assembly IS 'Assembly of the variant.';
COMMENT ON COLUMN prediction.chrom IS 'Chromosome of the variant.';
COMMENT ON COLUMN prediction.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN prediction.ref IS 'Reference allele.';
COMMENT ON COLUMN prediction.alt IS 'Alternative allele.';
COMMENT ON COLUMN prediction.gene_id IS 'Gene, without version, where genes are scored; else NULL.';
COMMENT ON COLUMN prediction.track_id IS 'The track; NULL where the model has none, or a file brought one number for all of them.';
COMMENT ON COLUMN prediction.score IS 'Score, ALT against REF; the formula is the aggregation of the computation.';
COMMENT ON COLUMN prediction.quantile IS 'Rank of the score among common variants, -1 to 1, where the provider gives it.';
COMMENT ON COLUMN prediction.ref_value IS 'Predicted value of the REF sequence, where the provider gives it.';
COMMENT ON COLUMN prediction.alt_value IS 'Predicted value of the ALT sequence, where the provider gives it.';

ALTER TABLE failure RENAME TO failure_0003;
CREATE TABLE failure (
  computation_id VARCHAR NOT NULL,
  assembly assembly_t NOT NULL,
  chrom chrom_t NOT NULL,
  pos INTEGER NOT NULL,
  ref VARCHAR NOT NULL,
  alt VARCHAR NOT NULL,
  reason VARCHAR NOT NULL,
  attempts INTEGER NOT NULL,
  last_at TIMESTAMP NOT NULL,
  run_id INTEGER NOT NULL
);
INSERT INTO failure
SELECT a.computation_id, assembly, chrom, pos, ref, alt, reason, 1, last_at, run_id
FROM failure_0003 AS f JOIN after_0005 AS a ON a.old_id = f.scorer_id;
DROP TABLE failure_0003;
COMMENT ON TABLE failure IS 'One row per computation and variant that could not be scored, with the reason; only predict --retry-failed asks again.';
COMMENT ON COLUMN failure.computation_id IS 'The computation.';
COMMENT ON COLUMN failure.assembly IS 'Assembly of the variant.';
COMMENT ON COLUMN failure.chrom IS 'Chromosome of the variant.';
COMMENT ON COLUMN failure.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN failure.ref IS 'Reference allele.';
COMMENT ON COLUMN failure.alt IS 'Alternative allele.';
COMMENT ON COLUMN failure.reason IS 'Why, e.g. window_outside_genome, or the status and words of the server.';
COMMENT ON COLUMN failure.attempts IS 'Calls made for it, in all runs.';
COMMENT ON COLUMN failure.last_at IS 'When last, UTC.';
COMMENT ON COLUMN failure.run_id IS 'Run that met it last.';

ALTER TABLE scorer ADD COLUMN track_aggregation VARCHAR;
ALTER TABLE scorer ADD COLUMN computations VARCHAR[];
UPDATE result AS r SET scorer_id = a.scorer_id FROM after_0005 AS a WHERE a.old_id = r.scorer_id;
UPDATE scorer AS s SET scorer_id = a.scorer_id, config = a.config, computations = [a.computation_id]
FROM after_0005 AS a WHERE a.old_id = s.scorer_id;
DROP TABLE before_0005;
DROP TABLE after_0005;
COMMENT ON TABLE scorer IS 'One row per scorer: a number for a variant: computations, and what is made of their tracks.';
COMMENT ON COLUMN scorer.track_set IS 'Tracks that enter: ontology curies, gtex_tissue=..., or all; empty where the model has none.';
COMMENT ON COLUMN scorer.track_aggregation IS 'How several tracks become one number: mean, or max_abs (the score that is furthest from 0); NULL for one track.';
COMMENT ON COLUMN scorer.computations IS 'The computations that answer it, the preferred one first; another only where that one has no answer.';

ALTER TABLE run ADD COLUMN run_uuid VARCHAR;
ALTER TABLE run ADD COLUMN n_calls BIGINT;
ALTER TABLE run ADD COLUMN seconds_waited DOUBLE;
COMMENT ON COLUMN run.run_uuid IS 'Id of a predict run that every machine knows: its spool files carry it.';
COMMENT ON COLUMN run.n_calls IS 'Calls that a predict run made, with those that were refused or repeated.';
COMMENT ON COLUMN run.seconds_waited IS 'Seconds that it waited for the quota.';

CREATE TABLE sample (
  sample_id INTEGER NOT NULL,
  n INTEGER NOT NULL,
  seed INTEGER NOT NULL,
  condition VARCHAR NOT NULL,
  assembly assembly_t NOT NULL,
  made_at TIMESTAMP NOT NULL
);
COMMENT ON TABLE sample IS 'One row per sample of variants that was drawn: the same n, seed and condition give the same variants to every scorer.';
COMMENT ON COLUMN sample.sample_id IS 'Number of the sample.';
COMMENT ON COLUMN sample.n IS 'Variants asked for.';
COMMENT ON COLUMN sample.seed IS 'Seed of the drawing.';
COMMENT ON COLUMN sample.condition IS 'SQL condition on candidates that they were drawn from; true for all.';
COMMENT ON COLUMN sample.assembly IS 'Assembly of the variants.';
COMMENT ON COLUMN sample.made_at IS 'When, UTC.';

CREATE TABLE sample_variant (
  sample_id INTEGER NOT NULL,
  assembly assembly_t NOT NULL,
  chrom chrom_t NOT NULL,
  pos INTEGER NOT NULL,
  ref VARCHAR NOT NULL,
  alt VARCHAR NOT NULL
);
COMMENT ON TABLE sample_variant IS 'One row per variant of a sample.';
COMMENT ON COLUMN sample_variant.sample_id IS 'The sample.';
COMMENT ON COLUMN sample_variant.assembly IS 'Assembly.';
COMMENT ON COLUMN sample_variant.chrom IS 'Chromosome.';
COMMENT ON COLUMN sample_variant.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN sample_variant.ref IS 'Reference allele.';
COMMENT ON COLUMN sample_variant.alt IS 'Alternative allele.';

CREATE TABLE replicate (
  computation_id VARCHAR NOT NULL,
  assembly assembly_t NOT NULL,
  chrom chrom_t NOT NULL,
  pos INTEGER NOT NULL,
  ref VARCHAR NOT NULL,
  alt VARCHAR NOT NULL,
  gene_id VARCHAR,
  track_id INTEGER,
  score DOUBLE NOT NULL CHECK (isfinite(score)),
  run_id INTEGER NOT NULL
);
COMMENT ON TABLE replicate IS 'One row per score that agdb audit computed again: it enters no analysis, it tells whether the provider repeats itself.';
COMMENT ON COLUMN replicate.computation_id IS 'The computation.';
COMMENT ON COLUMN replicate.assembly IS 'Assembly of the variant.';
COMMENT ON COLUMN replicate.chrom IS 'Chromosome of the variant.';
COMMENT ON COLUMN replicate.pos IS 'Position of the first base of REF, 1-based.';
COMMENT ON COLUMN replicate.ref IS 'Reference allele.';
COMMENT ON COLUMN replicate.alt IS 'Alternative allele.';
COMMENT ON COLUMN replicate.gene_id IS 'Gene, where genes are scored.';
COMMENT ON COLUMN replicate.track_id IS 'The track.';
COMMENT ON COLUMN replicate.score IS 'The score, computed again.';
COMMENT ON COLUMN replicate.run_id IS 'Run of the audit.';

ALTER TABLE source RENAME TO source_0004;
CREATE TABLE source (
  source_id INTEGER NOT NULL,
  kind VARCHAR NOT NULL CHECK (
    kind IN ('qtl', 'credible', 'variants', 'peaks', 'blacklist', 'genes', 'genome', 'chain', 'predictions',
             'tracks', 'blocks')
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
INSERT INTO source BY NAME FROM source_0004;
DROP TABLE source_0004;
COMMENT ON TABLE source IS 'One row per ingested file (and tissue, where a file holds several): what it is, its assembly, its sha256, and how many of its rows were kept.';
COMMENT ON COLUMN source.source_id IS 'Number of the source in this database, from 1.';
COMMENT ON COLUMN source.kind IS 'qtl, credible, variants, peaks, blacklist, genes, genome, chain, predictions, tracks or blocks.';
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
