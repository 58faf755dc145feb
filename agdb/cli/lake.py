"""A study past one machine: lake, analyse."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agdb.analysis import RESAMPLES, SHIFTS
from agdb.cli import statistics as of
from agdb.cli.app import say
from agdb.cli.predict_options import RayAddress, also

if TYPE_CHECKING:
    from agdb.lake.part import Done, Task

lake_app = typer.Typer(
    no_args_is_help=True,
    help="A study as sorted Parquet in folders, with a manifest: for other machines, object stores and other tools.",
)

Root = Annotated[str, typer.Argument(metavar="DIR", help="The lake: a folder, or s3://...", show_default=False)]
Verify = Annotated[
    bool, typer.Option("--verify", help="Compare the sha256 of every file too, not only its size: all of it is read.")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    example = "Example: agdb --db wide.duckdb analyse --lake lake --engine ray --labels all"
    app.command(context_settings=also(actors="workers"), epilog=example)(analyse)


@lake_app.command(epilog="Example: agdb --db study.duckdb lake export lake")
def export(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder.", show_default=False)],
) -> None:
    """Write the study as Parquet: associations by tissue, variants and scores by chromosome, and a manifest."""
    from agdb import db, lake

    with db.reading(ctx.obj) as con:
        size = lake.export(con, folder, say)
    say(f"{folder}: {size:,} bytes; agdb --db NEW.duckdb lake open {folder} looks at it")


@lake_app.command("open", epilog="Example: agdb --db wide.duckdb lake open lake --verify")
def open_(ctx: typer.Context, root: Root, verify: Verify = False) -> None:
    """Make a database (--db) that looks at a lake: everything but ingest and predict works in it as in the study."""
    from agdb import lake

    found = lake.found(root, verify=verify)
    lake.open_database(found, ctx.obj)
    rows = found.rows
    say(f"{ctx.obj}: {rows['qtl']:,} associations, {rows['variant']:,} variants and {rows['prediction']:,} scores of "
        f"{found.root}, manifest {found.sha256[:12]}")  # fmt: skip


def analyse(
    ctx: typer.Context,
    root: Annotated[str, typer.Option("--lake", metavar="DIR", help="The lake; each worker has to see it.")],
    verify: Verify = False,
    engine: Annotated[str, typer.Option(help="local (processes of this machine) or ray.")] = "local",
    ray_address: RayAddress = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes of this machine. Default: by cores.")] = None,
    cpus: Annotated[int, typer.Option(min=1, help="Cores of a worker.")] = 1,
    memory: Annotated[str, typer.Option(help="Of DuckDB in a worker; arrays of its rows come besides.")] = "1GB",
    label_sets: of.LabelSets = None, scorer: of.Scorer = None, window: of.Window = None, stratify: of.Stratify = None,
    every: of.Every = False, resamples: of.Resamples = RESAMPLES, seed: of.Seed = 0, permutations: of.Permutations = 0,
    kendall: of.Kendall = False, controls: of.Controls = 1, match: of.Match = None, shifts: of.Shifts = SHIFTS,
    format_: of.Format = "table",
) -> None:  # fmt: skip
    """What `agdb stats` computes, by many workers over a lake; the same numbers, stored in `result` of --db."""
    from agdb import export as out
    from agdb import lake

    out.check_stream_format(format_)
    asked = of.asked(
        label_sets=label_sets, scorer=scorer, window_bp=window, stratify=stratify, resamples=resamples, seed=seed,
        permutations=permutations, with_kendall=kendall, controls=controls, match=match, shifts=shifts,
    )  # fmt: skip
    by = lake.Workers(engine, ray_address, workers, cpus, memory)
    run_id = lake.analyse(ctx.obj, lake.found(root, verify=verify), asked, by, _tell)
    of.show(ctx.obj, run_id, format_, with_strata=every or bool(stratify))


def _tell(i: int, n: int, task: "Task", done: "Done") -> None:
    found = sum(len(part.of_scorers) + len(part.of_comparisons) for part in done.parts)
    say(f"{i} of {n}: {task.told}: {found:,} results; {done.node}, at most {done.peak_mib:,} MiB")
