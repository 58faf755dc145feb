"""What a figure is to show, and what has been drawn."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from agdb import plots
from agdb.analysis import labels, strata
from agdb.analysis.groups import Group, groups
from agdb.analysis.rows import query
from agdb.errors import AgdbError, Refused, UsageError

T = TypeVar("T")

Floats = NDArray[np.float64]

#: Choices that are listed at most where several match.
LISTED = 12

#: A made-up stratification of one stratum: what a query of all rows divides them by.
WHOLE = {"all": "'all'"}


@dataclass(frozen=True)
class Choice:
    """What is shown; None: the only one there is.

    Attributes:
        labels: Label set by name.
        source_id: QTL source.
        scorer, window_bp: Scorer by name, and its window.
        stratum: "peak: in peak", "kind: SNV", ...
        divide: For a forest: stratifications, with commas between.
        gene: For a locus: id or name.
        assembly: For an overlap.
    """

    labels: str = "all"
    source_id: int | None = None
    scorer: str | None = None
    window_bp: int | None = None
    stratum: str | None = None
    divide: str | None = None
    gene: str | None = None
    assembly: str | None = None


class Drawn(NamedTuple):
    """A figure, the numbers that it draws, and what it shows in a sentence with its numbers."""

    name: str
    figure: plots.Figure
    data: pa.Table
    told: str


def table(con: duckdb.DuckDBPyConnection, sql: str, values: object = None) -> pa.Table:
    """The answer to one SELECT."""
    return con.sql(sql, params=values).to_arrow_table()


def floats(found: pa.Table, name: str) -> Floats:
    """A column as floats, NULL as NaN."""
    return np.asarray(found[name].cast(pa.float64()).to_numpy(), float)


def rows(found: pa.Table) -> list[dict[str, Any]]:
    """Rows by column."""
    return list(found.to_pylist())


def number(value: float | None) -> float:
    """NULL as NaN."""
    return float("nan") if value is None else float(value)


def one(found: Sequence[T], described: Callable[[T], str], what: str = "label sets and scorers") -> T:
    """The only one of what matches a choice: of one or more.

    Raises:
        UsageError: several are there, which are listed.
    """
    if len(found) > 1:
        listed = "\n    ".join(described(row) for row in found[:LISTED])
        more = f"\n    ... and {len(found) - LISTED:,} more" if len(found) > LISTED else ""
        raise UsageError(f"{len(found):,} {what} match", cure=f"choose one:\n    {listed}{more}")
    return found[0]


def of_set(con: duckdb.DuckDBPyConnection, choice: Choice) -> list[Group]:
    """The groups of the label set that match, one or more.

    Raises:
        UsageError: none does; what there is, is listed.
        Refused: nothing at all is scored.
    """
    named = labels.named(con, choice.labels)
    found = groups(con, named, choice.scorer, choice.window_bp, None if named.is_pooled else choice.source_id)
    kept = [g for g in found if choice.source_id in (None, g.source_id)]
    if not kept:
        raise _nothing(con, named, choice)
    return kept


def _nothing(con: duckdb.DuckDBPyConnection, named: labels.LabelSet, choice: Choice) -> AgdbError:
    """Which part of a choice nothing is of, and what there is instead."""
    there = groups(con, named)
    if not there:
        others = [s.name for s in labels.stored(con) if s.name != named.name and groups(con, s)]
        if not others:
            return Refused("no association has a score yet", cure="agdb predict SCORER, or agdb ingest predictions")
        what = f"no association of label set {named.name} has a score"
        return UsageError(what, cure=f"those of others have: --labels {' or '.join(others)}")
    asked: tuple[tuple[str, object, Callable[[Group], object]], ...] = (
        ("--source", choice.source_id, lambda g: g.source_id),
        ("--scorer", choice.scorer, lambda g: g.scorers[0].name),
        ("--window", choice.window_bp, lambda g: g.scorers[0].window_bp),
    )
    for option, value, of in asked:
        known = " or ".join(dict.fromkeys(str(of(g)) for g in there))
        what = f"label set {named.name} has no scored association for {option} {value}"
        wrong = UsageError(what, cure=f"{option} {known}")
        there = [g for g in there if value in (None, of(g))]
        if not there:
            break
    return wrong


def one_group(con: duckdb.DuckDBPyConnection, choice: Choice) -> Group:
    """The group that is meant, of one source and one scorer.

    Raises:
        UsageError: none, or several, which are listed.
        Refused: nothing at all is scored.
    """
    found = of_set(con, choice)
    if len(found) == 1:
        return found[0]
    if len(found) > LISTED and found[0].labels.condition is None:  # counting all pairs of 49 tissues takes minutes
        counted: list[tuple[Group, int | None]] = [(group, None) for group in found]
    else:  # those without rows in the label set are no choice
        counted = [(group, n) for group in found if (n := count(con, group))]
    if not counted:
        what = f"no scored association meets the condition of label set {choice.labels}"
        raise UsageError(what, cure="another label set: agdb labels lists them")

    def described(of: tuple[Group, int | None]) -> str:
        group, n = of
        return f"{options(group)}   ({group.source}{'' if n is None else f', n = {n:,}'})"

    return one(counted, described)[0]


def options(group: Group) -> str:
    """How the user chooses this group."""
    scorer = group.scorers[0]
    return f"--labels {group.labels.name} --source {group.source_id} --scorer {scorer.name} --window {scorer.window_bp}"


def count(con: duckdb.DuckDBPyConnection, group: Group) -> int:
    """Rows of a group."""
    return int(con.execute(f"SELECT count(*) FROM ({query(group, {})})").fetchall()[0][0])


def divided(stratum: str | None) -> tuple[dict[str, str], str, str]:
    """SQL by which rows are divided, the stratification and the stratum that is meant: ("all", "all") for None.

    Raises:
        UsageError: no such stratification.
    """
    if stratum is None:
        return dict(WHOLE), "all", "all"
    name, _, inside = (part.strip() for part in stratum.partition(":"))  # without a stratum, those there are are listed
    if name not in strata.STRATA:
        raise UsageError(f"there is no stratification {name!r}",
                         cure=f"as in 'peak: in peak', one of {', '.join(strata.STRATA)}")  # fmt: skip
    return {name: strata.STRATA[name]}, name, inside


def title(group: Group, stratum: str | None = None) -> str:
    """What rows a figure shows."""
    inside = "" if stratum is None else f" ({stratum})"
    name = "" if group.labels.name in ("all", "p-value", "conditional") else f", label set {group.labels.name}"
    return f"{group.tissue}{inside}: {group.labels.label} of {group.source}{name}"


def unit_of(group: Group) -> str:
    """The label and its unit, for an axis."""
    label = group.labels.label
    return f"{label} ({'p-value' if label == 'pval_nominal' else group.effect_unit or 'no unit given'})"
