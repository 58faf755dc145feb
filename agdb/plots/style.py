"""What all figures share: the look, the words of an estimate, headings, and files."""

import functools
import io
import textwrap
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, ParamSpec

import matplotlib as mpl
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

from agdb.errors import Refused, UsageError

Floats = NDArray[np.float64]
P = ParamSpec("P")

#: Okabe & Ito 2008: colours that colour-blind readers tell apart. GREEN and PINK only beside the first two.
BLUE, ORANGE, GREEN, PINK, GREY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#555555"
SKY, PALE = "#56B4E9", "#D9D9D9"
CYCLE = (BLUE, ORANGE, GREEN, PINK, SKY, "#000000")

STYLE: Any = {
    "figure.dpi": 120, "savefig.dpi": 200, "font.size": 9, "axes.labelsize": 9, "axes.spines.top": False,
    "axes.spines.right": False, "axes.edgecolor": "#333333", "axes.linewidth": 0.8, "xtick.color": "#333333",
    "ytick.color": "#333333", "legend.frameon": False, "legend.fontsize": 8, "svg.fonttype": "none",
    "svg.hashsalt": "agdb", "text.parse_math": False,  # a tissue may have a dollar sign in its name
    "axes.formatter.useoffset": False,
}  # fmt: skip

ENDINGS = ("png", "svg", "pdf")

#: Letters of heading and note that stand side by side in an inch.
_LETTERS_AN_INCH = 13.2


class Estimate(NamedTuple):
    """A number with its 95 % interval (NaN: not defined, no interval), and the rows it is of."""

    n: int
    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if not np.isfinite(self.value):
            return "not defined"
        ci = f" [{self.low:+.3f}, {self.high:+.3f}]" if np.isfinite(self.low) else " [no interval]"
        return f"{self.value:+.3f}{ci}"


def styled(draw: Callable[P, Figure]) -> Callable[P, Figure]:
    """Draw in agdb's style, whatever the user's matplotlib is set to."""

    @functools.wraps(draw)
    def inner(*args: P.args, **kwargs: P.kwargs) -> Figure:
        with mpl.style.context(["default", STYLE]):
            return draw(*args, **kwargs)

    return inner


def blank(width: float, height: float) -> Figure:
    """An empty figure of so many inches, whose parts keep out of each other's way."""
    figure = Figure(figsize=(width, height), layout="constrained")
    engine: Any = figure.get_layout_engine()
    engine.set(w_pad=0.06, h_pad=0.06)
    return figure


def heading(figure: Figure, title: str, told: str = "", note: str = "") -> None:
    """Above: what is shown, and what it says. Below, smaller: how the intervals were made, and what is not shown."""
    title, told, note = (text.replace(" %", "\u00a0%") for text in (title, told, note))  # not at the end of a line
    letters = int(_LETTERS_AN_INCH * figure.get_figwidth())
    lines = [textwrap.fill(title, letters), *(textwrap.fill(line, letters) for line in told.splitlines())]
    figure.suptitle("\n".join(lines), fontsize=9, x=0.015, ha="left", linespacing=1.35)
    if note:
        letters = int(letters * 9 / 7.5)
        text = "\n".join(textwrap.fill(line, letters) for line in note.splitlines())
        figure.supxlabel(text, fontsize=7.5, x=0.015, ha="left", color=GREY)


def error_bars(
    ax: Axes, at: Sequence[float] | Floats, estimates: Sequence[Estimate], *, across: bool = False, **given: Any
) -> None:
    """Estimates with their intervals, upright or (`across`) lying; one without an interval is a hollow mark."""
    look: dict[str, Any] = {"color": BLUE, "fmt": "o", "capsize": 3, "ms": 4.5, "lw": 1.3} | given
    value, low, high = (np.array([getattr(e, name) for e in estimates], float) for name in ("value", "low", "high"))
    known = np.isfinite(low) & np.isfinite(high)
    error = np.where(known, [value - low, high - value], 0)
    error = np.maximum(error, 0)  # an interval that is not about its estimate ends there
    places = np.asarray(at, float)
    if across:
        ax.errorbar(value, places, xerr=error, **look)
        ax.plot(value[~known], places[~known], "o", mfc="white", mec=look["color"], ms=look["ms"], zorder=5)
    else:
        ax.errorbar(places, value, yerr=error, **look)
        ax.plot(places[~known], value[~known], "o", mfc="white", mec=look["color"], ms=look["ms"], zorder=5)


def zero_lines(ax: Axes, *, x: float | None = None, y: float | None = None) -> None:
    """Where there is no effect."""
    if x is not None:
        ax.axvline(x, color=GREY, lw=0.8, zorder=0.5)
    if y is not None:
        ax.axhline(y, color=GREY, lw=0.8, zorder=0.5)


def plain_log(axis: Any) -> None:
    """Ticks of a logarithmic axis as numbers: powers are written in mathematics, which agdb's text does not parse."""
    axis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axis.set_minor_formatter(NullFormatter())


def bp(width: float) -> str:
    """A number of bases for a tick: 501 bp, 16 kb, 1 Mb."""
    if abs(width) < 10_000:
        return f"{width:,.0f} bp"
    return f"{width / 1000:,.0f} kb" if abs(width) < 1_000_000 else f"{width / 1e6:,.2g} Mb"


def rendered(figure: Figure, ending: str) -> bytes:
    """The bytes of a PNG, SVG or PDF, without dates, so that equal figures are equal bytes.

    Raises:
        UsageError: another ending.
    """
    if ending not in ENDINGS:
        raise UsageError(f"cannot draw a figure as {ending or 'that'}", cure=f"one of {', '.join(ENDINGS)}")
    metadata = {"png": {"Software": None}, "svg": {"Date": None}, "pdf": {"CreationDate": None}}[ending]
    out = io.BytesIO()
    with mpl.style.context(["default", STYLE]):
        figure.savefig(out, format=ending, metadata=metadata)
    return out.getvalue()


def check_ending(path: Path) -> str:
    """png, svg or pdf, by the file's name: before anything is computed for it.

    Raises:
        UsageError: another ending.
    """
    ending = path.suffix.lower().removeprefix(".")
    if ending not in ENDINGS:
        raise UsageError(f"cannot draw {path.name}", cure=f"end the name in {', '.join(ENDINGS)}")
    return ending


def save(figure: Figure, path: Path) -> None:
    """Write a figure as PNG, SVG or PDF by the file's ending.

    Raises:
        UsageError: another ending.
        Refused: the file cannot be written.
    """
    data = rendered(figure, check_ending(path))
    try:
        path.write_bytes(data)
    except OSError as error:
        raise Refused(
            f"cannot write the figure: {error.strerror}", where=str(path), cure="give a folder that can be written"
        ) from error
