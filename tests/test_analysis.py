"""From rows in the database to results: against scipy on the same rows, against views, by clusters of all kinds."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
from conftest import Ask
from rows import add_qtls, add_scorer, add_scores, add_snvs, add_source
from scipy import stats
from studies import add_blocks, add_fine_mapping, add_study, drawn, of_rows, one, results, rho, score, with_effect

from agdb import db
from agdb.analysis import run
from agdb.analysis.expected import BANDS, Band, bounds
from agdb.analysis.profile import Asked as Study
from agdb.analysis.results import Result
from agdb.analysis.waterfall import compare
from agdb.errors import Refused
from agdb.statistics.families import benjamini_hochberg


def test_every_measure_of_all_rows_is_scipys(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    rows = results(con)
    effect, scores = study.effect, study.score
    both = (effect != 0) & (scores != 0)
    u = stats.mannwhitneyu(scores[effect > 0], scores[effect < 0]).statistic
    expected = {
        "spearman": rho(study),
        "pearson": stats.pearsonr(effect, scores).statistic,
        "abs_spearman": stats.spearmanr(np.abs(effect), np.abs(scores)).statistic,
        "sign_concordance": (np.sign(effect) == np.sign(scores))[both].mean(),
        "sign_auroc": u / ((effect > 0).sum() * (effect < 0).sum()),
    }
    assert {m: one(rows, m)["estimate"] for m in expected} == pytest.approx(expected, abs=1e-12)
    assert {one(rows, m)["reason"] for m in expected} == {None}


def test_results_are_those_of_the_views(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    add_study(con, drawn())
    rows = results(con, stratify=("kind", "egene", "effect_size"))
    in_view = ask(
        "SELECT stratification, stratum, n, spearman, pearson FROM stratum "
        "WHERE stratification IN ('all', 'kind', 'egene', 'effect_size')"
    )
    assert {stratification for stratification, *_ in in_view} == {"all", "kind", "egene", "effect_size"}
    for stratification, stratum, n, spearman, pearson in in_view:
        found = one(rows, stratum=str(stratum), stratification=stratification)
        assert (found["n"], found["estimate"]) == (n, pytest.approx(spearman, abs=1e-12))
        assert one(rows, "pearson", str(stratum), stratification=stratification)["estimate"] == pytest.approx(pearson)


def test_a_result_counts_rows_variants_genes_and_clusters(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    found = one(results(con))
    mb = {(c, (p - 1) // 1_000_000) for c, p in zip(study.chrom, study.pos.tolist(), strict=True)}
    assert (found["n"], found["n_variants"], found["n_genes"]) == (240, 200, len(set(study.gene)))
    assert (found["cluster"], found["n_clusters"]) == ("mb", len(mb))


def test_the_interval_is_that_of_resampled_rows_of_the_clusters(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn(400, seed=3)
    add_study(con, study)
    found = one(results(con, resamples=2_000))
    clusters = sorted({(c, (p - 1) // 1_000_000) for c, p in zip(study.chrom, study.pos.tolist(), strict=True)})
    place = np.array([clusters.index((c, (p - 1) // 1_000_000)) for c, p in zip(study.chrom, study.pos, strict=True)])
    rng = np.random.default_rng(1)
    anew = []
    for _ in range(600):
        rows = np.concatenate([np.flatnonzero(place == c) for c in rng.integers(len(clusters), size=len(clusters))])
        anew.append(np.arctanh(stats.spearmanr(study.effect[rows], study.score[rows]).statistic))
    half = stats.t.ppf(0.975, len(clusters) - 1) * np.std(anew, ddof=1)
    assert found["ci_low"] == pytest.approx(np.tanh(np.arctanh(found["estimate"]) - half), abs=0.02)
    assert found["ci_high"] == pytest.approx(np.tanh(np.arctanh(found["estimate"]) + half), abs=0.02)


def test_the_analytic_p_value_and_the_detectable_effect_are_there(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    found = one(results(con))
    assert found["analytic_p"] == pytest.approx(stats.spearmanr(study.effect, study.score).pvalue, rel=1e-6)
    line_se = (np.arctanh(found["ci_high"]) - np.arctanh(found["ci_low"])) / 2
    line_se /= stats.t.ppf(0.975, found["n_clusters"] - 1)
    assert found["detectable"] == pytest.approx(
        np.tanh(sum(stats.t.ppf([0.975, 0.8], found["n_clusters"] - 1)) * line_se)
    )
    independent = np.sqrt((1 + found["estimate"] ** 2 / 2) / (found["n"] - 3))
    assert found["design_effect"] == pytest.approx((line_se / independent) ** 2)


def test_the_ceiling_is_what_the_noise_of_the_slopes_leaves(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    share = 1 - np.mean(study.slope_se**2) / np.var(study.effect)
    rows = results(con)
    assert one(rows)["ceiling"] == pytest.approx(np.sqrt(share))
    assert one(rows, "disattenuated_spearman")["estimate"] == pytest.approx(rho(study) / np.sqrt(share))


def test_the_partial_correlation_is_that_of_what_covariates_leave_of_the_ranks(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    given = np.stack([np.log10(1 + np.abs(study.tss_distance)), study.maf])
    ranks = [stats.rankdata(v) for v in (study.effect, study.score, *given)]
    design = np.stack([np.ones(240), *ranks[2:]], axis=1)
    left = [v - design @ np.linalg.lstsq(design, v, rcond=None)[0] for v in ranks[:2]]
    found = one(results(con), "partial_spearman")
    assert found["estimate"] == pytest.approx(stats.pearsonr(*left).statistic, abs=1e-10)
    assert found["ci_low"] < found["estimate"] < found["ci_high"]


def test_kendall_and_permutation_come_when_they_are_asked_for(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    assert not {"kendall", "permutation_spearman"} & {row["metric"] for row in results(con)}
    rows = results(con, permutations=300, with_kendall=True)
    assert one(rows, "kendall")["estimate"] == pytest.approx(stats.kendalltau(study.effect, study.score).statistic)
    assert one(rows, "permutation_spearman")["estimate"] == pytest.approx(rho(study))
    assert one(rows, "permutation_spearman")["p"] == pytest.approx(1 / 301)


@pytest.mark.parametrize("n", [3, 240])
def test_controls_of_few_rows_or_of_a_constant_score_are_null_with_a_reason(
    con: duckdb.DuckDBPyConnection, n: int
) -> None:
    study = of_rows(drawn(), np.arange(240) < n)
    add_study(con, replace(study, score=np.ones(n)) if n > 3 else study)
    rows = results(con, permutations=50, with_kendall=True)
    reason = "n = 3: fewer than 4 rows" if n == 3 else "the effect or the score is constant"
    for metric in ("partial_spearman", "disattenuated_spearman", "permutation_spearman", "kendall"):
        assert (one(rows, metric)["estimate"], one(rows, metric)["reason"]) == (None, reason)


def test_what_a_partial_correlation_needs_is_told_where_it_is_missing(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    con.execute("UPDATE qtl SET maf = NULL, tss_distance = NULL, slope_se = NULL")
    rows = results(con)
    partial, without_noise = (one(rows, f"{name}_spearman")["reason"] for name in ("partial", "disattenuated"))
    assert partial == "neither the distance to the TSS nor the frequency is known and varies"
    assert without_noise == "slope_se is known for fewer than half of the rows"


def test_the_p_values_of_the_sign_measures_do_not_count_zeros(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    study = with_effect(study, np.where(np.arange(240) % 3 == 0, 0, study.effect))
    add_study(con, study)
    rows = results(con)
    both = (study.effect != 0) & (study.score != 0)
    agree = int((np.sign(study.effect) == np.sign(study.score))[both].sum())
    z = (agree - both.sum() / 2) / np.sqrt(both.sum() / 4)  # the score test, which Wilson's interval inverts
    assert one(rows, "sign_concordance")["analytic_p"] == pytest.approx(2 * stats.norm.sf(abs(z)))
    area = one(rows, "sign_auroc")
    low, estimate = (np.log(area[name] / (1 - area[name])) for name in ("analytic_low", "estimate"))
    assert area["analytic_p"] == pytest.approx(2 * stats.norm.sf(estimate / ((estimate - low) / stats.norm.isf(0.025))))


def test_a_result_says_what_chance_would_give(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    rows = results(con, stratify=("kind",))
    chance = {row["metric"]: row["chance"] for row in rows}
    assert {name: chance[name] for name in ("spearman", "sign_auroc", "spearman_difference", "heterogeneity")} == {
        "spearman": 0, "sign_auroc": 0.5, "spearman_difference": 0, "heterogeneity": None}  # fmt: skip


# What is one observation, and what is drawn as a whole


def test_the_lead_association_is_the_one_with_the_smallest_p_value(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    lead = {v: min(np.flatnonzero(study.variant == v), key=lambda i: study.pval_nominal[i]) for v in range(200)}
    own = np.isin(np.arange(240), list(lead.values()))
    found = one(results(con, label_sets=("lead",)))
    assert (found["unit"], found["n"], found["n_variants"]) == ("variant", 200, 200)
    assert found["estimate"] == pytest.approx(rho(study, own), abs=1e-12)


def test_blocks_of_linkage_are_clusters_and_gaps_between_them_too(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study = drawn()
    add_study(con, study)
    blocks = [("chr1", 0, 1_000_000), ("chr1", 1_000_000, 2_500_000), ("chr2", 3_000_000, 4_000_000)]
    add_blocks(con, blocks)
    found = one(results(con))

    def cluster(chrom: str, pos: int) -> object:
        inside = [b for b in blocks if b[0] == chrom and b[1] <= pos - 1 < b[2]]
        return inside[0] if inside else (chrom, (pos - 1) // 1_000_000)

    expected = {cluster(c, p) for c, p in zip(study.chrom, study.pos.tolist(), strict=True)}
    assert (found["cluster"], found["n_clusters"]) == ("block", len(expected))


def test_a_variant_at_the_first_base_of_a_block_is_in_it_and_one_past_its_end_is_not(
    con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    study = drawn(4, two_genes=0)
    study = replace(study, chrom=["chr1"] * 4, pos=np.array([500, 501, 600, 601]))
    add_study(con, study)
    add_blocks(con, [("chr1", 500, 600)])
    found = ask("SELECT pos, cluster_start FROM analysed_qtl ORDER BY pos")
    assert found == [(500, -1), (501, 500), (600, 500), (601, -1)]


def test_the_ends_of_a_1_mb_window_are_one_cluster_with_a_block_between_them(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn(4, two_genes=0)
    study = replace(study, chrom=["chr1"] * 4, pos=np.array([50, 501, 900, 1_200_000]))
    add_study(con, study)
    add_blocks(con, [("chr1", 500, 600)])
    assert one(results(con))["n_clusters"] == 3


def test_labels_of_two_kinds_of_qtl_make_one_group_of_results(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, replace(study, effect=np.abs(study.effect) / 10 + 1e-9), label="pval_nominal")
    half = study.variant < 100
    for source, own in ((2, half), (3, ~half)):
        add_study(con, of_rows(study, own), source, scorer=None)
    con.execute("UPDATE source SET qtl_type = if(source_id = 2, 'eqtl', 'sqtl')")
    found = [row for row in results(con, label_sets=("all",)) if row["source_id"] == 1 and row["metric"] == "spearman"]
    assert [(row["n"], row["expected"]) for row in found] == [(240, None)]


@pytest.mark.parametrize("band", BANDS)
def test_both_ends_of_what_the_field_expects_are_read_from_its_words(band: Band) -> None:
    assert bounds(band.told) == (band.low, band.high)


def test_only_the_blocks_that_were_ingested_last_count(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study = replace(drawn(2, two_genes=0), chrom=["chr1"] * 2, pos=np.array([50, 150]))
    add_study(con, study)
    add_blocks(con, [("chr1", 0, 1_000)], source_id=90)
    add_blocks(con, [("chr1", 0, 100), ("chr1", 100, 1_000)], source_id=91)
    assert ask("SELECT cluster_start FROM analysed_qtl ORDER BY pos") == [(0,), (100,)]


@pytest.mark.parametrize("cluster", ["gene", "chrom"])
def test_genes_and_chromosomes_may_be_clusters(con: duckdb.DuckDBPyConnection, cluster: str) -> None:
    study = drawn()
    add_study(con, study)
    con.execute("UPDATE label_set SET cluster = ? WHERE name = 'all'", [cluster])
    found = one(results(con))
    assert (found["cluster"], found["n_clusters"]) == (
        cluster, len(set(study.gene if cluster == "gene" else study.chrom)))  # fmt: skip


def test_one_cluster_has_an_estimate_and_no_interval_and_says_why(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn(20, two_genes=0)
    study = replace(study, chrom=["chr1"] * 20, pos=np.arange(1, 21) * 10)
    add_study(con, study)
    found = one(results(con))
    assert found["estimate"] == pytest.approx(rho(study))
    assert (found["n_clusters"], found["ci_low"], found["ci_high"], found["p"]) == (1, None, None, None)
    assert "too few clusters" in str(found["reason"])
    assert found["analytic_low"] < found["estimate"] < found["analytic_high"]


# Labels that are not slopes about 0, scores without a direction


def test_an_allelic_ratio_has_its_effect_about_a_half(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    ratio = with_effect(study, 1 / (1 + np.exp(-study.effect)))
    add_study(con, ratio, null_value=0.5)
    rows = results(con)
    centred = ratio.effect - 0.5
    assert one(rows, "sign_concordance")["estimate"] == pytest.approx(
        (np.sign(centred) == np.sign(study.score))[(centred != 0) & (study.score != 0)].mean()
    )
    magnitude = stats.spearmanr(np.abs(centred), np.abs(study.score)).statistic
    assert one(rows, "abs_spearman")["estimate"] == pytest.approx(magnitude)


def test_quartiles_of_an_allelic_ratio_are_by_its_distance_from_a_half(con: duckdb.DuckDBPyConnection) -> None:
    ratio = with_effect(drawn(), np.round(1 / (1 + np.exp(-drawn().effect)), 4))
    add_study(con, ratio, null_value=0.5)
    rows = results(con, stratify=("effect_size",))
    quartile = np.argsort(np.argsort(np.abs(ratio.effect - 0.5), kind="stable")) // 60
    found = [one(rows, stratum=f"Q{i + 1}")["n"] for i in range(4)]
    assert found == [60] * 4
    # both sides of a half are in the quartile of the largest: by the ratio itself all of them would be above
    assert {v < 0.5 for v in ratio.effect[quartile == 3]} == {True, False}
    assert one(rows, "sign_auroc", "Q4")["estimate"] is not None


def test_a_score_without_direction_has_its_magnitude_measured_and_nothing_else(con: duckdb.DuckDBPyConnection) -> None:
    study = replace(drawn(), score=np.abs(drawn().score))
    add_study(con, study, is_signed=False)
    rows = results(con)
    for metric in ("spearman", "pearson", "sign_concordance", "sign_auroc"):
        found = one(rows, metric)
        assert (found["estimate"], found["reason"]) == (None, "the scorer has no direction: see abs_spearman")
    magnitude = stats.spearmanr(np.abs(study.effect), study.score).statistic
    assert one(rows, "abs_spearman")["estimate"] == pytest.approx(magnitude)
    assert one(rows, "partial_abs_spearman")["estimate"] is not None


def test_the_views_have_no_signed_correlation_of_a_score_without_direction(
    con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    add_study(con, drawn(), is_signed=False)
    assert ask("SELECT n, spearman, pearson FROM correlation") == [(240, None, None)]


def test_a_p_value_has_no_sign_to_agree_with(con: duckdb.DuckDBPyConnection) -> None:
    study = with_effect(drawn(), np.random.default_rng(2).uniform(1e-9, 1e-3, 240))
    add_study(con, study, label="pval_nominal", null_value=1)
    rows = results(con, label_sets=("p-value",))
    assert one(rows)["label"] == "pval_nominal"
    assert one(rows)["estimate"] == pytest.approx(rho(study), abs=1e-12)
    for metric in ("sign_concordance", "sign_auroc"):
        assert (one(rows, metric)["estimate"], one(rows, metric)["reason"]) == (
            None, "the label is a p-value: it has no sign")  # fmt: skip


def test_sources_of_unlike_units_are_never_pooled(con: duckdb.DuckDBPyConnection) -> None:
    one_, other = drawn(), with_effect(drawn(), -drawn().effect)
    add_study(con, one_)
    add_study(con, other, 2, scorer=None)
    con.execute("UPDATE source SET effect_unit = 'log2 fold change' WHERE source_id = 2")
    rows = results(con)
    assert [one(rows, source_id=i)["n"] for i in (1, 2)] == [240, 240]
    assert [one(rows, source_id=i)["estimate"] for i in (1, 2)] == pytest.approx([rho(one_), rho(other)])


def test_fine_mapped_associations_are_those_of_the_variant_and_the_gene(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    pip = np.random.default_rng(4).choice([0.05, 0.9, 0.95, np.nan], 240)
    add_fine_mapping(con, study, pip)
    found = one(results(con, label_sets=("fine-mapped",)))
    assert found["n"] == (pip > 0.9).sum()
    assert found["estimate"] == pytest.approx(rho(study, pip > 0.9))


# Families, runs, and what is stored


def test_q_values_are_benjamini_hochbergs_of_one_measure(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    rows = results(con, stratify=("kind", "maf", "chrom"))
    tested = [r for r in rows if r["metric"] == "spearman" and r["p"] is not None]
    assert len(tested) > 5
    assert [r["q"] for r in tested] == pytest.approx(benjamini_hochberg([r["p"] for r in tested]))


def test_a_run_stores_its_results_and_the_same_question_gives_the_same_bits(fresh_db: Path) -> None:
    with db.writing(fresh_db) as con:
        study = drawn()
        add_study(con, study)
        score(con, study, "t", -study.score, window_bp=200)
    asked = run.Asked(resamples=300, permutations=50, with_kendall=True)
    runs = [run.stats(fresh_db, asked) for _ in range(2)]
    with db.reading(fresh_db) as con:
        query = "SELECT * EXCLUDE (result_id, run_id) FROM result WHERE run_id = ? ORDER BY result_id"
        first, second = (con.execute(query, [run_id]).fetchall() for run_id in runs)
    assert len(first) > 100
    assert first == second


def test_a_run_starts_when_it_reads_its_data(fresh_db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not when it stores them: what is ingested in between is newer than the results."""
    with db.writing(fresh_db) as con:
        add_study(con, drawn(8, two_genes=0))
    times, real = [], run.computed

    def computed(con: duckdb.DuckDBPyConnection, asked: run.Asked) -> list[Result]:
        times.append(db.utc_now())
        return real(con, asked)

    monkeypatch.setattr(run, "computed", computed)
    run_id = run.stats(fresh_db, run.Asked(resamples=200, stratify=(), shifts=0))
    with db.reading(fresh_db) as con:
        query = "SELECT started_at, finished_at FROM run WHERE run_id = ?"
        ((started, finished),) = con.execute(query, [run_id]).fetchall()
    assert started <= times[0] < finished


