"""Rows of table `result`: from measures to what is stored, with a reason where a number is not defined."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agdb.analysis.expected import expected
from agdb.analysis.groups import Group
from agdb.analysis.measures import SCALES, SIGNED, Scale, Strata
from agdb.analysis.rows import Rows
from agdb.statistics import bootstrap, correlation_pvalue, power, wild
from agdb.statistics.families import benjamini_hochberg
from agdb.statistics.intervals import Z95

Floats = NDArray[np.float64]
Result = dict[str, Any]

METHODS = {
    "spearman": "average ranks; interval and p by resampling clusters (atanh, t); analytic: Bonett-Wright, t test",
    "pearson": "interval and p by resampling clusters (atanh, t); analytic: Fisher, t test",
    "abs_spearman": "|effect| against |score|, average ranks; otherwise as spearman",
    "sign_concordance": "share of rows whose effect and score have one sign, without zeros; interval by resampling "
                        "clusters (logit, t); analytic: Wilson, score test",
    "sign_auroc": "score of rows with positive against negative effects, ties half; interval by resampling clusters "
                  "(logit, t); analytic: DeLong",
}  # fmt: skip
OF_TWO_STRATA = "difference of two strata; interval and p by flipping the signs of what clusters add to it"
OF_ALL_STRATA = (
    "Wald statistic over its degrees of freedom: have all strata one rho? p by flipping the signs of what clusters add "
    "to their differences"
)


def keys(group: Group, rows: Rows, resamples: int, seed: int) -> Result:
    """What all results of a group share; those of a stratum, or of a variant, say so instead."""
    scorer, labels = group.scorers[0], group.labels
    return {
        "label_set": labels.name, "label": labels.label, "source_id": group.source_id, "source": group.source,
        "tissue": group.tissue, "scorer_id": scorer.scorer_id, "scorer": scorer.name, "window_bp": scorer.window_bp,
        "stratification": "all", "stratum": "all", "unit": labels.unit, "cluster": rows.cluster_of, "seed": seed,
        "resamples": resamples,
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
    """Differences between the strata of a division, two and two; and whether they differ at all.

    Never "significant here, not there". Divisions of more than `most` strata have the joint test only.
    """
    metric = "spearman" if group.scorers[0].is_signed else "abs_spearman"
    rho, scores, of_flips = found.estimate[metric], found.scores[metric], (shared["resamples"], shared["seed"])
    places: dict[str, list[int]] = defaultdict(list)
    for i, (division, _) in enumerate(found.names):
        if np.isfinite(rho[i]) and abs(rho[i]) < 1 and found.n_clusters[i] > 1:
            places[division].append(i)
    divisions = {division: of for division, of in places.items() if len(of) > 1}
    pairs = [pair for of in divisions.values() if len(of) <= most for pair in combinations(of, 2)]
    first, second = ([pair[side] for pair in pairs] for side in (0, 1))
    tested = wild.differences(rho[first] - rho[second], scores.of(first), scores.of(second), *of_flips)
    jointly = wild.equality(rho, scores, list(divisions.values()), *of_flips)
    made: dict[str, list[Result]] = defaultdict(list)
    for place, (i, j) in enumerate(pairs):
        (division, stratum), (_, versus) = found.names[i], found.names[j]
        row = {"stratum": stratum, "versus": versus, "metric": f"{metric}_difference", "n": int(found.n[[i, j]].sum()),
               "n_clusters": int(found.n_clusters[[i, j]].min()), "method": OF_TWO_STRATA}  # fmt: skip
        row |= defined(flipped(float(rho[i] - rho[j]), tested, place), None)
        if len(pairs) > 1 and row["p"] is not None:
            row |= {"q": float(tested.joint[place]), "method": f"{OF_TWO_STRATA}; q: max-T over all {len(pairs)} pairs"}
        made[division].append(row)
    for of, wald, p in zip(divisions.values(), *jointly, strict=True):
        row = {"stratum": f"{len(of)} strata", "metric": "heterogeneity", "n": int(found.n[of].sum()),
               "n_clusters": int(found.n_clusters[of].min()), "method": OF_ALL_STRATA}  # fmt: skip
        values = {"estimate": None, "reason": "too few clusters"} if np.isnan(p) else {"estimate": wald, "p": p}
        made[found.names[of[0]][0]].append(row | values)
    return [{**shared, "stratification": division, **row} for division, rows in made.items() for row in rows]


def of_sums(sums: Floats, statistic: Callable[[Floats], Floats], base: Result, scale: Scale) -> dict[str, float]:
    """A statistic of sums over clusters, with interval and p from their resampled parts.

    Args:
        sums: Shape (clusters, m).
        statistic: Of sums, shape (..., m) -> (...).
        base: Has `resamples` and `seed`.
    """
    parts = bootstrap.parts(sums, statistic, scale.to_line)
    clusters = float(bootstrap.effective_clusters(parts, np.array(len(sums))))
    drawn = bootstrap.replicates(sums, statistic, base["resamples"], base["seed"], *scale[:2])
    return resampled(float(statistic(sums.sum(axis=0))), drawn, clusters, scale)


def resampled(estimate: float, replicates: Floats, n_clusters: float, scale: Scale) -> dict[str, float]:
    """A statistic with its interval, standard error and p-value from its replicates, and what would have been detected.
    Shape (resamples,).
    """
    one, of, null = np.array([estimate]), np.array([n_clusters]), np.array(scale.null)
    with np.errstate(all="ignore"):
        interval, line_se, se = bootstrap.interval(one, replicates[:, None], of, *scale[:2])
        p = bootstrap.pvalue(scale.to_line(one) - scale.to_line(null), line_se, of)
        least = scale.back(scale.to_line(null) + power.detectable(line_se, of - 1)) - null
    return {"estimate": estimate, "ci_low": float(interval.low[0]), "ci_high": float(interval.high[0]),
            "se": float(se[0]), "p": float(p[0]), "detectable": float(least[0])}  # fmt: skip


def flipped(estimate: float, tested: wild.Tested, place: int) -> dict[str, float]:
    """A difference with its interval and p-value by flipped signs; `detectable` as if it were 3.92 SE."""
    low, high = float(tested.low[place]), float(tested.high[place])
    half = (high - low) / 2 if np.isfinite(high - low) else np.nan
    return {"estimate": estimate, "ci_low": low, "ci_high": high, "se": float(tested.se[place]),
            "p": float(tested.p[place]), "detectable": float(power.detectable(half / Z95))}  # fmt: skip


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
