"""A view or table to a file, or to a folder of Parquet: complete or not at all."""

import gzip
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import IO, cast

import duckdb

from agdb.errors import Refused, UsageError
from agdb.export import bed, pipe, vcf
from agdb.export.mistake import usage_error
from agdb.export.tables import COPY, LINES, copied
from agdb.query import identifier

#: Every format of a file. Those of the field are made of lines that DuckDB writes below a header of ours.
FORMATS = (*COPY, "bed", "narrowPeak", "vcf")

#: Of compression. At 6 files are a fiftieth smaller, and packing takes twice as long, longer than all else.
_LEVEL = 4

Take = Callable[[IO[bytes]], None]


def view_names(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Every table and view that can be exported."""
    found = con.execute(
        "SELECT view_name FROM duckdb_views() WHERE NOT internal UNION ALL "
        "SELECT table_name FROM duckdb_tables() WHERE NOT internal ORDER BY 1"
    ).fetchall()
    return [name for (name,) in found]


def to_file(
    con: duckdb.DuckDBPyConnection,
    view: str,
    path: Path,
    format_: str | None = None,
    *,
    where: str | None = None,
    assembly: str | None = None,
    scorers: Sequence[str] = (),
) -> int:
    """Write a view or table to a file, complete or not at all; returns its rows. The format follows the file's ending.

    Args:
        con: A connection.
        view: A view or table.
        path: The file; .gz after the ending compresses it (bed and vcf as bgzip, which tabix indexes).
        format_: One of FORMATS; else by the ending.
        where: SQL over the columns of the view; None for all rows.
        assembly: Only rows of this assembly. BED and VCF hold one, and are refused where there are several.
        scorers: Scorers by name whose scores a VCF holds; () for all.

    Raises:
        UsageError: no such view, format, scorer or column, or a view without what the format needs.
        Refused: the file cannot be written.
    """
    format_, is_packed = _format(path, format_)
    header, lines, options = _content(con, view, format_, where, assembly, scorers)
    with whole(path) as part:
        if format_ == "parquet":  # is not made of bytes that only follow each other
            return _copied(con, lines, part, options)
        opened = (_bgzip if options == LINES else _gzip) if is_packed else _plain
        with pipe.into(_assemble(header, lambda: opened(part))) as rows:
            return _copied(con, lines, rows, options)


def to_pipe(
    con: duckdb.DuckDBPyConnection, view: str, stream: IO[bytes], format_: str, *, where: str | None = None,
    assembly: str | None = None, scorers: Sequence[str] = (),
) -> int:  # fmt: skip
    """`to_file`, to a stream that another program reads; of Parquet none, which is not written from front to back."""
    format_, _ = _format(Path(), format_)
    if format_ == "parquet":
        cure = f'-o {view}.parquet; or agdb sql "FROM {view}" --format parquet'
        raise UsageError("Parquet is written to a file", cure=cure)
    header, lines, options = _content(con, view, format_, where, assembly, scorers)
    with pipe.into(_assemble(header, lambda: nullcontext(stream))) as rows:
        return _copied(con, lines, rows, options)


def _content(
    con: duckdb.DuckDBPyConnection, view: str, format_: str, where: str | None, assembly: str | None,
    scorers: Sequence[str],
) -> tuple[str, str, str]:  # fmt: skip
    """The header, the query of the rows or lines below it, and how DuckDB writes these."""
    query = selected(con, view, where, assembly)
    if format_ == "vcf":
        return *vcf.of(con, view, query, scorers), LINES
    if scorers:
        raise UsageError("--scorer chooses the scores of a VCF", cure="--where \"scorer = 'NAME'\" in other formats")
    if format_ in ("bed", "narrowPeak"):
        return "", bed.of(con, view, query, format_), LINES
    return "", f"{query} ORDER BY ALL", COPY[format_]


def to_folder(
    con: duckdb.DuckDBPyConnection, view: str, folder: Path, by: Sequence[str], *, where: str | None = None
) -> int:
    """Write a view to a new folder of Parquet files, one folder below it for each value of the columns `by` (Hive
    partitions: tissue=Liver/data_0.parquet); returns its rows.

    Raises:
        UsageError: no such view or column.
        Refused: the folder is there already and holds something, or cannot be written.
    """
    query = selected(con, view, where)
    columns = _columns(con, view)
    if unknown := [name for name in by if name not in columns]:
        raise UsageError(f"{view} has no column {unknown[0]!r}", cure=f"one of {', '.join(columns)}")
    if len(set(by)) == len(columns):
        raise UsageError("a partition by every column leaves none for the files", cure="fewer --partition-by")
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused("the folder holds something already", where=str(folder), cure="give a new or empty folder")
    if _ending(folder) in set(FORMATS) - {"parquet"}:
        raise UsageError("--partition-by writes a folder of Parquet", where=str(folder), cure=f"-o {folder.stem}")
    options = f"FORMAT parquet, PARTITION_BY ({', '.join(map(identifier, by))})"
    with whole(folder) as part:
        return _copied(con, f"{query} ORDER BY ALL", part, options)


def selected(con: duckdb.DuckDBPyConnection, view: str, where: str | None = None, assembly: str | None = None) -> str:
    """The SELECT of a view's rows that meet the conditions.

    Raises:
        UsageError: no such view, or the condition is not one over its columns.
    """
    if view not in (names := view_names(con)):
        raise UsageError(f"there is no view or table {view!r}", cure=f"one of {', '.join(names)}")
    query = f"SELECT * FROM {identifier(view)}"
    if where is not None:
        query += f" WHERE (\n{where}\n)"
        try:
            if len(con.extract_statements(query)) != 1:
                raise UsageError("--where is one condition", cure="join conditions by AND")
            con.execute(f"EXPLAIN {query}")
        except duckdb.Error as error:
            raise usage_error(con, error, skipped=-1) from error
    if assembly is not None:
        if "assembly" not in _columns(con, view):
            raise UsageError(f"{view} has no assembly", cure="leave --assembly out")
        known = [a for (a,) in con.execute("SELECT unnest(enum_range(NULL::assembly_t))::VARCHAR").fetchall()]
        if assembly not in known:
            raise UsageError(f"unknown assembly {assembly!r}", cure=f"one of {', '.join(known)}")
        query = f"SELECT * FROM ({query}) WHERE assembly = '{assembly}'"
    return query


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Where to write so that `path` is there when all of it is, and otherwise as before; of a link, what it names.

    Raises:
        UsageError: it is a device or a pipe, of which no part can be taken back.
        Refused: it cannot be written.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UsageError("this is a device or a pipe, no file", where=str(path), cure="-o FILE; or -o - for stdout")
    path = path.resolve() if path.is_symlink() else path
    part = path.with_name(f".{path.name}.part")
    try:
        _remove(part)  # of a run that was killed: DuckDB writes into no folder that holds something
        yield part
        if part.is_dir() and path.is_dir():
            path.rmdir()  # it is empty: the caller has looked
        part.replace(path)
    except (duckdb.IOException, OSError) as error:
        why = getattr(error, "strerror", None) or str(error).splitlines()[0]  # DuckDB's has no strerror
        cure = "give a folder that exists and can be written"
        raise Refused(f"cannot write: {why}", where=str(path), cure=cure) from error
    finally:
        with suppress(OSError):  # where it is there still, it is not complete
            _remove(part)


def _remove(part: Path) -> None:
    shutil.rmtree(part) if part.is_dir() else part.unlink(missing_ok=True)


def _ending(path: Path) -> str:
    """The ending of a file, without that of its compression."""
    return (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.removeprefix(".")


def _format(path: Path, format_: str | None) -> tuple[str, bool]:
    """The format, and whether the file is compressed besides."""
    is_packed, ending = path.suffix.lower() == ".gz", _ending(path)
    wanted = (format_ or ending).lower()
    by_lower = {name.lower(): name for name in FORMATS}
    if wanted not in by_lower:
        known = ", ".join(FORMATS)
        raise UsageError(
            f"unknown format {format_ or ending!r}", cure=f"one of {known}: as --format, or as the file's ending"
        )
    if is_packed and wanted == "parquet":
        raise UsageError("Parquet is compressed as it is", cure=f"-o {path.with_suffix('')}")
    return by_lower[wanted], is_packed


def _columns(con: duckdb.DuckDBPyConnection, view: str) -> list[str]:
    query = "SELECT column_name FROM duckdb_columns() WHERE table_name = ? AND NOT internal ORDER BY column_index"
    return [name for (name,) in con.execute(query, [view]).fetchall()]


def _copied(con: duckdb.DuckDBPyConnection, query: str, path: Path, options: str) -> int:
    """Write the rows of a query; returns how many they are."""
    return int(con.execute(copied(query, path, options)).fetchall()[0][0])


def _plain(part: Path) -> IO[bytes]:
    return part.open("wb")


@contextmanager
def _gzip(part: Path) -> Iterator[IO[bytes]]:
    with part.open("wb") as raw, gzip.GzipFile("", "wb", _LEVEL, raw, mtime=0) as file:
        yield cast(IO[bytes], file)


def _bgzip(part: Path) -> IO[bytes]:
    """Blocked gzip, which tabix and bcftools index."""
    from Bio import bgzf

    return cast(IO[bytes], bgzf.BgzfWriter(str(part), "wb", compresslevel=_LEVEL))  # type: ignore[no-untyped-call]


def _assemble(header: str, opened: Callable[[], AbstractContextManager[IO[bytes]]]) -> Take:
    """What writes the header and the lines that come after it."""

    def take(lines: IO[bytes]) -> None:
        with opened() as file:
            file.write(header.encode())
            while block := lines.read(1 << 16):  # bgzf takes no buffers, which copyfileobj may give
                file.write(block)

    return take
