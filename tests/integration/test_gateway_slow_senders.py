"""Bodies that come slowly, or not to their end: who sends them is asked again meanwhile."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest
import structlog

from ledger.tenants.usage import UsedCredential
from schemas.http.batches import BatchResult
from tests.specs.memory_gateway import KEY_ID, MemoryGateway, memory_gateway, until

JSON, LINES = "application/json", "application/x-ndjson"
LONGER_THAN_KEPT_S = 1.1
"""What was found of a credential is kept for a second."""
UNTIL_FORGOTTEN_S = 61
BROKEN_CHUNK = b"ZZ\r\n"


@pytest.fixture
async def gateway() -> AsyncIterator[MemoryGateway]:
    async with memory_gateway() as gateway:
        yield gateway


def line(wallet: str, reference: str) -> bytes:
    credit = {"type": "credit", "wallet_id": wallet, "amount": 1, "reference": reference}
    return msgspec.json.encode(credit) + b"\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def results(reader: asyncio.StreamReader) -> list[BatchResult]:
    """The next results of a stream, those of one part."""
    async with asyncio.timeout(10):
        size = int(await reader.readline(), 16)
        data = await reader.readexactly(size + 2)
    return msgspec.json.Decoder(BatchResult).decode_lines(data[:-2])


async def result(reader: asyncio.StreamReader) -> BatchResult:
    """The next result of a stream, which comes alone."""
    (alone,) = await results(reader)
    return alone


async def ends(reader: asyncio.StreamReader) -> None:
    """Wait for the end of a stream."""
    async with asyncio.timeout(10):
        assert await reader.readexactly(5) == b"0\r\n\r\n"


async def streaming(
    gateway: MemoryGateway,
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A stream that has begun."""
    reader, writer = await gateway.opened(LINES)
    async with asyncio.timeout(10):
        assert b" 200 " in await reader.readuntil(b"\r\n\r\n")
    return reader, writer


async def answered(reader: asyncio.StreamReader) -> tuple[int, dict[str, str]]:
    """Status and body of an answer that comes in one piece."""
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await reader.readexactly(length)
    return int(head.split()[1]), msgspec.json.decode(body)


async def let_in(gateway: MemoryGateway) -> None:
    """Wait until a call was let in: then its body is waited for."""
    await until(lambda: bool(gateway.limits.report().used))


def consumed(gateway: MemoryGateway) -> set[str]:
    """The references of what was taken in."""
    return {key.key for key in gateway.log.store.references}


def code_of(found: BatchResult) -> str:
    return str(msgspec.json.decode(found.body)["code"])


async def test_a_stream_ends_when_its_credential_is_revoked(gateway: MemoryGateway) -> None:
    """The line that comes after a second is not taken in, and the last result says so."""
    wallet = await gateway.open_wallet()
    reader, writer = await streaming(gateway)
    writer.write(chunk(line(wallet, "before")))
    assert (await result(reader)).status == 200
    gateway.credential.is_revoked = True
    await gateway.environment.sleep(LONGER_THAN_KEPT_S)
    writer.write(chunk(line(wallet, "after")))
    last = await result(reader)
    assert (last.index, last.status, code_of(last)) == (1, 401, "unauthorized")
    await ends(reader)
    writer.close()
    assert consumed(gateway) == {"before"}


async def test_a_stream_goes_on_as_long_as_its_credential_is_valid(gateway: MemoryGateway) -> None:
    wallet = await gateway.open_wallet()
    reader, writer = await streaming(gateway)
    for number in range(3):
        writer.write(chunk(line(wallet, f"line {number}")))
        assert (await result(reader)).status == 200
        await gateway.environment.sleep(LONGER_THAN_KEPT_S)
    writer.write(b"0\r\n\r\n")
    await ends(reader)
    writer.close()


async def test_lines_are_refused_while_nobody_can_say_whose_they_are(
    gateway: MemoryGateway,
) -> None:
    """As single calls are; and the stream goes on when the credential can be read again."""
    wallet = await gateway.open_wallet()
    reader, writer = await streaming(gateway)
    gateway.credential.is_away = True
    await gateway.environment.sleep(LONGER_THAN_KEPT_S)
    writer.write(chunk(line(wallet, "one") + line(wallet, "two")))
    refused = await results(reader)
    assert [(each.index, each.status) for each in refused] == [(0, 503), (1, 503)]
    assert {code_of(each) for each in refused} == {"ledger_unavailable"}
    assert consumed(gateway) == set()
    gateway.credential.is_away = False
    writer.write(chunk(line(wallet, "one")))
    taken = await result(reader)
    assert (taken.index, taken.status, taken.replayed) == (2, 200, False)
    writer.close()


