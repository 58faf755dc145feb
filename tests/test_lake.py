"""A lake holds the whole study: every table and view over it is that of the study, and what is not whole is refused."""

import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import lakes
import pytest
import runs
from lakes import Lakes
from predictors import FakePredictor
from typer.testing import CliRunner, Result

import agdb
from agdb import db, lake
from agdb.cli import app
from agdb.errors import AgdbError, Refused, UsageError
from agdb.lake import manifest, write


@pytest.fixture(scope="module")
def those(template_db: Path, tmp_path_factory: pytest.TempPathFactory) -> Lakes:
    """A study, its lake, and a database over it, that nobody writes to."""
    return lakes.made(template_db, tmp_path_factory.mktemp("lake"))


@pytest.fixture
def own(those: Lakes, tmp_path: Path) -> Lakes:
    """The same, to change: the database looks at the lake of `those` still."""
    shutil.copytree(those.folder, tmp_path / "lake")
    for path in (those.study, those.opened):
        shutil.copyfile(path, tmp_path / path.name)
    return Lakes(tmp_path / "study.duckdb", tmp_path / "lake", tmp_path / "opened.duckdb")


def cli(path: Path, *words: object) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, ["--db", str(path), *map(str, words)], env={"COLUMNS": "200"})


def said(path: Path, *words: object) -> str:
    """What a command prints, on stdout and stderr."""
    result = cli(path, *words)
    assert result.exit_code == 0, result.output
    return result.output


def refused(what: Callable[[], object], kind: type[AgdbError] = Refused) -> str:
    """What the refusal of a call says."""
    with pytest.raises(kind) as error:
        what()
    return str(error.value)


