"""Controls that are like the positives in all but what is asked: distance to the gene, allele frequency, linkage.

Without them a causality AUROC is that of distance: causal variants lie near the start of a gene, and so do peaks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import spatial

from agdb.statistics.intervals import Floats

Ints = NDArray[np.int64]

#: Nearest sites that are looked up for all positives at once; those that others have used up are looked up again.
_FIRST_LOOK = 8


class Matches(NamedTuple):
    """Pairs of a positive and a control, in the order of positives: positions of rows, and distance in SD. Shapes (m,).

    m is below k times the positives where a stratum has too few controls, or none within the caliper.
    """

    positive: Ints
    control: Ints
    distance: Floats


def match_controls(
    covariates: ArrayLike, is_positive: ArrayLike, strata: ArrayLike | None = None, k: int = 1,
    caliper: float | None = None,
) -> Matches:  # fmt: skip
    """Give each positive its k nearest controls that no other has taken (greedy, without replacement; Stuart 2010).

    Distance is Euclidean, of covariates over their pooled SD (`pooled_sd`). Positives choose in the order of rows, each
    its first control before any chooses its second; of controls equally near, the first row. The same rows in the same
    order give the same pairs.

    Args:
        covariates: Shape (n, c), finite: e.g. log10 of distance to the TSS, MAF, LD score.
        is_positive: Shape (n,), bool; all other rows are controls.
        strata: A control has the code of its positive, e.g. the chromosome. Shape (n,). None for no strata.
        k: Controls to a positive.
        caliper: Largest distance of a pair, in SD. None for any.

    Raises:
        ValueError: Shapes that do not fit, covariates that are not finite, k < 1, a caliper that is not above 0.
    """
    values, positive = np.asarray(covariates, float), np.asarray(is_positive)
    if values.ndim != 2 or positive.shape != values.shape[:1] or positive.dtype != bool:
        got = f"covariates {values.shape}, is_positive {positive.shape} {positive.dtype}"
        raise ValueError(f"{got}: want (n, c), (n,) bool")
    if not np.isfinite(values).all():
        raise ValueError("covariates have values that are not finite")
    if k < 1 or (caliper is not None and not caliper > 0):
        raise ValueError(f"k = {k}, caliper = {caliper}: want k >= 1, and a caliper above 0 or none")
    codes = np.zeros(len(positive), np.int64) if strata is None else np.asarray(strata)
    if codes.shape != positive.shape:
        raise ValueError(f"strata of shape {codes.shape}, is_positive of shape {positive.shape}")
    sd = pooled_sd(values[positive], values[~positive])
    scaled = values / np.where(sd > 0, sd, 1)
    found: list[tuple[int, int, int, float]] = []
    codes = np.unique(codes, return_inverse=True)[1]
    by_code = np.argsort(codes, kind="stable")
    for rows in np.split(by_code, np.flatnonzero(np.diff(codes[by_code])) + 1):
        takers, controls = rows[positive[rows]], rows[~positive[rows]]
        if not len(takers) or not len(controls):
            continue
        pool = _Pool(scaled[controls], controls, np.inf if caliper is None else caliper)
        for turn in range(k):
            found += [(int(i), turn, *hit) for i, hit in zip(takers, pool.take(scaled[takers]), strict=True) if hit]
    found.sort()
    positives, _, taken, distance = zip(*found, strict=True) if found else ((), (), (), ())
    return Matches(np.array(positives, np.int64), np.array(taken, np.int64), np.array(distance, float))


class _Pool:
    """Controls of a stratum that are left. Those with the same covariates are one site, so that ties cost nothing."""

    def __init__(self, points: Floats, rows: NDArray[np.intp], caliper: float) -> None:
        order = np.lexsort((rows, *points.T[::-1]))
        first = np.flatnonzero(np.r_[True, (points[order][1:] != points[order][:-1]).any(axis=1)])
        self._points, self._caliper = points[order][first], caliper
        self._rows: list[int] = rows[order].tolist()
        self._next: list[int] = first.tolist()  # of each site: its first row that is left, and where its rows end
        self._end: list[int] = [*self._next[1:], len(order)]
        self._grow()

    def take(self, points: Floats) -> list[tuple[int, float] | None]:
        """The nearest row left, and its distance, of each point in turn; None where none is left within the caliper."""
        self._grow()
        if not len(self._sites):
            return [None] * len(points)
        count = min(_FIRST_LOOK, len(self._sites))
        is_all = count == len(self._sites)
        looks = zip(points, *self._look(points, count), strict=True)
        return [self._take(point, distances, sites, is_all) for point, distances, sites in looks]

    def _take(
        self, point: Floats, distances: list[float], sites: list[int], is_all: bool
    ) -> tuple[int, float] | None:  # fmt: skip
        while True:
            best: tuple[float, int, int] | None = None
            # of sites as far as the last one seen, others may be unseen: they wait until they are seen
            horizon = np.inf if is_all else distances[-1]
            for distance, site in zip(distances, sites, strict=True):
                if distance >= horizon or distance > self._caliper or (best and distance > best[0]):
                    break
                if self._next[site] < self._end[site]:
                    offer = (distance, self._rows[self._next[site]], site)
                    best = min(best, offer) if best else offer
            if best:
                self._next[best[2]] += 1
                return best[1], best[0]
            if is_all or horizon > self._caliper:
                return None
            wanted = 4 * len(sites)
            self._looked += wanted
            if self._looked > len(self._sites):  # as much as growing a tree costs
                self._grow()
                wanted = 4 * _FIRST_LOOK
            if not len(self._sites):
                return None
            is_all = wanted >= len(self._sites)
            (distances,), (sites,) = self._look(point[None], min(wanted, len(self._sites)))

    def _look(self, points: Floats, count: int) -> tuple[list[list[float]], list[list[int]]]:
        """The nearest of the tree's sites, in the order of distance. Shapes: (points, c) -> (points, count) both."""
        distances, found = self._tree.query(points, np.arange(1, count + 1))
        return distances.tolist(), self._sites[found].tolist()

    def _grow(self) -> None:
        """A tree of the sites that are left: where positives crowd, it spares looking past those that are used up."""
        self._sites = np.flatnonzero(np.array(self._next) < np.array(self._end))
        self._tree = spatial.cKDTree(self._points[self._sites], balanced_tree=False, compact_nodes=False)
        self._looked = 0


