"""variant_in_peak and variant_in_peak_point against three oracles: brute force, bioframe and bedtools."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import bioframe
import duckdb
import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rows import add_peaks, add_variants, forget

BIN = 2048
Variant = tuple[str, str, int, int]  # assembly, chrom, 0-based start, length of REF
Peak = tuple[str, str, int, int]  # assembly, chrom, chrom_start, chrom_end
Pair = tuple[str, str, int, int, int, int]  # assembly, chrom, start and length of REF, start and end of the peak


@pytest.fixture(scope="module")
def overlap(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a database that every example empties and fills."""
    path = tmp_path_factory.mktemp("overlap") / "study.duckdb"
    shutil.copyfile(template_db, path)
    with closing(duckdb.connect(str(path))) as con:
        yield con


def fill(con: duckdb.DuckDBPyConnection, variants: list[Variant], peaks: list[Peak]) -> None:
    """Forget everything, then store these."""
    forget(con)
    for source_id, assembly in enumerate(("GRCh38", "GRCh37"), 1):
        rows = [(c, start + 1, "A" * length, "C") for a, c, start, length in variants if a == assembly]
        add_variants(con, rows, assembly=assembly)
        add_peaks(con, source_id, [(c, start, end) for a, c, start, end in peaks if a == assembly], assembly=assembly)


def pairs(con: duckdb.DuckDBPyConnection, view: str) -> list[Pair]:
    """What a view says, with every duplicate, by coordinates."""
    return con.execute(
        f"SELECT o.assembly, o.chrom::VARCHAR, o.pos - 1, length(o.ref), p.chrom_start, p.chrom_end FROM {view} AS o "
        "JOIN peak AS p ON p.peak_id = o.peak_id ORDER BY ALL"
    ).fetchall()


def brute_force(variants: list[Variant], peaks: list[Peak], *, point: bool = False) -> list[Pair]:
    """Every pair that shares a base, by definition: [start, start + length) meets [chrom_start, chrom_end)."""
    return sorted(
        (a, c, start, length, peak_start, peak_end)
        for a, c, start, length in variants
        for b, d, peak_start, peak_end in peaks
        if (a, c) == (b, d) and start < peak_end and start + (1 if point else length) > peak_start
    )


ASSEMBLIES = st.sampled_from(["GRCh38", "GRCh37"])
CHROMS = st.sampled_from(["chr1", "chr2", "chrX"])
#: Borders of bins and their neighbours, the start of the chromosome, and anything else.
PLACES = st.one_of(
    st.builds(lambda k, d: max(k * BIN + d, 0), st.integers(0, 8), st.integers(-2, 2)),
    st.integers(0, 9 * BIN),
)
LENGTHS = st.one_of(st.sampled_from([1, 2, BIN - 1, BIN, BIN + 1, 5_000]), st.integers(1, 30))
WIDTHS = st.one_of(st.sampled_from([1, 2, BIN - 1, BIN, BIN + 1, 1_000_000]), st.integers(1, 5_000))
VARIANTS = st.lists(st.tuples(ASSEMBLIES, CHROMS, PLACES, LENGTHS), max_size=12, unique=True)
PEAKS = st.lists(
    st.builds(lambda a, c, start, width: (a, c, start, start + width), ASSEMBLIES, CHROMS, PLACES, WIDTHS), max_size=12
)


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(variants=VARIANTS, peaks=PEAKS)
def test_every_pair_that_shares_a_base_is_found_exactly_once(
    overlap: duckdb.DuckDBPyConnection, variants: list[Variant], peaks: list[Peak]
) -> None:
    fill(overlap, variants, peaks)
    assert pairs(overlap, "variant_in_peak") == brute_force(variants, peaks)
    assert pairs(overlap, "variant_in_peak_point") == brute_force(variants, peaks, point=True)


@pytest.mark.parametrize(
    ("start", "length", "peak", "span", "point"),
    [
        (99, 1, (100, 200), False, False),  # the base before the peak
        (100, 1, (100, 200), True, True),  # its first base
        (199, 1, (100, 200), True, True),  # its last base
        (200, 1, (100, 200), False, False),  # the base after it
        (98, 3, (100, 200), True, False),  # a deletion that reaches in: in it by span, not by its first base
        (97, 3, (100, 200), False, False),  # a deletion that ends before it
        (0, 1, (0, 1), True, True),  # the first base of the chromosome
        (BIN - 1, 1, (BIN - 1, BIN), True, True),  # the last base of a bin
        (BIN - 1, 2, (BIN, BIN + 1), True, False),  # across the border
        (0, 5_000, (4_999, 5_000), True, False),  # a long deletion, three bins on
        (500_000, 1, (0, 1_000_000), True, True),  # in the middle of a wide peak
    ],
)
def test_a_boundary_is_where_the_definition_says(
    overlap: duckdb.DuckDBPyConnection, start: int, length: int, peak: tuple[int, int], span: bool, point: bool
) -> None:
    fill(overlap, [("GRCh38", "chr1", start, length)], [("GRCh38", "chr1", *peak)])
    assert len(pairs(overlap, "variant_in_peak")) == span
    assert len(pairs(overlap, "variant_in_peak_point")) == point


def test_equal_peaks_are_two_peaks(overlap: duckdb.DuckDBPyConnection) -> None:
    fill(overlap, [("GRCh38", "chr1", 10, 1)], [("GRCh38", "chr1", 5, 20)] * 2)
    found = overlap.execute("SELECT variant_id, source_id, biosample, assembly FROM variant_in_peak").fetchall()
    assert found == [("chr1_11_A_C", 1, "K562", "GRCh38")] * 2
    assert overlap.execute("SELECT count(DISTINCT peak_id) FROM variant_in_peak").fetchall() == [(2,)]


