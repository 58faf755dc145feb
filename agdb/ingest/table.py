"""Rows into the temp table `staged`, a part at a time: by name, typed, held to rules, and numbered by line.

A file that is not what it says is refused whole, with line and column: its first such line, whatever the size of the
parts. Rows that are well-formed but cannot be used are moved to table `rejected` with a reason.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import duckdb
import pyarrow as pa

from agdb.errors import Refused, UsageError
from agdb.ingest import damage, text
from agdb.ingest.cells import NOT_A_NUMBER, NOT_FINITE, NOT_WHOLE, ODD_CELL, WHOLE, cell, unread
from agdb.ingest.part import Part
from agdb.ingest.plan import Counts, Plan, Rule
from agdb.ingest.rows import Rows
from agdb.query import identifier

_OTHER = "this looks like another kind of file, or another assembly; nothing was kept"
_CURES = {"no_variant_at_position": "the table has no alleles: ingest the variants first (agdb ingest variants)"}
_AGAIN = "mend that line, or download the file again; nothing was kept"

#: Told how many bytes of the file have been read.
Progress = Callable[[int], None]


#: What DuckDB says of SQL that means nothing, and of SQL that cannot be computed for some row.
_SENSELESS = (duckdb.ParserException, duckdb.CatalogException, duckdb.BinderException, duckdb.NotImplementedException)
_FAILED = (duckdb.InvalidInputException, duckdb.ConversionException, duckdb.OutOfRangeException)


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
        UsageError: the SQL of the plan looks at more than a row.
        Refused: a row has too many or too few columns or is blank, a number is no number, a row breaks a fatal rule,
            too many rows are rejected, or the file is damaged. The first such row is named.
    """
    plan.hold_to_one_row(con, rows.path)
    staging = _Staging(con, rows, plan, source_id)
    with rows.parts(con, plan.types(rows), _spill(con)) as parts:
        for part in parts:
            staging.take(part)
            store()
            progress(rows.bytes_read)
    counts = staging.counts
    order = [rule.reason for rule in (*staging.rules, *plan.adapted)]  # whatever part they were met in
    counts.rejected = dict(sorted(counts.rejected.items(), key=lambda rejected: order.index(rejected[0])))
    told = ", ".join(f"{why}: {n:,}" for why, n in counts.rejected.items())
    if not counts.read:
        what = plan.unmet if counts.passed_over else "the file has no data rows"
        raise Refused(what, where=str(rows.path), cure="download or make it again")
    if not counts.kept:
        cure = _CURES.get(told.split(":")[0], _OTHER)
        raise Refused(f"not one row can be used ({told})", where=str(rows.path), cure=cure)
    n = sum(counts.rejected.values())
    if n > plan.max_rejected * counts.read:
        what = f"{n:,} of {counts.read:,} rows cannot be used ({told})"
        raise Refused(what, where=str(rows.path), cure=_OTHER)
    return counts


def _spill(con: duckdb.DuckDBPyConnection) -> Path:
    """The folder beside the database that DuckDB spills into."""
    return Path(str(con.execute("SELECT current_setting('temp_directory')").fetchall()[0][0]))


