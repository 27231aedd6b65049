"""Who watches the processor: metrics and alarms hang here, so that this side needs neither."""

from typing import Protocol

from ledger.command_handling.batch import Plan


class ProcessorObserver(Protocol):
    """What the processor tells. Called in its loop, so it must be quick and may not fail."""

    def settled(self, plan: Plan, seconds: float) -> None:
        """A batch was settled in this time."""

    def lost_race(self) -> None:
        """Another writer was ahead; the batch is decided again in turn."""

    def commit_unclear(self) -> None:
        """An append broke off after it was sent; whether it was done is looked up. Alarm."""

    def poisoned(self) -> None:
        """The log refused the content of one command. Alarm."""

    def clock_stepped(self) -> None:
        """The database's clock jumped. Alarm."""

    def diverged(self) -> None:
        """The log is not the one that was seen before. Alarm."""


class _NoObserver:
    def settled(self, plan: Plan, seconds: float) -> None:
        pass

    def lost_race(self) -> None:
        pass

    def commit_unclear(self) -> None:
        pass

    def poisoned(self) -> None:
        pass

    def clock_stepped(self) -> None:
        pass

    def diverged(self) -> None:
        pass


NO_OBSERVER: ProcessorObserver = _NoObserver()
