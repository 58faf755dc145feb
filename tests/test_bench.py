"""The benchmark runs, compares its answers before it shows a time, and says what is missing. No time is tested."""

import json
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from agdb.ingest.preset import named
from bench import figure, run, verify
from bench.cases import CASES, Inputs
from bench.data import COLUMNS, Sizes, inputs
from bench.rounds import row
from bench.run import GROUPS, arguments, parts, table

ROOT = Path(__file__).resolve().parents[1]
SMALL = Sizes(pairs=3_000, peaks=3_000, many_peaks=3_000, positions=1_000)


@pytest.mark.slow
def test_quick_run_reports_every_case(tmp_path: Path) -> None:
    folders = ["--data", str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    command = [sys.executable, "-m", "bench.run", "ingest", "gz", "--quick", "--tissues", "2", *folders]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == (tmp_path / "out" / "bench.md").read_text()
    assert all(case.label in done.stdout for case in CASES.values())
    assert "Quick" in done.stdout
    found = json.loads((tmp_path / "out" / "bench.json").read_text())
    assert found["found"]["rows"] == 20_000
    assert found["found"]["variants"] > 0


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return inputs(tmp_path_factory.mktemp("data"), SMALL)


def test_inputs_are_the_same_every_time(small: Inputs, tmp_path: Path) -> None:
    again = inputs(tmp_path, SMALL)
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(small, again, strict=True) if a.suffix == ".bed")


def test_a_row_that_differs_from_the_file_ends_the_run(small: Inputs, tmp_path: Path) -> None:
    stored = tmp_path / "stored.duckdb"
    verify.build(small, stored)
    with duckdb.connect(stored) as con:
        con.execute("UPDATE qtl SET slope = -slope WHERE rowid = 17")
    with pytest.raises(SystemExit, match="not those of the file"):
        verify.answers(small, stored, tmp_path)


def test_a_missing_program_is_a_row_of_the_table() -> None:
    one = [{"seconds": 2.0, "core_seconds": 3.0, "peak_mib": 1.0, "beyond_start_mib": 0.5, "found": 1}]
    facts = {
        **dict.fromkeys(Sizes._fields, 1), "rounds": 1, "cores": 1, "load_average": 0.0, "versions": {},
        "compared_with_bedtools": False,
        "found": dict.fromkeys(["rows", "pairs", "variants", "associations", "lifted"], 1),
    }  # fmt: skip
    text = table(facts, {name: one for name, case in CASES.items() if case.needs != "bedtools"})
    assert "| Python gzip loop to BED + bedtools -u | bedtools is not installed |" in text
    assert "NOT compared" in text


@pytest.mark.parametrize("given", [[], ["--quick"], ["stats"], ["gz", "predict", "ingest"]])
def test_all_groups_are_measured_where_none_is_named(given: list[str]) -> None:
    args = arguments(given)
    named_ = [word for word in given if word in GROUPS]
    assert args.what == (named_ or [group for group in GROUPS if group != "lake"])  # it takes an hour
    assert {name for name, _, _ in parts(args)} == {"ingest" if name == "gz" else name for name in args.what}


def test_a_group_that_does_not_exist_is_a_wrong_use() -> None:
    with pytest.raises(SystemExit):
        arguments(["nothing"])


def test_a_wrong_answer_of_one_group_does_not_lose_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def wrong(n: int, **_: object) -> run.Report:
        raise SystemExit("a peer found 1, not 2: no times are shown")

    monkeypatch.setattr(
        run, "MEASURES", {"overlap": (1, wrong), "scale": (2, lambda n, **_: ({"rounds": n}, "a table\n"))}
    )
    monkeypatch.setattr(sys, "argv", ["run", "overlap", "scale", "--out", str(tmp_path / "out")])
    monkeypatch.setattr(figure, "write", lambda *_: None)
    with pytest.raises(SystemExit, match="overlap failed"):
        run.main()
    text = (tmp_path / "out" / "bench.md").read_text()
    assert text == "overlap: NOT shown. a peer found 1, not 2: no times are shown\n\na table\n"
    assert capsys.readouterr().out == text
    assert json.loads((tmp_path / "out" / "bench.json").read_text())["rounds"] == 2


def test_ratios_are_of_medians() -> None:
    def times(*seconds: float) -> list[dict[str, float]]:
        return [{"seconds": s, "core_seconds": s, "peak_mib": 10.0, "beyond_start_mib": 1.0} for s in seconds]

    assert row("x", times(9, 8, 1), times(2, 100, 1)).startswith("| x | 8.000 | 1.000 to 9.000 | 4.00 |")


def test_the_made_table_has_the_columns_of_gtex() -> None:
    assert [names[0] for names in named("gtex_v8_pairs").columns.values()] == COLUMNS
