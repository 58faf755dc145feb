"""`python -m bench.run`: compares the answers, then times every case in fresh processes, and prints a Markdown table.

The cases of a round run in a shuffled order, each in a process of its own, so that a machine that slows down for a
while slows all of them. Medians over the rounds. Nothing asserts a time.
"""

import argparse
import json
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import (
    figure,
    overlap,
    overlap_cases,
    predict,
    predict_cases,
    rounds,
    scale,
    scale_cases,
    sequence_cases,
    stats,
    verify,
)
from bench.cases import CASES, TISSUES, Inputs, missing
from bench.data import Sizes, inputs
from bench.overlap_cases import SIZES
from bench.overlap_shapes import SHAPES
from bench.rounds import Measured, fresh, interleaved, say

HERE = Path(__file__).resolve().parent
FULL, QUICK = Sizes(2_400_000, 200_000, 3_600_000, 1_000_000), Sizes(20_000, 2_000, 20_000, 10_000)
#: 49 tissues have 70 M significant pairs: files of 1.43 M rows each.
A_TISSUE = 1_430_000
#: What can be asked for: how the names of the groups of cases begin, and predict.
GROUPS = ("ingest", "overlap", "gz", "sequences", "stats", "scale", "predict")
ANSWERS = "The cases of a table found the same."


def asked(groups: Sequence[str], files: Inputs) -> list[str]:
    """The cases whose group begins with one of these names (all, without any), and that have what they need."""
    return [
        name for name, case in CASES.items()
        if case.group.startswith(tuple(groups or [""])) and not missing(case)
        and (case.group != TISSUES or any(files.tissues.iterdir()))
    ]  # fmt: skip


def machine(sizes: Sizes, n: int, expected: verify.Answers) -> dict[str, Any]:
    """What the numbers depend on: versions, cores, load, rows."""
    has_bedtools = shutil.which("bedtools") is not None
    bedtools = "not installed"
    if has_bedtools:
        asked = subprocess.run(["bedtools", "--version"], capture_output=True, text=True, check=True)
        bedtools = asked.stdout.split()[-1]
    return {
        "versions": {p: version(p) for p in ("agdb", "duckdb", "numpy")}
        | {"python": platform.python_version(), "bedtools": bedtools},
        "cores": os.cpu_count(), "load_average": os.getloadavg()[0], "machine": platform.machine(), "rounds": n,
        **sizes._asdict(), "found": expected, "compared_with_bedtools": has_bedtools,
    }  # fmt: skip


def table(facts: dict[str, Any], measured: dict[str, list[Measured]]) -> str:
    """The report, in Markdown."""
    found, versions = facts["found"], ", ".join(f"{k} {v}" for k, v in facts["versions"].items())
    compared = "equal to bedtools' row by row" if facts["compared_with_bedtools"] else "NOT compared: no bedtools"
    lines = [
        f"{facts['pairs']:,} associations, {facts['peaks']:,} and {facts['many_peaks']:,} peaks, "
        f"{facts['positions']:,} positions, {facts['tissues']} tissues; rounds: {facts['rounds']}; "
        f"{facts['cores']} cores, load average {facts['load_average']:.1f} at the end; {versions}.",
        f"Answers: {found['rows']:,} rows ingested, equal to the file's value by value; {found['pairs']:,} pairs of "
        f"variant and peak, {found['variants']:,} variants and {found['associations']:,} associations in a peak, "
        f"{compared}; {found['lifted']:,} positions lifted, equal to pyliftover's.",
        *(["", "**Quick: too small and too few for any claim.**"] if facts["pairs"] < A_TISSUE else []),
    ]
    return "\n".join(lines) + "\n" + rounds.table(CASES, measured)


def peers(groups: Sequence[str], sizes: Sizes, n: int, data: Path, out: Path) -> tuple[dict[str, Any], str]:
    """Ingest and overlap against what people use: everything measured, and the report."""
    say("inputs: made once, kept")
    files = Inputs(*(path.resolve() for path in inputs(data, sizes)))
    with tempfile.TemporaryDirectory(dir=out) as folder:  # beside the output: system temporary folders are small
        work = Path(folder).resolve()
        say("comparing the answers")
        verify.build(files, work / "stored.duckdb")
        expected = verify.answers(files, work / "stored.duckdb", work)
        given = ["--stored", str(work / "stored.duckdb"), "--inputs", *map(str, files)]
        measured = interleaved(n, CASES, asked(groups, files), lambda _: given, fresh(CASES, work), expected)
    facts = machine(sizes, n, expected)
    return {**facts, "cases": measured}, table(facts, measured)


