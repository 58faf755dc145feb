"""Average precision against thresholds tried one by one, and its replicates against rows drawn for real."""

from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agdb.statistics.bootstrap import resample
from agdb.statistics.precision import average_precision, average_precision_replicates

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def by_thresholds(score: Floats, positive: Bools) -> float:
    """Sum over thresholds, from the highest: recall gained x precision there."""
    total, recall = 0.0, 0.0
    for threshold in sorted(set(score), reverse=True):
        taken = score >= threshold
        gained = (taken & positive).sum() / positive.sum()
        total, recall = total + (gained - recall) * (taken & positive).sum() / taken.sum(), gained
    return total


@settings(deadline=None, derandomize=True)
@given(st.lists(st.tuples(st.integers(0, 4), st.booleans()), min_size=2, max_size=30), st.randoms())
def test_average_precision_is_that_of_thresholds_whatever_the_order_of_rows(
    rows: list[tuple[int, bool]], random: Random
) -> None:
    score, positive = np.array([s for s, _ in rows], float), np.array([p for _, p in rows])
    found = average_precision(score, positive)
    if 0 < positive.sum() < len(rows):
        assert found.value == pytest.approx(by_thresholds(score, positive), abs=1e-12)
    else:
        assert np.isnan(found.value)
    random.shuffle(rows)
    assert average_precision([s for s, _ in rows], np.array([p for _, p in rows])).value == pytest.approx(
        found.value, abs=1e-12, nan_ok=True
    )


def test_positives_on_top_have_an_average_precision_of_one() -> None:
    assert average_precision([3, 2, 1, 0], np.array([True, True, False, False])).value == 1


@pytest.mark.parametrize("n_negative", [1, 9, 99])
def test_a_constant_score_has_the_chance_level_the_share_of_positives(n_negative: int) -> None:
    found = average_precision(np.zeros(n_negative + 1), np.arange(n_negative + 1) == 0)
    assert found.value == pytest.approx(found.chance)
    assert found.chance == 1 / (n_negative + 1)


def test_chance_reaches_the_chance_level() -> None:
    rng = np.random.default_rng(1)
    positive = np.arange(100_000) % 10 == 0
    assert average_precision(rng.random(100_000), positive).value == pytest.approx(0.1, abs=0.005)


@pytest.mark.parametrize("n", range(6))
@pytest.mark.parametrize("one_class", [True, False])
def test_one_class_alone_has_no_average_precision(n: int, one_class: bool) -> None:
    assert np.isnan(average_precision(np.arange(n), np.full(n, one_class)).value)
    assert np.isnan(average_precision_replicates(np.arange(n), np.full(n, one_class), resamples=5)).all()


def test_a_score_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match="not finite"):
        average_precision([1.0, np.nan], np.array([True, False]))


def test_a_replicate_is_the_average_precision_of_rows_of_clusters_drawn_for_real() -> None:
    rng = np.random.default_rng(2)
    score, positive, cluster = rng.integers(0, 20, 60).astype(float), rng.random(60) < 0.3, rng.integers(0, 12, 60)
    times = resample(np.eye(12), 50, seed=3).astype(int)  # how often each cluster is drawn: one seed, the same draws
    expected = [average_precision(np.repeat(score, t[cluster]), np.repeat(positive, t[cluster])).value for t in times]
    found = average_precision_replicates(score, positive, cluster, resamples=50, seed=3)
    assert found == pytest.approx(np.array(expected), abs=1e-12, nan_ok=True)


def test_rows_are_drawn_one_by_one_where_there_are_no_clusters() -> None:
    rng = np.random.default_rng(4)
    score, positive = rng.random(40), rng.random(40) < 0.4
    alone = average_precision_replicates(score, positive, np.arange(40), resamples=20)
    assert np.array_equal(average_precision_replicates(score, positive, resamples=20), alone)


def test_more_rows_than_are_held_at_once_are_drawn_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(5)
    score, positive = rng.random(40), rng.random(40) < 0.4
    at_once = average_precision_replicates(score, positive, resamples=20)
    monkeypatch.setattr("agdb.statistics.precision._ROWS_AT_ONCE", 100)
    assert np.array_equal(average_precision_replicates(score, positive, resamples=20), at_once)
