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
from collections.abc import Iterator
from itertools import pairwise

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from agdb import __version__
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


class MotifPredictor:
    """Scores a variant by the change of occupancy in a window around it: `log2_ratio` of ALT and REF.

    The REF window is [pos - 1 - window_bp // 2, + window_bp), 0-based half-open. The ALT window is as long and starts
    at the same base: left flank, ALT allele, right flank, where a deletion reads further bases on the right and an
    insertion pushes some out. `ref_value` and `alt_value` are the two occupancies (expected bound factors).

    Variants that get a reason instead of a score: `window_outside_genome` (some base that either window needs is not
    in the FASTA), `allele_longer_than_window` (REF or ALT reaches beyond the right end), `window_has_N` (more than
    `MAX_N` of a window is N), `ref_not_in_genome` (the genome does not say REF there).

    Args:
        genome: The FASTA of `assembly`.
        assembly: e.g. `GRCh38`.
        window_bp: Bases of each window, within `WINDOW_RANGE`.
        model_version: Version of the motifs and of their rule.

    Raises:
        UsageError: `window_bp` is out of range.
    """

    provider = "motif"
    software = f"agdb {__version__}"
    batch_size = 5000

    def __init__(self, genome: Genome, assembly: str, window_bp: int = 501, model_version: str = "1") -> None:
        shortest, longest = WINDOW_RANGE
        if not shortest <= window_bp <= longest:
            raise UsageError(
                f"the motif predictor cannot read a window of {window_bp} bases",
                cure=f"choose {shortest} to {longest} (twice the longest motif, or more)",
            )
        self._genome = genome
        self.scorer = Scorer(
            name="motif",
            model="agdb-motif",
            model_version=model_version,
            assembly=assembly,
            output_type="OCCUPANCY",
            window_bp=window_bp,
            mask_bp=None,
            aggregation="LOG2_RATIO",
            track_set="",
            is_signed=True,
            reads_genome=True,
        )

    def score(self, variants: pa.Table) -> Predicted:
        """Score a table of schema `VARIANTS`; scores and failures keep its order. See the class for the rule."""
        ref_value, alt_value = np.zeros((2, variants.num_rows))
        reason = np.full(variants.num_rows, "", dtype=object)
        for rows, chrom, starts, refs, alts in _alike(variants):
            ref_value[rows], alt_value[rows], reason[rows] = self._occupancies(chrom, starts, refs, alts)
        scored = pa.array(reason == "")
        scores = pa.table(
            {
                "variant_id": variants["variant_id"],
                "gene_id": pa.nulls(variants.num_rows, pa.string()),
                "track_id": pa.nulls(variants.num_rows, pa.string()),
                "score": log2_ratio(alt_value, ref_value),
                "quantile": pa.nulls(variants.num_rows, pa.float64()),
                "ref_value": ref_value,
                "alt_value": alt_value,
            },
            schema=SCORES,
        )
        failures = pa.table({"variant_id": variants["variant_id"], "reason": reason}, schema=FAILURES)
        return Predicted(scores.filter(scored), failures.filter(pa.array(reason != "")))

    def _occupancies(
        self, chrom: str, starts: npt.NDArray[np.int64], refs: Bases, alts: Bases
    ) -> tuple[Floats, Floats, npt.NDArray[np.object_]]:
        """REF and ALT occupancy, and the reason where there is none, of variants of one chromosome and allele lengths.

        `starts` (n,) are the 0-based first bases of the alleles `refs` (n, length of REF) and `alts` (n, of ALT).
        """
        width, left = self.scorer.window_bp, self.scorer.window_bp // 2
        after_ref, after_alt = left + refs.shape[1], left + alts.shape[1]
        ref_value, alt_value = np.zeros((2, len(starts)))
        reason = np.full(len(starts), "allele_longer_than_window", dtype=object)
        if max(after_ref, after_alt) > width:
            return ref_value, alt_value, reason
        edges = starts - left
        reach = max(width, width + after_ref - after_alt)
        covered = self._genome.covers(chrom, edges, edges + reach)
        reason[:] = np.where(covered, "", "window_outside_genome")
        rows = np.flatnonzero(covered)
        bases = self._genome.windows(chrom, edges[rows], reach)
        ref = bases[:, :width]
        alt = np.hstack([bases[:, :left], alts[rows], bases[:, after_ref : after_ref + width - after_alt]])
        reason[rows[(bases[:, left:after_ref] != refs[rows]).any(axis=1)]] = "ref_not_in_genome"
        reason[rows[_share_of_n(ref, alt) > MAX_N]] = "window_has_N"
        ref_value[rows] = occupancy(ref)
        if after_ref == after_alt:  # no base shifts: only placements that touch the alleles differ
            near = slice(left - LONGEST_MOTIF + 1, after_ref + LONGEST_MOTIF - 1)
            alt_value[rows] = ref_value[rows] + (occupancy(alt[:, near]) - occupancy(ref[:, near]))
        else:
            alt_value[rows] = occupancy(alt)
        return ref_value, alt_value, reason


def _share_of_n(ref: Bases, alt: Bases) -> Floats:
    """The share of N in the worse of the two windows. Shape (n,)."""
    worse: Floats = np.maximum((ref == ord("N")).mean(axis=1), (alt == ord("N")).mean(axis=1))
    return worse


def _alike(
    variants: pa.Table,
) -> Iterator[tuple[npt.NDArray[np.int64], str, npt.NDArray[np.int64], Bases, Bases]]:
    """Groups of one chromosome and one length of either allele: (rows, chrom, 0-based starts, refs, alts)."""
    chroms, refs, alts = (variants[name].to_pylist() for name in ("chrom", "ref", "alt"))
    starts = variants["pos"].to_numpy() - 1
    groups: dict[tuple[str, int, int], list[int]] = {}
    for row, (chrom, ref, alt) in enumerate(zip(chroms, refs, alts, strict=True)):
        groups.setdefault((chrom, len(ref), len(alt)), []).append(row)
    for (chrom, *_), rows in groups.items():
        yield np.array(rows), chrom, starts[rows], _ascii(refs, rows), _ascii(alts, rows)


def _ascii(alleles: list[str], rows: list[int]) -> Bases:
    """Alleles of one length as ASCII: shape (n, length)."""
    return np.array([list(alleles[row].encode()) for row in rows], dtype=np.uint8)
