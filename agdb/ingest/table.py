"""A delimited file into the temp table `staged`: by name, typed, with line numbers; and rules over its rows.

A file that is not what it says is refused whole, with line and column. Rows that are well-formed but cannot be used
are moved to table `rejected` with a reason.
"""

import gzip
import re
import zlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

import duckdb

from agdb.errors import Refused

#: More rejected rows than this share, and it is the file that is wrong, not its rows.
MAX_REJECTED_SHARE = 0.10

#: A chromosome that is written well but is not a primary one (alternate loci, unplaced contigs, decoys).
OTHER_CONTIG = r"^(chr)?([0-9XYM]+_.*(random|alt|fix|hap[0-9]*)|Un_.*|EBV|(GL|KI|JH|KN|KQ|KV|KZ|ML)[0-9.]+(_.*)?)$"


class Rule(NamedTuple):
    """A condition on staged rows, in SQL: which rows, why, what to show, and (for a refusal) the cure."""

    reason: str
    where: str
    show: str
    cure: str = ""


class Layout(NamedTuple):
    """How a file is laid out: `columns` maps every column, in file order, to its DuckDB type."""

    columns: dict[str, str]
    delimiter: str = "\t"
    skip: int = 1
    comment: str = ""


def is_gzip(path: Path) -> bool:
    """By its first two bytes: names lie."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def first_lines(path: Path, n: int) -> list[str]:
    """The first n lines (decompressed, without line ends).

    Raises:
        Refused: no such file, a folder, empty, not text, or a gzip that cannot be read.
    """
    if not path.is_file():
        what = "this is a folder, not a file" if path.is_dir() else "there is no such file"
        raise Refused(what, where=str(path), cure="check the path")
    try:
        with gzip.open(path, "rt", encoding="utf-8-sig") if is_gzip(path) else path.open(encoding="utf-8-sig") as file:
            lines = [line.rstrip("\r\n") for _, line in zip(range(n), file, strict=False)]
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _broken_gzip(path, error) from error
    except UnicodeDecodeError as error:
        raise Refused("this is not a text file (UTF-8)", where=str(path), cure="check that it is the right one") from error
    except PermissionError as error:
        raise Refused("the file cannot be read", where=str(path), cure="check its permissions") from error
    if not lines or not "".join(lines).strip():
        raise Refused("the file is empty", where=str(path), cure="download or make it again")
    return lines


def _broken_gzip(path: Path, error: Exception) -> Refused:
    return Refused(
        f"the gzip file is cut short or damaged ({error})", where=str(path), cure="download it again; nothing was kept"
    )


def _read_through(path: Path) -> None:
    """Decompress all of it for the checksum that DuckDB does not check."""
    with gzip.open(path, "rb") as file:
        while file.read(1 << 20):
            pass


def header(path: Path, delimiter: str = "\t") -> list[str]:
    """The column names of a delimited file with a header.

    Raises:
        Refused: as `first_lines`; or the header is not delimited by `delimiter`, or names a column twice.
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


def stage(con: duckdb.DuckDBPyConnection, path: Path, layout: Layout, extra: str = "") -> int:
    """Load the file into temp table `staged` (column `line`, then its own, then `extra` SQL); returns its rows.

    Raises:
        Refused: a row has too many or too few columns, a number is no number, or the gzip is damaged.
    """
    columns = ", ".join(f"{_literal(name)}: '{kind}'" for name, kind in layout.columns.items())
    compression = "gzip" if is_gzip(path) else "none"
    comment = f", comment={_literal(layout.comment)}" if layout.comment else ""
    con.execute("DROP TABLE IF EXISTS temp.staged")
    with ThreadPoolExecutor(1) as pool:
        intact = pool.submit(_read_through, path) if compression == "gzip" else None
        try:
            con.execute(
                f"CREATE TEMP TABLE staged AS SELECT row_number() OVER () + {layout.skip} AS line, *{extra} "
                f"FROM read_csv({_literal(str(path))}, delim={_literal(layout.delimiter)}, header=false, "
                f"skip={layout.skip}, auto_detect=false, quote='', escape='', nullstr=['', 'NA'], "
                f"compression='{compression}'{comment}, columns={{{columns}}})"
            )
        except duckdb.Error as error:
            _raise_if_broken(path, intact)
            raise _csv_error(path, error) from error
        _raise_if_broken(path, intact)
    rows = int(con.execute("SELECT count(*) FROM staged").fetchall()[0][0])
    if not rows:
        raise Refused("the file has no data rows", where=str(path), cure="download or make it again")
    return rows


def _raise_if_broken(path: Path, intact: "Future[None] | None") -> None:
    try:
        if intact:
            intact.result()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise _broken_gzip(path, error) from error


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _csv_error(path: Path, error: duckdb.Error) -> Refused:
    """DuckDB's report on a CSV file in one sentence: what, at which line and column."""
    text = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", text)
    where = f"{path}, line {line[1]}" if line else str(path)
    bad = re.search(r"Error when converting column \"(.+?)\". Could not convert string \"(.*?)\" to '(\w+)'", text)
    count = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    if bad:
        what, where = f"{bad[2]!r} is not a number" if bad[3] != "VARCHAR" else text, f"{where}, column {bad[1]!r}"
    elif count:
        what = f"the row has {count[2]} columns where {count[1]} are expected"
    else:
        what = f"the file cannot be read as a table: {text.splitlines()[0]}"
    return Refused(what, where=where, cure="mend that line, or download the file again; nothing was kept")


def refuse(con: duckdb.DuckDBPyConnection, path: Path, rules: Sequence[Rule]) -> None:
    """Refuse the file at the first staged row that breaks a rule. One scan for all rules."""
    firsts = con.execute("SELECT " + ", ".join(f"min(line) FILTER ({r.where})" for r in rules) + " FROM staged")
    broken = [(line, i) for i, line in enumerate(firsts.fetchall()[0]) if line is not None]
    if not broken:
        return
    line, i = min(broken)
    shown = con.execute(f"SELECT {rules[i].show} FROM staged WHERE line = ?", [line]).fetchall()[0][0]
    raise Refused(f"{rules[i].reason}: {shown}", where=f"{path}, line {line}", cure=rules[i].cure)


def reject(con: duckdb.DuckDBPyConnection, path: Path, source_id: int, rules: Sequence[Rule]) -> dict[str, int]:
    """Move the staged rows that break a rule to `rejected`; returns the counts by reason.

    Raises:
        Refused: more than `MAX_REJECTED_SHARE` of the rows would go.
    """
    reason = "CASE " + " ".join(f"WHEN {r.where} THEN '{r.reason}'" for r in rules) + " END"
    found = con.execute(f"SELECT {reason} AS reason, count(*) FROM staged GROUP BY 1 ORDER BY 1").fetchall()
    counts = {why: n for why, n in found if why}
    total = sum(n for _, n in found)
    if sum(counts.values()) > MAX_REJECTED_SHARE * total:
        told = ", ".join(f"{why}: {n:,}" for why, n in counts.items())
        raise Refused(
            f"{sum(counts.values()):,} of {total:,} rows cannot be used ({told})",
            where=str(path),
            cure="this looks like another kind of file, or another assembly; nothing was kept",
        )
    if counts:
        con.execute(
            f"INSERT INTO rejected SELECT ?, line, {reason}, to_json(staged)::VARCHAR FROM staged WHERE {reason} IS NOT NULL",
            [source_id],
        )
        con.execute(f"DELETE FROM staged WHERE {reason} IS NOT NULL")
    return counts
