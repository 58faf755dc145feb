"""`agdb predict --engine ray` on a cluster of several nodes, all on this machine.

The scores are those of a run in one process; none is lost or paid for twice when workers, nodes or the run itself die.
"""

import gzip
import logging
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NoReturn

import nodes
import pytest
from chaos import BATCH, IN_FLIGHT, LOST_A_KILL, Study, calls, ended, is_whole, started, study, until
from fakes import sequence
from fakes.faults import Plan, poisoned
from fakes.process import Server
from make import fasta
from predictors import computation
from runs import QUICK, asked, content
from typer.testing import CliRunner, Result

from agdb.cli import app
from agdb.errors import AgdbError, ExitCode, Refused
from agdb.genome import Genome
from agdb.predict import cluster, run
from agdb.predict.capacity import Wanted
from agdb.predict.provider import Who, scorer_of
from agdb.predict.recipe import Fasta, Recipe, content_of
from agdb.predict.run import Place, Summary, Talk
from agdb.predict.spool import folder_of
from agdb.study import open as open_study

KEY = "AIza-made-up-key-of-a-cluster-0123456789"


@pytest.fixture(scope="module")
def grid() -> Iterator[Any]:
    """A cluster of two nodes with a core each; this process is connected to it."""
    with nodes.cluster(1, 1) as made:
        import ray

        ray.init(address=made.address, logging_level=logging.ERROR, log_to_driver=False)
        yield made


@pytest.fixture
def at(grid: Any, server: Server) -> list[object]:
    """The options that name the cluster and the made-up server."""
    return ["--engine", "ray", "--ray-address", grid.address, "--window", 16384, "--address", server.address,
            "--insecure", "--in-flight", IN_FLIGHT]  # fmt: skip


def agdb(path: Path, *words: object, **env: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, ["--db", str(path), *map(str, words)], env={"ALPHAGENOME_API_KEY": "", **env})


def refused(result: Result, code: ExitCode) -> str:
    """What was wrong, in one error."""
    assert result.exit_code == code, result.output
    assert (result.stdout, len(re.findall("^error: ", result.stderr, re.MULTILINE))) == ("", 1)
    return result.stderr.partition("error: ")[2]


def scores(path: Path) -> dict[str, Any]:
    """All that a run has found."""
    return {name: rows for name, rows in content(path).items() if name != "run"}


@pytest.fixture
def study_db(template_db: Path, tmp_path: Path) -> Path:
    """A study of twelve variants."""
    return study(template_db, tmp_path / "db", 12).path


def with_nodes(grid: Any, n: int) -> None:
    """Add nodes until there are so many besides the head."""
    for _ in range(n - len(grid.worker_nodes)):
        grid.add_node(num_cpus=1)


# The same scores


def test_scores_of_a_server_are_those_of_one_process_and_its_key_is_seen_nowhere(
    grid: Any, server: Server, at: list[object], template_db: Path, tmp_path: Path
) -> None:
    server.set_plan(Plan(latency_ms=100, api_key=KEY))
    one, two = (study(template_db, tmp_path / name, 60) for name in ("one", "two"))
    words = ["predict", "dnase-all", *at]
    assert agdb(one.path, "predict", "dnase-all", *at[4:], ALPHAGENOME_API_KEY=KEY).exit_code == ExitCode.OK
    seen: list[bytes] = []
    watch = threading.Thread(target=lambda: until(lambda: bool(see_workers(grid, seen)), 60))
    watch.start()
    result = agdb(two.path, *words, "--log", tmp_path / "log", ALPHAGENOME_API_KEY=KEY)
    watch.join()
    assert result.exit_code == ExitCode.OK, result.output
    assert scores(one.path) == scores(two.path)
    assert re.search(r"60 variants scored, 0 failed with a reason; 60 calls in .*; [12] workers? on [12] nodes?",
                     result.stderr)  # fmt: skip
    assert {event["event"] for event in nodes.events(tmp_path / "log")} >= {"worker", "start", "end"}
    ((n_workers, software),) = asked(two.path, "SELECT (arguments->>'workers')::INTEGER, software FROM run")
    assert n_workers in (1, 2)
    assert re.fullmatch(r"alphagenome \S+, ray \S+", str(software))
    assert "nothing to ask for: 60 variants were scored before" in agdb(two.path, *words).stderr
    kept = [tmp_path / "log", *Path(grid.head_node.get_session_dir_path()).rglob("*")]
    assert not any(KEY.encode() in file.read_bytes() for file in kept if file.is_file())
    assert not any(KEY.encode() in told for told in seen)
    assert KEY not in repr(Recipe(computation(), key=KEY))


