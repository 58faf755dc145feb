"""Predictions that somebody else computed: the CSV of the original study, or any table with a score a variant.

The original study's files are one row a variant and gene, with a column `slope` that is GTEx's `pval_nominal` (59 of
the 59 rows that are lead pairs in the official Whole_Blood egenes file equal it exactly, none equals the slope), so
that is what it is read as. Scores belong to variants and are stored once, labels belong to associations; the two meet
again in view `scored_qtl`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from agdb.errors import Refused, UsageError
from agdb.ingest import fields, reference, rows, scores, source, table, variants
from agdb.ingest import variant_table as vt
from agdb.ingest.effect import of_alt
from agdb.ingest.plan import Counts, Rule
from agdb.ingest.preset import Preset, named
from agdb.predictors.contract import Computation, Scorer
from agdb.schema import KEY, same

#: What the label column of an original file may be taken for: its unit, the allele it refers to, and its null value.
EFFECTS = {
    "pval_nominal": ("p-value", None, 1.0),
    "slope": ("sd", "alt", 0.0),
    "none": (None, None, None),
}

_DELTA = Rule(
    "delta", "delta_pred is not alt_score - ref_score",
    "abs(score - (alt_value - ref_value)) > 1e-9 + 1e-6 * abs(score)", "concat_ws('_', chrom, pos, ref, alt)",
    "a score is of ALT against REF; give the original file",
)  # fmt: skip
_INCOMPLETE = Rule(
    "incomplete", "a score is missing", "ref_value IS NULL OR alt_value IS NULL OR score IS NULL",
    "concat_ws('_', chrom, pos, ref, alt)", "predictions are complete or absent: leave the row out",
)  # fmt: skip
_NO_LABEL = Rule("no_label", "the label is missing", "label IS NULL", "concat_ws('_', chrom, pos, ref, alt)")
_NO_GENE = Rule("no_gene", "the gene is missing", "gene_id IS NULL", "concat_ws('_', chrom, pos, ref, alt)")
_NO_P_VALUE = Rule("not_a_p_value", "the label is not a p-value", "NOT (label > 0 AND label <= 1)",
                   "concat_ws(' of ', label, concat_ws('_', chrom, pos, ref, alt))",
                   "if the column holds effects, say --effect slope")  # fmt: skip


def original_scorer(window_bp: int) -> Scorer:
    """The original study's score: mean over `window_bp` positions and all 305 DNASE tracks, ALT minus REF."""
    computed = Computation(
        provider="import", model="alphagenome", model_version="2025-11", assembly="GRCh38", output_type="DNASE",
        window_bp=window_bp, mask_bp=None, aggregation="DIFF_MEAN", is_signed=True,
    )  # fmt: skip
    return Scorer("original", (computed,), track_set="all")


def ingest_original(
    con: duckdb.DuckDBPyConnection, path: Path, window_bp: int, tissue: str, effect: str = "pval_nominal"
) -> source.Loaded:
    """Import the scores of one file of the original study (and its labels, unless `effect` is `none`).

    Raises:
        UsageError: an unknown effect, or no window.
        Refused: the file is not what it has to be, holds another score for a variant that has one, or is of variants
            that the database does not know. The database is as before.
    """
    if effect not in EFFECTS or window_bp < 1:
        raise UsageError(f"cannot import with --window {window_bp} --effect {effect}",
                         cure=f"--window in bp; --effect {', '.join(EFFECTS)}")  # fmt: skip
    labels = [_NO_LABEL, *([_NO_P_VALUE] if effect == "pval_nominal" else [])]
    options = vt.Options(tissue=tissue)
    return _ingest(
        con, path, named("original"), original_scorer(window_bp), options, effect, [_INCOMPLETE, _DELTA, *labels]
    )


