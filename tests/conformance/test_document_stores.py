"""What every store of documents must do: files on a disk, and a bucket of S3."""

import asyncio
import os
import tracemalloc
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol

import pytest

from services.vault.document_store import DocumentStore, FileDocumentStore
from services.vault.documents import Documents
from services.vault.errors import (
    DocumentMissingError,
    DocumentRefusedError,
    DocumentsUnavailableError,
)
from services.vault.s3_document_store import PART_BYTES, S3DocumentStore
from tests.specs.pictures import PDF, png
from tests.specs.s3_server import S3Server
from tests.specs.vault_line import random_key, somebody

NAME = "0123456789abcdef" * 2
SIZES = [0, 1, 64 * 1024, PART_BYTES - 1, PART_BYTES, PART_BYTES + 1, 2 * PART_BYTES + 77]
LATER = datetime.now(UTC) + timedelta(days=1)
EARLIER = datetime.now(UTC) - timedelta(days=1)


class Backend(Protocol):
    """A store, and what a look past it shows."""

    store: DocumentStore

    async def unfinished(self) -> int:
        """How many uploads have left something that is no document."""


class Files:
    """In a folder of the test's own."""

    def __init__(self, folder: Path) -> None:
        self.store: DocumentStore = FileDocumentStore(folder)
        self._folder = folder

    async def unfinished(self) -> int:
        """Temporary files."""
        return sum(path.name.endswith(".new") for path in self._folder.rglob("*"))


class Bucket:
    """In a bucket of the test's own."""

    def __init__(self, server: S3Server, name: str) -> None:
        self.store: DocumentStore = S3DocumentStore(f"s3://{name}/some/where/")
        self._server, self._name = server, name

    async def unfinished(self) -> int:
        """Uploads without an end."""
        return len(await self._server.uploads(self._name))


@pytest.fixture(params=["files", "bucket"])
async def backend(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Backend]:
    if request.param == "files":
        yield Files(tmp_path)
        return
    server: S3Server = request.getfixturevalue("s3_server")
    for name, value in server.variables().items():
        monkeypatch.setenv(name, value)
    bucket = Bucket(server, await server.new_bucket())
    yield bucket
    await bucket.store.close()


async def pieces(content: bytes, step: int = 60_000) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), step):
        yield content[begin : begin + step]


async def whole(store: DocumentStore, name: str = NAME) -> bytes:
    return b"".join([piece async for piece in store.read(name)])


async def names(store: DocumentStore, before: datetime = LATER) -> list[str]:
    return [name async for name in store.names(before)]


@pytest.mark.parametrize("size", SIZES)
async def test_what_is_written_is_read(backend: Backend, size: int) -> None:
    content = os.urandom(size)
    await backend.store.write(NAME, pieces(content))
    assert await whole(backend.store) == content
    assert (await names(backend.store), await backend.unfinished()) == ([NAME], 0)


@pytest.mark.parametrize("size", [10, 2 * PART_BYTES])
async def test_what_breaks_off_leaves_nothing(backend: Backend, size: int) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for piece in pieces(os.urandom(size)):
            yield piece
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await backend.store.write(NAME, broken())
    with pytest.raises(DocumentMissingError, match=NAME):
        await whole(backend.store)
    assert (await names(backend.store), await backend.unfinished()) == ([], 0)


async def test_who_gives_up_leaves_nothing(backend: Backend) -> None:
    has_come = asyncio.Event()

    async def never_ending() -> AsyncIterator[bytes]:
        async for piece in pieces(os.urandom(PART_BYTES + 1)):
            yield piece
        has_come.set()
        await asyncio.Event().wait()

    writing = asyncio.create_task(backend.store.write(NAME, never_ending()))
    await has_come.wait()
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    assert (await names(backend.store), await backend.unfinished()) == ([], 0)


@pytest.mark.parametrize("size", [10, PART_BYTES + 1])
async def test_a_name_that_is_taken_is_not_taken_over(backend: Backend, size: int) -> None:
    await backend.store.write(NAME, pieces(b"first"))
    with pytest.raises(FileExistsError):
        await backend.store.write(NAME, pieces(os.urandom(size)))
    assert await whole(backend.store) == b"first"
    assert await backend.unfinished() == 0


async def test_what_is_deleted_is_gone(backend: Backend) -> None:
    other = NAME[::-1]
    for name in (NAME, other):
        await backend.store.write(name, pieces(b"content"))
    assert await backend.store.delete(NAME)
    assert not await backend.store.delete(NAME)
    with pytest.raises(DocumentMissingError, match=NAME):
        await whole(backend.store)
    assert await whole(backend.store, other) == b"content"


