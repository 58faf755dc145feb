"""The command line: data on stdout, talk on stderr, one error of what, where and cure, and an exit code.

Nothing heavy is imported here: `agdb --help` must answer at once, and each command imports what it uses.
"""

from agdb.cli import compare, database, export, fetch, ingest, lake, plot, predict, report, simulate, statistics
from agdb.cli.app import app

__all__ = ["app"]

app.add_typer(fetch.app, name="fetch")
app.add_typer(ingest.app, name="ingest")
app.add_typer(plot.app, name="plot")
app.add_typer(lake.lake_app, name="lake")
for module in (database, predict, statistics, lake, compare, report, export, simulate):
    module.register(app)
