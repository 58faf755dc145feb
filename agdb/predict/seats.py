"""Which worker of a cluster takes a call: the live one with the fewest; and what a worker's death says of its calls.

A death with one call in flight is held against that call's variant. Of a death with several nobody knows whose it was:
they are made again; and a variant that was there `DEATHS` times has a worker to itself from then on, so that no other
is blamed for its deed.
"""

import threading
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from agdb.errors import AgdbError
from agdb.predictors.contract import TryAgain, Variant

#: Seconds that a call waits for a seat, at most: it has leave to be sent, which others may use.
WAIT_S = 30.0
#: Deaths of workers with a variant in flight, after which it is asked for alone.
DEATHS = 2


@dataclass(eq=False)
class Member:
    """A worker, as it is known here.

    Attributes:
        actor: Ray's handle.
        node: How errors name the node that it is on.
        lives: How often it has become ready.
        room, flying: Calls that it takes at a time, and those that it has.
        kept_for: The variant that has it for itself.
        died_alone: Whether it had a single call when it died last.
        is_lost: Set when it died: whoever looks after it has to see to it.
    """

    actor: Any = None
    node: str = "a node"
    lives: int = 0
    room: int = 0
    flying: int = 0
    is_live: bool = False
    kept_for: Variant | None = None
    died_alone: bool = False
    is_lost: threading.Event = field(default_factory=threading.Event)


class Seats:
    """The seats of all workers. Its methods are called from many threads.

    Attributes:
        over: Done when nobody waits any more.
        error: What ends the run: whoever wants a seat is told.
        in_flight: Calls that the live workers take; 1 where none is alive: it waits for one.
    """

    def __init__(self, members: Sequence[Member], wait_s: float = WAIT_S) -> None:
        self.members, self.over, self.in_flight = members, Future[None](), 1
        self.error: AgdbError | None = None
        self._wait_s, self._changed = wait_s, threading.Condition()
        self._deaths: Counter[Variant] = Counter()

    @property
    def live(self) -> list[Member]:
        """The workers that are alive."""
        return [member for member in self.members if member.is_live]

    def wait_for_one(self, seconds: float) -> bool:
        """Whether a worker becomes ready in time, or anything that ends the run."""
        with self._changed:
            return self._changed.wait_for(lambda: bool(self.error or self.live or self.over.done()), seconds)

    def take(self, variant: Variant) -> tuple[Member, int]:
        """A worker that has room, and which of its lives it is in; waits for one. It has to be left.

        Raises:
            TryAgain: none has room, or none is alive.
            AgdbError: the run has to end.
        """
        until = time.monotonic() + self._wait_s
        find = self._alone if self._deaths[variant] >= DEATHS else self._freest
        with self._changed:
            while True:
                if self.error:
                    raise self.error
                if self.over.done():
                    raise TryAgain("cancelled")
                if (member := find(variant)) is not None:
                    member.flying += 1
                    return member, member.lives
                if (left_s := until - time.monotonic()) <= 0:
                    self._let_go(variant)
                    if self.live:
                        raise TryAgain("no worker was free", is_lost=True)
                    raise TryAgain(f"no worker is alive, of {len(self.members)}", is_down=True)
                self._changed.wait(left_s)

    def leave(self, member: Member, variant: Variant) -> None:
        """The call has come back, or was lost."""
        with self._changed:
            member.flying -= 1
            self._let_go(variant)
            self._changed.notify_all()

    def ready(self, member: Member, room: int) -> None:
        """A worker takes calls."""
        with self._changed:
            member.is_live, member.room = True, room
            member.lives += 1
            self._count()

    def lost(self, member: Member, life: int, variant: Variant) -> tuple[bool, bool]:
        """A call was lost that was sent to a life of a worker.

        Returns:
            Whether its death was not known yet; whether this was the only call that died with it.
        """
        with self._changed:
            is_news = member.is_live and member.lives == life
            if is_news:
                member.is_live, member.died_alone = False, member.flying == 1
                member.is_lost.set()
                self._count()
            self._deaths[variant] += 1
            return is_news, member.died_alone

    def end(self, error: AgdbError | None = None) -> None:
        """Nobody waits any more; or, for an error, whoever wants a seat is told."""
        with self._changed:
            self.error = self.error or error
            if error is None and not self.over.done():
                self.over.set_result(None)
            self._changed.notify_all()

    def _count(self) -> None:
        self.in_flight = max(1, sum(member.room for member in self.live))
        self._changed.notify_all()

    def _freest(self, variant: Variant) -> Member | None:
        free = [m for m in self.live if m.kept_for is None and m.flying < m.room]
        return min(free, key=lambda m: m.flying / m.room, default=None)

    def _alone(self, variant: Variant) -> Member | None:
        """A worker without another call: the freest is kept for the variant until it has none."""
        kept = next((m for m in self.live if m.kept_for == variant), None)
        if kept is None:
            self._let_go(variant)
            kept = min((m for m in self.live if m.kept_for is None), key=lambda m: m.flying, default=None)
            if kept is not None:
                kept.kept_for = variant
        return kept if kept is not None and not kept.flying else None

    def _let_go(self, variant: Variant) -> None:
        for member in self.members:
            if member.kept_for == variant:
                member.kept_for = None
                self._changed.notify_all()
