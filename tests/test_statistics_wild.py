"""Differences of correlations by flipped signs: against loops over the flips, against t, and by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from agdb.statistics import bootstrap, wild
from agdb.statistics.bootstrap import Floats

FLIPS = 199


def sums(rng: np.random.Generator, clusters: int, ys: int = 2, rows: int = 8, icc: float = 0.3) -> Floats:
    """Of a centred x and some ys, that go together within clusters of unlike sizes, by cluster."""
    cluster = np.repeat(np.arange(clusters), rng.integers(1, 2 * rows, clusters))
    between, within = rng.standard_normal((2 + ys, clusters))[:, cluster], rng.standard_normal((2 + ys, len(cluster)))
    x, shared, *own = np.sqrt(icc) * between + np.sqrt(1 - icc) * within
    columns = [v - v.mean() for v in (x, *(0.2 * x + shared + 0.5 * y for y in own))]
    return bootstrap.cluster_sums(bootstrap.correlation_columns(*columns), cluster, clusters)


def differences(of: Floats, pairs: list[tuple[int, int]], flips: int = FLIPS) -> tuple[Floats, wild.Tested]:
    """The differences of these pairs of correlations, and what is said of them."""
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    rho, of_ys = bootstrap.correlations(of.sum(axis=0)), wild.scores(wild.one_x(of))
    estimate = rho[first] - rho[second]
    return estimate, wild.differences(estimate, of_ys.of(first), of_ys.of(second), flips, 3)


def test_what_a_cluster_adds_lies_halfway_between_its_sums_and_what_is_lost_without_it() -> None:
    rng = np.random.default_rng(1)
    cluster = np.repeat(np.arange(30), rng.integers(1, 16, 30))
    x, y = (v - v.mean() for v in rng.standard_normal((2, 30))[:, cluster] + rng.standard_normal((2, len(cluster))))
    of = bootstrap.cluster_sums(bootstrap.correlation_columns(x, y), cluster, 30)
    found = wild.scores(of[:, None])

    def products(rows: NDArray[np.bool_]) -> Floats:
        return np.asarray(np.cov(x[rows], y[rows], bias=True)[[0, 1, 0], [0, 1, 1]] * rows.sum(), float)

    everyone = np.ones(len(x), np.bool_)
    in_it = np.array([[(v * w)[cluster == c].sum() for v, w in ((x, x), (y, y), (x, y))] for c in range(30)])
    lost = np.array([products(everyone) - products(cluster != c) for c in range(30)])
    xx, yy, xy = ((in_it + lost) / 2 / [(x * x).sum(), (y * y).sum(), np.sqrt((x * x).sum() * (y * y).sum())]).T
    assert found.z[:, 0] == pytest.approx(xy)
    assert found.spread[:, 0] == pytest.approx((xx + yy) / 2)
    assert found.share[:, 0] == pytest.approx(np.bincount(cluster) / len(cluster))
    assert found.without[:, 0] == pytest.approx(
        [np.corrcoef(x[cluster != c], y[cluster != c])[0, 1] for c in range(30)]
    )


def test_a_cluster_without_rows_adds_nothing_and_one_that_has_all_is_not_left_out() -> None:
    of = np.zeros((3, 2, 6))
    of[1, 0] = of[:, 1].T[:, 0] = 0
    of[1, 0] = (5, 0, 10, 0, 10, 4)  # of the first pair one cluster has all rows
    of[:2, 1] = (5, 0, 10, 0, 10, 4)
    found = wild.scores(of)
    assert found.z[:, 0].tolist() == [0, 0.4, 0]
    assert found.z[:, 1].tolist() == [0.2, 0.2, 0]
    assert found.without[:, 0].tolist() == [0.4, 0.4, 0.4]


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(0, 10_000), st.integers(7, 40), st.floats(0, 0.9), st.floats(-0.3, 0.3))
def test_p_and_interval_are_those_of_a_loop_over_flips(seed: int, clusters: int, icc: float, away: float) -> None:
    of = sums(np.random.default_rng(seed), clusters, icc=icc)
    (estimate,), found = differences(of, [(0, 1)])
    a, b = (wild.scores(wild.one_x(of)).of([k]) for k in (0, 1))
    own = (a.z - b.z - (a.without + b.without) / 2 * (a.spread - b.spread))[:, 0]
    parts, share = own - own.sum() * a.share[:, 0], a.share[:, 0]
    signs = bootstrap.flip(np.eye(clusters), FLIPS, 3)
    assert set(np.unique(signs)) == {-1.0, 1.0}

    def p(delta: float) -> float:
        by_chance = signs @ (parts + (estimate - delta) * share)
        return float((1 + (np.abs(by_chance) >= abs(estimate - delta) * (1 - 1e-9)).sum()) / (1 + FLIPS))

    assert found.p[0] == pytest.approx(p(0.0))
    assert found.joint[0] == found.p[0]
    assert found.se[0] == pytest.approx(np.sqrt((parts**2).sum()))
    delta = float(estimate + away)
    if min(abs(delta - found.low[0]), abs(delta - found.high[0])) > 1e-9:
        assert (p(delta) > 0.05) == (found.low[0] < delta < found.high[0])
    assert (found.p[0] <= 0.05) == (not found.low[0] <= 0 <= found.high[0])


def test_of_many_clusters_it_is_t() -> None:
    of = sums(np.random.default_rng(5), 2_000, icc=0.0)
    (estimate,), found = differences(of, [(0, 1)], 4_000)
    assert found.high[0] - found.low[0] == pytest.approx(2 * 1.96 * found.se[0], rel=0.05)
    assert (found.high[0] + found.low[0]) / 2 == pytest.approx(estimate, abs=0.1 * found.se[0])
    assert found.p[0] == pytest.approx(2 * stats.norm.sf(abs(estimate) / found.se[0]), abs=0.02)


def test_pairs_that_are_all_one_cost_nothing_jointly() -> None:
    of = sums(np.random.default_rng(6), 40)
    _, found = differences(of, [(0, 1), (1, 0), (0, 1)])
    assert found.joint == pytest.approx(np.tile(found.p[:1], 3))


def test_of_several_pairs_none_is_less_than_its_own_p() -> None:
    of = sums(np.random.default_rng(7), 40, ys=4)
    _, found = differences(of, [(i, j) for i in range(4) for j in range(i + 1, 4)])
    assert (found.joint >= found.p).all()
    assert (found.joint > found.p).any()
    by_t = np.argsort(found.joint)
    assert (np.diff(found.joint[by_t]) >= 0).all()


def test_scores_that_are_one_have_no_difference_and_do_not_count() -> None:
    of = sums(np.random.default_rng(8), 30)
    of = np.concatenate([of, of[:, 3:6]], axis=1)  # the third y is the first
    estimate, found = differences(of, [(0, 2), (0, 1)])
    assert estimate[0] == 0
    assert all(np.isnan(column[0]) for column in found)
    assert [column[1] for column in found] == [column[0] for column in differences(of, [(0, 1)])[1]]


@pytest.mark.parametrize("clusters", [2, 5])
def test_too_few_clusters_have_no_interval(clusters: int) -> None:
    """Of five clusters all have one sign in a sixteenth of the flips, which are as far as any difference."""
    _, found = differences(sums(np.random.default_rng(9), clusters), [(0, 1)], 1_999)
    assert (found.low[0], found.high[0]) == (-np.inf, np.inf)
    assert found.p[0] > 0.05


def test_no_flips_are_no_test() -> None:
    _, found = differences(sums(np.random.default_rng(10), 20), [(0, 1)], 0)
    assert np.isnan(np.concatenate(found)).all()


def test_the_same_seed_gives_the_same_bits_whatever_stands_beside() -> None:
    of = sums(np.random.default_rng(11), 30, ys=3)
    alone, beside = differences(of, [(0, 1)])[1], differences(of, [(1, 2), (0, 1)])[1]
    assert [alone.low[0], alone.high[0], alone.p[0]] == [beside.low[1], beside.high[1], beside.p[1]]


def test_ten_unlike_clusters_err_in_one_of_twenty_studies() -> None:
    found = [differences(sums(np.random.default_rng([12, i]), 10, ys=3, icc=0.5), [(0, 1), (0, 2), (1, 2)])[1]
             for i in range(600)]  # fmt: skip
    assert 0.03 < np.mean([f.p[0] <= 0.05 for f in found]) < 0.075
    assert 0.03 < np.mean([f.joint.min() <= 0.05 for f in found]) < 0.08


# All of several


def strata(rng: np.random.Generator, clusters: int, k: int, icc: float = 0.5, is_apart: bool = False) -> Floats:
    """Sums of k strata of rows that go together in clusters; each cluster in one of them, or in all."""
    cluster = np.repeat(np.arange(clusters), rng.integers(2 * k, 8 * k, clusters))
    stratum = cluster % k if is_apart else rng.integers(k, size=len(cluster))
    between, within = rng.standard_normal((2, clusters))[:, cluster], rng.standard_normal((2, len(cluster)))
    columns, found = np.sqrt(icc) * between + np.sqrt(1 - icc) * within, np.zeros((clusters, k, 6))
    for i in range(k):
        x, y = (v[stratum == i] - v[stratum == i].mean() for v in columns)
        own = bootstrap.correlation_columns(x, y)
        found[:, i] = bootstrap.cluster_sums(own, cluster[stratum == i], clusters)
    return found


def equal(of: Floats, families: list[list[int]], flips: int = FLIPS) -> tuple[Floats, Floats]:
    """Whether the strata of each family have one correlation."""
    return wild.equality(bootstrap.correlations(of.sum(axis=0))[:, 0], wild.scores(of), families, flips, 3)


@pytest.mark.parametrize("is_apart", [False, True])
def test_that_strata_are_one_is_told_as_by_a_loop_over_flips(is_apart: bool) -> None:
    of = strata(np.random.default_rng(20), 24, 3, is_apart=is_apart)
    rho, scores = bootstrap.correlations(of.sum(axis=0))[:, 0], wild.scores(of)
    own = scores.z - scores.without.mean(axis=1)[:, None] * scores.spread
    share = scores.share.mean(axis=1)[:, None]
    about = own - own.sum(axis=0) * share
    of_pairs = np.array([[1, -1, 0], [0, 1, -1]]).T  # any two differences say the same
    at_none = (about + rho * share) @ of_pairs

    def wald(apart: Floats, parts: Floats) -> float:
        return float(apart @ np.linalg.inv(parts.T @ parts) @ apart)

    signs = bootstrap.flip(np.eye(24), FLIPS, 3)
    seen = wald(rho @ of_pairs, at_none)
    p = (1 + sum(wald(sign @ at_none, at_none) >= seen * (1 - 1e-9) for sign in signs)) / (1 + FLIPS)
    (statistic,), (found,) = equal(of, [[0, 1, 2]])
    assert found == pytest.approx(p)
    assert statistic == pytest.approx(wald(rho @ of_pairs, about @ of_pairs) / 2)


def test_two_strata_are_one_if_they_have_no_difference() -> None:
    for seed in range(20):
        of = strata(np.random.default_rng([21, seed]), 15, 2)
        rho, scores = bootstrap.correlations(of.sum(axis=0))[:, 0], wild.scores(of)
        pair = wild.differences(rho[:1] - rho[1:], scores.of([0]), scores.of([1]), FLIPS, 3)
        assert equal(of, [[0, 1]])[1] == pytest.approx(pair.p)


def test_whichever_stratum_comes_first_and_whatever_stands_beside_they_are_as_much_one() -> None:
    of = strata(np.random.default_rng(22), 40, 5)
    alone, turned = equal(of, [[0, 1, 2, 3]]), equal(of, [[4, 0], [2, 0, 3, 1]])
    assert turned[0][1] == pytest.approx(alone[0][0])
    assert turned[1][1] == pytest.approx(alone[1][0], abs=1e-12)


def test_of_many_clusters_wald_is_f() -> None:
    of = strata(np.random.default_rng(23), 3_000, 4, icc=0)
    (statistic,), (p,) = equal(of, [[0, 1, 2, 3]], 2_000)
    assert p == pytest.approx(stats.f.sf(statistic, 3, 2_999), abs=0.03)


@pytest.mark.parametrize(
    ("clusters", "k"),
    [(4, 3), (3, 3), (12, 11)],  # as many differences as clusters, or nearly: nothing is left to tell by
)
def test_strata_without_clusters_enough_are_not_compared(clusters: int, k: int) -> None:
    of = strata(np.random.default_rng(24), clusters, k)
    found = np.array(equal(of, [list(range(k))]))
    assert np.isnan(found).all() == (clusters <= k)


def test_strata_that_are_the_same_rows_are_not_compared() -> None:
    of = strata(np.random.default_rng(25), 30, 3)
    assert np.isnan(equal(of[:, [0, 1, 0]], [[0, 1, 2]])).all()
    assert np.isnan(equal(of, [[0, 1, 2]], flips=0)).all()
    assert [len(column) for column in equal(of, [])] == [0, 0]


@pytest.mark.parametrize(
    ("k", "clusters", "is_apart"), [(3, 15, False), (8, 60, False), (3, 45, True), (10, 200, True)]
)
def test_strata_that_have_one_correlation_are_told_apart_in_one_of_twenty_studies(
    k: int, clusters: int, is_apart: bool
) -> None:
    p = [equal(strata(np.random.default_rng([26, i]), clusters, k, is_apart=is_apart), [list(range(k))])[1][0]
         for i in range(400)]  # fmt: skip
    assert 0.02 < np.mean(np.array(p) <= 0.05) < 0.085
