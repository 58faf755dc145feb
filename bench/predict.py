"""Predict, measured against a made-up AlphaGenome in a process of its own: what share of what it allows is used.

Scores are compared with a plain computation of theirs before any time is shown, and after each case the server's count
of calls with what the case had to ask.
"""

import csv
import os
import tempfile
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import duckdb
from alphagenome.data import genome
from fakes import plain, tracks
from fakes.faults import Plan, flaky, poisoned
from fakes.process import Server
from fakes.sequence import snv
from rows import add_qtls, add_source, add_variants

from agdb import db
from bench.cases import NO_INPUTS, Place
from bench.predict_cases import CASES, FIRST, IN_FLIGHT, MINUTE_S, STEP, TRACKS, prepare, run

Measured = dict[str, Any]
Measure = Callable[[str, list[str]], Measured]

#: Variants that are scored: by calls, and by the predictor that makes none.
FULL, QUICK = (10_000, 200_000), (100, 500)
LATENCY_MS, A_MINUTE = 200, 450
#: How the server behaves in each case.
PLANS = {
    "latency": Plan(latency_ms=LATENCY_MS),
    "latency-sdk": Plan(latency_ms=LATENCY_MS),
    "faulty": Plan(latency_ms=LATENCY_MS, faults=(poisoned(0.01), flaky(0.01))),
    "faulty-sdk": Plan(latency_ms=LATENCY_MS, faults=(poisoned(0.01), flaky(0.01))),
    "quota": Plan(latency_ms=10, quota_per_minute=A_MINUTE, minute_s=MINUTE_S),
    "fast": Plan(),
    "again": Plan(),
    "many": Plan(),
}
#: Calls a second that the server allows, where it is what bounds.
ALLOWED = {
    **dict.fromkeys(("latency", "latency-sdk", "faulty"), IN_FLIGHT * 1000 / LATENCY_MS), "quota": A_MINUTE / MINUTE_S,
}  # fmt: skip


class Bed(NamedTuple):
    """What the cases share: the database, the table of tracks, and the variants in it, as the server names them."""

    stored: Path
    tracks_tsv: Path
    variants: list[str]


def measured(n_rounds: int, *, quick: bool, out: Path, measure: Measure) -> dict[str, list[Measured]]:
    """Make what the cases need, and measure them."""
    sizes = QUICK if quick else FULL
    with tempfile.TemporaryDirectory(dir=out) as folder:
        return rounds(n_rounds, make(Path(folder), max(sizes)), sizes, out, measure)


def make(folder: Path, n: int) -> Bed:
    """A database of n SNVs of the made-up genome, and as many DNASE tracks as AlphaGenome has."""
    stored, tsv = folder / "variants.duckdb", folder / "tracks.tsv"
    rows = [("chr1", FIRST + STEP * i, *snv("chr1", FIRST + STEP * i)) for i in range(n)]
    db.create(stored)
    with db.writing(stored) as con:
        add_source(con, 1)
        add_qtls(con, 1, add_variants(con, rows), [0.5] * n)
    with tracks.DEFAULT.open(encoding="utf-8", newline="") as file:
        k562 = next(row for row in csv.DictReader(file, delimiter="\t") if row["ontology_curie"] == "EFO:0002067")
    others = [f"CL:{i:07}" for i in range(1, TRACKS)]
    with tsv.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, k562.keys(), delimiter="\t")
        writer.writeheader()
        writer.writerow(k562)
        writer.writerows({**k562, "name": f"{curie} DNase-seq", "ontology_curie": curie} for curie in others)
    return Bed(stored, tsv, [f"{chrom}:{pos}:{ref}>{alt}" for chrom, pos, ref, alt in rows])


def verify(server: Server, bed: Bed, work: Path, n: int = 50) -> None:
    """Scores of n variants, as agdb stores them, against the plain computation.

    Raises:
        SystemExit: one differs, or is missing.
    """
    server.set_plan(Plan())
    place = Place(NO_INPUTS, bed.stored, work, server.address, n)
    prepare(place)
    run(place)
    with duckdb.connect(str(work / "study.duckdb"), read_only=True) as con:
        found = con.execute("SELECT chrom::VARCHAR, pos, ref, alt, score FROM score").fetchall()
    wrong = [row for row in found if abs(row[4] - plain.center_score(genome.Variant(*row[:4]))) > 1e-4]
    if len(found) != n or wrong:
        raise SystemExit(f"{len(found)} of {n} variants scored, {len(wrong)} not as computed plainly: {wrong[:3]}")


