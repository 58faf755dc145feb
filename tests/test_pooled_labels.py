"""Pooled label sets: several sources as one, rows that are told apart by tissue, and a variant in one cluster only."""

import json
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pytest
from rows import add_source
from scipy import stats
from studies import Study, add_study, drawn, of_rows, one, results, rho, score, with_effect
from typer.testing import CliRunner

from agdb.analysis import labels, run
from agdb.analysis.groups import Group, OneScorer
from agdb.analysis.labels import LabelSet
from agdb.cli import app
from agdb.errors import Refused, UsageError

Connection = duckdb.DuckDBPyConnection


def tissues(con: Connection, **pool: Any) -> tuple[Study, Study]:
    """A study in two tissues, the second without a quarter of the associations; and a label set that pools them."""
    lung = drawn()
    liver = of_rows(with_effect(lung, np.roll(lung.effect, 7) + 0.5 * lung.effect), np.arange(240) % 4 > 0)
    add_study(con, lung)
    add_study(con, liver, 2, tissue="Liver", scorer=None)
    labels.add(con, LabelSet("pool", **{"is_pooled": True, **pool}))
    return lung, liver


def both(a: Study, b: Study) -> tuple[Any, Any]:
    return np.r_[a.effect, b.effect], np.r_[a.score, b.score]


def test_the_rows_of_all_sources_are_analysed_together(con: Connection) -> None:
    lung, liver = tissues(con)
    found = one(results(con, label_sets=("pool",)))
    assert (found["n"], found["n_variants"]) == (240 + 180, 200)
    assert found["estimate"] == pytest.approx(float(stats.spearmanr(*both(lung, liver)).statistic), abs=1e-12)


def test_the_result_names_the_tissues_and_the_sources(con: Connection) -> None:
    tissues(con)
    found = one(results(con, label_sets=("pool",)))
    assert (found["source_id"], found["source"], found["tissue"]) == (1, "file1, file2", "Lung, Liver")


def test_many_tissues_are_counted(con: Connection) -> None:
    study = drawn()
    for i in range(1, 6):
        add_study(con, study, i, tissue=f"T{i}", scorer="s" if i == 1 else None)
    labels.add(con, LabelSet("pool", is_pooled=True))
    assert one(results(con, label_sets=("pool",)))["tissue"] == "5 tissues"


def test_a_variant_that_many_tissues_have_is_no_more_evidence_than_one(con: Connection) -> None:
    """The same associations in five tissues: as many rows as five times, and the interval of one."""
    study = drawn()
    for i in range(1, 6):
        add_study(con, study, i, tissue=f"T{i}", scorer="s" if i == 1 else None)
    labels.add(con, LabelSet("pool", is_pooled=True))
    labels.add(con, LabelSet("first", source_ids=(1,)))
    rows = results(con, label_sets=("pool", "first"))
    pool, first = one(rows, label_set="pool"), one(rows, label_set="first")
    assert (pool["n"], pool["n_clusters"]) == (5 * first["n"], first["n_clusters"])
    assert pool["estimate"] == pytest.approx(first["estimate"], abs=1e-12)
    assert pool["se"] == pytest.approx(first["se"], rel=1e-6)
    assert pool["design_effect"] == pytest.approx(5 * first["design_effect"], rel=0.1)


def test_one_row_a_variant_is_its_best_association_in_any_tissue(con: Connection) -> None:
    lung, liver = tissues(con, unit="variant")
    effect, scores = both(lung, liver)
    variant, p = np.r_[lung.variant, liver.variant], np.r_[lung.pval_nominal, liver.pval_nominal]
    lead = [min(np.flatnonzero(variant == v), key=lambda i: (p[i], -abs(effect[i]))) for v in range(200)]
    found = one(results(con, label_sets=("pool",)))
    assert found["n"] == 200
    assert found["estimate"] == pytest.approx(float(stats.spearmanr(effect[lead], scores[lead]).statistic), abs=1e-12)


def test_of_two_files_of_a_tissue_a_pair_counts_once(con: Connection) -> None:
    lung, liver = tissues(con)
    add_study(con, lung, 3, scorer=None)
    found = one(results(con, label_sets=("pool",)))
    assert found["n"] == 420
    assert found["estimate"] == pytest.approx(float(stats.spearmanr(*both(lung, liver)).statistic), abs=1e-12)


def test_a_pool_may_name_its_sources_and_its_condition(con: Connection) -> None:
    lung, _ = tissues(con)
    labels.add(con, LabelSet("some", source_ids=(1,), condition="maf >= 0.1", is_pooled=True))
    found = one(results(con, label_sets=("some",)))
    assert found["estimate"] == pytest.approx(rho(lung, lung.maf >= 0.1), abs=1e-12)


def test_windows_are_compared_on_the_same_rows_of_the_pool(con: Connection) -> None:
    lung, liver = tissues(con)
    other = np.roll(lung.score, 3)
    score(con, lung, "t", other, window_bp=200, only=range(150))
    (found,) = [row for row in results(con, label_sets=("pool",)) if row["metric"] == "spearman_difference"]
    first = dict(zip(lung.variant, other[np.unique(lung.variant, return_index=True)[1]][lung.variant], strict=True))
    variant = np.r_[lung.variant, liver.variant]
    own = variant < 150
    effect, scores = (values[own] for values in both(lung, liver))
    others = np.array([first[v] for v in variant[own]])
    expected = stats.spearmanr(effect, scores).statistic - stats.spearmanr(effect, others).statistic
    assert (found["n"], found["estimate"]) == (own.sum(), pytest.approx(float(expected), abs=1e-12))


