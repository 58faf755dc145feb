"""Predict on a cluster, measured against a made-up AlphaGenome: what share of what it allows do its workers use?

All nodes are this machine, which the server and the run share: where its cores end it, a case says so. The clock runs
from when all workers are ready to the merged database. `python -m bench.ray_cases ...` is one case, in a fresh process.
"""

import argparse
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, NamedTuple

from fakes.faults import Plan
from fakes.process import Server

from bench import predict
from bench.predict import A_MINUTE, Measured
from bench.predict_cases import MINUTE_S, WINDOW_BP, scorer
from bench.rounds import told_by

if TYPE_CHECKING:
    from agdb.predict.cluster import Workers
    from agdb.predictors.contract import Computation

#: Calls in flight of each worker; and seconds for which a case would last at what the server allows.
IN_FLIGHT, FULL_S, QUICK_S = 16, 40.0, 2.0
#: Variants of the case that nothing but the cores bounds.
FULL_N, QUICK_N = 20_000, 200


class Case(NamedTuple):
    """So many workers (0: in the process of the run) against a server that does so; and calls a second it allows."""

    label: str
    workers: int
    plan: Plan
    allowed: float | None


def _latency(workers: int, ms: int) -> Case:
    label = f"{workers} x {IN_FLIGHT} calls in flight" if workers else f"--engine local, {IN_FLIGHT} calls in flight"
    return Case(f"{label}, {ms} ms each", workers, Plan(latency_ms=ms), max(1, workers) * IN_FLIGHT * 1000 / ms)


CASES = {
    "local": _latency(0, 500),
    **{f"latency-{n}": _latency(n, 500) for n in (1, 2, 4, 8)},
    "quota": Case(f"4 workers, a quota of {A_MINUTE} in {MINUTE_S:g} s", 4,
                  Plan(latency_ms=10, quota_per_minute=A_MINUTE, minute_s=MINUTE_S), A_MINUTE / MINUTE_S),
    "cores": Case("8 workers, no latency: what the cores allow", 8, Plan(), None),
}  # fmt: skip

#: Those of them that show whether it runs.
QUICK = ("local", "latency-2", "quota")


def size(case: Case, *, quick: bool) -> int:
    """Variants that a case scores."""
    if case.allowed is None:
        return QUICK_N if quick else FULL_N
    return int(case.allowed * (QUICK_S if quick else FULL_S))


def measured(n_rounds: int, *, quick: bool, out: Path) -> dict[str, list[Measured]]:
    """Measurements of every case, with the server's counts.

    Raises:
        SystemExit: a score was missing or wrong, or a call was wasted.
    """
    cases = {name: case for name, case in CASES.items() if not quick or name in QUICK}
    results: dict[str, list[Measured]] = {name: [] for name in cases}
    with tempfile.TemporaryDirectory(dir=out) as folder, nodes() as address:
        work = Path(folder).resolve()
        bed = predict.make(work, max(size(case, quick=quick) for case in cases.values()))
        with Server(tracks_tsv=bed.tracks_tsv) as server:
            predict.verify(server, bed, work)
            for _ in range(n_rounds):
                for name, case in cases.items():
                    n = size(case, quick=quick)
                    server.set_plan(case.plan)
                    server.reset()
                    result = fresh(name, [address, server.address, str(bed.stored), str(n), str(work)])
                    by_code = server.stats()["by_code"]
                    refused = by_code.get("RESOURCE_EXHAUSTED", 0)
                    if (result["scored"], result["calls"]) != (n, n + refused):
                        raise SystemExit(f"case {name}: {result} for {n} variants, {refused} refused for the quota")
                    results[name].append({**result, "n": n, "refused": refused})
    return results


