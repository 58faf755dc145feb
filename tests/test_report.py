"""agdb report: verdicts in words, from stored intervals alone; what it refuses, and where it writes."""

import re
from pathlib import Path

import pytest
from reports import add_studied, cells, change, copied, in_words, markdown, page, stored
from typer.testing import CliRunner, Result

from agdb import db
from agdb.analysis import run
from agdb.cli import app
from agdb.cli.report import findings
from agdb.report import tables
from agdb.report.found import Asked, Group, found


@pytest.fixture(scope="module")
def studied(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with its results, that nobody writes to."""
    path = copied(template_db, tmp_path_factory.mktemp("report"))
    add_studied(path)
    return path


@pytest.fixture
def study(studied: Path, tmp_path: Path) -> Path:
    """A copy of it, to write to."""
    return copied(studied, tmp_path)


def set_main(path: Path, **values: object) -> None:
    """Give the correlations of all rows other stored values."""
    said = ", ".join(f"{name} = {value}" for name, value in values.items())
    change(path, f"UPDATE result SET {said} WHERE metric = 'spearman'")


def agdb(path: Path, *words: str) -> Result:
    """Run agdb report."""
    return CliRunner().invoke(app, ["--db", str(path), "report", *words])


def test_a_verdict_has_the_numbers_that_are_stored(studied: Path) -> None:
    wanted = stored(studied, "SELECT format('rho = {:+.3f}, 95 % CI {:+.3f} to {:+.3f} ({:,} pairs)', estimate, "
                             "ci_low, ci_high, n) FROM result WHERE metric = 'spearman' AND stratum = 'all' "
                             "AND versus IS NULL ORDER BY result_id")  # fmt: skip
    assert len(wanted) == 3
    for line, (told,) in zip(in_words(studied), wanted, strict=True):
        assert told in line


def test_nothing_is_computed_anew(study: Path) -> None:
    set_main(study, estimate=0.123, ci_low=0.101, ci_high=0.145)
    change(study, "DELETE FROM prediction", "DELETE FROM qtl")
    lines = in_words(study)
    assert len(lines) == 3
    for line in lines:
        assert "The larger the score, the larger the effect: rho = +0.123, 95 % CI +0.101 to +0.145" in line


@pytest.mark.parametrize(
    ("low", "high", "kind", "words"),
    [
        (0.01, 0.2, "agreement", "The larger the score, the larger the effect"),
        (-0.3, -0.1, "opposite", "The larger the score, the smaller the effect"),
        (-0.1, 0.2, "none detected", "No agreement was detected"),
        (0.0, 0.2, "none detected", "No agreement was detected"),
    ],
)
def test_the_interval_alone_decides_the_verdict(study: Path, low: float, high: float, kind: str, words: str) -> None:
    set_main(study, ci_low=low, ci_high=high, p=0.5, q=0.001)
    assert all(words in line for line in in_words(study))
    assert markdown(study).count(f"| {kind} |") == 3


def test_no_agreement_comes_with_what_would_have_been_missed(study: Path) -> None:
    set_main(study, ci_low=-0.1, ci_high=0.2, detectable=0.217)
    wanted = (
        "No correlation larger than 0.217, of either sign, would have been missed more often than in one such study"
    )
    assert all(wanted in line for line in in_words(study))


def test_it_never_says_that_there_is_no_correlation(study: Path) -> None:
    set_main(study, ci_low=-0.1, ci_high=0.2, q=1)
    told = markdown(study).lower()
    assert re.findall(r"no correlation(?! larger than)", told) == []
    assert re.findall(r"(?:un|in)correlated|no effect|not significant", told) == []


def test_a_verdict_that_many_tests_may_have_made_says_so(study: Path) -> None:
    set_main(study, ci_low=0.01, ci_high=0.2, q=0.34)
    assert all("chance alone may have made it: q = 0.34" in line for line in in_words(study))


def test_without_an_interval_there_is_no_verdict_but_the_reason(study: Path) -> None:
    set_main(study, ci_low="NULL", ci_high="NULL", reason="'too few clusters'")
    assert in_words(study) == []
    assert "there is no verdict" in markdown(study)
    assert "No verdict, for want of an interval: 3 (too few clusters)." in markdown(study)


def test_a_p_value_as_label_is_said_to_be_no_test_of_agreement(study: Path) -> None:
    set_main(study, ci_low=0.1, ci_high=0.2)
    change(study, "UPDATE result SET label = 'pval_nominal', label_set = 'p-value'")
    lines = in_words(study)
    assert len(lines) == 3
    for line in lines:
        assert "The larger the score, the larger the p-value" in line
        assert "no test of agreement" in line


def test_a_scorer_without_direction_is_judged_by_absolute_values(study: Path) -> None:
    change(study, "UPDATE scorer SET is_signed = false WHERE scorer_id = 'u'",
           "UPDATE result SET ci_low = 0.1, estimate = 0.15, ci_high = 0.2 WHERE metric = 'abs_spearman'")  # fmt: skip
    assert "The larger the |score|, the larger the |effect|: rho = +0.150" in in_words(study)[0]


@pytest.mark.parametrize(
    ("low", "estimate", "high", "words"),
    [
        (0.05, 0.1, 0.2, "this lies within"),
        (0.1, 0.2, 0.3, "this interval reaches it"),
        (0.3, 0.4, 0.5, "this interval lies outside: look for a bug first"),
        (-0.5, -0.4, -0.3, "this interval lies outside: look for a bug first"),
    ],
)
def test_what_the_field_has_found_stands_beside_it(
    study: Path, low: float, estimate: float, high: float, words: str
) -> None:
    set_main(study, ci_low=low, estimate=estimate, ci_high=high, expected="'0 to 0.15 (somebody)'")
    assert all(f"The field has found 0 to 0.15 (somebody); {words}" in line for line in in_words(study))


def test_in_peaks_and_outside_of_them_stand_in_the_verdict(study: Path) -> None:
    change(study, "UPDATE result SET estimate = 0.25, ci_low = 0.2, ci_high = 0.3 WHERE metric = 'spearman_difference' "
                  "AND stratification = 'peak'")  # fmt: skip
    (own,) = [line for line in in_words(study) if line.startswith("- scorer at 100 bp")]
    inside, outside = stored(study, "SELECT estimate FROM result WHERE metric = 'spearman' AND scorer_id = 's' AND "
                                    "stratification = 'peak' ORDER BY stratum")  # fmt: skip
    assert (f"in peak rho = {inside[0]:+.3f}, outside peaks {outside[0]:+.3f}; a difference: +0.250, 95 % CI +0.200 to "
            "+0.300") in own  # fmt: skip


def test_the_question_names_scorers_windows_and_tissues(studied: Path) -> None:
    assert ("Do the scores of noise (300 bp) and scorer (100 and 200 bp) agree with what was measured: the slopes of "
            "Lung?") in markdown(studied)  # fmt: skip


@pytest.mark.parametrize(
    ("of_scorer", "of_noise", "words"),
    [
        (
            (0.1, 0.2),
            (-0.2, 0.2),
            "Of 3 comparisons of a scorer with a label that have an interval, 2 show agreement and 1 shows none",
        ),
        ((0.1, 0.2), (-0.2, -0.1), "2 show agreement and 1 shows the opposite."),
        (
            (0.1, 0.2),
            (0.1, 0.2),
            "In all 3 comparisons of a scorer with a label that have an interval the score agrees",
        ),
        (
            (-0.1, 0.2),
            (-0.1, 0.2),
            "In none of 3 comparisons of a scorer with a label that have an interval was agreement",
        ),
    ],
)
def test_the_headline_counts_the_verdicts(
    study: Path, of_scorer: tuple[float, float], of_noise: tuple[float, float], words: str
) -> None:
    for name, (low, high) in (("scorer", of_scorer), ("noise", of_noise)):
        change(study, f"UPDATE result SET ci_low = {low}, ci_high = {high}, q = 0.01 WHERE scorer = '{name}'")
    assert words in markdown(study)


def test_what_chance_may_have_made_is_counted_and_marked_as_that(study: Path) -> None:
    set_main(study, ci_low=0.1, ci_high=0.2, q=0.3)
    told = markdown(study)
    assert "3 show agreement that chance alone may have made (q &gt; 0.05)." in told
    assert told.count("| agreement, perhaps by chance |") == 3
    change(study, "UPDATE result SET q = 0.01 WHERE metric = 'spearman' AND scorer = 'noise'",
           "UPDATE result SET ci_low = -0.2, ci_high = -0.1 WHERE metric = 'spearman' AND scorer_id = 't'")  # fmt: skip
    wanted = ("1 shows agreement, 1 shows agreement that chance alone may have made (q &gt; 0.05) and 1 shows the "
              "opposite, which chance alone may have made (q &gt; 0.05).")  # fmt: skip
    assert wanted in markdown(study)


def test_results_of_few_clusters_say_that_they_are_rough(study: Path) -> None:
    set_main(study, n_clusters=30)
    assert "rough" not in markdown(study)
    change(study, "UPDATE result SET n_clusters = 29 WHERE metric = 'spearman' AND scorer = 'noise'")
    assert "1 of them rests on fewer than 30 clusters: intervals and tests are rough." in markdown(study)
    assert "It rests on 29 clusters only: interval and test are rough." in in_words(study)[0]
    set_main(study, n_clusters=2)
    assert "All of them rest on fewer than 30 clusters" in markdown(study)


def test_label_sets_and_sources_of_a_tissue_are_told_apart(study: Path) -> None:
    """Else two bullets of one scorer and tissue would give two numbers for one thing."""
    set_main(study, detectable=0.3)
    for i, said in enumerate(("'lead' AS label_set", "7 AS source_id, 'file7' AS source"), 1):
        change(study, f"INSERT INTO result BY NAME SELECT * REPLACE (result_id + {i}0000 AS result_id, {said}, "
                      f"{0.3 - i / 10} AS detectable) FROM result WHERE scorer = 'noise' AND label_set = 'all' "
                      "AND source_id = 1 AND versus IS NULL")  # fmt: skip
    told = markdown(study)
    assert "agree with what was measured: the slopes of Lung?" in told
    assert "noise at 300 bp on slope of Lung (source 7), would have found a correlation of 0.100" in told
    heads = [line.partition(": ")[0] for line in in_words(study)]
    assert len(heads) == len(set(heads)) == 5
    assert "- noise at 300 bp on slope of Lung (source 1), label set lead (file1)" in heads
    shown = page(study)
    assert [c.one("h3").text.partition("noise")[2] for c in shown.one("ul", class_="verdicts").all("li")][-1] == (
        " at 300 bp on slope of Lung (source 7)"
    )
    assert {row["tissue"] for row in cells(shown.one("table", id="agreement"))} == {
        "Lung (source 1)",
        "Lung (source 7)",
    }


def test_the_headline_names_the_finest_of_them(study: Path) -> None:
    set_main(study, detectable=0.3)
    change(study, "UPDATE result SET detectable = 0.11 WHERE metric = 'spearman' AND scorer = 'noise'")
    assert "noise at 300 bp on slope of Lung, would have found a correlation of 0.110 in four such" in markdown(study)


def test_the_markdown_has_a_row_for_each_verdict(studied: Path) -> None:
    rows = [line for line in markdown(studied).splitlines() if line.startswith("| all |")]
    wanted = stored(studied, "SELECT '| ' || result_id || ' |' FROM result WHERE metric = 'spearman' AND "
                             "stratum = 'all' ORDER BY result_id")  # fmt: skip
    assert len(rows) == len(wanted)
    for row, (end,) in zip(rows, wanted, strict=True):
        assert row.endswith(end)


def test_the_condition_of_a_label_set_is_told_as_it_was_given() -> None:
    group = Group("cut", "slope", 1, "file1", "Lung", "Lung", "s", "scorer", 100, True)
    lost = "1,234 not abs(slope) > 0.0005 AND pos > 1000000"
    table = tables.counted([(group, [{"stage": "analysed: label set cut", "n": 4, "in_peak": 1, "lost": lost}])])
    assert table is not None
    (row,) = table.rows
    assert f"analysed: {lost}" in [cell.text for cell in row]


def test_data_that_came_after_the_results_are_a_failure(study: Path) -> None:
    change(study, "INSERT INTO run BY NAME SELECT 2 AS run_id, 'ingest credible' AS command, '{}' AS arguments, "
                  "agdb_version, duckdb_version, started_at, 'done' AS status, 5 AS n_rows FROM run")  # fmt: skip
    assert "❌ run 2: ingest credible" in markdown(study)


def test_results_are_not_older_than_runs_that_changed_nothing(study: Path) -> None:
    change(study, "INSERT INTO run BY NAME SELECT 2 AS run_id, 'ingest credible' AS command, '{}' AS arguments, "
                  "agdb_version, duckdb_version, started_at, 'done' AS status, 0 AS n_rows FROM run")  # fmt: skip
    assert "run 2: ingest credible" not in markdown(study)


def predicted(study: Path, finished: str, status: str = "done") -> str:
    """The report, where a prediction whose number is smaller than that of the results ended at a time."""
    change(study, "INSERT INTO run BY NAME SELECT 0 AS run_id, 'predict' AS command, '{}' AS arguments, agdb_version, "
                  "duckdb_version, started_at - INTERVAL 1 HOUR AS started_at, 5 AS n_rows, "
                  f"{finished} AS finished_at, '{status}' AS status FROM run")  # fmt: skip
    return markdown(study)


def test_scores_that_a_prediction_brought_after_the_results_were_made_are_a_failure(study: Path) -> None:
    """It has its number since its first scores came."""
    assert "❌ run 0: predict" in predicted(study, "started_at + INTERVAL 1 MINUTE")


def test_scores_that_were_there_before_are_no_failure(study: Path) -> None:
    assert "run 0: predict" not in predicted(study, "started_at - INTERVAL 1 MINUTE")


def test_a_prediction_that_has_not_ended_is_a_warning_until_a_later_one_has(study: Path) -> None:
    assert "⚠️ run 0: predict" in predicted(study, "NULL::TIMESTAMP", "running")
    change(study, "INSERT INTO run BY NAME SELECT 2 AS run_id, command, '{}' AS arguments, agdb_version, "
                  "duckdb_version, started_at, started_at AS finished_at, 'done' AS status, 0 AS n_rows FROM run "
                  "WHERE run_id = 0")  # fmt: skip
    assert "run 0: predict" not in markdown(study)


def test_a_check_that_fails_is_told(study: Path) -> None:
    change(study, "INSERT INTO variant BY NAME SELECT assembly, chrom, pos, ref, alt, ref_status FROM variant LIMIT 1")
    assert re.search("❌ .*check: one row per variant", markdown(study))


def test_of_each_question_the_newest_answer_is_told(study: Path) -> None:
    run.stats(study, run.Asked(label_sets=("all",), resamples=300, seed=9, stratify=()))
    newest = stored(study, "SELECT estimate, ci_low FROM result WHERE run_id = 2 AND metric = 'spearman'")
    for line, (estimate, low) in zip(in_words(study), newest, strict=True):
        assert f"rho = {estimate:+.3f}, 95 % CI {low:+.3f}" in line


def test_only_what_is_asked_for_is_told(studied: Path) -> None:
    assert markdown(studied, "--scorer", "noise").count("| all |") == 1
    assert markdown(studied, "--source", "1", "--labels", "all").count("| all |") == 3


def test_comparisons_with_a_scorer_are_told_on_whichever_side_it_stands(studied: Path) -> None:
    with db.reading(studied) as con:
        told = {name: found(con, Asked(scorer=name)) for name in ("noise", "scorer")}
        every = found(con, Asked())
    ids = {name: [row["result_id"] for row in of.comparisons] for name, of in told.items()}
    assert len(ids["noise"]) == 2, "with either window of the other scorer"
    assert ids["scorer"] == [row["result_id"] for row in every.comparisons]
    assert {g.scorer for g in told["noise"].groups} == {"noise"}
    assert sorted(told["noise"].scorer_ids) == ["s", "t", "u"]


def test_without_results_it_is_refused_with_the_cure(fresh_db: Path) -> None:
    refused = agdb(fresh_db, "-o", str(fresh_db.parent / "report.html"))
    assert refused.exit_code == 1
    assert "there are no results to report" in refused.stderr
    assert "agdb stats" in refused.stderr
    assert [p.name for p in fresh_db.parent.iterdir()] == ["study.duckdb"]


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--labels", "lead"], 2, "no result is of these labels, sources or scorers"),
        (["--format", "pdf"], 2, "unknown format 'pdf'"),
        (["-o", "report.docx"], 2, "unknown format 'docx'"),
        (["--no-figures", "-o", "no/such/folder/report.html"], 1, "cannot write: No such file or directory"),
    ],
)
def test_what_cannot_be_done_is_one_error_with_a_cure(studied: Path, words: list[str], code: int, message: str) -> None:
    refused = agdb(studied, *words)
    assert refused.exit_code == code
    assert message in refused.stderr
    assert "cure:" in refused.stderr
    assert refused.stdout == ""


def test_the_ending_says_the_format(studied: Path, tmp_path: Path) -> None:
    written = agdb(studied, "-o", str(tmp_path / "report.md"))
    assert written.exit_code == 0
    assert "report.md: 3 verdicts" in written.stderr
    assert (tmp_path / "report.md").read_text().startswith("## Does the score agree")
    assert [p.name for p in tmp_path.iterdir()] == ["report.md"]


def test_it_counts_its_findings() -> None:
    assert findings(["failed"]) == "1 finding of the checks stands at its top, 1 of them failed"
    assert findings(["failed", "warning"]) == "2 findings of the checks stand at its top, 1 of them failed"


def test_it_needs_no_writing_access(studied: Path) -> None:
    with db.reading(studied):
        assert "## Does the score agree" in markdown(studied)
