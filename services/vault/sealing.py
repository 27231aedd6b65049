"""Sealing: AES-256-GCM under a customer's data key, bound to whose it is and what for. Pure.

A sealed content is one byte of version, the nonce, ciphertext and tag. The context is not in
it: whoever unseals must know it, so that nothing sealed can be moved to another customer or
field. Each use has a key of its own, derived from the data key by HKDF-SHA256.
"""

import hashlib
import hmac
from typing import NoReturn

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from services.vault.errors import SealBrokenError

KEY_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16

_VERSION = b"\x01"
_FIELDS = b"ledger vault: fields, 1"
_FINGERPRINTS = b"ledger vault: fingerprints, 1"


class DataKey:
    """A customer's key, in memory. It shows itself nowhere and cannot be pickled."""

    __slots__ = ("_secret",)

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            message = f"a data key has {KEY_BYTES} bytes, not {len(secret)}"
            raise ValueError(message)
        self._secret = secret

    def __repr__(self) -> str:
        return "<DataKey>"

    def __reduce__(self) -> NoReturn:
        message = "a data key is not written anywhere"
        raise TypeError(message)

    def derive(self, purpose: bytes, salt: bytes | None = None) -> bytes:
        """The 32 bytes of the key for one purpose; another purpose or salt gives another."""
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=purpose).derive(
            self._secret
        )

    def expose(self) -> bytes:
        """The key itself, for who wraps it and nobody else."""
        return self._secret


def seal(key: DataKey, nonce: bytes, plaintext: bytes, context: bytes) -> bytes:
    """Seal a content. `nonce` is 12 random bytes that are used once."""
    return lock(key.derive(_FIELDS), nonce, plaintext, context)


def unseal(key: DataKey, sealed: bytes, context: bytes) -> bytes:
    """What was sealed. Raises `SealBrokenError` unless key and context are the same."""
    return unlock(key.derive(_FIELDS), sealed, context)


def fingerprint(key: DataKey, content: bytes) -> bytes:
    """32 bytes that tell a content from another, and nothing else to who lacks the key."""
    return hmac.digest(key.derive(_FINGERPRINTS), content, hashlib.sha256)


def lock(secret: bytes, nonce: bytes, plaintext: bytes, context: bytes) -> bytes:
    """Version, nonce and AES-256-GCM of a plaintext under 32 bytes of key."""
    if len(nonce) != NONCE_BYTES:
        message = f"a nonce has {NONCE_BYTES} bytes, not {len(nonce)}"
        raise ValueError(message)
    return _VERSION + nonce + AESGCM(secret).encrypt(nonce, plaintext, _VERSION + context)


def unlock(secret: bytes, locked: bytes, context: bytes) -> bytes:
    """The plaintext of `lock`. Raises `SealBrokenError`."""
    begin = len(_VERSION)
    if len(locked) < begin + NONCE_BYTES + TAG_BYTES or locked[:begin] != _VERSION:
        message = "what is sealed is too short, or of a version that this release does not know"
        raise SealBrokenError(message)
    nonce, ciphertext = locked[begin : begin + NONCE_BYTES], locked[begin + NONCE_BYTES :]
    try:
        return AESGCM(secret).decrypt(nonce, ciphertext, _VERSION + context)
    except InvalidTag as error:
        message = "what is sealed was changed or moved, or its key is another"
        raise SealBrokenError(message) from error
