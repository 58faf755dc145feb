"""Correlations with shrunken effects: numbers where the source was tested whole or cut at a threshold, else reasons."""

from dataclasses import replace

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats
from studies import Study, add_study, drawn, of_rows, one, results, rho, with_effect

from agdb.statistics.shrinkage import conditional_likelihood, fiqt, picked_below, without_curse

Floats = NDArray[np.float64]


def all_pairs(n: int = 600, *, share_real: float = 0.2, seed: int = 0) -> Study:
    """All pairs that were tested: a fifth have an effect, which goes with the score; p is that of slope / se."""
    rng = np.random.default_rng(seed)
    study = drawn(n, two_genes=0, seed=seed)
    se = study.slope_se
    true = np.where(rng.random(n) < share_real, study.score, 0)
    effect = true + se * rng.standard_normal(n)
    return replace(study, effect=effect, pval_nominal=2 * stats.norm.sf(np.abs(effect / se)))


def without(con: duckdb.DuckDBPyConnection, study: Study, threshold: float | None = None) -> dict[str, object]:
    """Both results of the study, by metric."""
    add_study(con, study)
    if threshold is not None:
        con.execute("UPDATE qtl SET pval_nominal_threshold = ?", [threshold])
    rows = results(con, shifts=0)
    return {name: one(rows, name) for name in ("spearman_fiqt", "spearman_conditional", "spearman")}


# The functions


@settings(max_examples=60)
@given(st.lists(st.floats(-8, 8).map(lambda z: round(z, 3)), min_size=1, max_size=40))
def test_effects_without_curse_are_their_standard_errors_times_fiqt(z: list[float]) -> None:
    zs = np.array(z)
    p = 2 * stats.norm.sf(np.abs(zs))
    assert without_curse(0.3 * zs, p, p) == pytest.approx(0.3 * fiqt(zs), abs=1e-9)


def test_some_of_the_tested_pairs_are_shrunken_as_among_all() -> None:
    study = all_pairs()
    every = without_curse(study.effect, study.pval_nominal, study.pval_nominal)
    own = np.arange(600) % 3 == 0
    assert without_curse(study.effect[own], study.pval_nominal[own], study.pval_nominal) == pytest.approx(every[own])


def test_effects_picked_below_a_threshold_are_those_of_conditional_likelihood() -> None:
    study = all_pairs()
    z = study.effect / study.slope_se
    expected = conditional_likelihood(study.effect, study.slope_se, stats.norm.isf(0.005))
    found = picked_below(study.effect, study.pval_nominal, np.full(600, 0.01))
    assert found == pytest.approx(expected, nan_ok=True, abs=1e-9)
    assert np.isnan(found).sum() == (np.abs(z) < stats.norm.isf(0.005)).sum()


def test_p_values_of_zero_leave_their_effect_and_those_that_are_missing_have_none() -> None:
    effect, p = np.array([2.0, -1.0, 0.5]), np.array([0.0, np.nan, 1.0])
    assert without_curse(effect, p, p).tolist()[::2] == [2.0, 0.0]
    assert picked_below(effect, p, np.full(3, 1.0)).tolist()[0] == pytest.approx(2.0)
    assert np.isnan(without_curse(effect, p, p)[1])
    assert np.isnan(picked_below(effect, p, np.full(3, 1.0))[1])
    assert np.isnan(without_curse(effect, p, np.array([]))).all()


# What agdb stats makes of them


def test_fiqt_of_all_tested_pairs_is_the_spearman_of_the_shrunken_effects(con: duckdb.DuckDBPyConnection) -> None:
    study = all_pairs()
    found = without(con, study)["spearman_fiqt"]
    shrunken = with_effect(study, study.slope_se * fiqt(study.effect / study.slope_se))
    assert found["estimate"] == pytest.approx(rho(shrunken), abs=1e-9)  # type: ignore[index]
    assert found["n"] == 600  # type: ignore[index]
    assert f"on the same 600 rows rho is {rho(study):+.4f} before it" in found["method"]  # type: ignore[index]
    assert found["ci_low"] < found["estimate"] < found["ci_high"]  # type: ignore[index]


