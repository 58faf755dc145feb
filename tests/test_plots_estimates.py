"""Figures of estimates: by window, stratum, decile and step, and of power."""

import numpy as np
import pytest
from figured import heading, segments, texts, xs, ys
from matplotlib.patches import Rectangle

from agdb import plots

NAN = float("nan")


def windows() -> plots.Figure:
    near = [plots.Estimate(1000, 0.04, -0.02, 0.10), plots.Estimate(1000, -0.01, -0.07, 0.05)]
    return plots.windows([plots.WindowSeries("original", [2048, 1048576], near)], title="Whole_Blood", note="n")


def test_windows_draws_each_estimate_within_its_interval() -> None:
    ax = windows().axes[0]
    assert ys(ax.containers[0][0]) == [0.04, -0.01]
    drawn = [[round(y, 9) for _, y in bar] for bar in segments(ax)]
    assert drawn == [[-0.02, 0.10], [-0.07, 0.05]]


def test_windows_labels_every_window_and_says_that_n_is_the_same() -> None:
    drawn = windows()
    assert [t.get_text() for t in drawn.axes[0].get_xticklabels()] == ["2,048 bp", "1 Mb"]
    assert "the same n = 1,000" in heading(drawn)


def test_scorers_of_the_same_windows_do_not_hide_each_other() -> None:
    same = [plots.Estimate(10, 0.1, 0.0, 0.2)] * 2
    drawn = plots.windows([plots.WindowSeries(n, [100, 200], same) for n in ("a", "b")], title="t")
    a, b = (xs(c[0]) for c in drawn.axes[0].containers)
    assert a != b


def test_an_estimate_without_an_interval_is_a_hollow_mark() -> None:
    alone = [plots.Estimate(5, 0.3, NAN, NAN), plots.Estimate(50, 0.2, 0.1, 0.3)]
    ax = plots.windows([plots.WindowSeries("a", [100, 200], alone)], title="t").axes[0]
    hollow = [line for line in ax.lines if line.get_markerfacecolor() == "white"]
    assert [ys(line) for line in hollow] == [[0.3]]


STRATA = [plots.Stratum("kind", "SNV", plots.Estimate(1234, 0.2, 0.1, 0.3)),
          plots.Stratum("kind", "deletion", plots.Estimate(50, -0.1, -0.4, 0.2)),
          plots.Stratum("peak", "in peak", plots.Estimate(20, 0.5, NAN, NAN))]  # fmt: skip


def forest() -> plots.Figure:
    overall = plots.Estimate(1304, 0.15, 0.05, 0.25)
    return plots.forest(STRATA, overall, x_label="Spearman", title="Lung", told="n = 1,304", note="so")


def test_forest_draws_every_stratum_and_all_rows_with_their_intervals() -> None:
    bars = {round(y): (round(low, 9), round(high, 9)) for (low, y), (high, _) in segments(forest().axes[0])}
    assert bars == {0: (0.05, 0.25), -2: (0.1, 0.3), -3: (-0.4, 0.2), -5: (0.5, 0.5)}


def test_forest_writes_names_n_and_intervals_beside_the_marks() -> None:
    written = texts(forest().axes[0])
    assert {"all", "kind", "SNV", "deletion", "peak", "in peak"} <= set(written)
    assert {"1,234", "50", "20"} <= set(written)
    assert "+0.200 [+0.100, +0.300]" in written
    assert "+0.500 [no interval]" in written


def test_forest_marks_zero_and_the_overall_estimate() -> None:
    upright = [xs(line)[0] for line in forest().axes[0].lines if len(set(xs(line))) == 1]
    assert {0.0, 0.15} <= set(upright)


def test_signs_draws_shares_by_decile_beside_chance() -> None:
    shares = [plots.Estimate(10 + i, 0.5 + 0.04 * i, 0.4 + 0.04 * i, 0.6 + 0.04 * i) for i in range(10)]
    drawn = plots.signs([(i, i + 0.5) for i in range(10)], shares, plots.Estimate(145, 0.7, 0.6, 0.8), title="t")
    ax = drawn.axes[0]
    assert ys(ax.containers[0][0]) == [e.value for e in shares]
    assert ax.get_xticklabels()[0].get_text() == "1\nto\n0.5"
    assert "n = 145" in heading(drawn)
    assert "10 to 19 rows a decile" in heading(drawn)
    assert any(ys(line) == [0.5, 0.5] for line in ax.lines)


