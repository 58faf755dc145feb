"""The Python side: each method gives what its command prints, and holds the file no longer than it needs."""

import csv
import io
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

import agdb
from agdb.errors import Refused, UsageError
from agdb.simulate import write_study


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> agdb.Study:
    """A simulated study, made by the methods alone: ingested, scored, tested."""
    folder = tmp_path_factory.mktemp("python")
    files = write_study(folder / "study", 600, 3)
    made = agdb.create(folder / "study.duckdb")
    made.ingest.gtex(files.pairs, tissue="Blood")
    made.ingest.peaks(files.peaks, biosample="Simulated", assembly="GRCh38")
    made.ingest.genome(files.genome, assembly="GRCh38")
    made.predict("motif")
    made.stats(stratify=("kind",), resamples=200)
    return made


def command(study: agdb.Study, *words: str) -> list[dict[str, str]]:
    """The rows that a command prints as CSV."""
    run = [sys.executable, "-m", "agdb", "--db", str(study.path), *words, "--format", "csv"]
    done = subprocess.run(run, capture_output=True, text=True, check=True)
    return list(csv.DictReader(io.StringIO(done.stdout)))


def test_importing_agdb_imports_nothing_heavy() -> None:
    code = "import sys, agdb; sys.exit(','.join({'duckdb', 'numpy', 'pyarrow', 'scipy'} & set(sys.modules)) or 0)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_what_agdb_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        agdb.nothing  # noqa: B018


def test_opening_what_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no database here"):
        agdb.open(tmp_path / "nothing.duckdb")


def test_opening_another_duckdb_file_is_refused(tmp_path: Path) -> None:
    duckdb.connect(str(tmp_path / "mine.duckdb")).close()
    with pytest.raises(Refused, match="not an agdb database"):
        agdb.open(tmp_path / "mine.duckdb")


def test_correlation_is_the_table_that_the_command_prints(study: agdb.Study) -> None:
    (row,) = study.correlation().to_pylist()
    (printed,) = command(study, "sql", "FROM correlation")
    assert {name: "" if value is None else str(value) for name, value in row.items()} == printed


@pytest.mark.parametrize("name", ["correlation", "stratum", "window_comparison", "scored_qtl", "association",
                                  "sources", "scorers", "failures", "results"])  # fmt: skip
def test_a_method_gives_its_view_as_an_arrow_table(name: str, study: agdb.Study) -> None:
    found = getattr(study, name)()
    view = name.removesuffix("s") if name in ("sources", "scorers", "failures", "results") else name
    assert isinstance(found, pa.Table)
    rows, there = found.to_pylist(), study.sql(f"FROM {view}")
    assert found.schema == there.schema
    assert sorted(map(repr, rows)) == sorted(map(repr, there.to_pylist()))


def test_a_method_takes_a_condition(study: agdb.Study) -> None:
    deletions = study.association("length(ref) > length(alt)")
    assert 0 < deletions.num_rows < study.association().num_rows
    assert all(len(row["ref"]) > len(row["alt"]) for row in deletions.to_pylist())


def test_a_table_goes_to_pandas_and_polars(study: agdb.Study) -> None:
    pl = pytest.importorskip("polars")
    table = study.sql("SELECT kind, count(*) AS n FROM candidate GROUP BY kind ORDER BY kind")
    assert table.to_pandas()["n"].sum() == pl.from_arrow(table)["n"].sum() == 600


def test_parameters_are_bound_with_their_types(study: agdb.Study) -> None:
    assert study.sql("SELECT $a + 1 AS x, $b AS y", a=1.5, b="it's").to_pylist() == [{"x": 2.5, "y": "it's"}]


@pytest.mark.parametrize("query", ["DELETE FROM qtl", "SELECT nothing FROM qtl", "SELECT 1; SELECT 2", "SELECT $x"])
def test_a_query_that_is_wrong_says_so(query: str, study: agdb.Study) -> None:
    with pytest.raises(UsageError):
        study.sql(query)


def test_a_query_that_fails_on_its_way_says_so(study: agdb.Study) -> None:
    with pytest.raises(UsageError, match="Could not convert"):
        study.sql("SELECT CAST(ref AS INTEGER) AS x FROM variant")


def test_an_unknown_view_lists_the_known_ones(study: agdb.Study) -> None:
    with pytest.raises(UsageError) as caught:
        study.table("nothing")
    assert "correlation" in str(caught.value)


