"""A study into a lake: each table sorted, in Parquet (zstd), one file a partition, complete or not at all."""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import duckdb

from agdb import __version__
from agdb.errors import Refused, UsageError
from agdb.export.files import whole
from agdb.export.tables import copied
from agdb.lake.manifest import LAYOUT, MANIFEST, File, Layout, text_of
from agdb.query import identifier, literal, records
from agdb.schema import migrations, sql_files

#: Where the folder of NULL goes, in the Hive convention.
_NULL = "__HIVE_DEFAULT_PARTITION__"

_OPTIONS = "FORMAT parquet, COMPRESSION zstd"

_SOURCES = """
    SELECT source_id, kind, name, tissue, biosample, assembly::VARCHAR AS assembly, effect, sha256, bytes,
           rows_kept AS rows
    FROM source ORDER BY source_id"""


def export(con: duckdb.DuckDBPyConnection, folder: Path, tell: Callable[[str], None] = lambda text: None) -> int:
    """Write the study to a new folder; returns its bytes.

    Rows are sorted by keys that sql/checks hold unique, so that the same database gives the same bytes. A partition is
    sorted at a time, beside the database where it does not fit into memory. The folder has its name, or its manifest if
    it is there already, when all of it is there.

    Args:
        con: A reading connection.
        folder: A new or empty folder.
        tell: Hears a line about each table that has rows, and one about what is left out: what agdb did not make.

    Raises:
        UsageError: an address.
        Refused: the folder holds something, or cannot be written.
    """
    if ":/" in str(folder):
        raise UsageError("a lake is written to a folder, not to an address", where=str(folder),
                         cure="write it to a folder and copy that: all files, then manifest.json")  # fmt: skip
    if folder.exists() and (there := next(folder.iterdir(), None) if folder.is_dir() else folder):
        raise Refused("the folder holds something already", where=str(there), cure="give a new or empty folder")
    sources = records(con, _SOURCES)
    tables: dict[str, list[File]] = {}
    with _into(folder) as part:
        shutil.rmtree(part, ignore_errors=True)  # a killed export's
        part.mkdir()
        own, others = _tables(con)
        for table in own:
            of = tables[table] = list(_written(con, table, part))
            if rows := sum(file.rows for file in of):
                tell(f"{table}: {rows:,} rows, {sum(file.bytes for file in of):,} bytes")
        if others:
            tell(f"left out, since agdb did not make it: {', '.join(others)}")
        text = text_of({"agdb": __version__, "duckdb": duckdb.__version__}, sources, tables)
        (part / MANIFEST).write_text(text, encoding="utf-8", newline="\n")
    return sum(file.bytes for files in tables.values() for file in files)


@contextmanager
def _into(folder: Path) -> Iterator[Path]:
    """Where to write: beside a folder to be; within one that is there: on a shared disk nothing else may be yours."""
    if not folder.is_dir():
        with whole(folder) as part:
            yield part
        return
    with whole(within := folder / "lake") as part:
        yield part
    for made in sorted(within.iterdir(), key=lambda path: path.name == MANIFEST):  # the manifest last: without, no lake
        made.replace(folder / made.name)
    within.rmdir()


def _tables(con: duckdb.DuckDBPyConnection) -> tuple[list[str], list[str]]:
    """The tables of agdb, some of which are views in an opened lake; and tables and views that others made there.

    The table of the migrations is neither: every database makes it itself.
    """
    tables = _made("TABLE", [migration.sql for migration in migrations()])
    views = _made("OR REPLACE VIEW", [sql for _, sql in sql_files("sql")])
    query = (
        "SELECT if(schema_name = 'main', '', schema_name || '.') || name FROM ("
        "SELECT database_name, schema_name, table_name AS name FROM duckdb_tables() WHERE NOT internal UNION ALL "
        "SELECT database_name, schema_name, view_name FROM duckdb_views() WHERE NOT internal) "
        "WHERE database_name = current_database() ORDER BY ALL"
    )
    found = [name for (name,) in con.execute(query).fetchall()]
    known = tables | views | {"schema_migration"}
    return [name for name in found if name in tables], [name for name in found if name not in known]


def _made(kind: str, texts: list[str]) -> set[str]:
    """Names of what SQL makes."""
    return {name for sql in texts for name in re.findall(rf"^CREATE {kind} (\w+)", sql, re.MULTILINE)}


def _written(con: duckdb.DuckDBPyConnection, table: str, part: Path) -> Iterator[File]:
    """Write a table, of which a large one has files only where it has rows."""
    layout = LAYOUT.get(table)
    if layout is None:  # in the order in which rows came, which label sets that are of one time are listed in
        yield _file(con, f"FROM {identifier(table)}", part, f"{table}.parquet", ())
        return
    for values in _partitions(con, table, layout):
        named = (f"{name}={_NULL if value is None else quote(value, safe='')}"
                 for name, value in zip(layout.partition_by, values, strict=True))  # fmt: skip
        path = "/".join([table, *named, "part.parquet"]) if layout.partition_by else f"{table}.parquet"
        yield _file(con, _rows(con, table, layout, values), part, path, values)


def _partitions(con: duckdb.DuckDBPyConnection, table: str, layout: Layout) -> list[tuple[str | None, ...]]:
    """The values of its folders that have rows."""
    columns = ", ".join(f"{name}::VARCHAR" for name in layout.partition_by)
    if not columns:
        return [()] if con.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall() else []
    if layout.partition_by == ("tissue",):  # few sources, many rows
        table = f"source SEMI JOIN (SELECT DISTINCT source_id FROM {table}) USING (source_id)"
    order = ", ".join(layout.partition_by)
    return con.execute(f"SELECT {columns} FROM (SELECT DISTINCT {order} FROM {table}) ORDER BY {order}").fetchall()


def _rows(con: duckdb.DuckDBPyConnection, table: str, layout: Layout, values: tuple[str | None, ...]) -> str:
    """SQL of the rows of a folder, in their order, with the columns that it is named by: readers need not its name."""
    order = ", ".join(name for name in layout.order if name not in layout.partition_by)
    if layout.partition_by == ("tissue",):
        ids = con.execute("SELECT source_id FROM source WHERE tissue IS NOT DISTINCT FROM ?", list(values)).fetchall()
        where = f"source_id IN ({', '.join(str(i) for (i,) in ids)})"
        return f"FROM {table} WHERE {where} ORDER BY {order}"
    where = " AND ".join(f"{name} = {literal(value)}" for name, value in zip(layout.partition_by, values, strict=True))
    return f"FROM {table}{' WHERE ' + where if where else ''} ORDER BY {order}"


def _file(con: duckdb.DuckDBPyConnection, query: str, part: Path, path: str, values: tuple[str | None, ...]) -> File:
    to = part / path
    to.parent.mkdir(parents=True, exist_ok=True)
    rows = int(con.execute(copied(query, to, _OPTIONS)).fetchall()[0][0])
    with to.open("rb") as data:
        sha256 = hashlib.file_digest(data, "sha256").hexdigest()
    return File(path, rows, to.stat().st_size, sha256, values)
