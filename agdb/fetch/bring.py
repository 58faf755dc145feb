"""A wanted file, brought: from the folder where it lies already, from an archive beside it, or from its address."""

import os
import urllib.request
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from agdb.errors import Refused
from agdb.fetch import archive, whole
from agdb.fetch.addresses import Address, Wanted
from agdb.fetch.archive import Archive
from agdb.fetch.download import BrokenOff, Download, NoRanges, patiently, room_for
from agdb.fetch.folder import Part, Say, made, only_one
from agdb.fetch.web import Gone, OutOfReach, Web
from agdb.ingest import origin
from agdb.ingest.origin import Origin

#: Shows how a download stands: given a name, a function of the bytes that are there and of all bytes.
Watch = Callable[[str], AbstractContextManager[Callable[[int, int | None], None]]]


@dataclass(frozen=True)
class Kept:
    """A file that is there now. `how` says whence, and what it was checked by."""

    path: Path
    bytes: int
    how: str


@dataclass
class Bringer:
    """Brings files into a folder; archives that it has looked into are remembered."""

    web: Web
    folder: Path
    say: Say
    watch: Watch
    archives: dict[str, Archive] = field(default_factory=dict)

    def bring(self, wanted: Wanted) -> Kept:
        """The file, whole and checked, with its origin beside it.

        Raises:
            Refused: it cannot be had, or is not the one that is published; the message says what to do by hand.
        """
        path = made(self.folder) / wanted.file
        with only_one(path, self.say):
            if path.exists():
                return self._taken(wanted, path)
            part = Part.of(path)
            try:
                checksum = self._fill(wanted, part)
            except (OutOfReach, Gone, BrokenOff) as error:
                raise _by_hand(error, wanted, self.folder) from error
            return self._placed(wanted, part, path, self._checked(wanted, part, checksum))

    def by_hand(self, wanted: Wanted) -> Path | None:
        """The archive of a member, where it was put into the folder."""
        local = self.folder / wanted.address.file
        return local if wanted.member and local.exists() else None

    def plan(self, wanted: Wanted) -> str:
        """What `bring` would do, in lines: how many bytes, from where, to where. Nothing is written."""
        path, address = self.folder / wanted.file, wanted.address
        lines = [f"{wanted.file}: {self._size(wanted)}", f"  from {address.url}", f"  to   {path}"]
        lines.append(f"  by   {wanted.checksum or address.checked}")
        return "\n".join(lines)

    def _size(self, wanted: Wanted) -> str:
        path, part, address = self.folder / wanted.file, Part.of(self.folder / wanted.file), wanted.address
        if path.exists():
            return f"is there already ({path.stat().st_size:,} bytes); it would be checked, and not fetched again"
        if local := self.by_hand(wanted):
            return f"would be taken out of {local}"
        have = f", of which {part.size:,} are there" if part.size else ""
        try:
            if wanted.member is None:
                total = patiently(lambda: self.web.head(address.url)).total
                return "of unknown size" if total is None else f"{total:,} bytes{have}"
            tar = self.archive(wanted)
            if not tar.head.has_ranges:
                return f"in an archive of {tar.head.total or 0:,} bytes, which the server does not send in parts"
            return f"{tar.find(wanted.member).size:,} bytes{have}, out of an archive of {tar.head.total or 0:,}"
        except (OutOfReach, Gone, BrokenOff) as error:
            known = f"{address.bytes:,} bytes by the table" if address.bytes else "of unknown size"
            return f"{known}{have}; {error.what}"

    def archive(self, wanted: Wanted) -> Archive:
        """The archive of a member, looked into once."""
        url = wanted.address.url
        if url not in self.archives:
            self.archives[url] = Archive(self.web, patiently(lambda: self.web.head(url)), patiently)
        return self.archives[url]

    def _taken(self, wanted: Wanted, path: Path) -> Kept:
        """A file that is there already: brought before, or by hand; taken when it is the one that is meant."""
        known, size = origin.read(path), path.stat().st_size
        is_known = known and known.url == wanted.address.url and known.sha256 == whole.digest(path, "sha256")
        if known and is_known and wanted.checksum is None:
            return Kept(path, size, f"is there already, {known.checked}")
        try:
            checked = whole.check(path, wanted.file, wanted.checksum)
        except Refused as error:
            cure = "move it away: the same command then brings the right one"
            raise Refused(error.what, where=str(path), cure=cure) from error
        if is_known:
            return Kept(path, size, f"is there already, {checked}")
        origin.write(path, _origin(wanted, path, checked, None))
        return Kept(path, size, f"was there, brought by hand: {checked}")

    def _fill(self, wanted: Wanted, part: Part) -> str | None:
        """Bring the bytes into the part; the checksum of the server, where it gives one."""
        with self.watch(wanted.file) as progress:
            if wanted.member is None:
                download = Download(self.web, wanted.address.url, part, progress)
                download.run()
                return download.checksum
            self._fill_member(wanted, wanted.member, part, progress)
            return None

    def _fill_member(
        self, wanted: Wanted, member: str, part: Part, progress: Callable[[int, int | None], None]
    ) -> None:
        """A member: out of an archive that was brought by hand, by ranges, or out of the archive as it comes."""
        if local := self.by_hand(wanted):
            with room_for(part), local.open("rb") as stream:
                archive.copy_out(stream, member, part.path, str(local), lambda n: progress(n, None))
            return
        tar = self.archive(wanted)
        try:
            if not tar.head.has_ranges:
                raise NoRanges
            place = tar.find(member)
            Download(self.web, tar.head.url, part, progress, place.first, place.size, tar.head.validator).run()
        except NoRanges:
            self.say(f"{member}: the server sends no parts of files; reading its archive up to there")
            patiently(lambda: self._stream(tar.head.url, member, part, progress))

    def _stream(self, url: str, member: str, part: Part, progress: Callable[[int, int | None], None]) -> None:
        part.remove()
        with self.web.body(url) as answer, room_for(part):
            archive.copy_out(answer.file(), member, part.path, url, lambda n: progress(n, None))

    def _checked(self, wanted: Wanted, part: Part, checksum: str | None) -> str:
        """What it was checked by. A part that is not the file that was meant is removed: to go on with it is vain."""
        try:
            return whole.check(part.path, wanted.file, wanted.checksum or checksum)
        except Refused as error:
            part.remove()
            cure = f"the same command starts anew; should it fail again: is there a new file? {wanted.address.page}"
            raise Refused(error.what, where=wanted.address.url, cure=cure) from error

    def _placed(self, wanted: Wanted, part: Part, path: Path, checked: str) -> Kept:
        """The part becomes the file, at once; its origin is there before it."""
        size = part.size
        with part.path.open("rb") as file:
            os.fsync(file.fileno())
        local = self.by_hand(wanted)
        now = None if local else f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
        origin.write(path, _origin(wanted, part.path, checked, now))
        part.path.replace(path)
        part.remove()
        return Kept(path, size, f"{checked}; out of {local}, brought by hand" if local else checked)


