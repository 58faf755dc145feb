"""Intervals by clusters for rows that `agdb stats` has not stored: the same resamples, of the correlations alone."""

import duckdb
import numpy as np

from agdb import plots, statistics
from agdb.analysis.groups import Group
from agdb.analysis.rows import read
from agdb.figures import stored
from agdb.figures.choice import Choice, Floats, divided, number
from agdb.statistics import bootstrap
from agdb.statistics.ranks import Ranker

#: As `agdb stats` does where nothing else is said.
RESAMPLES, SEED = 2000, 0


def estimates(
    con: duckdb.DuckDBPyConnection, group: Group, choice: Choice, stratum: tuple[str, str],
    found: list[dict[str, float]], metrics: tuple[str, ...] = ("spearman",),
) -> tuple[dict[str, list[plots.Estimate]], str]:  # fmt: skip
    """Correlations of each scorer of a group on the rows drawn, all with intervals of one kind; and which that is.

    Args:
        stratum: (stratification, stratum) of the rows.
        found: n and correlations, a scorer each.
        metrics: spearman, pearson.
    """
    values = {m: [(int(f["n"]), number(f[m])) for f in found] for m in metrics}
    kept = {
        m: [stored.matching(con, group._replace(scorers=(scorer,)), m, stratum, *value)
            for scorer, value in zip(group.scorers, values[m], strict=True)] for m in metrics
    }  # fmt: skip
    known = [row for m in metrics for row in kept[m] if row is not None and row["ci_low"] is not None]
    if len(known) == len(metrics) * len(found):
        return {m: [stored.estimate(row) for row in kept[m] if row] for m in metrics}, stored.told(known[0])
    intervals, n_clusters, cluster = _resampled(con, group, choice, stratum[1], metrics)
    if all(np.isfinite(i.low).all() for i in intervals.values()):
        note = f"Intervals: {RESAMPLES:,} resamples of {n_clusters:,} {stored.CLUSTERS[cluster]}, made for this figure."
        made = {m: [plots.Estimate(*value, float(low), float(high))
                    for value, low, high in zip(values[m], *intervals[m], strict=True)] for m in metrics}  # fmt: skip
        return made, note
    return {m: [stored.independent(m, *value) for value in values[m]] for m in metrics}, stored.INDEPENDENT


def _resampled(
    con: duckdb.DuckDBPyConnection, group: Group, choice: Choice, inside: str, metrics: tuple[str, ...]
) -> tuple[dict[str, statistics.Interval], int, str]:
    """Intervals of the scorers of a group, the number of clusters with rows, and what a cluster is."""
    of = read(con, group, divided(con, choice.stratum)[0])
    division = of.divisions[0]
    own = division.codes == division.strata.index(inside)
    cluster = np.unique(of.cluster[own], return_inverse=True)[1]
    n_clusters = int(cluster.max()) + 1
    intervals = {}
    for metric in metrics:
        x, *ys = (_centred(v[own], metric) for v in (of.effect, *of.scores))
        columns: Floats = np.stack([np.ones(len(x)), x, x * x, *(v for y in ys for v in (y, y * y, x * y))])
        sums = bootstrap.cluster_sums(columns, cluster, n_clusters)
        estimate, drawn = _correlation(sums.sum(axis=0)), _correlation(bootstrap.resample(sums, RESAMPLES, SEED))
        of_each = np.full(len(ys), n_clusters)
        intervals[metric] = bootstrap.interval(estimate, drawn, of_each, np.arctanh, np.tanh)[0]
    return intervals, n_clusters, of.cluster_of


def _centred(values: Floats, metric: str) -> Floats:
    return Ranker(values).within() if metric == "spearman" else values - values.mean()


def _correlation(sums: Floats) -> Floats:
    """Of x with each y, from sums of 1, x, x^2 and of each y, y^2, x y. Shape (..., 3 + 3 m) -> (..., m)."""
    n, x, xx = sums[..., 0:1], sums[..., 1:2], sums[..., 2:3]
    y, yy, xy = sums[..., 3::3], sums[..., 4::3], sums[..., 5::3]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray((xy - x * y / n) / np.sqrt((xx - x * x / n) * (yy - y * y / n)))
