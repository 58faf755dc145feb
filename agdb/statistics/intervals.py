"""P-values and intervals of correlations and proportions of independent rows: what SQL has no distribution for.

Arrays in, arrays out; n is the number of rows that the correlation was computed on. Nothing here corrects for
dependence between rows: the intervals are those of independent pairs.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

Floats = NDArray[np.float64]


#: Half of a 95 % interval, in SE of a normal statistic.
Z95 = 1.959963984540054


class Interval(NamedTuple):
    """A two-sided confidence interval; NaN where it is not defined (n < 4, or |r| = 1)."""

    low: Floats
    high: Floats


def t_pvalue(t: ArrayLike, df: ArrayLike) -> Floats:
    """Two-sided p-value of a t statistic with `df` degrees of freedom, as GTEx derives `pval_nominal` from slope/se."""
    return np.asarray(2 * stats.t.sf(np.abs(np.asarray(t, float)), df), float)


def correlation_pvalue(r: ArrayLike, n: ArrayLike) -> Floats:
    """Two-sided p-value of r = 0: t = r sqrt((n-2)/(1-r^2)) with n-2 degrees of freedom (NaN for n < 3).

    For Pearson exact under normality; for Spearman the usual approximation (Zar 1972), as in `scipy.stats.spearmanr`.
    """
    r, n = _correlation(r), np.asarray(n, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = r * np.sqrt((n - 2) / ((1 - r) * (1 + r)))
        return np.where(n >= 3, t_pvalue(t, np.maximum(n - 2, 1)), np.nan)


def _correlation(r: ArrayLike) -> Floats:
    """Within -1 to 1: rounding may have pushed a perfect correlation past it."""
    return np.asarray(np.clip(np.asarray(r, float), -1, 1), float)


def _tanh_interval(r: ArrayLike, variance: ArrayLike, level: float) -> Interval:
    r, variance = _correlation(r), np.asarray(variance, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = stats.norm.isf((1 - level) / 2) * np.sqrt(variance)
        centre = np.arctanh(r)
        defined = np.isfinite(centre) & np.isfinite(half)
        return Interval(
            np.where(defined, np.tanh(centre - half), np.nan), np.where(defined, np.tanh(centre + half), np.nan)
        )


def fisher_interval(r: ArrayLike, n: ArrayLike, level: float = 0.95) -> Interval:
    """Interval of a Pearson correlation: tanh(atanh r -+ z / sqrt(n-3)) (Fisher 1921)."""
    n = np.asarray(n, float)
    return _tanh_interval(r, np.divide(1, n - 3, out=np.full(n.shape, np.nan), where=n > 3), level)


def bonett_wright_interval(rho: ArrayLike, n: ArrayLike, level: float = 0.95) -> Interval:
    """Interval of a Spearman correlation: tanh(atanh rho -+ z sqrt((1 + rho^2/2)/(n-3))) (Bonett & Wright 2000)."""
    n, rho = np.asarray(n, float), np.asarray(rho, float)
    return _tanh_interval(
        rho, np.divide(1 + rho**2 / 2, n - 3, out=np.full(np.broadcast(rho, n).shape, np.nan), where=n > 3), level
    )


def kendall(x: ArrayLike, y: ArrayLike, level: float = 0.95) -> tuple[float, float, float, float]:
    """Kendall's tau-b, its interval and two-sided p-value (`scipy.stats.kendalltau`).

    The interval is tanh(atanh tau -+ z sqrt(0.437 / (n - 4))) (Fieller, Hartley & Pearson 1957); NaN for n < 5.
    """
    n, found = len(np.asarray(x)), stats.kendalltau(x, y)
    variance = 0.437 / (n - 4) if n > 4 else np.nan
    low, high = _tanh_interval(found.statistic, variance, level)
    return float(found.statistic), float(low), float(high), float(found.pvalue)


def wilson_interval(k: ArrayLike, n: ArrayLike, level: float = 0.95) -> Interval:
    """Interval of a proportion k/n (Wilson 1927); NaN for n = 0."""
    k, n = np.asarray(k, float), np.asarray(n, float)
    z2 = stats.norm.isf((1 - level) / 2) ** 2
    with np.errstate(divide="ignore", invalid="ignore"):
        centre = (k + z2 / 2) / (n + z2)
        half = np.sqrt(z2) / (n + z2) * np.sqrt(k * (n - k) / n + z2 / 4)
    return Interval(centre - half, centre + half)


def zou_difference(r_a: ArrayLike, r_b: ArrayLike, r_ab: ArrayLike, n: ArrayLike, level: float = 0.95) -> Interval:
    """Interval of r_a - r_b, two correlations with the same y on the same rows; r_ab correlates the two scores.

    Zou 2007 (Psychological Methods 12:399), overlapping dependent correlations: the two Fisher intervals are combined
    through the correlation of the two estimates.
    """
    a, b, ab = (np.asarray(v, float) for v in (r_a, r_b, r_ab))
    (low_a, high_a), (low_b, high_b) = fisher_interval(a, n, level), fisher_interval(b, n, level)
    with np.errstate(divide="ignore", invalid="ignore"):
        c = ((ab - a * b / 2) * (1 - a**2 - b**2 - ab**2) + ab**3) / ((1 - a**2) * (1 - b**2))
        low = a - b - np.sqrt((a - low_a) ** 2 + (high_b - b) ** 2 - 2 * c * (a - low_a) * (high_b - b))
        high = a - b + np.sqrt((high_a - a) ** 2 + (b - low_b) ** 2 - 2 * c * (high_a - a) * (b - low_b))
    return Interval(low, high)


def meng_pvalue(r_a: ArrayLike, r_b: ArrayLike, r_ab: ArrayLike, n: ArrayLike) -> Floats:
    """Two-sided p-value of r_a = r_b on the same rows (Meng, Rosenthal & Rubin 1992, Psychol. Bull. 111:172)."""
    a, b, ab, n = (np.asarray(v, float) for v in (r_a, r_b, r_ab, n))
    mean_square = (a**2 + b**2) / 2
    with np.errstate(divide="ignore", invalid="ignore"):
        f = np.minimum(1, (1 - ab) / (2 * (1 - mean_square)))
        h = (1 - f * mean_square) / (1 - mean_square)
        z = (np.arctanh(a) - np.arctanh(b)) * np.sqrt((n - 3) / (2 * (1 - ab) * h))
    return np.asarray(2 * stats.norm.sf(np.abs(z)), float)


def detectable_correlation(n: ArrayLike, power: float = 0.8, alpha: float = 0.05) -> Floats:
    """Smallest |r| that a two-sided test at `alpha` finds with `power`: tanh((z_alpha + z_power) / sqrt(n-3)).

    The database asks its macro of this name, which the tests hold against this.
    """
    n = np.asarray(n, float)
    z = stats.norm.isf(alpha / 2) + stats.norm.isf(1 - power)
    half = np.divide(z, np.sqrt(np.maximum(n - 3, 0)), out=np.full(n.shape, np.inf), where=n > 3)
    return np.asarray(np.tanh(half), float)
