"""How a file or a run stands, on stderr; and what happens in a run, as JSON lines in a file."""

import json
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agdb.cli.app import say

if TYPE_CHECKING:
    from agdb.predict.run import Summary


@contextmanager
def events(path: Path | None) -> Iterator[Callable[..., None]]:
    """Append events to a file, as JSON lines."""
    if path is None:
        yield lambda event, **details: None
        return
    lock = threading.Lock()
    with path.open("a", encoding="utf-8") as file:

        def tell(event: str, **details: object) -> None:
            line = json.dumps({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": event, **details})
            with lock:
                file.write(line + "\n")
                file.flush()

        yield tell


@contextmanager
def shown(quiet: bool) -> "Iterator[Callable[[Summary | None], None]]":
    """Show how the run stands: a bar on a terminal, a line a minute elsewhere; None ends it."""
    if quiet:
        yield lambda summary: None
        return
    if sys.stderr.isatty():
        with _bar() as show:
            yield show
        return
    said_at = time.monotonic()

    def show_line(summary: "Summary | None") -> None:
        nonlocal said_at
        if summary is not None and summary.pending and time.monotonic() - said_at >= 60:
            said_at = time.monotonic()
            say(_standing(summary))

    yield show_line


@contextmanager
def _bar() -> "Iterator[Callable[[Summary | None], None]]":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TextColumn("{task.description}"))
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(summary: "Summary | None") -> None:
            if summary is None:
                bar.stop()
            else:
                bar.update(
                    task, total=summary.pending, completed=summary.done, description=_standing(summary, short=True)
                )

        yield show


def _standing(summary: "Summary", *, short: bool = False) -> str:
    """`1,200 of 5,000 scored, 3 failed; 8.2 a second, 8 min left; waiting for the quota`."""
    from agdb.predict.estimate import duration

    parts = [] if short else [f"{summary.done:,} of {summary.pending:,}"]
    parts.append(f"{summary.failed:,} failed")
    if summary.per_second:
        parts.append(f"{summary.per_second:.1f} a second")
    if summary.workers is not None:
        parts.append(summary.crew)
    if summary.seconds_left is not None:
        parts.append(f"{duration(summary.seconds_left)} left")
    if summary.is_waiting_for_quota:
        parts.append("waiting for the quota")
    if summary.unmerged:
        parts.append(f"{summary.unmerged:,} batches wait for the database ({summary.held_by})")
    return ", ".join(parts)


@contextmanager
def of_file(path: Path, quiet: bool) -> Iterator[Callable[[int], None]]:
    """Bytes read, rate and time to go on stderr; nothing where stderr is not a terminal."""
    with of_bytes(path.name, quiet) as show:
        total = None
        with suppress(OSError):  # of a name that is too long, say: whoever reads the file tells
            total = path.stat().st_size if path.is_file() else None
        yield lambda n: show(n, total)


@contextmanager
def of_bytes(name: str, quiet: bool) -> Iterator[Callable[[int, int | None], None]]:
    """The same of anything with a name: shown are the bytes that are done, of all bytes where they are known."""
    if quiet or not sys.stderr.isatty():
        yield lambda n, total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task(name, total=None)
        yield lambda n, total: bar.update(task, completed=n, total=total)
