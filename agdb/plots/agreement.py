"""Measured effect against score: one scorer, or several side by side."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap, LogNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agdb.plots.style import BLUE, ORANGE, Estimate, Floats, blank, heading, styled, zero_lines

#: Above this many points a scatter is drawn as a density: single points would hide each other.
DENSE = 5_000

#: Cells of a density along either axis.
CELLS = 100


class Points(NamedTuple):
    """Every row. Shapes (n,)."""

    x: Floats
    y: Floats


class Cells(NamedTuple):
    """Counts of rows in a grid of equal cells: counts[j, i] lie in x_edges[i:i + 2], y_edges[j:j + 2]."""

    x_edges: Floats
    y_edges: Floats
    counts: NDArray[np.int64]


class Line(NamedTuple):
    """A fitted line with its 95 % band (NaN: none) at some x. Shapes (m,)."""

    x: Floats
    y: Floats
    low: Floats
    high: Floats


class Panel(NamedTuple):
    """One scorer of several on the same rows."""

    name: str
    cloud: Points | Cells
    line: Line | None
    spearman: Estimate


def _blues() -> ListedColormap:
    return ListedColormap(colormaps["Blues"](np.linspace(0.28, 1.0, 256)), name="agdb_blues")


@styled
def scatter(
    cloud: Points | Cells,
    *,
    x_label: str,
    y_label: str,
    title: str,
    counted: str,
    spearman: Estimate,
    pearson: Estimate | None,
    line: Line | None = None,
    note: str = "",
    null_effect: float | None = 0.0,
) -> Figure:
    """Measured effect (x) against score (y): zero lines, a fitted line with its band, the two marginals.

    Args:
        cloud: Points, or counts in cells where there are many.
        x_label, y_label: With units.
        counted: What n is made of, e.g. "n = 50 associations of 50 variants with 1 gene".
        spearman, pearson: With their 95 % intervals; printed, not computed. No pearson: the Spearman is one of sizes.
        note: How intervals and band were made.
        null_effect: Value of the label that means no effect; None where none does.
    """
    figure = blank(6.4, 5.8)
    grid: Any = figure.subplot_mosaic([["top", "."], ["main", "right"]], width_ratios=(6, 1), height_ratios=(1, 6))
    ax, top, right = grid["main"], grid["top"], grid["right"]
    zero_lines(ax, x=null_effect, y=0)
    cells = _cloud(ax, cloud)
    if line is not None:
        _fit(ax, line)
    ax.set(xlabel=x_label, ylabel=y_label)
    _marginals(cloud, top, right)
    top.set_xlim(ax.get_xlim())
    right.set_ylim(ax.get_ylim())
    if cells is not None:
        figure.colorbar(cells, ax=right, label="associations per cell", shrink=0.8, aspect=30, format="{x:,.0f}")
    heading(figure, title, f"{counted}\n{correlations(spearman, pearson)}", note)
    return figure


def correlations(spearman: Estimate, pearson: Estimate | None) -> str:
    """In words. No pearson: the Spearman is one of sizes."""
    return (
        f"Spearman of |effect| and |score| {spearman}" if pearson is None else f"Spearman {spearman}, Pearson {pearson}"
    )


def _cloud(ax: Axes, cloud: Points | Cells, norm: LogNorm | None = None) -> Any:
    """Draw it; for cells, what a colour bar needs."""
    if isinstance(cloud, Points):
        size = 14 if len(cloud.x) < 500 else 7 if len(cloud.x) < 2000 else 4
        ax.scatter(cloud.x, cloud.y, s=size, color=BLUE, alpha=0.5, linewidths=0)
        ax.margins(0.04)
        return None
    counts = np.ma.masked_equal(cloud.counts, 0)
    norm = norm or LogNorm(1, max(int(cloud.counts.max()), 2))
    ax.use_sticky_edges = False
    ax.margins(0.03)
    return ax.pcolormesh(cloud.x_edges, cloud.y_edges, counts, cmap=_blues(), norm=norm, rasterized=True)


def _fit(ax: Axes, line: Line) -> None:
    has_band = np.isfinite(line.low).all()
    if has_band:
        limits = ax.get_ylim()
        ax.fill_between(line.x, line.low, line.high, color=ORANGE, alpha=0.25, lw=0, zorder=3)
        ax.set_ylim(limits)  # a wide band of few rows must not squeeze the points
    ax.plot(line.x, line.y, color=ORANGE, lw=1.5, zorder=4, label="least squares")


def _marginals(cloud: Points | Cells, top: Axes, right: Axes) -> None:
    if isinstance(cloud, Points):
        (n_x, x_edges), (n_y, y_edges) = (np.histogram(v, bins=40) for v in cloud)
    else:
        n_x, x_edges, n_y, y_edges = cloud.counts.sum(axis=0), cloud.x_edges, cloud.counts.sum(axis=1), cloud.y_edges
    top.stairs(n_x, x_edges, fill=True, color=BLUE, alpha=0.55)
    right.stairs(n_y, y_edges, fill=True, color=BLUE, alpha=0.55, orientation="horizontal")
    for ax in (top, right):
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set_visible(False)


@styled
def panels(
    found: Sequence[Panel], *, x_label: str, y_label: str, title: str, told: str, note: str = "",
    null_effect: float | None = 0.0,
) -> Figure:  # fmt: skip
    """The same rows against each of several scorers, side by side, on the same axes: any number of panels.

    Args:
        found: All with clouds of the same rows; cells of all panels have the same edges.
    """
    across = min(len(found), 4)
    down = -(-len(found) // across)
    figure = blank(0.9 + 2.5 * across, 1.5 + 2.5 * down)
    axes = figure.subplots(down, across, sharex=True, sharey=True, squeeze=False)
    many = [p.cloud.counts.max() for p in found if isinstance(p.cloud, Cells)]
    norm = LogNorm(1, max(int(max(many)), 2)) if many else None
    drawn = None
    for panel, ax in zip(found, axes.flat, strict=False):
        zero_lines(ax, x=null_effect, y=0)
        drawn = _cloud(ax, panel.cloud, norm)
        if panel.line is not None:
            _fit(ax, panel.line)
        value, _, interval = str(panel.spearman).partition(" ")
        ax.set_title(f"{panel.name}: {value}\n{interval}", fontsize=8, loc="left")
    for ax in axes.flat[len(found) :]:
        ax.set_visible(False)
    for i, ax in enumerate(axes.flat[: len(found)]):
        ax.set(xlabel=x_label if i + across >= len(found) else "", ylabel=y_label if i % across == 0 else "")
        ax.tick_params(labelbottom=i + across >= len(found))
        ax.xaxis.label.set_fontsize(8)
    if drawn is not None:
        figure.colorbar(drawn, ax=axes, label="associations per cell", shrink=0.8, aspect=30, format="{x:,.0f}")
    heading(figure, title, told, note)
    return figure
