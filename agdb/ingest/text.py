"""A text file as it comes: plain or gzip, a file, a pipe or standard input. Its first lines, then all of it in chunks.

It is read once, from its start to its end, which proves the checksum of a gzip (DuckDB does not check it). A chunk lies
beside the database for as long as it is being loaded, so that neither memory nor disk grows with the file; the next one
is unpacked meanwhile. From plain text DuckDB parses on all cores, from a gzip on one.
"""

import hashlib
import io
import re
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from queue import Empty, Queue
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any, BinaryIO, NamedTuple, cast

from isal import igzip, isal_zlib

from agdb.errors import Refused

#: What reading a gzip raises when it is cut short or damaged.
DAMAGE: tuple[Any, ...] = (EOFError, isal_zlib.error, igzip.BadGzipFile)

#: Bytes of text in a chunk: some 500,000 rows of a GTEx table.
CHUNK_BYTES = 64 << 20
_BLOCK = 1 << 20
#: How many lines `head` has at most, after those that open with ## (of a VCF), and how much text is looked at for them.
HEAD_LINES, _HEAD_BYTES = 100, 16 << 20

#: The first bytes of files that are something else, and what to do with them.
_OTHER_FORMATS = {
    b"PK\x03\x04": ("a zip archive", "unpack it first"),
    b"BZh": ("a bzip2 file", "pipe it in: bzip2 -dc FILE | agdb ingest ... -"),
    b"\xfd7zXZ": ("an xz file", "pipe it in: xz -dc FILE | agdb ingest ... -"),
    b"\x28\xb5\x2f\xfd": ("a zstd file", "pipe it in: zstd -dc FILE | agdb ingest ... -"),
    b"PAR1": ("a Parquet file", "name it .parquet"),
    b"\xff\xfe": ("text in UTF-16", "save it as UTF-8"),
    b"\xfe\xff": ("text in UTF-16", "save it as UTF-8"),
}


class Chunk(NamedTuple):
    """Whole lines of a file, unpacked: where they lie, the number of the first one (from 1), and how many they are."""

    path: Path
    first_line: int
    lines: int
    has_nul: bool
    is_last: bool


class _Tap(io.RawIOBase):
    """A file that notes what has been read of it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.n, self.digest = file, 0, hashlib.sha256()

    def readable(self) -> bool:
        """As every file."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As every raw file."""
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self.n += len(data)
        self.digest.update(data)
        return len(data)


@dataclass
class Text:
    """A text file that is open and is read once: `head`, its first lines without their ends, and then `chunks`."""

    path: Path
    head: list[str]
    _start: bytes
    _file: BinaryIO
    _tap: _Tap
    _ends_in_cr: bool = False

    @property
    def bytes_read(self) -> int:
        """Bytes read so far, as they lie on disk."""
        return self._tap.n

    @property
    def sha256(self) -> str:
        """sha256 of the bytes read so far, as they lie on disk."""
        return self._tap.digest.hexdigest()

    @contextmanager
    def chunks(self, skip: int, folder: Path) -> Iterator[Iterator[Chunk]]:
        """All lines after the first `skip`, in chunks that lie in `folder` until the next one is asked for.

        Raises:
            Refused: while it is read, where the gzip is cut short or damaged.
            OSError: the disk is full.
        """
        folder.mkdir(exist_ok=True)
        try:
            with (
                TemporaryDirectory(dir=folder, ignore_cleanup_errors=True) as inside,
                _made_ahead(self._cut(skip, Path(inside))) as chunks,
            ):
                yield chunks
        finally:
            with suppress(OSError):  # DuckDB spills into the same folder
                folder.rmdir()

    def _cut(self, skip: int, folder: Path) -> Iterator[Chunk]:
        number, first, block = 0, skip + 1, self._start
        for _ in range(skip):
            block = block.partition(b"\n")[2]
        while True:
            path = folder / str(number % 3)  # one is being written, one waits, one is being loaded
            size, lines, has_nul, last = 0, 0, False, b"\n"
            with path.open("wb") as file:
                while True:
                    cut = block.rfind(b"\n") + 1 if size + len(block) >= CHUNK_BYTES else 0
                    part, rest = (block[:cut], block[cut:]) if cut else (block, b"")
                    file.write(part)
                    size, lines, has_nul = size + len(part), lines + part.count(b"\n"), has_nul or b"\0" in part
                    last = part[-1:] or last
                    block = rest or self._block()
                    if cut or not block:
                        break
            lines += last != b"\n"
            yield Chunk(path, first, lines, has_nul, not block)
            if not block:
                return
            number, first = number + 1, first + lines

    def _block(self) -> bytes:
        try:
            block = self._file.read(_BLOCK)
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
        self._start = start.removeprefix(b"\xef\xbb\xbf")
        self.head = _lines(self.path, self._start)


