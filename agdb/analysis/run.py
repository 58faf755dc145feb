"""`agdb stats`: results of label sets and scorers, computed on a reading connection, stored in one transaction."""

import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from agdb import db
from agdb.analysis import (
    RESAMPLES,
    SHIFTS,
    candidates,
    causality,
    check_draws,
    controls,
    labels,
    measures,
    overlap,
    paired,
    results,
    store,
    strata,
    winners_curse,
)
from agdb.analysis.groups import Group, groups, probing_with_associations, together
from agdb.analysis.labels import LabelSet
from agdb.analysis.results import Result
from agdb.analysis.rows import read
from agdb.errors import Refused, UsageError

#: Parts of a group that are computed at a time: each takes some 100 bytes a row.
_AT_ONCE = 2


@dataclass(frozen=True)
class Asked:
    """What is asked for.

    Attributes:
        label_sets: By name; None for every label set that has rows of its own: all, conditional, p-value.
        scorer, window_bp: Only this scorer.
        stratify: Stratifications, by name or as NAME=SQL; None for all that are known, () for none.
        resamples, seed: Of the clusters; of differences, flips of their signs.
        permutations: Of the label within clusters, for a second p-value; 0 for none.
        with_kendall: Kendall's tau as well, which takes long.
        controls: Matched controls to a causal variant.
        match: Covariates besides distance to the TSS and frequency in which they are alike, as NAME=SQL.
        shifts: Of the peaks round their chromosomes, for the enrichment of the overlap; 0 for none.
    """

    label_sets: tuple[str, ...] | None = None
    _: KW_ONLY
    scorer: str | None = None
    window_bp: int | None = None
    stratify: tuple[str, ...] | None = None
    resamples: int = RESAMPLES
    seed: int = 0
    permutations: int = 0
    with_kendall: bool = False
    controls: int = 1
    match: tuple[str, ...] | None = None
    shifts: int = SHIFTS

    def __post_init__(self) -> None:
        check_draws(self.resamples, self.seed)
        for name, least in (("permutations", 0), ("controls", 1), ("shifts", 0)):
            if (given := getattr(self, name)) < least:
                raise UsageError(f"{given} {name} cannot be made", cure=f"{least} or more")

    @property
    def arguments(self) -> dict[str, Any]:
        """What run.arguments keeps: enough to ask for the same again."""
        return {name: value for name, value in asdict(self).items() if value is not None}


def stats(path: Path, asked: Asked) -> int:
    """Compute what is asked for and store it in `result`; returns the run_id.

    Raises:
        UsageError: an unknown label set or stratification, or an expression that is not SQL.
        Refused: no association of these label sets has a score, or the file cannot be written.
        DatabaseBusy: another process is writing; or holds the database, for an hour after all is computed.
    """
    store.check(path)
    with db.reading(path) as con, probing_with_associations(con):
        began = db.utc_now()
        found = computed(con, asked)
    return store.stored(path, "stats", asked.arguments, found, began)


@dataclass(frozen=True)
class Plan:
    """What is asked for, checked.

    Attributes:
        asked: As it was asked.
        label_sets: In their order.
        divided: Stratifications: SQL by name.
        covariates: Those in which controls are matched: SQL by name.
    """

    asked: Asked
    label_sets: tuple[LabelSet, ...]
    divided: dict[str, str]
    covariates: dict[str, str]


class Part(NamedTuple):
    """Results of a label set in one source, or in all of its sources where it pools them. No other part enters them."""

    label_set: str
    of_scorers: list[Result]
    of_comparisons: list[Result]


def computed(con: duckdb.DuckDBPyConnection, asked: Asked) -> list[Result]:
    """Compute what is asked for. Raises as `stats` does."""
    plan = planned(con, asked)
    return assembled(plan, [part for labels in plan.label_sets for part in parts(con, plan, labels)])


def planned(con: duckdb.DuckDBPyConnection, asked: Asked) -> Plan:
    """Check what is asked for.

    Raises:
        UsageError: an unknown label set or stratification, or an expression that is not SQL.
        Refused: a label set names sources that are not there, or pools unlike units.
    """
    names = tuple(dict.fromkeys(asked.label_sets or ("all", "conditional", "p-value")))
    divided = strata.chosen(con, None if asked.stratify is None else list(asked.stratify))
    covariates = candidates.chosen(con, asked.match)
    label_sets = tuple(labels.named(con, name) for name in names)
    for label_set in label_sets:
        labels.check(con, label_set)
    return Plan(asked, label_sets, divided, covariates)


def parts(con: duckdb.DuckDBPyConnection, plan: Plan, labels: LabelSet, source_id: int | None = None) -> Iterator[Part]:
    """Compute a label set: a part for each of its sources that has scores, in their order.

    Args:
        con: A connection.
        plan: What is asked for.
        labels: One of its label sets.
        source_id: This source alone; None for all. A label set that pools its sources has one part, of all of them.
    """
    found = groups(con, labels, plan.asked.scorer, plan.asked.window_bp, source_id)
    of_source: dict[int | None, list[Group]] = defaultdict(list)
    for group in found:
        of_source[None if labels.is_pooled else group.source_id].append(group)
    for same in of_source.values():
        yield Part(
            labels.name,
            [row for group in same for row in _of_group(con, group, plan)],
            [row for group in comparisons(same) for row in _of_comparison(con, group, plan.asked)],
        )


