"""Effects that were reported because they were large are too large: what is the correlation with that taken out?

Beside the correlation as it is, never for it. FIQT needs all pairs that were tested; conditional likelihood needs pairs
that were picked by a known threshold. A source is one or the other, or neither: then there is no number, but a reason.
"""

from collections.abc import Iterator
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from agdb.analysis import results
from agdb.analysis.candidates import floats
from agdb.analysis.groups import Group
from agdb.analysis.measures import CORRELATION
from agdb.analysis.results import Result
from agdb.analysis.rows import Rows
from agdb.statistics import bonett_wright_interval, bootstrap, correlation_pvalue
from agdb.statistics.ranks import Ranker
from agdb.statistics.shrinkage import picked_below, without_curse

Floats = NDArray[np.float64]

#: Pairs of a source that are looked at together, at most: each takes some 50 bytes.
MOST_TESTED = 30_000_000

#: p-values above 0.5 that a source has if none was picked: half of its nulls, and most pairs are null.
_SHARE_OF_LARGE_P = 0.1

_METHODS = {
    "fiqt": "effects shrunken by FDR inverse quantile transformation over all {n_tested:,} pairs tested (Bigdeli 2016)",
    "conditional": "effects that are most likely given that they passed the p-value threshold of their phenotype "
                   "(Zhong & Prentice 2008)",
}  # fmt: skip


class _Tested(NamedTuple):
    """What the p-values of the sources of a group's labels say of how pairs were picked."""

    n: int
    n_phenotypes: int
    n_large: int
    n_threshold: int
    n_above: int


def of_group(con: duckdb.DuckDBPyConnection, group: Group, rows: Rows, shared: Result) -> Iterator[Result]:
    """Spearman's rho (of magnitudes, for a score without direction) with shrunken effects: one result a method."""
    if group.labels.label == "pval_nominal":
        return
    metric = "spearman" if group.scorers[0].is_signed else "abs_spearman"
    sources = _label_sources(con, group)
    tested = _tested(con, sources)
    reasons = {"fiqt": _not_all_tested(tested), "conditional": _not_by_threshold(tested, group)}
    for name, reason in reasons.items():
        method = _METHODS[name].format(n_tested=tested.n)
        row = {**shared, "n": 0, "metric": f"{metric}_{name}", "method": method}
        if reason:
            yield {**row, "reason": reason}
            continue
        shrunken = (without_curse(rows.effect, rows.pval_nominal, _p_values(con, sources)) if name == "fiqt"
                    else picked_below(rows.effect, rows.pval_nominal, _thresholds(con, sources, rows)))  # fmt: skip
        yield row | _correlated(rows, shrunken, row, signed=metric == "spearman")


def _label_sources(con: duckdb.DuckDBPyConnection, group: Group) -> list[int]:
    """Where the slopes are from: the sources themselves, but for those that have p-values alone."""
    ids = list(group.source_ids)
    query = "SELECT source_id FROM source WHERE list_contains(?, source_id) AND effect <> 'pval_nominal' ORDER BY 1"
    own = [source for (source,) in con.execute(query, [ids]).fetchall()]
    if len(own) == len(ids):
        return own
    found = con.execute("SELECT DISTINCT label_source_id FROM label WHERE list_contains(?, source_id) AND label = ? "
                        "ORDER BY 1", [ids, group.labels.label]).fetchall()  # fmt: skip
    return [source for (source,) in found]


def _tested(con: duckdb.DuckDBPyConnection, sources: list[int]) -> _Tested:
    (found,) = con.execute(
        """
        SELECT count(pval_nominal), count(DISTINCT coalesce(molecular_trait_id, gene_id)),
               count(*) FILTER (pval_nominal > 0.5), count(pval_nominal_threshold),
               count(*) FILTER (pval_nominal > pval_nominal_threshold)
        FROM qtl WHERE list_contains(?, source_id)""",
        [sources],
    ).fetchall()
    return _Tested(*found)


def _not_all_tested(tested: _Tested) -> str | None:
    if not tested.n:
        return "the source has no p-values"
    if tested.n_large < _SHARE_OF_LARGE_P * tested.n:
        return (f"pairs were picked for significance: {tested.n_large:,} of {tested.n:,} p-values are above 0.5; "
                "it needs all pairs tested")  # fmt: skip
    if tested.n > MOST_TESTED:
        return f"{tested.n:,} pairs tested: more than {MOST_TESTED:,}"
    return None


def _not_by_threshold(tested: _Tested, group: Group) -> str | None:
    if len(group.source_ids) > 1:
        return "several sources are pooled, each with thresholds of its own"
    if not tested.n_threshold:
        return "the source has no p-value threshold (pval_nominal_threshold): it is not known what picked the pairs"
    if tested.n_phenotypes == tested.n:
        return "one pair a phenotype: picked as its best, not by the threshold alone"
    if tested.n_above > 0.01 * tested.n:
        return f"{tested.n_above:,} of {tested.n:,} pairs are above their threshold: they were not picked by it"
    return None


def _p_values(con: duckdb.DuckDBPyConnection, sources: list[int]) -> Floats:
    """p of all pairs of the sources."""
    found = con.execute("SELECT pval_nominal AS p FROM qtl WHERE list_contains(?, source_id)", [sources]).fetchnumpy()
    return floats(found["p"])


def _thresholds(con: duckdb.DuckDBPyConnection, sources: list[int], rows: Rows) -> Floats:
    """The p-value threshold of the phenotype of each row; NaN where it has none."""
    assert rows.places is not None
    found = con.execute(
        "SELECT coalesce(molecular_trait_id, gene_id), min(pval_nominal_threshold) FROM qtl "
        "WHERE list_contains(?, source_id) GROUP BY 1", [sources]).fetchall()  # fmt: skip
    known = {name: np.nan if threshold is None else threshold for name, threshold in found}
    return np.array([known.get(name, np.nan) for name in rows.places.phenotypes], float)[rows.phenotype]


def _correlated(rows: Rows, shrunken: Floats, row: Result, *, signed: bool) -> Result:
    """Spearman of the shrunken effects and the score, on the rows that have one; and what it was on the same rows."""
    there = np.isfinite(shrunken)
    n, cluster = int(there.sum()), np.unique(rows.cluster[there], return_inverse=True)[1]
    effect, raw, score = ((v if signed else np.abs(v))[there] for v in (shrunken, rows.effect, rows.scores[0]))
    n_clusters = int(cluster.max()) + 1 if n else 0
    counts = {"n": n, "n_clusters": n_clusters}
    if n < 4 or any(np.ptp(v) == 0 for v in (effect, raw, score)):
        why = f"n = {n}: fewer than 4 rows" if n < 4 else "the score, or every shrunken effect, is one value"
        return counts | {"reason": why}
    e, s, r = (Ranker(v).within() for v in (effect, score, raw))
    sums = bootstrap.cluster_sums(bootstrap.correlation_columns(e, s), cluster, n_clusters)
    values = results.of_sums(sums, lambda of: bootstrap.correlations(of)[..., 0], row, CORRELATION)
    rho = values["estimate"]
    analytic = bonett_wright_interval(rho, n)
    values |= {
        "analytic_low": float(analytic.low), "analytic_high": float(analytic.high),
        "analytic_p": float(correlation_pvalue(rho, n)),
    }  # fmt: skip
    told = f"{row['method']}; on the same {n:,} rows rho is {float(r @ s / np.sqrt((r @ r) * (s @ s))):+.4f} before it"
    return counts | {"method": told} | results.defined(values, None)
