"""Do places lie in intervals more often than when the intervals are moved along? A null that keeps what both are like.

Peaks crowd, and so do QTLs. Shifting all peaks of a chromosome by one distance, round the end, keeps the distances
between them and between the variants, and breaks only where the one lie on the other. Shuffled peaks do not do that.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agdb.statistics.intervals import Floats

Ints = NDArray[np.integer]


class Shifted(NamedTuple):
    """Places beside intervals as they are, and beside shifted ones.

    used: Places between the first and the last interval of their chromosome, which alone are counted. Bool, shape (n,).
    inside: Which of the used lie in an interval. Bool, shape (used,).
    expected: Share of the shifts in which each lies in one. Shape (used,).
    p: Two-sided, (1 + b) / (1 + shifts): b shifts have a share inside that is as far from their mean as the real one.
    """

    used: NDArray[np.bool_]
    inside: NDArray[np.bool_]
    expected: Floats
    p: float


def circular_shift(
    chrom: Ints, start: Ints, end: Ints, peak_chrom: Ints, peak_start: Ints, peak_end: Ints, shifts: int = 1_000,
    seed: int = 0,
) -> Shifted:  # fmt: skip
    """Count places that share a base with an interval: as they are, and shifted.

    The circle of a chromosome goes from its first interval to the end of its last: beyond, nothing was measured. Every
    chromosome draws distances of its own, any but 0 alike.

    Args:
        chrom, start, end: Of the places: a number for the chromosome, 0-based half-open bases. Shape (n,).
        peak_chrom, peak_start, peak_end: Of the intervals; they may overlap. Shape (m,).
        shifts: How many.
        seed: The same seed gives the same shifts.

    Returns:
        p is NaN where no place is used, or none lies in an interval in any shift nor as it is.
    """
    used, rng = np.zeros(len(chrom), bool), np.random.default_rng(seed)
    inside, count, totals = np.zeros(len(chrom), bool), np.zeros(len(chrom)), np.zeros(shifts, np.int64)
    for number in np.unique(peak_chrom):
        starts, ends = merged(peak_start[peak_chrom == number], peak_end[peak_chrom == number])
        first, width = int(starts[0]), int(ends[-1] - starts[0])
        rows = np.flatnonzero((chrom == number) & (start >= first) & (start < first + width))
        distances = rng.integers(1, width, size=shifts) if width > 1 else np.zeros(shifts, np.int64)
        rows = rows[np.argsort(start[rows], kind="stable")]  # places in order are looked up much faster
        place, length = start[rows] - first, end[rows] - start[rows]
        starts, ends = starts - first, ends - first
        used[rows], inside[rows] = True, _inside(place, length, starts, ends)
        for i, distance in enumerate(distances):
            at = place + distance
            hit = _inside(np.where(at >= width, at - width, at), length, starts, ends)
            count[rows] += hit
            totals[i] += np.count_nonzero(hit)
    if not used.any() or not shifts:
        return Shifted(used, inside[used], count[used], np.nan)
    real, middle = int(inside.sum()), float(totals.mean())
    as_far = int((np.abs(totals - middle) >= abs(real - middle) - 1e-9).sum())
    p = (1 + as_far) / (1 + shifts) if real or totals.any() else np.nan
    return Shifted(used, inside[used], count[used] / shifts, p)


def merged(start: Ints, end: Ints) -> tuple[Ints, Ints]:
    """Intervals of one chromosome, in order and joined where they touch or overlap. Shapes (m,) -> (k,), k <= m."""
    order = np.argsort(start, kind="stable")
    start, reach = start[order], np.maximum.accumulate(end[order])
    is_first = np.r_[True, start[1:] > reach[:-1]][: len(start)]
    return start[is_first], reach[np.r_[is_first[1:], True][: len(start)]]


def _inside(place: Ints, length: Ints, starts: Ints, ends: Ints) -> NDArray[np.bool_]:
    """Whether [place, place + length) meets one of the merged intervals: the last one that starts before its end."""
    last = np.searchsorted(starts, place + length, side="left") - 1
    return np.asarray((last >= 0) & (ends[last] > place), np.bool_)
