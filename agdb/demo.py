"""The whole path on a simulated study, told as a short story, with the known answer beside the found one."""

import gzip
import os
import shutil
import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path

import duckdb
import numpy as np

from agdb import db, export, figures, report
from agdb.analysis import run as analysis
from agdb.analysis.paired import Versus, verdict
from agdb.ingest import peaks, qtl, reference
from agdb.ingest.variant_table import Options
from agdb.predict import run as predict
from agdb.predictors import motif
from agdb.query import records
from agdb.simulate import Study, write_study

#: Windows that the motif scorer reads, in bp: the truth of the simulation is that of 501.
WINDOWS = (101, 501, 2001)

#: Largest difference of two Spearman correlations that are one: rounding moves them by less than 1e-6 at n = 9,000.
TOLERANCE = 1e-4

#: What the demo leaves behind for the user to open in something else.
EXPORTED = ("correlation", "stratum_effect_size", "window_comparison", "result")

#: One question a user may ask next.
QUESTION = "SELECT kind, count(*) AS n, corr(slope, score) AS pearson FROM scored_qtl WHERE in_peak GROUP BY kind"


def run(directory: Path, n_variants: int, seed: int, tell: Callable[[str], None]) -> None:
    """Simulate, ingest, overlap, predict, test, draw and export into `directory` (new or empty).

    Raises:
        Refused, UsageError: as the steps do.
    """
    tell(f"1. A study whose truth is known, in the file formats of the real ones (seed {seed})")
    study = write_study(directory / "study", n_variants, seed)
    tell(
        f"   {study.n_variants:,} variants, {study.n_pairs:,} associations with {study.n_genes:,} genes, "
        f"{study.n_peaks:,} peaks"
    )
    path = directory / "demo.duckdb"
    _ingest(path, study, tell)
    tell("3. Overlap: a range join in SQL, view variant_in_peak")
    with db.reading(path) as con:
        hits = con.execute("SELECT count(*), count(DISTINCT variant_id) FROM variant_in_peak").fetchall()[0]
    tell(f"   {hits[1]:,} variants lie in a peak ({hits[0]:,} pairs of variant and peak)")
    _predict(path, study, tell)
    analysis.stats(path, analysis.Asked())
    _answer(path, study, tell)
    _leave(path, directory, tell)


def _ingest(path: Path, study: Study, tell: Callable[[str], None]) -> None:
    tell(f"2. Ingest into {path}: every name, number, allele and position is checked; all of a file, or none")
    db.create(path)
    with db.writing(path) as con:
        loaded = [
            qtl.gtex(con, study.pairs, Options(tissue="Simulated_Blood")),
            peaks.ingest(con, study.peaks, "Simulated", "GRCh38"),
            reference.ingest(con, study.genome, "GRCh38"),
        ]
    for source, what in zip(loaded, ("rows kept", "rows kept", "records registered"), strict=True):
        tell(f"   {source.name}: {source.rows_kept:,} of {source.rows_read:,} {what}")
    tell(f"   {loaded[-1].notes[0]}")


def _predict(path: Path, study: Study, tell: Callable[[str], None]) -> None:
    tell("4. Predict: the motif scorer reads the genome around every variant, at three windows")
    with db.reading(path) as con:
        genome = reference.registered(con, "GRCh38")
    assert genome is not None
    for window in WINDOWS:
        predictor = motif.scorer("GRCh38", window), lambda c: nullcontext(motif.MotifPredictor(genome, c))
        done = predict.run(predict.Place(path), *predictor)
        tell(f"   {window:>5,} bp: {done.scored:,} variants scored, {done.failed:,} failed with a reason")


def known_answer(study: Study) -> dict[str, tuple[int, float]]:
    """(n, Spearman of the true effect and the measured slope) in and outside peaks, from the truth table alone.

    Nothing of the database, its joins or its scores enters: ranks are numpy's and ties are averaged by hand.
    """
    with gzip.open(study.truth, "rt", encoding="utf-8") as file:
        names = file.readline().rstrip("\n").split("\t")
        at = [names.index(n) for n in ("in_peak", "true_effect", "slope")]
        values = np.array([[float(row[i]) for i in at] for row in (line.rstrip("\n").split("\t") for line in file)])
    found = {}
    for name, flag in (("in peak", 1), ("outside peaks", 0)):
        some = values[values[:, 0] == flag]
        found[name] = (len(some), float(np.corrcoef(_ranks(some[:, 1]), _ranks(some[:, 2]))[0, 1]))
    return found


