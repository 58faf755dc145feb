"""Small made-up input files, and what a database holds: for the tests of ingest."""

import gzip
import hashlib
import math
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import duckdb

from agdb.errors import AgdbError
from agdb.ingest import qtl, source
from agdb.ingest.variant_table import Options

Row = dict[str, str]

PAIRS = [
    "variant_id", "gene_id", "tss_distance", "ma_samples", "ma_count", "maf", "pval_nominal", "slope", "slope_se",
    "pval_nominal_threshold", "min_pval_nominal", "pval_beta",
]  # fmt: skip

EGENES = [
    "gene_id", "gene_name", "gene_chr", "gene_start", "gene_end", "strand", "num_var", "beta_shape1", "beta_shape2",
    "true_df", "pval_true_df", "variant_id", "tss_distance", "chr", "variant_pos", "ref", "alt", "num_alt_per_site",
    "rs_id_dbSNP151_GRCh38p7", "minor_allele_samples", "minor_allele_count", "maf", "ref_factor", "pval_nominal",
    "slope", "slope_se", "pval_perm", "pval_beta", "qval", "pval_nominal_threshold", "log2_aFC", "log2_aFC_lower",
    "log2_aFC_upper",
]  # fmt: skip

ORIGINAL = ["variant_id", "gene_id", "slope", "ref_score", "alt_score", "delta_pred"]

#: A chromosome start that a FASTA can hold: variants lie on its even bases.
BASES = "ACGTTGCAAGGCTTAACCGATACGGATCCTTAGCAATCGGCTAACGTTAGCCATGACCTGA" * 4


def other_base(base: str) -> str:
    """A base that is not this one."""
    return {"A": "C", "C": "G", "G": "T", "T": "A"}[base]


def variant(i: int, deletion: int = 1) -> str:
    """Id of the i-th made-up variant: its REF is BASES at position 10 + 2 i of chr2, of `deletion` bases."""
    start = 9 + 2 * i
    ref = BASES[start : start + deletion]
    return f"chr2_{start + 1}_{ref}_{other_base(ref) if deletion == 1 else ref[0]}_b38"


def _statistics(i: int) -> tuple[float, float, float]:
    """slope, its standard error and p-value (normal): they agree with each other, and slopes go both ways."""
    slope, se = (-1) ** i * (0.3 + 0.02 * i), 0.05 + 0.0001 * i
    return slope, se, math.erfc(abs(slope / se) / math.sqrt(2))


def pairs_rows(n: int = 24) -> list[Row]:
    """n associations of a GTEx pairs file."""
    rows = []
    for i in range(n):
        slope, se, p = _statistics(i)
        gene = f"ENSG{i // 3:011}.{1 + i % 3}"
        values = [variant(i), gene, 1000 * (i - 12), 10 + i, 11 + i, 0.01 * (i + 1), p, slope, se, 1e-4, 0.0,
                  1e-5]  # fmt: skip
        rows.append(dict(zip(PAIRS, map(str, values), strict=True)))
    return rows


def egenes_rows(n: int = 24) -> list[Row]:
    """n genes of a GTEx egenes file, each with its lead variant."""
    rows = []
    for i in range(n):
        slope, se, p = _statistics(i)
        chrom, pos, ref, alt, _ = variant(i).split("_")
        values = [f"ENSG{i:011}.5", f"GENE{i}", "chr2", 5000 + i, 9000 + i, "+-"[i % 2], 800 + i, 1.03, 210.5, 540.25,
                  2e-9, variant(i), -4000 - i, chrom, pos, ref, alt, 1, f"rs{i}" if i else ".", 30 + i, 33 + i, 0.12,
                  -1 if i % 2 else 1, p, slope, se, 0.0099, 3e-7, 2e-6, 3e-5, 0.5 + i, 0.4 + i,
                  "" if i == 1 else 0.6 + i]  # fmt: skip
        rows.append(dict(zip(EGENES, map(str, values), strict=True)))
    return rows


