"""What is asked of a cluster, and how many workers its nodes hold."""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

from agdb import cluster
from agdb.errors import Refused


@dataclass(frozen=True)
class Wanted:
    """What is asked of a cluster.

    Attributes:
        address: See `agdb.cluster.connect`; None: RAY_ADDRESS, or a cluster of this process.
        workers: Their number; None for as many as the nodes hold.
        cpus, gpus: What each holds of its node, as Ray counts.
    """

    address: str | None = None
    workers: int | None = None
    cpus: float = 1.0
    gpus: float = 0.0

    def __str__(self) -> str:
        return " and ".join(f"{n:g} {name}" for n, name in ((self.cpus, "CPU"), (self.gpus, "GPU")) if n) or "room"


def number(ray: ModuleType, wanted: Wanted, say: Callable[[str], None], *, may_grow: bool) -> int:
    """How many workers to ask for; those that have no room yet wait for it, which is said.

    Args:
        ray: The module, connected.
        wanted: What is asked for.
        say: Who is told.
        may_grow: Whether nodes may join.

    Raises:
        Refused: no node has what a worker needs, and none is waited for.
    """
    nodes = [node for node in ray.nodes() if node["Alive"]]
    now = sum(_room(node["Resources"], wanted) for node in nodes)
    n = now if wanted.workers is None else wanted.workers
    if not now and (wanted.workers is None or not may_grow):
        have = [f"{cluster.name_of(node)} has {node['Resources'].get('CPU', 0):g} CPU and "
                f"{node['Resources'].get('GPU', 0):g} GPU" for node in nodes]  # fmt: skip
        raise Refused(
            f"no node of the cluster has {wanted} for a worker", where="; ".join(have[:5]),
            cure="--cpus-per-actor and --gpus-per-actor: no more than a node has"
            + ("; --actors N to wait for nodes that join" if may_grow else ""),
        )  # fmt: skip
    if now < n:
        say(f"ray: room for {now} of {n} workers now; the others wait for nodes with {wanted}")
    return n


def _room(resources: dict[str, float], wanted: Wanted) -> int:
    """Workers that a node holds."""
    each = {"CPU": wanted.cpus, "GPU": wanted.gpus}
    return min((int(resources.get(name, 0) / n + 1e-9) for name, n in each.items() if n), default=1)
