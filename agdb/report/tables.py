"""Tables of a report: the same cells for the page and for Markdown. A cell that is a number of `result` links to it."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import duckdb

from agdb.analysis.paired import Versus
from agdb.analysis.paired import verdict as difference
from agdb.query import records
from agdb.report.found import WHOLE, Found, Group, Result


class Cell(NamedTuple):
    """What is shown; what it is sorted by (None: last); the result_id that it links to."""

    text: str
    value: float | str | None = None
    result_id: int | None = None


class Column(NamedTuple):
    """A column: its head, and whether it holds numbers."""

    name: str
    is_number: bool = False


class Table(NamedTuple):
    """A table: id on the page, caption, columns, rows of cells, and a note on how to read it."""

    id: str
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


#: Heads of the columns that tell a number of `result`.
NUMBERS = [Column("n", True), Column("clusters", True), Column("estimate", True), Column("95 % interval", True),
           Column("p", True), Column("q", True), Column("design effect", True), Column("detectable", True)]  # fmt: skip


def text(value: object) -> Cell:
    """A cell of words."""
    told = "" if value is None else str(value)
    return Cell(told, told)


def count(value: int | None) -> Cell:
    """A cell of a whole number."""
    return Cell("" if value is None else f"{value:,}", value)


def number(value: float | None, form: str = ".3g", result_id: int | None = None) -> Cell:
    """A cell of a number; `result_id` where it is one of `result`."""
    return Cell("" if value is None else format(value, form), value, result_id)


def interval(row: Result) -> Cell:
    """The interval of a result, sorted by its lower end."""
    return Cell("none") if row["ci_low"] is None else _interval(row["ci_low"], row["ci_high"])


def estimate(row: Result) -> Cell:
    """The estimate of a result with the way to it; or the reason why there is none."""
    if row["estimate"] is None:
        return Cell(row["reason"] or "", None, row["result_id"])
    is_f = row["metric"] == "heterogeneity"
    return Cell(f"F = {row['estimate']:.2f}" if is_f else f"{row['estimate']:+.4f}", row["estimate"], row["result_id"])


def numbers(row: Result) -> list[Cell]:
    """The cells of NUMBERS."""
    return [
        count(row["n"]), count(row["n_clusters"]), estimate(row), interval(row), number(row["p"], ".2g"),
        number(row["q"], ".2g"), number(row["design_effect"], ".1f"), number(row["detectable"], ".3f"),
    ]  # fmt: skip


#: Measures of sign, which stand beside the correlation.
SIGNS = ("sign_concordance", "sign_auroc")

#: Heads of the columns that tell a group.
GROUP = [Column("labels"), Column("tissue"), Column("scorer"), Column("window, bp", True)]


def group_cells(row: Result | Group) -> list[Cell]:
    """The cells of GROUP, of a group or of one of its results."""
    of = row if isinstance(row, dict) else vars(row)
    labels = of["label"] if of["label_set"] in WHOLE else f"{of['label']} ({of['label_set']})"
    return [text(labels), text(of["place"]), text(of["scorer"]), count(of["window_bp"])]


def short(table: Table) -> Table:
    """The table without those columns of names that say the same in every row; the caption says it."""
    names = {"labels", "tissue", "scorer", "metric", "source"}
    same = [i for i, column in enumerate(table.columns)
            if column.name in names and len({row[i].text for row in table.rows}) == 1]  # fmt: skip
    said = ", ".join(f"{table.columns[i].name} {table.rows[0][i].text}" for i in same)
    kept = [i for i in range(len(table.columns)) if i not in same]
    return table._replace(
        caption=f"{table.caption}{': ' if said else ''}{said}", columns=[table.columns[i] for i in kept],
        rows=[[row[i] for i in kept] for row in table.rows],
    )  # fmt: skip


def agreement(found: Found) -> Table:
    """One row a group: its main correlation, and how often the signs agree."""
    columns = [*GROUP, Column("metric"), *NUMBERS, Column("sign concordance", True), Column("sign AUROC", True),
               Column("source")]  # fmt: skip
    rows = []
    for g in found.groups:
        signs = [estimate(g.measures[m]) if m in g.measures and g.measures[m]["estimate"] is not None else Cell("")
                 for m in SIGNS]  # fmt: skip
        signs = [c._replace(text=c.text.removeprefix("+")) for c in signs]
        rows.append([*group_cells(g), text(g.main["metric"]), *numbers(g.main), *signs, text(g.source)])
    note = (
        "Intervals and p-values are of resampled clusters, those of differences of clusters whose signs are flipped; "
        "design effect: the variance by resampling over that of independent rows; detectable: the smallest value that "
        "would have been found with 80 % power. Every underlined number leads to its row of result, its files and its "
        "SQL."
    )
    return short(Table("agreement", "Agreement of score and effect", columns, rows, note))


def measures(groups: Iterable[Group]) -> Table:
    """One row a group and metric that is defined; the note says why others are not."""
    columns = [*GROUP, Column("metric"), *NUMBERS[:5], Column("chance", True), *NUMBERS[5:], Column("source")]
    rows, reasons = [], defaultdict[str, list[str]](list)
    for g in groups:
        for r in g.measures.values():
            if r["estimate"] is None:
                reasons[r["reason"]] += [] if r["metric"] in reasons[r["reason"]] else [r["metric"]]
                continue
            cells = numbers(r)
            rows.append(
                [*group_cells(g), text(r["metric"]), *cells[:5], number(r["chance"]), *cells[5:], text(g.source)]
            )
    told = [f"{', '.join(metrics)} ({reason})" for reason, metrics in reasons.items()]
    note = "chance: what a score that knows nothing would have." + (f" Not defined: {'; '.join(told)}." if told else "")
    return short(Table("measures", "All measures", columns, rows, note))


#: Stages that figure `funnel` draws, by the first word of their names, and the heads of their columns.
STAGES = {"rows": "rows of the file", "associations": "kept", "usable": "usable", "scored": "scored",
          "analysed:": "analysed"}  # fmt: skip


def counted(groups: Iterable[tuple[Group, list[dict[str, Any]]]]) -> Table | None:
    """From the rows of the file to those that are analysed, as figure `funnel` draws them; None for no group."""
    columns = [*GROUP, *(Column(name, True) for name in STAGES.values()), Column("in peaks", True),
               Column("lost on the way"), Column("source")]  # fmt: skip
    rows, enriched = [], dict[int, str]()
    for group, stages in groups:
        if told := _enrichment(group):
            enriched.setdefault(group.source_id, told)
        of = {str(s["stage"]).split()[0]: s for s in stages}
        lost = "; ".join(f"{name.rstrip(':')}: {of[name]['lost']}" for name in of if of[name]["lost"])
        cells = [count(of[name]["n"]) if name in of else Cell("") for name in STAGES]
        inside = count(of["analysed:"]["in_peak"])
        rows.append([*group_cells(group), *cells, inside, text(lost), text(group.source)])
    caption = "Associations, from the file to the analysis"
    return short(Table("counted", caption, columns, rows, " ".join(enriched.values()))) if rows else None


def _enrichment(group: Group) -> str | None:
    row = group.measures.get("overlap_enrichment")
    if row is None or row["ci_low"] is None:
        return None
    return (
        f"Variants of {group.tissue} ({group.source}) lie in peaks {row['estimate']:.2f} times as often as in peaks "
        f"shifted round their chromosome, 95 % CI {row['ci_low']:.2f} to {row['ci_high']:.2f}."
    )


#: Comparisons that a report tells, those of most rows first chosen.
MOST_COMPARISONS = 150


def compared(found: Found) -> list[Result]:
    """The comparisons that are told."""
    defined = [r for r in found.comparisons if r["estimate"] is not None]
    most = {r["result_id"] for r in sorted(defined, key=lambda r: -r["n"])[:MOST_COMPARISONS]}
    return [r for r in defined if r["result_id"] in most]


def comparisons(found: Found) -> Table | None:
    """Scorers against each other on the same rows; None where nothing is compared."""
    rows = []
    told = compared(found)
    for r in told:
        rows.append([*group_cells(r), text(Versus.parse(r["versus"]).told), *numbers(r)[:6],
                     number(r["detectable"], ".3f"), text(_differs(r)), text(r["source"])])  # fmt: skip
    if not rows:
        return None
    columns = [*GROUP, Column("against"), *NUMBERS[:6], NUMBERS[7], Column("verdict"), Column("source")]
    note = (
        "Difference of two rank correlations on the rows that both scored. Two correlations are never compared by "
        "their p-values."
    )
    if left := len(found.comparisons) - len(told):
        note += f" {left} more pairs of scorers are left out: they share too few rows, or the table is full."
    return short(Table("comparisons", "Scorers against each other on the same rows", columns, rows, note))


def strata(group: Group, place: int) -> Table:
    """The main correlation of a group by stratum."""
    rows = [[text(r["stratification"]), text(r["stratum"]), *numbers(r)] for rs in group.strata.values() for r in rs]
    caption = f"{group.main['metric']} by stratum: {group.of_scorer}, label set {group.label_set}, {group.of_labels}"
    return Table(f"strata-{place}", caption, [Column("divided by"), Column("stratum"), *NUMBERS], rows)


def differences(group: Group, place: int) -> Table | None:
    """Whether the strata of a group differ; None where nothing is known."""
    rows = []
    for r in group.differences:
        is_joint = r["metric"] == "heterogeneity"
        against = "all of them" if is_joint else r["versus"]
        told = _joint(r) if is_joint else _differs(r)
        between = Cell("") if is_joint else interval(r)
        rows.append([text(r["stratification"]), text(r["stratum"]), text(against), estimate(r), between,
                     number(r["p"], ".2g"), number(r["q"], ".2g"), text(told)])  # fmt: skip
    if not rows:
        return None
    columns = [Column("divided by"), Column("stratum"), Column("against"), *NUMBERS[2:6], Column("verdict")]
    caption = f"Differences between strata: {group.of_scorer}, label set {group.label_set}, {group.of_labels}"
    return Table(f"differences-{place}", caption, columns, rows)


def _differs(row: Result) -> str:
    """The verdict of a difference, and whether it stands among the others of its family."""
    told = difference(row).partition(":")[0]
    return told + (", but q > 0.05" if told == "a difference" and row["q"] is not None and row["q"] > 0.05 else "")


def _joint(row: Result) -> str:
    if row["p"] is None:
        return "no verdict"
    if row["p"] >= 0.05:
        return "no detectable difference"
    return "they differ" + (", but q > 0.05" if row["q"] is not None and row["q"] > 0.05 else "")


def steps(con: duckdb.DuckDBPyConnection, rows: Sequence[Result]) -> Table | None:
    """The newest run of agdb compare-study, step by step; None where it stored nothing."""
    if not rows:
        return None
    found = records(
        con,
        """
        SELECT step, change, scorer, window_bp, n, n_clusters, spearman, ci_low, ci_high, result_id, difference,
               difference_low, difference_high, difference_id, coalesce(reason, '') AS reason
        FROM study_step WHERE run_id = ? ORDER BY place""",
        [max(r["run_id"] for r in rows)],
    )
    told = [
        [text(s["step"]), text(s["change"]), text(s["scorer"]), count(s["window_bp"]), count(s["n"]),
         count(s["n_clusters"]), number(s["spearman"], "+.4f", s["result_id"]), _interval(s["ci_low"], s["ci_high"]),
         number(s["difference"], "+.4f", s["difference_id"]), _interval(s["difference_low"], s["difference_high"]),
         text(s["reason"])]
        for s in found
    ]  # fmt: skip
    columns = [Column("step"), Column("what it changes"), Column("scorer"), Column("window, bp", True), *NUMBERS[:2],
               Column("spearman", True), NUMBERS[3], Column("change", True), Column("interval of the change", True),
               Column("left out, why")]  # fmt: skip
    return Table("steps", "From the study as it was to the right one, step by step", columns, told)


def _interval(low: float | None, high: float | None) -> Cell:
    return Cell("") if low is None or high is None else Cell(f"{low:+.3f} to {high:+.3f}", low)
