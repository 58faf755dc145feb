"""What a test could have found: said beside every "no detectable difference".

On the scale of arctanh, where a correlation is about normal with SE 1 / sqrt(n - 3) (Fisher 1921), or the SE that a
cluster bootstrap measured. A two-sided test of size `alpha` throughout.
"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special, stats

from agdb.statistics.intervals import Floats


def correlation_power(r: ArrayLike, n: ArrayLike, alpha: float = 0.05) -> Floats:
    """Chance that a test finds a true correlation r: P(|Z| > z_alpha), Z ~ N(arctanh(r) sqrt(n - 3), 1).

    Shapes: broadcast. NaN for n <= 3. Rows are independent; with a design effect of 2, n is half of the rows.
    """
    r, n = np.broadcast_arrays(np.asarray(r, float), np.asarray(n, float))
    z = stats.norm.isf(alpha / 2)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift = np.abs(np.arctanh(r)) * np.sqrt(n - 3)
        return np.where(n > 3, stats.norm.sf(z - shift) + stats.norm.cdf(-z - shift), np.nan)


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


def power_with_se(effect: ArrayLike, se: ArrayLike, df: ArrayLike = np.inf, alpha: float = 0.05) -> Floats:
    """Chance that a two-sided test with this standard error rejects 0 where there is a true effect; of none: `alpha`.

    P(|T + effect / se| > t_alpha), T Student's t with `df`. Of `detectable(se, df, power)` it is `power`, and what the
    other tail adds: 1e-5 of many degrees of freedom, 0.001 of four, 0.01 of one.
    Shapes: broadcast. NaN where se is not positive, or df < 1.
    """
    effect, se, df = np.broadcast_arrays(*(np.asarray(v, float) for v in (effect, se, df)))
    known = np.maximum(df, 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        shift, t = np.abs(effect) / se, stats.t.isf(alpha / 2, known)
        chance = stats.t.sf(t - shift, known) + stats.t.cdf(-t - shift, known)
    return np.where((se > 0) & (df >= 1), chance, np.nan)
