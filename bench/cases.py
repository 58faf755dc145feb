"""What is measured: one function a case. Each runs in a fresh process (bench.measure), which times it and its memory.

A case is given the inputs and an empty folder, and returns what it found, small enough to print: cases of one group
must return the same, or no time of theirs is shown.
"""

import gzip
import shutil
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

Found = int | None


class Inputs(NamedTuple):
    """The files of one size: what agdb reads (.gz), and the same as BED for bedtools, written beforehand."""

    pairs: Path  # GTEx v8 signif_variant_gene_pairs, gzip
    peaks: Path  # narrowPeak, gzip
    associations_bed: Path  # chrom, start, end, variant_id, gene_id: a row per association, in the order of `pairs`
    variants_bed: Path  # chrom, start, end, variant_id: a row per variant, sorted
    peaks_bed: Path  # chrom, start, end, name: sorted


class Place(NamedTuple):
    """Where a case runs."""

    inputs: Inputs
    stored: Path  # a database that holds the inputs, made before any clock: the resident cases open it read-only
    work: Path  # an empty folder of its own


class Case(NamedTuple):
    """A case: its group (a table of the report), its name there, the work, and what has to be ready before the clock.

    The first case of a group is agdb's: the others are divided by it. `agrees` is the set of cases that must return
    the same number; None for a floor, which answers less than was asked.
    """

    group: str
    label: str
    run: Callable[[Place], Found]
    prepare: Callable[[Place], None] | None = None
    agrees: str | None = None
    needs: str | None = None


def make_database(place: Place) -> None:
    """An empty agdb database; also pays for the imports, which every agdb command has behind it when it starts."""
    from agdb import db

    db.create(place.work / "new.duckdb")


def import_agdb(place: Place) -> None:
    """The imports of a reading command."""
    from agdb import db  # noqa: F401


def ingest(place: Place) -> int:
    """agdb's own ingest, from opening the file to the closed (checkpointed) database: staged, gated, stored."""
    from agdb import db
    from agdb.ingest import qtl
    from agdb.ingest.variant_table import Options

    with db.writing(place.work / "new.duckdb") as con:
        return qtl.gtex(con, place.inputs.pairs, Options(tissue="Whole_Blood")).rows_kept


def loop_to_tuples(place: Place) -> int:
    """What a script does: gzip, split, convert; the rows stay in a list. No check, nothing stored."""
    rows = []
    with gzip.open(place.inputs.pairs, "rt") as file:
        next(file)
        for line in file:
            v, gene, tss, samples, count, maf, p, slope, se, threshold, least, beta = line.rstrip("\n").split("\t")
            chrom, pos, ref, alt, _ = v.split("_")
            rows.append((chrom, int(pos), ref, alt, gene, int(tss), int(samples), int(count), float(maf), float(p),
                         float(slope), float(se), float(threshold), float(least), float(beta)))  # fmt: skip
    return len(rows)


def loop_to_bed(place: Place) -> int:
    """What the script does that goes on to bedtools: gzip, split, a BED row for each association."""
    n = 0
    with gzip.open(place.inputs.pairs, "rt") as file, (place.work / "associations.bed").open("w") as bed:
        next(file)
        for line in file:
            v, gene, *_ = line.split("\t")
            chrom, pos, ref, alt, _ = v.split("_")
            start = int(pos) - 1
            bed.write(f"{chrom}\t{start}\t{start + len(ref)}\t{chrom}_{pos}_{ref}_{alt}\t{gene}\n")
            n += 1
    return n


def zcat(place: Place) -> None:
    """The floor of reading: decompress, and throw it away."""
    subprocess.run(["zcat", place.inputs.pairs], stdout=subprocess.DEVNULL, check=True)


def _query(place: Place, select: str) -> int:
    """Run a SELECT on the stored database and keep its rows in a temp table, as bedtools keeps them in a file."""
    from agdb import db

    with db.reading(place.stored) as con:
        con.execute(f"CREATE TEMP TABLE found AS {select}")
        return int(con.execute("SELECT count(*) FROM found").fetchall()[0][0])


