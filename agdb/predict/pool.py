"""Calls in flight: threads that ask, ask again where that may help, and tell apart whose fault a failure is."""

import heapq
import random
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from agdb.errors import AgdbError, ProviderError
from agdb.predict.pace import Pace, Ticket
from agdb.predictors.contract import Answer, Predictor, TryAgain, Variant, VariantFailed

#: Calls that fail while others succeed, before the variant is held to be the cause; or one of its variants, if several.
TRIES = 4
#: Seconds until a failed call is made again; doubled with every try, and up to half as long again by chance.
RETRY_S = 1.0
#: Seconds without any answer after which the provider is held to be down, and the run stops.
PATIENCE_S = 600.0
#: Variants refused before the provider has answered any: so many are the provider's fault, not theirs.
SUSPICIOUS = 5
#: Batches that wait ahead of the threads, for each call in flight: so that merging does not starve them.
AHEAD = 30

#: Called with (event, **details) of what is worth logging, from any thread.
Tell = Callable[..., None]


class Outcome(NamedTuple):
    """What became of a variant: an answer, or the reason why there is none, after so many calls."""

    variant: Variant
    answer: Answer | None
    reason: str | None
    attempts: int


@dataclass(order=True)
class _Task:
    """Variants that are asked for in one call."""

    due: float
    variants: Sequence[Variant]
    attempts: int = field(default=0, compare=False)
    failures: int = field(default=0, compare=False)
    blamed: int = field(default=0, compare=False)