def overlaps(n: int, data: Path, out: Path, *, quick: bool) -> tuple[dict[str, Any], str]:
    """The overlap at each size: everything measured, and the report."""
    sizes = QUICK if quick else FULL
    home = (data / f"overlap-{sizes.pairs}-{sizes.peaks}-{sizes.many_peaks}").resolve()
    say("inputs of the overlap: made once, kept")
    overlap.make(home, Inputs(*(path.resolve() for path in inputs(data, sizes))), [*SIZES, *SHAPES])
    measure = fresh(overlap_cases.CASES, out)
    measured = overlap.measured(n, home, SIZES[:2], measure)
    measured |= overlap.measured(min(n, 3), home, [SIZES[2], *SHAPES], measure)
    told = "A hundredth of the rows that the titles say. " if quick else ""
    return {"overlap": measured}, f"{told}{ANSWERS}\n{rounds.table(overlap_cases.CASES, measured)}"


def sequences(n: int, data: Path, out: Path, *, quick: bool) -> tuple[dict[str, Any], str]:
    """Windows, motif and the start of a command: everything measured, and the report."""
    length = 6_000_000 if quick else sequence_cases.LENGTH
    data.mkdir(parents=True, exist_ok=True)
    fasta = (data / f"random-{length}.fa").resolve()
    if not fasta.exists():
        partial = fasta.with_name(fasta.name + ".partial")
        sequence_cases.write_fasta(partial, length)
        partial.with_name(partial.name + ".fai").rename(fasta.with_name(fasta.name + ".fai"))
        partial.rename(fasta)

    def given(name: str) -> list[str]:
        return ["--stored", str(fasta), "--n", str(sequence_cases.n_of(name, quick=quick))]

    cases = sequence_cases.CASES
    measured = interleaved(n, cases, cases, given, fresh(cases, out))
    told = "A thousandth of the windows and variants. " if quick else ""
    return {"sequences": measured}, f"{told}{ANSWERS}\n{rounds.table(cases, measured)}"


def statistics(n: int, data: Path, out: Path, *, quick: bool) -> tuple[dict[str, Any], str]:
    """`agdb stats` at each size: everything measured, and the report."""
    of_sizes = {pairs: stats.measured(pairs, n, data, out) for pairs in (stats.QUICK if quick else stats.SIZES)}
    measured = {str(pairs): taken for pairs, (taken, _) in of_sizes.items()}
    return {"stats": measured}, "\n".join(text for _, text in of_sizes.values())


def growth(n: int, data: Path, out: Path, *, quick: bool) -> tuple[dict[str, Any], str]:
    """Every step at four sizes of a study: everything measured, and the report."""
    measured = scale.measured(n, data, fresh(scale_cases.CASES, out), quick=quick)
    return {"scale": measured}, f"Rounds: {n}, at the largest size 1.\n\n{scale.table(measured)}"


def prediction(n: int, data: Path, out: Path, *, quick: bool) -> tuple[dict[str, Any], str]:
    """Predict against a made-up server: everything measured, and the report."""
    del data  # it makes its own
    measured = predict.measured(n, quick=quick, out=out.resolve(), measure=fresh(predict_cases.CASES, out))
    return {"predict": measured}, predict.table(measured)


def main() -> None:
    """Entry of `python -m bench.run`."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("what", nargs="*", choices=GROUPS, default=list(GROUPS), help="these alone")
    parser.add_argument("--quick", action="store_true", help="little of everything, one round: does it run? No claims.")
    parser.add_argument("--rounds", type=int, help="measurements of each case (5; of predict 3)")
    parser.add_argument(
        "--tissues", type=int, default=0, help=f"ingest so many files of {A_TISSUE:,} rows too (49: an hour, 10 GB)"
    )
    parser.add_argument("--data", type=Path, default=HERE / "data", help="where the made inputs are kept")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="where bench.json, bench.md and bench.png go")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    reports = []
    groups = [group for group in args.what if group in ("ingest", "gz")]
    if groups:
        sizes = QUICK if args.quick else FULL
        if args.tissues:
            sizes = sizes._replace(tissues=args.tissues, pairs=sizes.pairs if args.quick else A_TISSUE)
        facts, report = peers(groups, sizes, args.rounds or (1 if args.quick else 5), args.data, args.out)
        found |= facts
        reports.append(report)
    of_group = {  # rounds, where nothing is said, and what measures it
        "overlap": (5, overlaps), "sequences": (5, sequences), "stats": (3, statistics),
        "scale": (3, growth), "predict": (3, prediction),
    }  # fmt: skip
    for group, (n, measure) in of_group.items():
        if group in args.what:
            n_rounds = args.rounds or (1 if args.quick else n)
            facts, report = measure(n_rounds, args.data, args.out, quick=args.quick)
            found |= facts
            reports.append(report)
    (args.out / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    (args.out / "bench.md").write_text("\n".join(reports))
    figure.write(found, args.out / "bench.png")
    print("\n".join(reports), end="")


if __name__ == "__main__":
    main()
