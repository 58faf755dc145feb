"""The views that answer: labels, scored rows, strata, windows, candidates, what is pending; against scipy and sets."""

import itertools
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rows import add_peaks, add_qtls, add_scorer, add_scores, add_snvs, add_source, add_variants, forget, insert, parts
from scipy import stats

Ask = Callable[..., list[tuple[object, ...]]]


@pytest.fixture(scope="module")
def shared(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a database that every example of a property empties and fills."""
    path = tmp_path_factory.mktemp("views") / "study.duckdb"
    shutil.copyfile(template_db, path)
    with closing(duckdb.connect(str(path), config={"threads": 2})) as con:
        yield con


def study(
    con: duckdb.DuckDBPyConnection, effects: Sequence[float], *scores: Sequence[float], label: str = "slope"
) -> list[str]:
    """One source, one association a variant, and one scorer a column of scores, at windows 100, 200, ..."""
    add_source(con, 1, effect=label)
    variants = add_snvs(con, len(effects))
    add_qtls(con, 1, variants, effects, column=label)
    for i, column in enumerate(scores):
        add_scorer(con, f"s{i}", 100 * (i + 1))
        add_scores(con, f"s{i}", variants, column)
    return variants


def spearman(x: Sequence[float], y: Sequence[float]) -> float | None:
    """scipy's, None where it is not defined."""
    return defined(stats.spearmanr, x, y)


def defined(correlation: Callable[..., object], x: Sequence[float], y: Sequence[float]) -> float | None:
    """A correlation of scipy; None for fewer than two rows and for constants."""
    if len(x) < 2 or len(set(x)) < 2 or len(set(y)) < 2:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return float(correlation(x, y).statistic)  # type: ignore[attr-defined]


def same(found: object, expected: float | None, tolerance: float = 1e-12) -> bool:
    """Equal, or both not defined."""
    if expected is None or found is None:
        return expected is found
    return abs(float(str(found)) - expected) <= tolerance


# Correlation

#: Few values, so that ties and constants are frequent; and any finite number, large ones too.
FEW = st.sampled_from([-2.0, -0.5, 0.0, 0.5, 3.0])
ANY = st.one_of(FEW, st.floats(-1e6, 1e6), st.floats(-1e100, 1e100))


@settings(max_examples=50, deadline=None)
@given(rows=st.lists(st.tuples(ANY, ANY), max_size=30))
def test_rho_is_scipys_with_ties_constants_and_few_rows(
    shared: duckdb.DuckDBPyConnection, rows: list[tuple[float, float]]
) -> None:
    forget(shared)
    effects, scores = [r[0] for r in rows], [r[1] for r in rows]
    study(shared, effects, scores)
    found = shared.execute("SELECT n, spearman FROM correlation").fetchall()
    assert [n for n, _ in found] == ([len(rows)] if rows else [])
    if rows:
        assert same(found[0][1], spearman(effects, scores))
        assert found[0][1] is None or -1 <= found[0][1] <= 1


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(FEW, st.floats(-1e3, 1e3).map(lambda x: round(x, 3))), min_size=1, max_size=30))
def test_r_is_scipys_and_null_for_constants(shared: duckdb.DuckDBPyConnection, rows: list[tuple[float, float]]) -> None:
    forget(shared)
    effects, scores = [r[0] for r in rows], [r[1] for r in rows]
    study(shared, effects, scores)
    found = shared.execute("SELECT pearson FROM correlation").fetchall()[0][0]
    assert same(found, defined(stats.pearsonr, effects, scores), 1e-9)


