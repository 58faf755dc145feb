"""How rows of a file are read into the temp table `staged`, and what they must not be."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from agdb.errors import UsageError
from agdb.ingest.rows import Rows
from agdb.query import identifier

#: More rejected rows than this share, and it is the file that is wrong, not its rows.
MAX_REJECTED_SHARE = 0.10

#: A column that SQL, in lower case, casts to text itself.
_AS_TEXT = re.compile(r'("(?:[^"]|"")+"|\w+)\s*(?:::|\bas\b)\s*(?:varchar|text|string)\b')


class Rule(NamedTuple):
    """What a row must not be.

    Attributes:
        reason: One word, for table `rejected`.
        what: The same in words, for a refusal.
        broken: The condition, in SQL over the columns of `staged`.
        show: SQL of what to show of such a row.
        cure: What to do about it.
        is_fatal: Whether one such row refuses the file; else the row alone is rejected.
        of: A column of `staged` that is NULL in every row that does not break it, and so in nearly all.
    """

    reason: str
    what: str
    broken: str
    show: str
    cure: str = "give the original file; are columns swapped?"
    is_fatal: bool = True
    of: str | None = None


class Column(NamedTuple):
    """A column of the file that is read, and as what: a DuckDB type; those of `cells.WHOLE` are staged as DOUBLE."""

    name: str
    type: str


@dataclass(frozen=True)
class Plan:
    """How rows are read.

    Attributes:
        columns: What is read of the file: field to column.
        select: The columns of `staged`: name to SQL over the fields, and over `prepared`.
        rules: The first rule that a row breaks counts.
        first: Rules that come before all others, those about numbers that are none too.
        derived: More fields: name to SQL over the columns of the file.
        where: SQL condition over the columns of the file; other rows are passed over.
        unmet: What to say of a file of which all rows are passed over.
        prepared: SQL columns made of the fields that more than one of `select` uses.
        whole: Called once a part is staged with all its rows, those too that `where` does not ask for.
        staged: Called once a part is staged, before its rows are held to the rules.
        adapt: What changes `staged` once it has held to the rules; the rows then have to hold to `adapted`.
        max_rejected: Largest share of rows that may be rejected.
        is_strict: Whether a NaN, or a fraction of a whole number, refuses the file; else the row is rejected.
        unnested: A field that holds several values, separated by commas: each of them is a row of `staged`.
    """

    columns: Mapping[str, Column]
    select: Mapping[str, str]
    rules: Sequence[Rule]
    first: Sequence[Rule] = ()
    derived: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    unmet: str = "no row meets the condition of --where"
    prepared: Mapping[str, str] = field(default_factory=dict)
    whole: Callable[[], None] = lambda: None
    staged: Callable[[], None] = lambda: None
    adapt: Sequence[Callable[[], None]] = ()
    adapted: Sequence[Rule] = ()
    max_rejected: float = MAX_REJECTED_SHARE
    is_strict: bool = True
    unnested: str | None = None

    def types(self, rows: Rows) -> dict[str, str]:
        """The columns of the file that are read, with their types: those of fields, and those that SQL speaks of."""
        texts = {name.strip('"').replace('""', '"') for name in _AS_TEXT.findall(self._sql)}
        types = rows.types()
        spoken_of = {name: "VARCHAR" if name.lower() in texts else types[name] for name in self.spoken_of(rows)}
        return spoken_of | {column.name: column.type for column in self.columns.values()}

    @property
    def _sql(self) -> str:
        return "\n".join([self.where or "", *self.derived.values()]).lower()

    def spoken_of(self, rows: Rows, condition: str | None = None) -> list[str]:
        """The columns of the file that the SQL of `where` and `derived`, or a condition alone, speaks of, or seems to.

        Raises:
            UsageError: two of them differ in case only, and SQL cannot tell them apart.
        """
        sql = condition.lower() if condition else self._sql
        words = set(re.findall(r"\w+", sql))  # a file may have a column a sample, thousands of them
        names = [name for name in rows.names if name and _speaks_of(sql, words, name.lower())]
        by_lower = {name.lower(): name for name in names}
        if len(by_lower) < len(names):
            one = next(name for name in names if by_lower[name.lower()] != name)
            raise UsageError(f"columns {one!r} and {by_lower[one.lower()]!r} differ in case only", where=str(rows.path),
                             cure="a condition cannot tell them apart: rename one of them")  # fmt: skip
        return names

    def hold_to_one_row(self, con: duckdb.DuckDBPyConnection, path: Path) -> None:
        """Hold the SQL of `where` and `derived` to one row: a window would see the rows of a part, not of the file, and
        a table of the database may have the rows of the parts before it.

        Raises:
            UsageError: it has a window function, or a subquery over a table of the database.
        """
        for sql in (sql for sql in (self.where, *self.derived.values()) if sql):
            tree = con.execute("SELECT json_serialize_sql(?)", [f"SELECT (\n{sql}\n)"]).fetchall()[0][0]
            if _looks_elsewhere(json.loads(tree)):
                raise UsageError(f"a condition or derived column looks at other rows: {sql}", where=str(path),
                                 cure="the file is read in parts: say what holds of a row alone, ask another file "
                                 "(x IN (FROM 'list.csv')), or choose the rows before (a query of DuckDB over the "
                                 "file, COPY ... TO)")  # fmt: skip


def _looks_elsewhere(node: Any, *, is_inner: bool = False) -> bool:
    """Whether a tree of SQL computes a window function, which within a subquery (`is_inner`) does no harm, or reads a
    table: their names are words, those of files are not."""
    if isinstance(node, list):
        return any(_looks_elsewhere(part, is_inner=is_inner) for part in node)
    if not isinstance(node, dict):
        return False
    if node.get("class") == "WINDOW" and not is_inner:
        return True
    if node.get("type") == "BASE_TABLE" and re.fullmatch(r"\w+", node["table_name"]):
        return True
    return any(_looks_elsewhere(part, is_inner=is_inner or key == "subquery") for key, part in node.items())


def _speaks_of(sql: str, words: set[str], name: str) -> bool:
    """Whether a name stands in SQL, of these words, all in lower case: in quotes where it is not one word."""
    return name in words if re.fullmatch(r"\w+", name) else identifier(name) in sql


@dataclass
class Counts:
    """Rows read (of those that were asked for), rows passed over, and rows rejected by reason."""

    read: int = 0
    passed_over: int = 0
    rejected: dict[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """Rows that were neither refused nor rejected."""
        return self.read - sum(self.rejected.values())