PAIRS = "SELECT variant_id, peak_id FROM variant_in_peak"
VARIANTS = "SELECT DISTINCT variant_id FROM variant_in_peak"
ASSOCIATIONS = (
    "SELECT variant_id(q.chrom, q.pos, q.ref, q.alt) AS variant_id, q.gene_id FROM qtl AS q SEMI JOIN "
    "variant_in_peak AS p "
    "ON p.assembly = q.assembly AND p.chrom = q.chrom AND p.pos = q.pos AND p.ref = q.ref AND p.alt = q.alt"
)
#: The least that DuckDB can do: read what the overlap reads, and look one key up in a hash table. No interval test.
PROBE = (
    "SELECT count(*) AS n, max(length(v.ref)) AS reach, max(v.chrom) AS chrom FROM variant AS v "
    "SEMI JOIN (SELECT chrom_start >> 11 AS bin FROM peak) AS p ON p.bin = v.pos >> 11"
)


def _select(select: str) -> Callable[[Place], int]:
    return lambda place: _query(place, select)


def probe(place: Place) -> None:
    """DuckDB's floor of the overlap."""
    _query(place, PROBE)


def bedtools(a: Path, b: Path, out: Path, options: Sequence[str]) -> int:
    """`bedtools intersect` into a file; returns its lines."""
    with out.open("wb") as file:
        subprocess.run(["bedtools", "intersect", "-a", a, "-b", b, *options], stdout=file, check=True)
    with out.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


def _intersect(which: str, *options: str) -> Callable[[Place], int]:
    def run(place: Place) -> int:
        return bedtools(getattr(place.inputs, which), place.inputs.peaks_bed, place.work / "found.bed", options)

    return run


def whole_path(place: Place) -> int:
    """agdb from the two gz files: ingest both, then the association-level question."""
    from agdb import db
    from agdb.ingest import peaks, qtl
    from agdb.ingest.variant_table import Options

    with db.writing(place.work / "new.duckdb") as con:
        qtl.gtex(con, place.inputs.pairs, Options(tissue="Whole_Blood"))
        peaks.ingest(con, place.inputs.peaks, "K562", "GRCh38")
    with db.reading(place.work / "new.duckdb") as con:
        return int(con.execute(f"SELECT count(*) FROM ({ASSOCIATIONS})").fetchall()[0][0])


def plain_path(place: Place) -> int:
    """The script from the same gz file: the loop to BED, then bedtools -u (its peaks are unpacked already)."""
    loop_to_bed(place)
    return bedtools(place.work / "associations.bed", place.inputs.peaks_bed, place.work / "found.bed", ["-u"])


INGEST, OVERLAP_V, OVERLAP_A, WHOLE = "ingest", "overlap, variants", "overlap, associations", "gz to answer"

CASES = {
    "ingest": Case(INGEST, "agdb ingest gtex (typed, checked, stored)", ingest, make_database, "rows"),
    "loop-tuples": Case(INGEST, "Python gzip + split, to tuples", loop_to_tuples, None, "rows"),
    "loop-bed": Case(INGEST, "Python gzip + split, to a BED file", loop_to_bed, None, "rows"),
    "zcat": Case(INGEST, "floor: zcat > /dev/null", zcat, needs="zcat"),
    "variants": Case(OVERLAP_V, "agdb variant_in_peak: variants", _select(VARIANTS), import_agdb, "variants"),
    "pairs": Case(OVERLAP_V, "agdb variant_in_peak: pairs", _select(PAIRS), import_agdb, "pairs"),
    "bedtools-u": Case(
        OVERLAP_V, "bedtools intersect -u", _intersect("variants_bed", "-u"), None, "variants", "bedtools"
    ),
    "bedtools-u-sorted": Case(
        OVERLAP_V, "bedtools intersect -u -sorted", _intersect("variants_bed", "-u", "-sorted"), None, "variants",
        "bedtools",
    ),
    "bedtools-pairs": Case(
        OVERLAP_V, "bedtools intersect -wa -wb (pairs)", _intersect("variants_bed", "-wa", "-wb"), None, "pairs",
        "bedtools",
    ),
    "probe": Case(OVERLAP_V, "floor: DuckDB scan + one-key hash probe", probe, import_agdb),
    "associations": Case(OVERLAP_A, "agdb qtl in variant_in_peak", _select(ASSOCIATIONS), import_agdb, "associations"),
    "bedtools-associations": Case(
        OVERLAP_A, "bedtools intersect -u", _intersect("associations_bed", "-u"), None, "associations", "bedtools"
    ),
    "whole": Case(WHOLE, "agdb: ingest both + overlap query", whole_path, make_database, "associations"),
    "plain": Case(WHOLE, "Python gzip loop to BED + bedtools -u", plain_path, None, "associations", "bedtools"),
}  # fmt: skip


def missing(case: Case) -> str | None:
    """The program that the case needs and this machine lacks."""
    return case.needs if case.needs and not shutil.which(case.needs) else None
