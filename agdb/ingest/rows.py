"""Rows of a file in parts, whatever the file is: delimited text, Parquet or SQLite. Each part is SQL that reads it."""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple, Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from agdb.errors import Refused
from agdb.ingest import text

#: Types by their names in DuckDB. Whole numbers are read as DOUBLE first, because DuckDB would round 1.5 to 2 in
#: silence and read 0x10 as 16; the value is the largest that the column can hold.
WHOLE = {"BIGINT": 2**53, "INTEGER": 2**31 - 1, "SMALLINT": 2**15 - 1, "TINYINT": 2**7 - 1}

#: What stands for a missing value in text.
MISSING = ("", "NA", ".")

#: Rows of a part of a Parquet or SQLite file.
PART_ROWS = 500_000


class Part(NamedTuple):
    """Some rows of a file: SQL that reads them, the line (or row) of the first one, and how many they are."""

    select: str
    first_line: int
    rows: int
    chunk: text.Chunk | None = None


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

    @contextmanager
    def parts(self, con: duckdb.DuckDBPyConnection, types: Mapping[str, str], folder: Path) -> Iterator[Iterator[Part]]:
        """All rows, once, in order: the columns named in `types`, of these DuckDB types.

        `folder` is where parts of the file are unpacked.
        """
        ...

    def sample(self) -> dict[str, list[str]]:
        """The first rows, by column, as text."""
        ...

    @property
    def bytes_read(self) -> int:
        """Bytes of the file read so far."""
        ...

    @property
    def sha256(self) -> str | None:
        """sha256 of what has been read, where the file can be read only once."""
        ...


class Delimited:
    """A delimited text file: `names` are its columns, `skip` lines stand before the first row.

    Numbers may be padded with spaces. Cells are in quotes only where the header has its names in quotes, as R writes.
    """

    line = "line"

    def __init__(self, file: text.Text, names: Sequence[str], *, delimiter: str = "\t", skip: int = 1) -> None:
        self.path, self.names, self._file = file.path, names, file
        self._delimiter, self._skip = delimiter, skip
        self.preamble: Sequence[str] = file.head[: max(skip - 1, 0)]
        self._quote = '"' if skip and file.head[skip - 1].count('"') >= 2 else ""

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
        with self._file.chunks(self._skip, folder) as chunks:
            yield (Part(self._select(c.path, types), c.first_line, c.lines, c) for c in chunks if c.lines)

    def sample(self) -> dict[str, list[str]]:
        """As `Rows.sample`."""
        lines = [line.split(self._delimiter) for line in self._file.head[self._skip :]]
        whole = [[cell.strip('"') for cell in cells] for cells in lines if len(cells) == len(self.names)]
        columns = zip(*whole, strict=True) if whole else ([] for _ in self.names)
        return {name: list(column) for name, column in zip(self.names, columns, strict=True)}

    def _select(self, path: Path, types: Mapping[str, str]) -> str:
        read_as = ", ".join(f"'c{i}': '{_read_as(types.get(name, ''))}'" for i, name in enumerate(self.names))
        wanted = ", ".join(f"c{i} AS {identifier(name)}" for i, name in enumerate(self.names) if name in types)
        missing = ", ".join(f"'{m}'" for m in MISSING)
        return (
            f"SELECT {wanted} FROM read_csv({_one_file(path)}, delim='{self._delimiter}', header=false, "
            f"auto_detect=false, hive_partitioning=false, quote='{self._quote}', escape='{self._quote}', "
            f"nullstr=[{missing}], compression='none', columns={{{read_as}}})"
        )


class _Batches:
    """Rows that come as Arrow tables."""

    line = "row"
    preamble: Sequence[str] = ()
    sha256: str | None = None
    bytes_read = 0

    def __init__(self, path: Path, names: Sequence[str]) -> None:
        self.path, self.names = path, names

    def _tables(self, wanted: Sequence[str]) -> Iterator[pa.Table]:
        raise NotImplementedError

    def sample(self) -> dict[str, list[str]]:
        """As `Rows.sample`."""
        table = next(iter(self._tables(self.names)), pa.table({name: [] for name in self.names}))
        columns = table.slice(0, text.HEAD_LINES).to_pydict()
        return {name: ["" if v is None else str(v) for v in values] for name, values in columns.items()}

    @contextmanager
    def parts(self, con: duckdb.DuckDBPyConnection, types: Mapping[str, str], folder: Path) -> Iterator[Iterator[Part]]:
        """As `Rows.parts`."""
        wanted = ", ".join(f"{identifier(n)}::{_read_as(t)} AS {identifier(n)}" for n, t in types.items())

        def registered() -> Iterator[Part]:
            first = 1
            for batch in self._tables(list(types)):
                con.register("batch", batch)
                yield Part(f"SELECT {wanted} FROM batch", first, batch.num_rows)
                first += batch.num_rows

        try:
            yield registered()
        finally:
            con.unregister("batch")


