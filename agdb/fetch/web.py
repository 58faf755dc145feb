"""HTTP as a download needs it: what is at an address, bytes from an offset on, and errors that tell what to do.

The body is taken as it is sent, never decoded: some servers call a .gz file an encoding, which a browser would unpack.
"""

import base64
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, RawIOBase
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import urlsplit

from agdb import __version__
from agdb.errors import Refused, UsageError

if TYPE_CHECKING:
    import requests

#: Longest wait for a connection: a wall that swallows packets is no slow server.
CONNECT_S = 10.0
#: Answers of servers that do not like to be asked for a head alone.
NO_HEAD = (403, 405, 501)
#: Bytes that are read at once, at most.
CHUNK = 1 << 18


class Cut(Exception):
    """The connection ended, fell silent, or the server is busy: worth another try."""


class OutOfReach(Refused):
    """Nobody answers at the address: offline, behind a proxy, or the server is down."""


class Gone(Refused):
    """The server answers, and has no such file for us."""


@dataclass(frozen=True)
class Answer:
    """What the head of an answer says of a file: `total` bytes at the address, of which the body starts at `first`.

    `validator` (ETag or date) tells whether it is still the same file, `checksum` is what the server itself gives.
    """

    url: str
    first: int
    total: int | None
    validator: str | None
    checksum: str | None
    has_ranges: bool
    response: Any

    def chunks(self) -> Iterator[bytes]:
        """The body, as it is sent.

        Raises:
            Cut: it ends early, or nothing comes for too long.
        """
        import urllib3

        try:
            # what is there, without waiting for more: of a slow or cut connection nothing is lost
            while data := self.response.raw.read1(CHUNK, decode_content=False):
                yield data
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise Cut(_short(error)) from error

    def file(self) -> IO[bytes]:
        """The body as a file that can be read once."""
        return BufferedReader(_Stream(self.chunks()))


