"""What the tests of AlphaGenome's predictors share: a connection to the made-up server, variants, and what is expected.

Expected scores are those of `fakes.plain`, which shares no code with the server.
"""

import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from alphagenome.data import genome
from alphagenome.models.v1.variant_scorers import AggregationType
from fakes import plain, sequence

from agdb.predictors.alphagenome_connection import Connection, connect
from agdb.predictors.contract import Answer, Computation, Track, TryAgain, Variant

KEY = "sekret-1234567890"
W16, MB = 16_384, 1_048_576
K562, GM12878 = "EFO:0002067", "EFO:0002784"
#: Far from any end of chr2.
FAR = 9_000_000

#: REF and ALT at FAR.
ALLELES = {
    "SNV": ("A", "G"),
    "insertion": ("A", "ACCGT"),
    "deletion": ("ACCGTT", "A"),
    "MNV": ("ACG", "TTT"),
}

_STRANDS = {"+": "POSITIVE", "-": "NEGATIVE", ".": "UNSTRANDED"}


@contextmanager
def connected(*addresses: str, key: str | None = KEY, **how: Any) -> Iterator[Connection]:
    """An open connection to servers on loopback."""
    connection = connect(addresses, key, insecure=True, **{"timeout_s": 10, "deadline_s": 30, **how})
    try:
        yield connection
    finally:
        connection.close()


def snv(pos: int = FAR, chrom: str = "chr2") -> Variant:
    """An SNV whose REF is the made-up genome's."""
    return Variant(chrom, pos, *sequence.snv(chrom, pos))


def snvs(n: int) -> list[Variant]:
    """n of them, one a base from FAR on."""
    return [snv(FAR + i) for i in range(n)]


def sdk(variant: Variant) -> Any:
    """The same variant as the SDK has it; as text it is what the server calls it, `chr2:9000000:A>G`."""
    return genome.Variant(*variant)


def computed(
    aggregation: str = "DIFF_LOG2_SUM",
    mask_bp: int | None = 501,
    *,
    output: str = "DNASE",
    window_bp: int = W16,
    provider: str = "alphagenome",
    model_version: str = "ALL_FOLDS",
) -> Computation:
    """A computation of AlphaGenome's."""
    return Computation(
        provider, "alphagenome", model_version, "GRCh38", output, window_bp, mask_bp, aggregation, is_signed=True
    )  # fmt: skip


def plain_name(track: Track) -> str:
    """What `fakes.plain` calls a track."""
    return f"{track.output_type}|{track.name}|{_STRANDS[track.strand]}"


def expected(variant: Variant, tracks: tuple[Track, ...], aggregation: str = "DIFF_LOG2_SUM", mask: int = 501) -> Any:
    """The centre-mask scores of a variant, for each track, to the precision of the model's float32."""
    kind = AggregationType[aggregation]
    scores = [plain.center_score(sdk(variant), plain_name(track), mask, kind) for track in tracks]
    return pytest.approx(np.array(scores), rel=1e-3, abs=2e-6)


def everything_shown(error: BaseException) -> str:
    """All that a message, a log or a traceback could show of an error, and of those that it hides."""
    shown = [str(error), repr(error), repr(vars(error)), *traceback.format_exception(error)]
    shown += [everything_shown(hidden) for hidden in (error.__cause__, error.__context__) if hidden is not None]
    return "\n".join(shown)


def eventually(fact: Callable[[], bool], timeout_s: float = 5) -> bool:
    """Whether it comes true in time."""
    until = time.monotonic() + timeout_s
    while not fact() and time.monotonic() < until:
        time.sleep(0.02)
    return fact()


def once_back(score: Callable[[], Answer]) -> Answer:
    """The answer of a server that has been restarted: until the channel is up again, it cannot be reached."""
    until = time.monotonic() + 10
    while True:
        try:
            return score()
        except TryAgain as fault:
            if not fault.is_down or time.monotonic() > until:
                raise
            time.sleep(0.1)
