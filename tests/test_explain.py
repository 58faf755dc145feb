"""From a number back to its rows and files: the SQL that is printed is run, and gives the rows of the result."""

import re
from dataclasses import replace
from pathlib import Path

import duckdb
import numpy as np
import pytest
from rows import add_result, add_source
from scipy import stats
from studies import add_fine_mapping, add_study, drawn, score

from agdb import db
from agdb.analysis import run
from agdb.analysis.explain import explain
from agdb.analysis.paired import Versus
from agdb.errors import UsageError


@pytest.fixture(scope="module")
def con(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> duckdb.DuckDBPyConnection:
    """A study of two windows and an unsigned scorer, with results of every kind; nobody writes to it."""
    path = tmp_path_factory.mktemp("explain") / "study.duckdb"
    path.write_bytes(template_db.read_bytes())
    with db.writing(path) as con:
        study = drawn(300)
        add_study(con, study)
        other = study.score + np.random.default_rng(1).standard_normal(300)[study.variant]
        score(con, study, "t", other, window_bp=200, only=range(20, 290))
        score(con, study, "w", -other, window_bp=300)
        score(con, study, "u", np.abs(other), name="magnitude", is_signed=False)
        add_fine_mapping(con, study, np.random.default_rng(4).choice([0.05, 0.95], len(study.effect)))
        con.execute("UPDATE qtl SET maf = NULL WHERE pos % 280000 = 0")
    sets = ("all", "lead", "fine-mapped")
    run.stats(
        path, run.Asked(sets, resamples=200, stratify=("kind", "effect_size", "quoted=if(maf > 0.1, 'it''s', 'not')"))
    )
    return duckdb.connect(str(path), read_only=True)


def sql_of(con: duckdb.DuckDBPyConnection, result_id: int) -> str:
    """What stands after the words "its rows, as SQL"."""
    text = "\n".join(explain(con, result_id))
    return text.partition("its rows, as SQL:\n")[2].rstrip(";")


def of(con: duckdb.DuckDBPyConnection, where: str) -> list[tuple[int, int, float]]:
    """result_id, n and estimate of results."""
    found = con.execute(f"SELECT result_id, n, estimate FROM result WHERE {where} ORDER BY result_id").fetchall()
    assert found
    return found


def spearman(x: object, y: object) -> float:
    return float(stats.spearmanr(x, y).statistic)


def test_the_sql_of_a_signed_correlation_gives_its_rows_and_no_others(con: duckdb.DuckDBPyConnection) -> None:
    """Of all rows and of strata, named and the user's, of pairs and of variants."""
    for result_id, n, estimate in of(con, "metric = 'spearman' AND estimate IS NOT NULL AND window_bp = 200"):
        rows = con.execute(sql_of(con, result_id)).fetchnumpy()
        assert len(rows["effect"]) == n
        assert spearman(rows["effect"], rows["score_0"]) == pytest.approx(estimate, abs=1e-12)


def test_the_sql_of_a_score_without_direction_gives_its_rows(con: duckdb.DuckDBPyConnection) -> None:
    for result_id, n, estimate in of(con, "metric = 'abs_spearman' AND scorer = 'magnitude' AND label_set = 'all'"):
        rows = con.execute(sql_of(con, result_id)).fetchnumpy()
        assert len(rows["effect"]) == n
        assert spearman(np.abs(rows["effect"]), np.abs(rows["score_0"])) == pytest.approx(estimate, abs=1e-12)


def test_the_sql_of_a_paired_difference_gives_the_rows_that_all_its_scorers_scored(
    con: duckdb.DuckDBPyConnection,
) -> None:
    for result_id, n, estimate in of(con, "metric = 'spearman_difference' AND stratification = 'all'"):
        rows = con.execute(sql_of(con, result_id)).fetchnumpy()
        rho = {name: spearman(rows["effect"], rows[f"score_{i}"]) for i, name in enumerate("stw")}  # by their windows
        query = "SELECT scorer_id, versus FROM result WHERE result_id = ?"
        ((first, versus),) = con.execute(query, [result_id]).fetchall()
        assert len(rows["effect"]) == n
        assert rho[first] - rho[Versus.parse(versus).scorer_id] == pytest.approx(estimate, abs=1e-12)


def test_the_sql_of_a_difference_of_strata_gives_the_rows_of_both(con: duckdb.DuckDBPyConnection) -> None:
    query = "metric LIKE '%spearman_difference' AND stratification <> 'all' AND window_bp = 200"
    for result_id, n, _ in of(con, query):
        rows = con.execute(sql_of(con, result_id)).fetchall()
        assert len(rows) == n


def test_the_sql_of_a_joint_test_gives_the_rows_of_all_strata(con: duckdb.DuckDBPyConnection) -> None:
    for result_id, n, _ in of(con, "metric = 'heterogeneity' AND window_bp = 200"):
        assert len(con.execute(sql_of(con, result_id)).fetchall()) == n


def test_the_sql_of_a_partial_correlation_gives_the_rows_whose_covariates_are_known(
    con: duckdb.DuckDBPyConnection,
) -> None:
    for result_id, n, _ in of(con, "metric LIKE 'partial%'"):
        assert len(con.execute(sql_of(con, result_id)).fetchall()) == n


def test_it_names_the_sources_with_their_sums_the_run_and_the_versions(con: duckdb.DuckDBPyConnection) -> None:
    told = "\n".join(explain(con, of(con, "metric = 'spearman' AND estimate IS NOT NULL")[0][0]))
    assert "qtl: file1, source 1, GRCh38" in told
    assert "sha256 sha" in told
    assert "credible: file80" in told
    assert f"DuckDB {duckdb.__version__}" in told
    assert re.search(r"tables as of migration \d+ \(.+, sha256 [0-9a-f]{12}\)", told)
    assert "200, seed 0" in told


def test_it_tells_estimate_interval_and_method(con: duckdb.DuckDBPyConnection) -> None:
    result_id, n, estimate = of(con, "metric = 'spearman' AND estimate IS NOT NULL")[0]
    told = "\n".join(explain(con, result_id))
    low, high = con.execute("SELECT ci_low, ci_high FROM result WHERE result_id = ?", [result_id]).fetchall()[0]
    assert f"estimate: {estimate}" in told
    assert f"95 % interval: {low:.6g} to {high:.6g}" in told
    assert f"rows: {n:,} pairs of 300 variants" in told


def test_a_result_without_a_number_is_explained_by_its_reason(con: duckdb.DuckDBPyConnection) -> None:
    (found, *_) = con.execute("SELECT result_id, reason FROM result WHERE estimate IS NULL LIMIT 1").fetchall()
    assert found[1] in "\n".join(explain(con, found[0]))


def test_an_unknown_result_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UsageError, match="there is no result 0"):
        list(explain(con, 0))


