"""agdb export as users meet it: what it says, and what it does not take together."""

import os
from pathlib import Path

import pytest
from rows import add_peaks, add_qtls, add_scorer, add_scores, add_snvs, add_source
from typer.testing import CliRunner

from agdb import db
from agdb.cli import app

runner = CliRunner()


@pytest.fixture
def study(fresh_db: Path) -> Path:
    """Thirty scored associations, and a peak."""
    with db.writing(fresh_db) as con:
        ids = add_snvs(con, 30)
        add_source(con, 1)
        add_qtls(con, 1, ids, [(-1) ** i * 0.1 * i for i in range(1, 31)])
        add_scorer(con, "m", 2048, name="mine")
        add_scores(con, "m", ids, [0.3 * (i % 7) - 1 for i in range(30)])
        add_peaks(con, 2, [("chr1", 0, 150)])
    return fresh_db


def agdb(study: Path, *words: str) -> tuple[int, str]:
    done = runner.invoke(app, ["--db", str(study), "export", *words])
    assert done.stdout == ""
    return done.exit_code, done.stderr


@pytest.mark.parametrize(("words", "name", "rows"), [
    (["candidate", "--where", "pos <= 100"], "v.bed", "10 rows of candidate"),
    (["peak"], "p.narrowPeak", "1 rows of peak"),
    (["candidate", "--scorer", "mine"], "v.vcf.gz", "30 rows of candidate"),
    (["association", "--partition-by", "tissue"], "parts", "30 rows of association"),
    (["candidate", "--assembly", "GRCh38"], "v.parquet", "30 rows of candidate"),
])  # fmt: skip
def test_it_says_what_it_wrote(words: list[str], name: str, rows: str, study: Path, tmp_path: Path) -> None:
    assert agdb(study, *words, "-o", str(tmp_path / name)) == (0, f"{tmp_path / name}: {rows}\n")
    assert (tmp_path / name).exists()


@pytest.mark.parametrize(("words", "said"), [
    (["correlation"], "-o correlation.csv"),
    (["correlation", "-o", "x.csv", "--source", "1"], "are of a layout"),
    (["association", "-o", "x", "--partition-by", "tissue", "--format", "csv"], "writes Parquet"),
    (["association", "-o", "x", "--partition-by", "tissue", "--scorer", "mine"], "writes Parquet"),
    (["association", "-o", "x.csv.gz", "--partition-by", "tissue"], "a folder of Parquet"),
    (["association", "-o", "-", "--partition-by", "tissue"], "one file of a --format"),
    (["association", "-o", "-"], "one file of a --format"),
    (["association", "-o", "-", "--format", "parquet"], "is written to a file"),
    (["out", "--layout", "other"], "unknown layout 'other'"),
    (["out", "--layout", "original", "-o", "x.csv"], "its own files"),
    (["out", "--layout", "original", "--source", "7"], "no association has a score that matches"),
])  # fmt: skip
def test_what_does_not_go_together_is_refused(words: list[str], said: str, study: Path) -> None:
    code, error = agdb(study, *words)
    assert code == 2
    assert said in error


def test_a_dash_writes_to_stdout_and_says_nothing_else(study: Path) -> None:
    done = runner.invoke(app, ["--db", str(study), "export", "peak", "-o", "-", "--format", "bed"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "chr1\t0\t150\t.\t0\t.\n"


def test_a_link_stays_a_link_and_a_pipe_a_pipe(study: Path, tmp_path: Path) -> None:
    link, target, pipe = tmp_path / "link.csv", tmp_path / "target.csv", tmp_path / "pipe.csv"
    target.write_text("old")
    link.symlink_to(target)
    os.mkfifo(pipe)
    assert agdb(study, "correlation", "-o", str(link))[0] == 0
    assert link.is_symlink()
    assert target.read_text().startswith("label,")
    code, error = agdb(study, "correlation", "-o", str(pipe))
    assert (code, pipe.is_fifo()) == (2, True)
    assert "a device or a pipe" in error
    link.unlink()
    link.symlink_to(os.devnull)
    assert agdb(study, "correlation", "-o", str(link), "--format", "csv")[0] == 2
    assert link.is_char_device()


def test_what_threads_add_up_is_settled_so_that_an_export_is_the_same_every_time(study: Path) -> None:
    with db.reading(study) as con:
        rows = con.execute("SELECT pearson, effect_sd, score_sd FROM stratum").fetchall()
    numbers = [x for row in rows for x in row if x is not None]
    assert numbers
    assert numbers == [float(f"{x:.12g}") for x in numbers]


def test_a_layout_lists_its_files_what_is_left_out_and_why(study: Path, tmp_path: Path) -> None:
    code, told = agdb(study, str(tmp_path / "out"), "--layout", "original")
    assert code == 0
    lines = told.splitlines()
    assert str(tmp_path / "out" / "output" / "gtex_eqtls.bed") in lines
    assert any(line.startswith("left out: multi_window_experiment/output/EXPERIMENT_SUMMARY.txt: ") for line in lines)
    assert "note: where names and texts say AlphaGenome, it is mine" in lines
