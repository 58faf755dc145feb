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
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from bench import (
    figure,
    lake,
    lake_cases,
    overlap,
    overlap_cases,
    predict,
    predict_cases,
    ray_cases,
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
#: Everything measured, by what it is of; and the report in Markdown.
Report = tuple[dict[str, Any], str]
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


def peers(groups: Sequence[str], sizes: Sizes, n: int, data: Path, out: Path) -> Report:
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


def overlaps(n: int, data: Path, out: Path, *, quick: bool) -> Report:
    """The overlap at each size: everything measured, and the report."""
    sizes = QUICK if quick else FULL
    home = (data / f"overlap-{sizes.pairs}-{sizes.peaks}-{sizes.many_peaks}").resolve()
    say("inputs of the overlap: made once, kept")
    overlap.make(home, Inputs(*(path.resolve() for path in inputs(data, sizes))), [*SIZES, *SHAPES])
    measure = fresh(overlap_cases.CASES, out)
    measured = overlap.measured(n, home, SIZES[:2], measure)
    measured |= overlap.measured(1, home, [SIZES[2], *SHAPES], measure)  # bedtools alone takes minutes
    told = "A hundredth of the rows that the titles say. " if quick else ""
    told += f"Rounds: {n}, of {SIZES[2]} and of the shapes 1. {ANSWERS}"
    return {"overlap": measured}, f"{told}\n{rounds.table(overlap_cases.CASES, measured)}"


def sequences(n: int, data: Path, out: Path, *, quick: bool) -> Report:
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
    told += f"Rounds: {n}. "
    return {"sequences": measured}, f"{told}{ANSWERS}\n{rounds.table(cases, measured)}"


def statistics(n: int, data: Path, out: Path, *, quick: bool) -> Report:
    """`agdb stats` at each size: everything measured, and the report."""
    of_sizes = {pairs: stats.measured(pairs, n, data, out) for pairs in (stats.QUICK if quick else stats.SIZES)}
    measured = {str(pairs): taken for pairs, (taken, _) in of_sizes.items()}
    return {"stats": measured}, "\n".join(text for _, text in of_sizes.values())


def growth(n: int, data: Path, out: Path, *, quick: bool) -> Report:
    """Every step at four sizes of a study: everything measured, and the report."""
    measured = scale.measured(n, data, fresh(scale_cases.CASES, out), quick=quick)
    return {"scale": measured}, f"Rounds: {n}, at the largest size 1.\n\n{scale.table(measured)}"


def lakes(n: int, data: Path, out: Path, *, quick: bool) -> Report:
    """A study of 49 tissues as a lake, and analysed by workers: everything measured, and the report."""
    measured = lake.measured(n, data, fresh(lake_cases.CASES, out), quick=quick)
    return {"lake": measured}, f"Rounds: {n}, at the largest size 1.\n\n{lake.table(measured)}"


def prediction(n: int, data: Path, out: Path, *, quick: bool) -> Report:
    """Predict against a made-up server: everything measured, and the report."""
    del data  # it makes its own
    measured = predict.measured(n, quick=quick, out=out.resolve(), measure=fresh(predict_cases.CASES, out))
    return {"predict": measured}, predict.table(measured)


def clusters(n: int, data: Path, out: Path, *, quick: bool) -> Report:
    """Predict by the workers of a cluster: everything measured, and the report."""
    del data  # it makes its own
    measured = ray_cases.measured(n, quick=quick, out=out.resolve())
    return {"ray": measured}, ray_cases.table(measured)


#: What measures a group, and in how many rounds where nothing is said: so that all of it ends in 40 minutes.
MEASURES: dict[str, tuple[int, Callable[..., Report]]] = {
    "overlap": (3, overlaps), "sequences": (2, sequences), "stats": (2, statistics), "scale": (2, growth),
    "predict": (1, prediction), "ray": (1, clusters), "lake": (1, lakes),
}  # fmt: skip
#: What can be asked for.
GROUPS = ("ingest", "gz", *MEASURES)


def parts(args: argparse.Namespace) -> Iterator[tuple[str, int, Callable[[int], Report]]]:
    """What is measured, by its name, with its rounds: ingest and gz share their inputs, and are one."""
    if groups := [group for group in args.what if group not in MEASURES]:
        sizes = QUICK if args.quick else FULL
        if args.tissues:
            sizes = sizes._replace(tissues=args.tissues, pairs=sizes.pairs if args.quick else A_TISSUE)
        yield "ingest", 3, lambda n: peers(groups, sizes, n, args.data, args.out)
    for group, (n, measure) in MEASURES.items():
        if group in args.what:
            yield group, n, partial(measure, data=args.data, out=args.out, quick=args.quick)


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    """What is asked for on the command line; where no group is named all but lake."""
    parser = argparse.ArgumentParser(prog="python -m bench.run", description=__doc__)
    parser.add_argument("what", nargs="*", metavar="GROUP", help=f"of {', '.join(GROUPS)}")
    parser.add_argument("--quick", action="store_true", help="little of everything, one round: does it run? No claims.")
    parser.add_argument("--rounds", type=int, help="measurements of each case, in place of 1 to 3 by their length")
    parser.add_argument(
        "--tissues", type=int, default=0, help=f"ingest so many files of {A_TISSUE:,} rows too (49: an hour, 10 GB)"
    )
    parser.add_argument("--data", type=Path, default=HERE / "data", help="where the made inputs are kept")
    parser.add_argument("--out", type=Path, default=HERE / "out", help="where bench.json, bench.md and bench.png go")
    args = parser.parse_args(given)
    if unknown := set(args.what) - set(GROUPS):  # not by choices, which refuse that nothing is named
        parser.error(f"no group {min(unknown)!r}: one of {', '.join(GROUPS)}")
    args.what = args.what or [group for group in GROUPS if group != "lake"]  # it takes an hour, and a minute in small
    return args


def main() -> None:
    """Entry of `python -m bench.run`."""
    args = arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    took: dict[str, int] = {}
    reports, failed = [], []
    for name, n, measure in parts(args):
        start = time.perf_counter()
        try:
            facts, report = measure(args.rounds or (1 if args.quick else n))
        except SystemExit as wrong:  # an answer was: the other groups are measured yet, and this one shows nothing
            facts, report = {}, f"{name}: NOT shown. {wrong}\n"
            failed.append(name)
            say(report)
        took[name] = round(time.perf_counter() - start)
        say(f"{name}: {took[name]:,} s in all")
        found |= facts
        reports.append(report)
        (args.out / "bench.json").write_text(json.dumps(found | {"took_s": took}, indent=1) + "\n")
        (args.out / "bench.md").write_text("\n".join(reports))
    figure.write(found, args.out / "bench.png")
    print("\n".join(reports), end="")
    if failed:
        raise SystemExit(f"{', '.join(failed)} failed: see above")


if __name__ == "__main__":
    main()
