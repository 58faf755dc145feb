"""What a test could have found: said beside every "no detectable difference".

On the scale of arctanh, where a correlation is about normal with SE 1 / sqrt(n - 3) (Fisher 1921), or the SE that a
cluster bootstrap measured. A two-sided test of size `alpha` throughout.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from agdb.statistics.intervals import Floats


def correlation_power(r: ArrayLike, n: ArrayLike, alpha: float = 0.05, design_effect: ArrayLike = 1.0) -> Floats:
    """Chance that a test finds a true correlation r: P(|Z| > z_alpha), Z ~ N(arctanh(r) sqrt(n / deff - 3), 1).

    Shapes: broadcast. NaN for n / deff <= 3. Design effect 2: n rows tell as much as n / 2 independent ones.
    """
    r, n, deff = np.broadcast_arrays(np.asarray(r, float), np.asarray(n, float), np.asarray(design_effect, float))
    z = stats.norm.isf(alpha / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.abs(np.arctanh(r)) * np.sqrt(n / deff - 3)
        return np.where(n / deff > 3, stats.norm.sf(z - shift) + stats.norm.cdf(-z - shift), np.nan)


def smallest_n(r: ArrayLike, power: float = 0.8, alpha: float = 0.05, design_effect: ArrayLike = 1.0) -> Floats:
    """Fewest rows that find a true correlation r with this power: deff (3 + ((z_alpha + z_power) / arctanh r)^2).

    Rounded up; infinite for r = 0. Shapes: broadcast. The chance of finding the wrong sign is not counted, as is usual.
    """
    r, deff = np.asarray(r, float), np.asarray(design_effect, float)
    z = stats.norm.isf(alpha / 2) + stats.norm.isf(1 - power)
    with np.errstate(divide="ignore"):
        return np.asarray(np.ceil(deff * (3 + (z / np.arctanh(r)) ** 2)), float)


def detectable(se: ArrayLike, df: ArrayLike = np.inf, power: float = 0.8, alpha: float = 0.05) -> Floats:
    """Smallest |effect| that a test with this standard error finds with this power: (t_alpha + t_power) SE.

    Args:
        se: On the scale of the effect, e.g. of a difference of two correlations. Shape: broadcast with `df`.
        df: Degrees of freedom of the SE: clusters - 1 for a cluster bootstrap; infinite for a normal test.

    Returns:
        NaN where se is NaN or 0, or df < 1.
    """
    se, df = np.broadcast_arrays(np.asarray(se, float), np.asarray(df, float))
    known = np.maximum(df, 1)
    t = -special.stdtrit(known, alpha / 2) - special.stdtrit(known, 1 - power)
    return np.where((se > 0) & (df >= 1), t * se, np.nan)


def detectable_from_se(se: ArrayLike, df: ArrayLike = np.inf, power: float = 0.8, alpha: float = 0.05) -> Floats:
    """`detectable` of a correlation: tanh of it, as `se` is on the scale of arctanh."""
    return np.asarray(np.tanh(detectable(se, df, power, alpha)), float)


def power_with_se(effect: ArrayLike, se: ArrayLike, df: ArrayLike = np.inf, alpha: float = 0.05) -> Floats:
    """Chance that a test with this standard error finds a true effect: of `detectable(se, df, power)` it is `power`.

    P(T < |effect| / se - t_alpha), T Student's t with `df`; the chance of finding the wrong sign is not counted.
    Shapes: broadcast. NaN where se is not positive, or df < 1.
    """
    effect, se, df = np.broadcast_arrays(*(np.asarray(v, float) for v in (effect, se, df)))
    known = np.maximum(df, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        chance = stats.t.cdf(np.abs(effect) / se - stats.t.isf(alpha / 2, known), known)
    return np.where((se > 0) & (df >= 1), chance, np.nan)


def side_of_band(low: ArrayLike, high: ArrayLike, band_low: ArrayLike, band_high: ArrayLike) -> Floats:
    """Where an interval lies beside the band of what the field has found: before a 1 or a -1 is believed, seek the bug.

    Returns:
        -1: all of the interval below the band; 1: all above; 0: they share a value, so nothing is odd. NaN where the
        interval or the band is. Shapes: broadcast. ValueError for a band whose ends are swapped.
    """
    low, high, band_low, band_high = np.broadcast_arrays(
        *(np.asarray(v, float) for v in (low, high, band_low, band_high))
    )
    if (band_low > band_high).any():
        raise ValueError("the low end of a band is above its high end")
    side = np.where(high < band_low, -1.0, np.where(low > band_high, 1.0, 0.0))
    return np.where(np.isnan(low) | np.isnan(high) | np.isnan(band_low) | np.isnan(band_high), np.nan, side)