def rounds(n_rounds: int, bed: Bed, sizes: tuple[int, int], out: Path, measure: Measure) -> dict[str, list[Measured]]:
    """Measurements of every case, with the server's counts in `calls` and `by_code`.

    Raises:
        SystemExit: an answer was wrong, a case found another number than it had to, or a call was wasted.
    """
    results: dict[str, list[Measured]] = {name: [] for name in CASES}
    with tempfile.TemporaryDirectory(dir=out) as folder, Server(tracks_tsv=bed.tracks_tsv) as server:
        verify(server, bed, Path(folder))
        for _ in range(n_rounds):
            for name in CASES:
                n = sizes[name == "many"]
                server.set_plan(PLANS[name])
                server.reset()
                result = measure(name, ["--stored", str(bed.stored), "--server", server.address, "--n", str(n)])
                stats = server.stats()
                result |= {"n": n, "by_code": stats["by_code"],
                           "calls": stats["calls_by_method"].get("ScoreVariant", 0)}  # fmt: skip
                check(name, result, bed.variants[:n])
                if name == "again":
                    result["calls"] = result["found"]  # the others made it ready
                results[name].append(result)
    return results


def check(name: str, result: Measured, variants: Iterable[str]) -> None:
    """Raises SystemExit where a case did not find what it had to, or asked more than it had to."""
    plan, n = PLANS[name], result["n"]
    refused = sum(fault is not None and fault.code == "INVALID_ARGUMENT"
                  for fault in (plan.fault_of("ScoreVariant", variant) for variant in variants))  # fmt: skip
    expected = {"again": 0, "faulty-sdk": 0}.get(name, n - refused)
    if result["found"] != expected:
        raise SystemExit(f"case {name} found {result['found']}, not {expected}")
    again = sum(result["by_code"].get(code, 0) for code in ("UNAVAILABLE", "RESOURCE_EXHAUSTED"))
    if not name.endswith("-sdk") and name != "many" and result["calls"] != n + again:
        raise SystemExit(f"case {name} made {result['calls']} calls for {n} variants and {again} calls that failed")


def table(measured: dict[str, list[Measured]]) -> str:
    """The report, in Markdown."""
    some = next(iter(measured.values()))
    lines = [f"Predict: {some[0]['n']:,} variants by {IN_FLIGHT} calls at a time, {TRACKS} tracks an answer; rounds: "
             f"{len(some)}; {os.cpu_count()} cores; scores equal to a plain computation's."]  # fmt: skip
    group = ""
    for name, case in CASES.items():
        if case.group != group:
            group = case.group
            lines += ["", f"| {group} | variants | median s | min to max | a second | of what is allowed | calls "
                      "| core ms a variant | MiB |", "|---|---:|---:|---:|---:|---:|---:|---:|---:|"]  # fmt: skip
        is_lost = name.endswith("-sdk") and not measured[name][0]["found"]
        label = f"{case.label}: raises, returns nothing" if is_lost else case.label
        lines.append(row(label, measured[name], None if is_lost else ALLOWED.get(name)))
    return "\n".join(lines) + "\n"


def row(label: str, case: list[Measured], allowed: float | None) -> str:
    """One line of the table: medians, but for memory, of which it is the largest seen."""
    seconds, n = [m["seconds"] for m in case], case[0]["n"]
    a_second = f"{n / median(seconds):,.0f}" if case[0]["found"] else ""
    share = "" if allowed is None else f"{n / median(seconds) / allowed:.0%}"
    core_ms = 1000 * median(m["core_seconds"] for m in case) / n
    return (
        f"| {label} | {n:,} | {median(seconds):.2f} | {min(seconds):.2f} to {max(seconds):.2f} "
        f"| {a_second} | {share} | {median(m['calls'] for m in case):,.0f} | {core_ms:.2f} "
        f"| {max(m['peak_mib'] for m in case):.0f} |"
    )
