"""The answers, before any time: agdb's rows against the file's, its overlaps against bedtools', each one exactly.

A benchmark of two different answers is worthless, so `bench.run` prints no time where this fails.
"""

import gzip
import shutil
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import duckdb

from agdb import db
from agdb.ingest import peaks, qtl
from agdb.ingest.variant_table import Options
from bench.cases import ASSOCIATIONS, Inputs, Place, bedtools, lift, lifted_by_pyliftover, make_database_with_chain
from bench.data import COLUMNS

ROWS = f"SELECT variant_id(chrom, pos, ref, alt) || '_b38', gene_id, {', '.join(COLUMNS[2:])} FROM qtl"
NAMED_PAIRS = "SELECT v.variant_id, p.name FROM variant_in_peak AS v JOIN peak AS p USING (peak_id)"
Answers = dict[str, int]


def build(inputs: Inputs, stored: Path) -> None:
    """The database that the resident cases read."""
    db.create(stored)
    with db.writing(stored) as con:
        qtl.gtex(con, inputs.pairs, Options(tissue="Whole_Blood"))
        peaks.ingest(con, inputs.peaks, "K562", "GRCh38")


def answers(inputs: Inputs, stored: Path, work: Path) -> Answers:
    """The number that every case with that `agrees` must return, after the rows behind it were compared.

    Raises:
        SystemExit: agdb and the plain way do not find the same.
    """
    with db.reading(stored) as con:
        found = {"rows": _rows(con, inputs)}
        pairs = con.execute(NAMED_PAIRS).fetchall()
        associations = con.execute(ASSOCIATIONS).fetchall()
    variants = {(v,) for v, _ in pairs}
    if shutil.which("bedtools"):
        _same("pairs", pairs, _bed(inputs.variants_bed, inputs, work, [3, 7], "-wa", "-wb"))
        _same("variants", variants, _bed(inputs.variants_bed, inputs, work, [3], "-u"))
        _same("associations", associations, _bed(inputs.associations_bed, inputs, work, [3, 4], "-u"))
    found |= {"peaks": _lines(inputs.many_peaks), "lifted": _lifted(inputs, work)}
    found["tissues"] = len(list(inputs.tissues.iterdir())) * (found["rows"] + 1)
    return {**found, "pairs": len(pairs), "variants": len(variants), "associations": len(associations)}


def _rows(con: duckdb.DuckDBPyConnection, inputs: Inputs) -> int:
    """Compare every value of every row; rows may stand in any order, so their hashes are summed."""
    n, total = 0, 0
    kinds = [str, str, int, int, int, *[float] * 7]
    with gzip.open(inputs.pairs, "rt") as file:
        if next(file).split() != COLUMNS:
            raise SystemExit("the made file has another header than GTEx's")
        for line in file:
            values = zip(kinds, line.rstrip("\n").split("\t"), strict=True)
            n, total = n + 1, total + hash(tuple(kind(value) for kind, value in values))
    rows = con.execute(ROWS)
    while chunk := rows.fetchmany(50_000):
        n, total = n - len(chunk), total - sum(map(hash, chunk))
    if n or total:
        raise SystemExit(f"agdb's rows are not those of the file (difference in rows: {n})")
    return int(con.execute("SELECT count(*) FROM qtl").fetchall()[0][0])


def _lines(path: Path) -> int:
    with gzip.open(path, "rb") as file:
        return sum(block.count(b"\n") for block in iter(lambda: file.read(1 << 20), b""))


def _lifted(inputs: Inputs, work: Path) -> int:
    """Lift the positions both ways, and compare every one of them, where pyliftover is installed."""
    place = Place(inputs, work, work)
    make_database_with_chain(place)
    n = lift(place)
    if find_spec("pyliftover"):
        from pyliftover import LiftOver

        with db.reading(work / "new.duckdb") as con:
            lifted = con.execute("SELECT chrom::VARCHAR, pos FROM listed_variant").fetchall()
        _same("lifted positions", lifted, lifted_by_pyliftover(inputs, LiftOver(str(inputs.chain))))
    (work / "new.duckdb").unlink()
    return n


def _bed(a: Path, inputs: Inputs, work: Path, fields: list[int], *options: str) -> list[tuple[str, ...]]:
    out = work / "verified.bed"
    bedtools(a, inputs.peaks_bed, out, options)
    with out.open() as file:
        return [tuple(row[i] for i in fields) for row in (line.rstrip("\n").split("\t") for line in file)]


def _same(what: str, agdb: Iterable[tuple[Any, ...]], other: Iterable[tuple[Any, ...]]) -> None:
    """Equal as multisets: a pair that is found twice is an error too."""
    if sorted(agdb) != sorted(other):
        raise SystemExit(f"agdb and the other tool differ in {what}: no times are shown")
