"""Rows of table `result`: from measures to what is stored, with a reason where a number is not defined."""

from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agdb.analysis.expected import expected
from agdb.analysis.groups import Group
from agdb.analysis.measures import SCALES, SIGNED, Scale, Strata
from agdb.analysis.rows import Rows
from agdb.statistics import bootstrap, correlation_pvalue, power, wild
from agdb.statistics.families import benjamini_hochberg

Floats = NDArray[np.float64]
Result = dict[str, Any]

#: Half of a 95 % interval, in SE of a normal statistic.
_OF_NORMAL = 1.959963984540054

METHODS = {
    "spearman": "average ranks; interval and p by resampling clusters (atanh, t); analytic: Bonett-Wright, t test",
    "pearson": "interval and p by resampling clusters (atanh, t); analytic: Fisher, t test",
    "abs_spearman": "|effect| against |score|, average ranks; otherwise as spearman",
    "sign_concordance": "share of rows whose effect and score have one sign, without zeros; interval by resampling "
                        "clusters (logit, t); analytic: Wilson, score test",
    "sign_auroc": "score of rows with positive against negative effects, ties half; interval by resampling clusters "
                  "(logit, t); analytic: DeLong",
}  # fmt: skip


def keys(group: Group, rows: Rows, resamples: int, seed: int) -> Result:
    """What all results of a group share."""
    scorer, labels = group.scorers[0], group.labels
    return {
        "label_set": labels.name, "label": labels.label, "source_id": group.source_id, "source": group.source,
        "tissue": group.tissue, "scorer_id": scorer.scorer_id, "scorer": scorer.name, "window_bp": scorer.window_bp,
        "unit": labels.unit, "cluster": rows.cluster_of, "seed": seed, "resamples": resamples,
    }  # fmt: skip


def of_strata(group: Group, found: Strata, shared: Result, ceilings: Floats) -> list[Result]:
    """One result a stratum and measure."""
    made = []
    for metric, scale in SCALES.items():
        estimate, (analytic, analytic_se) = found.estimate[metric], found.analytic[metric]
        clusters = found.effective[metric]
        interval, line_se, se = bootstrap.interval(estimate, found.replicates[metric], clusters, *scale[:2])
        with np.errstate(all="ignore"):
            away = scale.to_line(estimate) - scale.to_line(np.array(scale.null))
            p = bootstrap.pvalue(away, line_se, clusters)
            analytic_p = correlation_pvalue(estimate, found.n) if scale.null == 0 else found.sign_p[metric]
            least = scale.to_line(np.array(scale.null)) + power.detectable(line_se, clusters - 1)
            detectable = abs(scale.back(least) - scale.null)
            design = (line_se / analytic_se) ** 2
        for i, (division, stratum) in enumerate(found.names):
            values = {
                "estimate": estimate[i], "ci_low": interval.low[i], "ci_high": interval.high[i], "se": se[i],
                "analytic_low": analytic.low[i], "analytic_high": analytic.high[i], "analytic_p": analytic_p[i],
                "p": p[i], "design_effect": design[i], "detectable": detectable[i],
                "ceiling": ceilings[i] if metric in ("spearman", "pearson") else np.nan,
            }  # fmt: skip
            reason = _why_not(group, metric, found, i)
            row = {**shared, "stratification": division, "stratum": stratum, "metric": metric, "n": int(found.n[i]),
                   "n_variants": int(found.n_variants[i]), "n_genes": int(found.n_genes[i]),
                   "n_clusters": int(found.n_clusters[i]), "method": METHODS[metric],
                   "expected": expected(group, metric) if division == "all" else None}  # fmt: skip
            made.append(row | defined(values, reason))
    return made


def defined(values: dict[str, float], reason: str | None) -> Result:
    """Values as they are stored: NULL, with a reason, where they are no numbers."""
    if reason:
        return dict.fromkeys(values) | {"reason": reason}
    stored = {name: float(v) if np.isfinite(v) else None for name, v in values.items()}
    if stored["estimate"] is None:
        return dict.fromkeys(values) | {"reason": "not defined for these rows"}
    return stored | {"reason": None if stored["ci_low"] is not None else "no interval: too few clusters, or no spread"}


def _why_not(group: Group, metric: str, found: Strata, i: int) -> str | None:
    if metric in SIGNED and not group.scorers[0].is_signed:
        return "the scorer has no direction: see abs_spearman"
    if metric.startswith("sign_") and group.labels.label == "pval_nominal":
        return "the label is a p-value: it has no sign"
    if found.n[i] < 3:
        return f"n = {found.n[i]}: fewer than 3 rows"
    if found.is_constant[i] and metric != "sign_concordance":
        return "the effect or the score is constant"
    if metric == "sign_auroc" and np.isnan(found.estimate[metric][i]):
        return "all effects have one sign"
    return None


