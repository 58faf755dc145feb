"""View `score`, one number of several tracks and computations, and what stands on it; beside plain Python."""

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import duckdb
import pytest
from conftest import Ask
from hypothesis import given, settings
from hypothesis import strategies as st
from predictors import TRACKS, computation
from rows import add_qtls, add_snvs, add_source, forget, insert, parts

from agdb import db
from agdb.ingest.tracks import track_ids
from agdb.predict import merge
from agdb.predictors.contract import Scorer, Track

ATLAS, MODEL = computation("atlas"), computation("model")
#: Places of the tracks of each track set.
SETS = {"EFO:1": [0], "EFO:2,CL:3": [1, 2], "all": [0, 1, 2]}
OF_TRACKS: dict[str | None, Callable[[list[float]], float]] = {
    None: lambda scores: scores[0],
    "mean": lambda scores: sum(scores) / len(scores),
    "max_abs": lambda scores: max(scores, key=lambda x: (abs(x), x)),
}
SCORERS = [
    Scorer(f"{of}-{how}-{len(by)}", by, of, how)
    for of, how in (("EFO:1", None), ("EFO:2,CL:3", "mean"), ("all", "mean"), ("all", "max_abs"))
    for by in ((MODEL,), (ATLAS, MODEL))
]

#: Of a computation, variant, gene and track (by its place): a score.
Cell = tuple[str, str, str | None, int]


def known(con: duckdb.DuckDBPyConnection, scorers: list[Scorer], tracks: tuple[Track, ...] = TRACKS) -> list[int]:
    """Make the scorers known; returns the numbers of the tracks."""
    for scorer in scorers:
        merge.register(con, scorer, tracks)
    return track_ids(con, "fake", tracks)


def add(
    con: duckdb.DuckDBPyConnection, ids: list[int], cells: dict[Cell, float], kept: dict[tuple[str, str], str]
) -> None:
    """Store scores, and which tracks of a computation and variant were kept."""
    insert(con, "prediction (computation_id, assembly, chrom, pos, ref, alt, gene_id, track_id, score)",
           [[c, "GRCh38", *parts(v), gene, ids[t], score] for (c, v, gene, t), score in cells.items()])  # fmt: skip
    insert(con, "scored_variant (computation_id, assembly, chrom, pos, ref, alt, tracks, run_id)",
           [[c, "GRCh38", *parts(v), tracks, 1] for (c, v), tracks in kept.items()])  # fmt: skip


def scores(con: duckdb.DuckDBPyConnection, scorer: Scorer) -> dict[tuple[str, str | None], tuple[str, float]]:
    """What the view says: of each variant and gene the provider and the score; each stands once."""
    rows = con.execute("SELECT variant_id(chrom, pos, ref, alt), gene_id, provider, score FROM score "
                       "WHERE scorer_id = ?", [scorer.scorer_id]).fetchall()  # fmt: skip
    found = {(v, gene): (provider, score) for v, gene, provider, score in rows}
    assert len(found) == len(rows)
    return found


