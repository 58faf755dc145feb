"""The bytes of a file as they lie on disk or come through a pipe, noted as they are read; and what cannot be opened."""

import hashlib
import io
import os
import re
import select
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Event
from typing import Any, BinaryIO

from agdb.errors import Refused
from agdb.genome import BGZIP_END


class Tap(io.RawIOBase):
    """A file, or a pipe that may say nothing for long, that notes what has been read of it."""

    def __init__(self, file: BinaryIO, is_waiting: bool, stopped: Event) -> None:
        self._file, self._stopped, self.n, self.digest = file, stopped, 0, hashlib.sha256()
        self.tail = b""  # the last bytes read: as many as the block that ends a bgzip file
        self._pipe = -1
        with suppress(OSError):  # of a standard input that is no file at all
            self._pipe = file.fileno() if is_waiting else -1

    def readable(self) -> bool:
        """As every file."""
        return True

    def readinto(self, buffer: Any) -> int:
        """As every raw file, but full unless the file ends: the first bytes of a pipe may come one by one."""
        data = self._file.read(len(buffer)) if self._pipe < 0 else self._from_pipe(len(buffer))
        buffer[: len(data)] = data
        self.n += len(data)
        self.digest.update(data)
        self.tail = (self.tail + data[-len(BGZIP_END) :])[-len(BGZIP_END) :]
        return len(data)

    def _from_pipe(self, n: int) -> bytes:
        """What comes through the pipe, until nobody waits for it any more: a thread that reads cannot be woken."""
        found = b""
        waiting = select.poll()
        waiting.register(self._pipe, select.POLLIN)
        while len(found) < n and not self._stopped.is_set():
            if waiting.poll(50):
                piece = os.read(self._pipe, n - len(found))
                if not piece:
                    break
                found += piece
        return found


@contextmanager
def opened(path: Path) -> Iterator[BinaryIO]:
    """Open a file for reading; `-` is standard input.

    Raises:
        Refused: it cannot be opened.
    """
    if str(path) == "-":
        if sys.stdin is None:
            raise Refused("standard input is closed", where="-", cure="pipe a file in, or name it")
        yield sys.stdin.buffer
        return
    check_path(path)
    with path.open("rb") as file:
        yield file


def check_path(path: Path) -> None:
    """Refuse what cannot be opened: no such file, a folder, an address, or a file without permission to read."""
    try:
        if path.is_dir():
            raise Refused("this is a folder, not a file", where=str(path), cure="check the path")
        if stat.S_ISREG(path.stat().st_mode):
            path.open("rb").close()
    except FileNotFoundError as error:
        is_address = str(path).startswith(("http:/", "https:/", "ftp:/", "s3:/", "gs:/"))
        where = re.sub(r"^(\w+):/+", r"\1://", str(path)) if is_address else str(path)
        cure = f"agdb reads files: agdb fetch url {where}" if where.startswith("http") else "download it first"
        raise Refused("there is no such file", where=where, cure=cure if is_address else "check the path") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in its name
        told = getattr(error, "strerror", None) or str(error)
        cure = "check its permissions" if isinstance(error, PermissionError) else "check the path"
        raise Refused(f"the file cannot be read: {told}", where=repr(str(path))[1:-1], cure=cure) from error


def is_pipe(path: Path) -> bool:
    """Whether it can be read only once: standard input, a named pipe, `<(command)`."""
    if str(path) == "-":
        return True
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError):
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)
