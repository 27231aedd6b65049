"""Shows how far a long command is: a bar on a terminal, lines elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINE_EVERY_PERCENT = 10


class EventProgress:
    """Progress through events towards an end that may itself move on."""

    def __init__(self, console: Console, doing: str) -> None:
        self._console = console
        self._doing = doing
        self._bar = Progress(
            TextColumn(escape(doing)),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("events"),
            TimeRemainingColumn(),
            console=console,
        )
        self._task = self._bar.add_task("", total=None)
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
        """`position` of `end` events are done."""
        if self._console.is_terminal:
            self._bar.update(self._task, completed=position, total=max(end, 1))
            return
        percent = 100 * position // max(end, 1)
        if percent >= self._next_line_percent:
            self.note(f"{self._doing}: {position} of {end} events")
            self._next_line_percent = percent - percent % _LINE_EVERY_PERCENT + _LINE_EVERY_PERCENT

    def note(self, text: str) -> None:
        """Say something on the way, word for word."""
        self._console.print(text, markup=False, emoji=False, highlight=False, soft_wrap=True)
