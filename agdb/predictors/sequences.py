"""The REF and the ALT sequence of a window, for models that read sequences."""

import numpy as np
import numpy.typing as npt

from agdb.genome import Genome

#: Share of N in a window above which there is too little sequence to judge.
MAX_N = 0.1

Bases = npt.NDArray[np.uint8]


def pairs(
    genome: Genome, chrom: str, starts: npt.NDArray[np.int64], refs: Bases, alts: Bases, width: int
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.intp], Bases, Bases]:
    """The windows of variants of one chromosome and of one length of either allele.

    The REF window is [start - width // 2, + width), 0-based half-open. The ALT window is as long and starts at the same
    base: left flank, ALT allele, right flank, where a deletion reads further bases on the right, and an insertion
    pushes some out.

    Args:
        genome: The FASTA.
        chrom: The chromosome.
        starts: 0-based first bases of the alleles, shape (n,).
        refs, alts: ASCII of the alleles, shapes (n, length of REF) and (n, length of ALT).
        width: Bases of a window.

    Returns:
        For each variant the reason why it has no windows, or ""; the places of the m that have; their REF and ALT
        windows, shape (m, width), upper-case ASCII with N for what is unknown. Reasons are `allele_longer_than_window`
        (it reaches beyond the right end), `window_outside_genome` (some base that either needs is not in the FASTA),
        `ref_not_in_genome` (the genome does not say REF there), `window_has_N` (more than `MAX_N` of a window is N).
    """
    left = width // 2
    after_ref, after_alt = left + refs.shape[1], left + alts.shape[1]
    nothing = np.empty((0, width), dtype=np.uint8)
    if max(after_ref, after_alt) > width:
        reasons = np.full(len(starts), "allele_longer_than_window", dtype=object)
        return reasons, np.empty(0, dtype=np.intp), nothing, nothing
    edges = starts - left
    reach = max(width, width + after_ref - after_alt)
    covered = genome.covers(chrom, edges, edges + reach)
    reasons = np.where(covered, "", "window_outside_genome").astype(object)
    rows = np.flatnonzero(covered)
    bases = genome.windows(chrom, edges[rows], reach) if len(rows) else np.empty((0, reach), dtype=np.uint8)
    ref = bases[:, :width]
    alt = np.hstack([bases[:, :left], alts[rows], bases[:, after_ref : after_ref + width - after_alt]])
    reasons[rows[(bases[:, left:after_ref] != refs[rows]).any(axis=1)]] = "ref_not_in_genome"
    n = np.maximum((ref == ord("N")).mean(axis=1), (alt == ord("N")).mean(axis=1))
    reasons[rows[n > MAX_N]] = "window_has_N"
    good = reasons[rows] == ""
    return reasons, rows[good], ref[good], alt[good]


def ascii_of(alleles: list[str]) -> Bases:
    """Alleles of one length as ASCII: shape (n, length)."""
    return np.array([list(allele.encode()) for allele in alleles], dtype=np.uint8)
