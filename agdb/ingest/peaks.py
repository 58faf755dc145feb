"""Peaks and blacklists: BED (3 to 12 columns), narrowPeak, broadPeak, gappedPeak, IDR peaks, dumps of UCSC tables with
a leading `bin`, and tables with a header such as the DHS index. 0-based half-open.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import duckdb

from agdb import db
from agdb.errors import Refused
from agdb.ingest import chain, source, table, text
from agdb.ingest.header import once
from agdb.ingest.plan import Column, Plan, Rule
from agdb.ingest.rows import Delimited
from agdb.ingest.variants import OTHER_CONTIG, chrom_of

#: The columns of the formats without a header, in order. -1 stands for "none" in p_value, q_value and peak.
BED = ("chrom", "chrom_start", "chrom_end", "name", "score", "strand", "thick_start", "thick_end", "item_rgb",
       "block_count", "block_sizes", "block_starts")  # fmt: skip
SIGNAL = ("signal_value", "p_value", "q_value")
NARROW = (*BED[:6], *SIGNAL, "peak")
FORMATS = {
    "narrowPeak": NARROW, "broadPeak": (*BED[:6], *SIGNAL), "gappedPeak": (*BED, *SIGNAL),
    "idr": (*NARROW, *(f"idr_{i}" for i in range(10))),
}  # fmt: skip

#: Columns of tables with a header, in lower case, by what they are here. A summit there is a position, 0-based.
HEADERS = {
    "chrom": ("chrom", "chr", "seqname", "chromosome"),
    "chrom_start": ("chromstart", "chrom_start", "start"),
    "chrom_end": ("chromend", "chrom_end", "end"),
    "name": ("identifier", "dhs_id", "name", "peak_id"),
    "score": ("score",),
    "signal_value": ("signalvalue", "signal_value", "mean_signal", "total_signal"),
    "p_value": ("pvalue", "p_value"),
    "q_value": ("qvalue", "q_value"),
    "summit": ("summit",),
    "n_samples": ("numsamples", "n_samples"),
    "component": ("component",),
}
TYPES = {
    **dict.fromkeys(("chrom_start", "chrom_end", "peak", "summit", "n_samples"), "INTEGER"),
    **dict.fromkeys(("score", "signal_value", "p_value", "q_value"), "DOUBLE"),
}

_SHOW = "concat_ws(' ', coalesce(chrom::VARCHAR, written), chrom_start::BIGINT, chrom_end::BIGINT)"
_IS_OTHER = f"chrom IS NULL AND regexp_matches(written, '{OTHER_CONTIG}')"

_RULES = [
    Rule("unknown_chromosome", "unknown chromosome", f"chrom IS NULL AND NOT coalesce({_IS_OTHER}, false)",
         "coalesce(written, '(missing)')", "chromosomes are chr1 to chr22, chrX, chrY, chrM"),
    Rule("no_end", "the interval has no start or no end", "chrom_start IS NULL OR chrom_end IS NULL", _SHOW,
         "columns 2 and 3 are numbers"),
    Rule("empty", "the interval is empty or turned round", "chrom_end <= chrom_start", _SHOW,
         "BED intervals are 0-based half-open: chrom_end is greater than chrom_start"),
    Rule("negative", "the interval starts before the chromosome", "chrom_start < 0", _SHOW,
         "BED intervals start at 0 or later"),
]  # fmt: skip
_SUMMIT = Rule("summit_outside", "the summit lies outside the peak", "summit < chrom_start OR summit >= chrom_end",
               f"concat_ws(' ', {_SHOW}, 'summit at', summit::BIGINT)",
               "in narrowPeak it is the distance from chrom_start, -1 for none; elsewhere a position")  # fmt: skip
_REJECTED = Rule("contig_not_primary", "", _IS_OTHER, "", "", False)


class Layout(NamedTuple):
    """How a peak file is laid out: its format, all its columns in order, and the lines before the first row."""

    format: str
    names: Sequence[str]
    skip: int
    delimiter: str = "\t"


def ingest(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    biosample: str | None,
    assembly: str,
    format_: str = "auto",
    *,
    is_blacklist: bool = False,
    lift: Path | None = None,
    progress: table.Progress = lambda n: None,
) -> source.Loaded:
    """Load one peak file as peaks of `biosample`, or as regions of a blacklist of that name, else of that of the file.

    Raises:
        Refused: the file is not what it has to be; the database is as before.
    """
    digest = source.sha256(path)
    with text.opened(path) as file:
        layout = told(path, file.head, format_)
        kind = "blacklist" if is_blacklist else "peaks"
        name = biosample or path.name
        draft = source.Draft(kind, layout.format, path, source.assembly_name(assembly), biosample=name,
                             named_by_file=not biosample)  # fmt: skip
        if lift:
            lifted_by, to = chain.chosen(con, lift, draft.assembly)
            draft = replace(draft, assembly=to, lifted_from=draft.assembly, lifted_by=lifted_by)
        if seen := source.already(con, draft, digest):
            return seen
        lines = Delimited(file, layout.names, delimiter=layout.delimiter, skip=layout.skip)
        with source.loading(con, draft, digest) as loaded:
            plan = _plan(con, layout, draft)
            columns = ", ".join(c for c in plan.select if c not in ("written", "unfit"))

            def store() -> None:
                # numbered here: a sequence is asked row by row, on one core; the ids of rows need not start at 0
                con.execute(
                    "INSERT INTO peak BY NAME SELECT ? + rowid - (SELECT min(rowid) FROM staged) AS peak_id, "
                    f"{loaded.source_id} AS source_id, ? AS biosample, '{draft.assembly}'::assembly_t AS assembly, "
                    f"{columns} FROM staged ORDER BY rowid",
                    [db.next_id(con, "peak"), name],
                )

            loaded.take(table.load(con, lines, plan, str(loaded.source_id), store, progress), lines)
            if unused := [name[1:-1] for name in layout.names if name.startswith("(")]:
                loaded.notes.append(f"not kept: {', '.join(unused)}")
    return loaded


def told(path: Path, head: Sequence[str], format_: str = "auto") -> Layout:
    """Recognise a peak file by its first data row (and name).

    Raises:
        Refused: not tab-separated, or a number of columns that no format has.
    """
    skip = next((i for i, line in enumerate(head) if line and not line.startswith(("#", "track", "browser"))), None)
    if skip is None:
        raise Refused("the first 100 lines hold no interval", where=str(path), cure="check that it is a BED file")
    where = f"{path}, line {skip + 1}: {head[skip][:80]!r}"
    delimiter = "\t" if "\t" in head[skip] or " " not in head[skip] else " "
    row = head[skip].split(delimiter)
    if len(row) < 3 or (delimiter == " " and not row[1].isdigit()):
        raise Refused("the row is not separated by tabs", where=where, cure="separate the columns by tabs")
    above = head[skip - 1].removeprefix("#").split(delimiter) if skip and head[skip - 1].startswith("#") else []
    for names, lines in ((row, skip + 1), (above, skip)):
        if format_ == "auto" and len(names) >= 3 and len(found := _in_header(names)) >= 3:
            once(names, f"{path}, line {lines}")
            row = head[lines].split(delimiter) if lines < len(head) else []
            _is_0_based(f"{path}, line {lines}", [found.get(name, name.lower()) for name in names], row)
            return Layout("table", [found.get(name, f"({name})") for name in names], lines, delimiter)
    has_bin = row[0].isdigit() and not row[1].isdigit() and row[2].lstrip("-").isdigit() and len(row) >= 4
    data = row[1:] if has_bin else row
    if not data[1].lstrip("-").isdigit():
        raise Refused(
            f"column 2 is not a position: {data[1]!r}; is this a header?", where=where,
            cure="a header has to name chrom, start and end; BED files have none",
        )  # fmt: skip
    format_ = _guess(path, data) if format_ == "auto" else format_
    wanted = FORMATS.get(format_, BED[: len(data)])
    if len(data) != len(wanted):
        n = len(wanted) if format_ in FORMATS else "3 to 12"
        raise Refused(f"{format_} has {n} columns, this has {len(data)}", where=where,
                      cure=f"name the format: --format {', '.join(FORMATS)} or bed")  # fmt: skip
    columns = ("bin", *wanted) if has_bin else wanted
    return Layout(format_ if format_ in FORMATS else f"bed{len(data)}", columns, skip, delimiter)


#: The first five columns of tables of which the starts are 1-based, but for the first name.
_HOMER_AND_SAF = ["chrom", "chrom_start", "chrom_end", "strand"]


def _is_0_based(where: str, names: Sequence[str], row: Sequence[str]) -> None:
    """Refuse a table of MACS (_peaks.xls), HOMER or R's GRanges: its starts are 1-based, which its columns tell, or the
    width of its first row."""
    first = dict(zip(names, row, strict=False))
    cells = (first.get(name, "") for name in ("chrom_start", "chrom_end", "length", "width"))
    start, end, length, width = (int(cell) if cell.isdecimal() else -1 for cell in cells)
    if list(names[1:5]) == _HOMER_AND_SAF and names[0].startswith(("peakid", "geneid")):
        whose, cure = "HOMER and SAF have", "pos2bed.pl FILE > FILE.bed, of HOMER; else take 1 off each start"
    elif "abs_summit" in names or (length > 0 and end - start + 1 == length):
        whose, cure = "MACS writes", "give the narrowPeak or broadPeak file that lies beside it"
    elif width > 0 and end - start + 1 == width:
        whose, cure = "R's GRanges has", "take 1 off each start, or rtracklayer's export.bed"
    else:
        return
    raise Refused(f"the positions of this table are 1-based, as {whose} them", where=where, cure=cure)


def _in_header(names: Sequence[str]) -> dict[str, str]:
    """Name in the header to what it is here, if it names an interval."""
    lower = {name.lower(): name for name in reversed(names)}
    found = {
        lower[a]: ours for ours, aliases in HEADERS.items() if (a := next((a for a in aliases if a in lower), None))
    }
    return found if {"chrom", "chrom_start", "chrom_end"} <= set(found.values()) else {}


def _guess(path: Path, row: Sequence[str]) -> str:
    name = path.name.lower().removesuffix(".gz")
    by_number = {10: "narrowPeak", 15: "gappedPeak", 20: "idr"}  # ENCODE names them .bed.gz; BED has no such numbers
    if len(row) in by_number or name.endswith("narrowpeak"):
        return by_number.get(len(row), "narrowPeak")
    # broadPeak files too are named .bed.gz; thickStart is whole, and itemRgb is no -1
    is_broad = name.endswith("broadpeak") or (len(row) == 9 and re.search(r"[.]|-1", "".join(row[6:9])))
    return "broadPeak" if is_broad else "bed"


def _plan(con: duckdb.DuckDBPyConnection, layout: Layout, draft: source.Draft) -> Plan:
    has = [name for name in layout.names if name in {*TYPES, "chrom", "name", "component"}]
    select: dict[str, str] = {
        "chrom": chrom_of("chrom"), "written": f"CASE WHEN {chrom_of('chrom')} IS NULL THEN chrom END",
        "chrom_start": "chrom_start", "chrom_end": "chrom_end", "summit": _summit(has),
        **{name: name for name in ("name", "score", "signal_value", "n_samples", "component") if name in has},
        **{f"neglog10_{p}": f"CASE WHEN {p}_value >= 0 THEN {p}_value END" for p in "pq" if f"{p}_value" in has},
    }  # fmt: skip
    assembly = draft.lifted_from or draft.assembly
    beyond = Rule("beyond_chromosome", f"the interval ends beyond its chromosome on {assembly}",
                  f"chrom_end > {table.contig_end(assembly, 'chrom')}",
                  "concat_ws(' ', chrom, chrom_start::BIGINT, chrom_end::BIGINT)",
                  "the file is on another assembly than --assembly says")  # fmt: skip
    lifted_by = draft.lifted_by
    return Plan(
        columns={name: Column(name, TYPES.get(name, "VARCHAR")) for name in has},
        select={**select, **(chain.UNFIT if lifted_by else {})},
        rules=[*_RULES, _SUMMIT, beyond, _REJECTED],
        adapt=[lambda: chain.lift_intervals(con, lifted_by)] if lifted_by else [],
        adapted=chain.RULES if lifted_by else [],
    )


def _summit(has: Sequence[str]) -> str:
    """SQL of the summit as a position; NULL where there is none."""
    if "peak" in has:
        return "CASE WHEN peak <> -1 THEN chrom_start + peak END"
    return "summit" if "summit" in has else "NULL::INTEGER"