def ingest(
    con: duckdb.DuckDBPyConnection, path: Path, preset: Preset, scorer: Scorer, options: vt.Options
) -> source.Loaded:
    """Import the scores of one file, a score a variant (or variant and gene), as those of `scorer`.

    A score of REF against ALT (the preset's effect allele) is turned.

    Raises:
        UsageError: the preset maps no score.
        Refused: as `ingest_original`; or the name is that of another model version's scores.
    """
    if "score" not in {*preset.columns, *preset.derived}:
        raise UsageError("the column of the score is not said", cure="--map score=COLUMN,...")
    other = con.execute(
        "SELECT DISTINCT model_version FROM scorer WHERE name = ? AND window_bp = ? AND model_version <> ?",
        [scorer.name, scorer.of.window_bp, scorer.of.model_version],
    ).fetchall()
    if other:
        raise Refused(
            f"scorer {scorer.name} at {scorer.of.window_bp:,} bp is of model version {other[0][0]!r} here, and this "
            f"file is given as of {scorer.of.model_version!r}",
            where=str(path), cure="give it another --scorer name, or the right --model-version",
        )  # fmt: skip
    return _ingest(con, path, preset, scorer, options, "none", [])


def _ingest(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    preset: Preset,
    scorer: Scorer,
    options: vt.Options,
    effect: str,
    rules: list[Rule],
) -> source.Loaded:
    digest = source.sha256(path)
    unit, allele, null = EFFECTS[effect]
    with rows.opened(path) as file:
        read = vt.VariantTable(file, preset, preset.require(path, file.names), options)
        label = None if effect == "none" else effect
        draft = read.draft(
            con, "predictions", tissue=options.tissue, effect=label, effect_unit=unit, effect_allele=allele,
            null_value=null, qtl_type=preset.qtl_type if label else None,
        )  # fmt: skip
        draft = replace(draft, format=_format(scorer, preset))
        scorer = replace(scorer, computations=(replace(scorer.of, assembly=draft.assembly),))
        if seen := source.already(con, draft, digest):
            return seen
        with source.loading(con, draft, digest) as loaded:
            _collect(con, read, draft, loaded, rules, scorer.of.is_signed)
            if label is None:
                known_variants(con, path, draft.assembly)
            else:
                loaded.notes += _insert_labels(con, draft, loaded.source_id)
                variants.insert(con, "qtl", loaded.source_ids)
                loaded.notes += reference.check_new(con, draft.assembly)
            loaded.notes += _insert_scores(con, path, scorer, loaded.run_id)
    return loaded


def _format(scorer: Scorer, preset: Preset) -> str:
    """What the scores of a file are taken for: the same file cannot be it in two ways."""
    computed = scorer.of
    of_file = [computed.output_type, "" if computed.is_signed else "unsigned", preset.format]
    more = [] if preset.is_shipped else [f", {word}" for word in of_file if word]
    return "".join([f"{scorer.name} {computed.window_bp} bp", *more])


def _collect(
    con: duckdb.DuckDBPyConnection,
    read: vt.VariantTable,
    draft: source.Draft,
    loaded: source.Loaded,
    rules: list[Rule],
    is_signed: bool,
) -> None:
    there = read.fields
    score, score_rules = of_alt(read.preset, read.columns, 0.0, of="score", is_signed=is_signed)
    quantile, _ = of_alt(read.preset, read.columns, 0.0, of="quantile", is_signed=is_signed)
    optional = [f for f in ("gene_id", "label", "ref_value", "alt_value") if f in there]
    select = {f: f for f in optional} | quantile | score
    held = fields.rules(["score"], is_strict=read.preset.is_strict)
    rules = [*score_rules, *(rules or held), *([_NO_GENE] if "label" in there else [])]
    loaded.take(collect(con, read, draft, loaded.source_id, select, rules), read.rows)


