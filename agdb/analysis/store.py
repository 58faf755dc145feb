"""Results into table `result`: all of a run, or none."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from agdb import db
from agdb.analysis.results import Result


def stored(path: Path, command: str, arguments: Mapping[str, Any], found: list[Result]) -> int:
    """Store results as those of a run of `command`; returns the run_id."""
    with db.writing(path, facts=False) as con, db.transaction(con):
        run_id = db.start_run(con, command, **arguments)
        first = db.next_id(con, "result")
        query = "SELECT column_name FROM duckdb_columns() WHERE table_name = 'result' ORDER BY column_index"
        columns = [name for (name,) in con.execute(query).fetchall()]
        rows = [{**row, "result_id": first + i, "run_id": run_id} for i, row in enumerate(found)]
        con.register("found", pa.table({name: [row.get(name) for row in rows] for name in columns}))
        con.execute("INSERT INTO result BY NAME FROM found")
        con.unregister("found")
        db.finish_run(con, run_id, len(rows))
    return run_id
