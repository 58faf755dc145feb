"""View calibration against plain counting, and against what `agdb stats` stores of the same tenths."""

from dataclasses import replace

import duckdb
import numpy as np
import pytest
from conftest import Ask
from scipy import stats
from studies import add_study, drawn, one, results

QUERY = "SELECT * FROM calibration WHERE scorer = 'scorer' ORDER BY decile"


def test_each_tenth_counts_signs_as_a_loop_does(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study = drawn(203, two_genes=0)
    study = replace(study, score=np.round(study.score, 1), effect=np.where(study.variant % 9 == 0, 0, study.effect))
    add_study(con, study)
    order = np.argsort(np.abs(study.score), kind="stable")  # the study is in genome order
    found = con.execute(QUERY).fetchnumpy()
    for k, own in enumerate(np.array_split(order, 10)):
        effect, score = study.effect[own], study.score[own]
        both = (effect != 0) & (score != 0)
        agree = int((np.sign(effect) == np.sign(score))[both].sum())
        wilson = stats.binomtest(agree, int(both.sum())).proportion_ci(method="wilson")
        assert (found["n"][k], found["n_signed"][k], found["n_agree"][k]) == (len(own), both.sum(), agree)
        assert (found["wilson_low"][k], found["wilson_high"][k]) == pytest.approx((wilson.low, wilson.high))
        assert found["effect_along_score"][k] == pytest.approx((effect * np.sign(score)).mean(), abs=1e-12)
        assert (found["score_abs_min"][k], found["score_abs_max"][k]) == (np.abs(score).min(), np.abs(score).max())


def test_it_is_what_stats_stores_of_the_deciles(con: duckdb.DuckDBPyConnection) -> None:
    add_study(con, drawn(300))
    rows = results(con, stratify=("score_decile",))
    view = con.execute(QUERY).fetchnumpy()
    for k in range(10):
        stored = one(rows, "sign_concordance", f"D{k + 1:02}")
        assert stored["estimate"] == pytest.approx(view["sign_concordance"][k])
        assert (stored["analytic_low"], stored["analytic_high"]) == pytest.approx(
            (view["wilson_low"][k], view["wilson_high"][k])
        )


def test_an_allelic_ratio_has_its_sign_about_a_half(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study = drawn(two_genes=0)
    add_study(con, replace(study, effect=0.5 + study.effect / 10), null_value=0.5)
    both = (study.effect != 0) & (study.score != 0)
    (agree,) = ask("SELECT sum(n_agree) FROM calibration")
    about_half, about_none = (int(((study.effect > null) == (study.score > 0))[both].sum()) for null in (0, -5))
    assert agree == (about_half,)
    assert about_half != about_none


def test_a_score_that_is_all_zero_has_no_sign_to_agree_with(con: duckdb.DuckDBPyConnection, ask: Ask) -> None:
    study = drawn(40, two_genes=0)
    add_study(con, replace(study, score=np.zeros(40)))
    assert ask("SELECT DISTINCT n_signed, sign_concordance, wilson_low FROM calibration") == [(0, None, None)]


@pytest.mark.parametrize("how", [{"is_signed": False}, {"label": "pval_nominal"}])
def test_what_has_no_direction_is_not_calibrated(
    con: duckdb.DuckDBPyConnection, ask: Ask, how: dict[str, object]
) -> None:
    study = drawn(40, two_genes=0)
    add_study(con, replace(study, effect=np.abs(study.effect) / 10 + 1e-6), **how)  # type: ignore[arg-type]
    assert ask("SELECT count(*) FROM calibration") == [(0,)]
