"""Files with rows in a form of their own, Parquet, Feather and SQLite: they come as Arrow tables, a part at a time."""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from agdb.errors import Refused
from agdb.ingest import tap, text
from agdb.ingest.cells import ANY_NUMBER, AS_STORED, MISSING, cell, guessed, typed
from agdb.ingest.damage import Shape
from agdb.ingest.header import once
from agdb.ingest.part import Part
from agdb.query import identifier

#: Rows of a part.
PART_ROWS = 500_000


class Batches:
    """Rows that come as Arrow tables: as `agdb.ingest.rows.Rows`."""

    line = "row"
    preamble: Sequence[str] = ()
    sha256: str | None = None
    bytes_read = 0

    def __init__(self, path: Path, names: Sequence[str], schema: pa.Schema | None = None) -> None:
        once(names, str(path))
        self.path, self.names, self.shape, self._schema = path, names, Shape(len(names), ""), schema

    def _tables(self, wanted: Sequence[str]) -> Iterator[pa.Table]:
        raise NotImplementedError

    def close(self) -> None:
        """Let go of the file."""

    def sample(self) -> dict[str, list[str]]:
        """As `Rows.sample`."""
        table = next(iter(self._tables(self.names)), pa.table({name: [] for name in self.names}))
        columns = table.slice(0, text.HEAD_LINES).to_pydict()
        return {name: ["" if v is None else str(v) for v in values] for name, values in columns.items()}

    def types(self) -> dict[str, str]:
        """As `Rows.types`: those of the file."""
        if self._schema is None:
            return guessed(self.sample())
        return {field.name: _type_of(field.type) for field in self._schema}

    @contextmanager
    def parts(self, con: duckdb.DuckDBPyConnection, types: Mapping[str, str], folder: Path) -> Iterator[Iterator[Part]]:
        """As `Rows.parts`."""
        by_place = {i: types[name] for i, name in enumerate(self.names) if name in types}
        for column in self._schema if self._schema is not None else ():
            wanted = types.get(column.name)
            is_list = pa.types.is_nested(column.type) and wanted != AS_STORED
            if wanted and (is_list or pa.types.is_float16(column.type)):  # DuckDB takes no half floats
                raise Refused(f"column {column.name!r} holds {column.type}", where=str(self.path),
                              cure="write it as text or as plain numbers")  # fmt: skip

        def registered() -> Iterator[Part]:
            first = 1
            for batch in self._tables([self.names[i] for i in by_place]):
                texts = {i for i, column in zip(by_place, batch.schema, strict=True) if _is_text(column.type)}
                con.register("batch", batch.rename_columns([str(i) for i in by_place]))
                wanted = ", ".join(
                    f"{_unless_missing(i) if i in texts else identifier(str(i))} AS {cell(i)}" for i in by_place
                )
                yield Part(typed(f"SELECT {wanted} FROM batch", by_place, texts), first, batch.num_rows)
                first += batch.num_rows

        try:
            yield registered()
        finally:
            with suppress(duckdb.Error):  # of a transaction that is over because of another error
                con.unregister("batch")


def _is_text(kind: pa.DataType) -> bool:
    of = pa.types
    return bool(of.is_string(kind) or of.is_large_string(kind) or of.is_string_view(kind) or of.is_dictionary(kind))


def _type_of(kind: pa.DataType) -> str:
    """What SQL of the user takes a column of this type for."""
    of = pa.types
    is_number = of.is_integer(kind) or of.is_floating(kind) or of.is_decimal(kind) or of.is_null(kind)
    return ANY_NUMBER if is_number else "VARCHAR" if _is_text(kind) else AS_STORED


def _unless_missing(place: int) -> str:
    """SQL of a text of the batch, NULL where it is one of those that stand for a missing value."""
    name = identifier(str(place))
    return f"CASE WHEN {name}::VARCHAR NOT IN {MISSING} THEN {name}::VARCHAR END"