def see_workers(grid: Any, seen: list[bytes]) -> list[bytes]:
    """Command lines and environments of the workers of the moment, added to those that were seen."""
    for pid in nodes.workers(grid):
        with suppress(OSError):
            seen.append(Path(f"/proc/{pid}/environ").read_bytes() + Path(f"/proc/{pid}/cmdline").read_bytes())
    return seen


def with_genome(work: Study) -> None:
    """Register the made-up genome around the variants of a study."""
    file = fasta(work.path.parent / "genome.fa", {"chr1:999001-1005000": sequence.text("chr1", 999_000, 1_005_000)})
    assert agdb(work.path, "ingest", "genome", file, "--assembly", "GRCh38").exit_code == ExitCode.OK


@pytest.mark.slow
def test_scores_that_are_computed_from_a_genome_are_those_of_a_run_in_one_process(
    grid: Any, template_db: Path, tmp_path: Path
) -> None:
    one, two, three = (study(template_db, tmp_path / name, 50) for name in ("one", "two", "three"))
    for work, how in ((one, []), (two, ["--engine", "ray", "--ray-address", grid.address])):
        with_genome(work)
        result = agdb(work.path, "predict", "motif", *how)
        assert "50 variants scored, 0 failed with a reason" in result.stderr, result.output
    with_genome(three)
    done = open_study(three.path).predict("motif", engine="ray", ray_address=grid.address, actors=1)
    assert (done.scored, done.workers) == (50, 1)
    assert scores(one.path) == scores(two.path) == scores(three.path)


MODEL = """
import os, sys
sys.path.append({tests!r})

def make(poison=None):
    from test_model_object import LocalModel
    with open({built!r}, "a") as file:
        print(os.getpid(), file=file)

    class Model(LocalModel):
        def score_variant(self, interval, variant, scorers=(), *, organism=None):
            if variant.position == poison:
                os._exit(1)
            return super().score_variant(interval, variant, scorers, organism=organism)

    return Model()

def poisoned():
    return make({poison})

def dies():
    os._exit(1)

def broken():
    raise RuntimeError("no GPU")
"""
#: The variant that ends the process which is asked for it.
POISON = 1_000_000 + 40 * 3


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Name of a module of model objects in the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "model_of_a_node.py").write_text(
        MODEL.format(tests=str(Path(__file__).parent), poison=POISON, built=str(tmp_path / "built"))
    )
    yield "model_of_a_node"
    sys.modules.pop("model_of_a_node", None)


