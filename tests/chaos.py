"""`agdb predict` in processes of its own against the made-up AlphaGenome: what the tests of its faults share."""

import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pytest
from alphagenome.data import genome
from fakes import plain
from fakes.process import Server
from fakes.sequence import snv
from rows import add_qtls, add_source, add_variants
from typer.testing import CliRunner, Result

from agdb import db
from agdb.cli import app
from agdb.errors import ExitCode

#: Tracks of DNASE, and of ATAC, that the made-up server has: so many scores a variant.
TRACKS, ATAC_TRACKS = 8, 2
#: Calls at a time, and the largest batch, in every process that `Study.started` starts.
IN_FLIGHT, BATCH = 8, 100
#: Answers that a killed process may lose: a batch, and what it had given to its threads.
LOST_A_KILL = BATCH + 31 * IN_FLIGHT
#: agdb with small batches and quick retries, so that a few seconds hold as much as hours do.
SMALL = f"""
import functools
from agdb.predict import run
run.Settings = functools.partial(run.Settings, batch_variants={BATCH}, batch_s=0.5, retry_s=0.05)
from agdb.__main__ import main
main()
"""


@dataclass(frozen=True)
class Study:
    """A database of made-up SNVs, each with an association, in a folder of its own."""

    path: Path
    n: int

    def started(self, server: Server, *words: object, scorer: str = "dnase-k562") -> subprocess.Popen[str]:
        """Start `agdb predict` of this study."""
        return started(self.path, *of(server, *words, scorer=scorer))

    def predict(self, server: Server, *words: object, scorer: str = "dnase-k562") -> tuple[int, str]:
        """Run it to its end: exit code and what it said."""
        return ended(self.started(server, *words, scorer=scorer), 240)

    def asked(self, query: str) -> list[tuple[object, ...]]:
        """The answer to a question."""
        with duckdb.connect(str(self.path), read_only=True) as con:
            return con.execute(query).fetchall()

    def count(self, what: str) -> int:
        """The number of rows of a table, or of what follows FROM."""
        return int(str(self.asked(f"SELECT count(*) FROM {what}")[0][0]))

    @property
    def spool(self) -> Path:
        """Where its batches wait."""
        return Path(f"{self.path}.spool")

    @property
    def left(self) -> set[str]:
        """What lies beside the database, and within it in the spool."""
        return {str(p.relative_to(self.path.parent)) for p in self.path.parent.rglob("*")} - {self.path.name}


def study(template: Path, folder: Path, n: int) -> Study:
    """A study of n variants, with slopes of both signs."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "study.duckdb"
    shutil.copyfile(template, path)
    with db.writing(path) as con:
        add_source(con, 1)
        places = [("chr1", 1_000_000 + 40 * i) for i in range(n)]
        ids = add_variants(con, [(chrom, pos, *snv(chrom, pos)) for chrom, pos in places])
        add_qtls(con, 1, ids, [(-1) ** i * (0.1 + i % 7) for i in range(n)])
    return Study(path, n)


def of(server: Server, *words: object, scorer: str = "dnase-k562") -> list[object]:
    """The words of a command that asks a server."""
    return ["predict", scorer, "--window", 16384, "--address", server.address, "--insecure", "--in-flight", IN_FLIGHT,
            *words]  # fmt: skip


def started(path: Path, *words: object, **options: object) -> subprocess.Popen[str]:
    """Start a command of its own; `options` are those of Popen."""
    command = [sys.executable, "-c", SMALL, "--db", str(path), *map(str, words)]
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


def ended(process: subprocess.Popen[str], timeout_s: float = 60) -> tuple[int, str]:
    """Wait for the end of a command: exit code and what it said. A traceback is none of the things it may say."""
    with process:
        try:
            out, said = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            process.kill()
            raise
    assert "Traceback" not in said, said
    assert out == "", out
    return process.returncode, said


def agdb(study: Study, *words: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, ["--db", str(study.path), *map(str, words)])


def until(is_so: Callable[[], bool], timeout_s: float = 30, every_s: float = 0.01) -> bool:
    """Wait until something is so; False if it is not in time."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(every_s)
    return False


def is_whole(study: Study, tracks: Sequence[int] = (TRACKS,)) -> None:
    """Each variant has one answer or one failure, each score stands once and is the server's; the checks pass.

    Args:
        study: The study.
        tracks: Of each computation that was run, the number of its tracks.
    """
    told = "(SELECT computation_id, chrom, pos, ref, alt FROM scored_variant UNION ALL " \
           "SELECT computation_id, chrom, pos, ref, alt FROM failure)"  # fmt: skip
    assert study.count(told) == study.n * len(tracks)
    of_candidates = f"(SELECT DISTINCT * FROM {told} SEMI JOIN candidate USING (chrom, pos, ref, alt))"
    assert study.count(of_candidates) == study.n * len(tracks)
    a_variant = study.asked(
        "SELECT p.n / s.n FROM (SELECT computation_id, count(*) AS n FROM prediction GROUP BY ALL) AS p "
        "JOIN (SELECT computation_id, count(*) AS n FROM scored_variant GROUP BY ALL) AS s USING (computation_id)"
    )
    assert sorted(a_variant) == sorted((n,) for n in tracks)
    keys = "computation_id, chrom, pos, ref, alt, track_id"
    assert study.count(f"(SELECT DISTINCT {keys} FROM prediction)") == study.count("prediction")
    for chrom, pos, ref, alt, score in random.Random(1).sample(study.asked(
        "SELECT chrom::VARCHAR, pos, ref, alt, score FROM score WHERE scorer_id IN "
        "(SELECT scorer_id FROM scorer WHERE name = 'dnase-k562')"
    ), 20):  # fmt: skip
        expected = plain.center_score(genome.Variant(chrom, pos, ref, alt))
        assert score == pytest.approx(expected, rel=1e-5, abs=1e-6)
    checked = agdb(study, "check")
    assert checked.exit_code == ExitCode.OK, checked.output


def calls(server: Server) -> int:
    """Calls for variants that reached the server."""
    return int(server.stats()["calls_by_method"].get("ScoreVariant", 0))


@contextmanager
def small_disk(where: Path, megabytes: float) -> Iterator[Callable[[float], None]]:
    """A file system of so many megabytes; gives what changes their number."""
    where.mkdir()

    def mount(megabytes: float, *options: str) -> bool:
        size = f"{','.join([f'size={int(megabytes * 1024)}k', *options])}"
        command = ["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(where)]
        return subprocess.run(command, capture_output=True, check=False).returncode == 0

    if not mount(megabytes):
        pytest.skip("no right to mount a file system: not run")
    try:
        yield lambda size: None if mount(size, "remount") else pytest.fail("the file system keeps its size")
    finally:
        subprocess.run(["umount", str(where)], check=True)


@contextmanager
def reader(path: Path) -> Iterator[None]:
    """Another process holds the database for reading, now and then, for stretches of random length."""
    code = f"""
import duckdb, random, time
while True:
    try:
        with duckdb.connect({str(path)!r}, read_only=True) as con:
            scores, variants = con.execute(
                "SELECT (SELECT count(*) FROM prediction), (SELECT count(*) FROM scored_variant)").fetchall()[0]
            assert scores == {TRACKS} * variants, (scores, variants)
            time.sleep(random.uniform(0, 1.5))
    except duckdb.IOException as error:
        assert "lock" in str(error), error
    time.sleep(random.uniform(0, 0.5))
"""
    process = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE, text=True)
    try:
        yield
        assert process.poll() is None, process.communicate()[1]
    finally:
        process.kill()
        process.communicate()
