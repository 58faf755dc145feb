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

from agdb import genome
from agdb.errors import Refused
from agdb.ingest import normalize, reference, rows, source, table, variants
from agdb.ingest import variant_table as vt
from agdb.ingest.preset import Preset, recognised
from agdb.schema import same


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
    has_name = "name" in read.fields
    plan = read.plan(con, draft, {"name": "name" if has_name else "NULL::VARCHAR"}, [])
    if "alt" in read.form:
        plan = replace(plan, unnested="alt")
    plan = replace(plan, max_rejected=1.0)
    n_changed = n_loose = 0
    of_assembly = reference.registered(con, draft.assembly)
    with closing(of_assembly) if of_assembly else nullcontext():

        def store() -> None:
            nonlocal n_changed, n_loose
            n_changed += normalize.staged(con, of_assembly)
            if of_assembly is None:
                loose = f"SELECT count(*) FROM staged WHERE odd IS NULL AND {normalize.LOOSE}"
                n_loose += con.execute(loose).fetchall()[0][0]
            con.execute(
                "INSERT INTO listed_variant BY NAME SELECT * FROM (SELECT DISTINCT ?::INTEGER AS source_id, "
                "?::assembly_t AS assembly, chrom, pos, ref, alt, "
                # a VCF has several names of a variant separated by ;, a table by ,
                "unnest(if(name IS NULL, [NULL], string_split_regex(name, '[;,]'))) AS name FROM staged) AS new "
                "ANTI JOIN listed_variant AS l ON l.source_id = new.source_id "
                f"AND l.name IS NOT DISTINCT FROM new.name AND {same('l', 'new')}",
                [loaded.source_id, draft.assembly],
            )

        counts = table.load(con, read.rows, plan, str(loaded.source_id), store, read.options.progress)
    loaded.take(counts, read.rows)
    if n_changed:
        how = "trimmed or moved to the left of their repeat"
        how = how if of_assembly else "trimmed; no genome is registered to align them"
        loaded.notes.append(f"{n_changed:,} variants were written in another way: {how}")
    if n_loose:
        loaded.notes.append(f"{n_loose:,} indels go further to the left: a genome that is ingested first moves them")


def _is_of(con: duckdb.DuckDBPyConnection, file: rows.Rows, assembly: str) -> None:
    """Refuse a VCF whose header gives chromosomes the lengths of another assembly."""
    found = dict(con.execute("SELECT chrom::VARCHAR, length FROM contig WHERE assembly = ?", [assembly]).fetchall())
    for line in file.preamble:
        if not line.startswith("##contig=<"):
            continue
        told = dict(re.findall(r"[<,](ID|length)=(\w+)(?=[,>])", line))
        chrom, length = genome.chrom_of(told.get("ID", "")), told.get("length", "")
        if length.isdecimal() and chrom != "chrM" and found.get(chrom) not in (None, int(length)):
            raise Refused(
                f"its header gives {chrom} {int(length):,} bases; on {assembly} it has {found[chrom]:,}",
                where=f"{file.path}: {line[:80]}", cure="say the assembly of the file, and lift it where it is another",
            )  # fmt: skip
