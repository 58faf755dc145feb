"""Blocks of linkage disequilibrium, as Berisa & Pickrell (2016, Bioinformatics 32:283) give them: chr, start, stop.

BED, 0-based half-open, with or without a header line; cells may be padded with spaces. Columns after the third are not
read. Variants of different blocks are about independent: a block is drawn as a whole when intervals are made.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from agdb.errors import Refused
from agdb.ingest import source, table, text
from agdb.ingest.plan import Column, Plan, Rule
from agdb.ingest.rows import Delimited
from agdb.ingest.variants import OTHER_CONTIG, chrom_of

#: Names that a header gives to the first three columns, in lower case.
_HEADER = ({"chr", "chrom", "chromosome", "#chr", "#chrom"}, {"start", "chrom_start", "chromstart"},
           {"stop", "end", "chrom_end", "chromend"})  # fmt: skip
_SHOW = "concat_ws(' ', coalesce(chrom::VARCHAR, written), chrom_start::BIGINT, chrom_end::BIGINT)"
_IS_OTHER = f"chrom IS NULL AND regexp_matches(written, '{OTHER_CONTIG}')"


def ingest(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    assembly: str,
    name: str | None = None,
    progress: table.Progress = lambda n: None,
) -> source.Loaded:
    """Load one file of blocks. `name` is what they are of, e.g. the population; else the name of the file.

    Raises:
        Refused: the file is not what it has to be, or its blocks overlap; the database is as before.
    """
    digest = source.sha256(path)
    with text.opened(path) as file:
        names, skip, delimiter = told(path, file.head)
        draft = source.Draft("blocks", f"bed{len(names)}", path, source.assembly_name(assembly),
                             biosample=name or path.name, named_by_file=not name)  # fmt: skip
        if seen := source.already(con, draft, digest):
            return seen
        lines = Delimited(file, names, delimiter=delimiter, skip=skip)
        with source.loading(con, draft, digest) as loaded:

            def store() -> None:
                con.execute(
                    f"INSERT INTO ld_block BY NAME SELECT {loaded.source_id} AS source_id, '{draft.assembly}'"
                    "::assembly_t AS assembly, chrom, chrom_start, chrom_end FROM staged ORDER BY rowid"
                )

            loaded.take(table.load(con, lines, _plan(draft.assembly), str(loaded.source_id), store, progress), lines)
            _refuse_overlaps(con, path, loaded.source_id)
            loaded.notes += _use(con, draft.assembly)
    return loaded


def told(path: Path, head: Sequence[str]) -> tuple[list[str], int, str]:
    """(columns, lines before the first row, delimiter) of a file of blocks, by its first lines.

    Raises:
        Refused: it has fewer than three columns, or a header that names others.
    """
    skip = next((i for i, line in enumerate(head) if line and not line.startswith(("##", "track", "browser"))), 0)
    line = head[skip] if head else ""
    delimiter = "\t" if "\t" in line else ","
    row = [cell.strip().strip('"').lower() for cell in line.split(delimiter)]
    where = f"{path}, line {skip + 1}: {line[:80]!r}"
    if len(row) < 3:
        raise Refused("a block has a chromosome, a start and an end, separated by tabs", where=where,
                      cure="BED: chr, start, stop")  # fmt: skip
    if not row[1].isdigit():
        if not all(cell in names for cell, names in zip(row[:3], _HEADER, strict=True)):
            raise Refused(
                "the first three columns are not chr, start and stop", where=where, cure="BED: chr, start, stop"
            )
        skip += 1
    return ["chrom", "chrom_start", "chrom_end", *(f"column {i}" for i in range(4, len(row) + 1))], skip, delimiter


def _plan(assembly: str) -> Plan:
    beyond = f"chrom_end > {table.contig_end(assembly, 'chrom')}"
    cure = "BED intervals are 0-based half-open: the end is greater than the start"
    return Plan(
        columns={"chrom": Column("chrom", "VARCHAR"), "chrom_start": Column("chrom_start", "INTEGER"),
                 "chrom_end": Column("chrom_end", "INTEGER")},
        select={"chrom": chrom_of("trim(chrom)"), "written": "trim(chrom)", "chrom_start": "chrom_start",
                "chrom_end": "chrom_end"},
        rules=[
            Rule("unknown_chromosome", "unknown chromosome", f"chrom IS NULL AND NOT coalesce({_IS_OTHER}, false)",
                 "coalesce(written, '(missing)')", "chromosomes are chr1 to chr22, chrX, chrY, chrM"),
            Rule("no_end", "the block has no start or no end", "chrom_start IS NULL OR chrom_end IS NULL", _SHOW, cure),
            Rule("empty", "the block is empty or turned round", "chrom_end <= chrom_start OR chrom_start < 0", _SHOW,
                 cure),
            Rule("beyond_chromosome", f"the block ends beyond its chromosome on {assembly}", beyond, _SHOW,
                 "the file is on another assembly than --assembly says"),
            Rule("contig_not_primary", "", _IS_OTHER, "", "", False),
        ],
    )  # fmt: skip


def _refuse_overlaps(con: duckdb.DuckDBPyConnection, path: Path, source_id: int) -> None:
    """A base that lies in two blocks would be in two clusters.

    Raises:
        Refused: there is one.
    """
    found = con.execute(
        """
        WITH pair AS (
          SELECT *, lag(chrom_start) OVER in_order AS start_before, lag(chrom_end) OVER in_order AS end_before
          FROM ld_block
          WHERE source_id = ?
          WINDOW in_order AS (PARTITION BY chrom ORDER BY chrom_start, chrom_end)
        )
        SELECT concat_ws(' ', chrom, start_before, end_before), concat_ws(' ', chrom, chrom_start, chrom_end),
               count(*) OVER ()
        FROM pair WHERE chrom_start < end_before ORDER BY chrom, chrom_start LIMIT 1""",
        [source_id],
    ).fetchall()
    for one, other, n in found:
        more = f" (and {n - 1:,} more)" if n > 1 else ""
        raise Refused(f"blocks overlap: {one} and {other}{more}", where=str(path),
                      cure="one file is one set of blocks; of several populations ingest one")  # fmt: skip


def _use(con: duckdb.DuckDBPyConnection, assembly: str) -> list[str]:
    """What the blocks are good for, or why for nothing."""
    ((is_used,),) = con.execute("SELECT count(*) > 0 FROM qtl WHERE assembly = ?", [assembly]).fetchall()
    of_others = con.execute(
        "SELECT string_agg(DISTINCT assembly::VARCHAR, ', ') FROM qtl WHERE assembly <> ?", [assembly]
    ).fetchall()[0][0]
    if is_used or of_others is None:
        return []
    return [f"warning: no association is on {assembly}, but on {of_others}: these blocks serve none of them\n"
            f"    cure: take blocks of {of_others}; agdb stats draws 1 Mb windows where there are none"]  # fmt: skip
