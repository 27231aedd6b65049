"""Refusals that depend on what happened before: the wallet's state, and names used twice."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
import structlog

from tests.specs.baas_client import BaasClient, failure, in_credit_wallets
from tests.specs.running_gateway import RunningGateway, running_gateway

GOOD = {"amount": 5, "reference": "ref"}


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database) as gateway:
        yield gateway


async def test_refusals_by_the_wallets_state(gateway: RunningGateway) -> None:
    """They are facts: each is an event, which moves no money."""
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "salary")

    over = await gateway.post(f"/wallets/{wallet}/debit", {"amount": 101, "reference": "a"})
    assert (over.status, over.code) == (409, "insufficient_funds")
    assert (over.json["amount"], over.json["available"]) == (101, 100)
    assert over.json["wallet_id"] == wallet

    too_much = {"amount": 2**53 - 1, "reference": "b"}
    reply = await gateway.post(f"/wallets/{wallet}/credit", too_much)
    assert (reply.status, reply.code) == (409, "balance_limit_exceeded")

    reply = await gateway.post(f"/wallets/{wallet}/close")
    assert (reply.status, reply.code) == (409, "wallet_not_empty")
    assert reply.json["balance"] == 100

    await gateway.post(f"/wallets/{wallet}/freeze")
    reply = await gateway.post(f"/wallets/{wallet}/debit", {"amount": 1, "reference": "c"})
    assert (reply.status, reply.code) == (409, "wallet_frozen")
    reply = await gateway.post(f"/wallets/{wallet}/close", {"remaining_balance": "forfeit"})
    assert reply.status == 409

    await gateway.post(f"/wallets/{wallet}/unfreeze")
    reply = await gateway.post(f"/wallets/{wallet}/close", {"remaining_balance": "forfeit"})
    assert reply.status == 200
    for verb, body in {
        "debit": {"amount": 1, "reference": "d"},
        "credit": {"amount": 1, "reference": "d"},
        "freeze": None,
        "unfreeze": None,
    }.items():
        reply = await gateway.post(f"/wallets/{wallet}/{verb}", body)
        assert (reply.status, reply.code) == (409, "wallet_closed")
    assert (await gateway.get(f"/wallets/{wallet}")).json["balance"] == 0


async def test_a_refusal_names_the_wallet_whose_state_is_the_reason(
    gateway: RunningGateway,
) -> None:
    """Of two, that is the other one; and it does so again where the call is repeated."""
    sender, receiver = await gateway.open_wallet("a"), await gateway.open_wallet("b")
    await gateway.credit(sender, 100, "salary")
    move = {"from": sender, "to": receiver, "amount": 60, "reference": "move"}
    transfer = (await gateway.post("/transfers", move)).json
    spent = {"amount": 60, "reference": "spent"}
    assert (await gateway.post(f"/wallets/{receiver}/debit", spent)).status == 200

    by_sender = f"/transactions/{transfer['sent_transaction_id']}/reverse"
    short = await declined_again(gateway, by_sender, {"reference": "undo"})
    assert (short["code"], short["amount"], short["available"]) == ("insufficient_funds", 60, 0)
    assert short["wallet_id"] == receiver

    await gateway.credit(receiver, 2**53 - 1, "full")
    over = await declined_again(gateway, "/transfers", move | {"amount": 40, "reference": "more"})
    assert (over["code"], over["balance"]) == ("balance_limit_exceeded", 2**53 - 1)
    assert over["wallet_id"] == receiver

    close = {"remaining_balance": {"transfer_to": receiver}}
    over = await declined_again(gateway, f"/wallets/{sender}/close", close)
    assert (over["code"], over["amount"]) == ("balance_limit_exceeded", 40)
    assert over["wallet_id"] == receiver


async def declined_again(gateway: RunningGateway, path: str, body: object) -> Any:
    """The problem of a call that is made twice under one key, without what names each call."""
    told = []
    for _ in range(2):
        reply = await gateway.post(path, body, headers={"Idempotency-Key": path})
        assert reply.status == 409, reply
        told.append(reply.json | {"request_id": ""})
    assert told[0] == told[1]
    return told[0]


async def test_the_log_says_why_a_command_was_declined(gateway: RunningGateway) -> None:
    """Of both APIs, of which the second has no code in its answer."""
    baas = BaasClient(gateway)
    user_id, uuid = await baas.open_wallet("cus_1")
    wallet = in_credit_wallets(uuid)
    wish = {"customer_id": user_id, "amount": 1}
    with structlog.testing.capture_logs() as logged:
        await gateway.post(f"/wallets/{wallet}/debit", GOOD)
        await baas.post("/wallets/debit", wish)
        await gateway.post(f"/wallets/{wallet}/debit", {**GOOD, "amount": 0})
        await gateway.post("/batch", {"atomic": True, "commands": [debit(wallet)]})
        await gateway.get("/nothing")
    told = [
        (line["status"], line["reason"]) for line in logged if line["event"] == "request_answered"
    ]
    assert told == [
        (409, "insufficient_funds"),
        (409, "insufficient_funds"),
        (422, "validation_failed"),
        (409, "batch_declined"),
        (404, "not_found"),
    ]


def debit(wallet: str) -> dict[str, object]:
    return {"type": "debit", "wallet_id": wallet, **GOOD}


async def test_a_batch_says_what_is_wrong_as_a_single_call_does(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    spoiled = {"amount": 0, "reference": ""}
    words = ("amount must be from 1 to 9007199254740991", "reference must not be empty")
    single = await gateway.post(f"/wallets/{wallet}/debit", spoiled)
    assert single.json["detail"] == "; ".join(words)
    commands: list[object] = [debit(wallet), debit(wallet) | spoiled]
    reply = await gateway.post("/batch", {"atomic": True, "commands": commands})
    assert reply.json["detail"] == "; ".join(f"commands[1].{each}" for each in words)
    reply = await gateway.post("/batch", {"atomic": True, "commands": [*commands, []]})
    assert reply.json["detail"] == "commands[2] is refused: it is JSON, but not an object"


@pytest.mark.parametrize("query", ["?_=1767225600&utm_source=x", "?traceparent=00-0a-0b-01"])
async def test_a_list_ignores_what_says_nothing_of_it(gateway: RunningGateway, query: str) -> None:
    """A client may add to every call what defeats a cache, or traces it."""
    baas = BaasClient(gateway)
    user_id, uuid = await baas.open_wallet("cus_1")
    wallet = in_credit_wallets(uuid)
    await gateway.credit(wallet, 5, "in")
    await gateway.project()
    of_wallet = [f"/wallets/{wallet}/{each}" for each in ("transactions", "holds", "topups")]
    for path in ("/wallets", "/accounts", "/accounts/merchant.NGN/entries", *of_wallet):
        assert (await gateway.get(path + query)).json == (await gateway.get(path)).json
    for path in ("/wallets", f"/transactions/customer/{user_id}"):
        assert (await baas.get(path + query)).json == (await baas.get(path)).json


async def test_what_a_list_takes_is_said_where_it_is_asked_otherwise(
    gateway: RunningGateway,
) -> None:
    refused = await gateway.get("/wallets?cursor=abc")
    assert refused.json["detail"] == (
        "cursor is no parameter of this list, which takes customer_id, currency, status, limit, "
        "after"
    )
    elsewhere = await BaasClient(gateway).get("/wallets?after=abc")
    words = "is no parameter of this list, which takes page, limit, page_number, page_size"
    assert failure(elsewhere) == (400, "Invalid parameter", {"after": words})


async def test_a_second_wallet_is_refused_and_names_the_first(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet("cus_1", "GHS")
    before = await gateway.position()
    reply = await gateway.post("/wallets", {"customer_id": "cus_1", "currency": "GHS"})
    assert (reply.status, reply.code) == (409, "wallet_exists")
    assert reply.json["wallet_id"] == wallet
    assert await gateway.position() == before


@pytest.mark.parametrize("change", [{"amount": 6}, {"description": "x"}, {"metadata": {"a": 1}}])
async def test_a_reference_reused_for_something_else(
    gateway: RunningGateway, change: dict[str, object]
) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "salary")
    first = await gateway.post(f"/wallets/{wallet}/debit", GOOD)
    assert first.status == 200
    before = await gateway.position()
    reply = await gateway.post(f"/wallets/{wallet}/debit", GOOD | change)
    assert (reply.status, reply.code) == (409, "reference_reused")
    assert reply.json["param"] == "reference"
    assert await gateway.position() == before


async def test_an_idempotency_key_reused_for_something_else(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    key = {"Idempotency-Key": "key-1"}
    assert (await gateway.post(f"/wallets/{wallet}/freeze", headers=key)).status == 200
    reply = await gateway.post(f"/wallets/{wallet}/unfreeze", headers=key)
    assert (reply.status, reply.code) == (409, "reference_reused")
    assert reply.json["param"] == "Idempotency-Key"


async def test_a_cursor_of_another_list_is_refused(gateway: RunningGateway) -> None:
    wallets = [await gateway.open_wallet(f"cus_{number}") for number in range(3)]
    await gateway.project()
    page = await gateway.get("/wallets?limit=1")
    cursor = page.json["next_cursor"]
    assert (await gateway.get(f"/wallets?limit=1&after={cursor}")).status == 200
    for path in (
        f"/wallets?currency=GHS&after={cursor}",
        f"/wallets/{wallets[0]}/transactions?after={cursor}",
        f"/wallets?after={cursor[:-1]}",
        f"/wallets?after={cursor}%3D",
    ):
        assert (await gateway.get(path)).code == "invalid_cursor"
    reply = await gateway.get(f"/wallets?after={cursor}", who="stranger")
    assert reply.code == "invalid_cursor"
