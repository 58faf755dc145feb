"""What goes wrong, and when: a plan of faults, as a value that is written as JSON and changed while the server runs.

Chance has no clock and no state: whether a fault hits is a hash of the seed, of the fault's place in the plan, of the
variant and of the number of the attempt at it. So the same plan gives the same faults whatever the order of calls, and
a test can ask `Plan.fault_of` beforehand which variants will fail.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any

#: status: the call ends with a status. hang: no answer until the client gives up. drop: some bytes, then the status.
#: die: the server's process ends at once. outputs: another number of outputs. shape: one value too few for the tracks.
#: nan: NaN in place of every value.
KINDS = ("status", "hang", "drop", "die", "outputs", "shape", "nan")

CODES = (
    *("CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED", "NOT_FOUND", "ALREADY_EXISTS"),
    *("PERMISSION_DENIED", "RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE", "UNIMPLEMENTED"),
    *("INTERNAL", "UNAVAILABLE", "DATA_LOSS", "UNAUTHENTICATED"),
)

QUOTA = (
    "Quota exceeded for quota metric 'AlphaGenome Prediction Tokens' "
    "and limit 'AlphaGenome predictions tokens per minute'"
)
TOO_LARGE = "Received message larger than max (20005185 vs 4194304)"  # what a client says of an answer over its limit
WRONG_KEY = {
    "UNAUTHENTICATED": "Request had invalid authentication credentials.",
    "PERMISSION_DENIED": "Method doesn't allow unregistered callers.",
    "INVALID_ARGUMENT": "API key not valid. Please pass a valid API key.",
}


class Refusal(Exception):
    """A call ends with this status instead of an answer."""

    def __init__(self, code: str, details: str) -> None:
        super().__init__(f"{code}: {details}")
        self.code, self.details = code, details


@dataclass(frozen=True)
class Fault:
    """One thing that goes wrong. It hits a call if everything below holds of it.

    Attributes:
        kind: One of `KINDS`.
        code: The status, of kinds `status` and `drop`.
        details: Its text.
        methods: Only these calls (`ScoreVariant`, `GetDenseVariantScores`, ...); empty: all.
        variants: Only these variants (`chr1:100:A>G`); empty: all.
        share: Only this share of the variants, in [0, 1], always the same ones.
        probability: Of a hit, in [0, 1], drawn anew for each attempt at a variant.
        first_attempts: Only the first so many attempts at each variant; None: all.
        outputs: How many outputs are sent, of kind `outputs`.
    """

    kind: str = "status"
    code: str = "UNAVAILABLE"
    details: str = "injected"
    methods: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    share: float = 1.0
    probability: float = 1.0
    first_attempts: int | None = None
    outputs: int = 0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no fault is of kind {self.kind!r}; there are {', '.join(KINDS)}")
        if self.code not in CODES:
            raise ValueError(f"{self.code!r} is no status code; there are {', '.join(CODES)}")
        if not (0 <= self.share <= 1 and 0 <= self.probability <= 1):
            raise ValueError("share and probability lie in [0, 1]")

    @cached_property
    def named(self) -> frozenset[str]:
        """`variants`, to look up in."""
        return frozenset(self.variants)


@dataclass(frozen=True)
class Plan:
    """How the server behaves. Times are in milliseconds or seconds, as named.

    Attributes:
        seed: Of all chance in the plan.
        latency_ms: How long each call takes, beyond computing.
        jitter_ms: Each call takes up to so much longer, by chance.
        slow_start_s: For so long after the start of the server,
        slow_start_ms: calls take so much longer.
        quota_per_minute: Calls of the model that are admitted in a minute, one token each; None: any number.
        atlas_quota_per_minute: Calls of the Atlas that are admitted in a minute.
        minute_s: How long a "minute" is. Minutes are counted from when the plan was put in force.
        max_concurrent: Calls that are admitted at a time; None: any number.
        max_concurrent_code: Status of the calls beyond.
        api_key: The key that every call has to bring (metadata `x-goog-api-key`); None: none is asked for.
        api_key_code: Status of a wrong or missing key: one of `WRONG_KEY`.
        noise: Replicates differ: each score is off by up to so much, by chance.
        quantiles: Whether recommended scorers have quantiles.
        atlas_factor: The Atlas' scores are the model's times this, so that the two can be told apart.
        chunk_bytes: Tensors are sent in chunks of so many bytes; 0: in one piece.
        faults: The first that hits a call is what happens to it.
    """

    seed: int = 0
    latency_ms: float = 0
    jitter_ms: float = 0
    slow_start_s: float = 0
    slow_start_ms: float = 0
    quota_per_minute: int | None = None
    atlas_quota_per_minute: int | None = None
    minute_s: float = 60
    max_concurrent: int | None = None
    max_concurrent_code: str = "RESOURCE_EXHAUSTED"
    api_key: str | None = None
    api_key_code: str = "UNAUTHENTICATED"
    noise: float = 0
    quantiles: bool = True
    atlas_factor: float = 1.01
    chunk_bytes: int = 0
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        if self.max_concurrent_code not in CODES:
            raise ValueError(f"{self.max_concurrent_code!r} is no status code")
        if self.api_key_code not in WRONG_KEY:
            raise ValueError(f"a wrong key is refused with {', '.join(WRONG_KEY)}, not with {self.api_key_code}")
        if self.minute_s <= 0:
            raise ValueError("a minute is longer than nothing")

    def fault_of(self, method: str, subject: str, attempt: int = 1) -> Fault | None:
        """What goes wrong with an attempt, counted from 1, at a variant `chr1:100:A>G`; None: nothing."""
        for place, fault in enumerate(self.faults):
            if fault.methods and method not in fault.methods:
                continue
            if fault.variants and subject not in fault.named:
                continue
            if fault.first_attempts is not None and attempt > fault.first_attempts:
                continue
            if fault.share < 1 and self._drawn("share", place, subject) >= fault.share:
                continue
            if fault.probability < 1 and self._drawn("attempt", place, subject, attempt) >= fault.probability:
                continue
            return fault
        return None

    def noise_of(self, subject: str, attempt: int) -> float:
        """What is added to the scores of an attempt at a variant: uniform in [-noise, noise]."""
        return self.noise * (2 * self._drawn("noise", subject, attempt) - 1) if self.noise else 0.0

    def wait_s(self, subject: str, attempt: int, age_s: float) -> float:
        """Seconds that an attempt takes on a server that started `age_s` seconds ago."""
        jitter = self.jitter_ms * self._drawn("jitter", subject, attempt) if self.jitter_ms else 0.0
        slow = self.slow_start_ms if age_s < self.slow_start_s else 0.0
        return (self.latency_ms + jitter + slow) / 1000

    def to_json(self) -> str:
        """The plan as JSON, which `from_json` reads."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str | bytes) -> "Plan":
        """A plan from JSON: an object with any of the fields.

        Raises:
            ValueError: It is no JSON, or no plan.
        """
        given = _of_fields(cls, json.loads(text))
        faults = given.pop("faults", ())
        return cls(faults=tuple(_fault(fault) for fault in faults), **given)

    def _drawn(self, *what: object) -> float:
        """Uniform in [0, 1), by a hash."""
        digest = hashlib.blake2b("|".join(map(str, (self.seed, *what))).encode(), digest_size=8).digest()
        return (int.from_bytes(digest, "big") >> 11) / 2.0**53


