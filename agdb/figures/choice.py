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
from agdb.errors import UsageError

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
        stratum: "peak: in peak", "kind: SNV", ...; a forest takes the name of a stratification.
        gene: For a locus: id or name.
        assembly: For an overlap.
    """

    labels: str = "all"
    source_id: int | None = None
    scorer: str | None = None
    window_bp: int | None = None
    stratum: str | None = None
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


def one(found: Sequence[T], described: Callable[[T], str], cure: str, what: str = "label sets and scorers") -> T:
    """The only one of what matches a choice.

    Raises:
        UsageError: nothing is there, or several are, which are listed.
    """
    if not found:
        raise UsageError("nothing matches that choice", cure=cure)
    if len(found) > 1:
        listed = "\n    ".join(described(row) for row in found[:LISTED])
        more = f"\n    ... and {len(found) - LISTED:,} more" if len(found) > LISTED else ""
        raise UsageError(f"{len(found):,} {what} match", cure=f"choose one:\n    {listed}{more}")
    return found[0]


def of_set(con: duckdb.DuckDBPyConnection, choice: Choice) -> list[Group]:
    """The groups of the label set that match.

    Raises:
        UsageError: none does; what label sets have is listed.
    """
    named = labels.named(con, choice.labels)
    found = groups(con, named, choice.scorer, choice.window_bp, None if named.is_pooled else choice.source_id)
    kept = [g for g in found if choice.source_id in (None, g.source_id)]
    if not kept:
        is_empty = not groups(con, named)
        others = [s.name for s in labels.stored(con) if s.label != named.label and groups(con, s)] if is_empty else []
        also = f"; other label sets have rows: --labels {' or '.join(others)}" if others else ""
        raise UsageError("nothing matches that choice", cure=f"agdb sql 'FROM correlation' lists what is there{also}")
    return kept


def one_group(con: duckdb.DuckDBPyConnection, choice: Choice) -> Group:
    """The group that is meant, of one source and one scorer.

    Raises:
        UsageError: none, or several, which are listed.
    """
    found = of_set(con, choice)
    if len(found) == 1:
        return found[0]
    if len(found) > LISTED and found[0].labels.condition is None:  # counting all pairs of 49 tissues takes minutes
        counted: list[tuple[Group, int | None]] = [(group, None) for group in found]
    else:  # those without rows in the label set are no choice
        counted = [(group, n) for group in found if (n := count(con, group))]

    def described(of: tuple[Group, int | None]) -> str:
        group, n = of
        return f"{options(group)}   ({group.source}{'' if n is None else f', n = {n:,}'})"

    group: Group = one(counted, described, "agdb sql 'FROM correlation' lists them")[0]
    return group


def options(group: Group) -> str:
    """How the user chooses this group."""
    scorer = group.scorers[0]
    return f"--labels {group.labels.name} --source {group.source_id} --scorer {scorer.name} --window {scorer.window_bp}"


def count(con: duckdb.DuckDBPyConnection, group: Group) -> int:
    """Rows of a group."""
    return int(con.execute(f"SELECT count(*) FROM ({query(group, {})})").fetchall()[0][0])


def divided(con: duckdb.DuckDBPyConnection, stratum: str | None) -> tuple[dict[str, str], str, str]:
    """SQL by which rows are divided, the stratification and the stratum that is meant: ("all", "all") for None.

    Raises:
        UsageError: no such stratification.
    """
    if stratum is None:
        return dict(WHOLE), "all", "all"
    name, colon, inside = stratum.partition(": ")
    if not colon:
        raise UsageError(f"{stratum!r} is no stratum", cure="'peak: in peak', 'kind: SNV', ...")
    return {name: strata.chosen(con, [name])[name]}, name, inside


def title(group: Group, stratum: str | None = None) -> str:
    """What rows a figure shows."""
    inside = "" if stratum is None else f" ({stratum})"
    name = "" if group.labels.name in ("all", "p-value", "conditional") else f", label set {group.labels.name}"
    return f"{group.tissue}{inside}: {group.labels.label} of {group.source}{name}"


def unit_of(group: Group) -> str:
    """The label and its unit, for an axis."""
    label = group.labels.label
    return f"{label} ({'p-value' if label == 'pval_nominal' else group.effect_unit or 'no unit given'})"
