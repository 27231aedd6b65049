"""What happened to a wallet, over HTTP: all of it, with who and when, as the log has it."""

from collections.abc import AsyncIterator

import pytest

from tests.specs.baas_client import BaasClient, in_credit_wallets
from tests.specs.running_gateway import RunningGateway, running_gateway

NEWEST_FIRST = ["wallet.unfrozen", "wallet.frozen", "wallet.debit_declined", "wallet.opened"]


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database) as gateway:
        yield gateway


async def a_history(gateway: RunningGateway) -> str:
    """A wallet that was opened, debited in vain, frozen and unfrozen."""
    wallet = await gateway.open_wallet()
    body = {"amount": 5, "reference": "r", "description": ""}
    assert (await gateway.post(f"/wallets/{wallet}/debit", body)).status == 409
    freeze = {"scope": "all", "reason": "Reported as stolen"}
    headers = {"Idempotency-Key": "ticket-7", "X-Correlation-Id": "case-12"}
    assert (await gateway.post(f"/wallets/{wallet}/freeze", freeze, headers=headers)).status == 200
    assert (await gateway.post(f"/wallets/{wallet}/unfreeze", {"reason": "Found"})).status == 200
    return wallet


async def test_who_froze_a_wallet_when_and_why_can_be_seen(gateway: RunningGateway) -> None:
    wallet = await a_history(gateway)

    reply = await gateway.get(f"/wallets/{wallet}/events")

    assert (reply.status, reply.headers["ETag"]) == (200, '"4"')
    events = reply.json["data"]
    assert [event["type"] for event in events] == NEWEST_FIRST
    assert [event["version"] for event in events] == [4, 3, 2, 1]
    frozen = events[1]
    assert frozen["data"] == {"scope": "all", "reason": "Reported as stolen"}
    assert frozen["who"] == f"client:{gateway.secrets['merchant'].key_id}"
    assert (frozen["command_id"], frozen["correlation_id"]) == ("ticket-7", "case-12")
    shown = (await gateway.get(f"/wallets/{wallet}")).json
    assert events[-1]["created_at"] == shown["created_at"]
    assert events[-1]["data"]["customer_id"] == shown["customer_id"]


async def test_what_a_client_said_is_shown_as_it_was_said(gateway: RunningGateway) -> None:
    """Number by number: none of them is rounded on the way."""
    wallet = await gateway.open_wallet()
    metadata = b'{"big":12345678901234567890.5,"small":1}'
    body = b'{"amount":5,"reference":"r","description":"","metadata":%b}' % metadata
    assert (await gateway.call("POST", f"/v1/wallets/{wallet}/credit", data=body)).status == 200
    reply = await gateway.get(f"/wallets/{wallet}/events")
    assert b'"metadata":%b' % metadata in reply.body


async def test_pages_hold_every_event_once(gateway: RunningGateway) -> None:
    wallet = await a_history(gateway)
    found, after = [], ""
    while True:
        page = await gateway.get(f"/wallets/{wallet}/events?limit=2{after}")
        found += [event["type"] for event in page.json["data"]]
        if not page.json["has_more"]:
            break
        after = f"&after={page.json['next_cursor']}"
    assert found == NEWEST_FIRST
    other = await gateway.open_wallet("another")
    strange = await gateway.get(f"/wallets/{other}/events?limit=2{after}")
    assert (strange.status, strange.code) == (400, "invalid_cursor")


async def test_only_the_tenants_own_wallets_have_events(gateway: RunningGateway) -> None:
    """Its own stream, which has its administrators' doings, is none of them."""
    wallet = await gateway.open_wallet()
    tenant = gateway.merchant.sandbox_tenant_id.replace("-", "")
    for path in (f"/wallets/wal_{tenant}/events", f"/wallets/wal_{'0a' * 16}/events"):
        reply = await gateway.get(path)
        assert (reply.status, reply.code) == (404, "wallet_not_found")
    strange = await gateway.get(f"/wallets/{wallet}/events", who="stranger")
    assert (strange.status, strange.code) == (404, "wallet_not_found")


async def test_a_sealed_identity_is_not_shown(gateway: RunningGateway) -> None:
    baas = BaasClient(gateway)
    _, uuid = await baas.open_wallet("cus_1")
    reply = await gateway.get(f"/wallets/{in_credit_wallets(uuid)}/events")
    assert reply.json["data"][0]["type"] == "wallet.opened"
    assert "identity" not in reply.json["data"][0]["data"]
