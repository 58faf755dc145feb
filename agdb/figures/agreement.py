"""Effect against score: scatter, and several scorers side by side."""

import duckdb
import pyarrow as pa

from agdb import plots
from agdb.analysis.groups import Group, OneScorer, together
from agdb.errors import UsageError
from agdb.figures import resampled, rows_drawn, stored
from agdb.figures.choice import LISTED, Choice, Drawn, count, floats, of_set, one, one_group, options, title, unit_of


def scatter(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """Label against score of one label set and scorer.

    Raises:
        UsageError: nothing matches the choice, or more than one label set and scorer do (they are listed).
    """
    group = one_group(con, choice)
    scorer = group.scorers[0]
    with rows_drawn.drawn(con, group, choice) as stratum:
        found = rows_drawn.agreement(con)
        line, clusters = rows_drawn.fitted(con, group, found)
        cloud, data = _cloud(con, group, [found])
        counted = rows_drawn.counted(con, group)
    metrics = ("spearman", "pearson") if scorer.is_signed else ("spearman",)
    of, note = resampled.estimates(con, group, choice, stratum, [found], metrics)
    rho, r = of["spearman"][0], of["pearson"][0] if scorer.is_signed else None
    figure = plots.scatter(
        cloud[0], x_label=_x_label(group), y_label=f"{_score_of(scorer)}, ALT against REF ({scorer.window_bp:,} bp)",
        title=title(group, choice.stratum), counted=counted, spearman=rho, pearson=r, line=line,
        note=f"{note} {_band(*clusters) if line else ''}{_not_as_drawn(group)}".strip(),
        null_effect=_null_effect(group),
    )  # fmt: skip
    told = (f"{group.labels.label} of {group.source} against {scorer.name} at {scorer.window_bp:,} bp, {counted}; "
            f"{plots.correlations(rho, r)}{stored.aside(note)}")  # fmt: skip
    return Drawn("scatter", figure, data, told)


def _x_label(group: Group) -> str:
    if rows_drawn.is_p_value(group):
        return "log10 of pval_nominal"
    if group.scorers[0].is_signed:
        return unit_of(group)
    less = f" - {group.null_value:g}" if group.null_value else ""
    return unit_of(group).replace(group.labels.label, f"|{group.labels.label}{less}|", 1)


def _score_of(scorer: OneScorer) -> str:
    return f"{scorer.name} score" if scorer.is_signed else f"|{scorer.name} score|"


def _null_effect(group: Group) -> float | None:
    """Where no effect is drawn; None for p-values."""
    if rows_drawn.is_p_value(group):
        return None
    return group.null_value if group.scorers[0].is_signed else 0.0


def _band(n_clusters: int, cluster: str) -> str:
    clusters = stored.clusters(n_clusters, cluster)
    if n_clusters < rows_drawn.FEWEST_CLUSTERS:
        return f"Orange: least squares; no band, as clusters are too few ({clusters})."
    return f"Orange: least squares, 95 % band by {clusters} (sandwich covariance)."


def _not_as_drawn(group: Group) -> str:
    """Where what is drawn or compared are not the values themselves."""
    scorer = group.scorers[0]
    sizes = "" if scorer.is_signed else " The score has no direction: drawn and compared are sizes."
    is_log = rows_drawn.is_p_value(group) and scorer.is_signed
    return sizes + (" The line is of log10 p, the Pearson of p itself." if is_log else "")


def _cloud(
    con: duckdb.DuckDBPyConnection, group: Group, found: list[dict[str, float]]
) -> tuple[list[plots.Points | plots.Cells], pa.Table]:
    """Of every scorer: points where there are few, else cells, on the same axes."""
    names = [f"score_{i}" for i in range(len(group.scorers))]
    if found[0]["n"] <= plots.DENSE:
        data = rows_drawn.points(con)
        return [plots.Points(floats(data, "x"), floats(data, name)) for name in names], data
    x = rows_drawn.edges(found[0]["x_low"], found[0]["x_high"])
    y = rows_drawn.edges(min(f["y_low"] for f in found), max(f["y_high"] for f in found))
    parts = [rows_drawn.cells(con, x, y, name) for name in names]
    clouds: list[plots.Points | plots.Cells] = [cloud for cloud, _ in parts]
    if len(parts) == 1:
        return clouds, parts[0][1]
    named = [
        data.rename_columns(["x_low", "x_high", "score_low", "score_high", "n"])
        .add_column(0, "window_bp", pa.array([s.window_bp] * data.num_rows))
        .add_column(0, "scorer", pa.array([s.name] * data.num_rows))
        for (_, data), s in zip(parts, group.scorers, strict=True)
    ]
    return clouds, pa.concat_tables(named)


def families(con: duckdb.DuckDBPyConnection, choice: Choice) -> list[Group]:
    """The windows of each scorer that has several, a group a source and scorer: on the rows that all of them scored.

    Raises:
        UsageError: no scorer has scored two windows.
    """
    by: dict[tuple[int, str], list[Group]] = {}
    for group in of_set(con, choice):
        by.setdefault((group.source_id, group.scorers[0].family), []).append(group)
    joined = [group for members in by.values() if len(members) > 1 for group in together(members)]
    found = joined if len(joined) > LISTED else [group for group in joined if count(con, group)]
    if not found:
        cure = "agdb predict SCORER --window BP, or another choice: agdb sql 'FROM correlation'"
        raise UsageError("no scorer has scored two windows here", cure=cure)
    return found


def panels(con: duckdb.DuckDBPyConnection, choice: Choice) -> Drawn:
    """One scorer's windows side by side, on the rows that all of them scored.

    Raises:
        UsageError: as `families`; or several sources and scorers match (they are listed).
    """
    group = one(families(con, choice), lambda g: options(g).partition(" --window")[0])
    with rows_drawn.drawn(con, group, choice) as stratum:
        found = [rows_drawn.agreement(con, f"score_{i}") for i in range(len(group.scorers))]
        fits = [rows_drawn.fitted(con, group, f, f"score_{i}") for i, f in enumerate(found)]
        clouds, data = _cloud(con, group, found)
        counted = rows_drawn.counted(con, group)
    rho, note = resampled.estimates(con, group, choice, stratum, found)
    names = [f"{scorer.window_bp:,} bp" for scorer in group.scorers]
    shown = [plots.Panel(*of) for of in zip(names, clouds, (line for line, _ in fits), rho["spearman"], strict=True)]
    name = group.scorers[0].name
    figure = plots.panels(
        shown, x_label=_x_label(group), y_label=_score_of(group.scorers[0]),
        title=f"{title(group, choice.stratum)}, {name}", told=f"the same rows in every panel: {counted}",
        note=f"{note} {_band(*fits[0][1])}{_not_as_drawn(group)}", null_effect=_null_effect(group),
    )  # fmt: skip
    of = "Spearman" if group.scorers[0].is_signed else "Spearman of |effect| and |score|"
    said = f"{of} {', '.join(f'{p.name} {p.spearman}' for p in shown)}{stored.aside(note)}"
    return Drawn("panels", figure, data, f"{name} against {group.labels.label} of {group.source}, {counted}; {said}")
