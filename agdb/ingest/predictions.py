"""Predictions that somebody else computed. `original`: the CSV of the original study, one row a variant and gene:

    variant_id,gene_id,slope,ref_score,alt_score,delta_pred

Its column `slope` is GTEx's `pval_nominal` (59 of the 59 rows that are lead pairs in the official Whole_Blood egenes
file equal it exactly, none equals the slope), so that is what it is read as. Scores belong to variants and are stored
once, labels belong to associations; the two meet again in view `scored_qtl`.
"""

from pathlib import Path

import duckdb

from agdb import db
from agdb.errors import Refused, UsageError
from agdb.ingest import reference, source, table, text, variants
from agdb.ingest.table import Rule
from agdb.predictors.contract import Scorer

FORMATS = ("original",)

ORIGINAL = {
    "variant_id": "VARCHAR", "gene_id": "VARCHAR", "slope": "DOUBLE", "ref_score": "DOUBLE", "alt_score": "DOUBLE",
    "delta_pred": "DOUBLE",
}  # fmt: skip

#: What the label column of the file may be taken for, with its unit.
EFFECTS = {
    "pval_nominal": ("p-value of slope = 0", None, 1.0),
    "slope": ("SD of inverse-normal expression per ALT allele", "ALT", 0.0),
    "none": (None, None, None),
}

REFUSED = [
    Rule("a score is missing", "ref_score IS NULL OR alt_score IS NULL OR delta_pred IS NULL", "variant_id",
         "predictions are complete or absent: leave the row out"),
    Rule("delta_pred is not alt_score - ref_score",
         "abs(delta_pred - (alt_score - ref_score)) > 1e-9 + 1e-6 * abs(delta_pred)",
         "variant_id", "a score is of ALT against REF; give the original file"),
    Rule("the label is missing", "slope IS NULL", "variant_id", "give the original file"),
    Rule("the gene is missing", "gene_id IS NULL", "variant_id", "give the original file"),
]  # fmt: skip


def original_scorer(window_bp: int) -> Scorer:
    """The original study's score: mean over `window_bp` positions and all 305 DNASE tracks, ALT minus REF."""
    return Scorer(
        name="original", model="alphagenome", model_version="2025-11", assembly=variants.ASSEMBLY, output_type="DNASE",
        window_bp=window_bp, mask_bp=None, aggregation="DIFF_MEAN", track_set="all", is_signed=True,
    )  # fmt: skip


def ingest(
    con: duckdb.DuckDBPyConnection, path: Path, format_: str, window_bp: int, tissue: str, effect: str = "pval_nominal"
) -> source.Loaded:
    """Import the scores of one file (and its labels, unless `effect` is `none`).

    Raises:
        UsageError: an unknown format or effect.
        Refused: the file is not what it has to be, holds another score for a variant that has one, or is of variants
            that the database does not know. The database is as before.
    """
    if format_ not in FORMATS or effect not in EFFECTS or window_bp < 1:
        raise UsageError(
            f"cannot import --format {format_} --window {window_bp} --effect {effect}",
            cure=f"--format {', '.join(FORMATS)}; --window in bp; --effect {', '.join(EFFECTS)}",
        )
    names = text.header(path, ",")
    text.require(path, names, list(ORIGINAL), "a prediction file of the original study")
    unit, allele, null = EFFECTS[effect]
    scorer = original_scorer(window_bp)
    draft = source.Draft(
        "predictions", f"original {window_bp} bp", path, variants.ASSEMBLY, tissue=tissue,
        effect=None if effect == "none" else effect, effect_unit=unit, effect_allele=allele, null_value=null,
    )  # fmt: skip
    digest = source.sha256(path)
    if seen := source.already(con, draft, digest):
        return seen
    with source.loading(con, draft, digest) as loaded:
        columns = table.Layout({n: ORIGINAL.get(n, table.IGNORED) for n in names}, delimiter=",")
        variants.stage(con, path, columns, loaded, [*REFUSED, *_label_rules(effect)], [])
        if effect == "none":
            _known_variants(con, path)
        else:
            variants.insert(con)
            loaded.notes += _insert_labels(con, loaded.source_id, tissue, effect)
            loaded.notes += reference.check_new(con, variants.ASSEMBLY)
        loaded.notes += _insert_scores(con, path, scorer, loaded.run_id)
    return loaded


