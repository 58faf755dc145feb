"""`agdb predict`, `scorers`, `merge` and `audit` as users meet them: bad input, exit codes, what is said and where."""

import json
import os
import re
import subprocess
import sys
import time
import traceback
from dataclasses import replace
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from fakes.faults import Plan
from fakes.process import Server
from fakes.sequence import snv
from make import fasta
from predictors import FakePredictor, scorer
from rows import add_qtls, add_source, add_variants
from runs import QUICK, asked
from typer.testing import CliRunner, Result

from agdb import db
from agdb.cli import app
from agdb.errors import ExitCode, UsageError
from agdb.predict import run
from agdb.predict.provider import Who, scorer_of
from agdb.predict.spool import batches, folder_of
from agdb.predict.work import Choice
from agdb.predictors import scorers

KEY = "AIza-made-up-key-that-nobody-has-0123456789"
N = 12


def fill(path: Path, first: int = 1_000_000, n: int = N, ref_status: str = "match") -> Path:
    """Put n SNVs of the made-up genome into a database, each with an association."""
    places = [("chr1", first + 40 * i) for i in range(n)]
    with db.writing(path) as con:
        add_source(con, 1)
        ids = add_variants(con, [(*place, *snv(*place)) for place in places], ref_status=ref_status)
        add_qtls(con, 1, ids, [(i % 7 - 3) / 2 for i in range(n)])
    return path


@pytest.fixture
def study(fresh_db: Path) -> Path:
    """A study of N SNVs."""
    return fill(fresh_db)


