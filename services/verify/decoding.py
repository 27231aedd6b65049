"""Decodes each event once, though several checks read it; and what may be wrong with one."""

from functools import lru_cache
from typing import Final

import msgspec

from projections.interface import ProjectionMismatchError
from schemas.events import UnknownEventError, WalletEvent, decode_event

UNFOLDABLE: Final = (ProjectionMismatchError, UnknownEventError, msgspec.MsgspecError)
"""An event that cannot be read, or that contradicts those before it."""

_REMEMBERED: Final = 8_192
"""Some pages of the log: each is decoded when its wallets are folded, then for its lines."""


@lru_cache(maxsize=_REMEMBERED)
def decode_once(type_name: str, schema_version: int, data: bytes | str) -> WalletEvent:
    """As `decode_event`, but for what was just decoded. Events never change."""
    return decode_event(type_name, schema_version, data)
