"""Resampled clusters against resampled rows, and intervals at their edges."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from agdb.statistics import bootstrap
from agdb.statistics.bootstrap import Floats


def identity(values: Floats) -> Floats:
    """A scale that is one already."""
    return np.asarray(values, float)


def clustered(n: int = 60, n_clusters: int = 7, seed: int = 3) -> tuple[Floats, np.ndarray]:
    """Two columns that share something within clusters, and the clusters, each with a row at least."""
    rng = np.random.default_rng(seed)
    clusters = np.r_[np.arange(n_clusters), rng.integers(n_clusters, size=n - n_clusters)]
    return rng.standard_normal((2, n)) + rng.standard_normal((2, n_clusters))[:, clusters], clusters


@given(st.lists(st.tuples(st.integers(-9, 9), st.integers(0, 4)), min_size=1, max_size=30))
def test_sums_over_clusters_are_those_of_their_rows(rows: list[tuple[int, int]]) -> None:
    values, clusters = np.array([[float(v) for v, _ in rows]]), np.array([c for _, c in rows])
    found = bootstrap.cluster_sums(values, clusters, 5)
    assert found.tolist() == [[values[0, clusters == c].sum()] for c in range(5)]


def test_a_resample_is_what_its_clusters_rows_sum_to() -> None:
    values, clusters = clustered()
    found = bootstrap.resample(bootstrap.cluster_sums(values, clusters, 7), 50, seed=11)
    drawn = np.random.default_rng(11).integers(7, size=(50, 7))
    rows = [np.concatenate([np.flatnonzero(clusters == c) for c in of]) for of in drawn]
    assert found == pytest.approx(np.stack([values[:, of].sum(axis=1) for of in rows]), abs=1e-12)


def test_resamples_draw_as_many_clusters_as_there_are() -> None:
    found = bootstrap.resample(np.ones((13, 1)), 200, seed=0)
    assert (found == 13).all()


def test_every_cluster_is_drawn_equally_often() -> None:
    times = bootstrap.resample(np.eye(5), 4_000, seed=2)
    assert times.mean(axis=0) == pytest.approx(np.ones(5), abs=4 * np.sqrt(0.8 / 4_000))
    assert times.var(axis=0) == pytest.approx(np.full(5, 0.8), rel=0.12)  # binomial (5, 1/5)


def test_the_draws_do_not_depend_on_the_columns_so_that_columns_of_two_calls_are_paired() -> None:
    sums = np.random.default_rng(0).standard_normal((9, 4))
    both = bootstrap.resample(sums, 300, seed=5)
    assert np.allclose(both[:, :1], bootstrap.resample(sums[:, :1], 300, seed=5), rtol=0, atol=1e-12)
    assert not np.allclose(both, bootstrap.resample(sums, 300, seed=6))


def test_resamples_are_the_same_however_many_fit_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    sums = np.random.default_rng(0).standard_normal((9, 2))
    at_once = bootstrap.resample(sums, 100, seed=5)
    monkeypatch.setattr(bootstrap, "_DRAWN_AT_ONCE", 9 * 7)
    assert np.allclose(bootstrap.resample(sums, 100, seed=5), at_once, rtol=0, atol=1e-12)


def test_resamples_are_the_same_to_the_last_bit_however_many_threads_multiply() -> None:
    program = (
        "import numpy as np; from agdb.statistics import bootstrap; "
        "sums = np.random.default_rng(0).standard_normal((700, 61)); "
        "print(bootstrap.resample(sums, 300, 0).tobytes().hex())"
    )
    threads = [{"OPENBLAS_NUM_THREADS": n, "OMP_NUM_THREADS": n} for n in ("1", "2")]
    told = [subprocess.run([sys.executable, "-c", program], env={**os.environ, **t}, capture_output=True, check=True)
            for t in threads]  # fmt: skip
    assert told[0].stdout == told[1].stdout
    assert len(told[0].stdout) == 2 * 8 * 300 * 61 + 1


def test_no_resamples_have_no_rows() -> None:
    assert bootstrap.resample(np.ones((3, 2)), 0, seed=0).shape == (0, 2)


@given(st.lists(st.lists(st.integers(-99, 99), min_size=2, max_size=2), min_size=1, max_size=9))
def test_sums_without_a_cluster_are_those_of_the_others(rows: list[list[int]]) -> None:
    sums = np.array(rows, float)
    assert np.array_equal(bootstrap.leave_one_out(sums), [np.delete(sums, c, 0).sum(axis=0) for c in range(len(sums))])


def test_the_squares_of_the_parts_of_clusters_add_up_to_the_variance_of_the_jackknife() -> None:
    without = np.random.default_rng(3).standard_normal((8, 2))
    parts = bootstrap.influence(without, np.ones((8, 2), bool))
    assert (parts**2).sum(axis=0) == pytest.approx(7 * without.var(axis=0))  # (n - 1) / n of the sum of squares
    assert parts.sum(axis=0) == pytest.approx(np.zeros(2), abs=1e-12)


def test_clusters_without_rows_have_no_part() -> None:
    without = np.array([[0.1], [0.4], [np.nan], [0.3]])
    has_rows = np.array([[True], [True], [False], [True]])
    parts = bootstrap.influence(without, has_rows)
    assert parts[2] == 0
    assert parts[has_rows] == pytest.approx(
        bootstrap.influence(without[has_rows][:, None], np.ones((3, 1), bool))[:, 0]
    )


@pytest.mark.parametrize("missing", [np.nan, np.inf, -np.inf])
def test_a_statistic_that_one_cluster_makes_defined_has_no_parts(missing: float) -> None:
    assert np.isnan(bootstrap.influence(np.array([[0.1], [missing], [0.3]]), np.ones((3, 1), bool))).all()


def test_equal_parts_are_of_as_many_effective_clusters_as_there_are_clusters() -> None:
    parts = np.resize([1.0, -1.0], (20, 1))
    assert bootstrap.effective_clusters(parts, np.array([20])) == pytest.approx([20])


def test_one_large_part_leaves_few_effective_clusters() -> None:
    parts = np.r_[10.0, np.full(99, -0.1)][:, None]
    found = bootstrap.effective_clusters(parts, np.array([100]))
    assert found == pytest.approx(3 * (parts**2).sum() ** 2 / (parts**4).sum())
    assert 2 < found[0] < 4


def test_effective_clusters_are_at_least_two_and_not_defined_where_parts_do_not_vary() -> None:
    parts = np.array([[3.0, 0.0, np.nan], [-3.0, 0.0, 1.0]])
    assert np.array_equal(bootstrap.effective_clusters(parts, np.full(3, 2)), [2, np.nan, np.nan], equal_nan=True)


def test_the_standard_error_of_a_mean_of_clusters_is_the_textbooks() -> None:
    means = np.random.default_rng(6).standard_normal((25, 1))
    sums = np.concatenate([means, np.ones((25, 1))], axis=1)
    found = bootstrap.replicates(sums, lambda s: s[..., 0] / s[..., 1], 4_000, seed=1)
    assert found.std(ddof=1) == pytest.approx(float(means.std(ddof=1)) / 5, rel=4 / np.sqrt(2 * 4_000))
    assert found.mean() == pytest.approx(float(means.mean()), abs=4 * 0.2 / np.sqrt(4_000))


def test_replicates_of_statistics_side_by_side_are_paired() -> None:
    sums = np.random.default_rng(6).standard_normal((25, 2))
    both = bootstrap.replicates(sums, lambda s: s, 50, seed=1)
    assert both.shape == (50, 2)
    assert np.allclose(both[:, 0], bootstrap.replicates(sums, lambda s: s[..., 0], 50, seed=1), rtol=0, atol=1e-12)


def test_replicates_on_a_line_come_back_from_it() -> None:
    sums = np.random.default_rng(6).uniform(1, 2, (25, 1))
    on_line = bootstrap.replicates(np.log(sums), lambda s: s[..., 0], 20, seed=1)
    assert np.log(bootstrap.replicates(sums, lambda s: s[..., 0], 20, 1, np.log, np.exp)).shape == on_line.shape
    assert (bootstrap.replicates(sums, lambda s: s[..., 0], 20, 1, np.log, np.exp) > 0).all()


def test_the_interval_is_the_estimate_and_t_standard_errors_on_the_line() -> None:
    replicates = np.tanh(np.random.default_rng(4).normal(0.5, 0.2, (500, 1)))
    found, line_se, se = bootstrap.interval(np.array([0.4]), replicates, np.array([8]), np.arctanh, np.tanh)
    half = stats.t.ppf(0.975, 7) * np.arctanh(replicates).std(ddof=1)
    assert found.low == pytest.approx(np.tanh(np.arctanh(0.4) - half), abs=1e-12)
    assert found.high == pytest.approx(np.tanh(np.arctanh(0.4) + half), abs=1e-12)
    assert (line_se[0], se[0]) == pytest.approx((np.arctanh(replicates).std(ddof=1), replicates.std(ddof=1)))


@pytest.mark.parametrize(
    ("estimate", "replicates", "n_clusters"),
    [
        (0.3, [0.1, 0.2, 0.4, 0.5], 1),  # one cluster: nothing varies but within it
        (0.3, [0.3, 0.3, 0.3, 0.3], 9),  # replicates that do not vary
        (0.1, [0.1] * 2_000 + [0.1 + 1e-16], 9),  # nor but for rounding
        (1.0, [1.0, 1.0, 1.0, 1.0], 9),  # at the end of the line
        (-1.0, [-1.0, -0.9, -0.8, -0.7], 9),
        (np.nan, [0.1, 0.2, 0.4, 0.5], 9),
        (0.3, [0.1, 0.2, np.nan, np.nan], 9),  # half of the resamples have no such statistic
    ],
)
def test_an_interval_that_is_not_defined_is_nan(estimate: float, replicates: list[float], n_clusters: int) -> None:
    found, _, _ = bootstrap.interval(
        np.array([estimate]), np.array(replicates)[:, None], np.array([n_clusters]), np.arctanh, np.tanh
    )
    assert np.isnan([found.low[0], found.high[0]]).all()


def test_a_few_resamples_without_the_statistic_are_left_out() -> None:
    replicates = np.random.default_rng(0).normal(0, 1, 200)
    some = np.where(np.arange(200) < 10, np.nan, replicates)
    _, se, _ = bootstrap.interval(np.zeros(1), some[:, None], np.array([9]), identity, identity)
    assert se[0] == pytest.approx(replicates[10:].std(ddof=1))


def test_statistics_side_by_side_do_not_touch_each_other() -> None:
    replicates = np.stack([np.random.default_rng(0).normal(0, 1, 100), np.full(100, np.nan)], axis=1)
    found, _, _ = bootstrap.interval(np.zeros(2), replicates, np.array([9, 9]), identity, identity)
    assert np.isfinite(found.low).tolist() == [True, False]


def test_an_interval_of_a_falling_scale_has_its_ends_in_order() -> None:
    replicates = np.random.default_rng(0).normal(0, 1, (100, 1))
    found, _, _ = bootstrap.interval(np.zeros(1), replicates, np.array([9]), np.negative, np.negative)
    assert found.low[0] < 0 < found.high[0]


@pytest.mark.parametrize("n_clusters", [2, 5, 2_000])
def test_the_p_value_is_that_of_a_t_test(n_clusters: int) -> None:
    found = bootstrap.pvalue(np.array([0.3]), np.array([0.1]), np.array([n_clusters]))
    assert found[0] == pytest.approx(2 * stats.t.cdf(-3, n_clusters - 1), rel=1e-12)


def test_the_p_value_and_the_interval_agree_on_whether_zero_is_in() -> None:
    rng = np.random.default_rng(8)
    for estimate in rng.normal(0, 0.5, 50):
        replicates = rng.normal(estimate, 0.2, (100, 1))
        found, se, _ = bootstrap.interval(np.array([estimate]), replicates, np.array([6]), identity, identity)
        p = bootstrap.pvalue(np.array([estimate]), se, np.array([6]))
        assert (p[0] < 0.05) == bool(found.low[0] > 0 or found.high[0] < 0)


def test_without_a_standard_error_there_is_no_p_value() -> None:
    assert np.isnan(bootstrap.pvalue(np.array([0.3]), np.array([np.nan]), np.array([5]))).all()
