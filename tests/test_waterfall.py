"""agdb compare-study: every step has its own rows, label and score; says what it changed, or why it was left out."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from figured import note
from scipy import stats as scipy_stats
from typer.testing import CliRunner, Result
from waterfalls import Bools, Whole, add_whole, whole

from agdb import db, figures
from agdb.analysis import labels
from agdb.analysis.labels import LabelSet
from agdb.cli import app

Agdb = Callable[..., Result]
STEPS = ["published", "slope", "peaks", "tracks", "mask", "variants", "fine-mapped", "RNA_SEQ"]


@pytest.fixture(scope="module")
def made() -> Whole:
    return whole()


@pytest.fixture(scope="module")
def whole_db(made: Whole, template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database in which no step has to be left out."""
    path = tmp_path_factory.mktemp("waterfall") / "study.duckdb"
    path.write_bytes(template_db.read_bytes())
    with db.writing(path) as con:
        add_whole(con, made)
    return path


@pytest.fixture
def study(whole_db: Path, tmp_path: Path) -> Path:
    """A copy of it, to write to."""
    path = tmp_path / "study.duckdb"
    path.write_bytes(whole_db.read_bytes())
    return path


@pytest.fixture
def agdb(study: Path) -> Agdb:
    return lambda *words: CliRunner().invoke(app, ["--db", str(study), *words])


def steps(agdb: Agdb, *words: str) -> dict[str, dict[str, Any]]:
    """The rows of view study_step that the command prints, by step."""
    run = agdb("compare-study", "--resamples", "200", "--format", "json", *words)
    assert run.exit_code == 0, run.output
    return {row["step"]: row for row in json.loads(run.stdout)}


def without(study: Path, *sql: str) -> None:
    """Take something away from the study."""
    with db.writing(study) as con:
        for one in sql:
            con.execute(one)


def own_rows(made: Whole) -> dict[str, tuple[Bools, str, str]]:
    """Rows, label and score of each step, from the truth alone."""
    every = made.in_peaks
    lead_fine = np.zeros(len(every), bool)
    for v in np.unique(made.study.variant):
        fine = np.flatnonzero((made.study.variant == v) & every & (made.pip > 0.9))
        if len(fine):
            lead_fine[min(fine, key=lambda i: made.study.pval_nominal[i])] = True
    return {
        "published": (made.as_given, "p", "original"), "slope": (made.as_given, "slope", "original"),
        "peaks": (every, "slope", "original"), "tracks": (every, "slope", "tracks"), "mask": (every, "slope", "mask"),
        "variants": (every & made.lead, "slope", "mask"), "fine-mapped": (lead_fine, "slope", "mask"),
        "RNA_SEQ": (lead_fine, "slope", "rna"),
    }  # fmt: skip


def rho(made: Whole, own: Bools, label: str, role: str) -> float:
    effect = made.study.pval_nominal if label == "p" else made.study.effect
    return float(scipy_stats.spearmanr(effect[own], made.scores[role][own]).statistic)


def test_every_step_has_its_own_rows_label_and_score(agdb: Agdb, made: Whole) -> None:
    found = steps(agdb)
    assert list(found) == STEPS
    for step, (own, label, role) in own_rows(made).items():
        assert found[step]["n"] == own.sum(), step
        assert found[step]["spearman"] == pytest.approx(rho(made, own, label, role), abs=1e-12), step


def test_a_change_is_that_of_this_step_less_the_one_before(agdb: Agdb, made: Whole) -> None:
    found, own = steps(agdb), own_rows(made)
    for before, step in pairwise(STEPS):
        assert found[step]["versus"] == before
        expected = rho(made, *own[step]) - rho(made, *own[before])
        assert found[step]["difference"] == pytest.approx(expected, abs=1e-12), step


def test_the_label_changes_on_the_rows_that_have_both(study: Path, agdb: Agdb, made: Whole) -> None:
    without(study, "UPDATE qtl SET slope = NULL WHERE chrom = 'chr1'")
    found = steps(agdb)
    both = made.as_given & (np.array(made.study.chrom) != "chr1")
    assert found["published"]["n"] == made.as_given.sum()
    assert found["slope"]["n_compared"] == found["slope"]["n"] == both.sum()
    expected = rho(made, both, "slope", "original") - rho(made, both, "p", "original")
    assert found["slope"]["difference"] == pytest.approx(expected, abs=1e-12)


def test_a_scorer_that_lacks_some_variants_is_compared_on_those_it_has(study: Path, agdb: Agdb, made: Whole) -> None:
    without(study, "DELETE FROM prediction WHERE computation_id = 'mask' AND chrom = 'chr2'")
    found = steps(agdb)
    both = made.in_peaks & (np.array(made.study.chrom) != "chr2")
    expected = rho(made, both, "slope", "mask") - rho(made, both, "slope", "tracks")
    assert (found["mask"]["n_compared"], found["tracks"]["n"]) == (both.sum(), made.in_peaks.sum())
    assert found["mask"]["difference"] == pytest.approx(expected, abs=1e-12)


