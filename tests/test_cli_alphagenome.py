"""`agdb predict` of AlphaGenome's scorers from the command line to the views, against a made-up server on loopback."""

import json
import math
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fakes import genes, plain, sequence
from fakes.faults import Fault, Plan
from fakes.process import Server
from rows import add_qtls, add_source, add_variants
from served import FAR, GM12878, K562, KEY, MB, sdk
from typer.testing import CliRunner, Result

from agdb import db as database
from agdb.cli import app
from agdb.predictors.contract import Variant

N = 12


VARIANTS = [Variant("chr2", FAR + i, *sequence.snv("chr2", FAR + i)) for i in range(N)]
DELETION = Variant("chr2", FAR + N, sequence.text("chr2", FAR + N - 1, FAR + N + 2), "")._replace(
    alt=sequence.text("chr2", FAR + N - 1, FAR + N)
)
GENE = genes.inside("chr2", FAR - MB // 2, FAR + MB // 2)[0]


@pytest.fixture
def db(fresh_db: Path) -> Path:
    """A database of associations of 12 SNVs and a deletion with a gene."""
    with database.writing(fresh_db) as con:
        add_source(con, 1)
        ids = add_variants(con, [*VARIANTS, DELETION])
        add_qtls(con, 1, ids, [(i % 7 - 3) / 2 for i in range(len(ids))], gene=f"{GENE.gene_id}.4")
    return fresh_db


@pytest.fixture
def predict(db: Path, server: Server) -> Callable[..., Result]:
    """`agdb predict` with the server's address."""

    def run(*words: str, address: str | None = None) -> Result:
        given = ["--db", str(db), "predict", *words, "--address", address or server.address, "--insecure", "--quiet"]
        return CliRunner().invoke(app, given, env={"ALPHAGENOME_API_KEY": KEY})

    return run


def done(result: Result) -> Result:
    assert result.exit_code == 0, result.output
    return result


def rows(db: Path, query: str) -> list[tuple[object, ...]]:
    with database.reading(db) as con:
        return con.execute(query).fetchall()


def scores(db: Path, scorer: str) -> dict[str, float]:
    """What a scorer gives, by variant."""
    found = rows(db, f"SELECT variant_id, score FROM scored_qtl WHERE scorer = '{scorer}'")
    assert len(found) == len(dict(found))  # type: ignore[arg-type]
    return dict(found)  # type: ignore[arg-type]


def in_k562(*variants: Variant) -> dict[str, object]:
    """What is expected of the default scorer."""
    return {str(v): pytest.approx(plain.center_score(sdk(v)), rel=1e-3, abs=2e-6) for v in variants}


# --- scores -----------------------------------------------------------------------------------------------------------


def test_scores_land_in_the_views_and_refused_variants_in_failure(
    db: Path, server: Server, predict: Callable[..., Result]
) -> None:
    refused = str(sdk(VARIANTS[3]))
    server.set_plan(Plan(faults=(Fault(code="INVALID_ARGUMENT", details="bad variant", variants=(refused,)),)))
    result = done(predict("dnase-k562"))
    assert scores(db, "dnase-k562") == in_k562(*(v for v in [*VARIANTS, DELETION] if v != VARIANTS[3]))
    assert rows(db, "SELECT variant_id(chrom, pos, ref, alt), reason, attempts FROM failure") == [
        (str(VARIANTS[3]), "invalid_argument: bad variant", 1)
    ]
    assert "12 variants scored, 1 failed with a reason; 13 calls" in result.stderr
    assert result.stdout == ""


def test_every_track_is_kept_so_that_another_set_of_tracks_costs_no_call(
    db: Path, server: Server, predict: Callable[..., Result]
) -> None:
    done(predict("dnase-k562"))
    assert rows(db, "SELECT count(*) FROM prediction") == [(8 * 13,)]
    done(predict("dnase-gm12878"))
    of_both = ["dnase-k562", "--tracks", f"{K562},{GM12878}", "--track-aggregation", "mean", "--name", "both"]
    done(predict(*of_both))
    done(predict("dnase-all"))
    assert server.stats()["calls_by_method"]["ScoreVariant"] == 13
    k562, gm12878, both = (scores(db, name) for name in ("dnase-k562", "dnase-gm12878", "both"))
    expected = plain.center_score(sdk(VARIANTS[0]), f"DNASE|{GM12878} DNase-seq|UNSTRANDED")
    assert gm12878[str(VARIANTS[0])] == pytest.approx(expected, rel=1e-3, abs=2e-6)
    assert both == {v: pytest.approx((k562[v] + gm12878[v]) / 2, abs=1e-7) for v in k562}
    assert len(scores(db, "dnase-all")) == 13


def test_the_scorer_and_its_tracks_are_stored_with_all_that_makes_the_number(
    db: Path, predict: Callable[..., Result]
) -> None:
    done(predict("dnase-k562", "--window", "16384"))
    columns = "name, model, model_version, output_type, window_bp, mask_bp, aggregation, track_set, is_signed"
    assert rows(db, f"SELECT {columns} FROM scorer") == [
        ("dnase-k562", "alphagenome", "ALL_FOLDS", "DNASE", 16_384, 501, "DIFF_LOG2_SUM", K562, True)
    ]
    assert rows(db, "SELECT DISTINCT provider FROM computation") == [("alphagenome",)]
    assert rows(db, "SELECT name, strand, biosample_name, assay FROM track ORDER BY track_id LIMIT 2") == [
        ("EFO:0002784 DNase-seq", ".", "GM12878", "DNase-seq"), ("EFO:0002067 DNase-seq", ".", "K562", "DNase-seq"),
    ]  # fmt: skip
    [(software, calls)] = rows(db, "SELECT software, n_calls FROM run WHERE command = 'predict'")
    assert str(software).startswith("alphagenome ")
    assert calls == 13


def test_a_gene_score_meets_the_associations_of_its_gene(db: Path, predict: Callable[..., Result]) -> None:
    done(predict("rna-whole-blood"))
    found = scores(db, "rna-whole-blood")
    assert set(found) == {str(v) for v in [*VARIANTS, DELETION]}
    start = VARIANTS[0].pos - MB // 2
    exon = GENE.exon_start, GENE.exon_end
    # only the middle of a window acts on a gene, so that the gene and the middle make do for the plain sum
    middle = plain.windows(sdk(VARIANTS[0]), start + MB // 2 - 250, 506)
    drives = [1 + sum(plain.word_signal(w[i : i + 6], plain.WHOLE_BLOOD_RNA) for i in range(501)) / 50 for w in middle]
    text = plain.bases("chr2", exon[0], exon[1] + 5)
    total = sum(plain.word_signal(text[i : i + 6], plain.WHOLE_BLOOD_RNA) for i in range(exon[1] - exon[0]))
    ref, alt = (drive * total / (exon[1] - exon[0]) + 1e-3 for drive in drives)
    assert found[str(VARIANTS[0])] == pytest.approx(math.log(alt) - math.log(ref), rel=1e-3, abs=1e-6)


def test_the_tracks_of_both_strands_are_one_number_a_gene(db: Path, predict: Callable[..., Result]) -> None:
    """A gene has a score on the track of its own strand alone: nothing is missing."""
    of_k562 = ["--tracks", K562, "--track-aggregation", "mean", "--name", "rna-k562"]
    done(predict("rna-whole-blood", *of_k562))
    assert len(scores(db, "rna-k562")) == 13
    [(strand,)] = rows(
        db, f"SELECT DISTINCT strand FROM prediction JOIN track USING (track_id) WHERE gene_id = '{GENE.gene_id}'"
    )
    assert strand == GENE.strand


def test_the_tracks_of_all_gtex_tissues_are_a_set(db: Path, predict: Callable[..., Result]) -> None:
    done(predict("rna-whole-blood"))
    done(predict("rna-whole-blood", "--tracks", "gtex", "--track-aggregation", "mean", "--name", "rna-gtex"))
    assert scores(db, "rna-gtex") == scores(db, "rna-whole-blood")  # the server has one tissue


def test_the_studys_score_reads_the_registered_genome(
    db: Path, server: Server, predict: Callable[..., Result], tmp_path: Path
) -> None:
    assert "none is registered" in predict("original", "--window", "16384").stderr
    fasta = tmp_path / "genome.fa"
    sequence.write_fasta(fasta, "chr2", FAR - 20_000, FAR + 20_000)
    ingest = ["--db", str(db), "ingest", "genome", str(fasta), "--assembly", "GRCh38"]
    done(CliRunner().invoke(app, ingest))
    done(predict("original", "--window", "16384"))
    assert server.stats()["calls_by_method"]["PredictSequence"] == 2 * 13
    pair = plain.windows(sdk(DELETION), DELETION.pos - 1 - 8_192, 16_384)
    names = [str(name) for (name,) in rows(db, "SELECT name FROM track")]
    means = [[sum(plain.signal(w, f"DNASE|{name}|UNSTRANDED")) / 16_384 for name in names] for w in pair]
    expected = (sum(means[1]) - sum(means[0])) / len(names)
    assert scores(db, "original")[str(DELETION)] == pytest.approx(expected, rel=1e-3, abs=1e-9)


def test_atlas_answers_what_it_holds_and_the_model_the_rest(
    db: Path, server: Server, predict: Callable[..., Result]
) -> None:
    wrong = str(sdk(VARIANTS[5]))
    fault = Fault(code="INVALID_ARGUMENT", details="not here", methods=("GetDenseVariantScores",), variants=(wrong,))
    server.set_plan(Plan(faults=(fault,)))
    result = done(predict("dnase-k562", "--provider", "atlas", "--provider", "alphagenome"))
    assert "atlas: 11 scored, 1 refused" in result.stderr
    assert "13 variants scored, 0 failed" in result.stderr
    found = rows(db, "SELECT variant_id, provider, score FROM scored_qtl")
    assert {v for v, provider, _ in found if provider == "alphagenome"} == {str(VARIANTS[5]), str(DELETION)}
    assert len(found) == 13
    plainly = in_k562(*VARIANTS, DELETION)
    for variant, provider, score in found:
        assert isinstance(score, float)
        assert (score / 1.01 if provider == "atlas" else score) == plainly[str(variant)]


def test_two_servers_share_the_work(db: Path, server: Server, predict: Callable[..., Result]) -> None:
    with Server(Plan(latency_ms=100)) as other:
        server.set_plan(Plan(latency_ms=100))
        done(predict("dnase-k562", "--address", other.address))
        counts = [each.stats()["calls_by_method"].get("ScoreVariant", 0) for each in (server, other)]
    assert sum(counts) == 13
    assert scores(db, "dnase-k562") == in_k562(*VARIANTS, DELETION)


def test_a_model_object_of_the_users_own_scores_too(
    db: Path, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_own_model.py").write_text(
        "import grpc\n"
        "from alphagenome.models.v1.dna_client import DnaClient\n"
        f"def make():\n    return DnaClient(channel=grpc.insecure_channel('{server.address}'))\n"
    )
    monkeypatch.chdir(tmp_path)
    words = ["predict", "dnase-k562", "--model", "my_own_model:make", "--window", "16384", "--quiet"]
    done(CliRunner().invoke(app, ["--db", str(db), *words]))
    assert scores(db, "dnase-k562") == in_k562(*VARIANTS, DELETION)
    [(software,)] = rows(db, "SELECT software FROM run WHERE command = 'predict'")
    assert "DnaClient" in str(software)


# --- calls ------------------------------------------------------------------------------------------------------------


def test_no_call_is_made_twice(server: Server, predict: Callable[..., Result]) -> None:
    done(predict("dnase-k562", "--limit", "5"))
    done(predict("dnase-k562"))
    again = done(predict("dnase-k562"))
    assert "nothing to ask for: 13 variants were scored before" in again.stderr
    by_variant = server.stats(variants=True)["calls_by_variant"]
    assert by_variant == {str(sdk(v)): 1 for v in [*VARIANTS, DELETION]}


def test_calls_that_fail_for_now_are_made_again_until_all_is_scored(
    db: Path, server: Server, predict: Callable[..., Result]
) -> None:
    server.set_plan(Plan(faults=(Fault(code="INTERNAL", methods=("ScoreVariant",), first_attempts=1),)))
    result = done(predict("dnase-k562"))
    found = re.search(r"13 variants scored, 0 failed with a reason; (\d+) calls", result.stderr)
    assert found
    assert 26 <= int(found[1]) <= 28  # each twice; and one that was answered, while five in a row fail
    assert scores(db, "dnase-k562") == in_k562(*VARIANTS, DELETION)


def test_a_dry_run_asks_nothing_and_says_what_would_be_asked(
    db: Path, server: Server, predict: Callable[..., Result]
) -> None:
    result = done(predict("dnase-k562", "--dry-run"))
    assert "13" in result.stdout
    assert server.stats()["calls"] == 0
    assert rows(db, "SELECT count(*) FROM prediction") == [(0,)]


# --- what ends a run --------------------------------------------------------------------------------------------------


def test_a_provider_that_refuses_us_ends_the_run_and_what_was_scored_is_kept(
    db: Path, server: Server, predict: Callable[..., Result]
) -> None:
    bad = str(sdk(VARIANTS[6]))
    server.set_plan(Plan(faults=(Fault(code="PERMISSION_DENIED", details="no access", variants=(bad,)),)))
    stopped = predict("dnase-k562", "--in-flight", "1")
    assert stopped.exit_code == 3
    assert "PERMISSION_DENIED: no access" in stopped.stderr
    assert rows(db, "SELECT status FROM run WHERE command = 'predict'") == [("failed",)]
    before = scores(db, "dnase-k562")
    assert before == in_k562(*VARIANTS[:6])
    server.set_plan(Plan())
    server.reset()
    done(predict("dnase-k562"))
    assert scores(db, "dnase-k562") == in_k562(*VARIANTS, DELETION)
    assert server.stats()["calls_by_method"]["ScoreVariant"] == 13 - 6


def test_a_bad_key_stops_at_the_first_call(db: Path, server: Server, predict: Callable[..., Result]) -> None:
    server.set_plan(Plan(api_key="another", api_key_code="INVALID_ARGUMENT"))
    result = predict("dnase-k562")
    assert result.exit_code == 3
    assert "check the key in ALPHAGENOME_API_KEY" in result.stderr
    assert server.stats()["calls"] == 1
    assert rows(db, "SELECT count(*) FROM failure") == [(0,)]


def test_a_term_that_the_server_has_no_track_of_is_refused_before_the_first_score(
    db: Path, server: Server, predict: Callable[..., Result]
) -> None:
    result = predict("dnase-k562", "--tracks", "EFO:9999999", "--name", "nowhere")
    assert result.exit_code == 2
    assert "no DNASE track of EFO:9999999" in result.stderr
    assert server.stats()["calls_by_method"] == {"GetMetadata": 1}
    assert rows(db, "SELECT count(*) FROM scorer") == [(0,)]


def test_clear_text_to_another_computer_is_refused(predict: Callable[..., Result]) -> None:
    result = predict("dnase-k562", address="10.0.0.1:50051")
    assert result.exit_code == 2
    assert "must not travel in clear text" in result.stderr


@pytest.mark.parametrize(
    ("column", "value"), [("alt", "*"), ("ref", "t"), ("ref", "N"), ("alt", ""), ("alt", None), ("pos", 0)]
)
def test_a_file_of_variants_with_rows_that_are_none_is_refused_before_the_first_call(
    server: Server, tmp_path: Path, column: str, value: object
) -> None:
    good = VARIANTS[0]._asdict()
    pq.write_table(pa.Table.from_pylist([{**good, column: value}, good]), tmp_path / "variants.parquet")
    words = ["--variants", str(tmp_path / "variants.parquet"), "--out", str(tmp_path / "out"), "--quiet"]
    given = ["predict", "dnase-k562", *words, "--address", server.address, "--insecure"]
    result = CliRunner().invoke(app, given, env={"ALPHAGENOME_API_KEY": KEY})
    assert result.exit_code == 1
    assert "1 rows are no variants, e.g. chr2" in result.stderr
    assert server.stats()["calls"] == 0


# --- the key ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", ["environment", "file"])
def test_the_key_is_written_nowhere(db: Path, server: Server, tmp_path: Path, how: str) -> None:
    """Neither in output, log, spool nor database, though the server quotes it in whatever it refuses."""
    which = VARIANTS[1:3] + VARIANTS[-2:]
    quoting = [
        Fault(code=code, details=f"key {KEY}", variants=(str(sdk(v)),))
        for code, v in zip(["INVALID_ARGUMENT", "NOT_FOUND", "INTERNAL", "UNAUTHENTICATED"], which, strict=True)
    ]
    server.set_plan(Plan(api_key=KEY, faults=tuple(quoting)))
    environment = {**os.environ, "COLUMNS": "200"} | ({"ALPHAGENOME_API_KEY": KEY} if how == "environment" else {})
    words = ["--address", server.address, "--insecure", "--in-flight", "1", "--log", str(db.parent / "log.jsonl")]
    if how == "file":
        (tmp_path / "key").write_text(KEY + "\n")
        words += ["--key-file", str(tmp_path / "key")]
    command = [sys.executable, "-m", "agdb", "--db", str(db), "predict", "dnase-k562", *words]
    run = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert run.returncode == 3
    assert "[key]" in run.stderr
    assert rows(db, "SELECT count(*) FROM failure") == [(2,)]
    assert KEY not in run.stdout + run.stderr + "".join(command)
    files = [file for file in db.parent.rglob("*") if file.is_file()]
    assert {"log.jsonl", db.name} <= {file.name for file in files}
    assert [file for file in files if KEY.encode() in file.read_bytes()] == []


def test_the_log_is_json_lines_that_end_with_the_counts(
    db: Path, server: Server, predict: Callable[..., Result], tmp_path: Path
) -> None:
    server.set_plan(Plan(faults=(Fault(code="NOT_FOUND", details="no", variants=(str(sdk(VARIANTS[2])),)),)))
    done(predict("dnase-k562", "--log", str(tmp_path / "log")))
    events = [json.loads(line) for line in (tmp_path / "log").read_text().splitlines()]
    assert events[0]["event"] == "start"
    [end] = [event for event in events if event["event"] == "end"]
    assert (end["status"], end["scored"], end["failed"], end["calls"]) == ("done", 12, 1, 13)
    [failure] = [event for event in events if event["event"] == "failure"]
    assert (failure["variant"], failure["reason"]) == (str(VARIANTS[2]), "not_found: no")
