"""A predictor that answers as it is told, for the tests of the run."""

import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace

import numpy as np

from agdb.predictors.contract import Answer, Computation, Scorer, Track, Variant, VariantFailed

#: What is answered for a variant, at the n-th time that it is asked for; it may raise.
Act = Callable[[Variant, int], Answer | VariantFailed]

TRACKS = tuple(
    Track("DNASE", f"{curie} DNase-seq", ".", curie, name)
    for curie, name in (("EFO:1", "K562"), ("EFO:2", "GM12878"), ("CL:3", "B cell"))
)


def computation(provider: str = "fake", window_bp: int = 100, **changes: object) -> Computation:
    """A computation of three DNASE tracks."""
    plain = Computation(provider, "fake", "1", "GRCh38", "DNASE", window_bp, None, "DIFF", is_signed=True)
    return replace(plain, **changes)  # type: ignore[arg-type]


def scorer(
    track_set: str = "EFO:1", *, name: str = "fake", track_aggregation: str | None = None, window_bp: int = 100
) -> Scorer:
    """A scorer of one computation."""
    return Scorer(name, (computation(window_bp=window_bp),), track_set, track_aggregation)


def score_of(variant: Variant, track: int = 0) -> float:
    """The score of a variant in a track, and the mark of the answer: nobody else would say it."""
    return variant.pos + track / 4


def answer(variant: Variant, time: int = 1) -> Answer:
    """Every track scored."""
    return Answer(np.array([[score_of(variant, t) for t in range(len(TRACKS))]]))


class FakePredictor:
    """Answers as `act` says, and remembers what it was asked, and how many calls there were at a time."""

    software = "fake 1.0"
    batch_size = 1

    def __init__(
        self,
        act: Act = answer,
        *,
        of: Computation | None = None,
        tracks: Sequence[Track] = TRACKS,
        in_flight: int = 4,
    ) -> None:
        self.computation = of or computation()
        self.in_flight = in_flight
        self.asked: list[Variant] = []
        self.at_a_time = self.is_cancelled = 0
        self._act, self._tracks = act, tracks
        self._lock, self._flying = threading.Lock(), 0

    def tracks(self) -> Sequence[Track]:
        """As given."""
        return self._tracks

    def score(self, variants: Sequence[Variant]) -> Sequence[Answer | VariantFailed]:
        """One variant a call."""
        (variant,) = variants
        with self._lock:
            self.asked.append(variant)
            time = self.asked.count(variant)
            self._flying += 1
            self.at_a_time = max(self.at_a_time, self._flying)
        try:
            return [self._act(variant, time)]
        finally:
            with self._lock:
                self._flying -= 1

    def cancel(self) -> None:
        """Remembered."""
        self.is_cancelled += 1

    def __call__(self, of: Computation) -> AbstractContextManager["FakePredictor"]:
        """Itself, as the predictor of a computation."""
        self.computation = of
        return nullcontext(self)
