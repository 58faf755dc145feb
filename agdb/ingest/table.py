"""A delimited file into the temp table `staged`: by name, typed, with line numbers; and rules over its rows.

A file that is not what it says is refused whole, with line and column. Rows that are well-formed but cannot be used
are moved to table `rejected` with a reason.
"""

import gzip
import re
import zlib
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple, TextIO, cast

import duckdb

from agdb.errors import Refused

#: More rejected rows than this share, and it is the file that is wrong, not its rows.
MAX_REJECTED_SHARE = 0.10

#: Largest absolute value of the types of whole numbers. They are read as DOUBLE first: DuckDB would round 1.5 to 2 in
#: silence, and read 0x10 as 16.
WHOLE = {"INTEGER": 2**31 - 1, "TINYINT": 2**7 - 1}

#: The type of a column that is there but not wanted.
IGNORED = ""

#: A chromosome that is written well but is not a primary one (alternate loci, unplaced contigs, decoys).
OTHER_CONTIG = r"^(chr)?([0-9XYM]+_.*(random|alt|fix|hap[0-9]*)|Un_.*|EBV|(GL|KI|JH|KN|KQ|KV|KZ|ML)[0-9.]+(_.*)?)$"


class Rule(NamedTuple):
    """A condition on staged rows, in SQL: which rows, why, what to show, and (for a refusal) the cure."""

    reason: str
    where: str
    show: str
    cure: str = ""


class Layout(NamedTuple):
    """How a file is laid out: `columns` maps every column, in file order, to its DuckDB type or to `IGNORED`."""

    columns: dict[str, str]
    delimiter: str = "\t"
    skip: int = 1


def is_gzip(path: Path) -> bool:
    """By its first two bytes: names lie."""
    with path.open("rb") as file:
        return file.read(2) == b"\x1f\x8b"


def _text(path: Path) -> TextIO:
    if is_gzip(path):
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig"))
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
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
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


class _Scan(NamedTuple):
    """What reading a file byte by byte tells, and DuckDB does not."""

    lines: int
    has_nul: bool


def _scan(path: Path) -> _Scan:
    """Read all of a file: this also proves the checksum of a gzip, which DuckDB does not check."""
    lines, has_nul, last = 0, False, b"\n"
    with gzip.open(path, "rb") if is_gzip(path) else path.open("rb") as file:
        while chunk := file.read(1 << 20):
            lines, has_nul, last = lines + chunk.count(b"\n"), has_nul or b"\0" in chunk, chunk[-1:]
    return _Scan(lines + (last != b"\n"), has_nul)


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


def stage(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    layout: Layout,
    refused: Sequence[Rule],
    rejected: Sequence[Rule] = (),
    extra: str = "",
) -> int:
    """Load the file into temp table `staged`, hold its rows to the rules, and return how many there were.

    The rules are evaluated in the same pass that parses the file, over its columns and `extra` (SQL columns made of
    them, for the rules only): each row keeps the number of the first rule that it breaks. Whole numbers are staged as
    DOUBLE; the table that they go to gives them their type. A row's line comes from its rowid: counting rows while
    they are read would keep the file from being parsed on all cores.

    Raises:
        Refused: a row has too many or too few columns or is blank, a number is no number, a row breaks a rule of
            `refused`, or the file is damaged. The first such row is named.
    """
    rules = [*_number_rules(layout), *refused]
    con.execute("DROP TABLE IF EXISTS temp.staged")
    with ThreadPoolExecutor(1) as pool:
        scan = pool.submit(_scan, path)
        try:
            con.execute(
                f"CREATE TEMP TABLE staged AS SELECT {_kept(layout)}, {_first_of(rules)} AS broken, "
                f"{_first_of(rejected)} AS unusable FROM (SELECT *{extra} FROM ({_rows_of(path, layout)}))"
            )
            error = None
        except duckdb.Error as caught:
            error = caught
        try:
            seen = scan.result()
        except (EOFError, zlib.error, gzip.BadGzipFile) as damage:
            raise _broken_gzip(path, damage) from damage
    if error:
        raise _csv_error(path, list(layout.columns), error) from error
    rows = int(con.execute("SELECT count(*) FROM staged").fetchall()[0][0])
    if not rows:
        raise Refused("the file has no data rows", where=str(path), cure="download or make it again")
    if seen.has_nul or seen.lines != rows + layout.skip:
        _refuse_lines(path, layout.skip)
    _refuse_broken(con, path, layout, rules, extra)
    return rows


def _kept(layout: Layout) -> str:
    return ", ".join(f'"{name}"' for name, kind in layout.columns.items() if kind != IGNORED)


def _rows_of(path: Path, layout: Layout) -> str:
    """SQL that reads the file: its wanted columns, by name."""
    kinds = list(layout.columns.values())
    types = ", ".join(f"'c{i}': '{'DOUBLE' if kind in WHOLE else kind or 'VARCHAR'}'" for i, kind in enumerate(kinds))
    kept = ", ".join(f'c{i} AS "{name}"' for i, (name, kind) in enumerate(layout.columns.items()) if kind != IGNORED)
    return (
        f"SELECT {kept} FROM read_csv({_one_file(path)}, delim='{layout.delimiter}', header=false, skip={layout.skip}, "
        f"auto_detect=false, hive_partitioning=false, quote='', escape='', nullstr=['', 'NA'], "
        f"compression='{'gzip' if is_gzip(path) else 'none'}', columns={{{types}}})"
    )


def _first_of(rules: Sequence[Rule]) -> str:
    """SQL of the number of the first rule that a row breaks; NULL where it breaks none."""
    if not rules:
        return "NULL::UTINYINT"
    return "CASE " + " ".join(f"WHEN {rule.where} THEN {i}" for i, rule in enumerate(rules)) + " END::UTINYINT"


