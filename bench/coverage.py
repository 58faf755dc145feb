"""`python -m bench.coverage`: how often do the intervals of `agdb stats` hold the truth, how often are its tests wrong?

Studies are made up by the thousand, whose rows go together in clusters of unlike sizes; each is analysed by the
functions that `agdb stats` calls on the rows of a database. The truth is the same measure of one sample so large that
it stands for all rows there could be. `bench.coverage_report` makes tables of what is found.
"""

import argparse
import json
import os
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import chain
from pathlib import Path
from typing import NamedTuple

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # a process a core: threads of each would wait for those of others

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from agdb.analysis import controls, measures, paired, results
from agdb.analysis.groups import Group, OneScorer
from agdb.analysis.labels import LabelSet
from agdb.analysis.rows import Division, Rows

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]

#: Rows of a cluster, on average; how unlike the sizes are: as genes', many small, few of hundreds.
ROWS_A_CLUSTER, SHAPE_OF_SIZES = 12, 0.7
SCORERS = 3
LEVEL = 0.05
#: Of the labels, in studies without an effect; p <= 0.05 is then 1 in 20 exactly.
PERMUTATIONS = 199
STUDIES, RESAMPLES = 4_000, 400
TRUTH_ROWS = 600_000


class Setting(NamedTuple):
    """A kind of study.

    Attributes:
        clusters: How many.
        icc: Share of the variance of effects, and of scores, that is between clusters.
        rho: Correlation of effect and score before ties and tails.
        shape: normal; heavy: tails of t with 3 degrees of freedom; ties: rounded, and a third of the scores 0;
            discrete: scores of five values; scale: the variance of a cluster is its own.
    """

    clusters: int
    icc: float
    rho: float
    shape: str = "normal"


SHAPES = ("heavy", "ties", "discrete", "scale")
SETTINGS = [
    *(Setting(n, icc, rho) for n in (10, 30, 100, 300) for icc in (0.0, 0.3, 0.8) for rho in (0.0, 0.3)),
    *(Setting(n, 0.3, rho, shape) for shape in SHAPES for n in (30, 100) for rho in (0.0, 0.3)),
]


class Told(NamedTuple):
    """What a study says of one statistic; NaN where it says nothing."""

    estimate: float
    low: float
    high: float
    p: float
    analytic_low: float
    analytic_high: float
    detectable: float


Study = dict[str, Told]


def simulated(rng: np.random.Generator, setting: Setting) -> Rows:
    """Rows of a study: effect, scores and covariates share something within clusters; strata are drawn at random."""
    sizes = rng.gamma(SHAPE_OF_SIZES, ROWS_A_CLUSTER / SHAPE_OF_SIZES, setting.clusters).astype(np.int64)
    cluster = np.repeat(np.arange(setting.clusters), np.maximum(sizes, 1))
    n = len(cluster)
    effect, own, *more, distance, maf = _latent(rng, 3 + SCORERS, setting, cluster)
    left = np.sqrt(1 - setting.rho**2)
    first = setting.rho * effect + left * own
    # the second scorer is as good as the first, and goes with it; the third knows less
    scores = np.stack([first, setting.rho * effect + left * (0.8 * own + 0.6 * more[0]), 0.8 * first + 0.6 * more[1]])
    effect, scores = _shaped(rng, setting, cluster, effect, scores)
    divisions = [
        Division("all", np.zeros(n, np.int16), ["all"]),
        Division("third", rng.integers(0, 3, n).astype(np.int16), [f"s{i}" for i in range(3)]),
        Division("sixth", rng.integers(0, 6, n).astype(np.int16), [f"t{i}" for i in range(6)]),
        # clusters lie in one stratum, as in chrom
        Division("half", (cluster % 2).astype(np.int16), ["even", "odd"]),
        Division("fifth", (cluster % 5).astype(np.int16), [f"u{i}" for i in range(5)]),
    ]
    return Rows(
        effect, scores, np.full(n, np.nan), distance, maf, np.arange(n), cluster, cluster, "gene", divisions, ""
    )