def test_stats_gives_the_rows_that_it_stored(study: agdb.Study) -> None:
    found = study.stats("all", stratify=(), resamples=200, seed=5)
    assert {row["run_id"] for row in found.to_pylist()} == {found["run_id"][0].as_py()}
    assert "spearman" in found["metric"].to_pylist()
    assert set(found["stratification"].to_pylist()) == {"all"}
    rho = {row["metric"]: row["estimate"] for row in found.to_pylist()}["spearman"]
    assert rho == pytest.approx(study.correlation()["spearman"][0].as_py(), abs=1e-12)


def test_explain_says_what_the_command_says(study: agdb.Study) -> None:
    run = [sys.executable, "-m", "agdb", "--db", str(study.path), "explain", "1"]
    assert study.explain(1) + "\n" == subprocess.run(run, capture_output=True, text=True, check=True).stdout


def test_a_label_set_is_stored_and_used(study: agdb.Study) -> None:
    study.add_labels("common", "maf >= 0.05", unit="variant")
    found = study.stats("common", stratify=(), resamples=200)
    assert set(found["label_set"].to_pylist()) == {"common"}
    assert set(found["unit"].to_pylist()) == {"variant"}
    with pytest.raises(Refused, match="results refer to label set common"):
        study.remove_labels("common")
    study.add_labels("rare", "maf < 0.05")
    study.remove_labels("rare")
    assert "rare" not in study.labels()["name"].to_pylist()


def test_check_finds_nothing_on_good_data(study: agdb.Study) -> None:
    assert [claim for claim, _ in study.check() if "tss" not in claim] == []


@pytest.mark.parametrize(("options", "said"), [
    ({"resamples": -1}, "-1 resamples are too few"),
    ({"seed": -1}, "-1 is no seed"),
    ({"controls": 0}, "0 controls cannot be made"),
    ({"stratify": "peaks"}, "'peaks'"),
])  # fmt: skip
def test_numbers_out_of_range_leave_no_results(study: agdb.Study, options: dict[str, Any], said: str) -> None:
    before = study.results().num_rows
    with pytest.raises(UsageError, match=said):
        study.stats("all", **options)
    with pytest.raises(UsageError, match="too few"):
        study.compare_study(resamples=0)
    assert study.results().num_rows == before


def test_schema_tells_the_meaning_of_every_column(study: agdb.Study) -> None:
    assert "correlation" in study.schema()["name"].to_pylist()
    assert study.schema("correlation")["column"].to_pylist() == study.correlation().column_names
    assert None not in study.schema("correlation")["meaning"].to_pylist()


def test_schema_tells_how_a_macro_is_called_and_refuses_what_is_not_there(study: agdb.Study) -> None:
    (macro,) = study.schema("wilson").to_pylist()
    assert macro["macro"].startswith("wilson(")
    assert "sqrt" in macro["definition"]
    with pytest.raises(UsageError, match="no table, view or macro 'correlations'"):
        study.schema("correlations")


def test_predicting_where_nothing_can_be_scored_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="no variant can be scored"):
        agdb.create(tmp_path / "empty.duckdb").predict("dnase-k562")


def test_predicting_again_asks_for_nothing(study: agdb.Study) -> None:
    assert study.predict("motif").scored == 0


def test_a_model_in_this_process_scores(study: agdb.Study, tmp_path: Path) -> None:
    from test_model_object import LocalModel

    copy, model = agdb.open(shutil.copy(study.path, tmp_path)), LocalModel()
    done = copy.predict("dnase-k562", window=16384, model=model, where="pos > 20000", limit=3)
    assert (done.scored, len(model.asked)) == (3, 3)
    assert "dnase-k562" in copy.scorers()["name"].to_pylist()


