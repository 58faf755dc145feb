"""Many tests at once, against scipy and against loops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from agdb.statistics.families import benjamini_hochberg


@settings(deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.5, 1.0]) | st.floats(0, 1), min_size=1, max_size=30))
def test_a_q_value_is_the_least_of_p_m_over_rank_from_there_up(p: list[float]) -> None:
    m, ordered = len(p), sorted(p)
    expected = [min(ordered[j] * m / (j + 1) for j in range(m) if ordered[j] >= one) for one in p]
    assert benjamini_hochberg(p) == pytest.approx(np.minimum(expected, 1), abs=1e-15)


def test_a_p_value_that_is_missing_stays_so_and_is_not_counted() -> None:
    q = benjamini_hochberg([0.01, np.nan, 0.04, np.nan])
    assert q[[0, 2]] == pytest.approx(stats.false_discovery_control([0.01, 0.04]))
    assert np.isnan(q[[1, 3]]).all()


def test_no_p_values_have_no_q_values() -> None:
    assert benjamini_hochberg([]).shape == (0,)
    assert np.isnan(benjamini_hochberg([np.nan])).all()


@pytest.mark.parametrize("bad", [-0.1, 1.1, np.inf])
def test_what_is_not_a_p_value_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="outside"):
        benjamini_hochberg([0.1, bad])
