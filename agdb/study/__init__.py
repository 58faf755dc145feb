"""The Python side of agdb: `Study` is a database file, with a method for each command."""

from agdb.study.study import Study, create, open, open_lake

__all__ = ["Study", "create", "open", "open_lake"]
