"""One file out of an archive that lies at an address: its headers are read by ranges, a few hundred bytes each."""

import io
import tarfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import IO

from agdb.errors import Refused
from agdb.fetch.addresses import nearest
from agdb.fetch.web import Answer, Cut, Web

#: Bytes that are asked for at once, to read a header of 512.
BLOCK = 4096


@dataclass(frozen=True)
class Place:
    """Where a member lies in its archive: `size` bytes from byte `first` on."""

    first: int
    size: int


class _Ranged(io.RawIOBase):
    """An address as a file that can be read anywhere. Only its headers are: what lies between is never asked for."""

    def __init__(self, web: Web, head: Answer, patient: "Patient") -> None:
        self._web, self._head, self._patient = web, head, patient
        self._at, self._block_at, self._block = 0, 0, b""

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        end = self._head.total or 0
        self._at = {io.SEEK_SET: offset, io.SEEK_CUR: self._at + offset, io.SEEK_END: end + offset}[whence]
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at >= (self._head.total or 0):
            return 0
        if not self._block_at <= self._at < self._block_at + len(self._block):
            self._block, self._block_at = self._patient(self._asked), self._at
        start = self._at - self._block_at
        piece = self._block[start : start + len(buffer)]
        buffer[: len(piece)] = piece
        self._at += len(piece)
        return len(piece)

    def _asked(self) -> bytes:
        last = min(self._at + BLOCK, self._head.total or 0) - 1
        with self._web.body(self._head.url, self._at, last, self._head.validator) as answer:
            if answer.first != self._at or answer.total != self._head.total:
                raise Refused("the archive at the address changed while it was read", where=self._head.url)
            data = b"".join(answer.chunks())
        if len(data) != last - self._at + 1:
            raise Cut("the answer is shorter than what was asked for")
        return data


Patient = Callable[[Callable[[], bytes]], bytes]


@dataclass
class Archive:
    """A tar at an address, of which members are looked up one after the other; each header is read once."""

    web: Web
    head: Answer
    patient: Patient
    places: dict[str, Place] = field(default_factory=dict)
    _tar: tarfile.TarFile | None = None

    def find(self, member: str) -> Place:
        """Where the member of this name lies, in whatever folder of the archive.

        Raises:
            Refused: there is none, or the archive is none.
        """
        try:
            if self._tar is None:
                file = io.BufferedReader(_Ranged(self.web, self.head, self.patient), buffer_size=512)
                self._tar = tarfile.TarFile(fileobj=file)
            while member not in self.places:
                found = self._tar.next()
                if found is None:
                    raise no_member(member, list(self.places), self.head.url)
                if is_plain(found):
                    self.places.setdefault(PurePosixPath(found.name).name, Place(found.offset_data, found.size))
        except tarfile.TarError as error:
            raise Refused(f"what is at the address is no tar archive: {error}", where=self.head.url) from error
        return self.places[member]


def is_plain(member: tarfile.TarInfo) -> bool:
    """Whether a member is a file under a name that stays within the archive's own folders: no link, no way out."""
    path = PurePosixPath(member.name)
    return member.isreg() and not path.is_absolute() and ".." not in path.parts


def no_member(member: str, names: list[str], where: str) -> Refused:
    """That a member is not there, and which ones look like it."""
    alike = nearest(member, names)
    cure = f"did you mean {', '.join(alike)}?" if alike else f"it holds {len(names)} files, none with such a name"
    return Refused(f"the archive holds no {member}", where=where, cure=cure)


def copy_out(stream: IO[bytes], member: str, target: Path, where: str, counted: Callable[[int], None]) -> None:
    """Read an archive from its beginning until the member has been copied: what servers without ranges leave us.

    Raises:
        Refused: it holds no such member, or ends before it.
    """
    names = []
    try:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for found in tar:
                name = PurePosixPath(found.name).name
                if not is_plain(found):
                    continue
                names.append(name)
                source = tar.extractfile(found) if name == member else None
                if source is None:
                    continue
                with source, target.open("wb") as file:
                    while data := source.read(1 << 18):
                        file.write(data)
                        counted(file.tell())
                return
    except tarfile.TarError as error:
        raise Refused(f"the archive is cut, or none: {error}", where=where) from error
    raise no_member(member, names, where)
