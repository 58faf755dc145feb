"""The scorers that agdb knows by name (`scorers.toml`), and those that users make of them by options."""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from agdb.errors import UsageError
from agdb.predictors.contract import Computation, Scorer

#: Windows of AlphaGenome's service (dna_client.SUPPORTED_SEQUENCE_LENGTHS), and its default.
WINDOWS = (16_384, 131_072, 524_288, 1_048_576)
DEFAULT_WINDOW = WINDOWS[-1]
#: Widths of its centre masks (variant_scorers.CenterMaskScorer).
MASKS = (501, 2_001, 10_001, 100_001, 200_001)
#: What the SDK says an unset model version means, and its others (dna_model.ModelVersion).
MODEL_VERSION = "ALL_FOLDS"
MODEL_VERSIONS = (MODEL_VERSION, "FOLD_0", "FOLD_1", "FOLD_2", "FOLD_3")

#: Aggregations of a centre mask, whether they have a direction: variant_scorers.AggregationType.
CENTER = {
    "DIFF_MEAN": True, "DIFF_SUM": True, "DIFF_SUM_LOG2": True, "DIFF_LOG2_SUM": True,
    "L2_DIFF": False, "L2_DIFF_LOG1P": False, "ACTIVE_MEAN": False, "ACTIVE_SUM": False,
}  # fmt: skip
#: Aggregations over the exons of each gene of the window: GeneMaskLFCScorer and GeneMaskActiveScorer.
GENES = {"GENE_LFC": True, "GENE_ACTIVE": False}
#: The original study's: mean over the window of the predicted tracks of each sequence, ALT minus REF.
SEQUENCE = {"SEQUENCE_DIFF_MEAN": True}
SIGNED = {**CENTER, **GENES, **SEQUENCE}

#: Output types that scorers of genes take, and those that the others take: variant_scorers.SUPPORTED_OUTPUT_TYPES.
GENE_OUTPUTS = ("ATAC", "CAGE", "DNASE", "PROCAP", "RNA_SEQ", "SPLICE_SITES", "SPLICE_SITE_USAGE")
OUTPUTS = (*GENE_OUTPUTS, "CHIP_HISTONE", "CHIP_TF")

#: What stands at Atlas: the recommended scorers, of the longest window.
ATLAS_NAMES = {
    ("ATAC", 501, "DIFF_LOG2_SUM"): "ATAC", ("DNASE", 501, "DIFF_LOG2_SUM"): "DNASE",
    ("CHIP_TF", 501, "DIFF_LOG2_SUM"): "CHIP_TF", ("CAGE", 501, "DIFF_LOG2_SUM"): "CAGE",
    ("PROCAP", 501, "DIFF_LOG2_SUM"): "PROCAP", ("CHIP_HISTONE", 2001, "DIFF_LOG2_SUM"): "CHIP_HISTONE",
    ("ATAC", 501, "ACTIVE_SUM"): "ATAC_ACTIVE", ("DNASE", 501, "ACTIVE_SUM"): "DNASE_ACTIVE",
    ("CHIP_TF", 501, "ACTIVE_SUM"): "CHIP_TF_ACTIVE", ("CAGE", 501, "ACTIVE_SUM"): "CAGE_ACTIVE",
    ("PROCAP", 501, "ACTIVE_SUM"): "PROCAP_ACTIVE", ("CHIP_HISTONE", 2001, "ACTIVE_SUM"): "CHIP_HISTONE_ACTIVE",
    ("RNA_SEQ", None, "GENE_LFC"): "RNA_SEQ", ("RNA_SEQ", None, "GENE_ACTIVE"): "RNA_SEQ_ACTIVE",
}  # fmt: skip


@dataclass(frozen=True)
class Preset:
    """A scorer by name: `about` is what it is for; the rest is as in `Computation` and `Scorer`."""

    name: str
    about: str
    output: str
    aggregation: str
    mask_bp: int | None = None
    tracks: str = ""
    of_tracks: str | None = None


@cache
def presets() -> dict[str, Preset]:
    """The presets, by name, in the order of the file."""
    text = (resources.files("agdb") / "predictors" / "scorers.toml").read_text(encoding="utf-8")
    return {
        name: Preset(name=name, **{**content, "tracks": content.get("tracks", "").strip()})
        for name, content in tomllib.loads(text).items()
    }


