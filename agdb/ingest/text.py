"""A text file as it comes: plain or gzip, a file, a pipe or standard input. Its first lines, then all of it in chunks.

It is read once, from its start to its end, which proves the checksum of a gzip (DuckDB does not check it). A chunk lies
beside the database for as long as it is being loaded, so that neither memory nor disk grows with the file; the next one
is unpacked meanwhile. From plain text DuckDB parses on all cores, from a gzip on one.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from isal import igzip, isal_zlib

from agdb.errors import Refused
from agdb.genome import BGZIP_END
from agdb.ingest import tap

#: What reading a gzip raises when it is cut short or damaged.
DAMAGE: tuple[Any, ...] = (EOFError, isal_zlib.error, igzip.BadGzipFile)

#: Bytes of text in a chunk: some 500,000 rows of a GTEx table. What is read of a file does not depend on it.
CHUNK_BYTES = 64 << 20
_BLOCK = 1 << 18
#: How many lines `head` has at most, after those that open with ## (of a VCF), and how much text is looked at for them.
HEAD_LINES, _HEAD_BYTES = 100, 16 << 20
#: Bytes of the longest line that DuckDB takes.
LONGEST_LINE = 2 << 20
BOM = b"\xef\xbb\xbf"
#: The bytes that DuckDB takes as parts of a number, by their value.
_IN_NUMBER: npt.NDArray[np.bool_] = np.isin(np.arange(256), list(b"0123456789.eE+-_ \t\v\f\r"))
#: So many bytes of an id are looked at before it is taken for what may be a number.
_LONGEST_ID = 100
_COMMENT = re.compile(rb"^#.*", re.MULTILINE)

#: The first bytes of files that are something else, and what to do with them.
_OTHER_FORMATS = {
    b"PK\x03\x04": ("a zip archive", "unpack it first"),
    b"BZh": ("a bzip2 file", "pipe it in: bzip2 -dc FILE | agdb ingest ... -"),
    b"\xfd7zXZ": ("an xz file", "pipe it in: xz -dc FILE | agdb ingest ... -"),
    b"\x28\xb5\x2f\xfd": ("a zstd file", "pipe it in: zstd -dc FILE | agdb ingest ... -"),
    b"PAR1": ("a Parquet file", "tables of QTLs, fine-mapping, variants and scores can be Parquet, but not in a pipe"),
    b"SQLite format 3\0": ("a SQLite file", "fine-mapping can be SQLite, but not in a pipe"),
    b"\xff\xfe": ("text in UTF-16", "save it as UTF-8"),
    b"\xfe\xff": ("text in UTF-16", "save it as UTF-8"),
}
_TAR, _TAR_AT = b"ustar", 257


class Chunk(NamedTuple):
    """Whole lines of a file, unpacked and ended by LF alone, in a file of their own.

    Attributes:
        path: Where they lie.
        first_line: Number of the first of them, from 1.
        lines: How many they are.
        delimiters: How often the delimiter of the table stands in them.
        is_odd: Whether they hold a byte that no table has: NUL, a lone CR, a byte order mark.
        is_ambiguous: Whether they may hold a number that DuckDB reads and nobody else does: 1_0, +-5.
        is_blank: Whether they are blank lines only.
    """

    path: Path
    first_line: int
    lines: int
    delimiters: int
    is_odd: bool
    is_ambiguous: bool
    is_blank: bool


@dataclass
class Text:
    """A text file that is open and is read once: `head`, its first lines without their ends, and then `chunks`."""

    path: Path
    head: list[str]
    _start: bytes
    _file: BinaryIO
    _tap: tap.Tap
    _stopped: Event
    _is_whole: bool = field(default=True)
    _is_bgzip: bool = field(default=False)
    _ends_in_cr: bool = field(default=False)

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, as they lie on disk."""
        return self._tap.n

    @property
    def sha256(self) -> str:
        """sha256 of the bytes read so far, as they lie on disk."""
        return self._tap.digest.hexdigest()

    @contextmanager
    def chunks(
        self, skip: int, folder: Path, delimiter: str = "\t", comment: bytes | None = None
    ) -> Iterator[Iterator[Chunk]]:
        """All lines after the first `skip`, in chunks that lie beside `folder` until the next one is asked for.

        In place of each line that begins with # stands `comment`, where it is given.

        Raises:
            Refused: the header is damaged; while it is read, where the gzip is cut short or damaged.
            OSError: the disk is full.
        """
        for n, line in enumerate(self.head[:skip], 1):
            if "\0" in line or "\r" in line or BOM.decode() in line:
                raise Refused("the header is damaged: a NUL, a carriage return or a byte order mark",
                              where=f"{self.path}, line {n}", cure="download it again; nothing was kept")  # fmt: skip
        prefix = f"{folder.name}-"  # not in the folder itself: DuckDB removes that when it is closed, if it made it
        with (
            TemporaryDirectory(dir=folder.parent, prefix=prefix, ignore_cleanup_errors=True) as inside,
            _made_ahead(self._cut(skip, Path(inside), delimiter.encode(), comment), self._stopped) as chunks,
        ):
            yield chunks

    def _cut(self, skip: int, folder: Path, delimiter: bytes, comment: bytes | None) -> Iterator[Chunk]:
        pieces = self._whole_lines(skip)
        number, first, piece, part = 0, skip + 1, next(pieces, b""), b"\n"
        while True:
            path = folder / str(number % 3)  # one is being written, one waits, one is being loaded
            size = lines = delimiters = 0
            is_odd, is_ambiguous, is_blank = False, False, True
            with path.open("wb") as file:
                while piece and size < CHUNK_BYTES and not self._stopped.is_set():
                    cut = _end_of_line(piece, CHUNK_BYTES - size)
                    part, piece = piece[:cut], piece[cut:] or next(pieces, b"")
                    if comment is not None:
                        part = _COMMENT.sub(comment, part)
                    file.write(part)
                    n_lines, n_delimiters = counted(part, b"\n"), counted(part, delimiter)
                    size, lines, delimiters = size + cut, lines + n_lines, delimiters + n_delimiters
                    is_odd = is_odd or b"\0" in part or b"\r" in part or (BOM[:1] in part and BOM in part)
                    is_ambiguous = is_ambiguous or may_be_misread(part, delimiter)
                    is_blank = is_blank and not part.lstrip(b"\n")
            lines += not part.endswith(b"\n")
            yield Chunk(path, first, lines, delimiters, is_odd, is_ambiguous, is_blank)
            if not piece:
                break
            number, first = number + 1, first + lines
        if self._is_whole or part.endswith(b"\n"):
            return
        raise Refused("what came through the pipe ends within a line", where=f"{self.path}, line {first + lines - 1}",
                      cure="did the command before the pipe fail? nothing was kept")  # fmt: skip

    def _whole_lines(self, skip: int) -> Iterator[bytes]:
        """The text after `skip` lines, in pieces of whole lines that end in LF; a line that is too long is the last."""
        rest = self._start
        for _ in range(skip):
            rest = rest.partition(b"\n")[2]
        while True:
            cut = rest.rfind(b"\n") + 1
            if cut:
                piece, rest = rest[:cut], rest[cut:]
                yield piece.replace(b"\r\n", b"\n") if b"\r" in piece else piece
            if not (block := self._block() if len(rest) <= LONGEST_LINE else b""):
                break
            rest += block
        if rest:
            yield rest

    def _block(self) -> bytes:
        try:
            block = self._file.read(_BLOCK)
            if not block and self._is_bgzip and self._tap.tail != BGZIP_END:  # each of its blocks is a whole gzip
                raise EOFError("a bgzip file ends with an empty block, and this one does not")
            return block.replace(b"\r", b"\n") if self._ends_in_cr else block
        except DAMAGE as damage:
            raise Refused(f"the gzip file is cut short or damaged ({damage})", where=str(self.path),
                          cure="download it again; nothing was kept") from damage  # fmt: skip

    def _look(self) -> None:
        """Read as much of the text as its first lines need; it is read again as the start of `chunks`."""
        start, lines = b"", 0
        while lines < HEAD_LINES and len(start) < _HEAD_BYTES and (block := self._block()):
            start += block
            lines = start.count(b"\n") - start.count(b"\n##")
        if b"\r" in start and b"\n" not in start:  # as Macintoshes wrote until 2001
            self._ends_in_cr, start = True, start.replace(b"\r", b"\n")
        self._start = start.removeprefix(BOM)
        self.head = _lines(self.path, self._start)


