"""What was checked, and what was found: one `Invariant` a line of the table."""

from rich.console import Console
from rich.table import Table

_EXAMPLES = 5


class Invariant:
    """Something that must hold, how often it did, and some of where it did not."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.held = 0
        self.failed = 0
        self.examples: list[str] = []
        self.skipped: str | None = None
        """Why it was not checked, if it was not."""

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
