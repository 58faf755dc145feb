"""The run of a predictor: what it asks for, of whom, what it stores, and what it does when something is in its way."""

import json
import os
import signal
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from predictors import TRACKS, FakePredictor, answer, computation, score_of, scorer
from rows import add_peaks, add_qtls, add_snvs, add_variants
from runs import QUICK, asked, content, count, held, merged, predict, stored, study, variants

from agdb import __version__, db
from agdb.errors import DatabaseBusy, ProviderError, Refused, UsageError
from agdb.ingest.tracks import track_ids
from agdb.predict.audit import Drawn
from agdb.predict.run import Place, Summary, Talk, write_worklist
from agdb.predict.spool import batches, folder_of
from agdb.predict.work import Choice
from agdb.predict.work_none import why
from agdb.predictors.contract import Answer, Scorer, Track, TryAgain, Variant, VariantFailed

ATLAS, MODEL = computation("atlas"), computation("model")
BOTH = Scorer("both", (ATLAS, MODEL), "EFO:1")


def refusing(*positions: int) -> FakePredictor:
    """Refuses the variants at these positions, and answers the others."""
    no = VariantFailed("no_such", blames_provider=True)
    return FakePredictor(lambda v, _: no if v.pos in positions else answer(v))


class Two:
    """A predictor for each of two computations."""

    def __init__(self, atlas: FakePredictor, model: FakePredictor) -> None:
        self.atlas, self.model = atlas, model

    def __call__(self, of: object) -> object:
        return self.atlas(ATLAS) if of == ATLAS else self.model(MODEL)


def events() -> tuple[list[str], Talk]:
    """Names of the events that a run logs."""
    told: list[str] = []
    return told, Talk(log=lambda event, **_: told.append(event))


# What is asked


def test_every_variant_is_asked_for_once_and_its_scores_are_stored(fresh_db: Path) -> None:
    all_of_them, predictor = study(fresh_db), FakePredictor()
    summary = predict(fresh_db, predictor)
    assert sorted(predictor.asked) == all_of_them
    assert (summary.pending, summary.scored, summary.failed, summary.calls) == (5, 5, 0, 5)
    found = asked(fresh_db, "SELECT chrom::VARCHAR, pos, ref, alt, provider, score FROM score ORDER BY pos")
    assert found == [(*v, "fake", score_of(v)) for v in all_of_them]


def test_a_second_run_asks_for_nothing(fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, FakePredictor())
    again = FakePredictor()
    summary = predict(fresh_db, again)
    assert (again.asked, summary.pending, summary.calls) == ([], 0, 0)


def test_a_run_that_stops_after_so_many_calls_is_taken_up_by_the_next_one(fresh_db: Path) -> None:
    all_of_them, first, second = study(fresh_db, 20), FakePredictor(), FakePredictor()
    assert predict(fresh_db, first, max_calls=7).calls == 7
    assert predict(fresh_db, second).calls == 13
    assert sorted(first.asked + second.asked) == all_of_them


def test_variants_that_come_later_are_asked_for_later(fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, FakePredictor())
    with db.writing(fresh_db) as con:
        add_qtls(con, 1, add_snvs(con, 1, first=9), [0.7])
    again = FakePredictor()
    predict(fresh_db, again)
    assert again.asked == [Variant("chr1", 90, "A", "C")]


def test_a_variant_of_many_associations_is_asked_for_once(fresh_db: Path) -> None:
    (variant, *_) = study(fresh_db, 2)
    with db.writing(fresh_db) as con:
        add_qtls(con, 1, [str(variant)] * 50, [0.1] * 50, gene=[f"G{i}" for i in range(50)])
    assert predict(fresh_db, FakePredictor()).calls == 2


def test_another_window_is_another_score_and_asked_for_anew(fresh_db: Path) -> None:
    all_of_them, wider = study(fresh_db), FakePredictor()
    predict(fresh_db, FakePredictor())
    predict(fresh_db, wider, scorer(window_bp=200))
    assert sorted(wider.asked) == all_of_them


class Late(FakePredictor):
    """Says so many times that it has had enough before it lists its tracks."""

    def __init__(self, times: int) -> None:
        super().__init__()
        self.times = times

    def tracks(self) -> Sequence[Track]:
        """See the class."""
        self.times -= 1
        if self.times >= 0:
            raise TryAgain("resource_exhausted: quota", is_quota=True)
        return TRACKS


