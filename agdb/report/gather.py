"""A report: everything that the page and the Markdown tell, gathered from the database once."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import duckdb

from agdb.report import alerts, methods, pictures, provenance, tables, verdict, way
from agdb.report.found import Asked, Found, Group, found

#: Groups whose strata and figures a report shows: more would be no page that anybody reads, nor one of 5 MB.
MOST_GROUPS = 8


@dataclass(frozen=True)
class Part:
    """One group told at length: its strata, whether they differ, and its figures."""

    title: str
    strata: tables.Table
    differences: tables.Table | None
    pictures: list[pictures.Picture]


@dataclass(frozen=True)
class Summary:
    """What is told in short.

    Attributes:
        database: Name of the file.
        runs: The runs of the results, in words.
        verdicts: Of the groups that have one.
        without: Why other groups have none, and how many.
    """

    database: str
    question: str
    headline: str
    runs: str
    verdicts: list[verdict.Verdict]
    without: list[tuple[str, int]]
    alerts: list[alerts.Alert]
    n_checks: int
    provenance: provenance.Provenance


@dataclass(frozen=True)
class Report:
    """What is told at length.

    Attributes:
        parts: At most MOST_GROUPS groups at length; `n_short` more are not.
        n_left_out: Strata without an estimate, or of a stratification without an interval; told nowhere.
        n_outdated: Results of other rows than the newest ones of their group; told nowhere.
        pictures: Figures that are of no single group.
    """

    summary: Summary
    counted: tables.Table | None
    agreement: tables.Table
    measures: tables.Table
    comparisons: tables.Table | None
    steps: tables.Table | None
    parts: list[Part]
    n_short: int
    n_left_out: int
    n_outdated: int
    pictures: list[pictures.Picture]
    methods: methods.Methods
    ways: list[way.Way]


def summarize(con: duckdb.DuckDBPyConnection, path: Path, asked: Asked) -> Summary:
    """Gather a report in short. Arguments and errors are those of `gather`."""
    return _summary(con, path, found(con, asked))


def gather(con: duckdb.DuckDBPyConnection, path: Path, asked: Asked, *, with_figures: bool = True) -> Report:
    """Gather a report.

    Args:
        con: The database.
        path: Its file, whose name is told.
        asked: Which results.
        with_figures: Whether figures are drawn, which takes most of the time.

    Raises:
        Refused: there are no results.
        UsageError: none are of what was asked for.
    """
    stored = found(con, asked)
    long = _at_length(stored)
    funnels = [pictures.funnel(con, g) for g in long]
    drawn = [
        [*pictures.of_group(con, g), *map(pictures.picture, funnel)] if with_figures else []
        for g, funnel in zip(long, funnels, strict=True)
    ]
    stages = [(g, of.data.to_pylist()) for g, funnel in zip(long, funnels, strict=True) for of in funnel]
    return Report(
        _summary(con, path, stored), tables.counted(stages), tables.agreement(stored), tables.measures(long),
        tables.comparisons(stored), tables.steps(con, stored.steps),
        [_part(g, i, some) for i, (g, some) in enumerate(zip(long, drawn, strict=True), 1)],
        sum(bool(g.strata) for g in stored.groups) - len(long), stored.n_left_out, stored.n_outdated,
        pictures.of_all(con, stored) if with_figures else [], methods.methods(con, stored),
        way.ways(con, stored, _told(stored, long)),
    )  # fmt: skip


def _summary(con: duckdb.DuckDBPyConnection, path: Path, stored: Found) -> Summary:
    verdicts = [verdict.verdict(g) for g in stored.groups]
    return Summary(
        path.name, verdict.question(stored), verdict.headline(verdicts), _runs(con, stored),
        [v for v in verdicts if v.kind != "open"], _without(verdicts), alerts.alerts(con, stored), alerts.n_checks(),
        provenance.provenance(con, stored),
    )  # fmt: skip


def _told(stored: Found, long: list[Group]) -> set[int]:
    """Results that stand in a table."""
    rows = [*tables.compared(stored), *stored.steps]
    rows += [g.measures[m] for g in stored.groups for m in (g.main["metric"], *tables.SIGNS) if m in g.measures]
    rows += [r for g in long for r in g.results]
    return {row["result_id"] for row in rows}


def _without(verdicts: list[verdict.Verdict]) -> list[tuple[str, int]]:
    """Why there is no verdict, and how often."""
    open_ = [v.group.main["reason"] or "no interval is stored" for v in verdicts if v.kind == "open"]
    return Counter(open_).most_common()


def _at_length(stored: Found) -> list[Group]:
    """Groups with strata and an interval, in their own order: first those of effects, and those of most rows."""
    able = [g for g in stored.groups if g.strata and g.has_interval]
    most = sorted(able, key=lambda g: (g.label == "pval_nominal", -g.main["n"]))[:MOST_GROUPS]
    return [g for g in stored.groups if any(g is m for m in most)]


def _part(group: Group, place: int, drawn: list[pictures.Picture]) -> Part:
    return Part(f"{group.named} ({group.source})", tables.strata(group, place), tables.differences(group, place), drawn)


def _runs(con: duckdb.DuckDBPyConnection, stored: Found) -> str:
    found_ = con.execute(
        "SELECT run_id, started_at, agdb_version FROM run WHERE list_contains(?, run_id) ORDER BY run_id",
        [stored.run_ids],
    ).fetchall()
    return "; ".join(f"run {run_id} of {at:%Y-%m-%d %H:%M} UTC by agdb {version}" for run_id, at, version in found_)
