"""Causal variants against matched controls: who is which, what is measured of them, and what cannot be."""

from collections import Counter
from dataclasses import replace

import duckdb
import numpy as np
import pytest
from conftest import Ask
from numpy.typing import NDArray
from rows import insert
from scipy import stats
from studies import Study, add_fine_mapping, add_study, drawn, one, results

from agdb.analysis.causality import METRICS
from agdb.analysis.explain import RowQueries
from agdb.analysis.results import Result
from agdb.errors import UsageError

Floats = NDArray[np.float64]
OF_PAIRS = METRICS[:-1]


def alike(n: int = 240, *, seed: int = 0) -> Study:
    """Variants that all lie as far from their TSS and are as frequent: controls are taken in the order of rows."""
    study = drawn(n, two_genes=0, seed=seed)
    return replace(study, tss_distance=np.full(n, 5_000), maf=np.full(n, 0.2))


def fine_mapped(con: duckdb.DuckDBPyConnection, study: Study, pip: Floats, **asked: object) -> list[Result]:
    """Results of the study with this fine-mapping; no overlap, which has tests of its own."""
    add_study(con, study)
    add_fine_mapping(con, study, pip)
    return results(con, **({"shifts": 0} | asked))


def every(k: int, n: int = 240, causal: float = 0.99, other: float = 0.001) -> Floats:
    """One variant in k is causal."""
    return np.where(np.arange(n) % k == 0, causal, other)


def taken(study: Study, pip: Floats, k: int = 1) -> tuple[list[int], list[int]]:
    """Causal variants and their controls, where all covariates are equal: turn by turn, in the order of rows."""
    causal: list[int] = []
    control: list[int] = []
    for chrom in dict.fromkeys(study.chrom):
        own = [i for i in range(len(pip)) if study.chrom[i] == chrom]
        takers, left = [i for i in own if pip[i] > 0.9], [i for i in own if pip[i] < 0.01]
        for _ in range(k):
            pairs = list(zip(takers, left, strict=False))
            causal, control, left = (
                [*causal, *(i for i, _ in pairs)],
                [*control, *(j for _, j in pairs)],
                left[len(pairs) :],
            )
    return causal, control


# What is measured


@pytest.mark.parametrize("k", [1, 2])
def test_auroc_average_precision_and_pairs_are_those_of_the_matched_rows(
    con: duckdb.DuckDBPyConnection, k: int
) -> None:
    study, pip = alike(), every(4)
    study = replace(study, score=study.score + 1.5 * (pip > 0.9) * np.sign(study.score))
    rows = fine_mapped(con, study, pip, controls=k)
    causal, control = taken(study, pip, k)
    score = np.abs(study.score)
    a, b = score[np.unique(causal)], score[control]
    auroc = stats.mannwhitneyu(a, b).statistic / (len(a) * len(b))
    precision = np.mean([(a >= s).sum() / ((a >= s).sum() + (b >= s).sum()) for s in a])
    won = (score[causal] > score[control]) + 0.5 * (score[causal] == score[control])
    found = {name: one(rows, name)["estimate"] for name in ("causal_auroc", "causal_auprc", "causal_pairwise")}
    assert found == pytest.approx(
        {"causal_auroc": auroc, "causal_auprc": precision, "causal_pairwise": won.mean()}, abs=1e-12
    )
    assert one(rows, "causal_auprc")["chance"] == pytest.approx(len(a) / (len(a) + len(b)))
    assert one(rows, "causal_auroc")["chance"] == 0.5
    assert (one(rows, "causal_auroc")["n"], one(rows, "causal_pairwise")["n"]) == (len(a) + len(b), len(causal))