def assembled(plan: Plan, found: Iterable[Part]) -> list[Result]:
    """Results of all parts, in the order of label sets and sources, with q-values of their families.

    Raises:
        Refused: no association of a label set that was asked for has a score, or of none at all.
    """
    by_set: dict[str, list[Part]] = defaultdict(list)
    for part in found:
        by_set[part.label_set].append(part)
    rows: list[Result] = []
    empty: list[str] = []
    for label_set in plan.label_sets:
        own = [row for part in by_set[label_set.name] for row in part.of_scorers]
        if not own and plan.asked.label_sets:
            empty.append(label_set.name)
        rows += own + [row for part in by_set[label_set.name] for row in part.of_comparisons]
    if empty or not rows:
        of = " of this scorer and window" if plan.asked.scorer or plan.asked.window_bp else ""
        raise Refused(
            f"label set {empty[0]} has no association with a score{of}" if empty
            else f"no association has a score{of} yet",
            cure="agdb predict SCORER, or agdb ingest predictions; agdb labels says what each label set is; agdb "
                 "status lists the scorers",
        )  # fmt: skip
    return [row | {"chance": row.get("chance", _chance(row["metric"]))} for row in results.with_q(rows)]


def _chance(metric: str) -> float | None:
    """What a score that knows nothing would have: None where it depends on the rows, or nothing is estimated."""
    if metric in ("sign_concordance", "sign_auroc"):
        return 0.5
    is_other = metric == "heterogeneity" or metric.startswith(("permutation_", "causal_"))
    return None if is_other else 0.0


def _of_group(con: duckdb.DuckDBPyConnection, group: Group, plan: Plan) -> Iterator[Result]:
    asked, covariates = plan.asked, plan.covariates
    rows = read(con, group, plan.divided, causality.columns(con, group, covariates))
    if not len(rows.effect):
        return
    divisions = [(d.name, d.codes, d.strata) for d in rows.divisions if d.strata]
    shared = results.keys(group, rows, asked.resamples, asked.seed)
    found = measures.measured(rows.effect, rows.scores[0], divisions, rows.variant, rows.phenotype, rows.cluster,
                              resamples=asked.resamples, seed=asked.seed)  # fmt: skip
    yield from _side_by_side(con, [
        lambda _: [*results.of_strata(group, found, shared, controls.ceilings(rows)),
                   *results.of_differences(group, found, shared)],
        lambda _: controls.of_all_rows(group, rows, found, shared, asked.permutations, with_kendall=asked.with_kendall),
        lambda con: winners_curse.of_group(con, group, rows, shared),
        lambda con: causality.of_group(con, group, rows, shared, covariates, asked.controls),
        lambda con: [overlap.of_group(con, group, rows, shared, asked.shifts)] if asked.shifts else (),
    ])  # fmt: skip


def _side_by_side(
    con: duckdb.DuckDBPyConnection, parts: list[Callable[[duckdb.DuckDBPyConnection], Iterable[Result]]]
) -> Iterator[Result]:
    """Results of parts that do not know of each other, in their order; each has a cursor of its own."""

    def done(part: Callable[[duckdb.DuckDBPyConnection], Iterable[Result]]) -> list[Result]:
        with con.cursor() as own:
            return list(part(own))

    with ThreadPoolExecutor(min(os.cpu_count() or 1, _AT_ONCE)) as pool:  # numpy and DuckDB work without the GIL
        begun = [pool.submit(done, part) for part in reversed(parts)]  # the last ones take longest
        for found in reversed(begun):
            yield from found.result()


def comparisons(of_set: list[Group]) -> Iterator[Group]:
    """Groups of scorers to compare: the windows of a family jointly; other scorers of a source two and two.

    Of a pool, in the sources that all of them scored.
    """
    by_source: dict[int, list[Group]] = defaultdict(list)
    for group in of_set:
        by_source[group.source_id].append(group)
    for same in by_source.values():
        families: dict[str, list[Group]] = defaultdict(list)
        for group in same:
            families[group.scorers[0].family].append(group)
        for windows in families.values():
            if len(windows) > 1:
                yield from together(windows)
        for i, a in enumerate(same):
            for b in same[i + 1 :]:
                if a.scorers[0].family != b.scorers[0].family:
                    yield from together([a, b])


def _of_comparison(con: duckdb.DuckDBPyConnection, group: Group, asked: Asked) -> list[Result]:
    rows = read(con, group, {})
    shared = results.keys(group, rows, asked.resamples, asked.seed)
    return paired.compared(group, rows, shared, resamples=asked.resamples, seed=asked.seed)
