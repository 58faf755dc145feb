"""What is wrong with a query: in one sentence, where, and with what the database has instead."""

import difflib
import re

import duckdb

from agdb.errors import UsageError
from agdb.schema import sql_files

#: Kinds of mistakes: what DuckDB says of them, and how we say it; {0} and {1} are what its words name.
_KINDS = {
    "column": (r'Referenced column "([^"]+)" not found', 'there is no column "{0}" here'),
    "column of": (r'Table "([^"]+)" does not have a column named "([^"]+)"', 'there is no column "{1}" in {0}'),
    "table": (r"Table with name (.+?) does not exist", 'there is no table or view "{0}"'),
    "function": (
        r"(?:Scalar|Table|Aggregate) (?:Function|Macro) with name (.+?) does not exist", 'there is no function "{0}"',
    ),
    "alias": (r'Referenced table "([^"]+)" not found', 'there is no table "{0}" in this query'),
    "arguments": (r"No function matches the given name and argument types '(.+?)'\.", "no function takes {0}"),
    "macro": (r"Macro (\w+)\(\) does not support the supplied arguments", "{0} does not take these arguments"),
    "type": (r'best candidate function for the function call "(.+?)"\.', "the types in {0} are not clear"),
    "group": (r'column "([^"]+)" must appear in the GROUP BY', '"{0}" is neither grouped by nor aggregated'),
    "file": (r'No files found that match the pattern "([^"]+)"', "there is no file {0}"),
    "syntax": (r"^(syntax error .+)", "{0}"),
    "no value": (r"Values were not provided for the following parameters: ([^,]+)", "no value is given for ${0}"),
    "no parameter": (r"identifiers of the excess parameters: ([^,]+)", "the query has no ${0}"),
    "read-only": (r"read-only", "the database is opened read-only"),
}  # fmt: skip

_CURES = {
    "macro": "agdb schema {0} shows how it is called",
    "type": "say the type of a parameter where the query cannot: $x::DOUBLE",
    "group": "GROUP BY ALL groups by every column that is not aggregated",
    "file": "in quotes it is a file; tables and views stand without",
    "syntax": "look at the mark, and just before it",
    "no value": "--param {0}=VALUE",
    "no parameter": "a parameter is written $name",
    "read-only": "agdb sql only reads; tables of your own belong in a file of your own: docs/recipes.md",
}


def usage_error(
    con: duckdb.DuckDBPyConnection, error: duckdb.Error, *, file: str | None = None, skipped: int = 0
) -> UsageError:
    """The error of a query as one for the user.

    Args:
        con: To look up the names that would have been right.
        error: What DuckDB raised.
        file: Where the query stands, if in a file.
        skipped: Lines of that file before the query, less those that were put before it.
    """
    kind, _, said = str(error).partition(": ")
    first = said.split("\n")[0] or kind
    what, cure = first, "agdb schema lists the tables, views and columns"
    for name, (pattern, ours) in _KINDS.items():
        if found := re.search(pattern, first):
            what = ours.format(*found.groups())
            cure = _CURES[name].format(*found.groups()) if name in _CURES else _nearest(con, name, found.groups(), said)
            break
    return UsageError(f"the query failed: {what}", where=_where(said, file, skipped), cure=cure)


def _where(said: str, file: str | None, skipped: int) -> str | None:
    """The line with the mistake, and a caret below it; the second line stands below the first in an AgdbError."""
    found = re.search(r"^LINE (\d+): (.*)\n( *)(\^+)", said, re.MULTILINE)
    if found is None:
        return file
    number, text, blanks, carets = found.groups()
    of_duckdb, ours = f"LINE {number}: ", f"{file + ':' if file else 'line '}{int(number) + skipped}: "
    return f"{ours}{text}\n{' ' * (len('  where: ' + ours) + len(blanks) - len(of_duckdb))}{carets}"


def _nearest(con: duckdb.DuckDBPyConnection, kind: str, names: tuple[str, ...], said: str) -> str:
    """The cure of a name that is not there: those that are near it."""
    name = names[-1]
    if kind == "alias":
        return _there(re.findall(r'"([^"]+)"', said.partition("Candidate tables")[2].split("\n")[0]))
    if kind == "arguments":
        return _there([call.replace(", /)", ")") for call in re.findall(r"^\t(\w+\(.*\)) -> ", said, re.MULTILINE)])
    if kind.startswith("column"):
        return _of_column(con, name, re.findall(r'"([^"]+)"', said.partition("andidate bindings")[2].split("\n")[0]))
    if _is_shipped("VIEW" if kind == "table" else "MACRO", name):
        return "an older agdb made the views and macros of this database: agdb init makes them anew"
    if kind == "table":
        there = _names(con, "table_name FROM duckdb_tables() WHERE NOT internal")
        there += _names(con, "view_name FROM duckdb_views() WHERE NOT internal")
        return f"{_or(_near(name, there))}agdb schema lists the tables and views"
    there = _names(con, "function_name FROM duckdb_functions()")
    return f"{_or(_near(name, there))}agdb schema lists the macros of agdb"


def _there(listed: list[str]) -> str:
    return f"there is {' or '.join(listed[:3])}" if listed else "agdb schema lists the tables, views and columns"


def _is_shipped(kind: str, name: str) -> bool:
    """Whether this version of agdb has a view or macro of this name."""
    made = re.compile(rf"^CREATE OR REPLACE {kind} {re.escape(name)}\b", re.MULTILINE | re.IGNORECASE)
    return any(made.search(text) for _, text in sql_files("sql"))


def _of_column(con: duckdb.DuckDBPyConnection, name: str, candidates: list[str]) -> str:
    """Which columns are near, and which tables have one of exactly this name."""
    near = _near(name, [c.split(".")[-1] for c in candidates])
    query = "SELECT DISTINCT table_name FROM duckdb_columns() WHERE NOT internal AND column_name = ? ORDER BY 1"
    there = [table for (table,) in con.execute(query, [name]).fetchall()]
    stands = f"{name} is a column of {', '.join(there[:6])}{', ...' if len(there) > 6 else ''}; " if there else ""
    return f"{_or(near)}{stands}agdb schema TABLE lists the columns"


def _names(con: duckdb.DuckDBPyConnection, of: str) -> list[str]:
    return [name for (name,) in con.execute(f"SELECT DISTINCT {of} ORDER BY 1").fetchall()]


def _near(name: str, among: list[str]) -> list[str]:
    by_lower = {other.lower(): other for other in among}
    found = difflib.get_close_matches(name.lower().split(".")[-1], by_lower, n=3, cutoff=0.6)
    return [by_lower[other] for other in found]


def _or(near: list[str]) -> str:
    return f"did you mean {' or '.join(near)}? " if near else ""
