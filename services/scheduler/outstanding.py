"""What was published and is still due, as far as the read model shows. Pure.

While the read model is behind, the soonest of what is due are those that were just
published; so what is asked for is always more than these.
"""

from collections.abc import Iterable, Sequence

from services.scheduler.commands import DueCommand

PAGE = 1000
MOST_OUTSTANDING = 5000
"""Where so much is under way the rest waits, so that it does not stand before other commands."""


class Outstanding:
    """The ids of what is under way; never more than `MOST_OUTSTANDING`."""

    def __init__(self) -> None:
        self._ids: set[str] = set()

    def __len__(self) -> int:
        return len(self._ids)

    def limit(self) -> int:
        """How many of the soonest to ask for next."""
        return min(len(self._ids) + PAGE, MOST_OUTSTANDING)

    def news(self, due: Sequence[DueCommand]) -> list[DueCommand]:
        """What of this answer is not under way yet. What it has no more is forgotten.

        Forgotten too soon, because much else has become due before it, it is only
        published once more.
        """
        by_id = {command.command_id: command for command in due}
        self._ids &= by_id.keys()
        return [command for name, command in by_id.items() if name not in self._ids]

    def add(self, published: Iterable[DueCommand]) -> None:
        """These are under way."""
        self._ids.update(command.command_id for command in published)
        assert len(self._ids) <= MOST_OUTSTANDING, "no more is published than was asked for"
