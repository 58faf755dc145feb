"""Studies to try agdb on: simulate, demo."""

from pathlib import Path
from typing import Annotated

import typer

from agdb.cli.app import say

Directory = Annotated[Path, typer.Argument(help="A new or empty folder.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: agdb simulate study --variants 20000 --seed 1")(simulate)
    app.command(epilog="Example: agdb demo")(demo)


def simulate(
    directory: Directory,
    variants: Annotated[int, typer.Option(help="Unique variants.")] = 20_000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 1,
) -> None:
    """Write a study whose truth is known, in the real file formats: genome, peaks, eQTLs, and the truth."""
    from agdb.simulate import write_study

    study = write_study(directory, variants, seed)
    say(
        f"{directory}: {study.n_variants:,} variants, {study.n_pairs:,} associations, {study.n_peaks:,} peaks; "
        "its README.txt says more"
    )


def demo(
    directory: Directory = Path("demo"),
    variants: Annotated[int, typer.Option(help="Unique variants to simulate.")] = 20_000,
    seed: Annotated[int, typer.Option(help="Seed of the simulation.")] = 1,
) -> None:
    """See the whole thing work: simulate, ingest, predict, stats, figures, export. No key, no data, a minute."""
    from agdb.demo import run

    run(directory, variants, seed, typer.echo)
