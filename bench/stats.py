"""`python -m bench.stats`: `agdb stats` against the same measures by pandas and scipy.stats in a loop.

The study is `bench.data`'s: GTEx's size, order and numbers, scored by SQL. Answers first: every estimate of agdb in
every stratum is compared with the loop's, and every case runs in a fresh process. The loop has no intervals of
clusters: a few resamples, ranked anew, tell what 2,000 would take.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import duckdb
import numpy as np

from agdb import db
from agdb.analysis import controls, groups, labels, measures, results, rows, run, strata
from agdb.ingest import peaks, qtl
from agdb.ingest.variant_table import Options
from bench.cases import Inputs
from bench.data import Sizes, inputs
from bench.measure import core_seconds, peak_mib

HERE = Path(__file__).resolve().parent
#: Associations: of a GTEx tissue; of the published data.
SIZES = (2_400_000, 107_229)
LOOPS, RESAMPLES = 2, 2_000
Estimates = dict[str, float]


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


def whole_command(stored: Path) -> Estimates:
    """All that `agdb stats` computes: controls, causality, overlap and winner's curse too."""
    with db.reading(stored) as con, groups.probing_with_associations(con):
        return _estimates(run.computed(con, run.Asked(label_sets=("all",))))


def measures_alone(stored: Path) -> Estimates:
    """The measures of agreement in all strata with intervals, and the differences between strata: what the loop has."""
    with db.reading(stored) as con, groups.probing_with_associations(con):
        (group,) = groups.groups(con, labels.named(con, "all"), None, None)
        read = rows.read(con, group, strata.STRATA)
    shared = results.keys(group, read, RESAMPLES, 0)
    divisions = [(d.name, d.codes, d.strata) for d in read.divisions if d.strata]
    found = measures.measured(read.effect, read.scores[0], divisions, read.variant, read.phenotype, read.cluster,
                              resamples=RESAMPLES, seed=0)  # fmt: skip
    made = results.of_strata(group, found, shared, controls.ceilings(read))
    return _estimates(made + results.of_differences(group, found, shared))


def _estimates(found: list[results.Result]) -> Estimates:
    return {f"{row['stratification']}: {row['stratum']}: {row['metric']}": row["estimate"] for row in found
            if row["metric"] in measures.SCALES and row["estimate"] is not None}  # fmt: skip


def _frame(stored: Path) -> Any:
    with db.reading(stored) as con:
        (group,) = groups.groups(con, labels.named(con, "all"), None, None)
        return con.sql(rows.query(group, strata.STRATA)).df()


def loop(stored: Path) -> Estimates:
    """The same measures by pandas and scipy, one stratum after the other, without intervals of clusters."""
    frame, found = _frame(stored), {}
    for i, division in enumerate(strata.STRATA):
        for stratum, own in frame.groupby(f"stratum_{i}", observed=True):
            for metric, value in _measured(own.effect.to_numpy(), own.score_0.to_numpy()).items():
                found[f"{division}: {stratum}: {metric}"] = value
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _measured(effect: Any, score_: Any) -> Estimates:
    from scipy import stats

    both = (effect != 0) & (score_ != 0)
    above, below = score_[effect > 0], score_[effect < 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        u = stats.mannwhitneyu(above, below).statistic if len(above) and len(below) else np.nan
        return {
            "spearman": float(stats.spearmanr(effect, score_).statistic),
            "pearson": float(stats.pearsonr(effect, score_).statistic),
            "abs_spearman": float(stats.spearmanr(np.abs(effect), np.abs(score_)).statistic),
            "sign_concordance": float(np.mean((effect > 0)[both] == (score_ > 0)[both])),
            "sign_auroc": float(u / (len(above) * len(below))) if np.isfinite(u) else np.nan,
        }


def bootstrap_loop(stored: Path) -> Estimates:
    """Some resamples of clusters, all rows, Spearman alone, ranked anew; seconds of each, without the reading."""
    from scipy import stats

    frame, rng = _frame(stored), np.random.default_rng(0)
    of_cluster = list(frame.groupby(["chrom", "cluster_start"], observed=True).indices.values())
    effect, score_ = frame.effect.to_numpy(), frame.score_0.to_numpy()
    start, cores = time.perf_counter(), core_seconds()
    for _ in range(LOOPS):
        drawn = np.concatenate([of_cluster[c] for c in rng.integers(len(of_cluster), size=len(of_cluster))])
        stats.spearmanr(effect[drawn], score_[drawn])
    return {"seconds": (time.perf_counter() - start) / LOOPS, "core_seconds": (core_seconds() - cores) / LOOPS}


CASES: dict[str, Callable[[Path], Estimates]] = {
    "agdb, the measures with intervals": measures_alone, "agdb stats, all of it": whole_command,
    "pandas + scipy, no intervals": loop, "pandas + scipy, resamples of clusters": bootstrap_loop,
}  # fmt: skip


def _measure(name: str, stored: Path) -> dict[str, Any]:
    start, cores = time.perf_counter(), core_seconds()
    found = CASES[name](stored)
    return {"seconds": time.perf_counter() - start, "core_seconds": core_seconds() - cores, "peak_mib": peak_mib(),
            "found": found}  # fmt: skip


def _fresh(name: str, stored: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "bench.stats", "--case", name, "--stored", str(stored)]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, check=False)
    if done.returncode:
        raise SystemExit(f"case {name} failed:\n{done.stderr}")
    return dict(json.loads(done.stdout))


