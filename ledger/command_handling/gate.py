"""The one gate for HTTP and Kafka: what would not survive the log is refused before deciding.

Pure. PostgreSQL's text holds no NUL, JSON readers differ on lone surrogates and on
numbers outside the double range, and deep nesting overflows stacks.
"""

import math
import re
from collections.abc import Iterable

import msgspec
from msgspec import Raw

MAX_NESTING = 32
MAX_METADATA_BYTES = 32 * 1024
"""So that an event with its envelope stays under 64 KiB, whatever else it says."""

_SHORT_BYTES = 512
"""Of JSON this short it is quicker to count names than to take it apart."""

_NUMBER_OR_TEXT = msgspec.json.Decoder()
_PAIR = re.compile(rb"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}")
_HALF = re.compile(rb"\\u[dD][89a-fA-F]")


class _Key(str):
    """A member's name that is equal to no other, so that a `dict` keeps each of them."""

    __slots__ = ()
    __hash__ = object.__hash__
    __eq__ = object.__eq__


_EVERY_MEMBER = msgspec.json.Decoder(dict[_Key, Raw], dec_hook=str.__new__)


class MemberNames:
    """Names that an object may have once: of a name that comes twice, each reader takes another."""

    def __init__(self, names: Iterable[str]) -> None:
        self._names = frozenset(names)
        self._quoted = [f'"{name}"'.encode() for name in sorted(self._names)]

    def twice_in(self, json: bytes) -> str | None:
        """The first that comes twice in an object, which is valid JSON; not deeper in it."""
        if len(json) <= _SHORT_BYTES:
            for name in self._quoted:
                if json.count(name) > 1:
                    break
            else:
                # Only an escape could spell one in another way.
                if b"\\u00" not in json:
                    return None
        seen: set[str] = set()
        for key in map(str, _EVERY_MEMBER.decode(json)):
            if key in seen:
                return key
            if key in self._names:
                seen.add(key)
        return None


def json_problem(json: bytes) -> str | None:
    """What is wrong with JSON text as such, or None. It must not nest too deep."""
    try:
        json.decode()
        _NUMBER_OR_TEXT.decode(json)
    except UnicodeDecodeError:
        return "is not UTF-8"
    except msgspec.ValidationError:
        return "has a number that no double can hold"
    except msgspec.DecodeError:
        if _HALF.search(_PAIR.sub(b"-", json.replace(rb"\\", b"-"))):
            return "is not valid JSON: it has a lone surrogate, which is half a character"
        return "is not valid JSON"
    return None


def text_problem(text: str) -> str | None:
    """What is wrong with a string or a key, or None."""
    if "\x00" in text:
        return "must not contain NUL (U+0000)"
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            return "must not contain lone surrogates"
    return None


def nesting_of(json: bytes) -> int:
    """How deep arrays and objects nest in JSON text, without parsing it."""
    deepest = json.count(b"{") + json.count(b"[")
    if deepest <= MAX_NESTING:
        return deepest
    deepest = depth = 0
    in_text = escaped = False
    for byte in json:
        if in_text:
            if escaped:
                escaped = False
            elif byte == 0x5C:  # backslash
                escaped = True
            elif byte == 0x22:  # quotation mark
                in_text = False
        elif byte == 0x22:
            in_text = True
        elif byte in b"{[":
            depth += 1
            deepest = max(deepest, depth)
        elif byte in b"}]":
            depth -= 1
    return deepest


def metadata_problem(json: bytes) -> str | None:
    """What is wrong with a caller's metadata, which is JSON text, or None."""
    if json == b"null":
        return None
    if len(json) > MAX_METADATA_BYTES:
        return f"must not be larger than {MAX_METADATA_BYTES} bytes"
    if nesting_of(json) > MAX_NESTING:
        return f"must not nest deeper than {MAX_NESTING} levels"
    try:
        value = _NUMBER_OR_TEXT.decode(json)
    except UnicodeDecodeError:
        return "must be valid UTF-8"
    except (msgspec.DecodeError, ValueError):
        return "must be valid JSON, without lone surrogates or numbers out of range"
    if not isinstance(value, dict):
        return "must be an object"
    return _content_problem(value)


def _content_problem(value: object) -> str | None:
    pending = [value]
    while pending:
        match pending.pop():
            case dict() as members:
                pending.extend(members)
                pending.extend(members.values())
            case list() as items:
                pending.extend(items)
            case str() as text:
                if problem := text_problem(text):
                    return problem
            case int() | float() as number if not _is_double(number):
                return "must not contain numbers outside the range of a double"
            case _:  # true, false, null and the numbers that every reader can hold
                pass
    return None


def _is_double(number: float) -> bool:
    try:
        return math.isfinite(float(number))
    except OverflowError:
        return False
