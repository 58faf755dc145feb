"""Whose fault a failed call is: its variant's, or the provider's.

It is the provider's, unless something was answered that was sent later. Where nothing else is there to be answered, or
too many variants fail in a row, one that was answered before is asked again, the control: what fails while others are
answered is at fault itself, and while they are not, nothing is held against any variant.
"""

import math
import random
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agdb.errors import ProviderError
from agdb.predictors.contract import Answer, TryAgain, Variant, VariantFailed

#: Failed calls that are held against a variant before it is given up, at least; more where calls fail by chance.
TRIES = 4
#: As many times as many where the quota refuses it: some servers that are short of memory say that of a variant.
QUOTA_TRIES = 3
#: Variants that fail in a row before the provider is in doubt.
SUSPICIOUS = 5
#: How probable it may be that a variant is given up by chance, at the rate at which calls fail.
CHANCE = 1e-6
#: That rate is of the calls that so many answered variants took, and of so many besides that did not fail; at most so.
RECENT, PRIOR, MOST = 200, 50, 0.9


class Outcome(NamedTuple):
    """What became of a variant: an answer, or the reason why there is none, after so many calls."""

    variant: Variant
    answer: Answer | None
    reason: str | None
    attempts: int


@dataclass(order=True)
class Task:
    """Variants that are asked for in one call.

    Attributes:
        due: When.
        variants: They.
        is_control: Whether it is asked to see whether the provider is well, and for nothing else.
        is_part: Whether they are some of those of a call that failed as often as it may.
        attempts, failures: Calls, and those of them that failed, whosever fault it was.
        blamed: Failures that are held against it.
        fault: The last failure.
        doubtful_at: When that call was sent, while nobody knows whose fault it was.
        n_doubtful: Such failures in a row.
    """

    due: float
    variants: Sequence[Variant]
    is_control: bool = field(default=False, compare=False)
    is_part: bool = field(default=False, compare=False)
    attempts: int = field(default=0, compare=False)
    failures: int = field(default=0, compare=False)
    blamed: int = field(default=0, compare=False)
    fault: TryAgain | None = field(default=None, compare=False)
    doubtful_at: float | None = field(default=None, compare=False)
    n_doubtful: int = field(default=0, compare=False)

    def failed(self, fault: TryAgain, sent_at: float) -> None:
        """The call failed that was sent then."""
        self.failures, self.fault = self.failures + 1, fault
        self.doubtful_at = None if fault.is_lost else sent_at
        self.n_doubtful += not fault.is_lost


