"""Peaks: narrowPeak, broadPeak and BED (3 to 12 columns), without a header, 0-based half-open."""

import re
from pathlib import Path

import duckdb

from agdb.errors import Refused
from agdb.ingest import source, table, text
from agdb.ingest.table import Rule

#: What a refusal shows of a row.
SHOW = "concat_ws(' ', chrom, chrom_start::BIGINT, chrom_end::BIGINT)"

#: BED6 and what narrowPeak and broadPeak add: -1 stands for "none" in the last three.
BED = {
    "chrom": "VARCHAR", "chrom_start": "INTEGER", "chrom_end": "INTEGER", "name": "VARCHAR", "score": "DOUBLE",
    "strand": "VARCHAR",
}  # fmt: skip
BED12 = {**BED, "thick_start": "VARCHAR", "thick_end": "VARCHAR", "item_rgb": "VARCHAR", "block_count": "VARCHAR",
         "block_sizes": "VARCHAR", "block_starts": "VARCHAR"}  # fmt: skip
BROAD = {**BED, "signal_value": "DOUBLE", "p_value": "DOUBLE", "q_value": "DOUBLE"}
NARROW = {**BROAD, "peak": "INTEGER"}

FORMATS = ("auto", "narrowPeak", "broadPeak", "bed")

OTHER = f"TRY_CAST(chrom AS chrom_t) IS NULL AND regexp_matches(chrom, '{table.OTHER_CONTIG}')"

REFUSED = [
    Rule("unknown chromosome", f"chrom IS NULL OR (TRY_CAST(chrom AS chrom_t) IS NULL AND NOT ({OTHER}))",
         "coalesce(chrom, '(missing)')", "chromosomes are chr1 to chr22, chrX, chrY, chrM, written with chr"),
    Rule("the interval is empty or turned round", "chrom_end <= chrom_start", SHOW,
         "BED intervals are 0-based half-open: chrom_end is greater than chrom_start"),
    Rule("the interval starts before the chromosome", "chrom_start < 0", SHOW, "BED intervals start at 0 or later"),
    Rule("the interval has no start or no end", "chrom_start IS NULL OR chrom_end IS NULL", SHOW,
         "columns 2 and 3 are numbers"),
]  # fmt: skip

REFUSED_NARROW = [
    Rule("the summit lies outside the peak", "peak < -1 OR peak >= chrom_end - chrom_start",
         f"concat_ws(' ', {SHOW}, 'summit at', peak::BIGINT)",
         "column 10 is the distance of the summit from chrom_start, -1 where there is none"),
]  # fmt: skip

REJECTED = [
    Rule("contig_not_primary", "TRY_CAST(chrom AS chrom_t) IS NULL", ""),
]


def layout(path: Path, format_: str = "auto") -> tuple[str, table.Layout]:
    """Recognise a peak file by its first data row (and name): (`narrowPeak` | `broadPeak` | `bedN`, its layout).

    Raises:
        Refused: not tab-separated, or a number of columns that no format has.
    """
    lines = text.first_lines(path, 100)
    skip = next((i for i, line in enumerate(lines) if line and not line.startswith(("#", "track", "browser"))), None)
    if skip is None:
        raise Refused("the first 100 lines hold no interval", where=str(path), cure="check that it is a BED file")
    row = lines[skip].split("\t")
    where = f"{path}, line {skip + 1}: {lines[skip][:80]!r}"
    if len(row) < 3:
        raise Refused("the row is not separated by tabs", where=where, cure="separate the columns by tabs")
    if not row[1].lstrip("-").isdigit():
        raise Refused(
            f"column 2 is not a position: {row[1]!r}; is this a header?", where=where, cure="BED files have no header"
        )
    if format_ == "auto":
        format_ = _guess(path, row)
    n = {"narrowPeak": 10, "broadPeak": 9}.get(format_, len(row))
    if len(row) != n or not 3 <= n <= 12:
        raise Refused(f"{format_} has {n if n <= 12 else '3 to 12'} columns, this has {len(row)}", where=where,
                      cure="name the format: --format narrowPeak, broadPeak or bed")  # fmt: skip
    columns = {"narrowPeak": NARROW, "broadPeak": BROAD}.get(format_, dict(list(BED12.items())[:n]))
    return format_ if format_ != "bed" else f"bed{n}", table.Layout(columns, skip=skip)


def _guess(path: Path, row: list[str]) -> str:
    name = path.name.lower().removesuffix(".gz")
    if name.endswith("narrowpeak") or len(row) == 10:  # ENCODE names them .bed.gz; BED itself has no use for 10 columns
        return "narrowPeak"
    # broadPeak files too are named .bed.gz; thickStart is whole, and itemRgb is no -1
    is_broad = name.endswith("broadpeak") or (len(row) == 9 and re.search(r"[.]|-1", "".join(row[6:9])))
    return "broadPeak" if is_broad else "bed"


def ingest(
    con: duckdb.DuckDBPyConnection, path: Path, biosample: str, assembly: str, format_: str = "auto"
) -> source.Loaded:
    """Load one peak file as peaks of `biosample`.

    Raises:
        Refused: the file is not what it has to be; the database is as before.
    """
    kind, columns = layout(path, format_)
    draft = source.Draft("peaks", kind, path, source.assembly_name(assembly), biosample=biosample)
    digest = source.sha256(path)
    if seen := source.already(con, draft, digest):
        return seen
    with source.loading(con, draft, digest) as loaded:
        narrow = REFUSED_NARROW if kind == "narrowPeak" else []
        refused = [*REFUSED, *narrow, _beyond(draft.assembly)]
        loaded.rows_read = table.stage(con, path, columns, refused, REJECTED)
        loaded.rejected = table.reject(con, path, columns, loaded.source_id, REJECTED)
        loaded.rows_kept = loaded.rows_read - sum(loaded.rejected.values())
        _insert(con, columns, loaded.source_id, draft)
    return loaded


def _beyond(assembly: str) -> Rule:
    return Rule(
        f"the interval ends beyond its chromosome on {assembly}",
        f"chrom_end > {table.contig_end(assembly, 'chrom')}",
        SHOW,
        "the file is on another assembly than --assembly says",
    )


def _insert(con: duckdb.DuckDBPyConnection, columns: table.Layout, source_id: int, draft: source.Draft) -> None:
    has = columns.columns
    picked = [
        "chrom::chrom_t AS chrom", "chrom_start", "chrom_end",
        *(["nullif(name, '.') AS name"] if "name" in has else []),
        *(["score"] if "score" in has else []),
        *(["signal_value", "CASE WHEN p_value >= 0 THEN p_value END AS neglog10_p",
           "CASE WHEN q_value >= 0 THEN q_value END AS neglog10_q"] if "signal_value" in has else []),
        *(["CASE WHEN peak >= 0 THEN chrom_start + peak END AS summit"] if "peak" in has else []),
    ]  # fmt: skip
    con.execute(
        f"INSERT INTO peak BY NAME SELECT ? AS source_id, ? AS biosample, ? AS assembly, {', '.join(picked)} "
        "FROM staged ORDER BY rowid",
        [source_id, draft.biosample, draft.assembly],
    )
