"""Questions to a study: a database file that is held only while one is answered."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partialmethod
from pathlib import Path
from typing import TYPE_CHECKING

from agdb import db
from agdb.schema import described

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa


class Questions:
    """What reads. Within `with`, all questions share one connection.

    Attributes:
        path: The file.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self._held: ExitStack | None = None
        self._con: duckdb.DuckDBPyConnection | None = None

    @contextmanager
    def connection(self) -> "Iterator[duckdb.DuckDBPyConnection]":
        """A read-only DuckDB connection, for what has no method here. Raises as `open` does."""
        if self._held is None:
            with db.reading(self.path) as con:
                yield con
        else:
            if self._con is None:
                self._con = self._held.enter_context(db.reading(self.path))
            yield self._con

    @contextmanager
    def writing(self) -> "Iterator[duckdb.DuckDBPyConnection]":
        """A connection that writes: tables of your own belong in a file of your own; agdb's are filled by `ingest`."""
        self._let_go()
        with db.writing(self.path) as con:
            yield con

    def _let_go(self) -> None:
        if self._held is not None:
            self._held.close()
        self._con = None

    def sql(self, query: str, /, **parameters: object) -> "pa.Table":
        """The answer to one SELECT; $name in it is the parameter of that name: `agdb sql`.

        Raises:
            UsageError: it is no SELECT, or it has a mistake; where, and what would have been right, is said.
        """
        from agdb import export

        with self.connection() as con:
            return export.answer(con, query, parameters)

    def table(self, name: str, where: str | None = None) -> "pa.Table":
        """The rows of a view or table, those that meet a condition: SQL over its columns.

        Raises:
            UsageError: there is no such view (those that are there are listed), or the condition has a mistake.
        """
        from agdb import export

        with self.connection() as con:
            return export.answer(con, export.selected(con, name, where))

    correlation = partialmethod(table, "correlation")
    stratum = partialmethod(table, "stratum")
    window_comparison = partialmethod(table, "window_comparison")
    scored_qtl = partialmethod(table, "scored_qtl")
    association = partialmethod(table, "association")
    sources = partialmethod(table, "source")
    scorers = partialmethod(table, "scorer")
    failures = partialmethod(table, "failure")
    results = partialmethod(table, "result")
    labels = partialmethod(table, "label_set")

    def schema(self, name: str | None = None) -> "pa.Table":
        """Tables, views and macros, or the columns of a table or view, with what each means: `agdb schema`.

        Raises:
            UsageError: there is nothing of that name.
        """
        import pyarrow as pa

        with self.connection() as con:
            return pa.Table.from_pylist(described(con, name))

    def check(self) -> list[tuple[str, str]]:
        """The claims that the data break, as (claim, problem); empty where all is well: `agdb check`."""
        with self.connection() as con:
            return [(check.claim, problem) for check in db.checks() for problem in check.problems(con)]

    def explain(self, result_id: int) -> str:
        """From a result back to its files: method, SQL of its rows, sources with sha256, versions: `agdb explain`."""
        from agdb.analysis.explain import explain

        with self.connection() as con:
            return "\n".join(explain(con, result_id))
