"""Answers to look at: plot."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from agdb.cli.app import say

app = typer.Typer(
    no_args_is_help=True,
    help="Draw a figure (PNG, SVG or PDF by the file's ending), and write the numbers that it draws (--data).",
)

Out = Annotated[Path, typer.Option("-o", "--output", help="The figure: .png, .svg or .pdf.", show_default=False)]
Data = Annotated[Path | None, typer.Option(help="Write the numbers that are drawn to this CSV file.")]
Labels = Annotated[str, typer.Option(help="Label set by name; agdb labels lists them.")]
Source = Annotated[int | None, typer.Option("--source", help="QTL source (source_id), where there are several.")]
Scorer = Annotated[str | None, typer.Option(help="Scorer by name, where there are several.")]
Window = Annotated[int | None, typer.Option("--window", help="Window of the scorer in bp, where there are several.")]
Stratum = Annotated[str | None, typer.Option(help="A stratum, e.g. 'peak: in peak' or 'kind: SNV'.")]
Divide = Annotated[
    str | None, typer.Option(help="Stratifications, with commas between; default: those stored, but for chrom.")
]
Gene = Annotated[str | None, typer.Option(help="Gene, by id or name.")]
Assembly = Annotated[str | None, typer.Option(help="GRCh38, GRCh37 or NCBI36, where there are several.")]


def _plot(ctx: typer.Context, name: str) -> None:
    """Draw what the command's options say: its arguments are named as the attributes of figures.Choice."""
    from agdb import db, figures

    choice = dict(ctx.params)
    output, data = Path(choice.pop("output")), choice.pop("data")
    data = None if data is None else Path(data)
    figures.check_names(output, data)
    with db.reading(ctx.obj) as con:
        drawn = figures.draw(con, name, figures.Choice(**choice))
        figures.write(con, drawn, output, data)
    say(f"{output}: {drawn.told}")
    if data is not None:
        say(f"{data}: {drawn.data.num_rows:,} rows, the numbers that it draws")


# The commands, by what they let one choose. Their options are what typer reads off their arguments.


def _of_a_scorer(name: str) -> Callable[..., None]:
    def command(ctx: typer.Context, output: Out, data: Data = None, labels: Labels = "all", source_id: Source = None,
                scorer: Scorer = None, window_bp: Window = None) -> None:  # fmt: skip
        _plot(ctx, name)

    return command


def _of_all_windows(name: str) -> Callable[..., None]:
    def command(ctx: typer.Context, output: Out, data: Data = None, labels: Labels = "all", source_id: Source = None,
                scorer: Scorer = None, stratum: Stratum = None) -> None:  # fmt: skip
        _plot(ctx, name)

    return command


def _scatter(ctx: typer.Context, output: Out, data: Data = None, labels: Labels = "all", source_id: Source = None,
             scorer: Scorer = None, window_bp: Window = None, stratum: Stratum = None) -> None:  # fmt: skip
    _plot(ctx, "scatter")


def _forest(ctx: typer.Context, output: Out, data: Data = None, labels: Labels = "all", source_id: Source = None,
            scorer: Scorer = None, window_bp: Window = None, divide: Divide = None) -> None:  # fmt: skip
    _plot(ctx, "forest")


def _study(ctx: typer.Context, output: Out, data: Data = None) -> None:
    _plot(ctx, "study")


def _overlap(ctx: typer.Context, output: Out, data: Data = None, assembly: Assembly = None) -> None:
    _plot(ctx, "overlap")


def _qq(ctx: typer.Context, output: Out, data: Data = None, source_id: Source = None) -> None:
    _plot(ctx, "qq")


def _locus(ctx: typer.Context, output: Out, gene: Gene = None, data: Data = None, labels: Labels = "all",
           source_id: Source = None, scorer: Scorer = None, window_bp: Window = None) -> None:  # fmt: skip
    _plot(ctx, "locus")


#: Name, command, what it shows, example; in the order of the help.
_FIGURES: tuple[tuple[str, Callable[..., None], str, str], ...] = (
    ("scatter", _scatter, "Measured effect against score, with both correlations and their intervals; many rows as a "
     "density.", "-o scatter.png --scorer motif --stratum 'peak: in peak'"),
    ("panels", _of_all_windows("panels"), "All windows of a scorer side by side, on the associations that every window "
     "scored.", "-o panels.png --source 1 --scorer motif"),
    ("windows", _of_all_windows("windows"), "Spearman correlation by window, on the associations that every window "
     "scored.", "-o windows.svg --source 1"),
    ("forest", _forest, "The correlation in every stratum, as agdb stats stored it.",
     "-o forest.pdf --scorer dnase-k562 --divide peak,kind,tss_distance"),
    ("signs", _of_a_scorer("signs"), "How often effect and score have one sign, by decile of the size of the score.",
     "-o signs.png --scorer dnase-k562"),
    ("scores", _of_a_scorer("scores"), "How scores are spread, by kind of variant: SNVs, deletions, insertions.",
     "-o scores.png --scorer dnase-k562"),
    ("distance", _of_a_scorer("distance"), "Size of the effects by distance to the transcription start, and the "
     "correlation there.", "-o distance.png --source 1 --scorer motif"),
    ("study", _study, "From the published analysis to the corrected one, step by step: what agdb compare-study stored.",
     "-o waterfall.pdf"),
    ("funnel", _of_a_scorer("funnel"), "From the rows of the file to those analysed: what was lost, and why.",
     "-o funnel.svg --source 1 --scorer motif"),
    ("overlap", _overlap, "How many peaks the variants lie in, and how far from the summit.", "-o overlap.png"),
    ("tracks", _of_a_scorer("tracks"), "Every track of the model, by how it agrees with the effects; by stratum as a "
     "map.", "-o tracks.png --scorer dnase-k562"),
    ("qq", _qq, "Nominal p-values against chance, in and outside peaks.", "-o qq.png --source 1"),
    ("power", _of_a_scorer("power"), "What a study of this size finds, and where this one stands.",
     "-o power.svg --scorer dnase-k562"),
    ("locus", _locus, "One gene: effects, scores, peaks and transcription starts along the chromosome.",
     "-o locus.png --gene SH3YL1 --scorer motif"),
)  # fmt: skip

for _name, _command, _help, _example in _FIGURES:
    app.command(_name, help=_help, epilog=f"Example: agdb plot {_name} {_example}")(_command)
