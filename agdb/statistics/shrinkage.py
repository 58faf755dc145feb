"""Noise in the label: effects that were picked for being large are too large, and noisy ones correlate too little."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from agdb.statistics.intervals import Floats

#: z of a p-value that is too small for a float.
_LARGEST_Z = 40.0

#: Numbers that are looked at together: they stay in the cache of a core.
_AT_ONCE = 1 << 15

#: A step of Newton's that is so small leaves an error of its square.
_LAST_STEP = 1e-7

#: Steps at most: some four are taken, and half the way each time would be as exact as a float after these.
_MOST_STEPS = 60

_ROOT_2, _TWO_TAILS = np.sqrt(2.0), np.sqrt(2 / np.pi)

#: mu - c, and how far above c is the mean of Z ~ N(mu, 1) given Z >= c.
_SHIFTS = np.linspace(-_LARGEST_Z, _LARGEST_Z, 4001)
_ABOVE = _SHIFTS + _TWO_TAILS / special.erfcx(-_SHIFTS / _ROOT_2)


def fiqt(z: ArrayLike) -> Floats:
    """Z scores without winner's curse: sign(z) Phi^-1(1 - q / 2), q the Benjamini-Hochberg q-value of z's p-value.

    FDR inverse quantile transformation (Bigdeli et al. 2016, Bioinformatics 32:2598). Needs the z of ALL tested pairs:
    among significant pairs alone it takes away nothing. Reckoned in logarithms, so that no z is too large.

    Shape (m,) -> (m,). A z that is NaN is no test: it stays NaN and is not counted; an infinite one stays infinite.
    """
    z = np.asarray(z, float)
    if z.ndim != 1:
        raise ValueError(f"z of shape {z.shape}: want (m,), all tested pairs")
    shrunken = np.full(z.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(z))
    m = len(tested)
    largest_first = tested[np.argsort(-np.abs(z[tested]), kind="stable")]
    log_p = np.log(2) + special.log_ndtr(-np.abs(z[largest_first]))
    log_q = log_p + np.log(m) - np.log(np.arange(1, m + 1)) if m else log_p
    log_q = np.minimum(np.minimum.accumulate(log_q[::-1])[::-1], 0)
    shrunken[largest_first] = np.sign(z[largest_first]) * -special.ndtri_exp(log_q - np.log(2))
    return shrunken


def conditional_likelihood(beta: ArrayLike, se: ArrayLike, threshold: ArrayLike) -> Floats:
    """Effects that are most likely, given that |beta / se| had to reach a threshold to be seen.

    se times the mu that solves E(Z | |Z| >= c) = z, Z ~ N(mu, 1), z = beta / se: the conditional maximum-likelihood
    estimate (Zhong & Prentice 2008, Biostatistics 9:621). Between 0 and beta: near 0 for z at the threshold, where it
    takes away too much, and near beta far above it.

    Args:
        beta, se: Shape (n,); se > 0.
        threshold: Of |z|, above which pairs were reported: `norm.isf(p / 2)` for a p-value threshold p. Number or (n,).

    Returns:
        Shape (n,); NaN where |z| is below the threshold (such a pair was not picked by it) or an input is not finite or
        se is not positive. Without a threshold (0) beta itself.
    """
    beta, se, c = np.broadcast_arrays(*(np.asarray(v, float) for v in (beta, se, threshold)))
    if (c < 0).any():
        raise ValueError("threshold is of |z|: not below 0")
    with np.errstate(divide="ignore", invalid="ignore"):
        z = np.abs(beta / se)
        picked = (se > 0) & np.isfinite(beta) & np.isfinite(se) & np.isfinite(c) & np.isfinite(z) & (z >= c)
    mu = np.full(z.shape, np.nan)
    mu[picked] = _most_likely(z[picked], c[picked])
    return np.asarray(np.sign(beta) * mu * se, float)


def _most_likely(z: Floats, c: Floats) -> Floats:
    """mu >= 0 of which E(Z | |Z| >= c) is z >= c. Shapes (n,)."""
    parts = range(0, len(z), _AT_ONCE)
    return np.concatenate([np.zeros(0), *(_root(z[i : i + _AT_ONCE], c[i : i + _AT_ONCE]) for i in parts)])


def _root(z: Floats, c: Floats) -> Floats:
    """Newton's method between two ends, 0 and z, that close in; a step beyond them is half the way instead."""
    mu, low, high = _near(z, c), np.zeros_like(z), z.copy()
    left = np.arange(len(z))
    for _ in range(_MOST_STEPS):
        now = mu[left]
        mean, variance = _moments(now, c[left])
        above = mean - z[left]
        low[left], high[left] = np.where(above < 0, now, low[left]), np.where(above < 0, high[left], now)
        with np.errstate(divide="ignore", invalid="ignore"):
            new = now - above / variance
        inside = (new >= low[left]) & (new <= high[left])
        mu[left] = new = np.where(inside, new, (low[left] + high[left]) / 2)
        left = left[np.abs(new - now) > _LAST_STEP * np.maximum(now, 1)]
        if not len(left):
            break
    return mu


