"""What a comparison of the original study with the right one is made of: which labels, scorers and peaks are there.

Each is found by what it is, never by its place, and each can be named; what is not there is told in words.
"""

from collections.abc import Callable, Iterator
from dataclasses import KW_ONLY, dataclass
from typing import Any, NamedTuple

import duckdb

from agdb.analysis import RESAMPLES, check_draws, expression
from agdb.analysis import labels as label_sets
from agdb.analysis.labels import LabelSet
from agdb.errors import Refused, UsageError

#: The cell line of the original study's peaks, by ontology term.
K562 = "EFO:0002067"

#: Scorers by what they are in the comparison.
ROLES = ("original", "tracks", "mask", "rna")


@dataclass(frozen=True)
class Asked:
    """What is asked for; None for what is to be found.

    Attributes:
        label_set: The associations, by name of their label set.
        source: The QTL source.
        original: Scorer of the original study: mean of the window, all tracks. A scorer is named by name, NAME@WINDOW,
            or scorer_id.
        tracks: The same with the tracks of the cell type alone.
        mask: A centre mask of 501 bp.
        rna: Expression of the gene.
        peaks_as_given: Peak sources as the original study had them: of another assembly than the labels.
        peaks: Peak sources of the labels' assembly.
        pip: Fine-mapped means more than this.
        resamples, seed: Of the clusters.
    """

    label_set: str = "all"
    _: KW_ONLY
    source: int | None = None
    original: str | None = None
    tracks: str | None = None
    mask: str | None = None
    rna: str | None = None
    peaks_as_given: tuple[int, ...] | None = None
    peaks: tuple[int, ...] | None = None
    pip: float = 0.9
    resamples: int = RESAMPLES
    seed: int = 0

    def __post_init__(self) -> None:
        check_draws(self.resamples, self.seed)


class Scorer(NamedTuple):
    """A scorer that scored rows of the source, and how many."""

    scorer_id: str
    name: str
    window_bp: int
    output_type: str
    aggregation: str
    mask_bp: int | None
    track_set: str
    model: str
    is_signed: bool
    rows: int

    @property
    def told(self) -> str:
        """In words."""
        return f"{self.name} at {self.window_bp:,} bp ({self.scorer_id})"


class Source(NamedTuple):
    """The QTL source; whether its tissue is fine-mapped; how many rows are scored, have a slope, and have a p-value."""

    source_id: int
    name: str
    tissue: str
    assembly: str
    qtl_type: str | None
    is_fine_mapped: bool
    rows: int
    slopes: int
    p_values: int


@dataclass(frozen=True)
class Chosen:
    """What was asked for or found. `scorers` by role; `peaks_as_given` and `peaks` may be empty; `cluster_of` is `mb`
    where the label set wants blocks of linkage and there are none.
    """

    labels: LabelSet
    source: Source
    scorers: dict[str, Scorer]
    peaks_as_given: tuple[int, ...]
    peaks: tuple[int, ...]
    pip: float
    resamples: int
    seed: int
    cluster_of: str = ""

    @property
    def start(self) -> Scorer:
        """The scorer that it begins with: the original study's, or what is nearest to it."""
        return next(self.scorers[role] for role in ("original", *ROLES) if role in self.scorers)

    @property
    def arguments(self) -> dict[str, Any]:
        """What run.arguments keeps: the same again, whatever has been ingested since."""
        return {
            "label_set": self.labels.name, "source": self.source.source_id,
            **{role: of.scorer_id for role, of in self.scorers.items()}, "peaks_as_given": self.peaks_as_given,
            "peaks": self.peaks, "pip": self.pip, "resamples": self.resamples, "seed": self.seed,
        }  # fmt: skip

    def told(self, con: duckdb.DuckDBPyConnection) -> Iterator[str]:
        """What was chosen, a line each."""
        of = self.source
        yield (f"labels: source {of.source_id} ({of.name}, {of.tissue}), label set {self.labels.name}: {of.rows:,} "
               f"scored rows, {of.p_values:,} with a p-value, {of.slopes:,} with a slope")  # fmt: skip
        for role in ROLES:
            if role in self.scorers:
                yield f"{role}: {self.scorers[role].told}"
        for what, ids in (("peaks as given", self.peaks_as_given), ("peaks", self.peaks)):
            for line in con.execute(
                "SELECT 'source ' || source_id || ' (' || name || ', ' || coalesce(biosample, '') || ', ' || assembly "
                "|| coalesce(' from ' || lifted_from, '') || ')' FROM source WHERE list_contains(?, source_id) "
                "ORDER BY source_id", [list(ids)],
            ).fetchall():  # fmt: skip
                yield f"{what}: {line[0]}"


