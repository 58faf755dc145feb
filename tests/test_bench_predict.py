"""The benchmark of predict runs, and ends where a score is missing or a call is wasted. No time is tested."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.predict import PLANS, check
from bench.predict_cases import CASES

ROOT = Path(__file__).resolve().parents[1]
#: 300 variants, of which the server refuses a few in cases with faults.
VARIANTS = [f"chr1:{1_000_000 + 40 * i}:A>C" for i in range(300)]


@pytest.mark.slow
def test_quick_run_of_predict_reports_every_case(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench.run", "predict", "--quick", "--out", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "bench.md").read_text()
    assert all(case.label in done.stdout for case in CASES.values())
    found = json.loads((tmp_path / "bench.json").read_text())["predict"]
    assert [found["again"][0]["calls"], found["latency"][0]["calls"]] == [0, 100]
    assert found["faulty-sdk"][0]["found"] == 0


def result(found: int, calls: int, **by_code: int) -> dict[str, Any]:
    """What a case measured, as far as `check` looks at it."""
    return {"n": len(VARIANTS), "found": found, "calls": calls, "by_code": by_code}


def test_a_missing_score_ends_the_run() -> None:
    with pytest.raises(SystemExit, match="found 299, not 300"):
        check("latency", result(299, 300), VARIANTS)


def test_a_wasted_call_ends_the_run() -> None:
    with pytest.raises(SystemExit, match="made 301 calls"):
        check("latency", result(300, 301), VARIANTS)


def test_calls_that_the_server_let_fail_are_not_wasted() -> None:
    check("quota", result(300, 307, RESOURCE_EXHAUSTED=7), VARIANTS)


def test_variants_that_the_server_refuses_are_not_missing() -> None:
    faults = [PLANS["faulty"].fault_of("ScoreVariant", variant) for variant in VARIANTS]
    refused = sum(fault is not None and fault.code == "INVALID_ARGUMENT" for fault in faults)
    assert refused > 0
    check("faulty", result(300 - refused, 300), VARIANTS)
