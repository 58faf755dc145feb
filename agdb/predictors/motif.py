"""The `motif` predictor: does the variant make or break a binding site of a factor that opens chromatin in blood cells?

It needs a FASTA and no key, and it is meant as an honest yardstick: what a page of textbook biology predicts, which a
learned model has to beat.

Occupancy. A placement of a motif (a place and a strand) scores s, the sum of its log-odds (`agdb.predictors.motifs`).
Its occupancy is p = w / (1 + w) with w = PRIOR * exp(s): the probability that a factor sits there, in the form of a
two-state equilibrium with one common chemical potential ln(PRIOR) (Granek & Clarke 2005, Genome Biol. 6:R87; Roider et
al. 2007, Bioinformatics 23:134). The occupancy of a sequence is the sum of p over all motifs, strands and places.

Choices. PRIOR = 1/1000 expects one site of each motif among the 1,000 placements of a 500-base window. MISMATCH = 0.02
is the strictest of three values tried. These two numbers are common to all motifs; no motif has a weight of its own,
and nothing else was chosen by looking at the sequences below.

Meaning. Over 11,968 DHS of K562 (200 bp each; Meuleman et al. 2020, Nature 584:244, as selected by DNA-Diffusion)
against 200-bp stretches of hg38 chr2:1-2,333,275 outside of them, AUROC of occupancy is AUROC_HERE, that of GC content
GC_HERE (tests/real/test_motif_real.py).
"""

import functools
from collections.abc import Iterator
from importlib.metadata import version

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from agdb.errors import UsageError
from agdb.genome import Genome
from agdb.predictors.contract import FAILURES, SCORES, Predicted, Scorer
from agdb.predictors.motifs import MOTIFS, strands

#: Odds, before the sequence is seen, that a given placement is a site.
PRIOR = 1 / 1000
#: Added to both occupancies, so that a ratio of two sequences without sites stays near 1: a tenth of one bound factor.
EPSILON = 0.1
#: Share of N in a window above which there is too little sequence to judge.
MAX_N = 0.1

LONGEST_MOTIF = max(len(motif.consensus) for motif in MOTIFS)
WINDOW_RANGE = (2 * LONGEST_MOTIF, 10_001)

Floats = npt.NDArray[np.float64]
Bases = npt.NDArray[np.uint8]

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
                    for start, stop in zip(edges[:-1], edges[1:], strict=True)
                ]
                cut.append((length, pieces))
    return cut


def _product(
    pieces: list[tuple[int, int, Floats]], words: dict[int, npt.NDArray[np.int64]], places: int
) -> Floats:
    """PRIOR * exp(log-odds) of a cut motif at its first `places` places: shape (n, places)."""
    weight: Floats | float = PRIOR
    for offset, length, table in pieces:
        weight = weight * table.take(words[length][:, offset : offset + places])
    return np.asarray(weight)
