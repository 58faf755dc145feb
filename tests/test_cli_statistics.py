"""agdb stats, labels and explain: what they print, in every format, and what they refuse; run as a user runs them."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import Ask
from studies import add_fine_mapping, add_study, drawn, rho, score
from typer.testing import CliRunner, Result

from agdb import db
from agdb.analysis.run import Asked
from agdb.cli import app
from agdb.cli.statistics import asked

Agdb = Callable[..., Result]


@pytest.fixture(scope="module")
def made(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with two windows, and no results."""
    path = tmp_path_factory.mktemp("cli") / "study.duckdb"
    path.write_bytes(template_db.read_bytes())
    with db.writing(path) as con:
        study = drawn()
        add_study(con, study)
        score(con, study, "t", -study.score, window_bp=200)
    return path


@pytest.fixture
def study(made: Path, tmp_path: Path) -> Path:
    """A copy of it, to write to."""
    path = tmp_path / "study.duckdb"
    path.write_bytes(made.read_bytes())
    return path


@pytest.fixture
def agdb(study: Path) -> Agdb:
    """Run a command on `study`."""
    return lambda *words: CliRunner().invoke(app, ["--db", str(study), *words])


@pytest.fixture
def stored(study: Path) -> Ask:
    """Ask `study` in SQL, after the commands."""

    def ask(query: str) -> list[tuple[object, ...]]:
        with db.reading(study) as con:
            return con.execute(query).fetchall()

    return ask


STATS = ("stats", "--labels", "all", "--resamples", "200", "--stratify", "kind")


def test_of_what_may_be_repeated_and_is_not_given_nothing_is_asked_for() -> None:
    of = asked(label_sets=["all"], stratify=["kind", "peak"], match=[], seed=3)
    assert of == Asked(("all",), stratify=("kind", "peak"), seed=3)


def test_the_table_has_a_line_a_number_and_tells_it_as_it_is_stored(agdb: Agdb, stored: Ask) -> None:
    run = agdb(*STATS)
    assert run.exit_code == 0, run.output
    n = stored("SELECT count(*) FROM result WHERE versus IS NULL AND estimate IS NOT NULL")[0][0]
    estimate, low, high = stored("SELECT estimate, ci_low, ci_high FROM result WHERE result_id = 1")[0]
    header, _, *lines = run.stdout.splitlines()
    assert header.split()[:4] == ["labels", "tissue", "scorer", "window_bp"]
    assert len([line for line in lines if line.startswith("all  ")]) == n
    assert f"{estimate:+.4f}" in lines[0]
    assert f"{low:+.3f} to {high:+.3f}" in lines[0]
    assert estimate == pytest.approx(rho(drawn()))


def test_what_is_not_defined_is_told_once_a_reason_for_all_scorers(agdb: Agdb) -> None:
    told = [line for line in agdb(*STATS).stdout.splitlines() if line.startswith("not defined: ")]
    assert told[-2:] == [
        "not defined: causal_auroc, causal_auprc, causal_pairwise, causal_auroc_tss_distance, causal_auroc_gain, "
        "causal_matched: no fine-mapping of Lung was ingested: agdb ingest credible (all, Lung; scorer 100 bp, "
        "scorer 200 bp)",
        "not defined: overlap_enrichment: no peaks of the assembly of these associations were ingested (all, Lung; "
        "scorer 100 bp, scorer 200 bp)",
    ]


def test_of_two_sources_of_a_tissue_every_line_says_which(agdb: Agdb, study: Path) -> None:
    with db.writing(study) as con:
        add_study(con, drawn(), 2, scorer=None)
    lines = agdb(*STATS).stdout.splitlines()
    told = [line for line in lines if line.startswith(("all  ", "all, ", "not defined: "))]
    assert all(("Lung (source 1)" in line) != ("Lung (source 2)" in line) for line in told)
    for line in (line for line in told if line.startswith("not defined: causal_auroc")):
        assert line.count("causal_auprc") == 1


def test_controls_that_are_not_like_the_causal_variants_are_warned_of(agdb: Agdb, study: Path) -> None:
    with db.writing(study) as con:
        made = drawn()
        add_fine_mapping(con, made, np.where(np.arange(240) % 3 == 0, 0.99, 0.001))
        con.execute("UPDATE qtl SET tss_distance = 1000, maf = 0.1 + 0.05 * (pos // 40000 % 5)")
        con.execute("UPDATE qtl SET maf = maf + 0.01 FROM credible AS c WHERE c.pip > 0.9 AND c.chrom = qtl.chrom "
                    "AND c.pos = qtl.pos AND c.alt = qtl.alt AND c.gene_id = qtl.gene_id")  # fmt: skip
    run = agdb(*STATS, "--shifts", "0")
    assert "warning: all, Lung, scorer 100 bp: causal variants and controls differ in maf by +0." in run.stderr


