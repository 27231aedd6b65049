"""Documents: taken by their content, sealed in pieces, and found out if they were changed."""

import asyncio
import os
import stat
import threading
import time
import tracemalloc
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.vault.content_check import MAX_BYTES
from services.vault.document_cipher import (
    HEADER_BYTES,
    PIECE_BYTES,
    DocumentOpener,
    DocumentSealer,
)
from services.vault.document_store import FileDocumentStore
from services.vault.documents import Documents
from services.vault.errors import DocumentMissingError, DocumentRefusedError, SealBrokenError
from services.vault.sealing import DataKey
from tests.specs.pictures import PDF, png
from tests.specs.vault_line import random_key, somebody

KEY = DataKey(bytes(range(32)))
SALT = b"s" * 32
SEALED_BYTES = PIECE_BYTES + 16
ADA = somebody()


def sealed(content: bytes, context: bytes = b"c", step: int = 10_000) -> bytes:
    sealer = DocumentSealer(KEY, SALT, context)
    pieces = [sealer.header]
    for begin in range(0, len(content), step):
        pieces += sealer.feed(content[begin : begin + step])
    return b"".join([*pieces, sealer.finish()])


def opened(content: bytes, context: bytes = b"c", step: int = 10_000) -> bytes:
    opener = DocumentOpener(KEY, content[:HEADER_BYTES], context)
    pieces: list[bytes] = []
    for begin in range(HEADER_BYTES, len(content), step):
        pieces += opener.feed(content[begin : begin + step])
    return b"".join([*pieces, opener.finish()])


async def in_pieces(content: bytes, step: int = 50_000) -> AsyncIterator[bytes]:
    for begin in range(0, len(content), step):
        yield content[begin : begin + step]


def files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


@pytest.fixture
def documents(tmp_path: Path) -> Documents:
    return Documents(FileDocumentStore(tmp_path), os.urandom)


async def whole(documents: Documents, document_id: str, key: DataKey = KEY) -> bytes:
    return b"".join([piece async for piece in documents.read(ADA, key, document_id)])


@given(
    pieces=st.integers(0, 3),
    more=st.sampled_from([-1, 0, 1, 12_345]),
    steps=st.tuples(*[st.sampled_from([997, 10_000, PIECE_BYTES, SEALED_BYTES, 10**6])] * 2),
)
def test_a_document_of_any_length_fed_in_any_steps_comes_back(
    pieces: int, more: int, steps: tuple[int, int]
) -> None:
    content = bytes(range(256)) * 1024
    content = content[: max(0, pieces * PIECE_BYTES + more)]

    assert opened(sealed(content, step=steps[0]), step=steps[1]) == content


@pytest.mark.parametrize("length", [0, 1, PIECE_BYTES, PIECE_BYTES + 1, 3 * PIECE_BYTES])
def test_a_document_cut_anywhere_is_found(length: int) -> None:
    document = sealed(b"x" * length)
    boundaries = range(HEADER_BYTES, len(document), SEALED_BYTES)
    cuts = {
        near
        for boundary in (*boundaries, len(document))
        for near in (boundary - 17, boundary - 16, boundary - 1, boundary, boundary + 1)
        if 0 <= near < len(document)
    }

    for cut in cuts | set(range(HEADER_BYTES)):
        with pytest.raises(SealBrokenError):
            opened(document[:cut])


def test_pieces_in_another_order_or_of_another_document_are_found() -> None:
    content = bytes(3 * PIECE_BYTES)
    document = sealed(content)
    header, body = document[:HEADER_BYTES], document[HEADER_BYTES:]
    pieces = [body[at : at + SEALED_BYTES] for at in range(0, len(body), SEALED_BYTES)]
    sealer = DocumentSealer(KEY, b"t" * 32, b"c")
    foreign = next(sealer.feed(content))

    for wrong in (
        [pieces[1], pieces[0], pieces[2]],
        [pieces[0], pieces[0], pieces[2]],
        [pieces[0], pieces[2]],
        [*pieces, pieces[2]],
        [foreign, *pieces[1:]],
    ):
        with pytest.raises(SealBrokenError):
            opened(header + b"".join(wrong))
    with pytest.raises(SealBrokenError):
        opened(document, context=b"another document")


