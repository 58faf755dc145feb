"""A lake as a database: the tables of any study, of which the large ones are views over the lake's Parquet files."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from agdb import db
from agdb.errors import Refused
from agdb.lake.manifest import LAYOUT, File, Lake, cannot_read
from agdb.query import identifier, literal

#: Tables that hold rows of variants: of a part of a lake, those of its own variants.
_OF_VARIANTS = ("variant", "scored_variant", "prediction")


def open_database(lake: Lake, path: Path) -> None:
    """Make a database over a lake: small tables are copied, large ones are views over its files; results are its own.

    Raises:
        Refused: there is a file already, its folder cannot be written, or the lake cannot be read.
    """
    if path.exists():
        raise Refused("there is a file already", where=str(path), cure="agdb --db NEW.duckdb lake open DIR")
    db.create(path)
    try:
        with db.writing(path) as con, db.transaction(con):
            for table, files in lake.tables.items():
                if table in LAYOUT:
                    _look_at(con, lake, table, files)
                else:
                    _copy(con, lake, table, files)
            run_id = db.start_run(con, "lake open", lake=lake.root, manifest_sha256=lake.sha256)
            db.finish_run(con, run_id, sum(lake.rows.values()))
    except BaseException as error:
        path.unlink(missing_ok=True)
        if isinstance(error, duckdb.Error) and not isinstance(error, duckdb.InterruptException):
            raise cannot_read(lake.root, error) from error
        raise


def narrow(
    con: duckdb.DuckDBPyConnection, lake: Lake, tissues: Sequence[str | None], computations: Sequence[str]
) -> None:
    """Leave an opened lake the associations and fine-mapping of some tissues, and the files of some computations.

    Analyses of a source look at no other tissue than its own, and at no other computations than its scorer's.
    """
    for table, layout in LAYOUT.items():
        for name, kept in (("tissue", tissues), ("computation_id", computations)):
            if name in layout.partition_by:
                at = layout.partition_by.index(name)
                own = [file for file in lake.tables[table] if file.partition[at] in kept]
                con.execute(f"CREATE OR REPLACE VIEW {table} AS {_selected(con, lake, table, own)}")


def take_in(con: duckdb.DuckDBPyConnection) -> None:
    """Copy what an opened lake holds of the variants of its associations; of no others there is anything after.

    Joins of associations with variants and scores then are of the size of the associations, not of the lake.
    """
    key = ", ".join(("assembly", "chrom", "pos", "ref", "alt"))
    con.execute(f"CREATE TEMP TABLE own AS SELECT DISTINCT {key} FROM qtl")
    for table in _OF_VARIANTS:
        con.execute(f"CREATE TABLE own_{table} AS FROM {table} SEMI JOIN own USING ({key})")
        con.execute(f"DROP VIEW {table}")
        con.execute(f"ALTER TABLE own_{table} RENAME TO {table}")
    con.execute("DROP TABLE own")


def _look_at(con: duckdb.DuckDBPyConnection, lake: Lake, table: str, files: list[File]) -> None:
    """Put a view over files into the place of a table, with its comments."""
    about = con.execute("SELECT comment FROM duckdb_tables() WHERE table_name = ?", [table]).fetchall()[0][0]
    columns = con.execute(
        "SELECT column_name, comment FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index", [table]
    ).fetchall()
    query = _selected(con, lake, table, files)
    con.execute(f"DROP TABLE {table}")
    con.execute(f"CREATE VIEW {table} AS {query}")
    con.execute(f"COMMENT ON VIEW {table} IS {literal(about)}")
    for name, meaning in columns:
        con.execute(f"COMMENT ON COLUMN {table}.{identifier(name)} IS {literal(meaning)}")


def _selected(con: duckdb.DuckDBPyConnection, lake: Lake, table: str, files: list[File]) -> str:
    """The SELECT of a table's columns, in their types, from files of a lake."""
    columns = [(identifier(name), of) for name, of in _columns(con, table)]
    if not files:
        nothing = ", ".join(f"NULL::{of} AS {name}" for name, of in columns)
        return f"SELECT {nothing} WHERE false"
    typed = ", ".join(f"{name}::{of} AS {name}" for name, of in columns)
    return f"SELECT {typed} FROM {_parquet(lake, files)}"


def _parquet(lake: Lake, files: list[File]) -> str:
    # files by their names, not by a pattern: what else lies in the folders is no part of the lake. Names of folders
    # tell which files a question needs; but a folder above the lake would be read as a column, too (tissue=Lung/lake)
    paths = ", ".join(literal(path) for path in lake.at(files))
    folders = "false" if "=" in lake.root else "true, hive_types_autocast = false"
    return f"read_parquet([{paths}], hive_partitioning = {folders})"


def _columns(con: duckdb.DuckDBPyConnection, table: str) -> list[tuple[str, str]]:
    """Columns of a table and their types, those of enums by name: the same enum, spelt out, is another type."""
    enums = con.execute("SELECT type_name FROM duckdb_types() WHERE logical_type = 'ENUM' AND NOT internal").fetchall()
    named = {con.execute(f"SELECT typeof(NULL::{name})").fetchall()[0][0]: name for (name,) in enums}
    query = "SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index"
    return [(name, named.get(of, of)) for name, of in con.execute(query, [table]).fetchall()]


def _copy(con: duckdb.DuckDBPyConnection, lake: Lake, table: str, files: list[File]) -> None:
    """Put the rows of a file into a table, in the place of those that every new database has."""
    query = (
        "SELECT column_name FROM information_schema.columns WHERE table_name = ? AND is_generated = 'NEVER' "
        "ORDER BY ordinal_position"
    )
    own = ", ".join(identifier(name) for (name,) in con.execute(query, [table]).fetchall())
    con.execute(f"DELETE FROM {table}")
    con.execute(f"INSERT INTO {table} ({own}) SELECT {own} FROM {_parquet(lake, files)}")
