"""AlphaGenome over its protocol: Google's service, or any server that speaks as it does.

The SDK's messages are used, its client is not: `DnaClient.score_variant` decodes the metadata of every track with every
answer, which holds it to 70-85 calls a second whatever the server allows; it makes calls again without counting them;
and it refuses windows that own servers read. Formulas (`center_mask.py` and `gene_mask.py` of
google-deepmind/alphagenome_research), sums and means over the 501 bp (or what the mask is) centred on the variant:

- DIFF_LOG2_SUM: log2(1 + sum(ALT)) - log2(1 + sum(REF)); DIFF_SUM_LOG2: sum(log2(1 + ALT)) - sum(log2(1 + REF));
- DIFF_MEAN, DIFF_SUM: ALT - REF; L2_DIFF, L2_DIFF_LOG1P: Euclidean norm of ALT - REF, of log(1 + signal);
- ACTIVE_MEAN, ACTIVE_SUM: the larger of both; GENE_LFC: ln(mean over exons of ALT + 1e-3) - ln(... of REF + 1e-3).

A window may reach beyond the chromosome: it is sent as it is, as the SDK does, whose FASTA reader fills with N there.
What the service does with such windows is not documented; if it refuses one, that is a failure of the variant.
"""

from collections.abc import Iterator, Sequence
from importlib.metadata import version
from itertools import islice
from typing import Any

import numpy as np

from agdb.errors import ProviderError
from agdb.predictors.alphagenome_connection import Connection
from agdb.predictors.contract import Answer, Computation, Track, TryAgain, Variant, VariantFailed
from agdb.predictors.scorers import GENES, MODEL_VERSION

#: Calls in flight, unless the user says otherwise. What the service admits is not published; the pace finds out.
IN_FLIGHT = 32

#: The one chromosome of GRCh38 that is shorter than a window.
_SHORT = {"chrM": 16_569}


class AlphaGenomePredictor:
    """Scores a variant by one `ScoreVariant` call, in every track of an output type.

    Args:
        connection: See `alphagenome_connection.connect`.
        computation: One of provider `alphagenome` that is no `SEQUENCE_...`.
        in_flight: Calls at a time, at most.
    """

    batch_size = 1

    def __init__(self, connection: Connection, computation: Computation, *, in_flight: int = IN_FLIGHT) -> None:
        from alphagenome.protos.v1 import dna_model_service_pb2_grpc

        self.computation, self.in_flight = computation, in_flight
        self.software = f"alphagenome {version('alphagenome')}"
        self._connection = connection
        self._stub = dna_model_service_pb2_grpc.DnaModelServiceStub(connection.channel)
        self._scorer = scorer_of(computation).to_proto()
        self._tracks: tuple[Track, ...] = ()
        self._order: tuple[Any, np.ndarray[Any, Any] | None] | None = None

    def tracks(self) -> Sequence[Track]:
        """The tracks of the output type, as the server lists them (`GetMetadata`)."""
        self._tracks = tracks_of(self._connection, self._stub, self.computation.output_type)
        return self._tracks

    def score(self, variants: Sequence[Variant]) -> Sequence[Answer]:
        """One call, for one variant. Raises as `Connection.stream`; TryAgain also where the answer makes no sense."""
        from alphagenome.data import genome
        from alphagenome.models.v1 import dna_client
        from alphagenome.protos.v1 import dna_model_service_pb2

        (variant,) = variants
        window_bp = self.computation.window_bp
        if window_bp > _SHORT.get(variant.chrom, window_bp):
            raise VariantFailed("window_longer_than_contig")
        place = genome.Variant(*variant)
        interval = place.reference_interval.resize(window_bp)
        request = dna_model_service_pb2.ScoreVariantRequest(
            interval=interval.to_proto(),
            variant=place.to_proto(),
            organism=dna_client.Organism.HOMO_SAPIENS.to_proto(),
            variant_scorers=[self._scorer],
            model_version=version_of(self.computation),
            merge_stranded_gene_tracks=False,
        )
        try:
            messages = self._connection.stream(self._stub.ScoreVariant, iter([request]))
            outputs = [(m.output.variant_data, unpacked(m.output.variant_data.values, messages)) for m in messages]
            if len(outputs) != 1:
                raise ValueError(f"{len(outputs)} score tables for 1 scorer")
            return [self._answer(*outputs[0])]
        except VariantFailed as refusal:
            if interval.start < 0:  # no wonder
                reason = f"window_outside_contig: {refusal.reason}"
                raise VariantFailed(reason, blames_provider=True, is_likely=True) from None
            raise
        except (ValueError, LookupError) as error:
            raise TryAgain(f"malformed_answer: {error}") from None

    def cancel(self) -> None:
        """End the calls in flight."""
        self._connection.cancel()

    def _answer(self, data: Any, values: np.ndarray[Any, Any]) -> Answer:
        """Values are (1 or 2, genes or 1, tracks): scores, and quantiles if there are any."""
        layers, rows, columns = values.shape
        order = self._columns(data.metadata.track_metadata)
        if columns != len(data.metadata.track_metadata) or layers not in (1, 2):
            raise ValueError(f"scores of shape {values.shape} for {len(data.metadata.track_metadata)} tracks")
        genes = None
        if self.computation.aggregation in GENES:
            genes = tuple(gene.gene_id.partition(".")[0] for gene in data.metadata.gene_metadata)
            if len(genes) != rows:
                raise ValueError(f"{rows} rows of scores for {len(genes)} genes")
        elif rows != 1:
            raise ValueError(f"{rows} rows of scores, and a centre mask has 1")
        values = values if order is None else values[:, :, order]
        return Answer(values[0], genes, values[1] if layers == 2 else None)

    def _columns(self, metadata: Any) -> np.ndarray[Any, Any] | None:
        """Where our tracks stand among those of the answer; None where they stand in the same order.

        Comparing messages is quick (they are compared in C), decoding the metadata is not: 305 tracks take 15 ms.
        """
        known = self._order
        if known is not None and known[0] == metadata:
            return known[1]
        answered = (track_of(message, self.computation.output_type) for message in metadata)
        place = {(track.name, track.strand): i for i, track in enumerate(answered)}
        try:
            order = np.array([place[track.name, track.strand] for track in self._tracks], dtype=np.intp)
        except KeyError as missing:
            raise ValueError(f"no score for track {missing}") from None
        is_same = len(order) == len(metadata) and bool((order == np.arange(len(order))).all())
        self._order = (metadata, None if is_same else order)
        return self._order[1]