def test_unequal_assemblies_never_meet(overlap: duckdb.DuckDBPyConnection) -> None:
    fill(overlap, [("GRCh38", "chr1", 10, 1)], [("GRCh37", "chr1", 0, 100)])
    assert pairs(overlap, "variant_in_peak") == []


def random_sets(seed: int) -> tuple[list[Variant], list[Peak]]:
    """4,000 variants and 2,000 peaks on three chromosomes, dense enough to meet often."""
    rng = np.random.default_rng(seed)
    chroms = np.array(["chr1", "chr2", "chrX"])
    lengths = np.where(rng.random(4_000) < 0.8, 1, rng.integers(2, 60, 4_000))
    starts, widths = rng.integers(0, 2_000_000, 2_000), rng.integers(1, 4_000, 2_000)
    rows = zip(rng.choice(chroms, 4_000), rng.integers(0, 2_000_000, 4_000), lengths, strict=True)
    variants = {("GRCh38", str(c), int(s), int(n)) for c, s, n in rows}
    peaks = zip(rng.choice(chroms, 2_000), starts, starts + widths, strict=True)
    return sorted(variants), [("GRCh38", str(c), int(s), int(e)) for c, s, e in peaks]


def test_random_sets_meet_as_bioframe_says(overlap: duckdb.DuckDBPyConnection) -> None:
    variants, peaks = random_sets(seed=5)
    fill(overlap, variants, peaks)
    a = pd.DataFrame([(c, s, s + n) for _, c, s, n in variants], columns=["chrom", "start", "end"])
    b = pd.DataFrame([p[1:] for p in peaks], columns=["chrom", "start", "end"])
    met = bioframe.overlap(a, b, how="inner")
    columns = [met[n] for n in ("chrom", "start", "end", "start_", "end_")]
    expected = sorted(("GRCh38", c, int(s), int(e - s), int(f), int(t)) for c, s, e, f, t in zip(*columns, strict=True))
    assert len(expected) > 2_000
    assert pairs(overlap, "variant_in_peak") == expected


@pytest.mark.skipif(shutil.which("bedtools") is None, reason="bedtools is not installed")
@pytest.mark.parametrize("point", [False, True])
def test_random_sets_meet_as_bedtools_says(overlap: duckdb.DuckDBPyConnection, point: bool, tmp_path: Path) -> None:
    variants, peaks = random_sets(seed=6)
    fill(overlap, variants, peaks)
    a, b = tmp_path / "a.bed", tmp_path / "b.bed"
    a.write_text("".join(f"{c}\t{s}\t{s + (1 if point else n)}\t{n}\n" for _, c, s, n in variants))
    b.write_text("".join(f"{c}\t{s}\t{e}\n" for _, c, s, e in peaks))
    done = subprocess.run(["bedtools", "intersect", "-a", a, "-b", b, "-wa", "-wb"], capture_output=True, check=True)
    rows = [line.split("\t") for line in done.stdout.decode().splitlines()]
    expected = sorted(("GRCh38", r[0], int(r[1]), int(r[3]), int(r[5]), int(r[6])) for r in rows)
    assert len(expected) > 2_000
    assert pairs(overlap, "variant_in_peak_point" if point else "variant_in_peak") == expected


@pytest.mark.parametrize("view", ["variant_in_peak", "variant_in_peak_point"])
def test_the_join_hashes_on_the_bin_whatever_else_the_query_holds(
    overlap: duckdb.DuckDBPyConnection, view: str
) -> None:
    fill(overlap, *random_sets(seed=7))
    for query in (f"FROM {view}", f"WITH w AS MATERIALIZED (FROM {view}) SELECT * FROM w JOIN w AS x USING (peak_id)"):
        plan = " ".join(overlap.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()[0][1].split())
        assert "HASH_JOIN" in plan
        assert "= bin" in plan or "bin =" in plan
        assert not any(slow in plan for slow in ("NESTED_LOOP", "BLOCKWISE_NL", "IE_JOIN", "PIECEWISE_MERGE"))


def test_peaks_and_variants_stand_once_in_every_bin_that_they_touch(overlap: duckdb.DuckDBPyConnection) -> None:
    """A REF of a megabase, as structural variants have, is a matter of its own bins: those of the peaks stay as few."""
    variants = [("GRCh38", "chr1", BIN - 1, 1), ("GRCh38", "chr1", BIN - 2, 3), ("GRCh38", "chr2", 0, 1_000_000)]
    peaks = [
        ("GRCh38", "chr1", 2 * BIN + 98, 4 * BIN + 1),
        ("GRCh38", "chr2", 0, BIN),
        ("GRCh38", "chr2", 999_999, 10**6),
    ]
    fill(overlap, variants, peaks)
    bins = overlap.execute("SELECT chrom_start, bin FROM peak_bin ORDER BY ALL").fetchall()
    assert bins == [(0, 0), (2 * BIN + 98, 2), (2 * BIN + 98, 3), (2 * BIN + 98, 4), (999_999, 488)]
    bins = overlap.execute("SELECT chrom_start, bin FROM variant_bin ORDER BY ALL").fetchall()
    assert bins == [*((0, i) for i in range(489)), (BIN - 2, 0), (BIN - 2, 1), (BIN - 1, 0)]
    assert pairs(overlap, "variant_in_peak") == brute_force(variants, peaks)
