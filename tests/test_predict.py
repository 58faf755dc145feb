"""The run of a predictor: batches, faults, contract, resumption; with predictors that are a few lines each."""

import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from rows import add_peaks, add_qtls, add_snvs, add_source

from agdb import db, predict
from agdb.errors import DatabaseBusy, ProviderError, Refused
from agdb.predictors.contract import FAILURES, SCORES, VARIANTS, Predicted, Scorer

Answer = Callable[[pa.Table], Predicted]


def scores(rows: Iterable[tuple[str, float]], **columns: object) -> pa.Table:
    """A table of schema SCORES from (variant_id, score)."""
    empty = dict.fromkeys(SCORES.names)
    return pa.Table.from_pylist([{**empty, "variant_id": v, "score": s, **columns} for v, s in rows], schema=SCORES)


def failures(rows: Iterable[str], reason: str = "window_outside_genome") -> pa.Table:
    """A table of schema FAILURES."""
    return pa.Table.from_pylist([{"variant_id": v, "reason": reason} for v in rows], schema=FAILURES)


def ids(batch: pa.Table) -> list[str]:
    """The variants of a batch."""
    return [str(v) for v in batch["variant_id"].to_pylist()]


def answered(batch: pa.Table) -> Predicted:
    """Every variant scored by its position."""
    return Predicted(scores(zip(ids(batch), map(float, batch["pos"].to_pylist()), strict=True)), failures([]))


class Fake:
    """A predictor that answers as it is told and remembers what it was asked."""

    def __init__(self, answer: Answer = answered, batch_size: int = 2, window_bp: int = 100) -> None:
        self.scorer = Scorer("fake", "fake", "1", "GRCh38", "X", window_bp, None, "D", "", is_signed=True)
        self.provider, self.software, self.batch_size = "fake", "fake 1.0", batch_size
        self.answer = answer
        self.asked: list[list[str]] = []

    def score(self, variants: pa.Table) -> Predicted:
        """Answer."""
        assert variants.schema.equals(VARIANTS)
        self.asked.append(ids(variants))
        return self.answer(variants)


@pytest.fixture
def five(fresh_db: Path) -> tuple[Path, list[str]]:
    """A database with five SNVs, each with an association, and the ids in genome order."""
    with db.writing(fresh_db) as con:
        add_source(con, 1)
        variants = add_snvs(con, 5)
        add_qtls(con, 1, variants, [0.1, -0.2, 0.3, -0.4, 0.5])
    return fresh_db, variants


def stored(path: Path) -> list[str]:
    """Variants with a prediction, in genome order."""
    with db.reading(path) as con:
        found = con.execute("SELECT variant_id(chrom, pos, ref, alt) FROM prediction ORDER BY pos").fetchall()
    return [str(v) for (v,) in found]


def last_run(path: Path) -> tuple[object, ...]:
    """(command, status, n_rows, software, whether it has an end) of the last run."""
    with db.reading(path) as con:
        query = (
            "SELECT command, status, n_rows, software, finished_at IS NOT NULL FROM run ORDER BY run_id DESC LIMIT 1"
        )
        return con.execute(query).fetchall()[0]


def on_batch(number: int, act: Answer) -> Answer:
    """Answer properly but for one batch (from 1)."""
    calls = iter(range(1, 1_000))
    return lambda batch: act(batch) if next(calls) == number else answered(batch)


def raising(error: BaseException) -> Answer:
    """An answer that is an exception."""

    def act(batch: pa.Table) -> Predicted:
        raise error

    return act


