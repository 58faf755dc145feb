"""The folder that files are kept in, one process at a time for each file, and what is left to bring of a file."""

import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from agdb.errors import Refused

Say = Callable[[str], None]


def default() -> Path:
    """$AGDB_CACHE, or the user's cache folder of the operating system."""
    import platformdirs

    given = os.environ.get("AGDB_CACHE")
    return Path(given).expanduser() if given else platformdirs.user_cache_path("agdb")


def made(folder: Path) -> Path:
    """The folder, made where it is missing; its path as it was given.

    Raises:
        Refused: it cannot be made or written.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not os.access(folder, os.W_OK):
            raise PermissionError(13, "Permission denied")
    except OSError as error:
        cure = "give a folder that can be written: --to FOLDER, or AGDB_CACHE"
        raise Refused(f"no files can be kept there: {error.strerror}", where=str(folder), cure=cure) from error
    return folder


@contextmanager
def only_one(path: Path, say: Say) -> Iterator[None]:
    """Be the only process that brings this file: another one waits, and then finds it there.

    The lock ends with the process, however it ends.
    """
    lock = path.with_name(f".{path.name}.lock")
    handle = _locked(lock, lambda: say(f"{path.name}: another agdb brings it just now; waiting for that one"))
    try:
        yield
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _locked(lock: Path, waiting: Callable[[], None]) -> int:
    """An open handle of the locked file."""
    while True:
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                waiting()
                fcntl.flock(handle, fcntl.LOCK_EX)
            if lock.exists() and os.stat(lock).st_ino == os.fstat(handle).st_ino:
                return handle
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)  # the other process has removed it meanwhile


@dataclass(frozen=True)
class Begun:
    """What a part file is the beginning of: which version, of how many bytes, with which checksum of the server's."""

    url: str
    validator: str | None
    total: int | None
    checksum: str | None = None


@dataclass(frozen=True)
class Part:
    """The bytes that have come so far, in FILE.part; FILE.part.json says of what."""

    path: Path

    @classmethod
    def of(cls, file: Path) -> "Part":
        """The part of a file."""
        return cls(file.with_name(f"{file.name}.part"))

    @property
    def note(self) -> Path:
        """Where it stands what the part is of."""
        return self.path.with_name(f"{self.path.name}.json")

    @property
    def size(self) -> int:
        """Bytes that are there."""
        return self.path.stat().st_size if self.path.exists() else 0

    def begun(self, url: str) -> Begun | None:
        """What the part is of; None where it cannot be gone on with."""
        try:
            found = Begun(**json.loads(self.note.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None
        return found if self.size and found.url == url else None

    def begin(self, begun: Begun) -> None:
        """Start anew."""
        self.path.write_bytes(b"")
        self.note.write_text(json.dumps(asdict(begun)), encoding="utf-8")

    def remove(self) -> None:
        """Forget it."""
        self.path.unlink(missing_ok=True)
        self.note.unlink(missing_ok=True)
