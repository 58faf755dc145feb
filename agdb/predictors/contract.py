"""What a predictor is: a frozen `Scorer` (what is computed) and a `Predictor` (who computes it), and the Arrow
tables that go in and come out. The run loop (`agdb.predict`) checks every table against these schemas, so that a
predictor cannot hand over a NaN, a renamed column or a score for a variant that nobody asked about.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import NamedTuple, Protocol

import pyarrow as pa

#: What a predictor is given: one row a variant. `pos` is 1-based (VCF), alleles are upper-case ACGT.
VARIANTS = pa.schema(
    [
        pa.field("variant_id", pa.string(), nullable=False),
        pa.field("chrom", pa.string(), nullable=False),
        pa.field("pos", pa.int64(), nullable=False),
        pa.field("ref", pa.string(), nullable=False),
        pa.field("alt", pa.string(), nullable=False),
    ]
)

#: What it gives back: one row a variant (and gene, and track, where the scorer has them). A score is ALT against REF.
SCORES = pa.schema(
    [
        pa.field("variant_id", pa.string(), nullable=False),
        pa.field("gene_id", pa.string()),
        pa.field("track_id", pa.string()),
        pa.field("score", pa.float64(), nullable=False),
        pa.field("quantile", pa.float64()),
        pa.field("ref_value", pa.float64()),
        pa.field("alt_value", pa.float64()),
    ]
)

#: Variants that it could not score, each with a reason: a fact about the variant, not a fault of the provider.
FAILURES = pa.schema(
    [
        pa.field("variant_id", pa.string(), nullable=False),
        pa.field("reason", pa.string(), nullable=False),
    ]
)


@dataclass(frozen=True)
class Scorer:
    """The identity of a score: everything that, if it changed, would change the number.

    Attributes:
        name: What users call it, e.g. `motif` or `dnase-k562`.
        model: `agdb-motif`, `alphagenome`, ...
        model_version: Version of the model, as its maker names it.
        assembly: The genome that the model reads, e.g. `GRCh38`.
        output_type: `DNASE`, `RNA_SEQ`, `OCCUPANCY`, ...
        window_bp: Bases of sequence that the model reads.
        mask_bp: Central bases over which the score aggregates; None for the whole window.
        aggregation: e.g. `DIFF_LOG2_SUM`; the formula stands in the docstring of the predictor.
        track_set: The tracks that it keeps, by ontology curie (`EFO:0002067`), or `all`; empty where there are none.
        is_signed: Whether the score has a direction (ALT against REF).
        reads_genome: Whether the provider reads the registered FASTA, so that only REF-checked variants can be scored.
    """

    name: str
    model: str
    model_version: str
    assembly: str
    output_type: str
    window_bp: int
    mask_bp: int | None
    aggregation: str
    track_set: str
    is_signed: bool
    reads_genome: bool = False

    @property
    def config(self) -> str:
        """Canonical JSON of the content."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))

    @property
    def scorer_id(self) -> str:
        """First 16 hex digits of the sha256 of the content: the same scorer has the same id in every database."""
        return hashlib.sha256(self.config.encode()).hexdigest()[:16]

    @property
    def row(self) -> dict[str, object]:
        """The row of table `scorer`."""
        return {"scorer_id": self.scorer_id, **asdict(self), "config": self.config}


class Predicted(NamedTuple):
    """One answer of a predictor: `scores` has schema `SCORES`, `failures` has schema `FAILURES`."""

    scores: pa.Table
    failures: pa.Table


class Predictor(Protocol):
    """Computes scores for variants. It knows nothing of databases or commands."""

    scorer: Scorer
    provider: str
    #: Name and version of the software that computed, stored with the run (e.g. `alphagenome 0.10.0`).
    software: str
    #: Variants handed over at a time: one batch is one commit, so at most one batch is lost to a crash.
    batch_size: int

    def score(self, variants: pa.Table) -> Predicted:
        """Score a table of schema `VARIANTS`.

        Every variant given comes back exactly once, in `scores` or in `failures`.

        Raises:
            ProviderError: the provider itself failed (no key, unreachable, quota); nothing is made up instead.
                `error.partial` may hold a `Predicted` of what was computed before the fault.
        """
        ...