def test_tracks_are_asked_for_again_where_the_provider_has_had_enough(fresh_db: Path) -> None:
    study(fresh_db)
    assert predict(fresh_db, Late(3)).scored == 5


def test_a_provider_that_never_lists_its_tracks_ends_the_run(fresh_db: Path) -> None:
    study(fresh_db)
    with pytest.raises(ProviderError, match="does not say which tracks it has: resource_exhausted"):
        predict(fresh_db, Late(999), patience_s=0.02)


def test_another_track_set_costs_no_call_and_has_its_scores(fresh_db: Path) -> None:
    all_of_them, again = study(fresh_db), FakePredictor()
    predict(fresh_db, FakePredictor())
    other = scorer("EFO:2,CL:3", name="other", track_aggregation="mean")
    assert predict(fresh_db, again, other).pending == 0
    assert again.asked == []
    found = asked(fresh_db, "SELECT score FROM score WHERE scorer_id = ? ORDER BY pos", other.scorer_id)
    assert found == [((score_of(v, 1) + score_of(v, 2)) / 2,) for v in all_of_them]


def test_a_scorer_whose_tracks_were_not_kept_is_asked_for_and_the_others_stay(fresh_db: Path) -> None:
    all_of_them, again = study(fresh_db), FakePredictor()
    predict(fresh_db, FakePredictor(), keep="selected")
    assert count(fresh_db, "prediction") == 5
    predict(fresh_db, again, scorer("EFO:2", name="other"))
    assert sorted(again.asked) == all_of_them
    assert count(fresh_db, "prediction") == 5 * len(TRACKS)
    assert count(fresh_db, "(SELECT DISTINCT pos, track_id FROM prediction)") == 5 * len(TRACKS)


@pytest.mark.parametrize(("keep", "curies"), [(None, ["CL:3", "EFO:1", "EFO:2"]), ("all", ["CL:3", "EFO:1", "EFO:2"]),
                                              ("selected", ["EFO:1"])])  # fmt: skip
def test_the_tracks_that_are_kept_are_those_asked_for(fresh_db: Path, keep: str | None, curies: list[str]) -> None:
    study(fresh_db)
    predict(fresh_db, FakePredictor(), keep=keep)
    found = asked(fresh_db, "SELECT DISTINCT ontology_curie FROM prediction JOIN track USING (track_id) ORDER BY 1")
    assert [curie for (curie,) in found] == curies


def test_the_gtex_tracks_are_kept_by_what_they_are(fresh_db: Path) -> None:
    study(fresh_db)
    tissues = (None, "Liver", "Lung")
    tracks = [replace_tissue(track, tissue) for track, tissue in zip(TRACKS, tissues, strict=True)]
    predict(fresh_db, FakePredictor(tracks=tracks), scorer("gtex_tissue=Lung"), keep="gtex")
    again = FakePredictor(tracks=tracks)
    predict(fresh_db, again, scorer("gtex_tissue=Liver", name="liver"))
    assert again.asked == []
    found = asked(fresh_db, "SELECT gtex_tissue, score FROM prediction JOIN track USING (track_id) WHERE pos = 10")
    assert sorted(found) == [("Liver", 10.25), ("Lung", 10.5)]


def replace_tissue(track: Track, tissue: str | None) -> Track:
    """The track, of this GTEx tissue."""
    return track._replace(gtex_tissue=tissue)


def test_gtex_tracks_are_not_kept_for_a_scorer_that_would_never_find_its_own_among_them(fresh_db: Path) -> None:
    study(fresh_db)
    predictor = FakePredictor(tracks=[track._replace(gtex_tissue="Lung") for track in TRACKS])
    with pytest.raises(UsageError, match="gtex"):
        predict(fresh_db, predictor, scorer("EFO:1"), keep="gtex")
    assert predictor.asked == []


