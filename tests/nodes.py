"""A cluster of Ray whose nodes all are this machine: what the tests of predict on a cluster share."""

import json
import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

os.environ |= {"RAY_USAGE_STATS_ENABLED": "0", "RAY_DEDUP_LOGS_SKIP_REGEX": "."}


@contextmanager
def cluster(*cores: int) -> Iterator[Any]:
    """A cluster with a node of so many cores each, besides a head of none: nothing runs there, and it stays."""
    from ray.cluster_utils import Cluster

    made: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        for n in cores:
            made.add_node(num_cpus=n)
        yield made
    finally:
        import ray

        ray.shutdown()  # this process first, where it is connected
        made.shutdown()


def workers(of: Any) -> list[int]:
    """Processes that are workers of predict on a cluster: their parents are its nodes."""
    found = []
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            if folder.name.isdecimal() and (folder / "cmdline").read_bytes().startswith(b"ray::Worker"):
                parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
                if of.address in Path(f"/proc/{parent}/cmdline").read_text():
                    found.append(int(folder.name))
    return found


def kill(pid: int) -> None:
    """End a process, as the system does when memory is short."""
    os.kill(pid, signal.SIGKILL)


def events(log: Path) -> Sequence[dict[str, Any]]:
    """What a run has logged by now."""
    return [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