def test_a_step_has_the_numbers_of_agdb_stats_on_the_same_rows(study: Path, agdb: Agdb) -> None:
    with db.writing(study) as con:
        labels.add(con, LabelSet("mine", condition="in_peak AND pip > 0.9", unit="variant"))
    words = ("--labels", "mine", "--scorer", "dnase-mask", "--resamples", "200", "--stratify", "kind")
    of_stats = {
        row["metric"]: row
        for row in json.loads(agdb("stats", *words, "--format", "json").stdout)
        if row["stratum"] == "all"
    }
    steps(agdb)
    told = agdb("sql", "FROM result WHERE stratum = 'fine-mapped' AND versus IS NULL", "--format", "json")
    for row in json.loads(told.stdout):
        for name in ("n", "n_variants", "n_genes", "n_clusters", "cluster", "estimate", "ci_low", "ci_high", "se", "p",
                     "analytic_low", "analytic_high", "design_effect", "detectable", "ceiling", "reason"):  # fmt: skip
            expected = of_stats[row["metric"]][name]
            same = pytest.approx(expected, rel=1e-9) if isinstance(expected, float) else expected
            assert row[name] == same, (row["metric"], name)


def test_the_error_of_a_change_is_that_of_redrawn_and_reranked_clusters(agdb: Agdb, made: Whole) -> None:
    found = steps(agdb, "--resamples", "2000")
    rng, place = np.random.default_rng(1), made.study.pos // 1_000_000 + 1000 * np.unique(
        made.study.chrom, return_inverse=True)[1]  # fmt: skip
    clusters = [np.flatnonzero(place == c) for c in np.unique(place)]
    for before, step in (("published", "slope"), ("slope", "peaks"), ("tracks", "mask")):
        (a, *of_a), (b, *of_b) = own_rows(made)[before], own_rows(made)[step]
        drawn = []
        for _ in range(400):
            rows = np.concatenate([clusters[i] for i in rng.integers(len(clusters), size=len(clusters))])
            drawn.append(_rho_of(made, rows[b[rows]], *of_b) - _rho_of(made, rows[a[rows]], *of_a))
        query = f"SELECT se FROM result WHERE result_id = {found[step]['difference_id']}"
        se = json.loads(agdb("sql", query, "--format", "json").stdout)[0]["se"]
        assert se == pytest.approx(np.std(drawn), rel=0.15), step


def _rho_of(made: Whole, rows: Any, label: str, role: str) -> float:
    effect = made.study.pval_nominal if label == "p" else made.study.effect
    return float(scipy_stats.spearmanr(effect[rows], made.scores[role][rows]).statistic)


def test_the_same_command_gives_the_same_numbers(agdb: Agdb) -> None:
    ids = ("run_id", "result_id", "difference_id")
    first, second = ([{k: v for k, v in row.items() if k not in ids} for row in steps(agdb).values()] for _ in "12")
    assert first == second


def test_another_seed_moves_intervals_and_no_estimate(agdb: Agdb) -> None:
    first, second = steps(agdb), steps(agdb, "--seed", "1")
    for step in STEPS:
        assert first[step]["spearman"] == second[step]["spearman"]
        assert first[step]["ci_low"] != second[step]["ci_low"]


def test_what_the_field_expects_stands_beside_the_steps_that_it_has_seen(agdb: Agdb) -> None:
    found = steps(agdb)
    assert found["published"]["expected"] is None
    assert found["mask"]["expected"].startswith("0 to 0.15")
    assert found["RNA_SEQ"]["expected"].startswith("0.4 to 0.5")


# What is not there is left out, and the next step goes on from the one before


