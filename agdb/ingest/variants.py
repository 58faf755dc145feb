"""Variants by their GTEx id (chr1_1237868_G_A_b38) in temp table `staged`: the rules of an id, and table `variant`."""

from pathlib import Path

import duckdb

from agdb.ingest import source, table
from agdb.ingest.table import Rule

#: GTEx v8 ids are of this assembly.
ASSEMBLY = "GRCh38"

#: For the rules: the id in its parts [chrom, pos, ref, alt, build]. Names of unplaced contigs have a _ themselves.
PARTS = (
    ", string_split(variant_id, '_') AS split, CASE WHEN len(split) > 5 "
    "THEN [array_to_string(split[:-5], '_')] || split[-4:] ELSE split END AS parts"
)

#: agdb's own id, without the build: the assembly is a column.
VARIANT_ID = "left(variant_id, -4)"

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
         f"parts[2]::INTEGER - 1 + length(parts[3]) > {table.contig_end(ASSEMBLY, 'parts[1]')}",
         "variant_id", f"the file is not on {ASSEMBLY}, whatever its ids say"),
]  # fmt: skip

_REJECTED = [
    Rule("contig_not_primary", "TRY_CAST(parts[1] AS chrom_t) IS NULL", ""),
    Rule("allele_not_acgt",
         "NOT regexp_full_match(parts[3], '[ACGT]+') OR NOT regexp_full_match(parts[4], '[ACGT]+')", ""),
    Rule("ref_equals_alt", "parts[3] = parts[4]", ""),
]  # fmt: skip


def stage(
    con: duckdb.DuckDBPyConnection,
    path: Path,
    layout: table.Layout,
    loaded: source.Loaded,
    refused: list[Rule],
    rejected: list[Rule],
) -> None:
    """Stage a file with a column `variant_id`, held to the rules of the id and to those of the format.

    Counts what was read, kept and rejected in `loaded`.

    Raises:
        Refused: a row breaks a rule of the first kind, or too many one of the second.
    """
    unusable = [*_REJECTED, *rejected]
    loaded.rows_read = table.stage(con, path, layout, [*_REFUSED, *refused], unusable, PARTS)
    loaded.rejected = table.reject(con, path, layout, loaded.source_id, unusable)
    loaded.rows_kept = loaded.rows_read - sum(loaded.rejected.values())


def insert(con: duckdb.DuckDBPyConnection) -> None:
    """Add the variants of `staged` that table `variant` does not have yet."""
    con.execute(
        f"INSERT INTO variant (variant_id, assembly, chrom, pos, ref, alt) "
        f"SELECT vid, '{ASSEMBLY}', parts[1]::chrom_t, parts[2]::INTEGER, parts[3], parts[4] "
        f"FROM (SELECT vid, string_split(vid, '_') AS parts "
        f"FROM (SELECT DISTINCT {VARIANT_ID} AS vid FROM staged) AS s "
        f"ANTI JOIN variant AS v ON v.assembly = '{ASSEMBLY}' AND v.variant_id = s.vid)"
    )
