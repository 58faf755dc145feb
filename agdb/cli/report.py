"""agdb report: what is stored of a study, as one page that needs nothing else, or in short for a pull request."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from agdb.cli.app import say


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: agdb report -o report.html")(report)


def report(
    ctx: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The file to write; - for stdout. Default: report.html, or stdout for md."),
    ] = None,
    format_: Annotated[str | None, typer.Option("--format", help="html or md; else by the file's ending.")] = None,
    label_sets: Annotated[
        list[str] | None, typer.Option("--labels", help="Only this label set; may be repeated.")
    ] = None,
    source: Annotated[list[int] | None, typer.Option(help="Only this QTL source; may be repeated.")] = None,
    scorer: Annotated[str | None, typer.Option(help="Only this scorer, by name.")] = None,
    figures: Annotated[
        bool, typer.Option("--figures/--no-figures", help="Draw figures; without them it is fast.")
    ] = True,
) -> None:
    """The verdict, with all that it rests on: one HTML file, without network; or Markdown for a pull request.

    Everything is read from what `agdb stats` and `agdb compare-study` have stored; nothing is computed anew.
    """
    from agdb import db
    from agdb import report as made

    form = format_ or (output.suffix.removeprefix(".").lower() if output and output.suffix else "html")
    asked = made.Asked(tuple(label_sets) if label_sets else None, tuple(source) if source else None, scorer)
    with db.reading(ctx.obj) as con:
        text, summary = made.text(con, ctx.obj, asked, form, with_figures=figures)
    path = output or Path("report.html" if form == "html" else "-")
    if str(path) == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    made.write(text, path)
    n = len(summary.verdicts)
    say(f"{path}: {n} verdict{'s' * (n != 1)}")
    if summary.alerts:
        say(f"  {findings([a.severity for a in summary.alerts])}")


def findings(severities: Sequence[str]) -> str:
    """What stands at the top of a report, counted."""
    n, failed = len(severities), severities.count("failed")
    return f"{n} finding{'s' * (n != 1)} of the checks stand{'s' * (n == 1)} at its top, {failed} of them failed"
