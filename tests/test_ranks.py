"""Ranks within groups, against scipy's of each group by itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import stats

from agdb.statistics.ranks import Floats, Ranker, tie_runs

few = st.sampled_from([-2.0, -0.5, 0.0, 0.5, 3.0])
any_number = st.floats(allow_nan=False, allow_infinity=False)


def centred_ranks(values: Floats, codes: np.ndarray) -> Floats:
    """scipy's average ranks of each group by itself, less their mean."""
    ranks = np.full(len(values), np.nan)
    for code in np.unique(codes[codes >= 0]):
        own = codes == code
        ranks[own] = stats.rankdata(values[own]) - (own.sum() + 1) / 2
    return ranks


@given(st.lists(st.tuples(few | any_number, st.integers(-1, 4)), max_size=40))
def test_ranks_within_groups_are_scipys_of_each_group(rows: list[tuple[float, int]]) -> None:
    values, codes = np.array([v for v, _ in rows], float), np.array([c for _, c in rows], int)
    assert np.array_equal(Ranker(values).within(codes), centred_ranks(values, codes), equal_nan=True)


@given(st.lists(few | any_number, max_size=40))
def test_without_groups_all_values_are_one(values: list[float]) -> None:
    found = Ranker(np.array(values, float)).within()
    assert np.array_equal(found, centred_ranks(np.array(values, float), np.zeros(len(values), int)))


@given(st.lists(st.tuples(few, st.integers(0, 3)), min_size=1, max_size=40))
def test_ranks_of_a_group_sum_to_zero_exactly(rows: list[tuple[float, int]]) -> None:
    values, codes = np.array([v for v, _ in rows]), np.array([c for _, c in rows])
    assert np.bincount(codes, Ranker(values).within(codes)).tolist() == [0.0] * (codes.max() + 1)


def test_one_ranker_serves_many_groupings() -> None:
    rng = np.random.default_rng(1)
    values = rng.integers(9, size=200).astype(float)
    ranker = Ranker(values)
    for k in (1, 3, 50):
        codes = rng.integers(-1, k, size=200)
        assert np.array_equal(ranker.within(codes), centred_ranks(values, codes), equal_nan=True)


def test_keys_that_do_not_fit_an_integer_are_sorted_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(1)
    values, codes = rng.integers(9, size=200).astype(float), rng.integers(-1, 5, size=200)
    monkeypatch.setattr("agdb.statistics.ranks._KEY_BITS", 4)
    assert np.array_equal(Ranker(values).within(codes), centred_ranks(values, codes), equal_nan=True)


def test_runs_hold_the_places_of_equal_values_of_each_group() -> None:
    level, group = np.array([1, 0, 1, 2, 0]), np.array([0, 0, 0, 2, 2])
    runs = tie_runs(level, group)
    cut = [sorted(runs.place[a : a + n].tolist()) for a, n in zip(runs.start, runs.size, strict=True)]
    assert cut == [[1], [0, 2], [4], [3]]
    assert runs.per_group.tolist() == [2, 0, 2]
    assert runs.spread(np.array([10.0, 20, 30, 40])).tolist() == [20, 10, 20, 40, 30]


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int64])
def test_codes_may_be_integers_of_any_width(kind: type) -> None:
    values = np.array([3.0, 1, 2, 2, 5])
    codes: NDArray[np.integer] = np.array([1, 0, 1, 1, -1]).astype(kind)
    assert np.array_equal(Ranker(values).within(codes), [1, 0, -0.5, -0.5, np.nan], equal_nan=True)


def test_where_every_row_is_in_no_group_no_row_has_a_rank() -> None:
    assert np.isnan(Ranker(np.array([2.0, 1.0])).within(np.array([-1, -1]))).all()


def test_no_rows_have_no_ranks() -> None:
    assert Ranker(np.zeros(0)).within(np.zeros(0, int)).shape == (0,)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_have_no_rank(bad: float) -> None:
    with pytest.raises(ValueError, match="not finite"):
        Ranker(np.array([1.0, bad]))
