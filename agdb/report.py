"""From the database to figures: the floor where views meet plots."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import numpy as np

from agdb.errors import UsageError


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
