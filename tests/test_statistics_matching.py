"""Controls against a greedy search through all pairs, and what they do to a confounder."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from agdb.statistics.classification import auroc
from agdb.statistics.matching import Matches, match_controls, pooled_sd, standardised_mean_differences

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]


def searched(
    covariates: Floats, positive: Bools, strata: NDArray[np.int64], k: int, caliper: float
) -> set[tuple[int, int]]:
    """Look at every control left, turn by turn, positives in the order of rows; the first of the nearest is taken."""
    sd = pooled_sd(covariates[positive], covariates[~positive])
    scaled = covariates / np.where(sd > 0, sd, 1)
    is_left, pairs = ~positive, set()
    for _ in range(k):
        for i in np.flatnonzero(positive).tolist():
            distance = np.sqrt(((scaled - scaled[i]) ** 2).sum(axis=1))
            nearest = int(np.argmin(np.where(is_left & (strata == strata[i]), distance, np.inf)))
            if is_left[nearest] and strata[nearest] == strata[i] and distance[nearest] <= caliper:
                pairs.add((i, nearest))
                is_left[nearest] = False
    return pairs


def pairs_of(matches: Matches) -> set[tuple[int, int]]:
    """As a set; no pair comes twice."""
    pairs = list(zip(matches.positive.tolist(), matches.control.tolist(), strict=True))
    assert len(set(pairs)) == len(pairs)
    return set(pairs)


@settings(deadline=None, derandomize=True)
@given(
    rows=st.lists(st.tuples(st.integers(0, 4), st.integers(0, 2), st.booleans()), min_size=1, max_size=40),
    k=st.integers(1, 3),
    caliper=st.sampled_from([0.3, 1.0, np.inf]),
)
def test_each_positive_in_turn_takes_its_nearest_control_left_the_first_of_equals(
    rows: list[tuple[int, int, bool]], k: int, caliper: float
) -> None:
    covariates, strata = np.array([[value] for value, _, _ in rows], float), np.array([s for _, s, _ in rows])
    positive = np.array([p for _, _, p in rows])
    found = match_controls(covariates, positive, strata, k, caliper)
    if positive.any() and not positive.all():
        assert pairs_of(found) == searched(covariates, positive, strata, k, caliper)
    else:
        assert not len(found.positive)


@pytest.mark.parametrize("k", [1, 4])
def test_several_covariates_count_together(k: int) -> None:
    rng = np.random.default_rng(k)
    covariates, positive = rng.standard_normal((300, 3)), np.arange(300) % 6 == 0
    strata = rng.integers(0, 2, 300)
    found = match_controls(covariates, positive, strata, k)
    assert pairs_of(found) == searched(covariates, positive, strata, k, np.inf)


def test_positives_that_crowd_at_one_place_take_ever_farther_controls() -> None:
    rng = np.random.default_rng(2)
    positive, spread = np.arange(6_000) < 400, rng.standard_normal((6_000, 2))
    covariates = np.where(positive[:, None], 0.01 * spread, spread)
    found = match_controls(covariates, positive)
    assert pairs_of(found) == searched(covariates, positive, np.zeros(6_000, np.int64), 1, np.inf)


def test_of_many_controls_on_a_circle_the_first_row_is_taken_first() -> None:
    circle = [(x, y) for x in range(-5, 6) for y in range(-5, 6) if x * x + y * y == 25]  # 12 points, pooled SD 2.5
    covariates = np.array([(0, 0), *np.random.default_rng(6).permutation(circle)], float)
    found = match_controls(covariates, np.arange(13) == 0, k=12)
    assert found.distance.tolist() == [2.0] * 12
    assert found.control.tolist() == list(range(1, 13))


def test_pairs_are_in_the_order_of_positives_each_with_its_nearest_first() -> None:
    found = match_controls(np.array([[5.0], [0.0], [1.0], [3.0], [5.0], [9.0]]), np.arange(6) < 2, k=2)
    assert found.positive.tolist() == [0, 0, 1, 1]
    assert found.control.tolist() == [4, 3, 2, 5]


def test_controls_that_are_all_alike_are_taken_in_the_order_of_rows() -> None:
    found = match_controls(np.zeros((10_000, 2)), np.arange(10_000) >= 6_000)
    assert found.positive.tolist() == list(range(6_000, 10_000))
    assert found.control.tolist() == list(range(4_000))


def test_the_distance_is_in_pooled_sd_whatever_the_unit() -> None:
    rng = np.random.default_rng(3)
    covariates, positive = rng.standard_normal((60, 2)), np.arange(60) % 3 == 0
    found = match_controls(covariates, positive)
    scaled = covariates / pooled_sd(covariates[positive], covariates[~positive])
    assert found.distance == pytest.approx(np.linalg.norm(scaled[found.positive] - scaled[found.control], axis=1))
    in_other_units = match_controls(covariates * [1e3, 1e-3] + 7, positive)
    assert np.array_equal(in_other_units.control, found.control)


def test_no_pair_is_farther_than_the_caliper() -> None:
    rng = np.random.default_rng(4)
    covariates, positive = rng.standard_normal((400, 2)), np.arange(400) % 3 == 0
    free, held = match_controls(covariates, positive), match_controls(covariates, positive, caliper=0.2)
    assert free.distance.max() > 0.2 >= held.distance.max()
    assert 0 < len(held.positive) < len(free.positive)


def test_too_few_controls_leave_positives_without() -> None:
    found = match_controls(np.arange(5.0)[:, None], np.array([True, True, True, False, False]), k=2)
    assert (found.positive.tolist(), found.control.tolist()) == ([0, 1], [3, 4])


@pytest.mark.parametrize("positive", [[], [True], [False], [True, True], [False, False]])
def test_one_class_alone_has_no_pairs(positive: list[bool]) -> None:
    found = match_controls(np.zeros((len(positive), 1)), np.array(positive, bool))
    assert [len(column) for column in found] == [0, 0, 0]


def test_a_stratum_may_have_any_name() -> None:
    names = np.array(["chr1", "chrX", "chr1", "chrX"])
    found = match_controls(np.zeros((4, 1)), np.array([True, True, False, False]), names)
    assert found.control.tolist() == [2, 3]


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_covariate_that_is_missing_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        match_controls([[0.0], [bad]], np.array([True, False]))


@pytest.mark.parametrize(("k", "caliper"), [(0, None), (1, 0.0), (1, np.nan)])
def test_a_match_that_can_take_nothing_is_refused(k: int, caliper: float | None) -> None:
    with pytest.raises(ValueError, match="want k"):
        match_controls([[0.0], [1.0]], np.array([True, False]), k=k, caliper=caliper)


def test_matched_controls_take_the_distance_to_the_gene_out_of_a_score_that_knows_nothing_else() -> None:
    rng = np.random.default_rng(5)
    positive = np.arange(20_000) < 500
    log_distance = np.where(positive, rng.normal(4.2, 0.5, 20_000), rng.normal(5.0, 0.7, 20_000))
    covariates = np.stack([log_distance, rng.uniform(0.01, 0.5, 20_000)], axis=1)
    assert auroc(-log_distance, positive) > 0.8
    found = match_controls(covariates, positive)
    rows = np.r_[found.positive, found.control]
    assert auroc(-log_distance[rows], positive[rows]) == pytest.approx(0.5, abs=0.03)
    assert np.abs(standardised_mean_differences(covariates[found.positive], covariates[found.control])).max() < 0.1


def test_the_standardised_mean_difference_is_its_formula() -> None:
    a, b = np.array([[1.0, 0.0], [3.0, 0.0]]), np.array([[0.0, 1.0], [0.0, 1.0], [3.0, 4.0]])
    assert standardised_mean_differences(a, b) == pytest.approx(
        [(2 - 1) / np.sqrt((1 + 2) / 2), (0 - 2) / np.sqrt((0 + 2) / 2)]
    )
    assert standardised_mean_differences(a, b, sd=[2.0, 4.0]) == pytest.approx([0.5, -0.5])


def test_constants_are_balanced_or_infinitely_apart() -> None:
    assert standardised_mean_differences([[1.0, 1.0]], [[1.0, 0.0]]).tolist() == [0, np.inf]


def test_a_group_without_rows_has_no_mean_to_differ() -> None:
    assert np.isnan(standardised_mean_differences(np.empty((0, 2)), [[1.0, 2.0]])).all()
