"""Does |score| tell causal variants from variants that are like them? Fine-mapped variants against matched controls.

One row a variant: its score has no gene (for scorers of genes: that of the phenotype named). View causal_candidate says
who is causal (PIP > 0.9) and who is a control. Each causal variant gets the controls of its chromosome that are nearest
in log10 distance to the TSS, in frequency, and in what the user adds (an LD score), none of them twice.

A matched set is a causal variant and its controls. What is compared within sets (pairs, nearness to the TSS) has sets,
by the cluster of their causal variant, for its unit: with each row in its own cluster, intervals of the nearness would
not know that it was matched, and in 400 simulated studies held the truth in all of them.
"""

from collections.abc import Iterator, Mapping

import duckdb
import numpy as np

from agdb.analysis import candidates, results
from agdb.analysis.candidates import Bools, Candidates, Ints
from agdb.analysis.groups import Group
from agdb.analysis.measures import SHARE
from agdb.analysis.results import Result
from agdb.analysis.rows import Rows
from agdb.statistics import bootstrap, power, t_pvalue, wilson_interval
from agdb.statistics import classification as two
from agdb.statistics.matching import Matches, match_controls, pooled_sd, standardised_mean_differences
from agdb.statistics.precision import average_precision, average_precision_replicates

#: What is told of every group, in this order; without fine-mapping each has a reason.
METRICS = ("causal_auroc", "causal_auprc", "causal_pairwise", "causal_auroc_tss_distance", "causal_auroc_gain",
           "causal_matched")  # fmt: skip

#: Largest distance of a pair, in standard deviations of all covariates together.
CALIPER = 0.25

#: A standardised mean difference at which controls are no longer like the causal variants (Austin 2009).
BALANCED = 0.1


def columns(con: duckdb.DuckDBPyConnection, group: Group, covariates: Mapping[str, str]) -> dict[str, str]:
    """Columns of its rows, as SQL by name, that spare `of_group` another reading; none where they would not."""
    is_told = group.labels.label != "pval_nominal" and _not_fine_mapped(con, group) is None
    return candidates.columns(group, covariates) if is_told else {}


def of_group(
    con: duckdb.DuckDBPyConnection, group: Group, rows: Rows, shared: Result, covariates: Mapping[str, str],
    controls: int = 1,
) -> Iterator[Result]:  # fmt: skip
    """Results of a group: how well |score| tells causal variants from their controls, and how alike those are.

    `rows` are those of the group, with `columns`.
    """
    base = {**shared, "unit": "variant", "n": 0}
    if group.labels.label == "pval_nominal":
        return
    reason, found = _not_fine_mapped(con, group), None
    if reason is None:
        found = candidates.of_rows(rows, covariates) if rows.more else candidates.read(con, group, covariates)
        base["n"], reason = len(found.score), _not_told(found)
    if found is None or reason is not None:
        yield from ({**base, "metric": metric, "method": _METHODS[metric], "reason": reason} for metric in METRICS)
        return
    usable: Bools = np.asarray(np.isfinite(found.covariates).all(axis=1), np.bool_)
    own = np.flatnonzero(usable)
    pairs = match_controls(found.covariates[own], found.is_causal[own], found.chrom[own], controls, CALIPER)
    pairs = Matches(own[pairs.positive], own[pairs.control], pairs.distance)
    yield _matched(found, usable, pairs, controls, base)
    if not len(pairs.positive):
        reason = f"no causal variant has a control within {CALIPER} SD on its chromosome"
        yield from ({**base, "metric": m, "method": _METHODS[m], "reason": reason} for m in METRICS[:-1])
        return
    balance = list(_balance(found, own, pairs, base))
    yield from _told(found, pairs, base, controls, _unlike(balance))
    yield from balance


def _not_fine_mapped(con: duckdb.DuckDBPyConnection, group: Group) -> str | None:
    """The reason where nothing of the tissue was fine-mapped, in the assembly of its associations."""
    (n,), (others,) = (
        con.execute(
            "SELECT count(*) FROM source AS s JOIN source AS q ON list_contains(?, q.source_id) WHERE s.kind = "
            f"'credible' AND {condition}", [list(group.source_ids)]).fetchall()[0]
        for condition in ("s.tissue = q.tissue AND s.assembly = q.assembly", "true")
    )  # fmt: skip
    if n:
        return None
    of = f"no fine-mapping of {group.tissue} was ingested"
    return f"{of} (there is some of other tissues or assemblies)" if others else f"{of}: agdb ingest credible"


