"""What could make a correlation, or hide one: confounders, noise of the labels, chance."""

from collections.abc import Iterator
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from agdb.analysis import results
from agdb.analysis.groups import Group
from agdb.analysis.measures import CORRELATION, Strata
from agdb.analysis.results import Result
from agdb.analysis.rows import Rows
from agdb.statistics import bootstrap, kendall
from agdb.statistics.partial import partial_correlation
from agdb.statistics.permutation import permutation_spearman
from agdb.statistics.ranks import Ranker
from agdb.statistics.shrinkage import ceiling, reliability

Floats = NDArray[np.float64]


def ceilings(rows: Rows) -> Floats:
    """Largest correlation that the noise of the slopes leaves, by stratum; NaN where no slope_se is known."""
    strata = (division.codes == i for division in rows.divisions for i in range(len(division.strata)))
    return np.array([ceiling(rows.effect[within], rows.slope_se[within]) for within in strata])


def of_all_rows(
    group: Group, rows: Rows, found: Strata, shared: Result, permutations: int, *, with_kendall: bool
) -> Iterator[Result]:
    """Results for all rows of a group: partial, disattenuated, permuted, Kendall; each a number or a reason."""
    effect, score = (rows.effect, rows.scores[0]) if group.scorers[0].is_signed else (
        np.abs(rows.effect), np.abs(rows.scores[0]))  # fmt: skip
    metric = "spearman" if group.scorers[0].is_signed else "abs_spearman"
    n = int(found.n[0])
    base = {**shared, "n": n, "n_variants": int(found.n_variants[0]), "n_genes": int(found.n_genes[0]),
            "n_clusters": int(found.n_clusters[0])}  # fmt: skip
    reason = (f"n = {n}: fewer than 4 rows" if n < 4
              else "the effect or the score is constant" if found.is_constant[0] else None)  # fmt: skip
    yield _partial(rows, effect, score, base | {"metric": f"partial_{metric}"}, reason)
    if metric == "spearman" and group.labels.label != "pval_nominal":
        yield _disattenuated(rows, found, base | {"metric": "disattenuated_spearman"}, reason)
    if permutations:
        yield _permuted(rows, effect, score, base | {"metric": f"permutation_{metric}"}, permutations, reason)
    if with_kendall:
        yield _kendall(effect, score, base | {"metric": metric.replace("spearman", "kendall")}, reason)


def _permuted(rows: Rows, effect: Floats, score: Floats, base: Result, permutations: int, reason: str | None) -> Result:
    """The correlation with the p-value of labels that are shuffled within clusters."""
    row = {**base, "resamples": permutations,
           "method": f"labels permuted within clusters: p = (1 + b) / (1 + {permutations}), two-sided"}  # fmt: skip
    if reason:
        return row | {"reason": reason}
    found = permutation_spearman(score, effect, rows.cluster, permutations, base["seed"])
    values = results.defined({"estimate": found.rho, "p": found.p, "ci_low": np.nan}, None)
    return row | values | {
        "method": f"{row['method']} about what the clusters' means alone make, {found.expected:+.4f}",
        "reason": None if np.isfinite(found.p) else "no permutation changes it",
    }  # fmt: skip


def _kendall(effect: Floats, score: Floats, base: Result, reason: str | None) -> Result:
    """Kendall's tau-b with the interval of independent rows."""
    row = {**base, "resamples": None,
           "method": "Kendall's tau-b; interval of independent rows (Fieller, Hartley & Pearson 1957)"}  # fmt: skip
    if reason:
        return row | {"reason": reason}
    tau, low, high, p = kendall(effect, score)
    values = {"estimate": tau, "analytic_low": low, "analytic_high": high, "analytic_p": p, "ci_low": np.nan}
    return row | results.defined(values, None) | {"reason": None}


def _partial(rows: Rows, effect: Floats, score: Floats, base: Result, reason: str | None) -> Result:
    """Spearman given the distance to the TSS and the frequency, where they are known."""
    known = {"log |tss_distance|": rows.log_tss_distance, "maf": rows.maf}
    given = {name: v for name, v in known.items() if np.isfinite(v).mean() > 0.5 and np.nanstd(v) > 0}
    there = np.isfinite(np.stack(list(given.values()))).all(axis=0) if given else np.zeros(len(effect), bool)
    row = {**base, "n": int(there.sum()) if given else base["n"],
           "method": f"Spearman of what {' and '.join(given) or 'covariates'} leave of the ranks; interval by "
                     "resampling clusters"}  # fmt: skip
    if not given:
        reason = reason or "neither the distance to the TSS nor the frequency is known and varies"
    elif there.sum() < 10:
        reason = reason or f"{there.sum()} rows have {' and '.join(given)}: fewer than 10"
    if reason:
        return row | {"reason": reason}
    columns = (effect[there], score[there], *(v[there] for v in given.values()))
    ranks = np.stack([Ranker(column).within() for column in columns])
    cluster = np.unique(rows.cluster[there], return_inverse=True)[1]
    n, k = int(cluster.max()) + 1, len(ranks)
    upper = np.triu_indices(k)
    column = np.empty((k, k), np.int64)  # of the sum of two ranks' products
    column[upper] = column.T[upper] = k + 1 + np.arange(len(upper[0]))
    products = (ranks[i] * ranks[j] for i, j in zip(*upper, strict=True))
    sums = bootstrap.cluster_sums(chain(np.ones((1, ranks.shape[1])), ranks, products), cluster, n)

    def rho(sums: Floats) -> Floats:
        size, means = sums[..., :1, None], sums[..., 1 : k + 1]
        return partial_correlation(sums[..., column] - means[..., :, None] * means[..., None, :] / size)

    return row | {"n_clusters": n} | results.defined(results.of_sums(sums, rho, base, CORRELATION), None)


def _disattenuated(rows: Rows, found: Strata, base: Result, reason: str | None) -> Result:
    """The correlation with the noise of the slopes taken out; always beside the one as it is, never for it.

    It may exceed 1: then the reliability is too low, or rho has been lucky.
    """
    known = np.isfinite(rows.slope_se)
    row = {**base, "method": "rho / sqrt(reliability of the slopes), 1 - mean(slope_se^2) / var(slope) (Spearman "
                             "1904); the noise of the score is not known"}  # fmt: skip
    if not reason and known.mean() < 0.5:
        reason = "slope_se is known for fewer than half of the rows"
    if reason:
        return row | {"reason": reason}
    share = reliability(rows.effect[known], rows.slope_se[known])
    row["method"] = row["method"].replace("reliability", f"{share:.4f}, the reliability")
    if not share > 0:
        return row | {"reason": "the slopes are all noise: mean(slope_se^2) is not below var(slope)"}
    estimate, drawn = found.estimate["spearman"][:1], found.replicates["spearman"][:, :1]
    interval, _, se = bootstrap.interval(estimate, drawn, found.effective["spearman"][:1], np.arctanh, np.tanh)
    by = 1 / np.sqrt(share)
    values = {"estimate": estimate[0] * by, "ci_low": interval.low[0] * by, "ci_high": interval.high[0] * by,
              "se": se[0] * by}  # fmt: skip
    return row | results.defined({k: float(v) for k, v in values.items()}, None)
