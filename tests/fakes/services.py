"""The model's API, answered by the made-up model. The Atlas is in `fakes.atlas`."""

import hashlib
from collections.abc import Iterator
from typing import Any

import numpy as np
from alphagenome.protos.v1 import dna_model_pb2 as model_pb2
from alphagenome.protos.v1 import dna_model_service_pb2 as service_pb2
from alphagenome.protos.v1 import dna_model_service_pb2_grpc as service_grpc

from fakes import answers
from fakes.checks import check_interval, check_organism, check_width, checked_windows, interval_text
from fakes.faults import Refusal
from fakes.gate import Gate, Turn
from fakes.model import Model
from fakes.sequence import Bases, Window, variant_text


class ModelService(service_grpc.DnaModelServiceServicer):  # type: ignore[misc]  # the SDK comes without types
    """`DnaModelService`: ScoreVariant, PredictSequence, PredictInterval, PredictVariant, GetMetadata.

    A REF allele that the genome does not have is no error here, and a window may reach beyond the chromosome: it is N
    there. ScoreInterval and ScoreIsmVariant are not implemented.
    """

    def __init__(self, model: Model, gate: Gate) -> None:
        self._model, self._gate = model, gate

    def ScoreVariant(self, request_iterator: Iterator[Any], context: Any) -> Iterator[Any]:
        """One score table a scorer, in the order of the request."""
        request = next(request_iterator)

        def answer(turn: Turn) -> list[Any]:
            ref, alt = checked_windows(request)
            tables = []
            for scorer in request.variant_scorers:
                scores = self._model.score(
                    scorer, ref, alt, version=request.model_version, merge=request.merge_stranded_gene_tracks
                )
                tables.append(answers.scored(turn, request.variant, scores))
            return [message for table in answers.outputs(turn, tables) for message in table]

        return self._gate.stream("ScoreVariant", variant_text(request.variant), context, answer)

    def PredictSequence(self, request_iterator: Iterator[Any], context: Any) -> Iterator[Any]:
        """The tracks of a sequence."""
        request = next(request_iterator)
        sequence = np.frombuffer(request.sequence.encode(), dtype=np.uint8)
        subject = f"sequence:{hashlib.sha256(request.sequence.encode()).hexdigest()[:16]}"
        respond = service_pb2.PredictSequenceResponse

        def answer(turn: Turn) -> list[Any]:
            check_width(len(sequence))
            return self._predicted(turn, request, respond, {"output": sequence}, None)

        return self._gate.stream("PredictSequence", subject, context, answer)

    def PredictInterval(self, request_iterator: Iterator[Any], context: Any) -> Iterator[Any]:
        """The tracks of a stretch of the genome."""
        request = next(request_iterator)
        interval, respond = request.interval, service_pb2.PredictIntervalResponse

        def answer(turn: Turn) -> list[Any]:
            check_interval(request)
            width = interval.end - interval.start
            sequence = Window(interval.chromosome, interval.start, width).bases(0, width)
            return self._predicted(turn, request, respond, {"output": sequence}, interval)

        return self._gate.stream("PredictInterval", interval_text(interval), context, answer)

    def PredictVariant(self, request_iterator: Iterator[Any], context: Any) -> Iterator[Any]:
        """The tracks of the REF and of the ALT sequence; those of ALT are not aligned to REF."""
        request = next(request_iterator)
        respond = service_pb2.PredictVariantResponse

        def answer(turn: Turn) -> list[Any]:
            names = ("reference_output", "alternate_output")
            pair = zip(names, checked_windows(request), strict=True)
            sequences = {name: window.bases(0, window.width) for name, window in pair}
            return self._predicted(turn, request, respond, sequences, request.interval)

        return self._gate.stream("PredictVariant", variant_text(request.variant), context, answer)

    def ScoreInterval(self, request_iterator: Iterator[Any], context: Any) -> Iterator[Any]:
        """Refused."""
        return self._gate.stream("ScoreInterval", interval_text(next(request_iterator).interval), context, _no_answer)

    def ScoreIsmVariant(self, request_iterator: Iterator[Any], context: Any) -> Iterator[Any]:
        """Refused."""
        return self._gate.stream("ScoreIsmVariant", interval_text(next(request_iterator).interval), context, _no_answer)

    def GetMetadata(self, request: Any, context: Any) -> Iterator[Any]:
        """The tracks of every output type."""

        def answer(_: Turn) -> list[Any]:
            check_organism(request)
            return [
                service_pb2.MetadataResponse(
                    output_metadata=[
                        model_pb2.OutputMetadata(
                            output_type=tracks.output_type, tracks=model_pb2.TracksMetadata(metadata=tracks.metadata)
                        )
                        for tracks in self._model.tracks.values()
                    ]
                )
            ]

        return self._gate.stream("GetMetadata", "metadata", context, answer)

    def _predicted(
        self, turn: Turn, request: Any, respond: Any, sequences: dict[str, Bases], interval: Any | None
    ) -> list[Any]:
        """The responses: for each output type, one for each named sequence."""
        check_organism(request)
        messages = []
        for output_type in request.requested_outputs:
            tracks = self._model.tracks_of(output_type)
            columns = tracks.columns(request.ontology_terms)
            metadata = [tracks.metadata[column] for column in columns]
            for field, sequence in sequences.items():
                signal = self._model.predict(sequence, output_type, columns, request.model_version)
                messages.append(answers.predicted(turn, respond, field, output_type, signal, metadata, interval))
        return [message for output in answers.outputs(turn, messages) for message in output]


def _no_answer(_: Turn) -> list[Any]:
    raise Refusal("UNIMPLEMENTED", "this server does not answer such calls")
