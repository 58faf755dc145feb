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
        if problems := check.problems(con):
            severity = "failed" if check.severity == "refuse" else "warning"
            yield Alert(severity, check.claim, problems, check.cure)


def _stale(con: duckdb.DuckDBPyConnection, found: Found) -> Iterator[Alert]:
    """Data that came after the oldest of the results were read: after the start of their run.

    A prediction has its number from its first scores on, and brings more until it ends.
    """
    runs = con.execute(
        """
        WITH oldest AS (FROM run WHERE list_contains(?, run_id) ORDER BY started_at, run_id LIMIT 1)
        SELECT o.run_id, r.run_id, r.command, strftime(coalesce(r.finished_at, r.started_at), '%Y-%m-%d %H:%M'),
               r.run_id > o.run_id OR r.finished_at > o.started_at
        FROM oldest AS o
        JOIN run AS r ON r.run_id > o.run_id OR r.finished_at > o.started_at
          OR r.status = 'running' AND NOT EXISTS (  -- a later run goes on where one was killed
            FROM run AS n WHERE n.run_id > r.run_id AND n.command = r.command AND n.finished_at IS NOT NULL)
        WHERE (r.command LIKE 'ingest%' OR r.command IN ('predict', 'merge')) AND r.n_rows > 0
        ORDER BY r.run_id""",
        [found.run_ids],
    ).fetchall()
    if later := [f"run {run_id}: {command}, {at} UTC" for _, run_id, command, at, is_later in runs if is_later]:
        yield Alert("failed", f"results are newer than the data: those of run {runs[0][0]} are not", later,
                    "agdb stats, with the options of then, computes them again; then agdb report again")  # fmt: skip
    if going := [f"run {run_id}: {command}, {at} UTC" for _, run_id, command, at, is_later in runs if not is_later]:
        yield Alert("warning", "all scores were there when the results were made: a prediction has not ended", going,
                    "when it has: agdb stats, agdb report; if it was killed: agdb predict goes on with it")  # fmt: skip