def test_controls_a_causal_variant_and_covariates_come_by_options(agdb: Agdb, stored: Ask, study: Path) -> None:
    with db.writing(study) as con:
        made = drawn()
        add_fine_mapping(con, made, np.where(np.arange(240) % 10 == 0, 0.99, 0.001))
    agdb(*STATS, "--controls", "3", "--match", "ld=slope_se", "--shifts", "0")
    assert stored("SELECT count(*) FROM result WHERE method LIKE '%up to 3 controls matched on tss_distance, maf, ld' "
                  "AND metric = 'causal_auroc'") == [(2,)]  # fmt: skip
    assert stored("SELECT count(*) FROM result WHERE metric = 'overlap_enrichment'") == [(0,)]


def test_differences_are_told_as_verdicts(agdb: Agdb) -> None:
    told = [line for line in agdb(*STATS).stdout.splitlines() if line.startswith("all, Lung: ")]
    assert told[-1].startswith("all, Lung: scorer 100 bp against scorer 200 bp: a difference: +")
    assert told[-1].endswith("(n = 240)")
    assert any(line.startswith("all, Lung: kind: SNV against insertion: ") for line in told)


def test_talk_is_on_stderr(agdb: Agdb, stored: Ask) -> None:
    run = agdb(*STATS)
    n = stored("SELECT count(*) FROM result")[0][0]
    assert f"{n} results stored in table result (run 1, from result 1)" in run.stderr
    assert "stored" not in run.stdout


def test_csv_and_json_are_the_rows_of_the_table_result(agdb: Agdb, stored: Ask) -> None:
    as_csv = list(csv.DictReader(io.StringIO(agdb(*STATS, "--format", "csv").stdout)))
    as_json = json.loads(agdb(*STATS, "--format", "json").stdout)
    columns = [name for (name,) in stored("SELECT column_name FROM duckdb_columns() WHERE table_name = 'result' "
                                          "ORDER BY column_index")]  # fmt: skip
    assert list(as_csv[0]) == list(as_json[0]) == columns
    of_csv, of_json = ([(r["metric"], r["stratum"], float(r["estimate"])) for r in rows if r["estimate"]]
                       for rows in (as_csv, as_json))  # fmt: skip
    assert of_csv == of_json
    assert len(as_json) == stored("SELECT count(*) FROM result WHERE run_id = 2")[0][0]


def test_strata_are_stored_anyhow_and_printed_when_asked_for(agdb: Agdb, stored: Ask) -> None:
    shown = agdb("stats", "--labels", "all", "--resamples", "200")
    assert "kind: SNV" not in shown.stdout
    assert stored("SELECT count(*) > 0 FROM result WHERE stratification = 'kind'") == [(True,)]
    shown = agdb("stats", "--labels", "all", "--resamples", "200", "--all")
    assert "kind: SNV" in shown.stdout


def test_only_the_scorer_and_window_that_were_asked_for_are_measured(agdb: Agdb, stored: Ask) -> None:
    agdb(*STATS, "--scorer", "scorer", "--window", "200")
    assert stored("SELECT DISTINCT window_bp FROM result") == [(200,)]


def test_kendall_and_permutations_come_by_options(agdb: Agdb, stored: Ask) -> None:
    agdb(*STATS, "--kendall", "--permutations", "50", "--seed", "7")
    assert stored("SELECT DISTINCT metric FROM result WHERE metric IN ('kendall', 'permutation_spearman') "
                  "ORDER BY 1") == [("kendall",), ("permutation_spearman",)]  # fmt: skip
    assert stored("SELECT DISTINCT seed FROM result") == [(7,)]


