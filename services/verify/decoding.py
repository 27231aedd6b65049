"""Decodes each event once, though several parts of `verify` read it."""

from functools import lru_cache
from typing import Final

from schemas.events import WalletEvent, decode_event

_REMEMBERED: Final = 8_192
"""Some pages of the log: each is decoded when its wallets are folded, then for its lines."""


@lru_cache(maxsize=_REMEMBERED)
def decode_once(type_name: str, schema_version: int, data: bytes | str) -> WalletEvent:
    """As `decode_event`, but for what was just decoded. Events never change."""
    return decode_event(type_name, schema_version, data)
