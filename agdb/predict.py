"""The run of a predictor: the work list is view `pending`, a batch is a commit, the file is held only to commit.

Whatever stops a run, the batches before stay, and the next run finds the rest in `pending`: nothing is computed twice.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from agdb import db
from agdb.errors import DatabaseBusy, ProviderError, Refused
from agdb.predictors.contract import FAILURES, SCORES, VARIANTS, Predicted, Predictor

#: Seconds to wait for a reader to let go of the file before a batch is given up: it has been computed, and paid for.
STORE_PATIENCE_S = 3600.0

#: Called with who holds the file, again and again while a batch waits to be stored.
Waiting = Callable[[str], None]


@dataclass
class Outcome:
    """What a run did: variants asked for, scored, failed for a reason of their own, and already scored before."""

    run_id: int
    pending: int
    scored: int = 0
    failed: int = 0
    scored_before: int = 0


def run(
    path: Path,
    predictor: Predictor,
    *,
    in_peaks: bool = False,
    limit: int | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
    waiting: Waiting = lambda holder: None,
) -> Outcome:
    """Score the pending variants of a database, batch by batch.

    Args:
        path: The database.
        predictor: Who computes.
        in_peaks: Only variants that lie in a peak (rule span).
        limit: At most this many variants.
        progress: Called with (variants done, variants in all) before the first batch and after every one.
        waiting: Called with who holds the database while a finished batch cannot be stored.

    Raises:
        ProviderError: the provider failed; what it had scored is stored.
        Refused: the provider broke its contract; the batch is not stored.
        KeyboardInterrupt: passed on, with the finished batches stored.
    """
    scorer = predictor.scorer
    with db.writing(path) as con, db.transaction(con):
        db.add_scorer(con, scorer.row)
        work = _work(con, scorer.scorer_id, in_peaks, limit)
        scored_before = _scored(con, scorer.scorer_id)
        asked = {"scorer": scorer.name, "window_bp": scorer.window_bp, "in_peaks": in_peaks, "limit": limit}
        run_id = db.start_run(con, "predict", predictor.software, **asked)
    outcome = Outcome(run_id, work.num_rows, scored_before=scored_before)
    progress(0, work.num_rows)
    with _recorded(path, outcome):
        for batch in _batches(work, predictor.batch_size):
            try:
                predicted = predictor.score(batch)
            except ProviderError as error:
                partial = getattr(error, "partial", None)
                if partial is not None:
                    _store(path, predictor, batch, _checked(partial, batch, whole=False), outcome, waiting)
                raise
            _store(path, predictor, batch, _checked(predicted, batch), outcome, waiting)
            progress(outcome.scored + outcome.failed, work.num_rows)
    return outcome


def _scored(con: duckdb.DuckDBPyConnection, scorer_id: str) -> int:
    query = "SELECT count(*) FROM (SELECT DISTINCT assembly, chrom, pos, ref, alt FROM prediction WHERE scorer_id = ?)"
    return int(con.execute(query, [scorer_id]).fetchall()[0][0])


def _work(con: duckdb.DuckDBPyConnection, scorer_id: str, in_peaks: bool, limit: int | None) -> pa.Table:
    """The pending variants in genome order, as a table of schema VARIANTS."""
    found = con.sql(
        "SELECT variant_id, chrom::VARCHAR AS chrom, pos::BIGINT AS pos, ref, alt FROM pending WHERE scorer_id = ?"
        + (" AND in_peak" if in_peaks else "")
        + " ORDER BY pending.chrom, pending.pos, variant_id LIMIT ?",
        params=[scorer_id, limit if limit is not None else 2**62],
    )
    return found.to_arrow_table().cast(VARIANTS)


def _batches(work: pa.Table, size: int) -> Iterator[pa.Table]:
    for start in range(0, work.num_rows, size):
        yield work.slice(start, size)


@contextmanager
def _recorded(path: Path, outcome: Outcome) -> Iterator[None]:
    """Record how the run ended, however it ends."""
    try:
        yield
    except BaseException as error:
        with suppress(DatabaseBusy):  # what stopped the run is the news, not that this could not be written down
            _finish(path, outcome, "interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
        raise
    _finish(path, outcome, "done")


def _finish(path: Path, outcome: Outcome, status: str) -> None:
    with db.writing(path, views=False) as con:
        db.finish_run(con, outcome.run_id, outcome.scored, status)


def _checked(predicted: Predicted, batch: pa.Table, *, whole: bool = True) -> Predicted:
    """Hold a predictor to its contract: the schemas, finite scores, and the variants it was asked for, all of them."""
    scores = _of_schema(predicted.scores, SCORES, "scores")
    failures = _of_schema(predicted.failures, FAILURES, "failures")
    asked = set(batch["variant_id"].to_pylist())
    scored, failed = set(scores["variant_id"].to_pylist()), set(failures["variant_id"].to_pylist())
    if not pc.all(pc.is_finite(scores["score"]), min_count=0).as_py():
        raise _broken("a score is not a finite number")
    if (scored | failed) - asked:
        raise _broken(f"an answer for a variant that was not asked for ({min((scored | failed) - asked)})")
    if scored & failed:
        raise _broken(f"both a score and a failure for {min(scored & failed)}")
    if whole and asked - scored - failed:
        raise _broken(f"no answer for {min(asked - scored - failed)}")
    # a scorer is one number a variant (or a variant and gene): a second track would silently double its associations
    if twice := _repeated(scores, ["variant_id", "gene_id"]) or _repeated(failures, ["variant_id"]):
        raise _broken(f"two answers for {twice}")
    return Predicted(scores, failures)


def _of_schema(table: pa.Table, schema: pa.Schema, name: str) -> pa.Table:
    try:
        cast = table.cast(schema)
    except (pa.ArrowException, ValueError) as error:
        raise _broken(f"its {name} are not of the schema: {str(error).splitlines()[0]}") from error
    for field in schema:
        if not field.nullable and cast[field.name].null_count:
            raise _broken(f"its {name} have no {field.name} in a row")
    return cast


def _repeated(table: pa.Table, key: list[str]) -> str | None:
    """The first variant whose key stands twice."""
    counts = table.select(key).group_by(key).aggregate([([], "count_all")])
    twice = counts.filter(pc.greater(counts["count_all"], 1))["variant_id"]
    return str(pc.min(twice).as_py()) if len(twice) else None


def _broken(problem: str) -> Refused:
    return Refused(
        f"the predictor broke its contract: {problem}", cure="the batch was not stored; this is a bug in the predictor"
    )


def _store(
    path: Path, predictor: Predictor, batch: pa.Table, predicted: Predicted, outcome: Outcome, waiting: Waiting
) -> None:
    """Store a batch, however long a notebook that reads the database makes it wait (up to `STORE_PATIENCE_S`)."""
    deadline = time.monotonic() + STORE_PATIENCE_S
    while True:
        try:
            _insert(path, predictor, batch, predicted, outcome.run_id)
            break
        except DatabaseBusy as busy:
            if time.monotonic() > deadline:
                raise
            waiting(busy.what)
    outcome.scored += len(set(predicted.scores["variant_id"].to_pylist()))
    outcome.failed += predicted.failures.num_rows


def _insert(path: Path, predictor: Predictor, batch: pa.Table, predicted: Predicted, run_id: int) -> None:
    """One batch, one transaction. The anti-join keeps a score that another process stored meanwhile."""
    scorer = predictor.scorer
    given = {"scorer_id": scorer.scorer_id, "assembly": scorer.assembly, "run_id": run_id}
    of_batch = "JOIN batch AS b ON b.variant_id = s.variant_id"
    there = "t.scorer_id = $scorer_id AND t.assembly = $assembly::assembly_t AND t.chrom = b.chrom::chrom_t " \
            "AND t.pos = b.pos AND t.ref = b.ref AND t.alt = b.alt"  # fmt: skip
    key = "$scorer_id AS scorer_id, $assembly::assembly_t AS assembly, b.chrom::chrom_t AS chrom, " \
          "b.pos::INTEGER AS pos, b.ref, b.alt, $run_id AS run_id, s.* EXCLUDE (variant_id)"  # fmt: skip
    with db.writing(path, views=False) as con, db.transaction(con):
        con.register("batch", batch)
        con.register("scored", predicted.scores)
        con.register("failed", predicted.failures)
        con.execute(
            f"INSERT INTO prediction BY NAME SELECT {key}, $provider AS provider FROM scored AS s {of_batch} "
            f"ANTI JOIN prediction AS t ON {there}",
            {**given, "provider": predictor.provider},
        )
        con.execute(
            f"INSERT INTO failure BY NAME SELECT {key}, $at AS last_at FROM failed AS s {of_batch} "
            f"ANTI JOIN failure AS t ON {there}",
            {**given, "at": db.utc_now()},
        )