def test_the_same_command_prints_the_same_csv_but_for_its_numbers(agdb: Agdb) -> None:
    first, second = (list(csv.DictReader(io.StringIO(agdb(*STATS, "--format", "csv").stdout))) for _ in range(2))
    for row in (*first, *second):
        del row["result_id"], row["run_id"]
    assert first == second


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["stats", "--labels", "leads"], 2, "there is no label set 'leads'"),
        (["stats", "--scorer", "enformer"], 1, "no association has a score of this scorer and window"),
        (["stats", "--window", "7"], 1, "no association has a score of this scorer and window"),
        (["stats", "--labels", "p-value"], 1, "label set p-value has no association with a score"),
        (["stats", "--stratify", "colour"], 2, "unknown stratification 'colour'"),
        (["stats", "--stratify", "x=maf >"], 2, "stratification x is not SQL"),
        (["stats", "--stratify", "study=kind"], 2, "'study' cannot name a stratification"),
        (["stats", "--stratify", "x=1); DROP TABLE qtl; SELECT (1"], 2, "stratification x is not SQL"),
        (["stats", "--stratify", "x=gene_id::INTEGER"], 2, "an expression fails on a row"),
        (["stats", "--format", "xml"], 2, "unknown format 'xml'"),
        (["stats", "--match", "ld"], 2, "covariate ld is not SQL"),
        (["labels", "--where", "maf > 0.05"], 2, "these options make a label set"),
        (["labels", "--remove", "lead", "--unit", "pair", "--pool"], 2, "--remove takes a name and nothing else"),
        (["labels", "--remove", "lead"], 2, "label set lead is one of agdb's own"),
        (["labels", "--add", "all"], 2, "there is a label set 'all' already"),
        (["labels", "--add", "x", "--unit", "gene"], 2, "unknown unit 'gene'"),
        (["labels", "--add", "x", "--source", "9"], 1, "source 9 is no source of effects"),
        (["labels", "--add", "x", "--where", "true; DROP TABLE qtl"], 2, "is not SQL"),
        (["explain", "9"], 2, "there is no result 9"),
    ],
)
def test_what_cannot_be_done_is_one_error_with_a_cure_and_nothing_is_stored(
    agdb: Agdb, stored: Ask, words: list[str], code: int, message: str
) -> None:
    run = agdb(*words)
    assert run.exit_code == code, run.output
    assert run.stderr.count("error: ") == 1
    assert message in run.stderr
    assert "cure:" in run.stderr
    assert "Traceback" not in run.output
    assert run.stdout == ""
    assert stored("SELECT (SELECT count(*) FROM result), (SELECT count(*) FROM label_set), (SELECT count(*) FROM qtl)"
                  ) == [(0, 7, 240)]  # fmt: skip


@pytest.mark.parametrize("words", [["--seed", "-1"], ["--seed", str(2**31)], ["--resamples", "20"]])
def test_numbers_that_cannot_be_are_refused_by_their_option(agdb: Agdb, words: list[str]) -> None:
    run = agdb("stats", *words)
    assert run.exit_code == 2
    assert words[0] in run.stderr


def test_labels_lists_the_label_sets_in_the_order_in_which_they_were_made(agdb: Agdb) -> None:
    _, _, *lines = agdb("labels").stdout.splitlines()
    assert [line.split()[0] for line in lines[:7]] == [
        "all", "lead", "fine-mapped", "egenes", "no-mhc", "conditional", "p-value"]  # fmt: skip


def test_a_label_set_that_is_added_is_listed_and_can_be_asked_for(agdb: Agdb, stored: Ask) -> None:
    words = ["--where", "maf >= 0.05", "--unit", "variant", "--cluster", "gene", "--source", "1", "--about", "common"]
    added = agdb("labels", "--add", "common", *words)
    assert (added.exit_code, added.stdout) == (0, "")
    assert "agdb stats --labels common" in added.stderr
    assert "maf >= 0.05" in agdb("labels").stdout
    assert agdb("stats", "--labels", "common", "--resamples", "200", "--stratify", "kind").exit_code == 0
    assert stored("SELECT DISTINCT label_set, unit, cluster FROM result") == [("common", "variant", "gene")]


def test_a_label_set_that_is_removed_is_listed_no_more(agdb: Agdb) -> None:
    agdb("labels", "--add", "common", "--where", "maf >= 0.05")
    removed = agdb("labels", "--remove", "common")
    assert (removed.exit_code, removed.stdout) == (0, "")
    assert "label set common is removed" in removed.stderr
    assert "common" not in agdb("labels").stdout


def test_explain_prints_sql_that_gives_the_rows_of_the_result(agdb: Agdb, stored: Ask) -> None:
    agdb(*STATS)
    result_id, n = stored("SELECT result_id, n FROM result WHERE metric = 'spearman' AND stratum = 'SNV'")[0]
    told = agdb("explain", str(result_id))
    assert told.exit_code == 0
    sql = told.stdout.partition("its rows, as SQL:\n")[2]
    assert len(json.loads(agdb("sql", sql, "--format", "json").stdout)) == n


def test_in_an_empty_database_there_is_nothing_to_measure(fresh_db: Path) -> None:
    run = CliRunner().invoke(app, ["--db", str(fresh_db), "stats"])
    assert run.exit_code == 1
    assert "no association has a score yet" in run.stderr
