"""The rows of a figure: brought once into a temporary table, then counted, ranked and binned in SQL.

Drawing 2.4 M rows brings 10,000 counts, not 2.4 M points.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from agdb import plots
from agdb.analysis.groups import Group
from agdb.analysis.rows import query
from agdb.errors import UsageError
from agdb.figures.choice import Choice, divided, floats, rows, table
from agdb.statistics import line as lines

TABLE = "row_drawn"

#: Clusters that a band needs: the sandwich of fewer is too narrow, that of two has no width at some x.
FEWEST_CLUSTERS = 10


@contextmanager
def drawn(con: duckdb.DuckDBPyConnection, group: Group, choice: Choice) -> Iterator[tuple[str, str]]:
    """Table `row_drawn` of the rows that are chosen, while it is needed; gives (stratification, stratum).

    Of scorers without direction it holds the sizes of effects and scores.

    Raises:
        UsageError: the stratum has no rows; those that have are listed.
    """
    by, name, inside = divided(choice.stratum)
    effect = "effect" if group.scorers[0].is_signed else f"abs(effect - {group.null_value!r})"
    x = "log10(greatest(effect, 1e-320))" if is_p_value(group) else effect
    sizes = [f"abs(score_{i}) AS score_{i}" for i in range(len(group.scorers)) if not group.scorers[0].is_signed]
    held = f"* EXCLUDE (stratum_0, slope_se, tss_distance, maf) REPLACE ({', '.join([f'{effect} AS effect', *sizes])})"
    unordered = query(group, by).rpartition("\nORDER BY ")[0]  # a table has no order to be paid for
    con.execute(f"CREATE OR REPLACE TEMP TABLE {TABLE} AS SELECT {held}, {x} AS x FROM (\n{unordered}\n) "
                "WHERE stratum_0 = ?", [inside])  # fmt: skip
    try:
        if not con.execute(f"SELECT count(*) FROM {TABLE}").fetchall()[0][0]:
            if choice.stratum is None:
                what = f"no scored association meets the condition of label set {group.labels.name}"
                raise UsageError(what, cure="another label set: agdb labels lists them")
            there = con.execute(f"SELECT DISTINCT stratum_0 FROM ({query(group, by)}) WHERE stratum_0 IS NOT NULL "
                                "ORDER BY ALL").fetchall()  # fmt: skip
            listed = ", ".join(f"'{name}: {s}'" for (s,) in there[:20])
            raise UsageError(f"no row is in stratum {choice.stratum!r}", cure=f"one of {listed or 'none there is'}")
        yield name, inside
    finally:
        con.execute(f"DROP TABLE {TABLE}")


def is_p_value(group: Group) -> bool:
    """P-values are drawn as their logarithm: of 1e-150 to 1e-4, all but the largest would lie on the axis."""
    return group.labels.label == "pval_nominal"


def agreement(con: duckdb.DuckDBPyConnection, score: str = "score_0") -> dict[str, Any]:
    """n and both correlations of the rows drawn (average ranks; NULL where not defined); ranges and means as drawn."""
    found = table(
        con,
        f"""
        WITH r AS (  -- two narrow sorts: what is counted besides would be sorted with them
          SELECT effect, x, {score} AS y,
                 count(*) OVER (ORDER BY effect RANGE UNBOUNDED PRECEDING) + rank() OVER (ORDER BY effect)
                   - count(*) OVER () - 1 AS e,
                 count(*) OVER (ORDER BY {score} RANGE UNBOUNDED PRECEDING) + rank() OVER (ORDER BY {score})
                   - count(*) OVER () - 1 AS s
          FROM {TABLE}
        )
        SELECT count(*) AS n,
               sum(e * s)::DOUBLE / nullif(sqrt(sum(e * e)::DOUBLE * sum(s * s)::DOUBLE), 0) AS spearman,
               CASE WHEN min(effect) < max(effect) AND min(y) < max(y) THEN corr(effect, y) END AS pearson,
               min(x) AS x_low, max(x) AS x_high, min(y) AS y_low, max(y) AS y_high,
               avg(x) AS x_mean, avg(y) AS y_mean
        FROM r""",
    )
    return rows(found)[0]


def counted(con: duckdb.DuckDBPyConnection, group: Group) -> str:
    """What n of the rows drawn is made of, in words."""
    n, n_variants, n_genes = con.execute(
        f"SELECT (SELECT count(*) FROM {TABLE}), "
        f"(SELECT count(*) FROM (SELECT DISTINCT chrom, pos, ref, alt FROM {TABLE})), "
        f"(SELECT count(DISTINCT phenotype_id) FROM {TABLE})"
    ).fetchall()[0]
    if group.labels.unit == "variant":
        return f"n = {n:,} variants, each with its strongest association"
    associations, variants, genes = (
        f"{k:,} {what}{'s' * (k != 1)}" for k, what in ((n, "association"), (n_variants, "variant"), (n_genes, "gene"))
    )
    return f"n = {associations} of {variants} with {genes}"


def points(con: duckdb.DuckDBPyConnection) -> pa.Table:
    """Every row drawn."""
    return table(
        con, f"SELECT chrom, pos, ref, alt, phenotype_id, effect, x, COLUMNS('score_.*') FROM {TABLE} ORDER BY ALL"
    )


def edges(low: float, high: float, bins: int = plots.CELLS) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Of so many equal bins from low to high."""
    pad = 0.5 * max(abs(low), 1e-9) if low == high else 0.0
    return np.linspace(low - pad, high + pad, bins + 1)


