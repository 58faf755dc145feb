"""What a reader has to know first: checks that failed or warned, and results that are older than their data."""

from collections.abc import Iterator
from typing import NamedTuple

import duckdb

from agdb import db
from agdb.report.found import Found


class Alert(NamedTuple):
    """One line of the red box. `severity`: failed (the data are not what they have to be), or warning."""

    severity: str
    claim: str
    problems: list[str]
    cure: str


def alerts(con: duckdb.DuckDBPyConnection, found: Found) -> list[Alert]:
    """All of them, failures first."""
    return sorted([*_stale(con, found), *_checks(con)], key=lambda a: a.severity != "failed")


def n_checks() -> int:
    """How many checks there are."""
    return len(db.checks())


def _checks(con: duckdb.DuckDBPyConnection) -> Iterator[Alert]:
    for check in db.checks():
        problems = con.execute(f"SELECT DISTINCT problem FROM ({check.sql}) ORDER BY 1").fetchall()
        if problems:
            severity = "failed" if check.severity == "refuse" else "warning"
            yield Alert(severity, check.claim, [text for (text,) in problems], check.cure)


def _stale(con: duckdb.DuckDBPyConnection, found: Found) -> Iterator[Alert]:
    """Data that came after the oldest of the results."""
    later = con.execute(
        """
        SELECT run_id, command, strftime(started_at, '%Y-%m-%d %H:%M') FROM run
        WHERE run_id > ? AND (command LIKE 'ingest%' OR command IN ('predict', 'merge')) AND n_rows > 0
        ORDER BY run_id""",
        [min(found.run_ids)],
    ).fetchall()
    if later:
        told = [f"run {run_id}: {command}, {at} UTC" for run_id, command, at in later]
        yield Alert("failed", f"results are newer than the data: those of run {min(found.run_ids)} are not", told,
                    "agdb stats computes them again; then agdb report again")  # fmt: skip
