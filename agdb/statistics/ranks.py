"""Average ranks within groups, for many groupings of the same values: sorted once, then every grouping is linear."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.integer]


class Ranker:
    """Values that are sorted once.

    Args:
        values: Shape (n,), finite.
    """

    def __init__(self, values: Floats) -> None:
        if not np.isfinite(values).all():
            raise ValueError("ranks of values that are not finite")
        self._order = np.argsort(values, kind="stable")
        ordered = values[self._order]
        self._is_new = np.r_[True, ordered[1:] != ordered[:-1]][: len(values)]  # a value that the one before it is not

    def within(self, codes: Codes | None = None) -> Floats:
        """Average ranks of the values within their groups, centred on 0 in each.

        Args:
            codes: Group of each value, shape (n,), non-negative; those below 0 belong to none, their rank is NaN. None
                for one group of all.

        Returns:
            Shape (n,): rank minus (size of the group + 1) / 2, an integer or a half. Their sum is 0 in every group.
        """
        order, distinct = self._order, np.cumsum(self._is_new)
        if codes is not None:
            of_order = codes[order]
            keep = of_order >= 0
            order, distinct, of_order = order[keep], distinct[keep], of_order[keep]
            by_group = np.argsort(of_order, kind="stable")  # of small integers: radix sort
            order, distinct, group = order[by_group], distinct[by_group], of_order[by_group]
        else:
            group = np.zeros(len(order), np.int8)
        ranks = np.full(len(self._order), np.nan)
        if not len(order):
            return ranks
        is_first = np.r_[True, group[1:] != group[:-1]]
        starts_run = np.flatnonzero(is_first | np.r_[True, distinct[1:] != distinct[:-1]])
        ends_run = np.r_[starts_run[1:], len(order)]
        first_of_group = np.flatnonzero(is_first)
        sizes = np.diff(np.r_[first_of_group, len(order)])
        run_group = np.searchsorted(first_of_group, starts_run, side="right") - 1
        # places of a run within its group are start + 1 .. end; their mean, less that of the group's places
        average = (starts_run + ends_run + 1) / 2 - first_of_group[run_group] - (sizes[run_group] + 1) / 2
        ranks[order] = np.repeat(average, ends_run - starts_run)
        return ranks
