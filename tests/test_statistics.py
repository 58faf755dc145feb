"""Intervals and p-values against scipy, against published worked numbers, and by simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agdb.statistics import (
    bonett_wright_interval,
    correlation_pvalue,
    detectable_correlation,
    fisher_interval,
    meng_pvalue,
    t_pvalue,
    zou_difference,
)


def drawn(n: int, rho: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """n pairs of a bivariate normal with correlation rho."""
    x, noise = np.random.default_rng(seed).standard_normal((2, n))
    return x, rho * x + np.sqrt(1 - rho**2) * noise


@pytest.mark.parametrize("n", [4, 5, 30, 1_000])
@pytest.mark.parametrize("rho", [-0.9, 0.0, 0.3])
def test_the_fisher_interval_and_p_value_are_those_of_scipys_pearsonr(n: int, rho: float) -> None:
    result = stats.pearsonr(*drawn(n, rho, seed=n))
    expected = result.confidence_interval()
    interval = fisher_interval(result.statistic, n)
    assert interval.low == pytest.approx(expected.low, abs=1e-12)
    assert interval.high == pytest.approx(expected.high, abs=1e-12)
    assert correlation_pvalue(result.statistic, n) == pytest.approx(result.pvalue, rel=1e-8)


def test_the_level_is_the_level_of_the_interval() -> None:
    result = stats.pearsonr(*drawn(50, 0.4, seed=1))
    expected = result.confidence_interval(confidence_level=0.8)
    assert fisher_interval(result.statistic, 50, level=0.8) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize("n", [3, 4, 10, 1_000])
def test_the_p_value_of_a_spearman_correlation_is_scipys(n: int) -> None:
    x, y = drawn(n, 0.4, seed=n + 7)
    result = stats.spearmanr(x.round(1), y.round(1))
    assert correlation_pvalue(result.statistic, n) == pytest.approx(result.pvalue, rel=1e-9, abs=1e-15)


def test_the_bonett_wright_interval_is_its_formula() -> None:
    # n = 103: (1 + rho^2 / 2) / 100 = 0.0118 for rho = 0.6
    low, high = bonett_wright_interval(0.6, 103)
    assert low == pytest.approx(np.tanh(np.arctanh(0.6) - 1.959963984540054 * np.sqrt(0.0118)), abs=1e-12)
    assert high == pytest.approx(np.tanh(np.arctanh(0.6) + 1.959963984540054 * np.sqrt(0.0118)), abs=1e-12)


def test_the_bonett_wright_interval_covers_the_truth_as_often_as_it_says() -> None:
    rng = np.random.default_rng(20_000)
    n, repeats, r = 60, 4_000, 0.5
    truth = 6 / np.pi * np.arcsin(r / 2)  # Spearman's rho of a bivariate normal with Pearson correlation r
    x = rng.standard_normal((repeats, n))
    y = r * x + np.sqrt(1 - r**2) * rng.standard_normal((repeats, n))
    ranks_x, ranks_y = (stats.rankdata(v, axis=1) - (n + 1) / 2 for v in (x, y))
    rho = (ranks_x * ranks_y).sum(1) / np.sqrt((ranks_x**2).sum(1) * (ranks_y**2).sum(1))
    low, high = bonett_wright_interval(rho, np.full(repeats, n))
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


def test_two_windows_of_the_original_study_do_not_differ() -> None:
    published = (0.0375148, -0.0125103, 0.4521091, 1_000)
    low, high = zou_difference(*published)
    assert (round(float(low), 3), round(float(high), 3)) == (-0.015, 0.115)
    assert float(meng_pvalue(*published)) == pytest.approx(0.131, abs=5e-4)


def test_the_zou_interval_covers_the_true_difference_as_often_as_it_says() -> None:
    rng = np.random.default_rng(11)
    n, repeats = 80, 3_000
    covariance = np.array([[1, 0.6, 0.5], [0.6, 1, 0.3], [0.5, 0.3, 1]])  # a, b, label
    draws = rng.standard_normal((repeats, n, 3)) @ np.linalg.cholesky(covariance).T
    z = draws - draws.mean(1, keepdims=True)
    z /= np.sqrt((z**2).sum(1, keepdims=True))
    r_a, r_b, r_ab = (np.einsum("ij,ij->i", z[:, :, i], z[:, :, j]) for i, j in ((0, 2), (1, 2), (0, 1)))
    low, high = zou_difference(r_a, r_b, r_ab, np.full(repeats, n))
    assert 0.93 <= np.mean((low <= 0.2) & (high >= 0.2)) <= 0.97


def test_the_meng_test_rejects_as_often_as_it_says_when_nothing_differs() -> None:
    rng = np.random.default_rng(12)
    n, repeats = 80, 3_000
    covariance = np.array([[1, 0.6, 0.3], [0.6, 1, 0.3], [0.3, 0.3, 1]])
    draws = rng.standard_normal((repeats, n, 3)) @ np.linalg.cholesky(covariance).T
    z = draws - draws.mean(1, keepdims=True)
    z /= np.sqrt((z**2).sum(1, keepdims=True))
    r_a, r_b, r_ab = (np.einsum("ij,ij->i", z[:, :, i], z[:, :, j]) for i, j in ((0, 2), (1, 2), (0, 1)))
    assert 0.035 <= np.mean(meng_pvalue(r_a, r_b, r_ab, np.full(repeats, n)) < 0.05) <= 0.065


@pytest.mark.parametrize(("n", "smallest"), [(1_000, 0.0885), (10_000, 0.0280), (46_857, 0.0129), (107_229, 0.0086)])
def test_the_detectable_correlation_is_the_published_one(n: int, smallest: float) -> None:
    assert round(float(detectable_correlation(n)), 4) == smallest


def test_the_detectable_correlation_is_detected_as_often_as_it_says() -> None:
    n = 200
    z = np.arctanh(float(detectable_correlation(n))) * np.sqrt(n - 3)
    assert stats.norm.sf(stats.norm.isf(0.025) - z) == pytest.approx(0.8, abs=1e-12)


def test_too_few_rows_detect_nothing() -> None:
    assert detectable_correlation([0, 1, 3]).tolist() == [1.0, 1.0, 1.0]


@pytest.mark.parametrize("n", [0, 1, 2])
def test_fewer_than_three_rows_have_no_p_value(n: int) -> None:
    assert np.isnan(correlation_pvalue(0.5, n))


@pytest.mark.parametrize("n", [0, 2, 3])
def test_fewer_than_four_rows_have_no_interval(n: int) -> None:
    for interval in (fisher_interval(0.5, n), bonett_wright_interval(0.5, n)):
        assert np.isnan(interval.low)
        assert np.isnan(interval.high)


@pytest.mark.parametrize("r", [1.0, -1.0])
def test_a_perfect_correlation_has_no_interval_and_p_zero(r: float) -> None:
    assert np.isnan(fisher_interval(r, 10).low)
    assert np.isnan(bonett_wright_interval(r, 10).high)
    assert correlation_pvalue(r, 10) == 0


def test_a_correlation_that_rounding_pushed_past_one_is_one() -> None:
    assert correlation_pvalue([1 + 2.3e-16, -1 - 2.3e-16], [10, 10]).tolist() == [0, 0]


def test_an_undefined_correlation_stays_undefined() -> None:
    nan = float("nan")
    found = [correlation_pvalue(nan, 10), meng_pvalue(nan, 0.1, 0.2, 10), *fisher_interval(nan, 10)]
    found += [*bonett_wright_interval(nan, 10), *zou_difference(nan, 0.1, 0.2, 10)]
    assert np.isnan(found).all()


def test_equal_scores_differ_by_nothing() -> None:
    assert zou_difference(0.3, 0.3, 0.999, 1_000).low < 0 < zou_difference(0.3, 0.3, 0.999, 1_000).high
    assert meng_pvalue(0.3, 0.3, 0.9, 1_000) == 1


@given(
    st.lists(st.tuples(st.floats(-0.999, 0.999), st.integers(4, 10**6)), min_size=1, max_size=5),
)
def test_arrays_are_answered_one_by_one_and_intervals_hold_their_estimate(cases: list[tuple[float, int]]) -> None:
    r, n = (list(v) for v in zip(*cases, strict=True))
    for interval in (fisher_interval, bonett_wright_interval):
        low, high = interval(r, n)
        assert (low < np.array(r)).all()
        assert (np.array(r) < high).all()
        alone = [interval(*case) for case in cases]
        assert low.tolist() == [float(i.low) for i in alone]
        assert high.tolist() == [float(i.high) for i in alone]


def test_the_t_p_value_is_that_of_scipy_on_both_sides() -> None:
    assert t_pvalue([2.5, -2.5], 70) == pytest.approx([2 * stats.t.sf(2.5, 70)] * 2, rel=1e-14)


def test_a_scorer_cannot_be_more_certain_than_its_rows_allow() -> None:
    narrow, wide = fisher_interval(0.2, 10_000), fisher_interval(0.2, 100)
    assert float(narrow.high - narrow.low) < float(wide.high - wide.low) / 9
