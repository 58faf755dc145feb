"""An ingest that is killed, interrupted, runs out of disk or meets another one: nothing is lost, nothing is left.

CI kills a few times; `AGDB_FUZZ=100 python -m pytest tests/test_ingest_faults.py` kills 100 times each way.
"""

import math
import os
import pty
import random
import re
import resource
import select
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import duckdb
import make
import pytest
from typer.testing import CliRunner, Result

from agdb.cli import app
from agdb.errors import ExitCode

#: Rows of the file that takes a while.
N, KEPT = 60_000, "60,000 of 60,000 rows kept"
ROUNDS = int(os.environ.get("AGDB_FUZZ", "0")) or 3
Content = dict[str, tuple[object, ...]]


def agdb(study: Path, *words: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, ["--db", str(study), *map(str, words)])


def started(study: Path, *words: object, preexec: Callable[[], None] | None = None) -> subprocess.Popen[str]:
    """Start a command of its own."""
    command = [sys.executable, "-m", "agdb", "--db", str(study), *map(str, words)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=preexec)


def asked(study: Path, query: str) -> list[tuple[object, ...]]:
    """The answer to a question."""
    with duckdb.connect(str(study), read_only=True) as con:
        return con.execute(query).fetchall()


def content(study: Path) -> Content:
    """What a database holds, but for when it came: how many rows of each table, and a hash of them all."""
    names = asked(study, "SELECT table_name FROM duckdb_tables() WHERE table_name <> 'run'")
    return {str(n): asked(study, f"SELECT count(*), bit_xor(hash(t)) FROM {n} AS t")[0] for (n,) in names}


def pairs(n: int, first: int = 0) -> bytes:
    """n associations of a GTEx pairs file, made quickly: one variant each."""
    slopes = [(-1) ** i * (0.1 + 0.0002 * i) for i in range(1000)]
    rests = [f"-9\t20\t21\t0.1\t{math.erfc(abs(b) * 20 / 2**0.5)}\t{b}\t0.05\t0.5\t0\t0.001\n" for b in slopes]
    rows = (f"chr{1 + i % 20}_{10 + i}_A_C_b38\tENSG{i // 9:011}.1\t{rests[i % 1000]}" for i in range(first, first + n))
    return ("\t".join(make.PAIRS) + "\n" + "".join(rows)).encode()


class Work(NamedTuple):
    """A database that holds something, a file that takes a while, and what the database holds before and after."""

    study: Path
    file: Path
    before: Content
    after: Content
    seconds: float

    @property
    def words(self) -> list[object]:
        return ["ingest", "gtex", "--tissue", "Liver", self.file]


