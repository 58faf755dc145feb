"""Genes: where they lie and where their transcription starts. GTF or GFF3, BED6, or a table with a header.

GTF, GFF3 and GENCODE's gene tables are 1-based inclusive, BED is 0-based half-open; table `gene` is BED.
"""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from agdb.errors import Refused
from agdb.ingest import source, table, text
from agdb.ingest.plan import Column, Plan, Rule
from agdb.ingest.rows import Delimited
from agdb.ingest.variants import OTHER_CONTIG, chrom_of

#: Columns of files without a header. The second is GENCODE's genes in the columns of a GTF, in spite of the name .bed.
GTF = ("chrom", "annotation", "feature", "first", "last", "score", "strand", "frame", "attributes")
GENCODE = ("chrom", "annotation", "feature", "first", "last", "strand", "gene_id", "biotype", "gene_name")
BED = ("chrom", "chrom_start", "chrom_end", "gene_id", "score", "strand")

#: Columns of tables with a header, in lower case, by what they are here. Positions there are 1-based inclusive.
HEADERS = {
    "chrom": ("gene_chr", "chrom", "chr", "chromosome"), "first": ("gene_start", "start"), "last": ("gene_end", "end"),
    "strand": ("strand",), "gene_id": ("gene_id", "id"), "gene_name": ("gene_name", "symbol", "name"),
    "biotype": ("biotype", "gene_type"),
}  # fmt: skip

_TYPES = {"first": "INTEGER", "last": "INTEGER", "chrom_start": "INTEGER", "chrom_end": "INTEGER"}
_SHOW = "concat_ws(' ', gene_id, written, chrom_start::BIGINT, chrom_end::BIGINT, strand)"


def ingest(
    con: duckdb.DuckDBPyConnection, path: Path, assembly: str, progress: table.Progress = lambda n: None
) -> source.Loaded:
    """Load the genes of one annotation.

    Raises:
        Refused: the file is not what it has to be, or holds no genes; the database is as before.
    """
    digest = source.sha256(path)
    with text.opened(path) as file:
        kind, names, skip = told(path, file.head)
        draft = source.Draft("genes", kind, path, source.assembly_name(assembly))
        if seen := source.already(con, draft, digest):
            return seen
        lines = Delimited(file, names, skip=skip, comments=True)
        with source.loading(con, draft, digest) as loaded:
            plan = _plan(names, draft.assembly)
            columns = [c for c in plan.select if c != "written"]

            def store() -> None:
                con.execute(
                    f"INSERT INTO gene BY NAME SELECT {loaded.source_id} AS source_id, "
                    f"'{draft.assembly}'::assembly_t AS assembly, {', '.join(columns)} FROM staged ORDER BY rowid"
                )

            counts = table.load(con, lines, plan, str(loaded.source_id), store, progress)
            loaded.take(counts, lines)
            if counts.passed_over:
                loaded.notes.append(f"{counts.passed_over:,} lines of transcripts, exons and the like were passed over")
    return loaded


def told(path: Path, head: Sequence[str]) -> tuple[str, Sequence[str], int]:
    """(format, columns, lines before the first row) of an annotation, by its first row.

    Raises:
        Refused: it is none of the formats.
    """
    skip = next((i for i, line in enumerate(head) if line and not line.startswith(("#", "track", "browser"))), 0)
    row = head[skip].split("\t")
    lower = [cell.strip().strip('"').lower() for cell in row]
    found = {ours: lower.index(a) for ours, aliases in HEADERS.items() for a in aliases[::-1] if a in lower}
    if {"chrom", "first", "last", "strand", "gene_id"} <= found.keys():
        at = {i: ours for ours, i in found.items()}
        return "table", [at.get(i, f"column {i + 1}") for i in range(len(row))], skip + 1
    if len(row) == 9 and row[3].isdigit() and row[4].isdigit():
        return ("gtf", GTF, skip) if row[6] in "+-." else ("gencode", GENCODE, skip)
    if len(row) >= 6 and row[1].isdigit() and row[2].isdigit() and row[5] in "+-":
        return "bed", [*BED, *(f"column_{i}" for i in range(7, len(row) + 1))], skip
    raise Refused(
        "this is no annotation that agdb knows", where=f"{path}, line {skip + 1}: {head[skip][:80]!r}",
        cure="GTF, GFF3, BED with 6 columns (name: the gene's id), or a table with gene_id, chr, start, end, strand",
    )  # fmt: skip


def _attribute(*names: str) -> str:
    """SQL of the first of these attributes that a GTF (key "value";) or GFF3 (key=value;) has."""
    parts = (f"nullif(regexp_extract(attributes, '(?:^|;) *{name}[ =]\"?([^\";]+)', 1), '')" for name in names)
    return f"coalesce({', '.join(parts)})"


def _if_there(name: str, has: set[str]) -> str:
    return name if name in has else "NULL::VARCHAR"


def _plan(names: Sequence[str], assembly: str) -> Plan:
    has = set(names)
    in_attributes = "attributes" in has
    select = {
        "gene_id": _attribute("gene_id", "ID") if in_attributes else "gene_id",
        "gene_name": _attribute("gene_name", "Name") if in_attributes else _if_there("gene_name", has),
        "biotype": _attribute("gene_type", "gene_biotype", "biotype") if in_attributes else _if_there("biotype", has),
        "chrom": chrom_of("chrom"), "written": f"CASE WHEN {chrom_of('chrom')} IS NULL THEN chrom END",
        "chrom_start": "first - 1" if "first" in has else "chrom_start",
        "chrom_end": "last" if "last" in has else "chrom_end", "strand": "strand",
    }  # fmt: skip
    is_other = f"chrom IS NULL AND regexp_matches(written, '{OTHER_CONTIG}')"
    rules = [
        Rule("unknown_chromosome", "unknown chromosome", f"chrom IS NULL AND NOT coalesce({is_other}, false)",
             "coalesce(written, '(missing)')", "chromosomes are chr1 to chr22, chrX, chrY, chrM"),
        Rule("gene_missing", "the gene has no id", "gene_id IS NULL", _SHOW),
        Rule("no_strand", "the gene has no strand", "strand IS NULL OR strand NOT IN ('+', '-')", _SHOW),
        Rule("no_end", "the gene has no start or no end", "chrom_start IS NULL OR chrom_end IS NULL", _SHOW),
        Rule("empty", "the gene is empty or turned round", "chrom_end <= chrom_start OR chrom_start < 0", _SHOW),
        Rule("beyond_chromosome", f"the gene ends beyond its chromosome on {assembly}",
             f"chrom_end > {table.contig_end(assembly, 'chrom')}", _SHOW, "the file is on another assembly"),
        Rule("contig_not_primary", "", is_other, "", "", False),
    ]  # fmt: skip
    # Ensembl's GFF3 has genes of these three kinds
    where = "feature IN ('gene', 'ncRNA_gene', 'pseudogene')" if "feature" in has else None
    columns = {n: Column(n, _TYPES.get(n, "VARCHAR")) for n in names if n in {*_TYPES, *HEADERS, "attributes"}}
    unmet = "the file has no lines of feature gene, as those of GENCODE and Ensembl have"
    return Plan(columns, select, rules, where=where, unmet=unmet)
