"""What docs/recipes.md says of other programs, on a study that needs no data: who reads it, and how."""

import io
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from rows import add_peaks, add_qtls, add_snvs, add_source

from agdb import db, export


@pytest.fixture
def study(fresh_db: Path) -> Path:
    """Five associations of a gene, three of them in a peak."""
    with db.writing(fresh_db) as con:
        add_source(con, 1)
        add_qtls(con, 1, add_snvs(con, 5), [0.1, -0.2, 0.3, -0.4, 0.5], gene="ENSG1.2")
        add_peaks(con, 2, [("chr1", 0, 35)])
    return fresh_db


@pytest.fixture
def mine(study: Path, tmp_path: Path) -> duckdb.DuckDBPyConnection:
    """A file of one's own, the study attached read-only."""
    con = duckdb.connect(str(tmp_path / "mine.duckdb"))
    con.execute(f"ATTACH '{study}' AS study (READ_ONLY)")
    return con


def test_views_of_an_attached_study_join_tables_of_ones_own(mine: duckdb.DuckDBPyConnection) -> None:
    with mine:
        mine.execute("CREATE TABLE favourite AS FROM (VALUES ('ENSG1'), ('ENSG7')) AS t (gene)")
        found = mine.execute(
            "SELECT f.gene, count(*) FROM favourite AS f JOIN study.association AS a "
            "ON starts_with(a.gene_id, f.gene || '.') GROUP BY f.gene"
        ).fetchall()
        assert found == [("ENSG1", 5)]


def test_views_on_views_of_an_attached_study_answer(mine: duckdb.DuckDBPyConnection) -> None:
    with mine:
        assert mine.execute("SELECT count(*) FROM study.candidate WHERE in_peak").fetchall() == [(3,)]


def test_macros_of_an_attached_study_want_use(mine: duckdb.DuckDBPyConnection) -> None:
    with mine:
        mine.execute("USE study")
        assert mine.execute("SELECT wilson(5, 10).low < 0.5 AND wilson(5, 10).high > 0.5").fetchall() == [(True,)]


def test_an_attached_study_cannot_be_changed(mine: duckdb.DuckDBPyConnection) -> None:
    with mine, pytest.raises(duckdb.Error, match="read-only"):
        mine.execute("DELETE FROM study.qtl")


def test_a_file_is_a_table_in_a_question(study: Path, tmp_path: Path) -> None:
    (tmp_path / "genes.csv").write_text("gene,name\nENSG1.2,ABC\nENSG9.1,XYZ\n")
    query = (
        f"SELECT name, count(*) AS n FROM association JOIN '{tmp_path / 'genes.csv'}' ON gene = gene_id GROUP BY name"
    )
    stream = io.BytesIO()
    with db.reading(study) as con:
        export.to_stream(con, query, "csv", stream)
    assert stream.getvalue() == b"name,n\nABC,5\n"


def test_two_programs_read_at_once(study: Path) -> None:
    code = f"import duckdb; print(duckdb.connect({str(study)!r}, read_only=True).sql('FROM qtl').fetchall().__len__())"
    with db.reading(study) as con:
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        assert int(other.stdout) == con.execute("SELECT count(*) FROM qtl").fetchall()[0][0] == 5


def test_duckdb_alone_gives_frames(study: Path) -> None:
    pl = pytest.importorskip("polars")
    with duckdb.connect(str(study), read_only=True) as con:
        pandas = con.sql("FROM association").df()
        polars = con.sql("FROM association").pl()
    assert isinstance(polars, pl.DataFrame)
    assert pandas["slope"].sum() == pytest.approx(polars["slope"].sum()) == pytest.approx(0.3)


def test_parquet_in_parts_answers_without_a_database(study: Path, tmp_path: Path) -> None:
    with db.reading(study) as con:
        export.to_folder(con, "association", tmp_path / "parts", ["tissue"])
    query = f"SELECT tissue, sum(slope) FROM '{tmp_path}/parts/*/*.parquet' GROUP BY tissue"
    with duckdb.connect() as con:
        assert con.execute(query).fetchall() == [("Lung", pytest.approx(0.3))]