async def test_names_are_listed_by_their_age(backend: Backend) -> None:
    written = sorted(f"{number:032x}" for number in range(0, 2**128, 2**128 // 20))
    for name in written:
        await backend.store.write(name, pieces(b"content"))
    assert sorted(await names(backend.store)) == written
    assert await names(backend.store, EARLIER) == []


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 32, "a" * 31, "a" * 32 + "\n"])
async def test_a_name_leads_nowhere_else(backend: Backend, name: str) -> None:
    for refused in (
        lambda: backend.store.write(name, pieces(b"x")),
        lambda: backend.store.delete(name),
        lambda: whole(backend.store, name),
    ):
        with pytest.raises(ValueError, match="32 hexadecimal digits"):
            await refused()


async def test_a_document_that_is_refused_leaves_nothing(backend: Backend) -> None:
    """One that is cut at its very end: all of it was sent by then."""
    documents = Documents(backend.store, os.urandom)
    picture = png(picture=os.urandom(PART_BYTES + 1))
    for kind, broken in (("image/png", picture[:-1]), ("application/pdf", PDF[:-9])):
        with pytest.raises(DocumentRefusedError):
            await documents.save(somebody(), random_key(), kind, pieces(broken))
    assert (await names(backend.store), await backend.unfinished()) == ([], 0)


async def test_a_document_goes_in_and_out_sealed(backend: Backend) -> None:
    documents = Documents(backend.store, os.urandom)
    person, key = somebody(), random_key()
    picture = png(picture=b"bill" * 1_500_000)
    kept = await documents.save(person, key, "image/png", pieces(picture))
    assert b"billbill" not in await whole(backend.store, kept.document_id)
    async with documents.open(person, key, kept.document_id) as document:
        assert document.content_type == "image/png"
        assert b"".join([piece async for piece in document.pieces]) == picture


async def test_a_document_is_never_whole_in_memory(backend: Backend) -> None:
    size = 8 * PART_BYTES
    noise = os.urandom(50_000)

    async def made_on_the_way() -> AsyncIterator[bytes]:
        for begin in range(0, size, len(noise)):
            yield noise[: size - begin]

    await backend.store.delete(NAME)  # the connection costs memory, too
    tracemalloc.start()
    try:
        await backend.store.write(NAME, made_on_the_way())
        come = 0
        async for piece in backend.store.read(NAME):
            come += len(piece)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert come == size
    assert peak < 2.5 * PART_BYTES


async def test_uploads_of_killed_processes_are_removed(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files have a test of their own. This server says of all uploads that it was in 2010."""
    for name, value in s3_server.variables().items():
        monkeypatch.setenv(name, value)
    bucket = await s3_server.new_bucket()
    client = s3_server.client()
    for key in (f"ours/{NAME}", "ours/readme", f"others/{NAME}"):
        await asyncio.to_thread(client.create_multipart_upload, Bucket=bucket, Key=key)
    store = S3DocumentStore(f"s3://{bucket}/ours")
    assert await store.remove_unfinished(datetime(2009, 1, 1, tzinfo=UTC)) == 0
    assert await store.remove_unfinished(LATER) == 1
    assert sorted(await s3_server.uploads(bucket)) == [f"others/{NAME}", "ours/readme"]
    await store.close()


@pytest.mark.slow
async def test_a_bucket_that_cannot_be_used(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is away, or there is none of that name: what it is, and not who asked."""
    for name, value in s3_server.variables().items():
        monkeypatch.setenv(name, value)
    nowhere = S3DocumentStore("s3://no-such-bucket")
    with pytest.raises(DocumentsUnavailableError, match="refuses: NoSuchBucket"):
        await nowhere.write(NAME, pieces(b"content"))
    await nowhere.close()
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:9")
    away = S3DocumentStore("s3://bucket")
    for refused in (away.delete(NAME), away.write(NAME, pieces(b"content")), whole(away)):
        with pytest.raises(OSError, match="cannot be reached: EndpointConnectionError"):
            await refused
    await away.close()


@pytest.mark.parametrize("url", ["", "bucket", "s3://", "s3://B", "http://bucket/x", "s3://a/b"])
def test_what_names_no_bucket(url: str) -> None:
    with pytest.raises(ValueError, match="is not s3://bucket/prefix"):
        S3DocumentStore(url)