@pytest.mark.slow
def test_a_model_object_scores_as_in_one_process_but_for_the_variant_that_ends_every_worker(
    grid: Any, model: str, template_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agdb.predict.doubt.TRIES", 2)
    words = ["predict", "dnase-k562", "--window", 16384, "--model"]
    one, two = (study(template_db, tmp_path / name, 40) for name in ("one", "two"))
    assert agdb(one.path, *words, f"{model}:make", "--where", f"pos <> {POISON}").exit_code == ExitCode.OK
    (tmp_path / "built").unlink()
    result = agdb(two.path, *words, f"{model}:poisoned", "--in-flight", 3, "--engine", "ray", "--ray-address",
                  grid.address, "--log", tmp_path / "log")  # fmt: skip
    assert "39 variants scored, 1 failed with a reason" in result.stderr, result.output
    found = scores(two.path)
    assert found | {"failure": []} == scores(one.path)
    ((pos, reason),) = asked(two.path, "SELECT pos, reason FROM failure")
    assert (pos, reason) == (POISON, "worker_died: the worker died that had it, and no other")
    lost = [event["workers"] for event in nodes.events(tmp_path / "log") if event["event"] == "worker_lost"]
    assert 3 <= len(lost) <= 5  # twice with others; then alone, as often as is tried, and once when nobody can tell
    built = (tmp_path / "built").read_text().split()
    assert len(set(built)) == len(built) >= 3  # once by each process
    assert str(os.getpid()) not in built


# Workers, nodes and runs that die


def _no_genome(assembly: str | None) -> NoReturn:
    raise AssertionError("the scorer reads no genome")


@dataclass
class Running:
    """A run of a study in a thread of its own, with what it has told."""

    work: Study
    server: Server
    wanted: Wanted
    patience_s: float = 60.0
    summary: Summary = field(default_factory=Summary)
    told: list[dict[str, Any]] = field(default_factory=list)
    error: AgdbError | None = None

    def __post_init__(self) -> None:
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self) -> None:
        who = Who(
            genome_of=_no_genome, addresses=[self.server.address], insecure=True, in_flight=IN_FLIGHT, deadline_s=30.0
        )
        scorer = scorer_of("dnase-k562", 16384, None, {}, None, "ALL_FOLDS", who)
        talk = Talk(log=lambda event, **details: self.told.append({"event": event, **details}))
        settings = replace(QUICK, batch_variants=BATCH, batch_s=0.5, retry_s=0.05, patience_s=self.patience_s)
        predictors = cluster.predictors(self.wanted, who, scorer, talk, self.summary, settings.patience_s)
        try:
            run.run(Place(self.work.path), scorer, predictors, settings, talk, self.summary)
        except AgdbError as error:
            self.error = error

    def told_of(self, event: str) -> int:
        """How often."""
        return sum(one["event"] == event for one in self.told)


@pytest.mark.slow
def test_workers_and_nodes_may_die_and_come_in_mid_run(
    grid: Any, server: Server, template_db: Path, tmp_path: Path
) -> None:
    slow = Plan(latency_ms=250, faults=(poisoned(0.01),))  # so that few variants last until all has happened
    server.set_plan(slow)
    work = study(template_db, tmp_path / "db", 1200)
    one = Running(work, server, Wanted(grid.address, workers=4))
    assert until(lambda: one.summary.workers == 2 and calls(server) > 100)
    assert one.summary.nodes == 2
    nodes.kill(nodes.workers(grid)[0])
    assert until(lambda: one.told_of("worker_lost") == 1 and one.summary.workers == 2), one.told[-3:]
    joined = grid.add_node(num_cpus=1)
    assert until(lambda: one.summary.workers == 3)
    for node in [node for node in grid.worker_nodes if node != joined]:
        grid.remove_node(node, allow_graceful=False)
    assert until(lambda: one.summary.crew == "1 worker on 1 node")
    assert one.thread.is_alive(), "the run was to outlast its nodes"
    at_last = calls(server)
    server.set_plan(replace(slow, latency_ms=5))
    one.thread.join(60)
    assert one.error is None
    assert one.told[-1]["event"] == "end"
    assert calls(server) > at_last
    is_whole(work)
    assert work.left == set()
    assert work.count("failure WHERE reason NOT LIKE 'invalid_argument%'") == 0
    assert work.n <= calls(server) <= work.n + 3 * IN_FLIGHT
    assert work.asked("SELECT arguments->>'workers', arguments->>'nodes' FROM run") == [("3", "3")]


def test_a_run_that_is_interrupted_or_killed_leaves_no_worker_and_the_next_one_goes_on(
    grid: Any, server: Server, template_db: Path, tmp_path: Path, at: list[object]
) -> None:
    server.set_plan(Plan(latency_ms=60))
    work = study(template_db, tmp_path / "db", 900)
    words = ["predict", "dnase-k562", *at, "--actors", 1]
    for number in (signal.SIGINT, signal.SIGKILL):
        before = calls(server)
        process = started(work.path, *words, start_new_session=True)
        is_under_way = until(lambda: calls(server) > before + 120, 60)  # noqa: B023
        os.killpg(process.pid, number if is_under_way else signal.SIGKILL)
        if number == signal.SIGINT:
            code, said = ended(process)
            assert code == ExitCode.INTERRUPTED, said
            assert said.splitlines()[-1].startswith("interrupted: what was finished is kept")
            assert work.count("scored_variant") >= calls(server) - 2 * IN_FLIGHT
        else:
            _, said = process.communicate()
        assert is_under_way, said
        assert until(lambda: not nodes.workers(grid))
    assert calls(server) < work.n
    server.set_plan(Plan())
    result = agdb(work.path, "predict", "dnase-k562", *at[4:])  # here or there
    assert result.exit_code == ExitCode.OK, result.output
    is_whole(work)
    assert work.left == set()
    assert work.n <= calls(server) <= work.n + LOST_A_KILL + 4 * IN_FLIGHT


