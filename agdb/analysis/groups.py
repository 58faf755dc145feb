"""What is analysed together: a label set in a source, or in several that are pooled, and the scorers of its rows."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple

import duckdb

from agdb.analysis.labels import LabelSet


class Group(NamedTuple):
    """Rows that are analysed together: a label set in one source, against one scorer or several on the same rows."""

    labels: LabelSet
    source_id: int
    source: str
    tissue: str
    effect_unit: str | None
    null_value: float
    qtl_type: str | None
    scorers: tuple["OneScorer", ...]
    pooled: tuple[int, ...] = ()

    @property
    def source_ids(self) -> tuple[int, ...]:
        """Its QTL sources: several where the label set pools them; `source_id` is then the first that has the label."""
        return self.pooled or (self.source_id,)

    @property
    def where(self) -> str:
        """SQL of the rows of view analysed_qtl that are its own, those of its first scorer."""
        ids = ", ".join(map(str, self.source_ids))
        return f"source_id IN ({ids}) AND scorer_id = '{self.scorers[0].scorer_id}' AND {self.labels.where}"


class OneScorer(NamedTuple):
    """A scorer of a group."""

    scorer_id: str
    name: str
    window_bp: int
    is_signed: bool
    family: str
    output_type: str


@contextmanager
def probing_with_associations(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Joins whose hash tables are made of what is joined to the associations, as the views write them.

    DuckDB takes 2.4 M associations for the smaller side of most of these joins, and puts all columns of them into one
    hash table after the other: 5.2 GB and 16 core seconds, where this takes 1.8 GB and 5. What it has freed is given
    back by threads of its allocator, else 1 GB would stay with it while the rows are measured.
    """
    con.execute("SET allocator_background_threads = true")
    ((before,),) = con.execute("SELECT current_setting('disabled_optimizers')").fetchall()
    con.execute("SET disabled_optimizers = 'build_side_probe_side'")
    try:
        yield
    finally:
        con.execute(f"SET disabled_optimizers = '{before}'")


def groups(
    con: duckdb.DuckDBPyConnection,
    labels: LabelSet,
    scorer: str | None = None,
    window: int | None = None,
    source_id: int | None = None,
) -> list[Group]:
    """The sources of a label set and the scorers that scored them, one scorer a group.

    Args:
        con: A connection.
        labels: The label set.
        scorer, window: Scorers of this name and window alone; None for all.
        source_id: This source alone; None for all. The others are not read then.
    """
    own = labels
    if source_id is not None:
        if labels.source_ids is not None and source_id not in labels.source_ids:
            return []
        own = replace(labels, source_ids=(source_id,))
    if not con.execute("SELECT 1 FROM label WHERE label = ? LIMIT 1", [labels.label]).fetchall():
        return []  # no join is needed to tell
    with probing_with_associations(con):
        found = _scored(con, own, scorer, window)
    of_sources = [
        Group(labels, source_id, source, tissue, unit, null, qtl_type, (OneScorer(*scorer),))
        for source_id, source, tissue, unit, null, qtl_type, *scorer in found
    ]
    return _pooled(of_sources, _first(con, labels)) if labels.is_pooled else of_sources


def _first(con: duckdb.DuckDBPyConnection, labels: LabelSet) -> int:
    """The source by which results of a pool are known: the same for every scorer, whichever sources it scored."""
    if labels.source_ids is not None:
        return min(labels.source_ids)
    found = con.execute("SELECT min(source_id) FROM label WHERE label = ?", [labels.label]).fetchall()
    return int(found[0][0])


def _pooled(groups: list[Group], first: int) -> list[Group]:
    """One group a scorer, of all sources that it scored."""
    by_scorer: dict[str, list[Group]] = {}
    for group in groups:
        by_scorer.setdefault(group.scorers[0].scorer_id, []).append(group)

    def told(names: Iterable[str], what: str) -> str:
        known = list(dict.fromkeys(names))
        return ", ".join(known) if len(known) <= 3 else f"{len(known)} {what}"

    return [
        same[0]._replace(
            source_id=first, source=told((g.source for g in same), "sources"),
            tissue=told((g.tissue for g in same), "tissues"),
            qtl_type=same[0].qtl_type if len({g.qtl_type for g in same}) == 1 else None,
            pooled=tuple(g.source_id for g in same),
        )
        for same in by_scorer.values()
    ]  # fmt: skip


def together(of: Sequence[Group]) -> Iterator[Group]:
    """Merge groups into one with all their scorers, to compare them on the same rows. A pooled group keeps only the
    sources that every scorer has scored; none is left where they share none.
    """
    shared = tuple(i for i in of[0].source_ids if all(i in g.source_ids for g in of))
    if shared:
        named = next((g for g in of if g.source_ids == shared), of[0])
        yield named._replace(scorers=tuple(g.scorers[0] for g in of), pooled=shared if of[0].pooled else ())


def _scored(
    con: duckdb.DuckDBPyConnection, labels: LabelSet, scorer: str | None, window: int | None
) -> list[tuple[Any, ...]]:
    """The columns of groups. One chromosome tells them, if every scorer has scored every source there."""
    # sources as constants, by which parts of the table are passed over; as a parameter every row would be read
    ids = None if labels.source_ids is None else ", ".join(map(str, labels.source_ids))
    of_sources = "" if ids is None else f" AND q.source_id IN ({ids})"
    asked = {"label": labels.label, "scorer": scorer, "window": window}
    ((sources, scorers, is_own, chrom),) = con.execute(
        "SELECT count(DISTINCT source_id), (SELECT count(*) FROM scorer AS r WHERE ($scorer IS NULL OR r.name = "
        "$scorer) AND ($window IS NULL OR r.window_bp = $window)), bool_and(source_id = label_source_id), min(chrom) "
        f"FROM label AS q WHERE label = $label{of_sources}", asked,
    ).fetchall()  # fmt: skip
    if is_own:  # else the labels of a source are of several, and of several kinds perhaps
        found = _scored_on(con, asked, of_sources, chrom)
        if len(found) == sources * scorers:
            return found
    return _scored_on(con, asked, of_sources, None)


def _scored_on(
    con: duckdb.DuckDBPyConnection, asked: dict[str, Any], of_sources: str, chrom: str | None
) -> list[tuple[Any, ...]]:
    """The columns of groups that have a score on a chromosome; None for all."""
    return con.execute(
        # a p-value of 1e-150 less 1 is -1: their order would be lost; labels of several sources may be of several kinds
        "SELECT q.source_id, s.name, q.tissue, any_value(q.effect_unit), "
        "any_value(if(q.label = 'pval_nominal', 0, coalesce(t.null_value, 0))), "
        "if(count(DISTINCT t.qtl_type) = 1, any_value(t.qtl_type), NULL), "
        "q.scorer_id, q.scorer, q.window_bp, q.is_signed, q.family, r.output_type FROM scored_qtl AS q "
        "JOIN source AS s ON s.source_id = q.source_id JOIN source AS t ON t.source_id = q.label_source_id "
        "JOIN scorer AS r ON r.scorer_id = q.scorer_id WHERE q.label = $label "
        f"{of_sources} AND ($scorer IS NULL OR q.scorer = $scorer) "
        f"AND ($window IS NULL OR q.window_bp = $window){' AND q.chrom = $chrom' if chrom else ''} "
        "GROUP BY q.source_id, s.name, q.tissue, q.scorer_id, q.scorer, q.window_bp, q.is_signed, q.family, "
        "r.output_type ORDER BY q.source_id, q.scorer, q.window_bp, q.scorer_id",
        asked | ({"chrom": chrom} if chrom else {}),
    ).fetchall()