@contextmanager
def nodes() -> Iterator[str]:
    """The address of a cluster of four nodes with two cores each, so it is told."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    from ray.cluster_utils import Cluster

    made: Any = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        for _ in range(4):
            made.add_node(num_cpus=2)
        yield made.address
    finally:
        made.shutdown()


def fresh(name: str, given: list[str]) -> Measured:
    """Measure a case in a fresh process."""
    return told_by([sys.executable, "-m", "bench.ray_cases", name, *given], f"ray: {name}")


def table(measured: dict[str, list[Measured]]) -> str:
    """The report, in Markdown: medians."""
    some = next(iter(measured.values()))
    lines = [f"Predict on a cluster of Ray, all of it on this machine: {os.cpu_count()} cores for nodes, run and "
             f"server; rounds: {len(some)}; scores equal to a plain computation's.", "",
             "| case | variants | median s | a second | of what is allowed | refused | core ms a variant, of the run "
             "alone |", "|---|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
    for name, of in measured.items():
        case, n = CASES[name], of[0]["n"]
        rate = n / median(m["seconds"] for m in of)
        share = "" if case.allowed is None else f"{rate / case.allowed:.0%}"
        lines.append(f"| {case.label} | {n:,} | {n / rate:.1f} | {rate:,.0f} | {share} "
                     f"| {median(m['refused'] for m in of):,.0f} "
                     f"| {1000 * median(m['core_seconds'] for m in of) / n:.2f} |")  # fmt: skip
    return "\n".join(lines) + "\n"


class Ready:
    """Workers that are ready: a run need not wait for them."""

    def __init__(self, workers: "Workers") -> None:
        self._tracks = workers.tracks()
        self.computation, self.software, self.batch_size = workers.computation, workers.software, workers.batch_size
        self.score, self.cancel, self._workers = workers.score, workers.cancel, workers

    @property
    def in_flight(self) -> int:
        """As the workers say."""
        return self._workers.in_flight

    def tracks(self) -> Any:
        """As the workers said."""
        return self._tracks


def one(case: Case, address: str, server: str, stored: Path, n: int, work: Path) -> Measured:
    """Score n variants: seconds, and what the run counted."""
    from agdb.predict import cluster, run
    from agdb.predict.capacity import Wanted
    from agdb.predict.provider import Who
    from agdb.predict.work import Choice
    from bench.measure import core_seconds
    from bench.predict_cases import FIRST, STEP

    database = Path(shutil.copyfile(stored, work / "study.duckdb"))
    who = Who(genome_of=_no_genome, addresses=[server], insecure=True, in_flight=IN_FLIGHT)
    summary, talk, asked = run.Summary(), run.Talk(), scorer()
    of = who.predictor(asked)
    if case.workers:
        of = cluster.predictors(Wanted(address, case.workers), who, asked, talk, summary, 120.0)
    with of(asked.of) as found:
        predictor: Any = Ready(found) if case.workers else found  # type: ignore[arg-type]
        while (summary.workers or 0) < case.workers:
            time.sleep(0.05)

        @contextmanager
        def ready(_: "Computation") -> Iterator[Any]:
            yield predictor

        settings = run.Settings(Choice(where=f"pos < {FIRST + STEP * n}"), window_s=MINUTE_S)
        began, cores = time.perf_counter(), core_seconds()
        run.run(run.Place(database), asked, ready, settings, talk, summary)
        seconds, cores = time.perf_counter() - began, core_seconds() - cores
    return {"seconds": seconds, "core_seconds": cores, "scored": summary.scored, "calls": summary.calls}


def _no_genome(assembly: str | None) -> Any:
    raise AssertionError(f"the scorer at {WINDOW_BP} bp reads no genome")


def main() -> None:
    """Entry of `python -m bench.ray_cases`."""
    parser = argparse.ArgumentParser(description="One case, in this process.")
    parser.add_argument("name", choices=CASES)
    for what, kind in {"address": str, "server": str, "stored": Path, "n": int, "work": Path}.items():
        parser.add_argument(what, type=kind)
    args = parser.parse_args()
    print(json.dumps(one(CASES[args.name], args.address, args.server, args.stored, args.n, args.work)))


if __name__ == "__main__":
    main()
