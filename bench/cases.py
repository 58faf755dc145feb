"""What is measured: one function a case. Each runs in a fresh process (bench.measure), which times it and its memory.

A case is given the inputs and an empty folder, and returns what it found, small enough to print: cases of one group
must return the same, or no time of theirs is shown.
"""

import gzip
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

Found = int | list[int] | dict[str, float] | None

#: The environment of the peers: `make bench` makes it.
PEERS = Path(__file__).resolve().parents[1] / ".venv-peers"


class Inputs(NamedTuple):
    """The files of one size: what agdb reads (.gz), and the same as BED for bedtools, written beforehand."""

    pairs: Path  # GTEx v8 signif_variant_gene_pairs, gzip
    peaks: Path  # narrowPeak, gzip
    associations_bed: Path  # chrom, start, end, variant_id, gene_id: a row per association, in the order of `pairs`
    variants_bed: Path  # chrom, start, end, variant_id: a row per variant, sorted
    peaks_bed: Path  # chrom, start, end, name: sorted
    many_peaks: Path  # narrowPeak, gzip: as many as the DHS index has
    positions: Path  # chrom, pos, ref, alt on GRCh38, gzip: to be lifted
    chain: Path  # GRCh38 to GRCh37, gzip
    tissues: Path  # a folder of files like `pairs`, one a tissue; empty unless asked for


NO_INPUTS = Inputs(*[Path(os.devnull)] * len(Inputs._fields))


class Place(NamedTuple):
    """Where a case runs."""

    inputs: Inputs  # the cases of predict read none
    stored: Path  # a database that holds the inputs, made before any clock: the resident cases open it read-only
    work: Path  # an empty folder of its own
    server: str = ""  # address of the server that the cases of predict ask
    n: int = 0  # variants that they score


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
    is_peer: bool = False  # runs in the peers' environment


def make_database(place: Place) -> None:
    """An empty agdb database; also pays for the imports, as the other cases do before their clock starts."""
    from agdb import db
    from agdb.ingest import peaks, qtl, variant_list  # noqa: F401

    db.create(place.work / "new.duckdb")


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


def pandas_read(place: Place) -> int:
    """pandas' read of the same file, into memory: nothing split, checked or stored."""
    import pandas as pd

    return len(pd.read_csv(place.inputs.pairs, sep="\t"))


def import_pandas(place: Place) -> None:
    """The import of pandas."""
    import pandas  # noqa: F401


def ingest_peaks(place: Place) -> int:
    """agdb's own ingest of many peaks."""
    from agdb import db
    from agdb.ingest import peaks

    with db.writing(place.work / "new.duckdb") as con:
        return peaks.ingest(con, place.inputs.many_peaks, "K562", "GRCh38").rows_kept


def peaks_to_tuples(place: Place) -> int:
    """What a script does with a narrowPeak file."""
    rows = []
    with gzip.open(place.inputs.many_peaks, "rt") as file:
        for line in file:
            chrom, start, end, name, score, _, signal, p, q, peak = line.rstrip("\n").split("\t")
            rows.append((chrom, int(start), int(end), name, int(score), float(signal), float(p), float(q), int(peak)))
    return len(rows)


def pandas_peaks(place: Place) -> int:
    """pandas' read of the same file."""
    import pandas as pd

    return len(pd.read_csv(place.inputs.many_peaks, sep="\t", header=None))


def make_database_with_chain(place: Place) -> None:
    """An agdb database that holds the chain, as pyliftover holds it in memory."""
    from agdb import db
    from agdb.ingest import chain

    make_database(place)
    with db.writing(place.work / "new.duckdb") as con:
        chain.ingest(con, place.inputs.chain)


def lift(place: Place) -> int:
    """agdb's ingest of variants with --lift: read, checked, lifted, stored; what is not is kept with a reason."""
    from agdb import db
    from agdb.ingest import preset, variant_list
    from agdb.ingest.variant_table import Options

    how = Options(assembly="GRCh38", lift=place.inputs.chain)
    with db.writing(place.work / "new.duckdb") as con:
        loaded = variant_list.ingest(con, place.inputs.positions, [preset.named("variant_list")], how)
    return loaded.rows_kept


def pyliftover(place: Place) -> int:
    """The same file through pyliftover, a position at a time, after its chain is read: lifted positions in a list."""
    return len(lifted_by_pyliftover(place.inputs, _CHAINS[place.inputs.chain]))


def lifted_by_pyliftover(inputs: Inputs, chain: Any) -> list[tuple[str, int]]:
    """(chrom, 1-based position) on GRCh37 of each position that has exactly one place there."""
    found = []
    with gzip.open(inputs.positions, "rt") as file:
        next(file)
        for line in file:
            chrom, pos, _ = line.split("\t", 2)
            places = chain.convert_coordinate(chrom, int(pos) - 1)
            if places and len(places) == 1:
                found.append((places[0][0], places[0][1] + 1))
    return found


