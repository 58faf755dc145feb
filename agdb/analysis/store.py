"""Results into table `result`: all of a run, or none."""

import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa

from agdb import db
from agdb.analysis.results import Result
from agdb.errors import DatabaseBusy

#: Seconds that results wait for others to let go of the database: to compute them may have taken longer.
PATIENCE_S = 3600.0


def check(path: Path) -> None:
    """Refuse a database that cannot take results, before they are computed. Who holds it now may let go of it by then.

    Raises:
        Refused: the file cannot be written; there is none, or it is not an agdb database of this version.
    """
    with suppress(DatabaseBusy), db.writing(path, facts=False, patience_s=0.0):
        pass


def stored(
    path: Path, command: str, arguments: Mapping[str, Any], found: list[Result], began: datetime | None = None
) -> int:
    """Store results as those of a run of `command`; returns the run_id. While others hold the database, wait.

    Args:
        path: The database.
        command, arguments: What was asked for.
        found: The results.
        began: When their data were read, UTC: what is written after that is newer than they are. None for now.

    Raises:
        DatabaseBusy: they hold it still, after `PATIENCE_S`.
    """
    began = began or db.utc_now()
    try:
        return _stored(path, command, arguments, found, began, db.PATIENCE_S)
    except DatabaseBusy as busy:
        print(f"{command}: {len(found):,} results wait to be stored, for an hour at most: {busy.what}", file=sys.stderr)
    return _stored(path, command, arguments, found, began, PATIENCE_S)


def _stored(
    path: Path, command: str, arguments: Mapping[str, Any], found: list[Result], began: datetime, patience_s: float
) -> int:
    with db.writing(path, facts=False, patience_s=patience_s) as con, db.transaction(con):
        run_id = db.start_run(con, command, **arguments)
        con.execute("UPDATE run SET started_at = ? WHERE run_id = ?", [began, run_id])
        first = db.next_id(con, "result")
        query = "SELECT column_name FROM duckdb_columns() WHERE table_name = 'result' ORDER BY column_index"
        columns = [name for (name,) in con.execute(query).fetchall()]
        rows = [{**row, "result_id": first + i, "run_id": run_id} for i, row in enumerate(found)]
        con.register("found", pa.table({name: [row.get(name) for row in rows] for name in columns}))
        con.execute("INSERT INTO result BY NAME FROM found")
        con.unregister("found")
        db.finish_run(con, run_id, len(rows))
    return run_id