def test_a_run_asks_in_genome_order_batch_by_batch_and_stores_what_it_is_told(five: tuple[Path, list[str]]) -> None:
    path, variants = five
    told: list[tuple[int, int]] = []
    fake = Fake()
    outcome = predict.run(path, fake, progress=lambda done, total: told.append((done, total)))
    assert fake.asked == [variants[:2], variants[2:4], variants[4:]]
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]
    assert (outcome.pending, outcome.scored, outcome.failed, outcome.scored_before) == (5, 5, 0, 0)
    assert last_run(path) == ("predict", "done", 5, "fake 1.0", True)
    with db.reading(path) as con:
        found = con.execute(
            "SELECT variant_id(chrom, pos, ref, alt), assembly, score, provider, run_id FROM prediction ORDER BY score"
        ).fetchall()
    assert found == [(v, "GRCh38", 10.0 * (i + 1), "fake", outcome.run_id) for i, v in enumerate(variants)]


def test_a_second_run_asks_for_nothing(five: tuple[Path, list[str]]) -> None:
    path, _ = five
    predict.run(path, Fake())
    again = Fake()
    outcome = predict.run(path, again)
    assert again.asked == []
    assert (outcome.pending, outcome.scored, outcome.scored_before) == (0, 0, 5)


def test_a_provider_that_fails_keeps_what_it_had_and_the_next_run_does_the_rest(five: tuple[Path, list[str]]) -> None:
    path, variants = five
    error = ProviderError("quota")
    error.partial = Predicted(scores([(variants[2], 1.0)]), failures([]))  # type: ignore[attr-defined]
    with pytest.raises(ProviderError, match="quota"):
        predict.run(path, Fake(on_batch(2, raising(error))))
    assert stored(path) == variants[:3]
    assert last_run(path)[1:3] == ("failed", 3)
    rest = Fake()
    predict.run(path, rest)
    assert rest.asked == [variants[3:]]


def test_a_provider_that_fails_empty_handed_keeps_the_batches_before(five: tuple[Path, list[str]]) -> None:
    path, variants = five
    with pytest.raises(ProviderError):
        predict.run(path, Fake(on_batch(2, raising(ProviderError("no server")))))
    assert stored(path) == variants[:2]


def test_an_interrupt_keeps_the_batches_and_is_recorded(five: tuple[Path, list[str]]) -> None:
    path, variants = five
    with pytest.raises(KeyboardInterrupt):
        predict.run(path, Fake(on_batch(3, raising(KeyboardInterrupt()))))
    assert stored(path) == variants[:4]
    assert last_run(path)[1:3] == ("interrupted", 4)


def test_a_bug_of_the_predictor_is_recorded_and_passed_on(five: tuple[Path, list[str]]) -> None:
    path, variants = five
    with pytest.raises(ZeroDivisionError):
        predict.run(path, Fake(on_batch(2, raising(ZeroDivisionError()))))
    assert stored(path) == variants[:2]
    assert last_run(path)[1] == "failed"


