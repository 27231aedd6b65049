"""Text that others wrote, as it may be shown on a terminal."""


def printable(text: str) -> str:
    """The text without what a terminal would obey, or would show in another order."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
