"""The list of destroyed keys, which is never rolled back: a file of JSON lines, only added to.

Each line's hash covers the line before, so what is changed or taken out shows. A line is on
the disk before its key is destroyed. All calls block, and may be made from any thread; any
number of processes may have the file open.
"""

import fcntl
import hashlib
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from services.vault.customer import Customer
from services.vault.errors import DestroyedListError
from services.vault.key_files import sync_folder
from services.vault.key_store import Destruction

_BEGINNING = hashlib.sha256(b"ledger vault: destroyed keys, 1").hexdigest()
_TAIL_BYTES = 64 * 1024


class _Entry(Struct, frozen=True, kw_only=True):
    """What a line says, less its hash."""

    number: int
    tenant_id: str
    user_id: str
    destroyed_at: datetime


class _Line(_Entry, frozen=True, kw_only=True):
    hash: str


class DestroyedList:
    """The list in one file. Raises `DestroyedListError`, `OSError`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._moments: dict[Customer, datetime] = {}
        self._last = _BEGINNING
        self._offset = 0
        self._inode: int | None = None

    def open(self) -> int:
        """Read it, making it if it is not there, and mend a torn end; says how long it is."""
        with self._lock, self._exclusive() as descriptor:
            self._read(descriptor)
            return len(self._moments)

    def add(self, destructions: Iterable[Destruction]) -> int:
        """Add who is not on it, and bring it to the disk; says how many were added."""
        with self._lock, self._exclusive() as descriptor:
            self._read(descriptor)
            number, last = len(self._moments), self._last
            added: dict[Customer, Destruction] = {}
            lines = []
            for each in destructions:
                if each.customer in self._moments or each.customer in added:
                    continue
                number += 1
                entry = _Entry(
                    number=number,
                    tenant_id=each.customer.tenant_id,
                    user_id=each.customer.user_id,
                    destroyed_at=each.destroyed_at,
                )
                last = _hash_of(last, entry)
                lines.append(msgspec.json.encode(_line(entry, last)) + b"\n")
                added[each.customer] = each
            if lines:
                _write(descriptor, b"".join(lines))
                os.fsync(descriptor)
                self._read(descriptor)
            return len(added)

    def covers(self, customer: Customer) -> bool:
        """Whether a customer is on the list, with what other processes have added by now."""
        with self._lock:
            self._refresh()
            return customer in self._moments

    def destructions(self) -> list[Destruction]:
        """Everything on it, in order."""
        with self._lock:
            self._refresh()
            return [
                Destruction(customer=customer, destroyed_at=moment)
                for customer, moment in self._moments.items()
            ]

    def _refresh(self) -> None:
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            if self._inode is None:
                return
            message = f"{self.path} is gone: put it back before anything is read"
            raise DestroyedListError(message) from None
        try:
            self._read(descriptor)
        finally:
            os.close(descriptor)

    @contextmanager
    def _exclusive(self) -> Iterator[int]:
        """The file, open for adding, without any other process; its end is whole."""
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        is_new = not self.path.exists()
        if is_new and self._inode is not None:
            message = f"{self.path} is gone: put it back before anything is destroyed"
            raise DestroyedListError(message)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC
        descriptor = os.open(self.path, flags, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            if is_new:
                sync_folder(self.path.parent)
            _mend(descriptor)
            yield descriptor
        finally:
            os.close(descriptor)

    def _read(self, descriptor: int) -> None:
        """Read what has been added since. A line without its end is somebody's who still writes."""
        about = os.fstat(descriptor)
        if about.st_ino != self._inode or about.st_size < self._offset:
            self._read_anew(descriptor, about.st_ino)
            return
        news = _pread(descriptor, self._offset, about.st_size)
        whole = news[: news.rfind(b"\n") + 1]
        for text in whole.splitlines():
            self._take(text)
        self._offset += len(whole)

    def _read_anew(self, descriptor: int, inode: int) -> None:
        """Another file is there, or a shorter one: it has to begin with all that was known."""
        fresh = DestroyedList(self.path)
        content = _pread(descriptor, 0, os.fstat(descriptor).st_size)
        whole = content[: content.rfind(b"\n") + 1]
        found = self._moments == {}
        for text in whole.splitlines():
            fresh._take(text)
            found = found or fresh._last == self._last
        if not found:
            message = f"{self.path} lacks entries that it had: put back the file as it was"
            raise DestroyedListError(message)
        self._moments, self._last = fresh._moments, fresh._last
        self._offset, self._inode = len(whole), inode

    def _take(self, text: bytes) -> None:
        number = len(self._moments) + 1
        line = _parse(text)
        if line is None or line.number != number or line.hash != _hash_of(self._last, line):
            message = (
                f"{self.path}, entry {number}: it does not follow from the one before. "
                "The list was changed: put back a copy of it that is whole"
            )
            raise DestroyedListError(message)
        customer = Customer(tenant_id=line.tenant_id, user_id=line.user_id)
        self._moments[customer] = line.destroyed_at
        self._last = line.hash


def _mend(descriptor: int) -> None:
    """End a line whose writer was stopped: it is completed if whole, and otherwise removed.

    The key of such a line was not destroyed yet, for that comes after the line is on the disk.
    """
    size = os.fstat(descriptor).st_size
    begin, solid = size, b""
    while begin > 0 and b"\n" not in solid:
        begin = max(0, begin - _TAIL_BYTES)
        # After a loss of power a file may end in zeros that nobody wrote.
        solid = _pread(descriptor, begin, size).rstrip(b"\0")
    end = solid.rfind(b"\n") + 1
    torn = solid[end:]
    if not torn and begin + len(solid) == size:
        return
    if torn and _parse(torn) is not None:
        os.ftruncate(descriptor, begin + len(solid))
        _write(descriptor, b"\n")
    else:
        os.ftruncate(descriptor, begin + end)
    os.fsync(descriptor)


def _parse(text: bytes) -> _Line | None:
    try:
        line = msgspec.json.decode(text, type=_Line)
        Customer(tenant_id=line.tenant_id, user_id=line.user_id)
    except (msgspec.MsgspecError, ValueError):
        return None
    return line


def _line(entry: _Entry, hashed: str) -> _Line:
    return _Line(
        number=entry.number,
        tenant_id=entry.tenant_id,
        user_id=entry.user_id,
        destroyed_at=entry.destroyed_at,
        hash=hashed,
    )


def _hash_of(previous: str, entry: _Entry) -> str:
    bare = _Entry(
        number=entry.number,
        tenant_id=entry.tenant_id,
        user_id=entry.user_id,
        destroyed_at=entry.destroyed_at,
    )
    return hashlib.sha256(previous.encode() + msgspec.json.encode(bare)).hexdigest()


def _pread(descriptor: int, begin: int, end: int) -> bytes:
    parts = []
    while begin < end and (part := os.pread(descriptor, end - begin, begin)):
        parts.append(part)
        begin += len(part)
    return b"".join(parts)


def _write(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
