"""`agdb stats` against the same measures by pandas and scipy.stats in a loop.

The study is `bench.data`'s: GTEx's size, order and numbers, scored by SQL. No time is shown before every estimate of
agdb in every stratum is compared with the loop's. The loop has no intervals of clusters: a few resamples, ranked anew,
tell what 2,000 would take.
"""

import tempfile
from pathlib import Path
from statistics import median

import duckdb
import numpy as np

from agdb import db
from agdb.ingest import peaks, qtl
from agdb.ingest.variant_table import Options
from bench.cases import Inputs
from bench.data import Sizes, inputs
from bench.rounds import Measured, fresh, interleaved
from bench.stats_cases import CASES, LOOPS, RESAMPLES, Estimates

#: Associations: of a GTEx tissue; of the published data.
SIZES, QUICK = (2_400_000, 107_229), (5_000,)


def build(files: Inputs, stored: Path) -> None:
    """The study: associations, peaks, a fine-mapping of a tenth of them, and a score of every variant."""
    db.create(stored)
    with db.writing(stored) as con:
        qtl.gtex(con, files.pairs, Options(tissue="Whole_Blood"))
        peaks.ingest(con, files.peaks, "K562", "GRCh38")
        score(con, "bench")
        con.execute(
            "INSERT INTO source BY NAME SELECT 99 AS source_id, 'credible' AS kind, 'bench' AS format, "
            "'bench' AS name, 'Whole_Blood' AS tissue, 'GRCh38' AS assembly, '' AS path, '' AS sha256, 0 AS bytes, "
            "1 AS run_id"
        )
        con.execute(
            "INSERT INTO credible BY NAME SELECT 99 AS source_id, assembly, chrom, pos, ref, alt, gene_id, "
            "hash(pos, gene_id, 'pip') % 1000 / 1000 AS pip FROM qtl WHERE hash(pos, gene_id) % 10 = 0"
        )


def score(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """A scorer and its score of every variant: a little of the mean slope, the rest of a hash."""
    con.execute(
        "INSERT INTO computation BY NAME SELECT $name AS computation_id, 'bench' AS provider, 'model' AS model, "
        "'1' AS model_version, 'GRCh38' AS assembly, 'DNASE' AS output_type, 501 AS window_bp, 'DIFF' AS aggregation, "
        "true AS is_signed, false AS reads_genome", {"name": name},
    )  # fmt: skip
    con.execute(
        "INSERT INTO scorer BY NAME SELECT $name AS scorer_id, $name AS name, 'model' AS model, '1' AS model_version, "
        "'GRCh38' AS assembly, 'DNASE' AS output_type, 501 AS window_bp, 'DIFF' AS aggregation, '' AS track_set, "
        "true AS is_signed, false AS reads_genome, json_object('name', $name)::VARCHAR AS config, "
        "[$name] AS computations", {"name": name},
    )  # fmt: skip
    con.execute(
        "INSERT INTO prediction BY NAME SELECT $name AS computation_id, assembly, chrom, pos, ref, alt, "
        "0.1 * avg(slope) + round((hash(chrom, pos, ref, alt, $name) % 2000001) / 1e6 - 1, 4) AS score "
        "FROM qtl GROUP BY assembly, chrom, pos, ref, alt", {"name": name},
    )  # fmt: skip
    con.execute(
        "INSERT INTO scored_variant SELECT computation_id, assembly, chrom, pos, ref, alt, '', 1 FROM prediction "
        "WHERE computation_id = ?", [name],
    )  # fmt: skip


def compare(agdb: Estimates, other: Estimates) -> int:
    """How many estimates there are of both; SystemExit where one differs, or one has none."""
    for name in agdb.keys() | other.keys():
        a, b = agdb.get(name, np.nan), other.get(name, np.nan)
        if not abs(a - b) <= 1e-8:
            raise SystemExit(f"{name}: agdb {a}, pandas and scipy {b}")
    return len(agdb)


def table(n: int, compared: int, taken: dict[str, list[Measured]]) -> str:
    """Medians of the rounds."""
    rounds = len(taken["stats-all"])
    lines = [f"{n:,} associations; {compared:,} estimates are those of scipy; rounds: {rounds}.", "",
             "| agdb stats | s | min to max | core s | MiB |", "|---|---:|---:|---:|---:|"]  # fmt: skip
    for name, of in taken.items():
        label, peak = CASES[name].label, max(m["peak_mib"] for m in of)
        if name == "stats-bootstrap":
            each, cores = (median(m["found"][key] for m in of) * RESAMPLES for key in ("seconds", "core_seconds"))
            label += f", {RESAMPLES:,} at the rate of {LOOPS}"
            lines.append(f"| {label} | {each:,.0f} | | {cores:,.0f} | {peak:,.0f} |")
            continue
        s = sorted(m["seconds"] for m in of)
        cores = median(m["core_seconds"] for m in of)
        lines.append(f"| {label} | {median(s):.1f} | {s[0]:.1f} to {s[-1]:.1f} | {cores:.1f} | {peak:,.0f} |")
    return "\n".join([*lines, ""])


def measured(pairs: int, n: int, data: Path, out: Path) -> tuple[dict[str, list[Measured]], str]:
    """n measurements of each case on so many associations, after the answers were compared; and the report."""
    sizes = Sizes(pairs, min(200_000, pairs), min(3_600_000, pairs), min(1_000_000, pairs))
    with tempfile.TemporaryDirectory(dir=out) as folder:
        stored = Path(folder).resolve() / "stats.duckdb"
        build(inputs(data, sizes), stored)
        taken = interleaved(n, CASES, CASES, lambda _: ["--stored", str(stored)], fresh(CASES, Path(folder)))
    compared = compare(taken["stats-measures"][0]["found"], taken["stats-loop"][0]["found"])
    return taken, table(pairs, compared, taken)
