"""The Atlas, answered by the made-up model."""

from typing import Any

from alphagenome.protos import atlas_service_pb2 as atlas_pb2
from alphagenome.protos import atlas_service_pb2_grpc as atlas_grpc
from alphagenome.protos.v1 import dna_model_pb2 as model_pb2

from fakes import answers, atlas_filter
from fakes.checks import WIDTHS, check_organism, check_snv, interval_text
from fakes.gate import Gate, Turn
from fakes.model import Model, Scores
from fakes.recommended import RECOMMENDED
from fakes.sequence import LENGTHS, text, variant_text, windows
from fakes.tracks import matching

ATLAS_WIDTH = WIDTHS[-1]


class AtlasService(atlas_grpc.AtlasServiceServicer):  # type: ignore[misc]  # the SDK comes without types
    """`AtlasService`: the model's recommended scores of 1,048,576-bp windows, times a factor, for true SNVs alone.

    A scorer that is not known, or that the filter leaves nothing of, is left out of an answer, as a filter does.
    """

    def __init__(self, model: Model, gate: Gate) -> None:
        self._model, self._gate = model, gate
        self._info = {
            name: atlas_pb2.VariantScorerInfo(name=name, is_signed=not name.endswith("_ACTIVE"))
            for name, scorer in RECOMMENDED.items()
            if _output_of(scorer) in model.tracks
        }

    def GetDenseVariantScores(self, request: Any, context: Any) -> Any:
        """The scores of one SNV."""

        def answer(turn: Turn) -> Any:
            check_organism(request)
            check_snv(request.variant)
            return self._scores(turn, request.variant, atlas_filter.parse(request.filter), _sends_tracks(context))

        return self._gate.unary("GetDenseVariantScores", variant_text(request.variant), context, answer)

    def ListDenseVariantScores(self, request: Any, context: Any) -> Any:
        """The scores of the three SNVs of each base of an interval, all on one page."""

        def answer(turn: Turn) -> Any:
            check_organism(request)
            interval, wanted, with_tracks = request.interval, atlas_filter.parse(request.filter), _sends_tracks(context)
            start, end = max(interval.start, 0), min(interval.end, LENGTHS.get(interval.chromosome, 0))
            response = atlas_pb2.ListDenseVariantScoresResponse(interval=interval)
            response.interval.start, response.interval.end = start, max(start, end)
            for position in range(start + 1, end + 1):
                ref = text(interval.chromosome, position - 1, position)
                for alt in "ACGT".replace(ref, ""):
                    variant = model_pb2.Variant(
                        chromosome=interval.chromosome, position=position, reference_bases=ref, alternate_bases=alt
                    )
                    response.variant_scores.append(self._scores(turn, variant, wanted, with_tracks))
            return response

        return self._gate.unary("ListDenseVariantScores", interval_text(request.interval), context, answer)

    def ListVariantScoresMetadata(self, request: Any, context: Any) -> Any:
        """The scorers and their tracks."""

        def answer(_: Turn) -> Any:
            check_organism(request)
            response = atlas_pb2.ListVariantScoresMetadataResponse()
            for name, info in self._info.items():
                of_tracks = model_pb2.TracksMetadata(metadata=self._metadata(name).track_metadata)
                response.variant_scorer_metadata.add(
                    variant_scorer=info, metadata=[atlas_pb2.Metadata(tracks=of_tracks)]
                )
            return response

        return self._gate.unary("ListVariantScoresMetadata", "metadata", context, answer)

    def _scores(self, turn: Turn, variant: Any, wanted: atlas_filter.Wanted, with_tracks: bool) -> Any:
        start = variant.position - ATLAS_WIDTH // 2  # as the SDK's resize of a variant's one base
        interval = model_pb2.Interval(
            chromosome=variant.chromosome,
            start=start,
            end=start + ATLAS_WIDTH,
            strand=model_pb2.STRAND_UNSTRANDED,
        )
        ref, alt = windows(variant, interval)
        found = []
        for name, info in self._info.items():
            if wanted.scorers and name not in wanted.scorers:
                continue
            scores = _filtered(self._model.score(RECOMMENDED[name], ref, alt), wanted)
            if scores is not None:
                found.append(answers.atlas_score(turn, info, scores, with_tracks=with_tracks))
        return atlas_pb2.DenseVariantScores(variant=variant, interval=interval, scores=answers.outputs(turn, found))

    def _metadata(self, name: str) -> Any:
        tracks = self._model.tracks[_output_of(RECOMMENDED[name])]
        return tracks.merged_message if name.startswith("RNA_SEQ") else tracks.message


def _filtered(scores: Scores, wanted: atlas_filter.Wanted) -> Scores | None:
    """What the filter leaves of the scores of one scorer; None if that is nothing."""
    kept = scores
    if wanted.terms:
        tracks = scores.metadata.track_metadata
        columns = matching(tracks, wanted.terms)
        metadata = model_pb2.VariantMetadata(track_metadata=[tracks[column] for column in columns])
        kept = scores._replace(values=scores.values[:, columns], metadata=metadata)
    if scores.genes is not None:
        rows = [i for i, gene in enumerate(scores.genes) if wanted.has_gene(gene.gene_id, gene.name)]
        kept = kept._replace(values=kept.values[rows], genes=[scores.genes[row] for row in rows])
    elif wanted.names_genes:
        return None
    return kept if kept.values.size else None


def _output_of(scorer: Any) -> int:
    return int(getattr(scorer, scorer.WhichOneof("scorer")).requested_output)


def _sends_tracks(context: Any) -> bool:
    """Whether an answer holds track metadata: it does unless a field mask leaves them out."""
    mask = dict(context.invocation_metadata()).get("x-goog-fieldmask")
    fields = mask.split(",") if mask else ["scores.metadata"]
    return any("scores.metadata.tracks".startswith(field.removeprefix("variant_scores.")) for field in fields)
