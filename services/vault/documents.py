"""Documents of customers: checked as they arrive, sealed, stored; never whole in memory."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

from msgspec import Struct

from services.vault.content_check import ContentCheck
from services.vault.content_kinds import FIRST_BYTES, content_type_of
from services.vault.customer import Customer
from services.vault.document_cipher import (
    HEADER_BYTES,
    SALT_BYTES,
    DocumentOpener,
    DocumentSealer,
)
from services.vault.document_store import DocumentStore
from services.vault.sealing import DataKey

_ID_BYTES = 16


class Document(Struct, frozen=True, kw_only=True):
    """A stored document. The id says nothing of whose it is."""

    document_id: str
    content_type: str
    size_bytes: int
    """Of the document as it was sent."""


class OpenDocument(Struct, frozen=True, kw_only=True):
    """A document that is being read. It is whole only if `pieces` ends without an error."""

    content_type: str
    pieces: AsyncIterator[bytes]


class Documents:
    """Sealed under the customer's data key: with the key gone, a file is noise."""

    def __init__(self, store: DocumentStore, random_bytes: Callable[[int], bytes]) -> None:
        self._store = store
        self._random_bytes = random_bytes

    async def save(
        self, customer: Customer, key: DataKey, declared: str, content: AsyncIterable[bytes]
    ) -> Document:
        """Store an upload of the Content-Type `declared`.

        Raises `DocumentRefusedError`, and what the store and `content` raise; nothing is
        stored then.
        """
        check = ContentCheck(declared)
        document_id = self._random_bytes(_ID_BYTES).hex()
        sealer = DocumentSealer(
            key, self._random_bytes(SALT_BYTES), _context(customer, document_id)
        )
        await self._store.write(document_id, _sealed(check, sealer, content))
        return Document(
            document_id=document_id,
            content_type=check.content_type,
            size_bytes=check.size_bytes,
        )

    async def read(
        self, customer: Customer, key: DataKey, document_id: str
    ) -> AsyncGenerator[bytes, None]:
        """The document in pieces. It is whole only if this ends without an error.

        Raises `DocumentMissingError`, `SealBrokenError`.
        """
        head = b""
        opener: DocumentOpener | None = None
        context = _context(customer, document_id)
        async with aclosing(self._store.read(document_id)) as pieces:
            async for sealed in pieces:
                piece = sealed
                if opener is None:
                    head += sealed
                    if len(head) < HEADER_BYTES:
                        continue
                    opener = DocumentOpener(key, head[:HEADER_BYTES], context)
                    piece = head[HEADER_BYTES:]
                for content in opener.feed(piece):
                    yield content
        if opener is None:
            opener = DocumentOpener(key, head, context)
        yield opener.finish()

    @asynccontextmanager
    async def open(
        self, customer: Customer, key: DataKey, document_id: str
    ) -> AsyncIterator[OpenDocument]:
        """The document, with what it is by its first bytes. Raises as `read` does."""
        async with aclosing(self.read(customer, key, document_id)) as pieces:
            # All of a short one, or 64 KiB: never less than tells the kinds apart.
            first = await anext(pieces)
            content_type = content_type_of(first[:FIRST_BYTES])
            assert content_type is not None, "what is no document was not taken"
            yield OpenDocument(content_type=content_type, pieces=_after(first, pieces))

    async def delete(self, document_id: str) -> bool:
        """Remove a document; says whether it was there."""
        return await self._store.delete(document_id)


async def _after(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


async def _sealed(
    check: ContentCheck, sealer: DocumentSealer, content: AsyncIterable[bytes]
) -> AsyncIterator[bytes]:
    yield sealer.header
    async for piece in content:
        check.feed(piece)
        for sealed in sealer.feed(piece):
            yield sealed
    # Before the last piece: without that one there is no document.
    check.finish()
    yield sealer.finish()


def _context(customer: Customer, document_id: str) -> bytes:
    return customer.context(f"document:{document_id}")
