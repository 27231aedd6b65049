"""Personal data: Structs that hold it and never show it where they are printed or logged."""

from typing import Any

from msgspec import Struct


class Personal(Struct, frozen=True, kw_only=True):
    """A Struct whose `repr` is its name and nothing else.

    Only what prints is covered: whoever encodes it or reads a field has the value.
    """

    def __repr__(self) -> str:
        return f"{type(self).__name__}(…)"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        return []
