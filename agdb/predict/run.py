"""The run of a predictor: work list, calls in flight, spool, merge.

The database is only read at the start, and held only while a finished batch is merged. Whatever stops a run, what lies
in the spool stays, and the next run asks for the rest: no variant is paid for twice.
"""

import json
import time
import uuid
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import replace
from pathlib import Path

from agdb import __version__, db
from agdb.errors import DatabaseBusy, ProviderError
from agdb.ingest.tracks import known_tracks
from agdb.predict import audit, merge, provider_origin, work, work_file
from agdb.predict.desk import Desk, merge_waiting
from agdb.predict.estimate import calls_a_variant
from agdb.predict.interruption import Interruption
from agdb.predict.job import Job as Job
from agdb.predict.job import Place as Place
from agdb.predict.job import Settings as Settings
from agdb.predict.job import Summary as Summary
from agdb.predict.job import Talk as Talk
from agdb.predict.job import spooled as spooled
from agdb.predict.pace import LONGEST_PAUSE_S, Pace
from agdb.predict.pool import Pool
from agdb.predict.provider_origin import GOOGLE
from agdb.predict.spool import Header, Run, Spool
from agdb.predictors.contract import Computation, Predictor, Scorer, Track, TryAgain, Variant
from agdb.predictors.tracks import check, columns, kept

#: Seconds that calls in flight are given to come home when the run is interrupted.
GRACE_S = 2.0


def run(
    place: Place,
    scorer: Scorer,
    predictor_of: Callable[[Computation], AbstractContextManager[Predictor]],
    settings: Settings | None = None,
    talk: Talk | None = None,
    summary: Summary | None = None,
) -> Summary:
    """Score what is pending of a scorer, by each of its computations in turn, the preferred one first.

    Args:
        place: See `Place`.
        scorer: See `Scorer`.
        predictor_of: Gives the predictor of a computation, which is asked only if there is work for it.
        settings: See `Settings`.
        talk: See `Talk`.
        summary: Filled while the run goes on, for those who want to know however it ends.

    Raises:
        ProviderError: the provider failed; what it had scored is kept.
        Refused: another run of the same scores is under way, or the spool cannot be written.
        DatabaseBusy: others held the database for so long that batches were left in the spool.
        KeyboardInterrupt: SIGINT or SIGTERM; what was scored is kept.
    """
    settings, talk = settings or Settings(), talk or Talk()
    summary, began = summary or Summary(), time.monotonic()
    with Interruption() as interruption:
        if place.merges_into is not None:
            db.check_facts(place.merges_into)
            merge_waiting(Job(place, scorer, scorer.of, settings, talk, summary, interruption), 0.0)
            with suppress(DatabaseBusy):  # the sample is the same whenever it is stored
                _store_sample(place.merges_into, scorer, settings, 0.0)
        for computation in scorer.computations:
            before = replace(summary)
            try:
                _one(Job(place, scorer, computation, settings, talk, summary, interruption), predictor_of)
            finally:
                summary.seconds = time.monotonic() - began
            if computation != scorer.computations[-1]:  # what it refused, the next one is asked
                refused = summary.failed - before.failed
                talk.say(f"{computation.provider}: {summary.scored - before.scored:,} scored, {refused:,} refused")
                summary.pending, summary.failed = summary.pending - refused, before.failed
        _register(place, scorer, settings)
    return summary


def _register(place: Place, scorer: Scorer, settings: Settings) -> None:
    """Make the scorer known to the database, also where another one's calls had answered it all."""
    if place.merges_into is None:
        return
    _store_sample(place.merges_into, scorer, settings, settings.merge_patience_s)
    with db.reading(place.merges_into) as con:
        if con.execute("SELECT 1 FROM scorer WHERE scorer_id = ?", [scorer.scorer_id]).fetchall():
            return
    with db.writing(place.merges_into, patience_s=settings.merge_patience_s) as con, db.transaction(con):
        merge.register(con, scorer)


def _store_sample(database: Path, scorer: Scorer, settings: Settings, patience_s: float) -> None:
    if settings.choice.sample is not None:
        with db.writing(database, patience_s=patience_s) as con:
            work.store_sample(con, scorer.of.assembly, settings.choice)


def write_worklist(place: Place, scorer: Scorer, settings: Settings, into: Path) -> int:
    """Write the variants that a run would ask for to a Parquet file, for `Place.variants` elsewhere; returns how many.

    A variant is in it if the scorer has no answer for it, whichever of its computations would give it.
    """
    assert place.database is not None
    last = scorer.computations[-1]
    finished = spooled(place, scorer, last)
    with db.reading(place.database) as con:
        return work.from_database(con, scorer, last, settings.choice, finished, into)


def _one(job: Job, predictor_of: Callable[[Computation], AbstractContextManager[Predictor]]) -> None:
    """Run one computation."""
    keeps = kept(job.scorer, job.settings.keep)
    with Spool(job.place.spool(job.computation), job.settings.choice.shard) as spool:
        n = _worklist(job, spool)
        job.summary.pending += n
        job.talk.show(job.summary)
        if not n:
            return
        with predictor_of(job.computation) as predictor:
            tracks = _tracks(job, predictor)  # first: by what software a cluster computes, one of its workers says
            new_run = _new_run(job, predictor.software, keeps)
            provider_origin.check(new_run, _before(job), cure=_cure(job.settings))
            check(tracks, job.scorer)
            if job.place.database is not None:
                with db.reading(job.place.database) as con:
                    known_tracks(con, job.computation.model, tracks)
            places = columns(tracks, keeps)
            header = Header(
                "replicate" if job.settings.drawn else "prediction", job.scorer, job.computation, keeps,
                tuple(tracks[i] for i in places), new_run,
            )  # fmt: skip
            with job.interruption.noted():
                _ask(job, predictor, spool, header, None if len(places) == len(tracks) else places)