def _label_rules(effect: str) -> list[Rule]:
    if effect != "pval_nominal":
        return []
    return [
        Rule("the label is not a p-value", "NOT (slope > 0 AND slope <= 1)", "slope::VARCHAR || ' of ' || variant_id",
             "if the column holds effects, say --effect slope")
    ]  # fmt: skip


def _known_variants(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    unknown = con.execute(
        f"SELECT count(*), min(s.vid) FROM (SELECT DISTINCT {variants.VARIANT_ID} AS vid FROM staged) AS s "
        f"ANTI JOIN variant AS v ON v.assembly = '{variants.ASSEMBLY}' AND v.variant_id = s.vid"
    ).fetchall()[0]
    if unknown[0]:
        raise Refused(
            f"{unknown[0]:,} predictions are for variants that the database does not know, e.g. {unknown[1]}",
            where=str(path),
            cure="ingest the QTL file first, or import the labels of this file with it (--effect pval_nominal)",
        )


def _insert_labels(con: duckdb.DuckDBPyConnection, source_id: int, tissue: str, effect: str) -> list[str]:
    """Store the labels as associations of this source, unless another file brought exactly the same ones."""
    con.execute(
        f"CREATE OR REPLACE TEMP VIEW imported_label AS "
        f"SELECT {variants.VARIANT_ID} AS variant_id, gene_id, slope AS {effect} FROM staged"
    )
    same = con.execute(
        "SELECT s.source_id, s.name FROM source AS s WHERE s.effect = ? AND s.tissue = ? AND s.kind = 'predictions' "
        "AND s.source_id <> ? AND (SELECT count(*) FROM qtl AS q WHERE q.source_id = s.source_id) "
        "= (SELECT count(*) FROM imported_label) ORDER BY s.source_id",
        [effect, tissue, source_id],
    ).fetchall()
    for other, name in same:
        differing = con.execute(
            f"SELECT count(*) FROM (FROM imported_label EXCEPT ALL "
            f"SELECT variant_id, gene_id, {effect} FROM qtl WHERE source_id = ?)",
            [other],
        ).fetchall()[0][0]
        if not differing:
            return [f"its labels are those of {name}, row for row: stored once"]
    con.execute(
        f"INSERT INTO qtl BY NAME SELECT ? AS source_id, '{variants.ASSEMBLY}' AS assembly, gene_id AS phenotype_id, "
        f"? AS tissue, * FROM imported_label",
        [source_id, tissue],
    )
    n = con.execute("SELECT count(*) FROM imported_label").fetchall()[0][0]
    return [f"column 'slope' was read as {effect}: {n:,} associations"]


def _insert_scores(con: duckdb.DuckDBPyConnection, path: Path, scorer: Scorer, run_id: int) -> list[str]:
    """Store one score a variant, refusing a file (or a database) that has two different ones."""
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE imported AS SELECT DISTINCT {variants.VARIANT_ID} AS variant_id, "
        "delta_pred AS score, ref_score AS ref_value, alt_score AS alt_value FROM staged"
    )
    clash = con.execute(
        "SELECT variant_id FROM imported GROUP BY variant_id HAVING count(*) > 1 UNION ALL "
        "SELECT i.variant_id FROM imported AS i "
        "JOIN prediction AS p ON p.scorer_id = ? AND p.variant_id = i.variant_id AND p.assembly = ? "
        "WHERE p.score <> i.score LIMIT 1",
        [scorer.scorer_id, scorer.assembly],
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
        "INSERT INTO prediction BY NAME SELECT ? AS scorer_id, ? AS assembly, i.*, 'import' AS provider, ? AS run_id "
        "FROM imported AS i ANTI JOIN prediction AS p "
        "ON p.scorer_id = ? AND p.variant_id = i.variant_id AND p.assembly = ?",
        [scorer.scorer_id, scorer.assembly, run_id, scorer.scorer_id, scorer.assembly],
    )
    new = _count(con, scorer) - before
    total = con.execute("SELECT count(*) FROM imported").fetchall()[0][0]
    what = f"{total:,} variants scored by {scorer.name} at {scorer.window_bp:,} bp"
    return [f"{what}; {total - new:,} were there already"]


def _count(con: duckdb.DuckDBPyConnection, scorer: Scorer) -> int:
    return int(con.execute("SELECT count(*) FROM prediction WHERE scorer_id = ?", [scorer.scorer_id]).fetchall()[0][0])
