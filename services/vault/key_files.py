"""Files with keys in them: readable by their owner only, replaced whole or not at all."""

import base64
import binascii
import os
import secrets
from pathlib import Path

from services.vault.errors import KeyFileError

_OTHERS = 0o077


def read_private(path: Path) -> str:
    """The text of a file that only its owner may read. Raises `KeyFileError`."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            mode = os.fstat(descriptor).st_mode & 0o777
            content = file.read()
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}"
        raise KeyFileError(message) from error
    if mode & _OTHERS:
        message = f"{path} may be used by others than its owner (mode {mode:o}): chmod 600 {path}"
        raise KeyFileError(message)
    # A strict decoder's error would carry the whole file.
    return content.decode("ascii", errors="replace")


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write a file with mode 600: whole, on the disk, or not at all.

    Where it stands already it is replaced, with its owner kept; or `FileExistsError`.
    """
    path = path.resolve()
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}.new")
    descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        if replace:
            _keep_owner(path, unfinished)
            unfinished.replace(path)
        else:
            # A link, unlike a rename, does not take the place of what is there.
            os.link(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Bring names that were made or removed in a folder to the disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _keep_owner(path: Path, unfinished: Path) -> None:
    if path.exists():
        owner = path.stat()
        if (owner.st_uid, owner.st_gid) != (os.geteuid(), os.getegid()):
            os.chown(unfinished, owner.st_uid, owner.st_gid)


def decode_key(text: str, length: int, where: str) -> bytes:
    """The bytes of a key in base64. Raises `KeyFileError`, which names only the place."""
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        # Not chained: nothing of the text is to be found from the error.
        key = b""
    if len(key) != length:
        message = f"{where}: a key is {length} bytes in base64 (openssl rand -base64 {length})"
        raise KeyFileError(message)
    return key


def encode_key(key: bytes) -> str:
    """A key in base64."""
    return base64.b64encode(key).decode("ascii")
