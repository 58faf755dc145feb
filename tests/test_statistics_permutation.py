"""Permuted labels against all permutations, one by one, and by simulation of studies without an effect."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from agdb.statistics.permutation import permutation_spearman

Floats = NDArray[np.float64]


def every_rho(score: Floats, label: Floats, cluster: NDArray[np.int64]) -> Floats:
    """Spearman's rho of every way to shuffle labels within clusters."""
    of_clusters = [np.flatnonzero(cluster == c) for c in np.unique(cluster)]
    shuffled = [np.concatenate(parts) for parts in product(*map(permutations, of_clusters))]
    a, b = (stats.zscore(stats.rankdata(v)) for v in (score, label))
    return np.asarray(b[np.array(shuffled)] @ a[np.concatenate(of_clusters)] / len(a), float)


def far(rhos: Floats, rho: float) -> float:
    """Share that is at least as far from their mean."""
    return float(np.mean(np.abs(rhos - rhos.mean()) >= abs(rho - rhos.mean()) - 1e-12))


clustered_rows = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2)), min_size=3, max_size=6
).filter(lambda rows: len({x for x, _, _ in rows}) > 1 and len({y for _, y, _ in rows}) > 1)


@settings(deadline=None, derandomize=True)
@given(clustered_rows)
def test_the_mean_is_that_of_all_permutations_within_clusters(rows: list[tuple[int, int, int]]) -> None:
    x, y, cluster = (np.array(column, float) for column in zip(*rows, strict=True))
    found, rhos = permutation_spearman(x, y, cluster, 10), every_rho(x, y, cluster.astype(int))
    assert found.rho == pytest.approx(stats.spearmanr(x, y).statistic, abs=1e-12)
    assert found.expected == pytest.approx(rhos.mean(), abs=1e-9)


@pytest.mark.parametrize("seed", range(6))
def test_p_is_about_the_share_of_all_permutations_within_clusters_that_are_as_far(seed: int) -> None:
    rng = np.random.default_rng(seed)
    x, y, cluster = rng.integers(0, 5, 9), rng.integers(0, 5, 9), np.array([0, 0, 0, 1, 1, 2, 2, 2, 3])
    found = permutation_spearman(x, y, cluster, permutations=20_000, seed=seed)
    exact = far(every_rho(x.astype(float), y.astype(float), cluster), found.rho)
    assert found.p == pytest.approx(exact, abs=0.02)


@pytest.mark.parametrize("seed", range(3))
def test_without_clusters_p_is_that_of_scipys_permutation_test(seed: int) -> None:
    x, y = np.random.default_rng(seed).standard_normal((2, 6))
    exact = stats.permutation_test(
        (x,), lambda x: stats.spearmanr(x, y).statistic, permutation_type="pairings", n_resamples=np.inf
    ).pvalue
    assert permutation_spearman(x, y, permutations=20_000).p == pytest.approx(exact, abs=0.02)


def test_p_of_many_independent_rows_is_about_that_of_the_t_test() -> None:
    x, y = np.random.default_rng(1).standard_normal((2, 500))
    y = y + 0.07 * x
    assert permutation_spearman(x, y, permutations=20_000).p == pytest.approx(stats.spearmanr(x, y).pvalue, abs=0.01)


def test_p_is_never_zero() -> None:
    x = np.arange(200.0)
    assert permutation_spearman(x, x, permutations=99).p == 0.01


def test_what_scores_and_labels_share_through_their_clusters_is_not_counted() -> None:
    rng = np.random.default_rng(2)
    rejected = confounded = 0
    for _ in range(500):
        cluster = np.repeat(np.arange(15), 4)
        common = rng.standard_normal(15)[cluster]
        x, y = common + rng.standard_normal((2, 60))
        rejected += permutation_spearman(x, y, cluster, permutations=199).p <= 0.05
        confounded += permutation_spearman(x, y, permutations=199).p <= 0.05
    assert 0.03 < rejected / 500 < 0.07
    assert confounded / 500 > 0.5


def test_an_association_within_clusters_is_found() -> None:
    rng = np.random.default_rng(3)
    cluster = np.repeat(np.arange(100), 3)
    x = rng.standard_normal(300)
    y = 0.5 * x + rng.standard_normal(300) + rng.standard_normal(100)[cluster]
    assert permutation_spearman(x, y, cluster, permutations=999).p == 0.001


def test_the_same_seed_gives_the_same_p_and_another_seed_another() -> None:
    x, y = np.random.default_rng(4).standard_normal((2, 50))
    first, again, other = (permutation_spearman(x, y, permutations=500, seed=seed) for seed in (1, 1, 2))
    assert first == again
    assert first.p != other.p


def test_the_order_of_rows_and_the_names_of_clusters_do_not_matter_to_rho_and_the_mean() -> None:
    rng = np.random.default_rng(5)
    x, y, cluster = *rng.standard_normal((2, 40)), rng.integers(0, 9, 40)
    order, names = rng.permutation(40), np.array([f"gene {9 - i}" for i in range(9)])
    found = permutation_spearman(x, y, cluster, 10)
    renamed = permutation_spearman(x[order], y[order], names[cluster[order]], 10)
    assert renamed[:2] == pytest.approx(found[:2])


def test_more_labels_than_are_held_at_once_are_permuted_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(6)
    x, y, cluster = *rng.standard_normal((2, 40)), rng.integers(0, 9, 40)
    at_once = permutation_spearman(x, y, cluster, 200)
    monkeypatch.setattr("agdb.statistics.permutation._LABELS_AT_ONCE", 50)
    assert permutation_spearman(x, y, cluster, 200) == at_once


def test_clusters_of_one_row_leave_nothing_to_permute() -> None:
    found = permutation_spearman([1, 2, 3, 5, 4], [2, 1, 3, 4, 5], np.arange(5))
    assert found.rho == pytest.approx(0.8)
    assert found.expected == found.rho
    assert np.isnan(found.p)


def test_labels_that_are_alike_within_clusters_leave_nothing_to_permute() -> None:
    assert np.isnan(permutation_spearman([1, 2, 3, 4], [1, 1, 2, 2], np.array([0, 0, 1, 1])).p)


@pytest.mark.parametrize("n", range(6))
def test_a_constant_has_no_correlation(n: int) -> None:
    found = permutation_spearman(np.zeros(n), np.arange(n))
    assert np.isnan(found).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_label_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        permutation_spearman([1.0, 2.0], [1.0, bad])
