"""Circular shifts against plain loops over places and shifts; and the enrichment that `agdb stats` stores."""

from dataclasses import replace

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from rows import add_peaks
from studies import add_blocks, add_study, drawn, one, results

from agdb.statistics.circular_shift import Shifted, circular_shift, merged

Ints = NDArray[np.int64]
Span = tuple[int, int, int]  # chromosome, start, end


def columns(spans: list[Span]) -> tuple[Ints, Ints, Ints]:
    """chrom, start, end."""
    return tuple(np.array(column, np.int64) for column in zip(*spans, strict=True))  # type: ignore[return-value]


def shifted(places: list[Span], peaks: list[Span], shifts: int = 50, seed: int = 0) -> Shifted:
    return circular_shift(*columns(places), *columns(peaks), shifts, seed)


def is_inside(place: Span, peaks: list[Span], distance: int = 0) -> bool:
    """Whether a place, moved by a distance round the circle of its chromosome, shares a base with a peak."""
    own = [(start, end) for chrom, start, end in peaks if chrom == place[0]]
    low, width = min(start for start, _ in own), max(end for _, end in own) - min(start for start, _ in own)
    start = low + (place[1] - low + distance) % width
    return any(start < e and start + place[2] - place[1] > s for s, e in own)


def is_used(place: Span, peaks: list[Span]) -> bool:
    own = [(start, end) for chrom, start, end in peaks if chrom == place[0]]
    return bool(own) and min(start for start, _ in own) <= place[1] < max(end for _, end in own)


spans = st.tuples(st.integers(0, 2), st.integers(0, 60), st.integers(1, 6)).map(lambda s: (s[0], s[1], s[1] + s[2]))


@settings(max_examples=150)
@given(st.lists(spans, min_size=1, max_size=12), st.lists(spans, min_size=1, max_size=8), st.integers(0, 3))
def test_places_and_shifted_places_are_inside_where_a_loop_says_so(
    places: list[Span], peaks: list[Span], seed: int
) -> None:
    found = shifted(places, peaks, 20, seed)
    used = [place for place in places if is_used(place, peaks)]
    assert found.used.tolist() == [is_used(place, peaks) for place in places]
    assert found.inside.tolist() == [is_inside(place, peaks) for place in used]
    rng, hits = np.random.default_rng(seed), np.zeros((20, len(used)), bool)
    for chrom in sorted({chrom for chrom, _, _ in peaks}):
        starts, ends = zip(*((s, e) for c, s, e in peaks if c == chrom), strict=True)
        width = max(ends) - min(starts)
        distances = rng.integers(1, width, size=20) if width > 1 else np.zeros(20, int)
        for j, place in enumerate(used):
            if place[0] == chrom:
                hits[:, j] = [is_inside(place, peaks, int(distance)) for distance in distances]
    if not used:
        assert np.isnan(found.p)
        return
    assert found.expected.tolist() == hits.mean(axis=0).tolist()
    totals, real = hits.sum(axis=1), sum(is_inside(place, peaks) for place in used)
    as_far = int((np.abs(totals - totals.mean()) >= abs(real - totals.mean()) - 1e-9).sum())
    assert found.p == pytest.approx((1 + as_far) / 21 if real or totals.any() else np.nan, nan_ok=True)


@given(st.lists(spans, min_size=1, max_size=12))
def test_merged_intervals_hold_the_same_bases_and_do_not_touch(peaks: list[Span]) -> None:
    starts, ends = merged(*columns([(0, s, e) for _, s, e in peaks])[1:])
    bases = {base for _, s, e in peaks for base in range(s, e)}
    assert {b for s, e in zip(starts.tolist(), ends.tolist(), strict=True) for b in range(s, e)} == bases
    assert (starts[1:] > ends[:-1]).all()


def test_a_deletion_that_reaches_into_a_peak_lies_in_it_and_one_that_ends_before_it_does_not() -> None:
    peaks = [(0, 0, 1), (0, 100, 110), (0, 200, 201)]
    assert shifted([(0, 95, 101), (0, 95, 100)], peaks).inside.tolist() == [True, False]


