"""The command line as users meet it: help with an example everywhere, stdout is data, a start that imports little."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from rows import add_source
from typer.testing import CliRunner

from agdb import db
from agdb.cli import app
from agdb.demo import is_known

runner = CliRunner()


def commands() -> list[list[str]]:
    """Every command as the words that call it."""
    root = typer.main.get_command(app)
    found: list[list[str]] = []
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        inner = getattr(command, "commands", None)
        found += [[name, word] for word in inner] if inner else [[name]]
    return found


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_every_command_has_help_with_an_example(words: list[str]) -> None:
    shown = runner.invoke(app, [*words, "--help"], env={"COLUMNS": "200"})
    assert shown.exit_code == 0
    assert "Example: agdb " in shown.output


@pytest.mark.parametrize("words", commands(), ids=" ".join)
def test_the_documentation_names_every_command(words: list[str]) -> None:
    root = Path(__file__).resolve().parents[1]
    pages = [root / "README.md", *sorted((root / "docs").glob("*.md"))]
    assert " ".join(words) in "".join(page.read_text(encoding="utf-8") for page in pages)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from agdb.cli import app\ntry: app(['--help'])\nexcept SystemExit: pass\n"
        "heavy = {'duckdb', 'numpy', 'pyarrow', 'scipy', 'matplotlib', 'alphagenome', 'pyfaidx'} & set(sys.modules)\n"
        "sys.exit(','.join(sorted(heavy)) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


def test_reading_commands_do_not_import_what_computes(tmp_path: Path) -> None:
    db = tmp_path / "a.duckdb"
    code = (
        f"import sys; from agdb.cli import app\nfor words in (['init'], ['sql', 'SELECT 1']):\n"
        f"    try: app(['--db', {str(db)!r}, *words])\n    except SystemExit: pass\n"
        "heavy = {'scipy', 'matplotlib', 'alphagenome', 'pyarrow', 'numpy'} & set(sys.modules)\n"
        "sys.exit(','.join(sorted(heavy)) or 0)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The demo at a tenth of its size: its folder and what it printed."""
    folder = tmp_path_factory.mktemp("demo") / "demo"
    run = runner.invoke(app, ["demo", str(folder), "--variants", "2000", "--seed", "7"])
    assert run.exit_code == 0, run.output
    return folder, run.output


def agdb(db: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agdb", "--db", str(db), *words], capture_output=True, text=True, check=False
    )


def test_the_demo_finds_the_answer_that_is_known(demo: tuple[Path, str]) -> None:
    assert "It does." in demo[1]


@pytest.mark.parametrize(
    "found",
    [
        {"in peak": (10, 0.5002), "outside peaks": (20, 0.0)},
        {"in peak": (9, 0.5), "outside peaks": (20, 0.0)},
        {"in peak": (10, 0.5)},
    ],
)
def test_the_demo_does_not_take_another_answer_for_the_known_one(found: dict[str, tuple[int, float]]) -> None:
    known = {"in peak": (10, 0.5), "outside peaks": (20, 0.0)}
    assert is_known(known, known)
    assert not is_known(found, known)


def test_the_demo_leaves_what_it_names(demo: tuple[Path, str]) -> None:
    folder, told = demo
    for name in ("scatter.png", "windows.png", "correlation.csv", "window_comparison.csv", "result.csv", "report.html"):
        assert str(folder / name) in told
        assert (folder / name).stat().st_size > 100


@pytest.mark.slow
def test_the_demo_is_the_same_for_the_same_seed(demo: tuple[Path, str], tmp_path: Path) -> None:
    again = runner.invoke(app, ["demo", str(tmp_path / "demo"), "--variants", "2000", "--seed", "7"])
    assert again.output.replace(str(tmp_path / "demo"), "X") == demo[1].replace(str(demo[0]), "X")


