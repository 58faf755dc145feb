"""A study of 49 tissues as a lake: written, opened, analysed by workers of one core each, at sizes up to GTEx's.

The study is made by SQL: tissues share variants, as GTEx's do, and are scored at two windows; all of them were
fine-mapped. No time is shown before one worker, two and `agdb stats` have found the same.
"""

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from statistics import median

import duckdb

from agdb import db
from bench.lake_cases import CASES, LAKE, OPENED, STUDY
from bench.rounds import Measure, Measured, interleaved
from bench.scale import exponent
from bench.scale_cases import agdb
from bench.stats import score

TISSUES, QUICK_TISSUES = 49, 3
#: Associations of all tissues together: of a tenth, and of GTEx v8's significant pairs.
SIZES, QUICK = (7_000_000, 70_000_000), (3_000, 9_000)
#: Associations of all tissues to a variant; peaks.
A_VARIANT, PEAKS = 14, 200_000

_SOURCES = """
    INSERT INTO source BY NAME
    SELECT i AS source_id, 'qtl' AS kind, 'bench' AS format, 'tissue' || i AS name, 'Tissue_' || i AS tissue,
           'eqtl' AS qtl_type, 'GRCh38' AS assembly, 'slope' AS effect, 'sd' AS effect_unit, 'alt' AS effect_allele,
           0 AS null_value, 'bench' AS path, 'bench' AS sha256, 1 AS bytes, $rows AS rows_kept, 1 AS run_id
    FROM range(1, $tissues + 1) AS r (i)
    UNION ALL BY NAME
    SELECT 100 + i AS source_id, 'credible' AS kind, 'bench' AS format, 'fine' || i AS name, 'Tissue_' || i AS tissue,
           'GRCh38' AS assembly, 'bench' AS path, 'bench' AS sha256, 1 AS bytes, 1 AS run_id
    FROM range(1, $tissues + 1) AS r (i)
    UNION ALL BY NAME
    SELECT 99 AS source_id, 'peaks' AS kind, 'bench' AS format, 'peaks' AS name, 'K562' AS biosample,
           'GRCh38' AS assembly, 'bench' AS path, 'bench' AS sha256, 1 AS bytes, 1 AS run_id"""
#: Variants lie evenly on 22 chromosomes, each of which is as long as the shortest.
_VARIANTS = """
    INSERT INTO variant (assembly, chrom, pos, ref, alt, ref_status)
    SELECT 'GRCh38', 'chr' || (1 + v * 22 // $n), 10000 + (v - (v * 22 // $n) * $n // 22) * (46000000 * 22 // $n),
           if(v % 11 = 0, 'AC', 'A'), if(v % 13 = 0, 'TG', 'T'), 'match'
    FROM range($n) AS r (v)"""
#: Of four associations of a tissue, two are of one variant; tissues begin at variants of their own.
_QTL = """
    INSERT INTO qtl BY NAME
    SELECT $tissue AS source_id, v.assembly, v.chrom, v.pos, v.ref, v.alt,
           'ENSG' || (v.rowid // 60 + if(i % 4 = 1, 1, 0)) || '.1' AS gene_id,
           round((hash(i, $tissue) % 2000001) / 1e6 - 1, 6) AS slope, 0.1 + (hash(i, 'se') % 1000) / 5e3 AS slope_se,
           10 ** -(4 + hash(i, $tissue, 'p') % 1000 / 100) AS pval_nominal, (hash(v.pos) % 499 + 1) / 1000 AS maf,
           ((hash(i, 'tss') % 2000001)::BIGINT - 1000000)::INTEGER AS tss_distance
    FROM (SELECT i, ((i * 3 // 4) * $stride + hash($tissue) % $stride)::BIGINT AS at FROM range($rows) AS r (i)) AS a
    JOIN variant AS v ON v.rowid = a.at
    ORDER BY v.chrom, v.pos, gene_id"""
_PEAKS = """
    INSERT INTO peak BY NAME
    SELECT i + 1 AS peak_id, 99 AS source_id, 'K562' AS biosample, 'GRCh38' AS assembly, 'chr' || (1 + i % 22) AS chrom,
           10000 + (i // 22) * (46000000 * 22 // $n) AS chrom_start, chrom_start + 300 AS chrom_end
    FROM range($n) AS r (i)"""
