"""Rows out: a view to a file, a query to the terminal. DuckDB writes CSV, JSON and Parquet, Python none of them.

`files` writes whole views, in the formats of tables (`tables`) and of the field (`bed`, `vcf`); `query` answers SQL,
`mistake` says what is wrong with it, `text` lays tables out for eyes.
"""

from agdb.export.files import FORMATS, selected, to_file, to_folder, to_pipe, view_names
from agdb.export.query import answer, check_stream_format, to_stream
from agdb.export.tables import COPY
from agdb.export.text import SHOWN, text_table

__all__ = [
    "COPY",
    "FORMATS",
    "SHOWN",
    "answer",
    "check_stream_format",
    "selected",
    "text_table",
    "to_file",
    "to_folder",
    "to_pipe",
    "to_stream",
    "view_names",
]
