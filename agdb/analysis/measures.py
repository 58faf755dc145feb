"""What is measured of rows: agreement of score and effect, by stratum, with intervals of resampled clusters.

Everything is a function of sums over rows, so that the part of a cluster in it is known from the sums of the others.
Those parts are resampled once for all strata and all measures.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agdb import statistics
from agdb.analysis.sums import ABS, PLACE, RANK, SIGN, VALUE, N, Sample, summed
from agdb.statistics import bootstrap, wild
from agdb.statistics.intervals import Z95

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]


class Scale(NamedTuple):
    """Where a measure is about normal: to that line (see `bootstrap`) and back; its value without any agreement."""

    to_line: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]
    null: float


def _logit(p: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(p / (1 - p)), float)


CORRELATION = Scale(np.arctanh, np.tanh, 0.0)
RATIO = Scale(np.log, np.exp, 1.0)
SHARE = Scale(_logit, lambda x: 1 / (1 + np.exp(-x)), 0.5)

SCALES = {"spearman": CORRELATION, "pearson": CORRELATION, "abs_spearman": CORRELATION, "sign_concordance": SHARE,
          "sign_auroc": SHARE}  # fmt: skip
#: Measures that need a score and a label with a direction.
SIGNED = ("spearman", "pearson", "sign_concordance", "sign_auroc")

#: Where the sums of `bootstrap.correlation_columns` stand among those of a cluster.
_OF_RANKS = {metric: [N, *(columns.start + np.array([0, 2, 1, 3, 4]))]
             for metric, columns in (("spearman", RANK), ("abs_spearman", ABS))}  # fmt: skip

#: Share of the sum of squares below which a variance is rounding.
_ROUNDING = 1e-13

#: Divisions that are summed at a time: each takes some 25 numbers a row.
_AT_ONCE = 2
_WORTH_A_THREAD = 20_000


@dataclass
class Strata:
    """Measures of all strata of all divisions of the same rows.

    Attributes:
        names: (division, stratum) of each.
        n, n_variants, n_genes, n_clusters: Shape (strata,).
        estimate: By measure, shape (strata,); NaN where it is not defined.
        scores: By rank correlation: each cluster's contribution to it (its score), from which differences of strata are
            tested.
        replicates: By measure, shape (resamples, strata).
        analytic: By measure: interval of independent rows, and its standard error on the transformed scale.
        effective: By measure, the effective number of clusters: how many equally large ones would estimate the standard
            error as precisely. Shape (strata,).
        is_constant: Whether the effect, or the score, has one value only. Shape (strata,).
        sign_p: Two-sided p-values of independent rows of the sign measures: of the score test, which Wilson's interval
            inverts, and of DeLong's. Shape (strata,).
    """

    names: list[tuple[str, str]]
    n: Ints
    n_variants: Ints
    n_genes: Ints
    n_clusters: Ints
    estimate: dict[str, Floats]
    scores: dict[str, wild.Scores]
    replicates: dict[str, Floats]
    analytic: dict[str, tuple[statistics.Interval, Floats]]
    effective: dict[str, Floats]
    is_constant: NDArray[np.bool_]
    sign_p: dict[str, Floats]


def measured(
    effect: Floats, score: Floats, divisions: list[tuple[str, Ints, list[str]]], variant: Ints, gene: Ints,
    cluster: Ints, *, resamples: int, seed: int,
) -> Strata:  # fmt: skip
    """Measure the agreement of score and effect in every stratum.

    Args:
        effect: Less the value that means none. Shape (n,).
        score: Shape (n,).
        divisions: (name, stratum of each row or -1, names of strata).
        variant, gene, cluster: Numbers from 0. Shape (n,).
        resamples, seed: Of the clusters.
    """
    order = np.argsort(cluster, kind="stable")
    if np.array_equal(order, np.arange(len(order))):
        sample = Sample.of(effect, score, variant, gene, cluster)
    else:  # e.g. genes, which reach into each other
        sample = Sample.of(effect[order], score[order], variant[order], gene[order], cluster[order])
        divisions = [(name, codes[order], strata) for name, codes, strata in divisions]
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _AT_ONCE)) as pool:  # numpy sorts and sums without the GIL
        each = pool.map if len(effect) > _WORTH_A_THREAD else map
        found = list(each(lambda division: _of_division(sample, division[1], len(division[2])), divisions))
    names = [(name, stratum) for name, _, strata in divisions for stratum in strata]
    totals, squares, counts, constant, parts, scores = (list(each) for each in zip(*found, strict=True))
    total = np.concatenate(totals)
    n, n_variants, n_genes, with_rows = np.concatenate(counts, axis=1)
    estimate = _estimates(total)
    analytic = _analytic(estimate, total, np.concatenate(squares, axis=1))
    of_clusters = np.concatenate(parts, axis=1)
    of_ranks = {metric: wild.Scores(*map(np.hstack, zip(*(of[metric] for of in scores), strict=True)))
                for metric in _OF_RANKS}  # fmt: skip
    effective = bootstrap.effective_clusters(of_clusters, with_rows[:, None]).T
    return Strata(
        names, n, n_variants, n_genes, with_rows, estimate, of_ranks,
        _replicates(estimate, of_clusters, resamples, seed), analytic, dict(zip(SCALES, effective, strict=True)),
        np.concatenate(constant),
        _sign_p(estimate, total, analytic["sign_auroc"][1]),
    )  # fmt: skip


class _Division(NamedTuple):
    """The sums of k strata; the parts of the clusters in each measure on its line, (clusters, k, measures); and what
    they add to correlations of ranks.
    """

    total: Floats
    squares: Floats
    counts: Ints
    is_constant: NDArray[np.bool_]
    parts: Floats
    scores: dict[str, wild.Scores]


def _of_division(sample: Sample, codes: Ints, k: int) -> _Division:
    found = summed(sample, codes, k)
    total = found.by_cluster.sum(axis=0)
    without = _estimates(bootstrap.leave_one_out(found.by_cluster), of=_estimates(total)["sign_auroc"])
    has_rows = found.by_cluster[..., N] > 0
    with np.errstate(all="ignore"):
        parts = [bootstrap.influence(scale.to_line(without[metric]), has_rows) for metric, scale in SCALES.items()]
    scores = {metric: wild.scores(found.by_cluster[..., columns]) for metric, columns in _OF_RANKS.items()}
    return _Division(total, found.squares, found.counts, found.is_constant, np.stack(parts, axis=2), scores)


def _replicates(estimate: dict[str, Floats], parts: Floats, resamples: int, seed: int) -> dict[str, Floats]:
    """By measure: the estimates plus resampled parts of the clusters. Shape (resamples, strata) each."""
    drawn = bootstrap.resample(parts, resamples, seed)
    with np.errstate(all="ignore"):
        return {metric: scale.back(scale.to_line(estimate[metric]) + drawn[..., i])
                for i, (metric, scale) in enumerate(SCALES.items())}  # fmt: skip


def _correlation(sums: Floats, n: Floats) -> Floats:
    """Correlation from (sum x, sum y, sum x^2, sum y^2, sum xy). Shape (..., 5) -> (...); NaN for constants."""
    x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        of_x, of_y = (np.where(v > _ROUNDING * vv, v, np.nan) for v, vv in ((xx - x * x / n, xx), (yy - y * y / n, yy)))
        r = (xy - x * y / n) / np.sqrt(of_x * of_y)
    return np.asarray(np.clip(r, -1, 1), float)


def _estimates(sums: Floats, of: Floats | None = None) -> dict[str, Floats]:
    """The measures from their sums. Shape (..., N_SUMS) -> (...) each.

    Without a cluster, `of` is the area under the curve in the sample: to first order that of the others is this plus
    what the means of both placements differ from it (its Hajek projection).
    """
    n = sums[..., N]
    agree, both = np.moveaxis(sums[..., SIGN], -1, 0)
    v10, above, v01, below = np.moveaxis(sums[..., PLACE], -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        concordance, auroc = agree / both, np.where((above > 0) & (below > 0), v10 / above, np.nan)
        if of is not None:
            auroc = np.clip(auroc + v01 / below - of, 0, 1)
    return {
        "spearman": _correlation(sums[..., RANK], n), "pearson": _correlation(sums[..., VALUE], n),
        "abs_spearman": _correlation(sums[..., ABS], n), "sign_concordance": concordance, "sign_auroc": auroc,
    }  # fmt: skip


def _sign_p(estimate: dict[str, Floats], total: Floats, se_area: Floats) -> dict[str, Floats]:
    """P-values of independent rows: zeros, which have no sign, do not count. Shape of `total`: (strata, N_SUMS)."""
    both = total[:, SIGN][:, 1]
    with np.errstate(divide="ignore", invalid="ignore"):
        z = {"sign_concordance": (estimate["sign_concordance"] - 0.5) * np.sqrt(4 * both),
             "sign_auroc": _logit(estimate["sign_auroc"]) / np.where(se_area > 0, se_area, np.nan)}  # fmt: skip
        return {name: statistics.t_pvalue(value, np.inf) for name, value in z.items()}


def _analytic(
    estimate: dict[str, Floats], total: Floats, squares: Floats
) -> dict[str, tuple[statistics.Interval, Floats]]:
    """Intervals of independent rows, and standard errors on the transformed scale.

    Shapes: total (strata, N_SUMS), squares of the placements (2, strata).
    """
    n = total[:, N]
    agree, both = total[:, SIGN].T
    v10, above, v01, below = total[:, PLACE].T
    rho, r, rho_abs = (estimate[name] for name in ("spearman", "pearson", "abs_spearman"))
    share, area = estimate["sign_concordance"], estimate["sign_auroc"]
    with np.errstate(divide="ignore", invalid="ignore"):
        free = np.where(n > 3, n - 3, np.nan)
        variance = sum(
            np.where(m > 1, (square - placed * placed / m) / (m - 1) / m, np.nan)
            for square, placed, m in ((squares[0], v10, above), (squares[1], v01, below))
        )  # of the area: DeLong, DeLong & Clarke-Pearson 1988
        se_area = np.sqrt(np.maximum(variance, 0)) / (area * (1 - area))
        half = Z95 * se_area
        of_area = statistics.Interval(SHARE.back(_logit(area) - half), SHARE.back(_logit(area) + half))
        return {
            "spearman": (statistics.bonett_wright_interval(rho, n), np.sqrt((1 + rho**2 / 2) / free)),
            "pearson": (statistics.fisher_interval(r, n), 1 / np.sqrt(free)),
            "abs_spearman": (statistics.bonett_wright_interval(rho_abs, n), np.sqrt((1 + rho_abs**2 / 2) / free)),
            "sign_concordance": (statistics.wilson_interval(agree, both), 1 / np.sqrt(both * share * (1 - share))),
            "sign_auroc": (of_area, se_area),
        }
