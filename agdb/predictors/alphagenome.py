"""AlphaGenome as a predictor: its API, any server that speaks its protocol, or a model object of the user's own.

`alphagenome` and `grpc` are imported inside functions: together they take over two seconds, which `agdb --help` must
not pay. The SDK's plural calls are not used, because at the first error they throw away every answer already paid for.
"""

import math
import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from threading import Event
from typing import Any, NamedTuple

import pyarrow as pa

from agdb.errors import ProviderError, UsageError
from agdb.predictors.alphagenome_connection import CHECK_KEY, DEFAULT_MODEL_VERSION, Client, Connection, connect
from agdb.predictors.contract import FAILURES, SCORES, Predicted, Scorer

__all__ = ["WINDOWS", "AlphaGenomePredictor", "Client", "Connection", "ScoringStopped", "connect", "dnase_k562"]

WINDOWS = (16_384, 131_072, 524_288, 1_048_576)  # dna_client.SUPPORTED_SEQUENCE_LENGTHS

#: Codes by which a server refuses the argument, that is, the variant. Every other code is a fault of the provider.
_REFUSES_THE_VARIANT = ("INVALID_ARGUMENT", "OUT_OF_RANGE")
# Google's front ends answer a wrong key with INVALID_ARGUMENT "API key not valid", which no variant can be blamed for.
_NAMES_THE_KEY = re.compile(r"api[ _-]?key", re.IGNORECASE)

_AGAIN = "run the same command again later; what is scored is kept"
_CURES = {
    "UNAUTHENTICATED": CHECK_KEY,
    "PERMISSION_DENIED": CHECK_KEY,
    "INVALID_ARGUMENT": "check the address, the key, the assembly (GRCh38) and the chromosome names (chr1, not 1)",
    "RESOURCE_EXHAUSTED": "the quota is per minute: run the same command again in a minute; what is scored is kept",
    "UNAVAILABLE": f"check the network and the address, then {_AGAIN}",
    "DEADLINE_EXCEEDED": f"the server took too long: raise the deadline, or {_AGAIN}",
    "UNIMPLEMENTED": "this server cannot score variants: check the address",
}


def dnase_k562(window_bp: int = 1_048_576, *, model_version: str = DEFAULT_MODEL_VERSION) -> Scorer:
    """The change in DNase-seq signal that a variant makes in K562 cells, as AlphaGenome's `CenterMaskScorer` has it.

    score = log2(1 + sum(ALT)) - log2(1 + sum(REF)), the sums over the 501 bp centred on the variant's first base
    (`DIFF_LOG2_SUM`; source: `center_mask.py` of google-deepmind/alphagenome_research). Positive: ALT is more open.

    Args:
        window_bp: Bases of sequence that the model reads, centred on the variant: one of `WINDOWS`.
        model_version: Name of an SDK `ModelVersion`; has to be the one that the connection asks for.

    Raises:
        UsageError: AlphaGenome reads no window of that length.
    """
    if window_bp not in WINDOWS:
        dropped = "; the service dropped 2048 because the model does badly on very short sequences"
        raise UsageError(
            f"AlphaGenome reads no window of {window_bp} bp",
            cure=f"take one of {', '.join(map(str, WINDOWS))} bp{dropped if window_bp == 2048 else ''}",
        )
    return Scorer(
        name="dnase-k562",
        model="alphagenome",
        model_version=model_version,
        assembly="GRCh38",
        output_type="DNASE",
        window_bp=window_bp,
        mask_bp=501,
        aggregation="DIFF_LOG2_SUM",
        track_set="EFO:0002067",
        is_signed=True,
    )


class _Scored(NamedTuple):
    score: float
    quantile: float | None


class _Unscored(NamedTuple):
    reason: str
    blame: ProviderError | None  # what it is instead if the variant is not to blame; None where it surely is


_Outcome = _Scored | _Unscored | ProviderError | None  # None: not asked, because the provider had failed by then


