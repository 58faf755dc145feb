"""`python -m bench.run`: compares the answers, then times every case in fresh processes, and prints a Markdown table.

The cases of a round run in a shuffled order, each in a process of its own, so that a machine that slows down for a
while slows all of them. Medians over the rounds. Nothing asserts a time.
"""

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

from bench import verify
from bench.cases import CASES, Inputs, missing
from bench.data import inputs

HERE = Path(__file__).resolve().parent
#: (associations, peaks): GTEx's whole blood has 2.4 M significant pairs, a DNase experiment some 200,000 peaks.
FULL, QUICK = (2_400_000, 200_000), (20_000, 2_000)

Measured = dict[str, Any]


def say(text: str) -> None:
    """Progress: stdout is for the table."""
    print(text, file=sys.stderr, flush=True)


def one(name: str, files: Inputs, stored: Path, work: Path) -> Measured:
    """Measure a case in a fresh process."""
    paths = ["--stored", str(stored), "--work", str(work), "--inputs", *map(str, files)]
    command = [sys.executable, "-m", "bench.measure", name, *paths]
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, check=False)
    if done.returncode:
        raise SystemExit(f"case {name} failed:\n{done.stderr}")
    result: Measured = json.loads(done.stdout)
    return result


def rounds(n: int, files: Inputs, stored: Path, work: Path, expected: verify.Answers) -> dict[str, list[Measured]]:
    """n measurements of every case whose program is installed.

    Raises:
        SystemExit: a case failed, or found another number than was verified.
    """
    shuffle = random.Random(1).shuffle
    names = [name for name, case in CASES.items() if not missing(case)]
    measured: dict[str, list[Measured]] = {name: [] for name in names}
    for i in range(n):
        shuffle(names)
        for name in names:
            result = one(name, files, stored, work)
            agrees = CASES[name].agrees
            if agrees and result["found"] != expected[agrees]:
                raise SystemExit(f"case {name} found {result['found']} {agrees}, not {expected[agrees]}")
            measured[name].append(result)
            say(f"round {i + 1} of {n}: {name} {result['seconds']:.2f} s")
    return measured


def machine(sizes: tuple[int, int], n: int, expected: verify.Answers) -> dict[str, Any]:
    """What the numbers depend on: versions, cores, load, rows."""
    has_bedtools = not missing(CASES["bedtools-u"])
    bedtools = "not installed"
    if has_bedtools:
        asked = subprocess.run(["bedtools", "--version"], capture_output=True, text=True, check=True)
        bedtools = asked.stdout.split()[-1]
    return {
        "versions": {p: version(p) for p in ("agdb", "duckdb", "numpy")}
        | {"python": platform.python_version(), "bedtools": bedtools},
        "cores": os.cpu_count(), "load_average": os.getloadavg()[0], "machine": platform.machine(), "rounds": n,
        "associations": sizes[0], "peaks": sizes[1], "found": expected, "compared_with_bedtools": has_bedtools,
    }  # fmt: skip


def table(facts: dict[str, Any], measured: dict[str, list[Measured]]) -> str:
    """The report, in Markdown."""
    found, versions = facts["found"], ", ".join(f"{k} {v}" for k, v in facts["versions"].items())
    compared = "equal to bedtools' row by row" if facts["compared_with_bedtools"] else "NOT compared: no bedtools"
    lines = [
        f"{facts['associations']:,} associations, {facts['peaks']:,} peaks; rounds: {facts['rounds']}; "
        f"{facts['cores']} cores, load average {facts['load_average']:.1f} at the end; {versions}.",
        f"Answers: {found['rows']:,} rows ingested, equal to the file's value by value; {found['pairs']:,} pairs of "
        f"variant and peak, {found['variants']:,} variants and {found['associations']:,} associations in a peak, "
        f"{compared}.",
        *(["", "**Quick: too small and too few for any claim.**"] if facts["associations"] < FULL[0] else []),
    ]
    group = ""
    for name, case in CASES.items():
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


def main() -> None:
    """Entry of `python -m bench.run`."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="20,000 rows, one round: does it run? No claims.")
    parser.add_argument("--rounds", type=int, help="measurements of each case (5)")
    parser.add_argument("--data", type=Path, default=HERE / "data", help="where the made inputs are kept")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="where bench.json and bench.md go")
    args = parser.parse_args()
    sizes, n = (QUICK, 1) if args.quick else (FULL, 5)
    n = args.rounds or n
    args.out.mkdir(parents=True, exist_ok=True)
    say("inputs: made once, kept")
    files = Inputs(*(path.resolve() for path in inputs(args.data, *sizes)))
    with tempfile.TemporaryDirectory(dir=args.out) as folder:  # beside the output: system temporary folders are small
        work = Path(folder).resolve()
        say("comparing the answers")
        verify.build(files, work / "stored.duckdb")
        expected = verify.answers(files, work / "stored.duckdb", work)
        measured = rounds(n, files, work / "stored.duckdb", work, expected)
    facts = machine(sizes, n, expected)
    report = table(facts, measured)
    (args.out / "bench.json").write_text(json.dumps({**facts, "cases": measured}, indent=1) + "\n")
    (args.out / "bench.md").write_text(report)
    print(report, end="")


if __name__ == "__main__":
    main()
