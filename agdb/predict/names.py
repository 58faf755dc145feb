"""Names of scorers: one scorer of a name, window and assembly."""

import duckdb

from agdb.errors import UsageError
from agdb.predictors.contract import Scorer


def check_name(con: duckdb.DuckDBPyConnection, scorer: Scorer) -> None:
    """Refuse a new scorer whose name another one has: --scorer and --window could not tell them apart.

    Raises:
        UsageError: another one of its window and assembly is called so.
    """
    if scorer.of.provider == "motif":  # which has no other name
        return
    told = [name for name in scorer.row if name not in ("scorer_id", "name", "window_bp", "config", "computations")]
    for row in con.execute(
        f"SELECT {', '.join(told)} FROM scorer WHERE name = ? AND window_bp = ? AND assembly = ? AND scorer_id <> ?",
        [scorer.name, scorer.of.window_bp, scorer.of.assembly, scorer.scorer_id],
    ).fetchall():
        pairs = ((name, was, scorer.row[name]) for name, was in zip(told, row, strict=True))
        differing = ", ".join(f"{name} {was}, not {is_now}" for name, was, is_now in pairs if was != is_now)
        raise UsageError(
            f"another scorer is called {scorer.name} at {scorer.of.window_bp:,} bp: {differing or 'other providers'}",
            cure="give this one another name: --name NAME",
        )
