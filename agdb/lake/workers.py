"""`agdb analyse`: what `agdb stats` computes, a part a task, over a lake; by processes of this machine or by Ray.

A task is a label set in one source: ranks and resamples are those of all its rows, and nothing is approximated. Ray
schedules tasks and repeats those whose worker or node died; results have no trace of who computed them.
"""

import os
import signal
import tempfile
import threading
from collections.abc import Callable, Generator
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType

import duckdb

from agdb import cluster, db
from agdb.analysis import run
from agdb.analysis.store import check, stored
from agdb.errors import Refused, UsageError
from agdb.lake.manifest import Lake
from agdb.lake.part import Done, Job, Task, compute

#: Parts as they come, each with the number of its task.
Parts = Generator[tuple[int, Done], None, None]

ENGINES = ("local", "ray")

#: Times that Ray repeats a task whose worker or node died.
_RETRIES = 3

#: Tables that results are made of, besides sources.
_FACTS = ("qtl", "credible", "variant", "peak", "scored_variant", "prediction", "scorer", "track", "gene", "ld_block")


@dataclass(frozen=True)
class Workers:
    """Who computes.

    Attributes:
        engine: local (processes of this machine) or ray.
        address: See `agdb.cluster.connect`; None: RAY_ADDRESS, or a cluster of this process.
        n: Processes of this machine; None for as many as its cores allow.
        cpus: Cores of a worker.
        memory: DuckDB's limit in a worker; arrays of its rows come besides.
    """

    engine: str = "local"
    address: str | None = None
    n: int | None = None
    cpus: int = 1
    memory: str = "1GB"


def analyse(
    path: Path, lake: Lake, asked: run.Asked, workers: Workers = Workers(),
    tell: Callable[[int, int, Task, Done], None] = lambda i, n, task, done: None,
) -> int:  # fmt: skip
    """Compute what is asked for from a lake and store it in `result` of a database; returns the run_id.

    Args:
        path: The study that the lake was exported from, or a database opened from it.
        lake: The lake.
        asked: As for `agdb stats`.
        workers: Who computes.
        tell: Hears of each part that is done: how many, of how many, which, and what was found.

    Raises:
        UsageError: an unknown engine, label set or stratification, or an expression that is not SQL.
        Refused: the database is of another study, has changed since the lake was exported, or cannot be written; no
            association of these label sets has a score; a worker died or refused, or there is no such cluster.
        DatabaseBusy: another process holds the database, for an hour after all is computed.
    """
    _check(workers)
    check(path)
    with db.reading(path) as con:
        began = db.utc_now()
        _check_study(con, lake, path)
        plan = run.planned(con, asked)
    tasks = tasks_of(lake, plan)
    job = Job(lake.root, lake.sha256, plan, workers.memory, workers.cpus, cluster.versions())
    done: dict[int, Done] = {}
    # large ones first: memory that is short is then told at once, and no long one is begun last
    largest = {i: tasks[i] for i in sorted(range(len(tasks)), key=lambda i: -_size(lake, tasks[i]))}
    with closing((_on_ray if workers.engine == "ray" else _on_this_machine)(job, largest, workers)) as parts:
        for i, one in parts:
            done[i] = one
            tell(len(done), len(tasks), tasks[i], one)
    found = run.assembled(plan, (part for i in sorted(done) for part in done[i].parts))
    of = {"lake": lake.root, "manifest_sha256": lake.sha256, "engine": workers.engine}
    return stored(path, "analyse", asked.arguments | of, found, began)


def _check(workers: Workers) -> None:
    """Refuse what would have no effect, or only a worker would refuse."""
    if workers.engine not in ENGINES:
        raise UsageError(f"unknown engine {workers.engine!r}", cure=f"one of {', '.join(ENGINES)}")
    if workers.engine == "local" and workers.address is not None:
        raise UsageError("an address is of a cluster", where=workers.address, cure="--engine ray")
    if workers.engine == "ray" and workers.n is not None:
        raise UsageError("Ray starts as many workers as its nodes have room for: --workers is of this machine",
                         cure="--cpus: the cores that each takes")  # fmt: skip
    try:
        duckdb.connect(config={"memory_limit": workers.memory}).close()
    except duckdb.Error as error:
        raise UsageError(f"{workers.memory!r} is no amount of memory", cure="--memory 2GB, say") from error


