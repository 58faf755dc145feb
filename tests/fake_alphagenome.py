"""An AlphaGenome server on loopback that speaks the SDK's own protocol, with made-up scores and faults on demand.

For tests only: agdb itself never scores with anything but the model that it was told to use.
"""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any

import grpc
import numpy as np
from alphagenome import tensor_utils
from alphagenome.data import genome, ontology
from alphagenome.protos.v1 import dna_model_pb2 as model_pb2
from alphagenome.protos.v1 import dna_model_service_pb2 as service_pb2
from alphagenome.protos.v1 import dna_model_service_pb2_grpc as service_grpc

K562, GM12878, HEPG2 = "EFO:0002067", "EFO:0002784", "EFO:0001187"


def fake_score(variant: str, curie: str) -> float:
    """A score in [-2, 2) for `chr1:100:A>G` on one track: a multiple of 1/1024, so that float32 holds it exactly."""
    digest = hashlib.sha256(f"{variant} {curie}".encode()).digest()
    return (int.from_bytes(digest[:2], "big") % 4096 - 2048) / 1024


def fake_quantile(variant: str, curie: str) -> float:
    """The quantile that goes with `fake_score`, in [-1, 1)."""
    return fake_score(variant, curie) / 2


@dataclass(frozen=True)
class Fault:
    """What goes wrong with a call: a status instead of an answer, another score, no answer, or a late one."""

    code: grpc.StatusCode | None = None
    details: str = "injected"
    score: float | None = None
    hangs: bool = False
    delay_s: float = 0
    outputs: int = 1


class FakeAlphaGenome(service_grpc.DnaModelServiceServicer):  # type: ignore[misc]  # the SDK comes without types
    """`with FakeAlphaGenome(...) as address:` serves ScoreVariant and GetMetadata, and notes every call.

    Args:
        faults: Fault of a variant, by its text `chr1:100:A>G`.
        always: Fault of every call that has none of its own.
        tracks: Ontology curies of the DNASE tracks, in the server's order.
        quantiles: Whether answers hold quantiles.
    """

    def __init__(
        self,
        *,
        faults: Mapping[str, Fault] | None = None,
        always: Fault | None = None,
        tracks: Sequence[str] = (GM12878, K562, HEPG2),
        quantiles: bool = True,
    ) -> None:
        self.faults, self.always, self.tracks, self.quantiles = dict(faults or {}), always or Fault(), tracks, quantiles
        self.calls: list[str] = []
        self.requests: list[Any] = []
        self.keys: set[str | None] = set()
        self.most_at_once = 0
        self._at_once, self._lock, self._closing = 0, Lock(), Event()
        self._server = grpc.server(ThreadPoolExecutor(16), options=[("grpc.so_reuseport", 0)])
        service_grpc.add_DnaModelServiceServicer_to_server(self, self._server)

    def __enter__(self) -> str:
        port = self._server.add_insecure_port("127.0.0.1:0")
        self._server.start()
        return f"127.0.0.1:{port}"

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._server.stop(grace=None).wait()

    def ScoreVariant(self, request_iterator: Iterator[Any], context: Any) -> Iterator[Any]:
        """Answer the one request of a stream: one score table a scorer."""
        request = next(request_iterator)
        variant = str(genome.Variant.from_proto(request.variant))
        fault = self.faults.get(variant, self.always)
        with self._lock:
            self.calls.append(variant)
            self.requests.append(request)
            self.keys.add(dict(context.invocation_metadata()).get("x-goog-api-key"))
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            if fault.hangs:
                self._closing.wait()
            time.sleep(fault.delay_s)
            if fault.code is not None:
                context.abort(fault.code, fault.details)
        finally:
            with self._lock:
                self._at_once -= 1
        for _ in range(fault.outputs * len(request.variant_scorers)):
            yield self._scored(request, variant, fault)

    def GetMetadata(self, request: Any, context: Any) -> Iterator[Any]:
        """The DNASE tracks."""
        tracks = model_pb2.TracksMetadata(metadata=self._track_metadata())
        output = model_pb2.OutputMetadata(output_type=model_pb2.OUTPUT_TYPE_DNASE, tracks=tracks)
        yield service_pb2.MetadataResponse(output_metadata=[output])

    def _scored(self, request: Any, variant: str, fault: Fault) -> Any:
        scores = [fake_score(variant, curie) if fault.score is None else fault.score for curie in self.tracks]
        rows = [scores, [fake_quantile(variant, curie) for curie in self.tracks]]
        values = np.array(rows if self.quantiles else rows[:1], np.float32)[:, np.newaxis, :]
        metadata = model_pb2.VariantMetadata(variant=request.variant, track_metadata=self._track_metadata())
        tensor, _ = tensor_utils.pack_tensor(values)
        data = model_pb2.VariantData(values=tensor, metadata=metadata)
        return service_pb2.ScoreVariantResponse(output=model_pb2.ScoreVariantOutput(variant_data=data))

    def _track_metadata(self) -> list[Any]:
        return [
            model_pb2.TrackMetadata(
                name=f"{curie} DNase-seq {i}",
                strand=model_pb2.STRAND_UNSTRANDED,
                ontology_term=ontology.from_curie(curie).to_proto(),
            )
            for i, curie in enumerate(self.tracks)
        ]
