"""The files of the original study: what it published comes back byte for byte, and what cannot be made says why."""

import csv
from pathlib import Path

import duckdb
import pytest
from make import ORIGINAL, original_rows, table, write
from rows import add_peaks, add_qtls, add_scorer, add_scores, add_snvs, add_source
from scipy import stats as scipy_stats

from agdb import original
from agdb.errors import Refused, UsageError
from agdb.ingest import predictions

SWEEP = "multi_window_experiment/output"


def add_window(con: duckdb.DuckDBPyConnection, folder: Path, window: int, factor: float = 1.0) -> bytes:
    """A file of the study, with scores of its own, ingested; returns its bytes."""
    rows = original_rows()
    for row in rows:
        ref, alt = float(row["ref_score"]), float(row["alt_score"])
        row |= {"alt_score": repr(ref + factor * (alt - ref)), "delta_pred": repr(ref + factor * (alt - ref) - ref)}
    path = write(folder / f"predictions_{window}.csv", table(rows, ORIGINAL, sep=","))
    predictions.ingest_original(con, path, window, "Whole_Blood")
    return path.read_bytes()


@pytest.fixture
def given(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> dict[int, bytes]:
    """The files of two windows, ingested."""
    return {window: add_window(con, tmp_path, window, factor) for window, factor in ((2048, 1.0), (16384, -0.25))}


def test_the_predictions_come_back_byte_for_byte(
    given: dict[int, bytes], con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    original.write(con, tmp_path / "out", 1)
    assert (tmp_path / "out" / SWEEP / "window_2kb" / "predictions.csv").read_bytes() == given[2048]
    assert (tmp_path / "out" / SWEEP / "window_16kb" / "predictions.csv").read_bytes() == given[16384]
    assert (tmp_path / "out" / "output" / "alphagenome_eqtl_predictions.csv").read_bytes() == given[2048]


def test_every_file_of_the_study_is_made_or_left_out_with_a_reason(
    given: dict[int, bytes], con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    written = original.write(con, tmp_path / "out", 1)
    of_window = ("predictions.csv", "statistics.txt", "scatter_plot.png")
    assert sorted(written.made) == sorted([
        "output/gtex_eqtls.bed", "output/alphagenome_eqtl_predictions.csv", "output/alphagenome_vs_gtex_benchmark.txt",
        "output/scatter_plot.png", *(f"{SWEEP}/window_{w}/{name}" for w in ("2kb", "16kb") for name in of_window),
        f"{SWEEP}/comparative_analysis/correlation_summary.csv",
        f"{SWEEP}/comparative_analysis/side_by_side_comparison.png",
        f"{SWEEP}/comparative_analysis/correlation_bar_chart.png",
    ])  # fmt: skip
    assert sorted(written.left_out) == [f"{SWEEP}/EXPERIMENT_SUMMARY.txt", "output/filtered_eqtls_in_k562_dhs.bed"]
    assert written.left_out["output/filtered_eqtls_in_k562_dhs.bed"] == "no peaks of GRCh38 are ingested"
    found = sorted(str(p.relative_to(tmp_path / "out")) for p in (tmp_path / "out").rglob("*") if p.is_file())
    assert found == sorted(written.made)


def test_the_statistics_are_those_of_scipy_in_the_words_of_the_study(
    given: dict[int, bytes], con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    original.write(con, tmp_path / "out", 1)
    rows = list(csv.DictReader(given[2048].decode().splitlines()))
    slope, delta = ([float(row[name]) for row in rows] for name in ("slope", "delta_pred"))
    rho, r = scipy_stats.spearmanr(slope, delta), scipy_stats.pearsonr(slope, delta)
    assert (tmp_path / "out" / SWEEP / "window_2kb" / "statistics.txt").read_text().splitlines() == [
        "Standard (2 KB) Window Results", "=" * 60, "", "Window size: 2048 bp", "Number of variants: 24", "",
        f"Spearman correlation: {rho.statistic:.4f}", f"Spearman p-value: {rho.pvalue:.2e}", "",
        f"Pearson correlation: {r.statistic:.4f}", f"Pearson p-value: {r.pvalue:.2e}", "",
        f"GTEx slope mean: {sum(slope) / 24:.6f}", f"GTEx slope std: {scipy_stats.tstd(slope):.6f}",
        f"AlphaGenome delta mean: {sum(delta) / 24:.6f}", f"AlphaGenome delta std: {scipy_stats.tstd(delta):.6f}",
    ]  # fmt: skip
    text = (tmp_path / "out" / SWEEP / "comparative_analysis" / "correlation_summary.csv").read_text()
    summary = list(csv.DictReader(text.splitlines()))
    assert [row["Window Size"] for row in summary] == ["Standard (2 KB)", "Promoter-proximal (16 KB)"]
    assert summary[0]["Spearman r"] == f"{rho.statistic:.4f}"
    assert summary[1]["Spearman r"] == f"{-rho.statistic:.4f}"


def test_the_bed_has_the_point_of_every_association_and_the_filtered_one_those_in_peaks(
    given: dict[int, bytes], con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    add_peaks(con, 90, [("chr2", 0, 14)])
    original.write(con, tmp_path / "out", 1)
    rows = list(csv.DictReader(given[2048].decode().splitlines()))
    wanted = []
    for row in rows:
        chrom, pos, ref, alt, _ = row["variant_id"].split("_")
        name = ":".join([row["variant_id"], row["gene_id"], row["slope"], ref, alt])
        wanted.append(f"{chrom}\t{int(pos) - 1}\t{pos}\t{name}")
    assert (tmp_path / "out" / "output" / "gtex_eqtls.bed").read_text().splitlines() == wanted
    inside = [line for line in wanted if int(line.split("\t")[1]) < 14]
    assert 0 < len(inside) < len(wanted)
    assert (tmp_path / "out" / "output" / "filtered_eqtls_in_k562_dhs.bed").read_text().splitlines() == inside


def test_it_says_that_the_slope_is_a_p_value(
    given: dict[int, bytes], con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    assert "the column slope holds pval_nominal" in original.write(con, tmp_path / "out", 1).notes[0]


def test_true_slopes_of_another_scorer_and_other_peaks_say_what_they_are(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ids = add_snvs(con, 30)
    add_source(con, 1)
    add_qtls(con, 1, ids, [(-1) ** i * 0.1 * i for i in range(1, 31)])
    add_scorer(con, "m", 501, name="mine")
    add_scores(con, "m", ids, [0.3 * (i % 7) - 1 for i in range(30)])
    add_peaks(con, 2, [("chr1", 0, 150)], biosample="Lung")
    written = original.write(con, tmp_path / "out")
    assert written.notes == [
        "where names and texts say AlphaGenome, it is mine",
        "ref_score and alt_score are empty: mine gives differences alone",
        "filtered_eqtls_in_k562_dhs.bed is of peaks of Lung",
    ]
    assert f"{SWEEP}/window_501bp/predictions.csv" in written.made
    assert "no scores at 2,048 bp" in written.left_out["output/scatter_plot.png"]
    assert f"{SWEEP}/comparative_analysis/side_by_side_comparison.png" in written.left_out


def test_statistics_that_are_not_defined_are_left_out_with_the_reason(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    ids = add_snvs(con, 6)
    add_source(con, 1)
    add_qtls(con, 1, ids, [0.1, -0.2, 0.3, 0.4, -0.5, 0.6])
    for scorer, scores, is_signed in (("size", [1.0, 2, 3, 4, 5, 6], False), ("flat", [1.0] * 6, True)):
        add_scorer(con, scorer, 2048, name=scorer)
        con.execute("UPDATE scorer SET is_signed = ? WHERE scorer_id = ?", [is_signed, scorer])
        add_scores(con, scorer, ids, scores)
        written = original.write(con, tmp_path / scorer, scorer=scorer)
        assert f"{SWEEP}/window_2kb/predictions.csv" in written.made
        for name in (f"{SWEEP}/window_2kb/statistics.txt", f"{SWEEP}/comparative_analysis/correlation_summary.csv",
                     "output/alphagenome_vs_gtex_benchmark.txt"):  # fmt: skip
            assert "the correlation at 2,048 bp is not defined" in written.left_out[name]


def test_the_true_slopes_of_published_pairs_are_in_every_file(
    given: dict[int, bytes], con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    rows = list(csv.DictReader(given[2048].decode().splitlines()))[:7]
    add_source(con, 9, tissue="Whole_Blood")
    add_qtls(con, 9, [r["variant_id"].removesuffix("_b38") for r in rows], [0.5, -0.25, 0.125, 1, -1, 2, -2],
             gene=[r["gene_id"] for r in rows])  # fmt: skip
    original.write(con, tmp_path / "out", 1, "slope")
    bed = (tmp_path / "out" / "output" / "gtex_eqtls.bed").read_text().splitlines()
    made = list(csv.DictReader((tmp_path / "out" / SWEEP / "window_2kb" / "predictions.csv").read_text().splitlines()))
    assert [float(line.split(":")[2]) for line in bed] == [float(r["slope"]) for r in made]
    assert [float(r["slope"]) for r in made] == [0.5, -0.25, 0.125, 1, -1, 2, -2]
    assert [r["delta_pred"] for r in made] == [r["delta_pred"] for r in rows]


def test_several_sources_are_listed(given: dict[int, bytes], con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    ids = add_snvs(con, 5, first=500)
    add_source(con, 9)
    add_qtls(con, 9, ids, [0.1, -0.2, 0.3, 0.4, 0.5])
    add_scorer(con, "m", 501, name="mine")
    add_scores(con, "m", ids, [1.0, 2.0, 3.0, 4.0, 5.0])
    with pytest.raises(UsageError) as caught:
        original.write(con, tmp_path / "out")
    assert "--source 9 --label slope --scorer mine" in str(caught.value)
    assert original.write(con, tmp_path / "out", scorer="mine").made


def test_without_scores_there_is_nothing_to_write(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no association has a score"):
        original.write(con, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_folder_that_holds_something_is_left_alone(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("keep me")
    with pytest.raises(Refused, match="holds something"):
        original.write(con, tmp_path)


@pytest.mark.parametrize(("bp", "folder", "called"), [
    (2048, "2kb", "Standard (2 KB)"), (131072, "131kb", "TAD-scale (131 KB)"), (524288, "524kb", "524 KB"),
    (2001, "2001bp", "2001 bp"), (512, "512bp", "512 bp"),
])  # fmt: skip
def test_windows_are_named_as_the_study_names_them(bp: int, folder: str, called: str) -> None:
    window = original.Window(bp, "s", 1, 0, 0, 0, 0, 0, 0)
    assert (window.size, window.called) == (folder, called)
