"""Rows out: a view to a file, a query to the terminal. DuckDB writes CSV, JSON and Parquet, Python none of them."""

import shutil
import tempfile
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import IO

import duckdb

from agdb.errors import Refused, UsageError

#: Options of COPY by format. `json` is one array: what `jq` and `json.load` read.
COPY = {
    "csv": "FORMAT csv, HEADER",
    "tsv": "FORMAT csv, HEADER, DELIMITER '\t'",
    "json": "FORMAT json, ARRAY true",
    "parquet": "FORMAT parquet",
}

#: Rows that a table on the terminal shows; the rest is counted.
SHOWN = 1000


def view_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Every table and view that can be exported."""
    found = con.execute(
        "SELECT view_name FROM duckdb_views() WHERE NOT internal UNION ALL "
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY 1"
    ).fetchall()
    return [name for (name,) in found]


def to_file(con: duckdb.DuckDBPyConnection, view: str, path: Path, format_: str | None = None) -> int:
    """Write a view or table to a file, complete or not at all; returns its rows. The format follows the file's ending.

    Raises:
        UsageError: no such view, or no such format.
        Refused: the file cannot be written.
    """
    names = view_names(con)
    if view not in names:
        raise UsageError(f"there is no view or table {view!r}", cure=f"one of {', '.join(names)}")
    format_ = format_ or path.suffix.removeprefix(".").lower()
    if format_ not in COPY:
        known = ", ".join(COPY)
        raise UsageError(f"unknown format {format_!r}", cure=f"one of {known}: as --format, or as the file's ending")
    part = path.with_name(f".{path.name}.part")
    try:
        query = f"COPY (SELECT * FROM {_identifier(view)} ORDER BY ALL) TO {_literal(part)} ({COPY[format_]})"
        n_rows = int(con.execute(query).fetchall()[0][0])
        part.replace(path)
    except (duckdb.IOException, OSError) as error:
        first = str(error).splitlines()[0]
        cure = "give a folder that exists and can be written"
        raise Refused(f"cannot write: {first}", where=str(path), cure=cure) from error
    finally:
        with suppress(OSError):  # where it is there still, it is not complete
            part.unlink()
    return n_rows


def to_stream(con: duckdb.DuckDBPyConnection, query: str, format_: str, stream: IO[bytes]) -> None:
    """Run one SELECT and write its rows to a binary stream, as `table` (for eyes), `csv`, `tsv` or `json`.

    Raises:
        UsageError: not one SELECT, not valid SQL, or an unknown format.
    """
    check_stream_format(format_)
    try:
        query = _one_select(con, query)
        if format_ == "table":
            stream.write(_as_text(con, query).encode())
            return
        with tempfile.TemporaryDirectory() as folder:
            part = Path(folder) / "rows"
            con.execute(f"COPY (\n{query}\n) TO {_literal(part)} ({COPY[format_]})")
            with part.open("rb") as rows:
                shutil.copyfileobj(rows, stream)
    except duckdb.Error as error:
        cure = "agdb schema lists the tables, views and columns"
        raise UsageError(f"the query failed: {error}", cure=cure) from error


def check_stream_format(format_: str) -> None:
    """Refuse a format that `to_stream` does not write: before anything is computed for it.

    Raises:
        UsageError: it is none.
    """
    if format_ != "table" and format_ not in COPY:
        raise UsageError(f"unknown format {format_!r}", cure=f"one of table, {', '.join(COPY)}")


def _one_select(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """The query without its semicolon and what follows it, so that it can stand in brackets."""
    statements = con.extract_statements(query)
    if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
        raise UsageError("agdb sql answers one SELECT", cure="write one question; the database is open read-only")
    raw = query.encode()  # tokens are counted in bytes
    ends = [at for at, _ in duckdb.tokenize(query) if raw[at : at + 1] == b";"]
    return raw[: ends[0]].decode() if ends else query


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _identifier(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _as_text(con: duckdb.DuckDBPyConnection, query: str) -> str:
    result = con.execute(query)
    names, rows = [d[0] for d in result.description or []], result.fetchmany(SHOWN + 1)
    text = text_table(names, rows[:SHOWN])
    more = "more rows are not shown; --format csv writes all" if len(rows) > SHOWN else f"{len(rows):,} rows"
    return f"{text}({more})\n"


def text_table(names: list[str], rows: list[tuple[object, ...]]) -> str:
    """Columns aligned for reading: numbers to the right with 6 significant digits, NULL as an empty cell."""
    cells = [[_cell(value) for value in row] for row in rows]
    numeric = [
        bool(rows) and all(isinstance(r[i], int | float | Decimal | None) for r in rows) for i in range(len(names))
    ]
    widths = [max(len(name), *(len(c[i]) for c in cells), 0) if cells else len(name) for i, name in enumerate(names)]

    def line(parts: list[str]) -> str:
        aligned = (p.rjust(w) if right else p.ljust(w) for p, w, right in zip(parts, widths, numeric, strict=True))
        return "  ".join(aligned).rstrip()

    rule = "  ".join("-" * w for w in widths)
    return "\n".join([line(names), rule, *(line(c) for c in cells)]) + "\n"


def _cell(value: object) -> str:
    if value is None:
        return ""
    return f"{float(value):.6g}" if isinstance(value, float | Decimal) else str(value)
