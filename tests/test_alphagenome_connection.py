"""Calls to AlphaGenome's servers: what a status means, deadlines, cancelling, several servers, and the hidden key."""

import hashlib
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest
from fakes.faults import CODES, WRONG_KEY, Fault, Plan, fails_first, too_large
from fakes.process import Server
from served import KEY, computed, connected, eventually, everything_shown, expected, once_back, sdk, snv, snvs

from agdb.errors import ProviderError, UsageError
from agdb.predictors.alphagenome import AlphaGenomePredictor
from agdb.predictors.alphagenome_connection import Connection, connect
from agdb.predictors.atlas import AtlasPredictor
from agdb.predictors.contract import Answer, Predictor, TryAgain, VariantFailed

#: A stream of messages, and a call with one message.
PREDICTORS: dict[str, Callable[[Connection], Predictor]] = {
    "model": lambda connection: AlphaGenomePredictor(connection, computed()),
    "atlas": lambda connection: AtlasPredictor(connection, computed(provider="atlas", window_bp=1_048_576)),
}
both = pytest.mark.parametrize("provider", PREDICTORS)

REFUSES_THE_VARIANT = ("INVALID_ARGUMENT", "OUT_OF_RANGE", "NOT_FOUND", "FAILED_PRECONDITION")
REFUSES_US = ("UNAUTHENTICATED", "PERMISSION_DENIED", "UNIMPLEMENTED")
#: No answer before a test would have failed; not none for ever, lest it hang.
HUNG = Plan(latency_ms=10_000)
FOR_NOW = tuple(code for code in CODES if code not in (*REFUSES_THE_VARIANT, *REFUSES_US))


@pytest.fixture(scope="module")
def connection(running: Server) -> Iterator[Connection]:
    with connected(running.address) as opened:
        yield opened


def ready(provider: str, connection: Connection) -> Predictor:
    """A predictor that knows its tracks."""
    predictor = PREDICTORS[provider](connection)
    predictor.tracks()
    return predictor


def answer_of(predictor: Predictor) -> Answer:
    [answer] = predictor.score([snv()])
    assert isinstance(answer, Answer)
    return answer


def failed(provider: str, server: Server, connection: Connection, fault: Fault) -> Exception:
    """What a call ends with that a fault hits."""
    predictor = ready(provider, connection)
    server.set_plan(Plan(faults=(fault,)))
    with pytest.raises((TryAgain, VariantFailed, ProviderError)) as caught:
        predictor.score([snv()])
    return caught.value


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


# --- what a status means ----------------------------------------------------------------------------------------------


@both
@pytest.mark.parametrize("code", REFUSES_THE_VARIANT)
def test_a_refused_argument_is_the_variants_failure_which_the_provider_answers_for(
    server: Server, connection: Connection, provider: str, code: str
) -> None:
    fault = failed(provider, server, connection, Fault(code=code, details="REF differs\n from  the genome"))
    assert isinstance(fault, VariantFailed)
    assert fault.reason == f"{code.lower()}: REF differs from the genome"
    assert fault.blames_provider


@both
@pytest.mark.parametrize("code", FOR_NOW)
def test_a_status_that_may_pass_is_to_be_asked_for_again(
    server: Server, connection: Connection, provider: str, code: str
) -> None:
    fault = failed(provider, server, connection, Fault(code=code, details="not now"))
    assert isinstance(fault, TryAgain)
    assert fault.reason == f"{code.lower()}: not now"
    assert (fault.is_quota, fault.is_down) == (code == "RESOURCE_EXHAUSTED", code == "UNAVAILABLE")


@both
@pytest.mark.parametrize("code", REFUSES_US)
def test_a_status_that_refuses_us_ends_the_run_with_server_and_cure(
    server: Server, connection: Connection, provider: str, code: str
) -> None:
    fault = failed(provider, server, connection, Fault(code=code, details="not you"))
    assert isinstance(fault, ProviderError)
    assert f"{code}: not you" in fault.what
    assert fault.where == f"server {server.address}"
    assert ("address" if code == "UNIMPLEMENTED" else "ALPHAGENOME_API_KEY") in str(fault.cure)


@both
def test_an_exhausted_quota_is_the_quotas(server: Server, connection: Connection, provider: str) -> None:
    predictor = ready(provider, connection)
    server.set_plan(Plan(quota_per_minute=0, atlas_quota_per_minute=0))
    with pytest.raises(TryAgain, match="tokens per minute") as caught:
        predictor.score([snv()])
    assert caught.value.is_quota