@pytest.mark.parametrize(
    ("how", "why"),
    [({"engine": "spark"}, "no engine 'spark'"), ({"engine": "ray", "model": object()}, "cannot go to others")],
)
def test_who_cannot_compute_is_refused(study: agdb.Study, how: dict[str, Any], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        study.predict("dnase-k562", **how)


def test_a_file_that_is_there_already_is_not_new(study: agdb.Study) -> None:
    files = study.path.parent / "study"
    (name,) = study.sql("SELECT path FROM source WHERE kind = 'peaks'")["path"].to_pylist()
    assert Path(name).is_relative_to(files)
    assert not study.ingest.peaks(name, biosample="Simulated", assembly="GRCh38").is_new


def test_a_table_of_ones_own_is_told_by_its_columns(tmp_path: Path) -> None:
    made = agdb.create(tmp_path / "own.duckdb")
    path = tmp_path / "caqtl.csv"
    path.write_text("snp,beta,se,p,peak\n" + "".join(
        f"chr1_{1000 + i}_A_C,{(-1) ** i * (0.1 + i / 100)},0.05,{10 ** -(1 + i / 9):.3g},peak{i}\n" for i in range(40)
    ))  # fmt: skip
    columns = {
        "variant_id": "snp",
        "slope": "beta",
        "slope_se": "se",
        "pval_nominal": "p",
        "molecular_trait_id": "peak",
    }
    done = made.ingest.qtl(path, columns=columns, assembly="GRCh38", tissue="LCL", kind="caqtl", effect_unit="log2fc")
    assert (done.rows_kept, done.is_new) == (40, True)
    scores = tmp_path / "scores.csv"
    scores.write_text("id,s\nchr1_1000_A_C,0.5\nchr1_1001_A_C,-0.5\n")
    made.ingest.predictions(scores, scorer="mine", window=1000, columns={"variant_id": "id", "score": "s"},
                            assembly="GRCh38")  # fmt: skip
    assert sorted(made.scored_qtl()["score"].to_pylist()) == [-0.5, 0.5]


def test_export_writes_what_the_command_writes(study: agdb.Study, tmp_path: Path) -> None:
    assert study.export("candidate", tmp_path / "a.vcf", where="kind = 'SNV'") > 0
    words = ["export", "candidate", "-o", str(tmp_path / "b.vcf"), "--where", "kind = 'SNV'"]
    subprocess.run([sys.executable, "-m", "agdb", "--db", str(study.path), *words], capture_output=True, check=True)
    assert (tmp_path / "a.vcf").read_bytes() == (tmp_path / "b.vcf").read_bytes()
    assert study.export("association", tmp_path / "parts", partition_by=["chrom"]) == study.association().num_rows


def test_the_steps_from_the_original_study_are_stored_and_given(study: agdb.Study) -> None:
    found = study.compare_study(resamples=200)
    assert found.num_rows > 3
    assert found.equals(study.sql("FROM study_step WHERE run_id = $run ORDER BY place", run=found["run_id"][0].as_py()))


@pytest.mark.parametrize(("ending", "start"), [("html", "<!doctype html>"), ("md", "#")])
def test_a_report_is_written_in_both_forms(ending: str, start: str, study: agdb.Study, tmp_path: Path) -> None:
    study.report(tmp_path / f"report.{ending}", figures=False)
    assert (tmp_path / f"report.{ending}").read_text(encoding="utf-8").lower().startswith(start)


def test_a_report_in_another_form_is_refused(study: agdb.Study, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown format"):
        study.report(tmp_path / "report.docx")


def test_the_layout_of_the_original_study_is_written(study: agdb.Study, tmp_path: Path) -> None:
    written = study.export_original(tmp_path / "out")
    assert (tmp_path / "out" / "output" / "gtex_eqtls.bed").read_text().count("\n") == study.association().num_rows
    assert "where names and texts say AlphaGenome, it is motif" in written.notes


def test_a_figure_is_written_and_told(study: agdb.Study, tmp_path: Path) -> None:
    drawn = study.plot("scatter", tmp_path / "scatter.svg", stratum="kind: SNV")
    assert "Spearman" in drawn.told
    assert (tmp_path / "scatter.svg").read_text().lstrip().startswith("<?xml")


def test_between_calls_the_file_is_free_for_another_writer(study: agdb.Study) -> None:
    study.correlation()
    duckdb.connect(str(study.path)).close()  # would raise, were the file held with another configuration


def test_within_with_the_reader_lets_go_when_the_study_writes(study: agdb.Study) -> None:
    with study as held:
        before = held.results().num_rows
        held.stats("all", stratify=(), resamples=200)
        assert held.results().num_rows > before
    duckdb.connect(str(study.path)).close()


def test_within_with_the_connection_is_one(study: agdb.Study) -> None:
    with study as held, held.connection() as first, held.connection() as second:
        assert first is second


def test_a_connection_only_reads(study: agdb.Study) -> None:
    with study.connection() as con, pytest.raises(duckdb.Error, match="read-only"):
        con.execute("DELETE FROM qtl")


def test_a_study_shows_how_it_is_opened(study: agdb.Study) -> None:
    assert repr(study) == f"agdb.open({str(study.path)!r})"