# One quota


@pytest.mark.slow
def test_four_workers_use_up_one_quota_and_no_more(
    grid: Any, server: Server, template_db: Path, tmp_path: Path
) -> None:
    with_nodes(grid, 4)
    a_minute, minute_s, n = 60, 1.2, 240
    work = study(template_db, tmp_path / "db", n)
    server.set_plan(Plan(latency_ms=20, quota_per_minute=a_minute, minute_s=minute_s))
    result = agdb(work.path, "predict", "dnase-k562", "--window", 16384, "--address", server.address, "--insecure",
                  "--in-flight", 16, "--quota-window", minute_s, "--engine", "ray", "--ray-address", grid.address,
                  "--log", tmp_path / "log")  # fmt: skip
    assert result.exit_code == ExitCode.OK, result.output
    told = nodes.events(tmp_path / "log")
    assert max(event.get("workers", 0) for event in told) == 4
    refused = server.stats()["by_code"].get("RESOURCE_EXHAUSTED", 0)
    began, over = (next(event["at"] for event in told if event["event"] == name) for name in ("start", "end"))
    seconds = (datetime.fromisoformat(over) - datetime.fromisoformat(began)).total_seconds()
    minutes = n / a_minute
    print(f"{n} calls in {seconds:.1f} s, {refused} refused; {minutes * minute_s:.1f} s at the quota")
    assert calls(server) == n + refused
    # all that were in flight when the first minute was full, tries until the next, and from then on one a minute
    assert refused <= 4 * 16 + 8 + 2 * minutes
    assert seconds <= 1.3 * minutes * minute_s + minute_s


# Refusals


def test_a_cluster_has_to_be_there_and_ray_installed(study_db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code, said = ended(started(study_db, "predict", "dnase-k562", "--engine", "ray", "--ray-address", "127.0.0.1:1"))
    assert code == ExitCode.REFUSED
    assert "nobody answers" in said
    monkeypatch.setitem(sys.modules, "ray", None)
    said = refused(agdb(study_db, "predict", "dnase-k562", "--engine", "ray"), ExitCode.REFUSED)
    assert "Ray is not installed" in said
    assert "agdb[ray]" in said


@pytest.mark.parametrize("words", [("--actors", 2), ("--ray-address", "auto"), ("--gpus-per-actor", 1)])
def test_options_of_a_cluster_without_one_are_refused(study_db: Path, words: tuple[object, ...]) -> None:
    assert "--engine ray" in refused(agdb(study_db, "predict", "dnase-k562", *words), ExitCode.USAGE)


def test_what_no_node_has_is_said(grid: Any, at: list[object], study_db: Path) -> None:
    words = ["predict", "dnase-k562", *at, "--gpus-per-actor", 1]
    said = refused(agdb(study_db, *words), ExitCode.REFUSED)
    assert "no node of the cluster has 1 CPU and 1 GPU for a worker" in said
    assert "has 1 CPU and 0 GPU" in said
    assert "--actors N to wait for nodes that join" in said
    said = agdb(study_db, *words, "--actors", 2, "--patience", 0.5).stderr
    assert "ray: room for 0 of 2 workers now; the others wait for nodes with 1 CPU and 1 GPU" in said
    assert "error: no worker of 2 was ready within 0.5 s" in said


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("no_such_module:make", ExitCode.USAGE, "No module named 'no_such_module'"),
        ("broken", ExitCode.PROVIDER, "the factory of .* failed: RuntimeError: no GPU"),
        ("dies", ExitCode.PROVIDER, "each worker died 2 times while it started"),
    ],
)
def test_a_node_on_which_the_model_cannot_be_made_is_named(
    name: str, code: ExitCode, message: str, grid: Any, model: str, study_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cluster, "STARTS", 2)
    result = agdb(study_db, "predict", "dnase-k562", "--window", 16384, "--model", name if ":" in name else
                  f"{model}:{name}", "--engine", "ray", "--ray-address", grid.address, "--actors", 1)  # fmt: skip
    said = refused(result, code)
    assert re.search(message, said)
    assert re.search(r"where: node \S+ \(\S+, [0-9a-f]{8}\)", said)
    assert not folder_of(study_db).exists()