@both
def test_an_exhausted_quota_of_an_api_key_is_the_quotas_and_not_a_bad_key(
    server: Server, connection: Connection, provider: str
) -> None:
    details = f"Quota exceeded for quota metric 'Requests' for consumer 'api_key:{KEY}'"
    fault = failed(provider, server, connection, Fault(code="RESOURCE_EXHAUSTED", details=details))
    assert isinstance(fault, TryAgain)
    assert fault.is_quota
    assert KEY not in everything_shown(fault)


@both
def test_an_answer_that_is_too_large_is_not_the_quota(server: Server, connection: Connection, provider: str) -> None:
    fault = failed(provider, server, connection, too_large())
    assert isinstance(fault, VariantFailed)
    assert fault.reason.startswith("message_too_large: Received message larger than max")
    assert fault.blames_provider


@both
@pytest.mark.parametrize("code", ["UNAVAILABLE", "INTERNAL"])
def test_a_stream_that_drops_midway_is_to_be_asked_for_again_and_then_answers(
    server: Server, connection: Connection, provider: str, code: str
) -> None:
    predictor = ready(provider, connection)
    whole = answer_of(predictor)
    server.set_plan(Plan(faults=(Fault("drop", code=code, details="reset", first_attempts=1),)))
    with pytest.raises(TryAgain, match=f"{code.lower()}: reset"):
        predictor.score([snv()])
    assert answer_of(predictor).scores.tolist() == whole.scores.tolist()


def test_a_server_that_dies_amid_a_call_is_down_until_it_is_back() -> None:
    with Server() as server, connected(server.address) as connection:
        predictor = ready("model", connection)
        server.set_plan(Plan(faults=(Fault("die", methods=("ScoreVariant",)),)))
        with pytest.raises(TryAgain) as caught:
            predictor.score([snv()])
        assert caught.value.is_down
        server.wait()
        server.set_plan(Plan())
        server.restart()
        assert once_back(lambda: answer_of(predictor)).scores.shape == (1, 8)


@both
@pytest.mark.parametrize("code", ["UNAVAILABLE", "INTERNAL", "RESOURCE_EXHAUSTED"])
def test_tracks_that_are_not_listed_now_are_to_be_asked_for_again(
    server: Server, connection: Connection, provider: str, code: str
) -> None:
    server.set_plan(Plan(faults=(Fault(code=code, details="no list"),)))
    with pytest.raises(TryAgain, match=f"{code.lower()}: no list"):
        PREDICTORS[provider](connection).tracks()


@both
def test_a_server_that_refuses_to_list_its_tracks_ends_the_run(
    server: Server, connection: Connection, provider: str
) -> None:
    server.set_plan(Plan(faults=(Fault(code="INVALID_ARGUMENT", details="no list"),)))
    with pytest.raises(ProviderError, match="which tracks it has: invalid_argument: no list") as caught:
        PREDICTORS[provider](connection).tracks()
    assert caught.value.where == f"server {server.address}"


@both
def test_a_call_is_made_once_however_it_ends(server: Server, connection: Connection, provider: str) -> None:
    predictor = ready(provider, connection)
    server.set_plan(Plan(faults=(fails_first(2, "UNAVAILABLE"),)))
    server.reset()
    for _ in range(2):
        with pytest.raises(TryAgain):
            predictor.score([snv()])
    answer_of(predictor)
    assert server.stats(variants=True)["calls_by_variant"] == {str(sdk(snv())): 3}


# --- time -------------------------------------------------------------------------------------------------------------


@both
def test_a_hung_call_costs_one_deadline(server: Server, provider: str) -> None:
    with connected(server.address, deadline_s=0.5) as connection:
        predictor = ready(provider, connection)
        server.set_plan(HUNG)
        began = time.monotonic()
        with pytest.raises(TryAgain, match="deadline_exceeded") as caught:
            predictor.score([snv()])
        assert time.monotonic() - began < 5
        assert not caught.value.is_quota


@both
def test_a_server_that_hangs_before_the_first_score_costs_one_deadline(server: Server, provider: str) -> None:
    server.set_plan(HUNG)
    with (
        connected(server.address, deadline_s=0.5) as connection,
        pytest.raises(TryAgain, match="deadline_exceeded"),
    ):  # fmt: skip
        PREDICTORS[provider](connection).tracks()


