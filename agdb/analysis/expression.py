"""SQL that a user wrote over the columns of view analysed_qtl: one expression, and nothing but that."""

import duckdb

from agdb.errors import UsageError

CURE = 'SQL over the columns of view analysed_qtl (agdb schema analysed_qtl), e.g. "pip > 0.9 AND maf > 0.05"'


def check(con: duckdb.DuckDBPyConnection, sql: str, what: str, *, is_condition: bool = False) -> None:
    """Refuse what is not one expression with one value a row.

    It is parsed before anything runs: what closes our bracket, or begins a second statement, never reaches the engine.

    Raises:
        UsageError: it is no expression, or knows no such column, or is of another type; `what` says whose it is.
    """
    try:
        duckdb.SQLExpression(sql)
        # effect beside it: an aggregate has one value for all rows, not one a row
        columns = con.execute(f"SELECT effect, ({sql}) FROM analysed_qtl LIMIT 0").description or []
    except duckdb.Error as error:
        raise UsageError(f"{what} is not SQL: {str(error).splitlines()[0]}", where=sql, cure=CURE) from error
    if len(columns) != 2:
        raise UsageError(f"{what} is {len(columns) - 1} columns, not one", where=sql, cure=CURE)
    if is_condition and str(columns[1][1]) not in ("BOOLEAN", "bool"):
        raise UsageError(f"{what} is {columns[1][1]}, neither true nor false", where=sql, cure=CURE)
