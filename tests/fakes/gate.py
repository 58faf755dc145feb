"""The gate that every call goes through: it counts the call, admits or refuses it, and brings about its fault."""

import hashlib
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from threading import Event, Lock
from typing import Any, NamedTuple, NoReturn, TypeVar

import grpc

from fakes.faults import QUOTA, WRONG_KEY, Fault, Plan, Refusal

MODEL_CALLS = ("PredictSequence", "PredictInterval", "PredictVariant", "ScoreVariant")
ATLAS_CALLS = ("GetDenseVariantScores", "ListDenseVariantScores")
VARIANT_CALLS = ("ScoreVariant", "PredictVariant", "GetDenseVariantScores")

Answer = TypeVar("Answer")


class Turn(NamedTuple):
    """One admitted call.

    Attributes:
        plan: The plan in force when it arrived.
        subject: What it is about: a variant `chr1:100:A>G`, an interval, ...
        attempt: How many times the same has been asked since the plan came into force, this time included.
        fault: What goes wrong with it.
    """

    plan: Plan
    subject: str
    attempt: int
    fault: Fault | None

    @property
    def noise(self) -> float:
        """What is added to its scores."""
        return self.plan.noise_of(self.subject, self.attempt)

    def hit_by(self, kind: str) -> Fault | None:
        """Its fault, if it is of this kind."""
        return self.fault if self.fault and self.fault.kind == kind else None


@dataclass
class _Counts:
    """What has been counted since the start or the last reset."""

    calls: int
    max_in_flight: int
    by_code: Counter[str]
    calls_by_method: Counter[str]
    calls_by_variant: Counter[str]
    keys_seen: set[str]

    @classmethod
    def none(cls) -> "_Counts":
        return cls(0, 0, Counter(), Counter(), Counter(), set())


