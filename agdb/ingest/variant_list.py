"""Variants alone: a VCF or a table, so that people without QTLs can score them and ask about them.

Sites with several ALT alleles become several variants; alleles are trimmed, and moved to the left where a genome of the
assembly is registered. Genotypes are not read.
"""

import re
from collections.abc import Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from pathlib import Path

import duckdb

from agdb.errors import Refused
from agdb.ingest import normalize, reference, rows, source, table, variants
from agdb.ingest import variant_table as vt
from agdb.ingest.preset import Preset, recognised


def ingest(con: duckdb.DuckDBPyConnection, path: Path, presets: Sequence[Preset], options: vt.Options) -> source.Loaded:
    """Load the variants of one file, with the preset of `presets` that fits its columns.

    Raises:
        UsageError: the assembly was not said.
        Refused: the file is not what it has to be, or its header is of another assembly; the database is as before.
    """
    digest = source.sha256(path)
    with rows.opened(path) as file:
        preset = recognised(path, file.names, presets)
        read = vt.VariantTable(file, preset, preset.require(path, file.names), options)
        _is_of(con, file, read.assembly)
        draft = read.draft(con, "variants")
        if seen := source.already(con, draft, digest):
            return seen
        with source.loading(con, draft, digest) as loaded:
            _load(con, read, draft, loaded)
            variants.insert(con, "listed_variant", loaded.source_ids)
            loaded.notes += reference.check_new(con, draft.assembly)
    return loaded


def _load(con: duckdb.DuckDBPyConnection, read: vt.VariantTable, draft: source.Draft, loaded: source.Loaded) -> None:
    has_name = "name" in read.columns
    plan = read.plan(con, draft, {"name": "name" if has_name else "NULL::VARCHAR"}, [])
    if "alt" in read.form:
        plan = replace(plan, unnested="alt")
    plan = replace(plan, max_rejected=1.0)
    n_changed = 0
    genome = reference.registered(con, draft.assembly)
    with closing(genome) if genome else nullcontext():

        def store() -> None:
            nonlocal n_changed
            n_changed += normalize.staged(con, genome)
            con.execute(
                f"INSERT INTO listed_variant SELECT DISTINCT {loaded.source_id}, '{draft.assembly}'::assembly_t, "
                f"chrom, pos, "
                "ref, alt, name FROM staged"
            )

        counts = table.load(con, read.rows, plan, str(loaded.source_id), store, read.options.progress)
    loaded.take(counts, read.rows)
    if n_changed:
        how = (
            "trimmed or moved to the left of their repeat"
            if genome
            else "trimmed; no genome is registered to align them"
        )
        loaded.notes.append(f"{n_changed:,} variants were written in another way: {how}")


def _is_of(con: duckdb.DuckDBPyConnection, file: rows.Rows, assembly: str) -> None:
    """Refuse a VCF whose header gives chromosomes the lengths of another assembly."""
    found = dict(con.execute("SELECT chrom::VARCHAR, length FROM contig WHERE assembly = ?", [assembly]).fetchall())
    for line in file.preamble:
        contig = re.match(r"##contig=<.*?ID=(?:chr)?(\w+).*?length=(\d+)", line)
        length = found.get(f"chr{contig[1]}") if contig else None
        if contig and contig[1] not in ("M", "MT") and length not in (None, int(contig[2])):
            raise Refused(
                f"its header gives chr{contig[1]} {int(contig[2]):,} bases; on {assembly} it has {length:,}",
                where=f"{file.path}: {line[:80]}", cure="say the assembly of the file, and lift it where it is another",
            )  # fmt: skip
