"""Shows a rebuild to the person who started it: a bar on a terminal, lines elsewhere."""

from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_SHOWN_DIFFERENCES = 10
_LINE_EVERY_PERCENT = 10


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


class Display:
    """Progress towards an end that may itself move on."""

    def __init__(self, console: Console, name: str) -> None:
        self._console = console
        self._name = name
        self._bar = Progress(
            TextColumn("rebuilding {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("events"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task(name, total=None)
        self._next_line_percent = 0

    def __enter__(self) -> Self:
        if self._console.is_terminal:
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._console.is_terminal:
            self._bar.stop()

    def progress(self, position: int, end: int) -> None:
        """`position` of `end` events are folded."""
        if self._console.is_terminal:
            self._bar.update(self._task, completed=position, total=max(end, 1))
            return
        percent = 100 * position // max(end, 1)
        if percent >= self._next_line_percent:
            self._console.print(f"rebuilding {self._name}: {position} of {end} events")
            self._next_line_percent = percent - percent % _LINE_EVERY_PERCENT + _LINE_EVERY_PERCENT

    def note(self, text: str) -> None:
        """Say something on the way."""
        self._console.print(text, markup=False)

    def failed(self, reason: str) -> None:
        """Say why nothing was changed."""
        self._console.print(f"not rebuilt: {reason}", markup=False)

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