class Parquet(_Batches):
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        with _refusing(path, "Parquet"):
            self._file = pq.ParquetFile(path)
        super().__init__(path, self._file.schema_arrow.names)

    def _tables(self, wanted: Sequence[str]) -> Iterator[pa.Table]:
        with _refusing(self.path, "Parquet"):
            for batch in self._file.iter_batches(PART_ROWS, columns=list(wanted)):
                yield pa.Table.from_batches([batch])


class SQLite(_Batches):
    """The only table of a SQLite file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with _refusing(path, "SQLite"), closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as con:
            tables = [name for (name,) in con.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            if len(tables) != 1:
                found = f"the SQLite file has {len(tables)} tables"
                raise Refused(found, where=str(path), cure="export the one that you mean as text")
            self._table = tables[0]
            names = [row[1] for row in con.execute(f"PRAGMA table_info({identifier(self._table)})")]
        super().__init__(path, names)

    def _tables(self, wanted: Sequence[str]) -> Iterator[pa.Table]:
        with _refusing(self.path, "SQLite"), closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as con:
            columns = ", ".join(map(identifier, wanted))
            found = con.execute(f"SELECT {columns} FROM {identifier(self._table)} ORDER BY rowid")
            while rows := found.fetchmany(PART_ROWS):
                yield pa.table([pa.array(column) for column in zip(*rows, strict=True)], names=list(wanted))


@contextmanager
def opened(path: Path, delimiter: str | None = None) -> Iterator[Rows]:
    """Open a file of rows with named columns: text with a header line, Parquet or SQLite.

    Raises:
        Refused: there is no such file, or it is none of these.
    """
    kind = _kind(path)
    if kind:
        yield kind(path)
        return
    with text.opened(path) as file:
        at = next((i for i, line in enumerate(file.head) if not line.startswith("##")), 0)
        line = file.head[at]
        sep = delimiter or ("," if "," in line and "\t" not in line else "\t")
        yield Delimited(file, text.header(path, line, sep), delimiter=sep, skip=at + 1)


def _kind(path: Path) -> type[Parquet] | type[SQLite] | None:
    if text.is_pipe(path):
        return None
    text.check_path(path)
    with path.open("rb") as file:
        start = file.read(16)
    return Parquet if start.startswith(b"PAR1") else SQLite if start == b"SQLite format 3\0" else None


@contextmanager
def _refusing(path: Path, kind: str) -> Iterator[None]:
    """Turns what a library says of a damaged file into a refusal."""
    try:
        yield
    except (pa.ArrowException, sqlite3.Error, OSError, ValueError) as error:
        if isinstance(error, Refused):
            raise
        what = f"this {kind} file cannot be read: {str(error).strip().splitlines()[0]}"
        raise Refused(what, where=str(path), cure="download it again; nothing was kept") from error


def guessed_types(rows: Rows) -> dict[str, str]:
    """DOUBLE for columns whose first values are numbers, VARCHAR for the others: for SQL of the user's own."""
    return {name: "DOUBLE" if all(map(_is_number, cells)) else "VARCHAR" for name, cells in rows.sample().items()}


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return cell.strip() in MISSING
    return True


def _read_as(kind: str) -> str:
    return "DOUBLE" if kind in WHOLE else kind or "VARCHAR"


def identifier(name: str) -> str:
    """A name as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def _one_file(path: Path) -> str:
    """SQL of the path of this one file: no pattern, no address, whatever characters are in it."""
    return "'" + re.sub(r"[*?[]", r"[\g<0>]", str(path.absolute())).replace("'", "''") + "'"