def _refuse_broken(
    con: duckdb.DuckDBPyConnection, path: Path, layout: Layout, rules: Sequence[Rule], extra: str
) -> None:
    """Refuse the file at the first staged row that breaks a rule."""
    line = _line(layout)
    first = con.execute(f"SELECT rowid, {line}, broken FROM staged WHERE broken IS NOT NULL ORDER BY rowid LIMIT 1")
    found = first.fetchall()
    if not found:
        return
    rowid, number, broken = found[0]
    rule = rules[broken]
    shown = con.execute(f"SELECT {rule.show} FROM (SELECT *{extra} FROM staged WHERE rowid = ?)", [rowid])
    raise Refused(f"{rule.reason}: {shown.fetchall()[0][0]}", where=f"{path}, line {number}", cure=rule.cure)


def _line(layout: Layout) -> str:
    """SQL of the line of a staged row: rows keep the order of the file, but their ids do not start at 0."""
    return f"rowid - (SELECT min(rowid) FROM staged) + {layout.skip + 1}"


def contig_end(assembly: str, chrom: str) -> str:
    """SQL of the length of the chromosome that the SQL text `chrom` names; NULL for any other name.

    The lengths are one list, looked up by the number of the chromosome: a subquery that is correlated with the row
    takes 2 seconds longer on 2.4 M rows.
    """
    lengths = f"(SELECT list(length ORDER BY chrom) FROM contig WHERE assembly = '{assembly}')"
    return f"{lengths}[enum_code(TRY_CAST({chrom} AS chrom_t)) + 1]"


def _one_file(path: Path) -> str:
    """SQL of the path of this one file: no pattern, no address, whatever characters are in it."""
    return "'" + re.sub(r"[*?[]", r"[\g<0>]", str(path.absolute())).replace("'", "''") + "'"


def _refuse_lines(path: Path, skip: int) -> None:
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


def _number_rules(layout: Layout) -> list[Rule]:
    """NaN and infinities have no place in a column of numbers, nor fractions in one of whole numbers."""
    rules = []
    for name, kind in layout.columns.items():
        if kind == "DOUBLE" or kind in WHOLE:
            rules.append(Rule(f"column {name!r} is not a finite number", f'NOT isfinite("{name}")',
                              f'"{name}"::VARCHAR', "leave the cell empty where there is no value"))  # fmt: skip
        if kind in WHOLE:
            rules.append(Rule(f"column {name!r} is not a whole number up to {WHOLE[kind]:,}",
                              f'"{name}" <> trunc("{name}") OR abs("{name}") > {WHOLE[kind]}', f'"{name}"::VARCHAR',
                              "give the original file; are columns swapped?"))  # fmt: skip
    return rules


#: What DuckDB says of a file, and what it means.
_MEANINGS = {
    "state machine": "the lines do not end alike (LF, CRLF, CR)",
    "Invalid unicode": "the line is not text (UTF-8)",
    "aximum line size": "the line is longer than 2 MB",
}


def _csv_error(path: Path, names: list[str], error: duckdb.Error) -> Refused:
    """DuckDB's report on a CSV file in one sentence: what, at which line and column."""
    text = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", text)
    where, cure = f"{path}, line {line[1]}" if line else str(path), "mend that line, or download the file again"
    original = re.search(r"Original Line:\s*(#|track\b|browser\b)", text)
    bad = re.search(r"converting column \"c(\d+)\". Could not convert string \"(.*?)\" to '\w+'", text, re.DOTALL)
    count = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", text)
    meaning = next((meaning for sign, meaning in _MEANINGS.items() if sign in text), None)
    if bad:
        what, where = f"{bad[2][:80]!r} is not a number", f"{where}, column {names[int(bad[1])]!r}"
    elif original:
        what, cure = "a comment stands between the rows", "comments stand before the first row: take the line out"
    elif count:
        what = f"the row has {count[2]} columns where {count[1]} are expected"
    else:
        what = meaning or f"the file cannot be read as a table: {text.strip().splitlines()[0]}"
    return Refused(what, where=where, cure=f"{cure}; nothing was kept")


def reject(
    con: duckdb.DuckDBPyConnection, path: Path, layout: Layout, source_id: int, rules: Sequence[Rule]
) -> dict[str, int]:
    """Move the staged rows that break a rule of `rejected` to that table; returns the counts by reason.

    Raises:
        Refused: more than `MAX_REJECTED_SHARE` of the rows would go.
    """
    found = con.execute("SELECT unusable, count(*) FROM staged GROUP BY 1 ORDER BY 1").fetchall()
    counts = {rules[i].reason: n for i, n in found if i is not None}
    total = sum(n for _, n in found)
    if sum(counts.values()) > MAX_REJECTED_SHARE * total:
        told = ", ".join(f"{why}: {n:,}" for why, n in counts.items())
        raise Refused(
            f"{sum(counts.values()):,} of {total:,} rows cannot be used ({told})",
            where=str(path),
            cure="this looks like another kind of file, or another assembly; nothing was kept",
        )
    if counts:
        cells = ", ".join(f'"{name}" := "{name}"::{kind}' for name, kind in layout.columns.items() if kind != IGNORED)
        con.execute(
            f"INSERT INTO rejected SELECT ?, {_line(layout)}, ?[unusable + 1], "
            f"to_json(struct_pack({cells}))::VARCHAR FROM staged WHERE unusable IS NOT NULL",
            [source_id, [rule.reason for rule in rules]],
        )
        con.execute("DELETE FROM staged WHERE unusable IS NOT NULL")
    return counts
