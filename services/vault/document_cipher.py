"""Sealing a stream of any length in pieces of 64 KiB, so that it is never whole in memory. Pure.

The STREAM construction: a key of the document's own (HKDF from the data key, salted), and the
number of each piece, and whether it is the last, in its nonce. A piece that is changed, left
out, put elsewhere or taken from another document is found, and so is an end that is missing.

A sealed document is one byte of version, 32 bytes of salt, then the pieces, each with its tag.
"""

from collections.abc import Iterator

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.vault.errors import SealBrokenError
from services.vault.sealing import TAG_BYTES, DataKey

PIECE_BYTES = 64 * 1024
SALT_BYTES = 32
HEADER_BYTES = 1 + SALT_BYTES

_VERSION = b"\x01"
_DOCUMENTS = b"ledger vault: documents, 1"
_SEALED_BYTES = PIECE_BYTES + TAG_BYTES


class DocumentSealer:
    """Seals one document. `salt` is 32 random bytes that are used once."""

    def __init__(self, key: DataKey, salt: bytes, context: bytes) -> None:
        if len(salt) != SALT_BYTES:
            message = f"a salt has {SALT_BYTES} bytes, not {len(salt)}"
            raise ValueError(message)
        self.header = _VERSION + salt
        self._pieces = _Pieces(key, self.header, context)
        self._waiting = bytearray()

    def feed(self, content: bytes) -> Iterator[bytes]:
        """Sealed pieces that are full by now. What is fed last is kept until `finish`."""
        self._waiting += content
        while len(self._waiting) > PIECE_BYTES:
            yield self._pieces.seal(_cut(self._waiting, PIECE_BYTES), last=False)

    def finish(self) -> bytes:
        """The last piece, which is there also if the document is empty."""
        return self._pieces.seal(bytes(self._waiting), last=True)


class DocumentOpener:
    """Opens one document. What it gives is whole only once `finish` has come back."""

    def __init__(self, key: DataKey, header: bytes, context: bytes) -> None:
        """Raise `SealBrokenError` for a header that this release does not know."""
        if len(header) != HEADER_BYTES or header[:1] != _VERSION:
            message = "a sealed document is cut, or of a version that this release does not know"
            raise SealBrokenError(message)
        self._pieces = _Pieces(key, header, context)
        self._waiting = bytearray()

    def feed(self, sealed: bytes) -> Iterator[bytes]:
        """Contents of pieces that are whole by now. Raises `SealBrokenError`."""
        self._waiting += sealed
        while len(self._waiting) > _SEALED_BYTES:
            yield self._pieces.unseal(_cut(self._waiting, _SEALED_BYTES), last=False)

    def finish(self) -> bytes:
        """The last piece's content. Raises `SealBrokenError`, also where the end is missing."""
        return self._pieces.unseal(bytes(self._waiting), last=True)


class _Pieces:
    """The pieces of one document, in order."""

    def __init__(self, key: DataKey, header: bytes, context: bytes) -> None:
        self._cipher = AESGCM(key.derive(_DOCUMENTS, salt=header[1:]))
        self._bound = header + context
        self._number = 0

    def seal(self, content: bytes, *, last: bool) -> bytes:
        return self._cipher.encrypt(self._nonce(last=last), content, self._bound)

    def unseal(self, sealed: bytes, *, last: bool) -> bytes:
        try:
            return self._cipher.decrypt(self._nonce(last=last), sealed, self._bound)
        except InvalidTag as error:
            message = f"piece {self._number} of a document was changed, cut or moved"
            raise SealBrokenError(message) from error

    def _nonce(self, *, last: bool) -> bytes:
        self._number += 1
        return self._number.to_bytes(11, "big") + (b"\x01" if last else b"\x00")


def _cut(waiting: bytearray, count: int) -> bytes:
    piece = bytes(waiting[:count])
    del waiting[:count]
    return piece
