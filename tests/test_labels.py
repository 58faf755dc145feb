"""Label sets: which associations, what a row is; and that none can be stored that cannot be asked for."""

from dataclasses import replace

import duckdb
import numpy as np
import pytest
from conftest import Ask
from rows import add_result
from studies import add_study, drawn, one, results, rho, with_effect

from agdb.analysis import labels
from agdb.analysis.labels import LabelSet
from agdb.errors import AgdbError, Refused, UsageError


def test_a_new_database_has_the_label_sets_of_the_field(con: duckdb.DuckDBPyConnection) -> None:
    names = [s.name for s in labels.stored(con)]
    assert names == ["all", "lead", "fine-mapped", "egenes", "no-mhc", "conditional", "p-value"] == list(labels.OWN)


def test_every_label_set_of_a_new_database_can_be_asked_for(con: duckdb.DuckDBPyConnection) -> None:
    for label_set in labels.stored(con):
        labels.check(con, label_set)


def test_a_label_set_is_stored_as_it_was_given(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn(8, two_genes=0))
    new = LabelSet("common", "slope", (1,), "maf >= 0.05", "variant", "gene", "common variants")
    labels.add(con, new)
    assert labels.named(con, "common") == new
    assert labels.stored(con)[-1] == new


def test_the_rows_of_a_label_set_are_those_of_its_condition(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    labels.add(con, LabelSet("mine", condition="maf >= 0.05 OR chrom = 'chr1'"))
    own = (study.maf >= 0.05) | (np.array(study.chrom) == "chr1")
    found = one(results(con, label_sets=("mine",)))
    assert (found["n"], found["estimate"]) == (own.sum(), pytest.approx(rho(study, own)))


def test_a_label_set_may_name_its_sources(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn()
    add_study(con, study)
    add_study(con, with_effect(study, -study.effect), 2, scorer=None)
    labels.add(con, LabelSet("second", source_ids=(2,)))
    found = one(results(con, label_sets=("second",)))
    assert (found["source_id"], found["estimate"]) == (2, pytest.approx(-rho(study)))


def test_lead_associations_are_chosen_among_those_of_the_condition(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn(two_genes=200)
    add_study(con, study)
    labels.add(con, LabelSet("mine", condition="maf >= 0.1", unit="variant"))
    kept = [i for i in range(400) if study.maf[i] >= 0.1]
    lead = {v: min((i for i in kept if study.variant[i] == v), key=lambda i: study.pval_nominal[i])
            for v in {int(study.variant[i]) for i in kept}}  # fmt: skip
    own = np.isin(np.arange(400), list(lead.values()))
    found = one(results(con, label_sets=("mine",)))
    assert (found["n"], found["estimate"]) == (len(lead), pytest.approx(rho(study, own)))


def test_of_associations_with_one_p_value_the_larger_effect_leads(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn(two_genes=200)
    study = replace(study, pval_nominal=np.full(400, 1e-6))
    add_study(con, study)
    pairs = np.abs(study.effect).reshape(200, 2)
    own = (pairs == pairs.max(axis=1, keepdims=True)) & np.c_[np.ones(200, bool), pairs[:, 0] != pairs[:, 1]]
    assert one(results(con, label_sets=("lead",)))["estimate"] == pytest.approx(rho(study, own.ravel()), abs=0.02)


def test_egenes_and_the_mhc_are_conditions_like_any(con: duckdb.DuckDBPyConnection) -> None:
    study = drawn(two_genes=0)
    pos = np.where(study.variant < 50, 29_000_000 + study.variant, study.pos)
    study = replace(study, chrom=["chr6"] * 200, pos=pos)
    add_study(con, study)
    rows = results(con, label_sets=("egenes", "no-mhc"))
    assert one(rows, label_set="egenes")["n"] == (study.qval <= 0.05).sum()
    assert one(rows, label_set="no-mhc")["n"] == 150


def test_conditional_slopes_are_a_label_of_their_own(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    con.execute("UPDATE qtl SET is_conditional = (chrom = 'chr3')")
    n = {row["label_set"]: row["n"] for row in results(con, label_sets=None) if row["metric"] == "spearman"}
    chr3 = sum(c == "chr3" for c in drawn().chrom)
    assert n == {"all": 240 - chr3, "conditional": chr3}


def test_two_label_sets_are_two_families_of_results(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    rows = results(con, label_sets=("all", "lead", "all"))
    assert [row["label_set"] for row in rows if row["metric"] == "spearman"] == ["all", "lead"]


def test_a_label_set_is_removed_and_its_name_is_free_again(con: duckdb.DuckDBPyConnection) -> None:
    labels.add(con, LabelSet("common", condition="maf >= 0.05"))
    labels.remove(con, "common")
    assert [s.name for s in labels.stored(con)] == list(labels.OWN)
    labels.add(con, LabelSet("common", condition="maf >= 0.1"))


def test_a_label_set_that_results_refer_to_stays(con: duckdb.DuckDBPyConnection) -> None:
    labels.add(con, LabelSet("common", condition="maf >= 0.05"))
    add_result(con, 7, label_set="common")
    with pytest.raises(Refused, match="results refer to label set common: 1, the first of run 7"):
        labels.remove(con, "common")
    assert labels.named(con, "common")


# What is wrong is one clear error


@pytest.mark.parametrize(
    ("new", "message"),
    [
        (LabelSet("x", label="beta"), "unknown label 'beta'"),
        (LabelSet("x", unit="gene"), "unknown unit 'gene'"),
        (LabelSet("x", cluster="mb"), "unknown cluster 'mb'"),
        (LabelSet("all"), "there is a label set 'all' already"),
        (LabelSet(" "), "needs a name"),
        (LabelSet("x", source_ids=(7,)), "source 7 is no source of effects"),
        (LabelSet("x", condition=""), "the condition of label set x is not SQL"),
        (LabelSet("x", condition="pip >"), "the condition of label set x is not SQL"),
        (LabelSet("x", condition="colour > 3"), "colour"),
        (LabelSet("x", condition="gene_id"), "neither true nor false"),
        (LabelSet("x", condition="true) OR (true"), "the condition of label set x is not SQL"),
        (LabelSet("x", condition="true); DELETE FROM qtl; SELECT (1"), "the condition of label set x is not SQL"),
        (LabelSet("x", condition="true; DELETE FROM qtl"), "the condition of label set x is not SQL"),
        (LabelSet("x", condition="sum(maf) > 3"), "the condition of label set x is not SQL"),
        (
            LabelSet("x", condition="random() > 0.5"),
            "the condition of label set x has another value every time: random",
        ),
        (LabelSet("x", condition="now() > '2020-01-01'"), "has another value every time: now"),
        (LabelSet("x", condition="row_number() OVER () = 1"), "WHERE clause cannot contain window functions"),
        (LabelSet("x", condition="unnest([true, true])"), "the condition of label set x cannot be asked row by row"),
    ],
)
def test_a_label_set_that_cannot_be_asked_for_is_refused_and_nothing_runs(
    con: duckdb.DuckDBPyConnection, ask: Ask, new: LabelSet, message: str
) -> None:
    add_study(con, drawn(8, two_genes=0))
    before = ask("SELECT count(*) FROM label_set")
    with pytest.raises(AgdbError) as refused:
        labels.add(con, new)
    assert message in refused.value.what
    assert refused.value.cure
    assert ask("SELECT count(*) FROM qtl") == [(8,)]
    assert ask("SELECT count(*) FROM label_set") == before


@pytest.mark.parametrize(("name", "message"), [("all", "one of agdb's own"), ("alll", "there is no label set 'alll'")])
def test_what_cannot_be_removed_is_refused(con: duckdb.DuckDBPyConnection, name: str, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        labels.remove(con, name)


def test_an_unknown_label_set_is_refused_with_those_that_are_known(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn(8, two_genes=0))
    with pytest.raises(UsageError, match="there is no label set 'leads'") as refused:
        results(con, label_sets=("leads",))
    assert "lead, fine-mapped" in str(refused.value.cure)


def test_a_condition_that_leaves_nothing_is_refused_by_the_name_of_its_label_set(
    con: duckdb.DuckDBPyConnection,
) -> None:
    add_study(con, drawn())
    labels.add(con, LabelSet("none", condition="maf > 0.6"))
    with pytest.raises(Refused, match="label set none has no association with a score"):
        results(con, label_sets=("all", "none"))


def test_a_scorer_that_scored_nothing_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    with pytest.raises(Refused, match="no association with a score of this scorer and window"):
        results(con, scorer="enformer")


def test_a_condition_that_fails_on_a_row_says_so(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn())
    labels.add(con, LabelSet("broken", condition="gene_id::INTEGER > 3"))
    with pytest.raises(UsageError, match="an expression fails on a row of label set broken"):
        results(con, label_sets=("broken",))