def test_the_cause_is_told_even_where_the_run_cannot_be_closed(
    five: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, _ = five

    def held(*_: object) -> None:
        raise DatabaseBusy("held by another process")

    def act(batch: pa.Table) -> Predicted:
        monkeypatch.setattr(db, "finish_run", held)
        raise ProviderError("quota")

    with pytest.raises(ProviderError, match="quota"):
        predict.run(path, Fake(act))


def renamed(batch: pa.Table) -> Predicted:
    """Scores in a column of another name."""
    whole = answered(batch)
    return Predicted(whole.scores.rename_columns(["variant", *SCORES.names[1:]]), whole.failures)


def as_text(batch: pa.Table) -> Predicted:
    """Scores that are no numbers."""
    whole = answered(batch)
    at = SCORES.get_field_index("score")
    words = pa.array(["high"] * len(batch))
    return Predicted(whole.scores.set_column(at, "score", words), whole.failures)


def without(batch: pa.Table) -> Predicted:
    """A score that is NULL."""
    loose = pa.schema([f.with_nullable(True) for f in SCORES])
    rows = [{**dict.fromkeys(SCORES.names), "variant_id": v} for v in ids(batch)]
    return Predicted(pa.Table.from_pylist(rows, schema=loose), failures([]))


BREACHES: dict[str, tuple[Answer, str]] = {
    "nan": (lambda b: Predicted(scores((v, float("nan")) for v in ids(b)), failures([])), "not a finite number"),
    "infinity": (lambda b: Predicted(scores((v, float("inf")) for v in ids(b)), failures([])), "not a finite number"),
    "unknown variant": (lambda b: Predicted(scores([*((v, 1.0) for v in ids(b)), ("chr1_1_A_T", 1.0)]), failures([])),
                        "not asked for .chr1_1_A_T"),
    "missing variant": (lambda b: Predicted(scores([(ids(b)[0], 1.0)]), failures([])), "no answer for"),
    "score and failure": (lambda b: Predicted(answered(b).scores, failures(ids(b)[:1])), "both a score and a failure"),
    "two scores": (lambda b: Predicted(scores((v, 1.0) for v in [*ids(b), ids(b)[0]]), failures([])), "two answers"),
    "two failures": (lambda b: Predicted(scores([]), failures([*ids(b), ids(b)[0]])), "two answers"),
    "renamed column": (renamed, "not of the schema"),
    "text for numbers": (as_text, "not of the schema"),
    "no score": (without, "not of the schema|no score"),
}  # fmt: skip


@pytest.mark.parametrize("breach", BREACHES)
def test_a_predictor_that_breaks_its_contract_is_refused_and_its_batch_is_not_stored(
    breach: str, five: tuple[Path, list[str]]
) -> None:
    path, variants = five
    answer, message = BREACHES[breach]
    with pytest.raises(Refused, match=f"broke its contract: .*({message})"):
        predict.run(path, Fake(on_batch(2, answer)))
    assert stored(path) == variants[:2]
    assert last_run(path)[1:3] == ("failed", 2)


def test_two_tracks_of_one_scorer_are_refused_since_they_would_count_an_association_twice(
    five: tuple[Path, list[str]],
) -> None:
    path, _ = five

    def two_tracks(batch: pa.Table) -> Predicted:
        rows = [(v, 1.0) for v in ids(batch)]
        both = [scores(rows, track_id="EFO:1"), scores(rows, track_id="EFO:2")]
        return Predicted(pa.concat_tables(both), failures([]))

    with pytest.raises(Refused, match="two answers"):
        predict.run(path, Fake(two_tracks))


def test_one_score_a_gene_is_no_breach(five: tuple[Path, list[str]]) -> None:
    path, _ = five

    def two_genes(batch: pa.Table) -> Predicted:
        rows = [(v, 1.0) for v in ids(batch)]
        both = [scores(rows, gene_id="ENSG1"), scores(rows, gene_id="ENSG2")]
        return Predicted(pa.concat_tables(both), failures([]))

    outcome = predict.run(path, Fake(two_genes))
    assert outcome.scored == 5
    assert len(stored(path)) == 10


def test_a_failure_is_stored_with_its_reason_and_not_asked_again(five: tuple[Path, list[str]]) -> None:
    path, variants = five

    def half(batch: pa.Table) -> Predicted:
        return Predicted(scores((v, 1.0) for v in ids(batch)[:1]), failures(ids(batch)[1:]))

    outcome = predict.run(path, Fake(half))
    assert (outcome.scored, outcome.failed) == (3, 2)
    with db.reading(path) as con:
        found = con.execute(
            "SELECT variant_id(chrom, pos, ref, alt), reason, run_id FROM failure ORDER BY pos"
        ).fetchall()
    assert found == [(v, "window_outside_genome", outcome.run_id) for v in (variants[1], variants[3])]
    again = Fake()
    predict.run(path, again)
    assert again.asked == []


def test_new_associations_reopen_the_work(five: tuple[Path, list[str]]) -> None:
    path, _ = five
    predict.run(path, Fake())
    with db.writing(path) as con:
        new = add_snvs(con, 1, first=9)
        add_qtls(con, 1, new, [0.7])
    again = Fake()
    predict.run(path, again)
    assert again.asked == [new]


def test_another_window_is_another_scorer_with_its_own_work(five: tuple[Path, list[str]]) -> None:
    path, variants = five
    predict.run(path, Fake())
    wider = Fake(window_bp=200, batch_size=10)
    predict.run(path, wider)
    assert wider.asked == [variants]


def test_a_limit_takes_the_first_and_leaves_the_rest(five: tuple[Path, list[str]]) -> None:
    path, variants = five
    assert predict.run(path, Fake(), limit=3).scored == 3
    assert stored(path) == variants[:3]
    assert predict.run(path, Fake(), limit=0).pending == 0
    assert predict.run(path, Fake(), limit=3).scored == 2


def test_in_peaks_asks_only_for_variants_in_peaks(five: tuple[Path, list[str]]) -> None:
    path, variants = five
    with db.writing(path) as con:
        add_peaks(con, 2, [("chr1", 15, 35)])  # 0-based: holds positions 16 to 35
    fake = Fake()
    predict.run(path, fake, in_peaks=True)
    assert fake.asked == [variants[1:3]]


def test_other_processes_may_read_and_write_while_a_batch_is_computed(five: tuple[Path, list[str]]) -> None:
    path, _ = five
    seen: list[int] = []

    def act(batch: pa.Table) -> Predicted:
        with duckdb.connect(str(path)) as writer:  # a second handle in this process fails as well while one is open
            seen.append(int(writer.execute("SELECT count(*) FROM prediction").fetchall()[0][0]))
        return answered(batch)

    predict.run(path, Fake(act))
    assert seen == [0, 2, 4]


def test_a_finished_batch_waits_for_a_reader_instead_of_being_lost(
    five: tuple[Path, list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    path, variants = five
    monkeypatch.setattr(db, "PATIENCE_S", 0.2)
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1], read_only=True); print('open', flush=True); input()"
    readers: list[subprocess.Popen[str]] = []
    told: list[str] = []

    def read_meanwhile(batch: pa.Table) -> Predicted:
        if not readers:  # a notebook opens the file while the first batch is computed, and keeps it open
            command = [sys.executable, "-c", code, str(path)]
            readers.append(subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True))
            assert readers[0].stdout is not None
            readers[0].stdout.readline()
        return answered(batch)

    def close_at_last(holder: str) -> None:
        told.append(holder)
        if len(told) == 2:
            readers[0].communicate("\n")

    predict.run(path, Fake(read_meanwhile), waiting=close_at_last)
    assert stored(path) == variants
    assert len(told) == 2
    assert f"PID {readers[0].pid}" in told[0]


def test_a_score_that_another_run_stored_meanwhile_is_kept(five: tuple[Path, list[str]]) -> None:
    path, variants = five

    def overtaken(batch: pa.Table) -> Predicted:
        predict.run(path, Fake(batch_size=10))
        late = [(v, -1.0) for v in ids(batch)]
        return Predicted(scores(late), failures([]))

    predict.run(path, Fake(overtaken, batch_size=5))
    assert stored(path) == variants
    with db.reading(path) as con:
        assert con.execute("SELECT min(score) FROM prediction").fetchall() == [(10.0,)]


def test_a_failure_that_another_run_stored_meanwhile_is_kept_once(five: tuple[Path, list[str]]) -> None:
    path, _ = five

    def all_fail(batch: pa.Table) -> Predicted:
        return Predicted(scores([]), failures(ids(batch)))

    def overtaken(batch: pa.Table) -> Predicted:
        predict.run(path, Fake(all_fail, batch_size=10))
        return all_fail(batch)

    predict.run(path, Fake(overtaken, batch_size=5))
    with db.reading(path) as con:
        assert con.execute("SELECT count(*) FROM failure").fetchall() == [(5,)]
