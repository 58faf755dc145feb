"""`python -m bench.run`: compares the answers, then times every case in fresh processes, and prints a Markdown table.

The cases of a round run in a shuffled order, each in a process of its own, so that a machine that slows down for a
while slows all of them. Medians over the rounds. Nothing asserts a time.
"""

import argparse
import json
import os
import platform
import random
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from bench import overlap, predict, verify
from bench.cases import CASES, TISSUES, Inputs, interpreter, missing
from bench.data import Sizes, inputs
from bench.measure import ALL
from bench.overlap_cases import SHAPES, SIZES

HERE = Path(__file__).resolve().parent
FULL, QUICK = Sizes(2_400_000, 200_000, 3_600_000, 1_000_000), Sizes(20_000, 2_000, 20_000, 10_000)
#: 49 tissues have 70 M significant pairs: files of 1.43 M rows each.
A_TISSUE = 1_430_000
#: What can be asked for: how the names of the groups of cases begin, and predict.
GROUPS = ("ingest", "overlap", "gz", "predict")

Measured = dict[str, Any]


def say(text: str) -> None:
    """Progress: stdout is for the table."""
    print(text, file=sys.stderr, flush=True)


def one(name: str, work: Path, arguments: Iterable[str]) -> Measured:
    """Measure a case in a fresh process."""
    command = [interpreter(ALL[name]), "-m", "bench.measure", name, "--work", str(work), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, check=False)
    if done.returncode:
        raise SystemExit(f"case {name} failed:\n{done.stderr}")
    result: Measured = json.loads(done.stdout)
    return result


def asked(groups: Sequence[str], files: Inputs) -> list[str]:
    """The cases whose group begins with one of these names (all, without any), and that have what they need."""
    return [
        name for name, case in CASES.items()
        if case.group.startswith(tuple(groups or [""])) and not missing(case)
        and (case.group != TISSUES or any(files.tissues.iterdir()))
    ]  # fmt: skip


def rounds(
    n: int, names: list[str], files: Inputs, stored: Path, work: Path, expected: verify.Answers
) -> dict[str, list[Measured]]:
    """n measurements of each of these cases.

    Raises:
        SystemExit: a case failed, or found another number than was verified.
    """
    shuffle = random.Random(1).shuffle
    measured: dict[str, list[Measured]] = {name: [] for name in names}
    for i in range(n):
        shuffle(names)
        for name in names:
            result = one(name, work, ["--stored", str(stored), "--inputs", *map(str, files)])
            agrees = CASES[name].agrees
            if agrees and result["found"] != expected[agrees]:
                raise SystemExit(f"case {name} found {result['found']} {agrees}, not {expected[agrees]}")
            measured[name].append(result)
            say(f"round {i + 1} of {n}: {name} {result['seconds']:.2f} s")
    return measured


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
    group = ""
    groups = {CASES[name].group for name in measured}
    for name, case in CASES.items():
        if case.group not in groups:
            continue
        if case.group != group:
            group, agdb = case.group, measured[name]
            lines += ["", f"| {group} | median s | min to max | times agdb | core s | times agdb | MiB | its own |",
                      "|---|---:|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
        done = measured.get(name)
        lines.append(
            row(case.label, done, agdb) if done else f"| {case.label} | {case.needs} is not installed | | | | | | |"
        )
    return "\n".join(lines) + "\n"


def row(label: str, case: list[Measured], agdb: list[Measured]) -> str:
    """One line of a table; memory is the largest seen."""
    seconds = [m["seconds"] for m in case]
    wall, cores = ((median(m[key] for m in case), median(m[key] for m in agdb)) for key in ("seconds", "core_seconds"))
    peak, beyond = (max(m[key] for m in case) for key in ("peak_mib", "beyond_start_mib"))
    return (
        f"| {label} | {wall[0]:.3f} | {min(seconds):.3f} to {max(seconds):.3f} | {wall[0] / wall[1]:.2f} "
        f"| {cores[0]:.3f} | {cores[0] / cores[1]:.2f} | {peak:.0f} | {beyond:.0f} |"
    )


def peers(groups: Sequence[str], sizes: Sizes, n: int, data: Path, out: Path) -> tuple[dict[str, Any], str]:
    """Ingest and overlap against what people use: everything measured, and the report."""
    say("inputs: made once, kept")
    files = Inputs(*(path.resolve() for path in inputs(data, sizes)))
    with tempfile.TemporaryDirectory(dir=out) as folder:  # beside the output: system temporary folders are small
        work = Path(folder).resolve()
        say("comparing the answers")
        verify.build(files, work / "stored.duckdb")
        expected = verify.answers(files, work / "stored.duckdb", work)
        measured = rounds(n, asked(groups, files), files, work / "stored.duckdb", work, expected)
    facts = machine(sizes, n, expected)
    return {**facts, "cases": measured}, table(facts, measured)


def overlaps(n: int, data: Path, out: Path, *, quick: bool) -> tuple[dict[str, Any], str]:
    """The overlap at each size: everything measured, and the report."""
    sizes = QUICK if quick else FULL
    home = (data / f"overlap-{sizes.pairs}-{sizes.peaks}-{sizes.many_peaks}").resolve()
    say("inputs of the overlap: made once, kept")
    overlap.make(home, Inputs(*(path.resolve() for path in inputs(data, sizes))), [*SIZES, *SHAPES])

    def measure(name: str, arguments: list[str]) -> Measured:
        result = one(name, out.resolve(), arguments)
        say(f"{name} {result['seconds']:.3f} s")
        return result

    found = overlap.measured(n, home, SIZES[:2], measure)
    found |= overlap.measured(min(n, 3), home, [SIZES[2], *SHAPES], measure)
    return {"overlap": found}, overlap.table(found, quick=quick)


def prediction(n: int, out: Path, *, quick: bool) -> tuple[dict[str, Any], str]:
    """Predict against a made-up server: everything measured, and the report."""

    def measure(name: str, arguments: list[str]) -> Measured:
        result = one(name, out.resolve(), arguments)
        say(f"{name} {result['seconds']:.2f} s")
        return result

    measured = predict.measured(n, quick=quick, out=out.resolve(), measure=measure)
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
    parser.add_argument("--out", type=Path, default=HERE / "out", help="where bench.json and bench.md go")
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
    if "overlap" in args.what:
        facts, report = overlaps(args.rounds or (1 if args.quick else 5), args.data, args.out, quick=args.quick)
        found |= facts
        reports.append(report)
    if "predict" in args.what:
        facts, report = prediction(args.rounds or (1 if args.quick else 3), args.out, quick=args.quick)
        found |= facts
        reports.append(report)
    (args.out / "bench.json").write_text(json.dumps(found, indent=1) + "\n")
    (args.out / "bench.md").write_text("\n".join(reports))
    print("\n".join(reports), end="")


if __name__ == "__main__":
    main()
