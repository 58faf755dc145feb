"""The tracks that are served: rows of a table with the columns of AlphaGenome's own table of tracks."""

import csv
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from alphagenome.protos.v1 import dna_model_pb2 as model_pb2

#: A few tracks of the real table: 8 DNASE, 2 ATAC, and 3 RNA_SEQ, two of which are the strands of one experiment.
DEFAULT = Path(__file__).parent / "tracks.tsv"

# Outputs that are not one value a base and track. Those of lower resolution than 1 bp are served at 1 bp.
_NOT_SERVED = ("CONTACT_MAPS", "SPLICE_JUNCTIONS")

Indices = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Tracks:
    """The tracks of one output type, in the server's order.

    Attributes:
        output_type: Number of the protocol's `OutputType`.
        metadata: A `TrackMetadata` message for each track.
        seeds: For each track, the number that its values hang on: of its output type, name and strand.
    """

    output_type: int
    metadata: tuple[Any, ...]
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        """`DNASE`, ..."""
        return str(model_pb2.OutputType.Name(self.output_type)).removeprefix("OUTPUT_TYPE_")

    @cached_property
    def strands(self) -> npt.NDArray[np.int64]:
        """Number of the protocol's `Strand` of each track. Shape (tracks,)."""
        return np.array([track.strand for track in self.metadata], dtype=np.int64)

    @cached_property
    def merged(self) -> tuple[Indices, Indices]:
        """Columns that stay for a gene on the + and on the - strand when stranded tracks are merged into one.

        As the SDK's `merge_stranded_gene_tracks`: the n-th + track and the n-th - track are one experiment, and an
        unstranded track is left out where a stranded one has its name.
        """
        stranded = {t.name for t in self.metadata if t.strand != model_pb2.STRAND_UNSTRANDED}
        of_its_own = np.array(
            [t.strand != model_pb2.STRAND_UNSTRANDED or t.name not in stranded for t in self.metadata], dtype=np.bool_
        )
        positive, negative = (
            np.flatnonzero(of_its_own & (self.strands != other))
            for other in (model_pb2.STRAND_NEGATIVE, model_pb2.STRAND_POSITIVE)
        )
        if len(positive) != len(negative):
            raise ValueError(f"the stranded {self.name} tracks are not in pairs")
        return positive, negative

    @cached_property
    def message(self) -> Any:
        """The tracks in a `VariantMetadata`, to copy: copying a message is five times as fast as filling it."""
        return model_pb2.VariantMetadata(track_metadata=self.metadata)

    @cached_property
    def merged_message(self) -> Any:
        """The merged tracks in a `VariantMetadata`, each described as its + track, but unstranded."""
        merged = model_pb2.VariantMetadata(track_metadata=[self.metadata[column] for column in self.merged[0]])
        for track in merged.track_metadata:
            track.strand = model_pb2.STRAND_UNSTRANDED
        return merged

    def columns(self, terms: Iterable[Any]) -> Indices:
        """Indices of the tracks with one of these `OntologyTerm`s; of all tracks where there are no terms."""
        return matching(self.metadata, terms)


def matching(metadata: Sequence[Any], terms: Iterable[Any]) -> Indices:
    """Indices of the `TrackMetadata` with one of these `OntologyTerm`s; all where there are no terms."""
    wanted = {(term.ontology_type, term.id) for term in terms}
    if not wanted:
        return np.arange(len(metadata), dtype=np.intp)
    found = [i for i, t in enumerate(metadata) if (t.ontology_term.ontology_type, t.ontology_term.id) in wanted]
    return np.array(found, dtype=np.intp)


def load(path: Path = DEFAULT) -> dict[int, Tracks]:
    """The tracks of a TSV by output type, in its order.

    Raises:
        ValueError: The file has no tracks that can be served.
    """
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["output_type"] not in _NOT_SERVED]
    if not rows:
        raise ValueError(f"{path} has no tracks")
    by_output: dict[int, list[Mapping[str, str]]] = {}
    for row in rows:
        by_output.setdefault(model_pb2.OutputType.Value(f"OUTPUT_TYPE_{row['output_type']}"), []).append(row)
    return {
        output_type: Tracks(output_type, tuple(map(_message, of_it)), tuple(map(_seed, of_it)))
        for output_type, of_it in by_output.items()
    }


def _seed(row: Mapping[str, str]) -> int:
    identity = f"{row['output_type']}|{row['name']}|{row['strand']}"
    return int.from_bytes(hashlib.sha256(identity.encode()).digest()[:8], "big")


def _message(row: Mapping[str, str]) -> Any:
    """The `TrackMetadata` of a row; what is empty in the row stays unset."""
    track = model_pb2.TrackMetadata(
        name=row["name"],
        strand=model_pb2.Strand.Value(f"STRAND_{row['strand']}"),
        assay=row["assay"] or None,
        data_source=row["data_source"] or None,
        gtex_tissue=row["gtex_tissue"] or None,
        histone_mark_code=row["histone_mark"] or None,
        transcription_factor_code=row["transcription_factor"] or None,
    )
    if row["ontology_curie"]:
        prefix, number = row["ontology_curie"].split(":")
        track.ontology_term.ontology_type = model_pb2.OntologyType.Value(f"ONTOLOGY_TYPE_{prefix}")
        track.ontology_term.id = int(number)
    if row["biosample_type"]:
        track.biosample.type = model_pb2.BiosampleType.Value(f"BIOSAMPLE_TYPE_{row['biosample_type'].upper()}")
        track.biosample.name = row["biosample_name"]
        if row["biosample_life_stage"]:
            track.biosample.stage = row["biosample_life_stage"]
    if row["endedness"]:
        track.endedness = model_pb2.Endedness.Value(f"ENDEDNESS_{row['endedness'].upper()}")
    if row["genetically_modified"]:
        track.genetically_modified = row["genetically_modified"] == "true"
    if row["nonzero_mean"]:
        track.nonzero_mean = float(row["nonzero_mean"])
    return track
