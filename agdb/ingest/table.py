"""A delimited file into the temp table `staged`: by name, typed, with line numbers; and rules over its rows.

A file that is not what it says is refused whole, with line and column. Rows that are well-formed but cannot be used
are moved to table `rejected` with a reason.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import duckdb

from agdb.errors import Refused
from agdb.ingest import text

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
    with text.unpacked(path, _spill(con)) as plain:
        try:
            con.execute(
                f"CREATE TEMP TABLE staged AS SELECT {_kept(layout)}, {_first_of(rules)} AS broken, "
                f"{_first_of(rejected)} AS unusable FROM (SELECT *{extra} FROM ({_rows_of(plain.path, layout)}))"
            )
        except duckdb.Error as error:
            raise _csv_error(path, list(layout.columns), error) from error
    rows = int(con.execute("SELECT count(*) FROM staged").fetchall()[0][0])
    if not rows:
        raise Refused("the file has no data rows", where=str(path), cure="download or make it again")
    if plain.has_nul or plain.lines != rows + layout.skip:
        text.refuse_lines(path, layout.skip)
    _refuse_broken(con, path, layout, rules, extra)
    return rows


def _spill(con: duckdb.DuckDBPyConnection) -> Path:
    """The folder beside the database that DuckDB spills into."""
    return Path(str(con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]))


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
        f"compression='none', columns={{{types}}})"
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
    said = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", said)
    where, cure = f"{path}, line {line[1]}" if line else str(path), "mend that line, or download the file again"
    original = re.search(r"Original Line:\s*(#|track\b|browser\b)", said)
    bad = re.search(r"converting column \"c(\d+)\". Could not convert string \"(.*?)\" to '\w+'", said, re.DOTALL)
    count = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", said)
    meaning = next((meaning for sign, meaning in _MEANINGS.items() if sign in said), None)
    if bad:
        what, where = f"{bad[2][:80]!r} is not a number", f"{where}, column {names[int(bad[1])]!r}"
    elif original:
        what, cure = "a comment stands between the rows", "comments stand before the first row: take the line out"
    elif count:
        what = f"the row has {count[2]} columns where {count[1]} are expected"
    else:
        what = meaning or f"the file cannot be read as a table: {said.strip().splitlines()[0]}"
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
