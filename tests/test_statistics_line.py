"""A line whose band takes clusters as independent, against numpy; and where order statistics lie, against scipy."""

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from agdb.statistics.line import Fit, band, cluster_line, order_statistic_interval
from agdb.statistics.power import detectable, power_with_se

Floats = NDArray[np.float64]


def made(n: int = 60, clusters: int = 12, seed: int = 1) -> tuple[Floats, Floats, NDArray[np.int64]]:
    """x, y and the cluster of n rows; rows of a cluster share a part of their noise."""
    rng = np.random.default_rng(seed)
    cluster = rng.integers(0, clusters, n)
    cluster[:clusters] = np.arange(clusters)
    x = rng.standard_normal(n)
    y = 0.5 * x + 2 + rng.standard_normal(clusters)[cluster] + 0.3 * rng.standard_normal(n)
    return x, y, cluster


def sums(x: Floats, y: Floats, cluster: NDArray[np.int64]) -> Floats:
    """As SQL makes them."""
    columns = np.stack([np.ones_like(x), x, x * x, y, x * y])
    return np.stack([columns[:, cluster == c].sum(axis=1) for c in np.unique(cluster)])


def sandwich(x: Floats, y: Floats, cluster: NDArray[np.int64]) -> Floats:
    """The covariance by its definition, row by row: Liang & Zeger 1986, with the factor of small samples."""
    design = np.stack([np.ones_like(x), x], axis=1)
    residual = y - design @ np.linalg.lstsq(design, y, rcond=None)[0]
    meat = np.zeros((2, 2))
    for c in np.unique(cluster):
        own = design[cluster == c].T @ residual[cluster == c]
        meat += np.outer(own, own)
    bread = np.linalg.inv(design.T @ design)
    g, n = len(np.unique(cluster)), len(x)
    return np.asarray(g / (g - 1) * (n - 1) / (n - 2) * bread @ meat @ bread)


def test_the_line_is_least_squares() -> None:
    x, y, cluster = made()
    fit = cluster_line(sums(x, y, cluster))
    assert (fit.slope, fit.intercept) == pytest.approx(tuple(np.polyfit(x, y, 1)))


@pytest.mark.parametrize("seed", range(5))
def test_its_covariance_is_the_sandwich_of_the_clusters(seed: int) -> None:
    x, y, cluster = made(seed=seed)
    assert cluster_line(sums(x, y, cluster)).covariance == pytest.approx(sandwich(x, y, cluster))


def test_the_band_at_the_mean_of_x_is_t_times_the_standard_error_there() -> None:
    x, y, cluster = made()
    fit = cluster_line(sums(x - x.mean(), y, cluster))
    at, interval = band(fit, np.array([0.0]))
    half = stats.t.isf(0.025, 11) * np.sqrt(sandwich(x - x.mean(), y, cluster)[0, 0])
    assert at == pytest.approx(y.mean())
    assert (interval.high - interval.low) / 2 == pytest.approx(half)


def test_the_band_holds_the_true_line_in_95_of_100_studies() -> None:
    held = 0
    for seed in range(300):
        x, y, cluster = made(200, 40, seed)
        _, interval = band(cluster_line(sums(x, y, cluster)), np.array([1.0]))
        held += bool(interval.low[0] <= 2.5 <= interval.high[0])
    assert 0.91 <= held / 300 <= 0.98


def test_one_cluster_has_a_line_and_no_band() -> None:
    x, y, _ = made()
    fit = cluster_line(sums(x, y, np.zeros(len(x), np.int64)))
    assert fit.slope == pytest.approx(np.polyfit(x, y, 1)[0])
    assert np.isnan(band(fit, x)[1].low).all()


@pytest.mark.parametrize("x", [np.ones(10), np.array([1.0, 2.0])])
def test_constant_or_too_few_rows_have_no_line(x: Floats) -> None:
    fit = cluster_line(sums(x, np.arange(len(x), dtype=float), np.arange(len(x))))
    assert isinstance(fit, Fit)
    assert np.isnan(fit.slope)


def test_order_statistics_of_chance_lie_where_they_are_said_to() -> None:
    drawn = np.sort(np.random.default_rng(0).random((20_000, 50)), axis=1)
    low, high = order_statistic_interval(np.array([1, 25, 50]), 50)
    inside = ((drawn[:, [0, 24, 49]] >= low) & (drawn[:, [0, 24, 49]] <= high)).mean(axis=0)
    assert inside == pytest.approx([0.95] * 3, abs=0.006)


@pytest.mark.parametrize("power", [0.5, 0.8, 0.95])
def test_power_of_what_is_detectable_is_the_power_that_was_asked_for(power: float) -> None:
    effect = detectable(0.02, 17, power)
    of_other_tail = stats.t.cdf(-stats.t.isf(0.025, 17) - effect / 0.02, 17)
    assert power_with_se(effect, 0.02, 17) == pytest.approx(power + of_other_tail)
    assert of_other_tail < 3e-4


def test_power_grows_with_the_effect_and_falls_with_the_error() -> None:
    assert (np.diff(power_with_se(np.linspace(0, 0.2, 9), 0.03, 20)) > 0).all()
    assert (np.diff(power_with_se(0.1, np.linspace(0.01, 0.1, 9), 20)) < 0).all()


def test_power_without_an_error_is_not_defined() -> None:
    assert np.isnan(power_with_se(0.1, [0.0, np.nan, 0.1], [5, 5, 0])).all()
