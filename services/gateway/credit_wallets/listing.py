"""Listing: the query parameters and headers that lists, and answers about one wallet, share."""

from typing import TypeVar

from schemas.http.credit_wallets import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from services.gateway.answers import JSON, etag, header
from services.gateway.calls import Call, invalid_parameter
from services.gateway.cursors import BrokenCursorError, read_cursor

ChoiceT = TypeVar("ChoiceT", bound=str)


def one_of(name: str, text: str | None, choices: tuple[ChoiceT, ...]) -> ChoiceT | None:
    """The choice that a parameter names, if it was given."""
    if text is None:
        return None
    for choice in choices:
        if choice == text:
            return choice
    raise invalid_parameter(name, f"must be one of {', '.join(choices)}")


def page_size(text: str | None) -> int:
    """How many entries the page may hold."""
    if text is None:
        return DEFAULT_PAGE_SIZE
    # Not `int` alone: it also takes signs, spaces, underscores and other scripts' digits.
    if text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= MAX_PAGE_SIZE:
        return int(text)
    raise invalid_parameter("limit", f"must be an integer from 1 to {MAX_PAGE_SIZE}")


def cursor_entry(text: str | None, kind: str, filters: tuple[str | None, ...]) -> int | None:
    """The entry behind which the page starts; none: it is the first page."""
    if text is None:
        return None
    try:
        return read_cursor(text, kind, filters)
    except BrokenCursorError:
        raise invalid_parameter(
            "after", "must be next_cursor of the page before, with the same filters"
        ) from None


def lag_header(versions: int, *, eventual: bool) -> bytes:
    """Says by how many versions an answer is behind, to whom has asked for any."""
    return header("Ledger-Lag", str(versions)) if eventual else b""


def reading_headers(call: Call, version: int, behind: int) -> bytes:
    """The headers of an answer that shows a wallet's parts as they were at a version of it."""
    return JSON + etag(version) + lag_header(behind, eventual=call.eventual)
