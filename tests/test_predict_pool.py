"""Calls in flight: what is asked again, what is given up, and whose fault it was; with a predictor of a few lines."""

import random
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from predictors import Act, FakePredictor, answer

from agdb.errors import ProviderError
from agdb.predict.doubt import SUSPICIOUS, TRIES, Outcome
from agdb.predict.pace import Pace
from agdb.predict.pool import Pool
from agdb.predictors.contract import Answer, TryAgain, Variant, VariantFailed


def variants(n: int) -> list[Variant]:
    """n SNVs."""
    return [Variant("chr1", 10 * (i + 1), "A", "C") for i in range(n)]


def pool_of(
    predictor: FakePredictor, *, max_calls: int | None = None, patience_s: float = 5.0, **more: Any
) -> tuple[Pool, Pace, list[tuple[str, dict[str, object]]]]:
    """A pool, its pace, and what it tells; `more` is as in `Pool`."""
    told: list[tuple[str, dict[str, object]]] = []
    pace = Pace(predictor.in_flight, window_s=0.05, max_calls=max_calls)

    def tell(event: str, **details: object) -> None:
        told.append((event, details))

    return Pool(predictor, pace, tell, patience_s=patience_s, retry_s=0.001, **more), pace, told


def outcomes_of(pool: Pool, asked: list[Variant]) -> dict[Variant, Outcome]:
    """Ask for all; every variant comes back at most once."""
    pool.start(asked)
    found: list[Outcome] = []
    while not pool.is_over:
        found += pool.take(0.05)
    by_variant = {o.variant: o for o in found}
    assert len(by_variant) == len(found)
    return by_variant


def failing(times: int, error: Exception, which: set[int]) -> Act:
    """Variants at these positions fail so often, then are answered."""

    def act(variant: Variant, time_: int) -> Answer:
        if variant.pos in which and time_ <= times:
            raise error
        return answer(variant)

    return act


def test_every_variant_is_asked_once_several_at_a_time_and_comes_back_once() -> None:
    def act(variant: Variant, time_: int) -> Answer:
        time.sleep(0.002)
        return answer(variant)

    predictor = FakePredictor(act, in_flight=8)
    pool, pace, _ = pool_of(predictor)
    found = outcomes_of(pool, variants(200))
    assert set(found) == set(variants(200))
    assert all(o.answer is not None and o.attempts == 1 for o in found.values())
    assert pace.calls == len(predictor.asked) == 200
    assert predictor.at_a_time == 8


def test_no_variants_are_no_calls() -> None:
    predictor = FakePredictor()
    assert outcomes_of(pool_of(predictor)[0], []) == {}
    assert predictor.asked == []


def test_variants_are_read_as_they_are_needed() -> None:
    read = 0

    def many() -> Iterator[Variant]:
        nonlocal read
        for variant in variants(100_000):
            read += 1
            yield variant

    gate = threading.Event()

    def act(variant: Variant, time_: int) -> Answer:
        gate.wait(5)
        return answer(variant)

    pool, _, _ = pool_of(FakePredictor(act, in_flight=2))
    pool.start(many())
    pool.take(0.1)
    assert read < 1_000
    gate.set()
    pool.stop(1.0)


@pytest.mark.parametrize(
    "error",
    [TryAgain("internal: oops"), TryAgain("unavailable: no", is_down=True), TryAgain("quota", is_quota=True)],
    ids=["stumbled", "down", "quota"],
)
def test_a_call_that_fails_for_now_is_made_again(error: TryAgain) -> None:
    bad = {100, 110, 500}
    predictor = FakePredictor(failing(2, error, bad))
    found = outcomes_of(pool_of(predictor)[0], variants(60))
    assert all(o.answer is not None for o in found.values())
    assert {o.variant.pos: o.attempts for o in found.values() if o.attempts > 1} == dict.fromkeys(bad, 3)
    asked_again = len(predictor.asked) - (60 + 2 * len(bad))
    assert 0 <= asked_again <= 2 * len(bad)  # the control, where nothing else was answered in between


def test_a_variant_that_fails_while_others_succeed_is_given_up_with_its_reason_and_attempts() -> None:
    predictor = FakePredictor(failing(99, TryAgain("internal: oops"), {300}))
    found = outcomes_of(pool_of(predictor)[0], variants(60))
    (failed,) = [o for o in found.values() if o.answer is None]
    assert failed[:3] == (Variant("chr1", 300, "A", "C"), None, "internal: oops")
    assert TRIES <= failed.attempts <= 2 * TRIES
    assert len(found) == 60


