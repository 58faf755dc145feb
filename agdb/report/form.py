"""A report in one of its forms, and its file: what the command, Python and the demo share."""

from pathlib import Path

import duckdb

from agdb.errors import UsageError
from agdb.export.files import whole
from agdb.report.found import Asked
from agdb.report.gather import Summary, gather, summarize
from agdb.report.page import as_html, as_markdown

FORMS = ("html", "md")


def text(
    con: duckdb.DuckDBPyConnection, path: Path, asked: Asked, form: str, *, with_figures: bool = True
) -> tuple[str, Summary]:
    """A report as HTML or Markdown, and what is in it in short. Other arguments and errors are those of `gather`.

    Raises:
        UsageError: another form.
    """
    if form not in FORMS:
        raise UsageError(f"unknown format {form!r}", cure="html or md: as --format, or as the file's ending")
    if form == "md":
        summary = summarize(con, path, asked)
        return as_markdown(summary), summary
    report = gather(con, path, asked, with_figures=with_figures)
    return as_html(report), report.summary


def write(said: str, file: Path) -> None:
    """Write a report. Raises as `whole`, which leaves no half of it."""
    with whole(file) as part:
        part.write_text(said, encoding="utf-8", newline="\n")
