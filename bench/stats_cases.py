"""What is measured of `agdb stats`, and of the same measures by pandas and scipy.stats in a loop.

As in `cases`, each runs in a fresh process. Found: estimates by "stratification: stratum: metric".
"""

import time
import warnings
from typing import Any

import numpy as np

from bench.cases import Case, Place

#: Resamples that the loop makes, of the many that agdb does.
LOOPS, RESAMPLES = 2, 2_000
Estimates = dict[str, float]


def load(_: Place) -> None:
    """The imports of all cases."""
    import pandas  # noqa: F401
    import scipy.stats  # noqa: F401

    from agdb.analysis import run  # noqa: F401


def whole_command(place: Place) -> Estimates:
    """All that `agdb stats` computes: controls, causality, overlap and winner's curse too."""
    from agdb import db
    from agdb.analysis import groups, run

    with db.reading(place.stored) as con, groups.probing_with_associations(con):
        return _estimates(run.computed(con, run.Asked(label_sets=("all",))))


def measures_alone(place: Place) -> Estimates:
    """The measures of agreement in all strata with intervals, and the differences between strata: what the loop has."""
    from agdb import db
    from agdb.analysis import controls, groups, labels, measures, results, rows, strata

    with db.reading(place.stored) as con, groups.probing_with_associations(con):
        (group,) = groups.groups(con, labels.named(con, "all"), None, None)
        read = rows.read(con, group, strata.STRATA)
    shared = results.keys(group, read, RESAMPLES, 0)
    divisions = [(d.name, d.codes, d.strata) for d in read.divisions if d.strata]
    found = measures.measured(read.effect, read.scores[0], divisions, read.variant, read.phenotype, read.cluster,
                              resamples=RESAMPLES, seed=0)  # fmt: skip
    made = results.of_strata(group, found, shared, controls.ceilings(read))
    return _estimates(made + results.of_differences(group, found, shared))


def _estimates(found: list[dict[str, Any]]) -> Estimates:
    from agdb.analysis import measures

    return {f"{row['stratification']}: {row['stratum']}: {row['metric']}": row["estimate"] for row in found
            if row["metric"] in measures.SCALES and row["estimate"] is not None}  # fmt: skip


def _frame(place: Place) -> Any:
    from agdb import db
    from agdb.analysis import groups, labels, rows, strata

    with db.reading(place.stored) as con:
        (group,) = groups.groups(con, labels.named(con, "all"), None, None)
        return con.sql(rows.query(group, strata.STRATA)).df()


def loop(place: Place) -> Estimates:
    """The same measures by pandas and scipy, one stratum after the other, without intervals of clusters."""
    from agdb.analysis import strata

    frame, found = _frame(place), {}
    for i, division in enumerate(strata.STRATA):
        for stratum, own in frame.groupby(f"stratum_{i}", observed=True):
            for metric, value in _of_one(own.effect.to_numpy(), own.score_0.to_numpy()).items():
                found[f"{division}: {stratum}: {metric}"] = value
    return {name: value for name, value in found.items() if np.isfinite(value)}


def _of_one(effect: Any, score_: Any) -> Estimates:
    from scipy import stats

    both = (effect != 0) & (score_ != 0)
    above, below = score_[effect > 0], score_[effect < 0]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        u = stats.mannwhitneyu(above, below).statistic if len(above) and len(below) else np.nan
        return {
            "spearman": float(stats.spearmanr(effect, score_).statistic),
            "pearson": float(stats.pearsonr(effect, score_).statistic),
            "abs_spearman": float(stats.spearmanr(np.abs(effect), np.abs(score_)).statistic),
            "sign_concordance": float(np.mean((effect > 0)[both] == (score_ > 0)[both])),
            "sign_auroc": float(u / (len(above) * len(below))) if np.isfinite(u) else np.nan,
        }


def bootstrap_loop(place: Place) -> Estimates:
    """Some resamples of clusters, all rows, Spearman alone, ranked anew; seconds of each, without the reading."""
    from scipy import stats

    frame, rng = _frame(place), np.random.default_rng(0)
    of_cluster = list(frame.groupby(["chrom", "cluster_start"], observed=True).indices.values())
    effect, score_ = frame.effect.to_numpy(), frame.score_0.to_numpy()
    start, cores = time.perf_counter(), time.process_time()
    for _ in range(LOOPS):
        drawn = np.concatenate([of_cluster[c] for c in rng.integers(len(of_cluster), size=len(of_cluster))])
        stats.spearmanr(effect[drawn], score_[drawn])
    return {"seconds": (time.perf_counter() - start) / LOOPS, "core_seconds": (time.process_time() - cores) / LOOPS}


#: The measures of agreement, which the loop has too; all of the command; the loop, and what its bootstrap would take.
CASES = {
    "stats-measures": Case("", "agdb, the measures with intervals", measures_alone, load),
    "stats-all": Case("", "agdb stats, all of it", whole_command, load),
    "stats-loop": Case("", "pandas + scipy, no intervals", loop, load),
    "stats-bootstrap": Case("", "pandas + scipy, resamples of clusters", bootstrap_loop, load),
}
