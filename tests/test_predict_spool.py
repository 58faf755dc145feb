"""Batches on disk and their way into the database: whole or not at all, once, and only into the study they are of."""

import errno
import fcntl
import json
import os
import stat
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from predictors import TRACKS, FakePredictor, answer, computation, score_of, scorer
from runs import QUICK, asked, content, held, merged, predict, stored, study, variants

from agdb import db
from agdb.errors import DatabaseBusy, Refused
from agdb.predict import merge, run, work
from agdb.predict.pool import Outcome
from agdb.predict.run import Place
from agdb.predict.spool import Header, Run, Spool, batches, folder_of, header_of
from agdb.predict.work import Choice, Spooled
from agdb.predict.work_none import why
from agdb.predictors.contract import Answer, Scorer, Variant, VariantFailed

RUN = Run("a" * 32, "fake 1.0", "1", "{}", "2026-01-01T00:00:00", "2026-01-01T00:01:00", "done", 9, 5, 1.5)


def header(scorer_: Scorer | None = None, kept: str = "all", target: str = "prediction", **of_run: object) -> Header:
    """What a batch of the fake predictor says of itself."""
    by = scorer_ or scorer()
    return Header(target, by, by.of, kept, TRACKS, replace(RUN, **of_run))  # type: ignore[arg-type]


def scored(variant: Variant, shift: float = 0.0) -> Outcome:
    """An answer, all of whose scores are shifted."""
    return Outcome(variant, Answer(answer(variant).scores + shift), None, 1)


def failed(variant: Variant, reason: str = "no_such", attempts: int = 1) -> Outcome:
    """A refusal."""
    return Outcome(variant, None, reason, attempts)


def write(folder: Path, outcomes: list[Outcome], head: Header | None = None) -> Path:
    """A batch file."""
    with Spool(folder) as spool:
        return spool.write(head or header(), outcomes)


@pytest.fixture
def folder(fresh_db: Path) -> Path:
    """A study of five SNVs, and a folder beside it."""
    study(fresh_db)
    return fresh_db.parent / "out"


# Round trip

NUMBERS = st.floats(-1e6, 1e6, width=32)


@st.composite
def answers(draw: st.DrawFn) -> Answer | None:
    """Of any number of genes, with any of the other values."""
    genes = draw(st.none() | st.lists(st.sampled_from(["G1", "G2", "G3"]), unique=True))
    shape = (1 if genes is None else len(genes), len(TRACKS))
    cells = NUMBERS if genes is None else NUMBERS | st.just(float("nan"))
    size = shape[0] * shape[1]

    def values(of: st.SearchStrategy[float]) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
        return np.array(draw(st.lists(of, min_size=size, max_size=size)), dtype=np.float32).reshape(shape)

    others = [values(NUMBERS) if draw(st.booleans()) else None for _ in range(3)]
    return draw(st.sampled_from([None, Answer(values(cells), None if genes is None else tuple(genes), *others)]))


@settings(deadline=None, max_examples=15)
@given(given_=st.lists(answers(), max_size=5), keep=st.none() | st.just([0]) | st.just([2, 0]))
def test_what_was_answered_is_what_is_stored(
    shared_db: Path, given_: list[Answer | None], keep: list[int] | None
) -> None:
    with db.writing(shared_db) as con:
        for table in ("prediction", "scored_variant", "failure", "run", "track"):
            con.execute(f"DELETE FROM {table}")
    kept = [0, 1, 2] if keep is None else keep
    outcomes = [Outcome(v, a, None if a else "no", 3) for v, a in zip(variants(5), given_, strict=False)]
    head = replace(header(), tracks=tuple(TRACKS[t] for t in kept))
    with Spool(shared_db.parent / "round") as spool:
        merge.merge(shared_db, [spool.write(head, outcomes, keep)])
    expected = sorted(
        (v.pos, gene, TRACKS[track].name, *(None if x is None else float(x[row, track]) for x in (
            a.scores, a.quantiles, a.ref_values, a.alt_values)))
        for v, a in zip(variants(5), given_, strict=False) if a is not None
        for row, gene in enumerate(a.genes if a.genes is not None else ["-"])
        for track in kept if not np.isnan(a.scores[row, track])
    )  # fmt: skip
    found = asked(shared_db, "SELECT pos, coalesce(gene_id, '-'), t.name, score, quantile, ref_value, alt_value "
                             "FROM prediction JOIN track AS t USING (track_id)")  # fmt: skip
    assert sorted(found) == expected
    assert stored(shared_db) == [o.variant for o in outcomes if o.answer]
    failures = asked(shared_db, "SELECT pos, reason, attempts FROM failure ORDER BY pos")
    assert failures == [(o.variant.pos, "no", 3) for o in outcomes if not o.answer]


