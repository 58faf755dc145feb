"""What could make a correlation, or hide one: confounders, noise of the labels, chance."""

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agdb.analysis import results
from agdb.analysis.measures import Strata
from agdb.analysis.results import Result
from agdb.analysis.rows import Group, Rows
from agdb.statistics import bootstrap, kendall
from agdb.statistics.partial import partial_correlation
from agdb.statistics.permutation import permutation_spearman
from agdb.statistics.ranks import Ranker
from agdb.statistics.shrinkage import reliability

Floats = NDArray[np.float64]


def ceilings(rows: Rows) -> Floats:
    """Largest correlation that the noise of the slopes leaves, by stratum; NaN where no slope_se is known."""
    found = []
    for division in rows.divisions:
        for i in range(len(division.strata)):
            within = (division.codes == i) & np.isfinite(rows.slope_se)
            found.append(np.sqrt(reliability(rows.effect[within], rows.slope_se[within])) if within.sum() > 2
                         else np.nan)  # fmt: skip
    return np.array(found)


def of_all_rows(
    group: Group, rows: Rows, found: Strata, shared: Result, permutations: int, *, with_kendall: bool
) -> Iterator[Result]:
    """Results for all rows of a group together: partial, disattenuated, permuted, Kendall."""
    if not found.n[0] > 3 or found.is_constant[0]:
        return
    effect, score = (rows.effect, rows.scores[0]) if group.scorers[0].is_signed else (
        np.abs(rows.effect), np.abs(rows.scores[0]))  # fmt: skip
    metric = "spearman" if group.scorers[0].is_signed else "abs_spearman"
    base: dict[str, Any] = {**shared, "stratification": "all", "stratum": "all", "n": int(found.n[0]),
                            "n_variants": int(found.n_variants[0]), "n_genes": int(found.n_genes[0]),
                            "n_clusters": int(found.n_clusters[0])}  # fmt: skip
    yield from _partial(rows, effect, score, base, f"partial_{metric}")
    yield from _disattenuated(rows, found, base, metric)
    if permutations:
        found_p = permutation_spearman(score, effect, rows.cluster, permutations, shared["seed"])
        yield {**base, "metric": f"permutation_{metric}", "resamples": permutations,
               "method": f"labels permuted within clusters: p = (1 + b) / (1 + {permutations}), two-sided about what "
                         f"the clusters' means alone make, {found_p.expected:+.4f}",
               **results.defined({"estimate": found_p.rho, "p": found_p.p, "ci_low": np.nan}, None),
               "reason": None if np.isfinite(found_p.p) else "no permutation changes it"}  # fmt: skip
    if with_kendall:
        tau, low, high, p = kendall(effect, score)
        values = {"estimate": tau, "analytic_low": low, "analytic_high": high, "analytic_p": p}
        yield {**base, "metric": f"{metric.replace('spearman', 'kendall')}", "resamples": None,
               "method": "Kendall's tau-b; interval of independent rows (Fieller, Hartley & Pearson 1957)",
               **results.defined(values | {"ci_low": np.nan}, None),
               "reason": None if np.isfinite(tau) else "all |effect| or all |score| are one value"}  # fmt: skip


def _partial(rows: Rows, effect: Floats, score: Floats, base: Result, metric: str) -> Iterator[Result]:
    """Spearman given the distance to the TSS and the frequency, where they are known."""
    known = {"log |tss_distance|": rows.log_tss_distance, "maf": rows.maf}
    given = {name: v for name, v in known.items() if np.isfinite(v).mean() > 0.5 and np.nanstd(v) > 0}
    if not given:
        return
    there = np.isfinite(np.stack(list(given.values()))).all(axis=0)
    if there.sum() < 10:
        return
    columns = (effect[there], score[there], *(v[there] for v in given.values()))
    ranks = np.stack([Ranker(column).within() for column in columns])
    cluster = np.unique(rows.cluster[there], return_inverse=True)[1]
    n, k = np.array([int(cluster.max()) + 1]), len(ranks)
    products = (ranks[:, None] * ranks[None, :]).reshape(k * k, -1)
    sums = bootstrap.cluster_sums(np.concatenate([np.ones((1, ranks.shape[1])), ranks, products]), cluster, n[0])

    def rho(sums: Floats) -> Floats:
        size, means = sums[..., :1, None], sums[..., 1 : k + 1]
        squares = sums[..., k + 1 :].reshape(*sums.shape[:-1], k, k)
        return partial_correlation(squares - means[..., :, None] * means[..., None, :] / size)

    estimate = np.array([float(rho(sums.sum(axis=0)))])
    drawn = rho(bootstrap.resample(sums, base["resamples"], base["seed"]))[:, None]
    interval, line_se, se = bootstrap.interval(estimate, drawn, n, np.arctanh, np.tanh)
    values = {"estimate": estimate[0], "ci_low": interval.low[0], "ci_high": interval.high[0], "se": se[0],
              "p": bootstrap.pvalue(np.arctanh(estimate), line_se, n)[0]}  # fmt: skip
    yield {**base, "metric": metric, "n": int(there.sum()), "n_clusters": int(n[0]),
           "method": f"Spearman of what {' and '.join(given)} leave of the ranks; interval by resampling clusters",
           **results.defined({k: float(v) for k, v in values.items()}, None)}  # fmt: skip


def _disattenuated(rows: Rows, found: Strata, base: Result, metric: str) -> Iterator[Result]:
    """The correlation with the noise of the slopes taken out; always beside the one as it is."""
    known = np.isfinite(rows.slope_se)
    if metric != "spearman" or known.mean() < 0.5:
        return
    share = reliability(rows.effect[known], rows.slope_se[known])
    row = {**base, "metric": "disattenuated_spearman",
           "method": f"rho / sqrt({share:.4f}), the reliability of the slopes, 1 - mean(slope_se^2) / var(slope) "
                     "(Spearman 1904); the noise of the score is not known"}  # fmt: skip
    if not share > 0:
        yield {**row, "reason": "the slopes are all noise: mean(slope_se^2) is not below var(slope)"}
        return
    estimate = found.estimate[metric][:1]
    interval, _, se = bootstrap.interval(estimate, found.replicates[metric][:, :1], found.n_clusters[:1], np.arctanh,
                                         np.tanh)  # fmt: skip
    by = 1 / np.sqrt(share)
    values = {"estimate": estimate[0] * by, "ci_low": interval.low[0] * by, "ci_high": interval.high[0] * by,
              "se": se[0] * by}  # fmt: skip
    yield {**row, **results.defined({k: float(v) for k, v in values.items()}, None)}
