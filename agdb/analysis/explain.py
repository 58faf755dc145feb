"""From a number back to its files: how a result was made, the SQL of its rows, the sources with their sha256."""

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from agdb.analysis import labels, strata
from agdb.analysis.rows import groups, query
from agdb.analysis.run import comparisons
from agdb.errors import UsageError


def explain(con: duckdb.DuckDBPyConnection, result_id: int) -> Iterator[str]:
    """Lines that tell of a result.

    Raises:
        UsageError: there is no such result.
    """
    found = con.execute("FROM result WHERE result_id = ?", [result_id])
    names = [column[0] for column in found.description or ()]
    rows = found.fetchall()
    if not rows:
        raise UsageError(f"there is no result {result_id}", cure="agdb sql 'SELECT result_id, metric FROM result'")
    row = dict(zip(names, rows[0], strict=True))
    yield f"result {result_id}: {row['metric']}" + (f" against {row['versus']}" if row["versus"] else "")
    yield from _numbers(row)
    yield ""
    yield from _run(con, row["run_id"])
    yield ""
    yield "the files behind it:"
    yield from _sources(con, row)
    yield ""
    yield from _rows(con, row)


def _numbers(row: dict[str, Any]) -> Iterator[str]:
    told = {
        "of": f"{row['scorer']} at {row['window_bp']:,} bp (scorer {row['scorer_id']})",
        "on": f"label set {row['label_set']}: {row['label']} of {row['source']}, {row['tissue']}; "
              f"{row['stratification']}: {row['stratum']}",
        "rows": f"{row['n']:,} {row['unit']}s of {row['n_variants'] or 0:,} variants and {row['n_genes'] or 0:,} "
                f"phenotypes, in {row['n_clusters'] or 0:,} clusters ({row['cluster']})",
        "estimate": row["estimate"] if row["reason"] is None else f"{row['estimate']} ({row['reason']})",
        "95 % interval": None if row["ci_low"] is None else f"{row['ci_low']:.6g} to {row['ci_high']:.6g}",
        "of independent rows": None if row["analytic_low"] is None else
                               f"{row['analytic_low']:.6g} to {row['analytic_high']:.6g}",
        "p": row["p"], "q": row["q"], "detectable": row["detectable"], "ceiling": row["ceiling"],
        "expected": row["expected"], "method": row["method"],
        "resamples": None if row["resamples"] is None else f"{row['resamples']:,}, seed {row['seed']}",
    }  # fmt: skip
    for name, value in told.items():
        if value is not None:
            yield f"  {name}: {value}"


def _run(con: duckdb.DuckDBPyConnection, run_id: int) -> Iterator[str]:
    command, arguments, at, agdb, engine = con.execute(
        "SELECT command, arguments, started_at, agdb_version, duckdb_version FROM run WHERE run_id = ?", [run_id]
    ).fetchall()[0]
    yield f"run {run_id}: agdb {command} {arguments}, {at:%Y-%m-%d %H:%M} UTC, agdb {agdb}, DuckDB {engine}"
    newest = con.execute("SELECT name, number, sha256 FROM schema_migration ORDER BY number DESC LIMIT 1").fetchall()
    for name, number, sha in newest:
        yield f"  tables as of migration {number} ({name}, sha256 {sha[:12]})"


def _sources(con: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> Iterator[str]:
    """Labels, fine-mapping, peaks and genes of its assembly, the genome; and where the scores are from."""
    for line in con.execute(
        """
        WITH own AS (SELECT assembly, tissue FROM source WHERE source_id = $source)
        SELECT s.kind || ': ' || s.name || ', source ' || s.source_id || ', ' || s.assembly
                 || coalesce(', ' || s.rows_kept || ' rows', '') || ', sha256 ' || s.sha256
        FROM source AS s, own
        WHERE s.source_id = $source
           OR s.assembly = own.assembly AND (s.kind IN ('peaks', 'blacklist', 'genes', 'genome', 'blocks')
                                             OR s.kind IN ('credible', 'qtl') AND s.tissue = own.tissue)
        ORDER BY s.source_id <> $source, s.kind, s.source_id""",
        {"source": row["source_id"]},
    ).fetchall():
        yield f"  {line[0]}"
    for provider, model, version, runs, software in con.execute(
        """
        SELECT c.provider, c.model, c.model_version,
               string_agg(DISTINCT r.run_id::VARCHAR, ', ' ORDER BY r.run_id::VARCHAR),
               coalesce(string_agg(DISTINCT r.software, ', ' ORDER BY r.software), r.command)
        FROM scorer AS s
        JOIN computation AS c ON list_contains(s.computations, c.computation_id)
        JOIN scored_variant AS v ON v.computation_id = c.computation_id
        JOIN run AS r ON r.run_id = v.run_id
        WHERE s.scorer_id = ?
        GROUP BY c.provider, c.model, c.model_version, r.command
        ORDER BY ALL""",
        [row["scorer_id"]],
    ).fetchall():
        yield f"  scores: {provider}, {model} {version} (run {runs}: {software})"


def _rows(con: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> Iterator[str]:
    """SQL that gives the rows of the result and no others."""
    found = con.execute("SELECT arguments FROM run WHERE run_id = ?", [row["run_id"]]).fetchall()
    asked = json.loads(found[0][0])
    label_set = labels.named(con, row["label_set"])
    of_set = groups(con, label_set, asked.get("scorer"), asked.get("window_bp"))
    name, both = row["stratification"], {row["scorer_id"]}
    if name == "all" and row["versus"]:
        both.add(row["versus"].rpartition("(")[2].rstrip(")"))
        of_set = list(comparisons(of_set))
    own = [g for g in of_set if g.source_id == row["source_id"] and both <= {s.scorer_id for s in g.scorers}]
    divided = strata.chosen(con, asked.get("stratify"))
    if not own or name not in divided:
        yield "its rows are not there any more"
        return
    yield "its rows, as SQL:"
    sql = query(own[0], {} if name == "all" else {name: divided[name]})
    kept = list(_conditions(row))
    yield (f"FROM (\n{sql}\n) WHERE {' AND '.join(kept)}" if kept else sql) + ";"


def _conditions(row: dict[str, Any]) -> Iterator[str]:
    """What keeps, of the rows of a group, those of one of its results."""
    if row["metric"] == "heterogeneity":
        yield "stratum_0 IS NOT NULL"
    elif row["stratification"] != "all":
        chosen = [name for name in (row["stratum"], row["versus"]) if name is not None]
        yield "stratum_0 IN (" + ", ".join("'" + name.replace("'", "''") + "'" for name in chosen) + ")"
    if row["metric"].startswith("partial_"):
        yield from (f"{name} IS NOT NULL" for name in ("tss_distance", "maf") if name in row["method"])
