"""The database file: its migrations, its views and their comments, its lock, its runs.

`tests/golden/schema.sql` is what the migrations and views make, as DuckDB describes it, so that a change of the tables
is reviewed as a diff. After a wanted change write it anew: `AGDB_GOLDEN=write python -m pytest tests/test_db.py`.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from rows import add_scorer

from agdb import db, schema
from agdb.errors import DatabaseBusy, Refused

GOLDEN = Path(__file__).parent / "golden" / "schema.sql"
FILES = schema.sql_files("sql")
VIEWS = [f for f in FILES if "CREATE OR REPLACE VIEW" in f[1]]
MACROS = [f for f in FILES if f not in VIEWS]
CHECKS = schema.sql_files("sql/checks")


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped SQL in a folder of its own that a test may edit; agdb reads it from there."""
    here = tmp_path / "shipped"
    for folder in ("migrations", "sql"):
        (here / folder / "checks").mkdir(parents=True)
        for stem, text in schema.sql_files(folder):
            (here / folder / f"{stem}.sql").write_text(text)
    monkeypatch.setattr(schema, "shipped", lambda folder: here / folder)
    return here


def add_migration(files: Path, name: str, sql: str) -> Path:
    """One more migration in `files`."""
    path = files / "migrations" / f"{name}.sql"
    path.write_text(sql)
    return path


def applied(path: Path) -> list[str]:
    """Names of the migrations that a database has seen, in order."""
    with db.reading(path, current=False) as con:
        return [a.name for a in db.applied_migrations(con)]


def tables(path: Path) -> list[str]:
    """Names of its tables."""
    with db.reading(path, current=False) as con:
        return [str(n) for (n,) in con.execute("SELECT table_name FROM duckdb_tables() ORDER BY 1").fetchall()]


# Migrations


def test_a_new_database_has_every_migration_in_order_with_its_record(tmp_path: Path) -> None:
    done = db.create(tmp_path / "new.duckdb")
    assert [m.number for m in done] == list(range(1, len(done) + 1))
    with db.reading(tmp_path / "new.duckdb") as con:
        records = con.execute("SELECT number, name, sha256, duckdb_version FROM schema_migration").fetchall()
    assert records == [(m.number, m.name, m.sha256, duckdb.__version__) for m in db.migrations()]


def test_a_second_init_does_nothing(fresh_db: Path) -> None:
    with db.reading(fresh_db) as con:
        before = con.execute("FROM schema_migration").fetchall()
    assert db.create(fresh_db) == []
    with db.reading(fresh_db) as con:
        assert con.execute("FROM schema_migration").fetchall() == before


def test_a_new_migration_is_pending_until_it_is_applied_and_keeps_the_rows(fresh_db: Path, files: Path) -> None:
    with db.writing(fresh_db) as con:
        add_scorer(con, "kept")
    add_migration(files, "0099_more", "CREATE TABLE more (i INTEGER); INSERT INTO more SELECT count(*) FROM scorer")
    with pytest.raises(Refused, match="older agdb") as caught, db.reading(fresh_db):
        pass
    assert "migrate" in str(caught.value)
    assert [m.name for m in db.create(fresh_db)] == ["0099_more"]
    with db.reading(fresh_db) as con:
        assert con.execute("FROM more").fetchall() == [(1,)]


def test_a_migration_that_fails_rolls_back_whole_and_stays_pending(fresh_db: Path, files: Path) -> None:
    add_migration(files, "0098_good", "CREATE TABLE good (i INTEGER)")
    bad = add_migration(files, "0099_bad", "CREATE TABLE half (i INTEGER); SELECT error('midway')")
    before = tables(fresh_db), applied(fresh_db)
    with pytest.raises(duckdb.Error, match="midway"):
        db.create(fresh_db)
    assert (tables(fresh_db), applied(fresh_db)) == before
    bad.write_text("CREATE TABLE half (i INTEGER)")
    assert [m.name for m in db.create(fresh_db)] == ["0098_good", "0099_bad"]


