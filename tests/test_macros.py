"""Macros for users: each is the function of agdb.statistics that it is named for, to rounding, and is listed."""

import math
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats as scipy_stats

from agdb import statistics

USERS = ["average_rank", "bonett_wright", "detectable_correlation", "fisher_interval", "normal_quantile",
         "sign_concordance", "wilson"]  # fmt: skip
LEVELS = st.sampled_from([0.5, 0.9, 0.95, 0.99, 0.999])
ROWS = st.integers(4, 10**7)
CORRELATIONS = st.floats(-0.999999, 0.999999)


@pytest.fixture(scope="module")
def macros(template_db: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection to a database of agdb's."""
    with duckdb.connect(str(template_db), read_only=True) as con:
        yield con


def value(con: duckdb.DuckDBPyConnection, expression: str, *given: object) -> object:
    """The value of an expression with ? for what is given."""
    return con.execute(f"SELECT {expression}", list(given)).fetchall()[0][0]


def close(found: object, wanted: statistics.Interval) -> bool:
    assert isinstance(found, dict)
    return np.allclose([found["low"], found["high"]], [float(wanted.low), float(wanted.high)], rtol=1e-12, atol=1e-12)


@given(p=st.floats(1e-300, 1 - 1e-15))
def test_the_normal_quantile_is_that_of_scipy(p: float, macros: duckdb.DuckDBPyConnection) -> None:
    assert value(macros, "normal_quantile(?)", p) == pytest.approx(scipy_stats.norm.ppf(p), rel=1e-13, abs=1e-15)


@pytest.mark.parametrize(
    ("p", "wanted"), [(0.0, -math.inf), (1.0, math.inf), (0.5, 0.0), (1.5, None), (-0.1, None), (None, None)]
)
def test_the_normal_quantile_has_ends(p: float | None, wanted: float | None, macros: duckdb.DuckDBPyConnection) -> None:
    assert value(macros, "normal_quantile(?::DOUBLE)", p) == wanted


@given(data=st.integers(1, 10**7).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))), level=LEVELS)
def test_wilson_is_that_of_statistics(data: tuple[int, int], level: float, macros: duckdb.DuckDBPyConnection) -> None:
    found = value(macros, "wilson(?, ?, level := ?)", *data, level)
    assert close(found, statistics.wilson_interval(*data, level))


@given(r=CORRELATIONS, n=ROWS, level=LEVELS)
def test_intervals_of_correlations_are_those_of_statistics(
    r: float, n: int, level: float, macros: duckdb.DuckDBPyConnection
) -> None:
    for macro, function in (("fisher_interval", statistics.fisher_interval),
                            ("bonett_wright", statistics.bonett_wright_interval)):  # fmt: skip
        assert close(value(macros, f"{macro}(?, ?, level := ?)", r, n, level), function(r, n, level))


def test_the_level_is_95_percent_unless_said(macros: duckdb.DuckDBPyConnection) -> None:
    for macro in ("wilson(3, 10{})", "fisher_interval(0.3, 10{})", "bonett_wright(0.3, 10{})"):
        assert value(macros, macro.format("")) == value(macros, macro.format(", level := 0.95"))


@pytest.mark.parametrize("expression", [
    "wilson(0, 0)", "wilson(3, 2)", "wilson(NULL, 2)", "fisher_interval(0.5, 3)", "fisher_interval(1, 50)",
    "fisher_interval(NULL, 50)", "bonett_wright(-1, 50)", "bonett_wright(0.5, 0)", "detectable_correlation(3)",
])  # fmt: skip
def test_what_is_not_defined_is_null(expression: str, macros: duckdb.DuckDBPyConnection) -> None:
    assert value(macros, expression) is None


@given(n=ROWS, power=st.floats(0.1, 0.99), alpha=st.floats(1e-6, 0.2))
def test_the_detectable_correlation_is_that_of_statistics(
    n: int, power: float, alpha: float, macros: duckdb.DuckDBPyConnection
) -> None:
    found = value(macros, "detectable_correlation(?, power := ?, alpha := ?)", n, power, alpha)
    assert found == pytest.approx(float(statistics.detectable_correlation(n, power, alpha)), rel=1e-10)


PAIRS = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=30)


@given(rows=PAIRS)
def test_sign_concordance_is_the_share_of_agreeing_signs(
    rows: list[tuple[int, int]], macros: duckdb.DuckDBPyConnection
) -> None:
    agree = [e * s > 0 for e, s in rows if e * s != 0]
    wanted = sum(agree) / len(agree) if agree else None
    values = ", ".join(f"({e}, {s})" for e, s in rows)
    found = macros.execute(f"SELECT sign_concordance(e, s) FROM (VALUES {values}) AS t (e, s)").fetchall()
    assert found == [(wanted,)]


def test_signs_agree_also_where_the_product_is_too_small_for_a_number(macros: duckdb.DuckDBPyConnection) -> None:
    assert value(macros, "sign_concordance(1e-200, 1e-200)") == 1


@given(rows=PAIRS)
def test_average_ranks_are_those_of_scipy_within_each_group(
    rows: list[tuple[int, int]], macros: duckdb.DuckDBPyConnection
) -> None:
    values = ", ".join(f"({i}, {x}, {g})" for i, (x, g) in enumerate(rows))
    query = f"SELECT average_rank(x), average_rank(x, within := g) FROM (VALUES {values}) AS t (i, x, g) ORDER BY i"
    all_rows, in_group = np.array(macros.execute(query).fetchall()).T
    x, g = np.array(rows).T
    assert all_rows.tolist() == scipy_stats.rankdata(x).tolist()
    for group in set(g):
        assert in_group[g == group].tolist() == scipy_stats.rankdata(x[g == group]).tolist()


def shown(path: Path, *words: str) -> str:
    run = [sys.executable, "-m", "agdb", "--db", str(path), "schema", *words]
    return subprocess.run(run, capture_output=True, text=True, check=True).stdout


def test_schema_lists_every_macro_with_its_call_and_meaning(fresh_db: Path) -> None:
    listed = {line.split()[1]: line for line in shown(fresh_db).splitlines() if line.startswith("macro ")}
    assert set(USERS) < set(listed)
    assert all(f"{name}(" in line for name, line in listed.items())


def test_schema_shows_what_a_macro_is_made_of(fresh_db: Path) -> None:
    assert shown(fresh_db, "variant_id").splitlines() == [
        "variant_id(chrom, pos, ref, alt): chr1_1284987_G_A, position 1-based.",
        "",
        "((((((chrom || '_') || pos) || '_') || \"ref\") || '_') || alt)",
    ]
