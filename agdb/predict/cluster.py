"""The workers of a Ray cluster, as one predictor: each call goes to a worker, and waits there.

All else stays where the run is: one pace for all workers, since the quota is one; the spool, the failures, the
deadlines. Ray starts workers, on nodes that join too, and starts them again where they or their nodes die. It never
repeats a call: the run does, which counts them.
"""

import pickle
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractContextManager, contextmanager, suppress
from types import ModuleType
from typing import Any

from agdb import cluster
from agdb.errors import AgdbError, ProviderError, Refused
from agdb.predict.capacity import Wanted, number
from agdb.predict.job import Summary, Talk
from agdb.predict.provider import Who
from agdb.predict.recipe import Recipe
from agdb.predict.seats import WAIT_S, Member, Seats
from agdb.predict.worker import Facts, Hello, Worker
from agdb.predictors.contract import Answer, Computation, Predictor, Scorer, Track, TryAgain, Variant, VariantFailed

#: A worker that dies so often in a row while it starts is given up.
STARTS = 3
#: Seconds between tries to reach a worker that is being started again.
PAUSE_S = 0.5
#: Seconds beyond the deadline of its server's calls after which a worker that says nothing is started again.
LATE_S = 60.0
#: Calls at a time that a process of Ray makes room for: no predictor takes more by itself.
CALLS = 32


class _Over(Exception):
    """Nobody waits any more."""


def predictors(
    wanted: Wanted, who: Who, scorer: Scorer, talk: Talk, summary: Summary, patience_s: float
) -> Callable[[Computation], AbstractContextManager[Predictor]]:
    """What the run asks for predictors of this scorer's computations: workers, which end with the block.

    Args:
        wanted: See `Wanted`.
        who: Who computes.
        scorer: What.
        talk: Who is told of workers that come and go.
        summary: Is told how many are alive.
        patience_s: Seconds until one has to be.

    Raises:
        Refused: as `agdb.cluster.connect`; or no node has what a worker needs. Raised on entering.
    """
    address = cluster.address_of(wanted.address)

    @contextmanager
    def of(computation: Computation) -> Iterator[Workers]:
        recipe = who.recipe_to_send(scorer, computation)
        with cluster.connect(address) as ray:
            n = number(ray, wanted, talk.say, may_grow=address != "local")
            workers = Workers(ray, n, wanted, recipe, talk, summary, patience_s)
            try:
                yield workers
            finally:
                workers.close()

    return of


