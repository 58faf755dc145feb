"""Many tests at once, against scipy, against loops, and by simulation of families without an effect."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agdb.statistics.families import benjamini_hochberg, max_t


@settings(deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.5, 1.0]) | st.floats(0, 1), min_size=1, max_size=30))
def test_a_q_value_is_the_least_of_p_m_over_rank_from_there_up(p: list[float]) -> None:
    m, ordered = len(p), sorted(p)
    expected = [min(ordered[j] * m / (j + 1) for j in range(m) if ordered[j] >= one) for one in p]
    assert benjamini_hochberg(p) == pytest.approx(np.minimum(expected, 1), abs=1e-15)


def test_a_p_value_that_is_missing_stays_so_and_is_not_counted() -> None:
    q = benjamini_hochberg([0.01, np.nan, 0.04, np.nan])
    assert q[[0, 2]] == pytest.approx(stats.false_discovery_control([0.01, 0.04]))
    assert np.isnan(q[[1, 3]]).all()


def test_no_p_values_have_no_q_values() -> None:
    assert benjamini_hochberg([]).shape == (0,)
    assert np.isnan(benjamini_hochberg([np.nan])).all()


@pytest.mark.parametrize("bad", [-0.1, 1.1, np.inf])
def test_what_is_not_a_p_value_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="outside"):
        benjamini_hochberg([0.1, bad])


def test_a_joint_p_value_counts_replicates_whose_largest_t_is_as_large() -> None:
    rng = np.random.default_rng(1)
    estimate = np.array([0.3, -0.1, 0.0])
    replicates = estimate + rng.standard_normal((400, 3)) * [0.1, 0.2, 0.3]
    se = replicates.std(axis=0, ddof=1)
    largest = [max(abs(row[j] - estimate[j]) / se[j] for j in range(3)) for row in replicates]
    expected = [(1 + sum(big >= abs(e) / s for big in largest)) / 401 for e, s in zip(estimate, se, strict=True)]
    found = max_t(estimate, replicates)
    assert found.p == pytest.approx(np.array(expected))
    assert found.se == pytest.approx(se)


def test_a_replicate_whose_t_is_the_same_counts_as_large() -> None:
    assert max_t([1.0], np.tile([[0.0], [2.0]], (50, 1))).p == pytest.approx(1)


def test_estimates_that_are_all_one_cost_nothing_jointly() -> None:
    rng = np.random.default_rng(2)
    one = 0.2 + 0.1 * rng.standard_normal((2_000, 1))
    assert max_t(np.full(10, 0.2), np.tile(one, (1, 10))).p == pytest.approx(np.tile(max_t([0.2], one).p, 10))


def test_a_single_estimate_has_about_the_p_value_of_its_z() -> None:
    rng = np.random.default_rng(3)
    found = max_t([0.2], 0.2 + 0.1 * rng.standard_normal((50_000, 1)))
    assert found.p[0] == pytest.approx(2 * stats.norm.sf(2), abs=0.004)
    assert found.critical == pytest.approx(1.96, abs=0.03)


def test_with_few_clusters_a_single_estimate_has_about_the_p_value_of_its_t() -> None:
    rng = np.random.default_rng(3)
    found = max_t([0.25], 0.25 + 0.1 * rng.standard_normal((50_000, 1)), df=9)
    assert found.p[0] == pytest.approx(2 * stats.t.sf(2.5, 9), abs=0.004)
    assert found.critical == pytest.approx(stats.t.isf(0.025, 9), abs=0.05)


def test_simultaneous_intervals_hold_all_truths_in_nineteen_of_twenty_studies() -> None:
    rng = np.random.default_rng(4)
    mix = np.linalg.cholesky(0.5 + 0.5 * np.eye(6))
    held = any_found = 0
    for _ in range(1_000):
        estimate = mix @ rng.standard_normal(6)
        found = max_t(estimate, estimate + rng.standard_normal((500, 6)) @ mix.T)
        held += bool(((found.low <= 0) & (found.high >= 0)).all())
        any_found += bool((found.p < 0.05).any())
    assert 0.93 < held / 1_000 < 0.97
    assert 0.03 < any_found / 1_000 < 0.07


@pytest.mark.parametrize("broken", ["estimate", "constant", "mostly missing"])
def test_an_estimate_that_has_no_test_is_no_part_of_the_family(broken: str) -> None:
    rng = np.random.default_rng(5)
    estimate = np.array([0.2, 0.1])
    replicates = estimate + 0.1 * rng.standard_normal((500, 2))
    alone = max_t(estimate[1:], replicates[:, 1:])
    if broken == "estimate":
        estimate = np.array([np.nan, 0.1])
    elif broken == "constant":
        replicates[:, 0] = 0.2
    else:
        replicates[:100, 0] = np.nan
    found = max_t(estimate, replicates)
    assert np.isnan([found.p[0], found.low[0], found.high[0], found.se[0]]).all()
    assert (found.p[1], found.low[1], found.critical) == (alone.p[0], alone.low[0], alone.critical)


def test_a_replicate_that_is_missing_here_and_there_is_left_out() -> None:
    rng = np.random.default_rng(6)
    replicates = 0.2 + 0.1 * rng.standard_normal((2_000, 2))
    whole = max_t([0.2, 0.2], replicates).p
    replicates[::50, 0] = np.nan
    assert max_t([0.2, 0.2], replicates).p == pytest.approx(whole, abs=0.01)


@pytest.mark.parametrize("replicates", [np.empty((0, 2)), np.empty((1, 2)), np.full((9, 2), np.nan)])
def test_no_replicates_are_no_test(replicates: np.ndarray) -> None:
    found = max_t([0.1, 0.2], replicates)
    assert np.isnan(found.p).all()
    assert np.isnan(found.critical)


def test_replicates_of_another_number_of_estimates_are_refused() -> None:
    with pytest.raises(ValueError, match="shapes"):
        max_t([0.1, 0.2], np.zeros((10, 3)))
