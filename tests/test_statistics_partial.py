"""Partial correlations against residuals of numpy's least squares, and of confounders that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from agdb.statistics.bootstrap import cluster_sums
from agdb.statistics.partial import partial_correlation
from agdb.statistics.ranks import Ranker

Floats = NDArray[np.float64]


def by_residuals(x: Floats, y: Floats, covariates: Floats) -> float:
    """Pearson of the residuals of scipy's ranks on scipy's ranks and a constant."""
    known = np.column_stack([np.ones(len(x)), *map(stats.rankdata, covariates.T)])
    left = [v - known @ np.linalg.lstsq(known, v)[0] for v in map(stats.rankdata, (x, y))]
    return float(np.corrcoef(left)[0, 1])


def drawn(n: int, c: int, seed: int) -> tuple[Floats, Floats, Floats]:
    """x and y that share c covariates and a little more, rounded so that some tie."""
    rng = np.random.default_rng(seed)
    z, own = rng.standard_normal((n, c)), rng.standard_normal((3, n))
    x, y = z.sum(axis=1) + own[0] + 0.3 * own[2], z.sum(axis=1) + own[1] + 0.3 * own[2]
    return x.round(1), y.round(1), z.round(1)


def partial_spearman(x: Floats, y: Floats, covariates: Floats) -> float:
    """As `agdb stats` has it: of the products of ranks that are about their means."""
    ranks = np.stack([Ranker(column).within() for column in (x, y, *covariates.T)])
    return float(partial_correlation(ranks @ ranks.T))


@pytest.mark.parametrize("c", [1, 2, 5])
def test_of_ranks_it_is_the_correlation_of_what_the_covariates_leave_of_them(c: int) -> None:
    x, y, z = drawn(200, c, seed=c)
    assert partial_spearman(x, y, z) == pytest.approx(by_residuals(x, y, z), abs=1e-10)


def test_one_covariate_gives_the_formula_of_first_order() -> None:
    x, y, z = drawn(300, 1, seed=10)
    (_, xy, xz), (_, _, yz), _ = stats.spearmanr(np.column_stack([x, y, z])).statistic
    expected = (xy - xz * yz) / np.sqrt((1 - xz**2) * (1 - yz**2))
    assert partial_spearman(x, y, z) == pytest.approx(expected, abs=1e-12)


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=3, max_size=20))
def test_without_covariates_it_is_spearmans_rho(rows: list[tuple[int, int]]) -> None:
    x, y = np.array(rows, float).T
    expected = np.nan if np.ptp(x) == 0 or np.ptp(y) == 0 else stats.spearmanr(x, y).statistic
    assert partial_spearman(x, y, np.empty((len(x), 0))) == pytest.approx(expected, abs=1e-12, nan_ok=True)


def test_a_covariate_that_repeats_others_or_is_constant_changes_nothing() -> None:
    x, y, z = drawn(100, 2, seed=11)
    more = np.column_stack([z, np.exp(z[:, 0]), -z[:, 1], np.ones(100)])
    assert partial_spearman(x, y, more) == pytest.approx(partial_spearman(x, y, z))


def test_what_a_covariate_explains_is_not_left() -> None:
    rng = np.random.default_rng(12)
    distance, own = rng.exponential(50_000, 5_000), rng.standard_normal((2, 5_000))
    x, y = np.log(distance) + own
    assert stats.spearmanr(x, y).statistic > 0.5
    assert abs(partial_spearman(x, y, distance[:, None])) < 0.05


def test_a_score_that_is_a_covariate_leaves_nothing_to_correlate() -> None:
    x, y, z = drawn(50, 2, seed=14)
    assert np.isnan(partial_spearman(x, y, np.column_stack([z, np.exp(x)])))


def test_covariances_of_resamples_give_the_partial_correlation_of_each() -> None:
    values = np.random.default_rng(18).standard_normal((4, 300))
    clusters = np.arange(300) % 3
    pairs = np.array([values[i] * values[j] for i in range(4) for j in range(4)])
    of_clusters = cluster_sums(np.vstack([values, pairs]), clusters, 3)
    means = of_clusters[:, :4] / 100
    covariances = of_clusters[:, 4:].reshape(3, 4, 4) / 100 - means[:, :, None] * means[:, None, :]
    expected = []
    for c in range(3):
        x, y, *z = values[:, clusters == c]
        known = np.column_stack([np.ones(100), *z])
        left = [v - known @ np.linalg.lstsq(known, v)[0] for v in (x, y)]
        expected.append(np.corrcoef(left)[0, 1])
    assert partial_correlation(covariances) == pytest.approx(np.array(expected), abs=1e-10)


def test_a_covariance_that_is_not_known_has_no_partial_correlation() -> None:
    found = partial_correlation([np.full((3, 3), np.nan), np.eye(3), np.zeros((3, 3))])
    assert found == pytest.approx(np.array([np.nan, 0, np.nan]), nan_ok=True)
