"""How fast to ask: as fast as the provider allows, which it tells by refusing.

Two things bound a run. How many calls the provider takes at a time: the width grows from 1, doubling with every round
of answers, to the calls in flight that were asked for, and shrinks where a refusal proves to be about that. And how
many calls it takes a minute (AlphaGenome: "prediction tokens per minute", of unpublished number): a refusal closes the
door, one call at a time tries it until it opens, and from then on the pace knows when the minute begins and how many
calls it holds. It sends so many, then one more, to learn if there are more by now; so a minute costs one refused call,
not one for every call in flight.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Condition

#: The provider's minute.
WINDOW_S = 60.0
#: Seconds after a refusal until the next try, while it is not known when the minute begins; doubled with every refusal.
FIRST_WAIT_S, LONGEST_WAIT_S = 1.0, 15.0
#: Seconds between tries of a provider that cannot be reached, at most.
LONGEST_PAUSE_S = 30.0
#: So many calls in a row that do not reach the provider are an outage: then one call at a time tries.
OUTAGE = 3
#: More calls a minute, at once, when a minute proves to hold one more than the last.
GROWTH = 1.25
#: Calls at a time, when a refusal was about that; and seconds until one more is tried.
SHRINK, REGROW_S = 0.7, 5.0


@dataclass
class Ticket:
    """Leave to send one call."""

    sent_at: float


class Pace:
    """Hands out leave to call. Every ticket is given back: by `answered`, `refused`, `unreachable`, `failed`,
    `lost` or `unused`.

    Args:
        in_flight: Calls at a time, at most.
        window_s: Length of the provider's minute, in seconds.
        max_calls: No more calls than these.
        clock: Seconds that only go forward.

    Attributes:
        calls: Calls sent.
        refusals: Those of them that were refused for the quota.
        seconds_waited: Seconds that the door was closed for the quota.
    """

    def __init__(
        self,
        in_flight: int,
        *,
        window_s: float = WINDOW_S,
        max_calls: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._changed, self._clock = Condition(), clock
        self._window_s, self._max_calls, self._most = window_s, max_calls, in_flight
        self.calls = self.refusals = 0
        self.seconds_waited = 0.0
        self._flying, self._width, self._ceiling, self._shrunk_at = 0, 1.0, float(in_flight), -math.inf
        self._began: float | None = None  # the present minute
        self._is_aligned, self._spent, self._budget = False, 0, math.inf
        self._closed_at, self._opens_at = -math.inf, -math.inf
        self._tries = 0  # refused tries since the door closed
        self._stale = 0  # calls that were on their way then, and still are
        self._is_closed = self._is_stopped = False
        self._unreached = 0

    @property
    def is_waiting_for_quota(self) -> bool:
        """Whether the door is closed for the quota."""
        return self._is_closed

    @property
    def is_spent(self) -> bool:
        """Whether `max_calls` have been sent."""
        return self._max_calls is not None and self.calls >= self._max_calls

    def stop(self) -> None:
        """No call may be sent any more; whoever waits for leave is sent away."""
        with self._changed:
            self._is_stopped = True
            self._changed.notify_all()

    def resize(self, in_flight: int) -> None:
        """From now on so many calls at a time, at most: workers have come or gone."""
        with self._changed:
            if in_flight == self._most:
                return
            if self._ceiling == self._most or self._ceiling > in_flight:
                self._ceiling = float(in_flight)
            self._most, self._width = in_flight, min(self._width, self._ceiling)
            self._changed.notify_all()

    def acquire(self) -> Ticket | None:
        """Wait for leave to send a call; None: there will be none."""
        with self._changed:
            while isinstance(leave := self.ask(), float):
                self._changed.wait(None if leave == math.inf else leave)
            if leave is None:
                self._changed.notify_all()
            return leave

    def ask(self) -> Ticket | float | None:
        """Leave to send a call; seconds until it can be had, if no other comes back before; None: never."""
        with self._changed:
            if self._is_stopped or self.is_spent:
                return None
            now = self._clock()
            if (wait_s := self._wait_s(now)) > 0:
                return wait_s
            self._flying += 1
            self._spent += 1
            self.calls += 1
            if self._began is None:
                self._began = now
            return Ticket(now)

    def answered(self, ticket: Ticket) -> None:
        """The call was answered, were it by a refusal of its variant."""
        with self._back():
            self._unreached = 0
            if self._is_closed:
                self._try_the_door(ticket)
            elif self._spent > self._budget:
                self._budget = max(self._budget + 1, math.floor(self._budget * GROWTH))
            if self._ceiling < self._most and self._clock() - self._shrunk_at > REGROW_S:
                self._ceiling, self._shrunk_at = self._ceiling + 1, self._clock()
            if not self._is_closed:
                self._width = min(self._ceiling, self._width + 1)

    def refused(self, ticket: Ticket) -> None:
        """The call was refused for the quota; it was not spent."""
        with self._back():
            now = self._clock()
            self._spent -= 1
            self.refusals += 1
            if ticket.sent_at < self._closed_at:  # it was on its way when the door closed
                return
            if not self._is_closed:
                self._is_closed, self._tries, self._refused_width = True, 0, self._flying + 1
                self._closed_since, self._stale = now, self._flying
            self._tries += 1
            self._closed_at, self._width = now, 1.0
            self._opens_at = now + self._until_next_try(now)

    def unreachable(self) -> None:
        """The call did not reach the provider. Several in a row are an outage: then one call at a time tries."""
        with self._back():
            self._spent -= 1
            if self._clock() < self._opens_at:  # it was on its way when the outage was noticed
                return
            self._unreached += 1
            if self._unreached >= OUTAGE:
                self._width = 1.0
                pause_s = min(LONGEST_PAUSE_S, 2.0 ** min(self._unreached - OUTAGE, 10))
                self._opens_at = self._clock() + pause_s

    def failed(self, ticket: Ticket) -> None:
        """The call failed in another way, for which the pace is not to blame."""
        with self._back():
            if self._is_closed:
                self._try_the_door(ticket)

    def lost(self) -> None:
        """The call was lost on the way there or back, which says nothing of the provider; it may have been spent."""
        with self._back():
            pass

    def unused(self, ticket: Ticket) -> None:
        """There was no call: who would have made it knew better."""
        with self._back():
            self._spent -= 1
            self.calls -= 1

    @contextmanager
    def _back(self) -> Iterator[None]:
        """A call has come back."""
        with self._changed:
            self._flying -= 1
            self._stale = min(self._stale, self._flying)
            width = self._width
            yield
            self._changed.notify(2) if self._width < width + 2 else self._changed.notify_all()

    def _wait_s(self, now: float) -> float:
        """Seconds until a call may be sent, if none comes back before: 0 for now, infinite for when one does."""
        if now < self._opens_at:
            return self._opens_at - now
        if self._flying >= int(self._width):
            if not self._is_closed or self._flying > self._stale:
                return math.inf
            # what was on its way has not come back for a minute: it hangs, and the door is tried without it
            if (wait_s := self._closed_since + self._window_s - now) > 0:
                return max(wait_s, 0.001)
        if self._spent >= self._budget and not self._is_closed:
            if self._began is not None and now >= self._began + self._window_s:
                self._next_window(now)
            elif self._flying:  # one more than the minute is known to hold goes alone, or it is of the next minute
                return math.inf if self._began is None else max(self._began + self._window_s - now, 0.001)
        return 0.0

    def _until_next_try(self, now: float) -> float:
        if self._is_aligned and self._tries == 1 and self._began is not None and self._began + self._window_s > now:
            return self._began + self._window_s - now
        first_s = FIRST_WAIT_S * self._window_s / WINDOW_S
        if self._is_aligned:
            first_s /= 4  # the minute is due: it cannot be long
        return min(first_s * 2.0 ** (self._tries - 1), LONGEST_WAIT_S * self._window_s / WINDOW_S)

    def _try_the_door(self, ticket: Ticket) -> None:
        """A call went through while the door is closed: it is open again, if the call was sent since."""
        if ticket.sent_at < self._closed_at:
            return
        now = self._clock()
        self.seconds_waited += now - self._closed_since
        was_aligned, is_first_try = self._is_aligned, self._tries == 1
        is_soon = now - self._closed_since < self._window_s
        self._is_closed = False
        if not was_aligned and is_first_try and is_soon:  # no minute can have gone by: too many at a time, then
            self._ceiling = max(1.0, math.floor(SHRINK * self._refused_width))
            self._shrunk_at = now
            return
        # all that were on their way are back by now, or hang: what was spent but for this call is what the minute held
        self._budget = max(1, self._spent - 1) if was_aligned else math.inf  # the first one was seen in part
        self._spent, self._is_aligned = self._flying + 1, True
        if was_aligned and is_first_try and self._began is not None:
            self._began += self._window_s * max(1, math.floor((ticket.sent_at - self._began) / self._window_s))
        else:
            self._began = ticket.sent_at
        self._width = self._ceiling

    def _next_window(self, now: float) -> None:
        """A minute has gone by without a refusal: calls took so long that it did not fill."""
        assert self._began is not None
        self._began += self._window_s * math.floor((now - self._began) / self._window_s)
        self._spent = self._flying
