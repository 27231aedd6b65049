"""`POST /v1/batch` on real PostgreSQL: each command by itself, all or none, and as lines."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack
from typing import Any

import msgspec
import pytest

from schemas.http.batches import BatchAnswer, BatchResult
from schemas.http.problems import Problem
from tests.specs.running_gateway import Reply, RunningGateway, running_gateway

LINES = {"Content-Type": "application/x-ndjson"}


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database) as gateway:
        yield gateway


def credit(wallet: str, amount: object, reference: str, **more: object) -> dict[str, object]:
    fields = {"wallet_id": wallet, "amount": amount, "reference": reference}
    return {"type": "credit", **fields, **more}


def debit(wallet: str, amount: object, reference: str) -> dict[str, object]:
    return credit(wallet, amount, reference) | {"type": "debit"}


async def batch(
    gateway: RunningGateway, commands: Iterable[object], *, atomic: bool = False, **options: Any
) -> Reply:
    body = {"atomic": atomic, "commands": list(commands)}
    return await gateway.post("/batch", body, **options)


def results_in(reply: Reply) -> list[Any]:
    """The results of a batch that was taken, in order."""
    assert reply.status == 200, reply
    answer = msgspec.json.decode(reply.body, type=BatchAnswer, strict=True)
    assert [result.index for result in answer.results] == list(range(len(answer.results)))
    return list(reply.json["results"])


def statuses(results: Iterable[Any]) -> list[int]:
    return [result["status"] for result in results]


async def lines(gateway: RunningGateway, data: Any, **headers: str) -> list[Any]:
    """The results of a batch that was sent as lines, in order."""
    reply = await gateway.post("/batch", data=data, headers=LINES | headers)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "application/x-ndjson"), reply
    assert reply.headers["X-Request-Id"]
    results = msgspec.json.Decoder(BatchResult).decode_lines(reply.body)
    assert [result.index for result in results] == list(range(len(results)))
    return list(msgspec.json.Decoder().decode_lines(reply.body))


async def balance(gateway: RunningGateway, wallet: str) -> int:
    return int((await gateway.get(f"/wallets/{wallet}")).json["balance"])


# Each by itself.


async def test_each_command_stands_by_itself(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    reply = await batch(
        gateway,
        [
            credit(wallet, 100, "in"),
            credit(wallet, "1", ""),
            debit(wallet, 500, "too much"),
            debit(wallet, 30, "out"),
            {"type": "topup"},
            7,
        ],
    )
    good, bad, declined, last, unknown, number = results_in(reply)
    assert (good["status"], good["body"]["balance_after"]) == (200, 100)
    assert (bad["status"], bad["body"]["code"]) == (422, "validation_failed")
    assert [error["param"] for error in bad["body"]["errors"]] == ["amount", "reference"]
    assert (declined["status"], declined["body"]["code"]) == (409, "insufficient_funds")
    assert (declined["body"]["wallet_id"], declined["body"]["available"]) == (wallet, 100)
    assert (last["status"], last["body"]["balance_after"]) == (200, 70)
    assert (unknown["body"]["param"], number["body"]["code"]) == ("type", "malformed_request")
    for refused in (bad, declined, unknown, number):
        assert refused["body"]["request_id"] == reply.headers["X-Request-Id"]
        msgspec.convert(refused["body"], Problem)
    assert await balance(gateway, wallet) == 70


async def test_a_result_is_what_the_own_call_answers(gateway: RunningGateway) -> None:
    """Of every type: the call that repeats a command gets the batch's answer, byte for byte."""
    wallet, friend = await gateway.open_wallet("cus_1"), await gateway.open_wallet("cus_2")
    names = {"amount": 20, "metadata": {"n": 1.50}}
    wishes: list[tuple[str, str, dict[str, Any]]] = [
        ("credit", f"/wallets/{wallet}/credit", {**names, "amount": 100, "reference": "in"}),
        ("debit", f"/wallets/{wallet}/debit", {**names, "reference": "out"}),
        ("hold", f"/wallets/{wallet}/holds", {**names, "reference": "ride"}),
        ("transfer", "/transfers", {"from": wallet, "to": friend, **names, "reference": "gift"}),
        ("debit", f"/wallets/{wallet}/debit", {"amount": 900, "reference": "no"}),
        ("create", "/wallets", {"customer_id": "cus_3", "currency": "GHS"}),
        ("freeze", f"/wallets/{friend}/freeze", {"scope": "credits"}),
        ("unfreeze", f"/wallets/{friend}/unfreeze", {}),
        ("close", f"/wallets/{friend}/close", {"remaining_balance": {"transfer_to": wallet}}),
    ]
    members = [
        {"type": kind, **body}
        | ({"wallet_id": path.split("/")[2]} if path.startswith("/wallets/") else {})
        for kind, path, body in wishes
    ]
    results = results_in(await batch(gateway, members, headers={"Idempotency-Key": "key"}))
    assert statuses(results) == [200, 200, 201, 201, 409, 201, 200, 200, 200]
    for number, (result, (_, path, body)) in enumerate(zip(results, wishes, strict=True)):
        alone = await gateway.post(path, body, headers={"Idempotency-Key": f"key/{number}"})
        assert alone.headers["Idempotent-Replayed"] == "true"
        assert alone.status == result["status"]
        assert alone.json | {"request_id": None} == result["body"] | {"request_id": None}
    hold = results[2]["body"]["id"]
    later = [
        {"type": "capture", "hold_id": hold, "amount": 5, "reference": "leg"},
        {"type": "void", "hold_id": hold},
        {"type": "reverse", "transaction_id": results[1]["body"]["id"], "reference": "undo"},
    ]
    assert statuses(results_in(await batch(gateway, later))) == [200, 200, 200]