def test_the_test_holds_its_level_where_peaks_and_places_crowd() -> None:
    rng, p = np.random.default_rng(0), []
    for seed in range(300):
        peaks = crowded(rng, 40, 12_000, 40)
        places = [(0, s, s + 1) for _, s, _ in crowded(rng, 60, 12_000, 1)]
        p.append(shifted(places, [(0, 0, 1), *peaks, (0, 12_999, 13_000)], 99, seed).p)
    assert 0.02 <= np.mean(np.array(p) <= 0.05) <= 0.085  # SE 0.0126


def crowded(rng: np.random.Generator, n: int, length: int, width: int) -> list[Span]:
    """Spans about eight centres."""
    centres = rng.integers(500, length, 8)
    starts = np.clip(centres[rng.integers(8, size=n)] + rng.normal(0, 150, n).astype(int), 1, length)
    return [(0, int(s), int(s) + width) for s in starts]


# What agdb stats stores

#: 450 peaks of 400 bases, somewhere in each 20,000.
PEAKS = [
    ("chr1", s, s + 400) for s in (np.arange(450) * 20_000 + np.random.default_rng(1).integers(0, 19_000, 450)).tolist()
]


def test_the_enrichment_is_the_share_in_peaks_over_that_in_shifted_ones(con: duckdb.DuckDBPyConnection) -> None:
    rng = np.random.default_rng(2)
    study = replace(drawn(two_genes=60), chrom=["chr1"] * 260)
    starts = np.array([start for _, start, _ in PEAKS])
    pos = np.unique(np.r_[rng.choice(starts[1:-1], 100, replace=False) + 200, rng.integers(30_000, 8_900_000, 100)])
    add_study(con, replace(study, pos=pos[study.variant]))
    add_peaks(con, 7, PEAKS)
    found = one(results(con, shifts=200), "overlap_enrichment")
    inside = [any(s < p <= s + 400 for s in starts) for p in pos]
    assert (found["n"], found["unit"], found["chance"]) == (200, "variant", 1)
    # a shifted place meets a peak of 400 bases every 20,000
    assert found["estimate"] == pytest.approx(np.mean(inside) / 0.02, rel=0.1)
    assert found["p"] == pytest.approx(1 / 201)
    assert found["ci_low"] > 10


def test_variants_anywhere_are_not_enriched(con: duckdb.DuckDBPyConnection) -> None:
    rng = np.random.default_rng(3)
    study = drawn(600, two_genes=0)
    add_study(con, replace(study, chrom=["chr1"] * 600, pos=np.sort(rng.choice(8_900_000, 600, replace=False) + 1)))
    add_peaks(con, 7, PEAKS)
    found = one(results(con, shifts=200), "overlap_enrichment")
    assert found["p"] > 0.05
    assert found["ci_low"] < 1 < found["ci_high"]


def test_without_peaks_or_without_shifts_there_is_no_enrichment(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    assert "no peaks of the assembly" in str(one(results(con), "overlap_enrichment")["reason"])
    assert not [row for row in results(con, shifts=0) if row["metric"] == "overlap_enrichment"]


def test_peaks_of_other_chromosomes_than_the_variants_have_a_reason(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    add_peaks(con, 7, [("chr9", 100, 200), ("chr9", 900, 1_000)])
    found = one(results(con), "overlap_enrichment")
    assert (found["estimate"], found["n"]) == (None, 0)
    assert "no variant lies between the first and the last peak" in str(found["reason"])


def test_another_seed_shifts_otherwise_and_the_same_seed_alike(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    add_blocks(con, [("chr1", 0, 2_000_000), ("chr1", 2_000_000, 90_000_000)])
    add_peaks(con, 7, [("chr1", s, s + 3_000) for s in range(90_000, 9_000_000, 33_000)])
    first, again, other = (one(results(con, seed=seed), "overlap_enrichment") for seed in (1, 1, 2))
    assert first == again
    assert first["estimate"] != other["estimate"]