def _check_study(con: duckdb.DuckDBPyConnection, lake: Lake, path: Path) -> None:
    """Refuse a database whose facts are not the lake's: its results are of those, by the numbers of their sources."""
    look = f"agdb --db NEW.duckdb lake open {lake.root}, and analyse into that"
    found = con.execute("SELECT source_id, name, sha256 FROM source ORDER BY source_id").fetchall()
    own = {i: (name, sha256) for i, name, sha256 in found}
    for of in lake.sources:
        if own.pop(of["source_id"], None) != (of["name"], of["sha256"]):
            raise Refused(
                f"the lake is not of this study: its source {of['source_id']} is {of['name']}, "
                f"sha256 {of['sha256'][:12]}", where=str(path), cure=look,
            )  # fmt: skip
    cure = f"agdb lake export, and analyse that lake; or, for what this one holds, {look}"
    if own:
        late = ", ".join(f"{i} ({name})" for i, (name, _) in own.items())
        raise Refused(f"the study has sources that the lake has not: {late}", where=str(path), cure=cure)
    for table in _FACTS:
        ((rows,),) = con.execute(f"SELECT count(*) FROM {table}").fetchall()
        if rows != lake.rows.get(table, 0):
            raise Refused(f"the study is not what it was when the lake was exported: table {table} has {rows:,} rows, "
                          f"and {lake.rows.get(table, 0):,} in the lake", where=str(path), cure=cure)  # fmt: skip


def tasks_of(lake: Lake, plan: run.Plan) -> list[Task]:
    """The parts, in the order of label sets and sources. A source without associations of the label has no results."""
    tasks = []
    for labels in plan.label_sets:
        own = [
            of for of in lake.sources
            if of["effect"] is not None and (labels.source_ids is None or of["source_id"] in labels.source_ids)
            and (labels.label != "pval_nominal" or of["effect"] == "pval_nominal")
        ]  # fmt: skip
        if labels.is_pooled:
            tasks.append(Task(labels, None, tuple(dict.fromkeys(of["tissue"] for of in own))))
        else:
            tasks += [Task(labels, of["source_id"], (of["tissue"],)) for of in own]
    return tasks


def _size(lake: Lake, task: Task) -> int:
    """Associations that a task reads."""
    return sum(file.rows for file in lake.tables["qtl"] if file.partition[0] in task.tissues)


def _on_this_machine(job: Job, tasks: dict[int, Task], workers: Workers) -> Parts:
    n = min(workers.n or max(1, _cores() // workers.cpus), max(1, len(tasks)))
    spawn = get_context("spawn")
    heard, held = spawn.Pipe(duplex=False)
    with (
        tempfile.TemporaryDirectory(prefix="agdb-analyse-") as scratch,
        ProcessPoolExecutor(n, spawn, _follow, (heard,)) as pool,
    ):
        waiting = {pool.submit(compute, job._replace(scratch=scratch), task): i for i, task in tasks.items()}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BrokenProcessPool as error:
            raise Refused("a worker was killed", where="this machine",
                          cure="if for memory: fewer --workers, or less --memory") from error  # fmt: skip
        finally:
            held.close()  # an error, or an interruption, does not wait for what others compute, which may take hours


def _cores() -> int:
    """Those that this process may use: a job of a cluster has a few of its node's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _follow(heard: Connection) -> None:
    """End a worker when its driver lets go of the other end of a pipe, or ends; and at Ctrl-C, without a traceback."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)

    def wait() -> None:
        heard.poll(None)
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _on_ray(job: Job, tasks: dict[int, Task], workers: Workers) -> Parts:
    with cluster.connect(cluster.address_of(workers.address)) as ray:
        _check_cpus(ray, workers)
        task_of = ray.remote(num_cpus=workers.cpus, max_retries=_RETRIES)(compute)
        held = ray.put(job)
        waiting = {task_of.remote(held, task): i for i, task in tasks.items()}
        try:
            while waiting:
                for ref in ray.wait(list(waiting))[0]:
                    yield waiting[ref], _got(ray, ref, tasks[waiting[ref]])
                    del waiting[ref]
        finally:
            for ref in waiting:  # a cluster that was connected to before goes on without them
                with suppress(ray.exceptions.RayError):
                    ray.cancel(ref)


def _check_cpus(ray: ModuleType, workers: Workers) -> None:
    most = max(node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"])
    if most < workers.cpus:
        raise Refused(f"no node of the cluster has {workers.cpus} cores for a worker: {most:g} at most",
                      where=cluster.address_of(workers.address), cure=f"--cpus {max(1, int(most))}")  # fmt: skip


def _got(ray: ModuleType, ref: object, task: Task) -> Done:
    try:
        done: Done = ray.get(ref)
    except (ray.exceptions.WorkerCrashedError, ray.exceptions.NodeDiedError, ray.exceptions.OutOfMemoryError) as error:
        raise Refused(
            f"{1 + _RETRIES} workers died of a part of the analysis: {str(error).strip().splitlines()[0]}",
            where=task.told, cure="if for memory: fewer tasks a node, by more --cpus; Ray's logs tell",
        ) from error  # fmt: skip
    except ray.exceptions.RayError as error:
        raise cluster.of_task(error) from error
    return done