@pytest.fixture(scope="module")
def shared(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """One database for all examples of a property."""
    path = tmp_path_factory.mktemp("score") / "study.duckdb"
    path.write_bytes(template_db.read_bytes())
    with db.writing(path) as con:
        yield con


VARIANTS = ["chr1_10_A_C", "chr1_20_A_C"]
NUMBERS = st.integers(-8, 8).map(lambda n: n / 4)  # exact, with ties


@st.composite
def stores(draw: st.DrawFn) -> tuple[dict[Cell, float], dict[tuple[str, str], str]]:
    """What two computations have scored: each variant not at all, in all tracks, or in one; some cells have none."""
    genes: list[str | None] = draw(st.sampled_from([[None], ["G1", "G2"]]))
    cells: dict[Cell, float] = {}
    kept: dict[tuple[str, str], str] = {}
    for of, variant in product((ATLAS.computation_id, MODEL.computation_id), VARIANTS):
        tracks = draw(st.sampled_from([None, "all", "all", "EFO:1"]))
        if tracks is None:
            continue
        kept[of, variant] = tracks
        for gene, track in product(genes, SETS[tracks]):
            if draw(st.integers(0, 9)):  # one in ten is missing, as on the other strand
                cells[of, variant, gene, track] = draw(NUMBERS)
    return cells, kept


def expected(
    scorer: Scorer, cells: dict[Cell, float], kept: dict[tuple[str, str], str]
) -> dict[tuple[str, str | None], tuple[str, float]]:
    """The number of each variant and gene, of the first computation that scored the variant in the tracks needed: those
    of the terms, or all that it has scored at all.
    """
    found = {}
    for variant, gene in product(VARIANTS, (None, "G1", "G2")):
        able = [c for c in scorer.computations if kept.get((c.computation_id, variant)) in ("all", scorer.track_set)]
        if not able:
            continue
        scored = {track for of, _, _, track in cells if of == able[0].computation_id}
        of = [track for track in SETS[scorer.track_set] if scorer.track_set != "all" or track in scored]
        of_tracks = [cells.get((able[0].computation_id, variant, gene, track)) for track in of]
        given_ = [score for score in of_tracks if score is not None]
        if of and len(given_) == len(of):
            found[variant, gene] = (able[0].provider, OF_TRACKS[scorer.track_aggregation](given_))
    return found


@settings(deadline=None, max_examples=20)
@given(stored=stores())
def test_a_score_is_made_of_all_its_tracks_by_the_preferred_computation_that_has_them(
    shared: duckdb.DuckDBPyConnection, stored: tuple[dict[Cell, float], dict[tuple[str, str], str]]
) -> None:
    forget(shared)
    add(shared, known(shared, SCORERS), *stored)
    for scorer in SCORERS:
        assert scores(shared, scorer) == expected(scorer, *stored), scorer.name


@settings(deadline=None, max_examples=20)
@given(stored=stores(), failed=st.sets(st.tuples(st.sampled_from([ATLAS, MODEL]), st.sampled_from(VARIANTS))))
def test_what_is_pending_has_neither_an_answer_nor_a_failure_of_the_last_computation(
    shared: duckdb.DuckDBPyConnection,
    stored: tuple[dict[Cell, float], dict[tuple[str, str], str]],
    failed: set[tuple[object, str]],
) -> None:
    forget(shared)
    add_snvs(shared, 2)
    cells, kept = stored
    add(shared, known(shared, SCORERS), cells, kept)
    insert(shared, "failure (computation_id, assembly, chrom, pos, ref, alt, reason, attempts, last_at, run_id)",
           [[c.computation_id, "GRCh38", *parts(v), "no", 1, "2026-01-01", 1] for c, v in failed])  # type: ignore[attr-defined]  # fmt: skip
    for scorer in SCORERS:
        answers = {
            v: c.computation_id
            for v in VARIANTS for c in reversed(scorer.computations)
            if kept.get((c.computation_id, v)) in ("all", scorer.track_set)
        }  # fmt: skip
        rows = shared.execute("SELECT variant_id(chrom, pos, ref, alt), computation_id FROM answer "
                              "WHERE scorer_id = ?", [scorer.scorer_id]).fetchall()  # fmt: skip
        assert sorted(rows) == sorted(answers.items())
        left = [v for v in VARIANTS if v not in answers and (scorer.computations[-1], v) not in failed]
        rows = shared.execute("SELECT variant_id FROM pending WHERE scorer_id = ? ORDER BY pos",
                              [scorer.scorer_id]).fetchall()  # fmt: skip
        assert [v for (v,) in rows] == left


def test_tracks_that_the_computation_has_not_scored_are_none_of_all_but_a_term_that_it_lacks_is_missed(
    con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    """As after a table of tracks, or the run of another model, that knows more of them."""
    every, named = Scorer("all", (MODEL,), "all", "mean"), Scorer("named", (MODEL,), "EFO:1,EFO:9", "mean")
    ids = known(con, [every, named])
    cells: dict[Cell, float] = {(MODEL.computation_id, VARIANTS[0], None, t): float(t) for t in range(3)}
    add(con, ids, cells, {(MODEL.computation_id, VARIANTS[0]): "all"})
    for new in ((), (Track("DNASE", "EFO:9 DNase-seq", ".", "EFO:9"),)):
        track_ids(con, "fake", new)
        assert scores(con, every) == {(VARIANTS[0], None): ("model", 1.0)}
        assert scores(con, named) == {}


def test_other_values_are_means_of_the_tracks_and_a_quantile_is_of_one_track_alone(
    con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    one, mean, most = Scorer("1", (MODEL,), "EFO:1"), *(Scorer(h, (MODEL,), "all", h) for h in ("mean", "max_abs"))
    ids = known(con, [one, mean, most])
    cells: dict[Cell, float] = {(MODEL.computation_id, VARIANTS[0], None, t): s for t, s in enumerate((1.0, -5.0, 4.0))}
    add(con, ids, cells, {(MODEL.computation_id, VARIANTS[0]): "all"})
    con.execute("UPDATE prediction SET quantile = track_id / 10, ref_value = track_id, alt_value = 10 * track_id")
    columns = "score, quantile, ref_value, alt_value"
    found = [ask(f"SELECT {columns} FROM score WHERE scorer_id = ?", s.scorer_id) for s in (one, mean, most)]
    assert found == [[(1.0, 0.1, 1.0, 10.0)], [(0.0, None, 2.0, 20.0)], [(-5.0, None, None, None)]]


def test_of_two_scores_that_are_as_far_from_0_the_larger_one_is_the_furthest(
    con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    most = Scorer("most", (MODEL,), "all", "max_abs")
    ids = known(con, [most])
    cells: dict[Cell, float] = {(MODEL.computation_id, VARIANTS[0], None, t): s for t, s in enumerate((-2.0, 1.0, 2.0))}
    add(con, ids, cells, {(MODEL.computation_id, VARIANTS[0]): "all"})
    assert scores(con, most) == {(VARIANTS[0], None): ("model", 2.0)}


def test_the_two_strands_of_an_experiment_are_two_tracks(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    """The same name and curie; neither is lost, and neither alone makes a score."""
    strands = tuple(Track("DNASE", "K562 RNA", strand, "EFO:1") for strand in "+-")
    mean = Scorer("mean", (MODEL,), "EFO:1", "mean")
    ids = known(con, [mean], strands)
    assert len(set(ids)) == 2
    cells: dict[Cell, float] = {(MODEL.computation_id, VARIANTS[0], None, t): s for t, s in enumerate((1.0, 4.0))}
    cells[MODEL.computation_id, VARIANTS[1], None, 0] = 7.0
    add(con, ids, cells, {(MODEL.computation_id, v): "all" for v in VARIANTS})
    assert scores(con, mean) == {(VARIANTS[0], None): ("model", 2.5)}


def test_tracks_are_found_by_curie_and_tissue_within_their_model_and_output_alone(
    con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    ids = known(con, SCORERS)
    others = [
        Track("ATAC", "other output", ".", "EFO:1"),
        Track("DNASE", "tissue", ".", "UBERON:1", gtex_tissue="Lung"),
    ]
    track_ids(con, "fake", others)
    track_ids(con, "another model", TRACKS)
    lung = Scorer("lung", (MODEL,), "gtex_tissue=Lung")
    merge.register(con, lung)
    query = "SELECT track_id FROM scorer_track WHERE scorer_id = ? ORDER BY 1"
    found = {s.name: [track for (track,) in ask(query, s.scorer_id)] for s in [*SCORERS, lung]}
    assert found["EFO:1-None-1"] == [ids[0]]
    assert found["EFO:2,CL:3-mean-1"] == ids[1:]
    assert found["all-mean-1"] == [*ids, max(ids) + 2]
    assert found["lung"] == [max(ids) + 2]


def test_a_number_without_a_track_is_the_score(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    """As a file of somebody else's predictions brings it."""
    imported = Scorer("imported", (computation("import"),), "all")
    merge.register(con, imported)
    insert(con, "prediction (computation_id, assembly, chrom, pos, ref, alt, score)",
           [[imported.of.computation_id, "GRCh38", *parts(v), 3.0] for v in VARIANTS])  # fmt: skip
    assert scores(con, imported) == {(v, None): ("import", 3.0) for v in VARIANTS}


@pytest.mark.parametrize("how", [None, "mean"])
def test_a_score_of_a_gene_meets_its_associations_with_and_without_version(
    how: str | None, con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    scorer = Scorer("genes", (MODEL,), "EFO:1" if how is None else "all", how)
    ids = known(con, [scorer])
    add_source(con, 1)
    variants = add_snvs(con, 2)
    add_qtls(con, 1, [*variants, variants[0]], [0.1, 0.2, 0.3], gene=["ENSG1.7", "ENSG2", "ENSG3"])
    cells: dict[Cell, float] = {
        (MODEL.computation_id, v, gene, t): 10.0 * i + int(gene[-1])
        for i, v in enumerate(variants) for gene in ("ENSG1", "ENSG2") for t in range(3)
    }  # fmt: skip
    add(con, ids, cells, {(MODEL.computation_id, v): "all" for v in variants})
    found = ask("SELECT variant_id, gene_id, slope, score FROM scored_qtl ORDER BY pos")
    assert found == [(variants[0], "ENSG1.7", 0.1, 1.0), (variants[1], "ENSG2", 0.2, 12.0)]
