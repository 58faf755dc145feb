"""A text file as it lies on disk, plain or gzip: its first lines, its header, and all of it, proven and unpacked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, BinaryIO, NamedTuple, TextIO, cast

from isal import igzip, isal_zlib

from agdb.errors import Refused

#: What reading a gzip raises when it is cut short or damaged.
DAMAGE: tuple[Any, ...] = (EOFError, isal_zlib.error, igzip.BadGzipFile)


def is_gzip(path: Path) -> bool:
    """By its first two bytes: names lie."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _text(path: Path) -> TextIO:
    if is_gzip(path):
        return cast(TextIO, igzip.open(path, "rt", encoding="utf-8-sig"))
    return path.open(encoding="utf-8-sig")


def first_lines(path: Path, n: int) -> list[str]:
    """The first n lines (decompressed, without line ends).

    Raises:
        Refused: no such file, a folder, empty, not text, or a gzip that cannot be read.
    """
    if not path.is_file():
        what = "this is a folder, not a file" if path.is_dir() else "there is no such file"
        raise Refused(what, where=str(path), cure="check the path")
    try:
        with _text(path) as file:
            lines = [line.rstrip("\r\n") for _, line in zip(range(n), file, strict=False)]
    except DAMAGE as error:
        raise _broken_gzip(path, error) from error
    except UnicodeDecodeError as error:
        raise Refused("this is not a text file (UTF-8)", where=str(path), cure="is it the right one?") from error
    except PermissionError as error:
        raise Refused("the file cannot be read", where=str(path), cure="check its permissions") from error
    if not lines or not "".join(lines).strip():
        raise Refused("the file is empty", where=str(path), cure="download or make it again")
    return lines


def _broken_gzip(path: Path, error: Exception) -> Refused:
    return Refused(
        f"the gzip file is cut short or damaged ({error})", where=str(path), cure="download it again; nothing was kept"
    )


def header(path: Path, delimiter: str = "\t") -> list[str]:
    """The column names of a delimited file with a header.

    Raises:
        Refused: as `first_lines`; or the header is not delimited by `delimiter`, or has a column without a name or with
            the name of another.
    """
    line = first_lines(path, 1)[0]
    names = line.split(delimiter)
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


class Plain(NamedTuple):
    """A file unpacked: where its text lies, its lines, and whether it holds a NUL; DuckDB tells neither."""

    path: Path
    lines: int
    has_nul: bool


@contextmanager
def unpacked(path: Path, folder: Path) -> Iterator[Plain]:
    """The file as plain text, read to its end: a gzip is unpacked into `folder` for as long as the body runs.

    Reading to the end proves the checksum of a gzip, which DuckDB does not check; and from plain text DuckDB parses on
    all cores, from a gzip on one.

    Raises:
        Refused: the gzip is cut short or damaged.
    """
    if not is_gzip(path):
        with path.open("rb") as file:
            yield Plain(path, *_counted(file, None))
        return
    folder.mkdir(exist_ok=True)
    try:
        with TemporaryDirectory(dir=folder) as inside:
            plain = Path(inside) / "text"
            try:
                with igzip.open(path, "rb") as file, plain.open("wb") as copy:
                    counted = _counted(cast(BinaryIO, file), copy)
            except DAMAGE as damage:
                raise _broken_gzip(path, damage) from damage
            yield Plain(plain, *counted)
    finally:
        with suppress(OSError):  # DuckDB spills into the same folder
            folder.rmdir()


def _counted(file: BinaryIO, copy: BinaryIO | None) -> tuple[int, bool]:
    """Read a file to its end (and copy it): how many lines it has, the last with or without its end, and any NUL."""
    lines, has_nul, last = 0, False, b"\n"
    while chunk := file.read(1 << 20):
        lines, has_nul, last = lines + chunk.count(b"\n"), has_nul or b"\0" in chunk, chunk[-1:]
        if copy:
            copy.write(chunk)
    return lines + (last != b"\n"), has_nul


def refuse_lines(path: Path, skip: int) -> None:
    """Refuse a NUL, or a blank line between rows: DuckDB passes over it, and something is missing there."""
    blank = 0
    with _text(path) as file:
        for n, text in enumerate(file, 1):
            if "\0" in text:
                raise Refused("the file is damaged: a NUL byte", where=f"{path}, line {n}", cure="download it again")
            if n > skip and not text.strip("\r\n"):
                blank = blank or n
            elif blank:
                raise Refused("a line between the rows is blank", where=f"{path}, line {blank}",
                              cure="is something missing there? if not, take the line out")  # fmt: skip
