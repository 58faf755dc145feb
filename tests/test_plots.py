"""Figures of effect against score, and files: what is drawn and written on them, not their pixels."""

from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
from figured import heading, note, steps, xs, ys
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection, QuadMesh
from matplotlib.text import Text

from agdb import plots
from agdb.errors import Refused, UsageError
from agdb.plots.style import ENDINGS

NAN = float("nan")
HALF = plots.Estimate(40, 0.5, 0.4, 0.6)


def points(n: int = 40) -> plots.Points:
    x = np.linspace(-1, 1, n)
    return plots.Points(x, 2 * x + 1)


def cells() -> plots.Cells:
    return plots.Cells(np.array([0.0, 1, 2, 3]), np.array([0.0, 10, 20]), np.array([[1, 0, 5], [0, 2, 100]]))


def line(low: float = NAN, high: float = NAN) -> plots.Line:
    x = np.array([-1.0, 1.0])
    return plots.Line(x, 2 * x + 1, np.full(2, low), np.full(2, high))


def scatter(cloud: plots.Points | plots.Cells, fit: plots.Line | None = None, **more: float | None) -> plots.Figure:
    pearson = plots.Estimate(40, 0.25, NAN, NAN)
    return plots.scatter(cloud, x_label="slope (SD)", y_label="motif score", title="Whole_Blood", counted="n = 40",
                         spearman=HALF, pearson=pearson, line=fit, note="Intervals: so", **more)  # fmt: skip


def main(figure: plots.Figure, name: str = "main") -> Axes:
    """The axes of this name: main, top or right."""
    return next(ax for ax in figure.axes if ax.get_label() == name)


def test_scatter_shows_every_point() -> None:
    drawn = next(c for c in main(scatter(points())).collections if isinstance(c, PathCollection))
    assert np.asarray(drawn.get_offsets()) == pytest.approx(np.stack(points(), axis=1))


def test_scatter_of_cells_shows_their_counts_and_leaves_empty_ones_out() -> None:
    mesh = next(c for c in main(scatter(cells())).collections if isinstance(c, QuadMesh))
    counts: Any = np.ma.asarray(mesh.get_array())
    assert counts.filled(0).tolist() == [[1, 0, 5], [0, 2, 100]]
    assert counts.mask.tolist() == [[False, True, False], [True, False, False]]


def test_the_scale_of_cells_says_associations_and_is_logarithmic() -> None:
    bar = scatter(cells()).axes[-1]
    assert bar.get_ylabel() == "associations per cell"
    assert bar.get_yscale() == "log"


def test_marginals_of_cells_are_their_sums() -> None:
    drawn = scatter(cells())
    assert steps(main(drawn, "top")) == [1, 2, 105]
    assert steps(main(drawn, "right")) == [6, 102]


def test_marginals_of_points_count_all_of_them() -> None:
    drawn = scatter(points())
    assert [sum(steps(main(drawn, side))) for side in ("top", "right")] == [40, 40]


def test_scatter_names_its_axes_with_units_and_says_n_and_both_intervals() -> None:
    drawn = scatter(points())
    ax = main(drawn)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("slope (SD)", "motif score")
    assert "n = 40" in heading(drawn)
    assert "Spearman +0.500 [+0.400, +0.600]" in heading(drawn)
    assert "Pearson +0.250 [no interval]" in heading(drawn)
    assert note(drawn) == "Intervals: so"


def test_scatter_draws_lines_where_there_is_no_effect() -> None:
    ax = main(scatter(points(), None, null_effect=0.5))
    upright = [line for line in ax.lines if xs(line) == [0.5, 0.5]]
    assert len(upright) == 1
    lying = [line for line in ax.lines if ys(line) == [0, 0]]
    assert len(lying) == 1


def test_a_label_without_a_null_has_no_upright_line() -> None:
    ax = main(scatter(points(), None, null_effect=None))
    assert [ys(line) for line in ax.lines] == [[0, 0]]


def test_the_fitted_line_is_drawn_with_its_band() -> None:
    ax = main(scatter(points(), line(-5.0, 5.0)))
    fit = next(line for line in ax.lines if line.get_label() == "least squares")
    assert np.asarray(fit.get_xydata()).tolist() == [[-1, -1], [1, 3]]
    band = [c for c in ax.collections if not isinstance(c, PathCollection)]
    heights = {float(y) for _, y in np.asarray(band[0].get_paths()[0].vertices)}
    assert heights == {-5.0, 5.0}


