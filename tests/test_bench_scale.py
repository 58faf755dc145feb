"""Growth is a slope, the table says it of every step, and the figure shows all that was measured. No time is tested."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import figure, scale, scale_cases
from bench.cases import CASES

ROOT = Path(__file__).resolve().parents[1]


def took(seconds: float) -> list[dict[str, Any]]:
    return [{"seconds": seconds, "peak_mib": 100.0, "found": 1}]


def grown(power: float) -> dict[int, Any]:
    """Steps whose time grows as a power of the rows, and a database that does so as well."""
    return {
        n: {"gz_bytes": n * 100, "database_bytes": int(n**power),
            "steps": dict.fromkeys(scale_cases.CASES, took(1e-3 * n**power))}
        for n in (1_000, 3_000, 10_000)
    }  # fmt: skip


@pytest.mark.parametrize("power", [0.5, 1.0, 2.0])
def test_the_exponent_is_the_power_that_a_time_grows_with(power: float) -> None:
    rows = [10, 30, 100, 300]
    assert scale.exponent(rows, [7 * n**power for n in rows]) == pytest.approx(power)


def test_every_step_and_both_sizes_are_in_the_table() -> None:
    text = scale.table(grown(1.5))
    for case in scale_cases.CASES.values():
        assert f"| {case.label} | 31.62 | " in text
    assert text.count("| 1.50 | 1.50 |") == len(scale_cases.CASES) + 1  # and the database's
    assert "| the gz files, MiB | 0.1 | 0.3 | 1.0 | 1.00 | 1.00 |" in text


@pytest.mark.slow
def test_a_quick_run_measures_every_step_and_draws_it(tmp_path: Path) -> None:
    folders = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "bench.run", "scale", "--quick", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "out" / "bench.json").read_text())["scale"]
    assert list(found) == ["2000", "6000"]
    for of in found.values():
        assert set(of["steps"]) == set(scale_cases.CASES)
        assert of["steps"]["scale-overlap"][0]["found"] > 0
    assert (tmp_path / "out" / "bench.png").stat().st_size > 10_000


def test_the_figure_has_a_panel_a_table_and_a_bar_a_case() -> None:
    ingest = [name for name, case in CASES.items() if case.group == "ingest"]
    drawn = figure.draw({"cases": dict.fromkeys(ingest, took(2.0)), "scale": grown(1.0)})
    assert drawn is not None
    bars, lines = drawn.axes
    assert bars.get_title(loc="left") == "ingest"
    assert [label.get_text() for label in bars.get_yticklabels()] == [CASES[name].label for name in ingest]
    assert len(lines.get_lines()) == len(scale_cases.CASES) + 1


def test_there_is_no_figure_of_nothing() -> None:
    assert figure.draw({}) is None
