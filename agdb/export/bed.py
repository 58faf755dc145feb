"""Intervals and variants as BED lines: 0-based, half-open, sorted as `sort -k1,1 -k2,2n`, no track line.

Intervals are BED6 (chrom, start, end, name, score, strand) or narrowPeak (and signalValue, pValue, qValue, peak: -1
where it is not known); variants are BED4, once each, named chrom_pos_ref_alt, and span their REF allele.
"""

import duckdb

from agdb.errors import UsageError
from agdb.query import identifier

_INTERVAL, _VARIANT = {"assembly", "chrom", "chrom_start", "chrom_end"}, {"assembly", "chrom", "pos", "ref", "alt"}


def of(con: duckdb.DuckDBPyConnection, view: str, query: str, format_: str) -> str:
    """The SELECT of the lines of a file, from the SELECT of the rows of a view.

    Raises:
        UsageError: the view has neither intervals nor variants (or no peaks, for narrowPeak); its rows are of several
            assemblies, or peaks and regions of a blacklist together.
    """
    columns = set(_described(con, query))
    one_assembly(con, query, columns)
    if format_ == "narrowPeak" and not columns >= {*_INTERVAL, "signal_value", "summit"}:
        raise UsageError(f"{view} has no peaks", cure="agdb export peak -o FILE.narrowPeak")
    if columns >= _VARIANT:
        return (
            "SELECT DISTINCT chrom::VARCHAR AS chrom, pos - 1 AS chrom_start, pos - 1 + length(ref) AS chrom_end, "
            f"variant_id(chrom, pos, ref, alt) AS name FROM ({query}) ORDER BY ALL"
        )
    if not columns >= _INTERVAL:
        raise UsageError(f"{view} has neither intervals nor variants", cure="agdb export peak, or candidate")
    if view == "peak":
        _one_kind(con, query)
    name = next((f"coalesce({identifier(c)}, '.')" for c in ("name", "gene_id") if c in columns), "'.'")
    score = "coalesce(round(least(greatest(score, 0), 1000)), 0)::INTEGER" if "score" in columns else "0"
    strand = "coalesce(strand, '.')" if "strand" in columns else "'.'"
    wide = "" if format_ == "bed" else (
        ", coalesce(signal_value, -1), coalesce(neglog10_p, -1), coalesce(neglog10_q, -1), "
        "coalesce(summit - chrom_start, -1)"
    )  # fmt: skip
    return (
        f"SELECT chrom::VARCHAR AS chrom, chrom_start, chrom_end, {name}, {score}, {strand}{wide} "
        f"FROM ({query}) ORDER BY ALL"
    )


def one_assembly(con: duckdb.DuckDBPyConnection, query: str, columns: set[str]) -> str | None:
    """The assembly of the rows; None where there are none.

    Raises:
        UsageError: there are several: a file that holds one genome's places must not hold another's.
    """
    if "assembly" not in columns:
        return None
    found = [a for (a,) in con.execute(f"SELECT DISTINCT assembly::VARCHAR FROM ({query}) ORDER BY 1").fetchall()]
    if len(found) > 1:
        raise UsageError(f"the rows are of {' and '.join(found)}", cure=f"choose one: --assembly {found[-1]}")
    return found[0] if found else None


def _one_kind(con: duckdb.DuckDBPyConnection, query: str) -> None:
    found = con.execute(f"SELECT DISTINCT kind FROM source SEMI JOIN ({query}) AS p USING (source_id)").fetchall()
    if len(found) > 1:
        raise UsageError(
            "table peak holds peaks, and regions of a blacklist",
            cure='choose by --where, e.g. "source_id = 3": agdb status lists the sources',
        )


def _described(con: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    return [row[0] for row in con.execute(f"DESCRIBE {query}").fetchall()]
