"""Fine-mapping: the probability of each variant to be the causal one (SuSiE, DAP-G, eQTL Catalogue, or any table)."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from agdb.errors import UsageError
from agdb.ingest import fields, reference, rows, source, table, variants
from agdb.ingest import variant_table as vt
from agdb.ingest.preset import Preset, recognised
from agdb.ingest.qtl import phenotype_of
from agdb.schema import KEY

#: Columns of table credible that come from a field of the same name.
_OF_SET = ("pip", "cs_id", "cs_size", "cs_pip", "z", "posterior_mean", "posterior_sd")


def ingest(con: duckdb.DuckDBPyConnection, path: Path, presets: Sequence[Preset], options: vt.Options) -> source.Loaded:
    """Load one file of fine-mapped variants, with the preset of `presets` that fits its columns.

    Raises:
        UsageError: what has to be said of the file was not said.
        Refused: the file is not what it has to be; the database is as before.
    """
    digest = source.sha256(path)
    with rows.opened(path) as file:
        preset = recognised(path, file.names, presets)
        if preset.kind != "credible" or "pip" not in {*preset.columns, *preset.derived}:
            raise UsageError(f"preset {preset.name} is not one of fine-mapping", cure="map pip, or use agdb ingest qtl")
        read = vt.VariantTable(file, preset, preset.require(path, file.names), options)
        draft = read.draft(
            con, "credible", qtl_type=preset.qtl_type, tissue=read.tissue, effect_unit=preset.effect_unit
        )
        if seen := source.already(con, draft, digest):
            return seen
        with source.loading(con, draft, digest) as loaded:
            _load(con, read, draft, loaded)
            if preset.merges_repeats and (n := vt.merge_repeats(con, "credible", loaded.source_ids)):
                loaded.rows_kept -= n
                loaded.notes.append(vt.merged(n, has_names="name" in read.fields))
            variants.insert(con, "credible", loaded.source_ids)
            loaded.notes += reference.check_new(con, draft.assembly)
    return loaded


def _load(con: duckdb.DuckDBPyConnection, read: vt.VariantTable, draft: source.Draft, loaded: source.Loaded) -> None:
    there = read.fields
    phenotype, phenotype_rules = phenotype_of(read.preset, there)
    stored = [f for f in _OF_SET if f in there]
    select = {**{f: f for f in (*stored, *(f for f in ("tissue", "name") if f in there))}, **phenotype}
    held = fields.rules([f for f in fields.CREDIBLE if f in select], is_strict=read.preset.is_strict)
    plan = read.plan(con, draft, select, [*phenotype_rules, *held])
    source_id, staged, meet = vt.sources_of(con, draft, loaded)
    columns = ", ".join(["source_id", f"'{draft.assembly}'::assembly_t AS assembly", *KEY[1:], "gene_id",
                         "molecular_trait_id", *stored])  # fmt: skip

    def store() -> None:
        con.execute(f"INSERT INTO credible BY NAME SELECT {columns} FROM {staged} AS staged")
        if "name" in there:
            vt.name_variants(con, draft.assembly, staged)

    plan = replace(plan, staged=meet)
    loaded.take(table.load(con, read.rows, plan, source_id, store, read.options.progress), read.rows)
