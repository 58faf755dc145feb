"""Answers to SQL on a stream: SELECTs with bound parameters, one after the other."""

import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, NamedTuple

import duckdb

from agdb.errors import UsageError
from agdb.export.mistake import usage_error
from agdb.export.tables import COPY, copied
from agdb.export.text import SHOWN, text_table

if TYPE_CHECKING:
    import pyarrow as pa


class _Question(NamedTuple):
    """One SELECT: its text without its semicolon, the lines before it, and the names of its parameters."""

    text: str
    line: int
    parameters: frozenset[str]


def to_stream(
    con: duckdb.DuckDBPyConnection,
    query: str,
    format_: str,
    stream: IO[bytes],
    parameters: Mapping[str, str] | None = None,
    *,
    file: str | None = None,
) -> None:
    """Run SELECTs and write their rows to a binary stream, as `table` (for eyes), `csv`, `tsv`, `json` or `parquet`.

    Args:
        con: A connection, read-only where the text is a user's.
        query: One SELECT, or several with semicolons between.
        format_: See above; several SELECTs are answered as tables only.
        stream: To write to.
        parameters: Values of $name, bound as text: compared with a number or an ENUM they are one.
        file: Where the text comes from, for what is said about mistakes.

    Raises:
        UsageError: not a SELECT, not valid SQL, a parameter without value, or an unknown format. Nothing is written
            of the SELECT that fails; those before it are answered.
    """
    check_stream_format(format_)
    questions = _questions(con, query, file)
    if len(questions) > 1 and format_ != "table":
        raise UsageError(
            f"{format_} holds one answer, and {len(questions)} SELECTs are asked",
            where=file, cure="--format table, or one SELECT",
        )  # fmt: skip
    given = dict(parameters or {})
    if excess := sorted(given.keys() - {name for q in questions for name in q.parameters}):
        raise UsageError(f"the query has no ${excess[0]}", where=file, cure="a parameter is written $name")
    for i, question in enumerate(questions):
        values = {name: given[name] for name in question.parameters if name in given}
        try:
            if format_ == "table":
                stream.write(b"\n" * (i > 0) + _as_text(con, question.text, values).encode())
            else:
                _copy(con, question.text, values, format_, stream)
        except duckdb.Error as error:
            raise usage_error(con, error, file=file, skipped=question.line - (format_ != "table")) from error


def answer(con: duckdb.DuckDBPyConnection, query: str, parameters: Mapping[str, object] | None = None) -> "pa.Table":
    """The rows of one SELECT as an Arrow table. Raises as `to_stream` does; parameters keep their types here."""
    questions = _questions(con, query, None)
    if len(questions) != 1:
        raise UsageError(f"{len(questions)} SELECTs are asked", cure="ask one at a time")
    try:
        return con.sql(questions[0].text, params=dict(parameters) if parameters else None).to_arrow_table()
    except duckdb.Error as error:
        raise usage_error(con, error, skipped=questions[0].line) from error


def check_stream_format(format_: str) -> None:
    """Refuse a format that `to_stream` does not write: before anything is computed for it.

    Raises:
        UsageError: it is none.
    """
    if format_ != "table" and format_ not in COPY:
        raise UsageError(f"unknown format {format_!r}", cure=f"one of table, {', '.join(COPY)}")


def _questions(con: duckdb.DuckDBPyConnection, text: str, file: str | None) -> list[_Question]:
    try:
        statements = con.extract_statements(text)
    except duckdb.Error as error:
        raise usage_error(con, error, file=file) from error
    if not statements:
        raise UsageError("there is no SELECT", where=file, cure="agdb sql 'SELECT ...', or agdb sql -f FILE")
    if any(s.type != duckdb.StatementType.SELECT for s in statements):
        is_pivot = any(s.type == duckdb.StatementType.MULTI for s in statements)
        raise UsageError(
            "agdb sql answers SELECTs, and nothing else", where=file,
            cure="PIVOT is one where its values are listed: ON column IN (...)" if is_pivot
            else "the database is open read-only: tables of your own belong in a file of your own, docs/recipes.md",
        )  # fmt: skip
    found, line = [], 0
    for s in statements:
        body = s.query.lstrip()
        above = line + s.query[: len(s.query) - len(body)].count("\n")
        found.append(_Question(_without_semicolon(body), above, frozenset(s.named_parameters)))
        line += s.query.count("\n")
    return found


def _without_semicolon(query: str) -> str:
    """The query without its semicolon and what follows it, so that it can stand in brackets."""
    raw = query.encode()  # tokens are counted in bytes
    ends = [at for at, _ in duckdb.tokenize(query) if raw[at : at + 1] == b";"]
    return raw[: ends[0]].decode() if ends else query


def _copy(con: duckdb.DuckDBPyConnection, query: str, values: dict[str, str], format_: str, stream: IO[bytes]) -> None:
    with _scratch(con) as folder:
        part = Path(folder) / "rows"
        con.execute(copied(query, part, COPY[format_]), values or None)
        with part.open("rb") as rows:
            shutil.copyfileobj(rows, stream)


@contextmanager
def _scratch(con: duckdb.DuckDBPyConnection) -> Iterator[str]:
    """A folder for rows until all are there: beside the folder that DuckDB spills into, where there is room for as many
    rows as the database has; the next writer removes what a killed process left there. The system's where a database
    may only be read."""
    (spill,) = con.execute("SELECT current_setting('temp_directory')").fetchall()[0]
    beside = Path(spill).parent
    where = beside if os.access(beside, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=where, prefix=f"{Path(spill).name}-") as folder:
        yield folder


def _as_text(con: duckdb.DuckDBPyConnection, query: str, values: dict[str, str]) -> str:
    result = con.execute(query, values or None)
    names, rows = [d[0] for d in result.description or []], result.fetchmany(SHOWN + 1)
    text = text_table(names, rows[:SHOWN])
    more = "more rows are not shown; --format csv writes all" if len(rows) > SHOWN else f"{len(rows):,} rows"
    return f"{text}({more})\n"