_FINE = """
    INSERT INTO credible BY NAME
    SELECT 100 + source_id AS source_id, assembly, chrom, pos, ref, alt, gene_id,
           hash(pos, gene_id, source_id) % 1000 / 1000 AS pip
    FROM qtl WHERE hash(pos, gene_id) % 10 = 0 ORDER BY ALL"""


def make(data: Path, rows: int, tissues: int, variants: int) -> Path:
    """The folder of a study of so many associations, its lake and the opened database: made once, and kept."""
    home = (data / f"lake-{rows}-{tissues}").resolve()
    if not home.exists():
        partial = home.with_name(home.name + ".partial")  # renamed when whole
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        db.create(partial / STUDY)
        with db.writing(partial / STUDY, memory_limit="4GB") as con:
            _fill(con, rows // tissues, tissues, variants)
        agdb(partial / STUDY, "lake", "export", partial / LAKE)
        partial.rename(home)
        agdb(home / OPENED, "lake", "open", home / LAKE)  # it looks at the lake where that is
    return home


def _fill(con: duckdb.DuckDBPyConnection, a_tissue: int, tissues: int, variants: int) -> None:
    con.execute(_SOURCES, {"rows": a_tissue, "tissues": tissues})
    con.execute(_VARIANTS, {"n": variants})
    con.execute(_PEAKS, {"n": min(PEAKS, variants)})
    stride = max(variants * 4 // (3 * a_tissue) - 1, 1)
    for tissue in range(1, tissues + 1):
        con.execute(_QTL, {"tissue": tissue, "rows": a_tissue, "stride": stride})
    con.execute(_FINE)
    for name in ("bench", "other"):
        score(con, name)


def measured(n: int, data: Path, measure: Measure, *, quick: bool) -> dict[int, dict[str, list[Measured]]]:
    """n measurements of each case at each size (one at the largest), after the answers were compared."""
    sizes, tissues = (QUICK, QUICK_TISSUES) if quick else (SIZES, TISSUES)
    found = {}
    for rows in sizes:
        given = _given(make(data, rows, tissues, rows // A_VARIANT if not quick else rows))
        found[rows] = interleaved(n if rows < sizes[-1] else 1, CASES, CASES, given, measure)
        compare(found[rows])
    return found


def _given(home: Path) -> Callable[[str], list[str]]:
    """The arguments of every case."""
    return lambda _: ["--stored", str(home / STUDY)]


def compare(taken: Mapping[str, list[Measured]]) -> None:
    """Refuse to show times where workers found something else than `agdb stats`."""
    expected = taken["lake-stats"][0]["found"]
    for name in ("lake-analyse-1", "lake-analyse-2"):
        of = taken[name][0]["found"]
        if of["results"] != expected["results"] or abs(of["estimates"] - expected["estimates"]) > 1e-6:
            raise SystemExit(f"{name} found {of}, agdb stats {expected}: no times are shown")


def table(found: Mapping[int, Mapping[str, list[Measured]]]) -> str:
    """Medians in Markdown, with how times grow with rows."""
    rows = list(found)
    lines = [f"| a study as a lake, seconds at so many associations | {' | '.join(f'{n:,}' for n in rows)} | exponent "
             "| MiB at the most | of a worker |", f"|---|{'---:|' * (len(rows) + 3)}"]  # fmt: skip
    for name, case in CASES.items():
        of = [found[n][name] for n in rows]
        seconds = [median(m["seconds"] for m in each) for each in of]
        peak = max(m["peak_mib"] for m in of[-1])
        worker = f"{of[-1][0]['found']['worker_mib']:,.0f}" if "analyse" in name else ""
        lines.append(f"| {case.label} | {' | '.join(f'{s:,.1f}' for s in seconds)} | {exponent(rows, seconds):.2f} "
                     f"| {peak:,.0f} | {worker} |")  # fmt: skip
    size = " | ".join(f"{found[n]['lake-export'][0]['found'] / 2**20:,.0f}" for n in rows)
    return "\n".join([*lines, f"| the lake, MiB | {size} | | | |", ""])
