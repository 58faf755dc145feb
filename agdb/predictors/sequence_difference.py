"""The original study's score: the mean of the predicted signal over a window, of the ALT sequence minus that of REF.

Two `PredictSequence` calls a variant, each of which brings every position of every track: 20 MB at 16 kb, 160 MB at
131 kb. It is here to repeat the study, not to be used: a mean over a window drowns what a variant does in what it does
not do.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from agdb.errors import ProviderError
from agdb.genome import Genome
from agdb.predictors.alphagenome import track_of, tracks_of, unpacked, version_of
from agdb.predictors.alphagenome_connection import Connection
from agdb.predictors.contract import Answer, Computation, Track, TryAgain, Variant, VariantFailed
from agdb.predictors.sequences import Bases, ascii_of, pairs

#: Calls in flight: each fills tens of megabytes.
IN_FLIGHT = 4


class SequenceDifferencePredictor:
    """score = mean(ALT) - mean(REF) over the positions of the window, for each track.

    `ref_values` and `alt_values` are the two means. The windows, and the reasons for which a variant has none, are
    those of `sequences.pairs`.

    Args:
        connection: See `alphagenome_connection.connect`.
        genome: The FASTA of the computation's assembly.
        computation: One of aggregation `SEQUENCE_DIFF_MEAN`.
        in_flight: Variants at a time, at most.
    """

    batch_size = 1

    def __init__(
        self, connection: Connection, genome: Genome, computation: Computation, *, in_flight: int = IN_FLIGHT
    ) -> None:
        from alphagenome.protos.v1 import dna_model_service_pb2_grpc

        self.computation, self.in_flight = computation, in_flight
        self.software = f"alphagenome {version('alphagenome')}"
        self._connection, self._genome = connection, genome
        self._stub = dna_model_service_pb2_grpc.DnaModelServiceStub(connection.channel)
        self._tracks: tuple[Track, ...] = ()
        self._ref_means: dict[Variant, Any] = {}  # of variants whose second call failed

    def tracks(self) -> Sequence[Track]:
        """The tracks of the output type, as the server lists them."""
        self._tracks = tracks_of(self._connection, self._stub, self.computation.output_type)
        return self._tracks

    def score(self, variants: Sequence[Variant]) -> Sequence[Answer]:
        """Two calls, for one variant. Raises as `Connection.stream`; TryAgain also where the answer makes no sense."""
        (variant,) = variants
        place, width = np.array([variant.pos - 1]), self.computation.window_bp
        alleles = ascii_of([variant.ref]), ascii_of([variant.alt])
        (reason,), _, ref, alt = pairs(self._genome, variant.chrom, place, *alleles, width)
        if reason:
            raise VariantFailed(reason)
        ref_mean = self._ref_means.get(variant)
        if ref_mean is None:
            ref_mean = self._ref_means[variant] = self._mean(ref[0])
        alt_mean = self._mean(alt[0])
        del self._ref_means[variant]
        return [Answer((alt_mean - ref_mean)[None], ref_values=ref_mean[None], alt_values=alt_mean[None])]

    def cancel(self) -> None:
        """End the calls in flight."""
        self._connection.cancel()

    def _mean(self, sequence: Bases) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Mean over the positions, for each track. Shape (tracks,)."""
        from alphagenome.models.v1 import dna_client
        from alphagenome.protos.v1 import dna_model_service_pb2

        request = dna_model_service_pb2.PredictSequenceRequest(
            sequence=sequence.tobytes().decode("ascii"),
            organism=dna_client.Organism.HOMO_SAPIENS.to_proto(),
            requested_outputs=[dna_client.OutputType[self.computation.output_type].to_proto()],
            model_version=version_of(self.computation),
        )
        try:
            messages = self._connection.stream(self._stub.PredictSequence, iter([request]))
            data = next(messages).output.track_data
            values = unpacked(data.values, messages)
            if list(messages) or values.shape[-1] != len(self._tracks):
                raise ValueError(f"tracks of shape {values.shape}, and {len(self._tracks)} were announced")
        except StopIteration:
            raise TryAgain("malformed_answer: no output") from None
        except (ValueError, LookupError) as error:
            raise TryAgain(f"malformed_answer: {error}") from None
        answered = (track_of(message, self.computation.output_type) for message in data.metadata)
        if [(t.name, t.strand) for t in answered] != [(t.name, t.strand) for t in self._tracks]:
            raise ProviderError("AlphaGenome lists its tracks in another order than it answers",
                                where=f"server {self._connection.address}", cure="please report it")  # fmt: skip
        return np.asarray(values.mean(axis=0, dtype=np.float64))
