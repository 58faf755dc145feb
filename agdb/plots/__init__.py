"""Figures. Arrays in, a matplotlib Figure out. Nothing here reads a database or computes a statistic."""

from matplotlib.figure import Figure

from agdb.plots.agreement import CELLS, DENSE, Cells, Line, Panel, Points, correlations, panels, scatter
from agdb.plots.counts import Stage, funnel, overlap
from agdb.plots.distributions import DistanceBin, Histogram, Quantiles, distance, power, qq, scores
from agdb.plots.estimates import Step, Stratum, WindowSeries, forest, signs, waterfall, windows
from agdb.plots.locus import Variants, locus
from agdb.plots.style import Estimate, check_ending, rendered, save
from agdb.plots.tracks import tracks

__all__ = [
    "CELLS", "DENSE", "Cells", "DistanceBin", "Estimate", "Figure", "Histogram", "Line", "Panel", "Points",
    "Quantiles", "Stage", "Step", "Stratum", "Variants", "WindowSeries", "check_ending", "correlations", "distance",
    "forest", "funnel", "locus", "overlap", "panels", "power", "qq", "rendered", "save", "scatter", "scores", "signs",
    "tracks", "waterfall", "windows",
]  # fmt: skip
