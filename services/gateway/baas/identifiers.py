"""Identifiers as this dialect spells them: the same 128 bits, as a UUID. Pure."""

import re
from typing import Final

from schemas.identifiers import hex_of, wallet_id

NO_WALLET: Final = wallet_id("0" * 32)
"""Stands for a wallet that the tenant does not have: no wallet has this id."""
NO_OTHER_WALLET: Final = wallet_id("0" * 31 + "1")
"""The same for a second one."""

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII | re.IGNORECASE)


def uuid_of(identifier: str) -> str:
    """A prefixed id as a UUID."""
    digits = hex_of(identifier)
    return "-".join(
        (digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]),
    )


def canonical_uuid(text: str) -> str | None:
    """A UUID in lower case, however its letters were written; None if it is not spelled as one."""
    return text.lower() if _UUID.fullmatch(text) else None


def wallet_of(uuid: str) -> str:
    """The wallet id of a UUID in lower case."""
    return wallet_id(uuid.replace("-", ""))