class Gate:
    """Lets calls through as the plan says. A call is counted before its answer leaves, so that counts are exact.

    Args:
        plan: The plan to begin with.
    """

    def __init__(self, plan: Plan) -> None:
        self._lock = Lock()
        self._born, self._started_at = time.monotonic(), time.time()
        self._counts, self._in_flight, self._admitted = _Counts.none(), 0, 0
        self.set_plan(plan)

    def set_plan(self, plan: Plan) -> None:
        """Put a plan in force: a new minute begins, and attempts are counted anew. The counts of `stats` stay."""
        with self._lock:
            self._plan, self._since = plan, time.monotonic()
            self._attempts: Counter[tuple[str, str]] = Counter()
            self._tokens: Counter[tuple[str, int]] = Counter()

    def reset(self) -> None:
        """Count from nought, attempts included. The minute goes on."""
        with self._lock:
            self._counts = _Counts.none()
            self._attempts.clear()

    def stats(self, *, by_variant: bool = False) -> dict[str, Any]:
        """The counts, JSON-serialisable. Tokens are those of the plan in force, by minute and service."""
        with self._lock:
            counts = self._counts
            stats: dict[str, Any] = {
                "calls": counts.calls,
                "answered": counts.by_code["OK"],
                "by_code": {code: n for code, n in counts.by_code.items() if n},
                "calls_by_method": dict(counts.calls_by_method),
                "in_flight": self._in_flight,
                "max_in_flight": counts.max_in_flight,
                "keys_seen": sorted(counts.keys_seen),
                "started_at": self._started_at,
                "tokens_by_minute": {
                    service: {str(minute): n for (of, minute), n in sorted(self._tokens.items()) if of == service}
                    for service in ("model", "atlas")
                },
            }
            return {**stats, "calls_by_variant": dict(counts.calls_by_variant)} if by_variant else stats

    def unary(self, method: str, subject: str, context: Any, answer: Callable[[Turn], Answer]) -> Answer:
        """Answer a call with one message, or end it with a status."""
        turn, message = self._serve(method, subject, context, answer)
        if dropped := turn.hit_by("drop"):  # one message cannot arrive in part
            _abort(context, dropped.code, dropped.details)
        return message

    def stream(
        self, method: str, subject: str, context: Any, answer: Callable[[Turn], list[Answer]]
    ) -> Iterator[Answer]:
        """Answer a call with several messages; a dropped call gets the first half of them, and then the status."""
        turn, messages = self._serve(method, subject, context, answer)
        if dropped := turn.hit_by("drop"):
            return _broken_off(messages[: -(-len(messages) // 2)], dropped, context)
        return iter(messages)

    def _serve(self, method: str, subject: str, context: Any, answer: Callable[[Turn], Answer]) -> tuple[Turn, Answer]:
        try:
            turn = self._arrive(method, subject, dict(context.invocation_metadata()).get("x-goog-api-key"))
            return turn, self._answered(turn, context, answer)
        except Refusal as refusal:
            _abort(context, refusal.code, refusal.details)

    def _arrive(self, method: str, subject: str, key: str | None) -> Turn:
        """Count a call and admit it, or refuse it; a refused call takes no token and is not an attempt."""
        with self._lock:
            plan, counts = self._plan, self._counts
            counts.calls += 1
            counts.calls_by_method[method] += 1
            if method in VARIANT_CALLS:
                counts.calls_by_variant[subject] += 1
            counts.max_in_flight = max(counts.max_in_flight, self._in_flight + 1)
            if key is not None:
                counts.keys_seen.add(hashlib.sha256(key.encode()).hexdigest())
            try:
                self._admit(plan, method, key)
            except Refusal as refusal:
                counts.by_code[refusal.code] += 1
                raise
            self._in_flight += 1
            self._attempts[method, subject] += 1
            attempt = self._attempts[method, subject]
        return Turn(plan, subject, attempt, plan.fault_of(method, subject, attempt))

    def _admit(self, plan: Plan, method: str, key: str | None) -> None:
        """Refuses a wrong key, too many calls at a time, and calls beyond the quota. Holding the lock."""
        if plan.api_key is not None and key != plan.api_key:
            raise Refusal(plan.api_key_code, WRONG_KEY[plan.api_key_code])
        if plan.max_concurrent is not None and self._in_flight >= plan.max_concurrent:
            raise Refusal(plan.max_concurrent_code, f"more than {plan.max_concurrent} calls at a time")
        if method in MODEL_CALLS:
            service, quota = "model", plan.quota_per_minute
        elif method in ATLAS_CALLS:
            service, quota = "atlas", plan.atlas_quota_per_minute
        else:
            return
        minute = (service, int((time.monotonic() - self._since) // plan.minute_s))
        if quota is not None and self._tokens[minute] >= quota:
            raise Refusal("RESOURCE_EXHAUSTED", QUOTA)
        self._tokens[minute] += 1

    def _answered(self, turn: Turn, context: Any, answer: Callable[[Turn], Answer]) -> Answer:
        code = "UNKNOWN"  # what gRPC makes of an exception
        try:
            self._bring_about(turn, context)
            message = answer(turn)
            dropped = turn.hit_by("drop")
            code = dropped.code if dropped else "OK"
            return message
        except Refusal as refusal:
            code = refusal.code
            raise
        finally:
            with self._lock:
                self._in_flight -= 1
                self._counts.by_code[code] += 1

    def _bring_about(self, turn: Turn, context: Any) -> None:
        """Let a call wait as long as the plan says, and end it if its fault says so."""
        wait_s = turn.plan.wait_s(turn.subject, turn.attempt, time.monotonic() - self._born)
        hangs = turn.hit_by("hang")
        if wait_s or hangs:
            over = Event()
            if not context.add_callback(over.set) or over.wait(None if hangs else wait_s):
                raise Refusal("CANCELLED", "the client gave up")
        if turn.hit_by("die"):
            os._exit(1)
        if status := turn.hit_by("status"):
            raise Refusal(status.code, status.details)


def _broken_off(messages: list[Answer], fault: Fault, context: Any) -> Iterator[Answer]:
    yield from messages
    _abort(context, fault.code, fault.details)


def _abort(context: Any, code: str, details: str) -> NoReturn:
    context.abort(grpc.StatusCode[code], details)
    raise AssertionError("gRPC's abort raises")