@pytest.mark.parametrize(("other", "said"), [
    (scorer("EFO:2"), "track_set EFO:1, not EFO:2"),
    (Scorer("fake", (computation(aggregation="SUM"),), "EFO:1"), "aggregation DIFF, not SUM"),
    (Scorer("fake", (computation("atlas"), computation()), "EFO:1"), "other providers"),
])  # fmt: skip
def test_a_name_that_another_scorer_of_the_window_has_is_refused_before_the_first_call(
    fresh_db: Path, other: Scorer, said: str
) -> None:
    study(fresh_db)
    predict(fresh_db, FakePredictor())
    before, predictor = content(fresh_db), FakePredictor()
    for drawn in (None, Drawn(None, 5, 0)):
        with pytest.raises(UsageError, match=f"another scorer is called fake at 100 bp: {said}"):
            predict(fresh_db, predictor, other, drawn=drawn)
    assert (content(fresh_db), predictor.asked) == (before, [])
    predict(fresh_db, predictor, scorer("EFO:2", window_bp=200))
    assert len(predictor.asked) == 5


def test_tracks_that_are_of_other_biosamples_than_was_said_are_refused_before_the_first_call(fresh_db: Path) -> None:
    study(fresh_db)
    with db.writing(fresh_db) as con:
        track_ids(con, "fake", [TRACKS[0]._replace(ontology_curie="EFO:2")])
    predictor = FakePredictor()
    with pytest.raises(Refused, match="ontology_curie EFO:2, not EFO:1"):
        predict(fresh_db, predictor)
    assert predictor.asked == []


@pytest.mark.parametrize(
    ("track_set", "message"), [("EFO:99", "no DNASE track of EFO:99"), ("EFO:1,EFO:2", "2 tracks")]
)
def test_tracks_that_give_no_number_are_refused_before_the_first_call(
    fresh_db: Path, track_set: str, message: str
) -> None:
    study(fresh_db)
    predictor = FakePredictor()
    with pytest.raises(UsageError, match=message):
        predict(fresh_db, predictor, scorer(track_set))
    assert predictor.asked == []
    assert not folder_of(fresh_db).exists()


@pytest.mark.parametrize(("track_set", "how", "message"), [
    ("EFO:99", None, "no DNASE track of EFO:99"), ("EFO:1,EFO:2", None, "2 tracks"),
    ("EFO:1,EFO:99", "mean", "no DNASE track of EFO:99"),
])  # fmt: skip
def test_tracks_that_give_no_number_are_refused_also_where_all_is_scored(
    fresh_db: Path, track_set: str, how: str | None, message: str
) -> None:
    study(fresh_db)
    predict(fresh_db, FakePredictor())
    before, wrong = content(fresh_db), scorer(track_set, name="wrong", track_aggregation=how)
    for ask in (
        lambda: predict(fresh_db, FakePredictor(), wrong),
        lambda: predict(fresh_db, FakePredictor(), wrong, drawn=Drawn(None, 5, 0)),
        lambda: write_worklist(Place(fresh_db), wrong, QUICK, fresh_db.parent / "work.parquet"),
    ):
        with pytest.raises(UsageError, match=message):
            ask()
    assert content(fresh_db) == before


def test_tracks_that_no_score_is_of_yet_are_asked_of_the_model(fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, FakePredictor(), keep="selected")
    assert predict(fresh_db, FakePredictor(), scorer("EFO:2", name="other"), keep="selected").scored == 5


# Which variants


def test_a_limit_takes_the_first_of_the_genome_and_the_next_run_goes_on(fresh_db: Path) -> None:
    all_of_them, first, second = study(fresh_db), FakePredictor(), FakePredictor()
    predict(fresh_db, first, choice=Choice(limit=3))
    predict(fresh_db, second, choice=Choice(limit=3))
    assert (sorted(first.asked), sorted(second.asked)) == (all_of_them[:3], all_of_them[3:])


def test_only_variants_in_peaks_are_asked_for_where_that_is_wanted(fresh_db: Path) -> None:
    all_of_them, predictor = study(fresh_db), FakePredictor()
    with db.writing(fresh_db) as con:
        add_peaks(con, 2, [("chr1", 15, 35)])  # 0-based: holds positions 16 to 35
    predict(fresh_db, predictor, choice=Choice(in_peaks=True))
    assert sorted(predictor.asked) == all_of_them[1:3]


def test_a_condition_chooses_among_the_candidates(fresh_db: Path) -> None:
    all_of_them, predictor = study(fresh_db), FakePredictor()
    predict(fresh_db, predictor, choice=Choice(where="kind = 'SNV' AND pos BETWEEN 20 AND 30 OR pos = 50"))
    assert sorted(predictor.asked) == [all_of_them[1], all_of_them[2], all_of_them[4]]


