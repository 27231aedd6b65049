"""Paging in this dialect: a number and a size, under either of two names."""

import re
from typing import NamedTuple

from schemas.http.baas_wallets import DEFAULT_PAGE, DEFAULT_PAGE_LIMIT, MAX_PAGE_LIMIT
from services.gateway.calls import Call, invalid_parameter

MAX_PAGE = 1_000_000_000
"""So that what a page skips is a number that the database takes."""

_INTEGER = re.compile(r"[0-9]{1,10}", re.ASCII)


class Page(NamedTuple):
    """Which part of a list is asked for."""

    number: int
    limit: int

    @property
    def offset(self) -> int:
        """How many entries come before it."""
        return (self.number - 1) * self.limit


def page_asked(call: Call) -> Page:
    """The page of a call's query. Refuses with 400 `invalid_parameter`, `invalid_limit`."""
    page, limit, page_number, page_size = call.list_query(
        "page", "limit", "page_number", "page_size"
    )
    return page_of(page=page, limit=limit, page_number=page_number, page_size=page_size)


def page_of(
    *,
    page: str | None = None,
    limit: str | None = None,
    page_number: str | None = None,
    page_size: str | None = None,
) -> Page:
    """The page that query parameters ask for. Both names of one thing must say the same."""
    number = _integer({"page": page, "page_number": page_number}, MAX_PAGE)
    size = _integer({"limit": limit, "page_size": page_size}, MAX_PAGE_LIMIT)
    return Page(
        DEFAULT_PAGE if number is None else number,
        DEFAULT_PAGE_LIMIT if size is None else size,
    )


def _integer(texts: dict[str, str | None], most: int) -> int | None:
    """The one number that stands under these names; None if none is given."""
    found: int | None = None
    for name, text in texts.items():
        if text is None:
            continue
        if not _INTEGER.fullmatch(text) or not 1 <= int(text) <= most:
            raise invalid_parameter(name, f"must be an integer from 1 to {most}")
        if found not in {None, int(text)}:
            others = " and ".join(texts)
            raise invalid_parameter(name, f"contradicts: {others} mean the same")
        found = int(text)
    return found
