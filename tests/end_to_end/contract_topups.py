"""What the contract says of top-ups: one check for each of its lines."""

import re
from typing import Any
from uuid import uuid4

from tests.end_to_end.contract_merchant import Check, Merchant, soon
from tests.end_to_end.test_commands_over_kafka import Kcat
from tests.specs.running_stack import eventually

_REDIRECT = "http://localhost:9/paid"


async def _create(on: Merchant, wallet: str, amount: int = 500, **more: object) -> dict[str, Any]:
    body = {"amount": amount, "redirect_url": _REDIRECT, **more}
    topup: dict[str, Any] = await on.post(f"/wallets/{wallet}/topups", body, 201)
    return topup


async def _pay(on: Merchant, topup: dict[str, Any], payment_id: str) -> None:
    """Tell the ledger of a payment, as the side of the payment provider does."""
    sandbox = on.stack.sandbox
    kcat = Kcat(sandbox["KAFKA_BOOTSTRAP"], sandbox["TENANT_ID"])
    command_id = f"pay-{uuid4()}"
    payment = {"payment_id": payment_id, "amount": topup["amount"], "currency": topup["currency"]}
    value = {"topup_id": topup["id"], **payment}
    await kcat.publish("complete_topup", topup["wallet_id"], command_id, value)
    (result,) = await kcat.find("ledger.command-results", lambda each: each.key == command_id)
    assert result.value["status"] == "accepted", result


async def _statuses(on: Merchant, wallet: str) -> list[str]:
    """Of the wallet's top-ups, newest first."""
    page = await on.get(f"/wallets/{wallet}/topups")
    return [each["status"] for each in page["data"]]


async def prefixed_ids(on: Merchant) -> None:
    assert (await _create(on, await on.open()))["id"].startswith("top_")


async def created(on: Merchant) -> None:
    wallet = await on.open()
    topup = await _create(on, wallet, 700, cancel_url="http://localhost:9/cancelled")
    assert (topup["wallet_id"], topup["amount"], topup["status"]) == (wallet, 700, "pending")
    assert topup["checkout_url"].startswith("http")
    assert (await on.get(f"/wallets/{wallet}"))["balance"] == 0
    without = {"amount": 700}
    reply = await on.refused(f"/wallets/{wallet}/topups", without, 422, "validation_failed")
    assert reply.json["param"] == "redirect_url"


async def listed(on: Merchant) -> None:
    wallet = await on.open()
    topups = [await _create(on, wallet, amount) for amount in (1, 2, 3)]
    page = await on.get(f"/wallets/{wallet}/topups")
    assert page == {"data": topups[::-1], "has_more": False, "next_cursor": None}
    first = await on.get(f"/wallets/{wallet}/topups?limit=2")
    rest = await on.get(f"/wallets/{wallet}/topups?limit=2&after={first['next_cursor']}")
    assert first["data"] + rest["data"] == page["data"]


async def frozen_wallet_takes_them(on: Merchant) -> None:
    wallet = await on.open()
    await on.post(f"/wallets/{wallet}/freeze")
    await _pay(on, await _create(on, wallet), uuid4().hex)
    assert await on.balance(wallet) == 500


async def closing_releases_pending_ones(on: Merchant) -> None:
    wallet = await on.open()
    await _create(on, wallet)
    assert (await on.post(f"/wallets/{wallet}/close"))["status"] == "closed"
    assert await _statuses(on, wallet) == ["cancelled"]


async def pending_then_completed(on: Merchant) -> None:
    wallet = await on.open(100)
    topup = await _create(on, wallet)
    assert await _statuses(on, wallet) == ["pending"]
    await _pay(on, topup, uuid4().hex)
    assert await _statuses(on, wallet) == ["completed"]
    (line,) = await on.history(wallet, "?type=topup")
    assert (line["type"], line["amount"]) == ("topup", 500)
    assert (line["balance_before"], line["balance_after"]) == (100, 600)


async def pending_then_cancelled(on: Merchant) -> None:
    wallet = await on.open()
    topup = await _create(on, wallet)
    assert (await on.post(f"/topups/{topup['id']}/cancel"))["status"] == "cancelled"
    assert await _statuses(on, wallet) == ["cancelled"]


async def pending_then_expired(on: Merchant) -> None:
    wallet = await on.open()
    await _create(on, wallet, expires_at=soon())

    async def has_expired() -> bool:
        return await _statuses(on, wallet) == ["expired"]

    await eventually(has_expired, "the top-up has expired")


async def hosted_page(on: Merchant) -> None:
    topup = await _create(on, await on.open())
    path = re.sub(r"^https?://[^/]+", "", topup["checkout_url"])
    # The page is no part of /v1, and its reader has no credentials.
    page = await on.curl.get(f"/..{path}")
    assert page.status == 200
    assert page.headers["Content-Type"].startswith("text/html")


async def once_however_often_the_callback_comes(on: Merchant) -> None:
    wallet = await on.open()
    topup, payment = await _create(on, wallet), uuid4().hex
    for _ in range(3):
        await _pay(on, topup, payment)
    assert await on.balance(wallet) == 500
    assert len(await on.history(wallet, "?type=topup")) == 1


async def reading_ones_own_write(on: Merchant) -> None:
    wallet = await on.open()
    for count in range(1, 6):
        await _create(on, wallet)
        assert len((await on.get(f"/wallets/{wallet}/topups"))["data"]) == count


TOPUPS: dict[str, Check] = {
    "ids of top-ups are prefixed top_": prefixed_ids,
    "POST topups answers 201 and a checkout_url": created,
    "GET topups answers a page of top-ups": listed,
    "a frozen wallet still takes top-ups": frozen_wallet_takes_them,
    "closing releases pending top-ups first": closing_releases_pending_ones,
    "a top-up goes from pending to completed": pending_then_completed,
    "a top-up goes from pending to cancelled": pending_then_cancelled,
    "a top-up goes from pending to expired": pending_then_expired,
    "checkout_url opens a hosted checkout page": hosted_page,
    "a completed top-up is one transaction, however often the callback comes": (
        once_however_often_the_callback_comes
    ),
    "a read of the top-ups shows one's own write": reading_ones_own_write,
}
