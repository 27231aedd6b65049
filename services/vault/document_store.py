"""Where sealed documents lie: the port, and files on a disk. Another store is in a bucket.

A store sees only what is sealed. It knows names, and nothing of whose a document is.
"""

import asyncio
import os
import re
import secrets
from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import ExitStack, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import ParamSpec, Protocol, TypeVar

from services.vault.errors import DocumentMissingError
from services.vault.key_files import sync_folder

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

_NAME = re.compile(r"[0-9a-f]{32}", re.ASCII)
_READ_BYTES = 64 * 1024
_UNFINISHED = ".new"


class DocumentStore(Protocol):
    """Names are 32 hexadecimal digits; another one is a `ValueError`.

    Every call raises `OSError` where the store cannot be used.
    """

    async def write(self, name: str, content: AsyncIterable[bytes]) -> None:
        """Store what comes: all of it, durably, or nothing, also where `content` raises.

        Raises `FileExistsError` if the name is taken.
        """

    def read(self, name: str) -> AsyncGenerator[bytes, None]:
        """What was stored, in pieces of any size. Raises `DocumentMissingError`."""

    async def delete(self, name: str) -> bool:
        """Remove it; says whether it was there."""

    def names(self, before: datetime) -> AsyncIterator[str]:
        """The documents that were stored before a moment."""

    async def remove_unfinished(self, before: datetime) -> int:
        """Remove what was begun before a moment and not finished since; says how many."""

    async def close(self) -> None:
        """Let go of what it has open."""


class FileDocumentStore:
    """Documents as files, in folders by the first two digits."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def write(self, name: str, content: AsyncIterable[bytes]) -> None:
        """Under another name first: a file is there whole, or not."""
        path = self._path(name)
        await asyncio.to_thread(path.parent.mkdir, parents=True, exist_ok=True, mode=0o700)
        unfinished = path.with_name(f"{name}.{secrets.token_hex(4)}{_UNFINISHED}")
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
        try:
            with ExitStack() as opened:
                file = await _to_its_end(_open, opened, unfinished, flags)
                async for piece in content:
                    await _to_its_end(_write_all, file, piece)
                await _to_its_end(os.fsync, file)
            # A link, unlike a rename, does not take the place of what is there.
            os.link(unfinished, path)
        finally:
            unfinished.unlink(missing_ok=True)
        await asyncio.to_thread(sync_folder, path.parent)

    async def read(self, name: str) -> AsyncGenerator[bytes, None]:
        """In pieces of 64 KiB."""
        path = self._path(name)
        with ExitStack() as opened:
            try:
                file = await _to_its_end(_open, opened, path, os.O_RDONLY | os.O_CLOEXEC)
            except FileNotFoundError as error:
                message = f"there is no document {name}"
                raise DocumentMissingError(message) from error
            while piece := await _to_its_end(os.read, file, _READ_BYTES):
                yield piece

    async def delete(self, name: str) -> bool:
        """Remove it; says whether it was there."""
        path = self._path(name)
        try:
            await asyncio.to_thread(path.unlink)
        except FileNotFoundError:
            return False
        await asyncio.to_thread(sync_folder, path.parent)
        return True

    async def close(self) -> None:
        """Nothing stays open between calls."""

    async def names(self, before: datetime) -> AsyncIterator[str]:
        """In no order, folder by folder."""
        for number in range(256):
            folder = self._folder / f"{number:02x}"
            for path in await asyncio.to_thread(_written_before, folder, before):
                if _NAME.fullmatch(path.name):
                    yield path.name

    async def remove_unfinished(self, before: datetime) -> int:
        """Remove what a process that was killed has left."""
        removed = 0
        for number in range(256):
            folder = self._folder / f"{number:02x}"
            for path in await asyncio.to_thread(_written_before, folder, before):
                if path.name.endswith(_UNFINISHED):
                    await asyncio.to_thread(path.unlink, missing_ok=True)
                    removed += 1
        return removed

    def _path(self, name: str) -> Path:
        check_name(name)
        return self._folder / name[:2] / name


def check_name(name: str) -> None:
    """Raise `ValueError` for what is not a document's name."""
    if _NAME.fullmatch(name) is None:
        message = "a document's name has 32 hexadecimal digits"
        raise ValueError(message)


def _written_before(folder: Path, moment: datetime) -> list[Path]:
    if not folder.is_dir():
        return []
    found = []
    with os.scandir(folder) as entries:
        for entry in entries:
            # It may be gone by now: uploads end all the time.
            with suppress(FileNotFoundError):
                if entry.stat().st_mtime < moment.timestamp():
                    found.append(Path(entry.path))
    return found


async def _to_its_end(
    work: Callable[Parameters, Result], *args: Parameters.args, **kwargs: Parameters.kwargs
) -> Result:
    """What `work` returns, in a thread; who is cancelled leaves when it has ended, not before.

    A thread cannot be stopped. One that goes on by itself would open what nobody closes, or use
    a descriptor that was closed, and is another file's or socket's by then.
    """
    loop = asyncio.get_running_loop()
    # Not a task: those are cancelled with everything else where a loop is closed.
    working = loop.run_in_executor(None, partial(work, *args, **kwargs))
    cancelled: asyncio.CancelledError | None = None
    while not working.done():
        try:
            await asyncio.wait({working})
        except asyncio.CancelledError as error:
            cancelled = error
    if cancelled is not None:
        # Whatever it is, nobody waits for it; and unseen it would be told as forgotten.
        working.exception()
        raise cancelled
    return working.result()


def _open(opened: ExitStack, path: Path, flags: int) -> int:
    """The stack closes it, also where who asked was cancelled meanwhile."""
    file = os.open(path, flags, 0o600)
    opened.callback(os.close, file)
    return file


def _write_all(descriptor: int, content: bytes) -> None:
    while content:
        content = content[os.write(descriptor, content) :]
