"""Figures of a report: drawn by agdb.figures, kept in the page as data, with a text that gives their numbers."""

import base64
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, NamedTuple

import duckdb

from agdb import figures, plots
from agdb.errors import Refused, UsageError
from agdb.report.found import Found, Group

#: Letters of an SVG above which a figure is dense, and kept as PNG.
DENSE = 80_000

#: Sources whose windows are drawn.
_MOST_SOURCES = 4


class Picture(NamedTuple):
    """A figure: its address as data, and what it shows, in words and numbers."""

    name: str
    src: str
    alt: str


def of_group(con: duckdb.DuckDBPyConnection, group: Group) -> list[Picture]:
    """Score and effect, the strata, and the signs; what was lost on the way is `funnel`."""
    names = ("scatter", "forest", "signs")
    return [picture(drawn) for name in names for drawn in _drawn(con, name, **_choice(group))]


def funnel(con: duckdb.DuckDBPyConnection, group: Group) -> list[figures.Drawn]:
    """What was lost on the way, as a figure with its numbers; none where its data are absent."""
    return list(_drawn(con, "funnel", **_choice(group)))


def of_all(con: duckdb.DuckDBPyConnection, found: Found) -> list[Picture]:
    """Windows of each source; the steps of a study."""
    scorers: dict[tuple[str, int], list[str]] = {}
    for group in found.groups:
        if group.has_interval:
            scorers.setdefault((group.label_set, group.source_id), []).append(group.scorer)
    several = [key for key, names in scorers.items() if len(set(names)) < len(names)][:_MOST_SOURCES]
    drawn = [d for labels, source in several for d in _drawn(con, "windows", labels=labels, source_id=source)]
    return [picture(d) for d in [*drawn, *(_drawn(con, "study") if found.steps else ())]]


def _choice(group: Group) -> dict[str, Any]:
    return {
        "labels": group.label_set,
        "source_id": group.source_id,
        "scorer": group.scorer,
        "window_bp": group.window_bp,
    }


def _drawn(con: duckdb.DuckDBPyConnection, name: str, **choice: Any) -> Iterator[figures.Drawn]:
    """The figure; nothing where its data are absent."""
    with suppress(Refused, UsageError):
        yield figures.draw(con, name, figures.Choice(**choice))


def picture(drawn: figures.Drawn) -> Picture:
    """A figure as it stands in a page."""
    data, kind = plots.rendered(drawn.figure, "svg"), "svg+xml"
    if len(data) > DENSE:
        data, kind = plots.rendered(drawn.figure, "png"), "png"
    return Picture(drawn.name, f"data:image/{kind};base64,{base64.b64encode(data).decode()}", drawn.told)
