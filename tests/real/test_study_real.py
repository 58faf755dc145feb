"""The original study's question on real files, through the command line: every number that is known is reproduced.

Goldens are those of the data's own documentation: counts of the official GTEx files, overlaps counted once by hand, and
the correlations that the original study published.
"""

import csv
import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner, Result

from agdb.cli import app

KIDNEY = "gtex/Kidney_Cortex.v8.signif_variant_gene_pairs.txt.gz"
KIDNEY_EGENES = "gtex/Kidney_Cortex.v8.egenes.txt.gz"
BLOOD_EGENES = "gtex/Whole_Blood.v8.egenes.txt.gz"
K562 = "dhs/ABC_K562_chr22_DNase_macs2_peaks.narrowPeak.gz"
SEEDS = {"seed_2": 2_048, "seed_16": 16_384, "seed_131": 131_072, "seed10k_2": 2_048, "seed10k_16": 16_384}

#: file: N, variants, genes, Spearman, its p, Pearson, its p, SD of the score, SD of the label (6 significant digits).
PUBLISHED = {
    "seed_2": (1000, 985, 778, 0.037515, 0.235917, 0.018117, 0.567167, 0.005262478, 0.000046352),
    "seed_16": (1000, 985, 778, -0.012510, 0.692746, 0.022414, 0.478941, 0.000738164, 0.000046352),
    "seed_131": (1000, 985, 778, 0.009994, 0.752272, -0.011033, 0.727483, 0.000132708, 0.000046352),
    "seed10k_2": (10000, 8827, 3587, 0.002709, 0.786482, -0.003420, 0.732398, 0.005522090, 0.000052777),
    "seed10k_16": (9998, 8825, 3586, 0.000498, 0.960282, -0.002188, 0.826851, 0.000835911, 0.000052781),
}


def agdb(db: Path, *arguments: object) -> Result:
    return CliRunner().invoke(app, ["--db", str(db), *map(str, arguments)])


def done(result: Result) -> Result:
    assert result.exit_code == 0, result.output
    return result


