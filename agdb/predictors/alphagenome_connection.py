"""The way to AlphaGenome's servers: a channel, its calls with a deadline, and the one object that knows the API key.

`grpc` and the SDK's messages are imported inside functions: they take over two seconds, and `agdb --help` is not
to wait for them.
"""

import os
import re
import threading
from collections.abc import Callable, Iterator, Sequence
from ipaddress import ip_address
from typing import Any, NoReturn

from agdb.errors import ProviderError, UsageError
from agdb.predictors.contract import TryAgain, VariantFailed

GOOGLE = "dns:///gdmscience.googleapis.com:443"  # where `dna_client.create` and `atlas.create` go by default
CHECK_KEY = "check the key in ALPHAGENOME_API_KEY: is it whole, still valid, and allowed to use AlphaGenome?"

# Google's front ends answer a wrong key with INVALID_ARGUMENT "API key not valid", which no variant can be blamed for.
_NAMES_THE_KEY = re.compile(r"api[ _-]?key", re.IGNORECASE)
# What a client says of an answer beyond its limit, under the same code as the quota.
_TOO_LARGE = re.compile(r"larger than max", re.IGNORECASE)
#: Codes by which a server refuses the argument, that is, the variant.
_REFUSES_THE_VARIANT = ("INVALID_ARGUMENT", "OUT_OF_RANGE", "NOT_FOUND", "FAILED_PRECONDITION")
_REFUSES_US = {"UNAUTHENTICATED": CHECK_KEY, "PERMISSION_DENIED": CHECK_KEY,
               "UNIMPLEMENTED": "this server does not answer such calls: check the address"}  # fmt: skip


class Connection:
    """A channel and the key, which is kept out of everything that is shown. Made by `connect`."""

    def __init__(self, channel: Any, address: str, *, key: str | None, deadline_s: float) -> None:
        self.channel, self.address = channel, address
        self._key, self._deadline_s = key, deadline_s
        self._in_flight: set[Any] = set()
        self._lock = threading.Lock()

    def __repr__(self) -> str:
        return f"Connection({self.address!r})"

    def stream(self, method: Callable[..., Any], request: Any) -> Iterator[Any]:
        """The messages of a streaming call; `method` is one of a stub on `channel`.

        Raises:
            TryAgain, VariantFailed, ProviderError: as `raise_for` says.
        """
        import grpc

        metadata = [("x-goog-api-key", self._key)] if self._key else []
        call = method(request, timeout=self._deadline_s, metadata=metadata)
        with self._lock:
            self._in_flight.add(call)
        try:
            yield from call
        except grpc.RpcError as error:
            fault = error
        else:
            return
        finally:
            with self._lock:
                self._in_flight.discard(call)
        self.raise_for(fault.code().name, fault.details())

    def unary(self, method: Callable[..., Any], request: Any, metadata: Sequence[tuple[str, str]] = ()) -> Any:
        """The answer of a call with one message. Raises as `stream` does."""
        import grpc

        key = [("x-goog-api-key", self._key)] if self._key else []
        call = method.future(request, timeout=self._deadline_s, metadata=[*key, *metadata])  # type: ignore[attr-defined]
        with self._lock:
            self._in_flight.add(call)
        try:
            return call.result()
        except grpc.FutureCancelledError:
            raise TryAgain("cancelled") from None
        except grpc.RpcError as error:
            fault = error
        finally:
            with self._lock:
                self._in_flight.discard(call)
        return self.raise_for(fault.code().name, fault.details())

    def raise_for(self, code: str, details: str | None) -> NoReturn:
        """Raise what a status means. Raised anew, it carries no cause that may quote the key.

        Raises:
            TryAgain: the quota is exhausted, the server cannot be reached, or it stumbled.
            VariantFailed: it refuses the variant.
            ProviderError: it refuses us.
        """
        text = " ".join(self.scrub(details or "no details").split())
        if code in _REFUSES_US or (code in _REFUSES_THE_VARIANT and _NAMES_THE_KEY.search(text)):
            raise ProviderError(f"AlphaGenome refuses to answer: {code}: {text}", where=f"server {self.address}",
                                cure=_REFUSES_US.get(code, CHECK_KEY))  # fmt: skip
        if code == "RESOURCE_EXHAUSTED" and _TOO_LARGE.search(text):
            raise VariantFailed(f"message_too_large: {text}", blames_provider=True)
        if code in _REFUSES_THE_VARIANT:
            raise VariantFailed(f"{code.lower()}: {text}", blames_provider=True)
        raise TryAgain(f"{code.lower()}: {text}", is_quota=code == "RESOURCE_EXHAUSTED", is_down=code == "UNAVAILABLE")

    def scrub(self, text: str) -> str:
        """`text` without the key: a server may well quote it back."""
        return text.replace(self._key, "[key]") if self._key else text

    def cancel(self) -> None:
        """End the calls in flight."""
        with self._lock:
            calls = list(self._in_flight)
        for call in calls:
            call.cancel()

    def close(self) -> None:
        """Close the channel."""
        self.channel.close()


