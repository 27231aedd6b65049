"""Cursors: where the next page of a list starts, opaque to the client.

A cursor names the list, its filters and the last entry given out, so one that was made
for another list or other filters is refused instead of showing a wrong page.
"""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import blake2s

import msgspec

MAX_CURSOR_CHARACTERS = 128

_SPELLING = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_LARGEST_ENTRY = 2**63 - 1


class BrokenCursorError(Exception):
    """A cursor that this list, with these filters, did not give out."""


class _Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    kind: str
    filters: str
    after: int


_DECODER = msgspec.json.Decoder(_Cursor)
_ENCODER = msgspec.json.Encoder()


def make_cursor(kind: str, filters: tuple[str | None, ...], after: int) -> str:
    """The cursor behind the entry `after` (a position or a version) of a list."""
    content = _Cursor(kind, _digest(filters), after)
    return urlsafe_b64encode(_ENCODER.encode(content)).rstrip(b"=").decode("ascii")


def read_cursor(text: str, kind: str, filters: tuple[str | None, ...]) -> int:
    """The entry after which the page starts. Raises `BrokenCursorError`."""
    if len(text) > MAX_CURSOR_CHARACTERS or not _SPELLING.fullmatch(text):
        raise BrokenCursorError
    try:
        cursor = _DECODER.decode(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, msgspec.DecodeError) as error:
        raise BrokenCursorError from error
    if not 0 < cursor.after <= _LARGEST_ENTRY:
        raise BrokenCursorError
    # Comparing with the one spelling that was given out leaves no other way to write it.
    if text != make_cursor(kind, filters, cursor.after):
        raise BrokenCursorError
    return cursor.after


def _digest(filters: tuple[str | None, ...]) -> str:
    return blake2s(_ENCODER.encode(filters), digest_size=8).hexdigest()