@pytest.fixture(scope="session")
def study(shared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with the official GTEx files, the K562 peaks and the five published prediction files."""
    db = tmp_path_factory.mktemp("real") / "study.duckdb"
    done(agdb(db, "init"))
    done(agdb(db, "ingest", "gtex", shared / KIDNEY, "--tissue", "Kidney_Cortex"))
    done(agdb(db, "ingest", "gtex", shared / KIDNEY_EGENES, "--tissue", "Kidney_Cortex"))
    done(agdb(db, "ingest", "peaks", shared / K562, "--biosample", "K562", "--assembly", "hg38"))
    for name, window in SEEDS.items():
        file = shared / "seed" / f"{name}.csv"
        done(agdb(db, "ingest", "predictions", file, "--format", "original", "--window", window))
    # last, so that re-labelling is seen to need nothing but the labels
    done(agdb(db, "ingest", "gtex", shared / BLOOD_EGENES, "--tissue", "Whole_Blood"))
    done(agdb(db, "stats"))
    return db


@pytest.fixture
def con(study: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(study), read_only=True) as connection:
        yield connection


def rows(con: duckdb.DuckDBPyConnection, query: str, *given: object) -> list[tuple[Any, ...]]:
    return con.execute(query, list(given)).fetchall()


def test_kidney_pairs_have_the_official_counts(con: duckdb.DuckDBPyConnection) -> None:
    counts = rows(
        con,
        "SELECT count(*), count(DISTINCT variant_id), count(DISTINCT gene_id), count(*) FILTER (v.kind <> 'SNV') "
        "FROM association JOIN variant AS v USING (assembly, chrom, pos, ref, alt) JOIN source USING (source_id) "
        "WHERE format = 'gtex_v8_pairs'",
    )
    assert counts == [(111_169, 76_365, 1_259, 8_719)]


def test_every_lead_slope_of_the_pairs_equals_that_of_the_egenes(con: duckdb.DuckDBPyConnection) -> None:
    leads = rows(
        con,
        "SELECT count(*), count(*) FILTER (p.slope = e.slope AND p.pval_nominal = e.pval_nominal) FROM association "
        "AS e "
        "JOIN source AS s ON s.source_id = e.source_id AND s.format = 'gtex_v8_egenes' AND s.tissue = 'Kidney_Cortex' "
        "JOIN association AS p ON p.source_id <> e.source_id AND p.tissue = e.tissue AND p.gene_id = e.gene_id "
        "AND p.variant_id = e.variant_id",
    )
    assert leads == [(1_259, 1_259)]


def test_sources_carry_the_sha256_and_rows_of_their_files(con: duckdb.DuckDBPyConnection, shared: Path) -> None:
    for path, sha256, read, kept in rows(con, "SELECT path, sha256, rows_read, rows_kept FROM source"):
        assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == sha256
        assert read == kept > 0


def overlap(con: duckdb.DuckDBPyConnection, view: str, p: float) -> tuple[Any, ...]:
    """(pairs, variants) of Kidney, of Whole_Blood eGene leads, of all Whole_Blood leads; peaks of at most 5,000 bp."""
    return rows(
        con,
        f"WITH hit AS (SELECT DISTINCT variant_id FROM {view} JOIN peak USING (peak_id) "
        "WHERE peak.chrom_end - peak.chrom_start <= 5000 AND neglog10_p > ?) "
        "SELECT count(*) FILTER (s.format = 'gtex_v8_pairs'), "
        "count(DISTINCT variant_id) FILTER (s.format = 'gtex_v8_pairs'), "
        "count(*) FILTER (q.tissue = 'Whole_Blood' AND qval <= 0.05), "
        "count(DISTINCT variant_id) FILTER (q.tissue = 'Whole_Blood' AND qval <= 0.05), "
        "count(*) FILTER (q.tissue = 'Whole_Blood') "
        "FROM association AS q JOIN source AS s ON s.source_id = q.source_id AND s.kind = 'qtl' "
        "SEMI JOIN hit USING (variant_id)",
        p,
    )[0]


@pytest.mark.parametrize(
    ("view", "p", "expected"),
    [
        ("variant_in_peak_point", 0, (331, 215, 90, 83, 117)),
        ("variant_in_peak_point", 3, (97, 66, 59, 53, 71)),
        ("variant_in_peak", 0, (331, 215, 91, 84, 118)),
        ("variant_in_peak", 3, (97, 66, 60, 54, 72)),
    ],
)
def test_overlap_with_k562_peaks_counts_as_documented(
    con: duckdb.DuckDBPyConnection, view: str, p: float, expected: tuple[int, ...]
) -> None:
    assert overlap(con, view, p) == expected


def test_rows_on_a_border_tell_a_0_based_from_a_1_based_position(con: duckdb.DuckDBPyConnection) -> None:
    """Taking `pos` for 0-based gives 332 Kidney pairs and 91 eGene leads instead of 331 and 90, by these variants."""
    taken_for_0_based = (
        "SELECT DISTINCT q.source_id, q.tissue, q.variant_id, q.gene_id FROM association AS q "
        "JOIN source AS s ON s.source_id = q.source_id AND s.kind = 'qtl' "
        "AND (s.format = 'gtex_v8_pairs' OR (s.tissue = 'Whole_Blood' AND q.qval <= 0.05)) "
        "JOIN peak AS p ON p.chrom = q.chrom AND q.pos >= p.chrom_start AND q.pos < p.chrom_end "
        "WHERE p.chrom_end - p.chrom_start <= 5000 AND p.neglog10_p > 0"
    )
    assert rows(con, f"SELECT tissue, count(*) FROM ({taken_for_0_based}) GROUP BY tissue ORDER BY tissue") == [
        ("Kidney_Cortex", 332),
        ("Whole_Blood", 91),
    ]
    right = (
        "(SELECT variant_id FROM variant_in_peak_point JOIN peak USING (peak_id) WHERE chrom_end - chrom_start <= 5000)"
    )
    assert rows(
        con, f"SELECT tissue, variant_id FROM ({taken_for_0_based}) WHERE variant_id NOT IN {right} ORDER BY ALL"
    ) == [
        ("Kidney_Cortex", "chr22_49619925_A_G"),
        ("Whole_Blood", "chr22_26483125_G_A"),
        ("Whole_Blood", "chr22_49619925_A_G"),
    ]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_numbers_come_back_to_six_digits(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Against `pval_nominal`: that is what the study's column `slope` holds.

    A file that shares its labels, row for row, with an earlier one is found under that one's name.
    """
    labels = "seed_2" if name in ("seed_16", "seed_131") else name
    found = rows(
        con,
        "SELECT n, n_variants, n_genes, spearman, pearson, score_sd, effect_sd, scorer_id FROM correlation "
        "WHERE label = 'pval_nominal' AND source = ? AND window_bp = ? AND scorer = 'original'",
        f"{labels}.csv",
        SEEDS[name],
    )
    assert len(found) == 1
    n, n_variants, n_genes, spearman, pearson, score_sd, effect_sd, scorer_id = found[0]
    p = dict(
        rows(
            con,
            "SELECT metric, analytic_p FROM result WHERE stratification = 'all' AND versus IS NULL "
            "AND label = 'pval_nominal' AND source = ? "
            "AND scorer_id = ?",
            f"{labels}.csv",
            scorer_id,
        )
    )
    expected = PUBLISHED[name]
    assert (n, n_variants, n_genes) == expected[:3]
    assert [round(v, 6) for v in (spearman, p["spearman"], pearson, p["pearson"])] == list(expected[3:7])
    assert [round(v, 9) for v in (score_sd, effect_sd)] == list(expected[7:])


def test_the_study_saw_no_difference_between_its_windows(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(
        con,
        "SELECT window_bp, estimate, analytic_low, analytic_high, analytic_p FROM result "
        "WHERE metric = 'spearman_difference' AND stratification = 'all' AND label = 'pval_nominal' "
        "AND source = 'seed_2.csv' ORDER BY result_id",
    )
    assert [(s, round(p, 3)) for s, _, _, _, p in found] == [
        (2048, 0.131),
        (2048, 0.450),
        (16384, 0.488),
    ]
    assert [round(v, 3) for v in found[0][1:4]] == [0.050, -0.015, 0.115]


def test_larger_windows_only_divided_by_their_width(con: duckdb.DuckDBPyConnection) -> None:
    sd = dict(
        rows(
            con,
            "SELECT window_bp, score_sd FROM stratum WHERE stratification = 'kind' AND stratum = 'SNV' "
            "AND label = 'pval_nominal' AND source = 'seed_2.csv'",
        )
    )
    assert (round(sd[2_048] / sd[16_384], 2), round(sd[2_048] / sd[131_072], 1)) == (8.04, 61.4)


def test_indels_are_7_percent_of_the_rows_and_up_to_61_percent_of_the_squared_scores(
    con: duckdb.DuckDBPyConnection,
) -> None:
    found = rows(
        con,
        "SELECT window_bp, sum(share_of_rows), sum(share_of_squares) FROM kind_share WHERE kind <> 'SNV' "
        "AND label = 'pval_nominal' AND source = 'seed_2.csv' GROUP BY window_bp ORDER BY window_bp",
    )
    assert [(window, round(share, 3), round(squares, 2)) for window, share, squares in found] == [
        (2_048, 0.072, 0.06), (16_384, 0.072, 0.26), (131_072, 0.072, 0.61)]  # fmt: skip


def test_the_power_of_the_study_was_less_than_it_claimed(con: duckdb.DuckDBPyConnection) -> None:
    """It claims more than .99 for rho = .01 in its full run, and more than .95 for rho = .1 in 1,000 rows."""
    assert rows(con, "SELECT round(correlation_power(0.01, 107229), 3)") == [(0.906,)]
    assert rows(con, "SELECT DISTINCT round(power_for_01, 3) FROM study_power WHERE n = 1000") == [(0.887,)]


def test_the_smallest_correlation_that_it_could_see_is_that_of_its_rows(con: duckdb.DuckDBPyConnection) -> None:
    found = rows(con, "SELECT DISTINCT n, round(detectable, 4) FROM study_power WHERE n IN (1000, 10000) ORDER BY n")
    assert found == [(1_000, 0.0885), (10_000, 0.0280)]
    assert rows(con, "SELECT round(detectable_correlation(107229), 4)") == [(0.0086,)]


def test_compare_study_goes_from_the_published_label_to_the_59_true_slopes(study: Path, tmp_path: Path) -> None:
    db = Path(shutil.copy(study, tmp_path / "study.duckdb"))
    told = done(agdb(db, "compare-study"))
    assert (
        "seed10k_2.csv, Whole_Blood), label set all: 10,000 scored rows, 10,000 with a p-value, 59 with" in told.stderr
    )
    with duckdb.connect(str(db), read_only=True) as con:
        found = rows(con, "SELECT step, n, round(spearman, 6), round(difference, 4), n_compared FROM study_step "
                          "WHERE spearman IS NOT NULL ORDER BY place")  # fmt: skip
        assert found == [
            ("published", 10_000, 0.002709, None, None), ("slope", 59, 0.082642, 0.0788, 59),
            ("variants", 59, 0.082642, None, 59)]  # fmt: skip
        left_out = dict(rows(con, "SELECT step, reason FROM study_step WHERE spearman IS NULL ORDER BY place"))
    assert list(left_out) == ["peaks", "tracks", "mask", "fine-mapped", "RNA_SEQ"]
    assert left_out["peaks"] == "it would leave 1 row, of 10 that an interval needs"


def test_true_slopes_meet_the_published_predictions_without_predicting(
    con: duckdb.DuckDBPyConnection, shared: Path
) -> None:
    """59 pairs of the study are lead pairs of the official egenes; scipy on the derived table is the oracle."""
    from scipy import stats

    with (shared / "derived" / "seed10k_exact_whole_blood_slopes_59.tsv").open() as file:
        exact = list(csv.DictReader(file, delimiter="\t"))
    for window, column in ((2_048, "delta_pred_2kb"), (16_384, "delta_pred_16kb")):
        found = rows(
            con,
            "SELECT n, spearman, pearson FROM correlation WHERE source = 'seed10k_2.csv' AND label = 'slope' "
            "AND window_bp = ?",
            window,
        )
        x, y = [float(r["slope"]) for r in exact], [float(r[column]) for r in exact]
        assert found[0][0] == len(exact) == 59
        assert found[0][1:] == pytest.approx(
            (stats.spearmanr(x, y).statistic, stats.pearsonr(x, y).statistic), abs=1e-9
        )


def test_p_values_given_as_slopes_are_refused_by_name(study: Path, shared: Path, tmp_path: Path) -> None:
    db = tmp_path / "new.duckdb"
    done(agdb(db, "init"))
    file = shared / "seed" / "seed_2.csv"
    refused = agdb(db, "ingest", "predictions", file, "--format", "original", "--window", 2048, "--effect", "slope")
    assert refused.exit_code == 1
    assert "slope holds p-values" in refused.output
    assert "pval_nominal" in refused.output
    with duckdb.connect(str(db), read_only=True) as con:
        assert rows(con, "SELECT (SELECT count(*) FROM qtl), (SELECT count(*) FROM prediction)") == [(0, 0)]
        assert rows(con, "SELECT (SELECT count(*) FROM source), (SELECT count(*) FROM variant)") == [(0, 0)]


def test_splicing_qtls_are_refused_as_such(study: Path, shared: Path) -> None:
    file = shared / "gtex" / "Kidney_Cortex.v8.sqtl_signifpairs.txt.gz"
    refused = agdb(study, "ingest", "gtex", file, "--tissue", "Kidney_Cortex")
    assert refused.exit_code == 1
    assert "this is another kind of file: GTEx v8 significant splicing QTLs" in refused.output
    assert "phenotype_id" in refused.output


def test_ingesting_again_is_a_no_op_that_says_so(study: Path, shared: Path, con: duckdb.DuckDBPyConnection) -> None:
    con.close()
    again = done(agdb(study, "ingest", "gtex", shared / KIDNEY, "--tissue", "Kidney_Cortex"))
    assert "already" in again.output
    with duckdb.connect(str(study), read_only=True) as after:
        assert rows(after, "SELECT count(*) FROM source") == [(9,)]


def test_every_covered_ref_allele_matches_the_right_genome(study: Path, shared: Path, tmp_path: Path) -> None:
    db = Path(shutil.copy(study, tmp_path / "study.duckdb"))
    done(agdb(db, "ingest", "genome", shared / "fasta" / "chr2_1-2333275.fa.gz", "--assembly", "GRCh38"))
    with duckdb.connect(str(db), read_only=True) as con:
        covered = "chrom = 'chr2' AND chrom_end <= 2333275"
        status = rows(con, f"SELECT ref_status, count(*) FROM variant WHERE {covered} GROUP BY 1")
        assert status == [("match", status[0][1])]
        assert status[0][1] > 50
        assert rows(con, f"SELECT count(*) FROM variant WHERE {covered} AND kind <> 'SNV'")[0][0] > 3
        assert rows(con, f"SELECT DISTINCT ref_status FROM variant WHERE NOT ({covered})") == [("unchecked",)]


def test_the_wrong_genome_is_recognised(study: Path, shared: Path, tmp_path: Path) -> None:
    db = Path(shutil.copy(study, tmp_path / "study.duckdb"))
    hg19 = shared / "fasta" / "hisat2_hg19_22_20-21M.fa.gz"
    refused = agdb(db, "ingest", "genome", hg19, "--assembly", "GRCh38")
    assert refused.exit_code == 1
    assert "looks like another assembly" in refused.output
    with duckdb.connect(str(db), read_only=True) as con:
        assert rows(con, "SELECT DISTINCT ref_status FROM variant") == [("unchecked",)]
    done(agdb(db, "ingest", "genome", hg19, "--assembly", "GRCh38", "--allow-mismatch"))
    with duckdb.connect(str(db), read_only=True) as con:
        n, bad = rows(con, "SELECT count(*), count(*) FILTER (ref_status = 'mismatch') FROM variant "
                           "WHERE ref_status <> 'unchecked'")[0]  # fmt: skip
        assert n == 89
        assert 0.65 < bad / n < 0.87  # 79 % of a larger set of GTEx variants
        assert rows(con, "SELECT count(*) FROM candidate WHERE ref_status = 'mismatch'") == [(0,)]


def test_motif_scores_the_kidney_variants_of_chr2_and_draws_them(study: Path, shared: Path, tmp_path: Path) -> None:
    db = Path(shutil.copy(study, tmp_path / "study.duckdb"))
    done(agdb(db, "ingest", "genome", shared / "fasta" / "chr2_1-2333275.fa.gz", "--assembly", "GRCh38"))
    done(agdb(db, "predict", "motif"))
    with duckdb.connect(str(db), read_only=True) as con:
        found = rows(
            con,
            "SELECT n, spearman FROM correlation WHERE scorer = 'motif' AND tissue = 'Kidney_Cortex' "
            "AND source LIKE '%pairs%'",
        )
        n, spearman = found[0]
        assert n == 50
        assert -1 < spearman < 1
    figure = tmp_path / "scatter.png"
    done(agdb(db, "plot", "scatter", "-o", figure, "--scorer", "motif", "--source", 1))
    assert figure.read_bytes().startswith(b"\x89PNG")
    again = done(agdb(db, "predict", "motif"))
    assert "nothing to ask for" in again.output
