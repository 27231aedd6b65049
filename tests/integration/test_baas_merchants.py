"""The merchant's own wallet, as the BaaS API shows it: an account of the books."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from schemas.http.baas_wallets import WalletAnswer
from tests.specs.baas_client import BaasClient, failure, in_credit_wallets
from tests.specs.running_gateway import FAST, running_gateway


@pytest.fixture
async def baas(database: str) -> AsyncIterator[BaasClient]:
    async with running_gateway(database) as gateway:
        yield BaasClient(gateway)


async def _shown(baas: BaasClient, **options: Any) -> Any:
    await baas.gateway.project("trial_balance")
    reply = await baas.get("/wallets/merchants", **options)
    assert reply.status == 200, reply
    return reply.json["data"]


async def test_a_merchant_without_customers_has_an_empty_wallet(baas: BaasClient) -> None:
    reply = await baas.get("/wallets/merchants")
    assert reply.status == 200
    answer = msgspec.json.decode(reply.body, type=WalletAnswer)
    assert (answer.success, answer.message) == (True, "wallet detail retrieved successfully")
    shown = reply.json["data"]
    assert {name: shown[name] for name in shown if not name.endswith("_at")} == {
        "id": baas.gateway.merchant.sandbox_tenant_id,
        "merchant_id": baas.gateway.merchant.merchant_id,
        "environment": "SANDBOX",
        "currency": "NGN",
        "bank_name": "Sandbox Bank",
        "bank_code": "999999",
        "account_name": "merchant",
        "account_number": None,
        "booked_balance": 0,
        "available_balance": 0,
        "status": "ACTIVE",
        "updated": False,
        "wallet_type": "Merchant",
        "user_id": None,
        "account_type": "WALLET",
        "account_category": "MERCHANT",
        "tier": None,
        "expiry_time": None,
    }
    assert shown["created_at"] == shown["updated_at"]


async def test_crediting_a_customer_takes_from_it_and_debiting_one_gives(baas: BaasClient) -> None:
    """It goes below zero, and the credit succeeds all the same."""
    user_id, _ = await baas.open_wallet()
    await baas.credit(user_id, 1000.55, "in")
    shown = await _shown(baas)
    assert (shown["booked_balance"], shown["available_balance"]) == (-1000.55, -1000.55)
    assert shown["updated_at"] > shown["created_at"]
    body = {"amount": 1000.05, "customer_id": user_id, "reference": "out"}
    assert (await baas.post("/wallets/debit", body)).status == 201
    assert (await _shown(baas))["booked_balance"] == -0.5


async def test_its_money_is_that_of_the_books(baas: BaasClient) -> None:
    """In naira only: what the other contract moves counts, another currency does not."""
    _, wallet_id = await baas.open_wallet()
    wallet = in_credit_wallets(wallet_id)
    await baas.gateway.credit(wallet, 10_000, "in")
    hold = await baas.gateway.place_hold(wallet, 700, "ride")
    captured = await baas.gateway.post(f"/holds/{hold}/capture", {"amount": 700, "final": True})
    assert captured.status == 200, captured
    cedis = await baas.gateway.open_wallet("cus_2")
    await baas.gateway.credit(cedis, 5, "cedis")
    assert (await _shown(baas))["booked_balance"] == -93
    account = [
        each
        for each in (await baas.gateway.get("/accounts")).json["data"]
        if each["id"] == "merchant.NGN"
    ]
    assert [each["balance"] for each in account] == [9_300]


async def test_live_sandbox_and_strangers_are_apart(baas: BaasClient) -> None:
    user_id, _ = await baas.open_wallet()
    await baas.credit(user_id, 3, "in")
    live = await _shown(baas, who="live")
    assert (live["environment"], live["booked_balance"]) == ("LIVE", 0)
    assert live["merchant_id"] == baas.gateway.merchant.merchant_id
    theirs = await _shown(baas, who="stranger")
    assert (theirs["account_name"], theirs["booked_balance"]) == ("stranger", 0)
    assert (await _shown(baas, who="reader"))["booked_balance"] == -3


async def test_what_is_not_booked_yet_is_refused(baas: BaasClient) -> None:
    user_id, _ = await baas.open_wallet()
    await baas.credit(user_id, 3, "in")
    reply = await baas.get("/wallets/merchants")
    assert failure(reply)[:2] == (503, "The newest change is not shown yet, try again")
    assert reply.headers["Retry-After"] == "1"
    shown = (await baas.get("/wallets/merchants", headers=FAST)).json["data"]
    assert shown["booked_balance"] == 0
