"""What was checked, and what was found: one `Invariant` a line of the table, or of the JSON."""

from collections import defaultdict
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

from services.runtime.terminal import printable

Form = Literal["text", "json"]
Status = Literal["held", "failed", "not_checked"]

_EXAMPLES = 5


class CheckResult(Struct, frozen=True, kw_only=True):
    """What came of one invariant, for programs."""

    name: str
    status: Status
    held: int
    failed: int
    examples: list[str]
    """Some of where it did not hold."""
    reason: str | None
    """Why it was not checked, or not to its end."""


class Totals(Struct, frozen=True, kw_only=True):
    """How many checks came to what. Each is counted once."""

    held: int
    empty: int
    """They held, as there was nothing to check."""
    not_checked: int
    failed: int


class VerifyResult(Struct, frozen=True, kw_only=True):
    """What came of one `ledger verify`, for programs."""

    status: Literal["held", "failed"]
    """`held` also where something was not checked."""
    position: int
    """Up to where the log was read."""
    started_at: datetime
    duration_ms: int
    """Of all checks: they are made together, in one way through the log."""
    totals: Totals
    checks: list[CheckResult]


class Invariant:
    """Something that must hold, how often it did, and some of where it did not."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.held = 0
        self.failed = 0
        self.examples: list[str] = []
        self.skipped: str | None = None
        """Why it was not checked, if it was not."""

    @property
    def status(self) -> Status:
        """What came of it."""
        if self.failed:
            return "failed"
        return "held" if self.skipped is None else "not_checked"

    @property
    def is_empty(self) -> bool:
        """Whether it was checked, and there was nothing that it is about."""
        return self.status == "held" and not self.held

    def hold(self, count: int = 1) -> None:
        """It held that often."""
        self.held += count

    def fail(self, example: str) -> None:
        """It did not hold here."""
        self.failed += 1
        if len(self.examples) < _EXAMPLES:
            self.examples.append(example)

    def check(self, holds: bool, example: str) -> bool:
        """Count one case; the answer is `holds`."""
        if holds:
            self.held += 1
        else:
            self.fail(example)
        return holds


class Report:
    """Every invariant, in the order in which they were met."""

    def __init__(self) -> None:
        self._invariants: list[Invariant] = []

    def invariant(self, name: str) -> Invariant:
        """A new line."""
        invariant = Invariant(name)
        self._invariants.append(invariant)
        return invariant

    def failures(self) -> dict[str, list[str]]:
        """What did not hold, with examples."""
        return {each.name: each.examples for each in self._invariants if each.failed}

    def totals(self) -> Totals:
        """How many came to what."""
        statuses = [each.status for each in self._invariants]
        empty = sum(each.is_empty for each in self._invariants)
        return Totals(
            held=statuses.count("held") - empty,
            empty=empty,
            not_checked=statuses.count("not_checked"),
            failed=statuses.count("failed"),
        )

    def as_json(self, position: int, started_at: datetime, duration_ms: int) -> str:
        """All of it as one JSON object, a `VerifyResult`."""
        result = VerifyResult(
            status="failed" if self.failures() else "held",
            position=position,
            started_at=started_at,
            duration_ms=duration_ms,
            totals=self.totals(),
            checks=[
                CheckResult(
                    name=each.name,
                    status=each.status,
                    held=each.held,
                    failed=each.failed,
                    examples=each.examples,
                    reason=each.skipped,
                )
                for each in self._invariants
            ],
        )
        return msgspec.json.encode(result).decode()

    def show(self, console: Console, position: int) -> None:
        """Print the table, examples of what did not hold, and what it comes to."""
        table = Table(title=f"ledger verify, up to position {position}")
        table.add_column("invariant", overflow="fold")
        table.add_column("held", justify="right", overflow="fold")
        table.add_column("failed", justify="right", overflow="fold")
        table.add_column("")
        for each in self._invariants:
            table.add_row(each.name, f"{each.held:,}", f"{each.failed:,}", _verdict(each))
        console.print(table)
        for reason, names in self._skipped().items():
            _say(console, f"not checked, {reason}: {'; '.join(names)}")
        for name, examples in self.failures().items():
            _say(console, f"{name}:")
            for example in examples:
                _say(console, f"  {printable(example)}")
        totals = self.totals()
        not_checked = f", {totals.not_checked} not checked" if totals.not_checked else ""
        _say(
            console,
            f"{len(self._invariants)} invariants: {totals.held} held, "
            f"{totals.empty} had nothing to check{not_checked}, {totals.failed} failed",
        )

    def _skipped(self) -> dict[str, list[str]]:
        """By the reason, what was not checked, or not to its end."""
        names = defaultdict(list)
        for each in self._invariants:
            if each.skipped is not None:
                names[each.skipped].append(each.name)
        return names


def _verdict(invariant: Invariant) -> str:
    if invariant.failed:
        return "[red]FAILED[/]"
    if invariant.skipped is not None:
        return "[yellow]not checked[/]"
    return "-" if invariant.is_empty else "[green]ok[/]"


def _say(console: Console, line: str) -> None:
    """Without a word changed: an example may hold what rich takes for markup or an emoji."""
    console.out(line, highlight=False)