@pytest.fixture(scope="module")
def work(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Work:
    folder = tmp_path_factory.mktemp("work")
    study = folder / "study.duckdb"
    shutil.copyfile(template_db, study)
    good = make.write(folder / "good.txt", make.table(make.pairs_rows(30)))
    assert agdb(study, "ingest", "gtex", "--tissue", "Lung", good).exit_code == 0
    before = content(study)
    done = folder / "done.duckdb"
    shutil.copyfile(study, done)
    file = make.write(folder / "big.txt.gz", pairs(N))
    since = time.monotonic()
    with started(done, "ingest", "gtex", "--tissue", "Liver", file) as process:
        assert KEPT in process.communicate()[1]
    return Work(study, file, before, content(done), time.monotonic() - since)


@pytest.fixture
def fresh(work: Work, tmp_path: Path) -> Path:
    """A copy of the database in a folder of its own."""
    path = tmp_path / "db" / "study.duckdb"
    path.parent.mkdir()
    shutil.copyfile(work.study, path)
    return path


def left(study: Path) -> set[str]:
    """What lies beside the database."""
    return {p.name for p in study.parent.iterdir()} - {study.name}


# --- killed and interrupted ---


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_an_ingest_that_ends_at_any_moment_is_there_wholly_or_not_at_all(
    work: Work, tmp_path: Path, how: signal.Signals
) -> None:
    chance, ends = random.Random(None if ROUNDS > 3 else 7), Counter[str]()
    for i in range(ROUNDS):
        study = tmp_path / str(i) / "study.duckdb"
        study.parent.mkdir()
        shutil.copyfile(work.study, study)
        with started(study, *work.words) as process:
            time.sleep(chance.uniform(0.5, max(work.seconds, 1.0)))
            process.send_signal(how)
            since = time.monotonic()
            _, said = process.communicate(timeout=20)
        assert "Traceback" not in said
        if how == signal.SIGINT:
            assert time.monotonic() - since < 5
            # before Python has a handler of its own, and after, the signal itself ends the process
            assert process.returncode in (ExitCode.INTERRUPTED, ExitCode.OK, -signal.SIGINT)
            is_outside = process.returncode == -signal.SIGINT and (not said or KEPT in said)
            assert process.returncode == ExitCode.OK or "interrupted: " in said or is_outside
            assert left(study) == set()
        is_there = content(study) != work.before
        ends["there" if is_there else "not there"] += 1
        assert content(study) == (work.after if is_there else work.before)
        assert agdb(study, "check").exit_code == ExitCode.OK
        again = agdb(study, *work.words)
        assert again.exit_code == ExitCode.OK, again.stderr
        assert content(study) == work.after
        assert left(study) == set()
        shutil.rmtree(study.parent)
    print(how.name, dict(ends))


def test_an_ingest_that_waits_for_a_pipe_can_be_interrupted(work: Work, fresh: Path, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with started(fresh, "ingest", "gtex", "--tissue", "Liver", tmp_path / "pipe") as process:
        with (tmp_path / "pipe").open("wb") as pipe:
            pipe.write(pairs(20_000))
            pipe.flush()
            time.sleep(1)
            process.send_signal(signal.SIGINT)
            since = time.monotonic()
            _, said = process.communicate(timeout=20)
        assert time.monotonic() - since < 5
    assert (process.returncode, said.count("\n")) == (ExitCode.INTERRUPTED, 1)
    assert said.startswith("interrupted: ")
    assert content(fresh) == work.before


# --- the disk is full ---


@contextmanager
def small_disk(megabytes: float, where: Path) -> Iterator[Path]:
    """A file system of so many megabytes."""
    where.mkdir()
    size = f"size={int(megabytes * 1024)}k"
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", str(where)], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("no right to mount a file system: not run")
    try:
        yield where
    finally:
        subprocess.run(["umount", str(where)], check=True)


@pytest.mark.parametrize("megabytes", [0.5, 5, 7] if ROUNDS == 3 else [0.25 * i for i in range(1, 60)])
def test_a_full_disk_is_one_clear_error_and_the_database_is_as_before(
    work: Work, tmp_path: Path, megabytes: float
) -> None:
    with small_disk(megabytes + work.study.stat().st_size / (1 << 20), tmp_path / "small") as folder:
        study = folder / "study.duckdb"
        shutil.copyfile(work.study, study)
        with started(study, *work.words) as process:
            _, said = process.communicate(timeout=60)
        assert "Traceback" not in said
        if process.returncode == ExitCode.OK:  # it was large enough
            assert content(study) == work.after
            return
        assert process.returncode == ExitCode.REFUSED
        assert said.splitlines()[0] == "error: the disk is full"
        assert [line[:9] for line in said.splitlines()[1:]] == ["  where: ", "  cure:  "]
        assert content(study) == work.before
        assert left(study) <= {"study.duckdb.wal"}
        small = make.write(tmp_path / "small.txt", make.table(make.pairs_rows(9)))
        assert agdb(study, "ingest", "gtex", "--tissue", "Testis", small).exit_code == ExitCode.OK
        assert left(study) <= {"study.duckdb.wal"}  # until there is room to fold it in


@pytest.mark.parametrize("megabytes", [1.5, 4, 8])
def test_a_file_that_may_not_grow_is_one_clear_error(work: Work, fresh: Path, megabytes: float) -> None:
    limit = int(megabytes * (1 << 20))
    with started(
        fresh, *work.words, preexec=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    ) as process:
        _, said = process.communicate(timeout=60)
    assert process.returncode == ExitCode.REFUSED, said
    assert said.splitlines()[0] == "error: the disk is full"
    assert content(fresh) == work.before
    assert agdb(fresh, *work.words).exit_code == ExitCode.OK
    assert content(fresh) == work.after


@pytest.mark.parametrize("memory", ["5MB", "15MB"])
def test_too_little_memory_is_one_clear_error(
    work: Work, fresh: Path, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    monkeypatch.setenv("AGDB_MEMORY", memory)
    done = agdb(fresh, *work.words)
    assert done.exit_code == ExitCode.REFUSED
    assert done.stderr.startswith("error: memory is short: ")
    assert "  cure:  set AGDB_MEMORY to more than it was" in done.stderr
    assert content(fresh) == work.before
    assert left(fresh) == set()


@pytest.mark.parametrize("memory", ["nonsense", "10XB"])
def test_an_amount_of_memory_that_is_none_is_a_wrong_use(
    fresh: Path, monkeypatch: pytest.MonkeyPatch, memory: str
) -> None:
    monkeypatch.setenv("AGDB_MEMORY", memory)
    done = agdb(fresh, "status")
    assert done.exit_code == ExitCode.USAGE
    assert done.stderr.startswith(f"error: '{memory}' is no amount of memory\n")


# --- two at once ---


def test_of_two_ingests_at_once_none_is_lost(work: Work, fresh: Path, tmp_path: Path) -> None:
    files = {tissue: make.write(tmp_path / f"{tissue}.txt.gz", pairs(20_000, i)) for i, tissue in enumerate("ABC")}
    running = {t: started(fresh, "ingest", "gtex", "--tissue", t, file) for t, file in files.items()}
    ends = {}
    for tissue, process in running.items():
        with process:
            ends[tissue] = (process.communicate(timeout=60)[1], process.returncode)
    for said, code in ends.values():
        assert "Traceback" not in said
        assert code == ExitCode.OK or (code == ExitCode.BUSY and "the database is held by " in said)
    there = {str(tissue) for (tissue,) in asked(fresh, "SELECT tissue FROM source")}
    assert there == {"Lung", *(t for t, (_, code) in ends.items() if code == ExitCode.OK)}
    assert len(there) > 1
    for tissue, file in files.items():
        assert agdb(fresh, "ingest", "gtex", "--tissue", tissue, file).exit_code == ExitCode.OK
    assert asked(fresh, "SELECT count(*) FROM qtl") == [(60_030,)]
    assert agdb(fresh, "check").exit_code == ExitCode.OK


def test_a_question_while_a_file_is_being_read_waits_or_says_who_holds_the_database(work: Work, fresh: Path) -> None:
    with started(fresh, *work.words) as process:
        time.sleep(0.7)
        answer = agdb(fresh, "sql", "SELECT count(*) FROM source")
        process.communicate(timeout=60)
    assert answer.exit_code in (ExitCode.OK, ExitCode.BUSY)
    assert answer.exit_code == ExitCode.OK or f"(PID {process.pid})" in answer.stderr
    assert content(fresh) == work.after


# --- the bar ---


def on_a_terminal(study: Path, *words: object) -> str:
    """What a command says on a terminal of 100 columns, where a file comes in chunks of 100 kB."""
    ours, theirs = pty.openpty()
    code = "from agdb.ingest import text; text.CHUNK_BYTES = 100_000; from agdb.__main__ import main; main()"
    command = [sys.executable, "-c", code, "--db", str(study), *map(str, words)]
    env = {**os.environ, "TERM": "xterm", "COLUMNS": "100"}
    with subprocess.Popen(command, stderr=theirs, stdout=subprocess.DEVNULL, env=env) as process:
        os.close(theirs)
        said = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                said += os.read(ours, 65536)
            except OSError:  # the other end is closed
                break
        assert process.wait() == ExitCode.OK
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", said.decode())


def test_a_terminal_shows_name_rate_and_time_and_quiet_does_not(work: Work, fresh: Path) -> None:
    shown = on_a_terminal(fresh, *work.words)
    assert re.search(r"big\.txt\.gz .* [0-9.]+/[0-9.]+ [kM]B +[0-9.]+ [kM]B/s +[0-9]+:[0-9]{2}:[0-9]{2}", shown)
    assert KEPT in shown
    again = on_a_terminal(fresh, *work.words, "--quiet").strip()
    assert again == "big.txt.gz: is source 2 already (60,000 rows); nothing to do"


def test_what_is_no_terminal_shows_no_bar(work: Work, fresh: Path) -> None:
    with started(fresh, *work.words) as process:
        out, said = process.communicate()
    assert (out, said) == ("", "big.txt.gz: source 2, 60,000 of 60,000 rows kept\n")
