"""Every case n times, each in a process of its own, in an order that is shuffled each round; and the table of medians.

A machine that slows down for a while slows all of them. No time is shown where the answers of a group differ.
"""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from bench.cases import Case, interpreter, missing

Measured = dict[str, Any]
#: Case and its arguments to what it measured.
Measure = Callable[[str, list[str]], Measured]

HERE = Path(__file__).resolve().parent


def say(text: str) -> None:
    """Progress: stdout is for the table."""
    print(text, file=sys.stderr, flush=True)


def told_by(command: list[str], name: str) -> Measured:
    """What a case measured, which the command, a process of its own, prints as JSON; the run ends if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, cwd=HERE.parent, check=False)
    if done.returncode:
        raise SystemExit(f"case {name} failed:\n{done.stderr}")
    result: Measured = json.loads(done.stdout)
    say(f"{name} {result['seconds']:.3f} s")
    return result


def fresh(cases: Mapping[str, Case], work: Path) -> Measure:
    """Measures a case in a fresh process, which has an empty folder in `work`."""

    def measure(name: str, arguments: list[str]) -> Measured:
        command = [interpreter(cases[name]), "-m", "bench.measure", name, "--work", str(work.resolve()), *arguments]
        return told_by(command, name)

    return measure


def interleaved(
    n: int, cases: Mapping[str, Case], names: Iterable[str], arguments: Callable[[str], list[str]], measure: Measure,
    expected: Mapping[str, Any] | None = None,
) -> dict[str, list[Measured]]:  # fmt: skip
    """n measurements of each of these cases that has what it needs.

    Args:
        n: Rounds.
        cases: All cases by name.
        names: Those to measure.
        arguments: Of a case, by its name.
        measure: Measures a case.
        expected: What cases must have found, by their `agrees`; else the cases of a group must agree with each other.

    Raises:
        SystemExit: a case found something else.
    """
    shuffle = random.Random(1).shuffle
    order = [name for name in names if not missing(cases[name])]
    measured: dict[str, list[Measured]] = {name: [] for name in order}
    answers: dict[tuple[str | None, str], Any] = {(None, agrees): found for agrees, found in (expected or {}).items()}
    for _ in range(n):
        shuffle(order)
        for name in order:
            case, result = cases[name], measure(name, arguments(name))
            if case.agrees:
                group = None if expected else case.group
                answer = answers.setdefault((group, case.agrees), result["found"])
                if result["found"] != answer:
                    raise SystemExit(f"{name} found {result['found']}, not {answer}: no times are shown")
            measured[name].append(result)
    return measured


def table(cases: Mapping[str, Case], measured: Mapping[str, list[Measured]]) -> str:
    """Medians in Markdown, a table a group: its first case is agdb's, and the others are divided by it."""
    lines: list[str] = []
    group, agdb = "", list[Measured]()
    groups = {cases[name].group for name in measured}
    for name, case in cases.items():
        if case.group not in groups:
            continue
        if case.group != group:
            group, agdb = case.group, measured[name]
            lines += ["", f"| {group} | median s | min to max | times agdb | core s | times agdb | MiB | its own |",
                      "|---|---:|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
        done = measured.get(name)
        lines.append(
            row(case.label, done, agdb) if done else f"| {case.label} | {case.needs} is not installed |{' |' * 6}"
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
