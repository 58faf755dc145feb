"""Distributions: scores by kind of variant, effects by distance to the transcription start, p-values against chance."""

from itertools import pairwise
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from agdb import plots
from agdb.analysis.rows import query
from agdb.errors import Refused, UsageError
from agdb.figures import stored
from agdb.figures.choice import Choice, Drawn, floats, one, one_group, rows, table, title
from agdb.statistics.line import order_statistic_interval

#: Bins of a histogram of scores.
BINS = 80

#: Edges of bins of pos - TSS in bp, the field's (3, 12, 35 kb) to both sides.
DISTANCES = (-100_000, -35_000, -12_000, -3_000, 0, 3_000, 12_000, 35_000, 100_000)

#: McGill, Tukey & Larsen 1978 (Am. Stat. 32:12): a 95 % interval of a median is about median -+ 1.57 IQR / sqrt(n).
NOTCH = 1.57
_NOTCH_TOLD = "Intervals of medians: 1.57 IQR / sqrt(n) (McGill 1978), of independent rows. Pale: quartiles."


def scores(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """Scores of the variants of a label set, by kind of variant; of a scorer of genes, of its variants with each gene.

    Raises:
        UsageError: nothing matches, or several do.
    """
    group = one_group(con, choice)
    scorer = group.scorers[0]
    of_genes = bool(con.execute(
        "SELECT 1 FROM prediction WHERE gene_id IS NOT NULL AND computation_id IN "
        "(SELECT unnest(computations) FROM scorer WHERE scorer_id = ?) LIMIT 1", [scorer.scorer_id]
    ).fetchall())  # fmt: skip
    by = {"kind": "kind", "gene": "gene_key(gene_id)" if of_genes else "NULL"}
    data, kinds = _histograms(con, f"SELECT DISTINCT chrom, pos, ref, alt, stratum_0 AS kind, stratum_1 AS gene, "
                                   f"score_0 AS score FROM ({query(group, by)})")  # fmt: skip
    low, high = min(k["low"] for k in kinds), max(k["high"] for k in kinds)
    edges = np.linspace(low, low + max(high - low, 1e-12), BINS + 1)
    counts = {k["kind"]: np.zeros(BINS) for k in kinds}
    for row in rows(data):
        counts[row["kind"]][row["bin"]] = row["n"]
    found = [plots.Histogram(k["kind"], counts[k["kind"]], _median(k["n"], k["q"]), k["q"][0], k["q"][2])
             for k in kinds]  # fmt: skip
    figure = plots.scores(
        found, edges, x_label=f"{scorer.name} score, ALT against REF ({scorer.window_bp:,} bp)",
        title=f"{group.tissue}: scores of the variants of {group.source}, by kind of variant",
        what="pairs of variant and gene" if of_genes else "variants",
        note=f"{_NOTCH_TOLD} Each variant counts once{' a gene' if of_genes else ''}.",
    )  # fmt: skip
    said = ", ".join(f"{h.name} {h.median.value:.3g} (n = {h.median.n:,})" for h in found)
    of = f"medians of {scorer.name} at {scorer.window_bp:,} bp{', pairs of variant and gene' if of_genes else ''}"
    return Drawn("scores", figure, data, f"{of}: {said}")


def _histograms(con: duckdb.DuckDBPyConnection, variants: str) -> tuple[pa.Table, list[dict[str, Any]]]:
    """Of the variants of a query: how many are in each bin by kind; by kind how many, quartiles and range."""
    con.execute(f"CREATE OR REPLACE TEMP TABLE variant_drawn AS {variants}")
    try:
        data = table(
            con,
            f"""
            WITH r AS (SELECT min(score) AS low, greatest(max(score) - low, 1e-12) AS width FROM variant_drawn)
            SELECT kind, least(floor((score - low) / width * {BINS}), {BINS} - 1)::INTEGER AS bin,
                   low + bin * width / {BINS} AS score_low, low + (bin + 1) * width / {BINS} AS score_high,
                   count(*) AS n
            FROM variant_drawn, r GROUP BY ALL ORDER BY kind, bin""",
        )
        kinds = table(
            con,
            "SELECT kind, count(*) AS n, quantile_cont(score, [0.25, 0.5, 0.75]) AS q, min(score) AS low, "
            "max(score) AS high FROM variant_drawn GROUP BY kind ORDER BY n DESC, kind",
        )
    finally:
        con.execute("DROP TABLE variant_drawn")
    return data, rows(kinds)


def _median(n: int, quartiles: list[float]) -> plots.Estimate:
    half = NOTCH * (quartiles[2] - quartiles[0]) / np.sqrt(n)
    return plots.Estimate(n, quartiles[1], quartiles[1] - half, quartiles[1] + half)


def distance(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """Size of the effects by distance of the variant to the transcription start, and the correlation there.

    Raises:
        UsageError: nothing matches, or several do.
        Refused: no distance is known.
    """
    group = one_group(con, choice)
    n_at_or_above = " + ".join(f"(tss_distance >= {edge})::INTEGER" for edge in DISTANCES)
    data = table(
        con,
        f"SELECT {n_at_or_above} AS bin, count(*) AS n, "
        "quantile_cont(abs(effect - ?), [0.25, 0.5, 0.75]) AS q "
        f"FROM ({query(group, {})}) GROUP BY ALL ORDER BY bin",
        [group.null_value],
    )
    counted = rows(data)
    n_rows, found = sum(r["n"] for r in counted), [r for r in counted if r["bin"] is not None]
    if not found:
        cure = "agdb ingest genes FILE: the distance of each gene's TSS, where the QTL table has none"
        raise Refused(f"no distance to a transcription start is known for {group.source}", cure=cure)
    names = names_of_distances()
    bins = [plots.DistanceBin(names[r["bin"]], _median(r["n"], r["q"]), r["q"][0], r["q"][2]) for r in found]
    metric = "spearman" if group.scorers[0].is_signed else "abs_spearman"
    same = stored.runs_of(con, group, metric, n_rows)
    by = [r for r in stored.results(con, group, metric, "tss_distance")
          if r["estimate"] is not None and r["run_id"] in same]  # fmt: skip
    scorer = group.scorers[0]
    what = f"{scorer.name} ({scorer.window_bp:,} bp)"
    absent = "Correlations of these rows by distance are not stored yet: agdb stats."
    below = f"Below: {what}. {stored.told(by[0])}" if by else absent
    n = sum(r["n"] for r in found)
    less = "" if group.null_value == 0 else f" - {group.null_value:g}"
    figure = plots.distance(
        bins, [(r["stratum"], stored.estimate(r)) for r in by],
        y_label=f"median |{group.labels.label}{less}|, in {group.effect_unit or 'its unit'}",
        title=title(group), told=f"n = {n:,} associations with a known distance", note=f"Above: {_NOTCH_TOLD} {below}",
    )  # fmt: skip
    columns = pa.Table.from_pylist([
        {"distance": b.name, "n": b.median.n, "effect_abs_median": b.median.value, "ci_low": b.median.low,
         "ci_high": b.median.high, "effect_abs_q1": b.lower_quartile, "effect_abs_q3": b.upper_quartile} for b in bins
    ])  # fmt: skip
    top = max(bins, key=lambda b: b.median.value)
    said = f"largest median {top.median.value:.3g} at {top.name}"
    return Drawn("distance", figure, columns, f"|effect| by distance to the TSS of {group.source}, n = {n:,}: {said}")


def names_of_distances() -> list[str]:
    """Of the bins between DISTANCES, and of the two beyond."""
    kb = [f"{edge / 1000:g}" for edge in DISTANCES]
    return [f"< {kb[0]} kb", *(f"{a} to {b} kb" for a, b in pairwise(kb)), f">= {kb[-1]} kb"]


def _source(con: duckdb.DuckDBPyConnection, choice: Choice) -> dict[str, Any]:
    """The QTL source that is meant. Raises as `qq`."""
    found = rows(table(con, "SELECT source_id, name, tissue FROM source SEMI JOIN qtl USING (source_id) "
                            "ORDER BY source_id"))  # fmt: skip
    if not found:
        raise Refused("no QTL table has been read yet", cure="agdb ingest gtex FILE, or another: agdb ingest --help")
    kept = [s for s in found if choice.source_id in (None, s["source_id"])]
    if not kept:
        there = " or ".join(str(s["source_id"]) for s in found)
        raise UsageError(f"source {choice.source_id} is no QTL source", cure=f"--source {there}")
    return one(kept, lambda s: f"--source {s['source_id']}   ({s['name']})", "QTL sources")


def qq(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """Nominal p-values of a QTL source against chance, in and outside peaks.

    Raises:
        UsageError: no source matches, or several do.
        Refused: there is none.
    """
    source = _source(con, choice)
    data = table(con, "SELECT side, n, nth, p, expected FROM p_value_quantile WHERE source_id = ? ORDER BY side, nth",
                 [source["source_id"]])  # fmt: skip
    if not data.num_rows:
        raise UsageError(f"{source['name']} has no p-values", cure="choose another source: agdb status")
    sides = np.array(data["side"].to_pylist())
    p, n, nth = (floats(data, name) for name in ("p", "n", "nth"))
    most = float(p.max())
    # a file of significant pairs holds no large p-values: among those it holds, chance is uniform up to the largest
    top = most if most < 0.5 else 1.0
    lowest = np.nextafter(0, 1)
    groups = []
    for side in dict.fromkeys(sides):
        own = sides == side
        chance = order_statistic_interval(nth[own], n[own])
        drawn = (floats(data, "expected")[own] * top, p[own], chance.high * top, chance.low * top)
        lines = [-np.log10(np.maximum(v, lowest)) for v in drawn]
        groups.append(plots.Quantiles(str(side), int(n[own][0]), *lines))
    held = "" if top == 1 else f" The file holds no p-value above {most:.3g}: chance is uniform up to there."
    zero = " p-values of 0 are drawn at the smallest number there is." if p.min() == 0 else ""
    total = sum(g.n for g in groups)
    told = f"nominal p-values of {source['name']}, n = {total:,}; the smallest {p.min():.3g}"
    figure = plots.qq(
        groups,
        title=f"{source['tissue']}: p-values of {source['name']}",
        told=f"n = {total:,} associations",
        note=f"Band: of independent p-values, which those of one locus are not.{held}{zero}",
    )
    return Drawn("qq", figure, data, told)
