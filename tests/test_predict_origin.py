"""Who gave the scores: a run says whom it asked, and scores of another model than those that are there are refused."""

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from predictors import FakePredictor, scorer
from runs import QUICK, asked, predict, stored, study, variants

from agdb.errors import Refused
from agdb.predict import merge
from agdb.predict.job import Place
from agdb.predict.provider import Who
from agdb.predict.provider_origin import GOOGLE, Origin, of_run
from agdb.predict.spool import batches, folder_of
from agdb.predict.work import Choice
from agdb.predict.work_none import why

#: A server of Google's, and of one's own; a model object by its factory, and one that was handed over.
SERVICE, OWN = Origin((GOOGLE,)), Origin(("node1:50051",))
MINE, OTHER, HANDED = Origin(model="mine:load"), Origin(model="other:load"), Origin()


def by(origin: Origin) -> FakePredictor:
    """A predictor that calls itself as this one does."""
    predictor = FakePredictor()
    predictor.software = "alphagenome 0.1" if origin.addresses else "mine.Toy (alphagenome 0.1)"
    return predictor


def scored_by(path: Path, origin: Origin, choice: Choice | None = None, out: Path | None = None) -> int:
    """Score all that is pending; returns the calls."""
    return predict(path, by(origin), choice=choice, origin=origin, out=out).calls


def test_the_software_is_told_by_its_name_whatever_its_version() -> None:
    assert {of_run(text, "{}").software for text in ("a.B 1.0", "a.B 1.1, ray 2.0", "a.B (alphagenome 1)")} == {"a.B"}


@pytest.mark.parametrize(("first", "then", "is_refused"), [
    (MINE, OTHER, True), (MINE, SERVICE, True), (SERVICE, MINE, True), (SERVICE, OWN, True), (OWN, SERVICE, True),
    (MINE, MINE, False), (MINE, HANDED, False), (HANDED, MINE, False), (OWN, OWN, False), (HANDED, SERVICE, True),
    (Origin(("node1:50051", "node2:50051")), OWN, False), (OWN, Origin(("node1:50051", "node2:50051")), True),
    (OWN, Origin(("node2:50051",), same_model=True), False), (MINE, replace(SERVICE, same_model=True), False),
])  # fmt: skip
def test_scores_of_another_model_are_refused_before_its_first_call(
    first: Origin, then: Origin, is_refused: bool, fresh_db: Path
) -> None:
    study(fresh_db)
    scored_by(fresh_db, first, Choice(limit=2))
    with pytest.raises(Refused, match="would mix with them") if is_refused else nullcontext():
        scored_by(fresh_db, then)
    assert stored(fresh_db) == variants(2 if is_refused else 5)


def test_scores_of_another_model_are_refused_in_a_folder_too_and_when_it_is_merged(fresh_db: Path) -> None:
    study(fresh_db)
    one, two = fresh_db.parent / "one", fresh_db.parent / "two"
    scored_by(fresh_db, OWN, Choice(limit=2), one)
    with pytest.raises(Refused, match=f"scores of node1:50051 are there, and those of {GOOGLE} would mix"):
        scored_by(fresh_db, SERVICE, out=one)
    scored_by(fresh_db, SERVICE, out=two)
    merge.merge(fresh_db, batches(one))
    with pytest.raises(Refused, match="would mix with them") as caught:
        merge.merge(fresh_db, batches(two))
    assert "agdb merge --same-model" in str(caught.value.cure)
    assert (stored(fresh_db), batches(two)) == (variants(2), [Path(str(caught.value.where))])
    assert merge.merge(fresh_db, batches(two), same_model=True).scored == 3


def test_a_batch_of_another_model_that_waits_is_in_the_way_of_its_own_scorer_alone(fresh_db: Path) -> None:
    """As where two shards began at the same time, and each asked another server."""
    study(fresh_db)
    copy, out = fresh_db.with_name("copy.duckdb"), fresh_db.parent / "out"
    copy.write_bytes(fresh_db.read_bytes())
    scored_by(copy, SERVICE, Choice(where="pos < 45"), out)
    scored_by(fresh_db, OWN, Choice(limit=2))
    waits = folder_of(fresh_db) / scorer().of.computation_id
    waits.mkdir(parents=True)
    (foreign,) = batches(out)
    foreign.rename(waits / foreign.name)
    assert predict(fresh_db, by(OWN), scorer(window_bp=200), origin=OWN).calls == 5
    with pytest.raises(Refused, match="would mix with them"):
        scored_by(fresh_db, OWN)
    assert scored_by(fresh_db, replace(OWN, same_model=True)) == 1
    assert (stored(fresh_db), folder_of(fresh_db).exists()) == (variants(5), False)


def test_a_model_that_scored_nothing_is_in_nobodys_way(fresh_db: Path) -> None:
    study(fresh_db)
    predict(fresh_db, by(OWN), origin=OWN, max_calls=0)
    assert scored_by(fresh_db, SERVICE) == 5


def test_of_scores_that_are_there_it_is_told_that_they_are_of_another_model(fresh_db: Path) -> None:
    study(fresh_db)
    scored_by(fresh_db, MINE)
    said = "nothing to ask for: 5 variants were scored before"
    settings = replace(QUICK, origin=MINE)
    assert why(Place(fresh_db), scorer(), settings) == said
    settings = replace(QUICK, origin=SERVICE)
    assert why(Place(fresh_db), scorer(), settings) == f"{said}: they are of mine:load, not of {GOOGLE}"


@pytest.mark.parametrize(("addresses", "model", "said"), [
    (None, None, {"addresses": [GOOGLE]}), (["a:1", "b:2"], None, {"addresses": ["a:1", "b:2"]}),
    (None, "mine:load", {"model": "mine:load"}), (None, object(), {}),
])  # fmt: skip
def test_the_run_says_who_was_asked_and_keeps_no_secret(
    addresses: list[str] | None, model: object, said: dict[str, object], fresh_db: Path
) -> None:
    study(fresh_db)
    key = fresh_db.parent / "key"
    key.write_text("sekret")
    who = Who(
        genome_of=lambda _: pytest.fail("no genome is read"), addresses=addresses or (), key_file=key, model=model
    )
    predict(fresh_db, FakePredictor(), origin=who.origin(scorer()), keep="selected")
    ((text,),) = asked(fresh_db, "SELECT arguments FROM run")
    assert "sekret" not in str(text)
    told = {"providers": ["fake"], "model_version": "1", "keep": "EFO:1", **said}
    assert json.loads(str(text)) == {"scorer": "fake", "window_bp": 100, **told}
