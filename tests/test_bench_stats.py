"""The benchmark of agdb stats runs, and shows nothing where an estimate is not scipy's. No time is tested."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench.stats import QUICK, compare
from bench.stats_cases import CASES

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_quick_run_of_stats_reports_every_case(tmp_path: Path) -> None:
    folders = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "bench.run", "stats", "--quick", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"| {case.label}" in done.stdout for case in CASES.values())
    found = json.loads((tmp_path / "out" / "bench.json").read_text())["stats"]
    assert list(found) == [str(pairs) for pairs in QUICK]
    assert found[str(QUICK[0])]["stats-measures"][0]["found"]["all: all: spearman"] != 0


@pytest.mark.parametrize("other", [{"a": 0.5, "b": 0.26}, {"a": 0.5}, {"a": 0.5, "b": 0.25, "c": 1.0}])
def test_an_estimate_that_is_not_scipys_ends_the_run(other: dict[str, float]) -> None:
    with pytest.raises(SystemExit, match="agdb"):
        compare({"a": 0.5, "b": 0.25}, other)
