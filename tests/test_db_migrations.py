"""A database of an older agdb that holds scores: migrated, it has the same scores, and nothing is asked again."""

import hashlib
import json
import shutil
from pathlib import Path

import duckdb
import numpy as np
import pytest
from predictors import FakePredictor
from runs import asked, predict

from agdb import db, schema
from agdb.predictors.contract import Answer, Computation, Scorer, Track

OF = {"aggregation": "DIFF_LOG2_SUM", "assembly": "GRCh38", "is_signed": True, "mask_bp": 501, "model": "alphagenome",
      "model_version": "ALL_FOLDS", "output_type": "DNASE", "reads_genome": False, "window_bp": 1_048_576}  # fmt: skip
#: The scorers that there were, by the provider that answered them, as they were stored.
OLD = {
    "alphagenome": {**OF, "name": "dnase-k562", "track_set": "EFO:0002067"},
    "import": {**OF, "name": "original", "track_set": "all", "mask_bp": None, "aggregation": "DIFF_MEAN",
               "model_version": "2025-11", "window_bp": 16_384},
    "motif": {**OF, "name": "motif", "track_set": "", "mask_bp": None, "aggregation": "LOG2_RATIO",
              "model": "agdb-motif", "model_version": "1", "output_type": "OCCUPANCY", "reads_genome": True,
              "window_bp": 501},
}  # fmt: skip
VARIANTS = [("chr1", 100, "A", "C"), ("chr1", 200, "AT", "A"), ("chr2", 300, "G", "T")]


def old_id(scorer: dict[str, object]) -> str:
    """As agdb made it before."""
    return hashlib.sha256(json.dumps(scorer, sort_keys=True, separators=(",", ":")).encode()).hexdigest()[:16]


def scorer_of(provider: str, old: dict[str, object]) -> Scorer:
    """The same scorer, as agdb makes it now."""
    content = {key: value for key, value in old.items() if key not in ("name", "track_set")}
    computed = Computation(provider=provider, **content)  # type: ignore[arg-type]
    return Scorer(str(old["name"]), (computed,), str(old["track_set"]))


def score(provider: str, pos: int) -> float:
    """The score of a variant by a provider."""
    return pos + len(provider) / 8


def add_old_rows(con: duckdb.DuckDBPyConnection, number: int, scorers: dict[str, dict[str, object]]) -> None:
    """Variants; of each scorer a score of all but the last one, a failure on that, and a result."""
    has_keys = number >= 3  # a variant is told by its columns, no more by an id
    for variant in VARIANTS:
        key = dict(zip(("chrom", "pos", "ref", "alt"), variant, strict=True))
        add(con, "variant", assembly="GRCh38", ref_status="match", **key,
            **({} if has_keys else {"variant_id": "_".join(map(str, variant))}))  # fmt: skip
    for provider, scorer in scorers.items():
        scorer_id = old_id(scorer)
        add(con, "scorer", scorer_id=scorer_id, **scorer, config=json.dumps(scorer))
        add(con, "result", result_id=1, run_id=1, metric="spearman", label="slope", source_id=1, source="file",
            tissue="Lung", scorer_id=scorer_id, scorer=scorer["name"], window_bp=scorer["window_bp"], stratum="all",
            n=9, method="rank")  # fmt: skip
        for variant in VARIANTS:
            key = {"variant_id": "_".join(map(str, variant))}
            if has_keys:
                key = dict(zip(("chrom", "pos", "ref", "alt"), variant, strict=True))
            if variant == VARIANTS[-1]:
                add(con, "failure", scorer_id=scorer_id, assembly="GRCh38", **key, reason="edge",
                    last_at="2026-01-01 00:00:00", run_id=7)  # fmt: skip
            else:
                curie = scorer["track_set"] if ":" in str(scorer["track_set"]) else None
                add(con, "prediction", scorer_id=scorer_id, assembly="GRCh38", **key, track_id=curie,
                    provider=provider, score=score(provider, variant[1]), quantile=0.5, ref_value=1.0, alt_value=2.0,
                    run_id=7)  # fmt: skip


def add(con: duckdb.DuckDBPyConnection, table: str, **row: object) -> None:
    """One row of a table."""
    con.execute(f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join('?' * len(row))})", list(row.values()))