def connect(
    addresses: Sequence[str],
    key: str | None,
    *,
    insecure: bool = False,
    timeout_s: float = 20,
    deadline_s: float = 300,
) -> Connection:
    """Open a channel and wait until it is ready. No call is made, so a wrong key does not show yet.

    Args:
        addresses: `host:port` of servers; none for Google's. Calls go to several in turn (gRPC's round_robin), past
            those that do not answer.
        key: API key, sent as metadata `x-goog-api-key`. May be None only with `insecure`.
        insecure: Clear text instead of TLS: only to this computer (localhost, 127.0.0.0/8, ::1).
        timeout_s: Seconds to wait for the channel.
        deadline_s: Seconds that one call may take; the SDK itself sets no limit, and would wait for ever.

    Raises:
        UsageError: `insecure` to another computer, or several addresses that cannot be one channel.
        ProviderError: no key, a key that cannot be sent, or no server answered in time.
    """
    shown = ", ".join(addresses) or GOOGLE
    if insecure and not (addresses and all(map(_is_loopback, addresses))):
        raise UsageError(
            f"insecure is refused for {shown}: an API key must not travel in clear text",
            cure="leave insecure out, or give a loopback address such as localhost:50051",
        )
    key = _checked_key(key, required=not insecure)
    return Connection(_channel(addresses, shown, insecure, timeout_s), shown, key=key, deadline_s=deadline_s)


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


def _target(addresses: Sequence[str], insecure: bool) -> str:
    """What gRPC calls the servers: its scheme `ipv4:` takes several addresses, and numbers only."""
    if len(addresses) < 2:
        return addresses[0] if addresses else GOOGLE
    numbers = [address.replace("localhost", "127.0.0.1") for address in addresses]
    if not insecure or not all(re.fullmatch(r"[\d.]+:\d+", number) for number in numbers):
        raise UsageError(
            "several addresses are taken with --insecure only, as IPv4 numbers: TLS proves one name",
            cure="give one DNS name that stands for all of the servers: calls go to each in turn",
        )
    return "ipv4:" + ",".join(numbers)


def _channel(addresses: Sequence[str], shown: str, insecure: bool, timeout_s: float) -> Any:
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # gRPC's own talk of lost connections is not for users
    import grpc

    target = _target(addresses, insecure)
    options = [
        ("grpc.max_send_message_length", -1),
        ("grpc.max_receive_message_length", -1),
        ("grpc.service_config", '{"loadBalancingConfig": [{"round_robin": {}}]}'),
        ("grpc.enable_retries", 0),  # agdb counts its calls, and makes them again itself
    ]
    if insecure:
        # gRPC heeds http_proxy even for localhost, and a proxy would read the key.
        channel = grpc.insecure_channel(target, options=[*options, ("grpc.enable_http_proxy", 0)])
    else:
        channel = grpc.secure_channel(target, grpc.ssl_channel_credentials(), options=options)
    try:
        grpc.channel_ready_future(channel).result(timeout=timeout_s)
    except grpc.FutureTimeoutError:
        channel.close()
        speaks = "clear text" if insecure else "TLS"
        raise ProviderError(
            f"AlphaGenome is unreachable: no server spoke {speaks} at {shown} within {timeout_s:g} s",
            cure="check the network, the proxy and the address",
        ) from None
    except BaseException:  # interrupted
        channel.close()
        raise
    return channel
