"""agdb plot: every figure as a file, with the numbers that it draws; and what it refuses before it draws."""

import csv
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from figured import build
from typer.testing import CliRunner, Result

from agdb import db, figures
from agdb.cli import app

#: Options that say which rows, by figure.
ONE = ("--scorer", "scorer", "--window", "100")
OPTIONS = {
    "scatter": ONE, "panels": ("--scorer", "scorer"), "windows": (), "forest": (*ONE, "--divide", "peak,kind"),
    "signs": ONE, "scores": ONE, "distance": ONE, "funnel": ("--scorer", "tracked"), "overlap": (),
    "tracks": ("--scorer", "tracked"), "qq": (), "power": ONE, "locus": (*ONE, "--gene", "ALPHA"),
}  # fmt: skip

Plot = Callable[..., Result]


@pytest.fixture(scope="module")
def path(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study with everything that figures show, but for the steps from the published one."""
    found = tmp_path_factory.mktemp("plot") / "study.duckdb"
    shutil.copyfile(template_db, found)
    build(found)
    return found


@pytest.fixture
def plot(path: Path) -> Plot:
    return lambda *words: CliRunner().invoke(app, ["--db", str(path), "plot", *map(str, words)])


def test_there_is_a_command_for_every_figure() -> None:
    assert set(figures.FIGURES) == {*OPTIONS, "study"}


@pytest.mark.parametrize("name", OPTIONS)
def test_a_figure_is_written_with_its_numbers(plot: Plot, tmp_path: Path, name: str) -> None:
    out, data = tmp_path / f"{name}.png", tmp_path / f"{name}.csv"
    run = plot(name, "-o", out, "--data", data, *OPTIONS[name])
    assert run.exit_code == 0, run.output
    assert run.stdout == ""
    assert out.read_bytes().startswith(b"\x89PNG")
    with data.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) > 1
    assert f"{out}: " in run.stderr
    assert f"{data}: {len(rows) - 1:,} rows, the numbers that it draws" in run.stderr


def test_what_is_told_is_one_line_with_numbers(plot: Plot, tmp_path: Path) -> None:
    told = plot("scatter", "-o", tmp_path / "x.svg", *ONE).stderr.splitlines()
    assert len(told) == 1
    assert "n = 280 associations" in told[0]
    assert "Spearman +0." in told[0]


def test_the_same_figure_twice_is_the_same_file(plot: Plot, tmp_path: Path) -> None:
    for name in ("a.svg", "b.svg"):
        assert plot("forest", "-o", tmp_path / name, *ONE).exit_code == 0
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("scatter", "-o", "x.gif", *ONE), 2, "end the name in png, svg, pdf"),
        (("scatter", "-o", "nowhere/x.png", *ONE), 1, "cannot write the figure"),
        (("scatter", "-o", "x.png", "--data", "nowhere/x.csv", *ONE), 1, "cannot write the numbers"),
        (("scatter", "-o", "x.png", "--data", "x.xlsx", *ONE), 2, "end the name in csv"),
        (("scatter", "-o", "x.png"), 2, "--scorer tracked --window 300   (file1, n = 27"),
        (("study", "-o", "x.png"), 1, "agdb compare-study"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_is_one_error_with_a_cure(
    plot: Plot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], code: int, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    run = plot(*words)
    assert run.exit_code == code, run.output
    assert run.stderr.count("error: ") == 1
    assert message in run.stderr


def test_nothing_is_drawn_for_a_name_that_cannot_be_written(plot: Plot, tmp_path: Path) -> None:
    run = plot("scatter", "-o", tmp_path / "x.png", "--data", tmp_path / "x.xlsx", *ONE)
    assert run.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_of_two_runs_of_stats_the_newest_answers(path: Path, tmp_path: Path) -> None:
    from agdb.analysis import run

    copy = tmp_path / "study.duckdb"
    shutil.copyfile(path, copy)
    first = asked(copy)
    run.stats(copy, run.Asked(resamples=200, seed=7, stratify=(), scorer="scorer"))
    with db.reading(copy) as con:
        runs = dict(con.execute("SELECT stratification, max(run_id) - min(run_id) FROM result GROUP BY ALL").fetchall())
    newest = asked(copy)
    assert runs["all"] == 1
    assert newest["all"] > first["all"], "asked again"
    assert newest["kind"] == first["kind"], "not asked again: the older answer stands"


def asked(path: Path) -> dict[str, int]:
    """Run of the newest result by stratification: of each there is one."""
    with db.reading(path) as con:
        found = con.execute(
            "SELECT DISTINCT stratification, run_id FROM latest_result WHERE metric = 'spearman' AND window_bp = 100"
        ).fetchall()
    assert len(found) == len({name for name, _ in found})
    return dict(found)