def _ranks(x: np.ndarray) -> np.ndarray:
    _, inverse, counts = np.unique(x, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def _answer(path: Path, study: Study, tell: Callable[[str], None]) -> None:
    tell("5. Does the score agree with what was measured? Spearman, with its 95 % interval")
    known = known_answer(study)
    with db.reading(path) as con:
        found = con.execute(
            "SELECT stratum, n, estimate, ci_low, ci_high FROM result WHERE metric = 'spearman' AND window_bp = 501 "
            "AND stratification = 'peak' ORDER BY stratum"
        ).fetchall()
        differences = _window_verdicts(con)
    rows: list[tuple[object, ...]] = [
        (name, n, f"{rho:+.4f}", f"{low:+.3f} to {high:+.3f}", known[name][0], f"{known[name][1]:+.4f}")
        for name, n, rho, low, high in found
    ]
    table = export.text_table(["variants", "n", "found", "95 % interval", "n in truth", "known"], rows)
    tell("\n".join(f"   {line}" for line in table.splitlines()))
    tell(
        "   known: the planted effect against the same slopes, straight from the truth table; noise, linkage and other"
    )
    tell("   causes keep it below 1. The planted world and the scorer share one law, so found must equal known.")
    same = is_known({name: (n, rho) for name, n, rho, _, _ in found}, known)
    tell(f"   {'It does.' if same else 'IT DOES NOT: please report this.'}")
    tell("   The same associations at two windows:")
    for line in differences:
        tell(f"   {line}")


def is_known(found: dict[str, tuple[int, float]], known: dict[str, tuple[int, float]]) -> bool:
    """Whether every n is the same and every Spearman too, but for the six digits to which the truth is written."""
    return found.keys() == known.keys() and all(
        n == known[name][0] and abs(rho - known[name][1]) < TOLERANCE for name, (n, rho) in found.items()
    )


def _window_verdicts(con: duckdb.DuckDBPyConnection) -> list[str]:
    found = records(
        con,
        "SELECT window_bp, versus, estimate, ci_low, ci_high, detectable, reason FROM result "
        "WHERE metric = 'spearman_difference' AND stratification = 'all' ORDER BY result_id",
    )
    return [
        f"{row['window_bp']:,} bp against {Versus.parse(row['versus']).window_bp:,} bp: {verdict(row)}" for row in found
    ]


def _leave(path: Path, directory: Path, tell: Callable[[str], None]) -> None:
    tell("6. Figures, tables and a report to look at")
    with db.reading(path) as con:
        in_peak = figures.Choice(window_bp=501, stratum="peak: in peak")
        for name, choice in (("scatter", in_peak), ("windows", figures.Choice())):
            drawn, target = figures.draw(con, name, choice), directory / f"{name}.png"
            figures.write(con, drawn, target)
            tell(f"   {target}: {drawn.told}")
        for view in EXPORTED:
            target = directory / f"{view}.csv"
            tell(f"   {target}: {export.to_file(con, view, target):,} rows")
        page, target = report.text(con, path, report.Asked(), "html")[0], directory / "report.html"
    report.write(page, target)
    tell(f"   {target}: verdicts, figures, checks and the way back from each number, on one page")
    tell("7. Where to go from here")
    agdb = f"{_program()} --db {path}"
    tell(f'   {agdb} sql "{QUESTION}"')
    for command in ("status", "schema scored_qtl", "check"):
        tell(f"   {agdb} {command}")
    tell("   README.md goes through the same on real GTEx and DNase files.")


def _program() -> str:
    """How the user can call agdb: by name where it is on the PATH, else by the path of this installation."""
    if shutil.which("agdb"):
        return "agdb"
    return os.path.relpath(Path(sys.executable).parent / "agdb")