def test_the_demo_refuses_a_folder_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "mine.txt").write_text("keep me")
    refused = runner.invoke(app, ["demo", str(tmp_path)])
    assert refused.exit_code == 1
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == ["mine.txt"]


def test_stdout_is_data_and_stderr_is_talk(demo: tuple[Path, str]) -> None:
    run = agdb(demo[0] / "demo.duckdb", "stats", "--format", "csv")
    rows = list(csv.DictReader(io.StringIO(run.stdout)))
    assert {"spearman", "pearson", "sign_auroc", "spearman_difference"} <= {r["metric"] for r in rows}
    assert "results stored" in run.stderr


def test_stats_adds_a_run_and_the_same_numbers(demo: tuple[Path, str]) -> None:
    db = demo[0] / "demo.duckdb"
    agdb(db, "stats")
    query = (
        "SELECT run_id, list((metric, stratum, round(estimate, 12), n) ORDER BY result_id) AS r FROM result GROUP BY 1"
    )
    runs = json.loads(agdb(db, "sql", query, "--format", "json").stdout)
    assert len(runs) >= 2
    assert all(r["r"] == runs[0]["r"] for r in runs)


def test_sql_answers_in_every_format(demo: tuple[Path, str]) -> None:
    db = demo[0] / "demo.duckdb"
    query = "SELECT biosample, count(*) AS n FROM peak GROUP BY biosample"
    table, as_csv, as_json = (agdb(db, "sql", query, "--format", f).stdout for f in ("table", "csv", "json"))
    n = json.loads(as_json)[0]["n"]
    assert as_csv == f"biosample,n\nSimulated,{n}\n"
    assert [line.split() for line in table.splitlines()][2] == ["Simulated", str(n)]


def test_the_database_comes_from_the_environment(demo: tuple[Path, str]) -> None:
    shown = runner.invoke(app, ["status"], env={"AGDB_DB": str(demo[0] / "demo.duckdb")})
    assert shown.exit_code == 0
    assert "Simulated_Blood" in shown.output


def test_status_shows_sources_variants_peaks_predictions_and_runs(demo: tuple[Path, str]) -> None:
    shown = agdb(demo[0] / "demo.duckdb", "status").stdout
    titles = ["Sources", "Variants", "Peaks", "Predictions", "Last runs"]
    assert [line for line in shown.splitlines() if line in titles] == titles


def test_status_lists_the_fine_mapping_of_every_tissue(fresh_db: Path) -> None:
    with db.writing(fresh_db) as con:
        for source in range(1, 50):
            add_source(con, source, "credible", effect=None, tissue=f"Tissue{source}")
        con.execute("INSERT INTO credible (source_id, assembly, chrom, pos, ref, alt, gene_id, pip) "
                    "SELECT source_id, 'GRCh38', 'chr1', 7, 'A', 'C', 'ENSG1', 0.95 FROM source")  # fmt: skip
    shown = runner.invoke(app, ["--db", str(fresh_db), "status"]).stdout
    assert len([line for line in shown.partition("Fine-mapping")[2].splitlines() if line.startswith("file")]) == 49


def test_schema_explains_a_view_and_refuses_an_unknown_one(demo: tuple[Path, str]) -> None:
    db = demo[0] / "demo.duckdb"
    shown = agdb(db, "schema", "scored_qtl").stdout
    assert "in_peak" in shown
    assert "rule span" in shown
    assert agdb(db, "schema", "nothing").returncode == 2


def test_check_passes_on_the_demo(demo: tuple[Path, str]) -> None:
    shown = agdb(demo[0] / "demo.duckdb", "check")
    assert shown.returncode == 0
    assert "FAIL" not in shown.stdout


def test_check_fails_when_the_data_break_a_claim(demo: tuple[Path, str], tmp_path: Path) -> None:
    import duckdb

    db = tmp_path / "broken.duckdb"
    db.write_bytes((demo[0] / "demo.duckdb").read_bytes())
    with duckdb.connect(str(db)) as con:
        con.execute("INSERT INTO qtl SELECT * FROM qtl LIMIT 1")
    shown = agdb(db, "check")
    assert shown.returncode == 1
    assert "FAIL  one row per association" in shown.stdout


