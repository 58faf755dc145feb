"""A dry run: what it says beforehand is what the run then does."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from predictors import FakePredictor, answer, computation
from rows import add_peaks, add_qtls, add_variants
from runs import asked, predict, study

from agdb import db
from agdb.predict import estimate, run
from agdb.predict.run import Place
from agdb.predict.work import Choice
from agdb.predictors import tracks
from agdb.predictors.contract import Computation, Scorer, Variant, VariantFailed

ATLAS, MODEL = computation("atlas", 1_048_576), computation("alphagenome", 1_048_576)
ONE, BOTH = Scorer("one", (MODEL,), "EFO:1"), Scorer("both", (ATLAS, MODEL), "EFO:1")


def told(
    path: Path, scorer: Scorer = ONE, choice: Choice | None = None, *, keep: str | None = None, out: Path | None = None
) -> dict[str, str]:
    """The lines of a dry run: what, and value."""
    kept = tracks.kept(scorer, keep)
    finished = {c: run.spooled(Place(path, out=out), scorer, c) for c in scorer.computations}
    with db.reading(path) as con:
        return {row.what: row.value for row in estimate.estimate(con, scorer, choice or Choice(), finished, kept)}


class Several:
    """A predictor that remembers of which computation it was asked what."""

    def __init__(self, refused_by_atlas: Sequence[int] = ()) -> None:
        self.asked: dict[str, list[Variant]] = {"atlas": [], "alphagenome": []}
        self._refused = refused_by_atlas

    def __call__(self, of: Computation) -> object:
        def act(variant: Variant, time: int) -> object:
            self.asked[of.provider].append(variant)
            is_refused = of == ATLAS and variant.pos in self._refused
            return VariantFailed("not_in_atlas", blames_provider=True) if is_refused else answer(variant)

        return FakePredictor(act)(of)  # type: ignore[arg-type]


CHOICES = {
    "all": Choice(),
    "the first ones": Choice(limit=7),
    "more than there are": Choice(limit=700),
    "in peaks": Choice(in_peaks=True),
    "by a condition": Choice(where="pos > 95"),
    "a sample": Choice(sample=(6, 3)),
    "a shard": Choice(shard=(2, 3)),
    "a shard of a sample, limited": Choice(sample=(12, 3), shard=(1, 2), limit=4),
    "failed ones as well": Choice(retry_failed=True),
}


@pytest.mark.parametrize("which", CHOICES)
def test_as_many_calls_are_made_as_were_announced(which: str, fresh_db: Path) -> None:
    study(fresh_db, 20)
    with db.writing(fresh_db) as con:
        add_peaks(con, 2, [("chr1", 45, 135)])
        add_qtls(con, 1, ["chr1_10_A_C"] * 30, [0.1] * 30)
    predict(fresh_db, FakePredictor(lambda v, _: VariantFailed("no") if v.pos < 30 else answer(v)), ONE,
            choice=Choice(limit=4))  # fmt: skip
    said, asked_for = told(fresh_db, ONE, CHOICES[which]), Several()
    before = asked(fresh_db, "FROM scored_variant")
    summary = predict(fresh_db, asked_for, ONE, choice=CHOICES[which])  # type: ignore[arg-type]
    assert said["to ask for"] == said["calls to alphagenome"] == str(summary.calls)
    assert summary.calls == len(asked_for.asked["alphagenome"]) > 0
    assert len(asked(fresh_db, "FROM scored_variant")) == len(before) + summary.calls


def test_it_counts_associations_variants_and_what_was_scored_or_failed_before(fresh_db: Path) -> None:
    study(fresh_db, 20)
    with db.writing(fresh_db) as con:
        add_qtls(con, 1, ["chr1_10_A_C"] * 30, [0.1] * 30)
        add_variants(con, [("chr1", 999, "AT", "A")])
    predict(fresh_db, FakePredictor(lambda v, _: VariantFailed("no") if v.pos < 30 else answer(v)), ONE,
            choice=Choice(limit=5))  # fmt: skip
    said = told(fresh_db)
    assert said["associations of the chosen variants"] == "50"
    assert (said["variants chosen"], said["already scored"], said["failed before"]) == ("21", "3", "2")
    assert said["to ask for"] == "16"


def test_what_lies_in_a_folder_is_not_announced_again(fresh_db: Path) -> None:
    study(fresh_db, 20)
    out = fresh_db.parent / "out"
    predict(fresh_db, FakePredictor(), ONE, out=out, choice=Choice(limit=5))
    said = told(fresh_db, out=out)
    assert (said["batches in the spool"], said["already scored"], said["to ask for"]) == ("1", "0", "15")


def test_atlas_is_announced_for_snvs_and_the_model_for_the_rest(fresh_db: Path) -> None:
    study(fresh_db, 10)
    with db.writing(fresh_db) as con:
        add_variants(con, [("chr1", 15, "AT", "A"), ("chr1", 17, "A", "AT")])
    said, several = told(fresh_db, BOTH), Several()
    assert (said["variants chosen"], said["to ask for"]) == ("12", "12")
    predict(fresh_db, several, BOTH)  # type: ignore[arg-type]
    calls = [len(several.asked[provider]) for provider in ("atlas", "alphagenome")]
    assert [said["calls to atlas"], said["calls to alphagenome"]] == [str(n) for n in calls] == ["10", "2"]


def test_what_atlas_refused_before_is_announced_for_the_model(fresh_db: Path) -> None:
    study(fresh_db, 10)
    predict(fresh_db, Several(refused_by_atlas=(20, 30)), BOTH, max_calls=10)  # type: ignore[arg-type]
    said, several = told(fresh_db, BOTH), Several()
    predict(fresh_db, several, BOTH)  # type: ignore[arg-type]
    assert (said["calls to atlas"], said["calls to alphagenome"]) == ("0", "2")
    assert [v.pos for v in several.asked["alphagenome"]] == [20, 30]


def test_the_score_of_two_sequences_takes_two_calls(fresh_db: Path) -> None:
    study(fresh_db, 10)
    of = replace(MODEL, aggregation="SEQUENCE_DIFF_MEAN")
    said = told(fresh_db, Scorer("original", (of,), "EFO:1"))
    assert (said["to ask for"], said["calls to alphagenome"]) == ("10", "20")


def test_bytes_are_those_of_all_tracks_and_disk_is_of_those_kept(fresh_db: Path) -> None:
    study(fresh_db, 1000)
    assert told(fresh_db)["bytes from alphagenome"] == "31.1 MB"  # 1,000 answers of 305 tracks of 102 bytes
    assert told(fresh_db)["disk"] == "6.1 MB"  # 305,000 scores of 20 bytes
    assert told(fresh_db, keep="selected")["disk"] == "20 kB"
    assert told(fresh_db, choice=Choice(limit=10))["disk"] == "61 kB"


def test_the_time_is_that_of_the_last_runs(fresh_db: Path) -> None:
    study(fresh_db, 40)
    assert told(fresh_db)["time at alphagenome"] == "not known"
    predict(fresh_db, FakePredictor(), ONE, choice=Choice(limit=10))
    with db.writing(fresh_db) as con:
        con.execute("UPDATE run SET finished_at = started_at + INTERVAL 2 SECOND")  # 5 calls a second
    assert told(fresh_db)["time at alphagenome"] == "6 s"
    assert told(fresh_db, Scorer("wider", (replace(MODEL, window_bp=16_384),), "EFO:1"))["time at alphagenome"] == (
        "not known"
    )


def test_a_dry_run_changes_nothing(fresh_db: Path) -> None:
    study(fresh_db)
    before = fresh_db.read_bytes()
    told(fresh_db, BOTH, Choice(sample=(2, 1)))
    assert fresh_db.read_bytes() == before
    assert [path.name for path in fresh_db.parent.iterdir()] == [fresh_db.name]


def test_a_scorer_whose_answers_are_there_takes_no_call(fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, FakePredictor(), ONE)
    said = told(fresh_db, Scorer("other", (MODEL,), "all", "mean"))
    assert (said["already scored"], said["calls to alphagenome"]) == ("5", "0")


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (29, "29 s"), (60, "1 min"), (3_540, "59 min"),
                                                (3_600, "1 h 0 min"), (90_000, "25 h 0 min")])  # fmt: skip
def test_a_duration_is_in_words(seconds: float, words: str) -> None:
    assert estimate.duration(seconds) == words