@pytest.mark.parametrize("change", ["edited", "missing", "renamed", "late"])
def test_a_history_that_was_rewritten_is_refused_and_nothing_changes(change: str, fresh_db: Path, files: Path) -> None:
    first = files / "migrations" / "0002_contig_lengths.sql"
    add_migration(files, "0099_last", "CREATE TABLE last (i INTEGER)")
    db.create(fresh_db)
    before = tables(fresh_db), applied(fresh_db)
    if change == "edited":
        first.write_text(first.read_text() + "\n-- a small change\n")
    elif change == "missing":
        first.unlink()
    elif change == "renamed":
        first.rename(files / "migrations" / "0002_other.sql")
    else:
        add_migration(files, "0050_late", "CREATE TABLE late (i INTEGER)")
    message = {"edited": "was edited", "late": "out of order"}.get(change, "is missing from this agdb")
    for attempt in (db.create, lambda path: db.reading(path).__enter__()):
        with pytest.raises(Refused, match=message):
            attempt(fresh_db)
    assert (tables(fresh_db), applied(fresh_db)) == before


def test_a_database_of_a_newer_agdb_is_refused(fresh_db: Path) -> None:
    with duckdb.connect(str(fresh_db)) as con:
        con.execute("INSERT INTO schema_migration VALUES (9999, '9999_future', 'x', now()::TIMESTAMP, '99', '99')")
    with (
        pytest.raises(Refused, match="9999_future was applied") as caught,
        db.reading(fresh_db),
    ):
        pass
    assert "newer" in str(caught.value)


def test_what_is_pending_and_applied_can_be_listed_without_changing_anything(fresh_db: Path, files: Path) -> None:
    add_migration(files, "0099_more", "CREATE TABLE more (i INTEGER)")
    with db.reading(fresh_db, current=False) as con:
        listed = db.pending_migrations(db.migrations(), db.applied_migrations(con))
    assert [m.name for m in listed] == ["0099_more"]
    assert "more" not in tables(fresh_db)


# Files


def test_reading_needs_a_database_that_is_there(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="there is no database here") as caught, db.reading(tmp_path / "no.duckdb"):
        pass
    assert "init" in str(caught.value)
    assert not (tmp_path / "no.duckdb").exists()


@pytest.mark.parametrize("opening", [db.reading, db.writing, db.create])
def test_another_duckdb_file_is_refused_and_stays_as_it_is(opening: object, tmp_path: Path) -> None:
    path = tmp_path / "other.duckdb"
    with duckdb.connect(str(path)) as con:
        con.execute("CREATE TABLE theirs (i INTEGER)")
    with pytest.raises(Refused, match="not an agdb database"):
        enter(opening, path)
    with duckdb.connect(str(path)) as con:
        assert con.execute("SELECT table_name FROM duckdb_tables()").fetchall() == [("theirs",)]


@pytest.mark.parametrize("opening", [db.reading, db.writing, db.create])
def test_a_file_that_is_no_database_is_refused_and_stays_as_it_is(opening: object, tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a database\n" * 1000)
    with pytest.raises(Refused, match="cannot be opened"):
        enter(opening, path)
    assert path.read_text() == "not a database\n" * 1000


def enter(opening: object, path: Path) -> None:
    """Open in one of the three ways."""
    if opening is db.create:
        db.create(path)
        return
    assert callable(opening)
    with opening(path):
        pass


def test_a_folder_that_is_not_there_is_refused_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="folder of the database does not exist"):
        db.create(tmp_path / "no" / "new.duckdb")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_which_duckdb_cannot_write_its_log_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "what?" / "more"
    folder.mkdir(parents=True)
    with pytest.raises(Refused, match="a folder with \\? in its name"):
        db.create(folder / "new.duckdb")
    assert list(folder.iterdir()) == []
    db.create(tmp_path / "what?.duckdb")


def test_a_database_that_could_not_be_made_leaves_no_file(tmp_path: Path, files: Path) -> None:
    add_migration(files, "0099_bad", "SELECT error('no luck')")
    (tmp_path / "db").mkdir()
    with pytest.raises(duckdb.Error, match="no luck"):
        db.create(tmp_path / "db" / "new.duckdb")
    assert list((tmp_path / "db").iterdir()) == []


def test_a_database_that_somebody_else_made_meanwhile_is_never_removed(
    fresh_db: Path, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_migration(files, "0099_bad", "SELECT error('no luck')")
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path != fresh_db and exists(path))  # not there when we looked
    with pytest.raises(duckdb.Error, match="no luck"):
        db.create(fresh_db)
    monkeypatch.undo()
    assert applied(fresh_db) == [m.name for m in db.migrations()]


# The lock

