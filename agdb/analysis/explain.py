"""From a number back to its files: how a result was made, the SQL of its rows, the sources with their sha256."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import duckdb

from agdb.analysis import candidates, labels, steps, strata
from agdb.analysis.groups import Group, groups, probing_with_associations
from agdb.analysis.measures import SCALES
from agdb.analysis.paired import Versus
from agdb.analysis.rows import query
from agdb.analysis.run import comparisons
from agdb.errors import UsageError
from agdb.query import literal, records


def explain(con: duckdb.DuckDBPyConnection, result_id: int) -> Iterator[str]:
    """Lines that tell of a result.

    Raises:
        UsageError: there is no such result.
    """
    found = records(con, "FROM result WHERE result_id = ?", [result_id])
    if not found:
        raise UsageError(f"there is no result {result_id}", cure="agdb sql 'SELECT result_id, metric FROM result'")
    row = found[0]
    yield title(row)
    yield from (f"  {name}: {value}" for name, value in numbers(row).items())
    yield ""
    yield from of_run(con, row["run_id"])
    yield ""
    yield "the files behind it:"
    yield from (f"  {line}" for line in files(con, row))
    if row["method"] == steps.LEFT_OUT:
        return
    yield ""
    if (sql := RowQueries(con).of(row)) is None:
        yield "its rows are not there any more"
        return
    if (now := _rows_now(con, row, sql)) not in (None, row["n"]):
        yield f"data have come or gone since: the SQL below gives {now:,} rows, the result had {row['n']:,}"
    yield from ("its rows, as SQL:", f"{sql};")


def _rows_now(con: duckdb.DuckDBPyConnection, row: dict[str, Any], sql: str) -> int | None:
    """How many rows the SQL gives; None for what was not made of all of these rows, and of no others."""
    is_step = row["stratification"] == strata.OF_STEPS
    if (row["metric"] if is_step else row["metric"].removesuffix("_difference")) not in SCALES:
        return None
    with probing_with_associations(con):
        return int(con.execute(f"SELECT count(*) FROM (\n{sql}\n)").fetchall()[0][0])


def title(row: dict[str, Any]) -> str:
    """What a row of `result` is."""
    return f"result {row['result_id']}: {row['metric']}" + (f" against {row['versus']}" if row["versus"] else "")


def numbers(row: dict[str, Any]) -> dict[str, object]:
    """What a row of `result` says, by name; what it does not say is left out."""
    told = {
        "of": f"{row['scorer']} at {row['window_bp']:,} bp (scorer {row['scorer_id']})",
        "on": f"label set {row['label_set']}: {row['label']} of {row['source']}, {row['tissue']}; "
              f"{row['stratification']}: {row['stratum']}",
        "rows": None if row["method"] == steps.LEFT_OUT else
                f"{row['n']:,} {row['unit']}s of {row['n_variants'] or 0:,} variants and {row['n_genes'] or 0:,} "
                f"phenotypes, in {row['n_clusters'] or 0:,} clusters ({row['cluster']})",
        "estimate": _estimate(row["estimate"], row["reason"]),
        "95 % interval": None if row["ci_low"] is None else f"{row['ci_low']:.6g} to {row['ci_high']:.6g}",
        "of independent rows": None if row["analytic_low"] is None else
                               f"{row['analytic_low']:.6g} to {row['analytic_high']:.6g}",
        "p": row["p"], "q": row["q"], "detectable": row["detectable"], "ceiling": row["ceiling"],
        "expected": row["expected"], "method": row["method"],
        "resamples": None if row["resamples"] is None else f"{row['resamples']:,}, seed {row['seed']}",
    }  # fmt: skip
    return {name: value for name, value in told.items() if value is not None}


def _estimate(estimate: float | None, reason: str | None) -> object:
    if reason is None:
        return estimate
    return f"none: {reason}" if estimate is None else f"{estimate} ({reason})"


def of_run(con: duckdb.DuckDBPyConnection, run_id: int) -> Iterator[str]:
    """When and with what a run computed."""
    command, arguments, at, agdb, engine = con.execute(
        "SELECT command, arguments, started_at, agdb_version, duckdb_version FROM run WHERE run_id = ?", [run_id]
    ).fetchall()[0]
    yield f"run {run_id}: agdb {command} {arguments}, {at:%Y-%m-%d %H:%M} UTC, agdb {agdb}, DuckDB {engine}"
    newest = con.execute("SELECT name, number, sha256 FROM schema_migration ORDER BY number DESC LIMIT 1").fetchall()
    for name, number, sha in newest:
        yield f"  tables as of migration {number} ({name}, sha256 {sha[:12]})"


def files(con: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> Iterator[str]:
    """Labels, fine-mapping, peaks and genes of its assembly, the genome; and where the scores are from.

    Those that were there when its run read the database, which is when that run started.
    """
    of = {"run": row["run_id"], "began": _began(con, row["run_id"])}
    for line in con.execute(
        """
        WITH own AS (SELECT DISTINCT assembly, tissue FROM source WHERE list_contains($sources, source_id))
        SELECT s.kind || ': ' || s.name || ', source ' || s.source_id || ', ' || s.assembly
                 || coalesce(', ' || s.rows_kept || ' rows', '') || ', sha256 ' || s.sha256
                 || coalesce(', from ' || s.url || coalesce(', retrieved ' || s.retrieved_at::DATE, ''), '')
        FROM source AS s
        LEFT JOIN run AS i ON i.run_id = s.run_id AND i.finished_at > $began
        WHERE (list_contains($sources, s.source_id) OR list_contains($more, s.source_id) OR EXISTS (
          FROM own
          WHERE s.assembly = own.assembly AND (s.kind IN ('peaks', 'blacklist', 'genes', 'genome', 'blocks')
                                               OR s.kind IN ('credible', 'qtl') AND s.tissue = own.tissue)))
          AND (s.run_id < $run AND i.run_id IS NULL OR s.run_id = $run)
        ORDER BY s.source_id <> $source, s.kind, s.source_id""",
        of | {"source": row["source_id"], "sources": _pooled(con, row), "more": _peaks_as_given(con, row)},
    ).fetchall():
        yield str(line[0])
    for provider, model, version, runs, software in con.execute(
        """
        SELECT c.provider, c.model, c.model_version,
               string_agg(DISTINCT r.run_id::VARCHAR, ', ' ORDER BY r.run_id::VARCHAR),
               coalesce(string_agg(DISTINCT r.software, ', ' ORDER BY r.software), r.command)
        FROM scorer AS s
        JOIN computation AS c ON list_contains(s.computations, c.computation_id)
        JOIN scored_variant AS v ON v.computation_id = c.computation_id
        JOIN run AS r ON r.run_id = v.run_id
        WHERE s.scorer_id = $scorer AND r.run_id <= $run AND r.started_at <= $began
        GROUP BY c.provider, c.model, c.model_version, r.command
        ORDER BY ALL""",
        of | {"scorer": row["scorer_id"]},
    ).fetchall():
        yield f"scores: {provider}, {model} {version} (run {runs}: {software})"


def _began(con: duckdb.DuckDBPyConnection, run_id: int) -> datetime:
    """When a run started."""
    found: datetime = con.execute("SELECT started_at FROM run WHERE run_id = ?", [run_id]).fetchall()[0][0]
    return found


def _pooled(con: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> list[int]:
    """The QTL source of a result; where its label set pools several, all of them."""
    of = {s.name: s for s in labels.stored(con)}.get(row["label_set"])
    if of is None or not of.is_pooled:
        return [row["source_id"]]
    return [g for group in groups(con, of, row["scorer"], row["window_bp"]) for g in group.source_ids]


def _peaks_as_given(con: duckdb.DuckDBPyConnection, row: dict[str, Any]) -> list[int]:
    """Peaks of another assembly, which a step of compare-study rests on."""
    if row["stratification"] != strata.OF_STEPS:
        return []
    found = con.execute("SELECT arguments FROM run WHERE run_id = ?", [row["run_id"]]).fetchall()
    return list(json.loads(found[0][0])["peaks_as_given"])


class RowQueries:
    """SQL that gives the rows of a result and no others; what several results share is asked for once."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con
        self._groups: dict[tuple[Any, ...], list[Group]] = {}
        self._steps: dict[int, steps.Walked] = {}

    def of(self, row: dict[str, Any]) -> str | None:
        """The rows of a row of `result`; None where they are not there any more."""
        if (base := self.divided(row)) is None:
            return None
        kept = condition(row)
        return f"FROM (\n{base}\n) WHERE {kept}" if kept else base

    def divided(self, row: dict[str, Any]) -> str | None:
        """The rows of all strata of its stratification, with column `stratum_0`, of which `condition` keeps its own.

        Of a step of compare-study it is its own rows; one that was left out has none.
        """
        if row["method"] == steps.LEFT_OUT:
            return None
        if row["stratification"] == strata.OF_STEPS:
            if row["run_id"] not in self._steps:
                self._steps[row["run_id"]] = steps.walked(self.con, row["run_id"])
            return steps.sql_of(row, self._steps[row["run_id"]])
        found = self.con.execute("SELECT arguments FROM run WHERE run_id = ?", [row["run_id"]]).fetchall()
        asked = json.loads(found[0][0])
        of_set = self._of_set(row["label_set"], asked.get("scorer"), asked.get("window_bp"), row["source_id"])
        name, both = row["stratification"], {row["scorer_id"]}
        if name == "all" and row["versus"]:
            both.add(Versus.parse(row["versus"]).scorer_id)
            of_set = list(comparisons(of_set))
        own = [g for g in of_set if row["source_id"] in (g.source_id, *g.source_ids)
               and both <= {s.scorer_id for s in g.scorers}]  # fmt: skip
        divided = strata.chosen(self.con, asked.get("stratify"))
        if not own or name not in divided:
            return None
        if row["metric"].startswith("causal_"):
            sql = candidates.query(own[0], candidates.chosen(self.con, asked.get("match")))
            return f"-- causal variants and all candidates for controls: those are matched among them\n{sql}"
        return query(own[0], {} if name == "all" else {name: divided[name]})

    def _of_set(self, label_set: str, scorer: str | None, window_bp: int | None, source_id: int) -> list[Group]:
        of = labels.named(self.con, label_set)
        key = (label_set, scorer, window_bp, None if of.is_pooled else source_id)
        if key not in self._groups:
            self._groups[key] = groups(self.con, of, *key[1:])
        return self._groups[key]


def condition(row: dict[str, Any]) -> str:
    """SQL condition that keeps, of the rows of all strata, those of a row of `result`; empty where it keeps all."""
    return " AND ".join(_conditions(row))


def _conditions(row: dict[str, Any]) -> Iterator[str]:
    """What keeps, of the rows of a group, those of one of its results."""
    if row["metric"] == "heterogeneity":
        yield "stratum_0 IS NOT NULL"
    elif row["stratification"] not in ("all", strata.OF_STEPS):
        chosen = [name for name in (row["stratum"], row["versus"]) if name is not None]
        yield "stratum_0 IN (" + ", ".join(map(literal, chosen)) + ")"
    if row["metric"].startswith("partial_"):
        yield from (f"{name} IS NOT NULL" for name in ("tss_distance", "maf") if name in row["method"])
