"""Utility bills: taken in before it is known whose they are, and then kept under that key.

Until then a bill lies sealed under a key that is in memory only. Whatever stops this process
leaves noise; nothing ever lies in clear, and nothing is wholly in memory.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Self

import structlog

from schemas.http.baas_wallets import UTILITY_BILL_FIELD
from services.gateway.baas.failures import VAULT_UNAVAILABLE
from services.gateway.baas.vault_door import VaultDoor
from services.gateway.problems import RefusedError
from services.vault.content_check import ContentCheck
from services.vault.customer import Customer
from services.vault.document_cipher import (
    HEADER_BYTES,
    SALT_BYTES,
    DocumentOpener,
    DocumentSealer,
)
from services.vault.document_store import DocumentStore
from services.vault.documents import Documents, OpenDocument
from services.vault.errors import DocumentRefusedError, VaultError
from services.vault.sealing import KEY_BYTES, DataKey

_SPOOLED = b"spooled"

_log = structlog.get_logger(__name__)


class SpooledFile:
    """One file, as it comes in. To be used as a context: leaving it removes the file."""

    def __init__(self, store: DocumentStore, random_bytes: Callable[[int], bytes]) -> None:
        self._store = store
        self._name = random_bytes(16).hex()
        self._key = DataKey(random_bytes(KEY_BYTES))
        self._sealer = DocumentSealer(self._key, random_bytes(SALT_BYTES), _SPOOLED)
        self._pieces: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._writing: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        """Begin to write."""
        self._writing = asyncio.create_task(self._store.write(self._name, self._sealed()))
        return self

    async def __aexit__(self, *_: object) -> None:
        """Remove it, whole or not."""
        assert self._writing is not None, "it was begun"
        self._writing.cancel()
        await asyncio.gather(self._writing, return_exceptions=True)
        await _remove(self._store.delete, self._name)

    async def take(self, chunk: bytes) -> None:
        """The next chunk; waits until the disk has taken the one before."""
        await self._put(chunk)

    async def finish(self) -> None:
        """All has come. Afterwards it can be read."""
        await self._put(None)
        assert self._writing is not None, "it was begun"
        await self._writing

    async def content(self) -> AsyncIterator[bytes]:
        """What was taken in, chunk by chunk; as often as wanted."""
        opener: DocumentOpener | None = None
        head = b""
        async with aclosing(self._store.read(self._name)) as pieces:
            async for sealed in pieces:
                piece = sealed
                if opener is None:
                    head += sealed
                    if len(head) < HEADER_BYTES:
                        continue
                    opener = DocumentOpener(self._key, head[:HEADER_BYTES], _SPOOLED)
                    piece = head[HEADER_BYTES:]
                for content in opener.feed(piece):
                    yield content
        assert opener is not None, "a file that was written has its header"
        yield opener.finish()

    async def _put(self, piece: bytes | None) -> None:
        assert self._writing is not None, "it was begun"
        putting = asyncio.create_task(self._pieces.put(piece))
        await asyncio.wait({putting, self._writing}, return_when=asyncio.FIRST_COMPLETED)
        if not putting.done():
            # Only an error ends the writing before the end.
            putting.cancel()
            await self._writing

    async def _sealed(self) -> AsyncIterator[bytes]:
        yield self._sealer.header
        while (piece := await self._pieces.get()) is not None:
            for sealed in self._sealer.feed(piece):
                yield sealed
        yield self._sealer.finish()


class UtilityBills:
    """Takes bills in and keeps them. Refuses with 503 while they cannot be kept."""

    def __init__(self, door: VaultDoor, random_bytes: Callable[[int], bytes]) -> None:
        self._door = door
        self._random_bytes = random_bytes
        self._documents = Documents(door.documents, random_bytes)

    def spool(self) -> SpooledFile:
        """Take a file in."""
        return SpooledFile(self._door.documents, self._random_bytes)

    async def check(self, file: SpooledFile, declared: str) -> None:
        """Refuse with 400 what is no image and no PDF, by its content, or said to be another."""
        try:
            check = ContentCheck(declared)
            async for chunk in file.content():
                check.feed(chunk)
            check.finish()
        except DocumentRefusedError as error:
            raise RefusedError("validation_failed", str(error), param=UTILITY_BILL_FIELD) from None

    async def keep(self, customer: Customer, file: SpooledFile, declared: str) -> str:
        """Keep a file under the customer's key; the document's id."""
        key = await self._door.use(lambda vault: vault.obtain_key(customer))
        document = await self._documents.save(customer, key, declared, file.content())
        return document.document_id

    def open(
        self, customer: Customer, key: DataKey, document_id: str
    ) -> AbstractAsyncContextManager[OpenDocument]:
        """A bill that was kept. Raises `DocumentMissingError`, `OSError`."""
        return self._documents.open(customer, key, document_id)

    async def remove(self, document_id: str) -> None:
        """Remove a document that nothing names."""
        await _remove(self._documents.delete, document_id)


def not_kept(error: OSError) -> RefusedError:
    """The 503 where the disk does not take a file."""
    _tell("documents_unavailable", error)
    return RefusedError(VAULT_UNAVAILABLE, "the file cannot be kept now, try again")


def not_readable(error: OSError) -> RefusedError:
    """The 503 where the disk does not give a file."""
    _tell("documents_unavailable", error)
    return RefusedError(VAULT_UNAVAILABLE, "the bill cannot be read now, try again")


async def _remove(delete: Callable[[str], Awaitable[bool]], name: str) -> None:
    """Remove what is not needed. It never undoes what the call has come to."""
    try:
        await delete(name)
    except OSError as error:
        # It is noise by now, or names nobody; who looks for leftovers finds it.
        _tell("document_not_removed", error)


def _tell(event: str, error: OSError) -> None:
    # The system's own messages have paths in them; ours name no person.
    reason = str(error) if isinstance(error, VaultError) else None
    _log.warning(event, error=type(error).__name__, errno=error.errno, reason=reason)