def test_a_wide_band_does_not_squeeze_the_points() -> None:
    low, high = main(scatter(points(), line(-500.0, 500.0))).get_ylim()
    assert low > -2
    assert high < 4


def test_a_line_without_a_band_has_none() -> None:
    assert all(isinstance(c, PathCollection) for c in main(scatter(points(), line())).collections)


def test_without_a_line_none_is_drawn() -> None:
    assert "least squares" not in [line.get_label() for line in main(scatter(points())).lines]


def panels(n: int) -> plots.Figure:
    found = [plots.Panel(f"{w} bp", points(), line(), plots.Estimate(40, 0.1 * w, -0.5, 0.9)) for w in range(1, n + 1)]
    return plots.panels(found, x_label="slope (SD)", y_label="score", title="t", told="the same rows: n = 40")


@pytest.mark.parametrize("n", [1, 3, 6])
def test_panels_draw_any_number_of_scorers_each_with_its_interval(n: int) -> None:
    shown = [ax for ax in panels(n).axes if ax.get_visible()]
    assert [ax.get_title(loc="left").splitlines()[0] for ax in shown] == [
        f"{w} bp: {0.1 * w:+.3f}" for w in range(1, n + 1)
    ]
    assert all("[-0.500, +0.900]" in ax.get_title(loc="left") for ax in shown)


def test_panels_share_their_axes() -> None:
    limits = {(ax.get_xlim(), ax.get_ylim()) for ax in panels(3).axes}
    assert len(limits) == 1


def test_panels_of_cells_share_one_scale() -> None:
    few = plots.Cells(cells().x_edges, cells().y_edges, np.array([[1, 0, 0], [0, 0, 0]]))
    found = [plots.Panel(str(i), c, None, HALF) for i, c in enumerate((cells(), few))]
    drawn = plots.panels(found, x_label="x", y_label="y", title="t", told="n = 1")
    meshes = [c for ax in drawn.axes for c in ax.collections if isinstance(c, QuadMesh)]
    assert {(m.norm.vmin, m.norm.vmax) for m in meshes[:2]} == {(1, 100)}


@pytest.mark.parametrize("ending", ENDINGS)
def test_equal_figures_are_equal_files(tmp_path: Path, ending: str) -> None:
    for name in ("a", "b"):
        plots.save(scatter(cells(), line(0.0, 1.0)), tmp_path / f"{name}.{ending}")
    assert (tmp_path / f"a.{ending}").read_bytes() == (tmp_path / f"b.{ending}").read_bytes()


@pytest.mark.parametrize(("ending", "start"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("pdf", b"%PDF")])
def test_a_figure_can_be_had_as_bytes(ending: str, start: bytes) -> None:
    assert plots.rendered(scatter(points()), ending).startswith(start)


def test_text_of_an_svg_is_text() -> None:
    assert "Pearson +0.250" in plots.rendered(scatter(points()), "svg").decode()


def test_the_users_own_style_changes_nothing() -> None:
    plain = plots.rendered(scatter(points()), "png")
    with mpl.rc_context({"font.size": 30, "axes.facecolor": "red"}):
        assert plots.rendered(scatter(points()), "png") == plain


def test_a_dollar_sign_in_a_name_is_no_mathematics() -> None:
    drawn = plots.scatter(points(), x_label="a $x^2$ b", y_label="y", title="$\\frac$", counted="n", spearman=HALF,
                          pearson=HALF)  # fmt: skip
    assert "$x^2$" in plots.rendered(drawn, "svg").decode()


def test_an_unknown_ending_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"cannot draw x\.gif") as caught:
        plots.save(scatter(points()), tmp_path / "x.gif")
    assert "png, svg, pdf" in str(caught.value)


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot write the figure"):
        plots.save(scatter(points()), tmp_path / "nowhere" / "x.png")


def test_no_text_of_a_heading_leaves_the_figure() -> None:
    long = "Whole_Blood: slope of " + "GTEx_Analysis_v8_Whole_Blood " * 8
    drawn = plots.scatter(points(), x_label="x", y_label="y", title=long, counted="n = 40", spearman=HALF,
                          pearson=HALF, note=long)  # fmt: skip
    drawn.draw_without_rendering()
    written = [t for t in drawn.get_children() if isinstance(t, Text)]
    assert len(written) == 2
    assert all(t.get_window_extent().x1 <= drawn.bbox.x1 for t in written)
