"""Figures of counts and distributions: funnel, overlap, scores, distance, quantiles, tracks, locus."""

import numpy as np
import pytest
from figured import heading, segments, steps, texts, xs, ys
from matplotlib.patches import Rectangle

from agdb import plots

NAN = float("nan")


def funnel() -> plots.Figure:
    many = [(f"reason {i}", 10 + i) for i in range(8)]
    stages = [plots.Stage("rows", 0, 0, 1000), plots.Stage("kept", 300, 500, 100, [("p-value of 0", 100)]),
              plots.Stage("scored", 200, 0, 0, many)]  # fmt: skip
    return plots.funnel(stages, title="Lung", told="of 1,000 rows")


def test_funnel_draws_each_stage_by_side_of_the_peaks() -> None:
    widths = [p.get_width() for p in funnel().axes[0].patches if isinstance(p, Rectangle)]
    assert widths[:9] == [0, 0, 1000, 300, 500, 100, 200, 0, 0]


def test_funnel_says_what_is_left_and_why_the_rest_is_not() -> None:
    written = texts(funnel().axes[0])
    assert {"1,000", "900", "200"} <= set(written)
    assert "-100  p-value of 0" in written


def test_funnel_tells_the_largest_losses_and_counts_the_others() -> None:
    lost = texts(funnel().axes[0])[-1].splitlines()
    assert lost[0] == "-17  reason 7"
    assert lost[-1] == f"-{10 + 11 + 12}  for 3 more reasons"


@pytest.mark.parametrize("reason", ["failed: window_outside_genome", "not abs(slope) > 0.0005 AND in_mhc", 60 * "x"])
@pytest.mark.parametrize("left", [100_000_000, 1_000_000])
def test_no_reason_of_a_loss_leaves_the_figure_or_covers_a_number(reason: str, left: int) -> None:
    stages = [plots.Stage("rows of the file", 0, 0, 100_000_123), plots.Stage("kept", left, 0, 0, [(reason, 55_555)])]
    drawn = plots.funnel(stages, title="Lung")
    drawn.draw_without_rendering()
    first, number, lost = (t.get_window_extent() for t in drawn.axes[0].texts if t.get_text())
    assert max(first.x1, number.x1) < lost.x0
    assert lost.x1 <= drawn.bbox.x1


def test_overlap_draws_shares_with_intervals_and_summit_distances_a_base() -> None:
    shares = [("0", plots.Estimate(75, 0.75, 0.66, 0.83)), ("1", plots.Estimate(25, 0.25, 0.17, 0.34))]
    drawn = plots.overlap(shares, np.array([0.0, 25, 50]), np.array([50.0, 25]), title="K562", told="n = 100")
    left, right = drawn.axes
    assert [p.get_height() for p in left.patches if isinstance(p, Rectangle)] == [0.75, 0.25]
    assert texts(left) == ["75", "25"]
    assert steps(right) == [2.0, 1.0]
    low, high = segments(right)[0][0][1], segments(right)[0][1][1]
    assert (low, high) == pytest.approx((2 - 1.96 * 50**0.5 / 25, 2 + 1.96 * 50**0.5 / 25))


def test_overlap_without_summits_has_one_panel() -> None:
    shares = [("0", plots.Estimate(75, 0.75, 0.66, 0.83))]
    assert len(plots.overlap(shares, np.zeros(0), np.zeros(0), title="t", told="n = 75").axes) == 1


def test_scores_are_shares_of_their_kind_with_medians_and_quartiles() -> None:
    found = [plots.Histogram("SNV", np.array([6.0, 0, 2]), plots.Estimate(8, 0.5, 0.4, 0.6), 0.1, 0.9)]
    drawn = plots.scores(found, np.array([0.0, 1, 2, 3]), x_label="score", title="t")
    first, second, third = steps(drawn.axes[0])
    assert (first, third) == (0.75, 0.25)
    assert np.isnan(second), "an empty bin is a gap on a logarithmic axis"
    assert segments(drawn.axes[1]) == [[(0.4, 0.0), (0.6, 0.0)]]
    assert [0.1, 0.9] in [xs(line) for line in drawn.axes[1].lines]
    assert "n = 8 variants" in heading(drawn)


