"""One file becomes one source, in one transaction: registered with its sha256, gated by sql/checks, or not there.

A file that holds several tissues becomes one source for each: a source is what a label set is made of.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from agdb import db
from agdb.errors import Refused
from agdb.ingest import origin, tap
from agdb.ingest.plan import Counts
from agdb.ingest.rows import Rows

#: Assemblies by any of their names.
ASSEMBLIES = {
    "GRCh38": "GRCh38", "hg38": "GRCh38", "b38": "GRCh38", "GRCh37": "GRCh37", "hg19": "GRCh37", "b37": "GRCh37",
    "NCBI36": "NCBI36", "hg18": "NCBI36", "b36": "NCBI36",
}  # fmt: skip


@dataclass(frozen=True)
class Draft:
    """What is known of a source before it is read; the columns of table `source` of the same names.

    `tissue_in_file` says that the file itself names the tissue of each row; `named_by_file` that nobody said what the
    biosample is, and it is the name of the file; `read_as` what a table of one's own was taken for, which its format
    does not tell.
    """

    kind: str
    format: str
    path: Path
    assembly: str
    qtl_type: str | None = None
    tissue: str | None = None
    biosample: str | None = None
    lifted_from: str | None = None
    lifted_by: int | None = None
    effect: str | None = None
    effect_unit: str | None = None
    effect_allele: str | None = None
    null_value: float | None = None
    row_filter: str | None = None
    tissue_in_file: bool = False
    named_by_file: bool = False
    read_as: Mapping[str, Any] = field(default_factory=dict)

    @property
    def meaning(self) -> dict[str, str | None]:
        """What one and the same file cannot be twice."""
        names = ["format", "assembly", "lifted_from", "effect", "effect_unit"]
        names += [] if self.named_by_file else ["biosample"]
        return {name: getattr(self, name) for name in [*names, *([] if self.tissue_in_file else ["tissue"])]}


@dataclass
class Loaded:
    """What an ingest did. Where `is_new` is False the file was there already and nothing was written."""

    source_ids: list[int]
    name: str
    is_new: bool
    rows_read: int = 0
    rows_kept: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    run_id: int = 0
    sha256: str | None = None
    bytes: int = 0

    @property
    def source_id(self) -> int:
        """Its source, or the first of them."""
        return self.source_ids[0]

    def take(self, counts: Counts, rows: Rows) -> None:
        """Note what a reader counted, and what it learnt of a file that can be read only once.

        Raises:
            Refused: the bytes that were read are not those that the sha256 was made of.
        """
        self.rows_read, self.rows_kept, self.rejected = counts.read, counts.kept, counts.rejected
        if self.sha256 is None:
            self.sha256, self.bytes = rows.sha256, rows.bytes_read
        elif rows.sha256 not in (None, self.sha256):
            raise Refused("the file changed while it was read", where=str(rows.path),
                          cure="wait until it is written (a download?), then ingest it again")  # fmt: skip


def assembly_name(name: str) -> str:
    """GRCh38, GRCh37 or NCBI36, from any of their names.

    Raises:
        Refused: an assembly that agdb does not know.
    """
    known = {k.lower(): v for k, v in ASSEMBLIES.items()}.get(name.lower())
    if known is None:
        raise Refused(f"unknown assembly {name!r}", cure=f"one of {', '.join(ASSEMBLIES)}")
    return known


def sha256(path: Path) -> str | None:
    """sha256 of the bytes of a file; None for a pipe, of which it is known when it has been read.

    Raises:
        Refused: the file cannot be opened.
    """
    if tap.is_pipe(path):
        return None
    tap.check_path(path)
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def already(con: duckdb.DuckDBPyConnection, draft: Draft, digest: str | None, but: int = 0) -> Loaded | None:
    """The source that holds these bytes already, if there is one other than those of run `but`.

    Raises:
        Refused: the same bytes stand there as something else (another tissue, biosample, assembly or label).
    """
    names = list(draft.meaning)
    found = con.execute(
        f"SELECT source_id, name, rows_read, rows_kept, [{', '.join(f'{n}::VARCHAR' for n in names)}] FROM source "
        "WHERE kind = ? AND sha256 = ? AND row_filter IS NOT DISTINCT FROM ? AND run_id <> ? ORDER BY source_id",
        [draft.kind, digest, draft.row_filter, but],
    ).fetchall()
    if not found:
        return None
    now = list(draft.meaning.values())
    if draft.kind == "peaks" and not any(row[4] == now for row in found) and all(
            _as_in_file(row[4]) == _as_in_file(now) for row in found):  # fmt: skip
        return None  # as they are, and lifted: peaks of both assemblies, which never meet
    found = [row for row in found if row[4] == now] or found
    source_id, name, _, _, was = found[0]
    if was != now:
        raise Refused(
            f"this file is in the database already, as {_told(was)}; now it is given as {_told(now)}",
            where=f"source {source_id} ({name}), sha256 {(digest or '')[:12]}",
            cure="one of the two is wrong: a file has one meaning; use a new database to ingest it differently",
        )
    read, kept = (sum(row[i] or 0 for row in found) for i in (2, 3))
    return Loaded([row[0] for row in found], name, False, read, kept)


def _as_in_file(meaning: list[str | None]) -> list[str | None]:
    """What a file is, with the assembly of its own coordinates alone."""
    format_, assembly, lifted_from, *rest = meaning
    return [format_, lifted_from or assembly, *rest]


def _told(facts: list[str | None]) -> str:
    return ", ".join(f for f in facts if f)


class _SeenBefore(Exception):
    """What came through a pipe turned out to be in the database already."""


@contextmanager
def loading(con: duckdb.DuckDBPyConnection, draft: Draft, digest: str | None) -> Iterator[Loaded]:
    """The transaction of one ingest: a source row, whatever the body writes, and the gate; or nothing.

    The body tells the `Loaded` that it is given what it read (`take`), and may `add` more sources.

    Raises:
        Refused: a check of the gate refuses.
    """
    loaded = Loaded([], draft.path.name, True, sha256=digest)
    if digest is not None:
        loaded.bytes = draft.path.stat().st_size
    seen: Loaded | None = None
    try:
        with db.transaction(con):
            loaded.run_id = db.start_run(
                con, f"ingest {draft.format}", path=draft.path, assembly=draft.assembly, tissue=draft.tissue,
                biosample=draft.biosample, where=draft.row_filter, **draft.read_as,
            )  # fmt: skip
            add(con, draft, loaded, draft.tissue)
            yield loaded
            if digest is None and (seen := already(con, draft, loaded.sha256, but=loaded.run_id)):
                raise _SeenBefore
            _count(con, loaded)
            _gate(con, draft, loaded)
            db.finish_run(con, loaded.run_id, loaded.rows_kept)
    except _SeenBefore:
        assert seen is not None
        vars(loaded).update(vars(seen))


def add(con: duckdb.DuckDBPyConnection, draft: Draft, loaded: Loaded, tissue: str | None) -> int:
    """A new row of table `source`; returns its source_id."""
    source_id = db.next_id(con, "source")
    path = draft.path if tap.is_pipe(draft.path) else draft.path.resolve()
    columns = ("kind", "format", "qtl_type", "biosample", "assembly", "lifted_from", "lifted_by", "effect",
               "effect_unit", "effect_allele", "null_value", "row_filter")  # fmt: skip
    values = {
        **{name: getattr(draft, name) for name in columns}, "source_id": source_id, "name": draft.path.name,
        "tissue": tissue, "path": str(path), "sha256": loaded.sha256 or "", "bytes": loaded.bytes,
        "run_id": loaded.run_id, **_origin(draft, loaded),
    }  # fmt: skip
    marks = ", ".join("?" * len(values))
    con.execute(f"INSERT INTO source ({', '.join(values)}) VALUES ({marks})", list(values.values()))
    loaded.source_ids.append(source_id)
    return source_id


def _origin(draft: Draft, loaded: Loaded) -> dict[str, str | None]:
    """The columns that tell where a file is from, as far as `agdb fetch` wrote it down beside it."""
    if loaded.sha256 is None:
        return {}
    found, note = origin.of(draft.path, loaded.sha256)
    loaded.notes += [note] if note and note not in loaded.notes else []
    if found is None:
        return {}
    return {
        "url": found.url, "archive_member": found.member, "retrieved_at": found.retrieved_at,
        "release": found.release, "licence": found.licence, "citation": found.citation,
    }  # fmt: skip


def _count(con: duckdb.DuckDBPyConnection, loaded: Loaded) -> None:
    """Write down what was read, kept and rejected; of several tissues each has its own numbers."""
    con.execute(
        "UPDATE source SET sha256 = ?, bytes = ?, rows_read = ?, rows_kept = ?, rows_rejected = ? WHERE source_id IN ?",
        [loaded.sha256, loaded.bytes, loaded.rows_read, loaded.rows_kept, sum(loaded.rejected.values()),
         loaded.source_ids],
    )  # fmt: skip
    if len(loaded.source_ids) > 1:
        con.execute(
            "UPDATE source SET rows_kept = c.kept, rows_rejected = c.rejected, rows_read = c.kept + c.rejected FROM ("
            "SELECT source_id, count(*) FILTER (is_kept) AS kept, count(*) FILTER (NOT is_kept) AS rejected FROM ("
            "SELECT source_id, true AS is_kept FROM qtl UNION ALL SELECT source_id, true FROM credible "
            "UNION ALL SELECT source_id, false FROM rejected) GROUP BY source_id) AS c "
            "WHERE source.source_id = c.source_id AND c.source_id IN ?",
            [loaded.source_ids],
        )


def _gate(con: duckdb.DuckDBPyConnection, draft: Draft, loaded: Loaded) -> None:
    """Run the checks that gate this kind of source: one that refuses raises, one that warns leaves a note.

    The variable `new_sources` tells those checks that compare sources which ones are asked for; else it is all.
    """
    kinds = {draft.kind, "qtl"} if draft.effect else {draft.kind}
    con.execute(f"SET VARIABLE new_sources = {loaded.source_ids}")
    try:
        for check in db.checks():
            if not kinds & set(check.gates):
                continue
            # a problem of a scorer or of an assembly, not of one source, has no source_id
            query = f"SELECT problem FROM ({check.sql}) WHERE source_id IN ? OR source_id IS NULL"
            for (problem,) in con.execute(query, [loaded.source_ids]).fetchall():
                if check.severity == "refuse":
                    raise Refused(problem, where=f"{draft.path} (check {check.name})", cure=check.cure)
                loaded.notes.append(f"warning: {problem}\n    cure: {check.cure}")
    finally:
        with suppress(duckdb.Error):  # of a transaction that is over because of another error
            con.execute("RESET VARIABLE new_sources")
