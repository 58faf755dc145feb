"""A prediction run that is killed, interrupted, shut out or cut off from its server: nothing is lost, nothing is left.

The suite kills a few times; `AGDB_CHAOS_ROUNDS=100 python -m pytest tests/test_predict_chaos.py` kills 100 times.
"""

import os
import random
import resource
import shutil
import signal
import socket
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path

import duckdb
import pytest
from chaos import (
    ATAC_TRACKS,
    IN_FLIGHT,
    LOST_A_KILL,
    TRACKS,
    Study,
    agdb,
    calls,
    ended,
    is_whole,
    of,
    reader,
    small_disk,
    started,
    study,
    until,
)
from fakes.faults import Fault, Plan, flaky, poisoned
from fakes.process import Server

from agdb.errors import ExitCode

ROUNDS = int(os.environ.get("AGDB_CHAOS_ROUNDS", "0")) or 4
#: What goes wrong besides: 1 % of the variants are refused, and 3 % of the calls fail one way or another.
FAULTS = (poisoned(0.01), flaky(0.01), flaky(0.01, "INTERNAL"), flaky(0.01, kind="drop"))
ROUGH = Plan(latency_ms=12, jitter_ms=12, faults=FAULTS)


@pytest.fixture(scope="module")
def of_all() -> Iterator[Server]:
    with Server() as running:
        yield running


@pytest.fixture
def server(of_all: Server) -> Server:
    """A server where nothing goes wrong and nothing has been counted."""
    of_all.set_plan(Plan(latency_ms=10))
    of_all.reset()
    return of_all


# --- killed ---


def anywhen(work: Study, log: Path, chance: random.Random) -> None:
    """From before the imports until amid the calls."""
    time.sleep(chance.uniform(0, 4))


def amid_calls(work: Study, log: Path, chance: random.Random) -> None:
    """Some time after the first call."""
    until(lambda: log.exists() and '"start"' in log.read_text())
    time.sleep(chance.uniform(0, 2))


def at_a_batch(work: Study, log: Path, chance: random.Random) -> None:
    """While a batch is written, or between that and the merge."""
    until(lambda: any(work.spool.glob("*/.*.part")) or any(work.spool.glob("*/batch-*")), 10, 0.0005)
    time.sleep(chance.choice([0, 0, chance.uniform(0, 0.05)]))


def in_a_merge(work: Study, log: Path, chance: random.Random) -> None:
    """While the database is written to."""
    wal = Path(f"{work.path}.wal")
    until(lambda: wal.exists() and wal.stat().st_size > 0, 10, 0.0005)
    time.sleep(chance.choice([0, 0, chance.uniform(0, 0.05)]))


MOMENTS: list[Callable[[Study, Path, random.Random], None]] = [anywhen, amid_calls, at_a_batch, in_a_merge]


@pytest.mark.parametrize(
    "is_read", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["alone", "beside a reader"]
)
def test_a_run_that_is_killed_at_any_moment_loses_a_batch_at_most(
    server: Server, template_db: Path, tmp_path: Path, is_read: bool
) -> None:
    server.set_plan(ROUGH)
    work, chance = study(template_db, tmp_path / "db", 250 * ROUNDS), random.Random(None if ROUNDS > 4 else 7)
    ends, log = Counter[str](), tmp_path / "log.jsonl"
    with reader(work.path) if is_read else nullcontext():
        for i in range(ROUNDS):
            log.unlink(missing_ok=True)
            moment = MOMENTS[i % len(MOMENTS)]
            with work.started(server, "--log", log) as process:
                moment(work, log, chance)
                process.kill()
                _, said = process.communicate()
            ends[f"{moment.__name__}: {'killed' if process.returncode == -signal.SIGKILL else 'done'}"] += 1
            assert process.returncode in (-signal.SIGKILL, ExitCode.OK), said
        code, said = work.predict(server)
    assert code == ExitCode.OK, said
    is_whole(work)
    assert work.left == set()
    stats = server.stats()
    made, failed = calls(server), sum(stats["by_code"].get(code, 0) for code in ("UNAVAILABLE", "INTERNAL"))
    kills = sum(n for end, n in ends.items() if "killed" in end)
    print(f"{dict(ends)}; {work.n} variants, {made} calls, {failed} of them failed on purpose; lost by each kill: "
          f"{(made - failed - work.n) / max(1, kills):.1f} answers")  # fmt: skip
    assert work.n <= made - failed <= work.n + LOST_A_KILL * kills
    assert work.predict(server)[0] == ExitCode.OK
    assert calls(server) == made


# --- several at once ---


