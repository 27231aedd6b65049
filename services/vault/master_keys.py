"""Master keys: what wraps the customers' data keys. The port where a KMS goes, and a file.

A file has lines of `<id> <base64 of 32 bytes>`; the last one is the active key. Empty lines
and lines that begin with `#` say nothing.
"""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from services.vault.customer import unambiguous
from services.vault.errors import KeyFileError, MasterKeyUnknownError, RotationError
from services.vault.key_files import decode_key, encode_key, read_private, write_private
from services.vault.sealing import KEY_BYTES, NONCE_BYTES, DataKey, lock, unlock

_ID = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)
_WRAPPING = "ledger vault: wrapped key, 1"


class WrappedKey:
    """A data key as it is stored. It is not shown: a log would keep it past its erasure."""

    # No Struct: an encoder would write one out whole, wherever it met it.
    __slots__ = ("master_key_id", "wrapped")

    def __init__(self, *, master_key_id: str, wrapped: bytes) -> None:
        self.master_key_id = master_key_id
        self.wrapped = wrapped

    def __repr__(self) -> str:
        return f"<WrappedKey by {self.master_key_id}>"


class MasterKeys(Protocol):
    """Who wraps and unwraps. A KMS is remote, so every call may wait, and many come at once.

    `context` is bound to the wrapped key, as a KMS's encryption context is. Every call raises
    `MasterKeysUnavailableError` where it cannot be reached.
    """

    async def active_id(self) -> str:
        """The id of the key that new data keys are to be wrapped by."""

    async def wrap(self, key: DataKey, context: bytes, master_key_id: str) -> WrappedKey:
        """Wrap by that master key. Raises `MasterKeyUnknownError`."""

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> DataKey:
        """The data key. Raises `MasterKeyUnknownError`, `SealBrokenError`."""

    async def knows(self, master_key_id: str) -> bool:
        """Whether what that master key wrapped can be unwrapped."""

    async def add(self, master_key_id: str) -> None:
        """Make a new key, which is the active one from then on.

        Raises `RotationError`, which says how, where it has to be made elsewhere.
        """


class FileMasterKeys:
    """Master keys from a file, or from the same text. Raises `KeyFileError`.

    The file is read again when somebody names a key that is not known yet, so a process
    learns of a rotation without a restart. `path` is None where the text is all there is.
    """

    def __init__(
        self, path: Path | None, text: str | None, random_bytes: Callable[[int], bytes]
    ) -> None:
        assert path is not None or text is not None
        self.path = path
        self._random_bytes = random_bytes
        self._keys = self._read() if text is None else _parse(text, "LEDGER_MASTER_KEYS")

    def __repr__(self) -> str:
        return f"<FileMasterKeys {', '.join(self._keys)}>"

    async def active_id(self) -> str:
        """The id on the last line."""
        return list(self._keys)[-1]

    async def wrap(self, key: DataKey, context: bytes, master_key_id: str) -> WrappedKey:
        """Wrap by that master key. Raises `MasterKeyUnknownError`."""
        wrapped = lock(
            self._key(master_key_id),
            self._random_bytes(NONCE_BYTES),
            key.expose(),
            _bound(master_key_id, context),
        )
        return WrappedKey(master_key_id=master_key_id, wrapped=wrapped)

    async def unwrap(self, wrapped: WrappedKey, context: bytes) -> DataKey:
        """The data key. Raises `MasterKeyUnknownError`, `SealBrokenError`."""
        secret = self._key(wrapped.master_key_id)
        return DataKey(unlock(secret, wrapped.wrapped, _bound(wrapped.master_key_id, context)))

    async def knows(self, master_key_id: str) -> bool:
        """Whether the file, as it is now, has a line of that id."""
        self._learn(master_key_id)
        return master_key_id in self._keys

    async def add(self, master_key_id: str) -> None:
        """Append a new random key to the file; it is the active one from then on."""
        if self.path is None:
            message = (
                "the master keys are in LEDGER_MASTER_KEYS: add a line with a new key at its "
                "end for this command, and in any place for every process, then repeat it"
            )
            raise RotationError(message)
        text = read_private(self.path)
        end = "" if text.endswith("\n") or not text else "\n"
        line = f"{master_key_id} {encode_key(self._random_bytes(KEY_BYTES))}\n"
        keys = _parse(text + end + line, str(self.path))
        write_private(self.path, text + end + line, replace=True)
        self._keys = keys

    def _key(self, master_key_id: str) -> bytes:
        self._learn(master_key_id)
        key = self._keys.get(master_key_id)
        if key is None:
            where = "LEDGER_MASTER_KEYS" if self.path is None else str(self.path)
            message = f"there is no master key {master_key_id} in {where}: add its line again"
            raise MasterKeyUnknownError(message)
        return key

    def _learn(self, master_key_id: str) -> None:
        if master_key_id not in self._keys and self.path is not None:
            self._keys = self._read()

    def _read(self) -> Mapping[str, bytes]:
        assert self.path is not None
        return _parse(read_private(self.path), str(self.path))


def new_key_file(path: Path, master_key_id: str, secret: bytes) -> None:
    """Make a file with one key. Raises `FileExistsError` rather than replace one."""
    write_private(path, f"{master_key_id} {encode_key(secret)}\n", replace=False)


def _bound(master_key_id: str, context: bytes) -> bytes:
    return unambiguous(_WRAPPING, master_key_id) + context


def _parse(text: str, where: str) -> Mapping[str, bytes]:
    keys: dict[str, bytes] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        place = f"{where}, line {number}"
        if len(words) != 2 or _ID.fullmatch(words[0]) is None:
            message = f"{place}: a line is an id (letters, digits, '.', '_', '-') and a key"
            raise KeyFileError(message)
        if words[0] in keys:
            message = f"{place}: the id {words[0]} is there twice"
            raise KeyFileError(message)
        keys[words[0]] = decode_key(words[1], KEY_BYTES, place)
    if not keys:
        message = f"{where}: there is no key in it"
        raise KeyFileError(message)
    return keys
