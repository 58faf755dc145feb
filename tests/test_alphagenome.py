"""The SDK's real client against a fake server on loopback: scores by name, failures, faults, and the key."""

import math
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import anndata  # type: ignore[import-untyped]  # as the SDK that returns it
import grpc
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from alphagenome.models.v1 import dna_client
from fake_alphagenome import GM12878, HEPG2, K562, FakeAlphaGenome, Fault, fake_quantile, fake_score

from agdb.errors import ProviderError, UsageError
from agdb.predictors.alphagenome import WINDOWS, AlphaGenomePredictor, Connection, ScoringStopped, connect, dnase_k562
from agdb.predictors.contract import FAILURES, SCORES, VARIANTS, Predictor

KEY = "sekret-1234567890"
FAR = 50_000_000  # far from any chromosome end

refused = Fault(grpc.StatusCode.INVALID_ARGUMENT, "REF differs from the genome")


def variants(n: int, *, start: int = FAR) -> pa.Table:
    rows = [
        {"variant_id": f"chr1_{start + i}_A_G", "chrom": "chr1", "pos": start + i, "ref": "A", "alt": "G"}
        for i in range(n)
    ]
    return pa.Table.from_pylist(rows, VARIANTS)


def text(i: int, *, start: int = FAR) -> str:
    """Row i of `variants` as the SDK writes it."""
    return f"chr1:{start + i}:A>G"


def ids(table: pa.Table) -> list[str]:
    return [str(value) for value in table["variant_id"].to_pylist()]


@contextmanager
def predictor(server: FakeAlphaGenome, *, max_workers: int = 5, **how: Any) -> Iterator[AlphaGenomePredictor]:
    with server as address:
        connection = connect(address, KEY, insecure=True, timeout_s=10, **how)
        try:
            yield AlphaGenomePredictor(connection, dnase_k562(16_384), max_workers=max_workers)
        finally:
            connection.close()


def stopped(scoring: AlphaGenomePredictor, table: pa.Table) -> ScoringStopped:
    with pytest.raises(ProviderError) as caught:
        scoring.score(table)
    assert isinstance(caught.value, ScoringStopped)
    return caught.value


def everything_shown(error: BaseException) -> str:
    shown = [str(error), repr(error), *traceback.format_exception(error)]
    for hidden in (error.__cause__, error.__context__):
        if hidden is not None:
            shown.append(everything_shown(hidden))
    if isinstance(error, ScoringStopped):
        shown += [str(table.to_pylist()) for table in error.partial]
    return "\n".join(shown)


# What a score is


def test_the_score_is_that_of_the_k562_track_whatever_the_order_of_tracks() -> None:
    for tracks in [(GM12878, K562, HEPG2), (K562, HEPG2, GM12878), (HEPG2, GM12878, K562)]:
        with predictor(FakeAlphaGenome(tracks=tracks)) as scoring:
            scores, failures = scoring.score(variants(1))
        assert failures.num_rows == 0
        assert scores.to_pylist() == [
            {
                "variant_id": f"chr1_{FAR}_A_G",
                "gene_id": None,
                "track_id": K562,
                "score": fake_score(text(0), K562),
                "quantile": fake_quantile(text(0), K562),
                "ref_value": None,
                "alt_value": None,
            }
        ]


def test_quantiles_are_null_where_the_server_gives_none() -> None:
    with predictor(FakeAlphaGenome(quantiles=False)) as scoring:
        scores = scoring.score(variants(1)).scores
    assert scores["quantile"].to_pylist() == [None]
    assert scores["score"].to_pylist() == [fake_score(text(0), K562)]