def of_differences(group: Group, found: Strata, shared: Result, most: int = 6) -> list[Result]:
    """Differences between the strata of a division, two and two, from paired resamples; and whether they differ at all.

    Never "significant here, not there". Divisions of more than `most` strata have the joint test only.
    """
    metric = "spearman" if group.scorers[0].is_signed else "abs_spearman"
    estimate, replicates = found.estimate[metric], found.replicates[metric]
    by_division: dict[str, list[int]] = defaultdict(list)
    for i, (division, _) in enumerate(found.names):
        if np.isfinite(estimate[i]) and abs(estimate[i]) < 1 and found.n_clusters[i] > 1:
            by_division[division].append(i)
    made = []
    for division, places in by_division.items():
        if len(places) < 2:
            continue
        pairs = [(i, j) for i in places for j in places if i < j] if len(places) <= most else []
        for i, j in pairs:
            row = {
                **shared,
                "stratification": division,
                "stratum": found.names[i][1],
                "versus": found.names[j][1],
                "metric": f"{metric}_difference",
                "n": int(found.n[i] + found.n[j]),
                "n_clusters": int(min(found.n_clusters[i], found.n_clusters[j])),
                "method": "difference of two strata; interval and p from paired resamples of clusters (t)",
            }
            made.append(row | defined(difference(estimate[i] - estimate[j], replicates[:, i] - replicates[:, j],
                                                 _clusters_of_difference(found, metric, i, j)), None))  # fmt: skip
        made.append(
            {
                **shared,
                "stratification": division,
                "stratum": f"{len(places)} strata",
                "metric": "heterogeneity",
                "n": int(found.n[places].sum()),
                "n_clusters": int(found.n_clusters[places].min()),
                **_heterogeneity(estimate[places], replicates[:, places], int(found.n_clusters[places].min())),
            }
        )
    return made


def _clusters_of_difference(found: Strata, metric: str, i: int, j: int) -> float:
    """How many clusters of equal parts tell as much of the variance of a difference of two strata.

    Where the strata share clusters, the parts of the difference tell; where they share none, their variances add up,
    with the degrees of freedom of Welch 1947. What is fewer holds for both.
    """
    pair = [i, j]
    parts = found.parts[metric][:, pair] * (1 - found.estimate[metric][pair] ** 2)  # off the line, where rhos differ
    together = bootstrap.effective_clusters(parts[:, 0] - parts[:, 1], np.array((parts != 0).any(axis=1).sum()))
    variance = (parts**2).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        welch = variance.sum() ** 2 / (variance**2 / (found.effective[metric][pair] - 1)).sum()
    return float(np.minimum(together, welch + 1))


def resampled(estimate: float, replicates: Floats, n_clusters: int, scale: Scale) -> dict[str, float]:
    """A statistic with its interval, standard error and p-value from its replicates. Shape (resamples,)."""
    one, of = np.array([estimate]), np.array([n_clusters])
    with np.errstate(all="ignore"):
        interval, line_se, se = bootstrap.interval(one, replicates[:, None], of, *scale[:2])
        away = scale.to_line(one) - scale.to_line(np.array(scale.null))
        p = bootstrap.pvalue(away, line_se, of)
    return {"estimate": estimate, "ci_low": float(interval.low[0]), "ci_high": float(interval.high[0]),
            "se": float(se[0]), "p": float(p[0])}  # fmt: skip


def difference(estimate: float, replicates: Floats, n_clusters: float) -> dict[str, float]:
    """A difference with its interval and p-value: estimate -+ t * SE of its replicates."""
    one = np.array([estimate])
    interval, line_se, _ = bootstrap.interval(one, replicates[:, None], np.array([n_clusters]), np.asarray, np.asarray)
    p = bootstrap.pvalue(one, line_se, np.array([n_clusters]))
    least = float(power.detectable(line_se[0], n_clusters - 1))
    return {"estimate": estimate, "ci_low": float(interval.low[0]), "ci_high": float(interval.high[0]),
            "se": float(line_se[0]), "p": float(p[0]), "detectable": least}  # fmt: skip


def flipped(estimate: float, tested: wild.Tested, place: int) -> dict[str, float]:
    """A difference with its interval and p-value by flipped signs; `detectable` as if it were 3.92 SE."""
    low, high = float(tested.low[place]), float(tested.high[place])
    half = (high - low) / 2 if np.isfinite(high - low) else np.nan
    return {"estimate": estimate, "ci_low": low, "ci_high": high, "se": float(tested.se[place]),
            "p": float(tested.p[place]), "detectable": float(power.detectable(half / _OF_NORMAL))}  # fmt: skip


def _heterogeneity(estimate: Floats, replicates: Floats, n_clusters: int) -> Result:
    """Whether strata have one correlation at all, on the atanh scale."""
    k = len(estimate)
    with np.errstate(all="ignore"):
        f, p = bootstrap.equality(np.arctanh(estimate), np.arctanh(replicates), n_clusters)
    method = f"Wald F({k - 1}, {n_clusters - k + 1}) that all strata have one rho (atanh), covariance of resamples"
    if np.isnan(f):
        return {"estimate": None, "reason": "too few clusters in a stratum", "method": method}
    return {"estimate": f, "p": p, "method": method}


def with_q(results: Iterable[Result]) -> list[Result]:
    """The results with Benjamini-Hochberg q-values, within label set, source and metric."""
    results = list(results)
    families: dict[tuple[object, ...], list[Result]] = defaultdict(list)
    for row in results:
        if row.get("p") is not None and row.get("q") is None:
            families[row["label_set"], row["source_id"], row["metric"]].append(row)
    for rows in families.values():
        for row, q in zip(rows, benjamini_hochberg([row["p"] for row in rows]), strict=True):
            row["q"] = float(q)
    return results