@pytest.mark.parametrize("where", ["no_such_column = 1", "pos >", "pos = 'x'"])
def test_a_condition_that_is_no_sql_is_refused_with_the_columns_that_there_are(fresh_db: Path, where: str) -> None:
    study(fresh_db)
    with pytest.raises(UsageError, match="--where") as caught:
        predict(fresh_db, FakePredictor(), choice=Choice(where=where))
    assert "view candidate" in str(caught.value)


def test_a_sample_is_of_variants_and_the_same_for_every_scorer(fresh_db: Path) -> None:
    study(fresh_db, 60)
    with db.writing(fresh_db) as con:
        add_qtls(con, 1, ["chr1_10_A_C"] * 500, [0.1] * 500)
    first, second, other = FakePredictor(), FakePredictor(), FakePredictor()
    predict(fresh_db, first, choice=Choice(sample=(20, 7)))
    with db.writing(fresh_db) as con:
        add_snvs(con, 100, first=1000)  # a stored sample stays what it is
    predict(fresh_db, second, scorer(window_bp=200), choice=Choice(sample=(20, 7)))
    predict(fresh_db, other, scorer(window_bp=300), choice=Choice(sample=(20, 8)))
    assert len(set(first.asked)) == 20
    assert set(first.asked) == set(second.asked) == set(stored(fresh_db, "sample_variant WHERE sample_id = 1"))
    assert set(other.asked) != set(first.asked)


def test_a_sample_can_be_drawn_while_a_reader_holds_the_database(fresh_db: Path) -> None:
    study(fresh_db)
    predictor = FakePredictor()
    with held(fresh_db), pytest.raises(DatabaseBusy):
        predict(fresh_db, predictor, choice=Choice(sample=(2, 7)), merge_patience_s=0.1)
    assert len(predictor.asked) == 2
    predict(fresh_db, predictor, choice=Choice(sample=(2, 7)))
    assert sorted(predictor.asked) == stored(fresh_db, "sample_variant") == stored(fresh_db)


@pytest.mark.parametrize("n", [1, 2, 3, 7])
def test_shards_are_disjoint_and_make_up_the_whole(fresh_db: Path, n: int) -> None:
    all_of_them, parts = study(fresh_db, 40), [FakePredictor() for _ in range(n)]
    for i, predictor in enumerate(parts, 1):
        predict(fresh_db, predictor, choice=Choice(shard=(i, n)), out=fresh_db.parent / "out")
    assert sorted(v for predictor in parts for v in predictor.asked) == all_of_them
    assert all(predictor.asked for predictor in parts)


def test_a_database_without_variants_is_no_work(fresh_db: Path) -> None:
    assert predict(fresh_db, FakePredictor()).pending == 0


# Nothing to ask for


def nothing(path: Path, choice: Choice | None = None, *, out: Path | None = None, **changes: object) -> str:
    """What is said where the work list is empty."""
    settings = replace(QUICK, choice=choice or Choice(), **changes)  # type: ignore[arg-type]
    return why(Place(path, out=out), scorer(), settings)


def test_what_was_chosen_is_told_by_what_has_become_of_it(fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, refusing(20, 40))
    failed = "failed before (--retry-failed asks for them again)"
    assert nothing(fresh_db) == f"nothing to ask for: 3 variants were scored before, 2 {failed}"
    assert nothing(fresh_db, Choice(where="pos = 20")) == f"nothing to ask for: 1 {failed}"
    assert nothing(fresh_db, Choice(where="pos = 10", limit=1)) == "nothing to ask for: 1 variants were scored before"


def test_a_run_elsewhere_that_is_complete_is_no_error_when_it_is_started_again(fresh_db: Path) -> None:
    study(fresh_db, 12)
    first, second, out = Choice(shard=(1, 2)), Choice(shard=(2, 2)), fresh_db.parent / "out"
    n = predict(fresh_db, FakePredictor(), choice=first, out=out).scored
    assert predict(fresh_db, FakePredictor(), choice=first, out=out).pending == 0
    assert nothing(fresh_db, first, out=out) == f"nothing to ask for: {n} lie finished in {out}"
    assert nothing(fresh_db, second, out=fresh_db.parent / "other") == (
        "nothing to ask for: none of 12 variants is in this shard"
    )
    listed, place = fresh_db.parent / "work.parquet", Place(None, fresh_db.parent / "work.parquet", out)
    write_worklist(Place(fresh_db), scorer(), QUICK, listed)
    assert why(place, scorer(), QUICK) == f"nothing to ask for: {n} of {listed} lie finished in {out}"
    place = replace(place, out=fresh_db.parent / "other")
    assert why(place, scorer(), QUICK) == "nothing to ask for: none of 12 variants is in this shard"


