"""The views that figures count from, against what was put into the tables."""

from collections import Counter
from collections.abc import Callable

import duckdb
import numpy as np
from rows import add_peaks, add_qtls, add_scorer, add_scores, add_source, add_variants, insert, parts

Ask = Callable[..., list[tuple[object, ...]]]


def fates(ask: Ask) -> dict[tuple[object, ...], int]:
    """(in peak, fate, reason): associations."""
    return {(side, fate, reason): n for side, fate, reason, n in ask(  # type: ignore[misc]
        "SELECT in_peak, fate, reason, n FROM association_fate")}  # fmt: skip


def test_every_association_has_one_fate_and_its_first_reason(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    add_source(con, 1)
    good = add_variants(con, [("chr1", p, "A", "C") for p in (100, 200, 300, 400)])
    wrong = add_variants(con, [("chr1", 500, "A", "C")], ref_status="mismatch")
    wrong += add_variants(con, [("chr1", 550, "A", "T")], ref_status="palindromic")
    black = add_variants(con, [("chr1", 600, "A", "C")])
    add_qtls(con, 1, [*good, good[0], *wrong, *black], [0.1] * 8, gene=["G1", "G1", "G1", "G1", "G2", "G1", "G1", "G1"])
    add_peaks(con, 2, [("chr1", 99, 150)])
    add_source(con, 3, "blacklist", effect=None, tissue=None, biosample="bad")
    insert(con, "peak (peak_id, source_id, biosample, assembly, chrom, chrom_start, chrom_end)",
           [[9, 3, "bad", "GRCh38", "chr1", 590, 610]])  # fmt: skip
    add_scorer(con, "s")
    add_scores(con, "s", [good[0]], [1.0], gene="G1")
    add_scores(con, "s", [good[1]], [1.0], gene="G2")
    con.execute("INSERT INTO failure SELECT 's', 'GRCh38', 'chr1', 300, 'A', 'C', 'beyond', 1, now()::TIMESTAMP, 1")
    assert fates(ask) == {
        (True, "scored", None): 1,
        (True, "not scored", "the scorer has no score of the gene"): 1,
        (False, "not scored", "the scorer has no score of the gene"): 1,
        (False, "not scored", "failed: beyond"): 1,
        (False, "not scored", "not asked for"): 1,
        (None, "not usable", "REF is not the genome's (mismatch)"): 1,
        (None, "not usable", "REF and ALT may be swapped (palindromic)"): 1,
        (None, "not usable", "in a blacklisted region"): 1,
    }


def test_fates_of_two_scorers_and_sources_are_told_apart(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    variants = add_variants(con, [("chr1", p, "A", "C") for p in (100, 200, 300)])
    for source, own in ((1, variants), (2, variants[:1])):
        add_source(con, source)
        add_qtls(con, source, own, [0.1] * len(own))
    for scorer, window, own in (("a", 100, variants), ("b", 200, variants[1:])):
        add_scorer(con, scorer, window)
        add_scores(con, scorer, own, [1.0] * len(own))
    found = ask(
        "SELECT source_id, scorer_id, sum(n) FILTER (fate = 'scored'), sum(n) FROM association_fate GROUP BY ALL"
    )
    assert sorted(found, key=repr) == [(1, "a", 3, 3), (1, "b", 2, 3), (2, "a", 1, 1), (2, "b", None, 1)]


def counted(rows: list[tuple[object, ...]]) -> dict[object, object]:
    """Numbers of what is counted."""
    return {what: n for what, n in rows}  # noqa: C416


def test_peaks_per_variant_counts_candidates_of_chromosomes_with_peaks(
    con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    rng = np.random.default_rng(0)
    pos = sorted(set(rng.integers(1, 3000, 60).tolist()))
    add_variants(con, [("chr1", p, "A", "C") for p in pos])
    add_variants(con, [("chr2", p, "A", "C") for p in pos])
    starts = rng.integers(0, 2800, 12).tolist()
    add_peaks(con, 1, [("chr1", s, s + 200) for s in starts])
    known = Counter(sum(s <= p - 1 < s + 200 for s in starts) for p in pos)
    assert counted(ask("SELECT n_peaks, n FROM peaks_per_variant")) == known


def test_summit_distances_are_counted_in_bins_of_25_bases(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    add_variants(con, [("chr1", p, "A", "C") for p in (101, 125, 126, 176, 900)])
    add_source(con, 1, "peaks", effect=None, tissue=None, biosample="K562")
    insert(con, "peak (peak_id, source_id, biosample, assembly, chrom, chrom_start, chrom_end, summit)",
           [[1, 1, "K562", "GRCh38", "chr1", 50, 300, 100],
            [2, 1, "K562", "GRCh38", "chr1", 880, 950, None]])  # fmt: skip
    assert counted(ask("SELECT distance_start, n FROM summit_distance_bin")) == {0: 2, 25: 1, 75: 1}


def test_quantiles_keep_the_ends_and_ever_fewer_ranks_between(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    n = 3000
    variants = add_variants(con, [("chr1", 10 * (i + 1), "A", "C") for i in range(n)])
    add_source(con, 1)
    p = np.random.default_rng(1).random(n)
    rows = [[1, "GRCh38", *parts(v), "G1", 0.1, float(x)] for v, x in zip(variants, p, strict=True)]
    insert(con, "qtl (source_id, assembly, chrom, pos, ref, alt, gene_id, slope, pval_nominal)", rows)
    found = ask("SELECT nth, p, expected, side FROM p_value_quantile ORDER BY nth")
    nth = np.array([r[0] for r in found], int)
    assert [r[1] for r in found] == np.sort(p)[nth - 1].tolist()
    assert [r[2] for r in found] == ((nth - 0.5) / n).tolist()
    assert {r[3] for r in found} == {"peaks not known"}
    assert (nth[0], nth[1], nth[2], nth[-1]) == (1, 2, 3, n)
    assert len(found) < 200