def _latent(rng: np.random.Generator, m: int, setting: Setting, cluster: Ints) -> Floats:
    """m columns of standard normals, independent of each other, with this ICC. Shape (m, n)."""
    between = rng.standard_normal((m, setting.clusters))[:, cluster]
    within = rng.standard_normal((m, len(cluster)))
    return np.asarray(np.sqrt(setting.icc) * between + np.sqrt(1 - setting.icc) * within)


def _shaped(
    rng: np.random.Generator, setting: Setting, cluster: Ints, effect: Floats, scores: Floats
) -> tuple[Floats, Floats]:
    match setting.shape:
        case "ties":
            return np.round(effect * 4) / 4, np.where(np.abs(scores) < 0.43, 0.0, np.round(scores * 2) / 2)
        case "discrete":
            return effect, np.clip(np.round(scores), -2, 2)
        case "heavy":
            effect, scores = (stats.t.ppf(stats.norm.cdf(v), 3) for v in (effect, scores))
        case "scale":
            scale = np.exp(0.5 * rng.standard_normal((2, setting.clusters)))[:, cluster]
            effect, scores = effect * scale[0], scores * scale[1]
    return effect, scores


def group(n_scorers: int) -> Group:
    """What the rows are said to be."""
    scorers = tuple(OneScorer(f"s{i}", f"s{i}", 100, True, f"s{i}", "DNASE") for i in range(n_scorers))
    return Group(LabelSet("made up"), 1, "made up", "tissue", "unit", 0.0, None, scorers)


def study(rows: Rows, resamples: int, seed: int, permutations: int = 0) -> Study:
    """Every statistic of a study, as `agdb stats` stores it."""
    of = group(SCORERS)
    shared = results.keys(of, rows, resamples, seed)
    found = measures.measured(
        rows.effect, rows.scores[0], [(d.name, d.codes, d.strata) for d in rows.divisions], rows.variant,
        rows.phenotype, rows.cluster, resamples=resamples, seed=seed,
    )  # fmt: skip
    told = {}
    for row in results.of_strata(of, found, shared, np.full(len(found.names), np.nan)):
        if row["stratification"] == "all":
            told[row["metric"]] = _told(row)
        elif row["metric"] == "spearman" and row["stratum"] in ("s0", "even"):
            told[_STRATUM[row["stratum"]]] = _told(row)
    for row in results.of_differences(of, found, shared):
        if row["metric"] == "heterogeneity" and row["stratification"] != "half":
            told[f"heterogeneity of {row['stratification']}s"] = _told(row)
        elif (row["stratum"], row.get("versus")) in (("s0", "s1"), ("even", "odd")):
            told[_DIFFERENCE[row["stratum"]]] = _told(row)
    for row in controls.of_all_rows(of, rows, found, shared, permutations, with_kendall=False):
        if row["metric"] in ("partial_spearman", "permutation_spearman"):
            told[row["metric"]] = _told(row)
    compared = paired.compared(of, rows, shared, resamples=resamples, seed=seed)
    told["difference of like scorers"], told["difference of unlike scorers"] = (_told(row) for row in compared[:2])
    told["max-T of three scorers"] = _told({"p": min(row.get("q") or 1.0 for row in compared)})
    return told


_STRATUM = {"s0": "spearman of a stratum", "even": "spearman of half of the clusters"}
_DIFFERENCE = {"s0": "difference of strata", "even": "difference of halves"}


def _told(row: results.Result) -> Told:
    names = ("estimate", "ci_low", "ci_high", "p", "analytic_low", "analytic_high", "detectable")
    return Told(*(np.nan if row.get(name) is None else float(row[name]) for name in names))


def studies(setting: Setting, n: int, resamples: int, seed: int) -> list[Study]:
    """n studies of a setting, each from a seed of its own."""
    rngs = [np.random.default_rng([seed, i]) for i in range(n)]
    permutations = PERMUTATIONS if setting.rho == 0 and setting.clusters <= 100 else 0
    return [study(simulated(rng, setting), resamples, i, permutations) for i, rng in enumerate(rngs)]


