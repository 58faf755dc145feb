"""The bytes of an address into a part file: gone on with where they ended, as often as it takes."""

import errno
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from agdb.errors import Refused
from agdb.fetch.folder import Begun, Part
from agdb.fetch.web import Answer, Cut, OutOfReach, Web

T = TypeVar("T")

#: Tries without one new byte before it is given up, and the first of the waits between them, in seconds; each wait is
#: twice the one before.
TRIES = 5
PAUSE_S = 1.0
LONGEST_PAUSE_S = 30.0


class NoRanges(Exception):
    """The server cannot send a part of a file."""


class BrokenOff(Refused):
    """The connection ends again and again; what came is kept."""


def patiently(ask: Callable[[], T]) -> T:
    """An answer of a server that may be busy: asked again a few times.

    Raises:
        BrokenOff: it stays so.
    """
    for n in range(TRIES):
        try:
            return ask()
        except Cut as cut:
            why = cut
            if n + 1 < TRIES:
                _wait(n)
    raise BrokenOff(f"no answer after {TRIES} tries: {why}")


def _wait(n: int) -> None:
    time.sleep(min(PAUSE_S * 2**n, LONGEST_PAUSE_S))


@dataclass
class Download:
    """Bytes [first, first + size) of an address, on their way into a part file; all of them where size is None.

    `checksum` is what the server gave of the whole file at the address, once it has answered.
    """

    web: Web
    url: str
    part: Part
    progress: Callable[[int, int | None], None]
    first: int = 0
    size: int | None = None
    validator: str | None = None
    checksum: str | None = None

    def run(self) -> None:
        """Bring what is missing.

        Raises:
            OutOfReach, Gone: nobody answers, or there is no such file.
            BrokenOff: the connection ends again and again.
            NoRanges: a part is wanted, and the server has only the whole.
            Refused: the disk is full. What came is kept, in every case.
        """
        failures, most = 0, self.part.size
        while True:
            try:
                if self._bring():
                    return
                why: Exception = Cut("the file at the address is another one than before")
            except Cut as cut:
                why = cut
            except OutOfReach as error:
                if not self.part.size:
                    raise
                why = error
            have = self.part.size
            failures = 0 if have > most else failures + 1  # what had to be begun anew is no progress until it is more
            most = max(most, have)
            if failures >= TRIES:
                told = f"the download breaks off at {have:,} bytes, after {TRIES} tries: {why}"
                raise BrokenOff(told, where=self.url)
            _wait(failures)

    def _bring(self) -> bool:
        """One connection. False where what was there is of another file: it has been removed."""
        begun = self.part.begun(self._what())
        have = self.part.size if begun else 0
        if begun:
            self.checksum = begun.checksum
            if begun.total == have:
                return True
        last = None if self.size is None else self.first + self.size - 1
        validator = begun.validator if begun else self.validator
        with self.web.body(self.url, self.first + have, last, validator) as answer:
            if begun and answer.first < 0 and begun.total is None and answer.total == have:
                return True  # it was all there, and nobody had said how long it is
            if begun and not self._goes_on(answer, begun, have):
                self.part.remove()
                if answer.first:  # not even its beginning
                    return False
                begun, have = None, 0
            if answer.first != self.first + have:
                raise NoRanges(self.url)
            total = answer.total if self.size is None else self.size
            if begun is None:
                self.checksum = answer.checksum
                self.part.begin(Begun(self._what(), answer.validator, total, answer.checksum))
            self._append(answer, have, total)
        if total is not None and self.part.size != total:
            raise Cut(f"the server sends {self.part.size:,} of {total:,} bytes")
        return True

    def _what(self) -> str:
        """The address, and which bytes of it."""
        return self.url if self.size is None else f"{self.url}#{self.first}+{self.size}"

    def _goes_on(self, answer: Answer, begun: Begun, have: int) -> bool:
        """Whether the answer is the rest of what was begun."""
        same = begun.validator is None or answer.validator == begun.validator
        if self.size is None and answer.total != begun.total:
            same = begun.total is None and answer.validator is not None and answer.validator == begun.validator
        return same and answer.first == self.first + have

    def _append(self, answer: Answer, have: int, total: int | None) -> None:
        if total is not None:
            _has_room(self.part, total - have)
        self.progress(have, total)
        with room_for(self.part), self.part.path.open("ab") as file:
            for chunk in answer.chunks():
                file.write(chunk)
                have += len(chunk)
                self.progress(have, total)
        if total is not None and have > total:
            self.part.remove()
            raise Cut(f"the server sends more than the {total:,} bytes that it announces")


def _has_room(part: Part, missing: int) -> None:
    with suppress(OSError):
        free = shutil.disk_usage(part.path.parent).free
        if free < missing:
            raise Refused(
                f"the disk has room for {free:,} bytes, and {missing:,} are still to come", where=str(part.path.parent),
                cure="free some space, or give another folder: --to FOLDER",
            )  # fmt: skip


@contextmanager
def room_for(part: Part) -> Iterator[None]:
    """Where something is written; a full disk becomes a refusal, and what was written is kept."""
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
            raise
        cure = "free some space: the same command goes on from there; or give another folder: --to FOLDER"
        raise Refused(f"the disk is full after {part.size:,} bytes", where=str(part.path), cure=cure) from error