def chosen(con: duckdb.DuckDBPyConnection, asked: Asked) -> Chosen:
    """Find what is asked for.

    Raises:
        UsageError: a label set, source or scorer that is not there, or cannot be compared.
        Refused: nothing has been scored.
    """
    labels = label_sets.named(con, asked.label_set)
    if labels.label != "slope" or labels.unit != "pair":
        raise UsageError(f"label set {labels.name} is of {labels.label}, one row a {labels.unit}",
                         cure="take one of slopes and pairs: the comparison itself goes on to variants")  # fmt: skip
    if labels.is_pooled:
        raise UsageError(f"label set {labels.name} pools several sources", cure="take one that does not: agdb labels")
    if not 0 <= asked.pip < 1:
        raise UsageError(f"a PIP of more than {asked.pip:g} is none", cure="--pip is at least 0 and less than 1")
    rows = _scored(con, labels)
    if not rows:
        raise Refused("no association of this label set has a score yet",
                      cure="agdb predict SCORER, or agdb ingest predictions")  # fmt: skip
    source, scorers = _source(con, rows, asked.source)
    found = _roles(scorers, source, asked)
    return Chosen(labels, source, found, *_peaks(con, source, asked), asked.pip, asked.resamples, asked.seed)


_Rows = list[tuple[int, Scorer, int, int, int]]


def _scored(con: duckdb.DuckDBPyConnection, labels: LabelSet) -> _Rows:
    """(source, scorer, rows, slopes, p-values), of every QTL source and scorer that scored some of it."""
    rows = f"(FROM analysed_qtl WHERE ({labels.condition}))" if labels.condition else "scored_qtl"
    query = f"""
        SELECT q.source_id, r.scorer_id, r.name, r.window_bp, r.output_type, r.aggregation, r.mask_bp, r.track_set,
               r.model, r.is_signed, count(DISTINCT (q.chrom, q.pos, q.ref, q.alt, q.phenotype_id)) AS n,
               count(*) FILTER (q.label = 'slope' AND q.effect IS NOT NULL),
               count(DISTINCT (q.chrom, q.pos, q.ref, q.alt, q.phenotype_id)) FILTER (q.pval_nominal IS NOT NULL)
        FROM {rows} AS q JOIN scorer AS r ON r.scorer_id = q.scorer_id
        WHERE q.label IN ('slope', 'pval_nominal') AND ($sources IS NULL OR list_contains($sources, q.source_id))
        GROUP BY ALL ORDER BY q.source_id, r.name, r.window_bp, r.scorer_id"""
    asked = {"sources": None if labels.source_ids is None else list(labels.source_ids)}
    with expression.over_rows_of(labels.name):
        found = con.execute(query, asked).fetchall()
    return [(row[0], Scorer(*row[1:11]), *row[10:]) for row in found]


def _source(con: duckdb.DuckDBPyConnection, rows: _Rows, asked: int | None) -> tuple[Source, list[Scorer]]:
    """The source, and the scorers that scored it: the one with most rows of an original scorer, or of any."""
    if asked is not None and asked not in {source for source, *_ in rows}:
        raise UsageError(f"source {asked} has no scored association in this label set",
                         cure=f"one of {', '.join(map(str, dict.fromkeys(row[0] for row in rows)))}")  # fmt: skip
    best = max((row for row in rows if asked in (None, row[0])), key=lambda r: (_is_original(r[1]), r[2], -r[0]))
    own = [row for row in rows if row[0] == best[0]]
    of = con.execute(
        "SELECT source_id, name, tissue, assembly::VARCHAR, qtl_type, EXISTS (FROM source AS f WHERE f.kind = "
        "'credible' AND f.tissue = s.tissue AND f.assembly = s.assembly) FROM source AS s WHERE source_id = ?",
        [best[0]],
    ).fetchall()[0]
    n, slopes, p_values = (max(counts) for counts in zip(*((row[2], row[3], row[4]) for row in own), strict=True))
    return Source._make([*of, n, slopes, p_values]), [row[1] for row in own]


