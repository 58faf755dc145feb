"""agdb predict: scores for the variants that have none yet."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agdb.cli.app import say
from agdb.errors import Refused, UsageError

if TYPE_CHECKING:
    from agdb.predictors.contract import Predictor

#: Scorers by name, with what each is for. `alphagenome` is short for its default scorer.
SCORERS = {
    "motif": "summed occupancy of blood transcription-factor motifs: needs only a FASTA; the baseline",
    "dnase-k562": "AlphaGenome: DNase-seq in K562, centre mask 501 bp, over its API or your own server",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command(epilog="Example: agdb predict motif --in-peaks")(predict)


def predict(
    ctx: typer.Context,
    scorer: Annotated[str, typer.Argument(help="; ".join(f"{k}: {v}" for k, v in SCORERS.items()), show_default=False)],
    window: Annotated[
        int | None, typer.Option(help="Bases of sequence to read. motif: 501; AlphaGenome: 1048576.")
    ] = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Score at most this many variants.")] = None,
    in_peaks: Annotated[bool, typer.Option("--in-peaks", help="Only variants that lie in a peak.")] = False,
    address: Annotated[
        str | None, typer.Option(help="AlphaGenome server, host:port; default Google's service.")
    ] = None,
    insecure: Annotated[bool, typer.Option("--insecure", help="No TLS; only to a loopback address.")] = False,
    key_file: Annotated[
        Path | None, typer.Option(help="File that holds the API key; else the environment's ALPHAGENOME_API_KEY.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Score the pending variants and append the predictions. Stop and rerun as you like: nothing is scored twice."""
    from agdb import predict as engine

    with _predictor(ctx.obj, scorer, window, address, insecure, key_file) as predictor, _bar(quiet) as show:
        name = f"scorer {predictor.scorer.name} at {predictor.scorer.window_bp:,} bp ({predictor.software})"

        def progress(done: int, total: int) -> None:
            if not done:  # how much it will be, before the first call is paid for
                say(f"{name}: {total:,} variants to score")
            show(done, total)

        def waiting(holder: str) -> None:
            say(f"{holder}: a finished batch waits to be stored")

        outcome = engine.run(ctx.obj, predictor, in_peaks=in_peaks, limit=limit, progress=progress, waiting=waiting)
    if not outcome.pending and not outcome.scored_before:
        raise Refused(
            "no variant can be scored",
            cure="agdb status shows what is missing: ingest a QTL file"
            + (", and a genome that covers its variants" if predictor.scorer.reads_genome else "")
            + (", and peaks" if in_peaks else ""),
        )
    say(
        f"{outcome.scored:,} variants scored, {outcome.failed:,} failed with a reason, "
        f"{outcome.scored_before:,} were scored before (run {outcome.run_id})"
    )


@contextmanager
def _predictor(
    path: Path, name: str, window: int | None, address: str | None, insecure: bool, key_file: Path | None
) -> "Iterator[Predictor]":
    if name == "motif":
        if address or insecure or key_file:
            raise UsageError("motif asks no server", cure="leave out --address, --insecure and --key-file")
        yield _motif(path, window)
    elif name in ("dnase-k562", "alphagenome"):
        from agdb.predictors import alphagenome

        chosen = alphagenome.dnase_k562() if window is None else alphagenome.dnase_k562(window)
        connection = alphagenome.connect(address, _key(key_file), insecure=insecure)
        try:
            yield alphagenome.AlphaGenomePredictor(connection, chosen)
        finally:
            connection.close()
    else:
        raise UsageError(f"unknown scorer {name!r}", cure=f"one of {', '.join(SCORERS)}")


def _motif(path: Path, window: int | None) -> "Predictor":
    from agdb import db
    from agdb.ingest import reference
    from agdb.predictors.motif import MotifPredictor

    with db.reading(path) as con:
        found = [row[0] for row in con.execute("SELECT assembly FROM source WHERE kind = 'genome'").fetchall()]
        if len(found) != 1:
            raise Refused(
                "motif reads the genome, and none is registered" if not found else "two genomes are registered",
                cure="agdb ingest genome FASTA --assembly GRCh38",
            )
        genome = reference.registered(con, found[0])
    assert genome is not None
    return MotifPredictor(genome, found[0]) if window is None else MotifPredictor(genome, found[0], window)


def _key(key_file: Path | None) -> str | None:
    if key_file is None:
        return os.environ.get("ALPHAGENOME_API_KEY")
    if not key_file.is_file():
        raise UsageError("there is no key file", where=str(key_file), cure="--key-file names a file with the key in it")
    return key_file.read_text(encoding="utf-8").strip()


@contextmanager
def _bar(quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """A progress bar on stderr; none where stderr is not a terminal."""
    if quiet or not sys.stderr.isatty():
        yield lambda done, total: None
        return
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TimeElapsedColumn

    columns = (*Progress.get_default_columns(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("variants", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
