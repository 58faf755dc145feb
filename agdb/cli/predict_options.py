"""The options of predict and audit, by the panels of their help: which variants, what is computed, by whom, and how."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

WHICH, WHAT, WHO, HOW = "Which variants", "What is computed", "Who computes", "The run"
WHERE = "Where it is computed"


def also(**names: str) -> dict[str, Any]:
    """Settings of a command that takes options also by the names that other commands give them: `workers="actors"`."""
    options = {name.replace("_", "-"): option for name, option in names.items()}
    return {"token_normalize_func": lambda name: options.get(name, name)}


class Engines(StrEnum):
    """Where it is computed: in this process, or on the nodes of a Ray cluster."""

    local = "local"
    ray = "ray"


Name = Annotated[str, typer.Argument(metavar="SCORER", help="motif, or one that `agdb scorers` lists.")]
Window = Annotated[
    int | None,
    typer.Option(help="Bases of sequence to read. motif: 501; AlphaGenome: 1048576.", rich_help_panel=WHAT),
]
Tissue = Annotated[str | None, typer.Option(help="GTEx tissue of `rna`, e.g. Liver.", rich_help_panel=WHAT)]
Output = Annotated[str | None, typer.Option("--output", help="DNASE, ATAC, RNA_SEQ, ...", rich_help_panel=WHAT)]
Mask = Annotated[int | None, typer.Option(help="Centre mask in bp; 0 for the whole window.", rich_help_panel=WHAT)]
Aggregation = Annotated[str | None, typer.Option(help="DIFF_LOG2_SUM, ACTIVE_SUM, ...", rich_help_panel=WHAT)]
Tracks = Annotated[
    str | None, typer.Option(help="Ontology curies, gtex_tissue=T, or all.", rich_help_panel=WHAT, metavar="CURIE,...")
]
TrackAggregation = Annotated[
    str | None, typer.Option(help="What is made of several tracks: mean, max_abs.", rich_help_panel=WHAT)
]
Rename = Annotated[
    str | None, typer.Option("--name", help="Name of what these options make of SCORER.", rich_help_panel=WHAT)
]
ModelVersion = Annotated[str, typer.Option(help="ALL_FOLDS, FOLD_0, ... FOLD_3.", rich_help_panel=WHAT)]
Provider = Annotated[
    list[str] | None,
    typer.Option(
        help="alphagenome or atlas; give both to ask Atlas first, and the model for what Atlas does not hold.",
        rich_help_panel=WHO,
    ),
]
Address = Annotated[
    list[str] | None,
    typer.Option(
        help="AlphaGenome server, host:port, instead of Google's; again for another one to share the work.",
        rich_help_panel=WHO,
    ),
]
Insecure = Annotated[bool, typer.Option("--insecure", help="No TLS; only to a loopback address.", rich_help_panel=WHO)]
KeyFile = Annotated[
    Path | None,
    typer.Option(help="File that holds the API key; else the environment's ALPHAGENOME_API_KEY.", rich_help_panel=WHO),
]
Model = Annotated[
    str | None,
    typer.Option(help="module:factory of a model object of your own (the SDK's DnaModel).", rich_help_panel=WHO),
]
SameModel = Annotated[
    bool,
    typer.Option("--same-model", help="It is the model whose scores are there, in another place.", rich_help_panel=WHO),
]
InFlight = Annotated[
    int | None,
    typer.Option(min=1, help="Calls at a time, at most. The rate adapts below it by itself.", rich_help_panel=WHO),
]
Deadline = Annotated[float, typer.Option(min=1, help="Seconds that a call may take.", rich_help_panel=WHO)]
Patience = Annotated[
    float, typer.Option(min=0, help="Seconds without any answer until the run stops.", rich_help_panel=WHO)
]
QuotaWindow = Annotated[float, typer.Option(min=0.1, hidden=True, help="Seconds of the provider's minute.")]
Engine = Annotated[
    Engines, typer.Option(help="ray: on the nodes of a Ray cluster (pip install 'agdb\\[ray]').", rich_help_panel=WHERE)
]
RayAddress = Annotated[
    str | None,
    typer.Option(
        help="auto, local, HOST:PORT or ray://HOST:PORT; else the environment's RAY_ADDRESS, or one on this machine.",
        rich_help_panel=WHERE,
        metavar="ADDRESS",
    ),
]
Actors = Annotated[
    int | None,
    typer.Option(
        min=1, help="Workers, each with --in-flight calls; else as many as the nodes hold.", rich_help_panel=WHERE
    ),
]
Cpus = Annotated[float, typer.Option("--cpus-per-actor", min=0, help="Cores that each holds.", rich_help_panel=WHERE)]
Gpus = Annotated[float, typer.Option("--gpus-per-actor", min=0, help="GPUs that each holds.", rich_help_panel=WHERE)]
InPeaks = Annotated[bool, typer.Option("--in-peaks", help="Only variants that lie in a peak.", rich_help_panel=WHICH)]
Where = Annotated[
    str | None,
    typer.Option(help="SQL on view candidate, e.g. \"chrom = 'chr22'\".", rich_help_panel=WHICH, metavar="SQL"),
]
Sample = Annotated[
    int | None, typer.Option(min=1, help="Only so many variants, drawn by --seed and stored.", rich_help_panel=WHICH)
]
Seed = Annotated[int, typer.Option(help="Seed of --sample.", rich_help_panel=WHICH)]
Limit = Annotated[
    int | None, typer.Option(min=1, help="At most so many variants, the first in the genome.", rich_help_panel=WHICH)
]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Those that failed before as well.", rich_help_panel=WHICH)
]
Shard = Annotated[
    str | None,
    typer.Option(help="i/n: every n-th variant, for one of n processes.", rich_help_panel=WHICH, metavar="I/N"),
]
Variants = Annotated[
    Path | None,
    typer.Option(help="Parquet of variants (chrom, pos, ref, alt) instead of the database.", rich_help_panel=WHICH),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what it would do and cost.", rich_help_panel=HOW)]
Worklist = Annotated[
    Path | None,
    typer.Option(help="Write the variants to a Parquet file, for --variants elsewhere, and stop.", rich_help_panel=HOW),
]
MaxCalls = Annotated[int | None, typer.Option(min=1, help="Make no more calls than these.", rich_help_panel=HOW)]
Keep = Annotated[
    str | None,
    typer.Option(
        help="Tracks whose scores are kept: all, gtex, selected. Default: all, but selected for genes.",
        rich_help_panel=HOW,
    ),
]
Out = Annotated[
    Path | None,
    typer.Option(help="Folder for the results, to be merged later by agdb merge.", rich_help_panel=HOW),
]
Log = Annotated[Path | None, typer.Option(help="Append what happens, as JSON lines.", rich_help_panel=HOW)]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress.", rich_help_panel=HOW)]
