"""How agdb grows: every step of the path at 1, 3, 10 and 30 times the rows, and the exponent of its time.

An exponent of 1 is a time that grows as the rows do; a start that costs the same at every size makes it smaller, which
is why that between the two largest sizes stands beside it. A database is set beside the gz files that made it.
"""

import shutil
from collections.abc import Callable, Mapping, Sequence
from math import log
from pathlib import Path
from statistics import linear_regression, median
from typing import Any, NamedTuple

import duckdb

from bench.cases import Inputs, Place
from bench.data import Sizes, inputs
from bench.rounds import Measure, interleaved
from bench.scale_cases import CASES, SCORES, STUDY, UNSCORED, agdb, peaks, qtl, scores

#: Times the rows of the first: 2.4 M associations, the third, are one tissue of GTEx.
TIMES, ROWS = (1, 3, 10, 30), 240_000
QUICK_TIMES, QUICK_ROWS = (1, 3), 2_000
#: Associations to a peak.
A_PEAK = 12


class Study(NamedTuple):
    """A study of one size: its folder and inputs; what must be found in it, by a case's `agrees`; bytes."""

    home: Path
    inputs: Inputs
    expected: dict[str, int]
    gz_bytes: int
    database_bytes: int


def make(data: Path, rows: int) -> Study:
    """The study of so many associations: inputs, scores and databases made once, and kept."""
    files = Inputs(*(path.resolve() for path in inputs(data, Sizes(rows, rows // A_PEAK, 1, 1))))
    home = (data / f"scale-{rows}").resolve()
    if not home.exists():
        partial = home.with_name(home.name + ".partial")  # renamed when whole
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir()
        _make(files, partial)
        partial.rename(home)
    with files.variants_bed.open("rb") as bed:
        variants = sum(1 for _ in bed)
    expected = {"associations": rows, "peaks": rows // A_PEAK, "variants": variants}
    read = (files.pairs, files.peaks, home / SCORES)
    return Study(home, files, expected, sum(f.stat().st_size for f in read), (home / STUDY).stat().st_size)


def _make(files: Inputs, home: Path) -> None:
    place = Place(files, home / STUDY, home)
    with duckdb.connect() as con:
        con.execute(
            f"COPY (SELECT column3 AS variant_id, round(hash(column3) % 2000001 / 1e6 - 1, 6) AS score FROM "
            f"read_csv('{files.variants_bed}', delim = '\t', header = false)) TO '{home / SCORES}'"
        )
    agdb(home / UNSCORED, "init")
    agdb(home / UNSCORED, *qtl(place))
    shutil.copyfile(home / UNSCORED, home / STUDY)
    agdb(home / STUDY, *scores(place))
    agdb(home / STUDY, *peaks(place))


def measured(n: int, data: Path, measure: Measure, *, quick: bool) -> dict[int, Any]:
    """n measurements of every step at every size (one at the largest), and the bytes of each size.

    Returns:
        By number of associations: gz_bytes, database_bytes, steps (what each measured, by its case).
    """
    found = {}
    sizes = [times * QUICK_ROWS for times in QUICK_TIMES] if quick else [times * ROWS for times in TIMES]
    for rows in sizes:
        study = make(data, rows)
        n_rounds = n if rows < sizes[-1] else 1  # it takes longer than all others together
        taken = interleaved(n_rounds, CASES, CASES, _given(study), measure, study.expected)
        found[rows] = {"gz_bytes": study.gz_bytes, "database_bytes": study.database_bytes, "steps": taken}
    return found


def _given(study: Study) -> Callable[[str], list[str]]:
    """The arguments of every case."""
    return lambda _: ["--stored", str(study.home / STUDY), "--inputs", *map(str, study.inputs)]


def exponent(rows: Sequence[int], seconds: Sequence[float]) -> float:
    """Slope of log time on log rows, by least squares: 1 where the time grows as the rows do."""
    return linear_regression([log(n) for n in rows], [log(s) for s in seconds]).slope


def table(found: Mapping[int, Mapping[str, Any]]) -> str:
    """Medians in Markdown, a step a row: seconds and MiB at each size, and how the time grows."""
    rows = list(found)
    sizes = " | ".join(f"{n:,}" for n in rows)
    lines = [
        f"| seconds at so many associations | {sizes} | exponent | of the last step | MiB at the most |",
        f"|---|{'---:|' * (len(rows) + 3)}",
    ]
    for name, case in CASES.items():
        of = [found[n]["steps"][name] for n in rows]
        seconds = [median(m["seconds"] for m in each) for each in of]
        peak = " / ".join(f"{max(m['peak_mib'] for m in each):,.0f}" for each in of)
        grows = f"{exponent(rows, seconds):.2f} | {exponent(rows[-2:], seconds[-2:]):.2f}"
        lines.append(f"| {case.label} | {' | '.join(f'{s:.2f}' for s in seconds)} | {grows} | {peak} |")
    gz, stored = ([found[n][key] / 2**20 for n in rows] for key in ("gz_bytes", "database_bytes"))
    for what, mib in (("the gz files, MiB", gz), ("the database, MiB", stored)):
        lines.append(f"| {what} | {' | '.join(f'{m:,.1f}' for m in mib)} | {exponent(rows, mib):.2f} "
                     f"| {exponent(rows[-2:], mib[-2:]):.2f} | |")  # fmt: skip
    return "\n".join([*lines, ""])