class Doubt:
    """What speaks for the provider, and what against it. Who uses it sees to it that one thread at a time does.

    Attributes:
        control: A variant that was answered.
        answered_at: When something was answered last; None before.
        n_refused: Variants that the provider refused, though nothing seems to be wrong with them.
    """

    def __init__(self, control: Variant | None, patience_s: float) -> None:
        self.control, self._bound, self._patience_s = control, SUSPICIOUS, patience_s
        self._began_at = time.monotonic()
        self._control_failures = 0
        self.answered_at: float | None = None
        self._well_at = -math.inf  # when the last call was sent that was answered
        self._failed: dict[Variant, float] = {}  # and was sent since, at this time
        self._took: deque[int] = deque(maxlen=RECENT)
        self._suspects: list[tuple[float, Outcome]] = []  # what was refused, in calls that were sent then
        self.n_refused = 0

    def is_grave(self, *, is_last: bool = False) -> bool:
        """Whether so many variants failed in a row, or are the last, that nothing but the control is asked."""
        return self.control is not None and len(self._failed) >= (SUSPICIOUS if is_last else self._bound)

    @property
    def has_suspects(self) -> bool:
        """Whether there are refusals of which nobody knows whose fault they are."""
        return bool(self._suspects)

    def is_proven(self, sent_at: float) -> bool:
        """Whether something was answered that was sent later than this."""
        return sent_at < self._well_at

    def failed(self, variant: Variant, sent_at: float, *, is_down: bool = False) -> None:
        """A variant failed, in whichever way."""
        self._failed[variant] = sent_at
        if is_down:  # each such call is a pause
            self._bound = SUSPICIOUS

    def refused(self, task: Task, variant: Variant, refusal: VariantFailed, sent_at: float) -> None:
        """The provider refused a variant in a call that was sent then: it is a suspect."""
        self._suspects.append((sent_at, Outcome(variant, None, refusal.reason, task.attempts)))
        if not refusal.is_likely:
            self.n_refused += 1
            self.failed(variant, sent_at)

    def settled(self, *, is_last: bool) -> list[Outcome]:
        """The suspects that were at fault: something was answered since; or they are few, and the last."""
        is_believed = is_last and len(self._failed) < SUSPICIOUS
        found = [o for at, o in self._suspects if is_believed or self.is_proven(at)]
        if found:
            self._suspects = [] if is_believed else [s for s in self._suspects if not self.is_proven(s[0])]
        return found

    def answered(self, task: Task, variant: Variant, sent_at: float) -> bool:
        """A variant was answered in a call that was sent then. Whether that proves anything new."""
        is_first, before = self.answered_at is None, len(self._failed)
        self.control, self.answered_at, self._well_at = variant, time.monotonic(), max(self._well_at, sent_at)
        self._failed = {v: at for v, at in self._failed.items() if not self.is_proven(at)}
        self._control_failures = 0
        if not task.is_control:
            self._took.append(1 + task.failures)
            self._bound = SUSPICIOUS
        elif before >= self._bound:  # they are many, and it is well: the control is asked ever more rarely
            self._bound *= 2
        return is_first or len(self._failed) < before

    def is_at_fault(self, task: Task) -> bool:
        """Whether enough of its failures are held against it; the last one is, once anything was answered since."""
        if task.doubtful_at is not None and self.is_proven(task.doubtful_at):
            task.blamed, task.doubtful_at, task.n_doubtful = task.blamed + 1, None, 0
        return task.fault is not None and task.blamed >= self._needed(task)

    def needs_control(self, task: Task) -> bool:
        """Whether the control is asked before it: one more failure would say as little of the task as the last ones."""
        if self.control is None or self.is_at_fault(task) or task.doubtful_at is None or task.fault is None:
            return False
        return task.blamed > 0 or task.n_doubtful >= (TRIES if task.fault.is_quota else 2)  # most failures pass

    def lose_trust(self, task: Task, refusal: VariantFailed) -> None:
        """The provider refused a variant.

        Raises:
            ProviderError: it has refused everything, or the control for too long.
        """
        if self.answered_at is None and (task.is_control or (self.control is None and self.n_refused >= SUSPICIOUS)):
            raise ProviderError(
                f"the first {self.n_refused} variants were all refused: {refusal.reason}", where=str(task.variants[0]),
                cure="check the address, the key, the assembly (GRCh38) and the chromosome names (chr1, not 1)",
            )  # fmt: skip
        if task.is_control:
            self.lose_patience(task, refusal.reason, is_nonsense=True, is_hopeless=False)

    def lose_patience(self, task: Task, reason: str, *, is_nonsense: bool, is_hopeless: bool) -> None:
        """A call failed.

        Args:
            task: What it was for.
            reason: Why.
            is_nonsense: Whether the provider is there, and has enough of nobody: it just fails.
            is_hopeless: Whether all that can be tried has failed often enough.

        Raises:
            ProviderError: nothing was answered for too long; or ever, and that will not change.
        """
        self._control_failures += task.is_control
        is_hopeless |= self._control_failures >= 2 * TRIES
        since_s = time.monotonic() - max(self.answered_at or 0.0, self._began_at)
        if since_s > self._patience_s or (self.answered_at is None and is_nonsense and is_hopeless):
            raise ProviderError(
                f"nothing was answered for {since_s:.3g} s: {reason}", where=str(task.variants[0]),
                cure="run the same command again when the provider is back: what is scored is kept",
            )  # fmt: skip

    def delay_s(self, task: Task, retry_s: float) -> float:
        """Seconds until a failed task is due; `retry_s` for the first time."""
        assert task.fault is not None
        if self.is_at_fault(task) or (task.fault.is_quota and not task.blamed):
            return 0.0
        is_nearly = task.blamed + 1 >= self._needed(task)  # nothing but a word for the provider is missing
        n = 0 if task.fault.is_quota or is_nearly else min(5, task.failures - 1)
        return retry_s * min(30.0, 2.0**n) * random.uniform(1, 1.5)

    def _needed(self, task: Task) -> int:
        """Failures that are held against it before it is given up: so many that chance does not explain them."""
        if task.is_part:
            return 1
        calls = sum(self._took)
        rate = min(MOST, (calls - len(self._took)) / (calls + PRIOR))
        tries = max(TRIES, math.ceil(math.log(CHANCE) / math.log(rate))) if rate else TRIES
        return tries * (QUOTA_TRIES if task.fault is not None and task.fault.is_quota else 1)
