"""The report: one page of HTML, or a short Markdown, of what is stored in `result`. Nothing is computed here."""

from agdb.report.form import text, write
from agdb.report.found import Asked
from agdb.report.gather import Report, Summary, gather, summarize
from agdb.report.page import as_html, as_markdown

__all__ = ["Asked", "Report", "Summary", "as_html", "as_markdown", "gather", "summarize", "text", "write"]