@dataclass
class _Staging:
    """A file on its way through `staged`. `source_id` is SQL; `blank` is a blank line after which no row came yet."""

    con: duckdb.DuckDBPyConnection
    rows: Rows
    plan: Plan
    source_id: str
    counts: Counts = field(default_factory=Counts)
    blank: int = 0

    @cached_property
    def rules(self) -> list[Rule]:
        """What a row must not be before it is adapted."""
        return [*self.plan.first, *_cell_rules(self.plan), *self.plan.rules]

    def take(self, part: Part) -> None:
        """Stage a part, and hold it to the rules before and after it is adapted."""
        line = self._stage_or_refuse(part)
        self._hold(part, line, self.rules)
        for step in self.plan.adapt:
            step()
        self._hold(part, line, self.plan.adapted)

    def _stage_or_refuse(self, part: Part) -> str:
        """Stage a part; returns SQL of the line of a staged row.

        Raises:
            Damaged: a line is no row, and those before it break no rule: whatever is wrong first is told.
        """
        if self.blank and not (part.chunk and part.chunk.is_blank):
            raise damage.between_rows(self.rows.path, self.blank)
        try:
            return self._stage(part)
        except damage.Damaged as damaged:
            if part.chunk and damaged.line > part.first_line:
                chunk = damage.before(part.chunk, damaged.line)
                before = part._replace(chunk=chunk, rows=chunk.lines)
                self._hold(before, self._stage(before, is_sound=True), self.rules)
            raise

    def _stage(self, part: Part, *, is_sound: bool = False) -> str:
        chunk = part.chunk
        if chunk and chunk.is_odd and not is_sound:
            self._look(chunk, lines=chunk.lines)
        try:
            self.con.execute(f"CREATE OR REPLACE TEMP TABLE staged AS {_select(self.rows, self.plan, part)}")
        except (*_SENSELESS, *_FAILED) as error:
            raise self._unreadable(error) from error
        # rows keep the order of the file, but their ids need not start at 0
        line = "line" if self.plan.unnested else "rowid"
        n, lines, first = self.con.execute(
            f"SELECT count(*), coalesce(max({line}) - min({line}) + 1, 0), coalesce(min({line}), 0) FROM staged"
        ).fetchall()[0]
        if chunk and not is_sound and (lines, lines * (self.rows.shape.columns - 1)) != (chunk.lines, chunk.delimiters):
            self._look(chunk, lines)
        self.plan.whole()
        if self.plan.where:
            self.con.execute("DELETE FROM staged WHERE NOT asked")
            asked = int(self.con.execute("SELECT count(*) FROM staged").fetchall()[0][0])
            n, self.counts.passed_over = asked, self.counts.passed_over + n - asked
        self.counts.read += n
        self.plan.staged()
        return f"{line} + {part.first_line - int(first)}"

    def _look(self, chunk: text.Chunk, lines: int) -> None:
        """Look at every line, since rows, lines and delimiters do not add up, or a byte is odd.

        Raises:
            Damaged: a line is no row.
        """
        looked = damage.look(self.rows.path, chunk, self.rows.shape)
        if looked.damaged:
            raise looked.damaged
        if looked.rows != lines:
            raise Refused(f"{looked.rows:,} lines were read as {lines:,} rows", where=str(self.rows.path),
                          cure="are there line ends or delimiters within its cells?")  # fmt: skip
        self.blank = self.blank or looked.blank

    def _unreadable(self, error: duckdb.Error) -> Exception:
        """What is wrong with rows that DuckDB did not compute."""
        said = str(error).strip().splitlines()[0]
        if self.plan.where or self.plan.derived:
            what = "a condition or derived column cannot be computed"
            cure = f"columns are {', '.join(self.rows.names)}; name::VARCHAR is a column as text"
            return UsageError(f"{what}: {said}", where=str(self.rows.path), cure=cure)
        if not isinstance(error, _FAILED):
            return error  # a bug of agdb
        return Refused(f"the file cannot be read as a table: {said}", where=str(self.rows.path), cure=_AGAIN)

    def _hold(self, part: Part, line: str, rules: Sequence[Rule]) -> None:
        """Refuse the file at the first row that breaks a fatal rule; move the rows that break another to `rejected`.

        One pass tells which rules are broken at all: mostly none, and 2.4 M rows take 0.1 s. Finding the rows that
        break one is another matter, and done only then.
        """
        if not rules:
            return
        asked = [f"count({column}) > 0" for column in dict.fromkeys(rule.of for rule in rules) if column]
        asked += [f"bool_or({rule.broken})" for rule in rules if rule.of is None]
        if not any(self.con.execute(f"SELECT {', '.join(asked)} FROM staged").fetchall()[0]):
            return
        first_of = "CASE " + " ".join(f"WHEN {rule.broken} THEN {i}" for i, rule in enumerate(rules)) + " END"
        self.con.execute(
            f"CREATE OR REPLACE TEMP TABLE misfit AS SELECT rowid AS id, {line} AS line, {first_of} AS rule "
            f"FROM staged WHERE {first_of} IS NOT NULL"
        )
        fatal = [i for i, rule in enumerate(rules) if rule.is_fatal]
        query = "SELECT id, line, rule FROM misfit WHERE rule IN ? ORDER BY line LIMIT 1"
        for row, number, i in self.con.execute(query, [fatal]).fetchall():
            shown = self.con.execute(f"SELECT {rules[i].show} FROM staged WHERE rowid = ?", [row]).fetchall()[0][0]
            raise self._refused(number, rules[i], str(shown))
        self._reject(part, rules)

    def _refused(self, number: int, rule: Rule, shown: str) -> Refused:
        where = f"{self.rows.path}, {self.rows.line} {number}"
        if rule.show != "odd_cell":
            return Refused(f"{rule.what}: {shown}", where=where, cure=rule.cure)
        _, place, value = shown.split("|", 2)
        name = self.rows.names[int(place)]
        kind = next((column.type for column in self.plan.columns.values() if column.name == name), "")
        if rule.reason == NOT_A_NUMBER:
            cure = (
                rule.cure if kind else f"its first rows are numbers or empty: is it text? {identifier(name)}::VARCHAR"
            )
            return Refused(f"{value[:80]!r} {rule.what}", where=f"{where}, column {name!r}", cure=cure)
        limit = f" up to {WHOLE[kind]:,}" if rule.reason == NOT_WHOLE else ""
        return Refused(f"column {name!r} {rule.what}{limit}: {value}", where=where, cure=rule.cure)

    def _reject(self, part: Part, rules: Sequence[Rule]) -> None:
        """Move the rows of `misfit` to `rejected`, as they stand in the file."""
        as_read = "to_json(staged)::VARCHAR"
        if part.chunk:
            numbers = {n for (n,) in self.con.execute("SELECT line FROM misfit").fetchall()}
            found = damage.lines_at(part.chunk, numbers)
            self.con.register("written", pa.table({"line": list(found), "text": list(found.values())}))
            as_read = "(SELECT w.text FROM written AS w WHERE w.line = m.line)"
        self.con.execute(
            f"INSERT INTO rejected SELECT {self.source_id}, m.line, (?::VARCHAR[])[m.rule + 1], {as_read} "
            "FROM staged JOIN misfit AS m ON m.id = staged.rowid ORDER BY m.line",
            [[rule.reason for rule in rules]],
        )
        query = "SELECT rule, count(*) FROM misfit GROUP BY rule ORDER BY rule"
        for i, n in self.con.execute(query).fetchall():
            self.counts.rejected[rules[i].reason] = self.counts.rejected.get(rules[i].reason, 0) + n
        self.con.execute("DELETE FROM staged WHERE rowid IN (SELECT id FROM misfit)")


