"""SIGINT and SIGTERM: Ctrl-C ends a run within seconds, and nothing that was answered is lost."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Self


class Interruption:
    """SIGINT and SIGTERM within the block break off what goes on. Within `noted` the first of them is only noted, so
    that what was answered is written.

    Attributes:
        came: Whether there was one.
    """

    def __init__(self) -> None:
        self.came = self._is_noted = False

    def __enter__(self) -> Self:
        is_main = threading.current_thread() is threading.main_thread()  # others cannot, and get no signals
        numbers = (signal.SIGINT, signal.SIGTERM) if is_main else ()
        self._before = {number: signal.signal(number, self._on_signal) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def noted(self) -> Iterator[None]:
        """Raises KeyboardInterrupt at the end of the block, if a signal came in it."""
        self._is_noted = True
        try:
            yield
        finally:
            self._is_noted = False
        if self.came:
            raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        is_first, self.came = not self.came, True
        if not (is_first and self._is_noted):
            raise KeyboardInterrupt