def test_a_second_run_of_the_same_scores_is_refused_and_does_not_disturb_the_first(
    server: Server, template_db: Path, tmp_path: Path
) -> None:
    work = study(template_db, tmp_path / "db", 800)
    first = work.started(server)
    assert until(lambda: calls(server) > 0)
    code, said = work.predict(server)
    assert first.poll() is None, "the first run was to outlast the second"
    assert code == ExitCode.REFUSED
    assert "another agdb predict of the same scores is running" in said
    assert ended(first)[0] == ExitCode.OK
    is_whole(work)
    assert calls(server) == work.n
    assert work.left == set()


def test_runs_of_different_scorers_share_a_database(server: Server, template_db: Path, tmp_path: Path) -> None:
    work = study(template_db, tmp_path / "db", 500)
    both = [work.started(server, scorer=scorer) for scorer in ("dnase-k562", "atac-k562")]
    assert [ended(process)[0] for process in both] == [ExitCode.OK, ExitCode.OK]
    is_whole(work, tracks=(TRACKS, ATAC_TRACKS))
    assert calls(server) == 2 * work.n
    assert work.left == set()


def test_shards_in_several_processes_make_up_the_whole_when_they_are_merged(
    server: Server, template_db: Path, tmp_path: Path
) -> None:
    work, out, variants = study(template_db, tmp_path / "db", 500), tmp_path / "out", tmp_path / "variants.parquet"
    assert work.predict(server, "--worklist", variants)[0] == ExitCode.OK
    shards = [
        started(tmp_path / "none.duckdb", *of(server, "--variants", variants, "--shard", f"{i}/3", "--out", out))
        for i in (1, 2, 3)
    ]
    assert [ended(process)[0] for process in shards] == [ExitCode.OK] * 3
    assert work.count("scored_variant") == 0
    merged = agdb(work, "merge", out)
    assert "500 variants scored" in merged.stderr
    is_whole(work)
    assert calls(server) == work.n
    assert {file.name.partition("-")[0] for file in out.rglob("*") if file.is_file()} == {"agdb", "batch"}
    assert work.left == set()


# --- the disk is full ---


