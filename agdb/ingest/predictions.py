"""Predictions that somebody else computed: the CSV of the original study, or any table with a score a variant.

The original study's files are one row a variant and gene, with a column `slope` that is GTEx's `pval_nominal` (59 of
the
59 rows that are lead pairs in the official Whole_Blood egenes file equal it exactly, none equals the slope), so that is
what it is read as. Scores belong to variants and are stored once, labels belong to associations; the two meet again in
view `scored_qtl`.
"""

from dataclasses import replace
from pathlib import Path

import duckdb

from agdb import db
from agdb.errors import Refused, UsageError
from agdb.ingest import fields, reference, rows, source, table, variants
from agdb.ingest import variant_table as vt
from agdb.ingest.preset import Preset, named
from agdb.ingest.table import Rule
from agdb.predictors.contract import Scorer

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
    return Scorer(
        name="original", model="alphagenome", model_version="2025-11", assembly="GRCh38", output_type="DNASE",
        window_bp=window_bp, mask_bp=None, aggregation="DIFF_MEAN", track_set="all", is_signed=True,
    )  # fmt: skip


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
        Refused: as `ingest_original`.
    """
    if "score" not in {*preset.columns, *preset.derived}:
        raise UsageError("the column of the score is not said", cure="--map score=COLUMN,...")
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
        draft = replace(draft, format=f"{scorer.name} {scorer.window_bp} bp")
        scorer = replace(scorer, assembly=draft.assembly)
        if seen := source.already(con, draft, digest):
            return seen
        with source.loading(con, draft, digest) as loaded:
            _collect(con, read, draft, loaded, rules)
            if label is None:
                _known_variants(con, path, draft.assembly)
            else:
                loaded.notes += _insert_labels(con, draft, loaded.source_id)
                variants.insert(con, "qtl", loaded.source_ids)
                loaded.notes += reference.check_new(con, draft.assembly)
            loaded.notes += _insert_scores(con, path, scorer, loaded.run_id)
    return loaded


def _collect(
    con: duckdb.DuckDBPyConnection, read: vt.VariantTable, draft: source.Draft, loaded: source.Loaded, rules: list[Rule]
) -> None:
    """Read the file into temp table `imported`: key, gene, label, score and values."""
    there = {*read.columns, *read.preset.derived}
    score, score_rules = vt.effect_of_alt(read.preset, read.columns, 0.0, of="score")
    optional = [
        f if f in there else None for f in ("gene_id", "label", "ref_value", "alt_value", "quantile", "track_id")
    ]
    select = {f: f for f in optional if f} | score
    held = fields.rules(["score"], is_strict=read.preset.is_strict)
    plan = read.plan(con, draft, select, [*(rules or held), *score_rules, *([_NO_GENE] if "label" in there else [])])
    con.execute("DROP TABLE IF EXISTS temp.imported")

    def store() -> None:
        columns = ", ".join([*variants.KEY[1:], *select])
        exists = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'imported'").fetchall()[0][0]
        how = "INSERT INTO imported" if exists else "CREATE TEMP TABLE imported AS"
        con.execute(f"{how} SELECT {columns} FROM staged")

    loaded.take(table.load(con, read.rows, plan, str(loaded.source_id), store, read.options.progress), read.rows)


def _known_variants(con: duckdb.DuckDBPyConnection, path: Path, assembly: str) -> None:
    unknown = con.execute(
        "SELECT count(*), min(variant_id(i.chrom, i.pos, i.ref, i.alt)) FROM "
        "(SELECT DISTINCT ?::assembly_t AS assembly, chrom, pos, ref, alt FROM imported) AS i "
        f"ANTI JOIN variant AS v ON {variants.same('v', 'i')}",
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
    same = con.execute(
        "SELECT s.source_id, s.name FROM source AS s WHERE s.effect = ? AND s.tissue = ? AND s.kind = 'predictions' "
        "AND s.source_id <> ? AND (SELECT count(*) FROM qtl AS q WHERE q.source_id = s.source_id) "
        "= (SELECT count(*) FROM imported) ORDER BY s.source_id",
        [draft.effect, draft.tissue, source_id],
    ).fetchall()
    for other, name in same:
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
    """Store one score a variant (and gene), refusing a file (or a database) that has two different ones.

    A variant that was turned to the genome's alleles takes its score with it, turned too where it is signed.
    """
    has = {name for (name,) in con.execute(
        "SELECT column_name FROM duckdb_columns() WHERE table_name = 'imported'").fetchall()}  # fmt: skip
    of_gene = "gene_id" if "gene_id" in has and "label" not in has else "NULL::VARCHAR AS gene_id"
    values = ", ".join(f if f in has else f"NULL AS {f}" for f in ("ref_value", "alt_value", "quantile", "track_id"))
    con.execute(
        "CREATE OR REPLACE TEMP TABLE scores AS SELECT DISTINCT ?::assembly_t AS assembly, chrom, pos, ref, alt, "
        f"{of_gene}, score, {values} FROM imported",
        [scorer.assembly],
    )
    _turn_with_its_variant(con, scorer)
    same = f"p.scorer_id = ? AND {variants.same('p', 'i')} AND p.gene_id IS NOT DISTINCT FROM i.gene_id"
    clash = con.execute(
        "SELECT variant_id(chrom, pos, ref, alt) FROM scores GROUP BY chrom, pos, ref, alt, gene_id HAVING count(*) "
        "> 1 "
        "UNION ALL SELECT variant_id(i.chrom, i.pos, i.ref, i.alt) FROM scores AS i JOIN prediction AS p "
        f"ON {same} WHERE p.score <> i.score LIMIT 1",
        [scorer.scorer_id],
    ).fetchall()
    if clash:
        raise Refused(
            f"{clash[0][0]} has two different scores of scorer {scorer.name} at {scorer.window_bp:,} bp",
            where=str(path),
            cure="is --window the window of this file? the same scorer gives the same variant one score",
        )
    db.add_scorer(con, scorer.row)
    before = _count(con, scorer)
    con.execute(
        "INSERT INTO prediction BY NAME SELECT ? AS scorer_id, i.*, 'import' AS provider, ? AS run_id "
        f"FROM scores AS i ANTI JOIN prediction AS p ON {same}",
        [scorer.scorer_id, run_id, scorer.scorer_id],
    )
    new = _count(con, scorer) - before
    total = con.execute("SELECT count(*) FROM scores").fetchall()[0][0]
    what = f"{total:,} variants scored by {scorer.name} at {scorer.window_bp:,} bp"
    return [f"{what}; {total - new:,} were there already"]


def _turn_with_its_variant(con: duckdb.DuckDBPyConnection, scorer: Scorer) -> None:
    """Give scores of swapped or complemented alleles the alleles of the genome, as their associations have got them."""
    rc = "translate(reverse({0}), 'ACGT', 'TGCA')"
    sign = "-" if scorer.is_signed else ""
    for status, ref, alt, is_swapped in (
        ("swapped", "s.alt", "s.ref", True), ("strand", rc.format("s.ref"), rc.format("s.alt"), False),
        ("strand_swapped", rc.format("s.alt"), rc.format("s.ref"), True),
    ):  # fmt: skip
        turned = (f", score = {sign}score, quantile = {sign}quantile, ref_value = alt_value, alt_value = ref_value"
                  if is_swapped else "")  # fmt: skip
        con.execute(f"UPDATE scores AS s SET ref = {ref}, alt = {alt}{turned} FROM variant AS v "
                    f"WHERE {variants.same('v', 's')} AND v.ref_status = ?", [status])  # fmt: skip


def _count(con: duckdb.DuckDBPyConnection, scorer: Scorer) -> int:
    return int(con.execute("SELECT count(*) FROM prediction WHERE scorer_id = ?", [scorer.scorer_id]).fetchall()[0][0])
