"""Rows out: files that come back as they were, complete or not at all; and `agdb sql`, which answers one SELECT."""

import csv
import io
import json
import math
import os
import subprocess
import sys
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


def asked(con: duckdb.DuckDBPyConnection, query: str, format_: str) -> str:
    """What `agdb sql` prints."""
    stream = io.BytesIO()
    export.to_stream(con, query, format_, stream)
    return stream.getvalue().decode()


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


GOLDEN_QUERY = """
    SELECT * FROM (VALUES (1, 0.1, 'a,b', true, NULL), (2, -2.5e-10, 'say "x"', false, 'end'))
    AS t (n, x, text, flag, rest) ORDER BY n
"""


def test_csv_bytes_are_golden(con: duckdb.DuckDBPyConnection) -> None:
    assert asked(con, GOLDEN_QUERY.replace("0.1", "0.1::DOUBLE"), "csv") == (
        'n,x,text,flag,rest\n1,0.1,"a,b",true,\n2,-2.5e-10,"say ""x""",false,end\n'
    )


def test_json_bytes_are_golden(con: duckdb.DuckDBPyConnection) -> None:
    assert asked(con, GOLDEN_QUERY, "json") == (
        '[\n\t{"n":1,"x":0.1,"text":"a,b","flag":true,"rest":null},\n'
        '\t{"n":2,"x":-2.5e-10,"text":"say \\"x\\"","flag":false,"rest":"end"}\n]\n'
    )


def test_a_table_is_aligned_for_eyes(con: duckdb.DuckDBPyConnection) -> None:
    rows = "('long name', 0.123456789, NULL), ('b', 12.0, 7)"
    assert asked(con, f"FROM (VALUES {rows}) AS t (name, x, n)", "table") == (
        "name              x  n\n---------  --------  -\nlong name  0.123457\nb                12  7\n(2 rows)\n"
    )


def test_a_long_table_says_that_there_is_more(con: duckdb.DuckDBPyConnection) -> None:
    lines = asked(con, f"FROM range({export.SHOWN + 1})", "table").splitlines()
    assert len(lines) == export.SHOWN + 3
    assert "more rows are not shown" in lines[-1]
    assert f"({export.SHOWN:,} rows)" in asked(con, f"FROM range({export.SHOWN})", "table")


def test_an_empty_answer_has_its_header(con: duckdb.DuckDBPyConnection) -> None:
    assert asked(con, "SELECT 1 AS one WHERE false", "table") == "one\n---\n(0 rows)\n"
    assert asked(con, "SELECT 1 AS one WHERE false", "csv") == "one\n"


@pytest.mark.parametrize("format_", ["table", "csv"])
@pytest.mark.parametrize(
    "query",
    [
        "SELECT 41 + 1 AS n;",
        "SELECT 41 + 1 AS n ; ; -- done;",
        "-- a question\nSELECT 41 + 1 AS n -- the answer",
        "/* ; */ SELECT 41 + 1 AS n /* ; */;",
        "WITH a AS (SELECT ';é;' AS t) SELECT 42 AS n FROM a WHERE t = ';é;' ; -- é;",
        "(SELECT 42 AS n)",
        "FROM (VALUES (42)) AS t (n)",
    ],
)
def test_comments_and_semicolons_may_stand_round_the_query(
    query: str, format_: str, con: duckdb.DuckDBPyConnection
) -> None:
    assert "42" in asked(con, query, format_).split()


def test_the_order_that_a_query_asks_for_is_kept(con: duckdb.DuckDBPyConnection) -> None:
    rows = asked(con, "SELECT i FROM range(3000) AS r (i) ORDER BY hash(i)", "csv").split()[1:]
    assert rows == [str(i) for (i,) in con.execute("SELECT i FROM range(3000) AS r (i) ORDER BY hash(i)").fetchall()]
    assert rows != sorted(rows, key=int)


REFUSED = [
    "INSERT INTO qtl SELECT * FROM qtl",
    "DELETE FROM qtl",
    "COPY qtl TO 'x.csv'",
    "ATTACH 'x.duckdb'",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE qtl",
    "SET threads = 1",
    "PRAGMA version",
    "CREATE TABLE t (i INTEGER)",
    "INSTALL httpfs",
    "EXPLAIN ANALYZE DELETE FROM qtl",
    "-- nothing",
    ";",
    "",
]


@pytest.mark.parametrize("query", REFUSED)
def test_whatever_is_not_one_select_is_refused(query: str, filled: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UsageError, match="answers one SELECT"):
        asked(filled, query, "csv")
    assert filled.execute("SELECT count(*) FROM qtl").fetchall() == [(5,)]


@pytest.mark.parametrize(
    "query", ["SELECT nothing FROM qtl", "SELEC 1", "SELECT 1) TO 'x.csv'; COPY (SELECT 1", "SELECT 'a"]
)
@pytest.mark.parametrize("format_", ["table", "csv"])
def test_a_query_that_fails_says_why(query: str, format_: str, con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UsageError, match="the query failed"):
        asked(con, query, format_)


def test_an_unknown_format_of_a_query_is_refused(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UsageError, match="unknown format 'xml'"):
        asked(con, "SELECT 1", "xml")


def test_cells_show_six_digits_and_nothing_for_null() -> None:
    table = export.text_table(["x", "t"], [(math.pi, None), (None, "a"), (float("nan"), "b")])
    assert table.splitlines()[2:] == ["3.14159", "         a", "    nan  b"]


def agdb(path: Path, *words: str) -> list[str]:
    """The command line of agdb on a database."""
    return [sys.executable, "-m", "agdb", "--db", str(path), *words]


@pytest.mark.parametrize("query", ["DELETE FROM qtl", "SELECT 1; SELECT 2"])
def test_the_command_ends_with_the_code_of_a_wrong_request(query: str, fresh_db: Path) -> None:
    done = subprocess.run(agdb(fresh_db, "sql", query), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "answers one SELECT" in done.stderr


def test_the_command_opens_the_database_read_only(fresh_db: Path) -> None:
    query = "SELECT nextval('peak_id')"  # a SELECT that would write
    done = subprocess.run(agdb(fresh_db, "sql", query), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "read-only" in done.stderr


def test_a_pipe_that_closes_early_is_no_error(fresh_db: Path) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        query = ["sql", "FROM range(100000)", "--format", "csv"]
        done = subprocess.run(agdb(fresh_db, *query), stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    finally:
        os.close(write)
    assert done.returncode == 0
    assert "Traceback" not in done.stderr


def test_every_view_name_is_a_name_of_the_database(fresh_db: Path) -> None:
    with db.reading(fresh_db) as con:
        names = export.view_names(con)
        assert names == sorted(names)
        for name in names:
            assert con.execute("SELECT count(*) FROM duckdb_columns() WHERE table_name = ?", [name]).fetchall() > [(0,)]
