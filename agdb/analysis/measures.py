"""What is measured of rows: agreement of score and effect, by stratum, with intervals of resampled clusters.

Everything is a function of sums over rows, so that clusters are resampled by their sums, once for all strata and all
measures: their replicates are paired, and differences between strata need no more.
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from agdb import statistics
from agdb.statistics import bootstrap
from agdb.statistics.ranks import Ranker

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]


class Scale(NamedTuple):
    """Where a measure is about normal: to the line and back; its value where there is no agreement."""

    to_line: Callable[[Floats], Floats]
    back: Callable[[Floats], Floats]
    null: float


def _logit(p: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(np.log(p / (1 - p)), float)


CORRELATION = Scale(np.arctanh, np.tanh, 0.0)
SHARE = Scale(_logit, lambda x: 1 / (1 + np.exp(-x)), 0.5)

SCALES = {"spearman": CORRELATION, "pearson": CORRELATION, "abs_spearman": CORRELATION, "sign_concordance": SHARE,
          "sign_auroc": SHARE}  # fmt: skip
#: Measures that need a score and a label with a direction.
SIGNED = ("spearman", "pearson", "sign_concordance", "sign_auroc")

#: Columns of sums: rows; ranks, values and ranks of absolute values (effect, score, squares, product); rows whose signs
#: agree, and that have signs; placements and numbers of rows with effects above and below none.
_N, _RANK, _VALUE, _ABS, _SIGN, _PLACE = 0, slice(1, 6), slice(6, 11), slice(11, 16), slice(16, 18), slice(18, 22)
N_SUMS = 22

#: Divisions that are summed at a time: each takes some 15 numbers a row.
_AT_ONCE = 4


@dataclass
class Strata:
    """Measures of all strata of all divisions of the same rows.

    Attributes:
        names: (division, stratum) of each.
        n, n_variants, n_genes, n_clusters: Shape (strata,).
        estimate: By measure, shape (strata,); NaN where it is not defined.
        replicates: By measure, shape (resamples, strata).
        analytic: By measure: interval of independent rows, and its standard error on the line.
        is_constant: Whether the effect, or the score, has one value only. Shape (strata,).
    """

    names: list[tuple[str, str]]
    n: Ints
    n_variants: Ints
    n_genes: Ints
    n_clusters: Ints
    estimate: dict[str, Floats]
    replicates: dict[str, Floats]
    analytic: dict[str, tuple[statistics.Interval, Floats]]
    is_constant: NDArray[np.bool_] = field(default_factory=lambda: np.zeros(0, np.bool_))


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
    n_clusters = int(cluster.max()) + 1 if len(cluster) else 0
    with ThreadPoolExecutor(min(os.cpu_count() or 1, _AT_ONCE)) as pool:  # numpy sorts and sums without the GIL
        rankers = list(pool.map(Ranker, (effect, score, np.abs(effect), np.abs(score))))

        def of(division: tuple[str, Ints, list[str]]) -> _Sums:
            _, codes, strata = division
            return _summed(effect, score, codes, len(strata), rankers, (variant, gene, cluster), n_clusters)

        found = list(pool.map(of, divisions))
    names = [(name, stratum) for name, _, strata in divisions for stratum in strata]
    sums, squares, counts, constant = (list(parts) for parts in zip(*found, strict=True))
    by_cluster: Floats = np.concatenate(sums, axis=1)
    total = by_cluster.sum(axis=0).reshape(len(names), N_SUMS)
    drawn = bootstrap.resample(by_cluster, resamples, seed).reshape(-1, len(names), N_SUMS)
    n, n_variants, n_genes, with_rows = np.concatenate(counts, axis=1)
    estimate = _estimates(total)
    return Strata(
        names, n, n_variants, n_genes, with_rows, estimate, _estimates(drawn, of=estimate["sign_auroc"]),
        _analytic(estimate, total, np.concatenate(squares, axis=1)), np.concatenate(constant),
    )  # fmt: skip


class _Sums(NamedTuple):
    """What is known of the k strata of a division.

    by_cluster: sums over the rows of each cluster, shape (clusters, k * N_SUMS). squares: of both placements, (2, k).
    counts: rows, variants, genes, clusters, (4, k). is_constant: shape (k,).
    """

    by_cluster: Floats
    squares: Floats
    counts: Ints
    is_constant: NDArray[np.bool_]


def _summed(
    effect: Floats, score: Floats, codes: Ints, k: int, rankers: list[Ranker], numbers: tuple[Ints, Ints, Ints],
    n_clusters: int,
) -> _Sums:  # fmt: skip
    """Sums of a division of the rows. `numbers`: variant, gene, cluster."""
    within = codes >= 0
    of, v10_v01 = codes[within].astype(np.int64), _placements(effect, codes, k, rankers[1])
    cell = of * max(n_clusters, 1) + numbers[2][within]
    columns = _columns(effect, score, codes, k, rankers, v10_v01)
    found: Floats = np.stack([np.bincount(cell, column[within], k * max(n_clusters, 1)) for column in columns])
    return _Sums(
        found.reshape(N_SUMS, k, -1).transpose(2, 1, 0).reshape(-1, k * N_SUMS),
        np.stack([np.bincount(of, v[within] ** 2, k) for v in v10_v01]),
        np.stack([np.bincount(of, minlength=k), *(_distinct(of, number[within], k) for number in numbers)]),
        _is_constant(effect[within], of, k) | _is_constant(score[within], of, k),
    )


def _columns(
    effect: Floats, score: Floats, codes: Ints, n_strata: int, rankers: list[Ranker], v10_v01: tuple[Floats, Floats]
) -> Iterator[Floats]:
    """The columns whose sums are taken, one at a time: as many rows as there may be fit in memory."""
    yield np.ones(len(effect))
    for a, b in (
        (rankers[0].within(codes), rankers[1].within(codes)),
        (_scaled(effect, codes, n_strata), _scaled(score, codes, n_strata)),
        (rankers[2].within(codes), rankers[3].within(codes)),
    ):
        yield from (a, b, a * a, b * b, a * b)
    above, below, has_score = effect > 0, effect < 0, score != 0
    both = (above | below) & has_score
    yield (both & (above == (score > 0))).astype(float)
    yield both.astype(float)
    yield from (v10_v01[0], above.astype(float), v10_v01[1], below.astype(float))


def _placements(effect: Floats, codes: Ints, n_strata: int, ranker: Ranker) -> tuple[Floats, Floats]:
    """Of rows with an effect above none, the share of those below that have a lower score; of rows below, the share of
    those above that have a higher one (ties count half): DeLong's V10 and V01. 0 for the others, and where there are no
    others. Each of the two has the area under the curve as its mean.
    """
    above, below = (effect > 0) & (codes >= 0), (effect < 0) & (codes >= 0)
    n_above, n_below = (np.bincount(codes[side], minlength=n_strata) for side in (above, below))
    among_all = ranker.within(np.where(above | below, codes, -1)) + (n_above + n_below + 1)[codes] / 2
    own = ranker.within(np.where(above | below, 2 * codes + above, -1))
    lower = among_all - own - (np.where(above, n_above[codes], n_below[codes]) + 1) / 2  # of the other side
    with np.errstate(divide="ignore", invalid="ignore"):
        v10, v01 = lower / n_below[codes], 1 - lower / n_above[codes]
    return np.where(above & np.isfinite(v10), v10, 0.0), np.where(below & np.isfinite(v01), v01, 0.0)


def _scaled(values: Floats, codes: Ints, n_strata: int) -> Floats:
    """Values less the mean of their stratum, over its largest deviation: so that their squares are numbers and keep
    their digits.
    """
    within = codes >= 0
    of, own = codes[within], values[within]
    n = np.maximum(np.bincount(of, minlength=n_strata), 1)
    centred = np.where(within, values - (np.bincount(of, own / n[of], n_strata))[codes], 0.0)
    largest = np.zeros(n_strata)
    np.maximum.at(largest, of, np.abs(centred[within]))
    return np.asarray(centred / np.where(largest > 0, largest, 1.0)[codes], float)


def _distinct(stratum: Ints, number: Ints, n_strata: int) -> Ints:
    """How many distinct numbers each stratum has."""
    size = int(number.max()) + 1 if len(number) else 1
    seen = np.zeros(n_strata * size, np.bool_)
    seen[stratum * size + number] = True
    return np.asarray(seen.reshape(n_strata, size).sum(axis=1), np.int64)


def _is_constant(values: Floats, stratum: Ints, n_strata: int) -> NDArray[np.bool_]:
    """Whether all values of a stratum are one; of one without rows they are."""
    one = np.zeros(n_strata)
    one[stratum] = values  # any of them
    return np.asarray(np.bincount(stratum, values != one[stratum], n_strata) == 0, np.bool_)


def _correlation(sums: Floats, n: Floats) -> Floats:
    """Correlation from (sum x, sum y, sum x^2, sum y^2, sum xy). Shape (..., 5) -> (...)."""
    x, y, xx, yy, xy = np.moveaxis(sums, -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        r = (xy - x * y / n) / np.sqrt((xx - x * x / n) * (yy - y * y / n))
    return np.asarray(np.clip(r, -1, 1), float)


def _estimates(sums: Floats, of: Floats | None = None) -> dict[str, Floats]:
    """The measures from their sums. Shape (..., N_SUMS) -> (...) each.

    Of resamples, `of` is the area under the curve in the sample: to first order the area of a resample is that plus
    what the means of both placements differ from it (the bootstrap of its Hajek projection).
    """
    n = sums[..., _N]
    agree, both = np.moveaxis(sums[..., _SIGN], -1, 0)
    v10, above, v01, below = np.moveaxis(sums[..., _PLACE], -1, 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        concordance, auroc = agree / both, np.where((above > 0) & (below > 0), v10 / above, np.nan)
        if of is not None:
            auroc = np.clip(auroc + v01 / below - of, 0, 1)
    return {
        "spearman": _correlation(sums[..., _RANK], n), "pearson": _correlation(sums[..., _VALUE], n),
        "abs_spearman": _correlation(sums[..., _ABS], n), "sign_concordance": concordance, "sign_auroc": auroc,
    }  # fmt: skip


def _analytic(
    estimate: dict[str, Floats], total: Floats, squares: Floats
) -> dict[str, tuple[statistics.Interval, Floats]]:
    """Intervals of independent rows, and standard errors on the line. Shapes: total (strata, N_SUMS), squares of the
    placements (2, strata).
    """
    n = total[:, _N]
    agree, both = total[:, _SIGN].T
    v10, above, v01, below = total[:, _PLACE].T
    rho, r, rho_abs = (estimate[name] for name in ("spearman", "pearson", "abs_spearman"))
    share, area = estimate["sign_concordance"], estimate["sign_auroc"]
    with np.errstate(divide="ignore", invalid="ignore"):
        free = np.where(n > 3, n - 3, np.nan)
        variance = sum(
            np.where(m > 1, (square - placed * placed / m) / (m - 1) / m, np.nan)
            for square, placed, m in ((squares[0], v10, above), (squares[1], v01, below))
        )  # of the area: DeLong, DeLong & Clarke-Pearson 1988
        se_area = np.sqrt(np.maximum(variance, 0)) / (area * (1 - area))
        half = 1.959963984540054 * se_area
        of_area = statistics.Interval(SHARE.back(_logit(area) - half), SHARE.back(_logit(area) + half))
        return {
            "spearman": (statistics.bonett_wright_interval(rho, n), np.sqrt((1 + rho**2 / 2) / free)),
            "pearson": (statistics.fisher_interval(r, n), 1 / np.sqrt(free)),
            "abs_spearman": (statistics.bonett_wright_interval(rho_abs, n), np.sqrt((1 + rho_abs**2 / 2) / free)),
            "sign_concordance": (statistics.wilson_interval(agree, both), 1 / np.sqrt(both * share * (1 - share))),
            "sign_auroc": (of_area, se_area),
        }
