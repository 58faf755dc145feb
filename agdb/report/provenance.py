"""Where the numbers are from: files with their sha256, scorers with their whole configuration, runs and versions."""

from dataclasses import dataclass
from typing import NamedTuple

import duckdb

from agdb.query import records
from agdb.report.found import Found
from agdb.report.tables import Cell, Column, Table, count, text


class Scorer(NamedTuple):
    """A scorer: name, id, who computed it for how many variants, and its configuration as JSON."""

    name: str
    scorer_id: str
    providers: list[str]
    config: str


@dataclass(frozen=True)
class Provenance:
    """Files, the terms of those that were fetched, scorers, runs, and the newest migration of the tables."""

    sources: Table
    terms: list[str]
    scorers: list[Scorer]
    runs: Table
    migration: str


def provenance(con: duckdb.DuckDBPyConnection, found: Found) -> Provenance:
    """Where the numbers are from."""
    newest = con.execute("SELECT name, sha256 FROM schema_migration ORDER BY number DESC LIMIT 1").fetchall()
    return Provenance(
        _sources(con),
        _terms(con),
        [_scorer(con, i) for i in found.scorer_ids],
        _runs(con),
        "{} (sha256 {})".format(*newest[0]),
    )


def _sources(con: duckdb.DuckDBPyConnection) -> Table:
    columns = [Column("source", True), Column("kind"), Column("name"), Column("read as"), Column("tissue"),
               Column("assembly"), Column("unit"), Column("rows read", True), Column("kept", True),
               Column("rejected", True), Column("sha256"), Column("from")]  # fmt: skip
    rows = [
        [count(s["source_id"]), text(s["kind"]), text(s["name"]), text(s["format"]), text(s["of_what"]),
         text(s["assembly"] + (f" (lifted from {s['lifted_from']})" if s["lifted_from"] else "")),
         text(s["effect_unit"]), count(s["rows_read"]), count(s["rows_kept"]), count(s["rows_rejected"]),
         text(s["sha256"]), text(s["url"])]
        for s in records(con, "SELECT *, coalesce(tissue, biosample) AS of_what FROM source ORDER BY source_id")
    ]  # fmt: skip
    if not any(row[-1].text for row in rows):  # no file says where it was brought from
        columns, rows = columns[:-1], [row[:-1] for row in rows]
    return Table("sources", "Files", columns, rows)


def _terms(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Release, licence and citation of files that say so; files of one release together."""
    found = con.execute(
        """
        SELECT string_agg(name, ', ' ORDER BY source_id) || ': '
               || concat_ws('; ', release, licence, 'cite ' || citation)
        FROM source WHERE coalesce(release, licence, citation) IS NOT NULL
        GROUP BY release, licence, citation ORDER BY min(source_id)"""
    ).fetchall()
    return [told for (told,) in found]


def _scorer(con: duckdb.DuckDBPyConnection, scorer_id: str) -> Scorer:
    name, config = con.execute("SELECT name, config FROM scorer WHERE scorer_id = ?", [scorer_id]).fetchall()[0]
    providers = con.execute(
        """
        SELECT c.provider || ': ' || c.model || ' ' || c.model_version || ', ' || format('{:,}', count(DISTINCT
               (v.assembly, v.chrom, v.pos, v.ref, v.alt))) || ' variants'
               || coalesce(', by ' || string_agg(DISTINCT r.software, ', ' ORDER BY r.software), '')
        FROM scorer AS s
        JOIN computation AS c ON list_contains(s.computations, c.computation_id)
        JOIN scored_variant AS v ON v.computation_id = c.computation_id
        JOIN run AS r ON r.run_id = v.run_id
        WHERE s.scorer_id = ?
        GROUP BY c.provider, c.model, c.model_version ORDER BY ALL""",
        [scorer_id],
    ).fetchall()
    return Scorer(name, scorer_id, [told for (told,) in providers], config)


def _runs(con: duckdb.DuckDBPyConnection) -> Table:
    columns = [Column("run", True), Column("command"), Column("status"), Column("rows written", True),
               Column("started, UTC"), Column("agdb"), Column("DuckDB"), Column("software"),
               Column("arguments")]  # fmt: skip
    rows: list[list[Cell]] = [
        [count(r["run_id"]), text(r["command"]), text(r["status"]), count(r["n_rows"]),
         text(f"{r['started_at']:%Y-%m-%d %H:%M}"), text(r["agdb_version"]), text(r["duckdb_version"]),
         text(r["software"]), text(r["arguments"])]
        for r in records(con, "SELECT * FROM run ORDER BY run_id")
    ]  # fmt: skip
    return Table("runs", "Runs that made this database", columns, rows)
