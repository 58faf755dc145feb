"""The way back from every number of a report: its row of `result`, its files, and the SQL of its rows.

What the results of a group share (files, SQL of a stratification) is told once; `agdb explain` tells all of one result.
"""

from typing import NamedTuple

import duckdb

from agdb.analysis import explain
from agdb.report.found import STUDY, Found, Result


class Query(NamedTuple):
    """The rows of a stratification, as SQL; `id` on the page."""

    id: str
    name: str
    sql: str


class Explained(NamedTuple):
    """A result: its numbers by name, the query of its rows, and the condition that keeps its own of them."""

    result_id: int
    title: str
    numbers: dict[str, object]
    query_id: str | None
    condition: str


class Way(NamedTuple):
    """The results of a group, the files behind them, and their queries."""

    title: str
    files: list[str]
    queries: list[Query]
    results: list[Explained]


def ways(con: duckdb.DuckDBPyConnection, found: Found, told: set[int]) -> list[Way]:
    """The way back from the results of `told`."""
    rows_of = explain.RowQueries(con)
    made: list[Way] = []
    for group in found.groups:
        title = f"{group.of_scorer}, label set {group.label_set}, {group.of_labels}"
        made.append(_way(rows_of, title, [r for r in group.results if r["result_id"] in told], f"g{len(made) + 1}"))
    by_labels: dict[str, list[Result]] = {}
    for row in found.comparisons:
        labels = f"label set {row['label_set']}, {row['label']} of {row['place']}, {row['source']}"
        by_labels.setdefault(f"Scorers against each other, {labels}", []).append(row)
    if found.steps:
        by_labels["Step by step: agdb compare-study"] = found.steps
    for title, rows in by_labels.items():
        made.append(_way(rows_of, title, [r for r in rows if r["result_id"] in told], f"g{len(made) + 1}"))
    return [way for way in made if way.results]


def _way(rows_of: explain.RowQueries, title: str, own: list[Result], place: str) -> Way:
    queries: dict[str, Query] = {}
    results = []
    for row in own:
        sql = rows_of.divided(row)
        if sql is not None and sql not in queries:  # causal_ metrics and steps have rows of their own
            queries[sql] = Query(f"{place}-q{len(queries) + 1}", _rows_named(row), sql)
        query = None if sql is None else queries[sql]
        told = explain.numbers(row) | {"run": row["run_id"]}
        results.append(Explained(row["result_id"], explain.title(row), told, query.id if query else None,
                                 explain.condition(row)))  # fmt: skip
    of_scorers = {(row["source_id"], row["scorer_id"]): row for row in own}.values()
    files = dict.fromkeys(line for row in of_scorers for line in explain.files(rows_of.con, row))
    return Way(title, list(files), list(queries.values()), results)


def _rows_named(row: Result) -> str:
    """How the page calls the rows of a result: what they are divided by, else what is peculiar to them."""
    if row["stratification"] == STUDY:
        return f"{row['versus']} and {row['stratum']}" if row["versus"] else str(row["stratum"])
    if row["stratification"] == "all" and row["versus"]:
        return f"{row['scorer']} {row['window_bp']:,} bp and {row['versus']}"
    causal = ": causal variants and candidates for controls" if row["metric"].startswith("causal_") else ""
    return f"{row['stratification']}{causal}"