def poisoned(share: float, code: str = "INVALID_ARGUMENT", details: str = "the variant is refused") -> Fault:
    """A share of the variants is refused, always the same ones."""
    return Fault(code=code, details=details, share=share)


def flaky(probability: float, code: str = "UNAVAILABLE", kind: str = "status") -> Fault:
    """Each attempt fails with a probability."""
    return Fault(kind=kind, code=code, details="flaky", probability=probability)


def fails_first(attempts: int, code: str = "UNAVAILABLE") -> Fault:
    """The first so many attempts at each variant fail; then it is answered."""
    return Fault(code=code, details="not yet", first_attempts=attempts)


def too_large() -> Fault:
    """Every answer is larger than the client takes: not the quota, though the code is the quota's."""
    return Fault(code="RESOURCE_EXHAUSTED", details=TOO_LARGE)


def _of_fields(of: type[Plan] | type[Fault], given: object) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise ValueError(f"a {of.__name__} is an object, not {given!r}")
    if unknown := set(given) - {field.name for field in fields(of)}:
        raise ValueError(f"a {of.__name__} has no {', '.join(sorted(unknown))}")
    return dict(given)


def _fault(given: object) -> Fault:
    read = _of_fields(Fault, given)
    methods, variants = tuple(read.pop("methods", ())), tuple(read.pop("variants", ()))
    return Fault(methods=methods, variants=variants, **read)
