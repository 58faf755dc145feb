"""Variants as VCF 4.3, with the scores of scorers in INFO: one record a variant, in the order of the contigs; ID is
its rsID, where a source of the study has one.

Specification: VCFv4.3 of samtools/hts-specs. A scorer is one INFO field: a number for ALT, or, where it scores genes,
GENE|SCORE of each gene. Characters that have a meaning in INFO are percent-encoded (section 1.2).
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import duckdb

from agdb import __version__
from agdb.errors import UsageError
from agdb.export.bed import one_assembly
from agdb.query import literal

_KEY = {"assembly", "chrom", "pos", "ref", "alt"}

#: What REF is against the genome, where that keeps a variant out of the analysis: the filters of the file.
_FILTERS = {
    "swapped": "ALT is the allele of the genome",
    "strand": "REF is the complement of the allele of the genome",
    "strand_swapped": "ALT is the complement of the allele of the genome",
    "palindromic": "REF is not the allele of the genome: swapped, or of the other strand",
    "mismatch": "REF is not the allele of the genome",
}


class _Field(NamedTuple):
    """The INFO field of a scorer."""

    scorer_id: str
    id: str
    line: str


def of(con: duckdb.DuckDBPyConnection, view: str, query: str, scorers: Sequence[str]) -> tuple[str, str]:
    """The header of a file, and the SELECT of its lines, from the SELECT of the rows of a view.

    Raises:
        UsageError: the view has no variants, its rows are of several assemblies, or a scorer is not known.
    """
    columns = {row[0] for row in con.execute(f"DESCRIBE {query}").fetchall()}
    if not columns >= _KEY:
        raise UsageError(f"{view} has no variants", cure="agdb export candidate -o FILE.vcf")
    assembly = one_assembly(con, query, columns)
    fields = _fields(con, assembly, scorers)
    return _header(con, assembly, fields), _lines(query, assembly, fields)


def _fields(con: duckdb.DuckDBPyConnection, assembly: str | None, names: Sequence[str]) -> list[_Field]:
    """The scorers of these names (all, where none is named) that scored variants of this assembly."""
    scored = con.execute(
        "SELECT scorer_id, name, window_bp, has_genes, concat_ws(', ', "
        "name || ' of ' || trim(model || ' ' || model_version), nullif(output_type, ''), "
        "'window ' || window_bp || ' bp', "
        "'mask ' || mask_bp || ' bp', nullif(aggregation, ''), 'tracks ' || nullif(track_set, ''), track_aggregation, "
        "if(is_signed, 'ALT against REF', 'without direction'), 'scorer ' || scorer_id) "
        "FROM scorer JOIN (SELECT scorer_id, bool_or(gene_id IS NOT NULL) AS has_genes FROM score "
        "WHERE assembly = ? GROUP BY ALL) USING (scorer_id) ORDER BY name, window_bp, scorer_id", [assembly],
    ).fetchall()  # fmt: skip
    if unknown := [name for name in names if name not in {row[1] for row in scored}]:
        there = ", ".join(dict.fromkeys(row[1] for row in scored))
        raise UsageError(
            f"no scorer {unknown[0]!r} has scored variants of {assembly}",
            cure=f"one of {there}" if there else "agdb predict, or agdb ingest predictions",
        )
    fields: list[_Field] = []
    for scorer_id, name, window, has_genes, text in scored:
        if names and name not in names:
            continue
        id_ = re.sub(r"\W", "_", f"{'' if name[:1].isalpha() else '_'}{name}_{window}", flags=re.ASCII)
        if id_ in {f.id for f in fields}:  # two scorers may share a name and a window
            id_ += f"_{scorer_id[:8]}"
        text = text.replace("\\", r"\\").replace('"', r"\"").replace("\n", " ")
        kind = "Number=.,Type=String" if has_genes else "Number=A,Type=Float"
        form = "GENE|SCORE of each gene: " if has_genes else ""
        fields.append(_Field(scorer_id, id_, f'##INFO=<ID={id_},{kind},Description="{form}{text}">'))
    return fields


def _header(con: duckdb.DuckDBPyConnection, assembly: str | None, fields: list[_Field]) -> str:
    contigs = con.execute("SELECT chrom, length FROM contig WHERE assembly = ? ORDER BY chrom", [assembly]).fetchall()
    lines = [
        "##fileformat=VCFv4.3",
        f"##source=agdb {__version__}",
        *(f"##contig=<ID={chrom},length={length},assembly={assembly}>" for chrom, length in contigs),
        '##FILTER=<ID=PASS,Description="REF is the allele of the genome, or no genome covers it">',
        *(f'##FILTER=<ID={name},Description="{text}">' for name, text in _FILTERS.items()),
        '##INFO=<ID=REF_STATUS,Number=1,Type=String,Description="REF against the registered genome">',
        '##INFO=<ID=IN_PEAK,Number=1,Type=Integer,Description="1 in a peak, 0 outside, absent where none are known">',
        *(field.line for field in fields),
        "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO",
    ]
    return "\n".join(lines) + "\n"


def _lines(query: str, assembly: str | None, fields: list[_Field]) -> str:
    keys = ", ".join(f"({i}, {literal(f.scorer_id)}, {literal(f.id)})" for i, f in enumerate(fields))
    known = f"VALUES {keys}" if keys else "SELECT 0, '', '' WHERE false"
    return f"""
WITH wanted AS (SELECT DISTINCT assembly, chrom, pos, ref, alt FROM ({query})),
field (number, scorer_id, id) AS ({known}),
value AS (
  SELECT f.number, f.id, p.chrom, p.pos, p.ref, p.alt,
         string_agg(if(p.gene_id IS NULL, '', url_encode(p.gene_id) || '|') || p.score, ',' ORDER BY p.gene_id) AS text
  FROM score AS p JOIN field AS f ON f.scorer_id = p.scorer_id
  WHERE p.assembly = {literal(assembly)}
  GROUP BY ALL
),
named AS (
  SELECT assembly, chrom, pos, ref, alt, string_agg(DISTINCT name, ';' ORDER BY name) AS names
  FROM listed_variant WHERE regexp_full_match(name, 'rs\\d+') GROUP BY ALL
),
scored AS (
  SELECT chrom, pos, ref, alt, string_agg(id || '=' || text, ';' ORDER BY number) AS text FROM value GROUP BY ALL
)
SELECT w.chrom, w.pos, coalesce(n.names, '.'), w.ref, w.alt, '.',
       if(v.ref_status IN ('match', 'unchecked'), 'PASS', v.ref_status),
       concat_ws(';', 'REF_STATUS=' || v.ref_status, 'IN_PEAK=' || c.in_peak::INTEGER, s.text)
FROM wanted AS w
JOIN variant AS v USING (assembly, chrom, pos, ref, alt)
LEFT JOIN candidate AS c USING (assembly, chrom, pos, ref, alt)
LEFT JOIN named AS n USING (assembly, chrom, pos, ref, alt)
LEFT JOIN scored AS s USING (chrom, pos, ref, alt)
ORDER BY w.chrom, w.pos, w.ref, w.alt"""
