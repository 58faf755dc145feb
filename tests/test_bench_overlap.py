"""The benchmark of the overlap runs, shows nothing where answers differ, says what is missing. No time is tested."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench import overlap
from bench.cases import missing
from bench.overlap_cases import CASES, SIZES
from bench.rounds import table

ROOT = Path(__file__).resolve().parents[1]


@pytest.mark.slow
def test_quick_run_of_the_overlap_reports_every_case_that_can_run(tmp_path: Path) -> None:
    folders = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "bench.run", "overlap", "--quick", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "out" / "bench.md").read_text()
    assert done.stdout.startswith("A hundredth of the rows")
    found = json.loads((tmp_path / "out" / "bench.json").read_text())["overlap"]
    assert set(found) == {name for name, case in CASES.items() if not missing(case)}
    in_peaks = {size: found[f"{size}-any-agdb"][0]["found"][0] for size in SIZES}
    assert 0 < in_peaks[SIZES[0]] < in_peaks[SIZES[1]]
    assert found["everything in one peak-any-agdb"][0]["found"][0] == 20_000
    assert found["10 M peaks on one base-any-agdb"][0]["found"][0] > 0


def times(found: list[int]) -> dict[str, Any]:
    """What a case measured."""
    return {"seconds": 2.0, "core_seconds": 3.0, "peak_mib": 1.0, "beyond_start_mib": 0.5, "found": found}


def test_a_case_that_finds_other_rows_ends_the_run() -> None:
    def measure(name: str, _: list[str]) -> dict[str, Any]:
        return times([5, 100] if name.endswith("agdb") else [5, 101])

    with pytest.raises(SystemExit, match="no times are shown"):
        overlap.measured(1, Path(), [SIZES[0]], measure)


def test_a_peer_that_is_not_installed_is_a_row_of_the_table() -> None:
    alone = {name: [times([5, 100])] for name, case in CASES.items() if case.needs is None}
    assert "| polars-bio overlap | polars_bio is not installed |" in table(CASES, alone)


def test_the_table_divides_by_agdb() -> None:
    measured = {name: [times([5, 100])] for name in CASES}
    measured[f"{SIZES[0]}-any-bedtools"] = [times([5, 100]) | {"seconds": 30.0}] * 3
    assert "| bedtools intersect -u | 30.000 | 30.000 to 30.000 | 15.00 |" in table(CASES, measured)
