"""Atlas: AlphaGenome's scores of every SNV of GRCh38, computed beforehand, of its recommended scorers.

One call a variant, for the tracks that are kept: it can leave out others, as the model cannot. Atlas holds SNVs of the
22 autosomes, X and Y; it refuses others, and those whose REF is not the genome's. Its scores are close to the model's
own, not equal to them, so they are a computation of their own. Its window is not published, and taken to be
the longest.
"""

from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np

from agdb.errors import ProviderError
from agdb.predictors.alphagenome import track_of
from agdb.predictors.alphagenome_connection import Connection
from agdb.predictors.contract import Answer, Computation, Track, TryAgain, Variant, VariantFailed
from agdb.predictors.scorers import ATLAS_NAMES, GENES
from agdb.predictors.tracks import columns

#: Calls in flight, unless the user says otherwise.
IN_FLIGHT = 32


#: What an answer holds: all but the tracks' metadata, which are those of `tracks`, in the same order.
_FIELDS = (
    "variant,scores.variant_scorer,scores.metadata.gene_scorers,scores.shape,scores.scores,scores.calibrated_scores"
)


class AtlasPredictor:
    """Looks a variant up, in every track of an output type, or in some.

    Args:
        connection: See `alphagenome_connection.connect`.
        computation: One of provider `atlas`.
        track_set: The tracks that are wanted, as `tracks.columns` takes them. A smaller answer counts as one call too.
        in_flight: Calls at a time, at most.
    """

    batch_size = 1

    def __init__(
        self,
        connection: Connection,
        computation: Computation,
        track_set: str = "all",
        *,
        in_flight: int = IN_FLIGHT,
    ) -> None:
        from alphagenome.protos import atlas_service_pb2_grpc

        self.computation, self.in_flight = computation, in_flight
        self.software = f"alphagenome {version('alphagenome')} (Atlas)"
        self._connection, self._track_set = connection, track_set
        self._stub = atlas_service_pb2_grpc.AtlasServiceStub(connection.channel)
        self._name = ATLAS_NAMES[computation.output_type, computation.mask_bp, computation.aggregation]
        self._filter = ""
        self._tracks: tuple[Track, ...] = ()

    def tracks(self) -> Sequence[Track]:
        """The tracks of the output type that are wanted, as Atlas lists them. Raises as `alphagenome.tracks_of`."""
        from alphagenome.atlas import atlas_utils
        from alphagenome.models.v1 import dna_client
        from alphagenome.protos import atlas_service_pb2

        request = atlas_service_pb2.ListVariantScoresMetadataRequest(
            organism=dna_client.Organism.HOMO_SAPIENS.to_proto()
        )
        try:
            answer = self._connection.unary(self._stub.ListVariantScoresMetadata, request)
            found = [
                track_of(track, self.computation.output_type)
                for scorer in answer.variant_scorer_metadata if scorer.variant_scorer.name == self._name
                for metadata in scorer.metadata if metadata.HasField("tracks")
                for track in metadata.tracks.metadata
            ]  # fmt: skip
        except (VariantFailed, ValueError, LookupError) as fault:
            raise ProviderError(
                f"Atlas does not say which tracks it has: {fault}", where=f"server {self._connection.address}",
                cure="leave Atlas out: --provider alphagenome",
            ) from None  # fmt: skip
        if not found:
            raise ProviderError(f"Atlas holds no scores {self._name}", where=f"server {self._connection.address}",
                                cure="--provider alphagenome computes them")  # fmt: skip
        wanted = [found[i].ontology_curie for i in columns(found, self._track_set)]
        terms = [] if self._track_set == "all" else sorted({term for term in wanted if term is not None})
        self._filter = atlas_utils.build_filter(requested_scorers=[self._name], ontology_terms=terms or None)
        self._tracks = tuple(track for track in found if not terms or track.ontology_curie in terms)
        return self._tracks

    def score(self, variants: Sequence[Variant]) -> Sequence[Answer]:
        """One call, for one variant.

        Raises as `Connection.unary`; VariantFailed also where Atlas leaves the scorer out of its answer, TryAgain where
        the answer makes no sense.
        """
        from alphagenome.data import genome
        from alphagenome.models.v1 import dna_client
        from alphagenome.protos import atlas_service_pb2

        (variant,) = variants
        request = atlas_service_pb2.GetDenseVariantScoresRequest(
            variant=genome.Variant(*variant).to_proto(),
            organism=dna_client.Organism.HOMO_SAPIENS.to_proto(),
            filter=self._filter,
        )
        answer = self._connection.unary(self._stub.GetDenseVariantScores, request, [("x-goog-fieldmask", _FIELDS)])
        found = [scores for scores in answer.scores if scores.variant_scorer.name == self._name]
        if not found:
            raise VariantFailed(f"no_scores: Atlas holds no {self._name} of this variant", blames_provider=True)
        if len(found) != 1:
            raise TryAgain(f"malformed_answer: {len(found)} score tables for 1 scorer")
        try:
            return [self._answer(found[0])]
        except ValueError as error:
            raise TryAgain(f"malformed_answer: {error}") from None

    def cancel(self) -> None:
        """End the calls in flight."""
        self._connection.cancel()

    def _answer(self, scores: Any) -> Answer:
        shape = tuple(scores.shape)
        values = np.frombuffer(scores.scores, dtype=np.float32).reshape(shape)
        genes = None
        if self.computation.aggregation in GENES:
            named = [m.gene_scorers.metadata for m in scores.metadata if m.HasField("gene_scorers")]
            genes = tuple(gene.gene_id.partition(".")[0] for metadata in named for gene in metadata)
        if len(shape) != 2 or shape[1] != len(self._tracks) or shape[0] != (1 if genes is None else len(genes)):
            raise ValueError(f"scores of shape {shape} for {len(self._tracks)} tracks")
        quantiles = scores.calibrated_scores
        return Answer(values, genes, np.frombuffer(quantiles, dtype=np.float32).reshape(shape) if quantiles else None)
