"""From views to figures: rows of a label set, counted and binned in SQL, with the intervals that are stored."""

from collections.abc import Callable
from pathlib import Path

import duckdb

from agdb import plots
from agdb.analysis.groups import probing_with_associations
from agdb.errors import Refused, UsageError
from agdb.figures import agreement, counts, distributions, estimates, locus, tracks
from agdb.figures.choice import Choice, Drawn
from agdb.query import literal

#: Figures by name.
FIGURES: dict[str, Callable[[duckdb.DuckDBPyConnection, Choice], Drawn]] = {
    "scatter": agreement.scatter,
    "panels": agreement.panels,
    "windows": estimates.windows,
    "forest": estimates.forest,
    "signs": estimates.signs,
    "scores": distributions.scores,
    "distance": distributions.distance,
    "study": estimates.study,
    "funnel": counts.funnel,
    "overlap": counts.overlap,
    "tracks": tracks.tracks,
    "qq": distributions.qq,
    "power": estimates.power,
    "locus": locus.locus,
}

__all__ = ["FIGURES", "Choice", "Drawn", "check_names", "draw", "write"]


def draw(con: duckdb.DuckDBPyConnection, name: str, choice: Choice) -> Drawn:
    """Draw a figure by its name.

    Raises:
        UsageError: no such figure, or the choice is not of one thing (what there is is listed).
        Refused: what it shows is not in the database; the cure says what puts it there.
    """
    if name not in FIGURES:
        raise UsageError(f"there is no figure {name!r}", cure=f"one of {', '.join(FIGURES)}")
    with probing_with_associations(con):  # else a tissue of 49 does not fit into 2 GB
        return FIGURES[name](con, choice)


def check_names(path: Path, data: Path | None) -> None:
    """Refuse names that cannot be written: before anything is computed.

    Raises:
        UsageError: a figure's ending other than png, svg, pdf; a data file's other than csv.
    """
    plots.check_ending(path)
    if data is not None and data.suffix.lower() != ".csv":
        raise UsageError(f"cannot write the numbers as {data.name}", cure="end the name in csv")


def write(con: duckdb.DuckDBPyConnection, drawn: Drawn, path: Path, data: Path | None = None) -> None:
    """Write the figure, and the numbers that it draws as CSV where a file for them is given.

    Raises:
        UsageError: a figure's ending other than png, svg, pdf; a data file's other than csv.
        Refused: a file cannot be written.
    """
    check_names(path, data)
    plots.save(drawn.figure, path)
    if data is None:
        return
    con.register("drawn", drawn.data)
    try:
        con.execute(f"COPY (FROM drawn) TO {literal(data)} (FORMAT csv, HEADER)")
    except duckdb.IOException as error:
        raise Refused(f"cannot write the numbers: {str(error).splitlines()[0]}", where=str(data),
                      cure="give a folder that exists and can be written") from error  # fmt: skip
    finally:
        con.unregister("drawn")