def _tracks(job: Job, predictor: Predictor) -> Sequence[Track]:
    """The predictor's tracks. They are asked for as scores are: for a while, if the provider has no time for us.

    Raises:
        ProviderError: it did not say.
    """
    settings, began, pause_s = job.settings, time.monotonic(), job.settings.retry_s
    while True:
        try:
            return predictor.tracks()
        except TryAgain as again:
            job.talk.log("failed_call", reason=again.reason)
            if time.monotonic() + pause_s - began > settings.patience_s:
                raise ProviderError(
                    f"{job.computation.provider} does not say which tracks it has: {again.reason}",
                    where=str(settings.origin) or None, cure="run the same command again later",
                ) from None  # fmt: skip
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, LONGEST_PAUSE_S)


def _worklist(job: Job, spool: Spool) -> int:
    """Write the work list into the spool; returns its length."""
    choice, finished = job.settings.choice, spooled(job.place, job.scorer, job.computation)
    if choice.limit is not None:  # of variants, not of calls: the first computation's answers count for all
        choice = replace(choice, limit=max(0, choice.limit - job.summary.scored))
    if job.place.variants is not None:
        return work_file.from_file(job.place.variants, choice, finished, spool.worklist)
    assert job.place.database is not None
    with db.reading(job.place.database) as con:
        if job.settings.drawn is not None:
            query = audit.drawn(job.computation, job.scorer, job.settings.drawn)
            return work.again(con, job.scorer, query, spool.worklist)
        return work.from_database(con, job.scorer, job.computation, choice, finished, spool.worklist)


def _before(job: Job) -> list[provider_origin.Origin]:
    """Who gave the scores that those of this run come to, in the database and in the folder."""
    finished = spooled(job.place, job.scorer, job.computation).finished()
    runs = {header.run.run_uuid: header.run for _, header in finished if header.run.n_rows}
    found = [provider_origin.of_run(run.software, run.arguments) for run in runs.values()]
    if job.place.database is not None:
        with db.reading(job.place.database) as con:
            found += provider_origin.stored(con, job.computation)
    return found


def _control(job: Job) -> Variant | None:
    """A variant that was scored before, by which the pool sees whether the provider is well."""
    if job.place.database is None:
        return None
    with db.reading(job.place.database) as con:
        found = con.execute(
            "SELECT chrom::VARCHAR, pos, ref, alt FROM scored_variant WHERE computation_id = ? LIMIT 1",
            [job.computation.computation_id],
        ).fetchall()
    return Variant(*found[0]) if found else None


def _cure(settings: Settings) -> str:
    if settings.drawn is not None:
        return "ask who gave those: --address or --model, as agdb predict had them"
    if settings.origin.model is None and settings.origin.addresses == (GOOGLE,):
        other = "make another database for them; a model of your own has --model-version and --name"
    else:
        other = "name this model, and its scorer: --model-version VERSION --name NAME"
    return f"{other}; --same-model, if it is the same model in another place"


def _new_run(job: Job, software: str, keeps: str) -> Run:
    choice = job.settings.choice
    arguments = {
        "scorer": job.scorer.name, "window_bp": job.scorer.of.window_bp, "in_peaks": choice.in_peaks,
        "where": choice.where, "sample": choice.sample, "limit": choice.limit, "shard": choice.shard,
        "retry_failed": choice.retry_failed, "max_calls": job.settings.max_calls,
        "providers": [c.provider for c in job.scorer.computations], "model_version": job.computation.model_version,
        "keep": keeps, **job.settings.origin.arguments,
    }  # fmt: skip
    return Run(
        uuid.uuid4().hex, software, __version__, json.dumps({k: v for k, v in arguments.items() if v}),
        db.utc_now().isoformat(),
    )  # fmt: skip


def _ask(job: Job, predictor: Predictor, spool: Spool, header: Header, columns: list[int] | None) -> None:
    """Ask for the work list; write and merge batches as they fill."""
    left = None if job.settings.max_calls is None else max(0, job.settings.max_calls - job.summary.calls)
    each = calls_a_variant(job.computation)
    pace = Pace(predictor.in_flight, window_s=job.settings.window_s, max_calls=left and left // each)
    pool = Pool(predictor, pace, job.talk.log, patience_s=job.settings.patience_s, retry_s=job.settings.retry_s,
                columns=columns, control=_control(job))  # fmt: skip
    desk = Desk(job, spool, header, columns, pace)
    job.talk.log("start", computation=job.computation.computation_id, run=header.run.run_uuid)
    status = "failed"
    try:
        pool.start(work.read(spool.worklist))
        while not pool.is_over:
            desk.take(pool.take())
            if job.interruption.came:
                pool.stop(GRACE_S)
        status = "failed" if pool.error else "interrupted" if job.interruption.came else "done"
    finally:
        pool.stop(GRACE_S)  # also where the spool could not be written
        desk.take(pool.take(0.0))
        desk.close(status)
    if pool.error is not None:
        raise pool.error