def scorer_of(computation: Computation) -> Any:
    """The SDK's variant scorer of a computation."""
    from alphagenome.models.v1 import dna_client, variant_scorers

    output = dna_client.OutputType[computation.output_type]
    if computation.aggregation == "GENE_LFC":
        return variant_scorers.GeneMaskLFCScorer(requested_output=output)
    if computation.aggregation == "GENE_ACTIVE":
        return variant_scorers.GeneMaskActiveScorer(requested_output=output)
    return variant_scorers.CenterMaskScorer(
        requested_output=output,
        width=computation.mask_bp,
        aggregation_type=variant_scorers.AggregationType[computation.aggregation],
    )


def version_of(computation: Computation) -> str | None:
    """What a request says of the model version: nothing for the default, as the SDK does."""
    return None if computation.model_version == MODEL_VERSION else computation.model_version


def tracks_of(connection: Connection, stub: Any, output_type: str) -> tuple[Track, ...]:
    """The tracks of an output type, as a server lists them.

    Raises:
        TryAgain: the quota is used up, or it is not there now.
        ProviderError: it refuses us, has no such tracks, or what it says of them makes no sense.
    """
    from alphagenome.models.v1 import dna_client
    from alphagenome.protos.v1 import dna_model_pb2, dna_model_service_pb2

    request = dna_model_service_pb2.MetadataRequest(organism=dna_client.Organism.HOMO_SAPIENS.to_proto())
    wanted = dna_model_pb2.OutputType.Value(f"OUTPUT_TYPE_{output_type}")
    try:
        found = tuple(
            track_of(track, output_type)
            for message in connection.stream(stub.GetMetadata, request)
            for output in message.output_metadata if output.output_type == wanted
            for track in output.tracks.metadata
        )  # fmt: skip
    except (VariantFailed, ValueError, LookupError) as fault:
        raise ProviderError(
            f"AlphaGenome does not say which tracks it has: {fault}", where=f"server {connection.address}",
            cure="check the address, and the version of the server",
        ) from None  # fmt: skip
    if not found:
        raise ProviderError(f"AlphaGenome has no {output_type} tracks", where=f"server {connection.address}",
                            cure="check the address")  # fmt: skip
    return found


def track_of(message: Any, output_type: str) -> Track:
    """A `TrackMetadata` message; what it leaves out is None."""
    from alphagenome.data import genome, ontology
    from alphagenome.protos.v1 import dna_model_pb2

    def text(field: str) -> str | None:
        return str(getattr(message, field)) if message.HasField(field) else None

    has_sample = message.HasField("biosample")
    sample = message.biosample
    kind = dna_model_pb2.BiosampleType.Name(sample.type).removeprefix("BIOSAMPLE_TYPE_").lower()
    return Track(
        output_type=output_type,
        name=message.name,
        strand=str(genome.Strand.from_proto(message.strand)),
        ontology_curie=(
            ontology.from_proto(message.ontology_term).ontology_curie if message.HasField("ontology_term") else None
        ),
        biosample_name=sample.name if has_sample else None,
        biosample_type=kind if has_sample else None,
        biosample_life_stage=sample.stage if has_sample and sample.HasField("stage") else None,
        assay=text("assay"),
        data_source=text("data_source"),
        gtex_tissue=text("gtex_tissue"),
    )


def unpacked(tensor: Any, messages: Iterator[Any]) -> np.ndarray[Any, Any]:
    """A tensor, the chunks of which are the next messages.

    Raises:
        ValueError, LookupError: it is none, or messages are missing.
    """
    from alphagenome import tensor_utils
    from zstandard import ZstdError

    chunks = (message.tensor_chunk for message in islice(messages, tensor.chunk_count))
    try:
        return np.asarray(tensor_utils.upcast_floating(tensor_utils.unpack_proto(tensor, chunks)))
    except ZstdError as error:
        raise ValueError(f"garbled scores: {error}") from None
