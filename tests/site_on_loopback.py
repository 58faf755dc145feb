"""A web site on loopback whose files, manners and failures a test chooses; it notes every request."""

import gzip
import re
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


@dataclass
class Page:
    """What lies at a path, and how it is sent."""

    data: bytes = b""
    etag: str | None = '"one"'
    has_ranges: bool = True
    #: Sends a part of whatever lies there now, without a look at the version that is meant.
    ignores_if_range: bool = False
    #: Packs what it sends for those who take it packed.
    packs: bool = False
    #: Requests that get no answer at all: the server hangs up.
    hangs_up: int = 0
    #: Answers before it works: status codes, one a request.
    statuses: list[int] = field(default_factory=list)
    #: Bytes after which the connection is cut, one a request that has a body; then none is.
    cuts: list[int] = field(default_factory=list)
    #: The last of `cuts` for ever after.
    cuts_always: bool = False
    #: Bytes after which nothing comes any more, until the test lets go of the site.
    falls_silent_after: int | None = None
    #: A length that is announced in place of the true one.
    announces: int | None = None
    announces_nothing: bool = False
    is_chunked: bool = False
    location: str | None = None
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Request:
    """What was asked."""

    method: str
    path: str
    range: str | None


class Site:
    """Pages by path; `address` is where it is."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}"
        self.pages: dict[str, Page] = {}
        self.requests: list[Request] = []
        self.connections: set[int] = set()
        self.let_go = threading.Event()
        self.is_silent = threading.Event()

    def of(self, url: str, page: Page) -> Page:
        """Put a page where a mirror has the official address `url`."""
        self.pages["/" + url.partition("://")[2]] = page
        return page

    def ranges(self) -> list[str | None]:
        """The ranges of the requests with a body, in order."""
        return [r.range for r in self.requests if r.method == "GET"]


@contextmanager
def served(certificate: Path | None = None) -> Iterator[Site]:
    """A site, for as long as the test runs; over https where a certificate (with its key) is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: object) -> None:
            pass

        def do_HEAD(self) -> None:
            _answer(self, site)

        def do_GET(self) -> None:
            _answer(self, site)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site = Site(server.server_address[1])
    if certificate is not None:
        secure = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        secure.load_cert_chain(certificate)
        server.socket = secure.wrap_socket(server.socket, server_side=True)
        site.address = site.address.replace("http:", "https:")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        site.let_go.set()
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, site: Site) -> None:
    asked = Request(handler.command, handler.path, handler.headers.get("Range"))
    site.requests.append(asked)
    site.connections.add(handler.client_address[1])
    page = site.pages.get(handler.path)
    if page and page.hangs_up:
        page.hangs_up -= 1
        handler.close_connection = True
        return
    status = 404 if page is None else page.statuses.pop(0) if page.statuses else 200
    if page is None or status != 200:
        _head(handler, status, {"Content-Length": "0"})
        return
    if page.location:
        _head(handler, 302, {"Location": page.location, "Content-Length": "0"})
        return
    first, last, status = _span(handler, page)
    body = page.data[first : last + 1]
    is_packed = page.packs and "gzip" in handler.headers.get("Accept-Encoding", "")
    body = gzip.compress(body) if is_packed else body
    headers = {"Content-Length": str(len(body) if page.announces is None else page.announces), **page.headers}
    headers |= {"Content-Encoding": "gzip"} if is_packed else {}
    headers |= {"ETag": page.etag} if page.etag else {}
    headers |= {"Accept-Ranges": "bytes"} if page.has_ranges else {}
    if status == 206:
        headers["Content-Range"] = f"bytes {first}-{last}/{len(page.data)}"
    elif status == 416:
        headers |= {"Content-Range": f"bytes */{len(page.data)}", "Content-Length": "0"}
    if page.announces_nothing or page.is_chunked:
        del headers["Content-Length"]
        headers |= {"Transfer-Encoding": "chunked"} if page.is_chunked else {}
        handler.close_connection = True
    _head(handler, status, headers)
    if handler.command == "GET" and status != 416:
        with suppress(ConnectionError):
            _body(handler, site, page, body)


def _span(handler: BaseHTTPRequestHandler, page: Page) -> tuple[int, int, int]:
    """First byte, last byte and status: the range that is asked for, or all."""
    whole = (0, len(page.data) - 1, 200)
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
    is_other = handler.headers.get("If-Range", page.etag) != page.etag and not page.ignores_if_range
    if not asked or not page.has_ranges or is_other:
        return whole
    first, last = int(asked[1]), min(int(asked[2] or len(page.data) - 1), len(page.data) - 1)
    return (0, -1, 416) if first >= len(page.data) else (first, last, 206)


def _head(handler: BaseHTTPRequestHandler, status: int, headers: dict[str, str]) -> None:
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name, value)
    handler.end_headers()


def _body(handler: BaseHTTPRequestHandler, site: Site, page: Page, body: bytes) -> None:
    if page.is_chunked:
        pieces = [body[i : i + 65536] for i in range(0, len(body), 65536)]
        body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    if page.cuts:
        n = page.cuts[0] if page.cuts_always else page.cuts.pop(0)
        handler.wfile.write(body[:n])
        handler.close_connection = True
    elif page.falls_silent_after is not None:
        handler.wfile.write(body[: page.falls_silent_after])
        handler.wfile.flush()
        site.is_silent.set()
        site.let_go.wait(30)
        handler.close_connection = True
    else:
        handler.wfile.write(body)
        handler.close_connection |= page.announces is not None
