"""Does the provider repeat itself: what is scored again, what is stored of it, and what is said about it."""

from pathlib import Path

import numpy as np
import pytest
from predictors import TRACKS, FakePredictor, answer, scorer
from runs import Rows, asked, predict, stored, study

from agdb import db
from agdb.errors import Refused, UsageError
from agdb.predict import audit
from agdb.predict.audit import Drawn
from agdb.predict.provider_origin import Origin
from agdb.predictors.contract import Answer, Scorer, Variant, VariantFailed


def audited(path: Path, predictor: FakePredictor, drawn: Drawn, of: Scorer | None = None) -> list[dict[str, object]]:
    """Audit, and report on all audits."""
    predict(path, predictor, of, drawn=drawn)
    with db.reading(path) as con:
        names, rows = audit.report(con, of or scorer())
    return [dict(zip(names, row, strict=True)) for row in rows]


@pytest.fixture
def scored(fresh_db: Path) -> Path:
    """A study of 200 variants, scored."""
    study(fresh_db, 200)
    predict(fresh_db, FakePredictor())
    return fresh_db


def noisy(variant: Variant, time: int) -> Answer:
    """Every second variant is off by 0.5, and by 1.5 in the last track."""
    shift = np.array([[0.5, 0.5, 1.5]]) if variant.pos % 20 else 0.0
    return Answer(answer(variant).scores + shift)


def scores(path: Path) -> Rows:
    """All that an analysis reads."""
    return asked(path, "SELECT * FROM score ORDER BY ALL")


@pytest.mark.parametrize(("text", "expected"), [("0.5%", (0.005, None)), ("100%", (1.0, None)), ("500", (None, 500))])
def test_a_sample_is_a_share_or_a_number(text: str, expected: tuple[float | None, int | None]) -> None:
    assert audit.share(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0%", "101%", "-5", "half", "%", "nan%", "1.5"])
def test_what_is_no_sample_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="is no sample"):
        audit.share(text)


@pytest.mark.parametrize(("drawn", "n"), [(Drawn(0.1, None, 0), 20), (Drawn(0.0001, None, 0), 1),
                                          (Drawn(None, 7, 0), 7), (Drawn(None, 7000, 0), 200)])  # fmt: skip
def test_so_many_of_the_scored_variants_are_asked_for_again(drawn: Drawn, n: int, scored: Path) -> None:
    again = FakePredictor()
    audited(scored, again, drawn)
    assert len(again.asked) == len(set(again.asked)) == n
    assert set(again.asked) <= set(stored(scored))
    assert sorted(again.asked) == stored(scored, "replicate")


def test_the_same_seed_draws_the_same_sample_and_another_one_another(scored: Path) -> None:
    first, second, other = FakePredictor(), FakePredictor(), FakePredictor()
    for predictor, seed in ((first, 1), (second, 1), (other, 2)):
        audited(scored, predictor, Drawn(None, 20, seed))
    assert sorted(first.asked) == sorted(second.asked)
    assert sorted(first.asked) != sorted(other.asked)


def test_a_provider_that_repeats_itself_differs_by_nothing(scored: Path) -> None:
    (row,) = audited(scored, FakePredictor(), Drawn(0.1, None, 0))
    assert (row["variants"], row["scores"], row["share_identical"]) == (20, 20, 1.0)
    assert (row["largest_difference"], row["rms_difference"]) == (0.0, 0.0)


def test_a_provider_that_does_not_differs_by_what_it_differs(scored: Path) -> None:
    again = FakePredictor(noisy)
    (row,) = audited(scored, again, Drawn(None, 50, 0))
    off = np.array([0.5 if v.pos % 20 else 0.0 for v in again.asked])
    assert row["share_identical"] == (off == 0).mean()
    assert row["largest_difference"] == 0.5
    assert row["rms_difference"] == pytest.approx(np.sqrt((off**2).mean()))
    assert row["sd_of_scores"] == pytest.approx(np.std([v.pos for v in again.asked], ddof=1))


def test_the_tracks_of_the_scorer_are_reported_and_all_are_stored(scored: Path) -> None:
    mean = scorer("EFO:1,CL:3", name="mean", track_aggregation="mean")
    predict(scored, FakePredictor(), mean)
    (row,) = audited(scored, FakePredictor(noisy), Drawn(1.0, None, 0), mean)
    assert (row["variants"], row["scores"], row["largest_difference"]) == (200, 400, 1.5)
    assert asked(scored, "SELECT count(*) FROM replicate") == [(200 * len(TRACKS),)]


def test_each_audit_is_a_line_of_its_own(scored: Path) -> None:
    audited(scored, FakePredictor(), Drawn(None, 10, 0))
    rows = audited(scored, FakePredictor(noisy), Drawn(None, 200, 0))
    assert [(row["variants"], row["largest_difference"]) for row in rows] == [(10, 0.0), (200, 0.5)]


def test_an_audit_enters_no_analysis(scored: Path) -> None:
    before = scores(scored)
    audited(scored, FakePredictor(noisy), Drawn(1.0, None, 0))
    assert scores(scored) == before
    assert predict(scored, FakePredictor()).pending == 0


def test_a_variant_that_is_refused_this_time_keeps_its_score_and_is_no_failure(scored: Path) -> None:
    before = scores(scored)
    refusing = FakePredictor(lambda v, _: VariantFailed("no", blames_provider=True) if v.pos > 1000 else answer(v))
    (row,) = audited(scored, refusing, Drawn(1.0, None, 0))
    assert row["variants"] == 100
    assert (scores(scored), stored(scored, "failure")) == (before, [])


def test_a_scorer_that_the_database_does_not_know_is_audited_by_the_scores_that_another_left(scored: Path) -> None:
    (row,) = audited(scored, FakePredictor(), Drawn(None, 20, 0), scorer("EFO:2", name="other"))
    assert (row["variants"], row["share_identical"]) == (20, 1.0)


def test_an_audit_asks_who_gave_the_scores_and_is_called_so(fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, FakePredictor(), origin=Origin(model="mine:load"))
    with pytest.raises(Refused, match="would mix with them") as caught:
        predict(fresh_db, FakePredictor(), drawn=Drawn(None, 5, 0), origin=Origin(model="other:load"))
    assert "--address or --model, as agdb predict had them" in str(caught.value.cure)
    predict(fresh_db, FakePredictor(), drawn=Drawn(None, 5, 0), origin=Origin(model="mine:load"))
    assert asked(fresh_db, "SELECT command FROM run ORDER BY run_id") == [("predict",), ("audit",)]


def test_a_scorer_that_was_named_is_found_by_its_name(scored: Path) -> None:
    mean = scorer("EFO:1,CL:3", name="mean", track_aggregation="mean")
    predict(scored, FakePredictor(), mean)
    assert audit.named(scored, "mean", None) == audit.named(scored, "mean", 100) == mean
    assert audit.named(scored, "mean", 200) is audit.named(scored, "dnase-k562", None) is None
    wide = scorer("EFO:1,CL:3", name="mean", track_aggregation="mean", window_bp=300)
    predict(scored, FakePredictor(), wide)
    with pytest.raises(UsageError, match="2 scorers 'mean'") as caught:
        audit.named(scored, "mean", None)
    assert caught.value.cure == "--window 100 or --window 300"


def test_where_nothing_was_scored_nothing_is_asked_again(fresh_db: Path) -> None:
    study(fresh_db)
    again = FakePredictor()
    assert audited(fresh_db, again, Drawn(1.0, None, 0)) == []
    assert again.asked == []
