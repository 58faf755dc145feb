"""Few studies, as `python -m bench.coverage` makes thousands of: intervals hold the truth, tests seldom err.

Bands are those of the number of studies here, four standard errors wide: a method that is off by 7 % is found.
"""

from functools import cache

import numpy as np
import pytest

from agdb.analysis.measures import SCALES
from bench.coverage import Held, Setting, held, simulated, studies, truth
from bench.coverage_report import planted, tables, theory

STUDIES = 200
#: Four standard errors of a share of 0.05 of so many studies.
WIDE = 4 * np.sqrt(0.05 * 0.95 / STUDIES)
NOTHING, SOMETHING = Setting(30, 0.3, 0.0), Setting(30, 0.3, 0.3)
#: Rows that are independent although they have clusters: what theory knows the power of.
ALONE = Setting(60, 0.0, 0.12)


@cache
def found(setting: Setting) -> dict[str, Held]:
    """What the studies of a setting say."""
    return held(studies(setting, STUDIES, resamples=200, seed=3), truth(setting, rows=120_000))


@pytest.mark.parametrize("metric", [*SCALES, "partial_spearman", "spearman of a stratum", "difference of strata",
                                    "difference of like scorers", "difference of unlike scorers"])  # fmt: skip
def test_intervals_of_clusters_hold_the_truth_in_nineteen_of_twenty_studies(metric: str) -> None:
    assert found(SOMETHING)[metric].coverage == pytest.approx(0.95, abs=WIDE)


@pytest.mark.parametrize("metric", ["spearman", "pearson", "sign_auroc"])
def test_intervals_of_independent_rows_do_not_where_rows_go_together(metric: str) -> None:
    assert found(SOMETHING)[metric].analytic_coverage < 0.95 - WIDE


@pytest.mark.parametrize("test", [
    "spearman", "sign_concordance", "sign_auroc", "partial_spearman", "heterogeneity of thirds",
    "heterogeneity of sixths", "heterogeneity of fifths", "difference of strata", "difference of halves",
    "difference of like scorers", "max-T of three scorers", "permutation_spearman"])  # fmt: skip
def test_tests_find_an_effect_that_is_not_there_in_one_of_twenty_studies(test: str) -> None:
    assert found(NOTHING)[test].rejected == pytest.approx(0.05, abs=WIDE)


def test_power_is_that_of_a_t_test_with_the_standard_error_that_there_is() -> None:
    of, true = found(ALONE)["spearman"], truth(ALONE, rows=120_000)["spearman"]
    assert of.rejected == pytest.approx(theory(np.arctanh(true), of.line_sd, ALONE.clusters), abs=0.1)
    assert 0.6 < of.rejected < 0.97  # or power would not be tested


def test_the_truth_is_the_measure_of_rows_without_end() -> None:
    assert truth(SOMETHING, rows=120_000)["spearman"] == pytest.approx(6 / np.pi * np.arcsin(0.3 / 2), abs=0.02)
    assert truth(SOMETHING, rows=120_000)["pearson"] == pytest.approx(0.3, abs=0.02)
    assert truth(NOTHING, rows=120_000)["sign_auroc"] == 0.5


def test_made_up_rows_have_the_icc_and_the_correlation_that_are_asked_for() -> None:
    rows = simulated(np.random.default_rng(1), Setting(4_000, 0.3, 0.5))
    sizes = np.bincount(rows.cluster)
    means = np.bincount(rows.cluster, rows.effect) / sizes
    within = ((rows.effect - means[rows.cluster]) ** 2).sum() / (sizes - 1).sum()
    assert within == pytest.approx(0.7, abs=0.02)
    assert np.corrcoef(rows.effect, rows.scores[0])[0, 1] == pytest.approx(0.5, abs=0.03)
    assert sizes.max() > 5 * sizes.mean()


def test_an_interval_that_is_too_narrow_is_found_out() -> None:
    told = [{"spearman": s["spearman"]._replace(low=s["spearman"].estimate - 0.02, high=s["spearman"].estimate + 0.02)}
            for s in studies(SOMETHING, 30, resamples=200, seed=3)]  # fmt: skip
    assert held(told, truth(SOMETHING, rows=120_000))["spearman"].coverage < 0.6


def test_the_tables_have_a_row_a_kind_of_study_and_mark_what_is_off() -> None:
    both = {NOTHING: found(NOTHING), SOMETHING: found(SOMETHING)}
    again = {setting: found(SOMETHING) for setting in planted(both)}
    text = tables(both, again)
    assert text.count("| 30 | 0.3 |") == 5
    assert f"| **{100 * np.mean([both[s]['spearman'].analytic_coverage for s in both]):.1f}** |" in text
