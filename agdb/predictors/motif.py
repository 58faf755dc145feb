"""The `motif` predictor: does the variant make or break a binding site of a factor that opens chromatin in blood cells?

It needs a FASTA and no key, and it is meant as an honest yardstick: what a page of textbook biology predicts, which a
learned model has to beat.

Occupancy. A placement of a motif (a place and a strand) scores s, the sum of its log-odds (`agdb.predictors.motifs`).
Its occupancy is p = w / (1 + w) with w = PRIOR * exp(s): the probability that a factor sits there, in the form of a
two-state equilibrium with one common chemical potential ln(PRIOR) (Granek & Clarke 2005, Genome Biol. 6:R87; Roider et
al. 2007, Bioinformatics 23:134). The occupancy of a sequence is the sum of p over all motifs, strands and places.

Choices. PRIOR = 1/1000 expects one site of each motif among the 1,000 placements of a 500-base window; MISMATCH = 0.02
is the strictest of the three tried. Both are common to all motifs, and no motif has a weight of its own. On a third of
the sequences below, 15 pairs (MISMATCH .02 to .06, PRIOR 1/100 to 1/10,000) gave AUROC .73 to .79; and a RUNX motif
lowered it and was left out. That is all that was chosen by looking at them.

Meaning. Over 11,968 DHS of K562 (200 bp each; Meuleman et al. 2020, Nature 584:244, as selected by DNA-Diffusion)
against 200-bp stretches of hg38 chr2:1-2,333,275 outside of them, AUROC of occupancy is .78, that of GC content
.64 (tests/real/test_motif_real.py).
"""

import functools
from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from agdb import __version__
from agdb.errors import UsageError
from agdb.genome import Genome
from agdb.predictors.contract import Answer, Computation, Scorer, Track, Variant, VariantFailed
from agdb.predictors.motifs import MOTIFS, strands
from agdb.predictors.sequences import Bases, ascii_of, pairs

#: Odds, before the sequence is seen, that a given placement is a site.
PRIOR = 1 / 1000
#: Added to both occupancies, so that a ratio of two sequences without sites stays near 1: a tenth of one bound factor.
EPSILON = 0.1

LONGEST_MOTIF = max(len(motif.consensus) for motif in MOTIFS)
WINDOW_RANGE = (2 * LONGEST_MOTIF, 10_001)

Floats = npt.NDArray[np.float64]

# Up to this length, one table holds the occupancy of every word; longer motifs are cut into pieces that fit the cache.
_WORD = 9
_PIECE = 7
_ROWS_AT_A_TIME = 32  # so that the arrays of one step stay in the processor's cache

# Digit of each ASCII byte in a word read as a number of base 4. N, and whatever is no base, is larger than any word.
_DIGIT = np.full(256, 4**_WORD, dtype=np.int64)
_DIGIT[np.frombuffer(b"ACGTacgt", dtype=np.uint8)] = [0, 1, 2, 3, 0, 1, 2, 3]


def occupancy(sequences: Bases) -> Floats:
    """Expected number of bound factors on each sequence.

    Args:
        sequences: ASCII bases, shape (n, width). A placement that covers an N contributes nothing.

    Returns:
        Shape (n,), dimensionless, >= 0: the sum over motifs, strands and all placements that lie wholly inside. The
        value of a sequence does not depend on the others in the call.
    """
    total = np.zeros(len(sequences))
    for first in range(0, len(sequences), _ROWS_AT_A_TIME):
        rows = slice(first, first + _ROWS_AT_A_TIME)
        words = _words(sequences[rows])
        width = sequences.shape[1]
        for length, table in _occupancy_of_words().items():
            if length <= width:
                total[rows] += table.take(words[length]).sum(axis=1)
        for length, pieces in _weights_of_pieces():
            if length <= width:
                total[rows] += _saturate(_product(pieces, words, width - length + 1)).sum(axis=1)
    return total


def log2_ratio(alt: Floats, ref: Floats) -> Floats:
    """log2((EPSILON + alt) / (EPSILON + ref)), elementwise: positive where ALT binds more."""
    return np.log2((EPSILON + alt) / (EPSILON + ref))


def _saturate(weight: Floats) -> Floats:
    return weight / (1 + weight)


def _words(sequences: Bases) -> dict[int, npt.NDArray[np.int64]]:
    """For each length k up to `_WORD`: the number of the word that starts at each place; 4**k if an N is in it."""
    digits = _DIGIT[sequences]
    words, number = {}, np.zeros_like(digits)
    for k in range(1, min(_WORD, sequences.shape[1]) + 1):
        number = 4 * number[:, : digits.shape[1] - k + 1] + digits[:, k - 1 :]
        words[k] = np.minimum(number, 4**k)
    return words


def _scores_of_words(matrix: Floats) -> Floats:
    """Log-odds of every word as long as the matrix, in the order of `_words`; -inf for the word with an N."""
    scores = np.zeros(1)
    for row in matrix:
        scores = (scores[:, None] + row).ravel()
    return np.append(scores, -np.inf)


@functools.cache
def _occupancy_of_words() -> dict[int, Floats]:
    """For each motif length up to `_WORD`: the occupancy of every word, summed over the motifs of that length."""
    tables: dict[int, Floats] = {}
    for motif in MOTIFS:
        for matrix in strands(motif):
            if (length := len(matrix)) <= _WORD:
                table = _saturate(PRIOR * np.exp(_scores_of_words(matrix)))
                tables[length] = tables.get(length, 0) + table
    return tables