@pytest.mark.parametrize("ask", [lambda path: run.stats(path, run.Asked()), lambda path: compare(path, Study())])
def test_results_that_could_not_be_stored_are_not_computed(
    fresh_db: Path, monkeypatch: pytest.MonkeyPatch, ask: Callable[[Path], object]
) -> None:
    def refused(path: Path, **options: object) -> None:
        raise Refused("the database cannot be opened: Permission denied")

    def computed(path: Path) -> None:
        pytest.fail("it was computed")

    monkeypatch.setattr(db, "writing", refused)
    monkeypatch.setattr(db, "reading", computed)
    with pytest.raises(Refused, match="Permission denied"):
        ask(fresh_db)


def test_another_seed_gives_other_intervals_and_the_same_estimates(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    one_, other = (one(results(con, seed=seed)) for seed in (1, 2))
    assert one_["estimate"] == other["estimate"]
    assert one_["ci_low"] != other["ci_low"]


def test_nothing_that_is_stored_is_nan_or_infinite(fresh_db: Path) -> None:
    with db.writing(fresh_db) as con:
        study = drawn(8, two_genes=2)
        add_study(con, study)
        score(con, study, "t", study.effect, window_bp=200)
        score(con, study, "c", np.ones(10), name="constant")
        score(con, study, "u", np.ones(10), name="unsigned", is_signed=False)
    run.stats(fresh_db, run.Asked(resamples=200, with_kendall=True, permutations=20))
    with db.reading(fresh_db) as con:
        names = [n for (n,) in con.execute("SELECT column_name FROM duckdb_columns() WHERE table_name = 'result' AND "
                                           "data_type = 'DOUBLE'").fetchall()]  # fmt: skip
        bad = " OR ".join(f"NOT isfinite({name})" for name in names)
        assert con.execute(f"SELECT metric, stratum FROM result WHERE {bad}").fetchall() == []
        unexplained = "SELECT metric, stratum FROM result WHERE estimate IS NULL AND reason IS NULL"
        assert con.execute(unexplained).fetchall() == []


@pytest.mark.parametrize("n", range(4))
def test_few_rows_have_a_reason_or_a_number(con: duckdb.DuckDBPyConnection, n: int) -> None:
    variants = add_snvs(con, 8)
    add_source(con, 1)
    add_qtls(con, 1, variants[:n], [0.5, -0.5, 1.0][:n])
    add_scorer(con, "s")
    add_scores(con, "s", variants, np.arange(8.0).tolist())
    if n == 0:
        with pytest.raises(Refused, match="no association with a score"):
            results(con)
        return
    found = one(results(con))
    assert found["n"] == n
    assert (found["estimate"] is None) == (n < 3)
    assert n >= 3 or found["reason"] == f"n = {n}: fewer than 3 rows"
