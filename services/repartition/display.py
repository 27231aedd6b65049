"""Shows a repartition to the person who started it."""

from rich.console import Console

from services.runtime.progress import EventProgress


class Display(EventProgress):
    """Progress towards the end of the log, which may itself move on."""

    def __init__(self, console: Console) -> None:
        super().__init__(console, "filling")

    def failed(self, reason: str) -> None:
        """Say why the old topic is still the one to go by."""
        self.note(f"not repartitioned: {reason}")

    def done(self, topic: str, partitions: int, position: int) -> None:
        """Say what came of it."""
        self.note(f"{topic} has taken over at position {position}, with {partitions} partitions")
        self.note("tell the subscribers; the old topic gets nothing more")
