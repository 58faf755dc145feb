"""Noise in the label: effects that were picked for being large are too large, and noisy ones correlate too little."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special
from scipy.optimize import elementwise

from agdb.statistics.intervals import Floats


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
    if picked.any():
        ends = (np.zeros(int(picked.sum())), z[picked])
        mu[picked] = elementwise.find_root(_excess, ends, args=(z[picked], c[picked])).x
    return np.asarray(np.sign(beta) * mu * se, float)


def _excess(mu: Floats, z: Floats, c: Floats) -> Floats:
    """E(Z | |Z| >= c) - z for mu >= 0: rises with mu, below 0 at 0, above 0 at z."""
    log_picked = np.logaddexp(special.log_ndtr(mu - c), special.log_ndtr(-mu - c))
    log_density = -((mu - c) ** 2) / 2 - np.log(2 * np.pi) / 2
    return np.asarray(mu - np.exp(log_density - log_picked) * np.expm1(-2 * mu * c) - z, float)


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


def attenuation_ceiling(reliability_y: ArrayLike, reliability_x: ArrayLike = 1.0) -> Floats:
    """Largest correlation that noise leaves between x and y: sqrt(rel_x rel_y) (Spearman 1904). Shapes: broadcast."""
    return np.asarray(np.sqrt(np.asarray(reliability_y, float) * np.asarray(reliability_x, float)), float)


def disattenuated(r: ArrayLike, reliability_y: ArrayLike, reliability_x: ArrayLike = 1.0) -> Floats:
    """Correlation without noise: r / sqrt(rel_x rel_y). NaN where a reliability is 0. Shapes: broadcast.

    It is an estimate and may exceed 1: then a reliability is too low, or r has been lucky. Tell it beside r, not for r.
    """
    r, ceiling = np.broadcast_arrays(np.asarray(r, float), attenuation_ceiling(reliability_y, reliability_x))
    return np.asarray(np.divide(r, ceiling, out=np.full(r.shape, np.nan), where=ceiling > 0), float)
