"""View latest_result: of what was asked again the new answers alone, whole; of what was not, the old ones."""

from itertools import pairwise

import duckdb
from conftest import Ask
from rows import add_result

Connection = duckdb.DuckDBPyConnection


def strata(con: Connection, run_id: int, *names: str, **columns: object) -> None:
    """What a run stores of a division: each stratum, their differences two and two, and whether they differ at all."""
    own = {"stratification": "size", **columns}
    for name in names:
        add_result(con, run_id, stratum=name, **own)
    for name, other in pairwise(names):
        add_result(con, run_id, stratum=name, versus=other, metric="spearman_difference", **own)
    add_result(con, run_id, stratum=f"{len(names)} strata", metric="heterogeneity", **own)


def runs(ask: Ask, where: str = "true") -> list[tuple[object, ...]]:
    """Run, metric and stratum of what the view shows."""
    return ask(f"SELECT run_id, metric, stratum FROM latest_result WHERE {where} ORDER BY result_id")


def test_a_division_that_is_made_anew_leaves_no_stratum_of_the_old_one(con: Connection, ask: Ask) -> None:
    strata(con, 1, "small", "middle", "large")
    strata(con, 2, "small", "large")
    assert runs(ask) == [(2, "spearman", "small"), (2, "spearman", "large"), (2, "spearman_difference", "small"),
                         (2, "heterogeneity", "2 strata")]  # fmt: skip


def test_differences_that_the_new_strata_do_not_have_are_gone(con: Connection, ask: Ask) -> None:
    strata(con, 1, "small", "large")
    add_result(con, 2, stratification="size", stratum="small")
    assert runs(ask) == [(2, "spearman", "small")]


def test_what_was_not_asked_again_stays(con: Connection, ask: Ask) -> None:
    """Other scorers, label sets, sources, units and divisions; measures that are an option; scorers compared."""
    strata(con, 1, "small", "large")
    for column, value in (("scorer_id", "t"), ("label_set", "lead"), ("source_id", 2), ("unit", "variant"),
                          ("label", "pval_nominal"), ("stratification", "kind"), ("metric", "kendall")):  # fmt: skip
        add_result(con, 1, stratum="stays", **{column: value})
    for other in ("t", "u"):
        add_result(con, 1, metric="spearman_difference", versus=other)
    strata(con, 2, "small", "large")
    add_result(con, 2)
    add_result(con, 2, metric="spearman_difference", versus="t")
    assert len(runs(ask, "stratum = 'stays'")) == 7
    assert ask("SELECT versus, run_id FROM latest_result WHERE metric = 'spearman_difference' AND stratum = 'all' "
               "ORDER BY versus") == [("t", 2), ("u", 1)]  # fmt: skip


def test_causal_measures_are_of_one_matching(con: Connection, ask: Ask) -> None:
    for metric in ("causal_auroc", "causal_smd_maf", "causal_smd_ld"):
        add_result(con, 1, metric=metric)
    for metric in ("causal_auroc", "causal_smd_maf"):
        add_result(con, 2, metric=metric)
    assert runs(ask) == [(2, "causal_auroc", "all"), (2, "causal_smd_maf", "all")]


def test_steps_of_the_study_are_of_one_run_whatever_their_scorer(con: Connection, ask: Ask) -> None:
    for run_id, scorer in ((1, "s"), (2, "t")):
        add_result(con, run_id, stratification="study", stratum="published", label="pval_nominal", scorer_id=scorer)
        add_result(con, run_id, stratification="study", stratum="slope", scorer_id=scorer, unit="variant")
    assert runs(ask) == [(2, "spearman", "published"), (2, "spearman", "slope")]
