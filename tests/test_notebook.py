"""The notebook runs from an empty folder, and finds the answer that is known."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).resolve().parents[1] / "notebooks" / "demo.py"

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("marimo") is None, reason="marimo is not installed: notebooks were NOT run"
)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The folder that it ran in, and what it printed."""
    folder = tmp_path_factory.mktemp("notebook")
    return folder, run(folder)


def run(folder: Path) -> str:
    environment = os.environ | {"MPLBACKEND": "Agg", "HOME": str(folder)}
    done = subprocess.run([sys.executable, str(NOTEBOOK)], cwd=folder, env=environment, capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_notebook_finds_the_answer_that_is_known(ran: tuple[Path, str]) -> None:
    rows = [line.strip("| ").split(" | ") for line in ran[1].splitlines() if line.startswith(("| in", "| out"))]
    assert [row[0] for row in rows] == ["in peak", "outside peaks"]
    for _, _, found, _, known in rows:
        assert float(found) == pytest.approx(float(known), abs=2e-4)
    assert float(rows[0][2]) > 0.3


def test_the_notebook_tells_what_its_figure_shows(ran: tuple[Path, str]) -> None:
    assert "against motif at 501 bp" in ran[1]


@pytest.mark.slow
def test_the_notebook_goes_on_where_its_study_is_there(ran: tuple[Path, str]) -> None:
    study = ran[0] / "notebook-study" / "study"
    before = sorted(p.stat().st_mtime_ns for p in study.iterdir())
    assert "| in peak |" in run(ran[0])
    assert sorted(p.stat().st_mtime_ns for p in study.iterdir()) == before
