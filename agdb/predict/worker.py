"""A worker of a cluster: a process on one of its nodes, which makes the predictor and asks it.

Errors that mean something to the run are handed over as values: what an actor of Ray raises would arrive wrapped.
"""

import pickle
import threading
import traceback
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from agdb import cluster
from agdb.errors import AgdbError
from agdb.predict.recipe import Recipe, made
from agdb.predictors.contract import Predictor, Track, TryAgain, Variant, VariantFailed


class Hello(NamedTuple):
    """Where a worker runs, and with which versions."""

    node_id: str
    versions: dict[str, str]


class Facts(NamedTuple):
    """What a worker's predictor is: see `contract.Predictor`."""

    software: str
    batch_size: int
    in_flight: int
    tracks: tuple[Track, ...]


class Worker:
    """Answers calls from several threads. Its methods are called through Ray, in `agdb.predict.cluster`.

    Args:
        recipe: What makes the predictor. It comes as an argument, since Ray shows environments and names, and arguments
            it does not: there is a key in it.
    """

    def __init__(self, recipe: Recipe) -> None:
        self._recipe, self._lock, self._held = recipe, threading.Lock(), ExitStack()
        self._predictor: Predictor | None = None
        self._facts: Facts | None = None

    def hello(self) -> Hello:
        """Said at once, before anything is made."""
        import ray

        return Hello(ray.get_runtime_context().get_node_id(), cluster.versions())

    def ready(self) -> Facts | AgdbError | TryAgain:
        """Make the predictor, if it has not been made; what it is, or why there is none."""
        try:
            self._made()
        except (AgdbError, TryAgain) as error:
            return error
        assert self._facts is not None
        return self._facts

    def score(self, variants: Sequence[Variant]) -> bytes:
        """Pickle of the answers, or of what was raised. It is one buffer: Ray itself would take each array apart."""
        try:
            return pickle.dumps(list(self._made().score(variants)), 5)
        except (TryAgain, VariantFailed, AgdbError) as error:
            return pickle.dumps(error, 5)
        except Exception as error:  # noqa: BLE001  # a bug: the run ends with it, and its log shows where it was
            error.add_note(traceback.format_exc())
            return pickle.dumps(error, 5)

    def _made(self) -> Predictor:
        with self._lock:
            if self._predictor is None:
                with ExitStack() as held:
                    fasta = self._recipe.fasta
                    genome = held.enter_context(fasta.opened()) if fasta is not None else None
                    one = held.enter_context(made(self._recipe, genome))
                    self._facts = Facts(one.software, one.batch_size, one.in_flight, tuple(one.tracks()))
                    self._held = held.pop_all()  # until the process ends
                self._predictor = one
            return self._predictor
