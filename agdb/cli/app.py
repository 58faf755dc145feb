"""The application object, its global options, and the one place where an error becomes a message and an exit code."""

import errno
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from agdb import __version__
from agdb.errors import AgdbError, ExitCode, Refused

#: What is kept of a command that is interrupted: of most what was finished; results are stored when all are computed.
_NOTHING = "results are stored when all are computed, and none was stored"
_KEPT = dict.fromkeys(("stats", "compare-study", "analyse"), _NOTHING) | {
    "ingest": "nothing of the file that was being read is kept; of several files those before it are",
}
_WHAT_IS_KEPT = "what was finished is kept; the same command goes on from there"


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
        except BrokenPipeError:  # agdb sql ... | head
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(ExitCode.OK) from None
        except BaseException as error:
            if _is_interruption(error):
                say(f"interrupted: {_KEPT.get(ctx.invoked_subcommand, _WHAT_IS_KEPT)}")
                raise typer.Exit(ExitCode.INTERRUPTED) from None
            if (refused := _of_the_machine(error, ctx.obj)) is None:
                raise
            say(f"error: {refused}")
            raise typer.Exit(refused.exit_code) from None


def _is_interruption(error: BaseException) -> bool:
    """Ctrl-C, in whose stead DuckDB raises an error of its own while a query runs."""
    of_duckdb = isinstance(error, RuntimeError) and str(error) == "Query interrupted"
    return isinstance(error, KeyboardInterrupt) or of_duckdb or type(error).__name__ == "InterruptException"


def _of_the_machine(error: BaseException, db: object) -> AgdbError | None:
    """What the operating system or the database engine could not do; None for a bug of agdb."""
    is_of_engine = type(error).__module__.startswith(("duckdb", "_duckdb"))
    if not is_of_engine and not isinstance(error, OSError):
        return None
    said = str(error).strip()
    is_full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
    if is_full or any(
        sign in said for sign in ("No space left", "quota exceeded", "File too large", "temp_directory_size")
    ):
        cure = "free some space beside the database: parts of a file are unpacked there; what was finished is kept"
        return Refused("the disk is full", where=str(getattr(error, "filename", None) or db), cure=cure)
    if not is_of_engine:
        return Refused(
            getattr(error, "strerror", None) or said, where=getattr(error, "filename", None) or "the file system"
        )
    if type(error).__name__ == "OutOfMemoryException":
        cure = "set AGDB_MEMORY to more than it was, e.g. AGDB_MEMORY=2GB; what was finished is kept"
        return Refused(f"memory is short: {said.splitlines()[0]}", where=str(db), cure=cure)
    return Refused(
        f"the database engine stopped: {said}", cure="nothing of this command was kept; is the disk all right?"
    )


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
