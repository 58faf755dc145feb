"""Label sets: which associations, what a row is, and what is drawn as a whole. They are rows of table `label_set`."""

from dataclasses import dataclass

import duckdb

from agdb import db
from agdb.analysis import expression
from agdb.errors import Refused, UsageError

UNITS, CLUSTERS, LABELS = (
    ("pair", "variant"),
    ("block", "gene", "chrom"),
    ("slope", "conditional_slope", "pval_nominal"),
)


@dataclass(frozen=True)
class LabelSet:
    """A row of table `label_set`; its columns say what each attribute is."""

    name: str
    label: str = "slope"
    source_ids: tuple[int, ...] | None = None
    condition: str | None = None
    unit: str = "pair"
    cluster: str = "block"
    about: str = ""

    @property
    def where(self) -> str:
        """SQL condition over the columns of view analysed_qtl."""
        parts = [f"label = '{self.label}'"]
        if self.source_ids is not None:
            parts.append(f"source_id IN ({', '.join(map(str, self.source_ids))})")
        if self.condition:
            parts.append(f"({self.condition})")
        return " AND ".join(parts)

    @property
    def one_a_variant(self) -> str:
        """SQL that leaves one row a variant, where that is the unit: the association with the smallest p-value."""
        if self.unit == "pair":
            return ""
        key = "source_id, scorer_id, assembly, chrom, pos, ref, alt"
        best = "pval_nominal, abs(effect - null_value) DESC, phenotype_id"
        return f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {best}) = 1"


def stored(con: duckdb.DuckDBPyConnection) -> list[LabelSet]:
    """All label sets, in the order in which they were made."""
    rows = con.execute(
        "SELECT name, label, source_ids, condition, unit, cluster, about FROM label_set ORDER BY created_at, rowid"
    ).fetchall()
    return [LabelSet(n, label, None if ids is None else tuple(ids), *rest) for n, label, ids, *rest in rows]


def named(con: duckdb.DuckDBPyConnection, name: str) -> LabelSet:
    """The label set of a name.

    Raises:
        UsageError: there is none.
    """
    known = {s.name: s for s in stored(con)}
    if name not in known:
        raise UsageError(
            f"there is no label set {name!r}", cure=f"one of {', '.join(known)}; agdb labels --add makes one"
        )
    return known[name]


def add(con: duckdb.DuckDBPyConnection, new: LabelSet) -> None:
    """Store a label set.

    Raises:
        UsageError: its name is taken, it says what nobody knows, or its condition is not SQL on view analysed_qtl.
        Refused: its sources are not there. (Sources are analysed one after the other: their units never meet.)
    """
    for what, value, known in (("label", new.label, LABELS), ("unit", new.unit, UNITS), ("cluster", new.cluster,
                               CLUSTERS)):  # fmt: skip
        if value not in known:
            raise UsageError(f"unknown {what} {value!r}", cure=f"one of {', '.join(known)}")
    if not new.name.strip():
        raise UsageError("a label set needs a name", cure="agdb labels --add NAME")
    if new.name in {s.name for s in stored(con)}:
        raise UsageError(f"there is a label set {new.name!r} already", cure="take another name: results refer to it")
    check(con, new)
    con.execute(
        "INSERT INTO label_set VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [new.name, new.label, None if new.source_ids is None else list(new.source_ids), new.condition, new.unit,
         new.cluster, new.about, db.utc_now()],
    )  # fmt: skip


def check(con: duckdb.DuckDBPyConnection, labels: LabelSet) -> None:
    """Refuse a label set that cannot be asked for. Raises as `add` does."""
    if labels.source_ids is not None:
        query = "SELECT source_id FROM source WHERE list_contains(?, source_id) AND effect IS NOT NULL"
        missing = set(labels.source_ids) - {i for (i,) in con.execute(query, [list(labels.source_ids)]).fetchall()}
        if missing:
            raise Refused(f"source {min(missing)} is no source of effects", cure="agdb status lists the sources")
    if labels.condition is not None:
        expression.check(con, labels.condition, f"the condition of label set {labels.name}", is_condition=True)