class Parquet(Batches):
    """A Parquet file."""

    def __init__(self, path: Path) -> None:
        with _refusing(path, "Parquet"):
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
        super().__init__(path, self._file.schema_arrow.names, self._file.schema_arrow)

    def _tables(self, wanted: Sequence[str]) -> Iterator[pa.Table]:
        with _refusing(self.path, "Parquet"):
            for batch in self._file.iter_batches(PART_ROWS, columns=list(wanted)):
                batch.validate(full=True)  # damage makes text that is none
                yield pa.Table.from_batches([batch]).select(list(wanted))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close(force=True)


class Feather(Batches):
    """An Arrow file (Feather, version 2)."""

    def __init__(self, path: Path) -> None:
        with _refusing(path, "Feather"):
            self._file = pa.OSFile(str(path))
            self._reader = pa.ipc.open_file(self._file)
        super().__init__(path, self._reader.schema.names, self._reader.schema)

    def _tables(self, wanted: Sequence[str]) -> Iterator[pa.Table]:
        with _refusing(self.path, "Feather"):
            for number in range(self._reader.num_record_batches):
                batch = self._reader.get_batch(number)
                batch.validate(full=True)
                table = pa.Table.from_batches([batch]).select(list(wanted))
                yield from (table.slice(at, PART_ROWS) for at in range(0, table.num_rows, PART_ROWS))

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class SQLite(Batches):
    """The only table of a SQLite file."""

    def __init__(self, path: Path) -> None:
        self._address = f"file:{quote(str(path.absolute()))}?mode=ro"
        with _refusing(path, "SQLite"), closing(sqlite3.connect(self._address, uri=True)) as con:
            query = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite~_%' ESCAPE '~'"
            tables = [name for (name,) in con.execute(query)]
            if len(tables) != 1:
                found = f"the SQLite file has {len(tables)} tables"
                raise Refused(found, where=str(path), cure="export the one that you mean as text")
            self._table = tables[0]
            names = [row[1] for row in con.execute(f"PRAGMA table_info({identifier(self._table)})")]
        super().__init__(path, names)

    def _tables(self, wanted: Sequence[str]) -> Iterator[pa.Table]:
        with _refusing(self.path, "SQLite"), closing(sqlite3.connect(self._address, uri=True)) as con:
            columns = ", ".join(map(identifier, wanted))
            found = con.execute(f"SELECT {columns} FROM {identifier(self._table)} ORDER BY rowid")
            while rows := found.fetchmany(PART_ROWS):
                yield pa.table([_array(column) for column in zip(*rows, strict=True)], names=list(wanted))


def _array(cells: Sequence[object]) -> pa.Array:
    """The cells of a column; as text where some are numbers and some are not, which SQLite takes."""
    try:
        return pa.array(cells)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([None if cell is None else str(cell) for cell in cells])


#: What the bytes of each kind begin with.
_KINDS: Mapping[bytes, Callable[[Path], Batches]] = {b"PAR1": Parquet, b"ARROW1": Feather, b"SQLite format 3\0": SQLite}


def kind_of(path: Path) -> Callable[[Path], Batches] | None:
    """What a file is by its first bytes; None for text, and for a pipe.

    Raises:
        Refused: it is Feather of version 1, which is no Arrow file.
    """
    if tap.is_pipe(path):
        return None
    tap.check_path(path)
    with path.open("rb") as file:
        start = file.read(16)
    if start.startswith(b"FEA1"):
        raise Refused("this is Feather of version 1", where=str(path),
                      cure="write it as Parquet: pandas.read_feather(...).to_parquet(...)")  # fmt: skip
    return next((kind for magic, kind in _KINDS.items() if start.startswith(magic)), None)


@contextmanager
def _refusing(path: Path, kind: str) -> Iterator[None]:
    """Turns what a library says of a damaged file into a refusal."""
    try:
        yield
    except (pa.ArrowException, sqlite3.Error, OSError, ValueError, OverflowError) as error:
        if isinstance(error, Refused):
            raise
        what = f"this {kind} file cannot be read: {(str(error).strip() or type(error).__name__).splitlines()[0]}"
        raise Refused(what, where=str(path), cure="download it again; nothing was kept") from error
