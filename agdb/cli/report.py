"""agdb report: what is stored of a study, as one page that needs nothing else, or in short for a pull request."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from agdb.cli.app import say
from agdb.errors import UsageError

FORMATS = ("html", "md")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: agdb report -o report.html")(report)


def report(
    ctx: typer.Context,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="The file to write; - for stdout. Default: report.html; of md -."),
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
    from agdb.export.files import whole

    form = format_ or (output.suffix.removeprefix(".").lower() if output and output.suffix else "html")
    if form not in FORMATS:
        raise UsageError(f"unknown format {form!r}", cure="html or md: as --format, or as the file's ending")
    asked = made.Asked(tuple(label_sets) if label_sets else None, tuple(source) if source else None, scorer)
    with db.reading(ctx.obj) as con:
        if form == "md":
            summary = made.summarize(con, ctx.obj, asked)
            text = made.as_markdown(summary)
        else:
            found = made.gather(con, ctx.obj, asked, with_figures=figures)
            text, summary = made.as_html(found), found.summary
    path = output or Path("report.html" if form == "html" else "-")
    if str(path) == "-":
        sys.stdout.write(text)
        sys.stdout.flush()
        return
    with whole(path) as part:
        part.write_text(text, encoding="utf-8", newline="\n")
    n, failed = len(summary.verdicts), sum(a.severity == "failed" for a in summary.alerts)
    say(f"{path}: {n} verdict{'s' * (n != 1)}")
    if summary.alerts:
        n = len(summary.alerts)
        say(f"  {n} finding{'s' * (n != 1)} of the checks stand{'s' * (n == 1)} at its top, {failed} of them failed")