def collect(
    con: duckdb.DuckDBPyConnection,
    read: vt.VariantTable,
    draft: source.Draft,
    source_id: int,
    select: Mapping[str, str],
    rules: Sequence[Rule],
) -> Counts:
    """Read the file into temp table `imported`: the variant, and the columns of `select`."""
    con.execute("DROP TABLE IF EXISTS temp.imported")

    def store() -> None:
        columns = ", ".join([*KEY[1:], *select])
        exists = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'imported'").fetchall()[0][0]
        how = "INSERT INTO imported" if exists else "CREATE TEMP TABLE imported AS"
        con.execute(f"{how} SELECT {columns} FROM staged")

    return table.load(con, read.rows, read.plan(con, draft, select, rules), str(source_id), store,
                      read.options.progress)  # fmt: skip


def known_variants(con: duckdb.DuckDBPyConnection, path: Path, assembly: str) -> None:
    """Refuse scores of variants that the database does not know."""
    unknown = con.execute(
        "SELECT count(*), min(variant_id(i.chrom, i.pos, i.ref, i.alt)) FROM "
        "(SELECT DISTINCT ?::assembly_t AS assembly, chrom, pos, ref, alt FROM imported) AS i "
        f"ANTI JOIN variant AS v ON {same('v', 'i')}",
        [assembly],
    ).fetchall()[0]
    if unknown[0]:
        raise Refused(
            f"{unknown[0]:,} predictions are for variants that the database does not know, e.g. {unknown[1]}",
            where=str(path),
            cure="ingest the QTL file or the list of variants first (agdb ingest qtl, agdb ingest variants)",
        )


def _insert_labels(con: duckdb.DuckDBPyConnection, draft: source.Draft, source_id: int) -> list[str]:
    """Store the labels as associations of this source, unless another file brought exactly the same ones."""
    label = f"SELECT chrom, pos, ref, alt, gene_id, label AS {draft.effect} FROM imported"
    others = con.execute(
        "SELECT s.source_id, s.name FROM source AS s WHERE s.effect = ? AND s.tissue = ? AND s.kind = 'predictions' "
        "AND s.source_id <> ? AND (SELECT count(*) FROM qtl AS q WHERE q.source_id = s.source_id) "
        "= (SELECT count(*) FROM imported) ORDER BY s.source_id",
        [draft.effect, draft.tissue, source_id],
    ).fetchall()
    for other, name in others:
        differing = con.execute(
            f"SELECT count(*) FROM ({label} EXCEPT ALL "
            f"SELECT chrom, pos, ref, alt, gene_id, {draft.effect} FROM qtl WHERE source_id = ?)",
            [other],
        ).fetchall()[0][0]
        if not differing:
            return [f"its labels are those of {name}, row for row: stored once"]
    con.execute(f"INSERT INTO qtl BY NAME SELECT ? AS source_id, ?::assembly_t AS assembly, * FROM ({label})",
                [source_id, draft.assembly])  # fmt: skip
    n = con.execute("SELECT count(*) FROM imported").fetchall()[0][0]
    return [f"column 'slope' was read as {draft.effect}: {n:,} associations"]


def _insert_scores(con: duckdb.DuckDBPyConnection, path: Path, scorer: Scorer, run_id: int) -> list[str]:
    """Store one score a variant (and gene)."""
    has = {name for (name,) in con.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = 'imported'").fetchall()}  # fmt: skip
    gene = "gene_key(gene_id)" if "gene_id" in has and "label" not in has else "NULL::VARCHAR"
    values = ", ".join(f if f in has else f"NULL::DOUBLE AS {f}" for f in ("ref_value", "alt_value", "quantile"))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE scores AS SELECT DISTINCT ? AS computation_id, ?::assembly_t AS assembly, chrom, "
        f"pos, ref, alt, {gene} AS gene_id, NULL::INTEGER AS track_id, score, {values} FROM imported",
        [scorer.of.computation_id, scorer.of.assembly],
    )
    total = con.execute("SELECT count(*) FROM scores").fetchall()[0][0]
    repeated = scores.store(con, path, [scorer], scorer.track_set, run_id)
    return [
        f"{total:,} variants scored by {scorer.name} at {scorer.of.window_bp:,} bp; {repeated:,} were there already"
    ]
