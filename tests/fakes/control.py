"""The way to look into a running server and to change it: HTTP on a loopback port of its own.

GET /stats              the counts of `Gate.stats`; with ?variants=1 also the calls of each variant
POST /plan   {...}      puts a plan in force
POST /reset             counts from nought
POST /stop              ends the server
"""

import json
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

from fakes.faults import Plan
from fakes.gate import Gate


class Control:
    """Serves from its construction on, in threads of its own.

    Args:
        gate: What is looked into and changed.
        stop: Is set by POST /stop.

    Attributes:
        port: Of 127.0.0.1.
    """

    def __init__(self, gate: Gate, stop: Event) -> None:
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, gate, stop))
        server.daemon_threads = True
        self.port = int(server.server_address[1])
        Thread(target=server.serve_forever, daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, gate: Gate, stop: Event, *of_request: Any) -> None:
        self._gate, self._stop = gate, stop
        super().__init__(*of_request)

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path == "/stats":
            self._reply(200, self._gate.stats(by_variant=parse_qs(url.query).get("variants") == ["1"]))
        else:
            self._reply(404, {"error": f"there is no {url.path}"})

    def do_POST(self) -> None:
        posted = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        actions: dict[str, Callable[[], None]] = {
            "/plan": lambda: self._gate.set_plan(Plan.from_json(posted)),
            "/reset": self._gate.reset,
            "/stop": self._stop.set,
        }
        if self.path not in actions:
            self._reply(404, {"error": f"there is no {self.path}"})
            return
        try:
            actions[self.path]()
        except (ValueError, TypeError) as error:
            self._reply(400, {"error": str(error)})
        else:
            self._reply(200, {})

    def log_message(self, *_: object) -> None:
        """Nothing: stderr is for what goes wrong unasked."""

    def _reply(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