@pytest.mark.parametrize("choice", [Choice(where="chrom = 'chr9'"), Choice(in_peaks=True)])
def test_a_choice_of_nothing_is_refused(choice: Choice, fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, FakePredictor())
    with pytest.raises(Refused, match="no variant can be scored") as caught:
        nothing(fresh_db, choice)
    assert caught.value.where == (choice.where and f"--where {choice.where}")
    assert ("peaks" in (caught.value.cure or "")) == choice.in_peaks


def test_an_audit_of_what_has_no_score_is_refused(fresh_db: Path) -> None:
    study(fresh_db)
    with pytest.raises(Refused, match="no variant has a score"):
        nothing(fresh_db, drawn=Drawn(None, 5, 0))


# Failures


def test_a_failure_is_stored_with_its_reason_and_not_asked_for_again(fresh_db: Path) -> None:
    study(fresh_db)
    summary = predict(fresh_db, refusing(20, 40))
    assert (summary.scored, summary.failed) == (3, 2)
    found = asked(fresh_db, "SELECT pos, reason, attempts, run_id FROM failure ORDER BY pos")
    assert found == [(20, "no_such", 1, 1), (40, "no_such", 1, 1)]
    again = FakePredictor()
    predict(fresh_db, again)
    assert again.asked == []


def test_what_failed_is_asked_for_again_where_that_is_wanted_and_attempts_add_up(fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, refusing(20, 40))
    again = refusing(40)
    predict(fresh_db, again, choice=Choice(retry_failed=True))
    assert sorted(v.pos for v in again.asked) == [20, 40]
    assert asked(fresh_db, "SELECT pos, reason, attempts, run_id FROM failure") == [(40, "no_such", 2, 2)]
    assert stored(fresh_db) == [v for v in variants(5) if v.pos != 40]


def test_a_variant_that_keeps_failing_is_given_up_with_all_its_attempts(fresh_db: Path) -> None:
    study(fresh_db)

    def act(variant: Variant, time: int) -> Answer:
        if variant.pos == 30:
            raise TryAgain("internal: oops")
        return answer(variant)

    predict(fresh_db, FakePredictor(act))
    assert asked(fresh_db, "SELECT pos, reason, attempts FROM failure") == [(30, "internal: oops", 4)]


def test_a_variant_without_a_gene_in_its_window_is_answered(fresh_db: Path) -> None:
    study(fresh_db)

    def act(variant: Variant, time: int) -> Answer:
        genes = () if variant.pos == 30 else ("ENSG1", "ENSG2")
        return Answer(np.full((len(genes), len(TRACKS)), score_of(variant)), genes=genes)

    predict(fresh_db, FakePredictor(act))
    assert stored(fresh_db) == variants(5)
    assert count(fresh_db, "score WHERE gene_id IN ('ENSG1', 'ENSG2')") == 2 * 4
    assert predict(fresh_db, FakePredictor()).pending == 0


# Two computations of one scorer


def test_what_the_first_computation_refuses_the_second_is_asked(fresh_db: Path) -> None:
    study(fresh_db)
    atlas, model = refusing(20, 40), refusing(40)
    summary = predict(fresh_db, Two(atlas, model), BOTH)  # type: ignore[arg-type]
    assert sorted(v.pos for v in model.asked) == [20, 40]
    assert (summary.pending, summary.scored, summary.failed, summary.calls) == (5, 4, 1, 7)
    found = asked(fresh_db, "SELECT pos, provider FROM score ORDER BY pos")
    assert found == [(10, "atlas"), (20, "model"), (30, "atlas"), (50, "atlas")]


def test_no_computation_is_asked_twice_for_what_it_refused(fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, Two(refusing(20, 40), refusing(40)), BOTH)  # type: ignore[arg-type]
    atlas, model = FakePredictor(), FakePredictor()
    assert predict(fresh_db, Two(atlas, model), BOTH).pending == 0  # type: ignore[arg-type]
    assert (atlas.asked, model.asked) == ([], [])


