"""Tables out: files that come back as they were, complete or not at all."""

import csv
import gzip
import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from rows import add_qtls, add_snvs, add_source

from agdb import db, export
from agdb.errors import Refused, UsageError

#: Values that formats like to spoil.
AWKWARD = [0.1, -1e-300, 1.7976931348623157e308, 123456789.123456789, 5e-324]


@pytest.fixture
def filled(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Five associations with awkward slopes, NULLs beside them, and a gene name with every special character."""
    add_source(con, 1)
    add_qtls(con, 1, add_snvs(con, 5), AWKWARD, gene=[f'gene "{i}", tab\there, élan' for i in range(5)])
    return con


def expected(con: duckdb.DuckDBPyConnection) -> list[dict[str, object]]:
    """Rows of `qtl` in the order of an export."""
    result = con.execute("SELECT * FROM qtl ORDER BY ALL")
    names = [d[0] for d in result.description or []]
    return [dict(zip(names, row, strict=True)) for row in result.fetchall()]


@pytest.mark.parametrize(("ending", "delimiter"), [("csv", ","), ("tsv", "\t")])
def test_a_text_file_holds_every_row_and_value(
    ending: str, delimiter: str, filled: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    path = tmp_path / f"qtl.{ending}"
    assert export.to_file(filled, "qtl", path) == 5
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter=delimiter))
    for row, was in zip(rows, expected(filled), strict=True):
        assert list(row) == list(was)
        assert row["gene_id"] == was["gene_id"]
        assert float(row["slope"]) == was["slope"]
        assert row["pval_nominal"] == ""


def test_a_json_file_is_one_array_of_the_rows(filled: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "qtl.json"
    assert export.to_file(filled, "qtl", path) == 5
    assert json.loads(path.read_text(encoding="utf-8")) == expected(filled)


def test_a_parquet_file_holds_types_too(filled: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / "qtl.parquet"
    assert export.to_file(filled, "qtl", path) == 5
    table = pq.read_table(path)
    assert table.to_pylist() == expected(filled)
    assert str(table.schema.field("slope").type) == "double"


@pytest.mark.parametrize("ending", ["csv", "json", "parquet"])
def test_an_empty_view_is_a_file_that_can_be_read(ending: str, con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    path = tmp_path / f"correlation.{ending}"
    assert export.to_file(con, "correlation", path) == 0
    if ending == "csv":
        assert path.read_text().startswith("label,tissue,scorer,window_bp,n,spearman")
    elif ending == "json":
        assert json.loads(path.read_text()) == []
    else:
        assert "spearman" in pq.read_table(path).column_names


def test_every_view_and_table_can_be_exported(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    names = export.view_names(con)
    assert {"correlation", "source", "run"} <= set(names)
    for name in names:
        export.to_file(con, name, tmp_path / f"{name}.csv")
    assert sorted(p.stem for p in tmp_path.glob("*.csv")) == sorted(names)


def test_rows_come_in_the_same_order_every_time(filled: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    export.to_file(filled, "qtl", tmp_path / "a.csv")
    filled.execute("CREATE TABLE turned AS FROM qtl ORDER BY slope DESC")
    filled.execute("DELETE FROM qtl")
    filled.execute("INSERT INTO qtl FROM turned")
    export.to_file(filled, "qtl", tmp_path / "b.csv")
    assert (tmp_path / "a.csv").read_bytes() == (tmp_path / "b.csv").read_bytes()


def test_a_format_that_is_asked_for_beats_the_ending(filled: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    export.to_file(filled, "qtl", tmp_path / "qtl.txt", "json")
    assert len(json.loads((tmp_path / "qtl.txt").read_text())) == 5


def test_an_ending_may_be_in_capitals(filled: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    export.to_file(filled, "qtl", tmp_path / "QTL.JSON")
    assert len(json.loads((tmp_path / "QTL.JSON").read_text())) == 5


@contextmanager
def no_file_beyond(n_bytes: int) -> Iterator[None]:
    """No file may grow beyond so many bytes, as on a disk that is full."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (n_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("name", ["many.csv.gz", "many.tsv.gz", "many.bed.gz"])
def test_what_is_packed_never_lies_on_the_disk_unpacked(
    name: str, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    con.execute("CREATE TABLE many AS SELECT 'chr1' AS chrom, range AS chrom_start, range + 1 AS chrom_end, "
                "repeat('x', 99) AS name, 'GRCh38' AS assembly FROM range(30_000)")  # fmt: skip
    with no_file_beyond(1_000_000):
        assert export.to_file(con, "many", tmp_path / name) == 30_000
    assert len(gzip.decompress((tmp_path / name).read_bytes())) > 3_000_000


@pytest.mark.parametrize("name", ["many.csv", "many.csv.gz", "many.parquet"])
def test_a_disk_that_is_full_is_told_and_nothing_is_left(
    name: str, con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    con.execute("CREATE TABLE many AS SELECT hash(range) AS h FROM range(200_000)")
    (tmp_path / "out").mkdir()
    with no_file_beyond(500_000), pytest.raises(Refused, match=r"cannot write.*File too large"):
        export.to_file(con, "many", tmp_path / "out" / name)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("name", ["qtl.xlsx", "qtl", "qtl.table"])
def test_an_unknown_format_lists_the_known_ones(name: str, filled: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="unknown format") as caught:
        export.to_file(filled, "qtl", tmp_path / name)
    assert "csv, tsv, json, parquet" in str(caught.value)
    assert list(tmp_path.glob("qtl*")) == []


@pytest.mark.parametrize(
    "name", ["nothing", "qtl; DROP TABLE qtl", "qtl WHERE false", "(SELECT 1)", "duckdb_tables()", ""]
)
def test_a_view_name_is_never_pasted_into_sql(name: str, filled: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no view or table") as caught:
        export.to_file(filled, name, tmp_path / "out.csv")
    assert "correlation" in str(caught.value)
    assert list(tmp_path.glob("*out*")) == []


def test_a_table_named_as_sql_reads_is_quoted(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute('CREATE TABLE "select ""x""" AS SELECT 1 AS one')
    assert export.to_file(con, 'select "x"', tmp_path / "out.csv") == 1


def test_a_quote_in_the_path_is_only_a_quote(filled: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert export.to_file(filled, "qtl", tmp_path / "o'clock.csv") == 5
    assert (tmp_path / "o'clock.csv").is_file()


def test_a_folder_that_is_not_there_is_refused_and_not_made(filled: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(Refused, match="cannot write"):
        export.to_file(filled, "qtl", tmp_path / "no" / "qtl.csv")
    assert not (tmp_path / "no").exists()


def test_a_target_that_is_a_folder_is_refused_and_nothing_is_left(
    filled: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (tmp_path / "out" / "qtl.csv").mkdir(parents=True)
    with pytest.raises(Refused, match="cannot write"):
        export.to_file(filled, "qtl", tmp_path / "out" / "qtl.csv")
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["qtl.csv"]


def test_a_file_is_replaced_only_when_the_new_one_is_complete(
    filled: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "bad.csv").write_text("the old file")
    filled.execute(
        "CREATE VIEW bad AS SELECT i, CASE WHEN i < 9000 THEN i ELSE error('late') END AS x FROM range(9001) AS r (i)"
    )
    with pytest.raises(duckdb.Error, match="late"):
        export.to_file(filled, "bad", folder / "bad.csv")
    assert [(p.name, p.read_text()) for p in folder.iterdir()] == [("bad.csv", "the old file")]


def test_every_view_name_is_a_name_of_the_database(fresh_db: Path) -> None:
    with db.reading(fresh_db) as con:
        names = export.view_names(con)
        assert names == sorted(names)
        for name in names:
            assert con.execute("SELECT count(*) FROM duckdb_columns() WHERE table_name = ?", [name]).fetchall() > [(0,)]


def test_rows_are_chosen_by_a_condition(filled: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    assert export.to_file(filled, "qtl", tmp_path / "some.csv", where="slope > 0 -- not the one below") == 4


@pytest.mark.parametrize("where", ["nothing = 1", "true) --", "true; DELETE FROM qtl", "slope >"])
def test_a_condition_that_is_none_is_refused(where: str, filled: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        export.to_file(filled, "qtl", tmp_path / "out.csv", where=where)
    assert list(tmp_path.glob("*out*")) == []


def test_an_assembly_is_chosen_and_an_unknown_one_refused(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    add_snvs(con, 3)
    assert export.to_file(con, "variant", tmp_path / "a.csv", assembly="GRCh38") == 3
    assert export.to_file(con, "variant", tmp_path / "b.csv", assembly="GRCh37") == 0
    with pytest.raises(UsageError, match="unknown assembly 'hg38'"):
        export.to_file(con, "variant", tmp_path / "c.csv", assembly="hg38")
    with pytest.raises(UsageError, match="has no assembly"):
        export.to_file(con, "run", tmp_path / "c.csv", assembly="GRCh38")


@pytest.mark.parametrize("ending", ["csv", "tsv", "json"])
def test_a_gzip_ending_compresses_the_same_bytes(
    ending: str, filled: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    export.to_file(filled, "qtl", tmp_path / f"a.{ending}")
    export.to_file(filled, "qtl", tmp_path / f"a.{ending}.gz")
    packed = (tmp_path / f"a.{ending}.gz").read_bytes()
    assert gzip.decompress(packed) == (tmp_path / f"a.{ending}").read_bytes()


def test_parquet_is_not_compressed_twice(filled: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="compressed as it is"):
        export.to_file(filled, "qtl", tmp_path / "a.parquet.gz")


TISSUES = ["Liver", "Brain/Cortex d=1", "élan", None]


@pytest.fixture
def tissues(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """An association of each tissue, one of them not known, with names that folders do not like."""
    ids = add_snvs(con, 4)
    for i, tissue in enumerate(TISSUES, 1):
        add_source(con, i, tissue=tissue)
        add_qtls(con, i, ids[: i + 1], [0.5 * i] * min(i + 1, 4))
    return con


def test_a_folder_has_a_part_for_each_tissue_and_reads_back_whole(
    tissues: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    folder = tmp_path / "parts"
    n = export.to_folder(tissues, "association", folder, ["tissue"])
    assert len(list(folder.iterdir())) == 4
    columns = [c for (c, *_) in tissues.execute("DESCRIBE association").fetchall()]
    listed = ", ".join(f'"{c}"::VARCHAR' for c in columns)
    query = f"SELECT {listed} FROM {{}} ORDER BY ALL"
    read = f"read_parquet('{folder}/*/*.parquet', hive_partitioning = true)"
    assert tissues.execute(query.format(read)).fetchall() == tissues.execute(query.format("association")).fetchall()
    assert n == 13


def test_parts_of_two_columns_stand_in_each_other(tissues: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    export.to_folder(tissues, "association", tmp_path / "parts", ["tissue", "chrom"], where="tissue = 'Liver'")
    found = [str(p.relative_to(tmp_path)) for p in (tmp_path / "parts").rglob("*.parquet")]
    assert found == ["parts/tissue=Liver/chrom=chr1/data_0.parquet"]


@pytest.mark.parametrize(("by", "said"), [(["nothing"], "no column 'nothing'"), (["tissue); --"], "no column")])
def test_a_part_by_an_unknown_column_is_refused(
    by: list[str], said: str, tissues: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=said):
        export.to_folder(tissues, "association", tmp_path / "parts", by)
    assert not (tmp_path / "parts").exists()


def test_a_folder_that_holds_something_is_left_alone(tissues: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep me")
    with pytest.raises(Refused, match="holds something"):
        export.to_folder(tissues, "association", folder, ["tissue"])
    assert [p.name for p in folder.iterdir()] == ["mine.txt"]


def test_what_a_killed_run_left_does_not_stop_the_next_one(tissues: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    left = tmp_path / ".parts.part" / "tissue=Liver" / "data_0.parquet"
    left.parent.mkdir(parents=True)
    left.write_bytes(b"PAR1")
    assert export.to_folder(tissues, "association", tmp_path / "parts", ["tissue"]) > 0
    assert not left.exists()
    assert [p.name for p in tmp_path.iterdir() if p.suffix == ".part"] == []


def test_a_folder_that_fails_is_not_there(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    con.execute(
        "CREATE VIEW bad AS SELECT i % 2 AS part, CASE WHEN i < 9000 THEN i ELSE error('late') END AS x "
        "FROM range(9001) AS r (i)"
    )
    (tmp_path / "out").mkdir()
    with pytest.raises(duckdb.Error, match="late"):
        export.to_folder(con, "bad", tmp_path / "out" / "parts", ["part"])
    assert list((tmp_path / "out").iterdir()) == []
