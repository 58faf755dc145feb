"""What the database is made of: the migrations that make its tables, the views, the checks; all SQL, shipped as files.

`migrations/` is durable, checksummed and append-only; `sql/` is derived and made anew by the first write of another
version, so that no view outlives the one that wrote it; `sql/checks/` are questions whose right answer is no rows.
"""

import hashlib
import re
from datetime import UTC, datetime
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

import duckdb

from agdb import __version__
from agdb.errors import Refused, UsageError
from agdb.query import records

#: What tells a variant from others, in every table.
KEY = ("assembly", "chrom", "pos", "ref", "alt")


def same(a: str, b: str) -> str:
    """SQL that two tables, or their aliases, mean the same variant."""
    return " AND ".join(f"{a}.{column} = {b}.{column}" for column in KEY)


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


def migrate(con: duckdb.DuckDBPyConnection) -> list[Migration]:
    """Apply the migrations that the database has not seen, each with its record, inside the caller's transaction.

    Raises:
        Refused: the database's migrations are not this version's.
    """
    con.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration (number INTEGER NOT NULL, name VARCHAR NOT NULL, "
        "sha256 VARCHAR NOT NULL, applied_at TIMESTAMP NOT NULL, agdb_version VARCHAR NOT NULL, "
        "duckdb_version VARCHAR NOT NULL)"
    )
    todo = pending_migrations(migrations(), applied_migrations(con))
    for m in todo:
        con.execute(m.sql)
        row = [m.number, m.name, m.sha256, utc_now(), __version__, duckdb.__version__]
        con.execute("INSERT INTO schema_migration VALUES (?, ?, ?, ?, ?, ?)", row)
    if todo:
        _comment(con)
    return todo


def _comment(con: duckdb.DuckDBPyConnection) -> None:
    """Say what the table of migrations means: it is the only one that no migration makes."""
    con.execute("COMMENT ON TABLE schema_migration IS 'One row per migration applied: what made the tables.'")
    for column, meaning in {
        "number": "Its number; migrations are applied in this order.",
        "name": "Its file, without .sql.",
        "sha256": "sha256 of its text: an edited migration is refused.",
        "applied_at": "When, UTC.",
        "agdb_version": "Version of agdb that applied it.",
        "duckdb_version": "Version of DuckDB that applied it.",
    }.items():
        con.execute(f"COMMENT ON COLUMN schema_migration.{column} IS '{meaning}'")


def make_views(con: duckdb.DuckDBPyConnection) -> None:
    """Make every view and macro anew, inside the caller's transaction, and one that says of which files."""
    for _, sql in sql_files("sql"):
        con.execute(sql)
    con.execute(f"CREATE OR REPLACE MACRO views_sha256() AS '{_views_sha256()}'")
    con.execute(
        "COMMENT ON MACRO views_sha256 IS 'views_sha256(): sha256 of the SQL that the views and macros were made of.'"
    )


def views_are_current(con: duckdb.DuckDBPyConnection) -> bool:
    """Whether the views are there and of this agdb: to make them takes half a second of every command that writes."""
    try:
        ((made_of, n),) = con.execute(
            "SELECT views_sha256(), count(*) FROM duckdb_views() WHERE NOT internal"
        ).fetchall()
    except duckdb.CatalogException:
        return False  # an older agdb made them, or nobody
    return bool(made_of == _views_sha256() and n >= sum("CREATE OR REPLACE VIEW" in sql for _, sql in sql_files("sql")))


def _views_sha256() -> str:
    return hashlib.sha256("\n".join(f"{name}\n{sql}" for name, sql in sql_files("sql")).encode()).hexdigest()


#: What there is; the columns of a table or view; a macro.
_ALL = """
    SELECT 'table' AS kind, table_name AS name, comment FROM duckdb_tables() WHERE NOT internal
    UNION ALL
    SELECT 'view', view_name, comment FROM duckdb_views() WHERE NOT internal
    UNION ALL
    SELECT 'macro', function_name, comment FROM duckdb_functions() WHERE NOT internal
    ORDER BY CASE kind WHEN 'table' THEN 1 WHEN 'view' THEN 2 ELSE 3 END, name"""
_COLUMNS = """
    SELECT column_name AS "column", if(starts_with(data_type, 'ENUM'), 'ENUM', data_type) AS type,
           coalesce(comment, '') AS meaning
    FROM duckdb_columns() WHERE NOT internal AND table_name = ? ORDER BY column_index"""
_MACRO = """
    SELECT comment AS macro, macro_definition AS definition
    FROM duckdb_functions() WHERE NOT internal AND function_name = ?"""


def described(con: duckdb.DuckDBPyConnection, name: str | None = None) -> list[dict[str, str]]:
    """What each table, view and macro is: rows of kind, name and comment.

    Args:
        con: Of a database.
        name: Of a table or view: its columns, with type and meaning; of a macro: how it is called, and its definition.

    Raises:
        UsageError: there is nothing of that name; what there is, is listed.
    """
    if name is None:
        return records(con, _ALL)
    if found := records(con, _COLUMNS, [name]) or records(con, _MACRO, [name]):
        return found
    known = ", ".join(of["name"] for of in records(con, _ALL))
    raise UsageError(f"there is no table, view or macro {name!r}", cure=f"one of {known}")


class Check(NamedTuple):
    """One file of `sql/checks/`: a query (source_id, problem) that must return no rows."""

    name: str
    severity: str
    gates: tuple[str, ...]
    cure: str
    sql: str

    @property
    def claim(self) -> str:
        """What it claims of the data, in words."""
        return self.name.replace("_", " ")

    def problems(self, con: duckdb.DuckDBPyConnection) -> list[str]:
        """Where it does not hold, a line each."""
        found = con.execute(f"SELECT DISTINCT problem FROM ({self.sql}) ORDER BY 1").fetchall()
        return [str(problem) for (problem,) in found]


def checks() -> list[Check]:
    """The checks, in order of their names. Each opens with `-- severity:`, `-- gates:` and `-- cure:` lines."""
    found = []
    for stem, sql in sql_files("sql/checks"):
        head = dict(re.findall(r"^-- (severity|gates|cure): (.+)$", sql, re.MULTILINE))
        gates = tuple(head["gates"].split(", "))
        found.append(Check(stem, head["severity"], gates, head["cure"], sql))
    return found
