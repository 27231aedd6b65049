"""The blind index: one person is found again by a value that nobody stored. Pure.

An HMAC-SHA256 under a key of its own. Whoever has that key can try all eleven-digit numbers,
so it stays with those who compute indexes, and is in no database.
"""

import hashlib
import hmac

from services.vault.customer import unambiguous

INDEX_KEY_BYTES = 32


class BlindIndex:
    """Indexes under one key. The same value gives another index in another tenant."""

    __slots__ = ("_key",)

    def __init__(self, key: bytes) -> None:
        if len(key) != INDEX_KEY_BYTES:
            message = f"an index key has {INDEX_KEY_BYTES} bytes, not {len(key)}"
            raise ValueError(message)
        self._key = key

    def __repr__(self) -> str:
        return "<BlindIndex>"

    def index(self, tenant_id: str, purpose: str, value: str) -> bytes:
        """32 bytes for a value as it is spelled; bring it into one spelling before."""
        return hmac.digest(self._key, unambiguous(tenant_id, purpose, value), hashlib.sha256)