def scorer(
    preset: Preset,
    *,
    window_bp: int = DEFAULT_WINDOW,
    providers: Sequence[str] = ("alphagenome",),
    model_version: str = MODEL_VERSION,
    is_service: bool = True,
) -> Scorer:
    """The scorer of a preset, as AlphaGenome computes it on GRCh38.

    Args:
        preset: What is computed.
        window_bp: Bases of sequence that the model reads, centred on the variant.
        providers: Who is asked, the preferred one first: `alphagenome`, `atlas`.
        model_version: Name of an SDK `ModelVersion`.
        is_service: Whether Google's service is asked: it reads only `WINDOWS`. Own servers read multiples of 2,048 bp.

    Raises:
        UsageError: AlphaGenome, or Atlas, cannot compute that.
    """
    if preset.aggregation not in SIGNED:
        raise UsageError(f"unknown aggregation {preset.aggregation!r}", cure=f"one of {', '.join(SIGNED)}")
    outputs = GENE_OUTPUTS if preset.aggregation in GENES else OUTPUTS
    if preset.output not in outputs:
        raise UsageError(f"{preset.aggregation} has no output {preset.output!r}", cure=f"one of {', '.join(outputs)}")
    if is_service and model_version not in MODEL_VERSIONS:
        raise UsageError(f"unknown model version {model_version!r}", cure=f"one of {', '.join(MODEL_VERSIONS)}")
    if preset.mask_bp is not None and (preset.aggregation not in CENTER or preset.mask_bp not in MASKS):
        raise UsageError(
            f"{preset.aggregation} has no centre mask of {preset.mask_bp} bp",
            cure=f"{', '.join(CENTER)} take a mask of {', '.join(map(str, MASKS))} bp, or none: the whole window",
        )
    if not preset.tracks:
        raise UsageError(f"{preset.name}: which tracks is not said", cure="--gtex-tissue T, or --tracks CURIE,...")
    _check_window(window_bp, is_service=is_service)
    computations = []
    for provider in providers:
        if provider not in ("alphagenome", "atlas"):
            raise UsageError(f"{provider!r} does not compute {preset.name}", cure="--provider alphagenome, or atlas")
        if provider == "atlas":
            _check_atlas(preset, window_bp)
        computations.append(
            Computation(
                provider=provider, model="alphagenome", model_version=model_version, assembly="GRCh38",
                output_type=preset.output, window_bp=window_bp, mask_bp=preset.mask_bp,
                aggregation=preset.aggregation, is_signed=SIGNED[preset.aggregation],
                reads_genome=preset.aggregation in SEQUENCE,
            )
        )  # fmt: skip
    return Scorer(preset.name, tuple(computations), preset.tracks, preset.of_tracks)


def rna(tissue: str) -> Preset:
    """Scorer `rna` of a GTEx tissue, named for it: `rna-whole-blood`."""
    return replace(presets()["rna"], name=f"rna-{tissue.lower().replace('_', '-')}", tracks=f"gtex_tissue={tissue}")


def _check_window(window_bp: int, *, is_service: bool) -> None:
    if is_service and window_bp not in WINDOWS:
        dropped = "; the service dropped 2048 because the model does badly on very short sequences"
        raise UsageError(
            f"AlphaGenome reads no window of {window_bp} bp",
            cure=f"take one of {', '.join(map(str, WINDOWS))} bp{dropped if window_bp == 2048 else ''}",
        )
    if window_bp < 2048 or window_bp % 2048 or window_bp > DEFAULT_WINDOW:
        raise UsageError(
            f"AlphaGenome reads no window of {window_bp} bp",
            cure=f"a multiple of 2048, up to {DEFAULT_WINDOW} (Google's service: {', '.join(map(str, WINDOWS))})",
        )


def _check_atlas(preset: Preset, window_bp: int) -> None:
    if (preset.output, preset.mask_bp, preset.aggregation) not in ATLAS_NAMES or window_bp != DEFAULT_WINDOW:
        raise UsageError(
            f"Atlas holds no {preset.name} at {window_bp:,} bp",
            cure=f"it holds the recommended scorers of {DEFAULT_WINDOW:,} bp; --provider alphagenome for others",
        )
