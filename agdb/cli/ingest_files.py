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
        done = "; ".join(loaded.notes) or "nothing to do"
        say(f"{loaded.name}: is {source} already ({loaded.rows_kept:,} rows); {done}")
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


#: What is read of the options of `agdb ingest predictions`, by --format.
_READ_OF = {
    "tidy": {"scorer", "model_version", "assembly", "lift", "where"},
    "original": {"window", "tissue", "effect"},
    None: {"window", "preset", "maps", "scorer", "model_version", "output_type", "unsigned", "assembly",
           "effect_allele", "lift", "where"},
}  # fmt: skip


def only_what_is_read(ctx: typer.Context, format_: str | None) -> None:
    """Refuse an option that was given and that scores of this format have no use for: it would change nothing."""
    read = {"files", "format_", "quiet", *_READ_OF[format_]}
    for option in (option for option in ctx.command.params if option.name not in read):
        if (given := ctx.get_parameter_source(option.name or "")) and given.name != "DEFAULT":
            how = f"--format {format_} has" if format_ else "scores of --map or --preset have"
            raise UsageError(f"{how} no use for {option.opts[0]}", cure="leave it out")


#: The options that go with --map, by what they are in a preset: a preset says these things itself.
_OF_MAP = {"effect_allele": "--effect-allele", "effect_unit": "--effect-unit", "qtl_type": "--kind"}


def presets(
    kind: str, name: str | None, maps: list[str] | None, save: Path | None, *, assembly: str | None, **how: str | None
) -> "list[Preset]":
    """The presets to choose from: the one that was named or spelled out, or all of this kind."""
    from agdb.ingest import preset

    if maps and name:
        raise UsageError("--map and --preset both say what the columns mean", cure="give one of them")
    if save and not maps:
        raise UsageError("--save-preset keeps what --map says", cure="give --map too")
    if not maps:
        for key in (key for key, said in how.items() if said is not None):
            raise UsageError(f"{_OF_MAP[key]} goes with --map: a preset says that itself",
                             cure=f"leave it out; or give --map, or --preset FILE.toml with {key} in it")  # fmt: skip
        return [preset.named(name)] if name else [p for p in preset.shipped() if p.kind == kind]
    made = preset.from_options(maps, kind=kind, assembly=assembly, **how)
    if save:
        preset.save(made, save)
        say(f"{save}: the preset, for --preset {save}")
    return [made]