@pytest.mark.parametrize(
    ("taken", "step", "reason"),
    [
        ("UPDATE qtl SET slope = NULL", "slope", "no slope is known of these pairs"),
        ("DELETE FROM source WHERE source_id = 3", "peaks", "no peaks of GRCh38 are there"),
        ("DELETE FROM peak WHERE source_id = 3", "peaks", "it would leave 0 rows"),
        ("DELETE FROM prediction WHERE computation_id = 'tracks'", "tracks", "differs from dnase-original at 2,048 bp"),
        ("DELETE FROM prediction WHERE computation_id = 'mask'", "mask", "no scorer has a centre mask of 501 bp"),
        ("DELETE FROM source WHERE source_id = 80", "fine-mapped", "no fine-mapping of Lung is there"),
        ("UPDATE credible SET pip = 0.5", "fine-mapped", "it would leave 0 rows"),
        ("DELETE FROM prediction WHERE computation_id = 'rna'", "RNA_SEQ", "agdb predict rna --gtex-tissue Lung"),
    ],
)
def test_a_step_without_its_data_is_left_out_with_the_reason(
    study: Path, agdb: Agdb, taken: str, step: str, reason: str
) -> None:
    without(study, taken)
    found = steps(agdb)
    assert (found[step]["n"], found[step]["spearman"], found[step]["difference"]) == (0, None, None)
    assert reason in found[step]["reason"]
    there = [name for name in STEPS if found[name]["spearman"] is not None]
    assert [found[name]["versus"] for name in there] == [None, *there[:-1]]
    told = agdb("explain", str(found[step]["result_id"])).stdout
    assert f"estimate: none: {found[step]['reason']}" in told
    assert "SELECT" not in told


def test_without_a_scorer_of_the_study_it_begins_with_the_nearest(study: Path, agdb: Agdb) -> None:
    without(study, "DELETE FROM prediction WHERE computation_id IN ('original', 'tracks')")
    found = steps(agdb)
    assert found["published"]["scorer"] == "dnase-mask"
    assert found["mask"]["reason"] == "it begins with dnase-mask at 16,384 bp (mask)"


def test_without_peaks_of_another_assembly_it_begins_with_all_rows(study: Path, agdb: Agdb, made: Whole) -> None:
    without(study, "DELETE FROM source WHERE source_id = 2", "DELETE FROM peak WHERE source_id = 2")
    assert steps(agdb)["published"]["n"] == len(made.study.effect)


def test_a_source_without_p_values_begins_with_the_slope(study: Path, agdb: Agdb) -> None:
    without(study, "UPDATE qtl SET pval_nominal = NULL")
    found = steps(agdb)
    assert found["published"]["label"] == "slope"
    assert found["slope"]["reason"] == "the source has no p-values: it begins with the slope"


def test_a_step_that_changes_no_row_says_so(study: Path, agdb: Agdb) -> None:
    without(study, "DELETE FROM qtl WHERE gene_id LIKE 'ENSG1___.3'")
    found = steps(agdb)
    assert found["variants"]["n"] == found["mask"]["n"]
    assert found["variants"]["reason"] == "its rows are those of the step before: it changes nothing"


# Everything can be named


def test_scorers_peaks_and_the_pip_can_be_named(agdb: Agdb, made: Whole) -> None:
    words = ("--original", "dnase-tracks@2048", "--mask", "mask", "--rna", "rna-lung", "--peaks", "3", "--pip", "0.95",
             "--source", "1", "--peaks-as-given", "2")  # fmt: skip
    found = steps(agdb, *words)
    assert found["published"]["scorer"] == "dnase-tracks"
    assert found["tracks"]["spearman"] is None
    fine = made.in_peaks & (made.pip > 0.95)
    assert found["fine-mapped"]["n"] == len(np.unique(made.study.variant[fine]))


def test_what_is_told_of_a_label_set_is_of_its_condition(study: Path, agdb: Agdb, made: Whole) -> None:
    with db.writing(study) as con:
        labels.add(con, LabelSet("rare", condition="analysed_qtl.maf < 0.2"))
        labels.add(con, LabelSet("broken", condition="gene_id::INTEGER > 3"))
    n = (made.study.maf < 0.2).sum()
    told = agdb("compare-study", "--resamples", "200", "--labels", "rare")
    assert f"label set rare: {n} scored rows, {n} with a p-value, {n} with a slope" in told.stderr
    broken = agdb("compare-study", "--labels", "broken")
    assert broken.exit_code == 2
    assert "an expression fails on a row of label set broken" in broken.stderr


def test_a_label_set_says_which_associations_enter(study: Path, agdb: Agdb, made: Whole) -> None:
    with db.writing(study) as con:
        labels.add(con, LabelSet("common", condition="maf >= 0.05", cluster="gene"))
    found = steps(agdb, "--labels", "common")
    own = made.as_given & (made.study.maf >= 0.05)
    assert (found["published"]["n"], found["published"]["cluster"]) == (own.sum(), "gene")
    assert found["published"]["n_clusters"] == len({made.study.gene[i] for i in np.flatnonzero(own)})


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--labels", "nobody"], 2, "there is no label set 'nobody'"),
        (["--labels", "lead"], 2, "label set lead is of slope, one row a variant"),
        (["--labels", "p-value"], 2, "label set p-value is of pval_nominal"),
        (["--source", "9"], 2, "source 9 has no scored association"),
        (["--original", "enformer"], 2, "no scorer of this source is called 'enformer'"),
        (["--peaks", "2"], 2, "source 2 is no peaks of GRCh38"),
        (["--peaks-as-given", "3"], 2, "source 3 is no peaks of another assembly than GRCh38"),
        (["--peaks", "77"], 2, "source 77 is no peaks of GRCh38"),
        (["--pip", "1"], 2, "a PIP of more than 1 is none"),
        (["--format", "xml"], 2, "unknown format 'xml'"),
    ],
)
def test_what_cannot_be_compared_is_one_error_with_a_cure(
    agdb: Agdb, words: list[str], code: int, message: str
) -> None:
    run = agdb("compare-study", *words)
    assert run.exit_code == code, run.output
    assert message in run.stderr
    assert "cure:" in run.stderr
    assert json.loads(agdb("sql", "SELECT count(*) AS n FROM result", "--format", "json").stdout) == [{"n": 0}]


