"""Formats of tables, as COPY takes them; and how names and paths stand in SQL."""

from pathlib import Path

from agdb.query import literal

#: Options of COPY by format. `json` is one array: what `jq` and `json.load` read.
COPY = {
    "csv": "FORMAT csv, HEADER",
    "tsv": "FORMAT csv, HEADER, DELIMITER '\t'",
    "json": "FORMAT json, ARRAY true",
    "parquet": "FORMAT parquet",
}

#: Lines as they are, for formats that DuckDB has no writer of: tabs between, nothing quoted, no header.
LINES = "FORMAT csv, HEADER false, DELIMITER '\t', QUOTE '', ESCAPE ''"


def copied(query: str, path: Path, options: str) -> str:
    """The statement that writes the rows of a query to a file; the query begins at its second line."""
    return f"COPY (\n{query}\n) TO {literal(path)} ({options})"