@cache
def _truth(setting: Setting, rows: int) -> dict[str, float]:
    big = simulated(np.random.default_rng(7), setting._replace(clusters=rows // ROWS_A_CLUSTER))
    whole = [("all", big.divisions[0].codes, ["all"])]
    found = [measures.measured(big.effect, score, whole, big.variant, big.phenotype, big.cluster, resamples=0, seed=0)
             for score in big.scores]  # fmt: skip
    known = {metric: float(values[0]) for metric, values in found[0].estimate.items()}
    if setting.rho == 0:  # known without a sample
        known = {metric: 0.5 if metric.startswith("sign") else 0.0 for metric in known}
        known["abs_spearman"] = 0.0 if setting.shape != "scale" else known["abs_spearman"]
    rho = [float(f.estimate["spearman"][0]) for f in found]
    same = dict.fromkeys(("spearman of a stratum", "spearman of half of the clusters", "partial_spearman"),
                         known["spearman"])  # fmt: skip
    none = dict.fromkeys(("difference of strata", "difference of halves", "difference of like scorers"), 0.0)
    return known | same | none | {"difference of unlike scorers": rho[0] - rho[2] if setting.rho else 0.0}


def truth(setting: Setting, rows: int = TRUTH_ROWS) -> dict[str, float]:
    """Every statistic of as many rows as make it the truth; the number of clusters does not change it."""
    return _truth(setting._replace(clusters=0), rows)


class Held(NamedTuple):
    """Of many studies: how often the interval held the truth, how often p was at most 0.05; the interval of independent
    rows; the share of studies that have an interval; the SD of the estimates where they are about normal; mean of what
    is said to be detectable.
    """

    coverage: float
    rejected: float
    analytic_coverage: float
    defined: float
    line_sd: float
    detectable: float
    studies: int


def held(told: Iterable[Study], known: dict[str, float]) -> dict[str, Held]:
    """What the studies say, against the truth."""
    told = list(told)
    found = {}
    for name in told[0]:
        estimate, low, high, p, a_low, a_high, least = np.array([s[name] for s in told if name in s]).T
        true, line = known.get(name, np.nan), measures.SCALES.get(name, measures.CORRELATION).to_line
        with np.errstate(all="ignore"):
            on_line = line(estimate)
        found[name] = Held(
            _share((low <= true) & (true <= high), np.isfinite(low) & np.isfinite(true)),
            _share(p <= LEVEL + 1e-12, np.isfinite(p)), _share((a_low <= true) & (true <= a_high), np.isfinite(a_low)),
            float(np.isfinite(low).mean()), float(on_line[np.isfinite(on_line)].std()) if name in known else np.nan,
            float(least[np.isfinite(least)].mean()) if np.isfinite(least).any() else np.nan, len(told),
        )  # fmt: skip
    return found


def _share(hit: NDArray[np.bool_], among: NDArray[np.bool_]) -> float:
    return float(hit[among].mean()) if among.any() else np.nan


def one(setting: Setting, n: int, resamples: int) -> dict[str, Held]:
    """A setting, in this process."""
    return held(studies(setting, n, resamples, seed=1), truth(setting))


def main() -> None:
    """Entry of `python -m bench.coverage`."""
    from bench.coverage_report import planted, tables

    parser = argparse.ArgumentParser()
    parser.add_argument(
        "--studies", type=int, default=STUDIES, help="of each setting; half as many of other shapes than normal"
    )
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "out")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor() as pool:
        found, half = {}, partial(one, n=args.studies // 2, resamples=RESAMPLES)
        whole = [s for s in SETTINGS if s.shape == "normal"]
        of_normal = pool.map(partial(one, n=args.studies, resamples=RESAMPLES), whole)
        of_others = pool.map(half, SETTINGS[len(whole) :])
        for setting, of in zip(SETTINGS, chain(of_normal, of_others), strict=True):
            found[setting] = of
            kept = [[*s, {name: h._asdict() for name, h in held.items()}] for s, held in found.items()]
            (args.out / "coverage.json").write_text(json.dumps(kept))
        more = planted(found)
        again = dict(zip(more, pool.map(half, more), strict=True))
    text = tables(found, again)
    (args.out / "coverage.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