def pooled_sd(positives: ArrayLike, controls: ArrayLike) -> Floats:
    """sqrt((var + var) / 2) of covariates in two groups; NaN where one is empty. Shapes: (p, c), (q, c) -> (c,)."""
    a, b = np.asarray(positives, float), np.asarray(controls, float)
    if not len(a) or not len(b):
        return np.full(a.shape[1], np.nan)
    return np.asarray(np.sqrt((a.var(axis=0) + b.var(axis=0)) / 2), float)


def standardised_mean_differences(positives: ArrayLike, controls: ArrayLike, sd: ArrayLike | None = None) -> Floats:
    """Mean of positives less mean of controls, in SD: below 0.1 in size is balance (Austin 2009, Stat. Med. 28:3083).

    Args:
        positives: Covariates, shape (p, c): after matching `covariates[matches.positive]`, a row for each pair.
        controls: Covariates, shape (q, c).
        sd: Shape (c,). None for the pooled SD of these rows; to compare before and after, give both that of before.

    Returns:
        Shape (c,). NaN where a group is empty; 0 for a covariate that is one constant, infinite for one that is two.
    """
    a, b = np.asarray(positives, float), np.asarray(controls, float)
    if not len(a) or not len(b):
        return np.full(a.shape[1], np.nan)
    difference = a.mean(axis=0) - b.mean(axis=0)
    scale = pooled_sd(a, b) if sd is None else np.asarray(sd, float)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(difference == 0, 0.0, difference / scale)