def test_it_says_so_where_the_rows_are_gone(fresh_db: Path) -> None:
    with db.writing(fresh_db) as writing:
        add_study(writing, replace(drawn(40, two_genes=0)))
    run.stats(fresh_db, run.Asked(label_sets=("all",), resamples=200, stratify=()))
    with db.writing(fresh_db) as writing:
        writing.execute("DELETE FROM prediction")
        assert "its rows are not there any more" in list(explain(writing, 1))


def come_later(con: duckdb.DuckDBPyConnection, run_id: int, command: str, seconds: int) -> None:
    """A run that ended so many seconds after that of the results began."""
    con.execute(
        "INSERT INTO run BY NAME SELECT $run AS run_id, $command AS command, '{}' AS arguments, agdb_version, "
        "duckdb_version, started_at + $s * INTERVAL 1 SECOND AS started_at, 'done' AS status, 5 AS n_rows, "
        "started_at + $s * INTERVAL 1 SECOND AS finished_at FROM run WHERE run_id = 5",
        {"run": run_id, "command": command, "s": seconds},
    )


def test_what_came_after_the_result_is_not_behind_it(fresh_db: Path) -> None:
    """By the number of its run, or by its time: an ingest may have ended while results were computed."""
    with db.writing(fresh_db) as writing:
        study = drawn(40, two_genes=0)
        add_study(writing, study)
        add_result(writing, 5, n=40)
        columns = "run_id, command, arguments, agdb_version, duckdb_version, started_at, status"
        writing.execute(f"INSERT INTO run ({columns}) VALUES (5, 'stats', '{{}}', '1', '1', now()::TIMESTAMP, 'done')")
        for source, run_id, seconds in ((20, 2, -60), (21, 3, 60), (22, 6, 90)):
            come_later(writing, run_id, "ingest narrowPeak", seconds)
            add_source(writing, source, "peaks", effect=None, tissue=None)
            writing.execute("UPDATE source SET run_id = ? WHERE source_id = ?", [run_id, source])
        come_later(writing, 1, "ingest gtex", -90)
        come_later(writing, 7, "predict", 120)
        writing.execute("UPDATE scored_variant SET run_id = 7 WHERE pos % 3 = 0")
        told = list(explain(writing, 1))
    assert [line.split(",")[0] for line in told if line.startswith("  peaks: ")] == ["  peaks: file20"]
    assert [re.findall(r"run (.+):", line) for line in told if line.startswith("  scores: ")] == [["1"]]


def test_it_says_so_where_the_sql_gives_other_rows_now(fresh_db: Path) -> None:
    with db.writing(fresh_db) as writing:
        add_study(writing, replace(drawn(40, two_genes=0)))
    run.stats(fresh_db, run.Asked(label_sets=("all",), resamples=200, stratify=("kind",), shifts=0))
    with db.writing(fresh_db) as writing:
        ids = [i for (i,) in writing.execute("SELECT result_id FROM result").fetchall()]
        assert not [line for i in ids for line in explain(writing, i) if "come or gone" in line]
        writing.execute("DELETE FROM prediction WHERE pos = (SELECT min(pos) FROM prediction)")
        n = len(writing.execute(sql_of(writing, 1)).fetchall())
        assert f"data have come or gone since: the SQL below gives {n} rows, the result had 40" in list(
            explain(writing, 1)
        )
