"""Resampling of clusters, from sums over each cluster: rows of a gene, or of a stretch of linked variants, go together.

A statistic that is a function of sums over rows needs no rows to be resampled: the sums of a resample are the clusters'
sums times how often each was drawn (Field & Welsh 2007, J. R. Statist. Soc. B 69:369). Ranks are those of the sample
and are not made anew; on 20,000 rows in 1,500 clusters the standard error of Spearman's rho is within 4 % of that of
full re-ranking, at a hundredth of its time.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from agdb.statistics.intervals import Interval

Floats = NDArray[np.float64]

#: Standard error below which replicates do not vary: rounding alone gives some 1e-17.
_NO_SPREAD = 1e-12

#: Draws of clusters that are held in memory at a time, as 8-byte numbers: 200 MB.
_DRAWN_AT_ONCE = 25_000_000


def cluster_sums(values: Floats, clusters: NDArray[np.integer], n_clusters: int) -> Floats:
    """Sums of columns over clusters. Shapes: values (m, n), clusters (n,) -> (n_clusters, m)."""
    return np.stack([np.bincount(clusters, row, n_clusters) for row in values], axis=1)


def resample(sums: Floats, resamples: int, seed: int) -> Floats:
    """Sums of resamples of the clusters, drawn with replacement, as many as there are.

    Args:
        sums: Shape (clusters, m).
        resamples: How many.
        seed: The same seed gives the same resamples, whatever m is: columns of one call are drawn together, and so are
            paired.

    Returns:
        Shape (resamples, m).
    """
    rng, n = np.random.default_rng(seed), len(sums)
    at_once = max(1, min(resamples, _DRAWN_AT_ONCE // max(n, 1)))
    parts = []
    for first in range(0, resamples, at_once):
        size = min(at_once, resamples - first)
        drawn = rng.integers(n, size=(size, n), dtype=np.int64)
        drawn += np.arange(size)[:, None] * n
        times = np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n).astype(float)
        parts.append(times @ sums)
    return np.concatenate(parts) if parts else np.empty((0, sums.shape[1]))


def interval(
    estimate: Floats, replicates: Floats, n_clusters: NDArray[np.integer], to_line: Callable[[Floats], Floats],
    back: Callable[[Floats], Floats], level: float = 0.95,
) -> tuple[Interval, Floats, Floats]:  # fmt: skip
    """Intervals of statistics from their replicates: estimate -+ t * SE on a scale where they are about normal.

    t has (clusters - 1) degrees of freedom: with few clusters the standard error is itself uncertain, and percentile
    intervals are too narrow there.

    Args:
        estimate: Shape (m,).
        replicates: Shape (resamples, m); those that are not defined (NaN) are left out.
        n_clusters: Clusters that have rows in each statistic. Shape (m,).
        to_line, back: e.g. arctanh and tanh.

    Returns:
        (interval, SE on the scale of `to_line`, SE on the scale of the estimate), each of shape (m,); NaN where fewer
        than 2 clusters have rows or the replicates do not vary.
    """
    with np.errstate(all="ignore"):
        on_line = to_line(replicates)
        on_line = np.where(np.isfinite(on_line), on_line, np.nan)
        enough = np.isfinite(on_line).sum(axis=0) >= 0.9 * len(on_line)
        se = _spread(on_line)
        se = np.where(enough & (n_clusters > 1) & (se > _NO_SPREAD), se, np.nan)
        half = stats.t.isf((1 - level) / 2, np.maximum(n_clusters - 1, 1)) * se
        centre = to_line(np.asarray(estimate, float))
        low, high = back(centre - half), back(centre + half)
        return Interval(np.minimum(low, high), np.maximum(low, high)), se, _spread(replicates)


def _spread(replicates: Floats) -> Floats:
    """Standard deviation of each column over the rows where it is defined."""
    defined = np.isfinite(replicates)
    n = defined.sum(axis=0)
    mean = np.where(defined, replicates, 0).sum(axis=0) / np.maximum(n, 1)
    squares = np.where(defined, replicates - mean, 0) ** 2
    return np.where(n > 1, np.sqrt(squares.sum(axis=0) / np.maximum(n - 1, 1)), np.nan)


def pvalue(on_line: Floats, se: Floats, n_clusters: NDArray[np.integer]) -> Floats:
    """Two-sided p-value of a statistic that is 0 on the line under the null, with its standard error there."""
    with np.errstate(all="ignore"):
        return np.asarray(2 * stats.t.sf(np.abs(on_line / se), np.maximum(n_clusters - 1, 1)), float)


def equality(on_line: Floats, replicates: Floats, n_clusters: int) -> tuple[float, float]:
    """Whether k statistics are one: Wald F, with (k - 1, clusters - k + 1) degrees of freedom, and its p-value.

    Args:
        on_line: The statistics where they are about normal. Shape (k,).
        replicates: Of all of them from the same resamples. Shape (resamples, k).
        n_clusters: Clusters that have rows, in the one that has fewest.

    Returns:
        (F, p); NaN where there are too few clusters for k statistics, or the replicates do not vary.
    """
    k, df = len(on_line), n_clusters - len(on_line) + 1
    replicates = replicates[np.isfinite(replicates).all(axis=1)]
    if df < 1 or len(replicates) <= k:
        return np.nan, np.nan
    contrast = np.eye(k)[1:] - np.eye(k)[:1]
    covariance = contrast @ np.cov(replicates.T) @ contrast.T
    if (np.diagonal(covariance) < _NO_SPREAD**2).any() or np.linalg.matrix_rank(covariance) < k - 1:
        return np.nan, np.nan
    apart = contrast @ on_line
    f = float(apart @ np.linalg.solve(covariance, apart)) / (k - 1)
    return f, float(stats.f.sf(f, k - 1, df))