def _moments(mu: Floats, c: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of Z ~ N(mu, 1) given |Z| >= c, for mu >= 0; the variance is the slope of the mean in mu."""
    other = np.exp(-2 * mu * c)  # density at -c, that at c being 1
    with np.errstate(over="ignore"):
        density = _TWO_TAILS / (special.erfcx((c - mu) / _ROOT_2) + other * special.erfcx((c + mu) / _ROOT_2))
    pull = -density * np.expm1(-2 * mu * c)
    return mu + pull, 1 + density * ((c - mu) + (c + mu) * other) - pull**2


def _near(z: Floats, c: Floats) -> Floats:
    """A first guess: without the other tail; near the threshold, with two tails of one length."""
    at_zero = _TWO_TAILS / special.erfcx(c / _ROOT_2)  # E(|Z| | |Z| >= c) of mu = 0
    two_tails = np.arctanh(np.minimum(z / at_zero, 0.98)) / np.maximum(c, 1e-9)
    far = c + np.interp(z - c, _ABOVE, _SHIFTS)
    return np.clip(np.where(z < 0.98 * at_zero, two_tails, far), 0, z)


def without_curse(effect: ArrayLike, p: ArrayLike, tested: ArrayLike) -> Floats:
    """Effects as `fiqt` shrinks them, each by what it does to the z of its two-sided p-value.

    Args:
        effect, p: Shape (n,).
        tested: p of ALL tested pairs, those of `effect` among them. Shape (m,).

    Returns:
        Shape (n,); NaN for a p that is not among the tested, or is NaN.
    """
    effect, p, tested = (np.asarray(v, float) for v in (effect, p, tested))
    tested = np.sort(tested[~np.isnan(tested)])  # z falls as p rises, and fiqt keeps their order
    z = -special.ndtri(tested / 2)
    place = np.minimum(np.searchsorted(tested, p), max(len(tested) - 1, 0))
    if not len(tested):
        return np.full(effect.shape, np.nan)
    return np.where(tested[place] == p, effect * _share_left(fiqt(z), z)[place], np.nan)


def picked_below(effect: ArrayLike, p: ArrayLike, threshold: ArrayLike) -> Floats:
    """Effects as `conditional_likelihood` shrinks them, given that p had to reach a threshold.

    z is that of the two-sided p-value, so that a pair at its threshold is at it whatever distribution made p.

    Args:
        effect, p, threshold: Of p. Shape (n,).

    Returns:
        Shape (n,); NaN where p is above its threshold, or one of them is NaN.
    """
    effect, p, threshold = (np.asarray(v, float) for v in (effect, p, threshold))
    with np.errstate(invalid="ignore"):
        z, c = -special.ndtri(p / 2), -special.ndtri(threshold / 2)
        is_known = ~np.isnan(p) & (p <= threshold)
        z, c = np.where(is_known, np.minimum(z, _LARGEST_Z), np.nan), np.where(is_known, c, 0.0)
        return np.asarray(effect * _share_left(conditional_likelihood(z, np.ones_like(z), np.minimum(c, z)), z), float)


def _share_left(shrunken: Floats, z: Floats) -> Floats:
    """shrunken / z; 1 where z is infinite, 0 where it is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(np.isinf(z), 1.0, np.where(z == 0, 0.0, shrunken / z))


def reliability(slope: ArrayLike, slope_se: ArrayLike) -> float:
    """Share of the variance of slopes that is not their noise: 1 - mean(se^2) / var(slope), not below 0.

    Shapes (n,), finite, or ValueError. NaN for n < 2 or slopes that do not vary. Slopes that were picked for
    significance vary more than all do: reliability is then too high.
    """
    slope, se = np.asarray(slope, float), np.asarray(slope_se, float)
    if slope.shape != se.shape or not (np.isfinite(slope).all() and np.isfinite(se).all()):
        raise ValueError(f"slopes {slope.shape} and their SE {se.shape}: want finite numbers of one shape (n,)")
    if len(slope) < 2 or np.ptp(slope) == 0:
        return np.nan
    return max(0.0, 1 - float(np.mean(se**2) / np.var(slope)))


def ceiling(slope: ArrayLike, slope_se: ArrayLike) -> float:
    """Largest correlation that the noise of the slopes leaves: sqrt(reliability) (Spearman 1904).

    Shapes (n,); a slope whose SE is NaN is left out. NaN for fewer than 3 that are known.
    """
    slope, se = np.asarray(slope, float), np.asarray(slope_se, float)
    known = np.isfinite(se)
    return float(np.sqrt(reliability(slope[known], se[known]))) if known.sum() > 2 else np.nan
