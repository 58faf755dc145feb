"""Figures: what is drawn and written on them, not their pixels."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.figure import Figure

from agdb import plots
from agdb.errors import Refused, UsageError


def figure(n: int) -> Figure:
    x = np.linspace(-1, 1, n)
    spearman, pearson = plots.Correlation(n, 0.5, 0.4, 0.6), plots.Correlation(n, 0.25, float("nan"), float("nan"))
    return plots.scatter(
        x, 2 * x + 1, effect_label="slope (SD)", score_label="motif score", title="Whole_Blood", counted=f"n = {n}",
        spearman=spearman, pearson=pearson,
    )  # fmt: skip


def test_scatter_shows_every_point_below_the_density_limit() -> None:
    ax = figure(40).axes[0]
    points = next(c for c in ax.collections if isinstance(c, PathCollection))
    assert np.asarray(points.get_offsets()).shape == (40, 2)


def test_scatter_of_many_points_is_a_density_with_a_scale() -> None:
    drawn = figure(plots.DENSE + 1)
    assert any(isinstance(c, PolyCollection) for c in drawn.axes[0].collections)
    assert drawn.axes[1].get_ylabel() == "associations per cell"


def test_scatter_names_its_axes_with_units_and_says_n_and_both_intervals() -> None:
    drawn = figure(40)
    ax = drawn.axes[0]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("slope (SD)", "motif score")
    title = drawn.get_suptitle()
    assert "n = 40" in title
    assert "Spearman +0.500 [+0.400, +0.600]" in title
    assert "Pearson +0.250 [no interval]" in title


def test_least_squares_line_is_that_of_the_points() -> None:
    line = next(line for line in figure(40).axes[0].lines if line.get_label() == "least squares")
    assert np.asarray(line.get_xydata()) == pytest.approx(np.array([[-1, -1], [1, 3]]))


def test_constant_effects_have_no_line() -> None:
    drawn = plots.scatter(
        np.ones(5), np.arange(5.0), effect_label="x", score_label="y", title="t", counted="n = 5",
        spearman=plots.Correlation(5, float("nan"), float("nan"), float("nan")),
        pearson=plots.Correlation(5, float("nan"), float("nan"), float("nan")),
    )  # fmt: skip
    assert "least squares" not in [line.get_label() for line in drawn.axes[0].lines]
    assert "Spearman not defined" in drawn.get_suptitle()


def windows() -> Figure:
    marks = [plots.Correlation(1000, 0.04, -0.02, 0.10), plots.Correlation(1000, -0.01, -0.07, 0.05)]
    return plots.windows([plots.WindowSeries("original", [2048, 16384], marks)], title="Whole_Blood")


def test_windows_draws_each_estimate_within_its_interval() -> None:
    bars = windows().axes[0].containers[0]
    assert list(bars[0].get_ydata()) == [0.04, -0.01]
    segments = bars[2][0].get_segments()
    assert [[round(float(y), 9) for _, y in s] for s in segments] == [[-0.02, 0.10], [-0.07, 0.05]]


def test_windows_labels_every_window_and_says_that_n_is_the_same() -> None:
    drawn = windows()
    assert [t.get_text() for t in drawn.axes[0].get_xticklabels()] == ["2,048 bp", "16 kb"]
    assert "the same n = 1,000" in drawn.get_suptitle()


@pytest.mark.parametrize("ending", plots.ENDINGS)
def test_equal_figures_are_equal_files(tmp_path: Path, ending: str) -> None:
    for name in ("a", "b"):
        plots.save(figure(20), tmp_path / f"{name}.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


def test_an_unknown_ending_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot draw x\.gif") as caught:
        plots.save(figure(20), tmp_path / "x.gif")
    assert "png, svg, pdf" in str(caught.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot write the figure"):
        plots.save(figure(20), tmp_path / "nowhere" / "x.png")
