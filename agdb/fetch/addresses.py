"""The table of addresses, and what is wanted of it: one file, or one member of an archive."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from importlib import resources
from pathlib import PurePosixPath
from urllib.parse import unquote, urlsplit

from agdb.errors import UsageError

#: Names that may become a file's name: no path, no hidden file, nothing that a shell minds.
SAFE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._+-]*")


@dataclass(frozen=True)
class Address:
    """One row of the table; what its fields mean stands at its head. `members` makes it an archive."""

    what: str
    name: str
    url: str
    checked: str
    licence: str
    citation: str
    page: str
    release: str
    assembly: str | None = None
    accession: str | None = None
    bytes: int | None = None
    checksum: str | None = None
    next: str | None = None
    members: Mapping[str, str] = field(default_factory=dict)

    @property
    def file(self) -> str:
        """Name of the file at the address."""
        return file_name(self.url)


@dataclass(frozen=True)
class Wanted:
    """A file to bring: all of what is at an address, or the member of an archive of the name `member`."""

    address: Address
    member: str | None = None

    @property
    def file(self) -> str:
        """The name that it will have."""
        return self.member or self.address.file

    @property
    def checksum(self) -> str | None:
        """`md5:...` or `sha256:...` of the file where it is published; never of a member."""
        return None if self.member else self.address.checksum


def file_name(url: str) -> str:
    """The last part of the path of an address.

    Raises:
        UsageError: there is none, or it is no name for a file.
    """
    name = PurePosixPath(unquote(urlsplit(url).path)).name
    if not SAFE_NAME.fullmatch(name):
        raise UsageError(f"the address ends in no file name: {url}", cure="give the address of a file")
    return name


def table() -> list[Address]:
    """Every address."""
    text = (resources.files("agdb.fetch") / "addresses.toml").read_text(encoding="utf-8")
    return [Address(**row) for row in tomllib.loads(text)["file"]]


def named(what: str, name: str) -> Address:
    """The address of that name.

    Raises:
        UsageError: there is none.
    """
    known = [address for address in table() if address.what == what]
    for address in known:
        if address.name.lower() == name.lower():
            return address
    names = ", ".join(address.name for address in known)
    raise UsageError(f"agdb knows no {what} {name!r}", cure=f"one of {names}; any other file: agdb fetch url ADDRESS")


def elsewhere(url: str, checksum: str | None) -> Address:
    """An address that is not in the table.

    Raises:
        UsageError: it is no address of a file, or the checksum is none.
    """
    if checksum and not re.fullmatch(r"md5:[0-9a-fA-F]{32}|sha256:[0-9a-fA-F]{64}", checksum):
        raise UsageError(f"{checksum!r} is no checksum", cure="--checksum md5:... or sha256:..., in hexadecimal")
    if "@" in urlsplit(url).netloc:
        raise UsageError("the address holds a name or a password, which would go into the database",
                         cure="download it by hand, then ingest the file")  # fmt: skip
    file_name(url)
    return Address(
        what="url", name=url, url=url.partition("#")[0], page=url, checksum=checksum,
        checked="the checksum that was given" if checksum else "none was given", licence="", citation="", release="",
    )  # fmt: skip


def of_tissues(release: str, kind: str, tissues: Sequence[str]) -> list[Wanted]:
    """A member of GTEx's archive for each tissue. Whether there is such a tissue only the archive knows.

    Raises:
        UsageError: no such release, no such kind of table, or a tissue that is no name.
    """
    archive = named("gtex", release)
    if kind not in archive.members:
        raise UsageError(f"there is no GTEx table {kind!r}", cure=f"one of {', '.join(archive.members)}")
    for tissue in tissues:
        if not re.fullmatch(r"[A-Za-z0-9_-]+", tissue):
            cure = "GTEx's spelling: Whole_Blood, Kidney_Cortex, Brain_Spinal_cord_cervical_c-1"
            raise UsageError(f"{tissue!r} is no tissue of GTEx", cure=cure)
    return [Wanted(archive, archive.members[kind].format(tissue=tissue)) for tissue in dict.fromkeys(tissues)]


def nearest(name: str, names: Sequence[str], n: int = 4) -> list[str]:
    """Those of the names that look most like it."""
    return get_close_matches(name, names, n, cutoff=0.4)