@pytest.mark.slow
def test_a_full_disk_is_one_clear_error_and_nothing_that_was_written_is_asked_for_again(
    server: Server, template_db: Path, tmp_path: Path
) -> None:
    seen = Counter[str]()
    with small_disk(tmp_path / "small", 64) as resize:
        for i in range(max(2, ROUNDS // 4)):
            server.reset()
            work = study(template_db, tmp_path / "small" / str(i), 600)
            log = tmp_path / "small" / "log.jsonl" if i % 2 else tmp_path / "log.jsonl"
            resize(work.path.stat().st_size / 2**20 + 0.02 + 0.1 * i)
            code, said = work.predict(server, "--log", log)
            seen[ExitCode(code).name] += 1
            if code == ExitCode.REFUSED:
                assert said.count("error: ") == 1
                assert "the disk is full" in said or "No space left on device" in said, said
                assert [line[:9] for line in said.splitlines()[-2:]] == ["  where: ", "  cure:  "]
            before = server.stats(variants=True)["calls_by_variant"]
            resize(64)
            written = written_of(work)
            code, said = work.predict(server)
            assert code == ExitCode.OK, said
            is_whole(work)
            assert work.left == set()
            after = server.stats(variants=True)["calls_by_variant"]
            assert all(after[variant] == before[variant] for variant in written)
            shutil.rmtree(work.path.parent)
    print(dict(seen))


def written_of(work: Study) -> set[str]:
    """Variants in the database and in the batches beside it, as the server writes them."""
    rows = work.asked("SELECT chrom::VARCHAR, pos, ref, alt FROM scored_variant")
    for batch in work.spool.glob("**/batch-*.parquet"):
        rows += duckdb.execute("SELECT chrom, pos, ref, alt FROM read_parquet(?)", [str(batch)]).fetchall()
    return {f"{chrom}:{pos}:{ref}>{alt}" for chrom, pos, ref, alt in rows}


def test_a_database_that_may_not_grow_is_one_clear_error(server: Server, template_db: Path, tmp_path: Path) -> None:
    work = study(template_db, tmp_path / "db", 600)
    limit = 100_000  # bytes of any file: less than the scores of all variants, more than a batch of them
    words = of(server)
    process = started(work.path, *words, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    code, said = ended(process)
    assert (code, said.count("error: the disk is full")) == (ExitCode.REFUSED, 1), said
    assert work.predict(server)[0] == ExitCode.OK
    is_whole(work)


# --- the server goes away ---


def test_a_run_outlives_its_server(server: Server, template_db: Path, tmp_path: Path) -> None:
    work = study(template_db, tmp_path / "db", 600)
    process = work.started(server)
    assert until(lambda: calls(server) > 200)
    server.kill()
    time.sleep(1.5)
    server.restart()
    code, said = ended(process)
    assert code == ExitCode.OK, said
    assert "600 variants scored, 0 failed with a reason" in said
    is_whole(work)


# --- interrupted ---


@pytest.mark.parametrize(
    "how", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)], ids=["SIGINT", "SIGTERM"]
)
def test_an_interruption_amid_calls_that_hang_keeps_all_answers_and_says_how_to_go_on(
    server: Server, template_db: Path, tmp_path: Path, how: signal.Signals
) -> None:
    server.set_plan(Plan(latency_ms=10, faults=(Fault(kind="hang", share=0.03),)))
    work = study(template_db, tmp_path / "db", 1000)
    process = work.started(server, "--log", tmp_path / "log.jsonl")
    assert until(lambda: server.stats()["in_flight"] == IN_FLIGHT and is_quiet(server))
    since = time.monotonic()
    process.send_signal(how)
    code, said = ended(process)
    assert time.monotonic() - since < 5
    assert code == ExitCode.INTERRUPTED
    assert said.splitlines()[-1] == "interrupted: what was finished is kept; the same command goes on from there"
    answered = server.stats()["by_code"]["OK"] - 1  # one call asked for the tracks
    assert answered > 0
    assert work.count("scored_variant") == answered
    assert work.left == set()
    assert work.asked("SELECT status FROM run") == [("interrupted",)]
    server.set_plan(Plan(latency_ms=10))
    assert work.predict(server)[0] == ExitCode.OK
    is_whole(work)


def is_quiet(server: Server) -> bool:
    """Whether no call comes for a while: those that there are hang."""
    before = calls(server)
    time.sleep(0.3)
    return calls(server) == before


@pytest.mark.slow
def test_an_interruption_at_any_moment_ends_the_run_and_loses_no_answer(
    server: Server, template_db: Path, tmp_path: Path
) -> None:
    server.set_plan(Plan(latency_ms=40))
    rounds = max(3, ROUNDS // 4)  # one of each moment, at least
    work, chance, log = study(template_db, tmp_path / "db", 500 * rounds), random.Random(7), tmp_path / "log.jsonl"
    for i in range(rounds):
        log.unlink(missing_ok=True)
        process = work.started(server, "--log", log)
        assert until(lambda: calls(server) > 0 and log.exists())
        MOMENTS[1 + i % 3](work, log, chance)
        assert process.poll() is None, "the run was to last until it is interrupted"
        interrupted_within_5_s(process)
        assert len(written_of(work)) == calls(server)
    server.set_plan(Plan())
    assert work.predict(server)[0] == ExitCode.OK
    is_whole(work)
    assert calls(server) == work.n
    assert work.left == set()


def test_a_run_whose_server_says_nothing_at_all_can_be_interrupted(
    server: Server, template_db: Path, tmp_path: Path
) -> None:
    server.set_plan(Plan(faults=(Fault(kind="hang", methods=("GetMetadata",)),)))
    work = study(template_db, tmp_path / "db", 10)
    process = work.started(server)
    assert until(lambda: server.stats()["in_flight"] == 1)
    interrupted_within_5_s(process)
    assert work.left == set()


def test_a_run_that_waits_for_a_connection_can_be_interrupted(
    server: Server, template_db: Path, tmp_path: Path
) -> None:
    work = study(template_db, tmp_path / "db", 10)
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        process = started(work.path, "predict", "dnase-k562", "--window", 16384, "--address", address, "--insecure")
        with mute.accept()[0]:
            time.sleep(0.5)
            interrupted_within_5_s(process)
    assert work.left == set()


def test_a_run_that_waits_for_a_reader_can_be_interrupted(server: Server, template_db: Path, tmp_path: Path) -> None:
    work = study(template_db, tmp_path / "db", 100)
    with duckdb.connect(str(work.path), read_only=True):
        process = work.started(server)
        assert until(lambda: calls(server) == 100)
        time.sleep(1.5)
        said = interrupted_within_5_s(process)
        assert "batches wait in the spool, for the database is held by" in said
    merged = agdb(work, "merge")
    assert "100 variants scored" in merged.stderr
    is_whole(work)
    assert work.left == set()


def interrupted_within_5_s(process: subprocess.Popen[str]) -> str:
    """Interrupt a process that is to end quickly; returns what it said."""
    since = time.monotonic()
    process.send_signal(signal.SIGINT)
    code, said = ended(process)
    assert time.monotonic() - since < 5
    assert code == ExitCode.INTERRUPTED
    assert said.splitlines()[-1].startswith("interrupted: ")
    return said