def _not_told(found: Candidates) -> str | None:
    n_causal, n = int(found.is_causal.sum()), len(found.score)
    if not n:
        return "no association of a fine-mapped phenotype has a score, and is clearly causal or clearly not"
    if not n_causal:
        return f"none of {n:,} variants of fine-mapped phenotypes is causal (PIP > 0.9)"
    if n_causal == n:
        return f"all {n:,} variants are causal (PIP > 0.9): the label set leaves no controls"
    if "tss_distance" not in found.names:
        return "the distance to the TSS is not known, and causal variants lie near it: agdb ingest genes"
    return None


_METHODS = {
    "causal_auroc": "AUROC of |score|, ties half; interval and p of clusters: DeLong, summed over clusters (Obuchowski "
                    "1997; logit, t); analytic: DeLong 1988",
    "causal_auprc": "average precision of |score|, ties together; interval by resampling clusters of matched sets "
                    "(logit, t). No p: by chance it is above the share of causal variants in small samples; "
                    "causal_auroc has the test",
    "causal_pairwise": "share of pairs whose causal variant has the larger |score|, ties half; interval and p by "
                       "resampling clusters of matched sets (logit, t); analytic: Wilson",
    "causal_auroc_tss_distance": "AUROC of nearness to the TSS alone on the same rows: 0.5 where matching has done its "
                                 "work; interval and p of clusters of matched sets, as causal_auroc",
    "causal_auroc_gain": "AUROC of |score| less that of nearness to the TSS, on the same rows; interval and p of "
                         "clusters of matched sets (DeLong, Obuchowski); analytic: DeLong 1988",
    "causal_matched": f"share of causal variants that have a control: nearest in SD, within {CALIPER}, of the same "
                      "chromosome, without replacement",
}  # fmt: skip


def _matched(found: Candidates, usable: Bools, pairs: Matches, controls: int, base: Result) -> Result:
    """How many causal variants have a control, and why others have none."""
    causal = found.is_causal
    n, with_pair = int(causal.sum()), len(np.unique(pairs.positive))
    unknown = int((causal & ~usable).sum())
    alone = int((causal & usable & ~np.isin(found.chrom, found.chrom[~causal & usable])).sum())
    far = n - with_pair - unknown - alone
    why = [f"{count:,} {what}" for count, what in (
        (unknown, f"without {' or '.join(found.names)}"), (alone, "on a chromosome without controls"),
        (far, f"with none left within {CALIPER} SD"),
    ) if count]  # fmt: skip
    method = (f"{_METHODS['causal_matched']}; {with_pair:,} of {n:,} have {_up_to(controls)}, out of "
              f"{int((~causal).sum()):,} candidates; without one: {', '.join(why) or 'none'}")  # fmt: skip
    counts = {"n": n, "n_variants": n, "n_genes": len(np.unique(found.gene[causal])),
              "n_clusters": len(np.unique(found.cluster[causal]))}  # fmt: skip
    return {**base, **counts, "metric": "causal_matched", "method": method, "estimate": with_pair / n,
            "reason": "a description of these rows: it has no interval"}  # fmt: skip


def _up_to(controls: int) -> str:
    return "a control" if controls == 1 else f"up to {controls} controls"


def _balance(found: Candidates, rows: Ints, pairs: Matches, base: Result) -> Iterator[Result]:
    """How far causal variants and controls are apart, in SD of before they were matched."""
    values, causal = found.covariates, found.is_causal[rows]
    before = values[rows][causal], values[rows][~causal]
    sd = pooled_sd(*before)
    apart = standardised_mean_differences(*before, sd=sd)
    after = standardised_mean_differences(values[pairs.positive], values[pairs.control], sd=sd)
    for name, first, left in zip(found.names, apart, after, strict=True):
        yield {**base, "metric": f"causal_smd_{name}", "n": 2 * len(pairs.positive),
               "method": f"mean of causal variants less that of controls, in pooled SD of before matching, where it "
                         f"was {first:+.3f}; below {BALANCED} in size they are balanced (Austin 2009)",
               "estimate": float(left) if np.isfinite(left) else None,
               "reason": "a description of these rows: it has no interval" if np.isfinite(left)
                         else "it has one value in each class"}  # fmt: skip


def _unlike(balance: list[Result]) -> str:
    """What is to be said of controls that are not like the causal variants."""
    apart = [f"{row['metric'].removeprefix('causal_smd_')} {row['estimate']:+.2f} SD" for row in balance
             if row["estimate"] is not None and abs(row["estimate"]) >= BALANCED]  # fmt: skip
    return f"; controls are NOT balanced: {', '.join(apart)}" if apart else ""