def test_what_the_second_has_answered_the_first_is_not_asked_again_with_the_failed_ones(fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, Two(refusing(20, 40), refusing(40)), BOTH)  # type: ignore[arg-type]
    atlas, model = FakePredictor(), FakePredictor()
    predict(fresh_db, Two(atlas, model), BOTH, choice=Choice(retry_failed=True))  # type: ignore[arg-type]
    assert ([v.pos for v in atlas.asked], model.asked) == ([40], [])


def test_atlas_is_asked_for_snvs_alone(fresh_db: Path) -> None:
    study(fresh_db)
    with db.writing(fresh_db) as con:
        add_variants(con, [("chr1", 25, "AG", "A")])
    atlas, model = FakePredictor(), FakePredictor()
    predict(fresh_db, Two(atlas, model), BOTH)  # type: ignore[arg-type]
    assert sorted(atlas.asked) == variants(5)
    assert model.asked == [Variant("chr1", 25, "AG", "A")]


def test_a_limit_is_of_variants_whoever_answers(fresh_db: Path) -> None:
    study(fresh_db, 10)
    atlas, model = refusing(20), FakePredictor()
    predict(fresh_db, Two(atlas, model), BOTH, choice=Choice(limit=3))  # type: ignore[arg-type]
    assert sorted(v.pos for v in atlas.asked) == [10, 20, 30]
    assert [v.pos for v in model.asked] == [20]


def test_in_a_folder_of_its_own_too_the_second_is_asked_only_what_the_first_refused(fresh_db: Path) -> None:
    study(fresh_db)
    atlas, model = refusing(20, 40), FakePredictor()
    predict(fresh_db, Two(atlas, model), BOTH, out=fresh_db.parent / "out")  # type: ignore[arg-type]
    assert sorted(v.pos for v in model.asked) == [20, 40]


def test_calls_are_limited_over_both(fresh_db: Path) -> None:
    study(fresh_db)
    atlas, model = refusing(20, 40), FakePredictor()
    assert predict(fresh_db, Two(atlas, model), BOTH, max_calls=6).calls == 6  # type: ignore[arg-type]
    assert len(atlas.asked) + len(model.asked) == 6


# The provider fails, the run is interrupted


def test_a_provider_that_fails_keeps_what_was_scored_and_the_next_run_does_the_rest(fresh_db: Path) -> None:
    all_of_them = study(fresh_db)

    def act(variant: Variant, time: int) -> Answer:
        if variant.pos == 40:
            raise ProviderError("the key is wrong")
        return answer(variant)

    first, second, summary = FakePredictor(act, in_flight=1), FakePredictor(), Summary()
    with pytest.raises(ProviderError, match="the key is wrong"):
        predict(fresh_db, first, summary=summary)
    assert (summary.scored, summary.calls) == (3, 4)
    assert stored(fresh_db) == all_of_them[:3]
    assert asked(fresh_db, "SELECT status, n_rows, n_calls FROM run") == [("failed", 3, 4)]
    predict(fresh_db, second)
    assert sorted(second.asked) == all_of_them[3:]


def test_a_signal_ends_the_run_and_keeps_what_was_scored(fresh_db: Path) -> None:
    all_of_them = study(fresh_db, 50)
    sent = threading.Event()

    def act(variant: Variant, time: int) -> Answer:
        if variant.pos == 40:
            os.kill(os.getpid(), signal.SIGTERM)
            sent.set()
        return answer(variant)

    predictor = FakePredictor(act, in_flight=1)
    with pytest.raises(KeyboardInterrupt):
        predict(fresh_db, predictor)
    assert sent.is_set()
    assert stored(fresh_db) == sorted(predictor.asked)
    assert asked(fresh_db, "SELECT status FROM run") == [("interrupted",)]
    again = FakePredictor()
    predict(fresh_db, again)
    assert sorted(predictor.asked + again.asked) == all_of_them


# The database and others


def test_a_reader_delays_merging_and_nothing_else(fresh_db: Path) -> None:
    all_of_them = study(fresh_db, 20)
    shown: list[Summary] = []
    told, talk = events()
    with held(fresh_db), pytest.raises(DatabaseBusy) as caught:
        predict(fresh_db, FakePredictor(), talk=replace(talk, show=lambda s: shown.append(replace(s))),
                batch_variants=5, merge_patience_s=0.1)  # fmt: skip
    assert "PID" in str(caught.value)
    assert shown[-1].scored == 20
    assert "held by" in (shown[-1].held_by or "")
    assert told.count("batch") >= 1
    assert stored(fresh_db) == []
    again = FakePredictor()
    assert predict(fresh_db, again).pending == 0
    assert (again.asked, stored(fresh_db)) == ([], all_of_them)


