"""Shows a rebuild to the person who started it."""

from collections.abc import Sequence

from rich.console import Console

from services.runtime.progress import EventProgress

_SHOWN_DIFFERENCES = 10


class Differences:
    """In how many places the old tables differ, and the first of them in words.

    No more than that: where all is wrong, there are as many as rows.
    """

    def __init__(self) -> None:
        self.count = 0
        self.first: list[str] = []

    def add(self, found: Sequence[str]) -> None:
        """Count what was found, and keep it while there are few."""
        self.count += len(found)
        self.first += found[: _SHOWN_DIFFERENCES - len(self.first)]


class Display(EventProgress):
    """Progress towards an end that may itself move on."""

    def __init__(self, console: Console, name: str) -> None:
        super().__init__(console, f"rebuilding {name}")
        self._name = name

    def failed(self, reason: str) -> None:
        """Say why nothing was changed."""
        self.note(f"not rebuilt: {reason}")

    def done(self, position: int, differences: Differences, *, compared: bool) -> None:
        """Say what came of it."""
        self.note(f"rebuilt {self._name} up to position {position}, and switched to it")
        if not compared:
            self.note("the old one was not compared")
        elif not differences.count:
            self.note("the old one was equal to it")
        else:
            self.note(f"the old one differed in {differences.count} places:")
            for difference in differences.first:
                self.note(f"  {difference}")
