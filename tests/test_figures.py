"""From the database to figures: the numbers that are drawn are those of the rows, against numpy and scipy."""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from figured import build, heading, in_peak, noisy, note, study, track_scores
from rows import add_qtls, add_scorer, add_scores, add_snvs, add_source
from scipy import stats
from studies import add_study, rho, score

from agdb import db, figures
from agdb.analysis import labels
from agdb.errors import AgdbError, Refused, UsageError
from agdb.figures import Choice, Drawn, resampled
from agdb.figures.estimates import degrees_of_freedom
from agdb.statistics.power import detectable

NEAR = Choice(scorer="scorer", window_bp=100)
TRACKED = Choice(scorer="tracked")

Draw = Callable[..., Drawn]


@pytest.fixture(scope="module")
def shown(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The study, read-only."""
    path = tmp_path_factory.mktemp("figures") / "study.duckdb"
    shutil.copyfile(template_db, path)
    build(path)
    with db.reading(path) as con:
        yield con


@pytest.fixture
def draw(shown: duckdb.DuckDBPyConnection) -> Draw:
    return lambda name, choice=NEAR: figures.draw(shown, name, choice)


def result(con: duckdb.DuckDBPyConnection, metric: str, stratum: str = "all", window: int = 100) -> tuple[float, ...]:
    """n, estimate and interval as stored."""
    asked = "metric = ? AND stratum = ? AND window_bp = ? AND versus IS NULL"
    found = con.execute(f"SELECT n, estimate, ci_low, ci_high FROM result WHERE {asked}",
                        [metric, stratum, window]).fetchall()  # fmt: skip
    return found[0]


def columns(drawn: Drawn) -> dict[str, list[Any]]:
    """The numbers drawn, by column."""
    return dict(drawn.data.to_pydict())


def test_scatter_draws_the_effect_and_score_of_every_association(draw: Draw) -> None:
    drawn = columns(draw("scatter"))
    assert sorted(zip(drawn["x"], drawn["score_0"], strict=True)) == sorted(
        zip(study().effect, study().score, strict=True)
    )


def test_scatter_says_scipys_correlations_with_the_stored_intervals(draw: Draw, shown: Any) -> None:
    above = heading(draw("scatter").figure)
    n, estimate, low, high = result(shown, "spearman")
    assert estimate == pytest.approx(rho(study()))
    assert n == len(study().effect)
    assert f"Spearman {rho(study()):+.3f} [{low:+.3f}, {high:+.3f}]" in above
    assert f"Pearson {stats.pearsonr(study().effect, study().score).statistic:+.3f}" in above
    assert "n = 280 associations of 240 variants with" in above
    assert "200 resamples of" in note(draw("scatter").figure)
    assert "agdb stats, run" in note(draw("scatter").figure)


def test_scatter_of_a_stratum_has_its_rows_alone(draw: Draw) -> None:
    drawn = draw("scatter", Choice(scorer="scorer", window_bp=100, stratum="peak: in peak"))
    assert columns(drawn) == columns(draw("scatter", replace(NEAR, stratum="peak:in peak")))
    assert f"n = {in_peak().sum():,} associations" in heading(drawn.figure)
    assert f"Spearman {rho(study(), in_peak()):+.3f}" in heading(drawn.figure)


def test_rows_whose_result_is_not_stored_have_intervals_of_resamples_made_for_the_figure(
    draw: Draw, shown: Any
) -> None:
    drawn = draw("scatter", TRACKED)
    assert "made for this figure" in note(drawn.figure)
    assert not shown.execute("SELECT count(*) FROM result WHERE scorer = 'tracked'").fetchall()[0][0]


def test_resamples_made_for_a_figure_are_those_that_stats_would_store(
    template_db: Path, tmp_path: Path, shown: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resampled, "RESAMPLES", 200)  # as many as `build` has stored
    path = tmp_path / "unstored.duckdb"
    shutil.copyfile(template_db, path)
    build(path)
    with db.writing(path) as con:
        con.execute("DELETE FROM result")
        drawn = figures.draw(con, "scatter", NEAR)
    stored = figures.draw(shown, "scatter", NEAR)
    assert "made for this figure" in note(drawn.figure)
    assert heading(drawn.figure) == heading(stored.figure)  # both correlations, and both ends of their intervals


def test_of_a_scorer_without_direction_sizes_are_drawn_and_compared(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, study(), null_value=0.5, is_signed=False)
    score(con, study(), "far", noisy(study().score, 5), window_bp=200, is_signed=False)
    effect, near = np.abs(study().effect - 0.5), np.abs(study().score)
    wanted = [stats.spearmanr(effect, np.abs(s)).statistic for s in (near, noisy(study().score, 5))]
    windows = figures.draw(con, "windows", Choice())
    assert columns(windows)["abs_spearman"] == pytest.approx(wanted)
    assert "spearman" not in windows.data.column_names
    scatter = figures.draw(con, "scatter", Choice(window_bp=100))
    drawn = zip(columns(scatter)["x"], columns(scatter)["score_0"], strict=True)
    assert sorted(drawn) == sorted(zip(effect, near, strict=True))
    assert f"Spearman of |effect| and |score| {wanted[0]:+.3f} [" in heading(scatter.figure)
    assert f"Spearman of |effect| and |score| 100 bp {wanted[0]:+.3f}" in figures.draw(con, "panels", Choice()).told


def test_few_clusters_have_no_band(draw: Draw) -> None:
    by_chrom = draw("scatter", Choice(labels="by-chrom", scorer="scorer", window_bp=100))
    assert "no band, as clusters are too few (3 chromosomes)" in note(by_chrom.figure)
    assert "95 % band by" in note(draw("scatter").figure)


def test_many_rows_are_counted_in_cells_and_none_is_lost(draw: Draw, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("agdb.plots.DENSE", 100)
    drawn = columns(draw("scatter"))
    assert sum(drawn["n"]) == 280
    x, y = ((drawn[f"{axis}_low"][0], drawn[f"{axis}_high"][0]) for axis in ("x", "score_0"))
    rows = zip(study().effect, study().score, strict=True)
    assert drawn["n"][0] == sum(x[0] <= effect < x[1] and y[0] <= score < y[1] for effect, score in rows)


def test_the_temporary_rows_of_a_figure_are_gone_afterwards(draw: Draw, shown: Any) -> None:
    draw("scatter")
    assert not shown.execute("SELECT count(*) FROM duckdb_tables() WHERE temporary").fetchall()[0][0]


def test_a_figure_s_joins_probe_with_the_associations_and_later_ones_do_as_before(
    con: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def settings() -> list[tuple[str]]:
        return con.execute("SELECT current_setting('disabled_optimizers')").fetchall()

    before, inside = settings(), []
    monkeypatch.setitem(figures.FIGURES, "scatter", lambda *_: inside.append(settings()))
    figures.draw(con, "scatter", Choice())
    assert inside == [[("build_side_probe_side",)]]
    assert settings() == before


def test_windows_are_compared_on_the_same_rows(draw: Draw) -> None:
    drawn = columns(draw("windows", Choice(scorer="scorer")))
    assert drawn["window_bp"] == [100, 200]
    assert drawn["n"] == [280, 280]
    assert drawn["spearman"][0] == pytest.approx(rho(study()))
    assert all(
        low < r < high for low, r, high in zip(*(drawn[c] for c in ("ci_low", "spearman", "ci_high")), strict=True)
    )


def test_panels_hold_the_score_of_every_window(draw: Draw) -> None:
    drawn = draw("panels", Choice(scorer="scorer"))
    assert {"score_0", "score_1"} <= set(drawn.data.column_names)
    assert stats.spearmanr(columns(drawn)["effect"], columns(drawn)["score_0"]).statistic == pytest.approx(rho(study()))


def test_forest_draws_the_stored_strata_and_their_test(draw: Draw, shown: Any) -> None:
    drawn = columns(draw("forest"))
    at = drawn["stratum"].index("in peak")
    kept = (drawn["n"][at], drawn["spearman"][at], drawn["ci_low"][at], drawn["ci_high"][at])
    assert kept == result(shown, "spearman", "in peak")
    assert "chrom" not in drawn["stratification"]
    assert "p = " in note(draw("forest").figure)


def test_forest_draws_the_divisions_that_are_asked_for(draw: Draw) -> None:
    drawn = columns(draw("forest", Choice(scorer="scorer", window_bp=100, divide="chrom,kind")))
    assert list(dict.fromkeys(drawn["stratification"])) == ["all", "chrom", "kind"]


@pytest.fixture(scope="module")
def grown(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """The study with a newer run of 281 rows that divided them by peaks alone; nobody writes to it."""
    path = tmp_path_factory.mktemp("grown") / "study.duckdb"
    shutil.copyfile(template_db, path)
    build(path)
    with db.writing(path) as con:
        con.execute("INSERT INTO run BY NAME SELECT * REPLACE (9 AS run_id) FROM run ORDER BY run_id DESC LIMIT 1")
        con.execute(
            "INSERT INTO result BY NAME SELECT * REPLACE (result_id + 10000 AS result_id, 9 AS run_id, "
            "if(stratum = 'all', 281, n) AS n) FROM result WHERE stratification IN ('all', 'peak')"
        )
        yield con


def test_forest_leaves_out_strata_of_other_rows_than_its_own(grown: duckdb.DuckDBPyConnection) -> None:
    drawn = figures.draw(grown, "forest", replace(NEAR, divide="kind,peak"))
    assert list(dict.fromkeys(columns(drawn)["stratification"])) == ["all", "peak"]
    assert "kind p = " not in note(drawn.figure)
    assert "Left out: kind: stored before other data came." in note(drawn.figure)
    assert drawn.told.endswith("left out: kind: stored before other data came")
    with pytest.raises(Refused, match="kind: stored before other data came"):
        figures.draw(grown, "forest", replace(NEAR, divide="kind"))


def test_what_was_stored_of_other_rows_than_those_drawn_is_not_drawn(grown: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(Refused, match="stored before other data came"):
        figures.draw(grown, "signs", NEAR)
    grown.execute("BEGIN")
    grown.execute("UPDATE result SET n = 281 WHERE stratum = 'all'")
    drawn = figures.draw(grown, "distance", NEAR)
    grown.execute("ROLLBACK")
    assert "Correlations of these rows by distance are not stored yet" in note(drawn.figure)


def test_signs_draws_the_share_of_each_decile_of_the_score(draw: Draw) -> None:
    drawn = columns(draw("signs"))
    size = np.abs(study().score)
    top = size >= drawn["score_abs_min"][-1]
    counted = top & (study().effect * study().score != 0)
    share = (study().effect[counted] * study().score[counted] > 0).mean()
    assert drawn["sign_concordance"][-1] == pytest.approx(share, abs=0.05), "ties at the edge of a decile"
    assert drawn["score_abs_max"][-1] == size.max()
    assert len(drawn["decile"]) == 10


def test_scores_count_every_variant_once_by_kind(draw: Draw) -> None:
    drawn = columns(draw("scores"))
    by = {
        kind: sum(n for k, n in zip(drawn["kind"], drawn["n"], strict=True) if k == kind) for kind in set(drawn["kind"])
    }
    insertions = len({v for v, alt in zip(study().variant, study().alt, strict=True) if len(alt) > 1})
    assert by == {"SNV": 240 - insertions, "insertion": insertions}


def test_scores_of_genes_count_a_variant_once_a_gene(con: duckdb.DuckDBPyConnection) -> None:
    ids = add_snvs(con, 6)
    add_source(con, 1)
    add_scorer(con, "g")
    for gene, own in (("ENSG1", ids), ("ENSG2", ids[:2])):
        add_qtls(con, 1, own, [0.1, -0.2, 0.3, 0.4, -0.5, 0.6][: len(own)], gene=[f"{gene}.4"] * len(own))
        add_scores(con, "g", own, [1.0, 2, 3, 4, 5, 6][: len(own)], gene=gene)  # a variant's two scores are equal
    drawn = figures.draw(con, "scores", Choice())
    assert sum(columns(drawn)["n"]) == 8
    assert "n = 8 pairs of variant and gene" in heading(drawn.figure)
    assert "Each variant counts once a gene." in note(drawn.figure)


def test_distance_draws_median_sizes_of_the_bins(draw: Draw) -> None:
    drawn = columns(draw("distance"))
    at = drawn["distance"].index("-12 to -3 kb")
    own = (study().tss_distance >= -12_000) & (study().tss_distance < -3_000)
    assert drawn["n"][at] == own.sum()
    assert drawn["effect_abs_median"][at] == pytest.approx(np.median(np.abs(study().effect[own])))
    assert sum(drawn["n"]) == 280


def test_funnel_counts_what_is_left_and_why_the_rest_is_lost(draw: Draw) -> None:
    drawn = {row["stage"]: row for row in draw("funnel", TRACKED).data.to_pylist()}
    failed = int((study().variant < 2).sum())
    assert drawn["rows of the file"]["n"] == 1480
    assert (drawn["associations kept"]["n"], drawn["associations kept"]["lost"]) == (280, "1,200 p_value_of_zero")
    assert drawn["associations kept"]["in_peak"] == in_peak().sum()
    scored = drawn["scored by tracked (300 bp)"]
    assert (scored["n"], scored["lost"]) == (280 - failed, f"{failed} failed: beyond the chromosome")
    assert drawn["analysed: label set all"]["n"] == 280 - failed


def test_funnel_says_which_condition_of_the_label_set_leaves_rows_out(draw: Draw) -> None:
    drawn = draw("funnel", Choice(labels="egenes", scorer="scorer", window_bp=100)).data.to_pylist()
    kept = int((study().qval <= 0.05).sum())
    assert drawn[-1]["n"] == kept
    assert drawn[-1]["lost"] == f"{280 - kept} not qval <= 0.05"


def test_funnel_says_that_a_pair_of_a_pool_counts_once_a_tissue(con: duckdb.DuckDBPyConnection) -> None:
    ids = add_snvs(con, 4)
    add_scorer(con, "a")
    add_scores(con, "a", ids, [1, 2, 3, 4])
    for source, held in ((1, 4), (2, 3)):
        add_source(con, source, tissue="Lung")
        add_qtls(con, source, ids[:held], [1, -2, 3, -4][:held])
    labels.add(con, labels.LabelSet("pool", is_pooled=True))
    drawn = figures.draw(con, "funnel", Choice("pool")).data.to_pylist()
    assert (drawn[-1]["n"], drawn[-1]["lost"]) == (4, "3 held by another source of its tissue")


def test_overlap_counts_peaks_a_variant(draw: Draw) -> None:
    drawn = draw("overlap", Choice()).data.to_pylist()
    peaks = {row["from"]: row["n"] for row in drawn if row["what"] == "peaks"}
    assert peaks == {0: 160, 1: 79, 2: 1}
    assert sum(row["n"] for row in drawn if row["what"] == "summit distance") == 80


def test_tracks_are_correlated_one_by_one_and_the_scorers_own_is_marked(draw: Draw) -> None:
    drawn = [row for row in draw("tracks", TRACKED).data.to_pylist() if row["stratum"] == "all"]
    scored = study().variant >= 2
    for row in drawn:
        assert row["spearman"] == pytest.approx(rho(study(), scored, track_scores(row["track_id"])))
        assert row["n"] == scored.sum()
    assert [row["track_id"] for row in drawn if row["is_of_scorer"]] == [1]


def test_tracks_by_stratum_have_the_rows_of_the_stratum(draw: Draw) -> None:
    drawn = draw("tracks", TRACKED).data.to_pylist()
    (row,) = [r for r in drawn if r["stratum"] == "in peak" and r["track_id"] == 3]
    assert row["spearman"] == pytest.approx(rho(study(), in_peak() & (study().variant >= 2), track_scores(3)))


def test_tracks_of_a_label_set_are_those_of_its_rows(draw: Draw) -> None:
    drawn = draw("tracks", Choice(labels="egenes", scorer="tracked")).data.to_pylist()
    own = (study().qval <= 0.05) & (study().variant >= 2)
    (row,) = [r for r in drawn if r["stratum"] == "all" and r["track_id"] == 2]
    assert (row["n"], row["spearman"]) == (own.sum(), pytest.approx(rho(study(), own, track_scores(2))))


def test_quantiles_are_the_sorted_p_values_in_and_outside_peaks(draw: Draw) -> None:
    drawn = columns(draw("qq", Choice()))
    inside = [p for p, side in zip(drawn["p"], drawn["side"], strict=True) if side == "in a peak"]
    known = np.sort(study().pval_nominal[in_peak()])
    assert inside[:5] == known[:5].tolist()
    assert drawn["expected"][0] == pytest.approx(0.5 / in_peak().sum())
    assert "holds no p-value above" in note(draw("qq", Choice()).figure)


def test_power_of_the_study_is_80_per_cent_at_what_it_could_detect(draw: Draw, shown: Any) -> None:
    drawn = draw("power")
    detectable = shown.execute(
        "SELECT detectable FROM result WHERE metric = 'spearman' AND stratum = 'all' AND window_bp = 100"
    ).fetchall()[0][0]
    true, power = (np.array(drawn.data.column(i)) for i in (0, 1))
    assert np.interp(detectable, true, power) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("df", [1.0, 2.7, 12.5, 28.0])
def test_the_power_of_a_study_has_the_degrees_of_freedom_of_its_interval(df: float) -> None:
    half = 0.1 * stats.t.isf(0.025, df)
    low, high = np.tanh([0.2 - half, 0.2 + half])
    row = {"ci_low": low, "ci_high": high, "n_clusters": 29, "detectable": np.tanh(detectable(0.1, df))}
    assert degrees_of_freedom(row) == pytest.approx(df, rel=1e-4)


def test_locus_shows_the_associations_of_a_gene_by_id_or_name(draw: Draw) -> None:
    own = [i for i, gene in enumerate(study().gene) if gene == "ENSG0.3"]
    for gene in ("ENSG0", "ENSG0.3", "ALPHA"):
        drawn = draw("locus", Choice(scorer="scorer", window_bp=100, gene=gene))
        assert columns(drawn)["effect"] == pytest.approx(study().effect[own])
    assert heading(drawn.figure).startswith("ALPHA (ENSG0), Lung")


def test_locus_does_not_take_the_number_of_a_phenotype_for_a_version(template_db: Path, tmp_path: Path) -> None:
    path = tmp_path / "peaks.duckdb"
    shutil.copyfile(template_db, path)
    build(path)
    with db.writing(path) as con:
        con.execute("UPDATE qtl SET gene_id = NULL, molecular_trait_id = 'peak.' || (rowid % 7)")
        drawn = figures.draw(con, "locus", Choice(scorer="scorer", window_bp=100, gene="peak.3"))
        n = con.execute("SELECT count(*) FROM qtl WHERE molecular_trait_id = 'peak.3'").fetchall()[0][0]
    assert set(columns(drawn)["phenotype_id"]) == {"peak.3"}
    assert drawn.data.num_rows == n


@pytest.mark.parametrize(
    ("name", "choice", "kind", "message"),
    [
        ("scatter", Choice(), UsageError, "--labels all --source 1 --scorer tracked --window 300"),
        ("scatter", Choice(scorer="nobody"), UsageError, "--scorer scorer or tracked"),
        ("scatter", Choice(scorer="scorer", window_bp=300), UsageError, "--window 100 or 200"),
        ("scatter", Choice(source_id=2), UsageError, "--source 1"),
        ("scatter", Choice(labels="conditional"), UsageError, "--labels all or lead"),
        ("scatter", Choice(scorer="tracked", stratum="peak"), UsageError, "one of 'peak: in peak', 'peak: outside"),
        ("scatter", Choice(scorer="tracked", stratum="in peak"), UsageError, "one of all, kind, peak"),
        ("scatter", Choice(scorer="tracked", stratum="a=1: 2"), UsageError, "one of all, kind, peak"),
        ("scatter", Choice(scorer="tracked", stratum="kind: MNV"), UsageError, "'kind: SNV'"),
        ("scatter", Choice(labels="nobody"), UsageError, "agdb labels --add"),
        ("windows", TRACKED, UsageError, "--window BP"),
        ("panels", TRACKED, UsageError, "--window BP"),
        ("forest", TRACKED, Refused, "agdb stats"),
        ("forest", Choice(scorer="scorer", window_bp=100, divide="nobody"), UsageError, "one of all, kind, peak"),
        ("signs", TRACKED, Refused, "agdb stats"),
        ("power", TRACKED, Refused, "agdb stats"),
        ("tracks", NEAR, Refused, "agdb predict dnase-k562"),
        ("study", Choice(), Refused, "agdb compare-study"),
        ("locus", TRACKED, UsageError, "--gene ID or NAME"),
        ("locus", Choice(scorer="tracked", gene="NOBODY"), UsageError, "those with most associations"),
        ("overlap", Choice(assembly="GRCh37"), Refused, "agdb ingest peaks"),
        ("pie", NEAR, UsageError, "scatter, panels, windows"),
    ],
)
def test_what_cannot_be_drawn_is_refused_with_a_cure(
    draw: Draw, name: str, choice: Choice, kind: type[AgdbError], message: str
) -> None:
    with pytest.raises(kind) as caught:
        draw(name, choice)
    assert message in str(caught.value)


@pytest.mark.parametrize(("name", "what"), [("scatter", "label sets and scorers"), ("windows", "QTL sources")])
def test_of_many_sources_twelve_are_listed(con: duckdb.DuckDBPyConnection, name: str, what: str) -> None:
    """A study of 49 tissues: the rows of each are not counted only to say that one has to be chosen."""
    ids = add_snvs(con, 4)
    for scorer, window in (("a", 100), ("b", 200)):
        add_scorer(con, scorer, window)
        add_scores(con, scorer, ids, [1, 2, 3, 4])
    for source in range(1, 15):
        add_source(con, source, tissue=f"Tissue{source}")
        add_qtls(con, source, ids, [1, -2, 3, -4])
    with pytest.raises(UsageError) as caught:
        figures.draw(con, name, Choice(window_bp=100) if name == "scatter" else Choice())
    told = str(caught.value)
    assert f"14 {what} match" in told
    assert "--source 12" in told
    assert "--source 13" not in told
    assert "... and 2 more" in told
    assert figures.draw(con, name, Choice(source_id=13, window_bp=100 if name == "scatter" else None)).data.num_rows


def test_a_source_outside_the_label_set_is_no_choice(con: duckdb.DuckDBPyConnection) -> None:
    ids = add_snvs(con, 4)
    add_scorer(con, "a")
    add_scores(con, "a", ids, [1, 2, 3, 4])
    for source in (1, 2):
        add_source(con, source)
        add_qtls(con, source, ids, [1, -2, 3, -4])
    labels.add(con, labels.LabelSet("first", source_ids=(1,)))
    assert figures.draw(con, "scatter", Choice("first", 1)).data.num_rows == 4
    with pytest.raises(UsageError, match="label set first has no scored association for --source 2"):
        figures.draw(con, "scatter", Choice("first", 2))


@pytest.mark.parametrize("name", figures.FIGURES)
def test_of_an_empty_study_every_figure_says_what_comes_first(con: duckdb.DuckDBPyConnection, name: str) -> None:
    with pytest.raises(Refused, match=r"agdb (predict SCORER|ingest|compare-study)"):
        figures.draw(con, name, Choice())


def test_a_label_set_that_keeps_no_row_says_so(con: duckdb.DuckDBPyConnection) -> None:
    ids = add_snvs(con, 4)
    add_source(con, 1)
    add_qtls(con, 1, ids, [1, -2, 3, -4])
    labels.add(con, labels.LabelSet("none", condition="abs(slope) > 9"))
    for scorer in ("a", "b"):
        add_scorer(con, scorer)
        add_scores(con, scorer, ids, [1, 2, 3, 4])
        with pytest.raises(UsageError, match="no scored association meets the condition of label set none"):
            figures.draw(con, "scatter", Choice("none"))


def test_intervals_of_independent_rows_are_told_as_that(con: duckdb.DuckDBPyConnection) -> None:
    """`agdb stats` refuses an interval to the rows of one cluster."""
    ids = add_snvs(con, 6)
    add_source(con, 1)
    add_qtls(con, 1, ids, [0.1, -0.2, 0.3, 0.4, -0.5, 0.6])
    for scorer, window in (("a", 100), ("b", 200)):
        add_scorer(con, scorer, window, name="s")
        add_scores(con, scorer, ids, [1, 2, 3, 4, 5, 6])
    for name in ("scatter", "panels", "windows"):
        drawn = figures.draw(con, name, Choice(window_bp=100 if name == "scatter" else None))
        assert drawn.told.endswith("(intervals of independent rows)")
        assert "1 window of 1 Mb" in note(drawn.figure) or name == "windows"


def test_a_scatter_of_p_values_says_which_number_is_of_which(con: duckdb.DuckDBPyConnection, draw: Draw) -> None:
    ids = add_snvs(con, 6)
    add_source(con, 1, effect="pval_nominal")
    add_qtls(con, 1, ids, [0.1, 0.2, 0.3, 1e-4, 1e-5, 1e-6], column="pval_nominal")
    add_scorer(con, "a")
    add_scores(con, "a", ids, [1, 2, 3, 4, 5, 6])
    said = "The line is of log10 p, the Pearson of p itself."
    assert said in note(figures.draw(con, "scatter", Choice("p-value")).figure)
    assert said not in note(draw("scatter").figure)