def counted(text: bytes, byte: bytes) -> int:
    """How often a byte stands in a text: a fifth of the time that `bytes.count` takes of a byte in each cell."""
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == byte[0]))


def may_be_misread(text: bytes, delimiter: bytes) -> bool:
    """Whether whole lines may hold a number that DuckDB reads and nobody else does: 1_0 as 10, +-5 as -5.

    A digit stands on both sides of such a _, and from the first of them back to where its cell begins nothing that a
    number has not: a look to the left of each tells GTEx's ids, chr1_1284987_G_A_b38, from them.
    """
    if b"+" in text and b"+-" in text:
        return True
    found = np.frombuffer(text, np.uint8)
    is_digit = found - np.uint8(ord("0")) < 10
    at = np.flatnonzero((found[1:-1] == ord("_")) & is_digit[:-2] & is_digit[2:])
    for _ in range(_LONGEST_ID):
        if not len(at) or not at[0]:
            return bool(len(at))
        at = at - 1  # one byte to the left
        before = found[at]
        if ((before == delimiter[0]) | (before == ord("\n")) | (before == ord('"'))).any():
            return True
        at = at[_IN_NUMBER[before]]
    return True


def _end_of_line(piece: bytes, room: int) -> int:
    """Where to cut a piece of whole lines: after the last line that there is room for, or after the first one."""
    if len(piece) <= room:
        return len(piece)
    return piece.rfind(b"\n", 0, room) + 1 or piece.find(b"\n") + 1 or len(piece)


