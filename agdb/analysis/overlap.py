"""Do the variants lie in the peaks more often than chance? Peaks shifted round their chromosomes say what chance is."""

from typing import Any

import duckdb
import numpy as np
from numpy.typing import NDArray

from agdb.analysis import results
from agdb.analysis.groups import Group
from agdb.analysis.measures import RATIO
from agdb.analysis.results import Result
from agdb.analysis.rows import Rows
from agdb.statistics import bootstrap
from agdb.statistics.circular_shift import Shifted, circular_shift

#: Wider peaks are artefacts over gaps of the assembly (as in check peaks_hold_more_variants_than_shifted_peaks).
WIDEST_BP = 100_000

#: Variants that are looked at; of more, so many drawn.
MOST_VARIANTS = 50_000

METRIC = "overlap_enrichment"


def of_group(con: duckdb.DuckDBPyConnection, group: Group, rows: Rows, shared: Result, shifts: int) -> Result:
    """Share of the group's variants in peaks over that in shifted peaks; 1 is chance."""
    about = "share of variants in peaks (rule span) over that in peaks shifted round their chromosome"
    base = {**shared, "metric": METRIC, "unit": "variant", "n": 0, "chance": 1.0, "method": about}
    assert rows.places is not None
    places, one = rows.places, _variants(rows)
    chrom, start, end = _peaks(con, group, places.chroms)
    if not len(chrom):
        return base | {"reason": "no peaks of the assembly of these associations were ingested"}
    own = chrom >= 0
    found = circular_shift(places.chrom[one], places.start[one], places.end[one], chrom[own], start[own], end[own],
                           shifts, shared["seed"])  # fmt: skip
    n, by_chance = int(found.used.sum()), float(found.expected.mean()) if found.used.any() else 0.0
    cluster = rows.cluster[one]
    if group.labels.cluster == "gene":  # a variant may have several
        base["cluster"], cluster = "mb", places.chrom[one] * 1_000 + places.start[one] // 1_000_000
    cluster = np.unique(cluster[found.used], return_inverse=True)[1]
    base |= {"n": n, "n_variants": n, "n_clusters": int(cluster.max(initial=-1)) + 1}
    if not n or not by_chance > 0:
        return base | {"reason": "no variant lies between the first and the last peak of its chromosome" if not n
                       else f"none of {n:,} variants lies in a shifted peak"}  # fmt: skip
    share = float(found.inside.mean())
    total = int(rows.variant.max()) + 1
    of = f"{n:,} of {total:,} variants, those between the first and the last peak of their chromosome"
    of += f", out of {MOST_VARIANTS:,} drawn" if total > MOST_VARIANTS else ""
    return base | _enrichment(found, cluster, base) | {
        "resamples": shifts,
        "method": f"{about}, each by a distance of its own: {share:.4f} over {by_chance:.4f}; {of}; "
                  f"p = (1 + b) / (1 + {shifts:,}), two-sided; interval by resampling clusters (log, t); peaks wider "
                  f"than {WIDEST_BP // 1000} kb count for nothing",
    }  # fmt: skip


def _enrichment(found: Shifted, cluster: NDArray[np.integer], base: Result) -> Result:
    columns = np.stack([found.inside.astype(float), found.expected])
    sums = bootstrap.cluster_sums(columns, cluster, base["n_clusters"])
    values = results.of_sums(sums, bootstrap.ratio, base, RATIO) | {"p": found.p}
    del values["detectable"]  # p is not of the clusters
    return results.defined(values, None)


def _peaks(con: duckdb.DuckDBPyConnection, group: Group, chroms: list[str]) -> list[Any]:
    """chrom (as a number of `chroms`), start and end of the peaks of the assembly."""
    found = con.execute(
        f"""
        SELECT list_position($chroms, p.chrom::VARCHAR) - 1 AS chrom, p.chrom_start::BIGINT, p.chrom_end::BIGINT
        FROM peak AS p
        JOIN source AS s ON s.source_id = p.source_id AND s.kind = 'peaks'
        JOIN source AS q ON q.source_id = $source AND q.assembly = p.assembly
        WHERE p.chrom_end - p.chrom_start <= {WIDEST_BP}""",
        {"chroms": chroms, "source": group.source_ids[0]},
    ).fetchnumpy()
    chrom, start, end = found.values()
    return [np.ma.filled(np.ma.asarray(chrom), -1).astype(np.int64), start, end]


def _variants(rows: Rows) -> NDArray[np.int64]:
    """The first row of each variant, in genome order; of too many, some, spread by a fixed seed."""
    first = np.unique(rows.variant, return_index=True)[1]
    if len(first) <= MOST_VARIANTS:
        return np.asarray(first, np.int64)
    return np.sort(np.random.default_rng(0).choice(first, MOST_VARIANTS, replace=False))