class Workers:
    """The predictor; see the module. Made by `predictors`."""

    def __init__(
        self, ray: ModuleType, n: int, wanted: Wanted, recipe: Recipe, talk: Talk, summary: Summary, patience_s: float
    ) -> None:
        self.computation, self.software, self.batch_size = recipe.computation, "", 1
        self._ray, self._errors, self._talk, self._summary = ray, ray.exceptions, talk, summary
        self._patience_s = patience_s
        # a variant takes up to two calls of a server; who computes without one may take as long as it likes
        self._limit_s = 2 * recipe.deadline_s + LATE_S if recipe.is_of_server else None
        self._lock = threading.Lock()
        self._facts: Facts | None = None
        self._n_dismissed = 0
        self._not_ready = ""  # what a worker said last that could not make its predictor yet
        started = ray.remote(Worker).options(
            num_cpus=wanted.cpus, num_gpus=wanted.gpus, max_restarts=-1, max_task_retries=0,
            max_concurrency=max(recipe.in_flight or 0, CALLS) + 1, scheduling_strategy="SPREAD",
        )  # fmt: skip
        self._seats = Seats([Member(started.remote(recipe)) for _ in range(n)], min(WAIT_S, patience_s))
        self._keepers = [
            threading.Thread(target=self._keep, args=(member,), name=f"worker-{number}", daemon=True)
            for number, member in enumerate(self._seats.members)
        ]

    @property
    def in_flight(self) -> int:
        """Calls that the live workers take; 1 where none is alive: it waits for one."""
        return self._seats.in_flight

    def tracks(self) -> Sequence[Track]:
        """The tracks of an answer, as the first worker says that is ready; the others have to say the same.

        Raises:
            AgdbError: a worker cannot make the predictor; its node is named.
            ProviderError: none was ready in time.
        """
        for keeper in self._keepers:
            keeper.start()
        self._seats.wait_for_one(self._patience_s)
        if self._seats.error:
            raise self._seats.error
        if self._facts is None:
            raise ProviderError(
                f"no worker of {len(self._keepers)} was ready within {self._patience_s:g} s{self._not_ready}",
                cure="`ray status` says what the cluster lacks; --patience 3600 for a model that loads for long",
            )
        self.software, self.batch_size = f"{self._facts.software}, ray {self._ray.__version__}", self._facts.batch_size
        return self._facts.tracks

    def score(self, variants: Sequence[Variant]) -> Sequence[Answer | VariantFailed]:
        """As the predictor of a worker; TryAgain also where the worker died, or none is alive."""
        member, life = self._seats.take(variants[0])
        try:
            answered = self._got(member.actor.score.remote(tuple(variants)), self._limit_s)
        except self._errors.RayTaskError:  # a bug
            raise
        except (self._errors.RayError, TimeoutError) as error:
            raise self._lost(member, life, variants[0], error) from None
        except ConnectionError as error:  # of ray://
            raise _silent(error) from None
        except _Over:
            raise TryAgain("cancelled") from None
        finally:
            self._seats.leave(member, variants[0])
        outcome: list[Answer | VariantFailed] | Exception = pickle.loads(answered)
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def cancel(self) -> None:
        """Wait for no call any more."""
        self._seats.end()

    def close(self) -> None:
        """End the workers."""
        self._seats.end()
        for member, keeper in zip(self._seats.members, self._keepers, strict=True):
            with suppress(self._errors.RayError, ConnectionError):
                self._ray.kill(member.actor)
            member.is_lost.set()
            if keeper.ident is not None:
                keeper.join(PAUSE_S)

    def _got(self, ref: Any, limit_s: float | None = None) -> Any:
        """What a call returns. No thread waits within Ray, where nobody could wake it when the run ends."""
        future: Future[Any] = ref.future()
        wait((future, self._seats.over), limit_s, FIRST_COMPLETED)
        if future.done():
            return future.result()
        if self._seats.over.done():
            raise _Over
        raise TimeoutError(f"it said nothing for {limit_s:g} s")

    def _lost(self, member: Member, life: int, variant: Variant, error: Exception) -> TryAgain:
        """A worker died, or hangs: what that means for a variant that it had."""
        is_news, is_alone = self._seats.lost(member, life, variant)
        if is_news:
            self._tell("worker_lost", node=member.node, reason=_line(error))
            if isinstance(error, TimeoutError):
                self._ray.kill(member.actor, no_restart=False)
        said = "the worker died that had it, and no other" if is_alone else "the worker died that had it, among others"
        return TryAgain(f"worker_died: {said}", is_lost=not is_alone)

    # Workers that come and go

    def _keep(self, member: Member) -> None:
        """A thread for each worker: wait until it is ready, and again each time that it was lost."""
        died = 0
        try:
            while died < STARTS:
                facts = self._started(member)
                if isinstance(facts, Facts):
                    died = 0
                    self._welcome(member, facts)
                    member.is_lost.wait()
                    member.is_lost.clear()
                else:
                    died += 1
                    self._tell("worker_died_starting", node=member.node, reason=facts)
            self._dismiss(member, str(facts))
        except _Over:
            pass
        except AgdbError as error:
            self._seats.end(error)
        except (self._errors.RayError, ConnectionError) as error:
            self._seats.end(_silent(error))

    def _started(self, member: Member) -> Facts | str:
        """What the worker is, once it runs and has made its predictor; or how it died over that."""
        try:
            self._meet(member)
            while True:
                facts: Facts | AgdbError | TryAgain = self._got(member.actor.ready.remote())
                if isinstance(facts, Facts):
                    return facts
                if isinstance(facts, AgdbError) and (self._facts is None or not isinstance(facts, ProviderError)):
                    facts.where = f"node {member.node}" + (f": {facts.where}" if facts.where else "")
                    raise facts
                self._not_ready = f": {facts}"  # its server is away: it will be back
                self._tell("worker_not_ready", node=member.node, reason=str(facts))
                self._pause(10 * PAUSE_S)
        except self._errors.RayActorError as error:
            self._pause(PAUSE_S)
            return _line(error)

    def _meet(self, member: Member) -> None:
        """Wait until the worker's process runs, and know its node."""
        while True:
            self._pause(0)
            try:
                hello: Hello = self._got(member.actor.hello.remote())
            except self._errors.ActorUnavailableError:  # it died, and Ray starts it again
                self._pause(PAUSE_S)
                continue
            named = {node["NodeID"]: cluster.name_of(node) for node in self._ray.nodes()}
            member.node = named.get(hello.node_id, hello.node_id[:8])
            cluster.check_versions(hello.versions, cluster.versions(), member.node)
            return

    def _welcome(self, member: Member, facts: Facts) -> None:
        """A worker is ready."""
        with self._lock:
            first = self._facts = self._facts or facts
        if (facts.software, facts.tracks) != (first.software, first.tracks):
            raise Refused(
                f"the workers do not compute the same: {facts.software} with {len(facts.tracks)} tracks there, "
                f"{first.software} with {len(first.tracks)} elsewhere",
                where=f"node {member.node}", cure="the same model in the same version on every node",
            )  # fmt: skip
        self._seats.ready(member, facts.in_flight)
        self._tell("worker", node=member.node)

    def _dismiss(self, member: Member, why: str) -> None:
        """A worker died each time that it started."""
        with self._lock:
            self._n_dismissed += 1
            is_last = self._n_dismissed == len(self._keepers)
        died = f"died {STARTS} times while it started"
        if not is_last:
            self._talk.say(f"ray: a worker on {member.node} {died}; the run goes on without it: {why}")
            return
        raise ProviderError(
            f"each worker {died}: {why}", where=f"node {member.node}",
            cure="memory, libraries, drivers? Ray keeps what it printed on that node: /tmp/ray/session_latest/logs",
        )  # fmt: skip

    def _tell(self, event: str, **details: object) -> None:
        """Log what happened, and say how many are alive."""
        live = self._seats.live
        self._summary.workers, self._summary.nodes = len(live), len({member.node for member in live})
        self._talk.log(event, **details, workers=self._summary.workers, nodes=self._summary.nodes)

    def _pause(self, seconds: float) -> None:
        """Raises _Over where the run has ended."""
        if wait((self._seats.over,), seconds).done:
            raise _Over


def _silent(error: Exception) -> ProviderError:
    return ProviderError(
        f"the cluster does not answer: {_line(error)}",
        cure="`ray status` on its head; then the same command again: what is scored is kept",
    )


def _line(error: Exception) -> str:
    """What Ray says of a death, in a line."""
    if type(error).__name__ == "ActorUnavailableError":  # it says where the connection broke, and may not know more
        return "its process ended, or its node"
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:300]
