"""A part of an analysis, as one worker computes it: from a lake, in a database of its own, that holds nothing else."""

import resource
import sys
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

import duckdb

from agdb import cluster, db
from agdb.analysis.groups import probing_with_associations
from agdb.analysis.labels import LabelSet
from agdb.analysis.run import Part, Plan, parts
from agdb.errors import AgdbError, Refused
from agdb.lake.manifest import Lake, found
from agdb.lake.opened import narrow, open_database, take_in
from agdb.query import literal


class Job(NamedTuple):
    """What all parts of an analysis share.

    Attributes:
        root, sha256: The lake, and its manifest's sum.
        plan: What is asked for.
        memory: DuckDB's limit, e.g. 1GB; arrays of the rows that are analysed come besides.
        threads: Of a worker.
        versions: Of what computes, where it was asked.
        scratch: Folder for the databases of workers; None for the system's.
    """

    root: str
    sha256: str
    plan: Plan
    memory: str
    threads: int
    versions: dict[str, str]
    scratch: str | None = None


class Task(NamedTuple):
    """A label set in one source, or in all of its sources (source_id None) where it pools them; and their tissues."""

    labels: LabelSet
    source_id: int | None
    tissues: tuple[str | None, ...]

    @property
    def told(self) -> str:
        """In words."""
        return f"{self.labels.name}, {'all tissues' if self.source_id is None else self.tissues[0]}"


class Done(NamedTuple):
    """What a worker found, where, and the most memory that its process has had so far."""

    parts: list[Part]
    node: str
    peak_mib: int


def compute(job: Job, task: Task) -> Done:
    """Compute a part. The same lake and task give the same results on every node, as often as they are computed.

    Raises:
        Refused: versions differ here, the lake is not to be seen from here, or memory is short; the node is named.
    """
    node = cluster.this_node()
    cluster.check_versions(cluster.versions(), job.versions, node)
    try:
        lake, base = _opened(job.root, job.sha256, job.scratch)
        with tempfile.TemporaryDirectory(dir=job.scratch, prefix="agdb-part-") as folder:
            path = Path(folder) / "part.duckdb"
            path.write_bytes(base)
            with db.writing(path, facts=False, memory_limit=job.memory) as con:
                # AGDB_MEMORY is of a command that has the machine to itself, and goes before what `writing` is told
                con.execute(f"SET memory_limit = {literal(job.memory)}; SET threads = {job.threads}")
                found = _computed(con, lake, job.plan, task)
    except duckdb.OutOfMemoryException as error:
        raise Refused(f"memory is short: {str(error).splitlines()[0]}", where=f"node {node}, {task.told}",
                      cure="--memory: more for each worker") from error  # fmt: skip
    except AgdbError as error:
        error.where = f"node {node}" + (f": {error.where}" if error.where else "")
        raise
    return Done(found, node, _peak_mib())


def _computed(con: duckdb.DuckDBPyConnection, lake: Lake, plan: Plan, task: Task) -> list[Part]:
    asked = con.execute(
        "SELECT DISTINCT unnest(computations) FROM scorer "
        "WHERE ($name IS NULL OR name = $name) AND ($window IS NULL OR window_bp = $window)",
        {"name": plan.asked.scorer, "window": plan.asked.window_bp},
    ).fetchall()
    narrow(con, lake, task.tissues, [computation for (computation,) in asked])
    if not con.execute("SELECT 1 FROM label WHERE label = ? LIMIT 1", [task.labels.label]).fetchall():
        return []
    take_in(con)
    with probing_with_associations(con):
        return list(parts(con, plan, task.labels, task.source_id))


@lru_cache(maxsize=1)
def _opened(root: str, sha256: str, scratch: str | None) -> tuple[Lake, bytes]:
    """The lake, and a database over all of it, as bytes: every task of this process begins with those."""
    lake = found(root)
    if lake.sha256 != sha256:
        raise Refused(f"another lake is here: manifest {lake.sha256[:12]}, {sha256[:12]} was asked about",
                      where=root, cure="every node has to see the same files")  # fmt: skip
    with tempfile.TemporaryDirectory(dir=scratch, prefix="agdb-lake-") as folder:
        open_database(lake, path := Path(folder) / "lake.duckdb")
        return lake, path.read_bytes()


def _peak_mib() -> int:
    """Peak resident memory of this process: VmHWM, since ru_maxrss remembers the process that this one is forked of."""
    try:
        return int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) >> 10
    except (OSError, IndexError):  # macOS, where ru_maxrss counts bytes
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> (20 if sys.platform == "darwin" else 10)