@contextmanager
def opened(path: Path) -> Iterator[Text]:
    """Open a text file and read its first lines. `-` is standard input.

    Raises:
        Refused: no such file, a folder, empty, not text, another format, or a gzip that cannot be read.
    """
    with _binary(path) as file:
        tap = _Tap(file)
        buffered = io.BufferedReader(tap, _BLOCK)
        start = buffered.peek(6)
        for magic, (what, cure) in _OTHER_FORMATS.items():
            if start.startswith(magic):
                raise Refused(f"this is {what}, not text or gzip", where=str(path), cure=cure)
        is_gzip = start.startswith(b"\x1f\x8b")
        unpacked = cast(BinaryIO, igzip.IGzipFile(fileobj=buffered, mode="rb") if is_gzip else buffered)
        text = Text(path, [], b"", unpacked, tap)
        text._look()
        yield text


@contextmanager
def _binary(path: Path) -> Iterator[BinaryIO]:
    if str(path) == "-":
        yield sys.stdin.buffer
        return
    check_path(path)
    with path.open("rb") as file:
        yield file


def check_path(path: Path) -> None:
    """Refuse what cannot be opened: no such file, a folder, an address, or a file without permission to read."""
    if path.is_dir() or not path.exists():
        is_address = str(path).startswith(("http:/", "https:/", "ftp:/", "s3:/", "gs:/"))
        cure = "agdb reads files: download it first" if is_address else "check the path"
        raise Refused("this is a folder, not a file" if path.is_dir() else "there is no such file",
                      where=str(path), cure=cure)  # fmt: skip
    if not is_pipe(path):
        try:
            path.open("rb").close()
        except PermissionError as error:
            raise Refused("the file cannot be read", where=str(path), cure="check its permissions") from error


def is_pipe(path: Path) -> bool:
    """Whether it can be read only once: standard input, a named pipe, `<(command)`."""
    return str(path) == "-" or (path.exists() and not stat.S_ISREG(path.stat().st_mode))


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
def _made_ahead(chunks: Iterator[Chunk]) -> Iterator[Iterator[Chunk]]:
    """The same chunks, of which the next one is made by a thread while this one is in use."""
    made: Queue[Chunk | BaseException | None] = Queue(1)
    stop = Event()

    def make() -> None:
        try:
            for chunk in chunks:
                made.put(chunk)
                if stop.is_set():
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
        stop.set()
        with suppress(Empty):
            made.get_nowait()  # the thread may be waiting to hand over one more
        thread.join(timeout=1)  # it may be reading from a pipe that says nothing


def header(path: Path, line: str, delimiter: str = "\t") -> list[str]:
    """The column names of a delimited file, from its header line.

    Raises:
        Refused: it is not delimited by `delimiter`, or has a column without a name or with the name of another.
    """
    names = [re.sub(r'^"(.*)"$', r"\1", name.strip()) for name in line.split(delimiter)]
    names[0] = names[0].removeprefix("#")
    if len(names) < 2:
        seen = next((name for name, d in (("commas", ","), ("tabs", "\t"), ("spaces", " ")) if d in line), "one column")
        wanted = {"\t": "tabs", ",": "commas"}[delimiter]
        raise Refused(
            f"the header is not separated by {wanted}: it looks like {seen}",
            where=f"{path}, line 1: {line[:80]!r}",
            cure=f"separate the columns by {wanted}",
        )
    if "" in names:
        raise Refused(f"column {names.index('') + 1} of the header has no name", where=f"{path}, line 1",
                      cure="is there a separator too many? give the original file")  # fmt: skip
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise Refused(f"column {twice[0]!r} stands twice in the header", where=f"{path}, line 1", cure="name it once")
    return names


def require(path: Path, names: Sequence[str], wanted: Sequence[str], what: str) -> None:
    """Refuse a header that lacks a wanted column, naming it and the column that it may have become."""
    missing = [w for w in wanted if w not in names]
    if not missing:
        return
    extra = [n for n in names if n not in wanted]
    near = get_close_matches(missing[0], extra, n=1, cutoff=0.5)
    hint = f"; was it renamed to {near[0]!r}?" if near else ""
    raise Refused(
        f"{what} lacks column {', '.join(repr(m) for m in missing)}{hint}",
        where=f"{path}, line 1: {', '.join(names[:14])}",
        cure="give the original file; columns are read by name, so their order does not matter",
    )


def lines_at(chunk: Chunk, numbers: set[int]) -> dict[int, str]:
    """The lines with these numbers, as they stand in the file."""
    with chunk.path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        return {n: line.rstrip("\r\n") for n, line in enumerate(file, chunk.first_line) if n in numbers}


def refuse_lines(path: Path, chunk: Chunk) -> None:
    """Refuse a NUL, or a blank line between rows: DuckDB passes over it, and something is missing there."""
    blank = 0
    with chunk.path.open("rb") as file:
        for n, line in enumerate(file, chunk.first_line):
            if b"\0" in line:
                raise Refused("the file is damaged: a NUL byte", where=f"{path}, line {n}", cure="download it again")
            if not line.strip(b"\r\n"):
                blank = blank or n
            elif blank:
                break
    if blank and not (chunk.is_last and n >= chunk.first_line + chunk.lines - 1 and not line.strip(b"\r\n")):
        raise Refused("a line between the rows is blank", where=f"{path}, line {blank}",
                      cure="is something missing there? if not, take the line out")  # fmt: skip