def test_others_can_read_and_write_while_the_calls_are_made(fresh_db: Path) -> None:
    study(fresh_db)
    seen: list[int] = []

    def act(variant: Variant, time: int) -> Answer:
        seen.append(count(fresh_db, "variant"))
        return answer(variant)

    predict(fresh_db, FakePredictor(act, in_flight=1))
    assert seen == [5] * 5


def test_batches_are_merged_while_the_run_goes_on(fresh_db: Path) -> None:
    study(fresh_db, 3)
    told: list[str] = []
    first = threading.Event()

    def act(variant: Variant, time: int) -> Answer:
        if variant.pos == 30:
            assert first.wait(10)  # the answers before this one are merged while it is awaited
        return answer(variant)

    def log(event: str, **details: object) -> None:
        told.append(event)
        if event == "merged":
            first.set()

    predict(fresh_db, FakePredictor(act, in_flight=1), talk=Talk(log=log), batch_variants=2)
    assert (told[0], told[-1]) == ("start", "end")
    assert told.count("merged") == told.count("batch") >= 2


# What is known of the run


def test_the_run_row_says_what_was_asked_of_which_software_and_how_it_ended(fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, refusing(20), choice=Choice(where="pos < 45"), max_calls=100)
    (row,) = asked(fresh_db, "SELECT command, arguments, agdb_version, software, status, n_rows, n_calls, "
                             "seconds_waited, finished_at >= started_at, length(run_uuid) FROM run")  # fmt: skip
    arguments = json.loads(str(row[1]))
    assert arguments == {
        "scorer": "fake", "window_bp": 100, "where": "pos < 45", "max_calls": 100,
        "providers": ["fake"], "model_version": "1", "keep": "all",
    }  # fmt: skip
    assert (row[0], *row[2:]) == ("predict", __version__, "fake 1.0", "done", 3, 4, 0.0, True, 32)


def test_calls_that_the_quota_refused_are_counted_and_so_is_the_wait(fresh_db: Path) -> None:
    study(fresh_db)

    def act(variant: Variant, time: int) -> Answer:
        if variant.pos == 30 and time < 3:
            raise TryAgain("quota", is_quota=True)
        return answer(variant)

    summary = predict(fresh_db, FakePredictor(act))
    assert (summary.calls, summary.refusals) == (7, 2)
    assert summary.seconds_waited > 0
    assert asked(fresh_db, "SELECT n_calls, n_rows FROM run WHERE seconds_waited > 0") == [(7, 5)]


def test_nothing_is_left_beside_the_database(fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, refusing(20))
    assert [path.name for path in fresh_db.parent.iterdir()] == [fresh_db.name]


def test_two_runs_of_the_same_scores_at_once_are_refused(fresh_db: Path) -> None:
    study(fresh_db)

    def act(variant: Variant, time: int) -> Answer:
        if variant.pos == 10:
            with pytest.raises(Refused, match="another agdb predict of the same scores is running"):
                predict(fresh_db, FakePredictor())
        return answer(variant)

    assert predict(fresh_db, FakePredictor(act)).scored == 5


def test_runs_of_different_scores_go_side_by_side(fresh_db: Path) -> None:
    all_of_them, inner = study(fresh_db), FakePredictor()

    def act(variant: Variant, time: int) -> Answer:
        if variant.pos == 10:
            predict(fresh_db, inner, scorer(window_bp=200), out=fresh_db.parent / "out")
        return answer(variant)

    assert predict(fresh_db, FakePredictor(act)).scored == 5
    assert merged(fresh_db, fresh_db.parent / "out").scored == 5
    assert sorted(inner.asked) == all_of_them


def test_batches_of_a_run_elsewhere_are_not_touched_by_a_run_here(fresh_db: Path) -> None:
    study(fresh_db)
    out = fresh_db.parent / "out"
    predict(fresh_db, FakePredictor(), out=out)
    assert stored(fresh_db) == []
    assert len(batches(out)) == 1
    assert predict(fresh_db, FakePredictor()).calls == 5  # not known here until they are merged
    assert merged(fresh_db, out).scored == 0
