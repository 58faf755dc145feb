"""How numbers are spread: scores by kind of variant, effects by distance, p-values against chance."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure

from agdb.plots.style import (
    BLUE,
    CYCLE,
    GREY,
    PALE,
    Estimate,
    Floats,
    blank,
    error_bars,
    heading,
    plain_log,
    styled,
    zero_lines,
)


class Histogram(NamedTuple):
    """Counts in bins of one width, their median with its interval, and the quartiles."""

    name: str
    counts: Floats
    median: Estimate
    lower_quartile: float
    upper_quartile: float


class DistanceBin(NamedTuple):
    """|effect| in a bin of the distance to the transcription start: median with interval, quartiles."""

    name: str
    median: Estimate
    lower_quartile: float
    upper_quartile: float


class Quantiles(NamedTuple):
    """Observed p-values of a group, thinned, against those expected by chance, as -log10. Shapes (m,)."""

    name: str
    n: int
    expected: Floats
    observed: Floats
    low: Floats
    high: Floats


@styled
def scores(
    found: Sequence[Histogram], edges: Floats, *, x_label: str, title: str, what: str = "variants", note: str = ""
) -> Figure:  # fmt: skip
    """Distributions of the score, a line a kind of variant (share a bin, log axis), and their quartiles and medians.

    Args:
        edges: Of the bins that all have. Shape (bins + 1,).
        what: What is counted.
    """
    figure = blank(6.4, 3.4 + 0.32 * len(found))
    ax, box = figure.subplots(2, 1, sharex=True, height_ratios=(4, 0.3 + 0.42 * len(found)))
    for i, h in enumerate(found):
        share = np.where(h.counts > 0, h.counts, np.nan) / max(h.counts.sum(), 1)
        ax.stairs(share, edges, color=CYCLE[i % len(CYCLE)], lw=1.3, baseline=None,
                  label=f"{h.name}, n = {h.median.n:,}")  # fmt: skip
        box.plot([h.lower_quartile, h.upper_quartile], [-i, -i], color=CYCLE[i % len(CYCLE)], lw=7, alpha=0.3,
                 solid_capstyle="butt")  # fmt: skip
        error_bars(box, [-i], [h.median], across=True, color=CYCLE[i % len(CYCLE)])
        box.text(
            1.01, -i, f"median {h.median.value:+.3g}", transform=box.get_yaxis_transform(), va="center", fontsize=7.5
        )
    for panel in (ax, box):
        zero_lines(panel, x=0)
    ax.set_yscale("log")
    plain_log(ax.yaxis)
    ax.set(ylabel=f"share of {what.partition(' ')[0]} in the bin")
    ax.legend(loc="lower right", bbox_to_anchor=(1, 1), ncols=len(found))
    box.set_yticks([-i for i in range(len(found))], [h.name for h in found])
    box.set(xlabel=x_label, ylim=(-len(found) + 0.4, 0.6))
    heading(figure, title, f"n = {sum(h.median.n for h in found):,} {what}", note)
    return figure


@styled
def distance(
    bins: Sequence[DistanceBin], rho: Sequence[tuple[str, Estimate]], *, y_label: str, title: str, told: str,
    note: str = "",
) -> Figure:  # fmt: skip
    """Above: |effect| by distance of the variant to the transcription start (median, interval, quartiles).
    Below: how score and effect correlate by that distance.

    Args:
        bins: From far upstream to far downstream.
        rho: (bin of |distance|, Spearman) where stored; may be empty.
    """
    figure = blank(7.0, 3.4 + (2.2 if rho else 0))
    axes = figure.subplots(2 if rho else 1, 1, height_ratios=(1.6, 1) if rho else (1,), squeeze=False)[:, 0]
    ax, at = axes[0], np.arange(len(bins), dtype=float)
    for x, b in zip(at, bins, strict=True):
        ax.plot([x, x], [b.lower_quartile, b.upper_quartile], color=PALE, lw=9, solid_capstyle="butt", zorder=0.8)
    error_bars(ax, at, [b.median for b in bins])
    ax.set_xticks(at, [f"{b.name.replace(' to ', chr(10) + 'to ')}\nn = {b.median.n:,}" for b in bins], fontsize=7)
    ax.set(ylabel=y_label, xlabel="position less transcription start, and the number of associations")
    ax.set_ylim(bottom=0)
    if rho:
        below = axes[1]
        zero_lines(below, y=0)
        error_bars(below, np.arange(len(rho), dtype=float), [e for _, e in rho])
        below.set_xticks(range(len(rho)), [f"{name}\nn = {e.n:,}" for name, e in rho])
        below.set(ylabel="Spearman of score\nand effect", xlabel="|distance| from the transcription start",
                  xlim=(-0.5, len(rho) - 0.5))  # fmt: skip
    heading(figure, title, told, note)
    return figure


@styled
def qq(groups: Sequence[Quantiles], *, title: str, told: str, note: str = "") -> Figure:
    """Observed against expected p-values, both as -log10, with the 95 % band of chance of the largest group."""
    figure = blank(5.2, 5.2)
    ax = figure.add_subplot()
    widest = max(groups, key=lambda g: g.n)
    ax.fill_between(widest.expected, widest.low, widest.high, color=PALE, lw=0, label="95 % of chance")
    most = max(float(g.expected.max()) for g in groups)
    ax.plot([0, most], [0, most], color=GREY, lw=0.8)
    for group, colour in zip(groups, CYCLE, strict=False):
        ax.plot(group.expected, group.observed, "o", ms=3, color=colour, label=f"{group.name}, n = {group.n:,}")
    ax.set(xlabel="expected -log10 p, by chance", ylabel="observed -log10 p")
    ax.legend(loc="upper left")
    heading(figure, title, told, note)
    return figure


@styled
def power(
    true_rho: Floats, curves: Sequence[tuple[str, Floats]], found: Estimate, detectable: float, *, title: str,
    told: str, note: str = "",
) -> Figure:  # fmt: skip
    """Chance to find a correlation, by its true size; the study's own estimate, and the smallest that it could find.

    Args:
        true_rho: |correlation|. Shape (m,).
        curves: (name, power at true_rho); the first is that of the study.
        found: The study's estimate with its interval.
        detectable: Smallest |correlation| found with 80 % power; NaN where it is not known.
    """
    figure = blank(6.2, 4.4)
    ax = figure.add_subplot()
    for (name, values), colour, style in zip(curves, (BLUE, GREY, GREY), ("-", "--", ":"), strict=False):
        ax.plot(true_rho, values, color=colour, ls=style, lw=1.8 if style == "-" else 1.1, label=name)
    ax.axhline(0.8, color=GREY, lw=0.6)
    if np.isfinite(detectable):
        ax.plot([detectable, detectable], [0, 0.8], color=GREY, lw=0.8, ls=":")
        ax.plot([detectable], [0.8], "D", color=BLUE, ms=5, label=f"detectable with 80 % power: {detectable:.3f}")
    if np.isfinite(found.value):
        at = abs(found.value)
        error = (
            [[0.0], [0.0]] if not np.isfinite(found.low) else [[max(at - _nearest(found), 0)], [_farthest(found) - at]]
        )
        ax.errorbar([at], [0.03], xerr=error, fmt="o", color=CYCLE[1], capsize=3, ms=5, lw=1.3, clip_on=False,
                    label=f"this study: {found}")  # fmt: skip
    ax.set(xlabel="true |Spearman correlation|", ylabel="power of a two-sided test at 0.05", ylim=(0, 1.02),
           xlim=(0, float(true_rho[-1])))  # fmt: skip
    ax.legend(loc="center right")
    heading(figure, title, told, note)
    return figure


def _nearest(e: Estimate) -> float:
    """Smallest |value| of an interval: 0 where it holds 0."""
    return 0.0 if e.low <= 0 <= e.high else min(abs(e.low), abs(e.high))


def _farthest(e: Estimate) -> float:
    return max(abs(e.low), abs(e.high))
