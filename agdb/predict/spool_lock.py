"""Locks on a spool: which runs may work in a folder at a time, on however many machines.

They are on files that are opened for writing, never on folders: NFS takes a lock for the whole file system only so.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from agdb.errors import Refused

#: The file that stands for the folder, while somebody holds it.
_FOLDER = "lock"


@contextmanager
def held_folder(folder: Path, *, is_shared: bool) -> Iterator[None]:
    """Hold the folder, made where it is missing; another run may remove it between being made and being held."""
    lock = folder / _FOLDER
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        with ExitStack() as stack:
            try:
                handle = stack.enter_context(held(lock, folder, is_shared=is_shared))
                is_there = os.fstat(handle).st_ino == lock.stat().st_ino
            except FileNotFoundError:
                continue
            if is_there:
                yield
                return


@contextmanager
def held_shard(folder: Path, shard: tuple[int, int]) -> Iterator[None]:
    """Hold a shard (i, n) of a folder that is held; of another division the dead are cleared away, not the living."""
    number, of = shard
    with held(folder / f"shard-{number}-of-{of}-lock", folder):
        for other in folder.glob("shard-*-lock"):
            if not other.name.endswith(f"-of-{of}-lock"):
                with held(other, folder):
                    other.unlink(missing_ok=True)
        yield


def let_go(folder: Path) -> None:
    """Remove the files of locks, by the one run that holds the folder: those of shards are of the dead."""
    for lock in (*folder.glob("shard-*-lock"), folder / _FOLDER):
        lock.unlink(missing_ok=True)


@contextmanager
def held(path: Path, folder: Path, *, is_shared: bool = False) -> Iterator[int]:
    """Hold an advisory lock on a file; the system lets go of it when the process ends, however it ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        _take(handle, folder, fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX)
        yield handle
    finally:
        os.close(handle)


def _take(handle: int, folder: Path, how: int) -> None:
    try:
        fcntl.flock(handle, how | fcntl.LOCK_NB)
    except BlockingIOError:
        raise Refused(
            "another agdb predict of the same scores is running",
            where=str(folder),
            cure="let it finish; to share the work, start every process with --shard 1/2, 2/2, ...",
        ) from None
    except OSError as error:
        raise Refused(
            f"the folder cannot be locked: {error.strerror or error}",
            where=str(folder),
            cure="a folder of a file system that takes locks: NFS does, unless it is mounted with nolock",
        ) from error
