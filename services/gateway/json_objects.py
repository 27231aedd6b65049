"""A JSON body as the members of its object: as values, or as their own characters."""

from typing import Final

import msgspec
from msgspec import Raw

from ledger.command_handling.gate import MAX_NESTING, MemberNames, json_problem, nesting_of
from services.gateway.problems import RefusedError
from services.gateway.requests import malformed

MAX_BODY_NESTING: Final = MAX_NESTING + 1
"""The body is a level of its own around metadata as deep as it may be."""

_ANYTHING = msgspec.json.Decoder()
_VERBATIM = msgspec.json.Decoder(dict[str, Raw])


def members_of(body: bytes, names: MemberNames | None = None) -> dict[str, object]:
    """The members of a body. Refuses with 400 what is not a JSON object in UTF-8.

    Also where one of `names` comes twice, or any name, if it is not said which matter.
    """
    if not body:
        raise malformed("a JSON object is expected as the body")
    if not is_utf8(body):
        raise malformed("the body is not UTF-8")
    if nesting_of(body) > MAX_BODY_NESTING:
        raise malformed(f"the body nests deeper than {MAX_BODY_NESTING} levels")
    try:
        value = _ANYTHING.decode(body)
    except msgspec.MsgspecError:
        raise malformed(f"the body {json_problem(body)}") from None
    if not isinstance(value, dict):
        raise malformed("the body is JSON, but not an object")
    name = (names or MemberNames(value)).twice_in(body)
    if name is not None:
        raise twice(name if names else None)
    return value


def twice(name: str | None) -> RefusedError:
    """The 400 for a body of which nobody can say what it asks for, if that is a name of ours."""
    if name is None:
        return malformed("the body has a member twice")
    return malformed("is there twice", param=name)


def characters_of(body: bytes) -> dict[str, Raw]:
    """The members of a body that `members_of` took, each as the characters that it has there."""
    return _VERBATIM.decode(body)


def is_utf8(body: bytes) -> bool:
    """Whether the bytes are text. msgspec alone skips over what a field keeps raw."""
    if body.isascii():
        return True
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True
