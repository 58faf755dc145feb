"""`agdb analyse` gives the numbers of `agdb stats`: part by part, by processes, and on a cluster whose workers die."""

import multiprocessing
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import lakes
import nodes
import pytest
import runs
from lakes import Lakes

import agdb
from agdb import cluster, db, lake
from agdb.analysis import run, store
from agdb.analysis.results import Result
from agdb.errors import AgdbError, DatabaseBusy, Refused, UsageError
from agdb.lake import part, workers
from agdb.lake.part import Done, Job, Task, compute

#: What is asked for where all is compared: strata, causal variants, the overlap; every label set, two scorers.
ALL = run.Asked(("all", "conditional", "p-value", "pool", "best"), scorer="scorer", resamples=200, shifts=20,
                stratify=("kind",))  # fmt: skip

#: What is asked of workers: little.
IN_PYTHON: dict[str, Any] = {"scorer": "scorer", "window": 100, "resamples": 200, "stratify": (), "shifts": 20}
LITTLE = {name.replace("window", "window_bp"): value for name, value in IN_PYTHON.items()}


@pytest.fixture(scope="module")
def those(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Lakes:
    """A study, its lake, and a database over it, that nobody writes to."""
    return lakes.made(template_db, tmp_path_factory.mktemp("lake"))


@pytest.fixture
def own(those: Lakes, tmp_path: Path) -> Lakes:
    """The same, with databases to write to."""
    paths = [Path(shutil.copyfile(path, tmp_path / path.name)) for path in (those.study, those.opened)]
    return Lakes(paths[0], those.folder, paths[1])


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A cluster of two nodes with a core each."""
    with nodes.cluster(1, 1) as made:
        yield str(made.address)


def plan_of(path: Path, asked: run.Asked) -> run.Plan:
    with db.reading(path) as con:
        return run.planned(con, asked)


def job_of(folder: Path, plan: run.Plan, **changes: Any) -> Job:
    found = lake.found(folder)
    return Job(found.root, found.sha256, plan, "500MB", 2, cluster.versions())._replace(**changes)


def refused(what: Callable[[], object], kind: type[AgdbError] = Refused) -> str:
    with pytest.raises(kind) as error:
        what()
    return str(error.value)


def computed(path: Path, asked: run.Asked) -> list[Result]:
    with db.reading(path) as con:
        return run.computed(con, asked)


def rows(path: Path, run_id: int | None = None) -> list[tuple[Any, ...]]:
    """The newest results, without their number and that of their run, in their order."""
    with db.reading(path) as con:
        return con.execute(
            "SELECT * EXCLUDE (result_id, run_id) FROM result WHERE run_id = (SELECT max(run_id) FROM result) "
            "ORDER BY result_id"
        ).fetchall()


def assert_in_order(found: list[tuple[Any, ...]], expected: list[tuple[Any, ...]]) -> None:
    """The same rows in the same order, numbers to 1e-12."""
    assert len(found) == len(expected) > 0
    for a, b in zip(found, expected, strict=True):
        lakes.assert_alike(a, b, "result")


# Parts


def test_parts_of_a_lake_are_the_statistics_of_the_study(those: Lakes) -> None:
    """Every label set, scorer, stratum and column; each part in a database of its own tissue alone."""
    expected = computed(those.study, ALL)
    plan = plan_of(those.opened, ALL)
    tasks = workers.tasks_of(lake.found(those.folder), plan)
    assert [(task.labels.name, task.source_id) for task in tasks] == [
        ("all", 1), ("all", 2), ("all", 3), ("conditional", 1), ("conditional", 2), ("conditional", 3), ("p-value", 3),
        ("pool", None), ("best", 1), ("best", 2), ("best", 3),
    ]  # fmt: skip
    job = job_of(those.folder, plan)
    found = run.assembled(plan, [part for task in tasks for part in compute(job, task).parts])
    columns = list(dict.fromkeys(name for row in expected for name in row))
    assert_in_order(*([tuple(row.get(name) for name in columns) for row in of] for of in (found, expected)))
    assert {row["label_set"] for row in found} == set(ALL.label_sets or ())
    assert {"heterogeneity", "causal_auroc", "overlap_enrichment", "spearman_difference"} <= {
        row["metric"] for row in found
    }


def test_a_part_holds_the_variants_of_its_tissue_alone(those: Lakes, tmp_path: Path) -> None:
    from agdb.lake.opened import narrow, take_in

    shutil.copyfile(those.opened, path := tmp_path / "part.duckdb")
    with db.writing(path, facts=False) as con:
        narrow(con, lake.found(those.folder), [lakes.ODD], ["near"])
        take_in(con)
        own = "SELECT DISTINCT chrom, pos, ref, alt FROM qtl"
        for table in ("variant", "prediction", "scored_variant"):
            assert con.execute(f"SELECT chrom, pos, ref, alt FROM {table} EXCEPT {own}").fetchall() == []
            assert con.execute(f"SELECT count(*) > 0 FROM {table}").fetchall() == [(True,)]
        assert con.execute("SELECT DISTINCT source_id FROM qtl").fetchall() == [(2,)]
        assert con.execute("SELECT count(*) FROM credible").fetchall() == [(0,)]
        assert con.execute("SELECT DISTINCT computation_id FROM prediction").fetchall() == [("near",)]


@pytest.mark.parametrize(("change", "why"), [
    ({"versions": {"Python": "2.7"}}, "versions differ: Python"), ({"sha256": "0" * 64}, "another lake is here"),
    ({"root": "/nowhere"}, "there is no lake here"), ({"memory": "12 apples"}, "is no amount of memory"),
    ({"memory": "4MB"}, "memory is short"),
])  # fmt: skip
def test_what_a_worker_refuses_names_its_node(those: Lakes, change: dict[str, Any], why: str) -> None:
    plan = plan_of(those.opened, run.Asked(("all",), **LITTLE))
    (task, *_) = workers.tasks_of(lake.found(those.folder), plan)
    text = refused(lambda: compute(job_of(those.folder, plan, **change), task), AgdbError)
    assert why in text
    assert f"node {cluster.this_node()}" in text


def test_the_memory_of_a_worker_is_what_is_asked_for_it(those: Lakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGDB_MEMORY", "3GB")
    plan, found = plan_of(those.opened, run.Asked(("all",), **LITTLE)), []
    (task, *_) = workers.tasks_of(lake.found(those.folder), plan)

    def settings(con: duckdb.DuckDBPyConnection, *_: object) -> list[run.Part]:
        found.extend(con.execute("SELECT current_setting('memory_limit'), current_setting('threads')").fetchall())
        return []

    monkeypatch.setattr(part, "_computed", settings)
    compute(job_of(those.folder, plan), task)
    assert found == [("476.8 MiB", 2)]


# Engines


def test_processes_of_this_machine_store_what_stats_stores(own: Lakes) -> None:
    agdb.open(own.study).stats("all", **IN_PYTHON)
    expected = rows(own.study)
    told: list[str] = []
    run_id = lake.analyse(own.opened, lake.found(own.folder), run.Asked(("all",), **LITTLE), lake.Workers(n=2),
                          lambda i, n, task, done: told.append(f"{i}/{n} {task.told}"))  # fmt: skip
    assert_in_order(rows(own.opened), expected)
    assert sorted(text.split(" ", 1)[1] for text in told) == ["all, Lung", "all, Lung", f"all, {lakes.ODD}"]
    with db.reading(own.opened) as con:
        found = con.execute("SELECT command, status, arguments::JSON->>'manifest_sha256' FROM run WHERE run_id = ?",
                            [run_id]).fetchall()  # fmt: skip
    assert found == [("analyse", "done", lake.found(own.folder).sha256)]


def test_a_cluster_stores_what_stats_stores_although_a_worker_is_killed(own: Lakes, address: str) -> None:
    agdb.open(own.study).stats("all", **IN_PYTHON)
    killed: list[int] = []

    def kill() -> None:
        while not killed:
            for folder in Path("/proc").iterdir():
                if folder.name.isdecimal() and not killed:
                    try:
                        is_computing = (folder / "cmdline").read_bytes().startswith(b"ray::compute")
                    except OSError:
                        continue
                    if is_computing:
                        nodes.kill(int(folder.name))
                        killed.append(int(folder.name))
            time.sleep(0.02)

    killer = threading.Thread(target=kill, daemon=True)
    killer.start()
    found = agdb.open(own.opened).analyse(own.folder, "all", engine="ray", address=address, **IN_PYTHON)
    killer.join(10)
    assert killed
    assert_in_order(rows(own.opened), rows(own.study))
    assert found.num_rows == len(rows(own.study))


def test_a_lake_that_workers_do_not_see_is_refused_with_the_node(own: Lakes, address: str, tmp_path: Path) -> None:
    shutil.copytree(own.folder, tmp_path / "lake")
    seen = lake.found(tmp_path / "lake")
    (tmp_path / "lake").rename(tmp_path / "elsewhere")
    asked = run.Asked(("all",), **LITTLE)
    text = refused(lambda: lake.analyse(own.opened, seen, asked, lake.Workers("ray", address)))
    assert "there is no lake here" in text
    assert f"node {cluster.this_node()}: {tmp_path}/lake" in text


def test_more_cores_than_a_node_has_are_refused(own: Lakes, address: str) -> None:
    asked, by = run.Asked(("all",), **LITTLE), lake.Workers("ray", address, cpus=3)
    assert "no node of the cluster has 3 cores" in refused(
        lambda: lake.analyse(own.opened, lake.found(own.folder), asked, by)
    )


def test_a_cluster_that_does_not_answer_is_refused(own: Lakes) -> None:
    asked, by = run.Asked(("all",), **LITTLE), lake.Workers("ray", "127.0.0.1:1")
    assert "nobody answers" in refused(lambda: lake.analyse(own.opened, lake.found(own.folder), asked, by))


def test_a_worker_that_is_killed_on_this_machine_is_told(own: Lakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "compute", _die)
    asked = run.Asked(("all",), **LITTLE)
    assert "a worker was killed" in refused(
        lambda: lake.analyse(own.opened, lake.found(own.folder), asked, lake.Workers(n=1))
    )


def test_large_parts_begin_first_and_results_keep_their_order(those: Lakes, monkeypatch: pytest.MonkeyPatch) -> None:
    begun: dict[int, Task] = {}

    def none(job: Job, tasks: dict[int, Task], by: lake.Workers) -> workers.Parts:
        begun.update(tasks)
        yield from ((i, Done([run.Part(task.labels.name, [{"source_id": task.source_id}], [])], "node", 1))
                    for i, task in tasks.items())  # fmt: skip

    stored: list[Result] = []
    monkeypatch.setattr(workers, "_on_this_machine", none)
    monkeypatch.setattr(workers, "stored", lambda path, command, arguments, found, began: stored.extend(found))
    monkeypatch.setattr(run, "assembled", lambda plan, parts: [row for part in parts for row in part.of_scorers])
    lake.analyse(those.opened, lake.found(those.folder), run.Asked(("all", "pool"), **LITTLE))
    assert [task.told for task in begun.values()] == [
        "pool, all tissues", "all, Lung", "all, Lung", f"all, {lakes.ODD}",
    ]  # fmt: skip
    assert [row["source_id"] for row in stored] == [1, 2, 3, None]


def test_an_error_does_not_wait_for_what_other_workers_compute(own: Lakes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "compute", _refuse_or_sleep)
    asked = run.Asked(("all",), **LITTLE)
    assert "not this one" in refused(lambda: lake.analyse(own.opened, lake.found(own.folder), asked, lake.Workers(n=2)))
    assert multiprocessing.active_children() == []


def _refuse_or_sleep(job: object, task: Task) -> None:
    if task.source_id == 1:
        raise Refused("not this one")
    time.sleep(600)


def _die(job: object, task: object) -> None:
    import os

    os._exit(9)


# Results that took hours


def some_results(path: Path) -> list[Result]:
    with db.reading(path) as con:
        of = con.sql("FROM result LIMIT 3")
        return [dict(zip(of.columns, row, strict=True)) for row in of.fetchall()]


def test_results_wait_for_a_reader_to_let_go(
    own: Lakes, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = some_results(own.study)
    monkeypatch.setattr(db, "PATIENCE_S", 0.0)
    with ExitStack() as reader:
        reader.enter_context(runs.held(own.study))
        monkeypatch.setattr(time, "sleep", lambda _: reader.close())
        run_id = store.stored(own.study, "analyse", {}, found)
    assert (
        "analyse: 3 results wait to be stored, for an hour at most: the database is held by" in capsys.readouterr().err
    )
    assert runs.asked(own.study, "SELECT count(*) FROM result WHERE run_id = ?", run_id) == [(3,)]


@pytest.mark.parametrize(("patience_s", "ends"), [(0.0, DatabaseBusy), (60.0, KeyboardInterrupt)])
def test_a_reader_that_stays_ends_the_wait_in_a_refusal_and_so_does_ctrl_c(
    own: Lakes, monkeypatch: pytest.MonkeyPatch, patience_s: float, ends: type[BaseException]
) -> None:
    def interrupted(_: float) -> None:
        raise KeyboardInterrupt

    found = some_results(own.study)
    monkeypatch.setattr(db, "PATIENCE_S", 0.0)
    monkeypatch.setattr(store, "PATIENCE_S", patience_s)
    monkeypatch.setattr(time, "sleep", interrupted)
    with runs.held(own.study), pytest.raises(ends):
        store.stored(own.study, "analyse", {}, found)


def test_a_database_that_cannot_be_written_is_refused_before_anything_is_computed(
    own: Lakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read_only(*_: object, **__: object) -> None:
        raise Refused("the database cannot be opened")

    monkeypatch.setattr(db, "writing", read_only)
    monkeypatch.setattr(workers, "_on_this_machine", lambda *_: pytest.fail("it was computed"))
    assert "cannot be opened" in refused(lambda: lake.analyse(own.opened, lake.found(own.folder), ALL))


# What is refused before


def test_a_database_of_another_study_is_refused(own: Lakes, fresh_db: Path) -> None:
    asked = run.Asked(("all",), **LITTLE)
    text = refused(lambda: lake.analyse(fresh_db, lake.found(own.folder), asked))
    assert "the lake is not of this study: its source 1 is file1" in text


@pytest.mark.parametrize(("later", "why"), [
    ("INSERT INTO source BY NAME SELECT * REPLACE (77 AS source_id, 'late.txt' AS name) FROM source "
     "WHERE source_id = 1", "the study has sources that the lake has not: 77 (late.txt)"),
    ("INSERT INTO scorer BY NAME SELECT * REPLACE ('new' AS scorer_id, 'new' AS name) FROM scorer LIMIT 1",
     "table scorer has 4 rows, and 3 in the lake"),
    ("DELETE FROM prediction WHERE pos = (SELECT min(pos) FROM prediction)", "table prediction has"),
], ids=["source", "scorer", "scores"])  # fmt: skip
def test_a_study_that_has_changed_since_the_export_is_refused(own: Lakes, later: str, why: str) -> None:
    asked, of = run.Asked(("pool",), **LITTLE), lake.found(own.folder)
    with db.writing(own.study) as con:
        workers._check_study(con, of, own.study)
        con.execute(later)
    assert why in (text := refused(lambda: lake.analyse(own.study, of, asked)))
    assert "agdb lake export" in text


@pytest.mark.parametrize(("by", "why"), [
    (lake.Workers("spark"), "one of local, ray"), (lake.Workers(address="HEAD:6379"), "cure:  --engine ray"),
    (lake.Workers("ray", n=8), "--workers is of this machine"),
    (lake.Workers(memory="12 apples"), "'12 apples' is no amount of memory"),
])  # fmt: skip
def test_workers_that_there_cannot_be_are_refused(those: Lakes, by: lake.Workers, why: str) -> None:
    of = lake.found(those.folder)
    assert why in refused(lambda: lake.analyse(those.opened, of, ALL, by), UsageError)


def test_a_label_set_without_scores_is_refused(own: Lakes) -> None:
    agdb.open(own.opened).add_labels("none", "maf > 2")
    plan = plan_of(own.opened, run.Asked(("all", "none"), **LITTLE))
    job = job_of(own.folder, plan)
    tasks = workers.tasks_of(lake.found(own.folder), replace(plan, label_sets=plan.label_sets[1:]))
    parts = [run.Part("all", [{"metric": "spearman"}], []), *compute(job, tasks[0]).parts]
    assert "label set none has no association with a score" in refused(lambda: run.assembled(plan, parts))


def test_a_part_of_a_lake_leaves_it_as_it_is(those: Lakes) -> None:
    lake.found(those.folder, verify=True)
    with duckdb.connect(str(those.opened), read_only=True) as con:
        assert con.execute("SELECT count(*) FROM duckdb_views() WHERE view_name = 'variant'").fetchall() == [(1,)]
