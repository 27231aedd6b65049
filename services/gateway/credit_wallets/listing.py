"""Listing: the query parameters and headers that lists, and answers about one wallet, share."""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

from schemas.http.credit_wallets import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE
from services.gateway.answers import JSON, etag, header
from services.gateway.calls import Call, invalid_parameter
from services.gateway.cursors import BrokenCursorError, make_cursor, read_cursor

_ABOVE_ALL: Final = 2**63 - 1
ChoiceT = TypeVar("ChoiceT", bound=str)
EntryT = TypeVar("EntryT")


def one_of(name: str, text: str | None, choices: tuple[ChoiceT, ...]) -> ChoiceT | None:
    """The choice that a parameter names, if it was given."""
    if text is None:
        return None
    for choice in choices:
        if choice == text:
            return choice
    raise invalid_parameter(name, f"must be one of {', '.join(choices)}")


class AskedPage(NamedTuple):
    """One page of a list, as a call asks for it."""

    kind: str
    filters: tuple[str | None, ...]
    limit: int
    after: int | None
    """The entry behind which the page starts; none: it is the first page."""

    @property
    def before(self) -> int:
        """The place below which the page starts, in a list that begins with the newest."""
        return _ABOVE_ALL if self.after is None else self.after

    @property
    def entries_to_read(self) -> int:
        """One more than it may hold: that tells whether there is a next page."""
        return self.limit + 1

    def cut(
        self, entries: Sequence[EntryT], cursor_of: Callable[[EntryT], int]
    ) -> tuple[Sequence[EntryT], str | None]:
        """What the page shows of what was read, and the cursor of the next one, if there is one.

        `cursor_of` is the place of an entry in the list, by which the next page finds it.
        """
        shown = entries[: self.limit]
        if len(shown) == len(entries):
            return shown, None
        return shown, self.cursor_behind(cursor_of(shown[-1]))

    def cursor_behind(self, place: int) -> str:
        """The cursor of what follows a place in the list."""
        return make_cursor(self.kind, self.filters, place)


def asked_page(
    kind: str, filters: tuple[str | None, ...], *, limit: str | None, after: str | None
) -> AskedPage:
    """The page that query parameters ask for. Refuses with 400 `invalid_limit`, `invalid_cursor`.

    `kind` names the list; a cursor of another list, or of other filters, is refused.
    """
    size = _page_size(limit)
    if after is None:
        return AskedPage(kind, filters, size, None)
    try:
        return AskedPage(kind, filters, size, read_cursor(after, kind, filters))
    except BrokenCursorError:
        raise invalid_parameter(
            "after", "must be next_cursor of the page before, with the same filters"
        ) from None


def _page_size(text: str | None) -> int:
    if text is None:
        return DEFAULT_PAGE_SIZE
    # Not `int` alone: it also takes signs, spaces, underscores and other scripts' digits.
    if text.isascii() and text.isdecimal() and len(text) <= 3 and 1 <= int(text) <= MAX_PAGE_SIZE:
        return int(text)
    raise invalid_parameter("limit", f"must be an integer from 1 to {MAX_PAGE_SIZE}")


def lag_header(versions: int, *, eventual: bool) -> bytes:
    """Says by how many versions an answer is behind, to whom has asked for any."""
    return header("Ledger-Lag", str(versions)) if eventual else b""


def reading_headers(call: Call, version: int, behind: int) -> bytes:
    """The headers of an answer that shows a wallet's parts as they were at a version of it."""
    return JSON + etag(version) + lag_header(behind, eventual=call.eventual)