def test_fiqt_counts_tested_pairs_that_have_no_score(con: duckdb.DuckDBPyConnection) -> None:
    study = all_pairs()
    add_study(con, study)
    con.execute("DELETE FROM prediction WHERE chrom = 'chr3'")
    own = np.array(study.chrom) != "chr3"
    shrunken = with_effect(study, study.slope_se * fiqt(study.effect / study.slope_se))
    found = one(results(con, shifts=0), "spearman_fiqt")
    assert (found["n"], found["estimate"]) == (own.sum(), pytest.approx(rho(shrunken, own)))
    assert "over all 600 pairs tested" in found["method"]


def test_pairs_picked_by_a_threshold_are_shrunken_by_it_and_not_by_fiqt(con: duckdb.DuckDBPyConnection) -> None:
    study = all_pairs(2_000)
    picked = of_rows(study, study.pval_nominal <= 0.01)
    picked = replace(picked, variant=np.arange(len(picked.effect)))
    found = without(con, picked, threshold=0.01)
    shrunken = conditional_likelihood(picked.effect, picked.slope_se, stats.norm.isf(0.005))
    conditional, whole = found["spearman_conditional"], found["spearman_fiqt"]
    assert conditional["estimate"] == pytest.approx(rho(with_effect(picked, shrunken)), abs=1e-6)  # type: ignore[index]
    n = len(picked.effect)
    assert whole["reason"] == (  # type: ignore[index]
        f"pairs were picked for significance: 0 of {n} p-values are above 0.5; it needs all pairs tested"
    )


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ("pval_nominal_threshold = NULL", "the source has no p-value threshold"),
        ("pval_nominal_threshold = 1e-9, gene_id = 'ENSG1'", "pairs are above their threshold"),
        ("pval_nominal_threshold = 0.1, gene_id = 'ENSG' || pos || chrom", "one pair a phenotype: picked as its best"),
    ],
)
def test_pairs_that_no_threshold_picked_have_a_reason(con: duckdb.DuckDBPyConnection, change: str, reason: str) -> None:
    add_study(con, all_pairs())
    con.execute(f"UPDATE qtl SET {change}")
    found = one(results(con, shifts=0), "spearman_conditional")
    assert found["estimate"] is None
    assert reason in str(found["reason"])


def test_a_source_without_p_values_has_neither(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, all_pairs())
    con.execute("UPDATE qtl SET pval_nominal = NULL")
    assert one(results(con, shifts=0), "spearman_fiqt")["reason"] == "the source has no p-values"


def test_a_score_without_direction_is_set_against_shrunken_magnitudes(con: duckdb.DuckDBPyConnection) -> None:
    study = all_pairs()
    add_study(con, study, is_signed=False)
    shrunken = np.abs(study.slope_se * fiqt(study.effect / study.slope_se))
    found = one(results(con, shifts=0), "abs_spearman_fiqt")
    assert found["estimate"] == pytest.approx(stats.spearmanr(shrunken, np.abs(study.score)).statistic, abs=1e-9)


def test_a_p_value_as_label_has_no_effect_to_shrink(con: duckdb.DuckDBPyConnection) -> None:
    study = all_pairs()
    add_study(con, replace(study, effect=study.pval_nominal), label="pval_nominal")
    rows = results(con, label_sets=("p-value",), shifts=0)
    assert not [row for row in rows if "fiqt" in row["metric"] or "conditional" in row["metric"]]


def test_lead_associations_are_shrunken_as_all_are(con: duckdb.DuckDBPyConnection) -> None:
    study = all_pairs()
    add_study(con, study)
    rows = results(con, label_sets=("all", "lead"), shifts=0)
    one_, other = (one(rows, "spearman_fiqt", label_set=name) for name in ("all", "lead"))
    assert one_["estimate"] == other["estimate"]  # one phenotype a variant
