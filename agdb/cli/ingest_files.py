"""What all commands of `agdb ingest` do: file after file, what came of each, and what the columns of a table mean."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from agdb.cli.app import say
from agdb.cli.progress import of_file
from agdb.errors import UsageError

if TYPE_CHECKING:
    import duckdb

    from agdb.ingest.preset import Preset
    from agdb.ingest.source import Loaded
    from agdb.ingest.variant_table import Options

#: Memory that an ingest may take: it streams, and what does not fit is spilled beside the database.
MEMORY = "1200MB"


def report(loaded: "Loaded", what: str = "rows kept") -> None:
    """Say what became of a file."""
    ids = loaded.source_ids
    source = f"source {ids[0]}" if len(ids) == 1 else f"sources {ids[0]} to {ids[-1]}"
    if not loaded.is_new:
        say(f"{loaded.name}: is {source} already ({loaded.rows_kept:,} rows); nothing to do")
        return
    say(f"{loaded.name}: {source}, {loaded.rows_kept:,} of {loaded.rows_read:,} {what}")
    for reason, n in loaded.rejected.items():
        say(f"  rejected, kept in table rejected: {n:,} rows, {reason}")
    for note in loaded.notes:
        say(f"  {note}")


def each(
    ctx: typer.Context,
    files: Sequence[Path],
    options: "Options",
    quiet: bool,
    ingest: "Callable[[duckdb.DuckDBPyConnection, Path, Options], Loaded]",
) -> None:
    """Ingest file after file: those before the first refused one stay."""
    from dataclasses import replace

    from agdb import db

    with db.writing(ctx.obj, memory_limit=MEMORY) as con:
        for path in files:
            with of_file(path, quiet) as progress:
                loaded = ingest(con, path, replace(options, progress=progress))
            report(loaded)


def presets(
    kind: str, name: str | None, maps: list[str] | None, save: Path | None, **how: str | None
) -> "list[Preset]":
    """The presets to choose from: the one that was named or spelled out, or all of this kind."""
    from agdb.ingest import preset

    if maps and name:
        raise UsageError("--map and --preset both say what the columns mean", cure="give one of them")
    if save and not maps:
        raise UsageError("--save-preset keeps what --map says", cure="give --map too")
    if not maps:
        return [preset.named(name)] if name else [p for p in preset.shipped() if p.kind == kind]
    made = preset.from_options(maps, kind=kind, **how)  # type: ignore[arg-type]
    if save:
        preset.save(made, save)
        say(f"{save}: the preset, for --preset {save}")
    return [made]