@pytest.mark.parametrize(("is_revoked", "status"), [(False, 200), (True, 401)])
async def test_a_body_that_comes_late_is_of_who_may_still_send_it(
    gateway: MemoryGateway, *, is_revoked: bool, status: int
) -> None:
    wallet = await gateway.open_wallet()
    body = b'{"commands":[%b]}' % line(wallet, "late").strip()
    reader, writer = await gateway.opened(JSON, len(body))
    writer.write(body[:5])
    await let_in(gateway)
    gateway.credential.is_revoked = is_revoked
    await gateway.environment.sleep(LONGER_THAN_KEPT_S)
    writer.write(body[5:])
    assert (await answered(reader))[0] == status
    writer.close()
    assert consumed(gateway) == (set() if is_revoked else {"late"})


@pytest.mark.parametrize("rest", [b"", BROKEN_CHUNK])
async def test_a_body_that_stops_coming_is_not_waited_for(
    gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch, rest: bytes
) -> None:
    """Nor one of which nothing can be read any more."""
    monkeypatch.setattr("services.gateway.requests.MAX_SILENCE_SECONDS", 0.3)
    reader, writer = await gateway.opened(JSON)
    writer.write(chunk(b'{"comm'))
    await let_in(gateway)
    writer.write(rest)
    status, problem = await answered(reader)
    assert (status, problem["code"]) == (400, "malformed_request")
    assert problem["detail"] == "the rest of the body did not come in time"
    writer.close()


@pytest.mark.parametrize("missing", [0, 5])
async def test_who_hangs_up_before_the_body_is_read_is_no_fault_of_ours(
    gateway: MemoryGateway, missing: int
) -> None:
    """All of it has come or a part, and nobody is there when it is known who sent it."""
    body = b'{"commands":[]}'
    gateway.credential.may_be_told.clear()
    with structlog.testing.capture_logs() as logged:
        _, writer = await gateway.opened(JSON, len(body) + missing)
        writer.write(body)
        await gateway.credential.is_asked_for.wait()
        (connection,) = gateway.server.connections
        request = connection._current_request
        assert request is not None
        content = request.content
        await until(lambda: content.total_bytes == len(body))
        writer.transport.abort()
        await until(lambda: connection.transport is None)
        gateway.credential.may_be_told.set()
        await until(lambda: bool(logged))
    (answered,) = logged
    assert (answered["status"], answered["reason"]) == (400, "malformed_request")


async def test_a_body_that_comes_bit_by_bit_for_too_long_is_not_waited_for(
    gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never silent for long, and there is an end to it all the same."""
    monkeypatch.setattr("services.gateway.requests.MAX_COMING_SECONDS", 0.3)
    reader, writer = await gateway.opened(JSON, 100_000)
    answer = asyncio.create_task(answered(reader))
    while not answer.done():
        writer.write(b" ")
        await asyncio.sleep(0.01)
    status, problem = await answer
    assert (status, problem["code"]) == (400, "malformed_request")
    writer.close()


@pytest.mark.parametrize("rest", [b"", BROKEN_CHUNK])
async def test_a_stream_that_falls_silent_ends(
    gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch, rest: bytes
) -> None:
    """What was taken in stays done, and the last result says what was not."""
    monkeypatch.setattr("services.gateway.streams.MAX_SILENCE_SECONDS", 0.3)
    wallet = await gateway.open_wallet()
    reader, writer = await streaming(gateway)
    writer.write(chunk(line(wallet, "in")))
    assert (await result(reader)).status == 200
    writer.write(rest)
    last = await result(reader)
    assert (last.index, last.status, code_of(last)) == (1, 400, "malformed_request")
    await ends(reader)
    writer.close()
    assert consumed(gateway) == {"in"}


async def test_what_a_stream_takes_after_a_pause_is_told_to_other_gateways(
    gateway: MemoryGateway,
) -> None:
    """A credential that nobody used for a while is forgotten: also while it has a stream open."""
    wallet = await gateway.open_wallet()
    reader, writer = await streaming(gateway)
    writer.write(chunk(line(wallet, "one")))
    await result(reader)
    assert told(gateway) == [2]
    await gateway.environment.sleep(UNTIL_FORGOTTEN_S)
    assert told(gateway) == []
    for reference in ("two", "three"):
        writer.write(chunk(line(wallet, reference)))
        assert (await result(reader)).status == 200
    assert told(gateway) == [2]
    writer.close()


def told(gateway: MemoryGateway) -> list[int]:
    """The units that are told of the credential, if any are."""
    report = gateway.limits.report()
    gateway.limits.hear(report, {KEY_ID: 1_000})
    used: list[UsedCredential] = report.used
    return [each.units for each in used]
