"""What is shown on a terminal: text that others wrote, and tables at whole width."""

from typing import Final

from rich.console import Console

_ANY_WIDTH: Final = 10_000
"""In columns. A file or another program has no right edge at which a value could be cut off."""


def printable(text: str) -> str:
    """The text without what a terminal would obey, or would show in another order."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def output() -> Console:
    """Standard output, as wide as the terminal that it is, or as wide as anything needs."""
    console = Console()
    return console if console.is_terminal else Console(width=_ANY_WIDTH)