def old_database(path: Path, number: int, scorers: dict[str, dict[str, object]], patch: pytest.MonkeyPatch) -> None:
    """A database of the first so many migrations."""
    first = [m for m in schema.migrations() if m.number <= number]
    with patch.context() as patched, duckdb.connect(str(path)) as con:
        patched.setattr(schema, "migrations", lambda: first)
        schema.migrate(con)
        add_old_rows(con, number, scorers)


@pytest.fixture(scope="module", params=[2, 3, 4])
def template(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database of an older agdb, brought up to date."""
    path = tmp_path_factory.mktemp("migrated") / "study.duckdb"
    with pytest.MonkeyPatch.context() as patch:
        old_database(path, request.param, OLD, patch)
    assert [m.number for m in db.create(path)] == list(range(request.param + 1, len(db.migrations()) + 1))
    return path


@pytest.fixture
def migrated(template: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    return shutil.copyfile(template, tmp_path / "study.duckdb")


def test_every_score_is_there_under_its_scorer(migrated: Path) -> None:
    for provider, old in OLD.items():
        columns = "provider, chrom::VARCHAR, pos, ref, alt, score, quantile, ref_value, alt_value"
        query = f"SELECT {columns} FROM score WHERE scorer_id = ? ORDER BY pos"
        found = asked(migrated, query, scorer_of(provider, old).scorer_id)
        assert found == [(provider, *v, score(provider, v[1]), 0.5, 1.0, 2.0) for v in VARIANTS[:-1]]


def test_scorers_and_computations_are_those_that_agdb_makes_now(migrated: Path) -> None:
    now = [scorer_of(provider, old) for provider, old in OLD.items()]
    for table, rows in (("scorer", [s.row for s in now]), ("computation", [s.of.row for s in now])):
        columns = ", ".join(rows[0])
        expected = sorted(tuple(row.values()) for row in rows)
        assert sorted(asked(migrated, f"SELECT {columns} FROM {table}")) == expected


def test_failures_are_kept_and_nothing_is_pending(migrated: Path) -> None:
    found = asked(migrated, "SELECT DISTINCT chrom::VARCHAR, pos, reason, attempts, run_id FROM failure")
    assert found == [("chr2", 300, "edge", 1, 7)]
    assert asked(migrated, "SELECT count(*) FROM failure") == [(3,)]
    assert asked(migrated, "FROM pending") == []


def test_results_name_their_scorer_still(migrated: Path) -> None:
    found = asked(migrated, "SELECT r.scorer, s.name FROM result AS r LEFT JOIN scorer AS s USING (scorer_id)")
    assert sorted(found) == [(name, name) for name in ("dnase-k562", "motif", "original")]


def test_the_next_run_asks_for_nothing(migrated: Path) -> None:
    of = scorer_of("alphagenome", OLD["alphagenome"])
    assert predict(migrated, FakePredictor(), of).pending == 0


def test_the_track_of_before_is_the_same_track_in_the_next_run(migrated: Path) -> None:
    """Or a mean over all tracks would wait for ever for a track that nobody has."""
    tracks = [Track("DNASE", f"{curie} DNase-seq", ".", curie) for curie in ("EFO:0002067", "CL:1")]
    every = Scorer("dnase-all", (scorer_of("alphagenome", OLD["alphagenome"]).of,), "all", "mean")
    again = FakePredictor(lambda v, _: Answer(np.array([[v.pos, v.pos + 50.0]])), tracks=tracks)
    predict(migrated, again, every)
    assert len(again.asked) == 2
    assert asked(migrated, "SELECT count(*) FROM track WHERE model = 'alphagenome'") == [(2,)]
    found = asked(migrated, "SELECT pos, score FROM score WHERE scorer_id = ? ORDER BY pos", every.scorer_id)
    assert found == [(v[1], (score("alphagenome", v[1]) + v[1] + 50) / 2) for v in VARIANTS[:-1]]


def test_two_scorers_of_one_computation_keep_the_answers_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "study.duckdb"
    first, second = ({**OF, "name": name, "track_set": curie} for name, curie in (("one", "EFO:1"), ("two", "EFO:2")))
    old_database(path, 4, {"alphagenome": first}, monkeypatch)
    with duckdb.connect(str(path)) as con:
        con.execute("DELETE FROM variant")
        add_old_rows(con, 4, {"alphagenome": second})
    db.create(path)
    assert asked(path, "SELECT count(*) FROM computation") == [(1,)]
    for old in (first, second):
        assert predict(path, FakePredictor(), scorer_of("alphagenome", old)).pending == 0
    assert asked(path, "SELECT count(*) FROM score") == [(4,)]
