"""From the database to results and figures: the floor where views meet statistics and plots."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from agdb import db
from agdb.errors import Refused, UsageError

#: The intervals of table `result`.
METHODS = {
    "spearman": "average ranks; Bonett-Wright 95 % interval; t approximation",
    "pearson": "Fisher 95 % interval; t test",
    "spearman_difference": "same associations at both windows; Zou 95 % interval; Meng-Rosenthal-Rubin test",
}


def stats(con: duckdb.DuckDBPyConnection) -> int:
    """Compute intervals and p-values of every stratum and window pair and store them in `result`; returns the run_id.

    Raises:
        Refused: no association has a score yet.
    """
    with db.transaction(con):
        run_id = db.start_run(con, "stats")
        rows = _correlations(con) + _differences(con)
        if not rows:
            raise Refused("no association has a score yet", cure="agdb predict SCORER, or agdb ingest predictions")
        first = db.next_id(con, "result")
        con.executemany(
            f"INSERT INTO result VALUES ({', '.join('?' * 18)})",
            [[first + i, run_id, *row] for i, row in enumerate(rows)],
        )
        db.finish_run(con, run_id, len(rows))
    return run_id


def _correlations(con: duckdb.DuckDBPyConnection) -> list[list[Any]]:
    """One row a stratum and metric, in the order of table `result`."""
    from agdb import statistics

    found = con.execute(
        "SELECT label, source_id, source, tissue, scorer_id, scorer, window_bp, "
        "if(stratification = 'all', 'all', stratification || ': ' || stratum) AS stratum, n, spearman, pearson "
        "FROM stratum "
        "ORDER BY source_id, label, scorer, window_bp, stratification <> 'all', stratification, stratum"
    ).fetchall()
    if not found:
        return []
    n = np.array([r[8] for r in found], float)
    rows: list[list[Any]] = []
    for metric, at, interval in (
        ("spearman", 9, statistics.bonett_wright_interval), ("pearson", 10, statistics.fisher_interval),
    ):  # fmt: skip
        r = np.array([np.nan if row[at] is None else row[at] for row in found], float)
        low, high = interval(r, n)
        p = statistics.correlation_pvalue(r, n)
        for i, row in enumerate(found):
            *keys, n_i = row[:9]
            values = [_or_none(v[i]) for v in (r, low, high, p)]
            rows.append([metric, *keys, n_i, *values, METHODS[metric], _reason(values, n_i)])
    return rows


def _differences(con: duckdb.DuckDBPyConnection) -> list[list[Any]]:
    """One row a pair of windows, in the order of table `result`."""
    from agdb import statistics

    found = con.execute(
        "SELECT label, source_id, source, tissue, scorer_a, scorer, window_a, window_b, n, spearman_a, spearman_b, "
        "spearman_ab FROM window_comparison ORDER BY source_id, label, scorer, window_a, window_b"
    ).fetchall()
    if not found:
        return []
    n = np.array([r[8] for r in found], float)
    a, b, ab = (np.array([np.nan if r[i] is None else r[i] for r in found], float) for i in (9, 10, 11))
    low, high = statistics.zou_difference(a, b, ab, n)
    p = statistics.meng_pvalue(a, b, ab, n)
    rows: list[list[Any]] = []
    for i, (*keys, window_a, window_b, n_i, _, _, _) in enumerate(found):
        values = [_or_none(v[i]) for v in (a - b, low, high, p)]
        stratum = f"window {window_a:,} bp - {window_b:,} bp"
        rows.append(["spearman_difference", *keys, window_a, stratum, n_i, *values,
                     METHODS["spearman_difference"], _reason(values, n_i)])  # fmt: skip
    return rows


def _or_none(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _reason(values: list[float | None], n: int) -> str | None:
    if values[0] is None:
        return "fewer than 2 rows" if n < 2 else "label or score is constant"
    return "no interval: fewer than 4 rows, or |r| = 1" if values[1] is None else None


def verdict(difference: float, low: float, high: float) -> str:
    """A paired difference in words, from its interval alone."""
    told = f"{difference:+.3f}, 95 % CI {low:+.3f} to {high:+.3f}"
    return f"no detectable difference: {told}" if low <= 0 <= high else f"a difference: {told}"


@dataclass(frozen=True)
class Choice:
    """Which rows of `scored_qtl` a figure shows; None means: the only one there is."""

    source_id: int | None = None
    label: str | None = None
    scorer: str | None = None
    window_bp: int | None = None
    stratum: str | None = None

    def where(self, *, windows: bool = False) -> tuple[str, list[object]]:
        """SQL condition and its parameters."""
        asked = {"source_id": self.source_id, "label": self.label, "scorer": self.scorer}
        asked |= {} if windows else {"window_bp": self.window_bp}
        given = {k: v for k, v in asked.items() if v is not None}
        return " AND ".join(["true", *(f"{k} = ?" for k in given)]), list(given.values())


def scatter(con: duckdb.DuckDBPyConnection, choice: Choice, path: Path) -> str:
    """Draw label against score of one label set and scorer; returns what was drawn.

    Raises:
        UsageError: nothing matches the choice, or more than one label set and scorer do (they are listed).
    """
    from agdb import plots, statistics

    where, given = choice.where()
    stratification, _, stratum = (choice.stratum or "all: all").partition(": ")
    found = con.execute(
        "SELECT source_id, label, scorer, window_bp, source, tissue, scorer_id, n, spearman, pearson, n_variants, "
        f"n_genes FROM stratum WHERE stratification = ? AND stratum = ? AND {where} "
        "ORDER BY source_id, label, scorer, window_bp",
        [stratification, stratum, *given],
    ).fetchall()
    _one(found, lambda r: f"--source {r[0]} --label {r[1]} --scorer {r[2]} --window {r[3]}   ({r[4]}, n = {r[7]:,})")
    source_id, label, scorer, window_bp, source, tissue, scorer_id, n, rho, r, n_variants, n_genes = found[0]
    values = con.execute(
        "SELECT effect, score, effect_unit FROM stratified_qtl WHERE stratification = ? AND stratum = ? "
        "AND source_id = ? AND label = ? AND scorer_id = ? ORDER BY variant_id, phenotype_id",
        [stratification, stratum, source_id, label, scorer_id],
    ).fetchnumpy()
    nan = float("nan")
    rho, r = (nan if v is None else v for v in (rho, r))
    bw, fisher = statistics.bonett_wright_interval(rho, n), statistics.fisher_interval(r, n)
    inside = "" if choice.stratum is None else f" ({choice.stratum})"
    figure = plots.scatter(
        np.asarray(values["effect"], float), np.asarray(values["score"], float),
        effect_label=f"{label} ({values['effect_unit'][0]})",
        score_label=f"{scorer} score, ALT against REF ({window_bp:,} bp)",
        title=f"{tissue}{inside}: {label} of {source}",
        counted=f"n = {n:,} associations of {n_variants:,} variants with {n_genes:,} gene{'s' * (n_genes != 1)}",
        spearman=plots.Correlation(n, rho, float(bw.low), float(bw.high)),
        pearson=plots.Correlation(n, r, float(fisher.low), float(fisher.high)),
    )  # fmt: skip
    plots.save(figure, path)
    return f"{path}: {label} of {source} against {scorer} at {window_bp:,} bp, n = {n:,}"


def windows(con: duckdb.DuckDBPyConnection, choice: Choice, path: Path) -> str:
    """Draw Spearman by window of one label set, on the associations that every window scored; returns what was drawn.

    Raises:
        UsageError: no scorer has two windows there, or more than one label set matches (they are listed).
    """
    from agdb import plots, statistics

    where, given = choice.where(windows=True)
    found = con.execute(
        "SELECT source_id, label, source, tissue, scorer, window_bp, n, spearman FROM stratum "
        f"WHERE stratification = 'window' AND {where} ORDER BY source_id, label, scorer, window_bp",
        given,
    ).fetchall()
    sets = list(dict.fromkeys(row[:4] for row in found))
    _one(sets, lambda r: f"--source {r[0]} --label {r[1]}   ({r[2]})", "no scorer has scored two windows here")
    series = []
    for name in dict.fromkeys(row[4] for row in found):
        rows = [row for row in found if row[4] == name]
        rho = np.array([np.nan if r[7] is None else r[7] for r in rows], float)
        low, high = statistics.bonett_wright_interval(rho, [r[6] for r in rows])
        marks = [plots.Correlation(r[6], *v) for r, *v in zip(rows, rho, low, high, strict=True)]
        series.append(plots.WindowSeries(name, [r[5] for r in rows], marks))
    figure = plots.windows(series, title=f"{sets[0][3]}: {sets[0][1]} of {sets[0][2]}")
    plots.save(figure, path)
    return f"{path}: {sets[0][1]} of {sets[0][2]}, {len(found)} windows"


def _one(found: list[Any], described: Any, nothing: str = "nothing matches that choice") -> None:
    if not found:
        raise UsageError(nothing, cure="agdb sql 'FROM correlation' lists what is there")
    if len(found) > 1:
        listed = "\n    ".join(described(row) for row in found[:12])
        raise UsageError(f"{len(found)} label sets and scorers match", cure=f"choose one:\n    {listed}")