def test_distance_draws_medians_by_bin_and_the_correlation_below() -> None:
    bins = [plots.DistanceBin("-3 to 0 kb", plots.Estimate(10, 0.5, 0.4, 0.6), 0.3, 0.7),
            plots.DistanceBin("0 to 3 kb", plots.Estimate(20, 0.25, 0.2, 0.3), 0.1, 0.4)]  # fmt: skip
    rho = [("< 3 kb", plots.Estimate(30, 0.2, 0.0, 0.4))]
    drawn = plots.distance(bins, rho, y_label="|slope|", title="t", told="n = 30")
    above, below = drawn.axes
    assert ys(above.containers[0][0]) == [0.5, 0.25]
    assert [t.get_text() for t in above.get_xticklabels()] == ["-3\nto 0 kb\nn = 10", "0\nto 3 kb\nn = 20"]
    assert segments(below) == [[(0.0, 0.0), (0.0, 0.4)]]
    assert len(plots.distance(bins, [], y_label="y", title="t", told="n").axes) == 1


def test_quantiles_are_drawn_beside_the_line_of_chance_and_its_band() -> None:
    expected, observed = np.array([3.0, 2.0, 1.0]), np.array([9.0, 4.0, 1.5])
    group = plots.Quantiles("in a peak", 1000, expected, observed, expected - 0.5, expected + 0.5)
    ax = plots.qq([group], title="t", told="n = 1,000").axes[0]
    marks = next(line for line in ax.lines if str(line.get_label()).startswith("in a peak"))
    assert marks.get_label() == "in a peak, n = 1,000"
    assert np.asarray(marks.get_xydata()).tolist() == [[3, 9], [2, 4], [1, 1.5]]
    assert any(xs(line) == [0, 3] and ys(line) == [0, 3] for line in ax.lines)


def tracks(t: int) -> plots.Figure:
    rho = np.linspace(0.5, -0.5, t)
    own = np.arange(t) == 2
    return plots.tracks([f"track {i}" for i in range(t)], np.stack([rho, rho / 2], axis=1), rho - 0.1, rho + 0.1,
                        [("all", 900), ("SNV", 800)], own, title="t", told="n = 900")  # fmt: skip


def test_tracks_are_marks_and_a_map_sorted_by_their_correlation() -> None:
    left, right = tracks(8).axes[:2]
    assert xs(left.lines[1]) == pytest.approx(np.linspace(0.5, -0.5, 8))
    assert np.asarray(right.images[0].get_array())[:, 1] == pytest.approx(np.linspace(0.25, -0.25, 8))
    assert [t.get_text() for t in right.get_xticklabels()] == ["all, n = 900", "SNV, n = 800"]


def test_the_scorers_own_tracks_are_marked() -> None:
    own = next(line for line in tracks(8).axes[0].lines if line.get_label() == "tracks of this scorer")
    assert np.asarray(own.get_xydata()) == pytest.approx(np.array([[0.5 - 2 / 7, 2]]))


def test_few_tracks_are_all_named_and_of_many_the_ends() -> None:
    assert [t.get_text() for t in tracks(8).axes[0].get_yticklabels()] == [f"track {i}" for i in range(8)]
    named = texts(tracks(305).axes[0])
    assert named[:12] == [f"track {i}" for i in range(12)]
    assert named[12:24] == [f"track {i}" for i in range(293, 305)]
    assert named[-1] == "281 tracks between"


def test_locus_draws_effects_scores_peaks_and_starts_by_position() -> None:
    variants = plots.Variants(np.array([1_000_000, 1_020_000]), np.array([0.5, -0.25]), np.array([0.1, NAN]),
                              np.array([2.0, -3.0]), np.array(["in a peak", "outside peaks"]))  # fmt: skip
    genes = [("ALPHA", 1_010_000.0, 1), ("B", 1_010_010.0, 0)]
    drawn = plots.locus(variants, np.array([[999_900.0, 1_000_100.0]]), genes,
                        chrom="chr1", effect_label="slope (sd)", score_label="score", title="t",
                        told="n = 2")  # fmt: skip
    top, middle, bottom = drawn.axes
    assert segments(top) == [[(1.0, pytest.approx(0.5 - 0.196)), (1.0, pytest.approx(0.5 + 0.196))],
                             [(1.02, -0.25), (1.02, -0.25)]]  # fmt: skip
    assert [ys(line) for line in middle.lines[1:3]] == [[2.0], [-3.0]]
    assert texts(bottom) == ["ALPHA →", "B"]
    heights = [t.get_position()[1] for t in bottom.texts]
    assert len(set(heights)) == 2, "names that would meet stand on lines of their own"
    assert bottom.get_xlabel() == "position on chr1, Mb"
