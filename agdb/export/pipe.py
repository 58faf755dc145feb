"""Bytes that DuckDB writes, taken up as they come: what is packed never lies on the disk unpacked."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def into(take: Callable[[IO[bytes]], None]) -> Iterator[Path]:
    """A path to write to; `take` reads there, in a thread, until the block ends.

    Raises:
        Exception: what `take` raises, before what the writer raises of it: a full disk, not a pipe that nobody reads.
    """
    source, sink = os.pipe()

    def taken() -> None:
        with open(source, "rb", buffering=1 << 20) as file:
            take(file)

    with ThreadPoolExecutor(1) as pool:
        reader = pool.submit(taken)
        try:
            yield Path(f"/dev/fd/{sink}")
        except Exception:
            os.close(sink)
            reader.result()
            raise
        except BaseException:  # interrupted
            os.close(sink)
            raise
        os.close(sink)
        reader.result()