def described(root: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((root / "manifest.json").read_text())
    return found


# The same study


def test_every_table_comes_back(those: Lakes) -> None:
    with db.reading(those.study) as study, db.reading(those.opened) as opened:
        for table in lakes.names(study, "table"):
            if table in ("run", "schema_migration"):
                continue
            kept = lakes.rows(study, f"FROM {table}")
            assert kept, f"{table} is empty: it would show nothing"
            lakes.assert_same(lakes.rows(opened, f"FROM {table}"), kept, table)


def test_the_runs_come_back_and_the_opening_is_one_more(those: Lakes) -> None:
    with db.reading(those.study) as study, db.reading(those.opened) as opened:
        kept = study.execute("FROM run ORDER BY run_id").fetchall()
        assert opened.execute("FROM run ORDER BY run_id").fetchall()[:-1] == kept
        ((command, arguments),) = opened.execute("SELECT command, arguments FROM run ORDER BY run_id DESC LIMIT 1"
                                                 ).fetchall()  # fmt: skip
    sha256 = hashlib.sha256((those.folder / "manifest.json").read_bytes()).hexdigest()
    assert (command, json.loads(arguments)) == (
        "lake open", {"lake": str(those.folder), "manifest_sha256": sha256},
    )  # fmt: skip


def test_every_view_has_the_rows_of_the_study(those: Lakes) -> None:
    with db.reading(those.study) as study, db.reading(those.opened) as opened:
        for view in lakes.names(study, "view"):
            lakes.assert_same(lakes.rows(opened, f"FROM {view}"), lakes.rows(study, f"FROM {view}"), view)


def test_columns_types_and_comments_are_those_of_the_study(those: Lakes) -> None:
    query = ("SELECT table_name, column_name, data_type, comment FROM duckdb_columns() WHERE NOT internal "
             "ORDER BY table_name, column_index")  # fmt: skip
    with db.reading(those.study) as study, db.reading(those.opened) as opened:
        assert opened.execute(query).fetchall() == study.execute(query).fetchall()
        assert "One row per variant" in said(those.opened, "schema")
        lengths = "SELECT typeof(chrom) = typeof(NULL::chrom_t) FROM qtl LIMIT 1"
        assert opened.execute(lengths).fetchall() == [(True,)]


@pytest.mark.parametrize("words", [
    ("check",), ("sql", "SELECT tissue, count(*) FROM association GROUP BY ALL ORDER BY ALL"),
    ("explain", "1"), ("labels",),
], ids=lambda words: words[0])  # fmt: skip
def test_commands_say_the_same_of_both(those: Lakes, words: tuple[str, ...]) -> None:
    assert cli(those.opened, *words).output == cli(those.study, *words).output


def test_status_says_the_same_but_for_the_opening(those: Lakes) -> None:
    study, opened = (said(path, "status").split("Last runs")[0] for path in (those.study, those.opened))
    assert opened == study


def test_figures_reports_and_exports_are_those_of_the_study(those: Lakes, tmp_path: Path) -> None:
    made = {}
    for path in (those.study, those.opened):
        folder = tmp_path / path.stem
        folder.mkdir()
        said(path, "plot", "scatter", "-o", folder / "s.png", "--data", folder / "s.csv", "--source", 1, "--scorer",
             "scorer", "--window", 100)  # fmt: skip
        said(path, "export", "scored_qtl", "-o", folder / "scored.csv")
        said(path, "export", "variant", "-o", folder / "v.bed")
        made[path.stem] = {name: (folder / name).read_bytes() for name in ("s.csv", "scored.csv", "v.bed")}
        said(path, "report", "-o", folder / "r.md", "--scorer", "scorer")
        assert (folder / "r.md").stat().st_size > 1000
    assert made["opened"] == made["study"]


def test_stats_are_those_of_the_study_and_land_in_the_database_that_was_opened(own: Lakes) -> None:
    asked: dict[str, Any] = {"scorer": "scorer", "window": 100, "resamples": 200, "stratify": ("kind",)}
    found = [agdb.open(path).stats("best", **asked) for path in (own.study, own.opened)]
    study, opened = (table.drop(["result_id", "run_id"]).to_pylist() for table in found)
    lakes.assert_same([tuple(row.values()) for row in opened], [tuple(row.values()) for row in study], "result")
    assert len(found[0]) > 50


def test_a_label_set_may_be_added(own: Lakes) -> None:
    said(own.opened, "labels", "--add", "common", "--where", "maf > 0.2")
    agdb.open(own.opened).add_labels("rare", "maf < 0.1")
    assert "common" in said(own.opened, "labels")


def test_a_lake_of_a_lake_has_the_same_rows(own: Lakes, tmp_path: Path) -> None:
    agdb.open(own.opened).lake_export(tmp_path / "again")
    first, again = lake.found(own.folder), lake.found(tmp_path / "again")
    one, other = ([(file.path, file.rows) for table in manifest.LAYOUT for file in of.tables[table]]
                  for of in (first, again))  # fmt: skip
    assert one == other
    query = f"FROM '{own.folder}/{one[0][0]}' EXCEPT ALL FROM '{tmp_path}/again/{one[0][0]}'"
    assert duckdb.execute(query).fetchall() == []


# What is written


def test_the_same_study_gives_the_same_bytes_whatever_the_threads(those: Lakes, tmp_path: Path) -> None:
    with db.reading(those.study) as con:
        con.execute("SET threads = 3")
        lake.export(con, tmp_path / "lake")
    made, again = ({path.relative_to(root): path.read_bytes() for path in root.rglob("*") if path.is_file()}
                   for root in (those.folder, tmp_path / "lake"))  # fmt: skip
    assert made == again


def test_the_manifest_names_every_file_with_its_rows_bytes_and_sum(those: Lakes) -> None:
    found = lake.found(those.folder)
    there = {str(path.relative_to(those.folder)) for path in those.folder.rglob("*.parquet")}
    assert {file.path for file in found.files} == there
    for file in found.files:
        data = (those.folder / file.path).read_bytes()
        rows = duckdb.execute("SELECT sum(num_rows)::BIGINT FROM parquet_file_metadata(?)",
                              [str(those.folder / file.path).replace("[", "[[]")]).fetchall()  # fmt: skip
        assert (len(data), hashlib.sha256(data).hexdigest(), rows) == (file.bytes, file.sha256, [(file.rows,)])
    assert [(of["source_id"], of["sha256"]) for of in found.sources][:2] == [(1, "sha"), (2, "sha")]


def test_folders_are_hive_partitions_that_other_tools_read(own: Lakes) -> None:
    tissues = duckdb.execute("SELECT DISTINCT tissue FROM read_parquet(?, hive_partitioning = true) ORDER BY ALL",
                             [f"{own.folder}/qtl/*/*.parquet"]).fetchall()  # fmt: skip
    assert tissues == [("Lung",), (lakes.ODD,)]


def test_files_are_sorted(own: Lakes) -> None:
    (file,) = own.folder.glob("qtl/tissue=Lung/*.parquet")
    rows = duckdb.execute("SELECT source_id, chrom, pos FROM read_parquet(?)", [str(file)]).fetchall()
    assert rows == sorted(rows)


def test_what_else_lies_in_the_folders_is_not_read(own: Lakes, tmp_path: Path) -> None:
    (file,) = own.folder.glob("qtl/tissue=Lung/*.parquet")
    shutil.copyfile(file, file.with_name("part (1).parquet"))
    study = agdb.open_lake(own.folder, tmp_path / "new.duckdb")
    assert study.sql("SELECT count(*) AS n FROM qtl") == agdb.open(own.study).sql("SELECT count(*) AS n FROM qtl")


def test_a_folder_above_it_that_is_named_like_a_partition_changes_nothing(own: Lakes, tmp_path: Path) -> None:
    above = tmp_path / "tissue=Other" / "chrom=chr9"
    above.parent.mkdir()
    own.folder.rename(above)
    agdb.open_lake(above, tmp_path / "new.duckdb")
    with db.reading(own.study) as study, db.reading(tmp_path / "new.duckdb") as opened:
        for table in ("source", "gene", *manifest.LAYOUT):
            lakes.assert_same(lakes.rows(opened, f"FROM {table}"), lakes.rows(study, f"FROM {table}"), table)


def test_a_question_reads_the_files_of_its_chromosome_alone(those: Lakes) -> None:
    query = "EXPLAIN ANALYZE SELECT score FROM prediction WHERE computation_id = 'near' AND chrom = 'chr1'"
    with db.reading(those.opened) as opened:
        ((_, plan),) = opened.execute(query).fetchall()
    assert "Total Files Read: 1 " in plan


def test_what_agdb_did_not_make_is_left_out_and_told(own: Lakes, tmp_path: Path) -> None:
    with db.writing(own.study) as con:
        con.execute("CREATE TABLE my_genes AS SELECT 1 AS x; CREATE VIEW seen AS FROM my_genes; CREATE SCHEMA mine; "
                    "CREATE TABLE mine.qtl AS SELECT 1 AS x")  # fmt: skip
    assert "left out, since agdb did not make it: mine.qtl, my_genes, seen\n" in said(
        own.study, "lake", "export", tmp_path / "new"
    )
    assert lake.found(tmp_path / "new").tables.keys() == lake.found(own.folder).tables.keys()
    lake.open_database(lake.found(tmp_path / "new"), tmp_path / "new.duckdb")


def test_a_folder_that_holds_something_is_refused(own: Lakes) -> None:
    assert "holds something already" in refused(lambda: agdb.open(own.study).lake_export(own.folder))
    (hidden := own.folder.with_name("new") / ".lake.part").mkdir(parents=True)
    assert str(hidden) in refused(lambda: agdb.open(own.study).lake_export(hidden.parent))


def test_a_folder_that_is_there_is_filled_and_stays_the_folder_that_it_is(
    own: Lakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (mine := tmp_path / "shared").mkdir(mode=0o2770)
    mine.chmod(0o2770)
    before = set(tmp_path.iterdir()), mine.stat().st_ino
    monkeypatch.chdir(mine)
    said(own.study, "lake", "export", ".")
    assert (set(tmp_path.iterdir()), mine.stat().st_ino) == before
    assert (mine / "manifest.json").read_bytes() == (own.folder / "manifest.json").read_bytes()
    lake.found(mine, verify=True)
    assert {path.name for path in mine.iterdir()} == {path.name for path in own.folder.iterdir()}


@pytest.mark.parametrize("is_there", [False, True])
def test_an_export_that_fails_leaves_nothing(
    own: Lakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    was, n = write._file, iter(range(9))

    def until_full(*arguments: Any) -> manifest.File:
        if next(n) == 8:
            raise OSError(28, "No space left on device")
        return was(*arguments)

    monkeypatch.setattr(write, "_file", until_full)
    if is_there:
        (tmp_path / "new").mkdir()
    before = set(tmp_path.glob("new/**"))
    assert "No space left" in refused(lambda: agdb.open(own.study).lake_export(tmp_path / "new"))
    assert set(tmp_path.glob("new/**")) == before


def test_an_export_to_an_address_says_to_copy(own: Lakes) -> None:
    result = cli(own.study, "lake", "export", "s3://bucket/lake")
    assert (result.exit_code, "to a folder, not to an address" in result.output) == (2, True)


# What is refused


def change(root: Path, **told: object) -> None:
    """Change what the manifest says."""
    (root / "manifest.json").write_text(json.dumps(described(root) | told))


@pytest.mark.parametrize(("told", "why"), [
    ({"format": "other"}, "no lake of agdb"),
    ({"version": 2}, "of format 2, and this agdb reads 1"),
    ({"schema": {"migration": "0099_new", "sha256": "0"}}, "tables of another agdb: 0.1.0, migration 0099_new"),
    ({"tables": []}, "manifest cannot be read"),
])  # fmt: skip
def test_a_lake_that_this_agdb_cannot_read_is_refused(own: Lakes, told: dict[str, object], why: str) -> None:
    change(own.folder, **told)
    assert why in (text := refused(lambda: lake.found(own.folder)))
    assert "manifest.json" in text


def test_no_lake_is_refused(tmp_path: Path) -> None:
    assert "no lake here" in refused(lambda: lake.found(tmp_path))


def test_a_manifest_that_is_no_json_is_refused(own: Lakes) -> None:
    (own.folder / "manifest.json").write_text('{"format": "agdb-la')
    assert "manifest cannot be read" in refused(lambda: lake.found(own.folder))


def test_a_file_that_is_missing_is_named(own: Lakes) -> None:
    (own.folder / "variant/chrom=chr2/part.parquet").unlink()
    assert "variant/chrom=chr2/part.parquet" in (text := refused(lambda: lake.found(own.folder)))
    assert "a file of the lake is missing" in text


def test_a_file_that_is_cut_is_named(own: Lakes) -> None:
    file = own.folder / "variant/chrom=chr2/part.parquet"
    file.write_bytes(file.read_bytes()[:-100])
    assert "is cut" in (text := refused(lambda: lake.found(own.folder)))
    assert str(file) in text


def test_a_file_that_is_changed_is_found_by_its_sum(own: Lakes) -> None:
    file = own.folder / "peak.parquet"
    data = bytearray(file.read_bytes())
    data[len(data) // 2] ^= 1
    file.write_bytes(data)
    lake.found(own.folder)  # sizes are compared, sums where they are asked for
    assert "is changed: sha256" in refused(lambda: lake.found(own.folder, verify=True))
    result = cli(own.folder.parent / "new.duckdb", "lake", "open", own.folder, "--verify")
    assert (result.exit_code, "is changed: sha256" in result.output) == (1, True)
    assert not (own.folder.parent / "new.duckdb").exists()


def test_a_lake_that_is_not_where_it_was_is_told(own: Lakes, tmp_path: Path) -> None:
    study = agdb.open_lake(own.folder, tmp_path / "new.duckdb")
    own.folder.rename(tmp_path / "moved")
    assert f"is not there: {own.folder}" in refused(study.correlation)
    assert "lake open DIR" in refused(lambda: study.stats("all"))


def test_another_lake_in_the_place_of_the_one_that_was_opened_is_told(own: Lakes, tmp_path: Path) -> None:
    opened = agdb.open_lake(own.folder, tmp_path / "new.duckdb")
    with db.writing(own.study) as con:
        con.execute("DELETE FROM qtl WHERE source_id = 2")
    shutil.rmtree(own.folder)
    agdb.open(own.study).lake_export(own.folder)
    assert f"another lake lies where that was that this database looks at: {own.folder}" in refused(opened.correlation)


def test_a_link_to_a_lake_stays_a_link(own: Lakes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shared").symlink_to(own.folder)
    assert lake.found(tmp_path / "shared").root == f"{tmp_path}/shared"
    monkeypatch.chdir(tmp_path)
    assert lake.found("shared").root == f"{tmp_path}/shared"


def test_a_database_that_is_there_is_refused(own: Lakes) -> None:
    assert "there is a file already" in refused(lambda: agdb.open_lake(own.folder, own.study))


def test_a_file_that_is_no_parquet_leaves_no_database(own: Lakes, tmp_path: Path) -> None:
    file = own.folder / "source.parquet"
    file.write_bytes(b"x" * file.stat().st_size)
    assert "the lake cannot be read" in refused(lambda: agdb.open_lake(own.folder, tmp_path / "new.duckdb"))
    assert not (tmp_path / "new.duckdb").exists()


def test_an_address_without_its_extension_says_how_to_install_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert "INSTALL httpfs" in refused(lambda: lake.found("s3://bucket/lake"))


def test_a_lake_at_an_address_is_found_and_what_is_missing_named(own: Lakes, monkeypatch: pytest.MonkeyPatch) -> None:
    fsspec = pytest.importorskip("fsspec")  # alphagenome brings it
    store = fsspec.filesystem("memory")  # as s3://, whose extension tests do not have: it lists, sizes, reads
    for file in own.folder.rglob("*.*"):
        store.pipe(f"/bucket/lake/{file.relative_to(own.folder)}", file.read_bytes())
    connect = duckdb.connect

    def knowing(*arguments: Any, **options: Any) -> duckdb.DuckDBPyConnection:
        con = connect(*arguments, **options)
        con.register_filesystem(store)
        return con

    monkeypatch.setattr(duckdb, "connect", knowing)
    found = lake.found("memory://bucket/lake/")
    assert (found.root, found.tables) == ("memory://bucket/lake", lake.found(own.folder).tables)
    study = agdb.open_lake(found.root, own.opened.with_name("new.duckdb"))
    assert study.sql("FROM correlation").num_rows == agdb.open(own.study).sql("FROM correlation").num_rows
    store.rm("/bucket/lake/variant/chrom=chr2/part.parquet")
    assert "missing\n  where: memory://bucket/lake/variant/chrom=chr2" in refused(lambda: lake.found(found.root))


def test_sums_of_an_address_are_refused() -> None:
    assert "local files" in refused(lambda: lake.found("s3://bucket/lake", verify=True), UsageError)


def test_an_interrupted_analysis_says_that_nothing_is_kept(those: Lakes, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(lake, "analyse", interrupted)
    result = cli(those.opened, "analyse", "--lake", those.folder)
    assert (result.exit_code, "none was stored" in result.output) == (130, True)


@pytest.mark.parametrize("words", [
    ("ingest", "peaks", "{peaks}", "--biosample", "K562", "--assembly", "GRCh38"),
    ("merge", "{folder}"),
], ids=lambda words: words[1])  # fmt: skip
def test_a_command_that_writes_facts_is_refused(own: Lakes, tmp_path: Path, words: tuple[str, ...]) -> None:
    peaks = tmp_path / "p.bed"
    peaks.write_text("chr1\t1\t20\n")
    result = cli(own.opened, *(word.format(peaks=peaks, folder=own.folder) for word in words))
    assert result.exit_code == 1, result.output
    assert "looks at a lake" in result.output


def test_predict_is_refused_before_anything_is_asked_for(own: Lakes) -> None:
    predictor = FakePredictor()
    assert "looks at a lake" in refused(lambda: runs.predict(own.opened, predictor))
    assert predictor.asked == []


def test_tables_of_a_newer_agdb_are_refused_to_a_database_of_a_lake(
    own: Lakes, monkeypatch: pytest.MonkeyPatch
) -> None:
    new = db.Migration(9999, "9999_new", "ALTER TABLE qtl ADD COLUMN new INTEGER")
    monkeypatch.setattr(db, "migrations", lambda: [*agdb.schema.migrations(), new])
    assert "looks at a lake" in refused(lambda: db.create(own.opened))
