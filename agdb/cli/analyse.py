"""Answers out: plot, export, sql."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agdb.cli.app import say

plot_app = typer.Typer(no_args_is_help=True, help="Draw a figure (PNG, SVG or PDF by the file's ending).")

Out = Annotated[Path, typer.Option("-o", "--output", help="The file to write.", show_default=False)]
Source = Annotated[int | None, typer.Option(help="QTL source (source_id), where there are several.")]
Label = Annotated[str | None, typer.Option(help="slope or pval_nominal, where a source has both.")]
Scorer = Annotated[str | None, typer.Option(help="Scorer by name, where there are several.")]
Format = Annotated[str, typer.Option("--format", help="table, csv, tsv or json.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog="Example: agdb export correlation -o correlation.csv")(export)
    app.command(epilog="Example: agdb sql 'SELECT tissue, count(*) FROM qtl GROUP BY tissue' --format csv")(sql)


@plot_app.command(epilog="Example: agdb plot scatter -o scatter.png --scorer motif --stratum 'peak: in peak'")
def scatter(
    ctx: typer.Context,
    output: Out,
    source: Source = None,
    label: Label = None,
    scorer: Scorer = None,
    window: Annotated[int | None, typer.Option(help="Window of the scorer in bp, where there are several.")] = None,
    stratum: Annotated[str | None, typer.Option(help="A stratum, e.g. 'peak: in peak' or 'kind: SNV'.")] = None,
) -> None:
    """Measured effect against score, with both correlations and their intervals."""
    from agdb import db, report

    with db.reading(ctx.obj) as con:
        say(report.scatter(con, report.Choice(source, label, scorer, window, stratum), output))


@plot_app.command(epilog="Example: agdb plot windows -o windows.svg --source 1")
def windows(ctx: typer.Context, output: Out, source: Source = None, label: Label = None, scorer: Scorer = None) -> None:
    """Spearman correlation by window, on the associations that every window scored."""
    from agdb import db, report

    with db.reading(ctx.obj) as con:
        say(report.windows(con, report.Choice(source, label, scorer), output))


def export(
    ctx: typer.Context,
    view: Annotated[str, typer.Argument(help="A view or table; agdb schema lists them.", show_default=False)],
    output: Out,
    format_: Annotated[
        str | None, typer.Option("--format", help="csv, tsv, json or parquet; else by the file's ending.")
    ] = None,
) -> None:
    """Write a whole view or table to a file."""
    from agdb import db
    from agdb import export as out

    with db.reading(ctx.obj) as con:
        rows = out.to_file(con, view, output, format_)
    say(f"{output}: {rows:,} rows of {view}")


def sql(
    ctx: typer.Context,
    query: Annotated[str, typer.Argument(help="One SELECT.", show_default=False)],
    format_: Format = "table",
) -> None:
    """Ask the database anything; it is opened read-only."""
    from agdb import db
    from agdb import export as out

    with db.reading(ctx.obj) as con:
        out.to_stream(con, query, format_, sys.stdout.buffer)
    sys.stdout.flush()
