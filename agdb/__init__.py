"""agdb: does a model's variant score agree with what was measured?

    import agdb

    study = agdb.open("study.duckdb")      # agdb.create makes a new one
    study.correlation().to_pandas()
    study.sql("SELECT tissue, count(*) AS n FROM association WHERE maf > $maf GROUP BY tissue", maf=0.05)

Answers are Arrow tables. docs/python.md has the rest; the command line is `agdb --help`.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from agdb.study import Study as Study
    from agdb.study import create as create
    from agdb.study import open as open
    from agdb.study import open_lake as open_lake

__version__ = "0.1.0"
__all__ = ["Study", "__version__"]  # not `open`: `from agdb import *` must not hide Python's own


def __getattr__(name: str) -> Any:
    """The Python side when it is first asked for: `import agdb` and `agdb --help` do not wait for DuckDB."""
    if name not in ("Study", "create", "open", "open_lake"):
        raise AttributeError(f"module 'agdb' has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module("agdb.study"), name)
