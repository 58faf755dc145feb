"""README and the chapters of docs/, command by command, on real files: what they say is printed, is."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def steps(text: str) -> list[tuple[str, list[str]]]:
    """(commands, lines that the page says they print): an output block belongs to the commands before it."""
    found: list[tuple[str, list[str]]] = []
    for language, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        if language == "sh":
            found.append((body, []))
        elif not language:  # ```text and the rest are to be read: sessions with a server, Python, SQL
            found[-1][1].extend(body.splitlines())
    return found


#: Pages whose commands take longest, and whose ground other tests cover best.
SLOW = ("figures.md", "cluster.md", "report.md")


@pytest.mark.parametrize(
    "page", [pytest.param(page, id=page.name, marks=[pytest.mark.slow] * (page.name in SLOW)) for page in PAGES]
)
def test_every_command_of_a_page_prints_what_the_page_says(page: Path, shared: Path, tmp_path: Path) -> None:
    for file in shared.rglob("*"):
        if file.is_file():
            (tmp_path / file.name).symlink_to(file)
    environment = {k: v for k, v in os.environ.items() if k not in ("ALPHAGENOME_API_KEY", "COLUMNS")}
    environment |= {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "AGDB_DB": "study.duckdb"}
    for commands, said in steps(page.read_text(encoding="utf-8")):
        run = subprocess.run(
            ["bash", "-ec", commands], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        printed = (run.stdout + run.stderr).splitlines()
        missing = [line for line in said if line not in printed]
        assert not missing, f"{commands}\nprinted\n{run.stdout}{run.stderr}"
        assert (run.returncode != 0) == any(line.startswith("error: ") for line in said), run.stderr
        assert "Traceback" not in run.stderr
        made = set(re.findall(r"(?:-o|--output|>) (\S+\.\w+)", commands)) if run.returncode == 0 else set()
        assert all((tmp_path / name).stat().st_size > 0 for name in made), commands
