"""The options of the ingest commands."""

from pathlib import Path
from typing import Annotated

import typer

Files = Annotated[
    list[Path], typer.Argument(help="Files, plain or gzip; - is standard input.", show_default=False, readable=False)
]
File = Annotated[Path, typer.Argument(help="The file, plain or gzip.", show_default=False, readable=False)]
Assembly = Annotated[
    str, typer.Option(help="Of the coordinates: GRCh38 (hg38), GRCh37 (hg19) or NCBI36 (hg18).", show_default=False)
]
Tissue = Annotated[
    str | None,
    typer.Option(
        help="Tissue or cell type, GTEx spelling; where neither the file nor its name says.", show_default=False
    ),
]
PresetName = Annotated[
    str | None,
    typer.Option("--preset", help="What its columns mean: a name (agdb presets) or a TOML file; else recognised."),
]
Map = Annotated[
    list[str] | None, typer.Option("--map", help="field=column,... for a table that no preset fits; may be repeated.")
]
SavePreset = Annotated[Path | None, typer.Option(help="Keep what --map says as a preset in this TOML file.")]
OfFile = Annotated[str | None, typer.Option("--assembly", help="Of its positions, where the preset does not say.")]
Lift = Annotated[
    Path | None,
    typer.Option(help="UCSC chain file: lift to its other assembly. What cannot be lifted is kept and counted."),
]
Where = Annotated[str | None, typer.Option(help="SQL condition over the columns of the file: read these rows only.")]
EffectAllele = Annotated[
    str | None,
    typer.Option(help="With --map: allele that effects refer to, alt, ref or a column; else alt.", show_default=False),
]
EffectUnit = Annotated[
    str | None, typer.Option(help="With --map: unit of the effect, sd, log2fc, allelic_ratio, beta, ...")
]
Kind = Annotated[
    str | None,
    typer.Option(
        "--kind", help="With --map: what was measured, eqtl, sqtl, caqtl, dsqtl, ...; else eqtl.", show_default=False
    ),
]
BlocksOf = Annotated[
    str | None, typer.Option("--name", help="What they are of, e.g. the population; else the name of the file.")
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]

#: Of scores that somebody else computed.
ReadWindow = Annotated[
    int | None, typer.Option(help="Bases of sequence that the model read; a tidy file says so itself.")
]
ScoreFormat = Annotated[
    str | None,
    typer.Option(
        "--format",
        help="tidy: tidy_scores of the AlphaGenome SDK; original: the CSV of the original study; else --map.",
    ),
]
ScorerName = Annotated[
    str | None, typer.Option(help="Name for what was computed, e.g. gkm-SVM. Of a tidy file: only this scorer.")
]
ModelVersion = Annotated[str, typer.Option(help="Version of the model: scores of two versions never mix.")]
OutputType = Annotated[str, typer.Option(help="What was predicted, e.g. DNASE.")]
Unsigned = Annotated[bool, typer.Option("--unsigned", help="The score has no direction.")]
ScoreAllele = Annotated[
    str | None,
    typer.Option(help="With --map: allele whose score it is, alt, ref or a column; else alt.", show_default=False),
]
LabelTissue = Annotated[str, typer.Option(help="Tissue of the labels in an original file.")]
LabelEffect = Annotated[
    str,
    typer.Option(
        help="What the column `slope` of an original file is: pval_nominal (true of the published ones), slope, or "
        "none (scores only)."
    ),
]
