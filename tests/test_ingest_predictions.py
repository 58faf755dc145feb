"""Predictions that somebody else computed: scores belong to variants, labels to associations."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import make
import pytest
from conftest import Ask

from agdb.errors import Refused, UsageError
from agdb.ingest import predictions, source
from agdb.ingest.preset import from_options
from agdb.ingest.variant_table import Options
from agdb.predictors.contract import Computation, Scorer

Connection = duckdb.DuckDBPyConnection


def load(
    con: Connection,
    path: Path,
    rows: list[make.Row],
    window: int = 2048,
    tissue: str = "Liver",
    effect: str = "pval_nominal",
) -> source.Loaded:
    return predictions.ingest_original(con, make.write(path, make.table(rows, sep=",")), window, tissue, effect)


def test_a_variant_of_two_genes_has_one_score_and_two_labels(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = make.original_rows()
    load(con, tmp_path / "a.csv", rows)
    scores = ask("SELECT variant_id(chrom, pos, ref, alt) || '_b38', score, ref_value, alt_value FROM prediction")
    wanted = {(r["variant_id"], *(float(r[n]) for n in ("delta_pred", "ref_score", "alt_score"))) for r in rows}
    assert sorted(scores) == sorted(wanted)
    assert len(scores) == 12
    labels = ask("SELECT variant_id || '_b38', gene_id, pval_nominal, slope FROM association")
    assert sorted(labels) == sorted((r["variant_id"], r["gene_id"], float(r["slope"]), None) for r in rows)
    assert ask("SELECT effect, effect_allele, null_value, tissue FROM source") == [("pval_nominal", None, 1.0, "Liver")]
    assert ask("SELECT name, window_bp, is_signed FROM scorer") == [("original", 2048, True)]


def test_columns_of_a_prediction_file_are_read_by_name(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = make.original_rows()
    path = make.write(tmp_path / "a.csv", make.table(rows, make.ORIGINAL[::-1], sep=","))
    predictions.ingest_original(con, path, 2048, "Liver")
    assert ask("SELECT max(score), max(alt_value) FROM prediction") == [
        (max(float(r["delta_pred"]) for r in rows), max(float(r["alt_score"]) for r in rows))
    ]


def test_the_same_labels_at_another_window_are_stored_once(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "a.csv", make.original_rows(), 2048)
    other = [{**r, "ref_score": "1.5", "alt_score": "1.75", "delta_pred": "0.25"} for r in make.original_rows()]
    loaded = load(con, tmp_path / "b.csv", other, 16384)
    assert "its labels are those of a.csv, row for row: stored once" in loaded.notes
    assert ask("SELECT count(*), count(DISTINCT source_id) FROM qtl") == [(24, 1)]
    assert ask("SELECT count(*), count(DISTINCT computation_id) FROM prediction") == [(24, 2)]


@pytest.mark.parametrize("what", ["a label", "a gene", "a row"])
def test_labels_that_differ_are_stored_apart(con: Connection, ask: Ask, tmp_path: Path, what: str) -> None:
    load(con, tmp_path / "a.csv", make.original_rows(), 2048)
    rows = make.original_rows()
    if what == "a label":
        rows[3]["slope"] = "0.5"
    elif what == "a gene":
        rows[3]["gene_id"] = "ENSG99999999999.1"
    else:
        rows.pop()
    load(con, tmp_path / "b.csv", rows, 16384)
    assert ask("SELECT count(*) FROM qtl GROUP BY source_id ORDER BY source_id") == [(24,), (len(rows),)]


def test_the_same_labels_of_another_tissue_are_stored_apart(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "a.csv", make.original_rows(), 2048, "Liver")
    load(con, tmp_path / "b.csv", make.original_rows()[::-1], 16384, "Lung")
    assert ask("SELECT tissue, count(*) FROM association GROUP BY 1 ORDER BY 1") == [("Liver", 24), ("Lung", 24)]


def test_the_same_scores_in_another_file_are_not_stored_again(con: Connection, ask: Ask, tmp_path: Path) -> None:
    load(con, tmp_path / "a.csv", make.original_rows())
    loaded = load(con, tmp_path / "b.csv", make.original_rows(26))
    assert loaded.notes[-1] == "13 variants scored by original at 2,048 bp; 12 were there already"
    assert ask("SELECT count(*), count(DISTINCT variant_id(chrom, pos, ref, alt)) FROM prediction") == [(13, 13)]


@pytest.mark.parametrize("where", ["in one file", "in two files"])
def test_two_different_scores_of_a_variant_are_refused(con: Connection, tmp_path: Path, where: str) -> None:
    rows = make.original_rows()
    if where == "in two files":
        load(con, tmp_path / "a.csv", rows)
    changed = {**rows[5], "alt_score": repr(float(rows[5]["ref_score"]) + 0.5), "delta_pred": "0.5"}
    new = [*rows[:5], changed, *rows[6:]] if where == "in one file" else [changed]
    before = make.rows_of(con)
    variant_id = changed["variant_id"].removesuffix("_b38")
    with pytest.raises(Refused, match=f"{variant_id} has two different scores of scorer original at 2,048 bp"):
        load(con, tmp_path / "b.csv", new)
    assert make.rows_of(con) == before


def test_p_values_given_as_slopes_are_refused_by_their_range_and_name(con: Connection, tmp_path: Path) -> None:
    before = make.rows_of(con)
    with pytest.raises(
        Refused, match=r"the column given as slope holds p-values, .* in 1e-09 to 0\.000332, .* probably pval_nominal"
    ):
        load(con, tmp_path / "a.csv", make.original_rows(), effect="slope")
    assert make.rows_of(con) == before


def test_slopes_given_as_slopes_are_taken(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = [{**r, "slope": repr((-1) ** i * 0.1 * i)} for i, r in enumerate(make.original_rows(), 1)]
    load(con, tmp_path / "a.csv", rows, effect="slope")
    assert sorted(ask("SELECT slope FROM qtl")) == sorted((float(r["slope"]),) for r in rows)


def test_slopes_given_as_p_values_are_refused_by_line(con: Connection, tmp_path: Path) -> None:
    rows = make.original_rows()
    rows[6]["slope"] = "-0.25"
    with pytest.raises(Refused, match=r"the label is not a p-value: -0\.25") as refusal:
        load(con, tmp_path / "a.csv", rows)
    assert refusal.value.where == f"{tmp_path / 'a.csv'}, line 8"


def test_scores_without_labels_need_known_variants(con: Connection, ask: Ask, tmp_path: Path) -> None:
    rows = make.original_rows(50)
    make.gtex(con, make.write(tmp_path / "pairs.txt", make.table(make.pairs_rows())), "Liver")
    before = make.rows_of(con)
    with pytest.raises(Refused, match=r"1 predictions are for variants .* not know, e\.g\. chr2_58_"):
        load(con, tmp_path / "a.csv", rows, effect="none")
    assert make.rows_of(con) == before
    load(con, tmp_path / "b.csv", rows[:48], effect="none")
    assert ask("SELECT count(*), (SELECT count(*) FROM qtl) FROM prediction") == [(24, 24)]


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("delta_pred", "0.9", "delta_pred is not alt_score - ref_score"),
        ("delta_pred", "", "a score is missing"),
        ("alt_score", "nan", "column 'alt_score' is not a finite number: nan"),
        ("slope", "", "the label is missing"),
        ("gene_id", "", "the gene is missing"),
        ("variant_id", "chr2_10_A_G", "the variant id has no build"),
    ],
)
def test_an_incomplete_prediction_is_refused_by_line(
    con: Connection, tmp_path: Path, column: str, value: str, said: str
) -> None:
    rows = make.original_rows()
    rows[9][column] = value
    before = make.rows_of(con)
    with pytest.raises(Refused, match=said) as refusal:
        load(con, tmp_path / "a.csv", rows)
    assert refusal.value.where == f"{tmp_path / 'a.csv'}, line 11"
    assert make.rows_of(con) == before


MINE = Computation("import", "mine", "", "", "", 1000, None, "", True)


@pytest.mark.parametrize("other", [{"is_signed": False}, {"output_type": "DNASE"}])
def test_the_same_scores_said_to_be_something_else_are_refused(
    con: Connection, tmp_path: Path, other: dict[str, Any]
) -> None:
    make.gtex(con, make.write(tmp_path / "pairs.txt", make.table(make.pairs_rows())), "Liver")
    path = make.write(tmp_path / "s.csv", make.table(make.original_rows(), sep=","))
    preset = from_options(["variant_id=variant_id,score=delta_pred"], kind="predictions", assembly="hg38")

    def again(computed: Computation) -> source.Loaded:
        return predictions.ingest(con, path, preset, Scorer("mine", (computed,)), Options())

    assert again(MINE).is_new
    assert not again(MINE).is_new
    with pytest.raises(Refused, match="this file is in the database already, as mine 1000 bp"):
        again(replace(MINE, **other))


@pytest.mark.parametrize(("window", "effect"), [(0, "none"), (1, "x")])
def test_an_unknown_window_or_effect_is_a_usage_error(
    con: Connection, tmp_path: Path, window: int, effect: str
) -> None:
    path = make.write(tmp_path / "a.csv", make.table(make.original_rows(), sep=","))
    with pytest.raises(UsageError, match="cannot import"):
        predictions.ingest_original(con, path, window, "Liver", effect)
