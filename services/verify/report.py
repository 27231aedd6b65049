"""What was checked, and what was found: one `Invariant` a line of the table, or of the JSON."""

from datetime import datetime
from typing import Literal

import msgspec
from msgspec import Struct
from rich.console import Console
from rich.table import Table

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


class VerifyResult(Struct, frozen=True, kw_only=True):
    """What came of one `ledger verify`, for programs."""

    status: Literal["held", "failed"]
    """`held` also where something was not checked."""
    position: int
    """Up to where the log was read."""
    started_at: datetime
    duration_ms: int
    """Of all checks: they are made together, in one way through the log."""
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

    def as_json(self, position: int, started_at: datetime, duration_ms: int) -> str:
        """All of it as one JSON object, a `VerifyResult`."""
        result = VerifyResult(
            status="failed" if self.failures() else "held",
            position=position,
            started_at=started_at,
            duration_ms=duration_ms,
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
        """Print the table, and examples of what did not hold."""
        table = Table(title=f"ledger verify, up to position {position}")
        table.add_column("invariant")
        table.add_column("held", justify="right")
        table.add_column("failed", justify="right")
        table.add_column("")
        for each in self._invariants:
            verdict = "[red]FAILED[/]" if each.failed else "[green]ok[/]"
            if each.skipped is not None:
                verdict = f"[yellow]not checked[/]: {each.skipped}"
            table.add_row(each.name, f"{each.held:,}", f"{each.failed:,}", verdict)
        console.print(table)
        for name, examples in self.failures().items():
            console.print(f"{name}:", markup=False)
            for example in examples:
                console.print(f"  {example}", markup=False, highlight=False)
