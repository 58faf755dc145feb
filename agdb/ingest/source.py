"""One file becomes one source, in one transaction: registered with its sha256, gated by sql/checks, or not there."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import duckdb

from agdb import db
from agdb.errors import Refused

#: Assemblies by any of their names.
ASSEMBLIES = {
    "GRCh38": "GRCh38", "hg38": "GRCh38", "b38": "GRCh38", "GRCh37": "GRCh37", "hg19": "GRCh37", "b37": "GRCh37",
}  # fmt: skip


@dataclass
class Draft:
    """What is known of a source before it is read; the columns of table `source` of the same names."""

    kind: str
    format: str
    path: Path
    assembly: str
    tissue: str | None = None
    biosample: str | None = None
    effect: str | None = None
    effect_unit: str | None = None
    effect_allele: str | None = None
    null_value: float | None = None


@dataclass
class Loaded:
    """What an ingest did. Where `is_new` is False the file was there already and nothing was written."""

    source_id: int
    name: str
    is_new: bool
    rows_read: int = 0
    rows_kept: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    run_id: int = 0


def assembly_name(name: str) -> str:
    """GRCh38 or GRCh37, from any of their names.

    Raises:
        Refused: an assembly that agdb does not know.
    """
    known = {k.lower(): v for k, v in ASSEMBLIES.items()}.get(name.lower())
    if known is None:
        raise Refused(f"unknown assembly {name!r}", cure=f"one of {', '.join(ASSEMBLIES)}")
    return known


def sha256(path: Path) -> str:
    """sha256 of the bytes of a file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def already(con: duckdb.DuckDBPyConnection, draft: Draft, digest: str) -> Loaded | None:
    """The source that holds these bytes already, if there is one.

    Raises:
        Refused: the same bytes stand there as something else (another tissue, biosample, assembly or label).
    """
    found = con.execute(
        "SELECT source_id, name, format, assembly, tissue, biosample, effect, rows_read, rows_kept FROM source "
        "WHERE kind = ? AND sha256 = ?",
        [draft.kind, digest],
    ).fetchall()
    if not found:
        return None
    source_id, name, *was, rows_read, rows_kept = found[0]
    new = [draft.format, draft.assembly, draft.tissue, draft.biosample, draft.effect]
    if was != new:
        raise Refused(
            f"this file is in the database already, as {_described(was)}; now it is given as {_described(new)}",
            where=f"source {source_id} ({name}), sha256 {digest[:12]}",
            cure="one of the two is wrong: a file has one meaning; use a new database to ingest it differently",
        )
    return Loaded(source_id, name, False, rows_read or 0, rows_kept or 0)


def _described(facts: list[str | None]) -> str:
    return ", ".join(f for f in facts if f)


@contextmanager
def loading(con: duckdb.DuckDBPyConnection, draft: Draft, digest: str) -> Iterator[Loaded]:
    """The transaction of one ingest: a source row, whatever the body writes, and the gate; or nothing.

    The body sets `rows_read`, `rows_kept` and `rejected` of the `Loaded` it is given.
    """
    with db.transaction(con):
        run_id = db.start_run(con, f"ingest {draft.format}", path=draft.path, assembly=draft.assembly,
                              tissue=draft.tissue, biosample=draft.biosample)  # fmt: skip
        loaded = Loaded(db.next_id(con, "source"), draft.path.name, True, run_id=run_id)
        con.execute(
            "INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL, NULL, NULL, ?)",
            [loaded.source_id, draft.kind, draft.format, draft.path.name, draft.tissue, draft.biosample, draft.assembly,
             draft.effect, draft.effect_unit, draft.effect_allele, draft.null_value, str(draft.path.resolve()), digest,
             draft.path.stat().st_size, run_id],
        )  # fmt: skip
        yield loaded
        con.execute(
            "UPDATE source SET rows_read = ?, rows_kept = ?, rows_rejected = ? WHERE source_id = ?",
            [loaded.rows_read, loaded.rows_kept, sum(loaded.rejected.values()), loaded.source_id],
        )
        _gate(con, draft, loaded.source_id)
        db.finish_run(con, run_id, loaded.rows_kept)


def _gate(con: duckdb.DuckDBPyConnection, draft: Draft, source_id: int) -> None:
    """Run the checks that gate this kind of source; the first that finds something refuses the file."""
    for check in db.checks():
        if check.severity != "refuse" or check.gates not in (draft.kind, "qtl" if draft.effect else ""):
            continue
        # a problem of a scorer, not of one source, has no source_id
        query = f"SELECT problem FROM ({check.sql}) WHERE source_id = ? OR source_id IS NULL LIMIT 1"
        found = con.execute(query, [source_id]).fetchall()
        if found:
            raise Refused(f"{found[0][0]}", where=f"{draft.path} (check {check.name})", cure=check.cure)