def test_the_request_is_the_scorer_and_the_window_centred_on_the_variant() -> None:
    server = FakeAlphaGenome()
    with predictor(server, model_version="ALL_FOLDS") as scoring:
        scoring.score(variants(1))
    [request] = server.requests
    assert (request.interval.start, request.interval.end) == (FAR - 16_384 // 2, FAR + 16_384 // 2)
    assert (request.variant.position, request.model_version) == (FAR, "ALL_FOLDS")
    [asked] = [scorer.center_mask for scorer in request.variant_scorers]
    assert asked.width == 501
    assert "DIFF_LOG2_SUM" in str(asked)
    assert "DNASE" in str(asked)


def test_results_stand_in_the_order_of_the_variants_not_of_the_answers() -> None:
    late = {text(i): Fault(delay_s=0.2) for i in (1, 3)}
    with predictor(FakeAlphaGenome(faults=late)) as scoring:
        scores = scoring.score(variants(8)).scores
    assert ids(scores) == ids(variants(8))
    assert scores["score"].to_pylist() == [fake_score(text(i), K562) for i in range(8)]


def test_each_variant_is_asked_once_and_several_at_a_time() -> None:
    server = FakeAlphaGenome(always=Fault(delay_s=0.1))
    with predictor(server, max_workers=3) as scoring:
        scoring.score(variants(10))
    assert sorted(server.calls) == [text(i) for i in range(10)]
    assert 2 <= server.most_at_once <= 3


def test_no_variants_are_no_calls() -> None:
    server = FakeAlphaGenome()
    with predictor(server) as scoring:
        scores, failures = scoring.score(variants(0))
    assert (scores.schema, failures.schema) == (SCORES, FAILURES)
    assert server.calls == []


class ModelObject:
    """A local model: the same method, no quantiles, no server, no model version."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.fails_at = fails_at

    def score_variant(self, interval: Any, variant: Any, variant_scorers: Any, /) -> Sequence[Any]:
        if variant.position == self.fails_at:
            raise MemoryError("the device is full")
        var = pd.DataFrame({"ontology_curie": [GM12878, K562]}, index=["0", "1"])
        return [anndata.AnnData(X=np.array([[9.0, 0.5]], np.float32), var=var)]


def test_a_model_object_of_the_users_own_scores_too() -> None:
    scoring: Predictor = AlphaGenomePredictor(ModelObject(), dnase_k562())
    assert scoring.score(variants(2)).scores["score"].to_pylist() == [0.5, 0.5]


def test_a_model_object_that_breaks_down_loses_nothing_that_it_had_computed() -> None:
    error = stopped(AlphaGenomePredictor(ModelObject(fails_at=FAR + 2), dnase_k562(), max_workers=1), variants(4))
    assert "MemoryError: the device is full" in str(error)
    assert ids(error.partial.scores) == ids(variants(2))


# A refused variant is a failure; a failing provider is an error


def test_a_refused_variant_is_a_failure_with_its_reason_and_the_others_are_scored() -> None:
    with predictor(FakeAlphaGenome(faults={text(2): refused})) as scoring:
        scores, failures = scoring.score(variants(4))
    assert ids(scores) == [id_ for i, id_ in enumerate(ids(variants(4))) if i != 2]
    assert failures.to_pylist() == [
        {"variant_id": ids(variants(4))[2], "reason": "invalid_argument: REF differs from the genome"}
    ]


@pytest.mark.parametrize("n", [1, 5])
def test_refusals_before_the_first_answer_are_the_providers_fault(n: int) -> None:
    server = FakeAlphaGenome(always=refused)
    with predictor(server) as scoring:
        error = stopped(scoring, variants(n))
    assert "INVALID_ARGUMENT" in str(error)
    assert len(server.calls) == min(n, 2)
    assert [table.num_rows for table in error.partial] == [0, 0]


def test_a_refused_first_variant_does_not_bar_the_way_for_the_others() -> None:
    with predictor(FakeAlphaGenome(faults={text(0): refused})) as scoring:
        scores, failures = scoring.score(variants(3))
    assert ids(failures) == ids(variants(3))[:1]
    assert ids(scores) == ids(variants(3))[1:]


def test_a_refused_window_before_the_chromosome_is_a_failure_of_its_own_even_as_the_first() -> None:
    table = variants(2, start=100)
    with predictor(FakeAlphaGenome(always=Fault(grpc.StatusCode.OUT_OF_RANGE, "start < 0"))) as scoring:
        failures = scoring.score(table).failures
    assert failures["reason"].to_pylist() == ["window_outside_contig: OUT_OF_RANGE: start < 0"] * 2


def test_a_window_before_the_chromosome_is_left_to_the_server() -> None:
    server = FakeAlphaGenome()
    with predictor(server) as scoring:
        scores = scoring.score(variants(1, start=100)).scores
    assert server.requests[0].interval.start == 100 - 16_384 // 2
    assert scores["score"].to_pylist() == [fake_score(text(0, start=100), K562)]


def test_alleles_that_the_sdk_cannot_read_are_a_failure_without_a_call() -> None:
    server = FakeAlphaGenome()
    rows = [*variants(1).to_pylist(), {"variant_id": "bad", "chrom": "chr1", "pos": FAR, "ref": "A", "alt": "*"}]
    with predictor(server) as scoring:
        failures = scoring.score(pa.Table.from_pylist(rows, VARIANTS)).failures
    assert ids(failures) == ["bad"]
    assert failures["reason"].to_pylist()[0].startswith("value_error: Invalid alternate bases")
    assert server.calls == [text(0)]


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_no_number_is_a_failure(score: float) -> None:
    with predictor(FakeAlphaGenome(faults={text(0): Fault(score=score)})) as scoring:
        scores, failures = scoring.score(variants(2))
    assert failures.to_pylist() == [{"variant_id": ids(variants(1))[0], "reason": "score_not_finite"}]
    assert ids(scores) == ids(variants(2))[1:]


@pytest.mark.parametrize("code", ["UNAUTHENTICATED", "PERMISSION_DENIED", "INTERNAL", "UNIMPLEMENTED", "NOT_FOUND"])
def test_a_failing_provider_is_an_error_that_says_code_variant_server_and_cure(code: str) -> None:
    server = FakeAlphaGenome(always=Fault(grpc.StatusCode[code], "not today"))
    with predictor(server) as scoring:
        error = stopped(scoring, variants(5))
    assert f"{code}: not today" in error.what
    assert error.where is not None
    assert error.where.startswith(f"variant chr1_{FAR}_A_G, server 127.0.0.1:")
    assert error.cure
    assert server.calls == [text(0)]


def test_a_fault_keeps_what_was_scored_and_what_was_in_flight_and_asks_no_more() -> None:
    # Rows 1 and 2 fly together; row 1 fails while row 2 is still on its way.
    faults = {text(1): Fault(grpc.StatusCode.INTERNAL, delay_s=0.2), text(2): Fault(delay_s=0.5)}
    server = FakeAlphaGenome(faults=faults, always=Fault(delay_s=0.05))
    with predictor(server, max_workers=2) as scoring:
        error = stopped(scoring, variants(20))
    assert sorted(server.calls) == [text(i) for i in range(3)]
    assert ids(error.partial.scores) == [ids(variants(3))[0], ids(variants(3))[2]]
    assert error.partial.scores["score"].to_pylist() == [fake_score(text(i), K562) for i in (0, 2)]
    assert error.partial.scores.schema == SCORES
    assert error.partial.failures.num_rows == 0


def test_an_exhausted_quota_is_an_error_after_the_sdk_has_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dna_client, "time", SimpleNamespace(sleep=lambda _: None))  # the SDK's own waits: some 12 s
    server = FakeAlphaGenome(faults={text(1): Fault(grpc.StatusCode.RESOURCE_EXHAUSTED, "tokens per minute")})
    with predictor(server, max_workers=1) as scoring:
        error = stopped(scoring, variants(3))
    assert "tokens per minute" in error.what
    assert "per minute" in (error.cure or "")
    assert ids(error.partial.scores) == ids(variants(1))
    assert server.calls.count(text(1)) == 5


# anndata warns of the track table without rows that the SDK makes of an answer without tracks.
@pytest.mark.filterwarnings("ignore:Transforming to str index:anndata.ImplicitModificationWarning")
@pytest.mark.parametrize("tracks", [(GM12878, HEPG2), (K562, GM12878, K562), ()])
def test_a_server_without_exactly_one_k562_track_is_refused(tracks: tuple[str, ...]) -> None:
    with predictor(FakeAlphaGenome(tracks=tracks)) as scoring:
        error = stopped(scoring, variants(1))
    assert f"{tracks.count(K562)} tracks {K562} among {len(tracks)}" in error.what


@pytest.mark.parametrize("outputs", [0, 2])
def test_another_number_of_score_tables_than_scorers_is_refused(outputs: int) -> None:
    with predictor(FakeAlphaGenome(always=Fault(outputs=outputs))) as scoring:
        error = stopped(scoring, variants(1))
    assert [table.num_rows for table in error.partial] == [0, 0]


def test_a_hung_server_costs_one_deadline_not_for_ever() -> None:
    begun = time.monotonic()
    with predictor(FakeAlphaGenome(faults={text(1): Fault(hangs=True)}), deadline_s=1) as scoring:
        error = stopped(scoring, variants(3))
    assert 1 <= time.monotonic() - begun < 8
    assert "DEADLINE_EXCEEDED" in error.what
    assert ids(variants(1))[0] in ids(error.partial.scores)


# The connection and the key


def test_a_closed_port_is_unreachable_within_the_time_given() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(ProviderError, match=f"unreachable.*{address}"):
            connect(address, KEY, insecure=True, timeout_s=0.5)
    assert time.monotonic() - begun < 5


def test_without_insecure_nothing_is_said_to_a_server_that_has_no_tls() -> None:
    server = FakeAlphaGenome()
    with server as address, pytest.raises(ProviderError, match="no server spoke TLS"):
        connect(address, KEY, timeout_s=0.5)
    assert server.keys == set()


@pytest.mark.parametrize("key", [None, "", " \n"])
def test_no_key_is_an_error_with_two_cures(key: str | None) -> None:
    with pytest.raises(ProviderError, match="no API key") as caught:
        connect("example.org:443", key)
    assert "ALPHAGENOME_API_KEY" in (caught.value.cure or "")
    assert "agdb predict motif" in (caught.value.cure or "")


def test_the_key_reaches_the_server_without_the_line_end_of_its_file() -> None:
    server = FakeAlphaGenome()
    with server as address:
        connection = connect(address, f"{KEY}\n", insecure=True)
        AlphaGenomePredictor(connection, dnase_k562()).score(variants(1))
        connection.close()
    assert server.keys == {KEY}


def test_a_loopback_server_needs_no_key() -> None:
    server = FakeAlphaGenome()
    with server as address:
        connection = connect(address, None, insecure=True)
        assert AlphaGenomePredictor(connection, dnase_k562()).score(variants(1)).scores.num_rows == 1
        connection.close()
    assert server.keys == {None}


def test_a_proxy_is_never_told_what_goes_to_this_computer_in_clear_text(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # nobody listens there: going by it would not arrive
    for name in ("no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    with FakeAlphaGenome() as address:
        connect(address, KEY, insecure=True, timeout_s=5).close()


NOT_LOOPBACK = [
    None,
    "",
    "gdmscience.googleapis.com:443",
    "10.0.0.1:50051",
    "localhost.example.org:50051",
    "127.0.0.1.example.org:50051",
    "ipv4:127.0.0.1:50051,10.0.0.1:50051",
    "dns://10.0.0.1/localhost:50051",
    "localhost:50051/x",
]


@pytest.mark.parametrize("address", NOT_LOOPBACK)
def test_clear_text_is_refused_to_any_other_computer(address: str | None) -> None:
    with pytest.raises(UsageError, match="clear text"):
        connect(address, KEY, insecure=True)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "dns:///localhost"])
def test_clear_text_is_allowed_to_this_computer(host: str) -> None:
    with pytest.raises(ProviderError, match="unreachable"):  # past the refusal; nobody listens on port 1
        connect(f"{host}:1", KEY, insecure=True, timeout_s=0.05)


LEAKS = {
    "the server quotes the key": Fault(grpc.StatusCode.UNAUTHENTICATED, f"unknown key {KEY}"),
    "a refusal quotes the key": Fault(grpc.StatusCode.INVALID_ARGUMENT, f"request with {KEY} is bad"),
    "the front end names the key": Fault(grpc.StatusCode.INVALID_ARGUMENT, f"API key not valid: {KEY}"),
}


@pytest.mark.parametrize("case", LEAKS)
def test_no_error_shows_the_key(case: str) -> None:
    with predictor(FakeAlphaGenome(faults={text(2): LEAKS[case]}, always=LEAKS[case])) as scoring:
        error = stopped(scoring, variants(4))
    assert "[key]" in str(error)
    assert KEY not in everything_shown(error)


def test_no_failure_shows_the_key() -> None:
    with predictor(FakeAlphaGenome(faults={text(1): LEAKS["a refusal quotes the key"]})) as scoring:
        failures = scoring.score(variants(2)).failures
    assert failures["reason"].to_pylist() == ["invalid_argument: request with [key] is bad"]


@pytest.mark.parametrize("key", [f"{KEY}\nX", f"{KEY}é"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ProviderError, match="cannot be sent") as caught:
        connect("127.0.0.1:1", key, insecure=True, timeout_s=0.05)
    assert KEY not in everything_shown(caught.value)


def test_an_unreachable_server_does_not_show_the_key() -> None:
    with pytest.raises(ProviderError) as caught:
        connect("127.0.0.1:1", KEY, insecure=True, timeout_s=0.05)
    assert KEY not in everything_shown(caught.value)


def test_no_repr_shows_the_key() -> None:
    with predictor(FakeAlphaGenome()) as scoring:
        assert "127.0.0.1" in repr(scoring)
        assert KEY not in repr(scoring)
        assert KEY not in repr(scoring.__dict__)


def test_a_key_that_the_server_refuses_is_no_failure_of_a_variant_even_late_in_a_run() -> None:
    expired = Fault(grpc.StatusCode.INVALID_ARGUMENT, "API key expired. Please renew the API key.")
    with predictor(FakeAlphaGenome(faults={text(2): expired}), max_workers=1) as scoring:
        error = stopped(scoring, variants(4))
    assert "ALPHAGENOME_API_KEY" in (error.cure or "")
    assert ids(error.partial.scores) == ids(variants(2))


# The scorer


@pytest.mark.parametrize("window", [2048, 1000, 16_385, 2_097_152])
def test_a_window_that_alphagenome_does_not_read_is_refused_with_those_that_it_does(window: int) -> None:
    with pytest.raises(UsageError) as caught:
        dnase_k562(window)
    assert all(str(allowed) in str(caught.value) for allowed in WINDOWS)
    assert ("very short sequences" in str(caught.value)) == (window == 2048)


def test_the_windows_and_the_default_model_version_are_the_sdks() -> None:
    assert set(WINDOWS) == set(dna_client.SUPPORTED_SEQUENCE_LENGTHS.values())
    assert dnase_k562().model_version in dna_client.ModelVersion.__members__
    assert dnase_k562().window_bp == dna_client.SEQUENCE_LENGTH_1MB


def test_the_window_and_the_model_version_are_part_of_the_scorers_identity() -> None:
    scorers = [*map(dnase_k562, WINDOWS), dnase_k562(model_version="FOLD_0")]
    assert len({scorer.scorer_id for scorer in scorers}) == len(scorers)


def test_another_model_version_than_the_scorers_is_refused() -> None:
    with FakeAlphaGenome() as address:
        connection = connect(address, KEY, insecure=True, model_version="FOLD_1")
        with pytest.raises(UsageError, match="FOLD_1"):
            AlphaGenomePredictor(connection, dnase_k562())
        connection.close()
    with pytest.raises(UsageError, match="FOLD_9") as caught:
        connect("127.0.0.1:1", KEY, insecure=True, model_version="FOLD_9")
    assert "FOLD_0" in (caught.value.cure or "")


def test_importing_the_predictor_does_not_import_the_sdk() -> None:
    heavy = "{'grpc', 'alphagenome', 'pandas', 'anndata'}"
    code = f"import sys, agdb.predictors.alphagenome; print({heavy} & set(sys.modules))"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.strip() == "set()"


def test_the_fake_speaks_the_metadata_call_of_the_sdk() -> None:
    with predictor(FakeAlphaGenome()) as scoring:
        client = scoring._client
        assert isinstance(client, Connection)
        tracks = client._client.output_metadata(dna_client.Organism.HOMO_SAPIENS).dnase  # type: ignore[attr-defined]
    assert list(tracks["ontology_curie"]) == [GM12878, K562, HEPG2]
