"""Whether the file that came is the one that was meant: by its published checksum, or at least whole of its kind."""

import hashlib
from pathlib import Path

from agdb.errors import Refused

#: First and last bytes of files that have such.
ENDS = {".parquet": (b"PAR1", b"PAR1"), ".feather": (b"ARROW1", b"ARROW1")}


def digest(path: Path, algorithm: str) -> str:
    """md5 or sha256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, algorithm).hexdigest()


def is_as_published(path: Path, checksum: str) -> bool:
    """Whether a file has the checksum `md5:...` or `sha256:...`."""
    algorithm, _, expected = checksum.partition(":")
    return digest(path, algorithm) == expected.lower()


def check(path: Path, name: str, checksum: str | None) -> str:
    """Check a file that is to be called `name`; returns what was checked, in words.

    Raises:
        Refused: it is another file, cut, or none of its kind (a page of a proxy, say).
    """
    if checksum is None:
        return _whole(path, name)
    if not is_as_published(path, checksum):
        algorithm, _, expected = checksum.partition(":")
        raise Refused(
            f"this is not the file that is published: its {algorithm} is {digest(path, algorithm)}, not {expected}",
            where=str(path),
        )
    return f"{checksum.partition(':')[0]} as published"


def _whole(path: Path, name: str) -> str:
    """Whether the file is whole, as far as its kind can tell."""
    ending = Path(name).suffix
    with path.open("rb") as file:
        first = file.read(6)
        file.seek(-min(6, path.stat().st_size), 2)
        last = file.read()
    if ending in (".gz", ".bgz"):
        if first[:2] != b"\x1f\x8b":
            raise _no(path, "gzip", first)
        _unpack(path)
        return "gzip, with its own checksum"
    if ending in ENDS:
        head, tail = ENDS[ending]
        if not first.startswith(head) or not last.endswith(tail):
            raise _no(path, ending.removeprefix("."), first)
        return f"{ending.removeprefix('.')}, whole"
    return "not checked: no checksum is known"


def _no(path: Path, kind: str, first: bytes) -> Refused:
    is_page = first.lstrip().startswith(b"<")
    page = ": it is a web page (a login of the network?)" if is_page else f", or not all of one: it begins {first!r}"
    return Refused(f"what came is no {kind} file{page}", where=str(path))


def _unpack(path: Path) -> None:
    """Read a gzip to its end, which verifies the checksum of each member."""
    from isal import igzip

    from agdb.ingest.text import DAMAGE

    try:
        with igzip.open(path, "rb") as file:
            while file.read(1 << 20):
                pass
    except DAMAGE as error:
        raise Refused(f"the gzip file is cut or damaged: {error}", where=str(path)) from error
