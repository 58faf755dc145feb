"""Counts: what was lost on the way, and how variants lie in peaks."""

import textwrap
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from agdb.plots.style import BLUE, GREY, PALE, SKY, Estimate, Floats, blank, error_bars, heading, styled, zero_lines


class Stage(NamedTuple):
    """A stage of the way from a file to the analysis.

    Attributes:
        name: What is left, e.g. "scored".
        in_peak, outside, unknown: Associations whose variant lies in a peak, in none, or where that is not known.
        lost: (reason, associations) between the stage before and this one.
    """

    name: str
    in_peak: int
    outside: int
    unknown: int
    lost: Sequence[tuple[str, int]] = ()

    @property
    def n(self) -> int:
        """Associations left."""
        return self.in_peak + self.outside + self.unknown


@styled
def funnel(stages: Sequence[Stage], *, title: str, told: str = "", note: str = "") -> Figure:
    """What is left at each stage, in and outside peaks, with what was lost since the stage before and why."""
    lines = [_wrapped(stage) for stage in stages]
    figure = blank(8.4, 1.5 + 0.5 * len(stages) + 0.13 * sum(max(len(x) - 2, 0) for x in lines))
    ax = figure.add_subplot()
    most = max(max(s.n for s in stages), 1)
    heights = np.cumsum([0.0, *(max(1.0, 0.36 * len(x) + 0.2) for x in lines[1:])])
    for y, stage, lost in zip(-heights, stages, lines, strict=True):
        left = 0
        for n, colour in ((stage.in_peak, BLUE), (stage.outside, SKY), (stage.unknown, PALE)):
            ax.barh(y, n, left=left, height=0.6, color=colour, lw=0)
            left += n
        ax.text(stage.n + 0.01 * most, y, f"{stage.n:,}", va="center", fontsize=8, weight="bold")
        # so many points from the axis, not a share of it: else the layout makes room for less than is drawn
        ax.annotate("\n".join(lost), (1, y), (62, 0), xycoords=ax.get_yaxis_transform(), textcoords="offset points",
                    va="center", fontsize=7.5, color=GREY)  # fmt: skip
    ax.set_yticks(-heights, [s.name for s in stages])
    ax.set(xlabel="associations", xlim=(0, most * 1.0), ylim=(-heights[-1] - 0.6, 0.6))
    ax.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))
    ax.xaxis.set_major_formatter("{x:,.0f}")
    for colour, name in ((BLUE, "in a peak"), (SKY, "outside peaks"), (PALE, "not known")):
        ax.barh([0], [0], color=colour, label=name)
    figure.legend(loc="outside lower right", ncols=3)
    heading(figure, title, told, note)
    return figure


def _wrapped(stage: Stage, most: int = 5) -> list[str]:
    """Reasons, a line each, the largest first; what is beyond `most` together."""
    ordered = sorted(stage.lost, key=lambda r: -r[1])
    shown = [line for reason, n in ordered[:most] for line in textwrap.wrap(f"-{n:,}  {reason}", 36)]
    rest = ordered[most:]
    return [*shown, f"-{sum(n for _, n in rest):,}  for {len(rest)} more reasons"] if rest else shown


@styled
def overlap(
    by_peaks: Sequence[tuple[str, Estimate]], summit_edges: Floats, summit_counts: Floats, *, title: str, told: str,
    note: str = "",
) -> Figure:  # fmt: skip
    """Left: share of variants by the number of peaks they lie in. Right: how far from the summit, for those in one.

    Args:
        by_peaks: (number of peaks, share of variants with its interval; n are the variants with that number).
        summit_edges, summit_counts: Histogram of the distance in bp; empty where the peaks have no summits.
    """
    has_summits = len(summit_counts) > 0
    figure = blank(7.4 if has_summits else 4.2, 3.7)
    axes = figure.subplots(1, 2 if has_summits else 1, squeeze=False)[0]
    at = np.arange(len(by_peaks), dtype=float)
    axes[0].bar(at, [e.value for _, e in by_peaks], color=BLUE, alpha=0.6, width=0.7)
    error_bars(axes[0], at, [e for _, e in by_peaks], fmt="none", color="#000000")
    for x, (_, e) in zip(at, by_peaks, strict=True):
        axes[0].annotate(f"{e.n:,}", (x, e.value if not np.isfinite(e.high) else e.high), (0, 3),
                         textcoords="offset points", ha="center", fontsize=8)  # fmt: skip
    axes[0].set_xticks(at, [name for name, _ in by_peaks])
    axes[0].set(xlabel="peaks that the variant lies in", ylabel="share of variants, 95 % interval")
    axes[0].margins(y=0.12)
    if has_summits:
        width = np.diff(summit_edges)
        ax = axes[1]
        density = summit_counts / width
        ax.stairs(density, summit_edges, fill=True, color=BLUE, alpha=0.6)
        middle, error = (summit_edges[:-1] + summit_edges[1:]) / 2, 1.96 * np.sqrt(summit_counts) / width
        ax.errorbar(middle, density, yerr=np.minimum(error, density), fmt="none", color="#000000", lw=0.8, capsize=1.5)
        zero_lines(ax, y=0)
        ax.set(xlabel="distance to the nearest summit, bp", ylabel="variants per bp, 95 % interval",
               title=f"n = {int(summit_counts.sum()):,} variants in peaks")  # fmt: skip
        ax.title.set_fontsize(8)
    heading(figure, title, told, note)
    return figure
