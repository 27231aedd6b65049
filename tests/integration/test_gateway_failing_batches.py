"""Batches while the ledger is too busy, or away: on a log in memory that can be stopped."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from ledger.command_handling.processor import MAX_WAITING_COMMANDS
from schemas.commands import CreditWallet
from schemas.http.batches import BatchResult
from tests.specs.memory_gateway import MemoryGateway, memory_gateway, until

HALF = MAX_WAITING_COMMANDS // 2


@pytest.fixture
async def gateway() -> AsyncIterator[MemoryGateway]:
    async with memory_gateway() as gateway:
        yield gateway


def credits_of(wallet: str, count: int, name: str) -> list[CreditWallet]:
    return [CreditWallet(wallet_id=wallet, amount=1, reference=f"{name} {n}") for n in range(count)]


def lines(wallet: str, count: int) -> bytes:
    return msgspec.json.Encoder().encode_lines(
        {"type": "credit", "wallet_id": wallet, "amount": 1, "reference": f"line {n}"}
        for n in range(count)
    )


async def test_a_stream_stands_back_while_many_commands_wait(gateway: MemoryGateway) -> None:
    """What others hand in meanwhile is decided first, and nothing of the stream is refused."""
    wallet = await gateway.open_wallet()
    async with gateway.log.exclusively():
        gateway.hand_in(credits_of(wallet, HALF + 1_000, "before"))
        await until(lambda: gateway.processor.waiting_commands == HALF)
        streaming = asyncio.create_task(gateway.batch(lines(wallet, 50), "application/x-ndjson"))
        await asyncio.sleep(0.3)
        assert gateway.processor.waiting_commands == HALF
        gateway.hand_in(credits_of(wallet, 100, "meanwhile"))
    results = msgspec.json.Decoder(BatchResult).decode_lines((await streaming).body)
    assert [result.status for result in results] == [200] * 50
    first = msgspec.json.decode(results[0].body)
    assert first["balance_after"] == HALF + 1_000 + 100 + 1


async def test_a_stream_stands_back_for_a_while_only(
    gateway: MemoryGateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is handed in all the same; where there is no room left, each line says so."""
    monkeypatch.setattr("services.gateway.credit_wallets.batch_lines._STAND_BACK_TIMES", 2)
    wallet = await gateway.open_wallet()
    async with gateway.log.exclusively():
        gateway.hand_in(credits_of(wallet, 1_000, "taken"))
        await until(lambda: gateway.processor.waiting_commands == 0)
        gateway.hand_in(credits_of(wallet, MAX_WAITING_COMMANDS - 1, "waiting"))
        streaming = asyncio.create_task(gateway.batch(lines(wallet, 3), "application/x-ndjson"))
        await until(lambda: gateway.processor.waiting_commands == MAX_WAITING_COMMANDS)
    results = msgspec.json.Decoder(BatchResult).decode_lines((await streaming).body)
    assert [result.status for result in results] == [200, 503, 503]
    assert msgspec.json.decode(results[2].body)["code"] == "overloaded"


def together(wallet: str, *more: object, atomic: bool = True) -> dict[str, object]:
    commands = [
        {"type": "credit", "wallet_id": wallet, "amount": 5, "reference": reference}
        for reference in ("one", "two")
    ]
    return {"atomic": atomic, "commands": [*commands, *more]}


async def test_all_or_none_is_one_503_while_the_ledger_is_away(gateway: MemoryGateway) -> None:
    """Nothing happened: the same batch can be sent again."""
    wallet = await gateway.open_wallet()
    before = len(gateway.log.store.events)
    gateway.log.is_away = True
    gateway.processor._contended = True
    reply = await gateway.batch(together(wallet))
    assert (reply.status, reply.code) == (503, "ledger_unavailable")
    assert reply.headers["Retry-After"] == "1"
    assert "results" not in reply.json
    assert len(gateway.log.store.events) == before
    gateway.log.is_away = False
    results = (await gateway.batch(together(wallet))).json["results"]
    assert [result["replayed"] for result in results] == [False, False]


async def test_all_or_none_is_one_503_where_nobody_knows(gateway: MemoryGateway) -> None:
    """It may have happened: the same batch again has one effect."""
    wallet = await gateway.open_wallet()
    gateway.log.goes_away_in_a_commit = True
    gateway.processor._contended = True
    reply = await gateway.batch(together(wallet))
    assert (reply.status, reply.code) == (503, "outcome_unknown")
    gateway.log.goes_away_in_a_commit = gateway.log.is_away = False
    results = (await gateway.batch(together(wallet))).json["results"]
    assert [result["replayed"] for result in results] == [True, True]
    assert [result["body"]["balance_after"] for result in results] == [5, 10]


async def test_what_was_applied_before_is_not_denied_by_a_decline(gateway: MemoryGateway) -> None:
    """They were sent one by one before, and are sent again, under their key, as all or none."""
    wallet = await gateway.open_wallet()
    over = {"type": "debit", "wallet_id": wallet, "amount": 1_000, "reference": "too much"}
    declined = (await gateway.batch(together(wallet, over), key="another")).json
    assert declined["detail"] == "command 2 was declined, so none of the batch was applied"
    one_by_one = (await gateway.batch(together(wallet, atomic=False), key="may")).json["results"]
    assert [each["status"] for each in one_by_one] == [200, 200]
    again = await gateway.batch(together(wallet, over), key="may")
    assert (again.status, again.code, again.json["index"]) == (409, "batch_declined", 2)
    assert [(each["status"], each["replayed"]) for each in again.json["results"]] == [
        (200, True),
        (200, True),
        (409, False),
    ]
    assert again.json["detail"] == (
        "command 2 was declined, and only what is marked replayed and succeeded is applied: "
        "it was before"
    )


async def test_all_or_none_is_one_503_where_there_is_no_room(gateway: MemoryGateway) -> None:
    wallet = await gateway.open_wallet()
    async with gateway.log.exclusively():
        gateway.hand_in(credits_of(wallet, 1_000, "taken"))
        await until(lambda: gateway.processor.waiting_commands == 0)
        gateway.hand_in(credits_of(wallet, MAX_WAITING_COMMANDS - 1, "waiting"))
        reply = await gateway.batch(together(wallet))
    assert (reply.status, reply.code) == (503, "overloaded")
    assert {key.key for key in gateway.log.store.references} & {"one", "two"} == set()