def compare(agdb: Estimates, other: Estimates) -> int:
    """How many estimates there are of both; SystemExit where one differs, or one has none."""
    for name in agdb.keys() | other.keys():
        a, b = agdb.get(name, np.nan), other.get(name, np.nan)
        if not abs(a - b) <= 1e-8:
            raise SystemExit(f"{name}: agdb {a}, pandas and scipy {b}")
    return len(agdb)


def table(n: int, compared: int, taken: dict[str, list[dict[str, Any]]]) -> str:
    """Medians of the rounds."""
    rounds = len(next(iter(taken.values())))
    lines = [f"{n:,} associations; {compared:,} estimates are those of scipy; {rounds} rounds:", "",
             "| | s | min to max | core s | MiB |", "|---|---:|---:|---:|---:|"]  # fmt: skip
    for name, of in taken.items():
        if name.endswith("resamples of clusters"):
            each = median(m["found"]["seconds"] for m in of)
            cores = median(m["found"]["core_seconds"] for m in of)
            lines.append(f"| {name}, {RESAMPLES:,} at the rate of {LOOPS} | {each * RESAMPLES:,.0f} | | "
                         f"{cores * RESAMPLES:,.0f} | {max(m['peak_mib'] for m in of):,.0f} |")  # fmt: skip
            continue
        s = sorted(m["seconds"] for m in of)
        lines.append(f"| {name} | {median(s):.1f} | {s[0]:.1f} to {s[-1]:.1f} | "
                     f"{median(m['core_seconds'] for m in of):.1f} | {max(m['peak_mib'] for m in of):,.0f} |"
                     )  # fmt: skip
    return "\n".join([*lines, ""])


def main() -> None:
    """Entry of `python -m bench.stats`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--pairs", type=int, nargs="+", default=list(SIZES))
    parser.add_argument("--data", type=Path, default=HERE / "data")
    parser.add_argument("--out", type=Path, default=HERE / "out")
    parser.add_argument("--case", choices=CASES, help=argparse.SUPPRESS)
    parser.add_argument("--stored", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.case:
        print(json.dumps(_measure(args.case, args.stored)))
        return
    args.out.mkdir(parents=True, exist_ok=True)
    texts = []
    for n in args.pairs:
        sizes = Sizes(n, min(200_000, n), min(3_600_000, n), min(1_000_000, n))
        with tempfile.TemporaryDirectory(dir=args.out) as folder:
            stored = Path(folder) / "stats.duckdb"
            build(inputs(args.data, sizes), stored)
            compared = compare(_fresh("agdb, the measures with intervals", stored)["found"],
                               _fresh("pandas + scipy, no intervals", stored)["found"])  # fmt: skip
            taken: dict[str, list[dict[str, Any]]] = {name: [] for name in CASES}
            for _ in range(args.rounds):
                for name in random.sample(list(CASES), len(CASES)):
                    taken[name].append(_fresh(name, stored))
        texts.append(table(n, compared, taken))
    (args.out / "stats.md").write_text("\n".join(texts))
    print("\n".join(texts))


if __name__ == "__main__":
    main()
