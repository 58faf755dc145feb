"""A FASTA, read by the coordinates of its assembly: 0-based half-open positions on UCSC chromosome names."""

import gzip
import hashlib
import os
import re
import shutil
import struct
import tempfile
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from pyfaidx import Faidx, FastaIndexingError

from agdb.errors import Refused

#: How the name of a folder begins in which files of a work folder are made, until they are whole.
UNFINISHED = ".part-"
#: Windows that start in the same block of this many bases are read at once, so that memory does not grow with the file.
BLOCK = 1_000_000
#: Neighbouring windows further apart than this are read apart: seeking is cheaper than reading what lies between.
GAP = 16_384

# What pyfaidx and Bio.bgzf raise on files that are not what they have to be.
_UNREADABLE = (OSError, ValueError, LookupError, RuntimeError, EOFError, zlib.error, struct.error, FastaIndexingError)
#: The empty block that ends every complete bgzip file (SAM specification, section 4.1.2).
BGZIP_END = bytes.fromhex("1f8b08040000000000ff0600424302001b0003000000000000000000")
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
        is_unpacked: Whether what is read is a copy in `work_dir`, unpacked from a gzip.
        contigs: One for each record, in the order of the file. A record `chr2` is the whole chromosome; a record
            `22:20000001-21000000` (1-based inclusive, as samtools faidx names it) is that part of chr22.

    Raises:
        Refused: the file is missing, empty, cut short or no FASTA, its records contradict each other, or `work_dir`
            cannot be written.
    """

    def __init__(self, path: Path, work_dir: Path) -> None:
        self.path, self.work_dir = path, work_dir
        with _refusing(path):
            self._faidx = _open(path, work_dir)
        self.is_unpacked = Path(self._faidx.filename) != path
        self.contigs = _contigs(path, {name: entry.rlen for name, entry in self._faidx.index.items()})

    def close(self) -> None:
        """Close the file; the genome cannot be read any more."""
        self._faidx.close()

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
        """Whether each whole REF allele is what the genome says from its start (0-based) on; shape (n,).

        Raises:
            ValueError: an allele is empty or not covered (ask `covers` first).
        """
        starts = np.asarray(starts, dtype=np.int64)
        lengths = np.array([len(ref) for ref in refs], dtype=np.int64)
        match = np.zeros(len(refs), dtype=np.bool_)
        for length in np.unique(lengths).tolist():
            rows = np.flatnonzero(lengths == length)
            claimed = "".join(refs[row] for row in rows.tolist()).upper().encode("ascii", "replace")
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
            raise _not_as_indexed(self.path)
        return _BASE[np.frombuffer(text.encode("ascii", "replace"), dtype=np.uint8)]


def _near_each_other(starts: Positions, chosen: Positions) -> Iterator[Positions]:
    """Cut the chosen windows into groups that one read serves; each sorted by start."""
    if not len(chosen):
        return
    order = chosen[np.argsort(starts[chosen], kind="stable")]
    ordered = starts[order]
    apart = (np.diff(ordered // BLOCK) > 0) | (np.diff(ordered) > GAP)
    yield from np.split(order, np.flatnonzero(apart) + 1)


def chrom_of(record: str) -> str:
    """UCSC name of a chromosome: `22` -> `chr22`, `MT` -> `chrM`; other names (`GL000192.1`) stay as they are."""
    known = re.fullmatch(r"(?:chr)?(\d{1,2}|[XYWZ]|MT?)", record)
    return "chr" + known[1].removesuffix("T") if known else record


def _contigs(path: Path, lengths: dict[str, int]) -> list[Contig]:
    """What each record covers, given its length in bases."""
    contigs = []
    for record, length in lengths.items():
        chrom, start = chrom_of(record), 0
        if named := _NAMED_BY_RANGE.fullmatch(record):
            chrom, start = chrom_of(named["chrom"]), int(named["first"]) - 1
            if start < 0 or start + length != int(named["last"]):
                cure = "name it chrom:first-last, 1-based and inclusive, as `samtools faidx` does"
                raise Refused(f"the name of the record {record} does not agree with its {length} bases",
                              where=str(path), cure=f"{cure} (`bedtools getfasta` counts from 0)")  # fmt: skip
        contigs.append(Contig(record, chrom, start, start + length))
    in_order = sorted(contigs, key=lambda contig: (contig.chrom, contig.start))
    for one, next_one in pairwise(in_order):
        if one.chrom == next_one.chrom and next_one.start < one.end:
            both = f"the records {one.record} and {next_one.record} both hold {one.chrom}:{next_one.start + 1}"
            raise Refused(both, where=str(path), cure="keep one of them")
    return contigs


def _open(path: Path, work_dir: Path) -> Faidx:
    """The FASTA with indexes that fit it: those beside it, else those in `work_dir`, built where they are missing."""
    packing = _packing(path)
    # a touched or changed FASTA is unpacked and indexed anew, and what was made of it before goes away
    told = (str(path.resolve()), f"{path.stat().st_size}|{path.stat().st_mtime_ns}")
    place, state = (hashlib.sha256(text.encode()).hexdigest()[:8] for text in told)
    of_place = re.sub(r"(\.(fa|fna|fasta))?(\.b?gz)?$", "", path.name) + f"-{place}"
    name = f"{of_place}-{state}.fa"
    fasta = _unpacked(path, work_dir / name) if packing == "gzip" else path
    suffixes = (".fai", ".gzi") if packing == "bgzip" else (".fai",)
    beside = [Path(f"{fasta}{suffix}") for suffix in suffixes]
    built = [work_dir / f"{name}{suffix}" for suffix in suffixes]
    faidx = _with_indexes(fasta, beside) or _with_indexes(fasta, built)
    if faidx is None:
        with _moved_when_complete(work_dir) as scratch:
            fai, gzi = (str(scratch / f"{name}{suffix}") for suffix in (".fai", ".gzi"))
            Faidx(str(fasta), indexname=fai, gzi_indexname=gzi, as_raw=True).close()
            for index in scratch.iterdir():
                # pyfaidx calls an index stale that is older than its FASTA, even where the FASTA is dated tomorrow.
                os.utime(index, ns=(fasta.stat().st_mtime_ns, fasta.stat().st_mtime_ns))
        faidx = _with_indexes(fasta, built)
        for old in work_dir.iterdir():
            if old.name.startswith(f"{of_place}-") and not old.name.startswith(name):
                old.unlink(missing_ok=True)
    if faidx is None:
        raise _not_as_indexed(path)
    return faidx


def _packing(path: Path) -> str:
    """`plain`, `gzip` or `bgzip`, told by the content; refuses what is not the whole of a FASTA."""
    with path.open("rb") as file:
        head = file.read(18)
        file.seek(-min(len(BGZIP_END), path.stat().st_size), os.SEEK_END)
        tail = file.read()
    if not head:
        raise Refused("the FASTA is empty", where=str(path), cure="download it again")
    packing, named_packed = "plain", path.name.lower().endswith((".gz", ".bgz"))
    if head.startswith(b"\x1f\x8b"):
        # pyfaidx goes by the name, so that a bgzip file of another name has to be unpacked like a gzip.
        packing = "bgzip" if head[3] & 4 and head[12:14] == b"BC" and named_packed else "gzip"
    elif named_packed:
        raise Refused("the FASTA is named as compressed, but is not", where=str(path), cure="take .gz off its name")
    with path.open("rb") if packing == "plain" else gzip.open(path) as text:
        if not text.read(4096).lstrip().startswith((b">", b";")):
            raise Refused("this is no FASTA: it does not start with '>'", where=str(path), cure="name a FASTA file")
    if packing == "bgzip" and tail != BGZIP_END:
        raise _cut_short(path)
    return packing


def _unpacked(path: Path, target: Path) -> Path:
    """`target`, the plain copy of a gzip, written once."""
    if not target.exists():
        with (_moved_when_complete(target.parent) as scratch, gzip.open(path) as packed,
              (scratch / target.name).open("wb") as plain):  # fmt: skip
            shutil.copyfileobj(packed, plain, 1 << 20)
    return target


@contextmanager
def _moved_when_complete(work_dir: Path) -> Iterator[Path]:
    """A folder to write to; its files move to `work_dir` when all went well, and go away when not."""
    try:
        work_dir.mkdir(parents=True, exist_ok=True)
        folder = tempfile.TemporaryDirectory(dir=work_dir, prefix=UNFINISHED)
    except OSError as error:
        what = f"cannot write indexes of the FASTA there: {error.strerror}"
        raise Refused(what, where=str(work_dir), cure="make the folder writable") from error
    with folder as name:
        yield Path(name)
        for part in Path(name).iterdir():
            part.replace(work_dir / part.name)


def _with_indexes(fasta: Path, indexes: list[Path]) -> Faidx | None:
    """The FASTA opened with these indexes; None where one is missing, older than the FASTA, or of another file."""
    if not all(index.exists() and index.stat().st_mtime_ns >= fasta.stat().st_mtime_ns for index in indexes):
        return None
    fai, gzi = str(indexes[0]), str(indexes[-1])
    try:
        faidx = Faidx(str(fasta), indexname=fai, gzi_indexname=gzi, as_raw=True, rebuild=False, build_index=False)
    except _UNREADABLE as error:
        if "Duplicate key" in str(error):
            raise
        return None
    with suppress(*_UNREADABLE):
        if faidx.index and all(_is_where_indexed(faidx, record) for record in faidx.index):
            return faidx
    faidx.close()
    return None


def _is_where_indexed(faidx: Faidx, record: str) -> bool:
    """Whether the line before the sequence names the record, and the sequence is as long as the index says."""
    title = faidx.get_long_name(record).splitlines()[-1].removeprefix(">").split()
    length = faidx.index[record].rlen
    return title[:1] == [record] and (length == 0 or len(faidx.fetch(record, length, length)) == 1)


@contextmanager
def _refusing(path: Path) -> Iterator[None]:
    """Turns what pyfaidx, gzip and the operating system raise about the FASTA into a refusal."""
    try:
        yield
    except Refused:
        raise
    except (EOFError, zlib.error) as error:
        raise _cut_short(path) from error
    except _UNREADABLE as error:
        if isinstance(error, OSError) and error.strerror:
            what = f"the FASTA cannot be read or unpacked: {error.strerror}"
            cure = "check the path, its permissions and the free space"
        elif "Duplicate key" in str(error):
            what, cure = f"two records have one name: {error}", "keep one of them"
        else:
            what, cure = f"the FASTA cannot be read: {error}", "check the file; `samtools faidx` names the line"
        raise Refused(what, where=str(path), cure=cure) from error


def _cut_short(path: Path) -> Refused:
    return Refused("the compressed FASTA is cut short or damaged", where=str(path), cure="download it again")


def _not_as_indexed(path: Path) -> Refused:
    return Refused("the FASTA is not as its index says", where=str(path), cure="delete its .fai and .gzi")