def original_rows(n: int = 24) -> list[Row]:
    """n rows of a prediction file of the original study: the label is a p-value, one variant has two genes."""
    rows = []
    for i in range(n):
        ref, delta = 0.5 + 0.01 * (i // 2), (-1) ** (i // 2) * 0.001 * (i // 2 + 1)
        values = [variant(i // 2), f"ENSG{i:011}.1", 1e-9 * (i + 1) ** 4, ref, ref + delta, delta]
        rows.append(dict(zip(ORIGINAL, map(repr_or_text, values), strict=True)))
    return rows


def repr_or_text(value: object) -> str:
    """A float so that it reads back exactly."""
    return repr(value) if isinstance(value, float) else str(value)


def table(rows: Iterable[Row], columns: Sequence[str] | None = None, sep: str = "\t", end: str = "\n") -> bytes:
    """The bytes of a delimited file with a header."""
    rows = list(rows)
    names = list(columns or rows[0])
    return "".join(sep.join(cells) + end for cells in [names, *([r[n] for n in names] for r in rows)]).encode()


def narrow_rows(n: int = 12) -> list[list[str]]:
    """n narrowPeak rows on chr2, of which the second has no statistics and no summit."""
    rows = []
    for i in range(n):
        start = 100 + 400 * i
        row = ["chr2", start, start + 150, f"peak{i}", 500 + i, ".", f"{3 + i}.5", 12.25, 9.5, 75]
        rows.append(list(map(str, row)))
    rows[1][3], rows[1][7:] = ".", ["-1", "-1", "-1"]
    return rows


def bed(rows: Iterable[Sequence[str]], end: str = "\n") -> bytes:
    """The bytes of a file without header, tab-separated."""
    return "".join("\t".join(row) + end for row in rows).encode()


def write(path: Path, data: bytes) -> Path:
    """Write the bytes; gzip them where the name ends in .gz."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(gzip.compress(data, mtime=0) if path.suffix == ".gz" else data)
    return path


def fasta(path: Path, records: dict[str, str] | None = None) -> Path:
    """A FASTA whose chr2 is BASES."""
    found = {"chr2": BASES} if records is None else records
    text = "".join(
        f">{name}\n" + "".join(bases[i : i + 60] + "\n" for i in range(0, len(bases), 60))
        for name, bases in found.items()
    )
    return write(path, text.encode())


def gtex(con: duckdb.DuckDBPyConnection, path: Path, tissue: str) -> source.Loaded:
    """Ingest a GTEx table as `agdb ingest gtex` does."""
    return qtl.gtex(con, path, Options(tissue=tissue))


def content(path: Path) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of a DuckDB file, and the names of the views."""
    with duckdb.connect(str(path), read_only=True) as con:
        return rows_of(con)


def rows_of(con: duckdb.DuckDBPyConnection) -> dict[str, list[tuple[object, ...]]]:
    """Every row of every table of an open database, sorted; and the names of its views."""
    names = [
        n for (n,) in con.execute("SELECT table_name FROM duckdb_tables() WHERE NOT temporary ORDER BY 1").fetchall()
    ]
    found = {n: sorted(con.execute(f'FROM "{n}"').fetchall(), key=repr) for n in names}
    found["(views)"] = con.execute(
        "SELECT view_name FROM duckdb_views() WHERE NOT internal AND NOT temporary ORDER BY 1"
    ).fetchall()
    return found


def folder(path: Path) -> dict[str, str]:
    """Every file below a folder, with the sha256 of its bytes."""
    files = sorted(p for p in path.rglob("*") if p.is_file())
    return {str(p.relative_to(path)): hashlib.sha256(p.read_bytes()).hexdigest() for p in files}


def refusal(action: Callable[[], object]) -> AgdbError | None:
    """What the action refuses with; None where it goes through."""
    try:
        action()
    except AgdbError as error:
        return error
    return None
