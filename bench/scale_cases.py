"""What is measured as a study grows: each step of the path as its command line, on studies of ever more of the same.

As in `cases`, each runs in a fresh process, and the command in one more, so that its start (0.2 s) is part of its time
and its memory is its own. Found: the rows that the command says it has read or written, which are known before.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from bench.cases import Case, Place

#: What a size's folder holds besides the inputs: scores of all variants; associations alone; the whole study.
SCORES, UNSCORED, STUDY = "scores.csv.gz", "unscored.duckdb", "study.duckdb"

KEY = "assembly, chrom, pos, ref, alt"
IN_A_PEAK = f"SELECT count(*) FROM qtl SEMI JOIN variant_in_peak USING ({KEY})"
#: The rows that a command tells of, on stderr.
_TOLD = re.compile(r"([\d,]+) (?:of [\d,]+ )?(?:rows|peaks)\b")

Words = Callable[[Place], list[object]]


def agdb(db: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Run a command of agdb on a database.

    Raises:
        SystemExit: it failed; what it said.
    """
    command = [sys.executable, "-m", "agdb", "--db", str(db), *map(str, words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")
    return done


def qtl(place: Place) -> list[object]:
    """The associations of a tissue."""
    return ["ingest", "gtex", "--quiet", "--tissue", "Whole_Blood", place.inputs.pairs]


def peaks(place: Place) -> list[object]:
    """The peaks."""
    return ["ingest", "peaks", "--quiet", "--biosample", "K562", "--assembly", "GRCh38", place.inputs.peaks]


def scores(place: Place) -> list[object]:
    """A score of every variant."""
    return [
        "ingest", "predictions", "--quiet", "--map", "variant_id=variant_id,score=score", "--assembly", "GRCh38",
        "--scorer", "scale", "--window", 501, place.stored.with_name(SCORES),
    ]  # fmt: skip


def stats(_: Place) -> list[object]:
    """The measures of agreement, with intervals, of all and by kind and peak; causality and winner's curse too."""
    return ["stats", "--labels", "all", "--stratify", "kind", "--stratify", "peak", "--shifts", 0]


def _new(place: Place) -> None:
    agdb(place.work / "new.duckdb", "init")


def _copy(name: str) -> Callable[[Place], None]:
    def copy(place: Place) -> None:
        shutil.copyfile(place.stored.with_name(name), place.work / "new.duckdb")

    return copy


def _writing(words: Words) -> Callable[[Place], int | None]:
    def run(place: Place) -> int | None:
        """A command that writes into the database in the folder of its own."""
        told = _TOLD.search(agdb(place.work / "new.duckdb", *words(place)).stderr)
        return int(told[1].replace(",", "")) if told else None

    return run


def _export(name: str) -> Callable[[Place], int]:
    def run(place: Place) -> int:
        """All associations, sorted, to a file."""
        (told,) = _TOLD.findall(agdb(place.stored, "export", "qtl", "-o", place.work / name).stderr)
        return int(told.replace(",", ""))

    return run


def overlap(place: Place) -> int:
    """How many associations lie in a peak."""
    return int(agdb(place.stored, "sql", IN_A_PEAK, "--format", "csv").stdout.split()[1])


CASES = {
    "scale-qtl": Case("", "ingest gtex", _writing(qtl), _new, "associations"),
    "scale-peaks": Case("", "ingest peaks", _writing(peaks), _new, "peaks"),
    "scale-scores": Case("", "ingest predictions", _writing(scores), _copy(UNSCORED), "variants"),
    "scale-overlap": Case("", "sql: associations in a peak", overlap),
    "scale-stats": Case("", "stats: by kind and peak, with intervals", _writing(stats), _copy(STUDY)),
    "scale-csv": Case("", "export qtl -o qtl.csv.gz, sorted", _export("qtl.csv.gz"), None, "associations"),
    "scale-parquet": Case("", "export qtl -o qtl.parquet, sorted", _export("qtl.parquet"), None, "associations"),
}