class Batches(FakePredictor):
    """Takes 100 variants in a call, which fails as a whole where one of some is among them."""

    batch_size = 100

    def __init__(self, bad: set[int]) -> None:
        super().__init__()
        self.bad, self.calls = bad, 0

    def score(self, variants: Sequence[Variant]) -> Sequence[Answer]:
        """See the class."""
        self.calls += 1
        if any(variant.pos in self.bad for variant in variants):
            raise TryAgain("worker_died")
        return [answer(variant) for variant in variants]


@pytest.mark.parametrize("bad", [{3330}, {3330, 3340}])
def test_a_call_of_many_variants_that_fails_is_held_against_those_at_fault_alone(bad: set[int]) -> None:
    predictor = Batches(bad)
    found = outcomes_of(pool_of(predictor)[0], variants(1_000))
    assert {v.pos for v, o in found.items() if o.answer is None} == bad
    assert {o.reason for o in found.values() if o.answer is None} == {"worker_died"}
    assert len(found) == 1_000
    # the other batches; then the whole and each of its seven halves, and those who fail by themselves
    assert predictor.calls <= 9 + 3 * (TRIES + len(bad) * (2 * 7 + TRIES))  # and the control before most of these
    assert all(o.attempts == 1 for v, o in found.items() if not 3_000 < v.pos <= 4_000)


def test_a_refused_variant_is_not_asked_again() -> None:
    predictor = FakePredictor(failing(99, VariantFailed("invalid_argument: no", blames_provider=True), {10, 300}))
    found = outcomes_of(pool_of(predictor)[0], variants(60))
    assert {v.pos for v, o in found.items() if o.reason == "invalid_argument: no"} == {10, 300}
    assert Counter(predictor.asked)[Variant("chr1", 300, "A", "C")] == 1


def test_a_refusal_may_be_returned_instead_of_raised() -> None:
    predictor = FakePredictor(lambda v, _: VariantFailed("window_has_N") if v.pos == 20 else answer(v))
    found = outcomes_of(pool_of(predictor)[0], variants(3))
    assert [found[v].reason for v in variants(3)] == [None, "window_has_N", None]


def test_the_quota_refuses_anybody_also_several_times_in_a_row() -> None:
    predictor = FakePredictor(failing(2 * TRIES, TryAgain("quota", is_quota=True), {50}))
    pool, pace, told = pool_of(predictor)
    found = outcomes_of(pool, variants(10))
    assert all(o.answer is not None for o in found.values())
    assert pace.refusals == 2 * TRIES
    assert [event for event, _ in told].count("quota") == 2 * TRIES


#: How a provider fails that is not there, or not well.
ILL: dict[str, Answer | TryAgain | VariantFailed] = {
    "down": TryAgain("unavailable: restarting", is_down=True), "stumbling": TryAgain("internal: oops"),
    "refusing": VariantFailed("invalid_argument: model", blames_provider=True),
    "nonsense": Answer(np.array([[np.nan] * 3])),
}  # fmt: skip


def ill(kind: str, variant: Variant, is_ill: bool) -> Answer:
    """What such a provider answers."""
    said = ILL[kind] if is_ill else answer(variant)
    if isinstance(said, Answer):
        return said
    raise said


@pytest.mark.parametrize("kind", ILL)
def test_an_outage_blames_no_variant_and_costs_few_calls(kind: str) -> None:
    """Ill from the 20th call on for a while, as a server that is restarted."""
    back_at = 0.0

    def act(variant: Variant, time_: int) -> Answer:
        nonlocal back_at
        time.sleep(0.001)
        if len(predictor.asked) >= 20 and not back_at:
            back_at = time.monotonic() + 0.5
        return ill(kind, variant, time.monotonic() < back_at)

    predictor = FakePredictor(act)
    found = outcomes_of(pool_of(predictor)[0], variants(100))
    assert all(o.answer is not None for o in found.values()) or kind in ("refusing", "nonsense")
    assert len(found) == 100
    lost = sum(o.answer is None for o in found.values())
    assert lost == 0 if kind in ("down", "stumbling") else lost <= SUSPICIOUS + predictor.in_flight
    assert len(predictor.asked) < 130


