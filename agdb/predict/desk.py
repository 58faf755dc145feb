"""Where outcomes are gathered into batches, written to the spool, and merged."""

import json
import time
from collections import deque
from dataclasses import replace
from itertools import takewhile

from agdb import db
from agdb.errors import DatabaseBusy, Refused
from agdb.predict import merge
from agdb.predict.estimate import calls_a_variant
from agdb.predict.job import Job
from agdb.predict.pace import Pace
from agdb.predict.pool import Outcome
from agdb.predict.spool import Header, Spool, batches

#: A batch is written, too, when it has so many scores: with 80 bytes each, until they are merged, they are what takes
#: memory.
BATCH_SCORES = 500_000
#: Seconds that an interrupted run has to merge what came home.
MERGE_GRACE_S = 1.0
#: Seconds over which the present rate is measured.
RATE_S = 60.0


class Desk:
    """Where outcomes are gathered into batches, written, and merged."""

    def __init__(self, job: Job, spool: Spool, header: Header, columns: list[int] | None, pace: Pace) -> None:
        self._job, self._spool, self._header, self._columns, self._pace = job, spool, header, columns, pace
        self._batch: list[Outcome] = []
        self._n_scores = 0  # in the batch
        self._summary, self._talk = job.summary, job.talk
        self._before = replace(job.summary)
        self._n_rows = 0
        self._most = (0, 0)  # workers, and nodes
        self._written_at = time.monotonic()
        self._recent: deque[tuple[float, int]] = deque([(self._written_at, self._summary.done)])

    def take(self, outcomes: list[Outcome]) -> None:
        """Take what has become of some variants."""
        self._batch += outcomes
        self._n_scores += sum(o.answer.scores.size for o in outcomes if o.answer is not None)
        failed = sum(o.reason is not None for o in outcomes)
        self._summary.failed += failed
        self._summary.scored += len(outcomes) - failed
        for variant, _, reason, attempts in outcomes:
            if reason is not None:
                self._talk.log("failure", variant=str(variant), reason=reason, attempts=attempts)
        self._count()
        settings = self._job.settings
        is_old = time.monotonic() - self._written_at > settings.batch_s
        is_full = len(self._batch) >= settings.batch_variants or self._n_scores >= BATCH_SCORES
        if is_full or (self._batch and is_old):
            self._write("running")
            self._merge(0.0)
        self._talk.show(self._summary)

    def close(self, status: str) -> None:
        """Write what is left, and how the run ended; merge it all."""
        self._count()
        self._write(status)
        self._merge(0.0 if status == "interrupted" else self._job.settings.merge_patience_s)
        self._talk.show(self._summary)
        self._talk.log("end", status=status, scored=self._summary.scored, failed=self._summary.failed,
                       calls=self._summary.calls, seconds_waited=self._summary.seconds_waited)  # fmt: skip

    def _count(self) -> None:
        now, summary, pace, before = time.monotonic(), self._summary, self._pace, self._before
        summary.calls = before.calls + self._n_calls
        summary.refusals = before.refusals + pace.refusals
        summary.seconds_waited = before.seconds_waited + pace.seconds_waited
        summary.is_waiting_for_quota = pace.is_waiting_for_quota
        self._most = max(self._most, (summary.workers or 0, summary.nodes))
        self._recent.append((now, summary.done))
        while self._recent[0][0] < now - RATE_S:
            self._recent.popleft()
        since, done = self._recent[0]
        summary.per_second = (summary.done - done) / (now - since) if now > since else 0.0

    @property
    def _n_calls(self) -> int:
        return self._pace.calls * calls_a_variant(self._job.computation)

    def _write(self, status: str) -> None:
        self._n_rows += sum(o.answer is not None for o in self._batch)
        run = replace(
            self._header.run, status=status, arguments=self._arguments(), n_calls=self._n_calls, n_rows=self._n_rows,
            seconds_waited=round(self._pace.seconds_waited, 3),
            finished_at=None if status == "running" else db.utc_now().isoformat(),
        )  # fmt: skip
        try:
            path = self._spool.write(replace(self._header, run=run), self._batch, self._columns)
        except OSError as error:
            raise Refused(
                f"a finished batch of {len(self._batch):,} variants cannot be written: {error.strerror or error}",
                where=str(self._spool.folder), cure="make room, then run the same command again",
            ) from error  # fmt: skip
        self._talk.log("batch", file=path.name, variants=len(self._batch))
        self._batch, self._n_scores, self._written_at = [], 0, time.monotonic()

    def _arguments(self) -> str:
        """What was asked, and on how many workers and nodes it was done, if it was on a cluster."""
        asked, (workers, nodes) = self._header.run.arguments, self._most
        return json.dumps({**json.loads(asked), "workers": workers, "nodes": nodes}) if workers else asked

    def _merge(self, patience_s: float) -> None:
        if self._job.place.merges_into is not None:
            merge_waiting(self._job, patience_s)


def merge_waiting(job: Job, patience_s: float) -> None:
    """Merge what lies in the spool of the scorer; where others hold the database, try again for so long, then leave it.

    In an interrupted run, what cannot be merged within `MERGE_GRACE_S` seconds is left there too. What other scorers
    have there, and may be refused, is theirs.

    Raises:
        DatabaseBusy: it was left there, though there was patience.
        Refused: a batch cannot be merged.
    """
    database, summary, interruption = job.place.merges_into, job.summary, job.interruption
    assert database is not None
    folders = [job.place.spool(computation) for computation in job.scorer.computations]
    began = time.monotonic()

    def is_late() -> bool:
        return interruption.came and time.monotonic() - began > MERGE_GRACE_S

    while files := [file for folder in folders for file in batches(folder)]:
        if is_late():
            summary.unmerged, summary.held_by = len(files), summary.held_by or "there was no time left to merge them"
            return
        try:
            merged = merge.merge(
                database, takewhile(lambda _: not is_late(), files), patience_s=0.0,
                same_model=job.settings.origin.same_model,
            )  # fmt: skip
        except DatabaseBusy as busy:
            summary.unmerged, summary.held_by = len(files), busy.what
            job.talk.show(summary)
            if interruption.came or not patience_s:
                return
            if time.monotonic() - began >= patience_s:
                raise
            time.sleep(0.5)
        else:
            job.talk.log("merged", batches=merged.batches, scored=merged.scored, failed=merged.failed)
    summary.unmerged, summary.held_by = 0, None
