"""Does a score say more of an effect than distance to the gene, allele frequency and expression do already?"""

import numpy as np
from numpy.typing import ArrayLike

from agdb.statistics.intervals import Floats

#: Share of the variance that is left after the covariates, below which nothing is: rounding makes some 1e-15 of 0.
_NOTHING_LEFT = 1e-10


def partial_correlation(covariance: ArrayLike) -> Floats:
    """Correlation of the first two variables given the others, of each covariance matrix; of ranks it is Spearman's.

    What is left of x and y: S_ab - S_az S_zz^-1 S_zb, with the pseudo-inverse: covariates that repeat others, or are
    constant, change nothing. The sums of a resample give its matrix, so that the replicates of a cluster bootstrap need
    no rows.

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
