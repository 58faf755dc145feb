"""SQL that a user wrote over the columns of view analysed_qtl: one expression, and nothing but that."""

from collections.abc import Iterator
from contextlib import contextmanager

import duckdb

from agdb.errors import UsageError

CURE = 'SQL over the columns of view analysed_qtl (agdb schema analysed_qtl), e.g. "pip > 0.9 AND maf > 0.05"'


def check(con: duckdb.DuckDBPyConnection, sql: str, what: str, *, is_condition: bool = False) -> None:
    """Refuse what is not one expression with one value a row.

    It is parsed before anything runs: what closes our bracket, or begins a second statement, never reaches the engine.
    What has another value every time that it is asked (random(), now()) would make results that never come back; what
    makes several rows of one (unnest) would count a row more than once.

    Raises:
        UsageError: it is no expression, or knows no such column, or is of another type, or changes, or cannot stand
            where it is asked; `what` says whose it is.
    """
    try:
        duckdb.SQLExpression(sql)
        # effect beside it: an aggregate has one value for all rows, not one a row
        columns = con.execute(f"SELECT effect, ({sql}) FROM analysed_qtl LIMIT 0").description or []
    except duckdb.Error as error:
        raise UsageError(f"{what} is not SQL: {str(error).splitlines()[0]}", where=sql, cure=CURE) from error
    if changing := _changing(con, sql):
        raise UsageError(
            f"{what} has another value every time: {changing[0]}",
            where=sql,
            cure="columns and constants; hash(variant_id) % 2 divides as dice do, and always alike",
        )
    if len(columns) != 2:
        raise UsageError(f"{what} is {len(columns) - 1} columns, not one", where=sql, cure=CURE)
    if is_condition and str(columns[1][1]) not in ("BOOLEAN", "bool"):
        raise UsageError(f"{what} is {columns[1][1]}, neither true nor false", where=sql, cure=CURE)
    # of a condition no window; of others one: these clauses take what `rows.query` takes, less all that makes rows
    place = f"WHERE ({sql})" if is_condition else f"QUALIFY row_number() OVER () > 0 AND ({sql}) IS NOT NULL"
    try:
        con.execute(f"SELECT 1 FROM analysed_qtl {place} LIMIT 0")
    except duckdb.Error as error:
        raise UsageError(
            f"{what} cannot be asked row by row: {str(error).splitlines()[0]}", where=sql, cure=CURE
        ) from error


def _changing(con: duckdb.DuckDBPyConnection, sql: str) -> list[str]:
    """Names in the expression of functions that look at a clock, dice or the session: random, now, current_date, ..."""
    found = con.execute(
        """
        WITH tree AS (SELECT json_serialize_sql($sql::VARCHAR) AS tree),
        named AS (
          SELECT lower(unnest(json_extract_string(tree, '$..function_name'))) AS name FROM tree
          UNION
          SELECT lower(unnest(json_extract_string(tree, '$..column_names[*]'))) FROM tree
        )
        SELECT DISTINCT name
        FROM named
        JOIN duckdb_functions() AS f ON f.function_name = name
        WHERE f.stability = 'VOLATILE' OR f.stability = 'CONSISTENT_WITHIN_QUERY' AND len(f.parameters) = 0
        ORDER BY name""",
        {"sql": f"SELECT {sql}"},
    ).fetchall()
    return [str(name) for (name,) in found]


@contextmanager
def over_rows_of(label_set: str, what: str = "an expression", view: str = "analysed_qtl") -> Iterator[None]:
    """Say it where an expression that was checked fails on a row, e.g. a cast that the row does not stand.

    Raises:
        UsageError: it does.
    """
    try:
        yield
    except (duckdb.DataError, duckdb.InvalidInputException) as error:
        raise UsageError(
            f"{what} fails on a row of label set {label_set}: {str(error).splitlines()[0]}",
            cure=f"try_cast for cast; agdb sql on view {view} finds the row",
        ) from error