HOLD = """
import sys, duckdb
con = duckdb.connect(sys.argv[1])
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def held(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process holds the database until its stdin is closed."""
    command = [sys.executable, "-c", HOLD, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.stdin.close()
            process.wait(timeout=30)


@pytest.mark.parametrize("opening", [db.reading, db.writing, db.create])
def test_whoever_waits_in_vain_is_told_who_holds_the_database(
    opening: object, fresh_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "PATIENCE_S", 0.3)
    with held(fresh_db) as holder, pytest.raises(DatabaseBusy) as caught:
        enter(opening, fresh_db)
    assert f"PID {holder.pid}" in str(caught.value)
    assert "one writer" in str(caught.value)
    assert fresh_db.is_file()


def test_a_writer_that_waits_gets_the_database_when_it_is_let_go(
    fresh_db: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "PATIENCE_S", 30.0)
    waited: list[float] = []
    with held(fresh_db) as holder:
        assert holder.stdin is not None

        def let_go(seconds: float) -> None:
            waited.append(seconds)
            holder.communicate("")  # ends the holder: the next attempt succeeds

        monkeypatch.setattr(db.time, "sleep", let_go)  # type: ignore[attr-defined]
        with db.writing(fresh_db) as con:
            add_scorer(con, "written")
    assert len(waited) == 1


def test_readers_do_not_shut_each_other_out(fresh_db: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from agdb import db\nwith db.reading(Path(sys.argv[1])): print('read')"
    )
    with db.reading(fresh_db):
        done = subprocess.run([sys.executable, "-c", code, fresh_db], capture_output=True, text=True, check=True)
    assert done.stdout == "read\n"


def test_a_reader_cannot_write(fresh_db: Path) -> None:
    with db.reading(fresh_db) as con, pytest.raises(duckdb.Error, match="read-only"):
        con.execute("DELETE FROM contig")


# Transactions and runs


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt])
def test_a_transaction_is_all_or_nothing(stop: type[BaseException], con: duckdb.DuckDBPyConnection) -> None:

    def write_and_stop() -> None:
        with db.transaction(con):
            add_scorer(con, "half")
            raise stop

    with pytest.raises(stop):
        write_and_stop()
    assert con.execute("SELECT count(*) FROM scorer").fetchall() == [(0,)]
    with db.transaction(con):
        add_scorer(con, "whole")
    assert con.execute("SELECT scorer_id FROM scorer").fetchall() == [("whole",)]


def test_the_first_error_is_told_even_where_the_rollback_fails_too(con: duckdb.DuckDBPyConnection) -> None:

    def roll_back_and_stop() -> None:
        with db.transaction(con):
            con.execute("ROLLBACK")  # as the engine does by itself after some errors
            raise ValueError("the cause")

    with pytest.raises(ValueError, match="the cause"):
        roll_back_and_stop()


def test_a_run_says_what_with_which_versions_and_how_it_ended(con: duckdb.DuckDBPyConnection) -> None:
    first = db.start_run(con, "ingest gtex", path=Path("a.gz"), tissue="Lung")
    second = db.start_run(con, "predict", "motif 1.0", limit=None)
    db.finish_run(con, second, 7, "failed")
    rows = con.execute(
        "SELECT run_id, command, status, n_rows, software, finished_at >= started_at FROM run"
    ).fetchall()
    assert rows == [(1, "ingest gtex", "running", None, None, None), (2, "predict", "failed", 7, "motif 1.0", True)]
    arguments = con.execute("SELECT arguments FROM run WHERE run_id = ?", [first]).fetchall()[0][0]
    assert json.loads(arguments) == {"path": "a.gz", "tissue": "Lung"}
    versions = con.execute("SELECT DISTINCT duckdb_version FROM run").fetchall()
    assert versions == [(duckdb.__version__,)]


def test_a_run_ends_in_one_of_the_known_ways(con: duckdb.DuckDBPyConnection) -> None:
    run_id = db.start_run(con, "stats")
    with pytest.raises(duckdb.ConstraintException):
        db.finish_run(con, run_id, 0, "finished")


def test_numbers_go_on_from_the_largest(con: duckdb.DuckDBPyConnection) -> None:
    assert db.next_id(con, "run") == 1
    db.start_run(con, "a")
    con.execute("UPDATE run SET run_id = 41")
    assert db.start_run(con, "b") == 42


