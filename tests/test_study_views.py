"""What the original study's numbers are made of: shares of indels, power, effects counted from what means none."""

from dataclasses import replace

import duckdb
import numpy as np
import pytest
from conftest import Ask
from scipy import stats
from studies import add_study, drawn, one, results, score

from agdb.statistics import power


def test_shares_of_a_kind_are_those_of_its_rows_and_squared_scores(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study = drawn()
    add_study(con, study)
    own = np.array([alt != "C" for alt in study.alt])
    squares = study.score**2
    found = ask("SELECT n, share_of_rows, share_of_squares, score_sd FROM kind_share WHERE kind = 'insertion'")
    assert found == [
        (own.sum(), pytest.approx(own.mean()), pytest.approx(squares[own].sum() / squares.sum()),
         pytest.approx(study.score[own].std(ddof=1)))
    ]  # fmt: skip


def test_shares_of_all_kinds_add_up_to_1_in_every_label_set_and_scorer(
    con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    study = drawn()
    add_study(con, study)
    add_study(con, study, 2, tissue="Liver", scorer=None)
    score(con, study, "t", -2 * study.score, window_bp=200)
    totals = ask(
        "SELECT sum(share_of_rows), sum(share_of_squares) FROM kind_share GROUP BY source_id, label, scorer_id"
    )
    assert totals == [(pytest.approx(1), pytest.approx(1))] * 4


def test_scores_that_are_all_0_have_no_share_of_squares(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    add_study(con, replace(drawn(), score=np.zeros(240)))
    assert ask("SELECT DISTINCT share_of_squares FROM kind_share") == [(None,)]


@pytest.mark.parametrize("z", [-40.0, -3.0, -1e-9, 0.0, 0.3, 1.0, 1.959963984540054, 5.0, 20.0, 37.0])
def test_the_tail_of_the_normal_distribution_is_right_to_seven_digits(ask: Ask, z: float) -> None:
    assert ask("SELECT normal_tail(?)", z) == [(pytest.approx(float(stats.norm.sf(z)), rel=1.3e-7),)]


def test_nothing_has_no_tail(ask: Ask) -> None:
    assert ask("SELECT normal_tail(NULL)") == [(None,)]


@pytest.mark.parametrize("alpha", [0.05, 0.001])
@pytest.mark.parametrize("n", [4, 59, 1_000, 107_229])
@pytest.mark.parametrize("r", [0.0, 0.01, -0.1, 0.5])
def test_power_is_that_of_the_statistics(ask: Ask, r: float, n: int, alpha: float) -> None:
    expected = float(power.correlation_power(r, n, alpha))
    assert ask("SELECT correlation_power(?, ?, alpha := ?)", r, n, alpha) == [(pytest.approx(expected, rel=1e-6),)]


@pytest.mark.parametrize("n", [0, 3])
def test_three_rows_have_no_power_to_speak_of(ask: Ask, n: int) -> None:
    assert ask("SELECT correlation_power(0.5, ?)", n) == [(None,)]


def test_the_power_of_a_study_is_that_of_its_rows(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    add_study(con, drawn())
    found = ask("SELECT n, detectable, power_for_001, power_for_005, power_for_01 FROM study_power")
    powers = (pytest.approx(float(power.correlation_power(r, 240)), rel=1e-6) for r in (0.01, 0.05, 0.1))
    assert found == [(240, pytest.approx(float(np.tanh(2.8015852 / np.sqrt(237))), rel=1e-6), *powers)]


def test_quartiles_of_allelic_ratios_are_cut_by_their_distance_from_one_half(
    con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    study = drawn(8, two_genes=0)
    ratios = np.array([0.1, 0.2, 0.3, 0.4, 0.51, 0.62, 0.73, 0.84])
    add_study(con, replace(study, effect=ratios), null_value=0.5)
    found = ask("SELECT stratum, n, effect_abs_min, effect_abs_max FROM stratum_effect_size ORDER BY stratum")
    assert found == [
        (quartile, 2, pytest.approx(low), pytest.approx(high))
        for quartile, low, high in (
            ("Q1", 0.01, 0.1), ("Q2", 0.12, 0.2), ("Q3", 0.23, 0.3), ("Q4", 0.34, 0.4))]  # fmt: skip


def test_the_size_of_a_p_value_is_the_p_value(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study = drawn(8, two_genes=0)
    add_study(con, replace(study, effect=np.arange(1, 9) / 1e5), label="pval_nominal", null_value=1)
    assert ask("SELECT effect_abs_min, effect_abs_max FROM stratum WHERE stratification = 'all'") == [(1e-5, 8e-5)]


def test_quartiles_are_those_of_agdb_stats(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study = drawn()
    add_study(con, replace(study, effect=np.clip(study.effect / 8 + 0.5, 0, 1)), null_value=0.5)
    of_view = ask("SELECT spearman FROM stratum_effect_size ORDER BY stratum")
    found = results(con, stratify=("effect_size",))
    estimates = [one(found, stratum=f"Q{q}")["estimate"] for q in (1, 2, 3, 4)]
    assert of_view == [(pytest.approx(estimate, abs=1e-12),) for estimate in estimates]
