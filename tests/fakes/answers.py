"""The messages of an answer: scores, predicted tracks and metadata, faulty where the call's turn says so."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from alphagenome import tensor_utils
from alphagenome.protos import atlas_service_pb2 as atlas_pb2
from alphagenome.protos.v1 import dna_model_pb2 as model_pb2
from alphagenome.protos.v1 import dna_model_service_pb2 as service_pb2

from fakes import genes
from fakes.gate import Turn
from fakes.model import Floats, Scores, quantile

Item = TypeVar("Item")
Values = npt.NDArray[np.float32]


def outputs(turn: Turn, items: list[Item]) -> list[Item]:
    """The outputs that are sent: all, or as many as the fault says (repeated where there are too few)."""
    fault = turn.hit_by("outputs")
    if fault is None or not items:
        return items
    return [items[i % len(items)] for i in range(fault.outputs)]


def scores_of(turn: Turn, scores: Scores, factor: float = 1.0) -> tuple[Values, Values | None]:
    """The scores that are sent, and their quantiles: shape (genes or 1, tracks), float32."""
    values: Floats = factor * scores.values + turn.noise
    if turn.hit_by("nan"):
        values = np.full_like(values, np.nan)
    if turn.hit_by("shape"):
        values = values[:, :-1]
    has_quantiles = scores.is_recommended and turn.plan.quantiles
    return values.astype(np.float32), quantile(values).astype(np.float32) if has_quantiles else None


def scored(turn: Turn, variant: Any, scores: Scores) -> list[Any]:
    """The `ScoreVariantResponse`s of one scorer: the output, and the chunks of its tensor."""
    values, quantiles = scores_of(turn, scores)
    tensor, chunks = _packed(turn, np.stack([values] if quantiles is None else [values, quantiles]))
    response = service_pb2.ScoreVariantResponse()
    data = response.output.variant_data
    data.values.CopyFrom(tensor)
    data.metadata.CopyFrom(scores.metadata)
    data.metadata.variant.CopyFrom(variant)
    data.metadata.gene_metadata.extend(map(genes.message, scores.genes or ()))
    return [response, *(service_pb2.ScoreVariantResponse(tensor_chunk=chunk) for chunk in chunks)]


def predicted(
    turn: Turn,
    respond: Callable[..., Any],
    field: str,
    output_type: int,
    signal: Values,
    metadata: Iterable[Any],
    interval: Any | None,
) -> list[Any]:
    """The responses of one predicted output: the output in `field` of a response, and the chunks of its tensor."""
    if turn.noise:
        signal = signal + np.float32(turn.noise)
    if turn.hit_by("nan"):
        signal = np.full_like(signal, np.nan)
    if turn.hit_by("shape"):
        signal = signal[:, :-1]
    tensor, chunks = _packed(turn, signal)
    data = model_pb2.TrackData(values=tensor, metadata=metadata, resolution=1, interval=interval)
    output = model_pb2.Output(output_type=output_type, track_data=data)
    return [respond(**{field: output}), *(respond(tensor_chunk=chunk) for chunk in chunks)]


def atlas_score(turn: Turn, info: Any, scores: Scores, *, with_tracks: bool) -> Any:
    """The `DenseVariantScore` of one scorer of the Atlas."""
    values, quantiles = scores_of(turn, scores, turn.plan.atlas_factor)
    score = atlas_pb2.DenseVariantScore(variant_scorer=info, shape=values.shape, scores=values.tobytes())
    if quantiles is not None:
        score.calibrated_scores = quantiles.tobytes()
    if scores.genes is not None:
        of_genes = atlas_pb2.GeneScorersMetadata(metadata=map(genes.message, scores.genes))
        score.metadata.append(atlas_pb2.Metadata(gene_scorers=of_genes))
    if with_tracks:
        of_tracks = model_pb2.TracksMetadata(metadata=scores.metadata.track_metadata)
        score.metadata.append(atlas_pb2.Metadata(tracks=of_tracks))
    return score


def _packed(turn: Turn, values: Values) -> tuple[Any, list[Any]]:
    """The tensor in one piece, or in chunks; a call that will be dropped needs chunks to be dropped amid them."""
    chunk_bytes = turn.plan.chunk_bytes
    if turn.hit_by("drop"):
        chunk_bytes = 4 * max(1, values.size // 3)
    tensor, chunks = tensor_utils.pack_tensor(values, bytes_per_chunk=chunk_bytes)
    return tensor, list(chunks)
