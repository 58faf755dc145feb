"""What is asked of a predictor and what it answers. It knows nothing of databases, files or commands.

A `Computation` is what one call computes for a variant, in all its tracks at once: that is what costs. A `Scorer` is
what people compare with a measurement: one or more computations, and the tracks of them that count. Scorers that differ
in their tracks alone share their computations, so that another track set, or another aggregation over tracks,
costs no call.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from agdb.errors import UsageError

Values = npt.NDArray[np.float32] | npt.NDArray[np.float64]

#: What a scorer makes of several tracks: their mean, or the score that is furthest from 0, with its sign.
TRACK_AGGREGATIONS = ("mean", "max_abs")


class Variant(NamedTuple):
    """A variant of the computation's assembly: `pos` 1-based (VCF), alleles upper-case ACGT."""

    chrom: str
    pos: int
    ref: str
    alt: str

    def __str__(self) -> str:
        return f"{self.chrom}_{self.pos}_{self.ref}_{self.alt}"


class Track(NamedTuple):
    """An assay in a biosample, as a model names it; (output_type, name, strand) is unique within a model."""

    output_type: str
    name: str
    strand: str = "."
    ontology_curie: str | None = None
    biosample_name: str | None = None
    biosample_type: str | None = None
    biosample_life_stage: str | None = None
    assay: str | None = None
    data_source: str | None = None
    gtex_tissue: str | None = None


@dataclass(frozen=True)
class Computation:
    """What one call computes for a variant: everything that, if it changed, would change the numbers.

    Attributes:
        provider: Who computes: `alphagenome` (the API, or a server or object that speaks as it does), `atlas`, `motif`,
            or `import` (somebody did, and gave us the file).
        model: `alphagenome`, `agdb-motif`, ...
        model_version: Version of the model, as its maker names it.
        assembly: The genome that the model reads, e.g. `GRCh38`.
        output_type: `DNASE`, `RNA_SEQ`, `OCCUPANCY`, ...
        window_bp: Bases of sequence that the model reads.
        mask_bp: Central bases over which the score aggregates; None for the whole window, or for genes.
        aggregation: e.g. `DIFF_LOG2_SUM`; the formula stands in the docstring of the predictor.
        is_signed: Whether the score has a direction (ALT against REF).
        reads_genome: Whether it reads the registered FASTA, so that only REF-checked variants can be scored.
    """

    provider: str
    model: str
    model_version: str
    assembly: str
    output_type: str
    window_bp: int
    mask_bp: int | None
    aggregation: str
    is_signed: bool
    reads_genome: bool = False

    @property
    def computation_id(self) -> str:
        """First 16 hex digits of the sha256 of the content: the same computation has the same id in every database."""
        return _id(asdict(self))

    @property
    def row(self) -> dict[str, object]:
        """The row of table `computation`."""
        return {"computation_id": self.computation_id, **asdict(self)}


@dataclass(frozen=True)
class Scorer:
    """One number for a variant (or a variant and gene): computations, and what is made of their tracks.

    Attributes:
        name: What users call it, e.g. `motif` or `dnase-k562`.
        computations: Those that answer it, the preferred one first. They differ in who computes and in nothing else.
        track_set: The tracks that enter: ontology curies (`EFO:0002067,EFO:0002784`), `gtex_tissue=Whole_Blood`, or
            `all`; empty where the model has none.
        track_aggregation: What is made of several tracks, one of `TRACK_AGGREGATIONS`; None for a single one.
    """

    name: str
    computations: tuple[Computation, ...]
    track_set: str = ""
    track_aggregation: str | None = None

    def __post_init__(self) -> None:
        if self.track_aggregation not in (None, *TRACK_AGGREGATIONS):
            raise UsageError(f"tracks cannot be aggregated by {self.track_aggregation!r}",
                             cure=f"one of {', '.join(TRACK_AGGREGATIONS)}")  # fmt: skip

    @property
    def of(self) -> Computation:
        """What is computed, by whomever: the preferred computation."""
        return self.computations[0]

    @property
    def scorer_id(self) -> str:
        """First 16 hex digits of the sha256 of the content: the same scorer has the same id in every database."""
        return _id(self.config)

    @property
    def config(self) -> dict[str, Any]:
        """The content; two scorers whose content differs in `window_bp` alone are one family."""
        computed = asdict(self.of)
        del computed["provider"]
        return {
            "name": self.name,
            "providers": [c.provider for c in self.computations],
            **computed,
            "track_set": self.track_set,
            "track_aggregation": self.track_aggregation,
        }

    @property
    def row(self) -> dict[str, object]:
        """The row of table `scorer`."""
        content = self.config
        del content["providers"]
        return {
            "scorer_id": self.scorer_id,
            **content,
            "computations": [c.computation_id for c in self.computations],
            "config": _canonical(self.config),
        }


