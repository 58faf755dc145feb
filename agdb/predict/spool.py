"""The spool: finished batches as Parquet files, safe on disk before anything else, until they are merged.

`<database>.spool/<computation_id>/batch-*.parquet`, or any folder on a machine without the database. A file is written
under another name, flushed to the disk, and renamed: it is there whole, or not at all. It carries all that is needed to
merge it anywhere: the scorer and its computation, the tracks, and the run. When it is merged it goes from the spool; in
another folder it stays, and is noted there as merged: a run without the database knows by it what is scored.
"""

import json
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from agdb.errors import Refused
from agdb.predict.pool import Outcome
from agdb.predict.spool_lock import held_folder, held_shard, let_go
from agdb.predictors.contract import Computation, Scorer, Track

_KEY = b"agdb"
_FORMAT = 1
#: What names of batch files begin with, and those of files that only the run itself needs.
_BATCH, _SCRATCH = "batch-", ".agdb-"
#: The file that names the batch files of a folder that are merged: they keep their own names, as others may read them.
MERGED = "agdb-merged.txt"
#: Columns that hold a value for each track.
LISTS = ("scores", "quantiles", "ref_values", "alt_values")


@dataclass(frozen=True)
class Run:
    """A predict run, on whatever machine: what stands in table `run`."""

    run_uuid: str
    software: str
    agdb_version: str
    arguments: str
    started_at: str
    finished_at: str | None = None
    status: str = "running"
    n_calls: int = 0
    n_rows: int = 0
    seconds_waited: float = 0.0


@dataclass(frozen=True)
class Header:
    """What a batch file says of itself.

    Attributes:
        target: Where its scores belong: `prediction`, or `replicate` for those of `agdb audit`.
        scorer: Who asked.
        computation: What was computed, one of the scorer's.
        kept: The tracks whose scores were kept: `all`, `gtex`, or the track set of the scorer.
        tracks: Those tracks, in the order of the lists; none where the model has none.
        run: The run, as it stood when the file was written.
    """

    target: str
    scorer: Scorer
    computation: Computation
    kept: str
    tracks: tuple[Track, ...]
    run: Run

    def to_json(self) -> bytes:
        """As `from_json` reads it."""
        return json.dumps({"format": _FORMAT, **asdict(self)}).encode()

    @classmethod
    def from_json(cls, text: bytes) -> "Header":
        """Raises KeyError, TypeError or ValueError where it is no header of this format."""
        read: dict[str, Any] = json.loads(text)
        if read.pop("format") != _FORMAT:
            raise ValueError("of another version of agdb")
        asked = read["scorer"]
        asked["computations"] = tuple(Computation(**c) for c in asked["computations"])
        return cls(
            target=read["target"], scorer=Scorer(**asked), computation=Computation(**read["computation"]),
            kept=read["kept"], tracks=tuple(Track(*t) for t in read["tracks"]), run=Run(**read["run"]),
        )  # fmt: skip


class Spool:
    """A folder of batch files of one computation, held by a run: `with Spool(...) as spool`.

    Unsharded runs exclude each other and every shard, so that no variant is asked for twice at the same time; shards i
    of n run side by side. What a killed run left half written is cleared away, and the folder goes when it is empty.

    Args:
        folder: Made where it is missing.
        shard: (i, n) of a run that is one of several; None for one that is alone.

    Raises:
        Refused: another run holds it. Raised on entering.
    """

    def __init__(self, folder: Path, shard: tuple[int, int] | None = None) -> None:
        self.folder, self._shard = folder, shard
        self._mark = "" if shard is None else f"{shard[0]}-of-{shard[1]}-"

    def __enter__(self) -> Self:
        with ExitStack() as held:
            held.enter_context(held_folder(self.folder, is_shared=self._shard is not None))
            if self._shard is not None:
                held.enter_context(held_shard(self.folder, self._shard))
            self._tidy()
            self._held = held.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._tidy()
        if self._shard is None:
            let_go(self.folder)
            with suppress(OSError):  # batches are left, or another database's spool stands beside
                self.folder.rmdir()
                self.folder.parent.rmdir()
        self._held.close()

    @property
    def worklist(self) -> Path:
        """Where the run's work list stands while it runs."""
        return self.folder / f"{_SCRATCH}{self._mark}work.parquet"

    def _tidy(self) -> None:
        for scratch in self.folder.glob(f"{_SCRATCH}{self._mark}*"):
            scratch.unlink(missing_ok=True)

    def write(self, header: Header, outcomes: Sequence[Outcome], kept: Sequence[int] | None = None) -> Path:
        """Write a batch; when this returns, it survives a power cut.

        Args:
            header: See `Header`.
            outcomes: One for each variant. There may be none: then the file tells how the run stands.
            kept: Columns of the answers that are kept; None for all.
        """
        table = _table(outcomes, kept).replace_schema_metadata({_KEY: header.to_json()})
        name = uuid.uuid4().hex
        part, whole = self.folder / f"{_SCRATCH}{self._mark}{name}.part", self.folder / f"{_BATCH}{name}.parquet"
        try:
            with part.open("wb") as file:
                pq.write_table(table, file, compression="zstd")
                file.flush()
                os.fsync(file.fileno())
            part.rename(whole)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        _sync_folder(self.folder)
        return whole


