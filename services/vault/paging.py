"""Cutting what comes one by one into pages."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")


def in_pages(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of at most `size`, none empty."""
    remaining = iter(items)
    while page := list(islice(remaining, size)):
        yield page
