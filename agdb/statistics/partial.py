"""Does a score say more of an effect than distance to the gene, allele frequency and expression do already?"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from agdb.statistics.intervals import Floats, correlation_pvalue
from agdb.statistics.ranks import Ranker

#: Share of the variance that is left after the covariates, below which nothing is: rounding makes some 1e-15 of 0.
_NOTHING_LEFT = 1e-10


class Partial(NamedTuple):
    """A partial correlation of n rows; df = n - 2 - independent covariates; p from t with df degrees of freedom.

    `n_effective` = df + 2 is the n to give to intervals of a plain correlation. rho and p are NaN where df < 1, or the
    covariates leave nothing of x or y.
    """

    rho: float
    p: float
    n: int
    df: int
    n_effective: int


def partial_spearman(x: ArrayLike, y: ArrayLike, covariates: ArrayLike) -> Partial:
    """Spearman of x and y given covariates: Pearson of what the ranks of the covariates leave of their ranks.

    For one covariate (r_xy - r_xz r_yz) / sqrt((1 - r_xz^2)(1 - r_yz^2)); covariates that repeat others, or are
    constant, change nothing. Without covariates it is Spearman's rho.

    Args:
        x, y: Shape (n,), finite.
        covariates: Shape (n, c), finite.
    """
    ranks = _ranks(x, y, covariates)
    covariance = np.einsum("in,jn->ij", ranks, ranks)
    df = ranks.shape[1] - 2 - np.linalg.matrix_rank(_scaled(covariance)[2:, 2:], tol=_NOTHING_LEFT, hermitian=True)
    rho = float(partial_correlation(covariance)) if df >= 1 else np.nan
    return Partial(rho, float(correlation_pvalue(rho, max(df + 2, 0))), ranks.shape[1], int(df), int(df) + 2)


def _ranks(x: ArrayLike, y: ArrayLike, covariates: ArrayLike) -> Floats:
    """Ranks, centred on 0, of x, y and each covariate. Shape (2 + c, n)."""
    x, y, z = np.asarray(x, float), np.asarray(y, float), np.asarray(covariates, float)
    if x.ndim != 1 or x.shape != y.shape or z.ndim != 2 or z.shape[:1] != x.shape:
        raise ValueError(f"x {x.shape}, y {y.shape}, covariates {z.shape}: want (n,), (n,), (n, c)")
    return np.stack([Ranker(column).within() for column in (x, y, *z.T)])


def partial_correlation(covariance: ArrayLike) -> Floats:
    """Correlation of the first two variables given the others, of each covariance matrix.

    What is left of x and y: S_ab - S_az S_zz^-1 S_zb, with the pseudo-inverse. The sums of a resample give its matrix,
    so that the replicates of a cluster bootstrap need no rows.

    Args:
        covariance: Or sums of centred products. Shape (..., 2 + c, 2 + c), symmetric.

    Returns:
        Shape (...); NaN where the covariates leave nothing of x or y, or the matrix is not finite.
    """
    matrix = np.asarray(covariance, float)
    finite = np.isfinite(matrix).all(axis=(-2, -1))
    scaled = _scaled(np.where(finite[..., None, None], matrix, 0))
    own, cross, other = scaled[..., :2, :2], scaled[..., :2, 2:], scaled[..., 2:, 2:]
    if other.shape[-1]:
        inverse = np.linalg.pinv(other, rcond=_NOTHING_LEFT, hermitian=True)
        own = own - cross @ inverse @ np.swapaxes(cross, -1, -2)
    left_x, left_y = own[..., 0, 0], own[..., 1, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        rho = np.clip(own[..., 0, 1] / np.sqrt(left_x * left_y), -1, 1)
    return np.where(finite & (left_x > _NOTHING_LEFT) & (left_y > _NOTHING_LEFT), rho, np.nan)


def _scaled(covariance: Floats) -> Floats:
    """As correlations, so that one tolerance serves all; a constant has 0 with all, itself too."""
    spread = np.sqrt(np.clip(np.diagonal(covariance, axis1=-2, axis2=-1), 0, None))
    scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 0)
    return np.asarray(covariance * scale[..., :, None] * scale[..., None, :], float)