class ScoringStopped(ProviderError):
    """The provider failed in the middle of a batch; `partial` holds what it had answered by then."""

    def __init__(self, fault: ProviderError, partial: Predicted) -> None:
        super().__init__(fault.what, where=fault.where, cure=fault.cure)
        self.partial = partial


class AlphaGenomePredictor:
    """Scores variants with AlphaGenome, one call a variant, several calls at a time.

    A window that reaches beyond an end of the chromosome is sent as it is, with a negative start where need be: the
    SDK's own FASTA reader fills such windows with N. What the service does with them is not documented; if it refuses
    one that starts before the chromosome, that is a failure `window_outside_contig` of the variant.

    Args:
        client: A `Connection`, or anything else with the `score_variant` of the SDK's `DnaModel`.
        scorer: A centre-mask scorer such as `dnase_k562()`, whose `track_set` is one ontology curie.
        max_workers: Calls in flight at a time.

    Raises:
        UsageError: the client asks for another model version than the scorer says.
    """

    provider = "alphagenome"
    batch_size = 50

    def __init__(self, client: Client, scorer: Scorer, *, max_workers: int = 5) -> None:
        from alphagenome.models.v1 import dna_client, variant_scorers

        asked = getattr(client, "model_version", scorer.model_version)
        if asked != scorer.model_version:
            raise UsageError(f"the scorer says model version {scorer.model_version}, the connection asks for {asked}")
        self.scorer, self.software = scorer, f"alphagenome {version('alphagenome')}"
        self._client, self._max_workers, self._answered = client, max_workers, False
        self._mask = variant_scorers.CenterMaskScorer(
            requested_output=dna_client.OutputType[scorer.output_type],
            width=scorer.mask_bp,
            aggregation_type=variant_scorers.AggregationType[scorer.aggregation],
        )

    def __repr__(self) -> str:
        return f"AlphaGenomePredictor({self._client!r}, {self.scorer.name!r})"

    def score(self, variants: pa.Table) -> Predicted:
        """Score a table of schema `VARIANTS` (`pos` 1-based), in its order; `ref_value` and `alt_value` stay null.

        A variant that the server or the SDK refuses comes back in `failures`, and so does one whose score is NaN or
        infinite (`score_not_finite`). But until the provider has answered one call, a refusal proves nothing against
        the variant: if the first two variants asked are refused, or the only one, the provider is held to have failed.

        Raises:
            ProviderError: the provider failed; its `partial` holds every answer that came before or was in flight.
        """
        rows = variants.to_pylist()
        outcomes = self._until_answered(rows)
        if not any(isinstance(outcome, ProviderError) for outcome in outcomes):
            outcomes += self._in_parallel(rows[len(outcomes) :])
        predicted = self._tables(rows, outcomes)
        for outcome in outcomes:
            if isinstance(outcome, ProviderError):
                raise ScoringStopped(outcome, predicted)
        return predicted

    def _until_answered(self, rows: list[dict[str, Any]]) -> list[_Outcome]:
        """One call at a time until one is answered, so that a wrong key costs one or two calls, not a batch."""
        outcomes: list[_Outcome] = []
        suspect: dict[int, ProviderError] = {}
        for i, row in enumerate(rows):
            if self._answered or len(suspect) == 2 or (outcomes and isinstance(outcomes[-1], ProviderError)):
                break
            outcome = self._ask(row)
            outcomes.append(outcome)
            if isinstance(outcome, _Unscored) and outcome.blame:
                suspect[i] = outcome.blame
        if not self._answered:
            for i, blame in suspect.items():
                outcomes[i] = blame
        return outcomes

    def _in_parallel(self, rows: list[dict[str, Any]]) -> list[_Outcome]:
        stop = Event()

        def ask_unless_stopped(row: dict[str, Any]) -> _Outcome:
            if stop.is_set():
                return None
            outcome = self._ask(row)
            if isinstance(outcome, ProviderError):
                stop.set()
            return outcome

        with ThreadPoolExecutor(self._max_workers) as pool:
            try:
                return list(pool.map(ask_unless_stopped, rows))
            finally:
                stop.set()  # at Ctrl-C the pool waits for what is queued: let it find nothing to do

    def _ask(self, row: dict[str, Any]) -> _Outcome:
        """One call. Errors come back as values: raised anew elsewhere, they carry no cause that may quote the key."""
        import grpc
        from alphagenome.data import genome

        try:
            variant = genome.Variant(row["chrom"], row["pos"], row["ref"], row["alt"])
        except ValueError as error:
            return _Unscored(f"value_error: {error}", None)
        interval = variant.reference_interval.resize(self.scorer.window_bp)
        try:
            answer = self._client.score_variant(interval, variant, [self._mask])
        except grpc.RpcError as error:
            return self._not_answered(row, interval, error.code().name, error.details())
        except ValueError as error:
            return self._not_answered(row, interval, "value_error", str(error))
        except Exception as error:  # noqa: BLE001  # whatever a model raises, the answers already paid for are kept
            return self._not_answered(row, interval, type(error).__name__, str(error))
        self._answered = True
        return self._read(row, answer)

    def _not_answered(self, row: dict[str, Any], interval: Any, code: str, details: str | None) -> _Outcome:
        text = " ".join(self._scrub(details or "no details").split())
        names_the_key = _NAMES_THE_KEY.search(text) is not None
        cure = CHECK_KEY if names_the_key else _CURES.get(code, _AGAIN)
        fault = ProviderError(f"AlphaGenome gave no score: {code}: {text}", where=self._where(row), cure=cure)
        if names_the_key or code not in (*_REFUSES_THE_VARIANT, "value_error"):
            return fault
        if interval.start < 0:
            return _Unscored(f"window_outside_contig: {code}: {text}", None)
        return _Unscored(f"{code.lower()}: {text}", fault)

    def _read(self, row: dict[str, Any], answer: Sequence[Any]) -> _Outcome:
        """The score of the scorer's track, found by its curie: the order of tracks is the server's affair."""
        curie = self.scorer.track_set
        if len(answer) != 1:
            return self._malformed(row, f"{len(answer)} score tables for 1 scorer")
        table = answer[0]
        tracks = [i for i, term in enumerate(table.var.get("ontology_curie", ())) if term == curie]
        if len(tracks) != 1:
            return self._malformed(row, f"{len(tracks)} tracks {curie} among {table.n_vars}, and it has to be 1")
        if table.n_obs != 1:
            return self._malformed(row, f"{table.n_obs} rows of scores, and a centre mask has 1")
        score = float(table.X[0, tracks[0]])
        if not math.isfinite(score):
            return _Unscored("score_not_finite", None)
        quantile = float(table.layers["quantiles"][0, tracks[0]]) if "quantiles" in table.layers else math.nan
        return _Scored(score, quantile if math.isfinite(quantile) else None)

    def _malformed(self, row: dict[str, Any], what: str) -> ProviderError:
        cure = "this server answers in another way than AlphaGenome does: check the address and the model"
        return ProviderError(f"AlphaGenome's answer has {what}", where=self._where(row), cure=cure)

    def _where(self, row: dict[str, Any]) -> str:
        server = getattr(self._client, "address", None)
        return f"variant {row['variant_id']}" + (f", server {server}" if server else "")

    def _scrub(self, text: str) -> str:
        return self._client.scrub(text) if isinstance(self._client, Connection) else text

    def _tables(self, rows: list[dict[str, Any]], outcomes: list[_Outcome]) -> Predicted:
        scores, failures = [], []
        for row, outcome in zip(rows, outcomes, strict=False):  # short where the provider failed
            if isinstance(outcome, _Scored):
                values = {"score": outcome.score, "quantile": outcome.quantile, "track_id": self.scorer.track_set}
                scores.append({"variant_id": row["variant_id"], **values})
            elif isinstance(outcome, _Unscored):
                failures.append({"variant_id": row["variant_id"], "reason": outcome.reason})
        return Predicted(pa.Table.from_pylist(scores, SCORES), pa.Table.from_pylist(failures, FAILURES))
