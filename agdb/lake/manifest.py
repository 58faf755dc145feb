"""What a lake holds: manifest.json, and whether the files are those that it names.

Layout: `qtl/tissue=Liver/part.parquet`, `variant/chrom=chr1/part.parquet`, ...; tables that are not divided, and small
ones, are one file `TABLE.parquet`. Folders are Hive partitions: their column is in their name, and, where the table has
it, in the file too.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import duckdb

from agdb.errors import Refused, UsageError
from agdb.schema import migrations

#: The format of the folders and of the manifest: another number cannot be read.
FORMAT, VERSION = "agdb-lake", 1

MANIFEST = "manifest.json"


class Layout(NamedTuple):
    """How a large table lies in a lake: the columns of its folders, and the order of its rows within a file.

    `tissue` is a column of table source: associations and fine-mapping have it through their source.
    """

    partition_by: tuple[str, ...]
    order: tuple[str, ...]


_VARIANT = ("assembly", "chrom", "pos", "ref", "alt")
_OF_SOURCE = ("source_id", *_VARIANT, "gene_id", "molecular_trait_id")

#: Tables that are read where they lie: they grow with associations, variants, peaks. All others are copied.
LAYOUT = {
    "qtl": Layout(("tissue",), _OF_SOURCE),
    "credible": Layout(("tissue",), (*_OF_SOURCE, "cs_id")),
    "variant": Layout(("chrom",), _VARIANT),
    "prediction": Layout(("computation_id", "chrom"), (*_VARIANT, "gene_id", "track_id")),
    "scored_variant": Layout(("computation_id", "chrom"), (*_VARIANT, "tracks")),
    "failure": Layout((), ("computation_id", *_VARIANT)),
    "peak": Layout((), ("assembly", "chrom", "chrom_start", "chrom_end", "peak_id")),
    "listed_variant": Layout((), ("source_id", *_VARIANT, "name")),
    "egene": Layout((), ("source_id", "gene_id", "signal_rank")),
    "rejected": Layout((), ("source_id", "line", "reason", "text")),
}


class File(NamedTuple):
    """A file of a lake. `partition`: the value of each column of its folders, in their order; None for NULL."""

    path: str
    rows: int
    bytes: int
    sha256: str
    partition: tuple[str | None, ...]


class Lake(NamedTuple):
    """A lake: where it lies (a folder's path, or an address as s3://bucket/study) and what its manifest says.

    Attributes:
        root: Without a slash at its end.
        sha256: Of the manifest, which has that of every file: it stands for the whole lake.
        sources: One each source: source_id, kind, name, tissue, biosample, assembly, effect, sha256, bytes, rows.
        tables: Files by table.
    """

    root: str
    sha256: str
    sources: list[dict[str, Any]]
    tables: dict[str, list[File]]

    @property
    def rows(self) -> dict[str, int]:
        """Rows by table."""
        return {table: sum(file.rows for file in files) for table, files in self.tables.items()}

    @property
    def files(self) -> list[File]:
        """All files."""
        return [file for files in self.tables.values() for file in files]

    def at(self, files: Iterable[File]) -> list[str]:
        """Where files lie."""
        return [f"{self.root}/{file.path}" for file in files]


def schema_sha256() -> str:
    """What tells the tables of this version of agdb from those of others."""
    return hashlib.sha256("\n".join(f"{m.name} {m.sha256}" for m in migrations()).encode()).hexdigest()


def is_remote(root: str) -> bool:
    """Whether it is an address, not a path."""
    return "://" in root


def text_of(software: dict[str, str], sources: list[dict[str, Any]], tables: dict[str, list[File]]) -> str:
    """The manifest of these; the same lake has the same text."""
    newest = migrations()[-1].name
    return json.dumps(
        {
            "format": FORMAT, "version": VERSION, **software,
            "schema": {"migration": newest, "sha256": schema_sha256()}, "sources": sources,
            "tables": {
                table: {
                    "partition_by": list(LAYOUT[table].partition_by) if table in LAYOUT else [],
                    "rows": sum(file.rows for file in files), "files": [file._asdict() for file in files],
                } for table, files in tables.items()
            },
        }, indent=1,
    ) + "\n"  # fmt: skip


def found(root: str | Path, *, verify: bool = False) -> Lake:
    """The lake at a path or address, whose files are there in the size that its manifest names.

    Args:
        root: A folder, or an address that DuckDB reads (s3://..., where httpfs is installed).
        verify: Compare the sha256 of every file too: all of it is read. Local paths only.

    Raises:
        Refused: there is no lake; it is of another format or schema; a file is missing, cut or changed.
        UsageError: `verify` of an address.
    """
    # links stay as they are written: what /shared is a link to differs from node to node
    root = str(root).rstrip("/") if is_remote(str(root)) else str(Path(root).absolute())
    if verify and is_remote(root):
        raise UsageError("sha256 sums are compared of local files", where=root,
                         cure="leave --verify out, and sizes are compared; or copy the lake")  # fmt: skip
    lake = _read(root, _manifest(root))
    sizes = _sizes(root, lake.files)
    for file in lake.files:
        _compare(root, file, sizes.get(file.path), verify)
    return lake


def _manifest(root: str) -> str:
    try:
        with _asking() as con:
            texts = con.execute("SELECT content FROM read_text(?)", [f"{root}/{MANIFEST}"]).fetchall()
    except duckdb.Error as error:
        raise cannot_read(root, error) from error
    if not texts:
        raise Refused("there is no lake here: no manifest.json", where=root,
                      cure="agdb lake export DIR writes one; copy the manifest after all other files")  # fmt: skip
    return str(texts[0][0])


def _read(root: str, text: str) -> Lake:
    where = f"{root}/{MANIFEST}"
    try:
        told = json.loads(text)
        if told["format"] != FORMAT:
            raise Refused(f"this is no lake of agdb, but {told['format']!r}", where=where, cure="agdb lake export DIR")
        if told["version"] != VERSION:
            raise Refused(f"the lake is of format {told['version']}, and this agdb reads {VERSION}", where=where,
                          cure="the agdb that wrote it reads it; or export the study again")  # fmt: skip
        if told["schema"]["sha256"] != schema_sha256():
            raise Refused(
                f"the lake has the tables of another agdb: {told['agdb']}, migration {told['schema']['migration']}",
                where=where, cure="agdb migrate the study and export it again, or use that agdb",
            )  # fmt: skip
        tables = {
            table: [File(**{**file, "partition": tuple(file["partition"])}) for file in of["files"]]
            for table, of in told["tables"].items()
        }
        return Lake(root, hashlib.sha256(text.encode()).hexdigest(), told["sources"], tables)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"the manifest cannot be read: {type(error).__name__} {error}", where=where,
                      cure="copy it again, or export the study again") from error  # fmt: skip


def _sizes(root: str, files: list[File]) -> dict[str, int]:
    """Bytes of those files that are there."""
    if not is_remote(root):
        there = ((file.path, Path(root, file.path)) for file in files)
        return {name: path.stat().st_size for name, path in there if path.is_file()}
    try:
        with _asking() as con:  # content is not asked for, and not read
            listed = con.execute("SELECT file FROM glob(?)", [f"{root}/**"]).fetchall()
            paths = [path for (path,) in listed if path.endswith(".parquet")]
            sized = con.execute("SELECT filename, size FROM read_blob(?)", [paths]).fetchall() if paths else []
    except duckdb.Error as error:
        raise cannot_read(root, error) from error
    named = {file.path for file in files}
    return {path: int(size) for name, size in sized if (path := _of_root(str(name), named))}


def _of_root(name: str, named: set[str]) -> str:
    """The path in the lake that an address ends in: stores write the part before it as they like."""
    steps = name.split("/")
    return next((path for i in range(len(steps)) if (path := "/".join(steps[i:])) in named), "")


def _compare(root: str, file: File, size: int | None, verify: bool) -> None:
    """Refuse a file that is not the one that the manifest names."""
    where, cure = f"{root}/{file.path}", "copy the lake again: all files, then manifest.json; or export the study again"
    if size is None:
        raise Refused("a file of the lake is missing", where=where, cure=cure)
    if size != file.bytes:
        what = "cut" if size < file.bytes else "changed"
        raise Refused(f"a file of the lake is {what}: {size:,} bytes, {file.bytes:,} in the manifest",
                      where=where, cure=cure)  # fmt: skip
    if verify:
        with open(where, "rb") as data:
            sha256 = hashlib.file_digest(data, "sha256").hexdigest()
        if sha256 != file.sha256:
            raise Refused(f"a file of the lake is changed: sha256 {sha256[:12]}, {file.sha256[:12]} in the manifest",
                          where=where, cure=cure)  # fmt: skip


def _asking() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(config={"autoinstall_known_extensions": "false"})


def cannot_read(root: str, error: duckdb.Error) -> Refused:
    """What DuckDB says of a lake that it cannot read; of an extension that is not installed, how to install it."""
    if "INSTALL" in str(error) or "xtension" in str(error):
        return Refused("DuckDB needs an extension to read this address", where=root,
                       cure="once a machine: python -c \"import duckdb; duckdb.sql('INSTALL httpfs')\"")  # fmt: skip
    first = str(error).strip().splitlines()[0]
    return Refused(f"the lake cannot be read: {first}", where=root, cure="is the path right, and may you read it?")
