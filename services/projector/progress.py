"""Shows a rebuild to the person who started it: a bar on a terminal, lines elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_SHOWN_DIFFERENCES = 10
_LINE_EVERY_PERCENT = 10


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

    def done(self, position: int, differences: list[str], *, compared: bool) -> None:
        """Say what came of it."""
        self.note(f"rebuilt {self._name} up to position {position}, and switched to it")
        if not compared:
            self.note("the old one was not compared")
        elif not differences:
            self.note("the old one was equal to it")
        else:
            self.note(f"the old one differed in {len(differences)} places:")
            for difference in differences[:_SHOWN_DIFFERENCES]:
                self.note(f"  {difference}")
