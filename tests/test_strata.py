"""Strata: bins at their cuts, quantiles, and expressions of the user's; what is wrong is one clear error."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from conftest import Ask
from rows import insert
from studies import Study, add_fine_mapping, add_study, drawn, one, results, rho, score, with_effect

from agdb import db
from agdb.analysis import run, strata
from agdb.errors import UsageError


def strata_of(con: duckdb.DuckDBPyConnection, name: str) -> dict[str, int]:
    """Rows in each stratum, in the order of the results."""
    rows = results(con, stratify=(name,))
    own = name.partition("=")[0]
    return {r["stratum"]: r["n"] for r in rows if r["stratification"] == own and r["metric"] == "spearman"}


def bins(con: duckdb.DuckDBPyConnection, column: str, bin_: str) -> list[tuple[object, object]]:
    """Each value beside the bin that it falls in, in order."""
    return con.execute(f"SELECT {column}, {bin_} FROM analysed_qtl ORDER BY 1, 2").fetchall()


def few(**columns: object) -> Study:
    """As many associations as the longest column has values; other columns are made up."""
    n = max(len(values) for values in columns.values())  # type: ignore[arg-type]
    return replace(drawn(n, two_genes=0), **columns)  # type: ignore[arg-type]


def test_tss_distances_are_cut_at_3_12_and_35_kb_on_both_sides(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, few(tss_distance=np.array([-35_000, -34_999, -12_000, -3_000, -2_999, 0, 2_999, 3_000, 12_000])))
    assert bins(con, "tss_distance", "tss_bin") == [
        (-35_000, ">= 35 kb"), (-34_999, "12 to 35 kb"), (-12_000, "12 to 35 kb"), (-3_000, "3 to 12 kb"),
        (-2_999, "< 3 kb"), (0, "< 3 kb"), (2_999, "< 3 kb"), (3_000, "3 to 12 kb"), (12_000, "12 to 35 kb"),
    ]  # fmt: skip


def test_frequencies_are_cut_at_1_5_and_20_percent(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, few(maf=np.array([0.0099, 0.01, 0.0499, 0.05, 0.1999, 0.2, 0.5])))
    assert bins(con, "maf", "maf_bin") == [
        (0.0099, "< 0.01"), (0.01, "0.01 to 0.05"), (0.0499, "0.01 to 0.05"), (0.05, "0.05 to 0.2"),
        (0.1999, "0.05 to 0.2"), (0.2, ">= 0.2"), (0.5, ">= 0.2"),
    ]  # fmt: skip


def test_probabilities_to_be_causal_are_cut_at_1_10_50_and_90_percent(con: duckdb.DuckDBPyConnection) -> None:
    pip = np.array([0.0, 0.0099, 0.01, 0.1, 0.5, 0.9, 0.91, 1.0, np.nan])
    study = few(maf=np.full(9, 0.1))
    add_study(con, study)
    add_fine_mapping(con, study, pip)
    assert bins(con, "pip", "pip_bin") == [
        (0.0, "< 0.01"), (0.0099, "< 0.01"), (0.01, "0.01 to 0.1"), (0.1, "0.1 to 0.5"), (0.5, "0.5 to 0.9"),
        (0.9, "0.5 to 0.9"), (0.91, "> 0.9"), (1.0, "> 0.9"), (None, None),
    ]  # fmt: skip


def test_the_cuts_of_the_original_study_are_of_magnitudes(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, few(effect=np.array([-0.02, -0.01, -0.0005, 0.0, 0.0005, 0.0006, 0.01, 0.0101])))
    assert bins(con, "effect", "effect_cut") == [
        (-0.02, "> 0.01"), (-0.01, "0.0005 to 0.01"), (-0.0005, "<= 0.0005"), (0.0, "<= 0.0005"),
        (0.0005, "<= 0.0005"), (0.0006, "0.0005 to 0.01"), (0.01, "0.0005 to 0.01"), (0.0101, "> 0.01"),
    ]  # fmt: skip


def test_the_cuts_of_an_allelic_ratio_are_of_its_distance_from_a_half(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, few(effect=np.array([0.4, 0.495, 0.5, 0.6])), null_value=0.5)
    assert [b for _, b in bins(con, "effect", "effect_cut")] == ["> 0.01", "0.0005 to 0.01", "<= 0.0005", "> 0.01"]


def test_the_mhc_is_from_extended_class_i_to_class_ii_of_its_assembly(con: duckdb.DuckDBPyConnection) -> None:
    pos = np.array([28_510_119, 28_510_120, 33_480_577, 33_480_578])
    add_study(con, few(pos=pos, chrom=["chr6"] * 4))
    assert [b for _, b in bins(con, "pos", "in_mhc")] == [False, True, True, False]


def test_summits_are_cut_at_50_and_150_bases_and_the_nearest_counts(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    add_study(con, few(pos=np.array([1_001, 1_050, 1_051, 1_150, 1_151, 5_001]), chrom=["chr1"] * 6))
    peak = "peak (peak_id, source_id, biosample, assembly, chrom, chrom_start, chrom_end, signal_value, summit)"
    con.execute("INSERT INTO source (source_id, kind, format, name, assembly, path, sha256, bytes, run_id) "
                "VALUES (7, 'peaks', 'test', 'p', 'GRCh38', 'p', 's', 1, 1)")  # fmt: skip
    insert(con, peak, [[1, 7, "K562", "GRCh38", "chr1", 900, 1_300, 5.0, 1_000],
                       [2, 7, "K562", "GRCh38", "chr1", 950, 1_001, 9.0, 990]])  # fmt: skip
    assert ask("SELECT pos, summit_distance, summit_bin, peak_signal FROM analysed_qtl ORDER BY pos") == [
        (1_001, 0, "< 50 bp", 9.0), (1_050, 49, "< 50 bp", 5.0), (1_051, 50, "50 to 150 bp", 5.0),
        (1_150, 149, "50 to 150 bp", 5.0), (1_151, 150, ">= 150 bp", 5.0), (5_001, None, None, None),
    ]  # fmt: skip


def test_quartiles_of_magnitude_are_of_equal_size_and_in_order(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    rows = results(con, stratify=("effect_size",))
    assert [one(rows, stratum=f"Q{i}")["n"] for i in range(1, 5)] == [60] * 4
    distinct = with_effect(study, study.effect + np.linspace(0, 1e-4, 240))  # no ties: the quartile is plain
    quartile = np.argsort(np.argsort(np.abs(distinct.effect))) // 60
    con.execute("DELETE FROM qtl")
    con.execute("DELETE FROM source WHERE source_id = 1")
    add_study(con, distinct, scorer=None)
    found = one(results(con, stratify=("effect_size",)), stratum="Q4")
    assert found["estimate"] == pytest.approx(rho(distinct, quartile == 3))


def test_strata_come_in_the_order_of_their_numbers(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn(400))
    assert list(strata_of(con, "tss_distance")) == ["< 3 kb", "3 to 12 kb", "12 to 35 kb", ">= 35 kb"]
    assert list(strata_of(con, "maf")) == ["< 0.01", "0.01 to 0.05", "0.05 to 0.2", ">= 0.2"]
    assert list(strata_of(con, "score_decile")) == [f"D{i:02}" for i in range(1, 11)]


def test_rows_of_no_stratum_are_in_no_stratum(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    pip = np.where(np.arange(240) < 100, 0.95, np.nan)
    add_fine_mapping(con, study, pip)
    assert strata_of(con, "pip") == {"> 0.9": 100}


def test_a_stratification_that_no_row_is_in_has_no_results(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    assert strata_of(con, "pip") == {}
    assert strata_of(con, "peak") == {}


def test_every_stratification_that_is_known_can_be_computed(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    found = {row["stratification"] for row in results(con, stratify=None)}
    without = {"peak", "pip", "peak_signal", "summit_distance"}  # nothing of that kind is in this study
    assert found == set(strata.STRATA) - without


def test_an_expression_of_the_users_divides_the_rows(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    rows = results(con, stratify=("common=maf > 0.05",))
    own = study.maf > 0.05
    assert one(rows, stratum="true")["estimate"] == pytest.approx(rho(study, own))
    assert one(rows, stratum="false")["n"] == (~own).sum()


@pytest.mark.parametrize(
    "sql",
    [
        "analysed_qtl.kind",
        "ntile(2) OVER (ORDER BY analysed_qtl.maf, pos) = 1",
        "maf > (SELECT avg(x) FROM unnest([0.0, 0.1]) AS t(x) WHERE x < analysed_qtl.pos)",
    ],
)
def test_a_column_may_be_named_with_its_view(con: duckdb.DuckDBPyConnection, sql: str) -> None:
    """As a subquery has to; and rows of a subquery are no rows of ours."""
    study = drawn()
    add_study(con, study)
    score(con, study, "t", study.score[::-1], name="other")
    rows = results(con, stratify=(f"x={sql}",))
    assert sum(row["n"] for row in rows if (row["metric"], row["stratification"]) == ("spearman", "x")) == 2 * 240


def test_names_that_are_no_plain_numbers_are_strata_all_the_same(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    names = "['kb', '1.2.3', '', '> x bp', '< 9.9.9 kb', 'ENSG1.5']"
    assert len(strata_of(con, f"odd={names}[1 + pos // 40000 % 6]")) == 6


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour", "unknown stratification 'colour'"),
        ("maf >= 0.05", "cannot name a stratification"),
        ("all=maf > 0.05", "cannot name a stratification"),
        ("x=", "stratification x is not SQL"),
        ("x=maf >", "stratification x is not SQL"),
        ("x=colour > 3", "colour"),
        ("x=maf > 0.05, pip", "stratification x is not SQL"),
        ("x=count(*)", "stratification x is not SQL"),
        ("x=COLUMNS('p.*')", "columns, not one"),
        ("x=?", "stratification x is not SQL"),
        ("x=maf > 0.05 -- common", "stratification x is not SQL"),
        ("x=1; DROP TABLE qtl", "stratification x is not SQL"),
        ("x=1) FROM qtl; DROP TABLE qtl; SELECT (1", "stratification x is not SQL"),
        ("x=1) FROM qtl; COPY qtl TO 'stolen.csv'; SELECT (1", "stratification x is not SQL"),
        ("x=DROP TABLE qtl", "stratification x is not SQL"),
        ("x=random() > 0.5", "stratification x has another value every time: random"),
        ("x=if(maf > 0.1, uuid()::VARCHAR, 'b')", "stratification x has another value every time: uuid"),
        ("x=current_date > DATE '2020-01-01'", "stratification x has another value every time: current_date"),
        ("x=maf > (SELECT RANDOM())", "stratification x has another value every time: random"),
        ("x=unnest(['a', 'b'])", "stratification x cannot be asked row by row"),
        ("x=generate_subscripts([1, 2], 1)", "stratification x cannot be asked row by row"),
    ],
)
def test_what_is_no_expression_is_one_clear_error_and_nothing_runs(
    con: duckdb.DuckDBPyConnection, text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    add_study(con, drawn(8, two_genes=0))
    with pytest.raises(UsageError) as refused:
        results(con, stratify=(text,))
    assert message in refused.value.what
    assert refused.value.cure
    assert con.execute("SELECT count(*) FROM qtl").fetchall() == [(8,)]
    assert not (tmp_path / "stolen.csv").exists()


def test_an_expression_that_fails_on_a_row_says_so(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    with pytest.raises(UsageError, match="an expression fails on a row") as refused:
        results(con, stratify=("x=gene_id::INTEGER",))
    assert "try_cast" in str(refused.value.cure)


def test_an_expression_with_as_many_values_as_rows_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn(1_200, two_genes=0))
    with pytest.raises(UsageError, match="1,200 strata"):
        results(con, stratify=("x=pos",))


def test_two_stratifications_cannot_have_one_name(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn(8, two_genes=0))
    with pytest.raises(UsageError, match="'x' cannot name a stratification"):
        results(con, stratify=("x=maf > 0.05", "x=maf > 0.2"))


def test_small_and_constant_strata_have_a_reason_and_no_number(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn(two_genes=0)
    scores = np.where(np.asarray(study.chrom) == "chr2", 1.0, study.score)
    add_study(con, replace(study, score=scores))
    first = int(study.pos[0])
    rows = results(con, stratify=("chrom", f"two=if(pos <= {first + 40_000}, 'two', 'others')"))
    for metric in ("spearman", "pearson", "abs_spearman", "sign_auroc"):
        constant, small = one(rows, metric, "chr2"), one(rows, metric, "two")
        assert (constant["estimate"], constant["reason"]) == (None, "the effect or the score is constant")
        assert (small["n"], small["estimate"], small["reason"]) == (2, None, "n = 2: fewer than 3 rows")


def test_effects_of_one_sign_have_no_area_and_say_so(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    rows = results(con, stratify=("up=effect > 0",))
    found = one(rows, "sign_auroc", "true")
    assert (found["estimate"], found["reason"]) == (None, "all effects have one sign")
    assert one(rows, "sign_concordance", "true")["estimate"] is not None


def test_strata_are_of_the_rows_that_are_analysed_not_of_all(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn(two_genes=0)
    add_study(con, study, scorer=None)
    score(con, study, "s", study.score, only=range(80))
    assert Counter(strata_of(con, "effect_size")) == {"Q1": 20, "Q2": 20, "Q3": 20, "Q4": 20}


def test_a_stratification_of_the_users_is_kept_with_the_run(fresh_db: Path) -> None:
    with db.writing(fresh_db) as con:
        add_study(con, drawn())
    run_id = run.stats(fresh_db, run.Asked(label_sets=("all",), stratify=("common=maf > 0.05",), resamples=200))
    with db.reading(fresh_db) as con:
        (kept,) = con.execute("SELECT arguments->>'stratify' FROM run WHERE run_id = ?", [run_id]).fetchall()
    assert kept == ('["common=maf > 0.05"]',)


def test_what_was_asked_for_is_kept_whole(fresh_db: Path) -> None:
    """Also what is none: its default is another number."""
    with db.writing(fresh_db) as con:
        add_study(con, drawn(40, two_genes=0))
    asked = run.Asked(label_sets=("all",), stratify=(), resamples=200, shifts=0)
    run_id = run.stats(fresh_db, asked)
    with db.reading(fresh_db) as con:
        (kept,) = con.execute("SELECT arguments FROM run WHERE run_id = ?", [run_id]).fetchall()
    given: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in json.loads(kept[0]).items()}
    assert run.Asked(**given) == asked