def _is_original(scorer: Scorer) -> bool:
    """Mean over the window and all tracks, ALT minus REF: as the study had it, or as agdb computes it."""
    return (scorer.mask_bp is None and scorer.track_set == "all" and scorer.is_signed
            and scorer.aggregation in ("SEQUENCE_DIFF_MEAN", "DIFF_MEAN"))  # fmt: skip


def _roles(scorers: list[Scorer], source: Source, asked: Asked) -> dict[str, Scorer]:
    """Scorers by role: those that were named, and those that are found by what they compute."""
    found: dict[str, Scorer] = {}

    def take(role: str, fits: Callable[[Scorer], bool], order: Callable[[Scorer], Any]) -> None:
        name = getattr(asked, role)
        fitting = [_named(scorers, name)] if name else sorted(filter(fits, scorers), key=order)
        if fitting:
            found[role] = fitting[0]

    def narrows(s: Scorer, of: Scorer) -> bool:
        return s.track_set not in ("", "all") and (s.model, s.output_type, s.window_bp, s.mask_bp, s.aggregation) == (
            of.model, of.output_type, of.window_bp, of.mask_bp, of.aggregation)  # fmt: skip

    take("original", _is_original, lambda s: (not any(narrows(t, s) for t in scorers), s.window_bp, -s.rows))
    start = found.get("original")
    take("tracks", lambda s: start is not None and narrows(s, start), lambda s: (s.track_set != K562, -s.rows))
    tracks = found["tracks"].track_set if "tracks" in found else K562
    output = start.output_type if start else "DNASE"
    take("mask", lambda s: s.mask_bp == 501 and s.output_type == output and s.is_signed,
         lambda s: (s.track_set != tracks, s.aggregation != "DIFF_LOG2_SUM", -s.window_bp, -s.rows))  # fmt: skip
    take("rna", lambda s: s.output_type == "RNA_SEQ" and s.is_signed,
         lambda s: (s.track_set != f"gtex_tissue={source.tissue}", -s.window_bp, -s.rows))  # fmt: skip
    if not found:
        fitting = sorted((s for s in scorers if s.is_signed), key=lambda s: (-s.rows, s.window_bp))
        if not fitting:
            raise Refused("the scores of this source have no direction", where=f"source {source.source_id}",
                          cure="predict with a signed scorer: agdb scorers")  # fmt: skip
        found["original"] = fitting[0]
    return found


def _named(scorers: list[Scorer], text: str) -> Scorer:
    name, at, window = text.rpartition("@")
    fits = [s for s in scorers if s.scorer_id == text or s.name == text
            or (at and s.name == name and str(s.window_bp) == window)]  # fmt: skip
    if len({s.scorer_id for s in fits}) != 1:
        known = ", ".join(f"{s.name}@{s.window_bp}" for s in (fits or scorers))
        raise UsageError(f"{'more than one scorer is' if fits else 'no scorer of this source is'} called {text!r}",
                         cure=f"one of {known}, or a scorer_id")  # fmt: skip
    if not fits[0].is_signed:
        raise UsageError(f"scorer {text} has no direction", cure="take a signed scorer: agdb scorers")
    return fits[0]


def _peaks(con: duckdb.DuckDBPyConnection, source: Source, asked: Asked) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Peak sources of another assembly, and of this one: those of K562 first, and those that were lifted to it."""
    found = con.execute(
        "SELECT source_id, biosample, assembly::VARCHAR, lifted_from IS NOT NULL FROM source WHERE kind = 'peaks' "
        "ORDER BY source_id"
    ).fetchall()
    there = {row[0]: row for row in found}
    for ids, is_same in ((asked.peaks_as_given, False), (asked.peaks, True)):
        for i in ids or ():
            if i not in there or (there[i][2] == source.assembly) != is_same:
                raise UsageError(f"source {i} is no peaks of {'' if is_same else 'another assembly than '}"
                                 f"{source.assembly}", cure="agdb status lists the sources")  # fmt: skip
    right = [row for row in found if row[2] == source.assembly]
    best = min(right, key=lambda r: (r[1] != "K562", not r[3], r[0]), default=None)
    peaks = asked.peaks if asked.peaks is not None else tuple(
        r[0] for r in right if best and r[1] == best[1] and r[3] == best[3])  # fmt: skip
    biosamples = {there[i][1] for i in peaks}
    given = asked.peaks_as_given if asked.peaks_as_given is not None else tuple(
        r[0] for r in found if r[2] != source.assembly and (not biosamples or r[1] in biosamples))  # fmt: skip
    return given, peaks
