"""What a run is told, and what it tells: where variants come from and scores go, how to run, how it stands."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from agdb.predict import audit, work
from agdb.predict.interruption import Interruption
from agdb.predict.pace import WINDOW_S
from agdb.predict.pool import PATIENCE_S, RETRY_S
from agdb.predict.provider_origin import Origin
from agdb.predict.spool import folder_of
from agdb.predictors.contract import Computation, Scorer

#: A batch is written when it has so many variants, or is so many seconds old: that much a crash costs at most.
BATCH_VARIANTS, BATCH_S = 20_000, 10.0
#: Seconds to wait at the end for a reader to let go of the database, before the batches are left in the spool.
MERGE_PATIENCE_S = 3600.0


@dataclass(frozen=True)
class Place:
    """Where variants come from and where scores go.

    Attributes:
        database: The database; None on a machine that has none.
        variants: Parquet file of variants instead of the database's own; needed where there is no database.
        out: Folder for the batches; None for the spool beside the database. Batches in another folder are not merged.
    """

    database: Path | None
    variants: Path | None = None
    out: Path | None = None

    def spool(self, computation: Computation) -> Path:
        """Folder of the batches of a computation."""
        root = self.out if self.out is not None else folder_of(self._database)
        return root / computation.computation_id

    @property
    def merges_into(self) -> Path | None:
        """The database that batches are merged into as they come."""
        return self.database if self.out is None else None

    @property
    def _database(self) -> Path:
        assert self.database is not None, "a place has a database or a folder"
        return self.database


def spooled(place: Place, scorer: Scorer, computation: Computation) -> work.Spooled:
    """What lies finished of one of a scorer's computations, and of the others."""

    def of(one: Computation, *others: work.Spooled) -> work.Spooled:
        return work.Spooled(place.spool(one), one, scorer.track_set, place.out is not None, others)

    return of(computation, *(of(other) for other in scorer.computations if other != computation))


@dataclass(frozen=True)
class Settings:
    """How to run.

    `keep` is as in `tracks.kept`, `origin` who is asked, `drawn` what an audit scores again; the rest as where defined.
    """

    choice: work.Choice = field(default_factory=work.Choice)
    keep: str | None = None
    origin: Origin = field(default_factory=Origin)
    drawn: audit.Drawn | None = None
    max_calls: int | None = None
    window_s: float = WINDOW_S
    patience_s: float = PATIENCE_S
    retry_s: float = RETRY_S
    batch_variants: int = BATCH_VARIANTS
    batch_s: float = BATCH_S
    merge_patience_s: float = MERGE_PATIENCE_S


@dataclass
class Summary:
    """How a run stands: of `pending` variants, so many scored and failed; calls; seconds; what is not merged yet.

    On a cluster so many `workers` are alive, on so many `nodes`; elsewhere there are None.
    """

    pending: int = 0
    scored: int = 0
    failed: int = 0
    calls: int = 0
    refusals: int = 0
    seconds: float = 0.0
    seconds_waited: float = 0.0
    unmerged: int = 0
    per_second: float = 0.0
    is_waiting_for_quota: bool = False
    held_by: str | None = None
    workers: int | None = None
    nodes: int = 0

    @property
    def done(self) -> int:
        """Variants that need not be asked for any more."""
        return self.scored + self.failed

    @property
    def crew(self) -> str:
        """Who computes, on a cluster: `4 workers on 2 nodes`."""
        if not self.workers:
            return "no worker is alive"
        return f"{self.workers} worker{'s' * (self.workers != 1)} on {self.nodes} node{'s' * (self.nodes != 1)}"

    @property
    def seconds_left(self) -> float | None:
        """At the present rate."""
        return (self.pending - self.done) / self.per_second if self.per_second else None


@dataclass(frozen=True)
class Talk:
    """Who is told what: `show` how the run stands, twice a second; `say` a sentence; `log` events, from any thread."""

    show: Callable[[Summary], None] = lambda summary: None
    say: Callable[[str], None] = lambda text: None
    log: Callable[..., None] = lambda event, **details: None


@dataclass
class Job:
    """The run of one of a scorer's computations."""

    place: Place
    scorer: Scorer
    computation: Computation
    settings: Settings
    talk: Talk
    summary: Summary
    interruption: Interruption
