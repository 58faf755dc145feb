"""The way to an AlphaGenome server: a channel with TLS and a deadline, and the one object that knows the API key."""

from collections.abc import Sequence
from ipaddress import ip_address
from typing import Any, Protocol

from agdb.errors import ProviderError, UsageError

GOOGLE = "dns:///gdmscience.googleapis.com:443"  # where `dna_client.create` goes by default
DEFAULT_MODEL_VERSION = "ALL_FOLDS"  # what the SDK says an unset model version means (dna_model.ModelVersion)
CHECK_KEY = "check the key in ALPHAGENOME_API_KEY: is it whole, still valid, and allowed to use AlphaGenome?"


class Client(Protocol):
    """What is asked of a model: `score_variant`, as the SDK's `DnaModel` has it. A local model object will do."""

    def score_variant(self, interval: Any, variant: Any, variant_scorers: Any, /) -> Sequence[Any]:
        """One `AnnData` a scorer: `X` (1, tracks), track metadata in `var`, maybe `layers['quantiles']`."""
        ...


class Connection:
    """The SDK's `DnaClient` over an open channel. It knows the key, and keeps it out of everything that it shows."""

    def __init__(self, channel: Any, address: str, *, key: str | None, model_version: str | None) -> None:
        from alphagenome.models.v1 import dna_client

        self.address = address
        self.model_version = model_version or DEFAULT_MODEL_VERSION
        self._channel, self._key = channel, key
        self._client: Client = dna_client.DnaClient(
            channel=channel,
            model_version=dna_client.ModelVersion[model_version] if model_version else None,
            metadata=[("x-goog-api-key", key)] if key else [],
        )

    def __repr__(self) -> str:
        return f"Connection({self.address!r}, model_version={self.model_version!r})"

    def score_variant(self, interval: Any, variant: Any, variant_scorers: Any, /) -> Sequence[Any]:
        """As `DnaClient.score_variant`: the SDK itself retries RESOURCE_EXHAUSTED and UNAVAILABLE for some 12 s."""
        return self._client.score_variant(interval, variant, variant_scorers)

    def scrub(self, text: str) -> str:
        """`text` without the key: a server may well quote it back."""
        return text.replace(self._key, "[key]") if self._key else text

    def close(self) -> None:
        """Close the channel."""
        self._channel.close()


def connect(
    address: str | None,
    key: str | None,
    *,
    insecure: bool = False,
    timeout_s: float = 20,
    deadline_s: float = 300,
    model_version: str | None = None,
) -> Connection:
    """Open a channel to AlphaGenome and wait until it is ready. No call is made, so a wrong key does not show yet.

    Args:
        address: `host:port` of a server; None for Google's.
        key: API key, sent as metadata `x-goog-api-key`. May be None only with `insecure`.
        insecure: Clear text instead of TLS: only to this computer (localhost, 127.0.0.0/8, ::1).
        timeout_s: Seconds to wait for the channel.
        deadline_s: Seconds that one call may take; the SDK itself sets no limit, and would wait for ever.
        model_version: Name of an SDK `ModelVersion`; None leaves it to the server, which the SDK says is `ALL_FOLDS`.

    Raises:
        UsageError: `insecure` to another computer, or an unknown model version.
        ProviderError: no key, a key that cannot be sent, or no server answered in time.
    """
    if insecure and not (address and _is_loopback(address)):
        raise UsageError(
            f"insecure is refused for {address or GOOGLE}: an API key must not travel in clear text",
            cure="leave insecure out, or give a loopback address such as localhost:50051",
        )
    key = _checked_key(key, required=not insecure)
    from alphagenome.models.v1.dna_client import ModelVersion

    if model_version is not None and model_version not in ModelVersion.__members__:
        names = ", ".join(ModelVersion.__members__)
        raise UsageError(f"AlphaGenome has no model version {model_version!r}", cure=f"take one of {names}")
    address = address or GOOGLE
    channel = _open_channel(address, insecure=insecure, timeout_s=timeout_s)
    return Connection(_with_deadline(channel, deadline_s), address, key=key, model_version=model_version)


def _checked_key(key: str | None, *, required: bool) -> str | None:
    key = (key or "").strip()  # `$(cat file)` and copying from a web page leave spaces and line ends
    if not key and required:
        raise ProviderError(
            "no API key for AlphaGenome",
            cure="export ALPHAGENOME_API_KEY=...; or `agdb predict motif`, which needs none",
        )
    if not (key.isascii() and key.isprintable()):  # gRPC would refuse it in an error that quotes it
        raise ProviderError("the API key holds characters that cannot be sent", cure=CHECK_KEY)
    return key or None


def _is_loopback(address: str) -> bool:
    host, _, port = address.removeprefix("dns:///").rpartition(":")
    if not port.isdecimal():
        return False
    try:
        return host == "localhost" or ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:  # another name, or one of gRPC's lists of addresses
        return False


def _open_channel(address: str, *, insecure: bool, timeout_s: float) -> Any:
    import grpc

    options = [("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1)]
    if insecure:
        # gRPC heeds http_proxy even for localhost, and a proxy would read the key.
        channel = grpc.insecure_channel(address, options=[*options, ("grpc.enable_http_proxy", 0)])
    else:
        channel = grpc.secure_channel(address, grpc.ssl_channel_credentials(), options=options)
    try:
        grpc.channel_ready_future(channel).result(timeout=timeout_s)
    except grpc.FutureTimeoutError:
        channel.close()
    else:
        return channel
    speaks = "clear text" if insecure else "TLS"
    raise ProviderError(
        f"AlphaGenome is unreachable: no server spoke {speaks} at {address} within {timeout_s:g} s",
        cure="check the network, the proxy and the address",
    )


def _with_deadline(channel: Any, deadline_s: float) -> Any:
    """The channel with a time limit on every call; a service config's own timeout fires seconds too early."""
    import grpc

    class Deadline(grpc.StreamStreamClientInterceptor):  # type: ignore[misc]  # grpc comes without types
        def intercept_stream_stream(self, continuation: Any, details: Any, requests: Any) -> Any:
            return continuation(details._replace(timeout=deadline_s), requests)

    return grpc.intercept_channel(channel, Deadline())