@pytest.fixture(scope="module")
def shared_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One database for all examples of a property."""
    path = tmp_path_factory.mktemp("shared") / "study.duckdb"
    db.create(path)
    study(path)
    return path


def test_a_batch_says_all_that_is_needed_to_merge_it(folder: Path) -> None:
    path = write(folder, [])
    assert header_of(path) == header()
    assert [p.name for p in folder.iterdir()] == [path.name]


def test_a_batch_without_outcomes_tells_how_the_run_stands(fresh_db: Path, folder: Path) -> None:
    write(folder, [])
    assert merged(fresh_db, folder) == (1, 0, 0)
    assert asked(fresh_db, "SELECT status, n_calls, n_rows, seconds_waited FROM run") == [("done", 9, 5, 1.5)]


# Merged once, in any order


def test_merging_twice_is_merging_once(fresh_db: Path, folder: Path) -> None:
    path = write(folder, [scored(v) for v in variants(3)] + [failed(v) for v in variants(5)[3:]])
    copy = path.read_bytes()
    assert merged(fresh_db, folder) == (1, 3, 2)
    once = content(fresh_db)
    write(folder, []).write_bytes(copy)  # as if the process had been killed before it could remove the file
    assert merged(fresh_db, folder) == (1, 0, 0)
    assert content(fresh_db) == once


def test_a_merged_file_of_the_spool_is_removed_with_its_folder(fresh_db: Path, folder: Path) -> None:
    write(folder_of(fresh_db) / scorer().of.computation_id, [scored(v) for v in variants(3)])
    assert merged(fresh_db) == (1, 3, 0)
    assert not folder_of(fresh_db).exists()


def test_a_merged_file_of_another_folder_stays_and_is_not_merged_again(fresh_db: Path, folder: Path) -> None:
    path = write(folder, [scored(v) for v in variants(3)])
    before = path.read_bytes()
    assert merged(fresh_db, folder).scored == 3
    assert ([p.name for p in batches(folder, with_merged=True)], path.read_bytes()) == ([path.name], before)
    assert merged(fresh_db, folder) == merge.merge(fresh_db, [path]) == (0, 0, 0)
    later = write(folder, [scored(variants(4)[3])])
    assert batches(folder) == [later]
    assert merged(fresh_db, folder).scored == 1


def test_a_note_of_what_is_merged_that_was_cut_short_costs_another_merge_that_adds_nothing(
    fresh_db: Path, folder: Path
) -> None:
    first, second = (write(folder, [scored(v)]) for v in variants(2))
    merged(fresh_db, folder)
    note = folder / "agdb-merged.txt"
    note.write_text(note.read_text()[:-9])
    assert batches(folder) == [max(first, second, key=lambda path: note.read_text().find(path.name) < 0)]
    assert [merged(fresh_db, folder) for _ in range(3)] == [(1, 0, 0), (1, 0, 0), (0, 0, 0)]


def test_merging_leaves_what_is_not_of_agdb_as_it_is(fresh_db: Path, folder: Path) -> None:
    """Batches of several machines, collected in somebody's home."""
    path = write(folder, [scored(v) for v in variants(3)])
    (folder / ".git").mkdir()
    for name in (".bashrc", ".git/HEAD", ".work.parquet", ".0123.part", "lock", "shard-1-of-2-lock", "notes.txt"):
        (folder / name).write_text("precious")
    before = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert merged(fresh_db, folder) == (1, 3, 0)
    after = {file: file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    assert after == {**before, folder / "agdb-merged.txt": f"{path.name}\n".encode()}


def test_whoever_reads_a_folder_while_it_is_merged_finds_what_was_there(fresh_db: Path, folder: Path) -> None:
    write(folder, [scored(v) for v in variants(3)])
    lying = Spooled(folder, scorer().of, "EFO:1", with_merged=True)
    seen = lying.files()
    assert merged(fresh_db, folder).scored == 3
    assert all(file.exists() for file in seen)
    assert lying.files() == seen


def test_a_batch_of_the_spool_that_is_merged_while_it_is_looked_at_is_passed_over(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone, there = (write(folder, [scored(v)]) for v in variants(2))
    monkeypatch.setattr(work, "batches", lambda *_, **__: [gone, there])
    gone.unlink()
    assert Spooled(folder, scorer().of, "EFO:1").files() == [there]


def test_of_two_different_scores_the_first_one_stays(fresh_db: Path, folder: Path) -> None:
    write(folder, [scored(v) for v in variants(5)[:3]])
    assert merged(fresh_db, folder).scored == 3
    write(folder, [scored(v, 1000.0) for v in variants(5)[2:]], header(run_uuid="b" * 32))
    assert merged(fresh_db, folder).scored == 2
    found = asked(fresh_db, "SELECT score FROM score ORDER BY pos")
    assert found == [(score_of(v) + (1000 if i > 2 else 0),) for i, v in enumerate(variants(5))]


def test_tracks_that_are_there_are_not_added_again_with_the_others(fresh_db: Path, folder: Path) -> None:
    write(folder, [scored(v) for v in variants(5)], replace(header(kept="EFO:1"), tracks=TRACKS[:1]))
    with Spool(folder) as spool:
        spool.write(header(run_uuid="b" * 32), [scored(v) for v in variants(5)])
    merged(fresh_db, folder)
    found = asked(fresh_db, "SELECT pos, t.name, score FROM prediction JOIN track AS t USING (track_id) ORDER BY ALL")
    assert found == sorted((v.pos, t.name, score_of(v, i)) for v in variants(5) for i, t in enumerate(TRACKS))


@pytest.mark.parametrize("is_copied", [False, True])
def test_the_files_of_a_run_are_merged_together_as_if_one_by_one(
    is_copied: bool, fresh_db: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Scores that have more digits come after those that have fewer; a copy of a file is in it already."""
    one, two, three, four, five = variants(5)
    a, b = header(status="running", finished_at=None, n_rows=2), header(run_uuid="b" * 32)
    exact = Outcome(two, Answer(np.array([[0.1, 0.2, 0.3]])), None, 1)
    with Spool(folder) as spool:
        files = [spool.write(a, [failed(five)]), spool.write(b, [scored(three, 0.5)]), spool.write(a, [scored(one)]),
                 spool.write(a, [exact, failed(four)]), spool.write(b, [failed(one)])]  # fmt: skip
        files += [spool.write(a, [scored(one)])] if is_copied else []
    single = fresh_db.with_name("single.duckdb")
    single.write_bytes(fresh_db.read_bytes())
    for file in files:
        merge.merge(single, [file])
    (folder / "agdb-merged.txt").unlink()
    begun: list[int] = []
    read = merge._read

    def reading(con: duckdb.DuckDBPyConnection, some: list[tuple[Path, Header]]) -> None:
        begun.append(len(some))
        read(con, some)

    monkeypatch.setattr(merge, "_read", reading)
    assert merge.merge(fresh_db, files) == (len(files), 3, 2)
    assert begun == ([4, 1, 1, 1, 1, 2] if is_copied else [3, 2])
    for table in ("prediction", "scored_variant", "run", "track", "(SELECT * EXCLUDE (last_at) FROM failure)"):
        query = f"SELECT * FROM {table} ORDER BY ALL"
        assert asked(fresh_db, query) == asked(single, query), table


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_score_ends_a_failure_whichever_comes_first(fresh_db: Path, folder: Path, order: tuple[int, int]) -> None:
    (variant, *_) = variants(5)
    first, second = order
    files = [write(folder, [failed(variant)], header(run_uuid="a" * 32)),
             write(folder, [scored(variant)], header(run_uuid="b" * 32))]  # fmt: skip
    merge.merge(fresh_db, [files[first], files[second]])
    assert (stored(fresh_db), stored(fresh_db, "failure")) == ([variant], [])


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_a_run_that_has_ended_stays_ended_whichever_batch_comes_last(
    fresh_db: Path, folder: Path, order: tuple[int, int]
) -> None:
    first, second = order
    files = [write(folder, [scored(v) for v in variants(2)], header(status="running", finished_at=None, n_rows=2)),
             write(folder, [scored(v) for v in variants(5)[2:]])]  # fmt: skip
    merge.merge(fresh_db, [files[first], files[second]])
    assert asked(fresh_db, "SELECT status, finished_at IS NULL, n_rows FROM run") == [("done", False, 5)]


def test_the_tracks_and_the_scorer_are_known_once(fresh_db: Path, folder: Path) -> None:
    for variant in variants(3):
        write(folder, [scored(variant)])
        merged(fresh_db, folder)
    assert [len(content(fresh_db)[table]) for table in ("scorer", "computation", "track", "run")] == [1, 1, 3, 1]


def test_scores_of_another_model_version_under_the_same_name_do_not_mix(fresh_db: Path, folder: Path) -> None:
    newer = Scorer("fake", (computation(model_version="2"),), "EFO:1")
    write(folder, [scored(v) for v in variants(5)])
    write(folder, [scored(v, 1000.0) for v in variants(5)], header(newer, run_uuid="b" * 32))
    assert merged(fresh_db, folder) == (2, 10, 0)
    for of, shift in ((scorer(), 0), (newer, 1000)):
        found = asked(fresh_db, "SELECT score FROM score WHERE scorer_id = ? ORDER BY pos", of.scorer_id)
        assert found == [(score_of(v) + shift,) for v in variants(5)]


# Files that are not what they have to be


def cut(path: Path, at: float) -> None:
    """Leave the first part of a file."""
    whole = path.read_bytes()
    path.write_bytes(whole[: int(at * len(whole))])


def scrambled(path: Path) -> None:
    """Other bytes where the first column stands; header and footer are whole."""
    whole = bytearray(path.read_bytes())
    whole[4:60] = bytes(56)
    path.write_bytes(whole)


def rewritten(path: Path, change: Callable[[pa.Table], pa.Table]) -> None:
    """The same file, whose table has changed."""
    table = pq.read_table(path)
    pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), path)


def says(path: Path, change: Callable[[dict[str, object]], object]) -> None:
    """The same file, which says something else of itself."""
    table = pq.read_table(path)
    said = json.loads(table.schema.metadata[b"agdb"])
    said = change(said) or said
    pq.write_table(table.replace_schema_metadata({"agdb": json.dumps(said)}), path)


def of_assembly(said: dict[str, object], assembly: str) -> None:
    """The computation is of another genome."""
    said["computation"]["assembly"] = assembly  # type: ignore[index]
    said["scorer"]["computations"][0]["assembly"] = assembly  # type: ignore[index]


BAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "empty": (lambda p: p.write_bytes(b""), "no whole batch file"),
    "text": (lambda p: p.write_text("chrom,pos\n"), "no whole batch file"),
    "scrambled": (scrambled, "cannot be read"),
    "without a header": (lambda p: pq.write_table(pa.table({"a": [1]}), p), "no whole batch file"),
    "other columns": (lambda p: rewritten(p, lambda t: t.drop_columns(["alt"])), "cannot be read"),
    "an unknown chromosome": (
        lambda p: rewritten(p, lambda t: t.set_column(0, "chrom", pa.array(["chr77"] * 3))), "cannot be read",
    ),
    "of a newer agdb": (lambda p: says(p, lambda s: s.update(format=99)), "of another version of agdb"),
    "a list for a header": (lambda p: says(p, lambda s: [1]), "no whole batch file"),
    "a word for a header": (lambda p: says(p, lambda s: "word"), "no whole batch file"),
    "an unknown assembly": (lambda p: says(p, lambda s: of_assembly(s, "hg99")), "cannot be read"),
    "of another assembly": (lambda p: says(p, lambda s: of_assembly(s, "GRCh37")), "of another study"),
    "of another study": (
        lambda p: rewritten(p, lambda t: t.set_column(1, "pos", pa.array([10, 20, 31], pa.int32()))),
        "1 variants of this batch are not in the database, e.g. chr1_31_A_C",
    ),
}  # fmt: skip


@pytest.mark.parametrize("bad", BAD)
def test_a_file_that_is_not_what_it_has_to_be_is_refused_whole_and_stays_where_it_is(
    bad: str, fresh_db: Path, folder: Path
) -> None:
    change, message = BAD[bad]
    path = write(folder, [scored(v) for v in variants(3)])
    change(path)
    bytes_before, before = path.read_bytes(), content(fresh_db)
    with pytest.raises(Refused, match=message) as caught:
        merged(fresh_db, folder)
    assert (caught.value.where, bool(caught.value.cure)) == (str(path), True)
    assert path.read_bytes() == bytes_before
    assert content(fresh_db) == before


@pytest.mark.parametrize("at", [0.001, 0.1, 0.5, 0.9, 0.99, 0.9999])
def test_a_file_that_was_cut_short_is_refused_wherever_the_cut_is(at: float, fresh_db: Path, folder: Path) -> None:
    path = write(folder, [scored(v) for v in variants(3)])
    cut(path, at)
    before = content(fresh_db)
    with pytest.raises(Refused, match="no whole batch file"):
        merged(fresh_db, folder)
    assert content(fresh_db) == before


def test_no_cut_of_a_file_is_taken_for_a_batch(folder: Path, tmp_path: Path) -> None:
    whole = write(folder, [scored(v) for v in variants(3)]).read_bytes()
    part = tmp_path / "batch-part.parquet"
    for n in range(0, len(whole), 7):
        part.write_bytes(whole[:n])
        with pytest.raises(Refused, match="no whole batch file"):
            header_of(part)


def test_what_came_before_a_bad_file_is_merged_and_what_comes_after_waits(fresh_db: Path, folder: Path) -> None:
    first, second, third = (write(folder, [scored(v)], header(run_uuid=c * 32))
                            for v, c in zip(variants(3), "abc", strict=True))  # fmt: skip
    cut(second, 0.5)
    with pytest.raises(Refused):
        merge.merge(fresh_db, [first, second, third])
    assert stored(fresh_db) == variants(1)
    assert (set(batches(folder)), first.exists()) == ({second, third}, True)
    second.unlink()
    merged(fresh_db, folder)
    assert stored(fresh_db) == [variants(3)[0], variants(3)[2]]


def test_a_run_that_finds_a_bad_file_in_its_spool_asks_for_nothing(fresh_db: Path, folder: Path) -> None:
    path = write(folder_of(fresh_db) / scorer().of.computation_id, [scored(v) for v in variants(3)])
    cut(path, 0.5)
    predictor = FakePredictor()
    with pytest.raises(Refused, match="no whole batch file"):
        predict(fresh_db, predictor)
    assert predictor.asked == []
    path.unlink()
    assert predict(fresh_db, predictor).scored == 5


def test_while_others_hold_the_database_nothing_is_merged_and_nothing_lost(fresh_db: Path, folder: Path) -> None:
    path = write(folder, [scored(v) for v in variants(3)])
    with held(fresh_db), pytest.raises(DatabaseBusy):
        merge.merge(fresh_db, batches(folder), patience_s=0.1)
    assert path.exists()
    assert merged(fresh_db, folder).scored == 3


# The folder


def test_what_a_killed_run_left_half_written_is_cleared_away(folder: Path) -> None:
    whole = write(folder, [scored(v) for v in variants(3)])
    with Spool(folder) as alone, Spool(folder.parent / "other", (1, 2)) as shard:
        names = [alone.worklist.name, shard.worklist.name, ".agdb-0123.part"]
    for name in names:
        (folder / name).write_bytes(b"half")
    with Spool(folder, (2, 2)):
        assert {file.name for file in folder.glob(".*")} == set(names)
    with Spool(folder):
        pass
    assert list(folder.iterdir()) == [whole]


def test_a_shard_leaves_what_the_other_shards_are_writing(folder: Path) -> None:
    with Spool(folder, (1, 2)) as one:
        one.worklist.write_bytes(b"of the first")
        with Spool(folder, (2, 2)) as two:
            assert one.worklist != two.worklist
        assert one.worklist.exists()
    assert not one.worklist.exists()


def test_a_batch_that_cannot_be_written_leaves_nothing(folder: Path) -> None:
    with Spool(folder) as spool:
        with pytest.raises((pa.ArrowException, OverflowError)):
            spool.write(header(), [scored(Variant("chr1", 2**40, "A", "C"))])
        assert [path.name for path in folder.iterdir()] == ["lock"]


def as_nfs(handle: int, how: int, real: Callable[[int, int], None] = fcntl.flock) -> None:
    """flock(2) over Linux NFS: of folders this machine alone knows, and an exclusive one needs a handle to write by."""
    if stat.S_ISDIR(os.fstat(handle).st_mode):
        return
    if how & fcntl.LOCK_EX and fcntl.fcntl(handle, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
        raise OSError(errno.EBADF, os.strerror(errno.EBADF))
    real(handle, how)


@pytest.mark.parametrize(("ours", "theirs", "is_refused"), [
    (None, None, True), (None, (1, 2), True), ((1, 2), (1, 2), True), ((1, 2), (2, 2), False),
])  # fmt: skip
def test_who_shares_a_spool_on_a_disk_that_machines_share(
    folder: Path, ours: tuple[int, int] | None, theirs: tuple[int, int] | None, is_refused: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(fcntl, "flock", as_nfs)
    test_who_shares_a_spool_with_whom(folder, ours, theirs, is_refused)


def test_a_file_system_without_locks_is_one_error(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(handle: int, how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(Refused, match="the folder cannot be locked: No locks available") as caught, Spool(folder):
        pass
    assert caught.value.where == str(folder)


@pytest.mark.parametrize(("ours", "theirs", "is_refused"), [
    (None, None, True), (None, (1, 2), True), ((1, 2), None, True), ((1, 2), (1, 2), True), ((1, 2), (1, 3), True),
    ((1, 2), (2, 2), False), ((2, 3), (3, 3), False),
])  # fmt: skip
def test_who_shares_a_spool_with_whom(
    folder: Path, ours: tuple[int, int] | None, theirs: tuple[int, int] | None, is_refused: bool
) -> None:
    refusal = pytest.raises(Refused, match="another agdb predict of the same scores is running")
    with Spool(folder, ours), refusal if is_refused else nullcontext(), Spool(folder, theirs):
        pass


def test_a_spool_can_be_had_when_its_process_is_gone(folder: Path) -> None:
    for shard in (None, (1, 2), (1, 3), None):
        with Spool(folder, shard):
            pass
    assert not folder.exists()


# Without the database


def test_a_machine_without_the_database_scores_a_work_list_and_its_folder_is_merged(
    fresh_db: Path, tmp_path: Path
) -> None:
    all_of_them, listed, out = study(fresh_db), tmp_path / "work.parquet", tmp_path / "out"
    assert run.write_worklist(Place(fresh_db), scorer(), QUICK, listed) == 5
    here = FakePredictor(lambda v, _: VariantFailed("no_such", blames_provider=True) if v.pos == 20 else answer(v))
    summary = run.run(Place(None, listed, out), scorer(), here, QUICK)
    assert (sorted(here.asked), summary.scored, summary.failed) == (all_of_them, 4, 1)
    assert merged(fresh_db, out) == (1, 4, 1)
    assert (stored(fresh_db), stored(fresh_db, "failure")) == ([v for v in all_of_them if v.pos != 20], variants(2)[1:])
    assert asked(fresh_db, "SELECT status, n_calls, n_rows FROM run") == [("done", 5, 4)]
    assert run.write_worklist(Place(fresh_db), scorer(), QUICK, listed) == 0


def test_a_machine_without_the_database_takes_up_where_it_stopped(fresh_db: Path, tmp_path: Path) -> None:
    all_of_them, listed, out = study(fresh_db, 12), tmp_path / "work.parquet", tmp_path / "out"
    run.write_worklist(Place(fresh_db), scorer(), QUICK, listed)
    place, first, second = Place(None, listed, out), FakePredictor(), FakePredictor()
    run.run(place, scorer(), first, replace(QUICK, max_calls=5))
    run.run(place, scorer(), second, QUICK)
    assert sorted(first.asked + second.asked) == all_of_them


def test_what_was_merged_meanwhile_is_not_asked_for_again(fresh_db: Path, tmp_path: Path) -> None:
    all_of_them, listed, out = study(fresh_db, 12), tmp_path / "work.parquet", tmp_path / "out"
    run.write_worklist(Place(fresh_db), scorer(), QUICK, listed)
    place, first, second = Place(None, listed, out), FakePredictor(), FakePredictor()
    run.run(place, scorer(), first, replace(QUICK, max_calls=5))
    assert merged(fresh_db, out).scored == 5
    run.run(place, scorer(), second, QUICK)
    assert sorted(first.asked + second.asked) == all_of_them
    assert merged(fresh_db, out).scored == 7


def test_a_copy_of_the_database_does_not_ask_for_what_was_merged_into_another_one(fresh_db: Path) -> None:
    study(fresh_db, 12)
    copy, out = fresh_db.with_name("copy.duckdb"), fresh_db.parent / "out"
    copy.write_bytes(fresh_db.read_bytes())
    no_such = FakePredictor(lambda v, _: VariantFailed("no_such", blames_provider=True) if v.pos == 10 else answer(v))
    predict(copy, no_such, out=out, max_calls=5)
    assert merged(fresh_db, out) == (1, 4, 1)
    rest, again = FakePredictor(), FakePredictor()
    predict(copy, rest, out=out)
    assert sorted(no_such.asked + rest.asked) == variants(12)
    predict(copy, again, out=out, choice=Choice(retry_failed=True))
    assert again.asked == variants(1)
    assert merged(fresh_db, out).scored == 8
    assert (stored(fresh_db), stored(fresh_db, "failure")) == (variants(12), [])


def test_what_failed_in_a_folder_is_asked_for_again_where_that_is_wanted(fresh_db: Path, tmp_path: Path) -> None:
    study(fresh_db)
    listed, out = tmp_path / "work.parquet", tmp_path / "out"
    run.write_worklist(Place(fresh_db), scorer(), QUICK, listed)
    place, again = Place(None, listed, out), FakePredictor()
    first = FakePredictor(lambda v, _: VariantFailed("no", blames_provider=True) if v.pos < 30 else answer(v))
    run.run(place, scorer(), first, QUICK)
    merged(fresh_db, out)
    assert run.run(place, scorer(), again, QUICK).pending == 0
    said = f"nothing to ask for: 3 of {listed} lie finished in {out}, 2 failed there"
    assert why(place, scorer(), QUICK) == f"{said} (--retry-failed asks for them again)"
    run.run(place, scorer(), again, replace(QUICK, choice=Choice(retry_failed=True)))
    assert sorted(again.asked) == variants(2)
    assert merged(fresh_db, out).scored == 2
    assert why(place, scorer(), QUICK) == f"nothing to ask for: 5 of {listed} lie finished in {out}"


@pytest.mark.parametrize(("first", "then"), [("all", "selected"), ("selected", "all")])
def test_what_lies_in_a_folder_answers_whichever_tracks_would_be_kept(
    fresh_db: Path, tmp_path: Path, first: str, then: str
) -> None:
    study(fresh_db)
    predict(fresh_db, FakePredictor(), keep=first, out=tmp_path / "out")
    assert predict(fresh_db, FakePredictor(), keep=then, out=tmp_path / "out").calls == 0
    other = predict(fresh_db, FakePredictor(), scorer("EFO:2", name="other"), keep=then, out=tmp_path / "out")
    assert other.calls == (0 if first == "all" else 5)


def test_machines_share_a_work_list_by_shards(fresh_db: Path, tmp_path: Path) -> None:
    all_of_them, listed, out = study(fresh_db, 12), tmp_path / "work.parquet", tmp_path / "out"
    run.write_worklist(Place(fresh_db), scorer(), QUICK, listed)
    machines = [FakePredictor(), FakePredictor()]
    for i, machine in enumerate(machines, 1):
        run.run(Place(None, listed, out / str(i)), scorer(), machine, replace(QUICK, choice=Choice(shard=(i, 2))))
    assert sorted(v for machine in machines for v in machine.asked) == all_of_them
    assert merged(fresh_db, out).scored == 12


@pytest.mark.parametrize("table", [None, pa.table({"chrom": ["chr1"]}),
                                   pa.table({"chrom": ["22"], "pos": [1], "ref": ["A"], "alt": ["C"]})])  # fmt: skip
def test_a_work_list_that_is_none_is_refused(table: pa.Table | None, tmp_path: Path) -> None:
    listed, predictor = tmp_path / "work.parquet", FakePredictor()
    listed.write_text("no parquet") if table is None else pq.write_table(table, listed)
    with pytest.raises(Refused, match="no Parquet file of variants") as caught:
        run.run(Place(None, listed, tmp_path / "out"), scorer(), predictor, QUICK)
    assert caught.value.where == str(listed)
    assert predictor.asked == []


def work_list(path: Path, *rows: tuple[object, ...], names: str = "chrom pos ref alt") -> Path:
    """A Parquet file of variants."""
    columns = dict(zip(names.split(), map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), path)
    return path


@pytest.mark.parametrize(("assemblies", "is_refused"), [(("GRCh38", "hg38"), False), (("GRCh38", "GRCh37"), True),
                                                        (("hg38", None), True), (("x", "x"), True)])  # fmt: skip
def test_variants_of_another_assembly_are_refused(
    assemblies: tuple[str | None, str | None], is_refused: bool, tmp_path: Path
) -> None:
    rows = [(assembly, *variant) for assembly, variant in zip(assemblies, variants(2), strict=True)]
    listed, predictor = work_list(tmp_path / "v.parquet", *rows, names="assembly chrom pos ref alt"), FakePredictor()
    with pytest.raises(Refused, match="assembly") if is_refused else nullcontext():
        run.run(Place(None, listed, tmp_path / "out"), scorer(), predictor, QUICK)
    assert len(predictor.asked) == (0 if is_refused else 2)


def test_atlas_is_asked_for_the_snvs_of_a_work_list_alone(tmp_path: Path) -> None:
    atlas, model, predictor = computation("atlas"), computation("model"), FakePredictor()
    insertion, deletion = Variant("chr1", 5, "A", "AC"), Variant("chr1", 6, "AC", "A")
    listed, place = work_list(tmp_path / "v.parquet", insertion, deletion, *variants(2)), Path("out")
    run.run(Place(None, listed, tmp_path / place), Scorer("both", (atlas,), "EFO:1"), predictor, QUICK)
    assert sorted(predictor.asked) == variants(2)
    said = "2 are no SNVs, and Atlas holds no others"
    only = work_list(tmp_path / "indels.parquet", insertion, deletion)
    assert why(Place(None, only, tmp_path / place), Scorer("both", (atlas,), "EFO:1"), QUICK).endswith(f": {said}")
    rest = FakePredictor()
    run.run(Place(None, listed, tmp_path / place), Scorer("both", (atlas, model), "EFO:1"), rest, QUICK)
    assert rest.asked == [insertion, deletion]


def test_another_computation_of_the_scorer_is_not_taken_for_this_one(fresh_db: Path, tmp_path: Path) -> None:
    """Batches that lie finished in the folder of another window do not shorten the work list."""
    all_of_them, out = study(fresh_db), tmp_path / "out"
    other, predictor = FakePredictor(), FakePredictor()
    partial(predict, out=out)(fresh_db, other, scorer(window_bp=200))
    partial(predict, out=out)(fresh_db, predictor, scorer())
    assert sorted(predictor.asked) == sorted(other.asked) == all_of_them
