"""Many tests at once: the share of false finds. (The chance of any, for differences of correlations, is in `wild`.)"""

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from agdb.statistics.intervals import Floats


def benjamini_hochberg(p: ArrayLike) -> Floats:
    """q-values: the smallest rate of false discoveries at which each test is one of the finds.

    min over p_(j) >= p of p_(j) m / j (Benjamini & Hochberg 1995, J. R. Statist. Soc. B 57:289). Shape (m,) -> (m,).
    A p that is NaN is no test: it stays NaN and m does not count it. ValueError for p outside 0 to 1.
    """
    p = np.asarray(p, float)
    tested = ~np.isnan(p)
    if ((p[tested] < 0) | (p[tested] > 1)).any():
        raise ValueError("p-values outside 0 to 1")
    q = np.full(p.shape, np.nan)
    if tested.any():
        q[tested] = stats.false_discovery_control(p[tested])
    return q