def test_intervals_hold_the_estimate_and_the_analytic_ones_are_of_independent_rows(
    con: duckdb.DuckDBPyConnection,
) -> None:
    study, pip = alike(), every(3)
    rows = fine_mapped(con, study, pip)
    for name in ("causal_auroc", "causal_auprc", "causal_pairwise"):
        found = one(rows, name)
        assert found["ci_low"] < found["estimate"] < found["ci_high"]
    causal, control = taken(study, pip)
    score = np.abs(study.score)
    won = int((score[causal] > score[control]).sum())
    pairs = one(rows, "causal_pairwise")
    if not (score[causal] == score[control]).any():
        wilson = stats.binomtest(won, len(causal)).proportion_ci(method="wilson")
        assert (pairs["analytic_low"], pairs["analytic_high"]) == pytest.approx((wilson.low, wilson.high))
    assert one(rows, "causal_auprc")["p"] is None
    assert one(rows, "causal_auroc")["p"] is not None


def test_a_score_of_the_causal_variants_is_found_and_noise_is_not(con: duckdb.DuckDBPyConnection) -> None:
    pip = every(4)
    study = alike()
    planted = replace(study, score=np.where(pip > 0.9, 3.0, 1.0) * study.score)
    found = one(fine_mapped(con, planted, pip), "causal_auroc")
    assert found["ci_low"] > 0.55
    assert found["p"] < 0.001


def test_noise_has_an_auroc_about_a_half(con: duckdb.DuckDBPyConnection) -> None:
    found = one(fine_mapped(con, alike(seed=3), every(4)), "causal_auroc")
    assert found["ci_low"] < 0.5 < found["ci_high"]
    assert found["p"] > 0.05


def test_a_score_that_is_nearness_to_the_tss_gains_nothing_over_it_and_matching_takes_it_away(
    con: duckdb.DuckDBPyConnection,
) -> None:
    rng = np.random.default_rng(5)
    study, pip = drawn(600, two_genes=0), every(10, 600)
    distance = np.where(pip > 0.9, rng.normal(4.0, 0.4, 600), rng.normal(4.6, 0.8, 600))
    study = replace(study, tss_distance=np.round(10**distance).astype(int), maf=rng.uniform(0.1, 0.5, 600))
    study = replace(study, score=-np.log10(1 + study.tss_distance) + 9)
    raw = stats.mannwhitneyu(study.score[pip > 0.9], study.score[pip < 0.9]).statistic / (60 * 540)
    rows = fine_mapped(con, study, pip)
    assert raw > 0.7
    assert one(rows, "causal_auroc")["estimate"] == pytest.approx(0.5, abs=0.05)
    assert one(rows, "causal_auroc_tss_distance")["estimate"] == one(rows, "causal_auroc")["estimate"]
    assert one(rows, "causal_auroc_gain")["estimate"] == 0
    smd = one(rows, "causal_smd_tss_distance")
    assert abs(smd["estimate"]) < 0.1
    assert "where it was -1." in smd["method"]


def test_the_gain_is_the_difference_of_both_aurocs(con: duckdb.DuckDBPyConnection) -> None:
    rows = fine_mapped(con, drawn(300, two_genes=0), every(5, 300))
    one_, other, gain = (one(rows, f"causal_auroc{name}")["estimate"] for name in ("", "_tss_distance", "_gain"))
    assert gain == pytest.approx(one_ - other, abs=1e-12)


def test_results_are_the_same_bits_again(con: duckdb.DuckDBPyConnection) -> None:
    first = fine_mapped(con, drawn(300, two_genes=0), every(5, 300))
    assert [r for r in results(con, shifts=0) if r["metric"].startswith("causal_")] == [
        r for r in first if r["metric"].startswith("causal_")
    ]