def agdb(path: Path, *words: object, **env: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(app, ["--db", str(path), *map(str, words)], env={"ALPHAGENOME_API_KEY": "", **env})


def at(server: Server) -> list[object]:
    """The options that name the made-up server."""
    return ["--window", 16384, "--address", server.address, "--insecure"]


def predicted(path: Path, server: Server, *words: object) -> Result:
    """`agdb predict dnase-k562`, which goes well."""
    result = agdb(path, "predict", "dnase-k562", *at(server), *words)
    assert result.exit_code == ExitCode.OK, result.stderr
    return result


def refused(result: Result, code: ExitCode) -> str:
    """What was wrong, in one error, with where and cure; nothing is on stdout."""
    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert result.stderr.count("error: ") == 1
    assert "cure:  " in result.stderr
    assert "Traceback" not in result.stderr
    return result.stderr.partition("error: ")[2]


# Bad input

USAGE: dict[str, tuple[list[object], str]] = {
    "an unknown scorer": (["dnase-k526"], "unknown scorer 'dnase-k526'.*dnase-k562"),
    "a window that the service dropped": (["dnase-k562", "--window", 2048], "no window of 2048 bp.*16384.*short"),
    "a window that no server reads": (["dnase-k562", "--window", 1000, "--address", "x:1"], "multiple of 2048"),
    "a tissue of a scorer that has none": (["dnase-k562", "--gtex-tissue", "Liver"], "has no GTEx tissue"),
    "rna without a tissue": (["rna"], "--gtex-tissue"),
    "an unknown aggregation": (["dnase-k562", "--aggregation", "SUM", "--name", "x"], "unknown aggregation.*DIFF_LOG2"),
    "a mask that AlphaGenome has not": (["dnase-k562", "--mask", 500, "--name", "x"], "no centre mask of 500 bp.*501"),
    "an unknown aggregation over tracks": (
        ["dnase-all", "--track-aggregation", "sum", "--name", "x"], "cannot be aggregated by 'sum'.*mean, max_abs",
    ),
    "another scorer under the old name": (["dnase-k562", "--mask", 2001], "another scorer.*--name"),
    "an unknown provider": (["dnase-k562", "--provider", "enformer"], "'enformer' does not compute"),
    "atlas at a window that it has not": (["dnase-k562", "--provider", "atlas", "--window", 16384], "Atlas holds no"),
    "motif with a server": (["motif", "--address", "localhost:1"], "motif asks no server"),
    "a shard that is none": (["dnase-k562", "--shard", "3/2"], "'3/2' is no shard"),
    "a shard in words": (["dnase-k562", "--shard", "first"], "'first' is no shard"),
    "tracks kept by a word": (["dnase-k562", "--keep", "some", "--dry-run"], "cannot be kept by 'some'"),
    "a condition that is no SQL": (["dnase-k562", "--where", "no = 1", "--dry-run"], "--where cannot be run"),
    "a work list without a folder": (["dnase-k562", "--variants", "x.parquet"], "--variants goes with --out"),
    "a work list and a choice": (
        ["dnase-k562", "--variants", "x.parquet", "--out", "o", "--in-peaks"], "without --in-peaks, --where and --sam",
    ),
    "two work lists": (
        ["dnase-k562", "--variants", "x.parquet", "--out", "o", "--worklist", "y.parquet"], "--variants is a work list",
    ),
    "a window of nothing": (["dnase-k562", "--window", 0], "reads no window of 0 bp"),
    "a key file that is not there": (["dnase-k562", "--key-file", "no.txt"], "there is no key file"),
    "workers, as analyse calls them": (["dnase-k562", "--workers", 2], "--actors.* are of a cluster"),
    "an output, as ingest calls it": (["dnase-k562", "--output-type", "ATAC"], "another scorer.*--name"),
    "a model object and a server": (["dnase-k562", "--model", "a:b", "--address", "x:1"], "model in this process"),
}  # fmt: skip


@pytest.mark.parametrize("what", USAGE)
def test_what_cannot_be_asked_is_refused_with_what_can(what: str, study: Path) -> None:
    words, message = USAGE[what]
    before = study.read_bytes()
    said = refused(agdb(study, "predict", *words), ExitCode.USAGE)
    assert re.search(message, said, re.DOTALL)
    assert study.read_bytes() == before
    assert not folder_of(study).exists()


def test_workers_are_called_in_analyse_as_in_predict_too(study: Path, tmp_path: Path) -> None:
    words = ["analyse", "--lake", tmp_path, "--actors", 2]
    assert "there is no lake here" in refused(agdb(study, *words), ExitCode.REFUSED)


def test_the_service_without_a_key_is_one_error_with_its_cure(study: Path) -> None:
    assert "ALPHAGENOME_API_KEY" in refused(agdb(study, "predict", "dnase-k562"), ExitCode.PROVIDER)


def test_a_database_that_is_not_there_is_one_error(tmp_path: Path) -> None:
    said = refused(agdb(tmp_path / "no.duckdb", "predict", "dnase-k562"), ExitCode.REFUSED)
    assert "there is no database here" in said


def test_a_database_without_variants_is_one_error_that_says_what_is_missing(fresh_db: Path) -> None:
    assert "ingest a QTL file" in refused(agdb(fresh_db, "predict", "dnase-k562"), ExitCode.REFUSED)


@pytest.mark.parametrize("scorer", ["motif", "original"])
def test_a_scorer_that_reads_the_genome_needs_one(scorer: str, study: Path, server: Server) -> None:
    of_server = [] if scorer == "motif" else at(server)
    said = refused(agdb(study, "predict", scorer, *of_server), ExitCode.REFUSED)
    assert "none is registered" in said or "no variant can be scored" in said
    assert "agdb ingest genome" in said or "a genome that covers its variants" in said


def test_a_fasta_that_is_not_of_the_variants_assembly_is_refused(fresh_db: Path, tmp_path: Path) -> None:
    fill(fresh_db, n=120, ref_status="unchecked")
    other = fasta(tmp_path / "other.fa", {"chr1:1000000-1004999": "ACGTT" * 1000})
    said = refused(agdb(fresh_db, "ingest", "genome", other, "--assembly", "GRCh38"), ExitCode.REFUSED)
    assert "this looks like another assembly than GRCh38" in said
    assert asked(fresh_db, "SELECT DISTINCT ref_status FROM variant") == [("unchecked",)]


def test_a_window_that_is_longer_than_the_contig_is_a_failure_with_its_reason(fresh_db: Path, tmp_path: Path) -> None:
    genome = fasta(tmp_path / "mt.fa", {"chrM": "ACGTT" * 80})
    with db.writing(fresh_db) as con:
        add_source(con, 1)
        variants = add_variants(con, [("chrM", p, "A", "C") for p in (101, 201)], ref_status="unchecked")
        add_qtls(con, 1, variants, [0.1, -0.2])
    assert agdb(fresh_db, "ingest", "genome", genome, "--assembly", "GRCh38").exit_code == ExitCode.OK
    result = agdb(fresh_db, "predict", "motif", "--window", 501)
    assert "0 variants scored, 2 failed with a reason" in result.stderr
    assert asked(fresh_db, "SELECT DISTINCT reason FROM failure") == [("window_outside_genome",)]


def test_a_term_without_a_track_is_refused_before_the_first_score(study: Path, server: Server) -> None:
    words = ["predict", "dnase-k562", "--tracks", "EFO:9999999", "--name", "none", *at(server)]
    assert "no DNASE track of EFO:9999999" in refused(agdb(study, *words), ExitCode.USAGE)
    assert "ScoreVariant" not in server.stats()["calls_by_method"]


def imported(path: Path, file: Path, version: str) -> Result:
    """Import scores of somebody else's model."""
    return agdb(path, "ingest", "predictions", file, "--window", 1000, "--scorer", "gkm", "--model-version", version,
                "--assembly", "GRCh38", "--map", "chrom=chrom,pos=pos,ref=ref,alt=alt,score=score")  # fmt: skip


def scored_file(path: Path, study: Path, shift: float) -> Path:
    """A table of scores of the variants of a study."""
    rows = asked(study, "SELECT chrom::VARCHAR, pos, ref, alt FROM variant ORDER BY pos")
    lines = ["chrom\tpos\tref\talt\tscore", *("\t".join(map(str, (*row, i + shift))) for i, row in enumerate(rows))]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_scores_of_another_model_version_under_the_same_name_never_mix(study: Path, tmp_path: Path) -> None:
    one, two = (scored_file(tmp_path / f"{shift}.tsv", study, shift) for shift in (0.5, 100.5))
    assert imported(study, one, "1").exit_code == ExitCode.OK
    imported(study, two, "2")  # whether it is refused or kept apart
    found = asked(study, "SELECT s.model_version, count(*), min(score), max(score) FROM score "
                         "JOIN scorer AS s USING (scorer_id) GROUP BY ALL ORDER BY 1")  # fmt: skip
    assert found[0] == ("1", N, 0.5, N - 0.5)
    assert found[1:] in ([], [("2", N, 100.5, N + 99.5)])


def test_other_scores_of_the_same_model_version_are_refused(study: Path, tmp_path: Path) -> None:
    one, two = (scored_file(tmp_path / f"{shift}.tsv", study, shift) for shift in (0.5, 100.5))
    imported(study, one, "1")
    assert "two different scores" in refused(imported(study, two, "1"), ExitCode.REFUSED)
    assert asked(study, "SELECT count(*), max(score) FROM score") == [(N, N - 0.5)]


def test_a_work_list_that_cannot_be_written_is_one_error(study: Path, tmp_path: Path) -> None:
    into = tmp_path / "no" / "such" / "v.parquet"
    said = refused(agdb(study, "predict", "dnase-k562", "--worklist", into), ExitCode.REFUSED)
    assert "cannot write: " in said
    assert f"where: {into}\n" in said


def test_tracks_may_be_told_apart_by_a_comma_and_a_space() -> None:
    who = Who(genome_of=lambda _: pytest.fail("no genome is read"))
    changes = {"tracks": "EFO:0002067, EFO:0002784", "of_tracks": "mean"}
    assert scorer_of("dnase-k562", None, None, changes, "x", "ALL_FOLDS", who).track_set == "EFO:0002067,EFO:0002784"


@pytest.mark.parametrize("content", [KEY.encode("utf-16"), b"", f"{KEY}\nanother".encode(), b"\xff" + KEY.encode()])
def test_a_key_file_that_holds_no_key_alone_is_refused_and_not_shown(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(content)
    who = Who(genome_of=lambda _: pytest.fail("no genome is read"), key_file=tmp_path / "key")
    scorer = scorer_of("dnase-k562", None, None, {}, None, "ALL_FOLDS", who)
    with pytest.raises(UsageError, match="key file") as caught:
        who.recipe(scorer, scorer.of)
    assert KEY not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("order", [("atlas", "alphagenome"), ("alphagenome", "atlas"), ("atlas",) * 2])
def test_atlas_is_the_first_to_be_asked_whichever_is_named_first(order: tuple[str, ...]) -> None:
    who = Who(genome_of=lambda _: pytest.fail("no genome is read"), providers=order)
    named = scorer_of("dnase-k562", None, None, {}, None, "ALL_FOLDS", who)
    assert [c.provider for c in named.computations] == sorted(set(order), reverse=True)


# merge


def test_a_folder_of_another_machine_is_merged_once(study: Path, server: Server, tmp_path: Path) -> None:
    listed, out = tmp_path / "work.parquet", tmp_path / "out"
    said = agdb(study, "predict", "dnase-k562", "--window", 16384, "--worklist", listed, "--address", "x:1").stderr
    assert f"{N} variants for dnase-k562" in said
    assert pq.read_table(listed).num_rows == N
    predicted(tmp_path / "no.duckdb", server, "--variants", listed, "--out", out)
    assert asked(study, "FROM scored_variant") == []
    merged = agdb(study, "merge", out)
    assert f"1 batches merged: {N} variants scored, 0 failed with a reason" in merged.stderr
    assert agdb(study, "merge").stderr == f"nothing waits in {folder_of(study)}\n"
    assert "nothing to ask for" in predicted(study, server).stderr


@pytest.mark.parametrize("what", ["cut short", "of another study"])
def test_a_batch_that_is_not_what_it_has_to_be_is_one_error_and_stays(
    what: str, study: Path, server: Server, tmp_path: Path, template_db: Path
) -> None:
    out = tmp_path / "out"
    predicted(study, server, "--out", out)
    (file,) = batches(out)
    into = study
    if what == "cut short":
        file.write_bytes(file.read_bytes()[:-9])
    else:
        into = tmp_path / "other.duckdb"
        into.write_bytes(template_db.read_bytes())
        fill(into, first=2_000_000)
    said = refused(agdb(into, "merge", out), ExitCode.REFUSED)
    assert ("no whole batch file" if what == "cut short" else "is it of another study?") in said
    assert f"where: {file}" in said
    assert file.exists()
    assert asked(into, "FROM prediction") == []


def test_folders_of_several_machines_are_merged_together(study: Path, tmp_path: Path) -> None:
    parts = [tmp_path / f"part-{i}" for i in (1, 2)]
    for i, part in enumerate(parts, 1):
        run.run(run.Place(study, out=part), scorer(), FakePredictor(), replace(QUICK, choice=Choice(shard=(i, 2))))
    assert f"2 batches merged: {N} variants scored" in agdb(study, "merge", *parts).stderr
    said = agdb(study, "merge", *parts).stderr
    assert said.startswith(f"nothing waits in {parts[0]}, {parts[1]}; 2 batches are merged, says agdb-merged.txt")


def test_a_folder_that_is_not_there_is_refused(study: Path, tmp_path: Path) -> None:
    words = ["merge", tmp_path, tmp_path / "no"]
    assert "there is no such folder" in refused(agdb(study, *words), ExitCode.USAGE)


# scorers, dry run, audit


def test_the_scorers_are_listed_with_tracks_calls_and_what_they_are_for() -> None:
    result = CliRunner().invoke(app, ["scorers"])
    assert result.exit_code == ExitCode.OK
    listed = {line.split()[0]: line for line in result.stdout.splitlines() if line.strip()}
    assert {"motif", *scorers.presets()} <= set(listed)
    assert "EFO:0002067" in listed["dnase-k562"]
    assert "305 tracks, mean" in listed["dnase-all"]
    assert all(preset.about in listed[name] for name, preset in scorers.presets().items())


def test_a_dry_run_says_the_calls_that_the_run_then_makes(study: Path, server: Server) -> None:
    dry = predicted(study, server, "--dry-run", "--limit", 7)
    said = dict(re.findall(r"^(.*?) {2,}([\d,]+)", dry.stdout, re.MULTILINE))
    assert (said["variants chosen"], said["to ask for"], said["calls to alphagenome"]) == (str(N), "7", "7")
    assert "ScoreVariant" not in server.stats()["calls_by_method"]
    predicted(study, server, "--limit", 7)
    assert server.stats()["calls_by_method"]["ScoreVariant"] == 7


@pytest.mark.parametrize(("noise", "identical"), [(0.0, "1"), (0.01, "0")])
def test_an_audit_says_how_far_the_provider_repeats_itself(
    noise: float, identical: str, study: Path, server: Server
) -> None:
    predicted(study, server)
    server.set_plan(Plan(noise=noise))
    result = agdb(study, "audit", "dnase-k562", "--sample", "50%", *at(server))
    assert result.exit_code == ExitCode.OK, result.stderr
    head, *lines = (line.split() for line in result.stdout.splitlines() if not set(line) <= {"-", " "})
    (row,) = (dict(zip(head, line, strict=True)) for line in lines)
    assert (row["variants"], row["share_identical"]) == ("6", identical)
    assert (float(row["largest_difference"]) > 0) == (noise > 0)
    assert float(row["largest_difference"]) <= noise


# What is said, and where


def test_what_is_said_where_there_is_no_terminal_is_a_line_at_the_start_and_one_at_the_end(
    study: Path, server: Server
) -> None:
    result = predicted(study, server)
    assert result.stdout == ""
    first, last = result.stderr.splitlines()
    assert first == "scorer dnase-k562 at 16,384 bp, by alphagenome"
    assert re.fullmatch(rf"{N} variants scored, 0 failed with a reason; {N} calls in \d+ s", last)


def test_a_run_with_nothing_to_do_says_so(study: Path, server: Server) -> None:
    predicted(study, server)
    assert f"nothing to ask for: {N} variants were scored before" in predicted(study, server).stderr


def test_the_log_is_json_lines_to_which_the_next_run_adds(study: Path, server: Server, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    predicted(study, server, "--log", log, "--limit", 5)
    predicted(study, server, "--log", log)
    events = [json.loads(line) for line in log.read_text().splitlines()]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+00:00", event["at"]) for event in events)
    ends = [(event["status"], event["scored"], event["calls"]) for event in events if event["event"] == "end"]
    assert ends == [("done", 5, 5), ("done", N - 5, N - 5)]


def test_a_database_that_others_hold_for_good_is_its_own_exit_code(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(db, "PATIENCE_S", 0.2)
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", code, str(study)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          text=True) as holder:  # fmt: skip
        assert holder.stdout is not None
        holder.stdout.readline()
        said = refused(agdb(study, "merge"), ExitCode.BUSY)
        holder.communicate("\n")
    assert f"PID {holder.pid}" in said


# The key


def found_in(process: "subprocess.Popen[str]", needle: str) -> bool:
    """Whether the arguments of a running process hold a text."""
    return needle.encode() in Path(f"/proc/{process.pid}/cmdline").read_bytes()


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="no /proc")
@pytest.mark.parametrize("is_refused", [False, True], ids=["taken", "refused"])
@pytest.mark.parametrize("how", ["environment", "file"])
def test_the_key_appears_nowhere(how: str, is_refused: bool, study: Path, server: Server, tmp_path: Path) -> None:
    server.set_plan(Plan(api_key="another one" if is_refused else KEY, latency_ms=100))
    key_file = tmp_path / "secret" / "key.txt"
    key_file.parent.mkdir()
    key_file.write_text(KEY + "\n")
    env = {**os.environ, "ALPHAGENOME_API_KEY": KEY if how == "environment" else ""}
    words = ["predict", "dnase-k562", *at(server), "--log", study.parent / "log.jsonl", "--out", study.parent / "out",
             *(["--key-file", key_file] if how == "file" else [])]  # fmt: skip
    command = [sys.executable, "-m", "agdb", "--db", str(study), *map(str, words)]
    seen = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env) as process:
        while process.poll() is None:
            assert not found_in(process, KEY)
            seen += 1
            time.sleep(0.05)
        out, said = process.communicate()
    assert process.returncode == (ExitCode.PROVIDER if is_refused else ExitCode.OK), said
    assert seen > 1
    assert KEY not in out + said
    files = [file for file in study.parent.rglob("*") if file.is_file()]
    assert {"log.jsonl", study.name} <= {file.name for file in files}
    assert is_refused or batches(study.parent / "out")
    assert not any(KEY.encode() in file.read_bytes() for file in files)
    agdb(study, "merge", study.parent / "out")
    assert KEY.encode() not in study.read_bytes()


def test_the_key_of_the_tests_would_be_found(tmp_path: Path) -> None:
    """The search itself: a process whose arguments hold the key is one."""
    command = [sys.executable, "-c", "input()", KEY]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 10
        while not found_in(process, KEY):  # until it has been started
            assert time.monotonic() < deadline
        process.communicate("\n")
