"""What is measured of predict: agdb's run and the SDK's own client, against a server that runs in another process.

As in `cases`, each case runs in a fresh process and returns what it found. `Place.server` is the server's address,
`Place.n` the number of variants to score, in the order of the stored database.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.cases import Case, Place

if TYPE_CHECKING:
    from agdb.predict.run import Summary
    from agdb.predictors.contract import Answer, Computation, Predictor, Scorer, Track, Variant

#: The n-th variant lies here, of chr1.
FIRST, STEP = 1_000_000, 40
#: Calls in flight, of agdb and of the SDK; the server's minute, in seconds; bases of a window; tracks of an answer.
IN_FLIGHT, MINUTE_S, WINDOW_BP, TRACKS = 32, 3.0, 16384, 305


def prepare(place: Place) -> None:
    """A database of its own, and the imports."""
    from alphagenome.models.v1 import dna_client  # noqa: F401

    from agdb.predict import run  # noqa: F401

    shutil.copyfile(place.stored, database(place))


def database(place: Place) -> Path:
    """The database of a case."""
    return place.work / "study.duckdb"


def scorer() -> "Scorer":
    """DNASE in K562; every track is kept, as by default."""
    from agdb.predictors import scorers

    return scorers.scorer(scorers.presets()["dnase-k562"], window_bp=WINDOW_BP, is_service=False)


def run(place: Place) -> "Summary":
    """`agdb predict`, from the work list to the merged database."""

    @contextmanager
    def of(computation: "Computation") -> "Iterator[Predictor]":
        from agdb.predictors.alphagenome import AlphaGenomePredictor
        from agdb.predictors.alphagenome_connection import connect

        connection = connect([place.server], None, insecure=True)
        try:
            yield AlphaGenomePredictor(connection, computation, in_flight=IN_FLIGHT)
        finally:
            connection.close()

    return _run(place, of)


def _run(place: Place, predictor_of: Any) -> "Summary":
    from agdb.predict import run as running
    from agdb.predict.work import Choice

    choice = Choice(where=f"pos < {FIRST + STEP * place.n}")  # the same ones in every run
    settings = running.Settings(choice, window_s=MINUTE_S)
    return running.run(running.Place(database(place)), scorer(), predictor_of, settings)


def scored(place: Place) -> int:
    """Variants that agdb scored."""
    return run(place).scored


def prepare_again(place: Place) -> None:
    """All that is to be scored is."""
    prepare(place)
    run(place)


def asked_again(place: Place) -> int:
    """Calls that the same run makes once more: none."""
    return run(place).calls


def by_sdk(place: Place) -> int:
    """The SDK's `score_variants` over the same variants; its results stay in memory. 0 where it raises."""
    import grpc
    from alphagenome.data import genome
    from alphagenome.models.v1 import dna_client, variant_scorers

    from agdb import db

    with db.reading(place.stored) as con:
        rows = con.execute(f"SELECT chrom::VARCHAR, pos, ref, alt FROM variant ORDER BY ALL LIMIT {place.n}").fetchall()
    variants = [genome.Variant(*row) for row in rows]
    asked = variant_scorers.CenterMaskScorer(
        dna_client.OutputType.DNASE, 501, variant_scorers.AggregationType.DIFF_LOG2_SUM
    )
    sizes = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    with grpc.insecure_channel(place.server, options=[*sizes, ("grpc.enable_http_proxy", 0)]) as channel:
        client = dna_client.DnaClient(channel=channel)
        intervals = [variant.reference_interval.resize(WINDOW_BP) for variant in variants]
        try:
            return len(client.score_variants(intervals, variants, [asked], progress_bar=False, max_workers=IN_FLIGHT))
        except grpc.RpcError:
            return 0


class Instant:
    """A predictor in this process that answers at once, with as many tracks as AlphaGenome has of DNASE."""

    software, batch_size, in_flight = "instant", 1, IN_FLIGHT

    def __init__(self, computation: "Computation") -> None:
        self.computation = computation

    def tracks(self) -> "Sequence[Track]":
        """K562 and made-up ones."""
        from agdb.predictors.contract import Track

        curies = ["EFO:0002067", *(f"CL:{i:07}" for i in range(1, TRACKS))]
        return [Track("DNASE", f"{curie} DNase-seq", ".", curie) for curie in curies]

    def score(self, variants: "Sequence[Variant]") -> "Sequence[Answer]":
        """A score that is no other variant's."""
        import numpy as np

        from agdb.predictors.contract import Answer

        return [Answer(np.float32(v.pos) + np.arange(TRACKS, dtype=np.float32)[None] / TRACKS) for v in variants]

    def cancel(self) -> None:
        """There is nothing to end."""


def many(place: Place) -> int:
    """As many variants as the stored database holds, by `Instant`."""

    @contextmanager
    def of(computation: "Computation") -> "Iterator[Predictor]":
        yield Instant(computation)

    return _run(place, of).scored


LATENCY, FAULTY, QUOTA, OVERHEAD = "bound by latency", "1 % of variants refused", "bound by a quota", "agdb alone"

CASES = {
    "latency": Case(LATENCY, "agdb predict", scored, prepare),
    "latency-sdk": Case(LATENCY, "SDK score_variants", by_sdk, prepare),
    "faulty": Case(FAULTY, "agdb predict", scored, prepare),
    "faulty-sdk": Case(FAULTY, "SDK score_variants", by_sdk, prepare),
    "quota": Case(QUOTA, "agdb predict", scored, prepare),
    "fast": Case(OVERHEAD, "agdb predict, no latency", scored, prepare),
    "again": Case(OVERHEAD, "the same command again", asked_again, prepare_again),
    "many": Case(OVERHEAD, "agdb predict, in-process predictor", many, prepare),
}
