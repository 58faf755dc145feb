"""The header line of a table: the names of its columns, and what to say where one is missing."""

import csv
import re
from collections.abc import Sequence
from difflib import get_close_matches
from pathlib import Path

from agdb.errors import Refused

_QUOTED = re.compile(r'"(.*)"')


def header(path: Path, line: str, delimiter: str = "\t", number: int = 1) -> list[str]:
    """The column names of a delimited file, from its header line, which is line `number` of the file.

    Raises:
        Refused: it is not delimited by `delimiter`, or has a column without a name or with the name of another.
    """
    where = f"{path}, line {number}"
    written = [name.strip() for name in (cells(line, ",") if delimiter == "," else line.split(delimiter))]
    names = [quoted[1] if (quoted := _QUOTED.fullmatch(name)) else name for name in written]
    names[0] = names[0].removeprefix("#")
    if len(names) < 2:
        seen = next((name for name, d in (("commas", ","), ("tabs", "\t"), ("spaces", " ")) if d in line), "one column")
        wanted = {"\t": "tabs", ",": "commas"}[delimiter]
        raise Refused(
            f"the header is not separated by {wanted}: it looks like {seen}",
            where=f"{where}: {line[:80]!r}",
            cure=f"separate the columns by {wanted}",
        )
    if "" in names:
        raise Refused(f"column {names.index('') + 1} of the header has no name", where=where,
                      cure="is there a separator too many? give the original file")  # fmt: skip
    once(names, where)
    return names


def cells(line: str, delimiter: str) -> list[str]:
    """The cells of a line that may have quotes; where it is no row it is split: that is told when it is read."""
    try:
        return next(csv.reader([line], delimiter=delimiter), [""])
    except csv.Error:
        return line.split(delimiter)


def once(names: Sequence[str], where: str) -> None:
    """Refuse names of which one stands twice."""
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise Refused(f"column {twice[0][:80]!r} stands twice in the header", where=where, cure="name it once")


def is_quoted(line: str, delimiter: str, columns: int) -> bool:
    """Whether a line is a header whose names stand in quotes, as R writes them: then the cells do too."""
    names = line.split(delimiter)
    return len(names) == columns and any(len(n.strip()) > 1 and _QUOTED.fullmatch(n.strip()) for n in names)


def require(path: Path, names: Sequence[str], wanted: Sequence[str], what: str) -> None:
    """Refuse a header that lacks a wanted column, naming it and the column that it may have become."""
    missing = [w for w in wanted if w not in names]
    if not missing:
        return
    extra = [n for n in names if n not in wanted]
    near = get_close_matches(missing[0], extra, n=1, cutoff=0.5)
    hint = f"; was it renamed to {near[0]!r}?" if near else ""
    raise Refused(
        f"{what} lacks column {', '.join(repr(m) for m in missing)}{hint}",
        where=f"{path}, line 1: {', '.join(n[:80] for n in names[:14])}",
        cure="give the original file; columns are read by name, so their order does not matter",
    )
