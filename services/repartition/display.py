"""Shows a repartition to the person who started it: a bar on a terminal, lines elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

_LINE_EVERY_PERCENT = 10


class Display:
    """Progress towards the end of the log, which may itself move on."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._bar = Progress(
            TextColumn("filling"),
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

    def progress(self, position: int, head: int) -> None:
        """`position` of `head` events are in the new topic."""
        if self._console.is_terminal:
            self._bar.update(self._task, completed=position, total=max(head, 1))
            return
        percent = 100 * position // max(head, 1)
        if percent >= self._next_line_percent:
            self.note(f"filling: {position} of {head} events")
            self._next_line_percent = percent - percent % _LINE_EVERY_PERCENT + _LINE_EVERY_PERCENT

    def note(self, text: str) -> None:
        """Say something on the way."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def failed(self, reason: str) -> None:
        """Say why the old topic is still the one to go by."""
        self.note(f"not repartitioned: {reason}")

    def done(self, topic: str, partitions: int, position: int) -> None:
        """Say what came of it."""
        self.note(f"{topic} has taken over at position {position}, with {partitions} partitions")
        self.note("tell the subscribers; the old topic gets nothing more")
