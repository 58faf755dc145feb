"""Average precision: how pure is the top of the list? It depends on how many negatives there are to a positive.

So it is told with its chance level, the share of positives, and compared only at one ratio (Saito & Rehmsmeier 2015,
PLoS ONE 10:e0118432). One class alone has none: NaN.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from agdb.statistics.bootstrap import times_drawn
from agdb.statistics.classification import Bools, checked
from agdb.statistics.intervals import Floats

#: Rows times resamples that are held in memory at a time, as 8-byte numbers: 40 MB an array.
_ROWS_AT_ONCE = 5_000_000


class AveragePrecision(NamedTuple):
    """Average precision, and what a score without information has: the share of positives."""

    value: float
    chance: float


def average_precision(score: ArrayLike, is_positive: ArrayLike) -> AveragePrecision:
    """Mean, over positives, of the precision at their score: sum of (recall step) x (precision), one step a score.

    Rows of one score enter together, so that the order of ties does not matter. Shapes: (n,), (n,) bool. NaN with one
    class alone; ValueError unless finite.
    """
    score, positive = checked(score, is_positive)
    n, p = len(score), int(positive.sum())
    value = float(_average_precision(*_by_score(score, positive), np.ones((1, n)))[0]) if 0 < p < n else np.nan
    return AveragePrecision(value, p / n if n else np.nan)


def average_precision_replicates(
    score: ArrayLike, is_positive: ArrayLike, clusters: ArrayLike | None = None, resamples: int = 2_000, seed: int = 0
) -> Floats:
    """Average precision of resamples of clusters, drawn with replacement: for `bootstrap.interval`, on the logit scale.

    One seed gives one set of resamples whatever the score, so that two scores of the same rows are paired.

    Args:
        score: Shape (n,), finite.
        is_positive: Shape (n,), bool.
        clusters: Any code of the cluster of each row, shape (n,). None to draw rows.
        resamples: How many.
        seed: Of the draws.

    Returns:
        Shape (resamples,); NaN for a resample of one class alone.
    """
    score, positive = checked(score, is_positive)
    if not len(score):
        return np.full(resamples, np.nan)
    codes = np.arange(len(score)) if clusters is None else np.unique(np.asarray(clusters), return_inverse=True)[1]
    order, ends, is_hit = _by_score(score, positive)
    codes, n_clusters, rng = codes[order], int(codes.max()) + 1, np.random.default_rng(seed)
    parts = []
    for first in range(0, resamples, at_once := max(1, _ROWS_AT_ONCE // len(score))):
        size = min(at_once, resamples - first)
        parts.append(_average_precision(order, ends, is_hit, times_drawn(rng, size, n_clusters)[:, codes]))
    return np.concatenate(parts) if parts else np.empty(0)


def _by_score(score: Floats, positive: Bools) -> tuple[NDArray[np.intp], NDArray[np.intp], Bools]:
    """Rows from the largest score down, the last place of each distinct score, and which places are positive."""
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(score[order]) != 0, True][: len(score)])
    return order, ends, positive[order]


def _average_precision(order: NDArray[np.intp], ends: NDArray[np.intp], is_hit: Bools, weights: Floats) -> Floats:
    """Shapes: (n,), (scores,), (n,), weights (resamples, n) in the order of score -> (resamples,)."""
    hits = np.cumsum(weights * is_hit, axis=1)[:, ends]
    taken = np.cumsum(weights, axis=1)[:, ends]
    with np.errstate(invalid="ignore", divide="ignore"):
        precision = np.where(taken > 0, hits / taken, 0)
        value = (np.diff(hits, axis=1, prepend=0) * precision).sum(axis=1) / hits[:, -1]
    return np.where((hits[:, -1] > 0) & (hits[:, -1] < taken[:, -1]), value, np.nan)
