"""Counts: what was lost between the file and the analysis, and how variants lie in peaks."""

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from agdb import plots
from agdb.analysis.groups import Group
from agdb.analysis.rows import query
from agdb.errors import Refused
from agdb.figures.choice import Choice, Drawn, one, one_group, rows, table, title
from agdb.statistics import wilson_interval

#: Distance to a summit in bp to which the figure goes at most: a few peaks over gaps are millions of bases wide.
FURTHEST = 1000


def funnel(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """Rows of the file, associations, usable, scored, analysed: in and outside peaks, with the reasons of what is lost.

    Raises:
        UsageError: nothing matches, or several do.
    """
    group = one_group(con, choice)
    scorer = group.scorers[0]
    # constants, which go below the view's counting; what a subquery gives does not: all 49 tissues would be counted
    of_source = f"WHERE source_id IN ({', '.join(map(str, group.source_ids))})"
    read = con.execute(f"SELECT sum(rows_read)::BIGINT FROM source {of_source}").fetchall()[0][0]
    rejected = con.execute(f"SELECT reason, count(*) FROM rejected {of_source} GROUP BY reason ORDER BY reason")
    lost = rejected.fetchall()
    fates = rows(table(con, f"SELECT * FROM association_fate {of_source} AND scorer_id = ? ORDER BY ALL",
                       [scorer.scorer_id]))  # fmt: skip
    analysed = rows(
        table(con, f"SELECT stratum_0 AS side, count(*) AS n FROM ({query(group, {'peak': _SIDE})}) GROUP BY ALL")
    )
    scored = [f for f in fates if f["fate"] == "scored"]
    stages = [] if read is None else [plots.Stage("rows of the file", 0, 0, read)]
    stages += [
        plots.Stage("associations kept", *_sides(fates), lost),
        plots.Stage("usable", *_sides([f for f in fates if f["fate"] != "not usable"]), _lost(fates, "not usable")),
        plots.Stage(f"scored by {scorer.name}\n({scorer.window_bp:,} bp)", *_sides(scored), _lost(fates, "not scored")),
        plots.Stage(f"analysed:\nlabel set {group.labels.name}", *(sum(a["n"] for a in analysed if a["side"] == side)
                                                                 for side in ("in", "out", "unknown"))),
    ]  # fmt: skip
    gone = stages[-2].n - stages[-1].n
    if gone > 0:
        stages[-1] = stages[-1]._replace(lost=[(_why(group), gone)])
    data = [{"stage": s.name.replace("\n", " "), "n": s.n, "in_peak": s.in_peak, "outside": s.outside,
             "not_known": s.unknown, "lost": "; ".join(f"{n:,} {why}" for why, n in s.lost)}
            for s in stages]  # fmt: skip
    note = "To the right: what was lost at each stage, and why." if any(s.lost for s in stages) else ""
    told = f"of {stages[0].n:,} rows, {stages[-1].n:,} are analysed"
    figure = plots.funnel(stages, title=title(group), told=told, note=note)
    said = ", ".join(f"{d['stage']} {d['n']:,}" for d in data)
    return Drawn("funnel", figure, pa.Table.from_pylist(data), f"{group.source}: {said}")


#: Where an analysed row's variant lies; as a stratum, which NULL would be in none of.
_SIDE = "CASE WHEN in_peak THEN 'in' WHEN NOT in_peak THEN 'out' ELSE 'unknown' END"


def _sides(fates: list[dict[str, Any]]) -> tuple[int, int, int]:
    inside, outside, unknown = (sum(f["n"] for f in fates if f["in_peak"] is side) for side in (True, False, None))
    return inside, outside, unknown


def _lost(fates: list[dict[str, Any]], fate: str) -> list[tuple[str, int]]:
    lost: dict[str, int] = {}
    for f in fates:
        if f["fate"] == fate:
            lost[f["reason"]] = lost.get(f["reason"], 0) + f["n"]
    return list(lost.items())


def _why(group: Group) -> str:
    s = group.labels
    reasons = [f"not {s.condition}"] if s.condition else []
    if s.unit == "variant":
        reasons.append("not the strongest association of its variant")
    elif s.is_pooled:
        reasons.append("held by another source of its tissue")
    return " or ".join(reasons) or f"no {s.label}"


def overlap(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """Candidate variants by the number of peaks that they lie in, and their distance to the nearest summit.

    Raises:
        Refused: no peaks, or no variant on a chromosome with peaks.
    """
    found = rows(table(con, "SELECT * FROM peaks_per_variant WHERE assembly = coalesce(?, assembly) "
                            "ORDER BY assembly, n_peaks", [choice.assembly]))  # fmt: skip
    if not found:
        raise Refused(
            "no variant lies on a chromosome with peaks", cure="agdb ingest peaks FILE; agdb status shows both"
        )
    known = list(dict.fromkeys(r["assembly"] for r in found))
    assembly = one(known, lambda a: f"--assembly {a}", "assemblies")
    total = sum(r["n"] for r in found)
    shares = []
    for name, n in _few(found):
        interval = wilson_interval(n, total)
        shares.append((name, plots.Estimate(n, n / total, float(interval.low), float(interval.high))))
    bins = rows(
        table(con, "SELECT distance_start, n FROM summit_distance_bin WHERE assembly = ? ORDER BY 1", [assembly])
    )
    edges, counts, beyond = _summits(bins)
    biosamples = con.execute("SELECT string_agg(DISTINCT biosample, ', ' ORDER BY biosample) FROM peak_bin "
                             "WHERE kind = 'peaks' AND assembly = ?", [assembly]).fetchall()[0][0]  # fmt: skip
    inside = total - sum(r["n"] for r in found if r["n_peaks"] == 0)
    figure = plots.overlap(
        shares, edges, counts, title=f"Variants in peaks of {biosamples}, {assembly}",
        told=f"n = {total:,} candidate variants of chromosomes with peaks; {inside:,} ({inside / total:.1%}) in one",
        note="Intervals: Wilson (left), Poisson (right), of independent variants."
             + (f" {beyond:,} variants are further from a summit than is drawn." if beyond else ""),
    )  # fmt: skip
    data = [{"what": "peaks", "from": float(r["n_peaks"]), "to": float(r["n_peaks"]), "n": r["n"]} for r in found]
    data += [{"what": "summit distance", "from": float(b["distance_start"]), "to": float(b["distance_start"] + 25),
              "n": b["n"]} for b in bins]  # fmt: skip
    return Drawn("overlap", figure, pa.Table.from_pylist(data),
                 f"{inside:,} of {total:,} variants ({inside / total:.1%}) lie in a peak")  # fmt: skip


def _few(found: list[dict[str, Any]], most: int = 5) -> list[tuple[str, int]]:
    """Numbers of peaks; those beyond `most` together."""
    by = {r["n_peaks"]: r["n"] for r in found}
    low = [(str(k), by.get(k, 0)) for k in range(min(max(by), most - 1) + 1)]
    rest = sum(n for k, n in by.items() if k >= most)
    return [*low, (f"{most} or more", rest)] if rest else low


def _summits(bins: list[dict[str, Any]]) -> tuple[Any, Any, int]:
    """Edges and counts up to where 99 % of the variants are, or FURTHEST; and how many are beyond."""
    if not bins:
        return np.zeros(0), np.zeros(0), 0
    start, n = np.array([b["distance_start"] for b in bins]), np.array([b["n"] for b in bins], float)
    last = min(start[np.searchsorted(np.cumsum(n), 0.99 * n.sum())], FURTHEST - 25)
    counts = np.zeros(int(last) // 25 + 1)
    kept = start <= last
    counts[start[kept] // 25] = n[kept]
    return np.arange(len(counts) + 1) * 25.0, counts, int(n[~kept].sum())
