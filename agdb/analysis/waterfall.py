"""From the original study to the right one, a step at a time: what each correction does to the correlation.

Every step changes one thing of the step before it. Where it changes the label or the scorer, the two are compared on
the rows that both have; where it changes the rows, each is on its own, in the clusters of both. A step whose data are
not there is left out, with the reason, and the next one goes on from the one before.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import duckdb
import numpy as np
from numpy.typing import NDArray

from agdb import db
from agdb.analysis import measures, paired, profile, results, store
from agdb.analysis.expected import expected
from agdb.analysis.groups import Group, OneScorer, probing_with_associations
from agdb.analysis.labels import LabelSet
from agdb.analysis.profile import Asked, Chosen
from agdb.analysis.results import Result
from agdb.analysis.rows import numbered
from agdb.analysis.steps import LEFT_OUT, STEPS, State, begin, changed, study_sql
from agdb.analysis.strata import OF_STEPS
from agdb.errors import Refused
from agdb.statistics import bootstrap, wild
from agdb.statistics.ranks import Ranker
from agdb.statistics.shrinkage import ceiling

Floats = NDArray[np.float64]
Ints = NDArray[np.integer]

#: Fewest rows of a step: of fewer no interval says anything.
FEWEST = 10


class Data(NamedTuple):
    """The rows of a state: `place` among all rows of the study, and its columns. Shapes (n,)."""

    place: Ints
    effect: Floats
    score: Floats
    slope_se: Floats
    variant: Ints
    phenotype: Ints
    cluster: Ints

    @property
    def is_flat(self) -> bool:
        """Whether the effect or the score is constant."""
        return bool(np.ptp(self.effect) == 0 or np.ptp(self.score) == 0)

    def at(self, places: Ints) -> "Data":
        """The rows with these places; each must be among its own, which is not checked."""
        own = np.searchsorted(self.place, places)
        return Data._make(column[own] for column in self)


class Taken(NamedTuple):
    """A step that was not left out."""

    step: str
    state: State
    data: Data


def compare(path: Path, asked: Asked) -> tuple[int, list[str]]:
    """Compute the comparison and store it in `result`; returns the run_id, and what was chosen, a line each.

    Raises:
        UsageError, Refused: as `profile.chosen`; or the study has too few rows to begin with.
        Refused: the file cannot be written.
        DatabaseBusy: another process is writing; or holds the database, for an hour after all is computed.
    """
    store.check(path)
    with db.reading(path) as con, probing_with_associations(con):
        began = db.utc_now()
        what = profile.chosen(con, asked)
        told = list(what.told(con))
        found = computed(con, what)
    return store.stored(path, "compare-study", what.arguments, found, began), told


def computed(con: duckdb.DuckDBPyConnection, what: Chosen) -> list[Result]:
    """The results of all steps, and their differences; of steps that are left out, the reason.

    Raises:
        Refused: the study has too few rows to begin with.
    """
    con.execute(f"CREATE OR REPLACE TEMP TABLE study AS\n{study_sql(what)}")
    if what.labels.cluster == "block" and not con.execute("SELECT max(cluster_start) >= 0 FROM study").fetchall()[0][0]:
        what = replace(what, cluster_of="mb")
    made: list[Result] = []
    state, now = begin(what), None
    for step in STEPS:
        taken = _taken(con, step, state, what)
        if not isinstance(taken, str):
            made += _results(what, taken)
            made += [_difference(what, now, taken)] if now else []
            state, now = taken.state, taken
        elif now:
            made.append(_left_out(what, state, step, taken))
        else:
            cure = "score more variants, or name another --source, --original or --peaks-as-given"
            raise Refused(f"the study cannot begin: {taken}", where=f"source {what.source.source_id}", cure=cure)
    con.execute("DROP TABLE temp.study")
    return results.with_q(made)


def _taken(con: duckdb.DuckDBPyConnection, step: str, state: State, what: Chosen) -> Taken | str:
    """A step from the state before it; or why it is left out."""
    new = state if step == STEPS[0] else changed(step, state, what)
    if isinstance(new, str):
        return new
    data = _read(con, new)
    return _too_few(data) or Taken(step, new, data)


def _read(con: duckdb.DuckDBPyConnection, state: State) -> Data:
    found = con.execute(state.sql).fetchnumpy()
    return Data(*(np.ma.filled(found[name].astype(float if name in ("effect", "score", "slope_se") else np.int64),
                               np.nan if name == "slope_se" else 0) for name in Data._fields))  # fmt: skip


def _too_few(data: Data) -> str | None:
    if len(data.place) < FEWEST:
        n = len(data.place)
        return f"it would leave {n} row{'' if n == 1 else 's'}, of {FEWEST} that an interval needs"
    return "the effect or the score is constant" if data.is_flat else None


def _shared(what: Chosen, state: State, step: str) -> Result:
    return {
        "label_set": what.labels.name, "label": state.label, "source_id": what.source.source_id,
        "source": what.source.name, "tissue": what.source.tissue, "scorer_id": state.scorer.scorer_id,
        "scorer": state.scorer.name, "window_bp": state.scorer.window_bp, "unit": state.unit,
        "cluster": what.cluster_of or what.labels.cluster, "seed": what.seed, "resamples": what.resamples,
        "stratification": OF_STEPS, "stratum": step,
    }  # fmt: skip


def _left_out(what: Chosen, state: State, step: str, why: str) -> Result:
    return {**_shared(what, state, step), "metric": "spearman", "n": 0, "method": LEFT_OUT, "reason": why}


def _results(what: Chosen, taken: Taken) -> Iterator[Result]:
    """All measures of a step, as agdb stats has them."""
    step, state, data = taken
    cluster, codes = numbered(data.cluster), np.zeros(len(data.place), np.int16)
    found = measures.measured(data.effect, data.score, [(OF_STEPS, codes, [step])], data.variant, data.phenotype,
                              cluster, resamples=what.resamples, seed=what.seed)  # fmt: skip
    most = ceiling(data.effect, data.slope_se) if state.label == "slope" else np.nan
    name = "fine-mapped" if any(c.startswith("pip >") for c in state.conditions) else what.labels.name
    scorer = OneScorer(state.scorer.scorer_id, state.scorer.name, state.scorer.window_bp, True, "",
                       state.scorer.output_type)  # fmt: skip
    group = Group(LabelSet(name, state.label), what.source.source_id, what.source.name, what.source.tissue, None, 0,
                  what.source.qtl_type, (scorer,))  # fmt: skip
    for row in results.of_strata(group, found, _shared(what, state, step), np.array([most])):
        yield row | {"expected": expected(group, row["metric"])}


def _difference(what: Chosen, old: Taken, new: Taken) -> Result:
    """What a step changed: of the same rows where it changed the label or the scorer, else of the rows of both."""
    a, b, is_paired = old.data, new.data, new.state.is_paired(old.state)
    if is_paired:
        both = np.intersect1d(a.place, b.place)
        a, b = a.at(both), b.at(both)
    place = np.union1d(a.place, b.place)
    cluster: Ints = np.zeros(len(place), np.int64)
    for data in (a, b):
        cluster[np.searchsorted(place, data.place)] = data.cluster
    cluster = numbered(cluster)
    n_clusters = len(np.unique(cluster))
    row = {**_shared(what, new.state, new.step), "versus": old.step, "metric": "spearman_difference", "n": len(place),
           "n_clusters": n_clusters, "method": _METHODS[is_paired]}  # fmt: skip
    if why := _incomparable(a, b, len(place)):
        return row | {"reason": why}
    sums = [_sums(data, cluster[np.searchsorted(place, data.place)], n_clusters) for data in (a, b)]
    rho = [float(bootstrap.correlations(s.sum(axis=0))[0]) for s in sums]
    before, now = (wild.scores(s[:, None]) for s in sums)
    tested = wild.differences(np.array([rho[1] - rho[0]]), now, before, what.resamples, what.seed)
    values = results.flipped(rho[1] - rho[0], tested, 0)
    return row | results.defined(values | (_analytic(a, b, rho) if is_paired else {}), None)


def _incomparable(a: Data, b: Data, n: int) -> str | None:
    """Why two steps have no difference that could be measured."""
    if n < FEWEST:
        return f"both steps share {n} row{'' if n == 1 else 's'}, of {FEWEST} that an interval needs"
    if all(np.array_equal(one, other) for one, other in zip(a[:3], b[:3], strict=True)):
        return "its rows are those of the step before: it changes nothing"
    return "on the rows of both steps the effect or a score is constant" if a.is_flat or b.is_flat else None


_METHODS = {
    True: "this step less the one before, on the rows that both have; interval and p by flipping the signs of what "
          "clusters add to it; analytic: Zou interval, Meng-Rosenthal-Rubin test",
    False: "this step less the one before, which has other rows; interval and p by flipping the signs of what clusters "
           "add to it",
}  # fmt: skip


def _sums(data: Data, cluster: Ints, n_clusters: int) -> Floats:
    """Sums over clusters that rho is a function of. Shape (clusters, 6)."""
    ranks = Ranker(data.effect).within(), Ranker(data.score).within()
    return bootstrap.cluster_sums(bootstrap.correlation_columns(*ranks), cluster, n_clusters)


def _analytic(a: Data, b: Data, rho: list[float]) -> dict[str, float]:
    """Of two correlations that share the effect, or the score, on the same rows."""
    is_label = np.array_equal(a.score, b.score)
    x, y = (a.effect, b.effect) if is_label else (a.score, b.score)
    return paired.analytic(rho[1], rho[0], Ranker(y).within(), Ranker(x).within())
