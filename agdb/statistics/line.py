"""A line by least squares whose band takes clusters, not rows, as independent."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from agdb.statistics.intervals import Floats, Interval


class Fit(NamedTuple):
    """y = intercept + slope x; the covariance of (intercept, slope), NaN for one cluster; its degrees of freedom."""

    intercept: float
    slope: float
    covariance: Floats
    df: int


def cluster_line(sums: ArrayLike) -> Fit:
    """Least squares from sums over clusters, with the covariance of Liang & Zeger 1986 ("sandwich", CR1).

    Args:
        sums: A row a cluster: n, sum x, sum x^2, sum y, sum x y. Shape (clusters, 5). For accuracy, x and y about their
            means.

    Returns:
        NaN throughout where fewer than 3 rows, or all x are one value.
    """
    n, x, xx, y, xy = np.asarray(sums, float).reshape(-1, 5).T
    rows, g = n.sum(), len(n)
    moments = np.array([[rows, x.sum()], [x.sum(), xx.sum()]])
    determinant = np.linalg.det(moments)
    if rows < 3 or not determinant > 1e-12 * max(rows * xx.sum(), 1e-300):
        return Fit(np.nan, np.nan, np.full((2, 2), np.nan), max(g - 1, 0))
    bread = np.linalg.inv(moments)
    intercept, slope = bread @ [y.sum(), xy.sum()]
    scores = np.stack([y - intercept * n - slope * x, xy - intercept * x - slope * xx])
    if g < 2:
        return Fit(float(intercept), float(slope), np.full((2, 2), np.nan), 0)
    few = g / (g - 1) * (rows - 1) / (rows - 2)
    return Fit(float(intercept), float(slope), few * bread @ (scores @ scores.T) @ bread, g - 1)


def band(fit: Fit, x: ArrayLike, level: float = 0.95) -> tuple[Floats, Interval]:
    """The line at x, and its pointwise interval (t with `fit.df`). Shapes: that of x."""
    x = np.asarray(x, float)
    y = fit.intercept + fit.slope * x
    c = fit.covariance
    se = np.sqrt(np.maximum(c[0, 0] + 2 * x * c[0, 1] + x * x * c[1, 1], 0))
    away = stats.t.isf((1 - level) / 2, max(fit.df, 1)) * se
    return y, Interval(y - away, y + away)


def order_statistic_interval(nth: ArrayLike, n: ArrayLike, level: float = 0.95) -> Interval:
    """Where the nth smallest of n uniform numbers lies: quantiles of Beta(nth, n - nth + 1). Shapes: broadcast."""
    nth, n = np.asarray(nth, float), np.asarray(n, float)
    tail = (1 - level) / 2
    return Interval(stats.beta.ppf(tail, nth, n - nth + 1), stats.beta.isf(tail, nth, n - nth + 1))