def _select(rows: Rows, plan: Plan, part: Part) -> str:
    """SQL of the rows of `staged`: fields of the file's cells, then `prepared`, then `select`."""
    places = {name: i for i, name in enumerate(rows.names)}
    named = "".join(f", {cell(places[name])} AS {identifier(name)}" for name in plan.spoken_of(rows))
    fields = {name: cell(places[column.name]) for name, column in plan.columns.items()} | dict(plan.derived)
    fields["odd_cell"] = ODD_CELL
    prepared = "".join(f", {sql} AS {name}" for name, sql in plan.prepared.items())
    star, select = "*", {**plan.select, "odd_cell": "odd_cell"}
    if plan.where:
        # what the condition says of a cell that could not be read says nothing: the row stays, for the rules to refuse
        is_unread = "".join(f" OR {unread(places[name])}" for name in plan.spoken_of(rows, plan.where))
        fields["asked"], select["asked"] = f"coalesce((\n{plan.where}\n), false){is_unread}", "asked"
    if plan.unnested:
        fields["line"], select["line"] = "row_number() OVER () - 1", "line"
        star = f"* REPLACE (unnest(string_split(coalesce({plan.unnested}, '(missing)'), ',')) AS {plan.unnested})"
    return (
        f"SELECT {_columns(select)} FROM (SELECT {star}{prepared} FROM "
        f"(SELECT {_columns(fields)} FROM (SELECT *{named} FROM ({part.select}))))"
    )


def _columns(named: Mapping[str, str]) -> str:
    return ", ".join(f"{sql} AS {identifier(name)}" for name, sql in named.items())


def contig_end(assembly: str, chrom: str) -> str:
    """SQL of the length of the chromosome that the SQL `chrom` (of type chrom_t) names; NULL for NULL.

    The lengths are one list, looked up by the number of the chromosome: a subquery that is correlated with the row
    takes 2 seconds longer on 2.4 M rows.
    """
    lengths = f"(SELECT list(length ORDER BY chrom) FROM contig WHERE assembly = '{assembly}')"
    return f"{lengths}[enum_code({chrom}) + 1]"


def _cell_rules(plan: Plan) -> list[Rule]:
    """NaN and infinities have no place in a column of numbers, nor fractions in one of whole numbers, nor text in any.

    Of a derived column it is known only when it is computed whether it holds numbers.
    """
    cure = "leave the cell empty where there is no value"
    rules = [
        Rule(NOT_A_NUMBER, "is not a number", f"starts_with(odd_cell, '{NOT_A_NUMBER}')", "odd_cell", _AGAIN,
             of="odd_cell"),
        Rule(NOT_FINITE, "is not a finite number", f"starts_with(odd_cell, '{NOT_FINITE}')", "odd_cell", cure,
             plan.is_strict, "odd_cell"),
        Rule(NOT_WHOLE, "is not a whole number", f"starts_with(odd_cell, '{NOT_WHOLE}')", "odd_cell",
             is_fatal=plan.is_strict, of="odd_cell"),
    ]  # fmt: skip
    for name in plan.derived.keys() & plan.select.keys():
        broken = f"typeof({name}) = 'DOUBLE' AND NOT isfinite(TRY_CAST({name} AS DOUBLE))"
        rules.append(
            Rule(NOT_FINITE, f"{name} is not a finite number", broken, f"{name}::VARCHAR", cure, plan.is_strict)
        )
    return rules
