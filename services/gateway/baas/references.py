"""References: made where the client names none, and read from a path. Pure."""

from typing import Final
from urllib.parse import unquote_to_bytes

from ledger.command_handling.gate import text_problem
from services.gateway.fields import MAX_NAME_CHARACTERS

REFERENCE_RANDOM_BYTES: Final = 8


def made_reference(unix_seconds: int, randomness: bytes) -> str:
    """`TXN-<unix seconds>-<16 hexadecimal digits>`, of eight random bytes."""
    assert len(randomness) == REFERENCE_RANDOM_BYTES, "too few or too many random bytes"
    return f"TXN-{unix_seconds}-{randomness.hex()}"


def reference_of(segment: str) -> str | None:
    """The reference that a segment of a path spells; None if it is malformed.

    Malformed is what no call could have had as its reference, through neither API: nothing,
    over 255 characters, broken escapes or UTF-8, NUL.
    """
    try:
        # What of a path is not UTF-8 comes from the server as lone surrogates.
        octets = unquote_to_bytes(segment.encode())
        reference = octets.decode()
    except UnicodeError:
        return None
    # A percent sign of the reference's own comes as %25; any other one begins an escape.
    if octets.count(b"%") != segment.count("%25"):
        return None
    if not 1 <= len(reference) <= MAX_NAME_CHARACTERS or text_problem(reference):
        return None
    return reference
