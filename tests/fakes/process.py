"""`with Server(plan) as server:` runs the server in a process of its own, which ends with the block come what may."""

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from fakes.faults import Plan

_PACKAGE_PARENT = Path(__file__).parents[1]


class ServerFailed(Exception):
    """The server did not start, or did not do what it was told."""


class _Running(NamedTuple):
    process: subprocess.Popen[bytes]
    port: int
    control: int


class Server:
    """A server process. It ends with the block, and also when the process that started it is killed.

    Args:
        plan: What goes wrong; `set_plan` changes it.
        port: gRPC port of 127.0.0.1; 0: any free one.
        tracks_tsv: Table of the tracks to serve; None: the few of `fakes.tracks`.
        workers: Calls that can be in progress at a time.
        start_timeout_s: How long a start may take.
    """

    def __init__(
        self,
        plan: Plan | None = None,
        *,
        port: int = 0,
        tracks_tsv: Path | None = None,
        workers: int = 256,
        start_timeout_s: float = 30,
    ) -> None:
        self._plan, self._port, self._tracks_tsv = plan or Plan(), port, tracks_tsv
        self._workers, self._start_timeout_s = workers, start_timeout_s
        self._running: _Running | None = None
        self._files = ExitStack()

    def __enter__(self) -> "Server":
        self._files.__enter__()
        self._stderr = self._files.enter_context(tempfile.TemporaryFile())
        self._folder = Path(self._files.enter_context(tempfile.TemporaryDirectory(prefix="fakes-")))
        try:
            self._start()
        except BaseException:
            self._files.close()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            self._end()
        finally:
            self._files.close()

    @property
    def address(self) -> str:
        """`127.0.0.1:port`, to which clients connect; the same after `restart`."""
        return f"127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """Of the process."""
        return self._on().process.pid

    @property
    def stderr(self) -> str:
        """What the process, and those before it, have said."""
        self._stderr.seek(0)
        return self._stderr.read().decode(errors="replace")

    def stats(self, *, variants: bool = False) -> dict[str, Any]:
        """The counts of `Gate.stats`; with `variants`, also `calls_by_variant`. They begin anew with each process."""
        return self._ask("GET", "/stats?variants=1" if variants else "/stats")

    def set_plan(self, plan: Plan) -> None:
        """Put a plan in force, for calls that arrive from now on and for later starts."""
        self._plan = plan
        if self._running:
            self._ask("POST", "/plan", plan.to_json())

    def reset(self) -> None:
        """Count from nought, attempts included."""
        self._ask("POST", "/reset")

    def kill(self) -> None:
        """End the process as `kill -9` does, amid its calls."""
        process = self._on().process
        process.kill()
        self._reap(process)

    def wait(self, timeout_s: float = 10) -> int:
        """Wait until the process has ended by itself, as fault `die` makes it: its exit status."""
        process = self._on().process
        status = process.wait(timeout_s)
        self._reap(process)
        return status

    def restart(self) -> None:
        """Start a new process on the same port, after `kill` or instead of the one that runs. Counts begin anew."""
        if self._running:
            self.kill()
        self._start()

    def _start(self) -> None:
        plan = self._folder / "plan.json"
        plan.write_text(self._plan.to_json())
        command = [sys.executable, "-m", "fakes", "--port", str(self._port), "--plan", str(plan), "--until-eof"]
        command += ["--workers", str(self._workers)]
        command += ["--tracks-tsv", str(self._tracks_tsv)] if self._tracks_tsv else []
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._stderr,
            env={**os.environ, "PYTHONPATH": str(_PACKAGE_PARENT)},
        )
        try:
            ready = self._first_line(process)
            self._running = _Running(process, ready["port"], ready["control"])
        except BaseException:
            process.kill()
            self._reap(process)
            raise
        self._port = self._running.port

    def _first_line(self, process: subprocess.Popen[bytes]) -> dict[str, int]:
        """What the process says when it is ready."""
        assert process.stdout is not None
        line, until = b"", time.monotonic() + self._start_timeout_s
        while not line.endswith(b"\n"):
            readable, _, _ = select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))
            if not readable:
                raise ServerFailed(f"the server was not ready after {self._start_timeout_s:g} s:\n{self.stderr}")
            read = os.read(process.stdout.fileno(), 4096)
            if not read:
                raise ServerFailed(f"the server ended while it started:\n{self.stderr}")
            line += read
        ready: dict[str, int] = json.loads(line)
        return ready

    def _end(self) -> None:
        if self._running:
            process = self._running.process
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
            self._reap(process)

    def _reap(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        self._running = None
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()

    def _on(self) -> _Running:
        if self._running is None:
            raise ServerFailed("the server does not run")
        return self._running

    def _ask(self, method: str, path: str, body: str | None = None) -> dict[str, Any]:
        connection = HTTPConnection("127.0.0.1", self._on().control, timeout=10)
        try:
            connection.request(method, path, body)
            response = connection.getresponse()
            said: dict[str, Any] = json.loads(response.read())
        finally:
            connection.close()
        if response.status != 200:
            raise ServerFailed(f"{method} {path}: {said['error']}")
        return said
