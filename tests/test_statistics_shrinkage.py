"""Winner's curse and noise of labels, against likelihoods maximised by search and effects that are known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy import optimize, stats

from agdb.statistics.shrinkage import (
    ceiling,
    conditional_likelihood,
    fiqt,
    reliability,
)

Floats = NDArray[np.float64]


@settings(deadline=None, derandomize=True)
@given(st.lists(st.sampled_from([-3.0, 0.0, 3.0]) | st.floats(-8, 8), min_size=1, max_size=30))
def test_fiqt_is_the_quantile_of_half_the_q_value(z: list[float]) -> None:
    q = stats.false_discovery_control(2 * stats.norm.sf(np.abs(z)))
    assert fiqt(z) == pytest.approx(np.sign(z) * stats.norm.isf(q / 2), abs=1e-7)


def test_fiqt_keeps_a_z_whose_p_value_no_number_can_hold() -> None:
    # p(60) is about 1e-784; alone among 1,000 tests its z is little smaller: z^2 falls by about 2 log 1000
    shrunken = fiqt(np.r_[60.0, np.zeros(999)])[0]
    assert shrunken == pytest.approx(np.sqrt(3_600 - 2 * np.log(1_000)), abs=0.01)


def test_fiqt_takes_nothing_from_a_single_test() -> None:
    assert fiqt([2.5]) == pytest.approx([2.5])


def test_fiqt_needs_all_the_tests_among_few_it_takes_less() -> None:
    assert fiqt([4.0, 0.1, -0.2, 0.3])[0] < fiqt([4.0, 5.0])[0] <= 4.0


def test_fiqt_does_not_count_a_missing_z_and_keeps_an_infinite_one() -> None:
    found = fiqt([np.nan, 2.0, -np.inf])
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(2.0)
    assert found[2] == -np.inf
    assert fiqt([]).shape == (0,)


def test_fiqt_is_nearer_the_truth_than_the_z_scores_that_stand_out() -> None:
    rng = np.random.default_rng(1)
    truth = np.where(rng.random(20_000) < 0.02, rng.normal(0, 3, 20_000), 0)
    z = truth + rng.standard_normal(20_000)
    best = np.argsort(-np.abs(z))[:300]
    assert np.mean((fiqt(z) - truth)[best] ** 2) < 0.8 * np.mean((z - truth)[best] ** 2)


def most_likely(z: float, c: float) -> float:
    """The mean under which z is most likely among those beyond c, by search."""

    def minus_log_likelihood(mu: float) -> float:
        return -float(stats.norm.logpdf(z - mu) - np.logaddexp(stats.norm.logsf(c - mu), stats.norm.logcdf(-c - mu)))

    return float(
        optimize.minimize_scalar(
            minus_log_likelihood, bounds=(min(z, 0) - 1e-9, max(z, 0) + 1e-9), method="bounded", options={"xatol": 1e-9}
        ).x
    )


@pytest.mark.parametrize("c", [0.0, 1.96, 5.45])
@pytest.mark.parametrize("beyond", [1e-3, 0.3, 2.0, 30.0])
@pytest.mark.parametrize("sign", [-1, 1])
def test_the_conditional_estimate_maximises_the_conditional_likelihood(c: float, beyond: float, sign: int) -> None:
    z = sign * (c + beyond)
    assert conditional_likelihood(0.1 * z, 0.1, c) == pytest.approx(0.1 * most_likely(z, c), abs=1e-5)


def mean_beyond(mu: Floats, c: Floats) -> Floats:
    """E(Z | |Z| >= c), Z ~ N(mu, 1): mu plus what both tails pull it, in logarithms."""
    picked = np.logaddexp(stats.norm.logsf(c - mu), stats.norm.logcdf(-c - mu))
    return np.asarray(mu + np.exp(stats.norm.logpdf(c - mu) - picked) - np.exp(stats.norm.logpdf(c + mu) - picked))


def test_the_conditional_estimate_is_the_mean_under_which_z_is_expected_from_the_threshold_on() -> None:
    c, above = np.meshgrid(np.linspace(0, 38, 191), np.r_[0, np.geomspace(1e-9, 30, 60)])
    z = np.minimum(c + above, 40)
    found = conditional_likelihood(z, 1.0, c)
    assert np.abs(mean_beyond(found, c) - z).max() < 1e-10


def test_the_conditional_estimate_lies_between_nothing_and_the_effect_and_rises_with_it() -> None:
    beta = np.linspace(4, 60, 2_000)
    found = conditional_likelihood(beta, 1.0, 4.0)
    assert ((found >= 0) & (found <= beta)).all()
    assert (np.diff(found) > 0).all()
    assert found[-1] == pytest.approx(beta[-1])


def test_effects_that_were_picked_are_less_biased_when_the_picking_is_known() -> None:
    rng = np.random.default_rng(2)
    beta = 3.5 + rng.standard_normal(100_000)
    picked = beta[np.abs(beta) > 4]
    assert abs(conditional_likelihood(picked, 1.0, 4.0).mean() - 3.5) < picked.mean() - 3.5


@pytest.mark.parametrize(
    ("beta", "se", "threshold"),
    [(1.0, 1.0, 2.0), (np.nan, 1.0, 0.5), (1.0, 0.0, 0.5), (1.0, -1.0, 0.5), (1.0, 1.0, np.nan), (np.inf, 1.0, 0.5)],
)
def test_a_pair_that_was_not_picked_has_no_conditional_estimate(beta: float, se: float, threshold: float) -> None:
    found = conditional_likelihood([beta, 3.0], [se, 1.0], [threshold, 0.0])
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(3.0)


def test_nothing_picked_is_nothing_estimated() -> None:
    assert conditional_likelihood([], [], 2.0).shape == (0,)
    assert conditional_likelihood([0.0], [1.0], 0.0).tolist() == [0.0]


def test_a_threshold_below_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="threshold"):
        conditional_likelihood([1.0], [1.0], -1.0)


def test_the_reliability_is_the_share_of_variance_that_is_not_noise() -> None:
    rng = np.random.default_rng(3)
    truth, noise = rng.normal(0, 2, 200_000), rng.standard_normal(200_000)
    assert reliability(truth + noise, np.ones(200_000)) == pytest.approx(4 / 5, abs=0.01)


def test_slopes_that_vary_less_than_their_noise_have_no_reliability_and_not_less() -> None:
    assert reliability([1.0, 1.1, 0.9], [1.0, 1.0, 1.0]) == 0


@pytest.mark.parametrize("slope", [[], [1.0], [0.1, 0.1], [0.1, 0.1, 0.1]])
def test_slopes_that_do_not_vary_have_no_reliability_that_is_known(slope: list[float]) -> None:
    assert np.isnan(reliability(slope, np.full(len(slope), 0.1)))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_slope_or_its_error_that_is_not_finite_is_refused(bad: float) -> None:
    for slope, se in (([1.0, bad], [0.1, 0.1]), ([1.0, 2.0], [0.1, bad])):
        with pytest.raises(ValueError, match="finite"):
            reliability(slope, se)


def test_noise_leaves_the_correlation_that_the_ceiling_says() -> None:
    rng = np.random.default_rng(4)
    x, truth = rng.multivariate_normal([0, 0], [[1, 0.6], [0.6, 1]], 200_000).T
    slope = truth + rng.normal(0, 0.8, 200_000)
    assert np.corrcoef(x, slope)[0, 1] == pytest.approx(0.6 * ceiling(slope, np.full(200_000, 0.8)), abs=0.01)


def test_the_ceiling_is_of_the_slopes_whose_error_is_known_and_of_three_at_least() -> None:
    slope, se = np.array([1.0, 2.0, 4.0, 90.0]), np.array([0.5, 0.5, 0.5, np.nan])
    assert ceiling(slope, se) == pytest.approx(np.sqrt(1 - 0.25 / np.var([1, 2, 4])))
    assert np.isnan(ceiling(slope[1:], se[1:]))
