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

#: Those of a new database, which commands ask for by name.
OWN = ("all", "lead", "fine-mapped", "egenes", "no-mhc", "conditional", "p-value")


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
    is_pooled: bool = False

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
        """SQL that leaves one row a variant, where that is the unit: the association with the smallest p-value.

        Of pooled sources that hold the same pair of the same tissue (a file of pairs and one of genes), one row counts.
        """
        key = "scorer_id, assembly, chrom, pos, ref, alt"
        if self.unit == "pair":
            same = f"{key}, tissue, phenotype_id ORDER BY source_id"
            return f"QUALIFY row_number() OVER (PARTITION BY {same}) = 1" if self.is_pooled else ""
        key = key if self.is_pooled else f"source_id, {key}"
        best = "pval_nominal, abs(effect - null_value) DESC, phenotype_id"
        return f"QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {best}) = 1"


def stored(con: duckdb.DuckDBPyConnection) -> list[LabelSet]:
    """All label sets, in the order in which they were made."""
    rows = con.execute(
        "SELECT name, label, source_ids, condition, unit, cluster, about, is_pooled FROM label_set "
        "ORDER BY created_at, rowid"
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
        Refused: its sources are not there, or it pools unlike units. (Others analyse one source after the other.)
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
        "INSERT INTO label_set (name, label, source_ids, condition, unit, cluster, about, created_at, is_pooled) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [new.name, new.label, None if new.source_ids is None else list(new.source_ids), new.condition, new.unit,
         new.cluster, new.about, db.utc_now(), new.is_pooled],
    )  # fmt: skip


def remove(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Remove a label set.

    Raises:
        UsageError: there is none of this name, or it is one of agdb's own.
        Refused: results refer to it: nothing would say any more which rows they are of.
    """
    named(con, name)
    if name in OWN:
        raise UsageError(f"label set {name} is one of agdb's own", cure="those that agdb labels --add made can go")
    ((n, run_id),) = con.execute("SELECT count(*), min(run_id) FROM result WHERE label_set = ?", [name]).fetchall()
    if n:
        raise Refused(
            f"results refer to label set {name}: {n:,}, the first of run {run_id}",
            cure="leave it: it says which rows they are of; agdb labels --add OTHER makes one of another name",
        )
    con.execute("DELETE FROM label_set WHERE name = ?", [name])


def check(con: duckdb.DuckDBPyConnection, labels: LabelSet) -> None:
    """Refuse a label set that cannot be asked for. Raises as `add` does."""
    if labels.source_ids is not None:
        query = "SELECT source_id FROM source WHERE list_contains(?, source_id) AND effect IS NOT NULL"
        missing = set(labels.source_ids) - {i for (i,) in con.execute(query, [list(labels.source_ids)]).fetchall()}
        if missing:
            raise Refused(f"source {min(missing)} is no source of effects", cure="agdb status lists the sources")
    if labels.condition is not None:
        expression.check(con, labels.condition, f"the condition of label set {labels.name}", is_condition=True)
    if labels.is_pooled:
        _check_pool(con, labels)


def _check_pool(con: duckdb.DuckDBPyConnection, labels: LabelSet) -> None:
    """Refuse to pool what has no common measure, and clusters of which a variant may have several."""
    if labels.cluster == "gene":
        raise UsageError("a variant of pooled tissues belongs to several genes: they are no clusters",
                         cure="--cluster block, or chrom: each variant is in one of them")  # fmt: skip
    found = con.execute(
        "SELECT coalesce(effect_unit, 'no unit') || ' (null ' || coalesce(null_value, 0) || ')' AS unit, "
        "min(source_id) FROM label WHERE label = ? AND (? IS NULL OR list_contains(?, source_id)) GROUP BY unit "
        "ORDER BY min(source_id)",
        [labels.label, *2 * [None if labels.source_ids is None else list(labels.source_ids)]],
    ).fetchall()
    if len(found) > 1:
        told = ", ".join(f"{unit}, e.g. source {source}" for unit, source in found)
        raise Refused(
            f"effects of unlike units cannot be pooled: {told}", where=f"label set {labels.name}",
            cure="name those of one unit: --source; agdb sql 'SELECT source_id, effect_unit FROM source'",
        )  # fmt: skip