def cells(
    con: duckdb.DuckDBPyConnection, x: np.ndarray[Any, Any], y: np.ndarray[Any, Any], score: str = "score_0"
) -> tuple[plots.Cells, pa.Table]:
    """Rows drawn by cell of a grid with these edges; and the cells that hold any, as a table."""
    found = table(
        con,
        f"SELECT least(floor((x - $x) / $w), $nx - 1)::INTEGER AS i, "
        f"least(floor(({score} - $y) / $h), $ny - 1)::INTEGER AS j, count(*) AS n FROM {TABLE} "
        "GROUP BY ALL ORDER BY ALL",
        {"x": x[0], "w": x[1] - x[0], "nx": len(x) - 1, "y": y[0], "h": y[1] - y[0], "ny": len(y) - 1},
    )
    i, j, n = (np.asarray(found[name].cast(pa.int64()).to_numpy()) for name in ("i", "j", "n"))
    counts = np.zeros((len(y) - 1, len(x) - 1), np.int64)
    counts[j, i] = n
    data = pa.table({"x_low": x[i], "x_high": x[i + 1], f"{score}_low": y[j], f"{score}_high": y[j + 1], "n": n})
    return plots.Cells(x, y, counts), data


def fitted(
    con: duckdb.DuckDBPyConnection, group: Group, found: dict[str, Any], score: str = "score_0"
) -> tuple[plots.Line | None, tuple[int, str]]:
    """Least squares of the rows drawn, with a band that takes the clusters of the label set as independent; None where
    there is no line. And how many clusters there are, and what they are."""
    cluster_of = group.labels.cluster
    if cluster_of == "block" and con.execute(f"SELECT max(cluster_start) < 0 FROM {TABLE}").fetchall()[0][0]:
        cluster_of = "mb"
    cluster = {"block": "chrom, cluster_start", "gene": "phenotype_id", "chrom": "chrom"}[group.labels.cluster]
    sums = table(
        con,
        f"SELECT count(*) AS n, sum(x) AS x, sum(x * x) AS xx, sum(y) AS y, sum(x * y) AS xy FROM "
        f"(SELECT * REPLACE (x - ? AS x), {score} - ? AS y FROM {TABLE}) GROUP BY {cluster} ORDER BY {cluster}",
        [found["x_mean"], found["y_mean"]],
    )
    clusters = (sums.num_rows, cluster_of)
    fit = lines.cluster_line(np.stack([floats(sums, name) for name in ("n", "x", "xx", "y", "xy")], axis=1))
    if not np.isfinite(fit.slope):
        return None, clusters
    x = np.linspace(found["x_low"], found["x_high"], 60)
    if sums.num_rows < FEWEST_CLUSTERS:
        fit = fit._replace(covariance=np.full((2, 2), np.nan))
    y, interval = lines.band(fit, x - found["x_mean"])
    return plots.Line(x, y + found["y_mean"], interval.low + found["y_mean"], interval.high + found["y_mean"]), clusters
