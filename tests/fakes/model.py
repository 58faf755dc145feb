"""The made-up model: a signal for each base and track, and AlphaGenome's scorer formulas over it.

Signal. At each base stands a word: the `SPAN` bases that begin there. Its signal on a track is factor * u**8, where u
in [0, 1) is drawn from the word and the track, and factor in [0.5, 2) from the track: a few words are loud, most are
quiet. A word with an N, or one that reaches beyond the window, has no signal. So an SNV changes `SPAN` values.

Drive. The middle of a window acts on the genes in it, so that a variant there changes each of them: RNA_SEQ signal is
that of the words times 1 + sum/50, the sum of the words' signal over the `MIDDLE` bases around the window's middle.

Formulas: `center_mask.py` and `gene_mask.py` of google-deepmind/alphagenome_research. Every output has 1 value a base.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from alphagenome.protos.v1 import dna_model_pb2 as model_pb2

from fakes.faults import Refusal
from fakes.genes import Gene, inside
from fakes.recommended import is_recommended
from fakes.sequence import Bases, Window, splitmix64
from fakes.tracks import Indices, Tracks

SPAN = 6
MIDDLE = 501
NO_WORD = 4**SPAN
#: ALL_FOLDS is what an unset version means; each fold is a model of its own.
VERSIONS = ("ALL_FOLDS", "FOLD_0", "FOLD_1", "FOLD_2", "FOLD_3")

Floats = npt.NDArray[np.float64]
Signal = npt.NDArray[np.float32]
Words = npt.NDArray[np.intp]
Transform = Callable[[Signal], Signal]

_DIGIT = np.full(256, NO_WORD, dtype=np.intp)
_DIGIT[np.frombuffer(b"ACGT", dtype=np.uint8)] = range(4)
_ROWS_AT_A_TIME = 65_536  # values of so many bases are looked up at once, so that a megabase does not fill the memory


class Scores(NamedTuple):
    """What one scorer says of a variant.

    Attributes:
        values: Shape (genes, tracks), or (1, tracks) without genes.
        metadata: A `VariantMetadata` message with a `TrackMetadata` for each column.
        genes: One for each row; None for a scorer that knows no genes.
        is_recommended: Whether it is one of the SDK's recommended scorers: only those have quantiles.
    """

    values: Floats
    metadata: Any
    genes: list[Gene] | None
    is_recommended: bool


def words(sequence: Bases) -> Words:
    """The number of the word that begins at each base but the last `SPAN` - 1; `NO_WORD` if it holds an N."""
    digits = _DIGIT[sequence]
    n = max(len(sequence) - SPAN + 1, 0)
    number = np.zeros(n, dtype=np.intp)
    for place in range(SPAN):
        number = 4 * number + digits[place : place + n]
    return np.asarray(np.minimum(number, NO_WORD))


def words_of(window: Window, first: int, last: int) -> Words:
    """The words that begin at the window's offsets [first, last)."""
    return words(window.bases(first, last + SPAN - 1))


def quantile(score: Floats) -> Floats:
    """A strictly increasing function of the score, in (-1, 1); positive where the score is. NaN stays NaN."""
    scaled = 10 * score
    return np.asarray(scaled / (1 + np.abs(scaled)))


def center_mask(message: Any, window: Window) -> tuple[int, int]:
    """Offsets [first, last) in the window over which a `CenterMaskScorer` message aggregates."""
    if not message.HasField("width"):
        return 0, window.width
    first = window.at - message.width // 2
    return max(first, 0), min(first + message.width, window.width)


