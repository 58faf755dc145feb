"""Differences of correlations by flipped signs: against loops over the flips, against t, and by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
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
    rho, of_ys = bootstrap.correlations(of.sum(axis=0)), wild.scores(of)
    estimate = rho[first] - rho[second]
    return estimate, wild.differences(estimate, of_ys.of(first), of_ys.of(second), flips, 3)


def test_what_clusters_add_are_the_correlations() -> None:
    of = sums(np.random.default_rng(1), 30)
    found = wild.scores(of)
    assert found.z.sum(axis=0) == pytest.approx(bootstrap.correlations(of.sum(axis=0)))
    assert found.spread.sum(axis=0) == pytest.approx([1, 1])
    assert found.share.sum(axis=0) == pytest.approx([1, 1])
    without = [bootstrap.correlations(np.delete(of, i, axis=0).sum(axis=0)) for i in range(30)]
    assert found.without == pytest.approx(np.array(without))


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.integers(0, 10_000), st.integers(7, 40), st.floats(0, 0.9), st.floats(-0.3, 0.3))
def test_p_and_interval_are_those_of_a_loop_over_flips(seed: int, clusters: int, icc: float, away: float) -> None:
    of = sums(np.random.default_rng(seed), clusters, icc=icc)
    (estimate,), found = differences(of, [(0, 1)])
    a, b = (wild.scores(of).of([k]) for k in (0, 1))
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