def test_a_scorer_is_stored_once(con: duckdb.DuckDBPyConnection) -> None:
    add_scorer(con, "same")
    row = con.execute("SELECT * FROM scorer")
    names = [d[0] for d in row.description or []]
    content = dict(zip(names, row.fetchall()[0], strict=True))
    db.add_once(con, "scorer", content)
    db.add_once(con, "scorer", {**content, "scorer_id": "other"})
    assert con.execute("SELECT scorer_id FROM scorer ORDER BY 1").fetchall() == [("other",), ("same",)]


# Views, comments, checks


def test_every_table_view_and_column_says_what_it_means(con: duckdb.DuckDBPyConnection) -> None:
    silent = con.execute(
        "SELECT table_name, column_name FROM duckdb_columns() WHERE NOT internal AND schema_name = 'main' "
        "AND coalesce(trim(comment), '') = '' "
        "UNION ALL SELECT table_name, NULL FROM duckdb_tables() WHERE NOT internal AND coalesce(comment, '') = '' "
        "UNION ALL SELECT view_name, NULL FROM duckdb_views() WHERE NOT internal AND coalesce(comment, '') = ''"
    ).fetchall()
    assert silent == []


def test_comments_survive_when_the_views_are_made_anew(fresh_db: Path) -> None:
    query = "SELECT table_name, column_name, comment FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"
    with db.reading(fresh_db) as con:
        before = con.execute(query).fetchall()
    with db.writing(fresh_db) as con:
        assert con.execute(query).fetchall() == before


@pytest.mark.parametrize(
    "older",
    ["CREATE OR REPLACE MACRO views_sha256() AS 'of other files'", "DROP MACRO views_sha256", "DROP VIEW stratum"],
)
def test_views_of_an_older_version_are_made_anew_on_writing(fresh_db: Path, older: str) -> None:
    with duckdb.connect(str(fresh_db)) as con:
        con.execute("CREATE OR REPLACE VIEW pending AS SELECT 1 AS old")
        con.execute(older)
    with db.writing(fresh_db) as con:
        assert "scorer_id" in [d[0] for d in con.execute("FROM pending").description or []]
        con.execute("FROM stratum")


def test_views_of_this_version_are_left_as_they_are(fresh_db: Path) -> None:
    with db.writing(fresh_db) as con:
        con.execute("CREATE OR REPLACE VIEW pending AS SELECT 1 AS mine")
    with db.writing(fresh_db) as con:
        assert con.execute("FROM pending").fetchall() == [(1,)]


def test_every_view_of_the_database_has_its_file(con: duckdb.DuckDBPyConnection) -> None:
    names = con.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal ORDER BY 1").fetchall()
    assert [n for (n,) in names] == sorted(stem[3:] for stem, _ in VIEWS)


@pytest.mark.parametrize(("stem", "text"), VIEWS, ids=[s for s, _ in VIEWS])
def test_a_file_is_the_view_that_it_is_named_for_and_its_select_can_be_pasted(
    stem: str, text: str, con: duckdb.DuckDBPyConnection
) -> None:
    assert re.fullmatch(r"\d\d_\w+", stem)
    assert text.startswith("-- One row: ")
    made = re.findall(r"^CREATE .*", text, re.MULTILINE)
    assert made == [f"CREATE OR REPLACE VIEW {stem[3:]} AS"]
    body = text.partition(f"{made[0]}\n")[2]
    select = con.extract_statements(body)[0]
    assert select.type == duckdb.StatementType.SELECT
    described = [d[:2] for d in con.execute(select).description or []]
    assert described == [d[:2] for d in con.execute(f"FROM {stem[3:]}").description or []]
    others = con.extract_statements(body)[1:]
    assert all(re.match(rf"\s*COMMENT ON (VIEW|COLUMN) {stem[3:]}\b", s.query) for s in others)


@pytest.mark.parametrize(("stem", "text"), MACROS, ids=[s for s, _ in MACROS])
def test_a_file_without_a_view_makes_macros_and_says_what_they_are(
    stem: str, text: str, con: duckdb.DuckDBPyConnection
) -> None:
    assert re.fullmatch(r"\d\d_\w+", stem)
    made = re.findall(r"^CREATE OR REPLACE MACRO (\w+)\(", text, re.MULTILINE)
    assert stem[3:] in made
    assert re.findall(r"^COMMENT ON MACRO (\w+) IS", text, re.MULTILINE) == made


