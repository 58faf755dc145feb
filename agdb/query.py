"""Small helps of every query: a text and a name as SQL, rows as dicts."""

from collections.abc import Mapping, Sequence
from typing import Any

import duckdb


def literal(text: object) -> str:
    """Text as a string of SQL."""
    return "'" + str(text).replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name of a table or column as SQL, whatever stands in it."""
    return '"' + name.replace('"', '""') + '"'


def records(
    con: duckdb.DuckDBPyConnection, sql: str, values: Sequence[object] | Mapping[str, object] = ()
) -> list[dict[str, Any]]:
    """The rows of a query, each by its columns' names; `values` for its parameters, by place or by name."""
    found = con.execute(sql, values or None)
    names = [column[0] for column in found.description or ()]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]
