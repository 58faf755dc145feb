"""Variants by their GTEx id (chr1_1237868_G_A_b38) in temp table `staged`: the rules of an id, and table `variant`."""

from pathlib import Path

import duckdb

from agdb.ingest import table
from agdb.ingest.table import Rule

#: GTEx v8 ids are of this assembly.
ASSEMBLY = "GRCh38"

#: Extra column of `staged`: the id in its parts [chrom, pos, ref, alt, build]. Names of unplaced contigs have a _.
_SPLIT = "string_split(variant_id, '_')"
_MANY = f"[array_to_string({_SPLIT}[:-5], '_')] || {_SPLIT}[-4:]"
PARTS = f", CASE WHEN len({_SPLIT}) > 5 THEN {_MANY} ELSE {_SPLIT} END AS parts"

#: agdb's own id, without the build: the assembly is a column.
VARIANT_ID = "concat_ws('_', parts[1], parts[2], parts[3], parts[4])"

_REFUSED = [
    Rule("the variant id has no build", "len(parts) = 4", "variant_id",
         "GTEx v8 ids end in _b38 (chr1_1237868_G_A_b38); give the original file"),
    Rule("this is not a GTEx variant id",  # a position is written in one way only, or one variant would have two ids
         "variant_id IS NULL OR len(parts) <> 5 OR NOT regexp_full_match(parts[2], '[1-9][0-9]{0,8}')",
         "coalesce(variant_id, '(missing)')", "ids look like chr1_1237868_G_A_b38"),
    Rule("the variant id is of another build", "parts[5] <> 'b38'", "variant_id",
         "GTEx v8 is GRCh38 (_b38); hg19 tables (v7 and older) cannot be joined with it"),
    Rule("unknown chromosome",
         f"TRY_CAST(parts[1] AS chrom_t) IS NULL AND NOT regexp_matches(parts[1], '{table.OTHER_CONTIG}')",
         "parts[1] || ' in ' || variant_id", "chromosomes are chr1 to chr22, chrX, chrY, chrM"),
    Rule("the position lies beyond the end of its chromosome",
         f"coalesce(TRY_CAST(parts[2] AS INTEGER), 0) - 1 + length(parts[3]) > (SELECT c.length FROM contig AS c "
         f"WHERE c.assembly = '{ASSEMBLY}' AND c.chrom = TRY_CAST(parts[1] AS chrom_t))",
         "variant_id", f"the file is not on {ASSEMBLY}, whatever its ids say"),
]  # fmt: skip

_REJECTED = [
    Rule("contig_not_primary", "TRY_CAST(parts[1] AS chrom_t) IS NULL", ""),
    Rule("allele_not_acgt",
         "NOT regexp_full_match(parts[3], '[ACGT]+') OR NOT regexp_full_match(parts[4], '[ACGT]+')", ""),
    Rule("ref_equals_alt", "parts[3] = parts[4]", ""),
]  # fmt: skip


def gate(
    con: duckdb.DuckDBPyConnection, path: Path, source_id: int, refused: list[Rule], rejected: list[Rule]
) -> dict[str, int]:
    """Hold the staged rows to the rules of the id and to those of the format; returns the rejected rows by reason.

    Raises:
        Refused: a row breaks a rule of the first kind, or too many one of the second.
    """
    table.refuse(con, path, [*_REFUSED, *refused])
    return table.reject(con, path, source_id, [*_REJECTED, *rejected])


def insert(con: duckdb.DuckDBPyConnection) -> None:
    """Add the variants of `staged` that table `variant` does not have yet."""
    con.execute(
        f"INSERT INTO variant (variant_id, assembly, chrom, pos, ref, alt) "
        f"SELECT DISTINCT s.vid, '{ASSEMBLY}', parts[1]::chrom_t, parts[2]::INTEGER, parts[3], parts[4] "
        f"FROM (SELECT {VARIANT_ID} AS vid, parts FROM staged) AS s "
        f"ANTI JOIN variant AS v ON v.assembly = '{ASSEMBLY}' AND v.variant_id = s.vid"
    )