def test_a_view_stands_on_views_with_smaller_numbers() -> None:
    names = [stem[3:] for stem, _ in VIEWS]
    for at, (stem, text) in enumerate(VIEWS):
        body = re.sub(r"--.*|'[^']*'", "", text)
        later = [n for n in names[at + 1 :] if re.search(rf"(FROM|JOIN) {n}\b", body)]
        assert later == [], f"{stem} reads what is made after it"


@pytest.mark.parametrize(("stem", "text"), CHECKS, ids=[s for s, _ in CHECKS])
def test_a_check_has_its_headers_and_answers_source_and_problem(
    stem: str, text: str, con: duckdb.DuckDBPyConnection
) -> None:
    check = next(c for c in db.checks() if c.name == stem)
    assert check.severity in ("refuse", "warn")
    assert set(check.gates) <= {"qtl", "peaks", "genome", "genes", "predictions", "variants", "credible"}
    assert len(check.cure) > 10
    assert re.search(r"^-- One row: ", text, re.MULTILINE)
    result = con.execute(f"SELECT * FROM ({check.sql})")
    assert [d[0] for d in result.description or []] == ["source_id", "problem"]
    assert result.fetchall() == []  # an empty database breaks no claim
    assert check.claim == stem.replace("_", " ")


def test_the_documentation_says_a_line_about_each_check() -> None:
    page = (Path(__file__).parents[1] / "docs" / "ingest.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(\w+)` \| (refuse|warn) \| ", page, re.MULTILINE))
    assert listed == {c.name: c.severity for c in db.checks()}


def described(con: duckdb.DuckDBPyConnection) -> str:
    """Types, tables and views as DuckDB describes them, one column a line."""
    enums = con.execute(
        "SELECT type_name, array_to_string(labels, ', ') FROM duckdb_types() WHERE NOT internal AND labels IS NOT NULL "
        "AND schema_name = 'main' ORDER BY 1"
    ).fetchall()
    parts = [f"TYPE {name} ENUM ({labels})\n" for name, labels in enums]
    objects = con.execute(
        "SELECT 'TABLE', table_name, comment FROM duckdb_tables() WHERE NOT internal "
        "UNION ALL SELECT 'VIEW', view_name, comment FROM duckdb_views() WHERE NOT internal ORDER BY ALL"
    ).fetchall()
    for kind, name, comment in objects:
        columns = con.execute(
            "SELECT column_name || ' ' || if(starts_with(data_type, 'ENUM'), 'ENUM', data_type) "
            "|| if(is_nullable OR table_name NOT IN (SELECT table_name FROM duckdb_tables()), '', ' NOT NULL') "
            "|| coalesce(' DEFAULT ' || column_default, '') || '  -- ' || coalesce(comment, '?') "
            "FROM duckdb_columns() WHERE table_name = ? AND NOT internal ORDER BY column_index",
            [name],
        ).fetchall()
        checks = con.execute(
            "SELECT constraint_text FROM duckdb_constraints() WHERE table_name = ? AND constraint_type = 'CHECK' "
            "ORDER BY 1",
            [name],
        ).fetchall()
        lines = [str(line) for (line,) in [*columns, *checks]]
        parts.append(f"{kind} {name}  -- {comment}\n" + "".join(f"  {line}\n" for line in lines))
    return "\n".join(parts)


def test_the_tables_and_views_are_the_golden_ones(con: duckdb.DuckDBPyConnection) -> None:
    now = described(con)
    if os.environ.get("AGDB_GOLDEN") == "write":
        GOLDEN.parent.mkdir(exist_ok=True)
        GOLDEN.write_text(now, encoding="utf-8")
    assert now == GOLDEN.read_text(encoding="utf-8"), "AGDB_GOLDEN=write writes the golden file anew"


def test_the_wheel_ships_the_sql() -> None:
    settings = (Path(__file__).parents[1] / "pyproject.toml").read_text()
    for folder in ("sql", "migrations"):
        assert f'"{folder}" = "agdb/_resources/{folder}"' in settings
        assert schema.sql_files(folder)


def test_a_copied_file_is_the_same_database(fresh_db: Path, tmp_path: Path) -> None:
    shutil.copyfile(fresh_db, tmp_path / "copy.duckdb")
    assert applied(tmp_path / "copy.duckdb") == applied(fresh_db)
