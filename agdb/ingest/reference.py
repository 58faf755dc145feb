"""The reference genome: a FASTA is registered, not copied; every variant's whole REF allele is compared with it."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
import pyarrow as pa

from agdb.errors import Refused
from agdb.genome import Genome
from agdb.ingest import source

#: More mismatches than this share (and at least `MIN_MISMATCHES`): it is the assembly that is wrong, not the variants.
#: hg19 under hg38 variants gives 79 %, the right assembly none of 495 real ones.
MAX_MISMATCH_SHARE, MIN_MISMATCHES = 0.05, 10


def ingest(con: duckdb.DuckDBPyConnection, path: Path, assembly: str, allow_mismatch: bool = False) -> source.Loaded:
    """Register a FASTA as the genome of `assembly` and check every variant that it covers.

    Raises:
        Refused: not a FASTA, another one is registered, or more than 5 % of the REF alleles differ (unless
            `allow_mismatch`): it looks like another assembly. The database is as before.
    """
    draft = source.Draft("genome", "fasta", path, source.assembly_name(assembly))
    with _tidy(_work_dir(con)) as work_dir, closing(Genome(path, work_dir)) as genome:
        return _register(con, genome, draft, allow_mismatch)


def _register(
    con: duckdb.DuckDBPyConnection, genome: Genome, draft: source.Draft, allow_mismatch: bool
) -> source.Loaded:
    if not any(c.end > c.start for c in genome.contigs):
        raise Refused("the FASTA holds no bases", where=str(draft.path), cure="download it again")
    digest = source.sha256(draft.path)
    if seen := source.already(con, draft, digest):
        return seen
    with source.loading(con, draft, digest) as loaded:
        loaded.rows_read = loaded.rows_kept = len(genome.contigs)
        con.executemany(
            "INSERT INTO genome_contig VALUES (?, ?, ?, ?, ?)",
            [[loaded.source_id, c.record, c.chrom, c.start, c.end] for c in genome.contigs],
        )
        checked = _check(con, genome, draft.assembly)
        if checked.is_elsewhere and not allow_mismatch:
            cure = "give the FASTA of the variants' assembly (or --allow-mismatch, which leaves those variants out)"
            raise Refused(checked.refusal(draft.assembly), where=str(draft.path), cure=cure)
        nothing = "no variant of the database lies on this genome yet; those that come will be checked"
        loaded.notes.append(str(checked) if checked.n else nothing)
        _one_per_assembly(con, draft)
    return loaded


@contextmanager
def _tidy(work_dir: Path) -> Iterator[Path]:
    """The folder of indexes; a refused FASTA leaves none behind."""
    before = set(work_dir.iterdir()) if work_dir.exists() else set()
    try:
        yield work_dir
    except BaseException:
        if work_dir.exists():
            for new in set(work_dir.iterdir()) - before:
                new.unlink()
            if not before:
                work_dir.rmdir()
        raise


def _one_per_assembly(con: duckdb.DuckDBPyConnection, draft: source.Draft) -> None:
    others = con.execute(
        "SELECT name FROM source WHERE kind = 'genome' AND assembly = ? ORDER BY source_id", [draft.assembly]
    ).fetchall()
    if len(others) > 1:
        raise Refused(
            f"{others[0][0]} is registered as the genome of {draft.assembly} already",
            where=str(draft.path),
            cure="one FASTA an assembly: use a new database, or one FASTA that holds all the chromosomes you need",
        )


def check_new(con: duckdb.DuckDBPyConnection, assembly: str) -> list[str]:
    """Check the variants that are still unchecked against the registered genome, if there is one; returns notes.

    Raises:
        Refused: more than 5 % of the REF alleles differ.
    """
    genome = registered(con, assembly)
    if genome is None:
        return []
    with closing(genome):
        checked = _check(con, genome, assembly)
    if checked.is_elsewhere:
        cure = f"give the file that is on {assembly}, with REF and ALT as the genome has them"
        raise Refused(checked.refusal(assembly), where=f"against {genome.path}", cure=cure)
    return [str(checked)] if checked.n else []


def registered(con: duckdb.DuckDBPyConnection, assembly: str) -> Genome | None:
    """The registered genome of an assembly, opened; None where there is none.

    Raises:
        Refused: the FASTA has been moved or changed since.
    """
    found = con.execute("SELECT path, bytes FROM source WHERE kind = 'genome' AND assembly = ?", [assembly]).fetchall()
    if not found:
        return None
    path = Path(found[0][0])
    if not path.is_file() or path.stat().st_size != found[0][1]:
        raise Refused(
            f"the FASTA registered for {assembly} has been moved or changed", where=str(path), cure="put it back there"
        )
    return Genome(path, _work_dir(con))


def _work_dir(con: duckdb.DuckDBPyConnection) -> Path:
    """Beside the database: where indexes and unpacked copies go, since the folder of a FASTA may be read-only."""
    found = con.execute("SELECT path FROM duckdb_databases() WHERE database_name = current_database()").fetchall()
    return Path(f"{found[0][0]}.d")


class _Checked(NamedTuple):
    """How many variants were compared with the genome, and how many differ."""

    n: int
    mismatches: int

    @property
    def is_elsewhere(self) -> bool:
        return self.mismatches > MAX_MISMATCH_SHARE * self.n and self.mismatches >= MIN_MISMATCHES

    def refusal(self, assembly: str) -> str:
        return (
            f"{self.mismatches / self.n:.0%} of the REF alleles differ ({self.mismatches:,} mismatch, "
            f"{self.n - self.mismatches:,} match): this looks like another assembly than {assembly}"
        )

    def __str__(self) -> str:
        return (
            f"REF of {self.n:,} variants compared with the genome: {self.n - self.mismatches:,} match, "
            f"{self.mismatches:,} mismatch ({self.mismatches / self.n:.1%})"
        )


def _check(con: duckdb.DuckDBPyConnection, genome: Genome, assembly: str) -> _Checked:
    """Compare every unchecked variant that the genome covers, and store what was found."""
    con.execute("CREATE OR REPLACE TEMP TABLE checked (variant_id VARCHAR, ref_status VARCHAR)")
    n, mismatches = 0, 0
    for ids, match in _compared(con, genome, assembly):
        status = pa.array(np.where(match, "match", "mismatch"))
        part = pa.table({"variant_id": pa.array(ids, pa.string()), "ref_status": status})  # noqa: F841  (read by SQL)
        con.execute("INSERT INTO checked SELECT * FROM part")
        n, mismatches = n + len(match), mismatches + int((~match).sum())
    con.execute(
        "UPDATE variant SET ref_status = c.ref_status FROM checked AS c "
        "WHERE variant.assembly = ? AND variant.variant_id = c.variant_id",
        [assembly],
    )
    return _Checked(n, mismatches)


def _compared(con: duckdb.DuckDBPyConnection, genome: Genome, assembly: str) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """(variant_id, whether REF is the genome's) of the unchecked variants that each contig covers wholly."""
    for contig in genome.contigs:
        v = con.execute(
            "SELECT variant_id, chrom_start, ref FROM variant WHERE assembly = ? AND ref_status = 'unchecked' "
            "AND chrom::VARCHAR = ? AND chrom_start >= ? AND chrom_end <= ? ORDER BY pos",
            [assembly, contig.chrom, contig.start, contig.end],
        ).fetchnumpy()
        if len(v["variant_id"]):
            starts = np.asarray(v["chrom_start"], np.int64)
            yield v["variant_id"], genome.alleles_match(contig.chrom, starts, list(v["ref"]))
