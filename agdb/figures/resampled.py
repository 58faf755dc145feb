"""Intervals by clusters for rows that `agdb stats` has not stored: the same resamples, of the correlations alone."""

import duckdb
import numpy as np

from agdb import plots, statistics
from agdb.analysis import RESAMPLES
from agdb.analysis.groups import Group
from agdb.analysis.measures import CORRELATION
from agdb.analysis.rows import read
from agdb.figures import stored
from agdb.figures.choice import Choice, Floats, divided, number
from agdb.statistics import bootstrap
from agdb.statistics.ranks import Ranker

#: As of `agdb stats`, where nothing else is asked for.
SEED = 0


def estimates(
    con: duckdb.DuckDBPyConnection, group: Group, choice: Choice, stratum: tuple[str, str],
    found: list[dict[str, float]], metrics: tuple[str, ...] = ("spearman",),
) -> tuple[dict[str, list[plots.Estimate]], str]:  # fmt: skip
    """Correlations of each scorer of a group on the rows drawn, all with intervals of one kind; and which that is.

    Args:
        stratum: (stratification, stratum) of the rows.
        found: n and correlations, a scorer each.
        metrics: spearman, pearson. Of scorers without direction spearman is that of sizes, as the rows drawn are.
    """
    as_stored = {"spearman": "spearman" if group.scorers[0].is_signed else "abs_spearman", "pearson": "pearson"}
    values = {m: [(int(f["n"]), number(f[m])) for f in found] for m in metrics}
    kept = {
        m: [stored.matching(con, group._replace(scorers=(scorer,)), as_stored[m], stratum, *value)
            for scorer, value in zip(group.scorers, values[m], strict=True)] for m in metrics
    }  # fmt: skip
    known = [row for m in metrics for row in kept[m] if row is not None and row["ci_low"] is not None]
    if len(known) == len(metrics) * len(found):
        return {m: [stored.estimate(row) for row in kept[m] if row] for m in metrics}, stored.told(known[0])
    intervals, n_clusters, cluster = _resampled(con, group, choice, stratum[1], metrics)
    if all(np.isfinite(i.low).all() for i in intervals.values()):
        note = f"Intervals: {RESAMPLES:,} resamples of {stored.clusters(n_clusters, cluster)}, made for this figure."
        made = {m: [plots.Estimate(*value, float(low), float(high))
                    for value, low, high in zip(values[m], *intervals[m], strict=True)] for m in metrics}  # fmt: skip
        return made, note
    return {m: [stored.independent(m, *value) for value in values[m]] for m in metrics}, stored.INDEPENDENT


def _resampled(
    con: duckdb.DuckDBPyConnection, group: Group, choice: Choice, inside: str, metrics: tuple[str, ...]
) -> tuple[dict[str, statistics.Interval], int, str]:
    """Intervals of the scorers of a group, the number of clusters with rows, and what a cluster is."""
    of = read(con, group, divided(choice.stratum)[0])
    division = of.divisions[0]
    own = division.codes == division.strata.index(inside)
    cluster = np.unique(of.cluster[own], return_inverse=True)[1]
    drawn_values = [v[own] if group.scorers[0].is_signed else np.abs(v[own]) for v in (of.effect, *of.scores)]
    n_clusters = int(cluster.max()) + 1
    intervals = {}
    for metric in metrics:
        x, *ys = (_centred(v, metric) for v in drawn_values)
        sums = bootstrap.cluster_sums(bootstrap.correlation_columns(x, *ys), cluster, n_clusters)
        line = CORRELATION[:2]
        clusters = bootstrap.effective_clusters(
            bootstrap.parts(sums, bootstrap.correlations, line[0]), np.full(len(ys), n_clusters)
        )
        drawn = bootstrap.replicates(sums, bootstrap.correlations, RESAMPLES, SEED, *line)
        intervals[metric] = bootstrap.interval(bootstrap.correlations(sums.sum(axis=0)), drawn, clusters, *line)[0]
    return intervals, n_clusters, of.cluster_of


def _centred(values: Floats, metric: str) -> Floats:
    return Ranker(values).within() if metric == "spearman" else values - values.mean()
