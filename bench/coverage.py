"""`python -m bench.coverage`: how often do the intervals of `agdb stats` hold the truth, how often are its tests wrong?

Studies are made up by the thousand, whose rows go together in clusters; each is analysed by `agdb.analysis`, as one
from a database is. The truth is the same measure of one sample so large that it stands for all rows there could be.
"""

import os
from collections.abc import Iterable
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a process a core: threads of each would wait for those of others

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from agdb.analysis import measures, paired, results
from agdb.analysis.labels import LabelSet
from agdb.analysis.rows import Division, Group, OneScorer, Rows

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]

#: Rows of a cluster, on average.
ROWS_A_CLUSTER = 12
#: Strata of the made-up division; rows fall into them at random, so that in truth they do not differ.
STRATA = 3
SCORERS = 3
LEVEL = 0.05


class Setting(NamedTuple):
    """A kind of study.

    Attributes:
        clusters: How many.
        icc: Share of the variance of effects, and of scores, that is between clusters.
        rho: Correlation of effect and score before ties and tails.
        sizes: equal: clusters of 12 rows; skewed: as genes are (gamma 0.7: many small, few of hundreds).
        shape: normal; ties: rounded, and a third of the scores 0; heavy: tails of t with 4 degrees of freedom;
            scale: the variance of a cluster is its own.
    """

    clusters: int
    icc: float
    rho: float
    sizes: str = "equal"
    shape: str = "normal"


#: Every number of clusters, ICC and sizes; then, at 100 clusters, every rho and shape.
SETTINGS = list(dict.fromkeys(
    [Setting(n, icc, 0.1, sizes) for n in (20, 100, 500) for sizes in ("equal", "skewed") for icc in (0.0, 0.05, 0.3)]
    + [Setting(100, icc, rho, sizes) for rho in (0.0, 0.5) for sizes in ("equal", "skewed") for icc in (0.05, 0.3)]
    + [Setting(n, 0.3, rho, "skewed", shape) for n in (100,) for rho in (0.0, 0.1, 0.5)
       for shape in ("ties", "heavy", "scale")]
    + [Setting(20, 0.05, rho, "skewed") for rho in (0.0, 0.5)] + [Setting(500, 0.3, 0.0, "skewed")]
))  # fmt: skip


class Told(NamedTuple):
    """What a study says of one statistic; NaN where it says nothing."""

    estimate: float
    low: float
    high: float
    p: float
    analytic_low: float
    analytic_high: float
    analytic_p: float


Study = dict[str, Told]


def simulated(rng: np.random.Generator, setting: Setting) -> Rows:
    """Rows of a study: effect and scores share something within clusters and beyond."""
    sizes = np.full(setting.clusters, ROWS_A_CLUSTER)
    if setting.sizes == "skewed":
        sizes = np.maximum(rng.gamma(0.7, ROWS_A_CLUSTER / 0.7, setting.clusters).astype(np.int64), 1)
    cluster = np.repeat(np.arange(setting.clusters), sizes)
    n = len(cluster)
    effect, score, *more = _latent(rng, 1 + SCORERS, setting, cluster)
    score = setting.rho * effect + np.sqrt(1 - setting.rho**2) * score
    # the second scorer is as good as the first, and goes with it; the third knows less
    own = score - setting.rho * effect
    second = setting.rho * effect + 0.8 * own + 0.6 * np.sqrt(1 - setting.rho**2) * more[0]
    scores = np.stack([score, second, 0.8 * score + 0.6 * more[1]])
    effect, scores = _shaped(rng, setting, cluster, effect, scores)
    nothing = np.full(n, np.nan)
    divisions = [Division("all", np.zeros(n, np.int16), ["all"]),
                 Division("kind", rng.integers(0, STRATA, n).astype(np.int16), [f"s{i}" for i in range(STRATA)])]  # fmt: skip  # noqa: E501
    return Rows(effect, scores, nothing, nothing, nothing, np.arange(n), cluster, cluster, "gene", divisions, "")


def _latent(rng: np.random.Generator, m: int, setting: Setting, cluster: Ints) -> Floats:
    """m columns of standard normals, independent of each other, with this ICC. Shape (m, n)."""
    between = rng.standard_normal((m, setting.clusters))[:, cluster]
    within = rng.standard_normal((m, len(cluster)))
    return np.asarray(np.sqrt(setting.icc) * between + np.sqrt(1 - setting.icc) * within)


def _shaped(
    rng: np.random.Generator, setting: Setting, cluster: Ints, effect: Floats, scores: Floats
) -> tuple[Floats, Floats]:
    if setting.shape == "ties":
        return np.round(effect * 4) / 4, np.where(np.abs(scores) < 0.43, 0.0, np.round(scores * 2) / 2)
    if setting.shape == "heavy":
        effect, scores = (stats.t.ppf(stats.norm.cdf(v), 4) for v in (effect, scores))
    if setting.shape == "scale":
        scale = np.exp(0.5 * rng.standard_normal((2, setting.clusters)))[:, cluster]
        return effect * scale[0], scores * scale[1]
    return effect, scores


