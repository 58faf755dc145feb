"""An option of `agdb ingest` that would change nothing is refused: nobody may think that it was applied."""

from pathlib import Path

import make
import pytest
from typer.testing import CliRunner

import agdb
from agdb.cli import app
from agdb.errors import ExitCode, UsageError
from agdb.ingest import qtl


@pytest.fixture
def preset(tmp_path: Path) -> Path:
    text = b'kind = "predictions"\nassembly = "GRCh38"\n[columns]\nvariant_id = "id"\nscore = "s"\n'
    return make.write(tmp_path / "mine.toml", text)


def refusal(db: Path, *words: object) -> str:
    """What a usage error says; nothing is written."""
    before = make.content(db)
    run = CliRunner().invoke(app, ["--db", str(db), "ingest", *map(str, words)], catch_exceptions=False)
    assert run.exit_code == ExitCode.USAGE, run.stderr
    assert make.content(db) == before
    return run.stderr


@pytest.mark.parametrize(
    ("command", "option", "value"),
    [("qtl", "--effect-allele", "ref"), ("qtl", "--effect-unit", "log2fc"), ("qtl", "--kind", "caqtl"),
     ("credible", "--kind", "caqtl")],
)  # fmt: skip
def test_what_a_recognised_table_says_itself_is_not_said_beside_it(
    fresh_db: Path, tmp_path: Path, command: str, option: str, value: str
) -> None:
    path = make.write(tmp_path / "a.txt", make.table(make.pairs_rows()))
    said = refusal(fresh_db, command, path, "--tissue", "Liver", option, value)
    assert f"{option} goes with --map: a preset says that itself" in said


@pytest.mark.parametrize("format_", ["tidy", "original", "preset", "map"])
def test_an_option_that_scores_have_no_use_for_is_refused(
    fresh_db: Path, tmp_path: Path, preset: Path, format_: str
) -> None:
    path = make.write(tmp_path / "s.csv", b"id,s\nchr1_1000_A_C,0.5\n")
    mine: list[object] = ["--scorer", "mine", "--window", 1000]
    cases: dict[str, tuple[list[object], list[str]]] = {
        "tidy": (["--format", "tidy"], ["--window", "--map", "--preset", "--effect-allele", "--unsigned",
                                        "--output-type", "--tissue", "--effect"]),
        "original": (["--format", "original", "--window", 1000], [
            "--where", "--lift", "--assembly", "--effect-allele", "--scorer", "--map", "--preset", "--unsigned",
            "--model-version", "--output-type"]),
        "preset": (["--preset", preset, *mine], ["--effect-allele", "--tissue", "--effect"]),
        "map": (["--map", "variant_id=id,score=s", "--assembly", "hg38", *mine], ["--tissue", "--effect"]),
    }  # fmt: skip
    given, useless = cases[format_]
    for option in useless:
        said = refusal(fresh_db, "predictions", path, *given, option, *([] if option == "--unsigned" else [7]))
        assert f"no use for {option}" in said or f"{option} goes with --map" in said


def test_an_interrupted_ingest_does_not_say_that_it_goes_on(
    fresh_db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(qtl, "gtex", interrupted)
    run = CliRunner().invoke(app, ["--db", str(fresh_db), "ingest", "gtex", str(tmp_path / "a.txt")])
    assert run.exit_code == ExitCode.INTERRUPTED
    assert run.stderr.startswith("interrupted: nothing of the file that was being read is kept; ")


def test_the_methods_of_python_refuse_what_a_preset_says_itself(fresh_db: Path, tmp_path: Path, preset: Path) -> None:
    study = agdb.open(fresh_db)
    path = make.write(tmp_path / "a.txt", make.table(make.pairs_rows()))
    with pytest.raises(UsageError, match="effect_unit goes with columns"):
        study.ingest.qtl(path, tissue="Liver", effect_unit="log2fc")
    with pytest.raises(UsageError, match="kind goes with columns"):
        study.ingest.credible(path, tissue="Liver", kind="caqtl")
    with pytest.raises(UsageError, match="effect_allele goes with columns"):
        study.ingest.predictions(path, scorer="mine", window=1000, preset=str(preset), effect_allele="ref")
