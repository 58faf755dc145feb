"""The database file: opening it, its migrations, its views, its runs.

Tables are made by `migrations/` (durable, checksummed, append-only), views by `sql/` (derived, made anew on every
write-open). A DuckDB file has one writing process, and a writer shuts readers out, so connections are held briefly.
"""

import hashlib
import json
import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from agdb import __version__
from agdb.errors import AgdbError, DatabaseBusy, Refused

#: Seconds that a command waits for another process to let go of the file.
PATIENCE_S = 5.0


class Migration(NamedTuple):
    """One numbered file of `migrations/`."""

    number: int
    name: str
    sql: str

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


class Applied(NamedTuple):
    """One row of `schema_migration`."""

    number: int
    name: str
    sha256: str
    applied_at: datetime


def shipped(folder: str) -> Traversable:
    """The top-level folder `sql` or `migrations`: inside the wheel, or beside the package in a checkout."""
    inside = resources.files("agdb") / "_resources" / folder
    return inside if inside.is_dir() else Path(__file__).resolve().parents[1] / folder


def sql_files(folder: str) -> list[tuple[str, str]]:
    """(stem, text) of the .sql files of a shipped folder, in reading order."""
    files = [f for f in shipped(folder).iterdir() if f.name.endswith(".sql")]
    return [(f.name.removesuffix(".sql"), f.read_text(encoding="utf-8")) for f in sorted(files, key=lambda f: f.name)]


def migrations() -> list[Migration]:
    """The migrations of this version of agdb, in order."""
    return [Migration(int(stem[:4]), stem, sql) for stem, sql in sql_files("migrations")]


def utc_now() -> datetime:
    """Now, UTC, without time zone: what TIMESTAMP columns hold."""
    return datetime.now(UTC).replace(tzinfo=None)


def _connect(path: Path, read_only: bool) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {
        "autoinstall_known_extensions": "false",  # a question must not wait for a network
        "temp_directory": f"{path}.tmp",  # spill beside the database: system temporary folders are small
    }
    deadline = time.monotonic() + PATIENCE_S
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
            raise _cannot_open(path, error) from error


def _busy(path: Path, error: duckdb.Error) -> DatabaseBusy:
    _, _, holder = str(error).partition("Conflicting lock is held in ")
    holder = holder.split(". See also")[0].strip() or "another process"
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
    is_new = not path.exists()
    try:
        with _connect(path, read_only=False) as con:
            if not is_new and not _is_agdb(con):
                raise _not_agdb(path)
            done = _migrate(con)
            _make_views(con)
    except AgdbError:
        if is_new:
            path.unlink(missing_ok=True)
        raise
    return done


def _is_agdb(con: duckdb.DuckDBPyConnection) -> bool:
    found = con.execute("SELECT count(*) FROM duckdb_tables() WHERE table_name = 'schema_migration'").fetchall()
    return bool(found[0][0])


def _not_agdb(path: Path) -> Refused:
    return Refused("this DuckDB file is not an agdb database", where=str(path), cure="agdb --db NEW.duckdb init")


def applied_migrations(con: duckdb.DuckDBPyConnection) -> list[Applied]:
    """The migrations that this database has seen, in order."""
    rows = con.execute("SELECT number, name, sha256, applied_at FROM schema_migration ORDER BY number").fetchall()
    return [Applied(*row) for row in rows]


def pending_migrations(known: list[Migration], applied: list[Applied]) -> list[Migration]:
    """The migrations still to apply.

    Raises:
        Refused: an applied migration was edited, is missing from this version, or a new one is numbered before it.
    """
    by_number = {m.number: m for m in known}
    for a in applied:
        m = by_number.get(a.number)
        if m is None or m.name != a.name:
            raise Refused(
                f"migration {a.name} was applied to this database but is missing from this agdb",
                cure="use the agdb version that wrote the database, or a newer one",
            )
        if m.sha256 != a.sha256:
            raise Refused(
                f"migration {a.name} was edited after it was applied to this database",
                where=f"sha256 {m.sha256[:12]}, applied as {a.sha256[:12]}",
                cure="restore the file; a change to the tables is a new migration",
            )
    last = max((a.number for a in applied), default=0)
    todo = [m for m in known if m.number not in {a.number for a in applied}]
    late = [m.name for m in todo if m.number < last]
    if late:
        raise Refused(
            f"migration {late[0]} is out of order: number {last} was applied before it",
            cure="give it the next free number",
        )
    return todo


