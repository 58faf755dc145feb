"""AUROC and its interval against pairs counted one by one, scipy, the jackknife, and by simulation."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from agdb.statistics.classification import auroc, delong_difference, delong_interval, placements

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

#: (score, is positive), with many ties; both classes, in any order.
labelled = st.lists(st.tuples(st.integers(-3, 3), st.booleans()), min_size=2, max_size=30).filter(
    lambda rows: len({positive for _, positive in rows}) == 2
)


def columns(rows: list[tuple[int, bool]]) -> tuple[Floats, Bools]:
    """Score and class."""
    return np.array([score for score, _ in rows], float), np.array([positive for _, positive in rows])


def counted(score: Floats, positive: Bools) -> float:
    """AUROC by counting pairs."""
    pairs = list(product(score[positive], score[~positive]))
    return float(np.mean([(a > b) + (a == b) / 2 for a, b in pairs]))


def drawn(n: int, seed: int, shift: float = 1.0) -> tuple[Floats, Bools]:
    """Scores of n rows, a third of them positive and higher by `shift`, rounded so that some tie."""
    rng = np.random.default_rng(seed)
    positive = np.arange(n) % 3 == 0
    return (rng.standard_normal(n) + shift * positive).round(1), positive


@settings(deadline=None, derandomize=True)
@given(labelled)
def test_auroc_is_the_share_of_pairs_that_the_positive_wins_ties_half(
    rows: list[tuple[int, bool]],
) -> None:
    score, positive = columns(rows)
    assert auroc(score, positive) == pytest.approx(counted(score, positive), abs=1e-12)


def test_auroc_of_many_rows_is_that_of_mann_whitneys_u() -> None:
    score, positive = drawn(20_000, seed=1)
    u = stats.mannwhitneyu(score[positive], score[~positive]).statistic
    assert auroc(score, positive) == pytest.approx(u / (positive.sum() * (~positive).sum()), abs=1e-12)


@settings(deadline=None, derandomize=True)
@given(labelled)
def test_a_placement_is_the_share_of_the_other_class_that_is_passed(rows: list[tuple[int, bool]]) -> None:
    score, positive = columns(rows)
    high, low = score[positive], score[~positive]
    found = placements(score, positive)
    assert found.of_positives == pytest.approx([np.mean((s > low) + (s == low) / 2) for s in high], abs=1e-12)
    assert found.of_negatives == pytest.approx([np.mean((high > s) + (s == high) / 2) for s in low], abs=1e-12)


@settings(deadline=None, derandomize=True)
@given(labelled)
def test_auroc_of_the_score_turned_over_is_one_less_auroc(rows: list[tuple[int, bool]]) -> None:
    score, positive = columns(rows)
    assert auroc(-score, positive) == pytest.approx(1 - auroc(score, positive), abs=1e-12)


@pytest.mark.parametrize("n", range(6))
@pytest.mark.parametrize("one_class", [True, False])
def test_one_class_alone_has_no_auroc_nor_interval(n: int, one_class: bool) -> None:
    score, positive = np.arange(n, dtype=float), np.full(n, one_class)
    assert np.isnan(auroc(score, positive))
    assert np.isnan(delong_interval(score, positive)).all()
    assert np.isnan(delong_difference(score, -score, positive)).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_not_finite_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        auroc([1.0, bad, 2.0], np.array([True, False, True]))


def test_classes_that_are_not_boolean_are_refused() -> None:
    with pytest.raises(ValueError, match="bool"):
        auroc([1.0, 2.0], np.array([0.0, np.nan]))


def jackknifed(score: Floats, positive: Bools) -> float:
    """SE of AUROC by leaving out each row in turn: for AUROC it is DeLong's, exactly."""
    variance = 0.0
    for side in (positive, ~positive):
        left_out = [counted(np.delete(score, i), np.delete(positive, i)) for i in np.flatnonzero(side)]
        variance += (len(left_out) - 1) / len(left_out) * np.sum((np.array(left_out) - np.mean(left_out)) ** 2)
    return float(np.sqrt(variance))


@pytest.mark.parametrize("seed", range(5))
def test_delongs_standard_error_is_that_of_the_jackknife(seed: int) -> None:
    score, positive = drawn(30, seed)
    assert delong_interval(score, positive).se == pytest.approx(jackknifed(score, positive), rel=1e-9)


def test_the_interval_is_symmetric_on_the_logit_scale() -> None:
    found = delong_interval(*drawn(60, seed=2))
    logit = np.log(np.array(found[:3:2]) / (1 - np.array(found[:3:2])))
    assert np.log(found.high / (1 - found.high)) - logit[0] == pytest.approx(logit[0] - logit[1], rel=1e-9)
    assert 0 < found.low < found.value < found.high < 1


