"""Associations: any table of molecular QTLs whose columns a preset names. Effects become those of ALT against REF."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np

from agdb.errors import Refused, UsageError
from agdb.ingest import fields, reference, rows, source, table, variants
from agdb.ingest import variant_table as vt
from agdb.ingest.effect import of_alt
from agdb.ingest.plan import Rule
from agdb.ingest.preset import Preset, recognised, shipped
from agdb.schema import KEY

#: Columns of table qtl that come from a field of the same name.
_OF_ASSOCIATION = ("slope", "slope_se", "pval_nominal", "af", "maf", "tss_distance", "ma_samples", "ma_count",
                   "pval_nominal_threshold", "min_pval_nominal", "pval_beta", "qval", "signal_rank")  # fmt: skip


def gtex(con: duckdb.DuckDBPyConnection, path: Path, options: vt.Options) -> source.Loaded:
    """Load one eQTL file of GTEx, recognised by its columns. Raises as `ingest` does."""
    among = [p for p in shipped() if p.name.startswith("gtex") and p.kind == "qtl" and p.qtl_type == "eqtl"]
    return ingest(con, path, among, options)


def ingest(con: duckdb.DuckDBPyConnection, path: Path, presets: Sequence[Preset], options: vt.Options) -> source.Loaded:
    """Load one file of associations, with the preset of `presets` that fits its columns.

    Raises:
        UsageError: what has to be said of the file was not said.
        Refused: the file is not what it has to be, or a gate of sql/checks closes. The database is as before.
    """
    digest = source.sha256(path)
    with rows.opened(path) as file:
        preset = recognised(path, file.names, presets)
        read = vt.VariantTable(file, preset, preset.require(path, file.names), options)
        unit, null = _unit(preset)
        draft = read.draft(con, "qtl", qtl_type=preset.qtl_type, tissue=read.tissue, effect="slope", effect_unit=unit,
                           effect_allele=preset.effect_allele, null_value=null)  # fmt: skip
        if seen := source.already(con, draft, digest):
            return seen
        with _naming_the_effect(read), source.loading(con, draft, digest) as loaded:
            _load(con, read, draft, loaded, null)
            loaded.notes += _finish(con, read, draft, loaded)
    return loaded


@contextmanager
def _naming_the_effect(read: vt.VariantTable) -> Iterator[None]:
    """Where a check says that the effects are none, add to the cure which column has them, if there is one."""
    try:
        yield
    except Refused as refused:
        column = _probable_effect(read) if "(check effect_" in (refused.where or "") else None
        if column is None:
            raise
        cure = f"the effects are probably in column {column!r}; {refused.cure}"
        raise Refused(refused.what, where=refused.where, cure=cure) from None


def _probable_effect(read: vt.VariantTable) -> str | None:
    """The column with both signs that, over its standard error, orders the first rows as their p-value does."""
    numbers = {name: np.array([_number(cell) for cell in cells]) for name, cells in read.rows.sample().items()}
    se, p = (numbers.get(read.columns.get(f, "")) for f in ("slope_se", "pval_nominal"))
    if se is None or p is None:
        return None
    for name, values in numbers.items():
        usable = np.isfinite(values) & np.isfinite(p) & (se > 0)
        if usable.sum() < 20 or not (values[usable] < 0).any() or not (values[usable] > 0).any():
            continue
        t_rank, p_rank = (np.argsort(np.argsort(x)) for x in (np.abs(values[usable] / se[usable]), p[usable]))
        if np.corrcoef(t_rank, p_rank)[0, 1] < -0.95:
            return name
    return None


def _number(cell: str) -> float:
    try:
        return float(cell)
    except ValueError:
        return np.nan


def _unit(preset: Preset) -> tuple[str, float]:
    if preset.kind != "qtl" or "slope" not in {*preset.columns, *preset.derived}:
        raise UsageError(
            f"preset {preset.name} is not one of associations", cure="map slope, or use agdb ingest credible"
        )
    if preset.effect_unit is None:
        cure = f"--effect-unit beside --map, or effect_unit in the preset: one of {', '.join(fields.UNITS)}"
        raise UsageError("the unit of the effect is not said", cure=cure)
    return preset.effect_unit, fields.UNITS[preset.effect_unit][1]


def _load(
    con: duckdb.DuckDBPyConnection, read: vt.VariantTable, draft: source.Draft, loaded: source.Loaded, null: float
) -> None:
    there = read.fields
    effect, effect_rules = of_alt(read.preset, read.columns, null)
    phenotype, phenotype_rules = phenotype_of(read.preset, there)
    of_row = [f for f in _OF_ASSOCIATION if f in there]
    of_gene = [f for f in fields.EGENE if f in there]
    other = [f for f in ("tissue", "name") if f in there]
    select = {**{f: f for f in (*of_row, *of_gene, *other)}, **phenotype, **effect}
    held = fields.rules([f for f in fields.FIELDS if f in select], is_strict=read.preset.is_strict)
    plan = read.plan(con, draft, select, [*phenotype_rules, *effect_rules, *held])
    source_id, staged, meet = vt.sources_of(con, draft, loaded)
    stored = [f for f in _OF_ASSOCIATION if f in select]
    columns = ", ".join(["source_id", f"'{draft.assembly}'::assembly_t AS assembly", *KEY[1:], "gene_id",
                         "molecular_trait_id", *stored])  # fmt: skip

    def store() -> None:
        con.execute(f"INSERT INTO qtl BY NAME SELECT {columns} FROM {staged} AS staged")
        if of_gene:
            rank = ["signal_rank"] if "signal_rank" in there else []
            con.execute(
                f"INSERT INTO egene BY NAME SELECT {', '.join(['source_id', 'gene_id', *rank, *of_gene])} "
                f"FROM {staged} WHERE gene_id IS NOT NULL"
            )
        if "name" in there:
            vt.name_variants(con, draft.assembly, staged)

    plan = replace(plan, staged=meet, whole=_signals(con, select))
    loaded.take(table.load(con, read.rows, plan, source_id, store, read.options.progress), read.rows)


def _signals(con: duckdb.DuckDBPyConnection, select: Mapping[str, str]) -> Callable[[], None]:
    """What notes, in temp table `signal`, the signals of each gene: of all rows, since a slope is conditional on
    every signal of the file, kept or not.

    Signals are those of a gene (GTEx groups the introns of one), or of what was measured instead.
    """
    if "signal_rank" not in select:
        return lambda: None
    con.execute("CREATE OR REPLACE TEMP TABLE signal (tissue VARCHAR, gene VARCHAR, rank DOUBLE)")
    tissue, of = ("tissue", "WHERE tissue IS NOT NULL") if "tissue" in select else ("NULL", "")

    def note() -> None:
        con.execute(
            f"INSERT INTO signal SELECT DISTINCT {tissue}, coalesce(gene_id, molecular_trait_id), signal_rank "
            f"FROM staged {of}"
        )

    return note


def phenotype_of(preset: Preset, there: set[str]) -> tuple[dict[str, str], list[Rule]]:
    """gene_id and molecular_trait_id of `staged`: the trait only where it is not the gene."""
    gene, trait = (
        ("gene_id" if "gene_id" in there else None),
        ("molecular_trait_id" if "molecular_trait_id" in there else None),
    )
    if gene is None and preset.qtl_type == "eqtl":
        gene, trait = trait, None
    what = "the gene is missing" if preset.qtl_type == "eqtl" else "the phenotype is missing"
    variant = "coalesce(odd, concat_ws('_', chrom, pos, ref, alt))"
    is_missing = "gene_id IS NULL AND molecular_trait_id IS NULL"
    missing = Rule("phenotype_missing", what, is_missing, variant, "give the original file", preset.is_strict)
    if gene is None and trait is None:  # one phenotype, and no name for it
        return {"gene_id": "NULL::VARCHAR", "molecular_trait_id": f"'{preset.qtl_type or 'phenotype'}'"}, []
    select = {
        "gene_id": gene or "NULL::VARCHAR",
        "molecular_trait_id": (f"nullif({trait}, {gene})" if gene else trait) if trait else "NULL::VARCHAR",
    }
    return select, [missing]


def _finish(
    con: duckdb.DuckDBPyConnection, read: vt.VariantTable, draft: source.Draft, loaded: source.Loaded
) -> list[str]:
    """What is done once all rows are there; returns notes."""
    notes = []
    if read.preset.merges_repeats and (n := vt.merge_repeats(con, "qtl", loaded.source_ids)):
        loaded.rows_kept -= n
        notes.append(vt.merged(n, has_names="name" in read.fields))
    if "signal_rank" in read.fields:
        con.execute(
            "UPDATE qtl SET is_conditional = g.n > 1 FROM (SELECT source_id, gene, greatest(count(DISTINCT rank), "
            "max(rank)) AS n FROM signal JOIN source ON coalesce(signal.tissue, source.tissue) = source.tissue "
            "WHERE source_id IN $ids GROUP BY ALL) AS g "
            "WHERE g.source_id = qtl.source_id AND g.gene = coalesce(qtl.gene_id, qtl.molecular_trait_id)",
            {"ids": loaded.source_ids},
        )
        query = "SELECT count(*) FILTER (is_conditional) FROM qtl WHERE source_id IN ?"
        conditional = con.execute(query, [loaded.source_ids]).fetchall()[0][0]
        notes.append(f"{conditional:,} slopes are conditional on other signals of their gene: label conditional_slope")
    variants.insert(con, "qtl", loaded.source_ids)
    used = {*read.columns.values()} if not read.preset.derived else set(read.rows.names)
    unused = [name for name in read.rows.names if name not in used]
    if unused:
        notes.append(f"not kept, because {read.preset.name} does not name them: {', '.join(unused)}")
    return notes + reference.check_new(con, draft.assembly)
