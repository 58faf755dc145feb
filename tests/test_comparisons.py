"""Scorers against each other on the same rows, strata against each other, and what is said of it in words."""

from dataclasses import replace

import duckdb
import numpy as np
import pytest
from scipy import stats
from studies import Floats, Study, add_study, drawn, one, results, rho, score

from agdb.analysis.paired import Versus, verdict
from agdb.analysis.results import Result
from agdb.statistics import meng_pvalue, zou_difference


def noisy(study: Study, share: float, seed: int = 9) -> Floats:
    """Scores of the variants with noise: of one variant the same."""
    noise = np.random.default_rng(seed).standard_normal(int(study.variant.max()) + 1)
    return (1 - share) * study.score + share * noise[study.variant]


def compared(rows: list[Result], **wanted: object) -> list[Result]:
    """Paired differences of scorers."""
    return [row for row in rows if row["versus"] is not None and row["stratification"] == "all"
            and all(row[name] == value for name, value in wanted.items())]  # fmt: skip


def test_two_windows_are_compared_on_the_rows_that_both_scored(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    other, only = noisy(study, 0.5), list(range(30, 170))
    score(con, study, "t", other, window_bp=200, only=only)
    own = np.isin(study.variant, only)
    (found,) = compared(results(con))
    assert found["n"] == own.sum()
    assert found["estimate"] == pytest.approx(rho(study, own) - rho(study, own, other), abs=1e-12)
    assert (found["metric"], found["window_bp"], found["versus"]) == (
        "spearman_difference", 100, "scorer 200 bp (t)")  # fmt: skip


def test_the_difference_is_that_of_the_view(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    score(con, study, "t", noisy(study, 0.5), window_bp=200)
    (found,) = compared(results(con))
    view = con.execute("SELECT n, difference FROM window_comparison").fetchall()
    assert [(found["n"], pytest.approx(found["estimate"], abs=1e-12))] == view


def test_zou_and_meng_stand_beside_it(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    other = noisy(study, 0.5)
    score(con, study, "t", other, window_bp=200)
    (found,) = compared(results(con))
    between = stats.spearmanr(study.score, other).statistic
    zou = zou_difference(rho(study), rho(study, score=other), between, 240)
    assert (found["analytic_low"], found["analytic_high"]) == pytest.approx((float(zou.low), float(zou.high)))
    assert found["analytic_p"] == pytest.approx(float(meng_pvalue(rho(study), rho(study, score=other), between, 240)))


def test_the_interval_of_a_difference_is_about_that_of_resampled_clusters_ranked_anew(
    con: duckdb.DuckDBPyConnection,
) -> None:
    study = drawn(400, seed=3)
    add_study(con, study)
    other = noisy(study, 0.4)
    score(con, study, "t", other, window_bp=200)
    (found,) = compared(results(con, resamples=2_000))
    place = np.unique([f"{c} {(p - 1) // 1_000_000}" for c, p in zip(study.chrom, study.pos, strict=True)],
                      return_inverse=True)[1]  # fmt: skip
    by_cluster = [np.flatnonzero(place == c) for c in range(place.max() + 1)]
    rng, anew = np.random.default_rng(0), []
    for _ in range(500):
        rows = np.concatenate([by_cluster[c] for c in rng.integers(len(by_cluster), size=len(by_cluster))])
        ranked = [stats.rankdata(v[rows]) for v in (study.effect, study.score, other)]
        r = np.corrcoef(ranked)
        anew.append(r[0, 1] - r[0, 2])
    assert found["se"] == pytest.approx(np.std(anew, ddof=1), rel=0.15)
    half = stats.t.ppf(0.975, len(by_cluster) - 1) * found["se"]
    assert found["ci_high"] - found["ci_low"] == pytest.approx(2 * half, rel=0.15)
    assert found["detectable"] == pytest.approx(
        (found["ci_high"] - found["ci_low"]) / 2 * 2.801585 / 1.959964, rel=1e-5
    )


def test_a_scorer_is_not_different_from_one_that_ranks_alike(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    score(con, study, "t", 3 * study.score + 1, window_bp=200)
    (found,) = compared(results(con))
    assert (found["estimate"], found["ci_low"], found["p"]) == (0, None, None)
    assert found["reason"] is not None


def test_many_windows_are_tested_jointly(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    for i, share in enumerate((0.1, 0.5, 0.9)):
        score(con, study, f"t{i}", noisy(study, share, seed=i), window_bp=200 + i)
    found = compared(results(con))
    assert len(found) == 6
    assert all("max-T over all 6 pairs" in row["method"] for row in found)
    assert all(1 / 201 <= row["q"] <= 1 for row in found)
    by_t = sorted(found, key=lambda row: -abs(row["estimate"]) / row["se"])
    assert [row["q"] for row in by_t] == sorted(row["q"] for row in found)


def test_scorers_of_two_families_are_compared_two_and_two(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    score(con, study, "t", noisy(study, 0.5), name="other")
    (found,) = compared(results(con))
    assert (found["scorer"], found["versus"]) == ("other", "scorer 100 bp (s)")
    assert found["estimate"] == pytest.approx(rho(study, score=noisy(study, 0.5)) - rho(study))


def test_where_one_score_has_no_direction_magnitudes_are_compared(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    other = np.abs(noisy(study, 0.5))
    score(con, study, "t", other, name="unsigned", is_signed=False)
    (found,) = compared(results(con))
    magnitude = np.abs(study.effect)
    expected = [stats.spearmanr(magnitude, v).statistic for v in (np.abs(study.score), other)]
    assert found["metric"] == "abs_spearman_difference"
    assert found["estimate"] == pytest.approx(expected[0] - expected[1])


def test_windows_without_a_row_in_common_have_a_reason_and_no_number(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn(40, two_genes=0)
    add_study(con, study, scorer=None)
    score(con, study, "s", study.score, only=range(20))
    score(con, study, "t", study.score, window_bp=200, only=range(20, 40))
    (found,) = compared(results(con))
    assert (found["n"], found["estimate"], found["reason"]) == (0, None, "n = 0: fewer than 4 rows")


def test_a_constant_scorer_cannot_be_compared_and_says_so(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    score(con, study, "t", np.ones(240), window_bp=200)
    (found,) = compared(results(con))
    assert (found["estimate"], found["reason"]) == (None, "the effect or a score is constant")


# Strata against each other


def test_strata_differ_by_a_test_of_their_difference(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    rows = results(con, stratify=("kind",))
    found = one(rows, "spearman_difference", "SNV", versus="insertion")
    is_snv = np.array([a == "C" for a in study.alt])
    assert found["estimate"] == pytest.approx(rho(study, is_snv) - rho(study, ~is_snv), abs=1e-12)
    assert found["n"] == 240
    assert found["ci_low"] < found["estimate"] < found["ci_high"]


def test_two_strata_have_the_same_p_value_jointly(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn(rho=0.1))
    rows = results(con, stratify=("kind",), resamples=2_000)
    jointly = one(rows, "heterogeneity", "2 strata")
    (pair,) = [row for row in rows if row["metric"] == "spearman_difference"]
    assert jointly["p"] == pair["p"]


def test_a_planted_difference_between_strata_is_found_and_none_is_not(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn(600, rho=0.5, two_genes=0)
    first = study.variant % 2 == 0
    turned = np.where(first, study.score, -study.score)
    add_study(con, replace(study, score=turned))
    halves, thirds = "half=CASE WHEN pos % 80000 < 40000 THEN 'a' ELSE 'b' END", "third=pos // 40000 % 3"
    rows = results(con, stratify=(halves, thirds))
    found = one(rows, "heterogeneity", "2 strata", stratification="half")
    assert found["p"] == 1 / (1 + found["resamples"])  # no flip is as far: the least that there is
    assert one(rows, "heterogeneity", "3 strata", stratification="third")["p"] > 0.01


def test_many_strata_have_the_joint_test_alone(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    rows = results(con, stratify=("score_decile",))
    found = [row["metric"] for row in rows if row["stratification"] == "score_decile" and row["versus"] is not None]
    assert found == []
    assert one(rows, "heterogeneity", "10 strata")["n"] == 240


# Words


def told(**values: float | str | None) -> str:
    """The verdict on a difference that is stored so."""
    return verdict({"estimate": 0.05, "ci_low": -0.015, "ci_high": 0.115, "detectable": 0.09, "reason": None} | values)


def test_an_interval_that_holds_0_is_no_detectable_difference_with_what_would_have_been() -> None:
    assert told() == (
        "no detectable difference: +0.050, 95 % CI -0.015 to +0.115; smallest difference detectable 0.090"
    )


def test_an_interval_without_0_is_a_difference() -> None:
    assert told(ci_low=0.01) == "a difference: +0.050, 95 % CI +0.010 to +0.115"
    assert told(estimate=-0.05, ci_low=-0.1, ci_high=-0.01).startswith("a difference: -0.050")


@pytest.mark.parametrize("missing", ["estimate", "ci_low"])
def test_without_an_interval_there_is_no_verdict_but_the_reason(missing: str) -> None:
    assert told(**{missing: None}, reason="too few clusters") == "no verdict: too few clusters"


@pytest.mark.parametrize("name", ["motif", "my scorer (v2)", "a@2048 bp"])
def test_the_second_scorer_of_a_comparison_is_read_as_it_was_written(name: str) -> None:
    of = Versus(name, 1_048_576, "0123abc")
    assert str(of) == f"{name} 1,048,576 bp (0123abc)"
    assert Versus.parse(str(of)) == of