def test_p_is_below_a_level_just_when_the_interval_of_that_level_leaves_out_a_half() -> None:
    found = delong_interval(*drawn(60, seed=3, shift=0.6))
    assert delong_interval(*drawn(60, seed=3, shift=0.6), level=1 - found.p).low == pytest.approx(0.5, abs=1e-9)


@pytest.mark.parametrize(
    ("score", "value"),
    [([1, 1, 1, 1], 0.5), ([2, 3, 0, 1], 1.0), ([0, 1, 2, 3], 0.0)],
    ids=["constant", "best", "worst"],
)
def test_a_score_that_leaves_no_spread_has_an_auroc_and_no_interval(score: list[float], value: float) -> None:
    found = delong_interval(score, np.array([True, True, False, False]))
    assert found.value == value
    assert np.isnan(found[1:]).all()


def test_one_positive_has_an_auroc_and_no_interval() -> None:
    found = delong_interval([1.0, 0.0, 2.0, 3.0], np.array([True, False, False, False]))
    assert found.value == pytest.approx(1 / 3)
    assert np.isnan(found[1:]).all()


@settings(deadline=None, derandomize=True)
@given(labelled)
def test_clusters_of_one_row_have_delongs_standard_error(rows: list[tuple[int, bool]]) -> None:
    score, positive = columns(rows)
    alone = delong_interval(score, positive, clusters=np.arange(len(score))[::-1])
    assert alone.se == pytest.approx(delong_interval(score, positive).se, rel=1e-9, nan_ok=True)


def test_rows_written_down_ten_times_tell_no_more_than_once_when_they_are_one_cluster() -> None:
    score, positive = drawn(300, seed=4)
    once = delong_interval(score, positive)
    ten = delong_interval(np.tile(score, 10), np.tile(positive, 10), clusters=np.tile(np.arange(300), 10))
    assert ten.value == pytest.approx(once.value, abs=1e-12)
    assert ten.se == pytest.approx(once.se, rel=1e-9)


def test_with_few_clusters_the_interval_is_as_wide_as_t_says() -> None:
    score, positive = drawn(60, seed=10)
    found = delong_interval(score, positive, clusters=np.arange(60) // 15)
    half = np.log(found.high / (1 - found.high)) - np.log(found.value / (1 - found.value))
    assert half == pytest.approx(stats.t.isf(0.025, 3) * found.se / (found.value * (1 - found.value)))


def clustered(rng: np.random.Generator, *, both_classes: bool) -> tuple[Floats, Floats, Bools, NDArray[np.int64]]:
    """Two scores of 80 clusters of 4 rows that share half of their variance; AUROC of both is Phi(1/2)."""
    cluster = np.repeat(np.arange(80), 4)
    positive = np.arange(320) % 2 == 0 if both_classes else cluster % 2 == 0
    common, own = rng.standard_normal((2, 80)), rng.standard_normal((2, 320))
    a, b = common[:, cluster] + own
    return a + positive, (a + b) / np.sqrt(2) + positive, positive, cluster


@pytest.mark.parametrize("both_classes", [True, False])
def test_the_interval_of_clusters_covers_the_truth_as_often_as_it_says(both_classes: bool) -> None:
    rng, held = np.random.default_rng(5), 0
    for _ in range(2_000):
        score, _, positive, cluster = clustered(rng, both_classes=both_classes)
        found = delong_interval(score, positive, cluster)
        held += found.low <= stats.norm.cdf(0.5) <= found.high
    assert 0.93 < held / 2_000 < 0.97


def test_the_difference_of_two_scores_of_one_auroc_is_found_in_one_of_twenty_studies() -> None:
    rng, rejected = np.random.default_rng(6), 0
    for _ in range(2_000):
        a, b, positive, cluster = clustered(rng, both_classes=True)
        rejected += delong_difference(a, b, positive, cluster).p < 0.05
    assert 0.035 < rejected / 2_000 < 0.065


def test_the_difference_is_that_of_the_two_and_tighter_than_were_they_independent() -> None:
    (a, positive), noise = drawn(300, seed=7), np.random.default_rng(8).standard_normal(300)
    found, first, second = delong_difference(a, a + noise, positive), delong_interval(a, positive), delong_interval(
        a + noise, positive)  # fmt: skip
    assert found.value == pytest.approx(first.value - second.value, abs=1e-12)
    assert found.se < np.hypot(first.se, second.se)
    assert found.low < found.value < found.high


def test_scores_of_one_order_differ_by_nothing_and_without_an_interval() -> None:
    score, positive = drawn(50, seed=9)
    found = delong_difference(score, np.exp(score), positive)
    assert found.value == 0
    assert np.isnan(found[1:]).all()
