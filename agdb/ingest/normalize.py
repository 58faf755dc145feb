"""One spelling for each variant: parsimonious and left-aligned (Tan, Abecasis & Kang 2015, Bioinformatics 31:2202).

Trimming needs no genome; moving an indel to the left of its repeat does.
"""

from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from agdb.genome import Genome

#: Bases to the left that are read at first; an indel in a longer repeat reads on.
REACH = 200


class Alleles(NamedTuple):
    """A variant on some chromosome: 1-based `pos` of the first base of `ref`."""

    pos: int
    ref: str
    alt: str


def trimmed(pos: int, ref: str, alt: str) -> Alleles:
    """Without the bases that both alleles share at their ends, but for the one that an indel is anchored on."""
    while len(ref) > 1 and len(alt) > 1 and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    shared = 0
    while shared < min(len(ref), len(alt)) - 1 and ref[shared] == alt[shared]:
        shared += 1
    return Alleles(pos + shared, ref[shared:], alt[shared:])


def left_aligned(pos: int, ref: str, alt: str, before: str) -> Alleles | None:
    """As far to the left as it goes, and trimmed; `before` holds the bases that end right before `pos`.

    Returns:
        None where it would go beyond `before`.
    """
    left = len(before)
    while ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
        if not ref or not alt:
            if not left:
                return None
            left -= 1
            ref, alt = before[left] + ref, before[left] + alt
    return trimmed(pos - (len(before) - left), ref, alt)


def staged(con: duckdb.DuckDBPyConnection, genome: Genome | None) -> int:
    """Normalise chrom, pos, ref, alt of the temp table `staged`; returns how many rows changed.

    Variants whose REF is not the genome's, or that it does not cover, are trimmed only.
    """
    rows = con.execute(
        "SELECT rowid AS id, chrom::VARCHAR AS chrom, pos::BIGINT AS pos, ref, alt FROM staged "
        "WHERE odd IS NULL AND length(ref) + length(alt) > 2 ORDER BY staged.chrom, pos"
    ).fetchnumpy()
    changed: list[tuple[int, int, str, str]] = []
    for chrom in dict.fromkeys(rows["chrom"].tolist()):
        of_chrom = np.flatnonzero(rows["chrom"] == chrom)
        known = _before(genome, chrom, rows["pos"][of_chrom] - 1, rows["ref"][of_chrom].tolist())
        for row, before in zip(of_chrom.tolist(), known, strict=True):
            was = Alleles(int(rows["pos"][row]), rows["ref"][row], rows["alt"][row])
            now = trimmed(*was) if before is None else _aligned(genome, chrom, was, before)
            if now != was:
                changed.append((int(rows["id"][row]), *now))
    if changed:
        con.register(
            "changed", pa.table(list(map(pa.array, zip(*changed, strict=True))), names=["id", "pos", "ref", "alt"])
        )
        con.execute(
            "UPDATE staged SET pos = c.pos, ref = c.ref, alt = c.alt FROM changed AS c WHERE staged.rowid = c.id"
        )
        con.unregister("changed")
    return len(changed)


def _before(genome: Genome | None, chrom: str, starts: np.ndarray, refs: list[str]) -> list[str | None]:
    """The `REACH` bases before each 0-based start; None where the genome does not hold them, or has another REF."""
    found: list[str | None] = [None] * len(starts)
    if genome is None:
        return found
    reach = np.minimum(starts, REACH)
    ends = starts + np.array([len(ref) for ref in refs])
    covered = np.flatnonzero(genome.covers(chrom, starts - reach, ends) & (reach == REACH))
    if len(covered):
        fits = genome.alleles_match(chrom, starts[covered], [refs[i] for i in covered.tolist()])
        windows = genome.windows(chrom, starts[covered] - REACH, REACH)
        for i, window, fit in zip(covered.tolist(), windows, fits.tolist(), strict=True):
            found[i] = window.tobytes().decode() if fit else None
    return found


def _aligned(genome: Genome | None, chrom: str, was: Alleles, before: str) -> Alleles:
    assert genome is not None
    while (now := left_aligned(*was, before)) is None:
        start = np.array([max(was.pos - 1 - 2 * len(before), 0)])
        width = was.pos - 1 - int(start[0])
        if width <= len(before) or not genome.covers(chrom, start, start + width)[0]:
            return trimmed(*was)
        before = genome.windows(chrom, start, width)[0].tobytes().decode()
    return now