def test_a_node_with_another_genome_is_named(
    grid: Any, template_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work = study(template_db, tmp_path / "db", 5)
    with_genome(work)
    other = fasta(tmp_path / "other.fa", {"chr1:999001-1005000": "ACGTT" * 1200})
    send = Who.recipe_to_send

    def sent(*of: Any) -> Recipe:
        recipe = send(*of)
        assert recipe.fasta is not None
        return replace(recipe, fasta=replace(recipe.fasta, path=other))

    monkeypatch.setattr(Who, "recipe_to_send", sent)
    words = ["predict", "motif", "--engine", "ray", "--ray-address", grid.address, "--actors", 1]
    said = refused(agdb(work.path, *words), ExitCode.REFUSED)
    assert "another FASTA lies on this node" in said
    assert re.search(rf"where: node \S+ \(\S+, [0-9a-f]{{8}}\): {other}", said)


def test_a_genome_is_known_by_its_bases_however_it_is_packed(tmp_path: Path) -> None:
    bases = "ACGTTGCA" * 5000
    plain = fasta(tmp_path / "one" / "g.fa", {"chr1": bases, "chr2:101-140": bases[:40]})
    packed = tmp_path / "two" / "g.fa.gz"
    packed.parent.mkdir()
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    with closing(Genome(plain, tmp_path)) as genome:
        content = content_of(genome)
    here = Fasta(packed, tmp_path / "no folder of this node", content)
    with here.opened() as genome:
        assert content_of(genome) == content
    assert not here.work_dir.exists()
    with (
        pytest.raises(Refused, match="the FASTA cannot be read on this node"),
        Fasta(packed / "x", tmp_path, "").opened(),
    ):
        pass
    changed = bases[:20_000] + "T" * 300 + bases[20_300:]
    other = fasta(tmp_path / "three" / "g.fa", {"chr1": changed, "chr2:101-140": bases[:40]})
    with pytest.raises(Refused, match="another FASTA lies on this node"), replace(here, path=other).opened():
        pass


# No worker is left, or none was asked for


@pytest.mark.slow
def test_a_run_without_workers_waits_as_long_as_it_was_told_and_keeps_what_is_scored(
    grid: Any, server: Server, template_db: Path, tmp_path: Path
) -> None:
    with_nodes(grid, 1)
    server.set_plan(Plan(latency_ms=200))
    work = study(template_db, tmp_path / "db", 2000)
    one = Running(work, server, Wanted(grid.address, workers=1, cpus=0.5), patience_s=10.0)
    assert until(lambda: calls(server) > 50)
    for node in list(grid.worker_nodes):
        grid.remove_node(node, allow_graceful=False)
    assert until(lambda: one.summary.crew == "no worker is alive")
    since = time.monotonic()
    one.thread.join(90)
    assert time.monotonic() - since < 60
    assert one.error is not None
    assert re.search(r"nothing was answered for \d+.* s: no worker is alive, of 1", str(one.error))
    assert 50 - IN_FLIGHT <= work.count("scored_variant") == one.summary.scored < work.n
    assert work.asked("SELECT status FROM run") == [("failed",)]


def test_without_a_cluster_nothing_of_ray_is_imported(server: Server, study_db: Path) -> None:
    words = ["--db", str(study_db), "predict", "dnase-k562", "--window", "16384", "--address", server.address,
             "--insecure"]  # fmt: skip
    code = (f"import sys; from agdb.cli import app; app({words!r}, standalone_mode=False); "
            "assert not [name for name in sys.modules if name.split('.')[0] == 'ray']")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "12 variants scored" in done.stderr
