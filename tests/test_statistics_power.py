"""Power against published sample sizes, scipy's noncentral t, and studies that are simulated."""

import numpy as np
import pytest
from scipy import stats

from agdb.statistics import correlation_pvalue, detectable_correlation
from agdb.statistics.power import correlation_power, detectable, power_with_se


@pytest.mark.parametrize(("r", "n"), [(0.1, 783), (0.3, 85), (0.5, 30), (-0.3, 85)])
def test_the_studies_of_cohens_tables_have_the_power_and_one_row_less_has_not(r: float, n: int) -> None:
    assert correlation_power(r, n) >= 0.8 > correlation_power(r, n - 1)


def test_the_power_of_the_study_of_a_thousand_rows_is_not_what_it_claimed() -> None:
    # it claimed over 95 % for r = .10 at n = 1,000 and over 99 % for r = .01 at n = 107,229
    assert correlation_power([0.1, 0.01], [1_000, 107_229]) == pytest.approx([0.8866, 0.9058], abs=5e-4)


def test_as_many_simulated_studies_are_significant_as_the_power_says() -> None:
    rng = np.random.default_rng(1)
    x, noise = rng.standard_normal((2, 10_000, 60))
    y = 0.3 * x + np.sqrt(1 - 0.3**2) * noise
    r = [np.corrcoef(a, b)[0, 1] for a, b in zip(x, y, strict=True)]
    assert np.mean(correlation_pvalue(r, 60) < 0.05) == pytest.approx(correlation_power(0.3, 60), abs=0.015)


@pytest.mark.parametrize("n", [10, 100])
def test_the_smallest_detectable_correlation_has_the_power_it_was_asked_for(n: int) -> None:
    assert correlation_power(detectable_correlation(n), n) == pytest.approx(0.8, abs=1e-5)


def test_without_a_correlation_the_power_is_the_size_of_the_test() -> None:
    assert correlation_power(0, 50, alpha=0.01) == pytest.approx(0.01)


def test_a_perfect_correlation_is_always_found() -> None:
    assert correlation_power([-1, 1], 10) == pytest.approx(1)


@pytest.mark.parametrize("n", range(4))
def test_three_rows_or_fewer_have_no_power_to_speak_of(n: int) -> None:
    assert np.isnan(correlation_power(0.5, n))


def test_what_is_detectable_from_the_standard_error_of_independent_rows_is_what_is_from_their_number() -> None:
    n = np.array([10, 1_000, 107_229])
    assert np.tanh(detectable(1 / np.sqrt(n - 3))) == pytest.approx(detectable_correlation(n))


@pytest.mark.parametrize("df", [10, 30, 500])
def test_the_detectable_effect_is_detected_with_the_power_it_says_by_noncentral_t(df: int) -> None:
    effect, critical = detectable(0.02, df) / 0.02, stats.t.isf(0.025, df)
    assert stats.nct.sf(critical, df, effect) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize(("se", "df"), [(np.nan, 10), (0.0, 10), (0.1, 0)])
def test_without_a_standard_error_nothing_is_known_to_be_detectable(se: float, df: float) -> None:
    assert np.isnan(detectable(se, df))


@pytest.mark.parametrize("df", [1, 4, 30, np.inf])
def test_the_power_of_a_clustered_study_without_an_effect_is_the_size_of_the_test(df: float) -> None:
    assert power_with_se(0, 0.1, df, alpha=0.01) == pytest.approx(0.01)


def test_the_power_of_independent_rows_is_the_same_by_their_number_and_by_their_standard_error() -> None:
    r = np.linspace(0, 0.6, 7)
    assert power_with_se(np.arctanh(r), 1 / np.sqrt(40 - 3)) == pytest.approx(correlation_power(r, 40))


@pytest.mark.parametrize(("df", "more"), [(1, 0.02), (4, 2e-3), (30, 1e-4), (np.inf, 1e-4)])
def test_the_power_at_the_detectable_effect_is_that_for_which_it_was_asked(df: float, more: float) -> None:
    assert 0.8 <= power_with_se(detectable(0.1, df), 0.1, df) < 0.8 + more
