"""SQL answered: `agdb sql` and what stands below it; and mistakes told so that they can be cured."""

import io
import math
import os
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from rows import add_qtls, add_snvs, add_source
from typer.testing import CliRunner

from agdb import export
from agdb.cli import app
from agdb.errors import ExitCode, UsageError


@pytest.fixture
def filled(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Five associations."""
    add_source(con, 1)
    add_qtls(con, 1, add_snvs(con, 5), [0.1, -0.2, 0.3, -0.4, 0.5])
    return con


def asked(
    con: duckdb.DuckDBPyConnection, query: str, format_: str = "table", file: str | None = None, **values: str
) -> str:
    """What `agdb sql` prints."""
    stream = io.BytesIO()
    export.to_stream(con, query, format_, stream, values, file=file)
    return stream.getvalue().decode()


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
def test_whatever_is_no_select_is_refused(query: str, filled: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UsageError, match=r"answers SELECTs|there is no SELECT"):
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


def test_the_command_ends_with_the_code_of_a_wrong_request(fresh_db: Path) -> None:
    done = subprocess.run(agdb(fresh_db, "sql", "DELETE FROM qtl"), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "answers SELECTs" in done.stderr


def test_the_command_opens_the_database_read_only(fresh_db: Path) -> None:
    query = "SELECT nextval('peak_id')"  # a SELECT that would write
    done = subprocess.run(agdb(fresh_db, "sql", query), capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "read-only" in done.stderr


@pytest.mark.parametrize("format_", ["csv", "parquet"])
def test_rows_wait_beside_the_database_not_in_the_system_s_folder(
    format_: str, fresh_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    before = sorted(fresh_db.parent.iterdir())
    done = CliRunner().invoke(app, ["--db", str(fresh_db), "sql", "SELECT 1 AS one", "--format", format_])
    assert done.exit_code == ExitCode.OK
    assert sorted(fresh_db.parent.iterdir()) == before


def test_where_nothing_may_be_written_beside_the_database_it_answers_too(
    con: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    con.execute(f"SET temp_directory = '{tmp_path}/there/study.duckdb.tmp'")
    assert asked(con, "SELECT 1 AS one", "csv") == "one\n1\n"


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


def test_several_selects_are_answered_one_below_the_other(con: duckdb.DuckDBPyConnection) -> None:
    assert asked(con, "SELECT 1 AS a; SELECT 2 AS b;") == "a\n-\n1\n(1 rows)\n\nb\n-\n2\n(1 rows)\n"


@pytest.mark.parametrize("format_", ["csv", "json"])
def test_a_file_of_rows_holds_one_answer(format_: str, con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(UsageError, match="holds one answer, and 2 SELECTs are asked"):
        asked(con, "SELECT 1; SELECT 2", format_)


@pytest.mark.parametrize("format_", ["table", "csv"])
@pytest.mark.parametrize(
    ("where", "value"), [("slope > $x", "0.25"), ("gene_id = $x", "ENSG1"), ("chrom = $x", "chr1"), ("pos < $x", "40")]
)
def test_a_parameter_is_what_it_is_compared_with(
    where: str, value: str, format_: str, filled: duckdb.DuckDBPyConnection
) -> None:
    query = f"SELECT count(*) AS n FROM qtl WHERE {where}"
    found = asked(filled, query, format_, x=value)
    quoted = value if where.startswith(("slope", "pos")) else f"'{value}'"
    assert found == asked(filled, query.replace("$x", quoted), format_)


def test_a_parameter_is_bound_and_never_pasted(filled: duckdb.DuckDBPyConnection) -> None:
    assert asked(filled, "SELECT $x AS x", "csv", x="1'; DROP TABLE qtl; --") == "x\n1'; DROP TABLE qtl; --\n"


def test_statements_share_the_parameters_that_they_name(con: duckdb.DuckDBPyConnection) -> None:
    assert asked(con, "SELECT $a AS a; SELECT $b AS b", a="1", b="2").split()[2::5] == ["1", "2"]


@pytest.mark.parametrize(
    ("query", "values", "what", "cure"),
    [
        ("SELECT slop FROM qtl", {}, 'no column "slop"', "did you mean slope or slope_se"),
        ("SELECT q.slop FROM qtl AS q", {}, 'no column "slop" in q', "did you mean slope"),
        ("SELECT pip FROM qtl", {}, 'no column "pip"', "pip is a column of analysed_qtl"),
        ("SELECT * FROM correlatin", {}, 'no table or view "correlatin"', "did you mean correlation"),
        ("SELECT varant_id('chr1', 1, 'A', 'C')", {}, 'no function "varant_id"', "did you mean variant_id"),
        ("SELECT $x", {}, "no value is given for $x", "--param x=VALUE"),
        ("SELECT $x", {"x": "1", "y": "2"}, "no $y", "a parameter is written $name"),
        ("SELECT 1", {"x": "1"}, "no $x", "a parameter is written $name"),
        ("SELECT slope * $x FROM qtl", {"x": "2"}, "types in *(DOUBLE, STRING_LITERAL) are not clear", "$x::DOUBLE"),
        ("SELECT corr(slope) FROM qtl", {}, "no function takes corr(DOUBLE)", "there is corr(y DOUBLE, x DOUBLE)"),
        ("SELECT wilson(1)", {}, "wilson does not take these", "agdb schema wilson shows"),
        ("SELECT a.slope FROM qtl", {}, 'no table "a" in this query', "there is qtl"),
        ("SELECT slope, sum(pos) FROM qtl", {}, '"slope" is neither grouped by', "GROUP BY ALL"),
        ("FROM 'nothing.csv'", {}, "there is no file nothing.csv", "in quotes it is a file"),
        ("SELECT FROM", {}, "syntax error", "just before it"),
        ("SELECT variant_in_peak(1)", {}, 'no function "variant_in_peak"', "agdb schema lists the macros"),
    ],
)
def test_a_mistake_is_told_with_what_would_have_been_right(
    query: str, values: dict[str, str], what: str, cure: str, con: duckdb.DuckDBPyConnection
) -> None:
    with pytest.raises(UsageError) as caught:
        asked(con, query, **values)
    assert what in caught.value.what
    assert cure in str(caught.value.cure)


def test_a_caret_stands_below_the_mistake(con: duckdb.DuckDBPyConnection) -> None:
    for format_ in ("table", "csv"):
        with pytest.raises(UsageError) as caught:
            asked(con, "SELECT 1,\n  slop FROM qtl", format_)
        _, line, caret, _ = str(caught.value).splitlines()
        assert line == "  where: line 2:   slop FROM qtl"
        assert caret == " " * line.index("slop") + "^^^^"


@pytest.mark.parametrize("before", ["", "-- a\nSELECT 1;\n\n\n", "SELECT\n1; SELECT 2\n;"])
def test_a_mistake_in_a_file_has_the_line_of_the_file(before: str, con: duckdb.DuckDBPyConnection) -> None:
    text = before + "SELECT 3,\n nothing FROM qtl"
    with pytest.raises(UsageError) as caught:
        asked(con, text, file="q.sql")
    assert str(caught.value.where).startswith(f"q.sql:{text.count(chr(10)) + 1}: ")


def test_the_command_reads_a_file_and_standard_input(fresh_db: Path, tmp_path: Path) -> None:
    query = "SELECT $n::INT + 1 AS n"
    (tmp_path / "q.sql").write_text(query)
    for source, given in ((str(tmp_path / "q.sql"), None), ("-", query)):
        words = agdb(fresh_db, "sql", "-f", source, "--param", "n=41", "--format", "csv")
        done = subprocess.run(words, input=given, capture_output=True, text=True, check=False)
        assert (done.stdout, done.stderr) == ("n\n42\n", "")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "no query is given, or two are"),
        (["SELECT 1", "-f", "q.sql"], "no query is given, or two are"),
        (["-f", "nothing.sql"], "no such file"),
        (["-f", sys.executable], "not text in UTF-8"),
        (["SELECT $x", "--param", "x"], "gives no name a value"),
    ],
)
def test_the_command_says_how_it_is_used(words: list[str], said: str, fresh_db: Path) -> None:
    done = subprocess.run(agdb(fresh_db, "sql", *words), capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert said in done.stderr


def test_a_pivot_whose_values_are_listed_is_a_select(con: duckdb.DuckDBPyConnection) -> None:
    rows = "(FROM (VALUES ('a', 1), ('b', 2), ('a', 3)) AS t (k, n))"
    assert asked(con, f"PIVOT {rows} ON k IN ('a', 'b') USING sum(n)", "csv") == "a,b\n4,2\n"
    with pytest.raises(UsageError) as caught:
        asked(con, f"PIVOT {rows} ON k USING sum(n)")
    assert "ON column IN (...)" in str(caught.value)


@pytest.mark.parametrize(
    ("drop", "query"), [("MACRO wilson", "SELECT wilson(1, 2)"), ("VIEW correlation", "FROM correlation")]
)
def test_views_of_an_older_agdb_are_told_from_names_that_do_not_exist(
    drop: str, query: str, con: duckdb.DuckDBPyConnection
) -> None:
    con.execute(f"DROP {drop}")
    with pytest.raises(UsageError) as caught:
        asked(con, query)
    assert "agdb init makes them anew" in str(caught.value)
