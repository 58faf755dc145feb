"""What is measured of a lake: its export, its opening, and an analysis over it by one worker and by two.

As in `scale_cases`, each is the command line in a process of its own. Found by an analysis: results, the sum of their
estimates, and the most memory that a worker has had.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import duckdb

from bench.cases import Case, Place
from bench.scale_cases import agdb

#: What a size's folder holds: the study; its lake; a database that looks at that.
STUDY, LAKE, OPENED = "study.duckdb", "lake", "opened.duckdb"

#: Measures of agreement with intervals, of all and by kind and peak; causality and winner's curse too.
ASKED = ("--labels", "all", "--scorer", "bench", "--stratify", "kind", "--stratify", "peak", "--shifts", 0)

Found = dict[str, float]


def export(place: Place) -> int:
    """Bytes of the lake."""
    folder = place.work / LAKE
    agdb(place.stored, "lake", "export", folder)
    return sum(file.stat().st_size for file in folder.rglob("*.parquet"))


def open_(place: Place) -> int:
    """Bytes of the database."""
    agdb(place.work / OPENED, "lake", "open", place.stored.with_name(LAKE))
    return (place.work / OPENED).stat().st_size


def verify(place: Place) -> int:
    """The same, after every sum was compared."""
    agdb(place.work / OPENED, "lake", "open", place.stored.with_name(LAKE), "--verify")
    return (place.work / OPENED).stat().st_size


def analyse(n: int) -> Callable[[Place], Found]:
    """`agdb analyse` by n processes."""

    def run(place: Place) -> Found:
        path = place.work / OPENED
        shutil.copyfile(place.stored.with_name(OPENED), path)
        told = agdb(path, "analyse", "--lake", place.stored.with_name(LAKE), "--workers", n, *ASKED).stderr
        peaks = [int(text.replace(",", "")) for text in re.findall(r"at most ([\d,]+) MiB", told)]
        return _results(path) | {"worker_mib": max(peaks)}

    return run


def stats(place: Place) -> Found:
    """`agdb stats` of the study, for comparison."""
    path = place.work / STUDY
    shutil.copyfile(place.stored, path)
    agdb(path, "stats", *ASKED)
    return _results(path)


def _results(path: Path) -> Found:
    with duckdb.connect(str(path), read_only=True) as con:
        ((n, total),) = con.execute("SELECT count(*), fsum(estimate) FROM result").fetchall()
    return {"results": n, "estimates": round(total, 9)}


CASES = {
    "lake-export": Case("", "agdb lake export", export),
    "lake-open": Case("", "agdb lake open", open_),
    "lake-verify": Case("", "agdb lake open --verify", verify),
    "lake-analyse-1": Case("", "agdb analyse, 1 worker", analyse(1)),
    "lake-analyse-2": Case("", "agdb analyse, 2 workers", analyse(2)),
    "lake-stats": Case("", "agdb stats of the database", stats),
}
