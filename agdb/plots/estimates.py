"""Estimates with their intervals: by window, by stratum, by decile of the score, step by step."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from agdb.plots.style import (
    BLUE,
    CYCLE,
    GREY,
    ORANGE,
    PALE,
    Estimate,
    blank,
    bp,
    error_bars,
    heading,
    styled,
    zero_lines,
)


class WindowSeries(NamedTuple):
    """One scorer over its windows, all on the same associations."""

    name: str
    windows_bp: Sequence[int]
    estimates: Sequence[Estimate]


class Stratum(NamedTuple):
    """A stratum of a stratification, e.g. of "kind" the stratum "SNV"."""

    stratification: str
    name: str
    estimate: Estimate


class Step(NamedTuple):
    """A step from one analysis to the next: its estimate, or why it was left out."""

    name: str
    estimate: Estimate
    difference: Estimate | None = None
    reason: str | None = None


@styled
def windows(series: Sequence[WindowSeries], *, title: str, note: str = "") -> Figure:
    """Spearman correlation with its 95 % interval by window (log axis), one line a scorer."""
    figure = blank(5.6, 4.0)
    ax = figure.add_subplot()
    zero_lines(ax, y=0)
    ticks = sorted({w for s in series for w in s.windows_bp})
    for i, s in enumerate(series):
        aside = 2 ** (0.06 * (i - (len(series) - 1) / 2) * np.log2(ticks[-1] / ticks[0]) / 4)
        error_bars(ax, [w * aside for w in s.windows_bp], s.estimates, color=CYCLE[i % len(CYCLE)], fmt="o-",
                   label=s.name)  # fmt: skip
    ax.set_xscale("log", base=2)
    ax.set_xticks(ticks, [bp(w) for w in ticks], rotation=0 if len(ticks) < 7 else 45)
    ax.xaxis.set_minor_locator(mpl.ticker.NullLocator())
    ax.set(xlabel="window read by the model", ylabel="Spearman correlation, 95 % interval")
    ns = sorted({e.n for s in series for e in s.estimates})
    ax.margins(x=0.12, y=0.15)
    ax.legend(loc="best")
    heading(figure, title, f"the same n = {', '.join(f'{n:,}' for n in ns)} associations at every window", note)
    return figure


@styled
def forest(
    strata: Sequence[Stratum], overall: Estimate, *, x_label: str, title: str, told: str, note: str = "",
) -> Figure:  # fmt: skip
    """One line a stratum: its estimate and interval, n, and both in numbers; the overall estimate as a dashed line."""
    rows: list[tuple[str, Estimate | None]] = [("all", overall)]
    for i, stratum in enumerate(strata):
        if i == 0 or strata[i - 1].stratification != stratum.stratification:
            rows.append((stratum.stratification, None))
        rows.append((stratum.name, stratum.estimate))
    figure = blank(7.2, 1.3 + 0.19 * len(rows))
    ax = figure.add_subplot()
    zero_lines(ax, x=0)
    ax.axvline(overall.value, color=ORANGE, lw=1, ls="--", zorder=0.6)
    places = [-i for i, (_, e) in enumerate(rows) if e is not None]
    shown = [e for _, e in rows if e is not None]
    error_bars(ax, places, shown, across=True, fmt="s", ms=3.5, capsize=2)
    for i, (name, estimate) in enumerate(rows):
        of_axis = ax.get_yaxis_transform()
        head = estimate is None
        ax.text(-0.02, -i, name, transform=of_axis, ha="right", va="center", fontsize=8,
                weight="bold" if head or i == 0 else "normal")  # fmt: skip
        if estimate is not None:
            ax.text(1.11, -i, f"{estimate.n:,}", transform=of_axis, ha="right", va="center", fontsize=8)
            ax.text(1.14, -i, str(estimate), transform=of_axis, ha="left", va="center", fontsize=8)
    ax.text(1.11, 1, "n", transform=ax.get_yaxis_transform(), ha="right", va="center", fontsize=8, color=GREY)
    ax.text(1.14, 1, "estimate [95 % interval]", transform=ax.get_yaxis_transform(), va="center", fontsize=8,
            color=GREY)  # fmt: skip
    ax.set(yticks=[], ylim=(-len(rows) + 0.4, 1.2), xlabel=x_label)
    ax.spines["left"].set_visible(False)
    heading(figure, title, told, note)
    return figure


@styled
def signs(
    ranges: Sequence[tuple[float, float]], estimates: Sequence[Estimate], overall: Estimate, *, title: str,
    note: str = "",
) -> Figure:  # fmt: skip
    """Share of rows whose effect and score have one sign, by decile of |score|, with chance at one half.

    Args:
        ranges: Smallest and largest |score| of each decile, the smallest first.
        estimates: Share and interval of each; n are the rows of the decile.
    """
    figure = blank(6.4, 4.3)
    ax = figure.add_subplot()
    zero_lines(ax, y=0.5)
    at = np.arange(1, len(ranges) + 1, dtype=float)
    ax.axhline(overall.value, color=ORANGE, lw=1, ls="--", zorder=0.6, label=f"all rows: {overall.value:.3f}")
    error_bars(ax, at, estimates)
    labels = [f"{i:.0f}\nto\n{high:.2g}" for i, (_, high) in zip(at, ranges, strict=True)]
    ax.set_xticks(at, labels, fontsize=7.5)
    ax.set(
        xlabel="decile of |score|, the smallest first, and its largest |score|",
        ylabel="share with one sign, 95 % interval",
    )
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1))  # above the axes: a share of 1 is where a legend would lie
    ns = [e.n for e in estimates]
    counted = f"{min(ns):,} rows" if min(ns) == max(ns) else f"{min(ns):,} to {max(ns):,} rows"
    told = f"n = {overall.n:,} associations, {counted} a decile; one half is chance"
    heading(figure, title, told, note)
    return figure


@styled
def waterfall(steps: Sequence[Step], *, title: str, told: str, note: str = "") -> Figure:
    """From one analysis to another, step by step: each step's estimate, and how far it moved from the step before.

    A step that was left out keeps its line, with the reason.
    """
    figure = blank(9.6, 1.6 + 0.5 * len(steps))
    ax = figure.add_subplot()
    zero_lines(ax, x=0)
    before: Estimate | None = None
    for i, step in enumerate(steps):
        if not _is_done(step):
            continue
        if before is not None:
            _moved(ax, -i, before, step.estimate)
        error_bars(ax, [-i], [step.estimate], across=True, color=BLUE if i else ORANGE)
        before = step.estimate
    for i, step in enumerate(steps):
        colour = "black" if _is_done(step) else GREY
        ax.text(-0.02, -i, textwrap.fill(step.name, 38), transform=ax.get_yaxis_transform(), ha="right", va="center",
                fontsize=8, color=colour)  # fmt: skip
        ax.text(1.02, -i, _beside(step), transform=ax.get_yaxis_transform(), va="center", fontsize=7.5, color=colour)
    ax.margins(x=0.08)
    ax.set(yticks=[], ylim=(-len(steps) + 0.4, 0.6), xlabel="Spearman correlation, 95 % interval")
    ax.spines["left"].set_visible(False)
    heading(figure, title, told, note)
    return figure


def _is_done(step: Step) -> bool:
    return step.reason is None and bool(np.isfinite(step.estimate.value))


def _beside(step: Step) -> str:
    """The numbers of a step, or why it has none."""
    if not _is_done(step):
        return textwrap.fill(f"left out: {step.reason or 'not defined'}", 56)
    moved = "" if step.difference is None else f"\nchange {step.difference}"
    return f"{step.estimate}, n = {step.estimate.n:,}{moved}"


def _moved(ax: Axes, at: float, before: Estimate, after: Estimate) -> None:
    """A pale bar from the estimate of the step before to this one."""
    ax.barh(at, after.value - before.value, left=before.value, height=0.55, color=PALE, zorder=0.7)
    ax.plot([before.value] * 2, [at + 0.275, at + 0.725], color=GREY, lw=0.6, ls=":", zorder=0.7)
