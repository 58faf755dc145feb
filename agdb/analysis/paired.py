"""Scorers against each other on the same rows: windows, track sets, providers, models.

Each difference is of the same rows, and its interval of the parts that clusters have in it. Meng, Rosenthal and Rubin's
test and Zou's interval, of independent rows, stand beside it.
"""

from itertools import combinations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agdb import statistics
from agdb.analysis import results
from agdb.analysis.groups import Group
from agdb.analysis.results import Result
from agdb.analysis.rows import Rows
from agdb.statistics import bootstrap, wild
from agdb.statistics.ranks import Ranker

Floats = NDArray[np.float64]

METHOD = (
    "difference of two correlations on the same rows; interval and p by flipping the signs of what clusters add to it; "
    "analytic: Zou interval, Meng-Rosenthal-Rubin test"
)


class Versus(NamedTuple):
    """The second scorer of a comparison: what column `versus` of table `result` says of it."""

    name: str
    window_bp: int
    scorer_id: str

    @property
    def told(self) -> str:
        """In words, without its id."""
        return f"{self.name} {self.window_bp:,} bp"

    def __str__(self) -> str:
        return f"{self.told} ({self.scorer_id})"

    @classmethod
    def parse(cls, stored: str) -> "Versus":
        """From what is stored; a name may have blanks and parentheses, too."""
        name, window, _, scorer_id = stored.rsplit(" ", 3)
        return cls(name, int(window.replace(",", "")), scorer_id[1:-1])


def compared(group: Group, rows: Rows, shared: Result, *, resamples: int, seed: int) -> list[Result]:
    """One result a pair of the group's scorers, on the rows that all of them scored.

    Where there are more than two scorers, q is the max-T adjusted p-value: of all pairs jointly.
    """
    is_signed = all(scorer.is_signed for scorer in group.scorers)
    effect, scores = (rows.effect, rows.scores) if is_signed else (np.abs(rows.effect), np.abs(rows.scores))
    metric = "spearman_difference" if is_signed else "abs_spearman_difference"
    n, n_clusters = len(effect), rows.n_clusters
    e, s = Ranker(effect).within(), [Ranker(score).within() for score in scores]
    pairs = list(combinations(range(len(group.scorers)), 2))
    sums = bootstrap.cluster_sums(bootstrap.correlation_columns(e, *s), rows.cluster, n_clusters)
    made: list[Result] = []
    base = {**shared, "metric": metric, "n": n, "n_variants": len(np.unique(rows.variant)),
            "n_genes": len(np.unique(rows.phenotype)), "n_clusters": n_clusters, "method": METHOD}  # fmt: skip
    if n < 4 or any(np.ptp(v) == 0 for v in (effect, *scores)):
        why = f"n = {n}: fewer than 4 rows" if n < 4 else "the effect or a score is constant"
        return [{**base, **_who(group, i, j), "reason": why} for i, j in pairs]
    rho = bootstrap.correlations(sums.sum(axis=0))
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    of_scorers = wild.scores(wild.one_x(sums))
    tested = wild.differences(rho[first] - rho[second], of_scorers.of(first), of_scorers.of(second), resamples, seed)
    for place, (i, j) in enumerate(pairs):
        values = results.flipped(rho[i] - rho[j], tested, place) | analytic(rho[i], rho[j], s[i], s[j])
        row = {**base, **_who(group, i, j), **results.defined(values, None)}
        if len(pairs) > 1 and row["p"] is not None:
            row |= {"q": float(tested.joint[place]), "method": f"{METHOD}; q: max-T over all {len(pairs)} pairs"}
        made.append(row)
    return made


def analytic(rho_x: float, rho_y: float, x: Floats, y: Floats) -> dict[str, float]:
    """Of independent rows: the difference of the correlations of x and of y with one third variable.

    Args:
        rho_x, rho_y: The correlations.
        x, y: Ranks, centred on 0. Shape (n,).
    """
    between = float((x * y).sum() / np.sqrt((x * x).sum() * (y * y).sum()))
    zou = statistics.zou_difference(rho_x, rho_y, between, len(x))
    return {"analytic_low": float(zou.low), "analytic_high": float(zou.high),
            "analytic_p": float(statistics.meng_pvalue(rho_x, rho_y, between, len(x)))}  # fmt: skip


def _who(group: Group, i: int, j: int) -> Result:
    a, b = group.scorers[i], group.scorers[j]
    return {"scorer_id": a.scorer_id, "scorer": a.name, "window_bp": a.window_bp,
            "versus": str(Versus(b.name, b.window_bp, b.scorer_id))}  # fmt: skip


def verdict(row: Result) -> str:
    """A stored difference in words, from its interval alone."""
    if row["estimate"] is None or row["ci_low"] is None:
        return f"no verdict: {row['reason']}"
    told = f"{row['estimate']:+.3f}, 95 % CI {row['ci_low']:+.3f} to {row['ci_high']:+.3f}"
    if row["ci_low"] <= 0 <= row["ci_high"]:
        return f"no detectable difference: {told}; smallest difference detectable {row['detectable']:.3f}"
    return f"a difference: {told}"