def group(n_scorers: int) -> Group:
    """What the rows are said to be."""
    scorers = tuple(OneScorer(f"s{i}", f"s{i}", 100, True, f"s{i}", "DNASE") for i in range(n_scorers))
    return Group(LabelSet("made up"), 1, "made up", "tissue", "unit", 0.0, None, scorers)


def study(rows: Rows, resamples: int, seed: int) -> Study:
    """Every statistic of a study, as `agdb stats` stores it."""
    of = group(SCORERS)
    shared = results.keys(of, rows, resamples, seed)
    found = measures.measured(
        rows.effect, rows.scores[0], [(d.name, d.codes, d.strata) for d in rows.divisions], rows.variant, rows.phenotype,  # noqa: E501
        rows.cluster, resamples=resamples, seed=seed,
    )  # fmt: skip
    told = {}
    for row in results.of_strata(of, rows, found, shared, np.full(len(found.names), np.nan)):
        if row["stratification"] == "all":
            told[row["metric"]] = _told(row)
        elif row["metric"] == "spearman" and row["stratum"] == "s0":
            told["spearman of a stratum"] = _told(row)
    for row in results.of_differences(of, found, shared):
        if row["metric"] == "heterogeneity":
            told["heterogeneity"] = _told(row)
        elif (row["stratum"], row["versus"]) == ("s0", "s1"):
            told["difference of strata"] = _told(row)
    one, other, _ = paired.compared(of, rows, shared, resamples=resamples, seed=seed)
    told["difference of like scorers"], told["difference of unlike scorers"] = _told(one), _told(other)
    told["max-T"] = _told({"estimate": 0.0, "p": one["q"]})
    return told


def _told(row: results.Result) -> Told:
    names = ("estimate", "ci_low", "ci_high", "p", "analytic_low", "analytic_high", "analytic_p")
    return Told(*(np.nan if row.get(name) is None else float(row[name]) for name in names))


def studies(setting: Setting, n: int, resamples: int, seed: int) -> list[Study]:
    """n studies of a setting, each from a seed of its own."""
    rngs = [np.random.default_rng([seed, i]) for i in range(n)]
    return [study(simulated(rng, setting), resamples, i) for i, rng in enumerate(rngs)]


def truth(setting: Setting, rows: int = 1_500_000) -> dict[str, float]:
    """Every statistic of as many rows as make it the truth."""
    many = setting._replace(clusters=rows // ROWS_A_CLUSTER)
    big = simulated(np.random.default_rng(7), many)
    whole = [("all", big.divisions[0].codes, ["all"])]
    found = [measures.measured(big.effect, score, whole, big.variant, big.phenotype, big.cluster, resamples=0, seed=0)
             for score in big.scores]  # fmt: skip
    known = {metric: float(values[0]) for metric, values in found[0].estimate.items()}
    rho = [float(f.estimate["spearman"][0]) for f in found]
    return known | {"spearman of a stratum": known["spearman"], "difference of strata": 0.0,
                    "difference of like scorers": 0.0, "difference of unlike scorers": rho[0] - rho[2]}  # fmt: skip


class Held(NamedTuple):
    """Of many studies: how often the interval held the truth and p was below 0.05; the same of independent rows."""

    coverage: float
    rejected: float
    analytic_coverage: float
    analytic_rejected: float
    se_ratio: float  # mean half width over 1.96 SD of the estimates
    bias: float


def held(told: Iterable[Study], known: dict[str, float]) -> dict[str, Held]:
    """What the studies say, against the truth."""
    told = list(told)
    found = {}
    for name in told[0]:
        estimate, low, high, p, a_low, a_high, a_p = np.array([s[name] for s in told]).T
        true = known.get(name, np.nan)
        found[name] = Held(_inside(low, true, high), _below(p), _inside(a_low, true, a_high), _below(a_p),
                           float(np.nanmean(high - low) / 2 / 1.96 / np.nanstd(estimate)) if name in known else np.nan,
                           float(np.nanmean(estimate) - true))  # fmt: skip
    return found


def _inside(low: Floats, true: float, high: Floats) -> float:
    defined = np.isfinite(low) & np.isfinite(true)
    return float(((low <= true) & (true <= high))[defined].mean()) if defined.any() else np.nan


def _below(p: Floats) -> float:
    defined = np.isfinite(p)
    return float((p < LEVEL)[defined].mean()) if defined.any() else np.nan


def one(setting: Setting, n: int, resamples: int) -> dict[str, Held]:
    """A setting, in this process."""
    return held(studies(setting, n, resamples, seed=1), truth(setting))