@dataclass(frozen=True)
class Probe:
    """How an address answers."""

    is_right: bool
    told: str
    bytes: int | None


def probes(web: Web, addresses: Sequence[Address]) -> list[Probe]:
    """How the addresses answer, asked side by side."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda address: _probe(web, address), addresses))


def _probe(web: Web, address: Address) -> Probe:
    """Ask an address of the table, without its body, whether it is as the table says."""
    try:
        head = patiently(lambda: web.head(address.url))
    except Refused as error:
        return Probe(False, error.what, None)
    if address.bytes and head.total is not None and head.total != address.bytes:
        return Probe(False, f"another file: the table says {address.bytes:,} bytes", head.total)
    if head.checksum and (address.checksum or "").startswith("md5:") and head.checksum != address.checksum:
        return Probe(False, f"another file: its checksum is {head.checksum}", head.total)
    if address.members and not head.has_ranges:
        return Probe(True, "ok, but sends no parts of files", head.total)
    return Probe(True, "ok", head.total)


def _origin(wanted: Wanted, path: Path, checked: str, retrieved_at: str | None) -> Origin:
    """Where the bytes at `path` are from."""
    address = wanted.address
    return Origin(
        url=address.url, sha256=whole.digest(path, "sha256"), bytes=path.stat().st_size, retrieved_at=retrieved_at,
        member=wanted.member, release=address.release or None, assembly=address.assembly,
        licence=address.licence or None, citation=address.citation or None, checked=checked,
    )  # fmt: skip


def _by_hand(error: Refused, wanted: Wanted, folder: Path) -> Refused:
    """The same error, with what to download by hand, and where to put it."""
    address = wanted.address
    if isinstance(error, Gone) and address.what == "url":
        return Gone(error.what, where=error.where, cure=f"is the address right? {address.url}")
    right = f"it has to have {wanted.checksum}" if wanted.checksum else "it is checked as far as it can be"
    then = f"{wanted.file} is taken out of it" if wanted.member else f"it is taken then; {right}"
    first = "download it by hand:"
    if isinstance(error, Gone):
        is_mirror = urlsplit(error.where or address.url).netloc != urlsplit(address.url).netloc
        first = f"{'put it on the mirror; or ' if is_mirror else ''}see where it is now, {address.page}, and {first}"
    elif isinstance(error, BrokenOff):
        first = f"the same command goes on from there; or {first}"
    elif proxy := urllib.request.getproxies().get(address.url.partition(":")[0]):
        first = f"is the proxy {proxy.rpartition('@')[2]} right (HTTPS_PROXY)? Else {first}"
    lines = [first, f"from {address.url}", f"as   {folder / address.file}", f"and give the same command again: {then}"]
    return type(error)(error.what, where=error.where, cure="\n           ".join(lines))
