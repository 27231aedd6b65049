"""Backups of wrapped keys: files of JSON lines, with an end to their time.

The first line says what it is, the last one how many lines and their SHA-256. A backup has no
master key in it. How long backups are kept is how long an erasure takes to be complete, so
making one removes those that are too old.
"""

import fcntl
import hashlib
import os
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO

import msgspec
from msgspec import Struct

from services.vault.customer import Customer
from services.vault.errors import BackupError
from services.vault.key_files import sync_folder
from services.vault.key_store import Destruction, KeptKey, KeyRow, KeyStore
from services.vault.master_keys import WrappedKey

PAGE = 1000

_NAME = re.compile(r"vault-(\d{8}T\d{6}Z)\.jsonl(\.new)?", re.ASCII)
_MOMENT = "%Y%m%dT%H%M%SZ"
_LONGEST_LINE = 4096


class _Header(Struct, frozen=True, kw_only=True, tag="ledger-vault-backup", tag_field="kind"):
    version: int
    made_at: datetime


class _Key(Struct, frozen=True, kw_only=True, tag="key", tag_field="kind"):
    tenant_id: str
    user_id: str
    master_key_id: str
    wrapped: bytes
    created_at: datetime


class _Destroyed(Struct, frozen=True, kw_only=True, tag="destroyed", tag_field="kind"):
    tenant_id: str
    user_id: str
    destroyed_at: datetime


class _End(Struct, frozen=True, kw_only=True, tag="end", tag_field="kind"):
    rows: int
    sha256: str


_Line = _Header | _Key | _Destroyed | _End
_ANY_LINE: msgspec.json.Decoder[_Line] = msgspec.json.Decoder(_Line)


class Backup(Struct, frozen=True, kw_only=True):
    """A backup that was made."""

    path: Path
    keys: int
    removed: tuple[Path, ...]
    """Backups that were too old."""


async def write_backup(store: KeyStore, folder: Path, now: datetime, keep_days: int) -> Backup:
    """Write a backup into the folder, then remove those of more than `keep_days`.

    Raises `BackupError`, also while another one is being made there.
    """
    with _alone(folder):
        path = folder / f"vault-{now.astimezone(UTC).strftime(_MOMENT)}.jsonl"
        if path.exists():
            message = f"{path} is there already"
            raise BackupError(message)
        unfinished = path.with_name(f"{path.name}.new")
        unfinished.unlink(missing_ok=True)
        descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                keys = await _write(store, file, now)
                file.flush()
                os.fsync(descriptor)
            unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        removed = _remove_old(folder, now - timedelta(days=keep_days))
        sync_folder(folder)
    return Backup(path=path, keys=keys, removed=removed)


def check_backup(path: Path) -> frozenset[str]:
    """Read a whole backup, and say by which master keys its keys are wrapped.

    Raises `BackupError` unless it is whole and unchanged.
    """
    return frozenset(row.key.master_key_id for row in read_backup(path) if isinstance(row, KeptKey))


def read_backup(path: Path) -> Iterator[KeyRow]:
    """Its rows. Raises `BackupError` at the latest at the end, so read it to there first."""
    digest = hashlib.sha256()
    count = 0
    end: _End | None = None
    with path.open("rb") as file:
        for number, text in enumerate(_lines(file), start=1):
            line = _decode(text, path, number)
            if end is not None or (number == 1) != isinstance(line, _Header):
                raise _broken(path, number)
            if isinstance(line, _Header) and line.version != 1:
                message = f"{path} is of version {line.version}; this release reads version 1"
                raise BackupError(message)
            if isinstance(line, _End):
                end = line
                continue
            digest.update(text)
            if not isinstance(line, _Header):
                count += 1
                yield _row(line, path, number)
    if end is None or end.rows != count or end.sha256 != digest.hexdigest():
        message = f"{path} is not whole, or was changed: take another backup"
        raise BackupError(message)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        message = f"another backup is being made in {folder}"
        raise BackupError(message) from None
    finally:
        os.close(descriptor)


async def _write(store: KeyStore, file: IO[bytes], now: datetime) -> int:
    digest = hashlib.sha256()
    rows = keys = 0

    def put(line: _Line) -> None:
        text = msgspec.json.encode(line) + b"\n"
        digest.update(text)
        file.write(text)

    put(_Header(version=1, made_at=now))
    async for row in _all_rows(store):
        put(_line(row))
        rows += 1
        keys += isinstance(row, KeptKey)
    put(_End(rows=rows, sha256=digest.hexdigest()))
    return keys


async def _all_rows(store: KeyStore) -> AsyncIterator[KeyRow]:
    after = None
    while page := await store.page(after, PAGE):
        for row in page:
            yield row
        after = page[-1].customer


def _remove_old(folder: Path, before: datetime) -> tuple[Path, ...]:
    """Remove old backups, and what a backup that was stopped has left; other files stay."""
    removed = []
    for path in sorted(folder.iterdir()):
        name = _NAME.fullmatch(path.name)
        if name is None:
            continue
        made_at = datetime.strptime(name[1], _MOMENT).replace(tzinfo=UTC)
        if name[2] or made_at <= before:
            path.unlink()
            removed.append(path)
    return tuple(removed)


def _lines(file: IO[bytes]) -> Iterator[bytes]:
    while text := file.readline(_LONGEST_LINE):
        yield text


def _decode(text: bytes, path: Path, number: int) -> _Line:
    try:
        return _ANY_LINE.decode(text)
    except msgspec.MsgspecError:
        # Not chained: the error may quote what it could not read.
        raise _broken(path, number) from None


def _broken(path: Path, number: int) -> BackupError:
    return BackupError(f"{path}, line {number}: this is not a line of a whole backup")


def _line(row: KeyRow) -> _Key | _Destroyed:
    tenant_id, user_id = row.customer.tenant_id, row.customer.user_id
    if isinstance(row, Destruction):
        return _Destroyed(tenant_id=tenant_id, user_id=user_id, destroyed_at=row.destroyed_at)
    return _Key(
        tenant_id=tenant_id,
        user_id=user_id,
        master_key_id=row.key.master_key_id,
        wrapped=row.key.wrapped,
        created_at=row.created_at,
    )


def _row(line: _Key | _Destroyed, path: Path, number: int) -> KeyRow:
    try:
        customer = Customer(tenant_id=line.tenant_id, user_id=line.user_id)
    except ValueError:
        raise _broken(path, number) from None
    if isinstance(line, _Destroyed):
        return Destruction(customer=customer, destroyed_at=line.destroyed_at)
    key = WrappedKey(master_key_id=line.master_key_id, wrapped=line.wrapped)
    return KeptKey(customer=customer, key=key, created_at=line.created_at)
