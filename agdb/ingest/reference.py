"""The reference genome: a FASTA is registered, not copied; every variant's whole REF allele is compared with it."""

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import duckdb

from agdb.errors import Refused
from agdb.genome import UNFINISHED, Genome
from agdb.ingest import alleles, source


def ingest(con: duckdb.DuckDBPyConnection, path: Path, assembly: str, allow_mismatch: bool = False) -> source.Loaded:
    """Register a FASTA as the genome of `assembly` and check every variant that it covers.

    Raises:
        Refused: not a FASTA, its chromosomes have the lengths of another assembly, another one is registered, or more
            than 5 % of the alleles differ (unless `allow_mismatch`): it looks like another assembly. The database is
            as before.
    """
    draft = source.Draft("genome", "fasta", path, source.assembly_name(assembly))
    with _tidy(_work_dir(con)) as work_dir, closing(Genome(path, work_dir)) as genome:
        return _register(con, genome, draft, allow_mismatch)


def _register(
    con: duckdb.DuckDBPyConnection, genome: Genome, draft: source.Draft, allow_mismatch: bool
) -> source.Loaded:
    if not any(c.end > c.start for c in genome.contigs):
        raise Refused("the FASTA holds no bases", where=str(draft.path), cure="download it again")
    _is_of(con, genome, draft.assembly)
    digest = source.sha256(draft.path)
    if seen := source.already(con, draft, digest):
        return _moved(con, seen, draft.path)
    with source.loading(con, draft, digest) as loaded:
        loaded.rows_read = loaded.rows_kept = len(genome.contigs)
        con.executemany(
            "INSERT INTO genome_contig VALUES (?, ?, ?, ?, ?)",
            [[loaded.source_id, c.record, c.chrom, c.start, c.end] for c in genome.contigs],
        )
        checked = alleles.check(con, genome, draft.assembly)
        if checked.is_elsewhere and not allow_mismatch:
            cure = "give the FASTA of the variants' assembly (or --allow-mismatch, which leaves those variants out)"
            raise Refused(checked.refusal(draft.assembly), where=str(draft.path), cure=cure)
        nothing = "no variant of the database lies on this genome yet; those that come will be checked"
        loaded.notes += checked.notes() or [nothing]
        if genome.is_unpacked:
            loaded.notes.append(f"its gzip is unpacked into {genome.work_dir}: bgzip would be read where it lies")
        _one_per_assembly(con, draft)
    return loaded


def _moved(con: duckdb.DuckDBPyConnection, seen: source.Loaded, path: Path) -> source.Loaded:
    """The FASTA that is registered already; where it lies elsewhere now, it is read there from now on."""
    now = str(path.resolve())
    is_elsewhere = "UPDATE source SET path = $now, name = $name WHERE source_id = $id AND path <> $now RETURNING 1"
    if con.execute(is_elsewhere, {"now": now, "name": path.name, "id": seen.source_id}).fetchall():
        seen.notes.append(f"it is read from {path} now")
    return seen


def _is_of(con: duckdb.DuckDBPyConnection, genome: Genome, assembly: str) -> None:
    """Refuse a FASTA with whole chromosomes that have the lengths of another assembly."""
    whole = {c.chrom: c.end for c in genome.contigs if c.start == 0 and c.chrom != "chrM"}
    found = con.execute("SELECT assembly::VARCHAR, chrom::VARCHAR, length FROM contig").fetchall()
    of = [a for a, chrom, length in found if whole.get(chrom) == length]
    others = sorted(set(of) - {assembly})
    if others and assembly not in of:
        raise Refused(
            f"this FASTA is of {others[0]}, not of {assembly}: the lengths of its chromosomes tell",
            where=str(genome.path),
            cure=f"give the FASTA of {assembly}, or --assembly {others[0]}",
        )


@contextmanager
def _tidy(work_dir: Path) -> Iterator[Path]:
    """The folder of indexes, without what a killed ingest left there: whoever writes has the database to itself. A
    refused FASTA leaves none behind."""
    for unfinished in work_dir.glob(f"{UNFINISHED}*"):
        shutil.rmtree(unfinished, ignore_errors=True)
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
        Refused: more than 5 % of the alleles differ.
    """
    genome = registered(con, assembly)
    if genome is None:
        return []
    with closing(genome):
        checked = alleles.check(con, genome, assembly)
    if checked.is_elsewhere:
        cure = f"give the file that is on {assembly}, or lift it: --assembly and --lift"
        raise Refused(checked.refusal(assembly), where=f"against {genome.path}", cure=cure)
    return checked.notes()


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
            f"the FASTA registered for {assembly} has been moved or changed", where=str(path),
            cure=f"put it back there, or say where it is: agdb ingest genome FASTA --assembly {assembly}",
        )  # fmt: skip
    return Genome(path, _work_dir(con))


def _work_dir(con: duckdb.DuckDBPyConnection) -> Path:
    """Beside the database: where indexes and unpacked copies go, since the folder of a FASTA may be read-only."""
    found = con.execute("SELECT path FROM duckdb_databases() WHERE database_name = current_database()").fetchall()
    return Path(f"{found[0][0]}.d")
