"""A FASTA, read by the coordinates of its assembly: 0-based half-open positions on UCSC chromosome names."""

import gzip
import hashlib
import os
import re
import shutil
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
import numpy.typing as npt
from pyfaidx import Faidx, FastaIndexingError

from agdb.errors import Refused

#: Windows that start in the same block of this many bases are read at once, so that memory does not grow with the file.
BLOCK = 1_000_000
#: Neighbouring windows further apart than this are read apart: seeking is cheaper than reading what lies between.
GAP = 16_384

# The empty block that ends every complete bgzip file (SAM specification, section 4.1.2).
_BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
_NAMED_BY_RANGE = re.compile(r"(?P<chrom>[^:\s]+):(?P<first>\d+)-(?P<last>\d+)")

# Upper case of each ASCII byte; N for whatever is not one of ACGT.
_BASE = np.full(256, ord("N"), dtype=np.uint8)
_BASE[np.frombuffer(b"ACGTacgt", dtype=np.uint8)] = np.frombuffer(b"ACGTACGT", dtype=np.uint8)

Positions = npt.NDArray[np.int64]


class Contig(NamedTuple):
    """What one record of the FASTA holds: bases [start, end) of `chrom`, 0-based half-open."""

    record: str
    chrom: str
    start: int
    end: int


class Genome:
    """The reference sequence of an assembly, or of parts of it.

    Args:
        path: FASTA; plain, bgzip or gzip. Indexes beside it are used where they fit it, and never written there.
        work_dir: Folder for what has to be built: indexes, and the unpacked copy of a gzip (which cannot be indexed).

    Attributes:
        contigs: One for each record, in the order of the file. A record `chr2` is the whole chromosome; a record
            `22:20000001-21000000` (1-based inclusive, as samtools faidx names it) is that part of chr22.

    Raises:
        Refused: the file is missing, empty, cut short or no FASTA, its records contradict each other, or `work_dir`
            cannot be written.
    """

    def __init__(self, path: Path, work_dir: Path) -> None:
        self.path = path
        with _refusing(path):
            self._faidx = _open(path, work_dir)
        try:
            self.contigs = _contigs(path, {name: entry.rlen for name, entry in self._faidx.index.items()})
        except Refused:
            self.close()
            raise

    def close(self) -> None:
        """Close the file; the genome cannot be read any more."""
        self._faidx.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def covers(self, chrom: str, starts: Positions, ends: Positions) -> npt.NDArray[np.bool_]:
        """Whether each [start, end) of `chrom` (0-based half-open) lies wholly inside one record. Shape (n,)."""
        starts, ends = np.asarray(starts), np.asarray(ends)
        covered = np.zeros(starts.shape, dtype=np.bool_)
        for contig in self._contigs_of(chrom):
            covered |= (contig.start <= starts) & (starts <= ends) & (ends <= contig.end)
        return covered

    def windows(self, chrom: str, starts: Positions, width: int) -> npt.NDArray[np.uint8]:
        """The bases of [start, start + width) for each start (0-based), in the order given, which need not be sorted.

        Returns:
            Shape (n, width): upper-case ASCII; codes other than ACGT are N.

        Raises:
            ValueError: a window is not covered (ask `covers` first), or `width` is below 1.
            Refused: the file cannot be read as its index says.
        """
        starts = np.asarray(starts, dtype=np.int64)
        if width < 1 or not self.covers(chrom, starts, starts + width).all():
            raise ValueError(f"a window of {width} bases on {chrom} is not covered by {self.path}")
        bases = np.empty((len(starts), width), dtype=np.uint8)
        for contig in self._contigs_of(chrom):
            inside = np.flatnonzero((contig.start <= starts) & (starts + width <= contig.end))
            for together in _near_each_other(starts, inside):
                first = int(starts[together[0]])
                stretch = self._stretch(contig, first, int(starts[together[-1]]) + width)
                bases[together] = np.lib.stride_tricks.sliding_window_view(stretch, width)[starts[together] - first]
        return bases

    def alleles_match(self, chrom: str, starts: Positions, refs: Sequence[str]) -> npt.NDArray[np.bool_]:
        """Whether each REF allele, over its whole length, is what the genome says from its start (0-based) on.

        Returns:
            Shape (n,).

        Raises:
            ValueError: an allele is empty or not covered (ask `covers` first).
        """
        starts = np.asarray(starts, dtype=np.int64)
        lengths = np.array([len(ref) for ref in refs], dtype=np.int64)
        match = np.zeros(len(refs), dtype=np.bool_)
        for length in np.unique(lengths).tolist():
            rows = np.flatnonzero(lengths == length)
            claimed = "".join(refs[row] for row in rows).upper().encode("ascii", "replace")
            told = np.frombuffer(claimed, dtype=np.uint8).reshape(len(rows), length)
            match[rows] = (self.windows(chrom, starts[rows], length) == told).all(axis=1)
        return match

    def _contigs_of(self, chrom: str) -> list[Contig]:
        return [contig for contig in self.contigs if contig.chrom == chrom]

    def _stretch(self, contig: Contig, start: int, end: int) -> npt.NDArray[np.uint8]:
        """Bases [start, end) of the assembly, 0-based, of one record, in one read."""
        with _refusing(self.path):
            text = self._faidx.fetch(contig.record, start - contig.start + 1, end - contig.start)
        if len(text) != end - start:
            raise _not_as_indexed(self.path, contig.record)
        return _BASE[np.frombuffer(text.encode("latin-1"), dtype=np.uint8)]


def _near_each_other(starts: Positions, chosen: Positions) -> Iterator[Positions]:
    """Cut the chosen windows into groups that one read serves; each sorted by start."""
    if not len(chosen):
        return
    order = chosen[np.argsort(starts[chosen], kind="stable")]
    ordered = starts[order]
    apart = (np.diff(ordered // BLOCK) > 0) | (np.diff(ordered) > GAP)
    yield from np.split(order, np.flatnonzero(apart) + 1)


def chrom_of(record: str) -> str:
    """UCSC name of a chromosome: `22` -> `chr22`, `MT` -> `chrM`; other names, such as `GL000192.1`, stay as they are."""
    bare = record.removeprefix("chr")
    if bare in ("M", "MT"):
        return "chrM"
    return f"chr{bare}" if re.fullmatch(r"\d{1,2}|[XYWZ]", bare) else record


def _contigs(path: Path, lengths: dict[str, int]) -> list[Contig]:
    """What each record covers, given its length in bases."""
    contigs = []
    for record, length in lengths.items():
        chrom, start = chrom_of(record), 0
        if named := _NAMED_BY_RANGE.fullmatch(record):
            chrom, start = chrom_of(named["chrom"]), int(named["first"]) - 1
            if start < 0 or start + length != int(named["last"]):
                raise Refused(
                    f"the name of the record {record} does not agree with its {length} bases",
                    where=str(path),
                    cure="name it chrom:first-last, 1-based and inclusive, as `samtools faidx` does "
                    "(`bedtools getfasta` counts from 0)",
                )
        contigs.append(Contig(record, chrom, start, start + length))
    in_order = sorted(contigs, key=lambda contig: (contig.chrom, contig.start))
    for one, next_one in zip(in_order, in_order[1:], strict=False):
        if one.chrom == next_one.chrom and next_one.start < one.end:
            raise Refused(
                f"the records {one.record} and {next_one.record} both hold {next_one.chrom}:{next_one.start + 1}",
                where=str(path),
                cure="keep one of them",
            )
    return contigs
