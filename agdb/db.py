"""The database file: making it, opening it, transactions, its runs and scorers.

A DuckDB file has one writing process, and a writer shuts readers out, so connections are held briefly. What the
database is made of stands in `agdb.schema`; callers find it here too.
"""

import glob
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import duckdb

from agdb import __version__
from agdb.errors import DatabaseBusy, Refused, UsageError
from agdb.schema import (
    Applied,
    Check,
    Migration,
    applied_migrations,
    checks,
    make_views,
    migrate,
    migrations,
    pending_migrations,
    utc_now,
    views_are_current,
)

__all__ = [
    "PATIENCE_S",
    "Applied",
    "Check",
    "Migration",
    "add_once",
    "applied_migrations",
    "check_facts",
    "checks",
    "create",
    "finish_run",
    "is_lake",
    "migrations",
    "next_id",
    "pending_migrations",
    "reading",
    "start_run",
    "transaction",
    "utc_now",
    "writing",
]

#: Seconds that a command waits for another process to let go of the file.
PATIENCE_S = 5.0


def _connect(
    path: Path, read_only: bool, memory_limit: str | None = None, patience_s: float | None = None
) -> duckdb.DuckDBPyConnection:
    folder = str(path.absolute().parent)
    if not read_only and "?" in folder:
        raise Refused("a folder with ? in its name can hold no database: DuckDB puts its log elsewhere", where=folder,
                      cure="rename the folder, or use --db")  # fmt: skip
    config: dict[str, Any] = {
        "autoinstall_known_extensions": "false",  # a question must not wait for a network
        "temp_directory": f"{path}.tmp",  # spill beside the database: system temporary folders are small
    }
    if memory_limit := os.environ.get("AGDB_MEMORY") or memory_limit:
        config["memory_limit"] = memory_limit
    deadline = time.monotonic() + (PATIENCE_S if patience_s is None else patience_s)
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only, config=config)
        except duckdb.IOException as error:
            if "lock on file" not in str(error):
                raise _cannot_open(path, error) from error
            if time.monotonic() > deadline:
                raise _busy(path, error) from error
            time.sleep(0.1)
        except duckdb.Error as error:
            if memory_limit and "emory" in str(error):
                raise UsageError(f"{memory_limit!r} is no amount of memory", cure="AGDB_MEMORY=2GB, say") from error
            raise _cannot_open(path, error) from error


def _busy(path: Path, error: duckdb.Error) -> DatabaseBusy:
    _, _, holder = str(error).partition("Conflicting lock is held in ")
    holder = re.split(r"\. (However|See also)", holder)[0].strip() or "another process"  # then it speaks of its own CLI
    return DatabaseBusy(
        f"the database is held by {holder}",
        where=str(path),
        cure="a DuckDB file has one writer at a time: end that process or wait for it, then run this again",
    )


def _cannot_open(path: Path, error: duckdb.Error) -> Refused:
    first = str(error).strip().splitlines()[0]
    return Refused(
        f"the database cannot be opened: {first}",
        where=str(path),
        cure="check the path and its permissions; --db FILE or AGDB_DB names the database",
    )


def create(path: Path) -> list[Migration]:
    """Make a new database, or bring an existing one up to date; returns the migrations that were applied.

    Raises:
        Refused: the folder cannot be written, the file is no agdb database, or its migrations are not this version's.
    """
    if not path.parent.is_dir():
        raise Refused("the folder of the database does not exist", where=str(path.parent), cure="make it, or use --db")
    made_here = False
    absent = not path.exists()
    try:
        with _connect(path, read_only=False) as con:
            made_here = absent and not _is_agdb(con)  # another `init` may have been quicker: its file is not ours
            if not absent and not _is_agdb(con):
                raise _not_agdb(path)
            if is_lake(con) and pending_migrations(migrations(), applied_migrations(con)):
                raise _of_a_lake(path)
            with transaction(con):
                done = migrate(con)
                make_views(con)
    except BaseException:
        if made_here:
            path.unlink(missing_ok=True)
        raise
    return done


def _is_agdb(con: duckdb.DuckDBPyConnection) -> bool:
    found = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'schema_migration'").fetchall()
    return bool(found[0][0])