@pytest.mark.parametrize("n", range(1, 6))
def test_few_rows_are_answered_or_null_and_never_an_error(n: int, con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study(con, [float(i) for i in range(n)], [float(-i) for i in range(n)])
    assert ask("SELECT n, spearman, round(pearson, 12) FROM correlation") == [(n, *([None] if n < 2 else [-1.0]) * 2)]
    assert ask("SELECT count(*) FROM stratum_effect_size") == [(min(n, 4),)]


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_where_squares_are_no_numbers_r_is_null_and_rho_stands(
    scale: float, con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    study(con, [1.0 * scale, -1.0 * scale, 3.0 * scale], [1.0, 2.0, 3.0])
    assert ask("SELECT spearman, pearson FROM correlation") == [(0.5, None)]


def test_a_perfect_rank_correlation_is_one_exactly(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    effects = np.random.default_rng(3).standard_normal(997)
    study(con, effects.tolist(), np.exp(effects).tolist(), (-effects).tolist())
    assert ask("SELECT spearman FROM correlation ORDER BY scorer_id") == [(1.0,), (-1.0,)]


def test_rho_has_the_same_bits_on_every_run(shared: duckdb.DuckDBPyConnection) -> None:
    forget(shared)
    rng = np.random.default_rng(4)
    study(shared, rng.standard_normal(30_000).round(2).tolist(), rng.standard_normal(30_000).round(2).tolist())
    found = {shared.execute("SELECT spearman FROM correlation").fetchall()[0][0] for _ in range(6)}
    assert len(found) == 1


def test_each_label_set_and_scorer_is_ranked_by_itself(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    rng = np.random.default_rng(5)
    variants = add_snvs(con, 60)
    columns: dict[int | str, list[float]] = {}
    for source in (1, 2, 3):
        add_source(con, source, tissue=f"T{source}")
        columns[source] = rng.standard_normal(60).round(1).tolist()
        add_qtls(con, source, variants, columns[source])
    for scorer in ("a", "b"):
        add_scorer(con, scorer, name=scorer)
        columns[scorer] = rng.standard_normal(60).round(1).tolist()
        add_scores(con, scorer, variants, columns[scorer])
    found = ask("SELECT source_id, tissue, scorer, spearman FROM correlation ORDER BY source_id, scorer")
    for row, (source, scorer) in zip(found, itertools.product((1, 2, 3), ("a", "b")), strict=True):
        assert row[:3] == (source, f"T{source}", scorer)
        assert same(row[3], spearman(columns[source], columns[scorer]))


def test_counts_and_spreads_describe_the_same_rows(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    add_source(con, 1)
    variants = add_snvs(con, 3)
    add_qtls(con, 1, [*variants, variants[0]], [1.0, -2.0, 4.0, 0.5], gene=["G1", "G1", "G2", "G3"])
    add_scorer(con, "s")
    add_scores(con, "s", variants, [1.0, 2.0, 3.0])
    con.execute("UPDATE variant SET ref_status = 'unchecked' WHERE variant_id(chrom, pos, ref, alt) = ?", [variants[0]])
    columns = "n, n_variants, n_genes, effect_sd, score_sd, effect_abs_min, effect_abs_max, n_ref_unchecked"
    effects, scores = [1.0, -2.0, 4.0, 0.5], [1.0, 2.0, 3.0, 1.0]
    spreads = [pytest.approx(np.std(v, ddof=1)) for v in (effects, scores)]
    assert ask(f"SELECT {columns} FROM stratum WHERE stratification = 'all'") == [(4, 3, 3, *spreads, 0.5, 4.0, 2)]


# Labels


def test_an_association_has_one_label_its_own(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    add_source(con, 1)
    add_qtls(con, 1, add_snvs(con, 3), [0.1, -0.2, 0.3])
    assert ask("SELECT label, source_id, label_source_id, effect FROM label ORDER BY effect") == [
        ("slope", 1, 1, -0.2),
        ("slope", 1, 1, 0.1),
        ("slope", 1, 1, 0.3),
    ]


def p_value_source(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Source 1 brought p-values of three pairs in Lung."""
    add_source(con, 1, effect="pval_nominal")
    variants = add_snvs(con, 3)
    add_qtls(con, 1, variants, [1e-3, 1e-4, 1e-5], column="pval_nominal")
    return variants


RELABELLED = (
    "SELECT label_source_id, variant_id(chrom, pos, ref, alt), effect FROM label WHERE source_id = 1 AND label = "
    "'slope' "
    "ORDER BY 2"
)


def test_p_values_keep_their_name_and_get_the_slope_of_the_same_pair_besides(
    con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    variants = p_value_source(con)
    add_source(con, 2)
    add_qtls(con, 2, variants[:2], [0.5, -0.5])
    assert ask("SELECT label, effect FROM label WHERE source_id = 1 AND label_source_id = 1 ORDER BY effect") == [
        ("pval_nominal", p) for p in (1e-5, 1e-4, 1e-3)
    ]
    assert ask(RELABELLED) == [(2, variants[0], 0.5), (2, variants[1], -0.5)]
    assert ask("SELECT count(*) FROM label") == [(3 + 2 + 2,)]


def test_two_sources_with_the_same_pair_relabel_it_once_by_the_first(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    variants = p_value_source(con)
    for source in (3, 2):
        add_source(con, source)
        add_qtls(con, source, variants, [float(source)] * 3)
    assert ask(RELABELLED) == [(2, v, 2.0) for v in variants]


@pytest.mark.parametrize("other", ["tissue", "assembly", "gene", "effect"])
def test_a_pair_is_never_relabelled_from_elsewhere(other: str, con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    variants = p_value_source(con)
    if other == "tissue":
        add_source(con, 3, effect="pval_nominal", tissue="Liver")  # so that slopes of Liver are looked up at all
        add_source(con, 2, tissue="Liver")
        add_qtls(con, 2, variants, [0.5] * 3)
    elif other == "assembly":
        add_source(con, 2, assembly="GRCh37")
        add_qtls(con, 2, variants, [0.5] * 3, assembly="GRCh37")
    elif other == "gene":
        add_source(con, 2)
        add_qtls(con, 2, variants, [0.5] * 3, gene="ENSG2")
    else:
        add_source(con, 2, effect="pval_nominal")
        add_qtls(con, 2, variants, [0.5] * 3, column="pval_nominal")
    assert ask(RELABELLED) == []


def test_the_two_labels_of_one_source_are_correlated_apart(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    variants = p_value_source(con)
    add_source(con, 2)
    add_qtls(con, 2, variants, [0.1, 0.2, 0.3])
    add_scorer(con, "s")
    add_scores(con, "s", variants, [1.0, 2.0, 3.0])
    assert ask("SELECT source_id, label, n, spearman FROM correlation ORDER BY ALL") == [
        (1, "pval_nominal", 3, -1.0),
        (1, "slope", 3, 1.0),
        (2, "slope", 3, 1.0),
    ]
    assert ask("SELECT DISTINCT source_id, label FROM stratum_effect_size ORDER BY 1") == [(1, "slope"), (2, "slope")]
    assert ask("SELECT count(*) FROM scored_qtl WHERE label = 'pval_nominal' AND slope IS NOT NULL") == [(0,)]


# Scored rows


def test_one_association_and_one_scorer_are_one_row_whatever_else_is_there(
    con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    variants = study(con, [0.1, 0.2, 0.3], [1.0, 2.0, 3.0], [3.0, 2.0, 1.0])
    add_qtls(con, 1, variants[:1], [0.9], gene="ENSG2")
    add_peaks(con, 8, [("chr1", 0, 1_000)] * 3)  # three peaks over every variant
    add_peaks(con, 9, [("chr1", 5, 500)], biosample="HepG2")
    add_variants(con, [("chr1", 10, "A", "C")], assembly="GRCh37")
    found = ask("SELECT variant_id, gene_id, scorer_id, count(*) FROM scored_qtl GROUP BY ALL ORDER BY ALL")
    pairs = [*((v, "ENSG1") for v in variants), (variants[0], "ENSG2")]
    assert found == sorted((*p, s, 1) for p in pairs for s in ("s0", "s1"))
    assert ask("SELECT DISTINCT in_peak FROM scored_qtl") == [(True,)]


def test_a_score_of_a_gene_meets_only_the_associations_of_its_gene(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    add_source(con, 1)
    variant = add_snvs(con, 1)
    add_qtls(con, 1, variant * 3, [0.1, 0.2, 0.3], gene=["G1", "G2", "G3"])
    add_scorer(con, "genes")
    for gene, score in (("G1", 1.0), ("G2", 2.0), ("G9", 9.0)):
        add_scores(con, "genes", variant, [score], gene=gene)
    assert ask("SELECT gene_id, effect, score FROM scored_qtl ORDER BY ALL") == [("G1", 0.1, 1.0), ("G2", 0.2, 2.0)]


def test_a_score_of_a_clone_does_not_meet_the_other_clone(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    add_source(con, 1)
    variant = add_snvs(con, 1)
    add_qtls(con, 1, variant * 2, [0.1, 0.2], gene=["RP11-34P13.7", "RP11-34P13.13"])
    add_scorer(con, "genes")
    for gene, score in (("RP11-34P13.7", 1.0), ("RP11-34P13.13", 2.0)):
        add_scores(con, "genes", variant, [score], gene=gene)
    assert ask("SELECT effect, score FROM scored_qtl ORDER BY ALL") == [(0.1, 1.0), (0.2, 2.0)]


@pytest.mark.parametrize(("ref_status", "rows"), [("match", 1), ("unchecked", 1), ("mismatch", 0)])
def test_a_variant_whose_ref_contradicts_the_genome_never_enters(
    ref_status: str, rows: int, con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    study(con, [0.1], [1.0])
    con.execute("UPDATE variant SET ref_status = ?", [ref_status])
    for view in ("candidate", "scored_qtl", "correlation"):
        assert ask(f"SELECT count(*) FROM {view}") == [(rows,)]


def test_a_score_of_another_assembly_never_meets_an_association(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    variants = study(con, [0.1, 0.2])
    add_variants(con, [("chr1", 10, "A", "C"), ("chr1", 20, "A", "C")], assembly="GRCh37")
    add_scorer(con, "hg19", assembly="GRCh37")
    add_scores(con, "hg19", variants, [1.0, 2.0], assembly="GRCh37")
    assert ask("SELECT count(*) FROM scored_qtl") == [(0,)]


def test_a_prediction_without_an_association_is_in_no_answer(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study(con, [0.1, 0.2], [1.0, 2.0])
    add_scores(con, "s0", add_snvs(con, 1, first=50), [9.0])
    assert ask("SELECT n FROM correlation") == [(2,)]


# Strata


@settings(max_examples=25, deadline=None)
@given(
    rows=st.lists(st.tuples(FEW, FEW, st.booleans(), st.sampled_from([0.01, 0.05, 0.2])), min_size=1, max_size=25),
)
def test_every_stratum_is_its_rows_alone(
    shared: duckdb.DuckDBPyConnection, rows: list[tuple[float, float, bool, float]]
) -> None:
    forget(shared)
    add_source(shared, 1)
    add_scorer(shared, "s")
    chosen = [(10 * (i + 1), "A" if snv else "ACG") for i, (_, _, snv, _) in enumerate(rows)]
    variants = add_variants(shared, [("chr1", pos, ref, "C") for pos, ref in chosen])
    for variant, (effect, score, _, qval) in zip(variants, rows, strict=True):
        add_qtls(shared, 1, [variant], [effect], qval=qval)
        add_scores(shared, "s", [variant], [score])
    add_peaks(shared, 2, [("chr1", 0, 100)])  # holds positions 1 to 100: the first ten
    order = sorted(range(len(rows)), key=lambda i: (abs(rows[i][0]), chosen[i]))
    quarter, more = divmod(len(rows), 4)
    sizes = [quarter + (q < more) for q in range(4)]
    quartile = {i: q for q, i in zip((q for q in range(4) for _ in range(sizes[q])), order, strict=True)}
    expected: dict[tuple[str, str], list[int]] = {}
    for i, (_, _, snv, qval) in enumerate(rows):
        for stratum in (
            ("all", "all"),
            ("effect_size", f"Q{quartile[i] + 1}"),
            ("peak", "in peak" if i < 10 else "outside peaks"),
            ("egene", "eGene" if qval <= 0.05 else "not an eGene"),
            ("kind", "SNV" if snv else "deletion"),
        ):
            expected.setdefault(stratum, []).append(i)
    found = shared.execute("SELECT stratification, stratum, n, spearman FROM stratum ORDER BY 1, 2").fetchall()
    assert [tuple(row[:3]) for row in found] == [(*key, len(members)) for key, members in sorted(expected.items())]
    for row in found:
        members = expected[row[0], row[1]]
        assert same(row[3], spearman([rows[i][0] for i in members], [rows[i][1] for i in members]))


def test_quartiles_are_cut_in_each_label_set_by_itself(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    variants = study(con, [0.01 * (i + 1) for i in range(8)], [float(i) for i in range(8)])
    add_source(con, 2)
    add_qtls(con, 2, variants, [-float(i + 1) for i in range(8)])
    assert ask("SELECT source_id, stratum, n, effect_abs_max FROM stratum_effect_size ORDER BY 1, 2") == [
        *((1, f"Q{q}", 2, 0.02 * q) for q in (1, 2, 3, 4)),
        *((2, f"Q{q}", 2, 2.0 * q) for q in (1, 2, 3, 4)),
    ]


def test_what_was_not_measured_is_in_no_stratum(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study(con, [0.1, 0.2], [1.0, 2.0])  # no peaks, no q-values
    assert ask("SELECT DISTINCT stratification FROM stratum ORDER BY 1") == [("all",), ("effect_size",), ("kind",)]


def test_every_stratification_that_is_made_is_ranked(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study(con, [0.1, 0.2, 0.3, 0.4], [1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 3.0, 4.0])
    add_qtls(con, 1, add_snvs(con, 4), [0.1, 0.2, 0.3, 0.4], gene="ENSG2", qval=0.01)
    add_variants(con, [("chr1", 9_000 + i, r, a) for i, (r, a) in enumerate([("AC", "A"), ("A", "AC"), ("AC", "GT")])])
    others = [str(v) for (v,) in ask("SELECT variant_id(chrom, pos, ref, alt) FROM variant WHERE pos >= 9000")]
    add_qtls(con, 1, others, [0.1, 0.2, 0.3], qval=0.2)
    for scorer in ("s0", "s1"):
        add_scores(con, scorer, others, [1.0, 2.0, 3.0])
    add_peaks(con, 2, [("chr1", 0, 25)])
    made = ask("SELECT stratification, stratum, scorer_id, count(*) FROM stratified_qtl GROUP BY ALL ORDER BY ALL")
    assert ask("SELECT stratification, stratum, scorer_id, n FROM stratum ORDER BY ALL") == made
    assert len({row[:2] for row in made}) == 1 + 4 + 2 + 2 + 4 + 1


def plan(con: duckdb.DuckDBPyConnection, query: str) -> str:
    """How DuckDB would answer, as one line."""
    return " ".join(con.execute(f"EXPLAIN (FORMAT json) {query}").fetchall()[0][1].split())


def test_one_stratification_does_not_pay_for_the_others(con: duckdb.DuckDBPyConnection) -> None:
    whole = plan(con, "FROM stratum")
    assert all(mark in whole for mark in ("ntile", "every window", "outside peaks"))
    for query in ("FROM correlation", "FROM stratum WHERE stratification = 'all'"):
        pruned = plan(con, query)
        assert not any(mark in pruned for mark in ("ntile", "every window", "outside peaks"))
    assert "every window" not in plan(con, "FROM stratum_effect_size")


# Windows


@settings(max_examples=40, deadline=None)
@given(rows=st.lists(st.tuples(FEW, *[st.one_of(st.none(), FEW)] * 3), max_size=25))
def test_windows_are_compared_on_the_rows_that_both_scored(
    shared: duckdb.DuckDBPyConnection, rows: list[tuple[float, float | None, float | None, float | None]]
) -> None:
    forget(shared)
    variants = study(shared, [row[0] for row in rows])
    for w in (1, 2, 3):
        add_scorer(shared, f"w{w}", w * 100)
        scored = [(v, row[w]) for v, row in zip(variants, rows, strict=True) if row[w] is not None]
        add_scores(shared, f"w{w}", [v for v, _ in scored], [s for _, s in scored if s is not None])
    found = shared.execute(
        "SELECT window_a, window_b, n, spearman_a, spearman_b, spearman_ab, difference FROM window_comparison "
        "ORDER BY window_a, window_b"
    ).fetchall()
    expected = []
    for a, b in ((1, 2), (1, 3), (2, 3)):
        both = [(row[0], row[a], row[b]) for row in rows if row[a] is not None and row[b] is not None]
        if both:
            expected.append((a * 100, b * 100, len(both), [list(column) for column in zip(*both, strict=True)]))
    assert [row[:3] for row in found] == [e[:3] for e in expected]
    for row, (*_, (effects, scores_a, scores_b)) in zip(found, expected, strict=True):
        rho_a, rho_b = spearman(effects, scores_a), spearman(effects, scores_b)
        assert same(row[3], rho_a)
        assert same(row[4], rho_b)
        assert same(row[5], spearman(scores_a, scores_b))
        assert same(row[6], None if rho_a is None or rho_b is None else rho_a - rho_b)
    every = [row for row in rows if None not in row]
    windows = {w for w in (1, 2, 3) if any(row[w] is not None for row in rows)}
    complete = [row for row in rows if all(row[w] is not None for w in windows)]
    found = shared.execute(
        "SELECT window_bp, n, spearman FROM stratum WHERE stratification = 'window' ORDER BY 1"
    ).fetchall()
    if len(windows) < 2 or not complete:
        assert found == []
        return
    assert len(windows) < 3 or complete == every
    assert [row[:2] for row in found] == [(w * 100, len(complete)) for w in sorted(windows)]
    for window_bp, _, rho in found:
        column = [row[window_bp // 100] for row in complete]
        assert same(rho, spearman([row[0] for row in complete], [float(c) for c in column if c is not None]))


def test_scorers_that_differ_in_more_than_the_window_are_not_compared(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    variants = study(con, [0.1, 0.2, 0.3], [1.0, 2.0, 3.0])
    add_scorer(con, "other", 200, name="other")
    add_scores(con, "other", variants, [3.0, 2.0, 1.0])
    assert ask("SELECT count(*) FROM window_comparison") == [(0,)]
    assert ask("SELECT count(*) FROM stratum WHERE stratification = 'window'") == [(0,)]
    assert ask("SELECT count(DISTINCT family) FROM scorer_family") == [(2,)]


def test_windows_are_compared_in_each_label_set_by_itself(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    variants = study(con, [0.1, 0.2, 0.3, 0.4], [1.0, 2.0, 3.0, 4.0], [4.0, 2.0, 3.0, 1.0])
    add_source(con, 2)
    add_qtls(con, 2, variants[:3], [0.3, 0.2, 0.1])
    assert ask("SELECT source_id, n, spearman_a FROM window_comparison ORDER BY 1") == [(1, 4, 1.0), (2, 3, -1.0)]


# Candidates and what is pending


def test_in_peak_is_null_where_the_chromosome_has_no_peak(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    add_source(con, 1)
    places = [("chr1", 50), ("chr1", 500), ("chr2", 50), ("chr3", 50)]
    variants = add_variants(con, [(c, p, "A", "C") for c, p in places])
    add_qtls(con, 1, variants, [0.1] * 4)
    add_peaks(con, 2, [("chr1", 0, 100), ("chr1", 20, 60)])
    add_peaks(con, 3, [("chr3", 0, 100)], assembly="GRCh37")  # of another assembly: it says nothing here
    found = ask("SELECT chrom::VARCHAR, pos, in_peak FROM candidate ORDER BY ALL")
    assert found == [("chr1", 50, True), ("chr1", 500, False), ("chr2", 50, None), ("chr3", 50, None)]


def test_a_candidate_stands_once_however_many_associations_it_has(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    add_source(con, 1)
    variants = add_snvs(con, 2)
    add_qtls(con, 1, variants[:1] * 3, [0.1, 0.2, 0.3], gene=["G1", "G2", "G3"])
    assert ask("SELECT variant_id FROM candidate ORDER BY pos") == [(v,) for v in variants]


def test_a_variant_in_a_blacklisted_region_is_no_candidate(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    variants = add_variants(con, [("chr1", p, "ACG", "C") for p in (98, 99, 150, 201)])
    add_source(con, 9, "blacklist", effect=None, tissue=None)
    add_peaks(con, 9, [("chr1", 100, 200)])
    assert ask("SELECT variant_id, in_peak FROM candidate ORDER BY pos") == [(variants[0], None), (variants[3], None)]


STATUS = st.sampled_from(["match", "unchecked", "mismatch", "swapped", "palindromic"])


@settings(max_examples=40, deadline=None)
@given(
    variants=st.lists(st.tuples(st.sampled_from(["GRCh38", "GRCh37"]), STATUS), max_size=8),
    done=st.sets(st.tuples(st.integers(0, 7), st.integers(0, 2), st.booleans()), max_size=12),
)
def test_pending_is_what_no_scorer_has_scored_or_failed_on(
    shared: duckdb.DuckDBPyConnection,
    variants: list[tuple[str, str]],
    done: set[tuple[int, int, bool]],
) -> None:
    forget(shared)
    scorers = [("s0", "GRCh38", True), ("s1", "GRCh38", False), ("s2", "GRCh37", True)]
    for scorer, assembly, reads_genome in scorers:
        add_scorer(shared, scorer, assembly=assembly, reads_genome=reads_genome)
    ids = []
    for i, (assembly, status) in enumerate(variants):
        ids += add_variants(shared, [("chr1", i + 1, "A", "C")], assembly=assembly, ref_status=status)
    settled = {(i, s, scored) for i, s, scored in done if i < len(ids)}
    for i, s, scored in settled:
        if scored:
            add_scores(shared, f"s{s}", [ids[i]], [1.0], assembly=variants[i][0])
        else:
            insert(
                shared,
                "failure (computation_id, assembly, chrom, pos, ref, alt, reason, attempts, last_at, run_id)",
                [[f"s{s}", variants[i][0], *parts(ids[i]), "edge", 1, "2026-01-01", 1]],
            )
    expected = sorted(
        (scorer, ids[i])
        for s, (scorer, wanted, reads_genome) in enumerate(scorers)
        for i, (assembly, status) in enumerate(variants)
        if assembly == wanted
        if status == "match" or (status == "unchecked" and not reads_genome)
        if not {(i, s, True), (i, s, False)} & settled
    )
    assert shared.execute("SELECT scorer_id, variant_id FROM pending ORDER BY ALL").fetchall() == expected


def test_peaks_do_not_multiply_the_work(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study(con, [0.1, 0.2])
    add_scorer(con, "s")
    add_peaks(con, 2, [("chr1", 0, 1_000)] * 4)
    assert ask("SELECT count(*), bool_and(in_peak) FROM pending") == [(2, True)]
