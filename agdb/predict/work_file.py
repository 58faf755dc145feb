"""The work list of a run on a machine without the database: of a Parquet file that somebody exported."""

import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import duckdb

from agdb.errors import Refused
from agdb.ingest.source import assembly_name
from agdb.predict.work import Choice, Spooled, left, write
from agdb.predictors.contract import Computation
from agdb.schema import sql_files

#: The type of chromosomes, whose order is that of the genome, as a migration makes it.
_CHROM_T = r"CREATE TYPE chrom_t AS ENUM \([^)]*\)"


class Standing(NamedTuple):
    """Of the variants of a file: scored, failed, neither, and those that cannot be asked for."""

    scored: int
    failed: int
    left: int
    dropped: int


def from_file(path: Path, choice: Choice, spool: Spooled, into: Path) -> int:
    """Write the work list to a Parquet file, in genome order; returns its length.

    Args:
        path: A Parquet file with columns chrom, pos, ref, alt (and maybe assembly, and more).
        choice: Which of them: `limit`, `shard` and `retry_failed` count.
        spool: What lies finished, and need not be asked for.
        into: The file.

    Raises:
        Refused: it is no such file, some of its rows are no variants, or they are of another assembly.
    """
    with duckdb.connect() as con:
        _read(con, path)
        _of_assembly(con, path, spool.computation.assembly)
        _askable(con, spool.computation)
        return write(con, choice, spool, into)


def standing(path: Path, choice: Choice, spool: Spooled) -> Standing:
    """What has become of the variants of such a file, whichever shard they are in."""
    everything = replace(choice, shard=None, limit=None)
    with duckdb.connect() as con:
        _read(con, path)
        n = left(con, everything, None)
        _askable(con, spool.computation)
        n_askable = left(con, everything, None)
        unscored = left(con, replace(everything, retry_failed=True), spool)
        unasked = left(con, replace(everything, retry_failed=False), spool)
    return Standing(n_askable - unscored, unscored - unasked, unasked, n - n_askable)


def _askable(con: duckdb.DuckDBPyConnection, computation: Computation) -> None:
    """Take out of `work` what a computation is not asked for: Atlas holds SNVs alone."""
    if computation.provider == "atlas":
        con.execute("DELETE FROM work WHERE len(ref) <> 1 OR len(alt) <> 1")


def _read(con: duckdb.DuckDBPyConnection, path: Path) -> None:
    """The variants of a Parquet file, as temp table `work`."""
    con.execute(next(filter(None, (re.search(_CHROM_T, sql) for _, sql in sql_files("migrations"))))[0])
    try:
        con.execute("CREATE TEMP TABLE work AS SELECT DISTINCT chrom::chrom_t AS chrom, pos::INTEGER AS pos, "
                    "ref::VARCHAR AS ref, alt::VARCHAR AS alt FROM read_parquet(?)", [str(path)])  # fmt: skip
    except duckdb.Error as error:
        raise Refused(
            f"this is no Parquet file of variants: {str(error).splitlines()[0]}", where=str(path),
            cure="agdb predict SCORER --worklist FILE.parquet writes one",
        ) from error  # fmt: skip
    is_variant = "pos >= 1 AND ref <> alt AND regexp_full_match(ref || alt, '[ACGT]+') AND len(ref) * len(alt) > 0"
    bad = con.execute(f"FROM work WHERE (chrom IS NOT NULL AND {is_variant}) IS NOT TRUE ORDER BY ALL").fetchall()
    if bad:
        raise Refused(
            f"{len(bad):,} rows are no variants, e.g. {', '.join(map(str, bad[0]))}", where=str(path),
            cure="chrom, pos from 1 on, and ref and alt that differ, in the letters ACGT",
        )  # fmt: skip


def _of_assembly(con: duckdb.DuckDBPyConnection, path: Path, assembly: str) -> None:
    """Refuse variants that a column `assembly` says are of another one; where there is none, nobody says."""
    if "assembly" not in [name.lower() for name in con.read_parquet(str(path)).columns]:
        return
    said = con.execute("SELECT DISTINCT assembly::VARCHAR FROM read_parquet(?) ORDER BY 1", [str(path)]).fetchall()
    for (name,) in said:
        if name is None or assembly_name(name) != assembly:
            raise Refused(
                f"the variants are of assembly {name or 'NULL'}, and {assembly} is scored", where=str(path),
                cure=f"ingest them with --lift, then agdb predict ... --worklist writes them in {assembly}",
            )  # fmt: skip