@both
def test_cancelling_ends_the_calls_in_flight_and_no_later_ones(
    server: Server, connection: Connection, provider: str
) -> None:
    predictor = ready(provider, connection)
    server.set_plan(Plan(faults=(Fault("hang"),)))
    began = time.monotonic()
    with ThreadPoolExecutor(4) as pool:
        calls: list[Future[object]] = [pool.submit(predictor.score, [variant]) for variant in snvs(4)]
        assert eventually(lambda: server.stats()["in_flight"] == 4)
        predictor.cancel()
        for call in calls:
            assert isinstance(call.exception(timeout=5), TryAgain)
    assert time.monotonic() - began < 5
    assert eventually(lambda: server.stats()["in_flight"] == 0)
    server.set_plan(Plan())
    assert answer_of(predictor).scores.shape == (1, 8)


# --- several servers --------------------------------------------------------------------------------------------------


def test_several_servers_share_the_calls_and_give_the_same_answers(server: Server) -> None:
    with Server() as other, connected(server.address, other.address) as connection:
        predictor = PREDICTORS["model"](connection)

        def both_are_asked() -> bool:
            predictor.tracks()
            return all(each.stats()["calls"] for each in (server, other))

        assert eventually(both_are_asked)  # a channel is ready as soon as one of them is
        server.reset()
        other.reset()
        found = tuple(predictor.tracks())
        for variant in snvs(20):
            [answer] = predictor.score([variant])
            assert isinstance(answer, Answer)
            assert answer.scores[0] == expected(variant, found)
        assert sorted(each.stats()["calls"] for each in (server, other)) == [10, 11]


def test_when_one_of_several_servers_is_gone_the_others_answer(server: Server) -> None:
    with Server() as other, connected(server.address, other.address) as connection:
        predictor = ready("model", connection)
        for _ in range(4):
            answer_of(predictor)
        other.kill()
        assert once_back(lambda: answer_of(predictor)).scores.shape == (1, 8)
        assert once_back(lambda: answer_of(predictor)).scores.shape == (1, 8)


@pytest.mark.parametrize("addresses", [("a.example.org:443", "b.example.org:443"), ("10.0.0.1:443", "10.0.0.2:443")])
def test_several_servers_are_refused_with_tls(addresses: tuple[str, str]) -> None:
    with pytest.raises(UsageError, match="several addresses") as caught:
        connect(addresses, KEY)
    assert "one DNS name" in str(caught.value.cure)


# --- where clear text may go ------------------------------------------------------------------------------------------


def test_a_closed_port_is_unreachable_within_the_time_given() -> None:
    address, began = f"127.0.0.1:{free_port()}", time.monotonic()
    with pytest.raises(ProviderError, match=f"unreachable.*{address}"):
        connect([address], KEY, insecure=True, timeout_s=0.5)
    assert time.monotonic() - began < 5


def test_without_insecure_nothing_is_said_to_a_server_that_has_no_tls(server: Server) -> None:
    with pytest.raises(ProviderError, match="no server spoke TLS"):
        connect([server.address], KEY, timeout_s=0.5)
    assert server.stats()["keys_seen"] == []


def test_a_proxy_is_never_told_what_goes_to_this_computer_in_clear_text(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "grpc_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")  # nobody listens there: going by it would not arrive
    for name in ("no_proxy", "no_grpc_proxy"):
        monkeypatch.delenv(name, raising=False)
    with connected(server.address, timeout_s=5):
        pass


NOT_LOOPBACK = [
    (),
    ("",),
    ("127.0.0.1",),
    ("gdmscience.googleapis.com:443",),
    ("10.0.0.1:50051",),
    ("localhost.example.org:50051",),
    ("127.0.0.1.example.org:50051",),
    ("ipv4:127.0.0.1:50051,10.0.0.1:50051",),
    ("dns://10.0.0.1/localhost:50051",),
    ("localhost:50051/x",),
    ("127.0.0.1:50051", "10.0.0.1:50051"),
]


@pytest.mark.parametrize("addresses", NOT_LOOPBACK, ids=str)
def test_clear_text_is_refused_to_any_other_computer(addresses: tuple[str, ...]) -> None:
    with pytest.raises(UsageError, match="clear text"):
        connect(addresses, KEY, insecure=True)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.8.8.8", "[::1]", "dns:///localhost"])