@functools.cache
def _weights_of_pieces() -> list[tuple[int, list[tuple[int, int, Floats]]]]:
    """The longer motifs, a strand each: (length, pieces). A piece is (offset, length, exp(log-odds) of every word)."""
    cut = []
    for motif in MOTIFS:
        for matrix in strands(motif):
            if (length := len(matrix)) > _WORD:
                edges = np.linspace(0, length, -(-length // _PIECE) + 1).astype(int).tolist()
                pieces = [
                    (start, stop - start, np.exp(_scores_of_words(matrix[start:stop])))
                    for start, stop in pairwise(edges)
                ]
                cut.append((length, pieces))
    return cut


def _product(pieces: list[tuple[int, int, Floats]], words: dict[int, npt.NDArray[np.int64]], places: int) -> Floats:
    """PRIOR * exp(log-odds) of a cut motif at its first `places` places: shape (n, places)."""
    weight: Floats | float = PRIOR
    for offset, length, table in pieces:
        weight = weight * table.take(words[length][:, offset : offset + places])
    return np.asarray(weight)


def scorer(assembly: str, window_bp: int = 501, model_version: str = "1") -> Scorer:
    """The motif scorer of an assembly.

    Args:
        assembly: e.g. `GRCh38`.
        window_bp: Bases of each window, within `WINDOW_RANGE`.
        model_version: Version of the motifs and of their rule.

    Raises:
        UsageError: `window_bp` is out of range.
    """
    shortest, longest = WINDOW_RANGE
    if not shortest <= window_bp <= longest:
        raise UsageError(
            f"the motif predictor cannot read a window of {window_bp} bases",
            cure=f"choose {shortest} to {longest} (twice the longest motif, or more)",
        )
    computation = Computation(
        provider="motif", model="agdb-motif", model_version=model_version, assembly=assembly, output_type="OCCUPANCY",
        window_bp=window_bp, mask_bp=None, aggregation="LOG2_RATIO", is_signed=True, reads_genome=True,
    )  # fmt: skip
    return Scorer("motif", (computation,))


class MotifPredictor:
    """Scores a variant by the change of occupancy in a window around it: `log2_ratio` of ALT and REF.

    The windows, and the reasons for which a variant has none, are those of `sequences.pairs`. `ref_values` and
    `alt_values` are the two occupancies (expected bound factors).

    Args:
        genome: The FASTA of the computation's assembly.
        computation: That of `scorer`.
    """

    software = f"agdb {__version__}"
    batch_size = 1000
    in_flight = 1

    def __init__(self, genome: Genome, computation: Computation) -> None:
        self._genome, self.computation = genome, computation

    def tracks(self) -> Sequence[Track]:
        """None: one number a variant."""
        return ()

    def score(self, variants: Sequence[Variant]) -> Sequence[Answer | VariantFailed]:
        """See the class for the rule."""
        answers: list[Answer | VariantFailed | None] = [None] * len(variants)
        for rows, chrom, starts, refs, alts in _alike(variants):
            width = self.computation.window_bp
            reasons, scored, ref, alt = pairs(self._genome, chrom, starts, refs, alts, width)
            for row, reason in zip(rows, reasons.tolist(), strict=True):
                if reason:
                    answers[row] = VariantFailed(reason)
            ref_values, alt_values = _occupancies(ref, alt, refs.shape[1], alts.shape[1])
            scores = log2_ratio(alt_values, ref_values)
            for i, place in enumerate(scored.tolist()):
                one = (slice(i, i + 1), None)
                answers[rows[place]] = Answer(scores[one], ref_values=ref_values[one], alt_values=alt_values[one])
        return [answer for answer in answers if answer is not None]

    def cancel(self) -> None:
        """A batch takes a second: it is waited for."""


def _occupancies(ref: Bases, alt: Bases, ref_length: int, alt_length: int) -> tuple[Floats, Floats]:
    """Occupancy of REF and of ALT windows, whose alleles, of these lengths, start in the middle."""
    left = ref.shape[1] // 2
    ref_value = occupancy(ref)
    if ref_length != alt_length:
        return ref_value, occupancy(alt)
    # no base shifts: only placements that touch the alleles differ
    near = slice(left - LONGEST_MOTIF + 1, left + ref_length + LONGEST_MOTIF - 1)
    return ref_value, ref_value + (occupancy(alt[:, near]) - occupancy(ref[:, near]))


def _alike(
    variants: Sequence[Variant],
) -> Iterator[tuple[list[int], str, npt.NDArray[np.int64], Bases, Bases]]:
    """Groups of one chromosome and one length of either allele: (rows, chrom, 0-based starts, refs, alts)."""
    groups: dict[tuple[str, int, int], list[int]] = {}
    for row, variant in enumerate(variants):
        groups.setdefault((variant.chrom, len(variant.ref), len(variant.alt)), []).append(row)
    for (chrom, *_), rows in groups.items():
        starts = np.array([variants[row].pos - 1 for row in rows], dtype=np.int64)
        yield (rows, chrom, starts, ascii_of([variants[row].ref for row in rows]),
               ascii_of([variants[row].alt for row in rows]))  # fmt: skip
