"""One gene: its variants with their effects and scores, the peaks, and where its transcription starts."""

from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from agdb.plots.style import BLUE, GREY, ORANGE, Floats, blank, heading, styled, zero_lines


class Variants(NamedTuple):
    """Variants of the locus. Shapes (n,); NaN: not known. `side`: in a peak, outside peaks, or peaks not known."""

    pos: NDArray[np.int64]
    effect: Floats
    effect_se: Floats
    score: Floats
    side: NDArray[np.str_]


@styled
def locus(
    variants: Variants, peaks: Floats, genes: list[tuple[str, float, int]], *, chrom: str, effect_label: str,
    score_label: str, title: str, told: str, note: str = "", null_effect: float = 0.0,
) -> Figure:  # fmt: skip
    """Effects with their 95 % intervals, scores, peaks and transcription starts along the chromosome.

    Args:
        peaks: Start and end of each in bp. Shape (m, 2).
        genes: (name, TSS in bp, strand: 1, -1, or 0 where not known); the first is the gene of the figure.
    """
    figure = blank(8.0, 5.6)
    top, middle, bottom = figure.subplots(3, 1, sharex=True, height_ratios=(3, 3, 1.5))
    x = variants.pos / 1e6
    zero_lines(top, y=null_effect)
    zero_lines(middle, y=0)
    for name, colour in (("in a peak", ORANGE), ("outside peaks", BLUE), ("peaks not known", GREY)):
        own = variants.side == name
        if not own.any():
            continue
        error = np.nan_to_num(1.96 * variants.effect_se[own])
        top.errorbar(x[own], variants.effect[own], yerr=error, fmt="o", ms=3.5, lw=0.8, color=colour, alpha=0.8,
                     label=f"{name}, n = {int(own.sum()):,}")  # fmt: skip
        middle.vlines(x[own], 0, variants.score[own], color=colour, lw=1.2)
        middle.plot(x[own], variants.score[own], "o", ms=3.5, color=colour)
    top.legend(loc="lower right", bbox_to_anchor=(1, 0.98), ncols=3)
    top.set(ylabel=effect_label)
    middle.set(ylabel=score_label)
    bottom.broken_barh([(a / 1e6, (b - a) / 1e6) for a, b in peaks], (0.05, 0.35), color=GREY, lw=0.4)
    for i, ((name, tss, strand), level) in enumerate(zip(genes, _levels(genes, top.get_xlim()), strict=True)):
        bottom.annotate(name if strand == 0 else f"{name} {'→' if strand > 0 else '←'}", (tss / 1e6, 0.6),
                        (0, 6 + 10 * level), textcoords="offset points", ha="center", fontsize=7.5,
                        color="black" if i == 0 else GREY)  # fmt: skip
        bottom.plot([tss / 1e6], [0.6], "v", color="black" if i == 0 else GREY, ms=6)
        for ax in (top, middle):
            ax.axvline(tss / 1e6, color=GREY, lw=0.7, ls="--" if i == 0 else ":", zorder=0.4)
    bottom.set(ylim=(0, 1.7), xlabel=f"position on {chrom}, Mb")
    bottom.set_yticks([0.22, 0.62], ["peaks", "TSS"])
    bottom.spines["left"].set_visible(False)
    heading(figure, title, told, note)
    return figure


def _levels(genes: list[tuple[str, float, int]], limits: tuple[float, float]) -> list[int]:
    """A line for the name of each gene, the lowest where it meets no other: a letter takes some 1.2 % of the width."""
    taken: list[list[tuple[float, float]]] = []
    found = []
    for name, tss, _ in genes:
        half = 0.006 * (len(name) + 3) * (limits[1] - limits[0])
        low, high = tss / 1e6 - half, tss / 1e6 + half
        level = next((i for i, line in enumerate(taken) if all(high < a or low > b for a, b in line)), len(taken))
        if level == len(taken):
            taken.append([])
        taken[level].append((low, high))
        found.append(level)
    return found
