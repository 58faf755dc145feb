"""Many tests at once: the share of false finds, and the chance of any."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from agdb.statistics.intervals import Floats


class MaxT(NamedTuple):
    """Tests of many estimates at once. Shapes (m,), but `critical`: a number.

    p: chance under the joint null that the largest |t| of all is as large as this one's. low, high: intervals that hold
    all true values at once, with the chance of their level. se: SD of the replicates. critical: half width in SE.
    """

    p: Floats
    low: Floats
    high: Floats
    se: Floats
    critical: float


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """q-values: the smallest rate of false discoveries at which each test is one of the finds.

    min over p_(j) >= p of p_(j) m / j (Benjamini & Hochberg 1995, J. R. Statist. Soc. B 57:289). Shape (m,) -> (m,).
    A p that is NaN is no test: it stays NaN and m does not count it. ValueError for p outside 0 to 1.
    """
    p = np.asarray(p, float)
    tested = ~np.isnan(p)
    if ((p[tested] < 0) | (p[tested] > 1)).any():
        raise ValueError("p-values outside 0 to 1")
    q = np.full(p.shape, np.nan)
    if tested.any():
        q[tested] = stats.false_discovery_control(p[tested])
    return q


def max_t(estimate: ArrayLike, replicates: ArrayLike, level: float = 0.95, df: float = np.inf) -> MaxT:
    """Joint test of m estimates that are 0 under their null, from bootstrap replicates drawn together.

    t_j = estimate_j / SD_j; its null is (replicate_j - estimate_j) / SD_j; the adjusted p is (1 + b) / (1 + B), b the
    replicates whose largest |t| is as large (Westfall & Young 1993, single step). Estimates that go together cost
    little: ten windows of one score are not ten independent tests, as Bonferroni would have it. An interval without 0
    and p < 1 - level say the same, but for the 1 in (1 + b) / (1 + B).

    Args:
        estimate: E.g. differences of rho between windows. Shape (m,).
        replicates: Of the same, a resample a row. Shape (B, m).
        level: Of the simultaneous intervals.
        df: Degrees of freedom of the SDs, clusters - 1: each t is taken for the z of the same p-value, as the
            replicates do not know that their SD is itself uncertain. Of 10 clusters, without it, three scores that are
            equal were said to differ in 16 % of studies.

    Returns:
        NaN for an estimate that is NaN, or whose replicates do not vary or are NaN in a tenth of the resamples or more;
        such a one is no part of the family.
    """
    estimate, replicates = np.asarray(estimate, float), np.asarray(replicates, float)
    if replicates.ndim != 2 or estimate.shape != replicates.shape[1:]:
        raise ValueError(f"estimates {estimate.shape}, replicates {replicates.shape}: want shapes (m,), (B, m)")
    is_number = np.isfinite(replicates)
    se = np.full(len(estimate), np.nan)
    for j in np.flatnonzero(np.isfinite(estimate) & (is_number.sum(axis=0) > max(1, 0.9 * len(replicates)))):
        se[j] = replicates[is_number[:, j], j].std(ddof=1)
    # rounding: replicates that are all one number have an SD of some 1e-17
    se[~(se > 1e-14 * np.maximum(1, np.abs(np.where(np.isfinite(estimate), estimate, 0))))] = np.nan
    tested = np.isfinite(se)
    p, low, high = (np.full(len(estimate), np.nan) for _ in range(3))
    if not tested.any():
        return MaxT(p, low, high, se, np.nan)
    of_null = np.abs(replicates[:, tested] - estimate[tested]) / se[tested]
    largest = np.sort(np.where(np.isfinite(of_null), of_null, 0).max(axis=1))
    t = np.abs(estimate[tested]) / se[tested]
    z = t if np.isinf(df) else stats.norm.isf(stats.t.sf(t, df)) - 1e-9  # a tie is as far, whatever rounding made of it
    p[tested] = (1 + len(largest) - np.searchsorted(largest, z, side="left")) / (1 + len(largest))
    critical = float(np.quantile(largest, level, method="higher"))
    critical = critical if np.isinf(df) else float(stats.t.isf(stats.norm.sf(critical), df))
    low[tested], high[tested] = estimate[tested] - critical * se[tested], estimate[tested] + critical * se[tested]
    return MaxT(p, low, high, se, critical)