def _sync_folder(folder: Path) -> None:
    """Make a rename in the folder survive a power cut."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def clear(folder: Path) -> None:
    """Tidy a folder that a run made for a computation, and remove it and the one above if they are empty; if no run
    holds it.
    """
    with suppress(Refused), Spool(folder):
        pass


def folder_of(database: Path) -> Path:
    """The spool of a database."""
    return Path(f"{database}.spool")


def batches(folder: Path, *, with_merged: bool = False) -> list[Path]:
    """The batch files of a folder and those below, oldest first; only where it is said those that are merged, too."""
    found = []
    for place, _, names in os.walk(folder):
        for name in names:
            if name.startswith(_BATCH) and name.endswith(".parquet"):
                with suppress(FileNotFoundError):  # another process merges them, too
                    found.append((os.stat(os.path.join(place, name)).st_mtime_ns, name, Path(place, name)))
    paths = [path for _, _, path in sorted(found)]
    return paths if with_merged else list(unmerged(paths))


def unmerged(files: Iterable[Path]) -> Iterator[Path]:
    """Those of some batch files that are not noted as merged."""

    @cache
    def merged(folder: Path) -> frozenset[str]:
        try:
            return frozenset((folder / MERGED).read_text(encoding="utf-8").split())
        except FileNotFoundError:
            return frozenset()

    return (file for file in files if file.name not in merged(file.parent))


def put_away(file: Path, database: Path) -> None:
    """Remove a batch file that the database holds now, if it lies in its spool. In another folder note that it is
    merged: a run without the database knows by the folder alone what it need not ask for.
    """
    if file.resolve().is_relative_to(folder_of(database).resolve()):
        file.unlink(missing_ok=True)  # another process merges them, too
    else:
        with (file.parent / MERGED).open("a", encoding="utf-8") as note:
            note.write(f"{file.name}\n")


def header_of(path: Path) -> Header:
    """What a batch file says of itself.

    Raises:
        Refused: it is no batch file, or cut short.
        FileNotFoundError: it is gone: another process has merged it.
    """
    try:
        metadata = pq.read_schema(path).metadata or {}
        return Header.from_json(metadata[_KEY])
    except FileNotFoundError:
        raise
    except (pa.ArrowException, OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise Refused(
            f"this is no whole batch file of agdb predict: {str(error).splitlines()[0] if str(error) else error!r}",
            where=str(path),
            cure="move it away and merge again: its variants will be asked for again",
        ) from error


def _table(outcomes: Sequence[Outcome], kept: Sequence[int] | None) -> pa.Table:
    """One row a variant and gene; where there is no answer, or no gene, one row with neither scores nor gene."""
    rows = np.array([0 if o.answer is None else len(o.answer.scores) for o in outcomes], dtype=np.int64)
    repeats = np.repeat(np.arange(len(outcomes)), np.maximum(rows, 1))
    of_variant = pa.table(
        {
            "chrom": pa.array([o.variant.chrom for o in outcomes], pa.string()),
            "pos": pa.array([o.variant.pos for o in outcomes], pa.int32()),
            "ref": pa.array([o.variant.ref for o in outcomes], pa.string()),
            "alt": pa.array([o.variant.alt for o in outcomes], pa.string()),
            "reason": pa.array([o.reason for o in outcomes], pa.string()),
            "attempts": pa.array([o.attempts for o in outcomes], pa.int32()),
        }
    )
    table = of_variant.take(pa.array(repeats)) if len(repeats) else of_variant
    genes: list[str | None] = []
    for outcome, n in zip(outcomes, rows.tolist(), strict=True):
        named = outcome.answer.genes if outcome.answer is not None else None
        genes += list(named) if named else [None] * max(n, 1)
    table = table.append_column("gene_id", pa.array(genes, pa.string()))
    has_scores = np.repeat(rows > 0, np.maximum(rows, 1))
    for name in LISTS:
        values, width = _values(outcomes, name, kept)
        is_given = has_scores & (width > 0)
        offsets = np.concatenate([[0], np.cumsum(np.where(is_given, width, 0))]).astype(np.int32)
        lists = pa.ListArray.from_arrays(pa.array(offsets), pa.array(values), mask=pa.array(~is_given))
        table = table.append_column(name, lists)
    return table


def _values(outcomes: Sequence[Outcome], name: str, kept: Sequence[int] | None) -> tuple[np.ndarray[Any, Any], int]:
    """The values of all answers, one after another, and how many a row has: 0 where the provider gives none."""
    answers = [o.answer for o in outcomes if o.answer is not None and len(o.answer.scores)]
    given = [getattr(answer, name) for answer in answers]
    if all(values is None for values in given):
        return np.empty(0, dtype=np.float32), 0
    stacked = np.concatenate([
        np.full_like(answer.scores, np.nan) if values is None else values
        for answer, values in zip(answers, given, strict=True)
    ])  # fmt: skip
    stacked = stacked if kept is None else stacked[:, kept]
    return np.ascontiguousarray(stacked).ravel(), stacked.shape[1]