class Model:
    """Predicts and scores. Tables of the signal of every word are made at the first use of an output type.

    Args:
        tracks: The tracks of each output type, by the protocol's number.
    """

    def __init__(self, tracks: Mapping[int, Tracks]) -> None:
        self.tracks = dict(tracks)
        self._tables: dict[tuple[int, str], Signal] = {}

    def tracks_of(self, output_type: int) -> Tracks:
        """The tracks of one output type; refuses one that is not served."""
        if output_type not in self.tracks:
            raise Refusal("INVALID_ARGUMENT", f"no tracks of {model_pb2.OutputType.Name(output_type)} are served")
        return self.tracks[output_type]

    def table(self, output_type: int, version: str = "") -> Signal:
        """Signal of every word on every track: shape (`NO_WORD` + 1, tracks); the last row is nought."""
        key = (output_type, version or VERSIONS[0])
        if key not in self._tables:
            if key[1] not in VERSIONS:
                raise Refusal("INVALID_ARGUMENT", f"unknown model version {version}")
            self._tables[key] = _table(self.tracks_of(output_type), VERSIONS.index(key[1]))
        return self._tables[key]

    def predict(self, sequence: Bases, output_type: int, columns: Indices, version: str = "") -> Signal:
        """Signal of a sequence: shape (bases, tracks of `columns`), float32."""
        table = self.table(output_type, version)[:, columns]
        at = words(np.concatenate([sequence, np.full(SPAN - 1, ord("N"), dtype=np.uint8)]))
        if output_type == model_pb2.OUTPUT_TYPE_RNA_SEQ:
            first, last = _middle(len(sequence))
            table = (table * _drive(table, at[first:last])).astype(np.float32)
        return table.take(at, axis=0)

    def score(self, scorer: Any, ref: Window, alt: Window, *, version: str = "", merge: bool = True) -> Scores:
        """Score with a `VariantScorer` message; `merge` joins the strands of an experiment in scorers of genes."""
        kind = scorer.WhichOneof("scorer")
        if kind == "center_mask":
            return self._score_center(scorer, ref, alt, version)
        if kind in ("gene_mask", "gene_mask_active"):
            return self._score_genes(scorer, ref, alt, version, merge)
        raise Refusal("UNIMPLEMENTED", f"this server has no scorer {kind}")

    def _score_center(self, scorer: Any, ref: Window, alt: Window, version: str) -> Scores:
        message = scorer.center_mask
        table = self.table(message.requested_output, version)
        if message.aggregation_type not in _AGGREGATIONS:
            raise Refusal("INVALID_ARGUMENT", f"unknown aggregation type {message.aggregation_type}")
        first, last = center_mask(message, ref)
        ref_signal, alt_signal = (
            Stretch(_driven(table, message.requested_output, window), words_of(window, first, last))
            for window in (ref, alt)
        )
        values = _AGGREGATIONS[message.aggregation_type](ref_signal, alt_signal)
        tracks = self.tracks_of(message.requested_output)
        return Scores(values[np.newaxis], tracks.message, None, is_recommended(scorer))

    def _score_genes(self, scorer: Any, ref: Window, alt: Window, version: str, merge: bool) -> Scores:
        active = scorer.HasField("gene_mask_active")
        output_type = (scorer.gene_mask_active if active else scorer.gene_mask).requested_output
        tracks, table = self.tracks_of(output_type), self.table(output_type, version)
        genes = inside(ref.chrom, ref.start, ref.start + ref.width)
        values = np.empty((len(genes), len(tracks.metadata)))
        ref_drive, alt_drive = (_drive_of(table, output_type, window) for window in (ref, alt))
        for row, gene in enumerate(genes):
            first, last = gene.exon_start - ref.start, gene.exon_end - ref.start
            ref_mean = ref_drive * Stretch(table, words_of(ref, first, last)).total() / (last - first)
            alt_mean = alt_drive * aligned_total(table, alt, first, last) / (last - first)
            log_ratio = np.log(alt_mean + 1e-3) - np.log(ref_mean + 1e-3)
            values[row] = np.maximum(alt_mean, ref_mean) if active else log_ratio
        values, metadata = _for_strands(values, tracks, genes, merge)
        return Scores(values, metadata, genes, is_recommended(scorer))


def aligned_total(table: Signal, alt: Window, first: int, last: int) -> Floats:
    """Sum of ALT's signal over offsets [first, last) of REF, ALT being aligned to REF.

    As `align_alternate` of alphagenome_research, for left-aligned variants: the bases of an insertion count as one,
    with the loudest of their signals; those of a deletion count as nought.
    """
    pivot, longer = alt.at + min(alt.replaced, len(alt.allele)) - 1, len(alt.allele) - alt.replaced
    if longer == 0:
        return Stretch(table, words_of(alt, first, last)).total()
    unmoved = pivot if longer > 0 else pivot + 1
    moved = max(first, pivot + 1 + max(-longer, 0))
    total = Stretch(table, words_of(alt, first, max(first, min(last, unmoved)))).total()
    total += Stretch(table, words_of(alt, moved + longer, max(moved, last) + longer)).total()
    if longer > 0 and first <= pivot < last:
        total += table.take(words_of(alt, pivot, pivot + longer + 1), axis=0).max(axis=0)
    return total


def _for_strands(
    values: Floats, tracks: Tracks, genes: list[Gene], merge: bool
) -> tuple[Floats, model_pb2.VariantMetadata]:
    """Values of genes on the tracks of their own strand: merged with those of the other, or NaN on the other."""
    on_plus = np.array([gene.strand == "+" for gene in genes], dtype=np.bool_)[:, np.newaxis]
    if merge:
        positive, negative = tracks.merged
        return np.where(on_plus, values[:, positive], values[:, negative]), tracks.merged_message
    other = np.where(on_plus, model_pb2.STRAND_NEGATIVE, model_pb2.STRAND_POSITIVE)
    return np.where(tracks.strands == other, np.nan, values), tracks.message


