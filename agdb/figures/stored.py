"""Results as `agdb stats` stored them, and how their intervals were made, in words."""

from typing import Any

import duckdb
import numpy as np

from agdb import statistics
from agdb.analysis.groups import Group
from agdb.figures.choice import number, rows, table
from agdb.plots.style import Estimate

_CLUSTERS = {
    "block": ("block", " of linkage"),
    "mb": ("window", " of 1 Mb"),
    "gene": ("gene", ""),
    "chrom": ("chromosome", ""),
}

#: How a figure says that there is nothing better.
INDEPENDENT = "Intervals: of independent rows, as there are too few clusters; too narrow where rows share a locus."


def clusters(n: int, cluster: str | None) -> str:
    """So many clusters, in words."""
    one, of = _CLUSTERS.get(cluster or "", ("cluster", ""))
    return f"{n:,} {one}{'s' * (n != 1)}{of}"


def aside(note: str) -> str:
    """What a sentence with such intervals has to say of them: `agdb stats` would give none."""
    return " (intervals of independent rows)" if INDEPENDENT in note else ""


def results(
    con: duckdb.DuckDBPyConnection, group: Group, metric: str, stratification: str | None = None
) -> list[dict[str, Any]]:
    """Newest results of a group's first scorer, in the order in which they were stored."""
    found = table(
        con,
        "SELECT * FROM latest_result WHERE label_set = ? AND source_id = ? AND scorer_id = ? AND metric = ? "
        "AND versus IS NULL AND stratification <> 'study' AND (? IS NULL OR stratification = ?) ORDER BY result_id",
        [group.labels.name, group.source_id, group.scorers[0].scorer_id, metric, stratification, stratification],
    )
    return rows(found)


def runs_of(con: duckdb.DuckDBPyConnection, group: Group, metric: str, n: int, value: float | None = None) -> set[int]:
    """Runs whose result of all rows has this n, and this value where it is given: their strata are of the same rows."""
    found = con.execute(
        "SELECT run_id FROM result WHERE label_set = ? AND source_id = ? AND scorer_id = ? AND metric = ? AND n = ? "
        "AND stratification = 'all' AND stratum = 'all' AND versus IS NULL AND (? IS NULL OR abs(estimate - ?) < 1e-9)",
        [group.labels.name, group.source_id, group.scorers[0].scorer_id, metric, n, value, value],
    )
    return {run_id for (run_id,) in found.fetchall()}


def estimate(row: dict[str, Any]) -> Estimate:
    """A result with its interval by clusters."""
    return Estimate(int(row["n"]), number(row["estimate"]), number(row["ci_low"]), number(row["ci_high"]))


def told(row: dict[str, Any]) -> str:
    """How the interval of a result was made."""
    if row["ci_low"] is None:
        return f"No interval: {row['reason']} (agdb stats, run {row['run_id']})."
    of = clusters(row["n_clusters"], row["cluster"])
    return f"Intervals: {row['resamples']:,} resamples of {of} (agdb stats, run {row['run_id']})."


def matching(
    con: duckdb.DuckDBPyConnection, group: Group, metric: str, stratum: tuple[str, str], n: int, value: float
) -> dict[str, Any] | None:
    """The stored result of these very rows: same n, same value. What was stored before other data came is none."""
    for row in results(con, group, metric, stratum[0]):
        same = row["n"] == n and row["estimate"] is not None and np.isclose(row["estimate"], value, rtol=0, atol=1e-9)
        if row["stratum"] == stratum[1] and same:
            return row
    return None


def independent(metric: str, n: int, value: float) -> Estimate:
    """A correlation with the interval of independent rows: Bonett-Wright (Spearman), Fisher (Pearson)."""
    of = statistics.bonett_wright_interval if metric == "spearman" else statistics.fisher_interval
    interval = of(value, n)
    return Estimate(n, value, float(interval.low), float(interval.high))