async def test_a_batch_is_repeated_by_its_key_and_by_its_references(
    gateway: RunningGateway,
) -> None:
    wallet = await gateway.open_wallet()
    commands = [credit(wallet, 100, "in"), debit(wallet, 500, "no"), debit(wallet, 1, "out")]
    key = {"Idempotency-Key": "monday"}
    first = results_in(await batch(gateway, commands, headers=key))
    assert [result["replayed"] for result in first] == [False] * 3
    before = await gateway.position()
    again = results_in(await batch(gateway, commands, headers=key))
    assert [result["replayed"] for result in again] == [True] * 3
    assert again[0]["body"] == first[0]["body"]
    assert again[1]["body"]["transaction_id"] == first[1]["body"]["transaction_id"]
    assert await gateway.position() == before
    bare = results_in(await batch(gateway, commands))
    assert [result["replayed"] for result in bare] == [True, False, True]
    other = results_in(await batch(gateway, [debit(wallet, 2, "other")], headers=key))
    assert (other[0]["body"]["code"], other[0]["body"]["param"]) == (
        "reference_reused",
        "Idempotency-Key",
    )
    assert await balance(gateway, wallet) == 99


async def test_scopes_are_asked_for_by_command(gateway: RunningGateway) -> None:
    sender, receiver = await gateway.open_wallet("cus_1"), await gateway.open_wallet("cus_2")
    paid = (await gateway.credit(sender, 100, "in")).json["id"]
    transfer = {"type": "transfer", "from": sender, "to": receiver, "amount": 5, "reference": "t"}
    reverse = {"type": "reverse", "transaction_id": paid, "reference": "r", "allow_negative": True}
    commands = [transfer, reverse, debit(sender, 10, "out")]
    refused = results_in(await batch(gateway, commands, who="writer"))
    assert statuses(refused) == [403, 403, 200]
    assert [result["body"].get("param") for result in refused[:2]] == [None, "allow_negative"]
    assert statuses(results_in(await batch(gateway, commands, who="admin"))) == [201, 200, 200]