def test_scorers_of_a_pool_are_compared_in_the_sources_that_both_scored(con: Connection) -> None:
    """One scored both sources, the other one the second alone: its own first source is another."""
    whole = drawn()
    own = whole.variant >= 60
    lung, liver = of_rows(whole, ~own), of_rows(whole, own)
    add_study(con, whole, 3)
    con.execute("DELETE FROM qtl WHERE source_id = 3")
    con.execute("DELETE FROM source WHERE source_id = 3")
    add_study(con, lung, 1, scorer=None)
    add_study(con, liver, 2, tissue="Liver", scorer=None)
    score(con, whole, "t", -whole.score, name="other", window_bp=200, only=range(60, 200))
    labels.add(con, LabelSet("pool", is_pooled=True))
    rows = results(con, label_sets=("pool",))
    (found,) = [row for row in rows if row["metric"] == "spearman_difference"]
    assert (found["n"], found["tissue"]) == (own.sum(), "Liver")
    assert found["estimate"] == pytest.approx(2 * rho(liver), abs=1e-12)
    assert {row["source_id"] for row in rows} == {1}
    assert [row["n"] for row in rows if row["metric"] == "spearman"] == [240, own.sum()]


def test_scorers_of_a_pool_without_a_common_source_are_not_compared(con: Connection) -> None:
    groups = [Group(LabelSet("pool", is_pooled=True), 1, "f", "T", None, 0, None,
                    (OneScorer(name, name, 1, True, family, ""),), pooled)
              for name, family, pooled in (("s", "a", (1,)), ("t", "b", (2,)), ("u", "c", (1, 2)))]  # fmt: skip
    compared = [("".join(s.name for s in g.scorers), g.source_ids) for g in run.comparisons(groups)]
    assert compared == [("su", (1,)), ("tu", (2,))]


def test_tissues_can_be_strata_of_a_pool(con: Connection) -> None:
    _, liver = tissues(con)
    rows = results(con, label_sets=("pool",), stratify=("tissue=tissue",))
    assert one(rows, stratum="Liver")["estimate"] == pytest.approx(rho(liver), abs=1e-12)
    assert one(rows, stratum="Lung")["n"] == 240


def test_a_pool_is_stored_as_it_was_given(con: Connection) -> None:
    tissues(con, unit="variant", cluster="chrom", source_ids=(1, 2), about="both")
    assert labels.named(con, "pool") == LabelSet("pool", "slope", (1, 2), None, "variant", "chrom", "both", True)


def test_the_other_label_sets_go_on_source_by_source(con: Connection) -> None:
    tissues(con)
    found = [row["source_id"] for row in results(con) if row["metric"] == "spearman"]
    assert found == [1, 2]


def test_unlike_units_are_not_pooled(con: Connection) -> None:
    add_study(con, drawn())
    add_study(con, drawn(), 2, tissue="Liver", scorer=None)
    con.execute("UPDATE source SET effect_unit = 'log2fc' WHERE source_id = 2")
    with pytest.raises(Refused, match=r"unlike units cannot be pooled: unit \(null 0.0\), e.g. source 1, log2fc"):
        labels.add(con, LabelSet("pool", is_pooled=True))
    labels.add(con, LabelSet("pool", source_ids=(2,), is_pooled=True))


def test_unlike_units_that_come_later_are_refused_when_they_are_asked_for(con: Connection) -> None:
    tissues(con)
    con.execute("UPDATE source SET null_value = 0.5 WHERE source_id = 2")
    with pytest.raises(Refused, match="unlike units cannot be pooled"):
        results(con, label_sets=("pool",))


def test_genes_are_no_clusters_of_a_pool(con: Connection) -> None:
    add_source(con, 1)
    with pytest.raises(UsageError, match="belongs to several genes"):
        labels.add(con, LabelSet("pool", cluster="gene", is_pooled=True))


def test_a_pool_is_made_listed_measured_and_explained_by_commands(con: Connection, fresh_db: Path) -> None:
    tissues(con)
    con.close()

    def agdb(*words: str) -> str:
        done = CliRunner().invoke(app, ["--db", str(fresh_db), *words])
        assert done.exit_code == 0, done.output
        return done.stdout

    agdb("labels", "--add", "two", "--pool", "--source", "1", "--source", "2", "--where", "maf > 0.01")
    listed = [line.split() for line in agdb("labels").splitlines()]
    assert next(line for line in listed if line[:1] == ["two"])[2:5] == ["[1,", "2]", "pooled"]
    agdb("stats", "--labels", "two", "--resamples", "200", "--stratify", "kind")
    query = "SELECT result_id, n FROM result WHERE metric = 'spearman' AND stratum = 'SNV'"
    (row,) = json.loads(agdb("sql", query, "--format", "json"))
    told = agdb("explain", str(row["result_id"]))
    assert "qtl: file1, source 1" in told
    assert "qtl: file2, source 2" in told
    sql = told.partition("its rows, as SQL:\n")[2]
    assert len(json.loads(agdb("sql", sql, "--format", "json"))) == row["n"]
