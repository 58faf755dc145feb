"""Rows into the temp table `staged`, a part at a time: by name, typed, held to rules, and numbered by line.

A file that is not what it says is refused whole, with line and column. Rows that are well-formed but cannot be used
are moved to table `rejected` with a reason.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import duckdb
import pyarrow as pa

from agdb.errors import Refused, UsageError
from agdb.ingest import text
from agdb.ingest.rows import WHOLE, Part, Rows, guessed_types, identifier

#: More rejected rows than this share, and it is the file that is wrong, not its rows.
MAX_REJECTED_SHARE = 0.10
#: Rows that have to be read before a share of them means something.
_ENOUGH_ROWS = 1000

_OTHER = "this looks like another kind of file, or another assembly; nothing was kept"
_CURES = {"no_variant_at_position": "the table has no alleles: ingest the variants first (agdb ingest variants)"}

#: Told how many bytes of the file have been read.
Progress = Callable[[int], None]


class Rule(NamedTuple):
    """What a row must not be.

    Attributes:
        reason: One word, for table `rejected`.
        what: The same in words, for a refusal.
        broken: The condition, in SQL over the columns of `staged`.
        show: SQL of what to show of such a row.
        cure: What to do about it.
        is_fatal: Whether one such row refuses the file; else the row alone is rejected.
    """

    reason: str
    what: str
    broken: str
    show: str
    cure: str = "give the original file; are columns swapped?"
    is_fatal: bool = True


class Column(NamedTuple):
    """A column of the file that is read, and as what: a DuckDB type; those of `rows.WHOLE` are staged as DOUBLE."""

    name: str
    type: str


@dataclass(frozen=True)
class Plan:
    """How rows are read.

    Attributes:
        columns: What is read of the file: field to column.
        select: The columns of `staged`: name to SQL over the fields, and over `prepared`.
        rules: The first rule that a row breaks counts.
        derived: More fields: name to SQL over the columns of the file.
        where: SQL condition over the columns of the file; other rows are passed over.
        prepared: SQL columns made of the fields that more than one of `select` uses.
        adapt: What changes `staged` once it has held to the rules; the rows then have to hold to `adapted`.
        max_rejected: Largest share of rows that may be rejected.
        is_strict: Whether a number that is none refuses the file; else the row is rejected.
        unnested: A field that holds several values, separated by commas: each of them is a row of `staged`.
    """

    columns: Mapping[str, Column]
    select: Mapping[str, str]
    rules: Sequence[Rule]
    derived: Mapping[str, str] = field(default_factory=dict)
    where: str | None = None
    prepared: Mapping[str, str] = field(default_factory=dict)
    adapt: Sequence[Callable[[], None]] = ()
    adapted: Sequence[Rule] = ()
    max_rejected: float = MAX_REJECTED_SHARE
    is_strict: bool = True
    unnested: str | None = None

    def types(self, rows: Rows) -> dict[str, str]:
        """The columns of the file that are read, with their types: all of them where SQL may ask for any."""
        asked = {column.name: column.type for column in self.columns.values()}
        return {**guessed_types(rows), **asked} if self.derived or self.where else asked


@dataclass
class Counts:
    """Rows read (of those that were asked for), rows passed over, and rows rejected by reason."""

    read: int = 0
    passed_over: int = 0
    rejected: dict[str, int] = field(default_factory=dict)

    @property
    def kept(self) -> int:
        """Rows that were neither refused nor rejected."""
        return self.read - sum(self.rejected.values())


def load(
    con: duckdb.DuckDBPyConnection,
    rows: Rows,
    plan: Plan,
    source_id: str,
    store: Callable[[], None],
    progress: Progress = lambda n: None,
) -> Counts:
    """Read all rows, a part at a time, and have each part that holds to the rules stored from `staged`.

    Args:
        source_id: SQL, over `staged`, of the source that a rejected row belongs to.
        store: Called for every part; moves `staged` to where it belongs.

    Raises:
        Refused: a row has too many or too few columns or is blank, a number is no number, a row breaks a fatal rule,
        too
            many rows are rejected, or the file is damaged. The first such row is named.
    """
    counts = Counts()
    rules = [*_number_rules(plan), *plan.rules]
    with rows.parts(con, plan.types(rows), _spill(con)) as parts:
        for part in parts:
            line = _stage(con, rows, plan, part, counts)
            _hold(con, rows, part, line, rules, source_id, counts)
            for step in plan.adapt:
                step()
            _hold(con, rows, part, line, plan.adapted, source_id, counts)
            _not_too_many(rows.path, counts, plan.max_rejected, is_last=False)
            store()
            progress(rows.bytes_read)
    if counts.read and not counts.kept:
        told = ", ".join(f"{why}: {n:,}" for why, n in counts.rejected.items())
        raise Refused(
            f"not one row can be used ({told})", where=str(rows.path), cure=_CURES.get(told.split(":")[0], _OTHER)
        )
    if not counts.read:
        what = "no row meets the condition of --where" if counts.passed_over else "the file has no data rows"
        raise Refused(what, where=str(rows.path), cure="download or make it again")
    _not_too_many(rows.path, counts, plan.max_rejected, is_last=True)
    return counts


def _spill(con: duckdb.DuckDBPyConnection) -> Path:
    """The folder beside the database that DuckDB spills into."""
    return Path(str(con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]))


def _stage(con: duckdb.DuckDBPyConnection, rows: Rows, plan: Plan, part: Part, counts: Counts) -> str:
    """Stage a part; returns SQL of the line of a staged row."""
    fields = {name: identifier(column.name) for name, column in plan.columns.items()} | dict(plan.derived)
    prepared = "".join(f", {sql} AS {name}" for name, sql in plan.prepared.items())
    star, select = "*", dict(plan.select)
    if plan.where:
        fields["asked"], select["asked"] = f"coalesce(({plan.where}), false)", "asked"
    if plan.unnested:
        fields["line"], select["line"] = "row_number() OVER () - 1", "line"
        star = f"* REPLACE (unnest(string_split(coalesce({plan.unnested}, '(missing)'), ',')) AS {plan.unnested})"
    try:
        con.execute(
            f"CREATE OR REPLACE TEMP TABLE staged AS SELECT {_columns(select)} FROM "
            f"(SELECT {star}{prepared} FROM (SELECT {_columns(fields)} FROM ({part.select})))"
        )
    except (duckdb.InvalidInputException, duckdb.ConversionException) as error:
        raise _not_a_table(rows, part, error) from error
    except duckdb.BinderException as error:
        if not (plan.where or plan.derived):
            raise
        what = f"a condition or derived column cannot be computed: {str(error).splitlines()[0]}"
        raise UsageError(what, where=str(rows.path), cure=f"columns are {', '.join(rows.names)}") from error
    line = "line" if plan.unnested else "rowid"  # rows keep the order of the file, but their ids need not start at 0
    n, last, first = con.execute(
        f"SELECT count(*), coalesce(max({line}) - min({line}) + 1, 0), coalesce(min({line}), 0) FROM staged"
    ).fetchall()[0]
    if part.chunk and (part.chunk.has_nul or last != part.rows):
        text.refuse_lines(rows.path, part.chunk)
    if plan.where:
        con.execute("DELETE FROM staged WHERE NOT asked")
        asked = int(con.execute("SELECT count(*) FROM staged").fetchall()[0][0])
        n, counts.passed_over = asked, counts.passed_over + n - asked
    counts.read += n
    return f"{line} + {part.first_line - int(first)}"


def _columns(named: Mapping[str, str]) -> str:
    return ", ".join(f"{sql} AS {identifier(name)}" for name, sql in named.items())


def _hold(
    con: duckdb.DuckDBPyConnection,
    rows: Rows,
    part: Part,
    line: str,
    rules: Sequence[Rule],
    source_id: str,
    counts: Counts,
) -> None:
    """Refuse the file at the first row that breaks a fatal rule; move the rows that break another one to `rejected`.

    One pass tells which rules are broken at all: mostly none, and 2.4 M rows take 0.2 s. Finding the rows that break
    one is another matter, and done only then.
    """
    if not rules:
        return
    broken = con.execute(f"SELECT {', '.join(f'bool_or({rule.broken})' for rule in rules)} FROM staged").fetchall()[0]
    if not any(broken):
        return
    first_of = "CASE " + " ".join(f"WHEN {rule.broken} THEN {i}" for i, rule in enumerate(rules)) + " END"
    con.execute(f"CREATE OR REPLACE TEMP TABLE misfit AS SELECT rowid AS id, {line} AS line, {first_of} AS rule "
                f"FROM staged WHERE {first_of} IS NOT NULL")  # fmt: skip
    fatal = [i for i, rule in enumerate(rules) if rule.is_fatal]
    worst = con.execute("SELECT id, line, rule FROM misfit WHERE rule IN ? ORDER BY line LIMIT 1", [fatal]).fetchall()
    if worst:
        row, number, i = worst[0]
        shown = con.execute(f"SELECT {rules[i].show} FROM staged WHERE rowid = ?", [row]).fetchall()[0][0]
        raise Refused(f"{rules[i].what}: {shown}", where=f"{rows.path}, {rows.line} {number}", cure=rules[i].cure)
    as_read = "to_json(staged)::VARCHAR"
    if part.chunk:
        numbers = {n for (n,) in con.execute("SELECT line FROM misfit").fetchall()}
        found = text.lines_at(part.chunk, numbers)
        con.register("written", pa.table({"line": list(found), "text": list(found.values())}))
        as_read = "(SELECT w.text FROM written AS w WHERE w.line = m.line)"
    con.execute(
        f"INSERT INTO rejected SELECT {source_id}, m.line, (?::VARCHAR[])[m.rule + 1], {as_read} "
        "FROM staged JOIN misfit AS m ON m.id = staged.rowid ORDER BY m.line",
        [[rule.reason for rule in rules]],
    )
    for i, n in con.execute("SELECT rule, count(*) FROM misfit GROUP BY rule ORDER BY rule").fetchall():
        counts.rejected[rules[i].reason] = counts.rejected.get(rules[i].reason, 0) + n
    con.execute("DELETE FROM staged WHERE rowid IN (SELECT id FROM misfit)")


def _not_too_many(path: Path, counts: Counts, share: float, *, is_last: bool) -> None:
    n = sum(counts.rejected.values())
    if n <= share * counts.read or not (is_last or counts.read >= _ENOUGH_ROWS):
        return
    told = ", ".join(f"{why}: {n:,}" for why, n in counts.rejected.items())
    raise Refused(
        f"{n:,} of {counts.read:,} rows cannot be used ({told})",
        where=str(path),
        cure=_OTHER,
    )


def contig_end(assembly: str, chrom: str) -> str:
    """SQL of the length of the chromosome that the SQL `chrom` (of type chrom_t) names; NULL for NULL.

    The lengths are one list, looked up by the number of the chromosome: a subquery that is correlated with the row
    takes 2 seconds longer on 2.4 M rows.
    """
    lengths = f"(SELECT list(length ORDER BY chrom) FROM contig WHERE assembly = '{assembly}')"
    return f"{lengths}[enum_code({chrom}) + 1]"


def _number_rules(plan: Plan) -> list[Rule]:
    """NaN and infinities have no place in a column of numbers, nor fractions in one of whole numbers."""
    rules = []
    for name, (told, kind) in plan.columns.items():
        if name not in plan.select or (kind != "DOUBLE" and kind not in WHOLE):
            continue
        what, cure = f"column {told!r} is not a finite number", "leave the cell empty where there is no value"
        rules.append(Rule("not_finite", what, f"NOT isfinite({name})", f"{name}::VARCHAR", cure, plan.is_strict))
        if kind in WHOLE:
            what = f"column {told!r} is not a whole number up to {WHOLE[kind]:,}"
            broken = f"{name} <> trunc({name}) OR abs({name}) > {WHOLE[kind]}"
            rules.append(Rule("not_a_whole_number", what, broken, f"{name}::VARCHAR", is_fatal=plan.is_strict))
    return rules


#: What DuckDB says of a file, and what it means.
_MEANINGS = {
    "state machine": "the lines do not end alike (LF, CRLF, CR)",
    "Invalid unicode": "the line is not text (UTF-8)",
    "aximum line size": "the line is longer than 2 MB",
}


def _not_a_table(rows: Rows, part: Part, error: duckdb.Error) -> Refused:
    """DuckDB's report on a file in one sentence: what, at which line and column."""
    said = str(error)
    line = re.search(r"CSV Error on Line: (\d+)", said)
    where = f"{rows.path}, {rows.line} {int(line[1]) + part.first_line - 1}" if line else str(rows.path)
    cure = "mend that line, or download the file again"
    original = re.search(r"Original Line:\s*(#|track\b|browser\b)", said)
    bad = re.search(r"converting column \"c(\d+)\". Could not convert string \"(.*?)\" to '\w+'", said, re.DOTALL)
    count = re.search(r"Expected Number of Columns: (\d+) Found: (\d+)", said)
    meaning = next((meaning for sign, meaning in _MEANINGS.items() if sign in said), None)
    if bad:
        what, where = f"{bad[2][:80]!r} is not a number", f"{where}, column {rows.names[int(bad[1])]!r}"
    elif original:
        what, cure = "a comment stands between the rows", "comments stand before the first row: take the line out"
    elif count:
        what = f"the row has {count[2]} columns where {count[1]} are expected"
    else:
        what = meaning or f"the file cannot be read as a table: {said.strip().splitlines()[0]}"
    return Refused(what, where=where, cure=f"{cure}; nothing was kept")
