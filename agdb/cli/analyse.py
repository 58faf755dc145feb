"""Answers to look at: plot."""

from pathlib import Path
from typing import Annotated, Any

import typer

from agdb.cli.app import say

plot_app = typer.Typer(
    no_args_is_help=True,
    help="Draw a figure (PNG, SVG or PDF by the file's ending), and write the numbers that it draws (--data).",
)

Out = Annotated[Path, typer.Option("-o", "--output", help="The figure: .png, .svg or .pdf.", show_default=False)]
Data = Annotated[Path | None, typer.Option(help="Write the numbers that are drawn to this CSV file.")]
Labels = Annotated[str, typer.Option(help="Label set by name; agdb labels lists them.")]
Source = Annotated[int | None, typer.Option(help="QTL source (source_id), where there are several.")]
Scorer = Annotated[str | None, typer.Option(help="Scorer by name, where there are several.")]
Window = Annotated[int | None, typer.Option(help="Window of the scorer in bp, where there are several.")]
Stratum = Annotated[str | None, typer.Option(help="A stratum, e.g. 'peak: in peak' or 'kind: SNV'.")]


def _plot(ctx: typer.Context, name: str, output: Path, data: Path | None, **choice: Any) -> None:
    from agdb import db, figures

    figures.check_names(output, data)
    with db.reading(ctx.obj) as con:
        drawn = figures.draw(con, name, figures.Choice(**choice))
        figures.write(con, drawn, output, data)
    say(f"{output}: {drawn.told}")
    if data is not None:
        say(f"{data}: {drawn.data.num_rows:,} rows, the numbers that it draws")


@plot_app.command(epilog="Example: agdb plot scatter -o scatter.png --scorer motif --stratum 'peak: in peak'")
def scatter(
    ctx: typer.Context,
    output: Out,
    data: Data = None,
    labels: Labels = "all",
    source: Source = None,
    scorer: Scorer = None,
    window: Window = None,
    stratum: Stratum = None,
) -> None:
    """Measured effect against score, with both correlations and their intervals; many rows as a density."""
    chosen = {"labels": labels, "source_id": source, "scorer": scorer, "window_bp": window, "stratum": stratum}
    _plot(ctx, "scatter", output, data, **chosen)


@plot_app.command(epilog="Example: agdb plot panels -o panels.png --source 1 --scorer motif")
def panels(
    ctx: typer.Context,
    output: Out,
    data: Data = None,
    labels: Labels = "all",
    source: Source = None,
    scorer: Scorer = None,
    stratum: Stratum = None,
) -> None:
    """All windows of a scorer side by side, on the associations that every window scored."""
    _plot(ctx, "panels", output, data, labels=labels, source_id=source, scorer=scorer, stratum=stratum)


@plot_app.command(epilog="Example: agdb plot windows -o windows.svg --source 1")
def windows(
    ctx: typer.Context,
    output: Out,
    data: Data = None,
    labels: Labels = "all",
    source: Source = None,
    scorer: Scorer = None,
    stratum: Stratum = None,
) -> None:
    """Spearman correlation by window, on the associations that every window scored."""
    _plot(ctx, "windows", output, data, labels=labels, source_id=source, scorer=scorer, stratum=stratum)


@plot_app.command(epilog="Example: agdb plot forest -o forest.pdf --scorer dnase-k562 --divide peak,kind,tss_distance")
def forest(
    ctx: typer.Context,
    output: Out,
    data: Data = None,
    labels: Labels = "all",
    source: Source = None,
    scorer: Scorer = None,
    window: Window = None,
    divide: Annotated[
        str | None, typer.Option(help="Stratifications, with commas between; default: those stored, but for chrom.")
    ] = None,
) -> None:
    """The correlation in every stratum, as agdb stats stored it."""
    chosen = {"labels": labels, "source_id": source, "scorer": scorer, "window_bp": window, "stratum": divide}
    _plot(ctx, "forest", output, data, **chosen)


@plot_app.command(epilog="Example: agdb plot signs -o signs.png --scorer dnase-k562")
def signs(
    ctx: typer.Context,
    output: Out,
    data: Data = None,
    labels: Labels = "all",
    source: Source = None,
    scorer: Scorer = None,
    window: Window = None,
) -> None:
    """How often effect and score have one sign, by decile of the size of the score."""
    _plot(ctx, "signs", output, data, labels=labels, source_id=source, scorer=scorer, window_bp=window)