def _told(found: Candidates, pairs: Matches, base: Result, controls: int, warning: str) -> Iterator[Result]:
    """Measures of the matched rows: causal variants that have a control, and their controls."""
    with_pair = np.unique(pairs.positive)
    rows = np.r_[with_pair, pairs.control]
    score, is_causal = np.abs(found.score[rows]), found.is_causal[rows]
    nearness = -found.covariates[rows, found.names.index("tss_distance")]
    cluster = np.unique(found.cluster[rows], return_inverse=True)[1]
    # matched sets: a causal variant and its controls, which lie elsewhere but are as far from their TSS
    of_sets = np.unique(found.cluster[np.r_[with_pair, pairs.positive]], return_inverse=True)[1]
    n_clusters, n_sets, n_causal = int(cluster.max()) + 1, int(of_sets.max()) + 1, int(is_causal.sum())
    base = {**base, "n": len(rows), "n_variants": len(rows), "n_genes": len(np.unique(found.gene[rows])),
            "n_clusters": n_clusters}  # fmt: skip
    matched = f"{_up_to(controls)} matched on {', '.join(found.names)}"
    how = f"; {n_causal:,} causal variants (PIP > 0.9), each with {matched}"

    def row(metric: str, chance: float, values: dict[str, float]) -> Result:
        return {**base, "metric": metric, "chance": chance, "method": _METHODS[metric] + how + warning,
                **results.defined(values, None)}  # fmt: skip

    yield row("causal_auroc", 0.5, _area(two.delong_interval(score, is_causal, cluster),
                                         two.delong_interval(score, is_causal), n_clusters))  # fmt: skip
    precision = average_precision(score, is_causal)
    drawn = average_precision_replicates(score, is_causal, of_sets, base["resamples"], base["seed"])
    values = results.resampled(precision.value, drawn, n_sets, SHARE)
    del values["p"], values["detectable"]  # its method says why
    yield row("causal_auprc", precision.chance, values) | {"n_clusters": n_sets}
    yield {**row("causal_pairwise", 0.5, {"estimate": np.nan}), **_pairwise(found, pairs, base)}
    of_distance = two.delong_interval(nearness, is_causal, of_sets)
    alone = two.delong_interval(nearness, is_causal)
    yield row("causal_auroc_tss_distance", 0.5, _area(of_distance, alone, n_sets)) | {"n_clusters": n_sets}
    difference = two.delong_difference(score, nearness, is_causal, of_sets)
    gain = _estimate(difference, two.delong_difference(score, nearness, is_causal))
    gain["detectable"] = float(power.detectable(difference.se, n_sets - 1))
    yield row("causal_auroc_gain", 0.0, gain) | {"n_clusters": n_sets}


def _estimate(of_clusters: two.Estimate, independent: two.Estimate) -> dict[str, float]:
    return {"estimate": of_clusters.value, "ci_low": of_clusters.low, "ci_high": of_clusters.high, "se": of_clusters.se,
            "p": of_clusters.p, "analytic_low": independent.low, "analytic_high": independent.high,
            "analytic_p": independent.p,
            "design_effect": (of_clusters.se / independent.se) ** 2 if independent.se > 0 else np.nan}  # fmt: skip


def _area(of_clusters: two.Estimate, independent: two.Estimate, n_clusters: int) -> dict[str, float]:
    """AUROC as it is stored."""
    spread = of_clusters.value * (1 - of_clusters.value)
    return _estimate(of_clusters, independent) | {
        "detectable": _detectable(of_clusters.se / spread if spread > 0 else np.nan, n_clusters)}  # fmt: skip


def _detectable(line_se: float, n_clusters: int) -> float:
    """Distance from 0.5 of the smallest share that would have been found, from the SE of its logit."""
    return float(SHARE.back(power.detectable(line_se, n_clusters - 1)) - 0.5)


def _pairwise(found: Candidates, pairs: Matches, base: Result) -> Result:
    """Pairwise accuracy as it is stored. A pair is of the cluster of its causal variant."""
    causal, control = (np.abs(found.score[rows]) for rows in (pairs.positive, pairs.control))
    cluster = np.unique(found.cluster[pairs.positive], return_inverse=True)[1]
    groups, n = int(cluster.max()) + 1, len(causal)
    won = np.where(causal > control, 1.0, np.where(causal == control, 0.5, 0.0))
    sums = bootstrap.cluster_sums(np.stack([won, np.ones(n)]), cluster, groups)
    values = results.of_sums(sums, bootstrap.ratio, base, SHARE)
    share = values["estimate"]
    alone, of_rows = wilson_interval(share * n, n), share * (1 - share) / n
    values |= {
        "analytic_low": float(alone.low), "analytic_high": float(alone.high),
        "analytic_p": float(t_pvalue((share - 0.5) / np.sqrt(0.25 / n), np.inf)),
        "design_effect": values["se"] ** 2 / of_rows if of_rows > 0 else np.nan,
    }  # fmt: skip
    return {"n": n, "n_clusters": groups} | results.defined(values, None)