def test_neighbouring_deciles_of_small_scores_have_bounds_of_their_own() -> None:
    half = plots.Estimate(200, 0.5, 0.4, 0.6)
    drawn = plots.signs([(0.0002, 0.00021), (0.00021, 0.00024)], [half, half], half, title="t")
    bounds = [t.get_text().rpartition("\n")[2] for t in drawn.axes[0].get_xticklabels()]
    assert bounds == ["0.00021", "0.00024"]


def test_no_point_of_signs_and_no_bin_of_scores_lies_under_the_legend() -> None:
    all_of_them = plots.Estimate(200, 1.0, 0.9, 1.0)
    signs = plots.signs([(i, i + 1) for i in range(10)], [all_of_them] * 10, all_of_them, title="t")
    flat = plots.Histogram("SNV", np.full(80, 10.0), plots.Estimate(800, 0.5, 0.4, 0.6), 0.1, 0.9)
    scores = plots.scores([flat] * 4, np.linspace(0, 1, 81), x_label="score", title="t")
    for drawn in (signs, scores):
        drawn.draw_without_rendering()
        ax = drawn.axes[0]
        legend = ax.get_legend()
        assert legend is not None
        assert legend.get_window_extent().y0 >= ax.bbox.y1
        assert legend.get_window_extent().x0 >= 0


STEPS = [plots.Step("published", plots.Estimate(100, 0.0, -0.1, 0.1)),
         plots.Step("slope", plots.Estimate(60, 0.2, 0.1, 0.3), plots.Estimate(60, 0.2, 0.05, 0.35)),
         plots.Step("peaks", plots.Estimate(0, NAN, NAN, NAN), None, "no hg19 peaks"),
         plots.Step("variants", plots.Estimate(50, 0.15, 0.0, 0.3))]  # fmt: skip


def waterfall() -> plots.Figure:
    return plots.waterfall(STEPS, title="From the published to the corrected", told="3 of 4 steps")


def test_waterfall_moves_from_each_step_to_the_next_that_was_made() -> None:
    patches = [p for p in waterfall().axes[0].patches if isinstance(p, Rectangle)]
    bars = [(p.get_x(), p.get_x() + p.get_width()) for p in patches]
    assert [end for bar in bars for end in bar] == pytest.approx([0.0, 0.2, 0.2, 0.15])


def test_waterfall_says_the_numbers_of_each_step_and_why_one_was_left_out() -> None:
    written = texts(waterfall().axes[0])
    assert "+0.200 [+0.100, +0.300], n = 60\nchange +0.200 [+0.050, +0.350]" in written
    assert "left out: no hg19 peaks" in written
    assert "+0.150 [+0.000, +0.300], n = 50" in written


def test_power_shows_the_curve_the_study_and_what_it_could_find() -> None:
    true = np.linspace(0, 0.3, 31)
    curve = true / 0.3
    found = plots.Estimate(500, -0.1, -0.2, 0.02)
    drawn = plots.power(true, [("n = 500", curve)], found, 0.24, title="t", told="n = 500")
    ax = drawn.axes[0]
    line = next(line for line in ax.lines if line.get_label() == "n = 500")
    assert ys(line) == list(curve)
    assert "detectable with 80 % power: 0.240" in [line.get_label() for line in ax.lines]
    (interval,) = segments(ax)
    assert [round(x, 9) for x, _ in interval] == [0.0, 0.2], "the interval of -0.2 to 0.02, as sizes"


def test_the_size_of_an_interval_beyond_zero_begins_at_its_nearer_end() -> None:
    drawn = plots.power(np.linspace(0, 1, 5), [("n", np.ones(5))], plots.Estimate(9, -0.5, -0.7, -0.2), NAN, title="t",
                        told="n")  # fmt: skip
    (interval,) = segments(drawn.axes[0])
    assert [round(x, 9) for x, _ in interval] == [0.2, 0.7]
