"""A report as one HTML page that needs nothing else, or as Markdown. Whatever comes from the database is escaped."""

import base64
import functools
import hashlib
from importlib import resources
from typing import Any

import jinja2

from agdb.report import verdict
from agdb.report.gather import Report, Summary


def as_html(report: Report) -> str:
    """The page. Its policy lets it load nothing, and run no script but its own."""
    script, style = _text("page.js"), _text("page.css")
    policy = (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; base-uri 'none'"
    )
    linked = {explained.result_id for way in report.ways for explained in way.results}
    return _render("page.html.j2", r=report, summary=report.summary, linked=linked, policy=policy, script=script,
                   style=style)  # fmt: skip


def as_markdown(summary: Summary) -> str:
    """A short form for pull requests: verdict, table, checks, provenance."""
    return _render("page.md.j2", summary=summary)


def _render(name: str, **values: Any) -> str:
    return _templates().get_template(name).render(kinds=verdict.KINDS, **values)


@functools.cache
def _templates() -> jinja2.Environment:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("agdb.report"), autoescape=jinja2.select_autoescape(["html.j2"]),
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    made.filters["md"] = _markdown
    return made


def _markdown(value: object) -> str:
    """Text that means nothing to Markdown: no markup, no cell, no line of its own."""
    told = " ".join(str(value).split()).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return "".join(f"\\{c}" if c in "\\`*_[]|#~!" else c for c in told)


def _text(name: str) -> str:
    return (resources.files("agdb.report") / "templates" / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