#: The chain as pyliftover holds it, by its file: read before the clock.
_CHAINS: dict[Path, Any] = {}


def read_chain(place: Place) -> None:
    """pyliftover's read of the chain."""
    from pyliftover import LiftOver

    _CHAINS[place.inputs.chain] = LiftOver(str(place.inputs.chain))


def ingest_tissues(place: Place) -> int:
    """agdb's ingest of one file a tissue into one database, with the memory that the command line allows."""
    from agdb import db
    from agdb.cli.ingest_files import MEMORY
    from agdb.ingest import qtl
    from agdb.ingest.variant_table import Options

    with db.writing(place.work / "new.duckdb", memory_limit=MEMORY) as con:
        return sum(qtl.gtex(con, file, Options()).rows_kept for file in sorted(place.inputs.tissues.iterdir()))


def zcat_tissues(place: Place) -> None:
    """The floor of reading them."""
    subprocess.run(["zcat", *sorted(place.inputs.tissues.iterdir())], stdout=subprocess.DEVNULL, check=True)


def _zcat(which: str) -> Callable[[Place], None]:
    def run(place: Place) -> None:
        """The floor of reading: decompress, and throw it away."""
        subprocess.run(["zcat", getattr(place.inputs, which)], stdout=subprocess.DEVNULL, check=True)

    return run


#: The associations that lie in a peak.
ASSOCIATIONS = (
    "SELECT variant_id(q.chrom, q.pos, q.ref, q.alt) AS variant_id, q.gene_id FROM qtl AS q SEMI JOIN "
    "variant_in_peak AS p "
    "ON p.assembly = q.assembly AND p.chrom = q.chrom AND p.pos = q.pos AND p.ref = q.ref AND p.alt = q.alt"
)


def bedtools(a: Path, b: Path, out: Path, options: Sequence[str]) -> int:
    """`bedtools intersect` into a file; returns its lines."""
    with out.open("wb") as file:
        subprocess.run(["bedtools", "intersect", "-a", a, "-b", b, *options], stdout=file, check=True)
    with out.open("rb") as file:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))


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


PEAKS, LIFT, TISSUES = "ingest of peaks", "ingest and lift", "ingest of all tissues"
INGEST, WHOLE = "ingest", "gz to answer"

CASES = {
    "ingest": Case(INGEST, "agdb ingest gtex (typed, checked, stored)", ingest, make_database, "rows"),
    "loop-tuples": Case(INGEST, "Python gzip + split, to tuples", loop_to_tuples, None, "rows"),
    "loop-bed": Case(INGEST, "Python gzip + split, to a BED file", loop_to_bed, None, "rows"),
    "pandas": Case(INGEST, "pandas.read_csv alone", pandas_read, import_pandas, "rows", "pandas"),
    "zcat": Case(INGEST, "floor: zcat > /dev/null", _zcat("pairs"), needs="zcat"),
    "peaks": Case(PEAKS, "agdb ingest peaks (typed, checked, stored)", ingest_peaks, make_database, "peaks"),
    "loop-peaks": Case(PEAKS, "Python gzip + split, to tuples", peaks_to_tuples, None, "peaks"),
    "pandas-peaks": Case(PEAKS, "pandas.read_csv alone", pandas_peaks, import_pandas, "peaks", "pandas"),
    "zcat-peaks": Case(PEAKS, "floor: zcat > /dev/null", _zcat("many_peaks"), needs="zcat"),
    "lift": Case(LIFT, "agdb ingest variants --lift (checked, stored)", lift, make_database_with_chain, "lifted"),
    "pyliftover": Case(LIFT, "pyliftover, chain in memory", pyliftover, read_chain, "lifted", "pyliftover"),
    "tissues": Case(TISSUES, "agdb ingest gtex, one file a tissue", ingest_tissues, make_database, "tissues"),
    "zcat-tissues": Case(TISSUES, "floor: zcat > /dev/null", zcat_tissues, needs="zcat"),
    "whole": Case(WHOLE, "agdb: ingest both + overlap query", whole_path, make_database, "associations"),
    "plain": Case(WHOLE, "Python gzip loop to BED + bedtools -u", plain_path, None, "associations", "bedtools"),
}  # fmt: skip


def missing(case: Case) -> str | None:
    """The program or package that the case needs and this machine lacks."""
    if case.is_peer:
        is_there = any(PEERS.glob(f"lib/python*/site-packages/{case.needs}"))
    else:
        is_there = case.needs is None or bool(shutil.which(case.needs) or find_spec(case.needs))
    return None if is_there else case.needs


def interpreter(case: Case) -> str:
    """The Python that runs the case."""
    return str(PEERS / "bin" / "python") if case.is_peer else sys.executable
