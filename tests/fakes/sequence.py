"""A made-up genome: a pure function of chromosome and position, so that no file is needed and every test can read it.

Positions are 0-based and half-open unless they are said to be a variant's, which are 1-based (VCF). Chromosomes are as
long as in GRCh38; a base is drawn from the four with equal odds by a hash of its place, and is N beyond either end.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import numpy.typing as npt

Bases = npt.NDArray[np.uint8]
Hashes = npt.NDArray[np.uint64]

#: Length of each chromosome of GRCh38, in bases (UCSC chrom.sizes of hg38).
LENGTHS = {
    "chr1": 248956422,
    "chr2": 242193529,
    "chr3": 198295559,
    "chr4": 190214555,
    "chr5": 181538259,
    "chr6": 170805979,
    "chr7": 159345973,
    "chr8": 145138636,
    "chr9": 138394717,
    "chr10": 133797422,
    "chr11": 135086622,
    "chr12": 133275309,
    "chr13": 114364328,
    "chr14": 107043718,
    "chr15": 101991189,
    "chr16": 90338345,
    "chr17": 83257441,
    "chr18": 80373285,
    "chr19": 58617616,
    "chr20": 64444167,
    "chr21": 46709983,
    "chr22": 50818468,
    "chrX": 156040895,
    "chrY": 57227415,
}
#: 1 to 24, in the order of `LENGTHS`: what stands for a chromosome in a hash.
NUMBER = {chrom: number for number, chrom in enumerate(LENGTHS, start=1)}

N = ord("N")
_ACGT = np.frombuffer(b"ACGT", dtype=np.uint8)
_LINE = 60  # bases a line of a FASTA


class VariantLike(Protocol):
    """The SDK's `genome.Variant`, or its message: `position` is 1-based."""

    chromosome: str
    position: int
    reference_bases: str
    alternate_bases: str


class IntervalLike(Protocol):
    """The SDK's `genome.Interval`, or its message: 0-based half-open; `start` may be negative."""

    chromosome: str
    start: int
    end: int


def splitmix64(numbers: Hashes) -> Hashes:
    """The output of SplitMix64 (Steele et al. 2014) for each state; shape kept. Wraps at 64 bits."""
    z = numbers + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(z ^ (z >> np.uint64(31)))


def bases(chrom: str, start: int, end: int) -> Bases:
    """ASCII of the bases [start, end) of the genome, upper case; N outside of the chromosome.

    Raises:
        KeyError: There is no such chromosome.
    """
    number, length = NUMBER[chrom], LENGTHS[chrom]
    out = np.full(max(end - start, 0), N, dtype=np.uint8)
    first, last = max(start, 0), min(end, length)
    if first < last:
        places = np.arange(first, last, dtype=np.uint64) | np.uint64(number << 40)
        out[first - start : last - start] = _ACGT[(splitmix64(places) >> np.uint64(62)).astype(np.intp)]
    return out


def text(chrom: str, start: int, end: int) -> str:
    """`bases` as a string."""
    return bases(chrom, start, end).tobytes().decode("ascii")


def snv(chrom: str, position: int) -> tuple[str, str]:
    """REF and ALT of a made-up SNV whose REF is what the genome says. `position` is 1-based.

    Raises:
        ValueError: The position is not on the chromosome.
    """
    ref = text(chrom, position - 1, position)
    if ref == "N":
        raise ValueError(f"{chrom}:{position} is beyond the chromosome")
    return ref, "ACGT"[("ACGT".index(ref) + 1 + position % 3) % 4]


def write_fasta(path: Path, chrom: str, start: int, end: int, *, append: bool = False) -> None:
    """Write bases [start, end) as one FASTA record, named `chrom:first-last` (1-based inclusive) as samtools does."""
    sequence = text(chrom, start, end)
    lines = [sequence[i : i + _LINE] for i in range(0, len(sequence), _LINE)]
    with path.open("a" if append else "w", encoding="ascii", newline="\n") as file:
        file.write("\n".join([f">{chrom}:{start + 1}-{end}", *lines, ""]))


@dataclass(frozen=True)
class Window:
    """The sequence of an interval with one allele written into it. Bases are computed when asked for.

    Attributes:
        chrom: Chromosome.
        start: Where on the chromosome the window begins; may be negative.
        width: Bases of the window: whatever the allele, the sequence is cut to it on the right.
        at: Offset in the window at which the allele begins.
        allele: The allele, ASCII.
        replaced: Bases of the genome that the allele stands for: the length of REF.
    """

    chrom: str
    start: int
    width: int
    at: int = 0
    allele: bytes = b""
    replaced: int = 0

    def bases(self, first: int, last: int) -> Bases:
        """ASCII at the window's offsets [first, last); N outside of the window."""
        inside = max(first, 0), min(last, self.width)
        if first < inside[0] or inside[1] < last:
            out = np.full(last - first, N, dtype=np.uint8)
            if inside[0] < inside[1]:
                out[inside[0] - first : inside[1] - first] = self.bases(*inside)
            return out
        after = self.at + len(self.allele)
        parts = []
        if first < self.at:
            parts.append(bases(self.chrom, self.start + first, self.start + min(last, self.at)))
        if first < after and self.at < last:
            allele = np.frombuffer(self.allele, dtype=np.uint8)
            parts.append(allele[max(first - self.at, 0) : last - self.at])
        if after < last:
            moved = self.start + self.replaced - len(self.allele)
            parts.append(bases(self.chrom, moved + max(first, after), moved + last))
        return np.concatenate(parts) if parts else np.empty(0, dtype=np.uint8)

    def __str__(self) -> str:
        return self.bases(0, self.width).tobytes().decode("ascii")


def windows(variant: VariantLike, interval: IntervalLike) -> tuple[Window, Window]:
    """The REF and the ALT sequence of an interval, as `extract_variant_sequences` of alphagenome_research makes them.

    Both begin at the interval's start and are as wide as it: right of a deletion further bases come in from the right,
    right of an insertion some are pushed out. REF is written as given, even where the genome says something else.
    """
    start, replaced = interval.start, len(variant.reference_bases)

    def with_allele(allele: str) -> Window:
        width, at = interval.end - start, variant.position - 1 - start
        return Window(interval.chromosome, start, width, at, allele.encode("ascii"), replaced)

    return with_allele(variant.reference_bases), with_allele(variant.alternate_bases)


def variant_text(variant: VariantLike) -> str:
    """`chr1:100:A>G`, as the SDK writes a variant."""
    return f"{variant.chromosome}:{variant.position}:{variant.reference_bases}>{variant.alternate_bases}"
