"""Does a score tell positives from negatives (causal variants from controls, up from down)? AUROC.

It does not depend on how many negatives there are to a positive. One class alone has none: NaN. Scores must be finite:
a score that is missing is left out by the caller.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from agdb.statistics.intervals import Floats
from agdb.statistics.ranks import Ranker

Bools = NDArray[np.bool_]


class Estimate(NamedTuple):
    """A statistic, its standard error, its interval, and the p-value of its null (AUROC 0.5, difference 0).

    All but the value are NaN where rows do not tell them: fewer than 2 positives or negatives (or clusters of them), no
    spread (a constant score, two scores of one order), or a perfect AUROC.
    """

    value: float
    se: float
    low: float
    high: float
    p: float


class Placements(NamedTuple):
    """Structural components of AUROC (DeLong, DeLong & Clarke-Pearson 1988): the mean of either is AUROC.

    of_positives (V10), shape (positives,): share of negatives below each positive, ties half.
    of_negatives (V01), shape (negatives,): share of positives above each negative.
    Both are in the order of rows, and empty where one class is.
    """

    of_positives: Floats
    of_negatives: Floats


def checked(score: ArrayLike, is_positive: ArrayLike) -> tuple[Floats, Bools]:
    """The same as arrays. ValueError unless of shape (n,) both, finite and bool."""
    score, positive = np.asarray(score, float), np.asarray(is_positive)
    if positive.dtype != bool or score.ndim != 1 or score.shape != positive.shape:
        raise ValueError(
            f"score of shape {score.shape} and is_positive {positive.shape} {positive.dtype}: want (n,) bool"
        )
    if not np.isfinite(score).all():
        raise ValueError("score has values that are not finite")
    return score, positive


def placements(score: ArrayLike, is_positive: ArrayLike) -> Placements:
    """Placement of each row among those of the other class. Shapes: (n,), (n,) bool. ValueError unless finite."""
    score, positive = checked(score, is_positive)
    p, q = int(positive.sum()), int((~positive).sum())
    if p == 0 or q == 0:
        return Placements(np.empty(0), np.empty(0))
    ranker = Ranker(score)
    # how many rows of the other class lie below: the rank among all less the rank in one's own class. Ranks of `within`
    # are centred on 0.
    below = ranker.within() + (p + q + 1) / 2 - ranker.within(positive.astype(np.int8))
    return Placements((below[positive] - (p + 1) / 2) / q, 1 - (below[~positive] - (q + 1) / 2) / p)


def auroc(score: ArrayLike, is_positive: ArrayLike) -> float:
    """P(positive's score > negative's) + P(equal) / 2: Mann-Whitney's U / (p q); NaN with one class alone.

    Shapes: (n,), (n,) bool.
    """
    return _mean(placements(score, is_positive).of_positives)


def delong_interval(
    score: ArrayLike, is_positive: ArrayLike, clusters: ArrayLike | None = None, level: float = 0.95
) -> Estimate:
    """AUROC with its interval, on the logit scale, so that it stays within 0 and 1.

    Var(A) = S10 / p + S01 / q, S the variances of the placements (DeLong et al. 1988, Biometrics 44:837). Rows that are
    not independent: sums of placements over clusters, and 2 S11 / (p q) for clusters of both classes (Obuchowski
    1997, Biometrics 53:567), with t of (clusters - 1) degrees of freedom for the normal.

    Args:
        score: Shape (n,), finite.
        is_positive: Shape (n,), bool.
        clusters: Any code of the cluster of each row, shape (n,). None for independent rows.
        level: Of the interval.

    Returns:
        AUROC, its SE, interval, and the p-value of AUROC = 0.5 (two-sided, on the logit scale).
    """
    found, positive = placements(score, is_positive), np.asarray(is_positive)
    value = _mean(found.of_positives)
    se, df = _standard_error(found.of_positives - value, found.of_negatives - value, positive, clusters)
    if not (se > 0 and 0 < value < 1):
        return Estimate(value, np.nan, np.nan, np.nan, np.nan)
    centre, spread = np.log(value / (1 - value)), se / (value * (1 - value))
    half = stats.t.isf((1 - level) / 2, df) * spread
    low, high = 1 / (1 + np.exp(half - centre)), 1 / (1 + np.exp(-half - centre))
    return Estimate(value, se, float(low), float(high), float(2 * stats.t.sf(abs(centre) / spread, df)))


def delong_difference(
    score_a: ArrayLike, score_b: ArrayLike, is_positive: ArrayLike, clusters: ArrayLike | None = None,
    level: float = 0.95,
) -> Estimate:  # fmt: skip
    """AUROC of score_a less that of score_b on the same rows; interval and p-value of 0, as `delong_interval` (linear).

    Two scores that order the two classes alike have a difference of 0 without a standard error: NaN.
    """
    a, b, (_, positive) = (
        placements(score_a, is_positive),
        placements(score_b, is_positive),
        checked(score_b, is_positive),
    )
    positives, negatives = a.of_positives - b.of_positives, a.of_negatives - b.of_negatives
    value = _mean(positives)
    se, df = _standard_error(positives - value, negatives - value, positive, clusters)
    if not se > 0:
        return Estimate(value, np.nan, np.nan, np.nan, np.nan)
    half = float(stats.t.isf((1 - level) / 2, df)) * se
    return Estimate(value, se, value - half, value + half, float(2 * stats.t.sf(abs(value) / se, df)))


def _mean(values: Floats) -> float:
    return float(values.mean()) if len(values) else np.nan


def _standard_error(
    positives: Floats, negatives: Floats, is_positive: Bools, clusters: ArrayLike | None
) -> tuple[float, float]:
    """SE of the mean placement, from placements less their mean; and its degrees of freedom. NaN where undefined."""
    p, q = len(positives), len(negatives)
    if clusters is None:
        if min(p, q) < 2:
            return np.nan, np.inf
        variance = float(positives @ positives) / (p - 1) / p + float(negatives @ negatives) / (q - 1) / q
        return _root(variance, 1 / p + 1 / q), np.inf
    codes = np.unique(np.asarray(clusters), return_inverse=True)[1]
    if codes.shape != is_positive.shape:
        raise ValueError(f"clusters of shape {codes.shape}, scores of shape {is_positive.shape}")
    n = int(codes.max(initial=-1)) + 1
    n_p, n_q = len(np.unique(codes[is_positive])), len(np.unique(codes[~is_positive]))
    if min(n_p, n_q) < 2:
        return np.nan, np.nan
    of_p, of_q = _sums(codes[is_positive], positives, n) / p, _sums(codes[~is_positive], negatives, n) / q
    within = n_p / (n_p - 1) * float(of_p @ of_p) + n_q / (n_q - 1) * float(of_q @ of_q)
    return _root(within + 2 * n / (n - 1) * float(of_p @ of_q), 1 / n_p + 1 / n_q), n - 1


def _sums(codes: NDArray[np.integer], values: Floats, n: int = 0) -> Floats:
    return np.asarray(np.bincount(codes, values, n), float)


def _root(variance: float, scale: float) -> float:
    """NaN for a variance that is 0 but for rounding, or below."""
    return float(np.sqrt(variance)) if variance > 1e-24 * scale else np.nan
