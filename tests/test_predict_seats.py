"""Which worker of a cluster takes a call, and whose fault a death is. No cluster is needed to tell."""

import threading
import time

import pytest
from runs import variants

from agdb.errors import ProviderError
from agdb.predict.pace import Pace, Ticket
from agdb.predict.seats import DEATHS, Member, Seats
from agdb.predictors.contract import TryAgain, Variant

A, B, C, D = variants(4)


def seats(*rooms: int, wait_s: float = 0.02) -> Seats:
    """Seats of live workers with so much room each."""
    made = Seats([Member(node=f"node {i}") for i in range(len(rooms))], wait_s)
    for member, room in zip(made.members, rooms, strict=True):
        made.ready(member, room)
    return made


def places(of: Seats, *asked: Variant) -> list[int]:
    """The workers that take these calls, one after another."""
    return [of.members.index(of.take(variant)[0]) for variant in asked]


def test_calls_go_to_the_worker_with_the_smallest_share_of_its_room_taken() -> None:
    assert sorted(places(seats(1, 3), A, B, C, D)) == [0, 1, 1, 1]
    assert places(seats(2, 2), A, B, C, D) in ([0, 1, 0, 1], [1, 0, 1, 0])


def test_only_the_living_are_asked_and_counted() -> None:
    of = seats(4, 4)
    assert of.in_flight == 8
    member, life = of.take(A)
    assert of.lost(member, life, A) == (True, True)
    assert (of.in_flight, len(of.live)) == (4, 1)
    dead = of.members.index(member)
    assert dead not in places(of, B, C, D)
    of.ready(member, 4)
    assert of.in_flight == 8


def test_a_call_that_was_sent_to_an_earlier_life_does_not_end_the_present_one() -> None:
    of = seats(4)
    (member, life), (_, same) = of.take(A), of.take(B)
    assert of.lost(member, life, A) == (True, False)
    of.ready(member, 4)
    assert of.lost(member, same, B) == (False, False)
    assert of.live == [member]


def test_where_none_is_alive_one_call_waits_and_is_told_that_the_provider_is_down() -> None:
    of = Seats([Member(), Member()], wait_s=0.02)
    assert of.in_flight == 1
    with pytest.raises(TryAgain, match="no worker is alive, of 2") as caught:
        of.take(A)
    assert caught.value.is_down


def test_where_all_are_busy_for_long_the_provider_is_not_down() -> None:
    of = seats(1)
    of.take(A)
    with pytest.raises(TryAgain, match="no worker was free") as caught:
        of.take(B)
    assert (caught.value.is_lost, caught.value.is_down) == (True, False)


def test_a_call_that_waits_goes_as_soon_as_a_worker_is_there() -> None:
    of = Seats([Member()], wait_s=10)
    threading.Timer(0.1, lambda: of.ready(of.members[0], 1)).start()
    since = time.monotonic()
    assert places(of, A) == [0]
    assert time.monotonic() - since < 5


def test_a_worker_that_dies_with_several_calls_is_held_against_none_of_them() -> None:
    of = seats(2)
    (member, life), _ = of.take(A), of.take(B)
    assert [of.lost(member, life, v)[1] for v in (A, B)] == [False, False]


def test_a_variant_that_two_workers_died_with_is_asked_for_alone_and_then_it_is_its_own_fault() -> None:
    of = seats(2)
    for _ in range(DEATHS):
        (member, life), _ = of.take(A), of.take(B)
        for variant in (A, B):
            assert of.lost(member, life, variant)[1] is False
            of.leave(member, variant)
        of.ready(member, 2)
    member, life = of.take(A)
    for other in (B, C):  # another suspect, and one that nothing is known of
        with pytest.raises(TryAgain, match="no worker was free"):
            of.take(other)
    assert of.lost(member, life, A) == (True, True)
    of.leave(member, A)
    of.ready(member, 2)
    assert places(of, C, D) == [0, 0]


def test_a_suspect_waits_until_a_worker_has_no_other_call_and_none_is_added_meanwhile() -> None:
    of = seats(2, wait_s=5)
    for _ in range(DEATHS):
        (member, life), _ = of.take(A), of.take(B)
        for variant in (A, B):
            of.lost(member, life, variant)
            of.leave(member, variant)
        of.ready(member, 2)
    of.take(C)
    taken: list[Variant] = []
    threads = [threading.Thread(target=lambda v=v: taken.append(v) if of.take(v) else None) for v in (A, D)]
    threads[0].start()
    time.sleep(0.05)
    threads[1].start()
    time.sleep(0.05)
    assert taken == []
    of.leave(of.members[0], C)
    threads[0].join(5)
    assert taken == [A]
    of.leave(of.members[0], A)
    threads[1].join(5)
    assert taken == [A, D]


def test_an_error_is_told_to_whoever_asks_and_the_end_to_whoever_waits() -> None:
    of = seats(1)
    of.end(ProviderError("the model is gone"))
    with pytest.raises(ProviderError, match="the model is gone"):
        of.take(A)
    of = Seats([Member()], wait_s=30)
    threading.Timer(0.05, of.end).start()
    with pytest.raises(TryAgain, match="cancelled"):
        of.take(A)


# The pace of workers that come and go


def test_a_pace_grows_and_shrinks_with_the_workers() -> None:
    pace = Pace(2)
    sent = grown(pace)
    assert sent == 2
    pace.resize(5)
    assert grown(pace) == 5
    pace.resize(1)
    assert grown(pace) == 1


def grown(pace: Pace) -> int:
    """Calls at a time, when all of them are answered again and again."""
    n = 0
    for _ in range(20):
        flying: list[Ticket] = []
        while isinstance(leave := pace.ask(), Ticket):
            flying.append(leave)
        n = len(flying)
        for ticket in flying:
            pace.answered(ticket)
    return n


def test_a_call_that_was_lost_tells_nothing_of_a_door_that_is_closed() -> None:
    now = [0.0]
    pace = Pace(4, clock=lambda: now[0])
    first = pace.ask()
    assert isinstance(first, Ticket)
    pace.refused(first)
    now[0] = 2.0
    assert isinstance(pace.ask(), Ticket)
    pace.lost()
    assert pace.is_waiting_for_quota
    assert isinstance(pace.ask(), Ticket)
