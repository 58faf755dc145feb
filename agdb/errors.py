"""What can go wrong, said once: what, where, and the cure; and the exit codes of the command line."""

from enum import IntEnum


class ExitCode(IntEnum):
    """Exit codes of every agdb command."""

    OK = 0
    REFUSED = 1  # the data, or a check on them, said no
    USAGE = 2  # the command was asked for something that does not exist
    PROVIDER = 3  # whoever computes the predictions failed
    BUSY = 4  # another process holds the database
    INTERRUPTED = 130


class AgdbError(Exception):
    """An error for the user: one sentence of what, where it was found, and what to do about it."""

    exit_code = ExitCode.REFUSED

    def __init__(self, what: str, *, where: str | None = None, cure: str | None = None) -> None:
        self.what, self.where, self.cure = what, where, cure
        super().__init__(what)

    def __str__(self) -> str:
        lines = [self.what]
        if self.where:
            lines.append(f"  where: {self.where}")
        if self.cure:
            lines.append(f"  cure:  {self.cure}")
        return "\n".join(lines)


class Refused(AgdbError):
    """The input is not what it has to be. Nothing of it was kept."""


class UsageError(AgdbError):
    """The command names something that does not exist, or combines options that do not go together."""

    exit_code = ExitCode.USAGE


class ProviderError(AgdbError):
    """A predictor could not compute: no key, no server, no answer. agdb never substitutes a made-up score."""

    exit_code = ExitCode.PROVIDER


class DatabaseBusy(AgdbError):
    """Another process holds the database file."""

    exit_code = ExitCode.BUSY