class Pool:
    """Asks a predictor for variants, up to `in_flight` calls at a time. All methods are for the thread that made it.

    Args:
        predictor: Who computes.
        pace: When a call may be sent.
        tell: See `Tell`.
        patience_s, retry_s: See `PATIENCE_S` and `RETRY_S`.
    """

    def __init__(
        self, predictor: Predictor, pace: Pace, tell: Tell, *, patience_s: float = PATIENCE_S, retry_s: float = RETRY_S
    ) -> None:
        self._predictor, self._pace, self._tell = predictor, pace, tell
        self._patience_s, self._retry_s = patience_s, retry_s
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)  # for the thread that takes
        self._ready = threading.Condition(self._lock)  # for the threads that call
        self._waiting: deque[_Task] = deque()
        self._later: list[_Task] = []
        self._done: list[Outcome] = []
        self._suspects: list[Outcome] = []
        self._n_threads = 0
        self._open = self._flying = 0  # tasks that are neither done nor dropped; and calls
        self._is_fed = self._is_stopped = self._is_abandoned = False
        self._is_proven = False  # the provider has answered something
        self.error: AgdbError | None = None
        self._began_at = time.monotonic()

    def start(self, variants: Iterable[Variant]) -> None:
        """Begin to ask for these variants, which are read as they are needed."""
        self._batches = _batched(iter(variants), self._predictor.batch_size)
        self._feed()

    def take(self, tick_s: float = 0.5) -> list[Outcome]:
        """What has become of some variants since the last time; waits for it up to `tick_s` seconds."""
        self._feed()
        with self._lock:
            if not (self._done or self._is_over):
                self._news.wait(tick_s)
            done, self._done = self._done, []
            return done

    @property
    def is_over(self) -> bool:
        """Whether nothing more will come: all is done and taken; or stopped, by `stop`, by the pace, or by `error`."""
        with self._lock:
            return self._is_over and not self._done

    def stop(self, grace_s: float) -> None:
        """Send no more calls; wait so long for those in flight, then end them. `take` has what was answered."""
        self._pace.stop()
        with self._lock:
            self._is_stopped = True
            self._ready.notify_all()
            if not self._is_abandoned:
                self._news.wait_for(lambda: self._flying == 0, grace_s)
            self._is_abandoned = self._flying > 0
        if self._is_abandoned:
            self._predictor.cancel()

    @property
    def _is_over(self) -> bool:
        if self._is_stopped:
            return self._flying == 0 or self._is_abandoned
        return self._is_fed and self._open == 0

    def _feed(self) -> None:
        """Keep as many threads as calls can be in flight by now, and enough tasks ahead of them."""
        self._pace.resize(self._predictor.in_flight)
        for _ in range(self._n_threads, self._predictor.in_flight):
            threading.Thread(target=self._work, name=f"call-{self._n_threads}", daemon=True).start()
            self._n_threads += 1
        while not self._is_fed and len(self._waiting) < AHEAD * self._predictor.in_flight:
            batch = next(self._batches, None)
            with self._lock:
                if batch is None:
                    self._is_fed = True
                    self._settle()
                else:
                    self._waiting.append(_Task(0.0, batch))
                    self._open += 1
                    self._ready.notify()

    def _work(self) -> None:
        """A thread: take a task, get leave, call, see what became of it; until there is nothing left to do."""
        try:
            while (task := self._next()) is not None:
                try:
                    if (ticket := self._pace.acquire()) is None:
                        self._end(None)
                        return
                    self._call(task, ticket)
                finally:
                    with self._lock:
                        self._flying -= 1
                        self._news.notify()
                        if not self._is_proven:
                            self._is_proven = self._pace.last_answer_at is not None
                            self._ready.notify_all()
        except AgdbError as error:
            self._end(error)
        except Exception as error:  # noqa: BLE001  # a bug, of a predictor or ours, ends the run: it is not a fact about a variant
            self._tell("bug", traceback=traceback.format_exc())
            self._end(ProviderError(f"the predictor broke down: {type(error).__name__}: {error}",
                                    cure="this is a bug; please report it with the output of --log"))  # fmt: skip

    def _next(self) -> _Task | None:
        """The next task that is due; None when none will come."""
        with self._lock:
            while not (self._is_stopped or (self._is_fed and self._open == 0)):
                now = time.monotonic()
                is_due = self._later and self._later[0].due <= now
                # until something is answered one variant is tried, again and again: that wastes least on a wrong server
                is_first = not self._flying and not self._later
                if is_due or (self._waiting and (self._is_proven or is_first)):
                    self._flying += 1
                    return heapq.heappop(self._later) if is_due else self._waiting.popleft()
                self._ready.wait(self._later[0].due - now if self._later else None)
            return None

    def _call(self, task: _Task, ticket: Ticket) -> None:
        task.attempts += 1
        try:
            answers = self._predictor.score(task.variants)
        except TryAgain as again:
            self._not_now(task, ticket, again)
        except VariantFailed as refusal:
            if refusal.blames_provider and self._pace.last_answer_at is None:
                self._pace.failed(ticket)
                self._suspect(task, refusal)
            else:
                self._pace.answered(ticket)
                self._finish(task, [refusal] * len(task.variants))
        except BaseException:
            self._pace.failed(ticket)
            raise
        else:
            self._pace.answered(ticket)
            self._finish(task, answers)

    def _not_now(self, task: _Task, ticket: Ticket, again: TryAgain) -> None:
        now, answered_at = time.monotonic(), self._pace.last_answer_at
        if again.is_quota:
            self._pace.refused(ticket)
            self._tell("quota", reason=again.reason)
        else:
            if again.is_down:
                self._pace.unreachable()
            else:
                self._pace.lost() if again.is_lost else self._pace.failed(ticket)
            self._tell("failed_call", variant=str(task.variants[0]), attempt=task.attempts, reason=again.reason)
            task.failures += 1
            # until the provider answers, and while it cannot be reached, a failure proves nothing against the variant
            is_known = answered_at is not None and (answered_at > ticket.sent_at or not again.is_down)
            if is_known and not again.is_lost:
                task.blamed += 1
        since_s = now - max(answered_at or 0.0, self._began_at)
        is_nonsense = answered_at is None and not (again.is_down or again.is_lost) and task.failures >= TRIES
        if since_s > self._patience_s or is_nonsense:
            raise ProviderError(
                f"nothing was answered for {since_s:.3g} s: {again.reason}", where=str(task.variants[0]),
                cure="run the same command again when the provider is back: what is scored is kept",
            )  # fmt: skip
        if task.blamed < TRIES:
            self._again(task, now + self._delay_s(task))
        elif len(task.variants) > 1:
            self._halve(task)
        else:
            self._finish(task, [VariantFailed(again.reason)])

    def _delay_s(self, task: _Task) -> float:
        if not task.failures:
            return 0.0
        return self._retry_s * min(30.0, 2.0 ** (task.failures - 1)) * random.uniform(1, 1.5)

    def _again(self, task: _Task, due: float) -> None:
        with self._lock:
            task.due = due
            heapq.heappush(self._later, task)
            self._ready.notify()

    def _halve(self, task: _Task) -> None:
        """One of several variants is the cause, and nobody knows which: ask for each half by itself, halved again if it
        fails once more; a single variant is tried as often as any other.
        """
        half = len(task.variants) // 2
        with self._lock:
            self._open += 1
            for variants in (task.variants[:half], task.variants[half:]):
                blamed = TRIES - 1 if len(variants) > 1 else 0
                heapq.heappush(self._later, _Task(time.monotonic(), variants, task.attempts, 0, blamed))
            self._ready.notify_all()

    def _finish(self, task: _Task, answers: Sequence[Answer | VariantFailed]) -> None:
        outcomes = [
            Outcome(v, None, a.reason, task.attempts) if isinstance(a, VariantFailed)
            else Outcome(v, None, "score_not_finite", task.attempts) if a.is_broken
            else Outcome(v, a, None, task.attempts)
            for v, a in zip(task.variants, answers, strict=True)
        ]  # fmt: skip
        with self._lock:
            self._open -= 1
            self._done += outcomes
            self._settle()
            self._news.notify()

    def _suspect(self, task: _Task, refusal: VariantFailed) -> None:
        """A variant was refused before anything was answered: it, or everything, is wrong."""
        with self._lock:
            self._open -= 1
            self._suspects += [Outcome(v, None, refusal.reason, task.attempts) for v in task.variants]
            is_hopeless = len(self._suspects) >= SUSPICIOUS
            self._settle()
            self._news.notify()
        if is_hopeless:
            raise ProviderError(
                f"the first {SUSPICIOUS} variants were all refused: {refusal.reason}", where=str(task.variants[0]),
                cure="check the address, the key, the assembly (GRCh38) and the chromosome names (chr1, not 1)",
            )  # fmt: skip

    def _settle(self) -> None:
        """Something was answered, or nothing is left to ask: the suspects were at fault themselves. Holds the lock."""
        is_done = self._is_fed and self._open == 0
        if self._suspects and (self._pace.last_answer_at is not None or (is_done and len(self._suspects) < SUSPICIOUS)):
            self._done += self._suspects
            self._suspects = []
        if is_done:
            self._ready.notify_all()
            self._news.notify()

    def _end(self, error: AgdbError | None) -> None:
        """End the run, for the first error or for none: the pace lets nothing through any more."""
        self._pace.stop()
        with self._lock:
            self.error = self.error or error
            self._is_stopped = True
            self._ready.notify_all()
            self._news.notify()


def _batched(variants: Iterator[Variant], size: int) -> Iterator[list[Variant]]:
    while batch := list(islice(variants, size)):
        yield batch
