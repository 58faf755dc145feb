"""All tracks of a model at once: which of them agree with what was measured."""

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agdb.plots.style import BLUE, GREY, ORANGE, Floats, blank, heading, styled, zero_lines

#: Tracks that are named at either end.
NAMED = 12


@styled
def tracks(
    names: list[str], rho: Floats, low: Floats, high: Floats, strata: list[tuple[str, int]], own: NDArray[np.bool_], *,
    title: str, told: str, note: str = "",
) -> Figure:  # fmt: skip
    """Spearman of every track, the largest on top: as marks with intervals, and as a map by stratum.

    Args:
        names: Of the tracks, sorted by their correlation, the largest first. Length t.
        rho: A row a track, a column a stratum; the first column is of all rows. NaN: not defined. Shape (t, s).
        low, high: 95 % interval of the first column. Shape (t,).
        strata: Name and rows of each column. Length s.
        own: Tracks that the scorer of the study uses. Shape (t,).
    """
    t = len(names)
    shown = list(range(t)) if t <= 2 * NAMED + 6 else [*range(NAMED), *range(t - NAMED, t)]
    figure = blank(8.6, 6.4 if t > 20 else 2.4 + 0.2 * t)
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(1.5, 0.5 + 0.32 * len(strata)))
    at = np.arange(t)
    zero_lines(left, x=0)
    left.hlines(at, low, high, color=BLUE, alpha=0.35, lw=max(0.5, min(3, 240 / t)))
    left.plot(rho[:, 0], at, ".", color=BLUE, ms=4)
    if own.any():
        left.plot(rho[own, 0], at[own], "D", color=ORANGE, ms=5, label="tracks of this scorer")
        left.legend(loc="lower right", bbox_to_anchor=(1, 0.99))
    left.set(xlabel="Spearman correlation, 95 % interval", ylim=(t - 0.5, -0.5))
    most = (
        float(np.nanquantile(np.abs(rho), 0.98)) or 1.0
    )  # the ends are those of small strata: they would pale the rest
    colours = mpl.colormaps["RdBu_r"].with_extremes(bad="#EEEEEE")
    image = right.imshow(rho, aspect="auto", cmap=colours, vmin=-most, vmax=most, interpolation="nearest")
    columns = [f"{name}, n = {n:,}" for name, n in strata]
    right.set_xticks(range(len(strata)), columns, rotation=50, ha="right", fontsize=7.5, rotation_mode="anchor")
    right.tick_params(left=False)
    figure.colorbar(image, ax=right, label="Spearman correlation", shrink=0.7, aspect=30, extend="both")
    _name(left, names, shown, t)
    heading(figure, title, told, note)
    return figure


def _name(ax: mpl.axes.Axes, names: list[str], shown: list[int], t: int) -> None:
    """Name the ends of the list; where all tracks do not fit, spread the names and lead a line to each track."""
    ax.set_yticks([])
    if len(shown) == t:
        ax.set_yticks(shown, names, fontsize=7)
        return
    beside = ax.get_yaxis_transform()
    step = t / (2 * NAMED + 5)  # as many lines as there is room for
    for k, i in enumerate(shown):
        from_top = k < NAMED
        y = (k + 0.5) * step if from_top else t - (len(shown) - k - 0.5) * step
        ax.annotate(names[i], (0, i), (-0.08, y), xycoords=beside, textcoords=beside,
                    ha="right", va="center", fontsize=6.8,
                    arrowprops={"arrowstyle": "-", "color": GREY, "lw": 0.4, "shrinkA": 0, "shrinkB": 0,
                                "relpos": (1, 0.5)})  # fmt: skip
    ax.text(-0.08, t / 2, f"{t - len(shown):,} tracks between", transform=ax.get_yaxis_transform(), ha="right",
            va="center", fontsize=6.8, color=GREY)  # fmt: skip
