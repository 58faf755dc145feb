"""Lines of a text file that are no rows of a table: found and named where DuckDB will not read them, or reads too few.

DuckDB passes over blank lines, takes an empty cell too many for none, and does not always tell the first line that is
wrong. A chunk that it stumbles over, or whose rows or delimiters do not add up, is therefore looked at line by line.
"""

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from agdb.errors import Refused
from agdb.ingest.text import BOM, LONGEST_LINE, Chunk

_MEND = "mend that line, or download the file again; nothing was kept"
_AGAIN = "download it again; nothing was kept"


class Shape(NamedTuple):
    """What every line of a table has: so many columns, a delimiter between them, and quotes round cells, or none."""

    columns: int
    delimiter: str
    quote: str = ""


class Damaged(Refused):
    """A line that is no row of the table; `line` is its number."""

    def __init__(self, what: str, path: Path, line: int, cure: str = _MEND) -> None:
        super().__init__(what, where=f"{path}, line {line}", cure=cure)
        self.line = line


@dataclass(frozen=True)
class Looked:
    """What a look at all lines of a chunk found: the first one that is no row, how many rows there are up to it, and
    the first of the blank lines at its end (0: there are none)."""

    damaged: Damaged | None
    rows: int
    blank: int


def look(path: Path, chunk: Chunk, shape: Shape) -> Looked:
    """Look at every line of a chunk of the file `path`."""
    blank = rows = 0
    with chunk.path.open("rb") as file:
        for n, line in enumerate(file, chunk.first_line):
            if line == b"\n":
                blank = blank or n
                continue
            if blank:
                return Looked(between_rows(path, blank), rows, blank)
            if damaged := _damaged(path, n, line.removesuffix(b"\n"), shape):
                return Looked(damaged, rows, 0)
            rows += 1
    return Looked(None, rows, blank)


def between_rows(path: Path, line: int) -> Damaged:
    """A blank line that rows come after."""
    return Damaged("a line between the rows is blank", path, line,
                   "is something missing there? if not, take the line out")  # fmt: skip


def _damaged(path: Path, n: int, line: bytes, shape: Shape) -> Damaged | None:
    if len(line) > LONGEST_LINE:
        return Damaged("the line is longer than 2 MB", path, n)
    if b"\0" in line:
        return Damaged("the file is damaged: a NUL byte", path, n, _AGAIN)
    if b"\r" in line:
        return Damaged("the lines do not end alike (LF, CRLF, CR)", path, n)
    if BOM in line:
        return Damaged("a byte order mark stands within the text", path, n, "are these several files? give each alone")
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return Damaged("the line is not text (UTF-8)", path, n)
    cells = _cells(line, shape)
    if cells is None:
        return Damaged("the quotes of a cell do not close on its line", path, n)
    if cells == shape.columns:
        return None
    if re.match(rb"#|track\b|browser\b", line):
        cure = "comments stand before the first row: take the line out; nothing was kept"
        return Damaged("a comment stands between the rows", path, n, cure)
    return Damaged(f"the row has {cells} columns where {shape.columns} are expected", path, n)


def _cells(line: bytes, shape: Shape) -> int | None:
    """How many cells a line has; None where quotes do not close."""
    delimiter = shape.delimiter.encode()
    if not shape.quote or b'"' not in line:
        return line.count(delimiter) + 1
    cell = re.compile(rb' *"(?:[^"]|"")*" *(?![^%b])|(?! *")[^%b]*' % (delimiter, delimiter))
    cells = at = 0
    while at <= len(line):
        found = cell.match(line, at)
        if not found:
            return None
        cells, at = cells + 1, found.end() + 1
    return cells


def before(chunk: Chunk, line: int) -> Chunk:
    """The chunk without this line and those after it, which are gone for good."""
    with chunk.path.open("rb") as file:
        size = sum(len(next(file)) for _ in range(chunk.first_line, line))
    os.truncate(chunk.path, size)
    return chunk._replace(lines=line - chunk.first_line)


def lines_at(chunk: Chunk, numbers: set[int]) -> dict[int, str]:
    """The lines with these numbers, as they stand in the file."""
    with chunk.path.open(encoding="utf-8", errors="replace", newline="\n") as file:
        return {n: line.removesuffix("\n") for n, line in enumerate(file, chunk.first_line) if n in numbers}