def test_predicting_again_scores_nothing_twice(demo: tuple[Path, str]) -> None:
    run = agdb(demo[0] / "demo.duckdb", "predict", "motif")
    assert run.returncode == 0, run.stderr
    assert "nothing to ask for: 2,000 variants were scored before" in run.stderr


def test_an_ambiguous_figure_lists_the_choices(demo: tuple[Path, str], tmp_path: Path) -> None:
    run = agdb(demo[0] / "demo.duckdb", "plot", "scatter", "-o", str(tmp_path / "x.png"))
    assert run.returncode == 2
    assert "--labels all --source 1 --scorer motif --window 501" in run.stderr


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["predict", "enformer"], 2, "unknown scorer 'enformer'"),
        (["predict", "motif", "--window", "7"], 2, "7"),
        (["predict", "motif", "--address", "localhost:1"], 2, "asks no server"),
        (["predict", "dnase-k562"], 3, "no API key"),
        (["predict", "dnase-k562", "--window", "2048"], 2, "16384, 131072, 524288, 1048576"),
        (["predict", "dnase-k562", "--address", "example.org:443", "--insecure"], 2, "loopback"),
        (["predict", "dnase-k562", "--key-file", "nowhere.txt"], 2, "no key file"),
        (["export", "nothing", "-o", "x.csv"], 2, "no view or table 'nothing'"),
        (["export", "correlation", "-o", "x.xlsx"], 2, "unknown format"),
        (["sql", "DELETE FROM qtl"], 2, "answers SELECTs"),
        (["sql", "SELECT nope FROM qtl"], 2, "nope"),
        (["sql", "SELECT 1", "--format", "xml"], 2, "unknown format"),
        (["plot", "scatter", "-o", "x.png", "--scorer", "nope"], 2, "--scorer motif"),
    ],
)
def test_a_wrong_request_says_what_and_how(demo: tuple[Path, str], words: list[str], code: int, message: str) -> None:
    env = {"AGDB_DB": str(demo[0] / "demo.duckdb"), "ALPHAGENOME_API_KEY": ""}
    run = runner.invoke(app, words, env=env)
    assert run.exit_code == code, run.output
    assert run.stderr.count("error: ") == 1
    assert message in run.stderr
    assert "Traceback" not in run.output


def test_a_reader_that_stops_early_is_no_error(demo: tuple[Path, str]) -> None:
    db = demo[0] / "demo.duckdb"
    words = [sys.executable, "-m", "agdb", "--db", str(db), "sql", "SELECT * FROM qtl, range(50)", "--format", "csv"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as run:
        assert run.stdout is not None
        assert run.stderr is not None
        run.stdout.readline()
        run.stdout.close()
        assert run.stderr.read() == b""


def test_the_answers_of_the_demo_are_the_golden_ones(demo: tuple[Path, str]) -> None:
    """Every statistic of every stratum, to six digits; AGDB_GOLDEN=write rewrites the file, to be read as a diff."""
    golden = Path(__file__).parent / "golden" / "demo_result.csv"
    query = (
        "SELECT metric, scorer, window_bp, stratum, n, round(estimate, 6) AS estimate, round(ci_low, 6) AS ci_low, "
        "round(ci_high, 6) AS ci_high, printf('%.4g', p) AS p FROM result "
        "WHERE run_id = (SELECT min(run_id) FROM result) ORDER BY result_id"
    )
    found = agdb(demo[0] / "demo.duckdb", "sql", query, "--format", "csv").stdout
    if os.environ.get("AGDB_GOLDEN") == "write":
        golden.write_text(found, encoding="utf-8")
    assert found == golden.read_text(encoding="utf-8")
