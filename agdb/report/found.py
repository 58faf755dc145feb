"""What is stored of a study: its newest results, by label set, source and scorer. Nothing is computed anew."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import duckdb

from agdb.analysis.paired import Versus
from agdb.errors import Refused, UsageError
from agdb.query import records

Result = dict[str, Any]

#: What `agdb compare-study` stores its steps under: a story of its own, no way to divide rows.
STUDY = "study"

#: Label sets that are all rows of their label: the name of the label says it.
WHOLE = ("all", "conditional", "p-value")


@dataclass(frozen=True)
class Asked:
    """Which results a report tells; None for all.

    Attributes:
        labels: Label sets, by name.
        source_ids: QTL sources.
        scorer: A scorer, by name; comparisons with it are told, too.
    """

    labels: tuple[str, ...] | None = None
    source_ids: tuple[int, ...] | None = None
    scorer: str | None = None


@dataclass
class Group:
    """The results of a label set in one source against one scorer.

    Attributes:
        place: The tissue; with the source where results are of several sources of it: "Whole_Blood (source 2)".
        measures: Of all rows together, by metric.
        strata: The main metric by stratification, in the order of their strata.
        differences: Between two strata of a stratification; and, as `heterogeneity`, between all of them.
    """

    label_set: str
    label: str
    source_id: int
    source: str
    tissue: str
    place: str
    scorer_id: str
    scorer: str
    window_bp: int
    is_signed: bool
    measures: dict[str, Result] = field(default_factory=dict)
    strata: dict[str, list[Result]] = field(default_factory=dict)
    differences: list[Result] = field(default_factory=list)

    @property
    def main(self) -> Result:
        """What the verdict is made of: Spearman's rho, of absolute values where the score has no direction."""
        return self.measures[self.main_metric]

    @property
    def main_metric(self) -> str:
        """Its metric."""
        return "spearman" if self.is_signed else "abs_spearman"

    @property
    def results(self) -> list[Result]:
        """All that is told of it."""
        return [*self.measures.values(), *(r for rows in self.strata.values() for r in rows), *self.differences]

    @property
    def has_interval(self) -> bool:
        """Whether there can be a verdict."""
        return self.main["ci_low"] is not None

    @property
    def of_labels(self) -> str:
        """The labels, in words."""
        return f"{self.label} of {self.place}, {self.source}"

    @property
    def of_scorer(self) -> str:
        """The scorer, in words."""
        return f"{self.scorer} at {self.window_bp:,} bp"

    @property
    def named(self) -> str:
        """What is compared with what: a heading that no other group has."""
        rows = "" if self.label_set in WHOLE else f", label set {self.label_set}"
        return f"{self.of_scorer} on {self.label} of {self.place}{rows}"


@dataclass(frozen=True)
class Found:
    """The results of a report.

    Attributes:
        groups: In the order in which they were computed.
        comparisons: Scorers against each other on the same rows.
        steps: What agdb compare-study stored.
        n_left_out: Strata without an estimate, or of a stratification without an interval; they are not told.
        n_outdated: Results of other rows than the newest ones of their group: stored before other data came. Nor they.
    """

    groups: list[Group]
    comparisons: list[Result]
    steps: list[Result]
    n_left_out: int
    n_outdated: int

    @property
    def run_ids(self) -> list[int]:
        """The runs that computed them."""
        told = [*(r for g in self.groups for r in g.results), *self.comparisons, *self.steps]
        return sorted({row["run_id"] for row in told})

    @property
    def scorer_ids(self) -> list[str]:
        """The scorers whose scores entered them; of a comparison both."""
        both = [i for r in self.comparisons for i in (r["scorer_id"], Versus.parse(r["versus"]).scorer_id)]
        return list(dict.fromkeys([*(g.scorer_id for g in self.groups), *both, *(r["scorer_id"] for r in self.steps)]))