def is_lake(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the large tables are views over the files of a lake (`agdb lake open`), and cannot be written."""
    query = "SELECT table_name FROM duckdb_tables() WHERE table_name IN ('schema_migration', 'qtl')"
    return con.execute(query).fetchall() == [("schema_migration",)]


def _check_lake(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """Refuse a database that looks at a lake whose folder is gone, or holds another one, before a question is asked."""
    query = "SELECT arguments FROM run WHERE command = 'lake open' ORDER BY run_id DESC LIMIT 1"
    opened = con.execute(query).fetchall()
    told = json.loads(opened[0][0]) if opened else {"lake": ""}
    root, manifest = told["lake"], Path(told["lake"], "manifest.json")
    if not root or "://" in root:
        return
    if not manifest.is_file():
        raise Refused(
            f"the lake that this database looks at is not there: {root}",
            where=str(path),
            cure="put it back where it was, or look at it where it is: agdb --db NEW.duckdb lake open DIR",
        )
    if hashlib.sha256(manifest.read_bytes()).hexdigest() != told["manifest_sha256"]:
        raise Refused(
            f"another lake lies where that was that this database looks at: {root}",
            where=str(path),
            cure=f"agdb --db NEW.duckdb lake open {root}; and export to a new folder each time",
        )


def check_facts(path: Path) -> None:
    """Refuse a database whose associations, variants and scores cannot be written, before work is done for it.

    Who holds it meanwhile writes to it, and it is none.

    Raises:
        Refused: it is a lake's; there is no such file, or it is not an agdb database of this version.
    """
    with suppress(DatabaseBusy), _existing(path, read_only=True, patience_s=0.0) as con:
        if is_lake(con):
            raise _of_a_lake(path)


def _of_a_lake(path: Path) -> Refused:
    return Refused(
        "this database looks at a lake: its associations, variants, peaks and scores are files that it does not write",
        where=str(path),
        cure="use the study's own database, then agdb lake export and agdb lake open again",
    )


def _not_agdb(path: Path) -> Refused:
    return Refused("this DuckDB file is not an agdb database", where=str(path), cure="agdb --db NEW.duckdb init")


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of it, or nothing: also when the process is interrupted."""
    con.execute("BEGIN")
    try:
        yield
    except BaseException:
        with suppress(duckdb.Error):  # the engine may have rolled back itself; the first error is the one to tell
            con.execute("ROLLBACK")
        raise
    con.execute("COMMIT")


@contextmanager
def reading(path: Path, *, current: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """A read-only connection to an existing agdb database; `current=False` opens one with pending migrations too.

    Raises:
        Refused: there is no such file, or it is not an agdb database of this version.
        DatabaseBusy: another process is writing and does not finish within `PATIENCE_S`.
    """
    with _existing(path, read_only=True, current=current) as con:
        yield con


@contextmanager
def writing(
    path: Path, *, facts: bool = True, memory_limit: str | None = None, patience_s: float | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A writing connection to an existing agdb database, whose views are those of this agdb. Raises as `reading` does.

    Args:
        facts: False for what writes results or label sets alone, which the database of a lake takes too.
        memory_limit: As DuckDB writes it, e.g. 1GB; else DuckDB's own, 80 % of the machine. AGDB_MEMORY goes
            before both.
        patience_s: Seconds to wait for another process to let go of the file; None for `PATIENCE_S`.
    """
    with _existing(path, read_only=False, memory_limit=memory_limit, patience_s=patience_s) as con:
        if facts and is_lake(con):
            raise _of_a_lake(path)
        _tidy(path)
        if not views_are_current(con):
            with transaction(con):
                make_views(con)
        yield con


@contextmanager
def _existing(
    path: Path,
    read_only: bool,
    current: bool = True,
    memory_limit: str | None = None,
    patience_s: float | None = None,
) -> Iterator[duckdb.DuckDBPyConnection]:
    if not path.exists():
        raise Refused("there is no database here", where=str(path), cure=f"agdb --db {path} init")
    with _connect(path, read_only, memory_limit, patience_s) as con:
        if not _is_agdb(con):
            raise _not_agdb(path)
        if current and pending_migrations(migrations(), applied_migrations(con)):
            raise Refused("the database is of an older agdb", where=str(path), cure=f"agdb --db {path} migrate")
        if is_lake(con):
            _check_lake(con, path)
        yield con


def _tidy(path: Path) -> None:
    """Remove what a killed process left in the folders for spilling: whoever writes has the file to itself."""
    unpacked = path.parent.glob(f"{glob.escape(path.name)}.tmp-????????")
    for folder in (Path(f"{path}.tmp"), *unpacked):
        shutil.rmtree(folder, ignore_errors=True)


def next_id(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """The next free number of `table`, whose key is `<table>_id`. There is one writer, so nobody else takes it."""
    found = con.execute(f"SELECT coalesce(max({table}_id), 0) + 1 FROM {table}").fetchall()
    return int(found[0][0])


def start_run(con: duckdb.DuckDBPyConnection, command: str, software: str | None = None, **arguments: object) -> int:
    """Record that a command starts to write; returns its run_id. Never pass a secret as an argument."""
    run_id = next_id(con, "run")
    con.execute(
        "INSERT INTO run (run_id, command, arguments, agdb_version, duckdb_version, software, started_at, status) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, 'running')",
        [run_id, command, json.dumps(arguments, default=str), __version__, duckdb.__version__, software, utc_now()],
    )
    return run_id


def finish_run(con: duckdb.DuckDBPyConnection, run_id: int, n_rows: int, status: str = "done") -> None:
    """Record how a run ended and how many rows it wrote."""
    con.execute(
        "UPDATE run SET finished_at = ?, status = ?, n_rows = ? WHERE run_id = ?", [utc_now(), status, n_rows, run_id]
    )


def add_once(con: duckdb.DuckDBPyConnection, table: str, row: Mapping[str, object]) -> None:
    """Add a row of `scorer` or `computation` unless it is there: its key `<table>_id` is the hash of its content."""
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    con.execute(
        f"INSERT INTO {table} ({columns}) SELECT {marks} WHERE ? NOT IN (SELECT {table}_id FROM {table})",
        [*row.values(), row[f"{table}_id"]],
    )
