"""`agdb predict dnase-k562` from the command line to the table, against a server on loopback."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import grpc
import pytest
from fake_alphagenome import K562, FakeAlphaGenome, Fault, fake_score

KEY = "AIzaSy-not-a-real-key-but-long-enough"


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """A database of 12 associations of 12 variants."""
    path = tmp_path / "study.duckdb"
    agdb(path, "init")
    with duckdb.connect(str(path)) as con:
        con.execute(
            "INSERT INTO source (source_id, kind, format, name, tissue, assembly, effect, path, sha256, bytes, run_id) "
            "VALUES (1, 'qtl', 'gtex_pairs', 'pairs', 'Whole_Blood', 'GRCh38', 'slope', 'pairs', '', 1, 1)"
        )
        con.execute(
            "INSERT INTO variant (assembly, chrom, pos, ref, alt) "
            "SELECT 'GRCh38', 'chr1', i, 'A', 'G' FROM range(2000000, 2000012) AS t(i)"
        )
        con.execute(
            "INSERT INTO qtl BY NAME SELECT 1 AS source_id, assembly, chrom, pos, ref, alt, 'g' AS gene_id, "
            "(pos % 7 - 3) / 2 AS slope FROM variant"
        )
    return path


def agdb(db: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "agdb", "--db", str(db), *words],
        capture_output=True, text=True, check=False, env={"ALPHAGENOME_API_KEY": KEY, "COLUMNS": "200"},
    )  # fmt: skip


def predict(db: Path, address: str, *words: str) -> subprocess.CompletedProcess[str]:
    return agdb(db, "predict", "dnase-k562", "--address", address, "--insecure", *words)


def rows(db: Path, query: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(db), read_only=True) as con:
        return con.execute(query).fetchall()


@pytest.fixture
def fake() -> Iterator[tuple[FakeAlphaGenome, str]]:
    server = FakeAlphaGenome(faults={"chr1:2000003:A>G": Fault(grpc.StatusCode.INVALID_ARGUMENT, "bad variant")})
    with server as address:
        yield server, address


def test_scores_land_in_the_table_and_refused_variants_in_failure(db: Path, fake: tuple[FakeAlphaGenome, str]) -> None:
    run = predict(db, fake[1])
    assert run.returncode == 0, run.stderr
    found = rows(db, "SELECT variant_id(chrom, pos, ref, alt), score, track_id, provider FROM prediction ORDER BY 1")
    assert found == [
        (f"chr1_{i}_A_G", fake_score(f"chr1:{i}:A>G", K562), K562, "alphagenome")
        for i in range(2_000_000, 2_000_012)
        if i != 2_000_003
    ]
    assert [r[0] for r in rows(db, "SELECT variant_id(chrom, pos, ref, alt) FROM failure")] == ["chr1_2000003_A_G"]
    assert "11 variants scored, 1 failed with a reason" in run.stderr


def test_no_call_is_made_twice(db: Path, fake: tuple[FakeAlphaGenome, str]) -> None:
    server, address = fake
    predict(db, address, "--limit", "5")
    predict(db, address)
    again = predict(db, address)
    assert "0 variants scored" in again.stderr
    assert len(server.calls) == len(set(server.calls)) == 12


def test_a_provider_that_fails_stops_the_run_and_keeps_what_was_scored(db: Path) -> None:
    fault = Fault(grpc.StatusCode.PERMISSION_DENIED, "no access")
    with FakeAlphaGenome(faults={"chr1:2000006:A>G": fault}) as address:
        run = predict(db, address)
    assert run.returncode == 3
    assert "PERMISSION_DENIED" in run.stderr
    scored = {r[0] for r in rows(db, "SELECT variant_id(chrom, pos, ref, alt) FROM prediction")}
    assert {f"chr1_{i}_A_G" for i in range(2_000_000, 2_000_006)} <= scored
    assert "chr1_2000006_A_G" not in scored
    assert rows(db, "SELECT status FROM run WHERE command = 'predict'") == [("failed",)]


def test_the_key_is_written_nowhere(db: Path, fake: tuple[FakeAlphaGenome, str]) -> None:
    server, address = fake
    run = predict(db, address)
    assert server.keys == {KEY}
    assert KEY not in run.stdout + run.stderr
    for file in db.parent.rglob("*"):
        assert not file.is_file() or KEY.encode() not in file.read_bytes()


def test_the_scorer_is_stored_with_all_that_makes_its_number(db: Path, fake: tuple[FakeAlphaGenome, str]) -> None:
    predict(db, fake[1], "--window", "16384")
    assert rows(
        db, "SELECT name, model, output_type, window_bp, mask_bp, aggregation, track_set, is_signed FROM scorer"
    ) == [("dnase-k562", "alphagenome", "DNASE", 16_384, 501, "DIFF_LOG2_SUM", K562, True)]
    assert rows(db, "SELECT software FROM run WHERE command = 'predict'")[0][0].startswith("alphagenome ")  # type: ignore[attr-defined]