def _table(tracks: Tracks, salt: int) -> Signal:
    seeds = splitmix64(np.array(tracks.seeds, dtype=np.uint64) + np.uint64(salt))
    factor = 0.5 + 1.5 * _unit(seeds)
    table = np.zeros((NO_WORD + 1, len(seeds)), dtype=np.float32)
    drawn = _unit(splitmix64(np.arange(NO_WORD, dtype=np.uint64)[:, np.newaxis] ^ seeds))
    table[:NO_WORD] = factor * drawn**8
    return table


def _unit(hashes: npt.NDArray[np.uint64]) -> Floats:
    """[0, 1) from the upper 24 bits."""
    return (hashes >> np.uint64(40)).astype(np.float64) / 2.0**24


class Stretch(NamedTuple):
    """The signal of some bases: a row of the table for the word at each."""

    table: Signal
    at: Words

    def total(self, transform: Transform | None = None) -> Floats:
        """Sum of the signal, or of a transform of it. Shape (tracks,)."""
        total = np.zeros(self.table.shape[1])
        for rows in _in_parts(len(self.at)):
            signal = self.table.take(self.at[rows], axis=0)
            total += np.add.reduce(transform(signal) if transform else signal, axis=0, dtype=np.float64)
        return total

    def distance(self, other: "Stretch", transform: Transform | None = None) -> Floats:
        """L2 norm of the difference of two signals, or of transforms of them. Shape (tracks,)."""
        mine, others = self.at, other.at
        if self.table is other.table:  # where the words are the same, so is the signal
            mine, others = mine[mine != others], others[mine != others]
        total = np.zeros(self.table.shape[1])
        for rows in _in_parts(len(mine)):
            pair = self.table.take(mine[rows], axis=0), other.table.take(others[rows], axis=0)
            one, another = map(transform, pair) if transform else pair
            total += np.square(one - another, dtype=np.float64).sum(axis=0)
        return np.sqrt(total)


def _in_parts(n: int) -> list[slice]:
    return [slice(first, first + _ROWS_AT_A_TIME) for first in range(0, n, _ROWS_AT_A_TIME)]


def _middle(width: int) -> tuple[int, int]:
    return width // 2 - MIDDLE // 2, width // 2 - MIDDLE // 2 + MIDDLE


def _drive(table: Signal, at: Words) -> Floats:
    return 1 + Stretch(table, at).total() / 50


def _drive_of(table: Signal, output_type: int, window: Window) -> Floats:
    """What the signal of the words is multiplied with, for each track."""
    if output_type != model_pb2.OUTPUT_TYPE_RNA_SEQ:
        return np.ones(table.shape[1])
    return _drive(table, words_of(window, *_middle(window.width)))


def _driven(table: Signal, output_type: int, window: Window) -> Signal:
    """The table of the signal of the words in this window."""
    if output_type != model_pb2.OUTPUT_TYPE_RNA_SEQ:
        return table
    return (table * _drive_of(table, output_type, window)).astype(np.float32)


def _diff_log2_sum(ref: Stretch, alt: Stretch) -> Floats:
    return np.asarray(np.log2(1 + alt.total()) - np.log2(1 + ref.total()))


def _diff_sum_log2(ref: Stretch, alt: Stretch) -> Floats:
    def log2_of_one_more(signal: Signal) -> Signal:
        return np.log2(signal + 1)

    return alt.total(log2_of_one_more) - ref.total(log2_of_one_more)


_AGGREGATIONS: dict[int, Callable[[Stretch, Stretch], Floats]] = {
    model_pb2.AGGREGATION_TYPE_DIFF_LOG2_SUM: _diff_log2_sum,
    model_pb2.AGGREGATION_TYPE_DIFF_SUM_LOG2: _diff_sum_log2,
    model_pb2.AGGREGATION_TYPE_DIFF_SUM: lambda ref, alt: alt.total() - ref.total(),
    model_pb2.AGGREGATION_TYPE_DIFF_MEAN: lambda ref, alt: (alt.total() - ref.total()) / len(ref.at),
    model_pb2.AGGREGATION_TYPE_L2_DIFF: lambda ref, alt: alt.distance(ref),
    model_pb2.AGGREGATION_TYPE_L2_DIFF_LOG1P: lambda ref, alt: alt.distance(ref, np.log1p),
    model_pb2.AGGREGATION_TYPE_ACTIVE_MEAN: lambda ref, alt: np.maximum(alt.total(), ref.total()) / len(ref.at),
    model_pb2.AGGREGATION_TYPE_ACTIVE_SUM: lambda ref, alt: np.maximum(alt.total(), ref.total()),
}
