"""The benchmark of windows, motif and start runs, and every case of a table finds the same. No time is tested."""

import json
import subprocess
import sys
from pathlib import Path

from bench.cases import missing
from bench.sequence_cases import CASES, MOTIF_VARIANTS, WIDTHS

ROOT = Path(__file__).resolve().parents[1]


def test_quick_run_of_sequences_reports_every_case(tmp_path: Path) -> None:
    folders = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "bench.run", "sequences", "--quick", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert all(f"| {case.label} |" in done.stdout for case in CASES.values())
    found = json.loads((tmp_path / "out" / "bench.json").read_text())["sequences"]
    assert set(found) == {name for name, case in CASES.items() if not missing(case)}
    assert [found[f"windows-{width}-agdb"][0]["found"][0] for width in WIDTHS] == [n // 1_000 for n in WIDTHS.values()]
    assert found["motif-numpy"][0]["found"][0] == MOTIF_VARIANTS // 1_000