@pytest.mark.parametrize("cluster", ["block", "gene", "chrom"])
def test_a_covariate_that_is_one_number_changes_nothing_although_candidates_are_then_read_by_themselves(
    con: duckdb.DuckDBPyConnection, cluster: str
) -> None:
    con.execute("UPDATE label_set SET cluster = ? WHERE name = 'all'", [cluster])
    study, rng = drawn(600, two_genes=500), np.random.default_rng(8)
    tss = np.where(rng.random(1_100) < 0.5, 5_000, study.tss_distance)  # of two genes of a variant, the nearer one
    pip = rng.choice([0.0, 0.005, 0.95, 0.99, np.nan], 1_100)
    plain = fine_mapped(con, replace(study, tss_distance=tss, maf=study.maf.round(1)), pip)
    assert one(plain, "causal_auroc")["ci_low"] is not None
    for row in results(con, shifts=0, match=("one=1",)):
        if row["metric"].startswith("causal_") and row["metric"] != "causal_smd_one":
            assert row | {"method": ""} == one(plain, str(row["metric"])) | {"method": ""}


# Who is causal, and who may be a control


def classes(ask: Ask) -> Counter[str]:
    return Counter({str(name): int(str(n)) for name, n in ask(
        "SELECT causal_class, count(DISTINCT variant_id) FROM causal_candidate GROUP BY 1")})  # fmt: skip


