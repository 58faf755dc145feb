"""A part of a file of rows."""

from typing import NamedTuple

from agdb.ingest.text import Chunk


class Part(NamedTuple):
    """Some rows of a file: SQL that reads them, the line (or row) of the first one, and how many they are.

    The SQL names each column `cell(i)`, after its place in the file, and has the column `cells.ODD_CELL`.
    """

    select: str
    first_line: int
    rows: int
    chunk: Chunk | None = None
