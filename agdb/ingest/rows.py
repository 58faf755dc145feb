"""Rows of a file in parts, whatever the file is: text, Parquet, Feather or SQLite. Each part is SQL that reads it."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

import duckdb

from agdb.ingest import batches, text
from agdb.ingest.cells import MISSING, cell, guessed, one_file, typed
from agdb.ingest.damage import Shape
from agdb.ingest.header import cells as cells_of
from agdb.ingest.header import header, is_quoted
from agdb.ingest.part import Part


class Rows(Protocol):
    """A file of rows that is open."""

    @property
    def path(self) -> Path:
        """The file."""
        ...

    @property
    def names(self) -> Sequence[str]:
        """Its columns, in order."""
        ...

    @property
    def line(self) -> str:
        """What a row is called in an error."""
        ...

    @property
    def preamble(self) -> Sequence[str]:
        """The lines before the header."""
        ...

    @property
    def shape(self) -> Shape:
        """What every line has, where the file is text."""
        ...

    @contextmanager
    def parts(self, con: duckdb.DuckDBPyConnection, types: Mapping[str, str], folder: Path) -> Iterator[Iterator[Part]]:
        """All rows, once, in order: the columns named in `types`, of these types.

        `folder` is where parts of the file are unpacked.
        """
        ...

    def sample(self) -> dict[str, list[str]]:
        """The first rows, by column, as text."""
        ...

    def types(self) -> dict[str, str]:
        """What SQL of the user takes each column for: a DuckDB type, or one of `cells`."""
        ...

    @property
    def bytes_read(self) -> int:
        """Bytes of the file read so far."""
        ...

    @property
    def sha256(self) -> str | None:
        """sha256 of what has been read, where that is known."""
        ...


class Delimited:
    """A delimited text file: `names` are its columns, `skip` lines stand before the first row.

    Numbers may be padded with spaces. Cells may be in quotes where commas separate them, or where the header
    has its names in quotes, as R writes.
    Of a file with `comments`, a line that begins with # is a row whose first cell is # and whose others are missing.
    """

    line = "line"

    def __init__(
        self, file: text.Text, names: Sequence[str], *, delimiter: str = "\t", skip: int = 1, comments: bool = False
    ) -> None:
        self.path, self.names, self._file, self._skip = file.path, names, file, skip
        self.preamble: Sequence[str] = file.head[: max(skip - 1, 0)]
        has_quotes = delimiter == "," or (skip > 0 and is_quoted(file.head[skip - 1], delimiter, len(names)))
        self.shape = Shape(len(names), delimiter, '"' if has_quotes else "")
        self._comment = b"#" + delimiter.encode() * (len(names) - 1) if comments else None

    @property
    def bytes_read(self) -> int:
        """Bytes of the file read so far."""
        return self._file.bytes_read

    @property
    def sha256(self) -> str | None:
        """sha256 of what has been read."""
        return self._file.sha256

    @contextmanager
    def parts(self, con: duckdb.DuckDBPyConnection, types: Mapping[str, str], folder: Path) -> Iterator[Iterator[Part]]:
        """As `Rows.parts`."""
        by_place = {i: types[name] for i, name in enumerate(self.names) if name in types}
        with self._file.chunks(self._skip, folder, self.shape.delimiter, self._comment) as chunks:
            yield (Part(self._typed(c, by_place), c.first_line, c.lines, c) for c in chunks if c.lines)

    def sample(self) -> dict[str, list[str]]:
        """As `Rows.sample`."""
        head, (_, delimiter, quote) = self._file.head[self._skip :], self.shape
        lines = (cells_of(line, delimiter) if quote else line.split(delimiter) for line in head)
        whole = [cells for cells in lines if len(cells) == len(self.names)]
        columns = zip(*whole, strict=True) if whole else ([] for _ in self.names)
        return {name: list(column) for name, column in zip(self.names, columns, strict=True)}

    def types(self) -> dict[str, str]:
        """As `Rows.types`: by the first rows. A later one that is of another type is refused when it is met."""
        return guessed(self.sample())

    def _typed(self, chunk: text.Chunk, by_place: Mapping[int, str]) -> str:
        return typed(self._select(chunk.path, by_place), by_place, by_place if chunk.is_ambiguous else ())

    def _select(self, path: Path, by_place: Mapping[int, str]) -> str:
        read_as = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(len(self.names)))
        wanted = ", ".join(f"c{i} AS {cell(i)}" for i in by_place)
        missing = ", ".join(f"'{m}'" for m in MISSING)
        _, delimiter, quote = self.shape
        # a line that is no row is passed over, and missed when lines and rows are counted: an error would end the
        # transaction before the rows above it were looked at
        return (
            f"SELECT {wanted} FROM read_csv({one_file(path)}, delim='{delimiter}', header=false, "
            f"auto_detect=false, hive_partitioning=false, ignore_errors=true, quote='{quote}', escape='{quote}', "
            f"nullstr=[{missing}], compression='none', columns={{{read_as}}})"
        )


@contextmanager
def opened(path: Path, delimiter: str | None = None) -> Iterator[Rows]:
    """Open a file of rows with named columns: text with a header line, Parquet, Feather or SQLite.

    Raises:
        Refused: there is no such file, or it is none of these.
    """
    kind = batches.kind_of(path)
    if kind:
        with closing(kind(path)) as found:
            yield found
        return
    with text.opened(path) as file:
        line = next((line for line in file.head if not line.startswith("#")), file.head[-1])
        sep = delimiter or ("," if "," in line and "\t" not in line else "\t")
        at = next((i for i, line in enumerate(file.head) if not _is_comment(line, sep)), 0)
        yield Delimited(file, header(path, file.head[at], sep, at + 1), delimiter=sep, skip=at + 1)


def _is_comment(line: str, delimiter: str) -> bool:
    """Whether a line before the first row is no header: that may begin with a #, but has columns."""
    return line.startswith("##") or (line.startswith("#") and delimiter not in line)