def test_what_lies_between_is_neither_causal_nor_a_control(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study = drawn(6, two_genes=0)
    add_study(con, study)
    add_fine_mapping(con, study, np.array([0.91, 0.9, 0.5, 0.01, 0.0099, 0.0]))
    assert classes(ask) == {"causal": 1, "control": 2}


def test_a_variant_outside_the_credible_sets_of_a_fine_mapped_gene_is_a_control(
    con: duckdb.DuckDBPyConnection, ask: Ask
) -> None:
    study = replace(drawn(6, two_genes=0), gene=["ENSG1.1", "ENSG1.2", "ENSG1.9", "ENSG2.1", "ENSG2.1", "ENSG2.1"])
    add_study(con, study)
    add_fine_mapping(con, study, np.array([0.99, np.nan, np.nan, np.nan, np.nan, np.nan]))
    assert classes(ask) == {"causal": 1, "control": 2}  # gene 2 was not fine-mapped: nothing is known of its variants


def test_a_variant_that_is_causal_for_another_gene_is_no_control(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study = drawn(2, two_genes=2)  # two variants, two genes each
    add_study(con, study)
    add_fine_mapping(con, study, np.array([0.99, 0.001, 0.4, 0.001]))
    assert classes(ask) == {"causal": 1}


def test_fine_mapping_of_another_tissue_says_nothing(con: duckdb.DuckDBPyConnection) -> None:
    study = alike()
    add_study(con, study, tissue="Liver")
    add_fine_mapping(con, study, every(4))
    reason = one(results(con), "causal_auroc")["reason"]
    assert reason == "no fine-mapping of Liver was ingested (there is some of other tissues or assemblies)"


def test_transcripts_of_one_gene_are_fine_mapped_each_for_itself(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    names = ["ENSG1.grp_1.contained.ENST01", "ENSG1.grp_1.contained.ENST02", "ENSG7.3", "peak.12", "peak.13"]
    study = replace(drawn(5, two_genes=0), gene=names)
    add_study(con, study)
    add_fine_mapping(con, replace(study, gene=[*names[:2], "ENSG7.4", *names[3:]]), np.array([0.9, 0.1, 0.5, 0.6, 0.7]))
    assert len(ask("SELECT DISTINCT phenotype FROM fine_mapped")) == 5
    assert [pip for (pip,) in ask("SELECT pip FROM analysed_qtl ORDER BY chrom, pos")] == [0.9, 0.1, 0.5, 0.6, 0.7]


def test_the_distance_comes_from_the_genes_where_the_source_has_none(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study = alike()
    add_study(con, study)
    add_fine_mapping(con, study, every(4))
    con.execute("UPDATE qtl SET tss_distance = NULL")
    assert "agdb ingest genes" in str(one(results(con), "causal_auroc")["reason"])
    genes = {name: i for i, name in enumerate(study.gene)}
    insert(con, "gene (source_id, assembly, gene_id, chrom, chrom_start, chrom_end, strand)",
           [[70, "GRCh38", name, study.chrom[i], int(study.pos[i]) - 101, int(study.pos[i]), "+"]
            for name, i in genes.items()])  # fmt: skip
    assert ask("SELECT min(tss_distance), count(tss_distance) FROM analysed_qtl")[0][1] == 240
    assert one(results(con), "causal_auroc")["estimate"] is not None


# How controls are taken


def test_controls_are_of_the_same_chromosome_and_none_is_taken_twice(con: duckdb.DuckDBPyConnection) -> None:
    study = alike()
    chrom1 = np.array(study.chrom) == "chr1"  # 80 variants
    pip = np.where(chrom1, np.where(np.arange(240) < 70, 0.99, 0.001), 0.001)
    matched = one(fine_mapped(con, study, pip), "causal_matched")
    assert (matched["estimate"], matched["n"]) == (pytest.approx(10 / 70), 70)
    assert "10 of 70 have a control, out of 170 candidates; without one: 60 with none left" in matched["method"]


def test_causal_variants_without_a_control_are_counted_by_their_reason(con: duckdb.DuckDBPyConnection) -> None:
    study = alike()
    pip = every(4)
    pip[160:] = 0.99  # all of chr3
    add_study(con, replace(study, maf=np.where(np.arange(240) % 80 == 0, 0.45, 0.2)))
    add_fine_mapping(con, study, pip)
    con.execute("UPDATE qtl SET maf = NULL WHERE chrom = 'chr1' AND pos < 500000")
    matched = one(results(con, shifts=0), "causal_matched")
    assert matched["method"].endswith(
        "without one: 3 without tss_distance or maf, 80 on a chromosome without controls, "
        "1 with none left within 0.25 SD"
    )


def test_controls_that_stay_unlike_are_told_in_the_number_and_in_words(con: duckdb.DuckDBPyConnection) -> None:
    study, pip = alike(), every(2)
    steps = 0.05 * (np.arange(240) // 2 % 5)  # the control of each step is a sixth of an SD further on
    maf = 0.1 + steps + np.where(pip > 0.9, 0, np.std(steps) / 6)
    rows = fine_mapped(con, replace(study, maf=np.asarray(maf, float)), pip)
    smd = one(rows, "causal_smd_maf")["estimate"]
    assert smd == pytest.approx(-1 / 6)
    assert f"controls are NOT balanced: maf {smd:+.2f} SD" in one(rows, "causal_auroc")["method"]


def test_a_covariate_of_the_users_is_matched_too(con: duckdb.DuckDBPyConnection) -> None:
    study, pip = alike(), every(2)
    rows = fine_mapped(con, study, pip, match=("ld=ln(slope_se)",))
    assert "matched on tss_distance, maf, ld" in one(rows, "causal_auroc")["method"]
    assert one(rows, "causal_smd_ld")["estimate"] == pytest.approx(0, abs=0.2)


def test_an_ld_score_may_come_from_a_table_of_the_users(con: duckdb.DuckDBPyConnection) -> None:
    study, pip = alike(), every(2)
    con.execute("CREATE TABLE ld_score (chrom VARCHAR, pos INTEGER, l2 DOUBLE)")
    low = np.arange(240) // 2 % 2 == 0  # of each two causal variants, and of each two controls
    insert(con, "ld_score", [[study.chrom[i], int(study.pos[i]), 1.0 if low[i] else 9.0] for i in range(240)])
    lookup = "(SELECT l2 FROM ld_score AS l WHERE l.chrom = analysed_qtl.chrom::VARCHAR AND l.pos = analysed_qtl.pos)"
    rows = fine_mapped(con, study, pip, match=(f"ld={lookup}",))
    assert one(rows, "causal_smd_ld")["estimate"] == 0
    score = np.abs(study.score)
    causal, control = (np.flatnonzero(own) for own in (pip > 0.9, pip < 0.01))  # each takes its neighbour
    won = (score[causal] > score[control]) + 0.5 * (score[causal] == score[control])
    assert one(rows, "causal_pairwise")["estimate"] == pytest.approx(won.mean())


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("maf=maf", "'maf' cannot name a covariate"),
        ("ld", "covariate ld is not SQL"),
        ("ld=no_such", "no_such"),
        ("ld=random()", "covariate ld has another value every time: random"),
        ("ld=gene_id", "a covariate fails on a row of label set all"),
        ("=maf", "'' cannot name a covariate"),
    ],
)
def test_what_cannot_be_matched_is_one_clear_error(con: duckdb.DuckDBPyConnection, text: str, message: str) -> None:
    with pytest.raises(UsageError) as refused:
        fine_mapped(con, alike(), every(4), match=(text,))
    assert message in refused.value.what
    assert refused.value.cure


# What is not defined


@pytest.mark.parametrize(
    ("pip", "reason"),
    [
        (np.full(240, np.nan), "no fine-mapping of Lung was ingested: agdb ingest credible"),
        (np.full(240, 0.001), "none of 240 variants of fine-mapped phenotypes is causal (PIP > 0.9)"),
        (np.full(240, 0.99), "all 240 variants are causal (PIP > 0.9): the label set leaves no controls"),
        (
            np.full(240, 0.5),
            "no association of a fine-mapped phenotype has a score, and is clearly causal or clearly not",
        ),
    ],
)
def test_without_two_classes_every_measure_is_null_with_the_reason(
    con: duckdb.DuckDBPyConnection, pip: Floats, reason: str
) -> None:
    add_study(con, alike())
    if np.isfinite(pip).any():
        add_fine_mapping(con, alike(), pip)
    rows = results(con)
    assert {(one(rows, name)["estimate"], one(rows, name)["reason"]) for name in METRICS} == {(None, reason)}


def test_causal_variants_far_from_all_controls_have_a_reason(con: duckdb.DuckDBPyConnection) -> None:
    study, pip = alike(), every(4)
    far = replace(study, maf=np.where(pip > 0.9, 0.3, 0.1) + np.arange(240) / 1e5)
    rows = fine_mapped(con, far, pip)
    assert one(rows, "causal_matched")["estimate"] == 0
    assert {one(rows, name)["reason"] for name in OF_PAIRS} == {
        "no causal variant has a control within 0.25 SD on its chromosome"
    }


def test_the_label_set_of_causal_variants_alone_leaves_no_controls(con: duckdb.DuckDBPyConnection) -> None:
    rows = fine_mapped(con, alike(), every(4), label_sets=("fine-mapped",))
    assert "the label set leaves no controls" in str(one(rows, "causal_auroc")["reason"])


def test_a_score_without_direction_is_measured_alike(con: duckdb.DuckDBPyConnection) -> None:
    study, pip = alike(), every(4)
    signed = one(fine_mapped(con, study, pip), "causal_auroc")
    con.execute("UPDATE scorer SET is_signed = false")
    assert one(results(con, shifts=0), "causal_auroc")["estimate"] == signed["estimate"]


def test_explain_gives_the_causal_variants_and_their_candidates(con: duckdb.DuckDBPyConnection) -> None:
    rows = fine_mapped(con, alike(), every(4))
    found = one(rows, "causal_auroc")
    con.execute("INSERT INTO run BY NAME SELECT 9 AS run_id, 'stats' AS command, '{}' AS arguments, "
                "'' AS agdb_version, '' AS duckdb_version, now()::TIMESTAMP AS started_at, 'done' AS "
                "status")  # fmt: skip
    sql = RowQueries(con).of(found | {"run_id": 9})
    assert sql is not None
    assert Counter(con.execute(sql).fetchnumpy()["is_causal"].tolist()) == {True: 60, False: 180}