@given(place=st.integers(min_value=0))
def test_any_bit_of_a_document_that_is_changed_is_found(place: int) -> None:
    document = bytearray(sealed(b"y" * (PIECE_BYTES + 5)))
    bit = place % (8 * len(document))
    document[bit // 8] ^= 1 << bit % 8

    with pytest.raises(SealBrokenError):
        opened(bytes(document))


async def test_a_document_is_stored_sealed_and_comes_back(
    documents: Documents, tmp_path: Path
) -> None:
    bill = png(picture=os.urandom(200_000))

    kept = await documents.save(ADA, KEY, "image/png; name=bill", in_pieces(bill))

    [path] = files(tmp_path)
    on_disk = path.read_bytes()
    assert kept.content_type == "image/png"
    assert kept.size_bytes == len(bill)
    assert path.name == kept.document_id
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not any(bill[at : at + 16] in on_disk for at in range(0, len(bill), 997))
    assert await whole(documents, kept.document_id) == bill


async def test_a_document_opens_only_for_whose_it_is(documents: Documents, tmp_path: Path) -> None:
    one, other = [await documents.save(ADA, KEY, "application/pdf", in_pieces(PDF)) for _ in "ab"]

    with pytest.raises(SealBrokenError):
        await whole(documents, one.document_id, random_key())
    with pytest.raises(SealBrokenError):
        _ = [piece async for piece in documents.read(somebody(), KEY, one.document_id)]
    by_name = {path.name: path for path in files(tmp_path)}
    by_name[one.document_id].write_bytes(by_name[other.document_id].read_bytes())
    with pytest.raises(SealBrokenError):
        await whole(documents, one.document_id)


@pytest.mark.parametrize("length", [0, 1, HEADER_BYTES - 1, HEADER_BYTES, HEADER_BYTES + 10])
async def test_a_file_that_was_cut_is_found(
    documents: Documents, tmp_path: Path, length: int
) -> None:
    kept = await documents.save(ADA, KEY, "application/pdf", in_pieces(PDF))
    [path] = files(tmp_path)
    os.truncate(path, length)

    with pytest.raises(SealBrokenError):
        await whole(documents, kept.document_id)


async def test_what_is_refused_leaves_nothing(documents: Documents, tmp_path: Path) -> None:
    """Refused at its beginning, in the middle, or only at its end."""

    async def hung_up() -> AsyncIterator[bytes]:
        yield png(picture=bytes(100_000))[:90_000]
        raise ConnectionResetError

    for content in (b"MZ" + bytes(100), png() + b"more", png(picture=bytes(200_000))[:-1]):
        with pytest.raises(DocumentRefusedError):
            await documents.save(ADA, KEY, "image/png", in_pieces(content))
    with pytest.raises(ConnectionResetError):
        await documents.save(ADA, KEY, "image/png", hung_up())

    assert files(tmp_path) == []


async def test_a_large_document_is_never_whole_in_memory(documents: Documents) -> None:
    """Neither when it comes nor when it goes; and one that is too large is refused on the way."""
    noise = os.urandom(50_000)
    frame = len(png(picture=b""))

    tracemalloc.start()
    try:
        upload = _without_copies(MAX_BYTES - frame, noise)
        tracemalloc.reset_peak()
        before = tracemalloc.get_traced_memory()[0]
        kept = await documents.save(ADA, KEY, "image/png", upload)
        size = 0
        async for piece in documents.read(ADA, KEY, kept.document_id):
            size += len(piece)
        peak = tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()

    assert size == kept.size_bytes == MAX_BYTES
    assert peak < 1_500_000
    with pytest.raises(DocumentRefusedError) as refused:
        await documents.save(ADA, KEY, "image/png", _without_copies(MAX_BYTES, noise))
    assert refused.value.code == "document_too_large"


async def _without_copies(length: int, noise: bytes) -> AsyncIterator[bytes]:
    """A PNG with a picture of that length, made on the way."""
    empty = png(picture=b"")
    head, tail = empty[:33], empty[45:]
    yield head + length.to_bytes(4, "big") + b"IDAT"
    for begin in range(0, length, len(noise)):
        yield noise[: length - begin]
    yield bytes(4) + tail


async def test_a_deleted_document_is_gone(documents: Documents) -> None:
    kept = await documents.save(ADA, KEY, "application/pdf", in_pieces(PDF))

    assert await documents.delete(kept.document_id)
    assert not await documents.delete(kept.document_id)
    with pytest.raises(DocumentMissingError, match=kept.document_id):
        await whole(documents, kept.document_id)


@pytest.mark.parametrize("name", ["", "../../etc/passwd", "A" * 32, "a" * 31, "a" * 32 + "\n"])
async def test_a_name_leads_nowhere_else(tmp_path: Path, name: str) -> None:
    store = FileDocumentStore(tmp_path)

    with pytest.raises(ValueError, match="32 hexadecimal digits"):
        await store.write(name, in_pieces(b"x"))
    with pytest.raises(ValueError, match="32 hexadecimal digits"):
        await store.delete(name)
    with pytest.raises(ValueError, match="32 hexadecimal digits"):
        _ = [piece async for piece in store.read(name)]


async def test_a_name_that_is_taken_is_not_taken_over(tmp_path: Path) -> None:
    store = FileDocumentStore(tmp_path)
    await store.write("a" * 32, in_pieces(b"first"))

    with pytest.raises(FileExistsError):
        await store.write("a" * 32, in_pieces(b"second"))

    assert [path.read_bytes() for path in files(tmp_path)] == [b"first"]


async def test_what_a_killed_process_left_is_removed_when_it_is_old(tmp_path: Path) -> None:
    store = FileDocumentStore(tmp_path)
    await store.write("a" * 32, in_pieces(b"whole"))
    old, new = (tmp_path / "aa" / f"{letter * 32}.0.new" for letter in "bc")
    for path in (old, new, tmp_path / "aa" / ("a" * 32)):
        path.write_bytes(b"sealed")
        os.utime(path, (time.time() - 25 * 3600,) * 2)
    os.utime(new)

    assert await store.remove_unfinished(datetime.now(UTC) - timedelta(hours=1)) == 1
    assert sorted(files(tmp_path)) == [tmp_path / "aa" / ("a" * 32), new]


class HeldCall:
    """The first call of a function of `os` in a thread, which goes on when it may."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
        self._real = getattr(os, name)
        self._opens = name == "open"
        self._first = threading.Lock()
        self.is_begun = threading.Event()
        self.may_go_on = threading.Event()
        self.has_ended = False
        self.descriptor = -1
        monkeypatch.setattr(os, name, self._call)

    def _call(self, *args: Any) -> Any:
        in_a_thread = threading.current_thread() is not threading.main_thread()
        if not (in_a_thread and self._first.acquire(blocking=False)):
            return self._real(*args)
        self.is_begun.set()
        assert self.may_go_on.wait(10), "the test lets it go on"
        result = self._real(*args)
        self.descriptor = result if self._opens else args[0]
        self.has_ended = True
        return result


async def leave_amid(call: HeldCall, work: Coroutine[Any, Any, object]) -> None:
    """Cancel work, more than once, while its thread is in a call; it may end only after that."""
    working = asyncio.create_task(work)
    assert await asyncio.to_thread(call.is_begun.wait, 10)
    try:
        for _ in range(3):
            working.cancel()
            await asyncio.sleep(0)
            await asyncio.sleep(0)
        ended_before = working.done()
    finally:
        call.may_go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert (ended_before, call.has_ended) == (False, True)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(call.descriptor)


@pytest.mark.parametrize("name", ["open", "write", "fsync"])
async def test_who_is_cancelled_amid_a_write_leaves_neither_file_nor_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    call = HeldCall(monkeypatch, name)

    await leave_amid(call, FileDocumentStore(tmp_path).write("a" * 32, in_pieces(b"x")))

    assert files(tmp_path) == []


@pytest.mark.parametrize("name", ["open", "read"])
async def test_who_is_cancelled_amid_a_read_leaves_no_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    store = FileDocumentStore(tmp_path)
    await store.write("a" * 32, in_pieces(b"x"))
    call = HeldCall(monkeypatch, name)

    await leave_amid(call, anext(store.read("a" * 32)))
