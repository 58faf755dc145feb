"""The figure of a run: a panel a table, a bar a case, agdb's in colour; and how every step grows with the study."""

from collections.abc import Iterator, Mapping, Sequence
from math import ceil
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bench import overlap_cases, predict_cases, scale_cases, sequence_cases, stats_cases
from bench.cases import CASES, Case

COLUMNS, WIDTH, BAR_HEIGHT = 3, 6.0, 0.24
AGDB, PEER, FLOOR = "#0072b2", "#9a9a9a", "#d9d9d9"
#: Longer labels would leave no room for bars.
LETTERS = 44


class Panel(NamedTuple):
    """A table of the report: its title, and the median seconds of each case, agdb's first."""

    title: str
    seconds: dict[str, float]


def panels(found: Mapping[str, Any]) -> Iterator[Panel]:
    """The tables that were measured, in the order of the report."""
    for key, cases in (("cases", CASES), ("overlap", overlap_cases.CASES), ("sequences", sequence_cases.CASES)):
        yield from _of_groups(found.get(key, {}), cases)
    for rows, measured in found.get("stats", {}).items():
        timed = {name: of for name, of in measured.items() if name != "stats-bootstrap"}  # a rate, not a time
        yield Panel(f"stats: {int(rows):,} associations", _seconds(timed, stats_cases.CASES))
    predicted = found.get("predict", {})  # what found nothing raised, or had nothing to do: its time is no bar
    predicted = {name: of for name, of in predicted.items() if all(m["found"] for m in of)}
    yield from _of_groups(predicted, predict_cases.CASES)


def _of_groups(measured: Mapping[str, Any], cases: Mapping[str, Case]) -> Iterator[Panel]:
    groups = dict.fromkeys(cases[name].group for name in cases if name in measured)
    for group in groups:
        of_group = {name: measured[name] for name in cases if name in measured and cases[name].group == group}
        yield Panel(group, _seconds(of_group, cases))


def _seconds(measured: Mapping[str, Any], cases: Mapping[str, Case]) -> dict[str, float]:
    return {cases[name].label: median(m["seconds"] for m in of) for name, of in measured.items()}


def draw(found: Mapping[str, Any]) -> Figure | None:
    """The figure of all that `bench.run` found; None where it is nothing of this."""
    bars, growth = list(panels(found)), found.get("scale", {})
    n = len(bars) + bool(growth)
    if not n:
        return None
    n_rows = ceil(n / COLUMNS)
    of_row = [bars[i : i + COLUMNS] for i in range(0, n_rows * COLUMNS, COLUMNS)]
    heights = [1.0 + BAR_HEIGHT * max((len(panel.seconds) for panel in row), default=0) for row in of_row]
    if growth:
        heights[-1] = max(heights[-1], 3.5)
    figure = Figure((COLUMNS * WIDTH, sum(heights)), layout="constrained")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(n_rows, COLUMNS, height_ratios=heights)
    for i, panel in enumerate(bars):
        places = (heights[i // COLUMNS] - 1.0) / BAR_HEIGHT
        _bars(figure.add_subplot(grid[i // COLUMNS, i % COLUMNS]), panel, places)
    if growth:
        _lines(figure.add_subplot(grid[len(bars) // COLUMNS, len(bars) % COLUMNS]), growth)
    return figure


def _bars(axes: Axes, panel: Panel, places: float) -> None:
    """A bar a case, all of one height: there is room for so many."""
    labels = [label if len(label) <= LETTERS else f"{label[: LETTERS - 1]}…" for label in panel.seconds]
    seconds = list(panel.seconds.values())
    colours = [FLOOR if label.startswith("floor") else AGDB if "agdb" in label else PEER for label in labels]
    colours[0] = AGDB
    bars = axes.barh(range(len(labels)), seconds, color=colours)
    axes.bar_label(bars, [f"{s:,.3g} s" for s in seconds], padding=3, fontsize=8)
    axes.set_yticks(range(len(labels)), labels, fontsize=8)
    axes.set_ylim(places - 0.5, -0.5)
    axes.set_xlim(0, max(seconds) * 1.25)
    axes.set_xticks([])
    axes.spines[["top", "right", "bottom"]].set_visible(False)
    axes.set_title(panel.title, fontsize=9, loc="left")


def _lines(axes: Axes, growth: Mapping[Any, Any]) -> None:
    """Seconds of each step against the rows, on logarithms of both; a grey line is what grows as the rows do."""
    rows = [int(n) for n in growth]
    lines: Sequence[list[float]] = [
        [median(m["seconds"] for m in of["steps"][name]) for of in growth.values()] for name in scale_cases.CASES
    ]
    for case, seconds in zip(scale_cases.CASES.values(), lines, strict=True):
        axes.loglog(rows, seconds, "o-", markersize=3, label=case.label)
    last = max(seconds[-1] for seconds in lines)
    axes.loglog(rows, [last * n / rows[-1] for n in rows], color=FLOOR, label="as the rows do")
    axes.set(xlabel="associations", ylabel="s")
    axes.set_xticks(rows, [f"{n / 1e6:g} M" for n in rows], fontsize=8)
    axes.minorticks_off()
    axes.legend(fontsize=7, loc="upper left", bbox_to_anchor=(1, 1))
    axes.set_title("growth", fontsize=9, loc="left")


def write(found: Mapping[str, Any], path: Path) -> None:
    """Write the figure, if there is one."""
    figure = draw(found)
    if figure is not None:
        figure.savefig(path, dpi=120)
