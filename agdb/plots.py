"""Figures. Arrays in, a matplotlib Figure out. Nothing here reads a database or computes a statistic."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agdb.errors import Refused, UsageError

Floats = NDArray[np.float64]

#: Okabe & Ito 2008: colours that colour-blind readers tell apart.
BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "#555555"

STYLE: Any = {
    "figure.dpi": 120, "savefig.dpi": 200, "font.size": 10, "axes.spines.top": False, "axes.spines.right": False,
    "legend.frameon": False, "svg.fonttype": "none", "svg.hashsalt": "agdb",
}  # fmt: skip

#: Above this many points a scatter is drawn as a density: single points would hide each other.
DENSE = 5_000

ENDINGS = ("png", "svg", "pdf")


class Correlation(NamedTuple):
    """A correlation with its 95 % interval, for titles and error bars."""

    n: int
    estimate: float
    low: float
    high: float

    def __str__(self) -> str:
        if not np.isfinite(self.estimate):
            return "not defined"
        ci = f" [{self.low:+.3f}, {self.high:+.3f}]" if np.isfinite(self.low) else " [no interval]"
        return f"{self.estimate:+.3f}{ci}"


class WindowSeries(NamedTuple):
    """One scorer over its windows, all on the same associations."""

    name: str
    windows_bp: Sequence[int]
    correlations: Sequence[Correlation]


def scatter(
    effect: Floats,
    score: Floats,
    *,
    effect_label: str,
    score_label: str,
    title: str,
    counted: str,
    spearman: Correlation,
    pearson: Correlation,
) -> Figure:
    """Measured effect (x) against score (y), with zero lines, a least-squares line, n and both correlations.

    Args:
        effect: (n,) labels, in the unit that `effect_label` names.
        score: (n,) scores, ALT against REF.
        counted: What n is made of, e.g. "n = 50 associations of 50 variants with 1 gene".
        spearman, pearson: Both with their 95 % intervals; printed, not computed.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(6.0, 4.9), layout="constrained")
        ax = figure.add_subplot()
        ax.axhline(0, color=GREY, lw=0.6, zorder=0)
        ax.axvline(0, color=GREY, lw=0.6, zorder=0)
        if len(effect) > DENSE:
            cells = ax.hexbin(effect, score, gridsize=60, bins="log", mincnt=1, cmap="viridis", linewidths=0)
            figure.colorbar(cells, ax=ax, label="associations per cell", shrink=0.8)
        else:
            ax.scatter(effect, score, s=14 if len(effect) < 500 else 7, color=BLUE, alpha=0.55, linewidths=0)
        _fit_line(ax, effect, score)
        ax.set(xlabel=effect_label, ylabel=score_label)
        told = f"{counted}\nSpearman {spearman}, Pearson {pearson} (95 % intervals of independent rows)"
        _title(figure, title, told)
    return figure


def _title(figure: Figure, title: str, told: str) -> None:
    """What is shown, wrapped where tissue and file have long names, and what it says."""
    figure.suptitle(f"{textwrap.fill(title, 88)}\n{told}", fontsize=8.5, x=0.02, ha="left")


def _fit_line(ax: Axes, effect: Floats, score: Floats) -> None:
    if len(effect) < 3 or np.ptp(effect) == 0:
        return
    slope, intercept = np.polyfit(effect, score, 1)
    ends = np.array([effect.min(), effect.max()])
    ax.plot(ends, intercept + slope * ends, color=ORANGE, lw=1.4, label="least squares")
    ax.legend(loc="best" if len(effect) <= DENSE else "upper left", fontsize=8)  # "best" is slow for many points


def windows(series: Sequence[WindowSeries], *, title: str) -> Figure:
    """Spearman correlation with its 95 % interval by window (log axis), one line a scorer."""
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(5.6, 4.0), layout="constrained")
        ax = figure.add_subplot()
        ax.axhline(0, color=GREY, lw=0.8, zorder=0)
        for s, colour in zip(series, [BLUE, ORANGE, "#009E73", "#CC79A7"] * len(series), strict=False):
            rho = np.array([c.estimate for c in s.correlations])
            below = rho - [c.low for c in s.correlations]
            above = np.array([c.high for c in s.correlations]) - rho
            ax.errorbar(s.windows_bp, rho, yerr=[below, above], fmt="o-", capsize=4, lw=1.2, color=colour, label=s.name)
        ticks = sorted({w for s in series for w in s.windows_bp})
        ax.set_xscale("log", base=2)
        ax.set_xticks(ticks, [_bp(w) for w in ticks])
        ax.xaxis.set_minor_locator(mpl.ticker.NullLocator())
        ns = sorted({c.n for s in series for c in s.correlations})
        ax.set(xlabel="window read by the model", ylabel="Spearman correlation (95 % interval of independent rows)")
        told = f"the same n = {', '.join(f'{n:,}' for n in ns)} associations at every window"
        _title(figure, title, told)
        ax.margins(x=0.12)
        ax.legend(loc="best", fontsize=8)
    return figure


def _bp(window_bp: int) -> str:
    return f"{window_bp:,} bp" if window_bp < 10_000 else f"{round(window_bp / 1000):,} kb"


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, SVG or PDF by the file's ending, without dates, so that equal figures are equal files.

    Raises:
        UsageError: another ending.
        Refused: the file cannot be written.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending not in ENDINGS:
        raise UsageError(f"cannot draw {path.name}", cure=f"end the name in {', '.join(ENDINGS)}")
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[ending]
    try:
        with mpl.rc_context(STYLE):
            figure.savefig(path, metadata=metadata)
    except OSError as error:
        raise Refused(
            f"cannot write the figure: {error.strerror}", where=str(path), cure="give a folder that can be written"
        ) from error