def _canonical(content: dict[str, Any]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))


def _id(content: dict[str, Any]) -> str:
    return hashlib.sha256(_canonical(content).encode()).hexdigest()[:16]


@dataclass(frozen=True, eq=False)
class Answer:
    """The scores of one variant, ALT against REF. NaN is no score (a gene scorer has none on the other strand).

    Attributes:
        scores: Shape (genes, tracks), in the order of the predictor's `tracks`; (1, tracks) where genes have no part,
            (1, 1) where tracks have none either.
        genes: Gene of each row, without version; None where genes have no part. There may be none in the window.
        quantiles, ref_values, alt_values: As `scores`, where the provider gives them.
    """

    scores: Values
    genes: tuple[str, ...] | None = None
    quantiles: Values | None = None
    ref_values: Values | None = None
    alt_values: Values | None = None

    def is_broken_in(self, columns: Sequence[int] | None = None) -> bool:
        """Whether a score is infinite, or NaN where every track has one: then the answer is none.

        Args:
            columns: The tracks that matter; None for all.
        """
        scores = self.scores if columns is None else self.scores[:, list(columns)]
        return bool((np.isinf(scores) if self.genes is not None else ~np.isfinite(scores)).any())


class VariantFailed(Exception):
    """The variant cannot be scored, ever: a fact about the variant. The reason is a word, then details if there are.

    Attributes:
        blames_provider: The provider said so, in answer to a call, and it is not to be believed until it has answered
            something since. Else the predictor knew, and no call was made.
        is_likely: It would be no wonder, so that it is no sign that the provider refuses everything.
    """

    def __init__(self, reason: str, *, blames_provider: bool = False, is_likely: bool = False) -> None:
        self.reason, self.blames_provider, self.is_likely = reason, blames_provider, is_likely
        super().__init__(reason)


class TryAgain(Exception):
    """This call failed; the same call may succeed.

    Attributes:
        reason: The status and words of the provider.
        is_quota: The provider has had enough of us for now: not the variant's fault, nor a fault at all.
        is_down: The provider cannot be reached: not the variant's fault.
        is_lost: The worker died that made the call, and others: neither the variant's fault nor the provider's.
    """

    def __init__(self, reason: str, *, is_quota: bool = False, is_down: bool = False, is_lost: bool = False) -> None:
        self.reason, self.is_quota, self.is_down, self.is_lost = reason, is_quota, is_down, is_lost
        super().__init__(reason)


class Predictor(Protocol):
    """Computes one computation. `score` is called from several threads at a time, up to `in_flight`."""

    computation: Computation
    #: Name and version of the software that computed, stored with the run (e.g. `alphagenome 0.10.0`).
    software: str
    #: Variants handed over in one call.
    batch_size: int

    @property
    def in_flight(self) -> int:
        """Calls at a time, at most; it may change while the run goes on."""
        ...

    def tracks(self) -> Sequence[Track]:
        """The tracks of an answer, in order; none where the model has none. Asked once, before the first score.

        Raises:
            TryAgain: the provider is away, or has had enough of us, for now.
            ProviderError: it refuses us, or has no such tracks.
        """
        ...

    def score(self, variants: Sequence[Variant]) -> Sequence[Answer | VariantFailed]:
        """An answer or a refusal for each variant, in order.

        Raises:
            TryAgain: the call failed, for all of them; the same call may succeed later.
            VariantFailed: as if returned for each of them.
            ProviderError: no call can succeed (a bad key, another model): the run has to stop.
        """
        ...

    def cancel(self) -> None:
        """End the calls in flight, whose answers nobody waits for any more."""
        ...
