"""A study as a lake: sorted Parquet in folders, with a manifest; written, opened as a database, analysed in parts."""

from agdb.lake.manifest import Lake, found
from agdb.lake.opened import open_database
from agdb.lake.workers import Workers, analyse
from agdb.lake.write import export

__all__ = ["Lake", "Workers", "analyse", "export", "found", "open_database"]
