"""A cluster of Ray: connecting to it, and refusing one on whose nodes the same code would not run.

Ray schedules, retries and moves data. It is imported when a cluster is asked for, and nowhere else at import time.
"""

import os
import platform
import signal
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

from agdb.errors import AgdbError, Refused

#: Seconds in which an address has to answer, and in which a task of no work has to have run on every node.
PATIENCE_S, NODE_PATIENCE_S = 5.0, 90.0

#: What has to be the same on every node, since it computes.
_SAME = ("ray", "agdb", "duckdb", "numpy")

#: A way to write an address that names no host: any cluster of this machine, or one that is started for this command.
_NAMELESS = ("auto", "local")


def address_of(given: str | None) -> str:
    """What `--ray-address` means where nothing is given: RAY_ADDRESS, else a cluster of this process."""
    return given or ("auto" if os.environ.get("RAY_ADDRESS") else "local")


@contextmanager
def connect(address: str = "auto") -> Iterator[ModuleType]:
    """Connect to a cluster and give the module `ray`; disconnect at the end.

    A process that is connected already (a notebook's) stays so, and its cluster is taken.

    Args:
        address: auto (RAY_ADDRESS, else the cluster of this machine), local (a cluster of this process), HOST:PORT, or
            ray://HOST:PORT.

    Raises:
        Refused: Ray is not installed, nobody answers at the address, or a node has other versions of Python, Ray or
            agdb; the node is named.
    """
    ray = _ray()
    if ray.is_initialized():
        _same_on_all_nodes(ray)
        yield ray
        return
    try:
        with _signals_kept():
            _init(ray, address)
        _same_on_all_nodes(ray)
        yield ray
    finally:
        ray.shutdown()


def versions() -> dict[str, str]:
    """What computes in this process, by name: Python and what stands in `_SAME`; "none" where it is not installed."""
    found = {"Python": ".".join(platform.python_version_tuple()[:2])}
    for name in _SAME:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "none"
    return found


def check_versions(theirs: dict[str, str], ours: dict[str, str], node: str) -> None:
    """Refuse a node that computes with other versions than the one that asks.

    Raises:
        Refused: they differ; the node and what differs are named.
    """
    differ = [f"{name} {theirs.get(name)} there, {ours[name]} here" for name in ours if theirs.get(name) != ours[name]]
    if differ:
        raise Refused(
            f"versions differ: {'; '.join(differ)}", where=f"node {node}",
            cure="install the same versions on every node: pip install 'agdb[ray]' with one file of constraints",
        )  # fmt: skip


def this_node() -> str:
    """How errors name the machine of this process."""
    return socket.gethostname()


def name_of(node: Mapping[str, Any]) -> str:
    """How errors name a node, which is one of `ray.nodes()`: several may run on one machine."""
    return f"{node['NodeManagerHostname']} ({node['NodeManagerAddress']}, {node['NodeID'][:8]})"


def of_task(error: BaseException) -> BaseException:
    """What a task raised, out of Ray's wrapping; what Ray itself says where no task did."""
    cause = getattr(error, "cause", None)
    return cause if isinstance(cause, AgdbError) else error


def _ray() -> ModuleType:
    # a task that asks for no GPU leaves CUDA_VISIBLE_DEVICES alone, and Ray need not say that it will one day
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    # log_to_driver=False leaves out what workers print; what nodes say of them, Ray would still print on stdout
    os.environ.setdefault("RAY_DEDUP_LOGS_SKIP_REGEX", ".")
    try:
        import ray
    except ImportError as error:
        raise Refused("Ray is not installed", cure="pip install 'agdb[ray]', or --engine local") from error
    return ray


def _init(ray: ModuleType, address: str) -> None:
    _answers(os.environ.get("RAY_ADDRESS", "") if address == "auto" else address)
    # what tasks print is not this command's answer, which stands on stdout: Ray keeps it in its logs
    options: dict[str, Any] = {"logging_level": "ERROR", "log_to_driver": False}
    if address == "local":
        options["include_dashboard"] = False
    try:
        ray.init(address=address, **options)
    except (OSError, RuntimeError, ValueError) as error:  # OSError: ConnectionError and TimeoutError too
        why = " ".join(str(error).split())
        cure = "the same Python and Ray as the cluster's" if "ersion" in why else "ray start --head; ray status"
        raise Refused(f"cannot connect to the cluster: {why}", where=address, cure=cure) from error


@contextmanager
def _signals_kept() -> Iterator[None]:
    """Whoever handles SIGINT and SIGTERM goes on to do so: `ray.init` puts a handler of its own in place."""
    is_main = threading.current_thread() is threading.main_thread()
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM) if is_main}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _answers(address: str) -> None:
    """Refuse an address where nobody listens: Ray itself would try for minutes, or end the process."""
    host, colon, port = address.rpartition("://")[2].rstrip("/").rpartition(":")
    if not address or address in _NAMELESS:
        return
    if not (colon and port.isdecimal()):
        raise Refused(
            "this is no address of a cluster", where=address, cure="auto, local, HOST:PORT or ray://HOST:PORT"
        )
    try:
        socket.create_connection((host, int(port)), PATIENCE_S).close()
    except (OSError, OverflowError) as error:
        why = str(error) or type(error).__name__
        raise Refused(
            f"nobody answers: {why}", where=address,
            cure="ray start --head prints the address of a cluster; is its port open to this machine?",
        ) from error  # fmt: skip


def _same_on_all_nodes(ray: ModuleType) -> None:
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ask = ray.remote(num_cpus=0, max_retries=1)(versions)
    nodes = _alive(ray)
    asked = {
        node_id: ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node_id, soft=False)).remote()
        for node_id in nodes
    }
    ours = versions()
    for node_id, answer in asked.items():
        node = nodes[node_id]
        try:
            theirs = ray.get(answer, timeout=NODE_PATIENCE_S)
        except ray.exceptions.RayError as error:
            with suppress(ray.exceptions.RayError):
                ray.cancel(answer, force=True)
            if node_id not in _alive(
                ray
            ):  # it had died before, which takes a while to be known: nothing will run there
                continue
            why = [line for line in str(error).strip().splitlines() if line.strip()]
            raise Refused(
                f"a node runs no task of agdb: {why[-1].strip() if why else type(error).__name__}",
                where=f"node {node}", cure="install agdb there, in the environment that Ray was started from",
            ) from error  # fmt: skip
        check_versions(theirs, ours, node)


def _alive(ray: ModuleType) -> dict[str, str]:
    """The names of the nodes that are thought to be alive, by their ids."""
    return {node["NodeID"]: name_of(node) for node in ray.nodes() if node["Alive"]}
