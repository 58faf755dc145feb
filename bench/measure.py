"""One case in this process, which does nothing else: `python -m bench.measure CASE ...` prints time, memory, answer.

Time: wall clock around the case alone, after its imports and preparations; and the seconds that all its threads and
programs spent on a core, which hardly change when others use the machine too. Memory: the peak of this process, or of
the program that it started, whichever is larger (Linux: VmHWM, since ru_maxrss of a process remembers the one it was
forked from); and how far that lies above what was resident when the clock started.
"""

import argparse
import json
import resource
import sys
import tempfile
import time
from pathlib import Path

from bench import lake_cases, overlap_cases, predict_cases, scale_cases, sequence_cases, stats_cases
from bench.cases import CASES, NO_INPUTS, Found, Inputs, Place

ALL = {
    **CASES, **overlap_cases.CASES, **sequence_cases.CASES, **stats_cases.CASES, **predict_cases.CASES,
    **scale_cases.CASES, **lake_cases.CASES,
}  # fmt: skip


def peak_mib() -> float:
    """Peak resident memory of this process."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:  # no /proc: macOS, where ru_maxrss counts bytes
        scale = 2**20 if sys.platform == "darwin" else 2**10
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def children_mib() -> float:
    """Peak resident memory of the largest program that this process started and saw the end of; 0 without one."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def core_seconds() -> float:
    """Seconds on a core so far: this process, its threads, and the programs that it saw the end of."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(u.ru_utime + u.ru_stime for u in used)


def measure(name: str, place: Place) -> dict[str, float | Found]:
    """Run the case and report on it."""
    case = ALL[name]
    if case.prepare:
        case.prepare(place)
    before, cores = peak_mib(), core_seconds()
    start = time.perf_counter()
    found = case.run(place)
    seconds = time.perf_counter() - start
    cores = core_seconds() - cores
    peak = max(peak_mib(), children_mib())
    return {
        "seconds": seconds, "core_seconds": cores, "peak_mib": peak, "beyond_start_mib": max(peak - before, 0.0),
        "found": found,
    }  # fmt: skip


def main() -> None:
    """Entry of `python -m bench.measure`."""
    parser = argparse.ArgumentParser()
    parser.add_argument("case", choices=ALL)
    parser.add_argument("--inputs", type=Path, nargs=len(Inputs._fields), default=NO_INPUTS)
    parser.add_argument("--stored", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--server", default="", help="address, for the cases of predict")
    parser.add_argument("--n", type=int, default=0, help="variants that the cases of predict score")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(dir=args.work) as work:
        place = Place(Inputs(*args.inputs), args.stored, Path(work), args.server, args.n)
        print(json.dumps(measure(args.case, place)))


if __name__ == "__main__":
    main()