def test_a_study_of_too_few_rows_is_refused(study: Path, agdb: Agdb) -> None:
    without(study, "DELETE FROM prediction WHERE pos > 200000 AND computation_id <> 'rna'",
            "DELETE FROM prediction WHERE computation_id = 'rna'")  # fmt: skip
    run = agdb("compare-study")
    assert run.exit_code == 1
    assert "the study cannot begin: it would leave" in run.stderr


def test_an_unscored_study_is_refused(fresh_db: Path) -> None:
    run = CliRunner().invoke(app, ["--db", str(fresh_db), "compare-study"])
    assert run.exit_code == 1
    assert "no association of this label set has a score yet" in run.stderr


# What is printed, and the way back


def test_the_table_has_a_line_a_step_and_a_verdict_a_change(agdb: Agdb) -> None:
    run = agdb("compare-study", "--resamples", "200")
    lines = run.stdout.splitlines()
    assert [line.split()[0] for line in lines[2:10]] == STEPS
    assert [line.split(":")[0] for line in lines[11:]] == [f"{b} against {a}" for a, b in pairwise(STEPS)]
    for told in ("labels: source 1 (file1, Lung), label set all: 360 scored rows, 360 with a p-value, 360 with a slope",
                 "original: dnase-original at 2,048 bp (original)", "tracks: dnase-tracks", "mask: dnase-mask",
                 "rna: rna-lung", "peaks as given: source 2 (file2, K562, GRCh37)",
                 "peaks: source 3 (file3, K562, GRCh38 from GRCh37)"):  # fmt: skip
        assert told in run.stderr


def test_the_figure_says_how_the_intervals_of_steps_and_of_changes_were_made(agdb: Agdb, study: Path) -> None:
    steps(agdb)
    with db.reading(study) as con:
        drawn = figures.draw(con, "study", figures.Choice())
    assert "Intervals: clusters resampled; of changes, their signs flipped (agdb" in note(drawn.figure)


def test_explain_gives_the_rows_of_a_step_and_of_a_change(agdb: Agdb, made: Whole) -> None:
    found = steps(agdb)
    for result, n in ((found["fine-mapped"]["result_id"], found["fine-mapped"]["n"]),
                      (found["mask"]["difference_id"], 2 * found["mask"]["n_compared"])):  # fmt: skip
        told = agdb("explain", str(result))
        assert told.exit_code == 0, told.output
        sql = told.stdout.partition("its rows, as SQL:\n")[2]
        assert len(json.loads(agdb("sql", sql, "--format", "json").stdout)) == n


def test_explain_finds_the_same_rows_after_more_has_been_ingested(study: Path, agdb: Agdb) -> None:
    without(study, "UPDATE credible SET pip = 0.5")
    found = steps(agdb)
    without(study, "UPDATE credible SET pip = 0.99")
    sql = agdb("explain", str(found["RNA_SEQ"]["result_id"])).stdout.partition("its rows, as SQL:\n")[2]
    assert len(json.loads(agdb("sql", sql, "--format", "json").stdout)) == found["RNA_SEQ"]["n"]


def test_explain_gives_the_scorer_of_a_step_after_a_better_one_has_come(study: Path, agdb: Agdb, made: Whole) -> None:
    kept = "prediction WHERE computation_id = 'original'"
    without(study, f"CREATE TABLE later AS FROM {kept}", f"DELETE FROM {kept}")
    found = steps(agdb)["published"]
    assert found["scorer"] == "dnase-mask"
    told = agdb("explain", str(found["result_id"])).stdout
    without(study, "INSERT INTO prediction FROM later")
    assert agdb("explain", str(found["result_id"])).stdout == told
    rows = json.loads(agdb("sql", told.partition("its rows, as SQL:\n")[2], "--format", "json").stdout)
    values = ([row[name] for row in rows] for name in ("effect", "score"))
    assert float(scipy_stats.spearmanr(*values).statistic) == pytest.approx(found["spearman"], abs=1e-9)
