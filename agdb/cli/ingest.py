"""agdb ingest: files in."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from agdb.cli.app import say

if TYPE_CHECKING:
    from agdb.ingest.source import Loaded

app = typer.Typer(no_args_is_help=True, help="Read a file into the database: all of it, or none and the reason.")

File = Annotated[Path, typer.Argument(help="The file, plain or gzip.", show_default=False, readable=False)]
Assembly = Annotated[str, typer.Option(help="Of the coordinates: GRCh38 (hg38) or GRCh37 (hg19).", show_default=False)]


def _report(loaded: "Loaded", what: str = "rows kept") -> None:
    if not loaded.is_new:
        say(f"{loaded.name}: is source {loaded.source_id} already ({loaded.rows_kept:,} rows); nothing to do")
        return
    say(f"{loaded.name}: source {loaded.source_id}, {loaded.rows_kept:,} of {loaded.rows_read:,} {what}")
    for reason, n in loaded.rejected.items():
        say(f"  rejected, kept in table rejected: {n:,} rows, {reason}")
    for note in loaded.notes:
        say(f"  {note}")


@app.command(
    epilog="Example: agdb ingest gtex Kidney_Cortex.v8.signif_variant_gene_pairs.txt.gz --tissue Kidney_Cortex"
)
def gtex(
    ctx: typer.Context,
    file: File,
    tissue: Annotated[str, typer.Option(help="Tissue, in GTEx spelling, e.g. Whole_Blood.", show_default=False)],
) -> None:
    """GTEx v8 eQTLs: *.v8.signif_variant_gene_pairs.txt.gz or *.v8.egenes.txt.gz."""
    from agdb import db
    from agdb.ingest import gtex

    with db.writing(ctx.obj) as con:
        _report(gtex.ingest(con, file, tissue))


@app.command(epilog="Example: agdb ingest peaks ENCFF123ABC.narrowPeak.gz --biosample K562 --assembly GRCh38")
def peaks(
    ctx: typer.Context,
    file: File,
    biosample: Annotated[str, typer.Option(help="Biosample, e.g. K562.", show_default=False)],
    assembly: Assembly,
    format_: Annotated[str, typer.Option("--format", help="auto, narrowPeak, broadPeak or bed.")] = "auto",
) -> None:
    """Peaks: narrowPeak, broadPeak or BED with 3 to 12 columns."""
    from agdb import db
    from agdb.ingest import peaks

    with db.writing(ctx.obj) as con:
        _report(peaks.ingest(con, file, biosample, assembly, format_))


@app.command(epilog="Example: agdb ingest genome hg38.fa --assembly GRCh38")
def genome(
    ctx: typer.Context,
    file: File,
    assembly: Assembly,
    allow_mismatch: Annotated[
        bool,
        typer.Option(
            "--allow-mismatch", help="Register it although many REF alleles differ; those variants are left out."
        ),
    ] = False,
) -> None:
    """The genome: registers a FASTA (plain, bgzip or gzip) and checks the whole REF of every variant against it."""
    from agdb import db
    from agdb.ingest import reference

    with db.writing(ctx.obj) as con:
        _report(reference.ingest(con, file, assembly, allow_mismatch), "records registered")


@app.command(epilog="Example: agdb ingest predictions predictions.csv --format original --window 16384")
def predictions(
    ctx: typer.Context,
    file: File,
    format_: Annotated[
        str, typer.Option("--format", help="original: the CSV of the original study.", show_default=False)
    ],
    window: Annotated[int, typer.Option(help="Bases of sequence that the model read.", show_default=False)],
    tissue: Annotated[str, typer.Option(help="Tissue of the labels in the file.")] = "Whole_Blood",
    effect: Annotated[
        str,
        typer.Option(
            help="What its column `slope` is: pval_nominal (true of the published files), slope, or none (scores only)."
        ),
    ] = "pval_nominal",
) -> None:
    """Scores that somebody else computed. One score a variant is stored; the labels of the file become associations."""
    from agdb import db
    from agdb.ingest import predictions

    with db.writing(ctx.obj) as con:
        _report(predictions.ingest(con, file, format_, window, tissue, effect))