def test_clear_text_is_allowed_to_this_computer(host: str) -> None:
    with pytest.raises(ProviderError, match="unreachable"):  # past the refusal; nobody listens on port 1
        connect([f"{host}:1"], KEY, insecure=True, timeout_s=0.05)


# --- the key ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, "", " \n"])
def test_no_key_is_an_error_with_two_cures(key: str | None) -> None:
    with pytest.raises(ProviderError, match="no API key") as caught:
        connect(["example.org:443"], key)
    assert "ALPHAGENOME_API_KEY" in str(caught.value.cure)
    assert "agdb predict motif" in str(caught.value.cure)


@both
def test_every_call_brings_the_key_without_the_line_end_of_its_file(server: Server, provider: str) -> None:
    server.set_plan(Plan(api_key=KEY))
    with connected(server.address, key=f"{KEY}\n") as connection:
        assert answer_of(ready(provider, connection)).scores.shape == (1, 8)
    assert server.stats()["keys_seen"] == [hashlib.sha256(KEY.encode()).hexdigest()]


@both
def test_a_loopback_server_needs_no_key(server: Server, provider: str) -> None:
    with connected(server.address, key=None) as connection:
        assert answer_of(ready(provider, connection)).scores.shape == (1, 8)
    assert server.stats()["keys_seen"] == []


@both
@pytest.mark.parametrize("code", WRONG_KEY)
def test_a_key_that_is_refused_ends_the_run_at_the_first_call(server: Server, provider: str, code: str) -> None:
    server.set_plan(Plan(api_key="another", api_key_code=code))
    with (
        connected(server.address) as connection,
        pytest.raises(ProviderError, match=f"{code}: {WRONG_KEY[code]}") as caught,
    ):  # fmt: skip
        PREDICTORS[provider](connection).tracks()
    assert "ALPHAGENOME_API_KEY" in str(caught.value.cure)
    assert server.stats()["calls"] == 1


@both
@pytest.mark.parametrize("code", WRONG_KEY)
def test_a_key_that_expires_in_the_middle_is_no_failure_of_a_variant(
    server: Server, connection: Connection, provider: str, code: str
) -> None:
    predictor = ready(provider, connection)
    answer_of(predictor)
    server.set_plan(Plan(api_key="another", api_key_code=code))
    with pytest.raises(ProviderError, match=code):
        predictor.score([snv()])


LEAKS = {
    "the server quotes the key": Fault(code="UNAUTHENTICATED", details=f"unknown key {KEY}"),
    "a refusal quotes the key": Fault(code="INVALID_ARGUMENT", details=f"request with {KEY} is bad"),
    "the front end names the key": Fault(code="INVALID_ARGUMENT", details=f"API key not valid: {KEY}"),
    "a stumble quotes the key": Fault(code="INTERNAL", details=f"in x-goog-api-key={KEY}"),
}


@both
@pytest.mark.parametrize("leak", LEAKS)
def test_no_error_of_a_score_shows_the_key(server: Server, connection: Connection, provider: str, leak: str) -> None:
    shown = everything_shown(failed(provider, server, connection, LEAKS[leak]))
    assert "[key]" in shown
    assert KEY not in shown


@both
@pytest.mark.parametrize("leak", LEAKS)
def test_no_error_of_the_tracks_shows_the_key(server: Server, connection: Connection, provider: str, leak: str) -> None:
    server.set_plan(Plan(faults=(LEAKS[leak],)))
    with pytest.raises((ProviderError, TryAgain)) as caught:
        PREDICTORS[provider](connection).tracks()
    shown = everything_shown(caught.value)
    assert "[key]" in shown
    assert KEY not in shown


@pytest.mark.parametrize("key", [f"{KEY}\nX", f"{KEY}é", f"{KEY}\0"])
def test_a_key_that_cannot_be_sent_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ProviderError, match="cannot be sent") as caught:
        connect(["127.0.0.1:1"], key, insecure=True, timeout_s=0.05)
    assert KEY not in everything_shown(caught.value)


def test_an_unreachable_server_does_not_show_the_key() -> None:
    with pytest.raises(ProviderError) as caught:
        connect(["127.0.0.1:1"], KEY, insecure=True, timeout_s=0.05)
    assert KEY not in everything_shown(caught.value)


@both
def test_no_repr_shows_the_key(server: Server, connection: Connection, provider: str) -> None:
    predictor = ready(provider, connection)
    assert "127.0.0.1" in repr(connection)
    assert KEY not in repr(connection) + repr(predictor) + repr(vars(predictor))
