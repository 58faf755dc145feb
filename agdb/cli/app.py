"""The application object, its global options, and the one place where an error becomes a message and an exit code."""

import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from agdb import __version__
from agdb.errors import AgdbError, ExitCode


def say(text: str) -> None:
    """Talk to the user: on stderr, so that stdout is data."""
    typer.echo(text, err=True)


class Group(TyperGroup):
    """Turns what a command raises into one message and an exit code; a traceback would be a bug of agdb."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except AgdbError as error:
            say(f"error: {error}")
            raise typer.Exit(error.exit_code) from None
        except KeyboardInterrupt:
            say("interrupted: what was finished is kept; the same command goes on from there")
            raise typer.Exit(ExitCode.INTERRUPTED) from None
        except BrokenPipeError:  # agdb sql ... | head
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.OK) from None
        except OSError as error:
            say(f"error: {error.strerror or error}\n  where: {error.filename or 'the file system'}")
            raise typer.Exit(ExitCode.REFUSED) from None
        except Exception as error:
            if not type(error).__module__.startswith(("duckdb", "_duckdb")):
                raise
            say(f"error: the database engine stopped: {error}\n  cure:  nothing of this command was kept; "
                "is the disk full, or memory short?")  # fmt: skip
            raise typer.Exit(ExitCode.REFUSED) from None


app = typer.Typer(
    cls=Group,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Does a model's variant score agree with what was measured? "
    "One DuckDB file from GTEx and DNase peaks to the answer.",
    epilog="Start with: agdb demo",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"agdb {__version__}")
        raise typer.Exit


@app.callback()
def options(
    ctx: typer.Context,
    db: Annotated[Path, typer.Option(envvar="AGDB_DB", help="The database file.")] = Path("agdb.duckdb"),
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    """Options of every command."""
    ctx.obj = db