def found(con: duckdb.DuckDBPyConnection, asked: Asked) -> Found:
    """Read the newest results.

    Raises:
        Refused: there are none.
        UsageError: none are of what was asked for.
    """
    rows = _results(con, asked)
    if not rows:
        if con.execute("SELECT count(*) FROM result").fetchall()[0][0]:
            there = "agdb sql 'SELECT DISTINCT label_set, source_id, scorer FROM result' lists what there is"
            raise UsageError("no result is of these labels, sources or scorers", cure=there)
        raise Refused("there are no results to report", cure="agdb stats computes them; then agdb report again")
    groups: dict[tuple[object, ...], Group] = {}
    comparisons: list[Result] = []
    steps: list[Result] = []
    n_left_out = 0
    for row in rows:
        if row["stratification"] == STUDY:
            steps.append(row)
            continue
        if row["stratification"] == "all" and row["versus"]:
            comparisons.append(row)
            continue
        group = groups.setdefault(
            tuple(row[name] for name in ("label_set", "label", "source_id", "scorer_id")),
            Group(**{name: row[name] for name in _SHARED}),
        )
        n_left_out += not _add(group, row)
    whole = [g for g in groups.values() if g.main_metric in g.measures]
    n_outdated = _drop_outdated(con, whole)
    return Found(whole, comparisons, steps, n_left_out + sum(_drop(g) for g in whole), n_outdated)


def _drop_outdated(con: duckdb.DuckDBPyConnection, groups: list[Group]) -> int:
    """Take out results of runs whose main result is another than the newest; returns how many that were.

    Strata that only an older run has stay, if that run had the same rows: it is asked for the n and the value of all.
    """
    of_all: dict[tuple[object, ...], dict[int, tuple[object, ...]]] = {}
    for run_id, n, value, *key in con.execute(
        "SELECT run_id, n, round(estimate, 9), label_set, label, source_id, scorer_id, metric FROM result "
        "WHERE metric IN ('spearman', 'abs_spearman') AND stratification = 'all' AND stratum = 'all' AND versus IS NULL"
    ).fetchall():
        of_all.setdefault(tuple(key), {})[run_id] = (n, value)
    n_before = sum(len(group.results) for group in groups)
    for group in groups:
        by_run = of_all[group.label_set, group.label, group.source_id, group.scorer_id, group.main_metric]
        same = {run_id for run_id, of in by_run.items() if of == by_run[group.main["run_id"]]}
        group.measures = {name: row for name, row in group.measures.items() if row["run_id"] in same}
        by = {name: [row for row in rows if row["run_id"] in same] for name, rows in group.strata.items()}
        group.strata = {name: rows for name, rows in by.items() if rows}
        group.differences = [row for row in group.differences if row["run_id"] in same]
    return n_before - sum(len(group.results) for group in groups)


def _drop(group: Group) -> int:
    """Take out stratifications of which no stratum has an interval; returns how many strata that were."""
    without = [name for name, rows in group.strata.items() if all(row["ci_low"] is None for row in rows)]
    group.differences = [row for row in group.differences if row["stratification"] not in without]
    return sum(len(group.strata.pop(name)) for name in without)


_SHARED = (
    "label_set",
    "label",
    "source_id",
    "source",
    "tissue",
    "place",
    "scorer_id",
    "scorer",
    "window_bp",
    "is_signed",
)


def _add(group: Group, row: Result) -> bool:
    """Give a row its place in its group; returns whether it is told."""
    if row["stratification"] == "all":
        group.measures.setdefault(row["metric"], row)
        return True
    main = group.main_metric
    if row["estimate"] is None:
        return bool(row["metric"] != main)
    if row["metric"] in (f"{main}_difference", "heterogeneity"):
        group.differences.append(row)
    elif row["metric"] == main:
        group.strata.setdefault(row["stratification"], []).append(row)
    return True


def _results(con: duckdb.DuckDBPyConnection, asked: Asked) -> list[Result]:
    return records(
        con,
        """
        SELECT r.*, r.tissue || if(min(r.source_id) OVER t < max(r.source_id) OVER t,
                                   ' (source ' || r.source_id || ')', '') AS place,
               coalesce(s.is_signed, true) AS is_signed
        FROM latest_result AS r LEFT JOIN scorer AS s ON s.scorer_id = r.scorer_id
        WHERE ($labels IS NULL OR list_contains($labels, r.label_set))
          AND ($sources IS NULL OR list_contains($sources, r.source_id))
          AND ($scorer IS NULL OR r.scorer = $scorer OR r.stratification = 'all' AND EXISTS (  -- or compared with it
            FROM scorer AS o WHERE o.name = $scorer AND ends_with(r.versus, '(' || o.scorer_id || ')')))
        WINDOW t AS (PARTITION BY r.tissue)
        ORDER BY r.result_id""",
        {"labels": _list(asked.labels), "sources": _list(asked.source_ids), "scorer": asked.scorer},
    )


def _list(values: Iterable[object] | None) -> list[object] | None:
    return None if values is None else list(values)