@pytest.mark.parametrize("kind", ILL)
def test_a_provider_that_is_ill_from_some_moment_on_ends_the_run_and_fails_no_variant(kind: str) -> None:
    predictor = FakePredictor(lambda variant, _: ill(kind, variant, len(predictor.asked) > 20))
    pool, _, _ = pool_of(predictor, patience_s=0.3)
    found = outcomes_of(pool, variants(300))
    assert pool.error is not None
    assert pool.error.what.startswith("nothing was answered for")
    assert all(o.answer is not None for o in found.values())
    assert len(predictor.asked) < 60


@pytest.mark.parametrize("kind", [*ILL, "quota"])
@pytest.mark.parametrize("bad", [range(40), range(20, 21), range(20, 60), range(99, 100), range(60, 100)])
def test_variants_that_fail_for_good_are_failures_wherever_they_are_and_the_others_are_scored(
    kind: str, bad: range
) -> None:
    bad = bad[: {"quota": 1, "down": 2}.get(kind)]  # each of them makes all wait

    def act(variant: Variant, time_: int) -> Answer:
        is_bad = variant.pos // 10 - 1 in bad
        if is_bad and kind == "quota":
            raise TryAgain("resource_exhausted: memory", is_quota=True)
        return ill(kind, variant, is_bad)

    predictor = FakePredictor(act, in_flight=2)  # so that the list is read to its end late
    # where the first ones fail, one that was scored by an earlier run shows that it is they
    pool, _, _ = pool_of(predictor, patience_s=20, control=variants(200)[-1])
    found = outcomes_of(pool, variants(100))
    assert pool.error is None
    assert len(found) == 100
    assert {v.pos // 10 - 1 for v, o in found.items() if o.answer is None} == set(bad)
    assert len(predictor.asked) < 110 + (4 * TRIES + 2 * TRIES) * len(bad)


def test_a_first_variant_that_fails_for_good_ends_no_run() -> None:
    predictor = FakePredictor(failing(999, TryAgain("internal: oops"), {10}))
    found = outcomes_of(pool_of(predictor)[0], variants(20))
    assert [v.pos for v, o in found.items() if o.answer is None] == [10]
    assert len(found) == 20


@pytest.mark.parametrize("share", [0.1, 0.3])
def test_where_many_calls_fail_by_chance_no_variant_is_given_up_for_it(share: float) -> None:
    chance = random.Random(3)

    def act(variant: Variant, time_: int) -> Answer:
        if chance.random() < share:
            raise TryAgain("deadline_exceeded: busy")
        return answer(variant)

    predictor = FakePredictor(act, in_flight=16)
    pool, _, _ = pool_of(predictor, patience_s=30)
    found = outcomes_of(pool, variants(1_000))
    assert len(found) == 1_000
    assert all(o.answer is not None for o in found.values())


@pytest.mark.parametrize("kind", ["is_down", "is_quota"])
def test_a_provider_that_never_answers_is_waited_for_so_long_and_no_longer(kind: str) -> None:
    def act(variant: Variant, time_: int) -> Answer:
        raise TryAgain("gone", **{kind: True})

    began = time.monotonic()
    pool, _, _ = pool_of(FakePredictor(act), patience_s=0.3)
    assert outcomes_of(pool, variants(50)) == {}
    assert isinstance(pool.error, ProviderError)
    assert re.match(r"nothing was answered for [\d.]+ s: gone", pool.error.what)
    assert 0.3 < time.monotonic() - began < 5


def test_a_provider_that_stumbles_over_everything_is_held_to_have_failed() -> None:
    def act(variant: Variant, time_: int) -> Answer:
        raise TryAgain("malformed_answer: nonsense")

    predictor = FakePredictor(act)
    pool, _, _ = pool_of(predictor)
    assert outcomes_of(pool, variants(50)) == {}
    assert pool.error is not None
    assert "malformed_answer" in pool.error.what
    assert len(predictor.asked) <= SUSPICIOUS * TRIES


def test_refusals_before_the_first_answer_are_the_providers_fault_once_there_are_enough() -> None:
    predictor = FakePredictor(failing(99, VariantFailed("not_found: chrom", blames_provider=True), set(range(1_000))))
    pool, _, _ = pool_of(predictor)
    assert outcomes_of(pool, variants(50)) == {}
    assert pool.error is not None
    assert f"the first {SUSPICIOUS} variants were all refused: not_found: chrom" in pool.error.what
    assert len(predictor.asked) == SUSPICIOUS


@pytest.mark.parametrize("n", [1, SUSPICIOUS - 1])
def test_a_few_refusals_and_nothing_else_to_ask_are_failures(n: int) -> None:
    predictor = FakePredictor(failing(99, VariantFailed("invalid", blames_provider=True), set(range(1_000))))
    pool, _, _ = pool_of(predictor)
    found = outcomes_of(pool, variants(n))
    assert pool.error is None
    assert [o.reason for o in found.values()] == ["invalid"] * n


def test_refusals_before_the_first_answer_are_believed_when_it_comes() -> None:
    few = {10 * (i + 1) for i in range(SUSPICIOUS - 1)}
    predictor = FakePredictor(failing(99, VariantFailed("invalid", blames_provider=True), few))
    found = outcomes_of(pool_of(predictor)[0], variants(20))
    assert {v.pos for v, o in found.items() if o.reason} == few
    assert len(found) == 20


def test_refusals_that_do_not_blame_the_provider_are_believed_at_once() -> None:
    predictor = FakePredictor(failing(99, VariantFailed("window_outside_genome"), set(range(10_000))))
    pool, _, _ = pool_of(predictor)
    assert len(outcomes_of(pool, variants(50))) == 50
    assert pool.error is None


@pytest.mark.parametrize(
    "first",
    [VariantFailed("window_longer_than_contig"), VariantFailed("window: no", blames_provider=True, is_likely=True)],
    ids=["the predictor knew", "a window beyond the end"],
)
def test_a_refusal_of_another_kind_does_not_speak_for_a_provider_that_refuses_all(first: VariantFailed) -> None:
    def act(variant: Variant, time_: int) -> Answer:
        raise first if variant.pos <= 30 else VariantFailed("invalid_argument: model", blames_provider=True)

    predictor = FakePredictor(act)
    pool, _, _ = pool_of(predictor)
    found = outcomes_of(pool, variants(200))
    assert pool.error is not None
    assert f"the first {SUSPICIOUS} variants were all refused: invalid_argument: model" in pool.error.what
    assert len(predictor.asked) == 3 + SUSPICIOUS
    assert len(found) == (0 if first.blames_provider else 3)


def test_windows_that_are_refused_at_the_end_of_a_chromosome_are_believed_when_something_is_answered() -> None:
    refusal = VariantFailed("window_outside_contig: no", blames_provider=True, is_likely=True)
    predictor = FakePredictor(failing(99, refusal, set(range(300))))
    found = outcomes_of(pool_of(predictor)[0], variants(50))
    assert sum(o.reason is not None for o in found.values()) == 29
    assert len(found) == 50


def test_what_is_refused_without_a_call_is_no_call() -> None:
    predictor = FakePredictor(lambda v, _: VariantFailed("window_has_N") if v.pos <= 50 else answer(v))
    pool, pace, _ = pool_of(predictor, max_calls=3)
    found = outcomes_of(pool, variants(20))
    assert sum(o.answer is not None for o in found.values()) == pace.calls == 3
    assert sum(o.reason is not None for o in found.values()) == 5


@pytest.mark.parametrize("n", [1, 3])
def test_where_no_more_calls_are_allowed_a_few_refusals_are_failures(n: int) -> None:
    predictor = FakePredictor(failing(99, VariantFailed("invalid", blames_provider=True), {10, 20, 30, 40}))
    pool, _, _ = pool_of(predictor, max_calls=n)
    found = outcomes_of(pool, variants(8))
    assert pool.error is None
    assert [o.reason for o in found.values()] == ["invalid"] * n


def test_a_track_that_does_not_matter_may_have_no_score() -> None:
    predictor = FakePredictor(lambda v, _: Answer(np.array([[1.0, np.nan, 3.0]])))
    found = outcomes_of(pool_of(predictor, columns=[0, 2])[0], variants(3))
    assert all(o.answer is not None for o in found.values())
    found = outcomes_of(pool_of(predictor, columns=[1])[0], variants(3))
    assert [o.reason for o in found.values()] == ["score_not_finite"] * 3


def test_a_provider_that_refuses_us_ends_the_run_and_what_was_answered_comes_back() -> None:
    predictor = FakePredictor(failing(99, ProviderError("the key"), {200}), in_flight=2)
    pool, _, _ = pool_of(predictor)
    found = outcomes_of(pool, variants(1_000))
    assert pool.error is not None
    assert pool.error.what == "the key"
    assert 15 <= len(found) <= 25
    assert all(o.answer is not None for o in found.values())


def test_a_bug_of_the_predictor_ends_the_run_and_is_told() -> None:
    predictor = FakePredictor(failing(99, ZeroDivisionError("oops"), {200}))
    pool, _, told = pool_of(predictor)
    outcomes_of(pool, variants(100))
    assert pool.error is not None
    assert "ZeroDivisionError: oops" in pool.error.what
    assert "ZeroDivisionError" in str(dict(told)["bug"]["traceback"])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_score_that_is_no_number_is_a_failure(value: float) -> None:
    predictor = FakePredictor(lambda v, _: Answer(np.array([[1.0, value if v.pos == 20 else 2.0, 3.0]])))
    found = outcomes_of(pool_of(predictor)[0], variants(3))
    assert [found[v].reason for v in variants(3)] == [None, "score_not_finite", None]


def test_a_gene_without_a_score_in_a_track_is_none() -> None:
    predictor = FakePredictor(lambda v, _: Answer(np.array([[1.0, np.nan, 3.0]]), genes=("ENSG1",)))
    assert outcomes_of(pool_of(predictor)[0], variants(1))[variants(1)[0]].answer is not None


def test_no_more_calls_are_made_than_allowed() -> None:
    predictor = FakePredictor(in_flight=8)
    pool, pace, _ = pool_of(predictor, max_calls=37)
    assert len(outcomes_of(pool, variants(200))) == 37
    assert pool.error is None
    assert pace.calls == len(predictor.asked) == 37


def test_stopping_keeps_what_comes_home_in_time_and_cancels_the_rest() -> None:
    gate = threading.Event()

    def act(variant: Variant, time_: int) -> Answer:
        if variant.pos == 30:
            gate.wait(10)
        else:
            time.sleep(0.2)
        return answer(variant)

    predictor = FakePredictor(act, in_flight=4)
    pool, _, _ = pool_of(predictor)
    pool.start(variants(100))
    found = [o for _ in range(3) for o in pool.take(0.3)]
    began = time.monotonic()
    pool.stop(1.0)
    assert time.monotonic() - began < 2
    found += pool.take(0.0)
    assert pool.is_over
    assert predictor.is_cancelled == 1
    assert {o.variant for o in found} == set(predictor.asked) - {Variant("chr1", 30, "A", "C")}
    gate.set()


@settings(deadline=None, max_examples=30)
@given(
    plan=st.lists(st.sampled_from(["ok", "again", "down", "quota", "refused", "never"]), min_size=1, max_size=40),
    in_flight=st.integers(1, 6),
)
def test_whatever_goes_wrong_every_variant_has_one_outcome_and_no_call_is_wasted(
    plan: list[str], in_flight: int
) -> None:
    fate = dict(zip(variants(len(plan)), plan, strict=True))
    errors = {
        "again": TryAgain("again"), "down": TryAgain("down", is_down=True), "quota": TryAgain("quota", is_quota=True),
        "refused": VariantFailed("refused", blames_provider=True), "never": TryAgain("never"),
    }  # fmt: skip

    def act(variant: Variant, time_: int) -> Answer:
        if (error := errors.get(fate[variant])) and (time_ == 1 or fate[variant] in ("refused", "never")):
            raise error
        return answer(variant)

    predictor = FakePredictor(act, in_flight=in_flight)
    first = Variant("chr1", 1, "A", "C")  # answered, so that the provider has answered something
    fate[first] = "ok"
    pool, pace, _ = pool_of(predictor)
    found = outcomes_of(pool, [first, *fate.keys() - {first}])
    assert pool.error is None
    assert set(found) == set(fate)
    expected = {"ok": 1, "again": 2, "down": 2, "quota": 2, "refused": 1}
    assert all(found[v].attempts == expected[kind] for v, kind in fate.items() if kind != "never")
    assert all(TRIES <= found[v].attempts <= 10 * TRIES for v, kind in fate.items() if kind == "never")
    lost = {variant for variant, kind in fate.items() if kind in ("refused", "never")}
    assert {v for v, o in found.items() if o.answer is None} == lost
    assert pace.calls == len(predictor.asked) >= sum(o.attempts for o in found.values())
    if "never" not in plan:  # the control is asked where nothing else is
        assert len(predictor.asked) <= sum(o.attempts for o in found.values()) + 2 + len(plan) // SUSPICIOUS