class _Stream(RawIOBase):
    """Chunks as a file."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._left = chunks, b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        self._left = self._left or next(self._chunks, b"")
        piece, self._left = self._left[: len(buffer)], self._left[len(buffer) :]
        buffer[: len(piece)] = piece
        return len(piece)


class Web:
    """Addresses as they are asked: at the mirror where there is one, with a time-out on every wait."""

    def __init__(self, mirror: str | None = None, timeout_s: float = 30) -> None:
        if mirror and not mirror.startswith(("http://", "https://")):
            what = f"the mirror {_without_password(mirror)!r} is no http address"
            raise UsageError(what, cure="AGDB_FETCH_MIRROR=https://host/path")
        self.mirror, self.timeout_s = mirror and mirror.rstrip("/"), timeout_s
        self._session: requests.Session | None = None  # keeps connections: an archive is a hundred small questions

    @classmethod
    def of_environment(cls) -> "Web":
        """As AGDB_FETCH_MIRROR and AGDB_FETCH_TIMEOUT say.

        Raises:
            UsageError: they say nothing that can be.
        """
        given = os.environ.get("AGDB_FETCH_TIMEOUT", "30")
        if not re.fullmatch(r"\d*\.?\d+", given) or float(given) == 0:
            raise UsageError(f"AGDB_FETCH_TIMEOUT={given} is no time", cure="seconds, e.g. AGDB_FETCH_TIMEOUT=60")
        return cls(os.environ.get("AGDB_FETCH_MIRROR") or None, float(given))

    def address(self, url: str) -> str:
        """Where it is asked for: at a mirror under MIRROR/HOST/PATH, which is how `wget -x` lays files out."""
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise UsageError(f"{url} is no http address", cure="https://...; download other kinds by hand")
        if not self.mirror:
            return url
        return f"{self.mirror}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")

    def _shown(self, asked: str) -> str:
        """An address that was asked, without the password of the mirror."""
        return asked.replace(self.mirror, _without_password(self.mirror), 1) if self.mirror else asked

    def head(self, url: str) -> Answer:
        """What is at the address, without its body.

        Raises:
            OutOfReach, Gone: nobody answers, or there is no such file.
            Cut: the server is busy.
        """
        with self._asked("HEAD", url, {}) as response:
            if response.status_code not in NO_HEAD:
                return _answer(url, response)
        with self.body(url, 0, 0) as answer:
            return answer

    @contextmanager
    def body(self, url: str, first: int = 0, last: int | None = None, validator: str | None = None) -> Iterator[Answer]:
        """The file from byte `first` on (0-based, to `last` inclusive); from its beginning where the server cannot, or
        where the file is no longer the one that `validator` is of: `Answer.first` says which.

        Raises:
            OutOfReach, Gone: nobody answers, or there is no such file.
            Cut: the server is busy.
        """
        headers = {}
        if first or last is not None:
            headers["Range"] = f"bytes={first}-{'' if last is None else last}"
            if validator:
                headers["If-Range"] = validator
        with self._asked("GET", url, headers) as response:
            yield _answer(url, response)

    @contextmanager
    def _asked(self, method: str, url: str, headers: Mapping[str, str]) -> "Iterator[requests.Response]":
        import requests
        import urllib3

        asked = self.address(url)
        self._session = self._session or requests.Session()
        sent = {"Accept-Encoding": "identity", "User-Agent": f"agdb/{__version__}", **headers}
        try:
            response = self._session.request(
                method,
                asked,
                headers=sent,
                stream=True,
                timeout=(min(self.timeout_s, CONNECT_S), self.timeout_s),
                allow_redirects=True,
            )
        except requests.exceptions.ReadTimeout as error:
            raise Cut(f"no answer in {self.timeout_s:g} s") from error
        except requests.exceptions.RequestException as error:
            if error.args and isinstance(error.args[0], urllib3.exceptions.ProtocolError):
                raise Cut(_short(error.args[0])) from error
            shown = self._shown(asked)
            why = _short(error).replace(asked, shown)
            raise OutOfReach(f"cannot reach {urlsplit(shown).netloc}: {why}", where=shown) from error
        with response:
            _check(response, self._shown(asked))
            yield response


def _without_password(mirror: str) -> str:
    """An address of a mirror as it may be shown: it may hold a name and a password, which requests logs in with."""
    scheme, slashes, rest = mirror.rpartition("://")
    return scheme + slashes + rest.rpartition("@")[2]


def _check(response: "requests.Response", asked: str) -> None:
    """Refuse what is not the file: an error, or a way there that https would not have allowed. `asked` is shown."""
    hops = [*response.history, response]
    if asked.startswith("https:") and any(hop.url.startswith("http:") for hop in hops):
        raise Gone("the server leads from https to http, where anybody could change the file", where=asked)
    status = response.status_code
    if status in NO_HEAD and response.request.method == "HEAD":
        return
    if status in (408, 425, 429) or status >= 500:
        raise Cut(f"the server answers {status} {response.reason}")
    if status == 416 or 200 <= status < 300:
        return
    why = f"the server answers {status} {response.reason}"
    raise Gone(f"{why}: it wants a name and a password" if status in (401, 407) else why, where=asked)


def _answer(url: str, response: "requests.Response") -> Answer:
    headers = response.headers
    first, total = 0, _number(headers.get("Content-Length"))
    ranged = re.fullmatch(r"bytes (?:(\d+)-\d+|\*)/(\d+|\*)", headers.get("Content-Range", ""))
    if response.status_code == 416:
        first, total = -1, _number(ranged[2]) if ranged else None
    elif response.status_code == 206 and ranged and ranged[1]:
        first, total = int(ranged[1]), _number(ranged[2])
    etag = headers.get("ETag", "")
    validator = etag if etag.startswith('"') else headers.get("Last-Modified")
    has_ranges = response.status_code == 206 or headers.get("Accept-Ranges", "") == "bytes"
    return Answer(url, first, total, validator, _checksum(headers.get("x-goog-hash", "")), has_ranges, response)


def _checksum(given: str) -> str | None:
    """`md5:...` of Google's storage, which gives it in base64 with every whole object that was not composed."""
    found = re.search(r"\bmd5=([A-Za-z0-9+/]{22}==)", given)
    return f"md5:{base64.b64decode(found[1]).hex()}" if found else None


def _number(text: str | None) -> int | None:
    return int(text) if text and text.isdigit() else None


def _short(error: BaseException) -> str:
    """The innermost reason, in a line."""
    text = str(error)
    for sign, meaning in {
        "Name or service not known": "its name is not known here (offline?)",
        "Temporary failure in name resolution": "its name cannot be looked up (offline?)",
        "No address associated": "its name is not known here (offline?)",
        "Connection refused": "the connection is refused",
        "Network is unreachable": "the network cannot be reached (offline?)",
        "timed out": "it does not answer in time",
        "proxy": "the proxy does not let us through",
        "CERTIFICATE_VERIFY_FAILED": "its certificate is not trusted (a proxy that looks into https?)",
    }.items():
        if sign.lower() in text.lower():
            return meaning
    return (text.splitlines() or [type(error).__name__])[0][:160]