async def test_a_large_batch_is_taken(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    told = {"a": "b" * 4_000}
    commands = [credit(wallet, 1, f"in {number}", metadata=told) for number in range(1_000)]
    results = results_in(await batch(gateway, commands))
    assert statuses(results) == [200] * 1_000
    assert results[-1]["body"]["balance_after"] == 1_000


# All or none.


async def test_all_are_applied(gateway: RunningGateway) -> None:
    wallet, friend = await gateway.open_wallet("cus_1"), await gateway.open_wallet("cus_2")
    before = await gateway.appends()
    commands = [
        credit(wallet, 100, "in"),
        {"type": "transfer", "from": wallet, "to": friend, "amount": 70, "reference": "gift"},
        debit(friend, 70, "out"),
    ]
    reply = await batch(gateway, commands, atomic=True)
    assert (statuses(results_in(reply)), reply.json["atomic"]) == ([200, 201, 200], True)
    assert await gateway.appends() == before + 1
    again = results_in(await batch(gateway, commands, atomic=True))
    assert [result["replayed"] for result in again] == [True] * 3
    assert (await balance(gateway, wallet), await balance(gateway, friend)) == (30, 0)


async def test_one_decline_takes_all_back(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "in")
    before = await gateway.position()
    commands = [debit(wallet, 80, "a"), debit(wallet, 50, "b"), debit(wallet, 1, "c")]
    refused = await batch(gateway, commands, atomic=True)
    assert (refused.status, refused.code, refused.json["index"]) == (409, "batch_declined", 1)
    msgspec.json.decode(refused.body, type=Problem, strict=True)
    results = refused.json["results"]
    assert statuses(results) == [409, 409, 409]
    assert [result["body"]["code"] for result in results] == [
        "batch_declined",
        "insufficient_funds",
        "batch_declined",
    ]
    assert results[1]["body"]["available"] == 20
    assert (await balance(gateway, wallet), await gateway.position()) == (100, before + 1)
    missing = [debit(wallet, 1, "a"), debit("wal_" + "0" * 32, 1, "b")]
    refused = await batch(gateway, missing, atomic=True)
    assert (refused.code, refused.json["index"]) == ("batch_declined", 1)
    assert refused.json["results"][1]["status"] == 404
    assert await gateway.position() == before + 1


async def test_all_that_cannot_be_read_is_named(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    before = await gateway.position()
    commands = [credit(wallet, 1, "in"), {"type": "x"}, debit(wallet, 0, "")]
    refused = await batch(gateway, commands, atomic=True)
    assert (refused.status, refused.code) == (422, "validation_failed")
    assert [error["param"] for error in refused.json["errors"]] == [
        "commands[1].type",
        "commands[2].amount",
        "commands[2].reference",
    ]
    assert await gateway.position() == before


# Lines.


def encoded(commands: Iterable[object]) -> bytes:
    return msgspec.json.Encoder().encode_lines(commands)


async def test_ten_thousand_lines_add_up(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    results = await lines(gateway, encoded(credit(wallet, n, f"{n}") for n in range(1, 10_001)))
    assert statuses(results) == [200] * 10_000
    assert results[-1]["body"]["balance_after"] == sum(range(1, 10_001))
    await gateway.project()
    assert await balance(gateway, wallet) == sum(range(1, 10_001))


async def test_a_bad_line_stops_nothing(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    data = b"\n".join(
        [
            *(msgspec.json.encode(credit(wallet, 100, "in")) + b"\r", b"", b"{", b'"\xff"'),
            b'{"type":"debit","x":"' + b"x" * 140_000 + b'"}',
            b'{"x":' + b"[" * 60_000 + b"]" * 60_000 + b"}",
            msgspec.json.encode(debit(wallet, 101, "no")),
            msgspec.json.encode(debit(wallet, 40, "out")),
        ]
    )
    results = await lines(gateway, data)
    assert statuses(results) == [200, 400, 400, 400, 413, 400, 409, 200]
    assert results[4]["body"]["code"] == "payload_too_large"
    assert await balance(gateway, wallet) == 60
    assert await lines(gateway, b"") == []


async def test_lines_are_repeated_by_their_key(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    data = encoded([credit(wallet, 5, "in"), debit(wallet, 9, "no")])
    first = await lines(gateway, data, **{"Idempotency-Key": "file"})
    await gateway.credit(wallet, 100, "more")
    again = await lines(gateway, data, **{"Idempotency-Key": "file"})
    assert [result["replayed"] for result in again] == [True, True]
    assert statuses(again) == statuses(first) == [200, 409]
    alone = await gateway.post(
        f"/wallets/{wallet}/debit",
        {"amount": 9, "reference": "no"},
        headers={"Idempotency-Key": "file/1"},
    )
    assert alone.headers["Idempotent-Replayed"] == "true"


async def test_too_many_lines_end_the_stream(gateway: RunningGateway) -> None:
    results = await lines(gateway, b"1\n" * 100_001)
    assert len(results) == 100_001
    assert (results[-2]["status"], results[-1]["status"]) == (400, 413)


async def opened(gateway: RunningGateway) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a stream of lines has begun."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 16_384)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)
    connection.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(connection, ("127.0.0.1", gateway.port))
    reader, writer = await asyncio.open_connection(sock=connection)
    head = (
        "POST /v1/batch HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
        "Content-Type: application/x-ndjson\r\n"
        f"Authorization: {gateway.authorization()}\r\n\r\n"
    )
    writer.write(head.encode())
    assert b" 200 " in await reader.readline()
    await reader.readuntil(b"\r\n\r\n")
    return reader, writer


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


async def test_a_result_does_not_wait_for_the_next_line(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    reader, writer = await opened(gateway)
    for number in range(3):
        writer.write(chunk(encoded([credit(wallet, 5, f"in {number}")])))
        size = await asyncio.wait_for(reader.readline(), 5)
        result = msgspec.json.decode(await reader.readexactly(int(size, 16)))
        assert (result["index"], result["status"]) == (number, 200)
        assert await reader.readline() == b"\r\n"
    writer.write(b"0\r\n\r\n")
    assert await asyncio.wait_for(reader.readexactly(5), 5) == b"0\r\n\r\n"
    writer.close()
    await writer.wait_closed()


async def test_a_stream_ends_when_the_gateway_stops(database: str) -> None:
    """What was taken in is answered, the last line says where to go on, and nobody waits long."""
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(running_gateway(database))
        wallet = await gateway.open_wallet()
        reader, writer = await opened(gateway)
        writer.write(chunk(encoded(credit(wallet, 1, f"in {n}") for n in range(3)) + b'{"type":'))
        await reader.readuntil(b"}}\n\r\n")
        async with asyncio.timeout(8):
            stopping = asyncio.create_task(stack.aclose())
            last = await received(reader)
            writer.close()
            await stopping
    result = msgspec.json.decode(last, type=BatchResult)
    assert (result.index, result.status, result.replayed) == (3, 503, False)
    assert msgspec.json.decode(result.body, type=Problem).code == "stopping"


async def test_who_does_not_take_results_does_not_keep_the_gateway(database: str) -> None:
    async with AsyncExitStack() as stack:
        gateway = await stack.enter_async_context(running_gateway(database))
        _, writer = await opened(gateway)
        told = encoded([{"type": "void", "hold_id": "hol_" + "0" * 32, "padding": "x" * 1_000}])
        writer.write(chunk(told * 30_000))
        sending = asyncio.ensure_future(writer.drain())
        done, _ = await asyncio.wait([sending], timeout=1.5)
        assert not done
        async with asyncio.timeout(8):
            await stack.aclose()
        with pytest.raises(ConnectionError):
            await sending


async def received(reader: asyncio.StreamReader) -> bytes:
    """What comes in chunks until the end."""
    body = b""
    while size := int(await reader.readline(), 16):
        body += await reader.readexactly(size)
        assert await reader.readline() == b"\r\n"
    return body


async def test_who_goes_away_stops_it_and_keeps_what_was_done(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    _, writer = await opened(gateway)
    writer.write(chunk(encoded(credit(wallet, 1, f"in {number}") for number in range(50))))
    await writer.drain()
    async with asyncio.timeout(10):
        while await balance(gateway, wallet) < 50:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0.01)
    writer.transport.abort()
    results = await lines(gateway, encoded([debit(wallet, 50, "out")]))
    assert results[0]["body"]["balance_after"] == 0


async def test_who_does_not_take_results_is_not_read_from(gateway: RunningGateway) -> None:
    """The writer blocks long before all is sent, and all comes once the results are taken."""
    reader, writer = await opened(gateway)
    # More than the kernel keeps under way in both directions together.
    told = encoded([{"type": "void", "hold_id": "hol_" + "0" * 32, "padding": "x" * 1_000}])
    writer.write(chunk(told * 30_000) + b"0\r\n\r\n")
    sending = asyncio.ensure_future(writer.drain())
    done, _ = await asyncio.wait([sending], timeout=1.5)
    assert not done
    received = b""
    while not received.endswith(b"\r\n0\r\n\r\n"):
        received = received[-16:] + await asyncio.wait_for(reader.read(1 << 16), 30)
    await sending
    writer.close()
    await writer.wait_closed()