@contextmanager
def opened(path: Path) -> Iterator[Text]:
    """Open a text file and read its first lines. `-` is standard input.

    Raises:
        Refused: no such file, a folder, empty, not text, another format, or a gzip that cannot be read.
    """
    stopped = Event()
    with tap.opened(path) as file:
        tapped = tap.Tap(file, tap.is_pipe(path), stopped)
        buffered = io.BufferedReader(tapped, _BLOCK)
        start = buffered.peek(_TAR_AT + len(_TAR))
        _refuse_other_format(path, start)
        is_gzip = start.startswith(b"\x1f\x8b")
        unpacked = cast(BinaryIO, igzip.IGzipFile(fileobj=buffered, mode="rb") if is_gzip else buffered)
        is_whole, is_bgzip = is_gzip or not tap.is_pipe(path), is_gzip and start[12:14] == b"BC" and start[3] & 4 > 0
        text = Text(path, [], b"", unpacked, tapped, stopped, _is_whole=is_whole, _is_bgzip=is_bgzip)
        text._look()
        yield text


def _refuse_other_format(path: Path, start: bytes) -> None:
    if start[_TAR_AT:].startswith(_TAR):
        raise Refused("this is a tar archive, not text or gzip", where=str(path), cure="unpack it first: tar -xf FILE")
    for magic, (what, cure) in _OTHER_FORMATS.items():
        if start.startswith(magic):
            raise Refused(f"this is {what}, not text or gzip", where=str(path), cure=cure)


def _lines(path: Path, start: bytes) -> list[str]:
    if not start.strip():
        raise Refused("the file is empty", where=str(path), cure="download or make it again")
    whole = start[: start.rfind(b"\n") + 1] or start
    n = HEAD_LINES + whole.count(b"\n##") + whole.startswith(b"##")
    first = whole.split(b"\n", n)
    try:
        lines = b"\n".join(first[:n]).decode("utf-8").split("\n")
    except UnicodeDecodeError as error:
        raise Refused("this is not a text file (UTF-8)", where=str(path), cure="is it the right one?") from error
    return [line.removesuffix("\r") for line in (lines[:-1] if lines[-1] == "" else lines)]


@contextmanager
def _made_ahead(chunks: Iterator[Chunk], stopped: Event) -> Iterator[Iterator[Chunk]]:
    """The same chunks, of which the next one is made by a thread while this one is in use."""
    made: Queue[Chunk | BaseException | None] = Queue(1)

    def make() -> None:
        try:
            for chunk in chunks:
                made.put(chunk)
                if stopped.is_set():
                    return
            made.put(None)
        except BaseException as error:  # noqa: BLE001  # raised again where the chunks are taken
            made.put(error)

    def taken() -> Iterator[Chunk]:
        while (item := made.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    thread = Thread(target=make, name="unpack", daemon=True)
    thread.start()
    try:
        yield taken()
    finally:
        stopped.set()
        while thread.is_alive():
            with suppress(Empty):
                made.get_nowait()  # it may be waiting to hand over one more
            thread.join(0.05)