@plot_app.command(epilog="Example: agdb plot scores -o scores.png --scorer dnase-k562")
def scores(
    ctx: typer.Context,
    output: Out,
    data: Data = None,
    labels: Labels = "all",
    source: Source = None,
    scorer: Scorer = None,
    window: Window = None,
) -> None:
    """How scores are spread, by kind of variant: SNVs, deletions, insertions."""
    _plot(ctx, "scores", output, data, labels=labels, source_id=source, scorer=scorer, window_bp=window)


@plot_app.command(epilog="Example: agdb plot distance -o distance.png --source 1 --scorer motif")
def distance(
    ctx: typer.Context,
    output: Out,
    data: Data = None,
    labels: Labels = "all",
    source: Source = None,
    scorer: Scorer = None,
    window: Window = None,
) -> None:
    """Size of the effects by distance to the transcription start, and the correlation there."""
    _plot(ctx, "distance", output, data, labels=labels, source_id=source, scorer=scorer, window_bp=window)


@plot_app.command(epilog="Example: agdb plot study -o waterfall.pdf")
def study(ctx: typer.Context, output: Out, data: Data = None) -> None:
    """From the published analysis to the corrected one, step by step: what agdb compare-study stored."""
    _plot(ctx, "study", output, data)


@plot_app.command(epilog="Example: agdb plot funnel -o funnel.svg --source 1 --scorer motif")
def funnel(
    ctx: typer.Context,
    output: Out,
    data: Data = None,
    labels: Labels = "all",
    source: Source = None,
    scorer: Scorer = None,
    window: Window = None,
) -> None:
    """From the rows of the file to those analysed: what was lost, and why."""
    _plot(ctx, "funnel", output, data, labels=labels, source_id=source, scorer=scorer, window_bp=window)


@plot_app.command(epilog="Example: agdb plot overlap -o overlap.png")
def overlap(
    ctx: typer.Context,
    output: Out,
    data: Data = None,
    assembly: Annotated[str | None, typer.Option(help="GRCh38, GRCh37 or NCBI36, where there are several.")] = None,
) -> None:
    """How many peaks the variants lie in, and how far from the summit."""
    _plot(ctx, "overlap", output, data, assembly=assembly)


@plot_app.command(epilog="Example: agdb plot tracks -o tracks.png --scorer dnase-k562")
def tracks(
    ctx: typer.Context,
    output: Out,
    data: Data = None,
    labels: Labels = "all",
    source: Source = None,
    scorer: Scorer = None,
    window: Window = None,
) -> None:
    """Every track of the model, by how it agrees with the effects; by stratum as a map."""
    _plot(ctx, "tracks", output, data, labels=labels, source_id=source, scorer=scorer, window_bp=window)


@plot_app.command(epilog="Example: agdb plot qq -o qq.png --source 1")
def qq(ctx: typer.Context, output: Out, data: Data = None, source: Source = None) -> None:
    """Nominal p-values against chance, in and outside peaks."""
    _plot(ctx, "qq", output, data, source_id=source)


@plot_app.command(epilog="Example: agdb plot power -o power.svg --scorer dnase-k562")
def power(
    ctx: typer.Context,
    output: Out,
    data: Data = None,
    labels: Labels = "all",
    source: Source = None,
    scorer: Scorer = None,
    window: Window = None,
) -> None:
    """What a study of this size finds, and where this one stands."""
    _plot(ctx, "power", output, data, labels=labels, source_id=source, scorer=scorer, window_bp=window)


@plot_app.command(epilog="Example: agdb plot locus -o locus.png --gene SH3YL1 --scorer motif")
def locus(
    ctx: typer.Context,
    output: Out,
    gene: Annotated[str | None, typer.Option(help="Gene, by id or name.")] = None,
    data: Data = None,
    labels: Labels = "all",
    source: Source = None,
    scorer: Scorer = None,
    window: Window = None,
) -> None:
    """One gene: effects, scores, peaks and transcription starts along the chromosome."""
    chosen = {"labels": labels, "source_id": source, "scorer": scorer, "window_bp": window, "gene": gene}
    _plot(ctx, "locus", output, data, **chosen)