def _migrate(con: duckdb.DuckDBPyConnection) -> list[Migration]:
    with transaction(con):
        con.execute(
            "CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER NOT NULL, name VARCHAR NOT NULL, "
            "sha256 VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL, agdb_version VARCHAR NOT NULL, "
            "duckdb_version VARCHAR NOT NULL)"
        )
        con.execute("COMMENT ON TABLE schema_migration IS 'One row per migration applied: what made the tables.'")
        todo = pending_migrations(migrations(), applied_migrations(con))
        for m in todo:
            con.execute(m.sql)
            row = [m.number, m.name, m.sha256, utc_now(), __version__, duckdb.__version__]
            con.execute("INSERT INTO schema_migration VALUES (?, ?, ?, ?, ?, ?)", row)
    return todo


def _make_views(con: duckdb.DuckDBPyConnection) -> None:
    with transaction(con):
        for _, sql in sql_files("sql"):
            con.execute(sql)


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of it, or nothing: also when the process is interrupted."""
    con.execute("BEGIN")
    try:
        yield
    except BaseException:
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
def writing(path: Path, *, views: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    """A writing connection to an existing agdb database, its views made anew. Raises as `reading` does.

    `views=False` leaves the views as they are: for the second and later opens of one command.
    """
    with _existing(path, read_only=False) as con:
        if views:
            _make_views(con)
        yield con


@contextmanager
def _existing(path: Path, read_only: bool, current: bool = True) -> Iterator[duckdb.DuckDBPyConnection]:
    if not path.exists():
        raise Refused("there is no database here", where=str(path), cure=f"agdb --db {path} init")
    with _connect(path, read_only) as con:
        if not _is_agdb(con):
            raise _not_agdb(path)
        if current and pending_migrations(migrations(), applied_migrations(con)):
            raise Refused("the database is of an older agdb", where=str(path), cure=f"agdb --db {path} migrate")
        yield con


def next_id(con: duckdb.DuckDBPyConnection, table: str) -> int:
    """The next free number of `table`, whose key is `<table>_id`. There is one writer, so nobody else takes it."""
    found = con.execute(f"SELECT coalesce(max({table}_id), 0) + 1 FROM {table}").fetchall()
    return int(found[0][0])


def start_run(con: duckdb.DuckDBPyConnection, command: str, software: str | None = None, **arguments: object) -> int:
    """Record that a command starts to write; returns its run_id. Never pass a secret as an argument."""
    run_id = next_id(con, "run")
    con.execute(
        "INSERT INTO run VALUES (?, ?, ?, ?, ?, ?, ?, NULL, 'running', NULL)",
        [run_id, command, json.dumps(arguments, default=str), __version__, duckdb.__version__, software, utc_now()],
    )
    return run_id


def finish_run(con: duckdb.DuckDBPyConnection, run_id: int, n_rows: int, status: str = "done") -> None:
    """Record how a run ended and how many rows it wrote."""
    con.execute(
        "UPDATE run SET finished_at = ?, status = ?, n_rows = ? WHERE run_id = ?", [utc_now(), status, n_rows, run_id]
    )


def add_scorer(con: duckdb.DuckDBPyConnection, row: Mapping[str, object]) -> None:
    """Add a scorer (the columns of table `scorer`) unless it is there: its id is the hash of its content."""
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    con.execute(
        f"INSERT INTO scorer ({columns}) SELECT {marks} WHERE ? NOT IN (SELECT scorer_id FROM scorer)",
        [*row.values(), row["scorer_id"]],
    )


class Check(NamedTuple):
    """One file of `sql/checks/`: a query (source_id, problem) that must return no rows."""

    name: str
    severity: str
    gates: str
    cure: str
    sql: str

    @property
    def claim(self) -> str:
        """What it claims of the data, in words."""
        return self.name.replace("_", " ")


def checks() -> list[Check]:
    """The checks, in order of their names. Each opens with `-- severity:`, `-- gates:` and `-- cure:` lines."""
    found = []
    for stem, sql in sql_files("sql/checks"):
        head = dict(re.findall(r"^-- (severity|gates|cure): (.+)$", sql, re.MULTILINE))
        found.append(Check(stem, head["severity"], head["gates"], head["cure"], sql))
    return found
