"""The SLURM array of docs/predict.md, as SLURM would run it: one process a task, killed and submitted again."""

import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
from chaos import Study, agdb, calls, is_whole, study, until
from fakes.faults import Plan
from fakes.process import Server

PAGE = Path(__file__).resolve().parents[1] / "docs" / "predict.md"
TASKS = 3


def script(server: Server) -> str:
    """The batch script of the page with fewer tasks, asking the made-up server."""
    (found,) = re.findall(r"^```text\n(#!/bin/bash\n#SBATCH --array.*?)^```$", PAGE.read_text(), re.M | re.DOTALL)
    (of_array,), (of_shard,) = re.findall(r"--array=1-(\d+)", found), re.findall(r"^N=(\d+)", found, re.M)
    assert of_array == of_shard
    asking = f"dnase-k562 --window 16384 --address {server.address} --insecure"
    return (
        str(found).replace("agdb predict dnase-k562", f"agdb predict {asking}").replace(f"N={of_shard}", f"N={TASKS}")
    )


def task(number: int, folder: Path, server: Server, *, submitted: int) -> subprocess.Popen[str]:
    """A task of the array, of which so many tasks were submitted at once."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    of_slurm = {"SLURM_ARRAY_TASK_ID": str(number), "SLURM_ARRAY_TASK_COUNT": str(submitted)}
    return subprocess.Popen(["bash", "-ec", script(server)], cwd=folder, text=True, stderr=subprocess.PIPE,
                            env={**os.environ, **of_slurm, "PATH": path}, start_new_session=True)  # fmt: skip


def test_the_tasks_of_an_array_make_up_the_whole_though_one_is_killed_and_submitted_again(
    server: Server, template_db: Path, tmp_path: Path
) -> None:
    work: Study = study(template_db, tmp_path / "db", 300)
    assert work.predict(server, "--worklist", tmp_path / "variants.parquet")[0] == 0
    server.set_plan(Plan(latency_ms=100))
    first = task(1, tmp_path, server, submitted=TASKS)
    assert until(lambda: calls(server) > 5)
    os.killpg(first.pid, 9)
    first.communicate()
    lost = calls(server)
    server.set_plan(Plan())
    again = task(1, tmp_path, server, submitted=1)
    for process in [again, *(task(number, tmp_path, server, submitted=TASKS) for number in range(2, TASKS + 1))]:
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0, said
    batches = [str(file) for file in (tmp_path / "results").rglob("batch-*.parquet")]
    assert duckdb.execute("SELECT count(*) FROM read_parquet(?)", [batches]).fetchall() == [(300,)]
    assert "300 variants scored, 0 failed with a reason" in agdb(work, "merge", tmp_path / "results").stderr
    is_whole(work)
    assert calls(server) <= work.n + lost
    assert {file.name for file in tmp_path.glob("results-*.jsonl")} == {f"results-{i}.jsonl" for i in (1, 2, 3)}
