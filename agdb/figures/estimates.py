"""Stored estimates: by window, by stratum, by decile of the score, step by step, and what could have been found."""

from typing import Any

import duckdb
import numpy as np
import pyarrow as pa

from agdb import plots
from agdb.analysis.groups import Group
from agdb.analysis.rows import query
from agdb.analysis.strata import STRATA
from agdb.errors import Refused, UsageError
from agdb.figures import resampled, rows_drawn, stored
from agdb.figures.agreement import families
from agdb.figures.choice import Choice, Drawn, number, one, one_group, rows, table, title
from agdb.statistics.power import correlation_power, detectable, power_with_se

#: Stratifications that a forest leaves out unless it is asked for them: they have figures of their own, or many strata.
NOT_IN_FOREST = ("all", "score_decile", "chrom", "study")

_RUN_STATS = "agdb stats computes and stores them"


def windows(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """Spearman by window of one label set and source, on the associations that every window scored.

    Raises:
        UsageError: no scorer has two windows there, or more than one source matches (they are listed).
    """
    found = families(con, choice)
    sources = list(dict.fromkeys((g.source_id, g.source) for g in found))
    one(sources, lambda s: f"--labels {choice.labels} --source {s[0]}   ({s[1]})", "QTL sources")
    series, notes, data = [], [], []
    for group in found:
        with rows_drawn.drawn(con, group, choice) as stratum:
            of = [rows_drawn.agreement(con, f"score_{i}") for i in range(len(group.scorers))]
        found_here, note = resampled.estimates(con, group, choice, stratum, of)
        rho = found_here["spearman"]
        notes.append(note)
        metric = _metric(group)[0]
        name = group.scorers[0].name + ("" if metric == "spearman" else " (|effect|, |score|)")
        series.append(plots.WindowSeries(name, [s.window_bp for s in group.scorers], rho))
        data += [{"scorer": s.name, "window_bp": s.window_bp, **_cells(e, metric)}
                 for s, e in zip(group.scorers, rho, strict=True)]  # fmt: skip
    note = " ".join(dict.fromkeys(notes))
    figure = plots.windows(series, title=title(found[0], choice.stratum), note=note)
    said = ", ".join(
        f"{of.name} {w:,} bp {e}" for of in series for w, e in zip(of.windows_bp, of.estimates, strict=True)
    )
    told = f"{found[0].labels.label} of {found[0].source}, {len(data)} windows, n = {data[0]['n']:,}; Spearman {said}"
    told += stored.aside(note)
    columns = dict.fromkeys(name for row in data for name in row)  # abs_spearman where a scorer has no direction
    return Drawn("windows", figure, pa.table({name: [row.get(name) for row in data] for name in columns}), told)


def _cells(e: plots.Estimate, metric: str = "spearman") -> dict[str, float | int | None]:
    """An estimate as columns."""
    values = {metric: e.value, "ci_low": e.low, "ci_high": e.high}
    return {"n": e.n, **{name: float(v) if np.isfinite(v) else None for name, v in values.items()}}


def _metric(group: Group) -> tuple[str, str]:
    if group.scorers[0].is_signed:
        return "spearman", "Spearman correlation, 95 % interval"
    return "abs_spearman", "Spearman of |effect| and |score|, 95 % interval"


def _overall(con: duckdb.DuckDBPyConnection, group: Group, metric: str) -> dict[str, Any]:
    found = [row for row in stored.results(con, group, metric, "all") if row["stratum"] == "all"]
    if not found:
        raise Refused(f"no {metric} of {group.scorers[0].name} and {group.source} is stored", cure=_RUN_STATS)
    if found[0]["estimate"] is None:
        what = f"the {metric} of {group.scorers[0].name} and {group.source} is not defined: {found[0]['reason']}"
        raise Refused(what, cure="choose other rows: agdb sql 'FROM latest_result' says what there is")
    return found[0]


def forest(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """The correlation in every stratum that `agdb stats` has stored; `divide` may name stratifications, by commas.

    Raises:
        UsageError: nothing matches, several do, or no such stratification is stored.
        Refused: nothing is stored.
    """
    group = one_group(con, choice)
    metric, axis = _metric(group)
    overall = _overall(con, group, metric)
    found = stored.results(con, group, metric)
    names = list(dict.fromkeys(row["stratification"] for row in found))
    wanted = [n for n in names if n not in NOT_IN_FOREST]
    if choice.divide is not None:
        wanted = [name.strip() for name in choice.divide.split(",")]
        if unknown := [name for name in wanted if name not in names]:
            raise UsageError(
                f"no results of stratification {unknown[0]!r} are stored", cure=f"one of {', '.join(names)}"
            )
    same = stored.runs_of(con, group, metric, overall["n"], overall["estimate"])
    old = [name for name in wanted if all(r["run_id"] not in same for r in found if r["stratification"] == name)]
    kept = [row for name in wanted for row in found
            if row["stratification"] == name and row["estimate"] is not None and row["run_id"] in same]  # fmt: skip
    several = [row for row in kept if sum(other["stratification"] == row["stratification"] for other in kept) > 1]
    left_out = f"{', '.join(old)}: stored before other data came" if old else ""
    if not several and old:
        raise Refused(f"no strata of these rows are stored; {left_out}", cure=f"{_RUN_STATS} anew")
    if not several:
        raise Refused("no stratification with two strata is stored", cure="agdb stats stores all that are known")
    strata = [plots.Stratum(r["stratification"], r["stratum"], stored.estimate(r)) for r in several]
    at_all = stored.estimate(overall)
    scorer = group.scorers[0]
    figure = plots.forest(
        strata, at_all, x_label=axis, title=f"{title(group)}, {scorer.name} ({scorer.window_bp:,} bp)",
        told=f"n = {at_all.n:,}", note=f"{stored.told(overall)} Whether strata differ is another test, of all at once: "
                                       f"{_joint_tests(con, group, wanted, same)}"
                                       f"{f' Left out: {left_out}.' if left_out else ''}",
    )  # fmt: skip
    data = [{"stratification": "all", "stratum": "all", **_cells(at_all, metric)}]
    data += [{"stratification": s.stratification, "stratum": s.name, **_cells(s.estimate, metric)} for s in strata]
    of = f"{len(strata)} strata of {group.source} and {scorer.name} at {scorer.window_bp:,} bp"
    told = f"{of}; all: {at_all}, n = {at_all.n:,}{f'; left out: {left_out}' if left_out else ''}"
    return Drawn("forest", figure, pa.Table.from_pylist(data), told)


def _joint_tests(con: duckdb.DuckDBPyConnection, group: Group, wanted: list[str], runs: set[int]) -> str:
    """The p-values of heterogeneity that these runs stored, the smallest first."""
    found = [row for row in stored.results(con, group, "heterogeneity")
             if row["stratification"] in wanted and row["run_id"] in runs and row["p"] is not None]  # fmt: skip
    found.sort(key=lambda row: row["p"])
    shown = ", ".join(f"{row['stratification']} p = {row['p']:.2g}" for row in found[:5])
    return (
        f"{shown}{' ...' if len(found) > 5 else ''} (before correction for their number)." if shown else "not stored."
    )


def signs(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """Share of rows whose effect and score have one sign, by decile of |score|, as stored.

    Raises:
        UsageError: nothing matches, or several do.
        Refused: nothing is stored; the scorer has no sign, or the label has none.
    """
    group = one_group(con, choice)
    overall = _overall(con, group, "sign_concordance")
    found = [r for r in stored.results(con, group, "sign_concordance", "score_decile") if r["estimate"] is not None]
    if not found:
        raise Refused("no deciles of the score are stored", cure="agdb stats --stratify score_decile")
    deciles = {row["stratum"]: row for row in _deciles(con, group)}
    same = [row["stratum"] in deciles and row["n"] == deciles[row["stratum"]]["n"] for row in found]
    if not all(same) or overall["n"] != sum(row["n"] for row in deciles.values()):
        raise Refused("the deciles of the score were stored before other data came",
                      cure="agdb stats, or agdb stats --stratify score_decile, stores them anew")  # fmt: skip
    ranges = {row["stratum"]: (deciles[row["stratum"]]["low"], deciles[row["stratum"]]["high"]) for row in found}
    estimates, at_all = [stored.estimate(row) for row in found], stored.estimate(overall)
    scorer = group.scorers[0]
    figure = plots.signs(
        list(ranges.values()), estimates, at_all,
        title=f"{title(group)}, {scorer.name} ({scorer.window_bp:,} bp)",
        note=f"{stored.told(overall)} Rows whose effect or score is 0 do not count.",
    )  # fmt: skip
    data = [
        {"decile": name, "score_abs_min": ranges[name][0], "score_abs_max": ranges[name][1],
         **_cells(e, "sign_concordance")}
        for name, e in zip(ranges, estimates, strict=True)
    ]  # fmt: skip
    told = (f"share with one sign, {scorer.name} and {group.source}: {at_all.value:.3f} [{at_all.low:.3f}, "
            f"{at_all.high:.3f}] of n = {at_all.n:,}; {estimates[0].value:.3f} in the lowest decile of |score|, "
            f"{estimates[-1].value:.3f} in the highest")  # fmt: skip
    return Drawn("signs", figure, pa.Table.from_pylist(data), told)


def _deciles(con: duckdb.DuckDBPyConnection, group: Group) -> list[dict[str, Any]]:
    """Of |score|, of the rows as they are: how many, and from where to where."""
    of_rows = query(group, {"d": STRATA["score_decile"]})
    asked = "SELECT stratum_0 AS stratum, count(*) AS n, min(abs(score_0)) AS low, max(abs(score_0)) AS high "
    return rows(table(con, f"{asked} FROM ({of_rows}) GROUP BY ALL"))


def study(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """The steps of `agdb compare-study` from the published analysis to the corrected one, of its newest run.

    Raises:
        Refused: it was never run.
    """
    del choice  # a study chooses its own rows
    found = table(con, "SELECT * FROM study_step WHERE run_id = (SELECT max(run_id) FROM study_step) ORDER BY place")
    if not found.num_rows:
        raise Refused("no steps from the published study are stored", cure="agdb compare-study computes them")
    steps = [_step(row) for row in rows(found)]
    done = [s for s in steps if s.reason is None]
    told = f"{len(done)} of {len(steps)} steps"
    if done:
        told += f"; Spearman from {done[0].estimate} ({done[0].name}) to {done[-1].estimate} ({done[-1].name})"
    figure = plots.waterfall(
        steps, title="From the published analysis to the corrected one, one change at a time", told=told,
        note=f"Pale bars: how far the step moved the estimate. Change: paired difference on the same rows, where there "
             f"are. Intervals: clusters resampled; of changes, their signs flipped (agdb compare-study, run "
             f"{rows(found)[0]['run_id']}).",
    )  # fmt: skip
    return Drawn("study", figure, found, told)


def _step(row: dict[str, Any]) -> plots.Step:
    value = plots.Estimate(row["n"] or 0, number(row["spearman"]), number(row["ci_low"]), number(row["ci_high"]))
    difference = None
    if row["difference"] is not None:
        low, high = number(row["difference_low"]), number(row["difference_high"])
        difference = plots.Estimate(row["n_compared"] or 0, number(row["difference"]), low, high)
    left_out = None if row["spearman"] is not None else row["reason"]
    return plots.Step(f"{row['step']}: {row['change']}", value, difference, left_out)


def power(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """What a study of this size finds, by the true size of the correlation, and where this study stands.

    Raises:
        UsageError: nothing matches, or several do.
        Refused: nothing is stored.
    """
    group = one_group(con, choice)
    metric, _ = _metric(group)
    row = _overall(con, group, metric)
    found = stored.estimate(row)
    true = np.linspace(0, _reach(found, row), 201)
    curves = {f"n = {found.n:,} independent rows": correlation_power(true, found.n)}
    if row["detectable"] is not None:
        df = degrees_of_freedom(row)
        se = np.arctanh(row["detectable"]) / detectable(1.0, df)
        of = f"this study: n = {found.n:,} in {stored.clusters(row['n_clusters'], row['cluster'])}"
        curves = {of: power_with_se(np.arctanh(true), se, df), **curves,
                  "ten times as many": power_with_se(np.arctanh(true), se / np.sqrt(10), 10 * df)}  # fmt: skip
    scorer = group.scorers[0]
    told = f"{scorer.name} ({scorer.window_bp:,} bp): {found}, n = {found.n:,}"
    if row["detectable"] is not None:
        told += f"; {row['detectable']:.3f} would have been found with 80 % power"
    figure = plots.power(
        true, list(curves.items()), found, number(row["detectable"]), title=title(group), told=told,
        note=f"{stored.told(row)} Power on the scale of arctanh, where a correlation is about normal (Fisher 1921)"
             + ("." if row["expected"] is None else f"; the field expects {row['expected']}."),
    )  # fmt: skip
    data = pa.table({"true_rho": true, **{name: np.asarray(values) for name, values in curves.items()}})
    return Drawn("power", figure, data, f"{group.source}, {told}")


def degrees_of_freedom(row: dict[str, Any]) -> float:
    """Degrees of freedom of a stored interval: those of the effective clusters, of which the table has no column.

    `detectable` is (t_alpha + t_power) SE and half the interval t_alpha SE, on the scale of arctanh: their ratio grows
    with the degrees of freedom, and tells them.
    """
    half = (np.arctanh(row["ci_high"]) - np.arctanh(row["ci_low"])) / 2
    df = np.geomspace(1, max(row["n_clusters"] - 1, 1), 1000)
    return float(np.interp(np.arctanh(row["detectable"]) / half, detectable(1.0, df) / detectable(1.0, df, 0.5), df))


def _reach(found: plots.Estimate, row: dict[str, Any]) -> float:
    """How far the axis goes: where power is about 1, and the study's interval ends."""
    ends = [abs(v) for v in (found.value, found.low, found.high) if np.isfinite(v)]
    return float(min(max([0.1, *(1.1 * e for e in ends), 2 * number(row["detectable"] or 0.05)]), 0.99))
