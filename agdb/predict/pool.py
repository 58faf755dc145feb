"""Calls in flight: threads that ask, and ask again where that may help. Whose fault a failure is, `doubt` knows."""

import heapq
import threading
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice

from agdb.errors import AgdbError, ProviderError
from agdb.predict.doubt import SUSPICIOUS, TRIES, Doubt, Task
from agdb.predict.doubt import Outcome as Outcome
from agdb.predict.pace import Pace, Ticket
from agdb.predictors.contract import Answer, Predictor, TryAgain, Variant, VariantFailed

#: Seconds until a failed call is made again; doubled with every try, and up to half as long again by chance.
RETRY_S = 1.0
#: Seconds without any answer after which the provider is held to be down, and the run stops.
PATIENCE_S = 600.0
#: Batches that wait ahead of the threads, for each call in flight: so that merging does not starve them.
AHEAD = 30

#: Called with (event, **details) of what is worth logging, from any thread.
Tell = Callable[..., None]


class Pool:
    """Asks a predictor for variants, up to `in_flight` calls at a time. All methods are for the thread that made it.

    Args:
        predictor: Who computes.
        pace: When a call may be sent.
        tell: See `Tell`.
        patience_s, retry_s: See `PATIENCE_S` and `RETRY_S`.
        columns: The tracks that matter; None for all.
        control: A variant that the provider has answered before.
    """

    def __init__(
        self,
        predictor: Predictor,
        pace: Pace,
        tell: Tell,
        *,
        patience_s: float = PATIENCE_S,
        retry_s: float = RETRY_S,
        columns: Sequence[int] | None = None,
        control: Variant | None = None,
    ) -> None:
        self._predictor, self._pace, self._tell, self._columns = predictor, pace, tell, columns
        self._retry_s = retry_s
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)  # for the thread that takes
        self._ready = threading.Condition(self._lock)  # for the threads that call
        self._waiting: deque[Task] = deque()
        self._later: list[Task] = []
        self._done: list[Outcome] = []
        self._doubt, self._is_controlled = Doubt(control, patience_s), False  # whether the control is asked
        self._n_threads = 0
        self._open = self._flying = 0  # tasks that are neither done nor dropped; and calls
        self._is_fed = self._is_stopped = self._is_abandoned = False
        self.error: AgdbError | None = None

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
        return self._is_asked and not self._doubt.has_suspects

    @property
    def _is_asked(self) -> bool:
        """Whether nothing is left to ask for."""
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
                    self._ready.notify_all()  # it may be time for the control
                else:
                    self._waiting.append(Task(0.0, batch))
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
                    self._back(task)
        except AgdbError as error:
            self._end(error)
        except Exception as error:  # noqa: BLE001  # a bug, of a predictor or ours, ends the run: it is not a fact about a variant
            self._tell("bug", traceback=traceback.format_exc())
            self._end(ProviderError(f"the predictor broke down: {type(error).__name__}: {error}",
                                    cure="this is a bug; please report it with the output of --log"))  # fmt: skip

    def _next(self) -> Task | None:
        """The next task that is due; None when none will come."""
        with self._lock:
            while not (self._is_stopped or self._is_over):
                now = time.monotonic()
                if (task := self._due(now)) is not None:
                    self._flying += 1
                    self._is_controlled |= task.is_control
                    return task
                if not self._is_over:
                    wait_s = self._later[0].due - now if self._later else 0.0
                    self._ready.wait(wait_s if wait_s > 0 else None)
            return None

    def _due(self, now: float) -> Task | None:
        """The task that a call is for, if there is one. Holds the lock."""
        doubt = self._doubt
        control = None if self._is_controlled or doubt.control is None else Task(0.0, [doubt.control], is_control=True)
        while not doubt.is_grave(is_last=self._is_asked) and self._later and self._later[0].due <= now:
            if doubt.needs_control(self._later[0]):
                if control is not None:
                    return control
                break
            if not doubt.is_at_fault(task := heapq.heappop(self._later)):
                return task
            self._give_up(task)
        if doubt.is_grave(is_last=self._is_asked):
            return control
        # until something is answered one call is made at a time, for a few variants: a wrong server costs least so
        is_first = not self._flying and len(self._later) < SUSPICIOUS
        return self._waiting.popleft() if self._waiting and (doubt.answered_at is not None or is_first) else None

    def _back(self, task: Task) -> None:
        """A thread is done with a task, for now."""
        with self._lock:
            self._flying -= 1
            if task.is_control:
                self._is_controlled = False
                self._ready.notify_all()
            self._settle()
            self._news.notify()

    def _call(self, task: Task, ticket: Ticket) -> None:
        task.attempts += 1
        try:
            answers = self._predictor.score(task.variants)
        except TryAgain as again:
            self._not_now(task, ticket, again)
            return
        except VariantFailed as refusal:
            answers = [refusal] * len(task.variants)
        except BaseException:
            self._pace.failed(ticket)
            raise
        broken = VariantFailed("score_not_finite", blames_provider=True)
        checked = [broken if isinstance(a, Answer) and a.is_broken_in(self._columns) else a for a in answers]
        if all(isinstance(a, VariantFailed) and not a.blames_provider for a in checked):
            self._pace.unused(ticket)  # the predictor knew
        elif task.is_control and isinstance(checked[0], VariantFailed):
            self._pace.unreachable()
        else:
            self._pace.answered(ticket)
        self._came(task, ticket.sent_at, checked)

    def _came(self, task: Task, sent_at: float, answers: Sequence[Answer | VariantFailed]) -> None:
        """The call came back: with answers, with what the provider refuses, or with what cannot be asked."""
        is_news = False
        with self._lock:
            for variant, answer in zip(task.variants, answers, strict=True):
                if isinstance(answer, Answer):
                    is_news |= self._doubt.answered(task, variant, sent_at)
                    if not task.is_control:
                        self._done.append(Outcome(variant, answer, None, task.attempts))
                elif not answer.blames_provider:
                    self._done.append(Outcome(variant, None, answer.reason, task.attempts))
                elif not task.is_control:
                    self._doubt.refused(task, variant, answer, sent_at)
            self._open -= not task.is_control
            if is_news:
                self._ready.notify_all()
            for answer in answers:
                if isinstance(answer, VariantFailed) and answer.blames_provider:
                    self._doubt.lose_trust(task, answer)

    def _not_now(self, task: Task, ticket: Ticket, again: TryAgain) -> None:
        """The call failed, and is made again, unless the run ends."""
        with self._lock:
            if not (again.is_quota or again.is_lost or task.is_control):
                self._doubt.failed(task.variants[0], ticket.sent_at, is_down=again.is_down)
            is_outage = again.is_down or task.is_control or self._doubt.is_grave()
        if again.is_quota:
            self._pace.refused(ticket)
            self._tell("quota", reason=again.reason)
        else:
            if again.is_lost:
                self._pace.lost()
            else:
                self._pace.unreachable() if is_outage else self._pace.failed(ticket)
            self._tell("failed_call", variant=str(task.variants[0]), attempt=task.attempts, reason=again.reason)
        task.failed(again, ticket.sent_at)
        with self._lock:
            tried = [task, *self._later]
            is_all = all(one.failures >= TRIES for one in tried) and (len(tried) >= SUSPICIOUS or not self._waiting)
            is_nonsense = not (again.is_quota or again.is_down or again.is_lost)
            self._doubt.lose_patience(task, again.reason, is_nonsense=is_nonsense, is_hopeless=is_all)
            if not task.is_control:
                task.due = time.monotonic() + self._doubt.delay_s(task, self._retry_s)
                heapq.heappush(self._later, task)
                self._ready.notify()

    def _give_up(self, task: Task) -> None:
        """Enough failures are held against it: a single variant has failed. Of several, one is the cause, and nobody
        knows which: ask for each half by itself, halved again if it fails once more; a single variant is tried as often
        as any other. Holds the lock.
        """
        n = len(task.variants)
        if n == 1:
            assert task.fault is not None
            self._open -= 1
            self._done.append(Outcome(task.variants[0], None, task.fault.reason, task.attempts))
            self._settle()
            return
        self._open += 1
        for variants in (task.variants[: n // 2], task.variants[n // 2 :]):
            half = Task(time.monotonic(), variants, is_part=len(variants) > 1, attempts=task.attempts)
            heapq.heappush(self._later, half)
        self._ready.notify_all()

    def _settle(self) -> None:
        """Tell of the suspects what is known by now. Holds the lock."""
        is_cut = self._is_stopped and self._pace.is_spent and self.error is None  # the calls that were allowed are made
        self._done += self._doubt.settled(is_last=self._is_asked or (is_cut and not self._flying))
        if self._is_over:
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
