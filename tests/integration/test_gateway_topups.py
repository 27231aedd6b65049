"""Top-ups over HTTP, on real PostgreSQL; what a provider would tell is handed in as a command."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from ledger.command_handling.processor import CommandProcessor
from ledger.command_handling.submission import Settled, Submission
from ledger.event_log.postgres import PostgresEventLog
from schemas.commands import CompleteTopup
from schemas.http.credit_wallets import Topup, Transaction
from services.gateway.authentication import MAX_CREDENTIAL_AGE_SECONDS
from services.gateway.payments.providers import PaymentSettings
from services.runtime.environment import SystemEnvironment
from services.runtime.settings import SecretText
from tests.specs.running_gateway import PUBLIC_URL, Reply, RunningGateway, running_gateway

# Nobody answers there: these tests open no page.
PAYMENTS = PaymentSettings(
    provider_url="http://127.0.0.1:1",
    api_key=SecretText("key"),
    callback_secret=SecretText("secret"),
)
THANKS = "https://shop.example/thanks"
GOOD: dict[str, Any] = {"amount": 500, "redirect_url": THANKS, "reference": "basket-1"}


class Payments:
    """Payments as they come in, from another process than the gateway's."""

    def __init__(self, processor: CommandProcessor, tenant_id: str) -> None:
        self._processor = processor
        self._tenant_id = tenant_id

    async def come(
        self, topup_id: str, amount: int, payment_id: str, currency: str = "GHS"
    ) -> Settled:
        """One has come."""
        command = CompleteTopup(
            topup_id=topup_id, payment_id=payment_id, amount=amount, currency=currency
        )
        return await self._processor.enqueue(
            Submission(
                tenant_id=self._tenant_id,
                command=command,
                command_id=None,
                who="provider:sandbox",
                correlation_id=None,
            )
        )


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database, PAYMENTS) as gateway:
        yield gateway


@pytest.fixture
async def payments(database: str, gateway: RunningGateway) -> AsyncIterator[Payments]:
    log = PostgresEventLog(database)
    processor = CommandProcessor(log, SystemEnvironment())
    await processor.start()
    yield Payments(processor, gateway.merchant.sandbox_tenant_id)
    await processor.stop()
    await log.close()


def topup_in(reply: Reply) -> Topup:
    assert reply.status in (200, 201), reply
    return msgspec.json.decode(reply.body, type=Topup, strict=True)


async def topup_now(gateway: RunningGateway, topup_id: str) -> Topup:
    await gateway.project()
    return topup_in(await gateway.get(f"/topups/{topup_id}"))


async def test_a_topup_is_created_and_read(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    body = GOOD | {"cancel_url": "https://shop.example/basket", "metadata": {"a": [1, 2.50]}}
    created = await gateway.post(f"/wallets/{wallet}/topups", body)
    topup = topup_in(created)
    assert created.status == 201
    assert created.headers["Location"] == f"/v1/topups/{topup.id}"
    assert created.headers["ETag"] == '"2"'
    assert topup.checkout_url == f"{PUBLIC_URL}/checkout/{topup.id}"
    assert (topup.wallet_id, topup.status, topup.amount) == (wallet, "pending", 500)
    assert (topup.redirect_url, topup.cancel_url) == (THANKS, "https://shop.example/basket")
    assert (topup.transaction_id, topup.payment_id, topup.code) == (None, None, None)
    assert topup.expires_at - topup.created_at == timedelta(minutes=30)
    await gateway.project()
    read = await gateway.get(f"/topups/{topup.id}")
    assert (read.body, read.headers["ETag"]) == (created.body, '"2"')
    shown = (await gateway.get(f"/wallets/{wallet}")).json
    assert (shown["balance"], shown["available_balance"]) == (0, 0)


async def test_without_a_reference_it_is_its_own(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    body = {"amount": 500, "redirect_url": THANKS}
    first, second = [await gateway.post(f"/wallets/{wallet}/topups", body) for _ in range(2)]
    assert topup_in(first).reference == topup_in(first).id
    assert topup_in(first).id != topup_in(second).id


async def test_names_make_it_repeatable(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    path = f"/wallets/{wallet}/topups"
    first = await gateway.post(path, GOOD)
    again = await gateway.post(path, GOOD)
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await gateway.post(path, GOOD | {"amount": 501})
    assert (other.status, other.code) == (409, "reference_reused")
    key = {"Idempotency-Key": "key-1"}
    named = await gateway.post(path, GOOD | {"reference": "basket-2"}, headers=key)
    cancelled = await gateway.post(f"/topups/{named.json['id']}/cancel")
    assert cancelled.status == 200
    again = await gateway.post(path, GOOD | {"reference": "basket-2"}, headers=key)
    assert (again.status, again.body) == (201, named.body)


async def test_a_payment_completes_it(gateway: RunningGateway, payments: Payments) -> None:
    wallet = await gateway.open_wallet()
    topup = await gateway.create_topup(wallet, 500, reference="basket-1")
    await payments.come(topup, 500, "pay_1")
    found = await topup_now(gateway, topup)
    assert (found.status, found.payment_id, found.code) == ("completed", "pay_1", None)
    paid = await gateway.get(f"/transactions/{found.transaction_id}")
    line = msgspec.json.decode(paid.body, type=Transaction, strict=True)
    assert (line.type, line.kind, line.status) == ("topup", "topup", "completed")
    assert (line.topup_id, line.payment_id, line.reference) == (topup, "pay_1", "basket-1")
    assert (line.balance_before, line.balance_after, line.amount) == (0, 500, 500)
    listed = await gateway.get(f"/wallets/{wallet}/transactions?type=topup")
    assert [entry["id"] for entry in listed.json["data"]] == [found.transaction_id]
    undone = await gateway.post(
        f"/transactions/{found.transaction_id}/reverse", {"reference": "refund"}
    )
    assert (undone.status, undone.code) == (409, "not_reversible")
    # Told again, and then a second one: the wallet is credited once.
    await payments.come(topup, 500, "pay_1")
    await payments.come(topup, 500, "pay_2")
    assert (await gateway.get(f"/wallets/{wallet}")).json["balance"] == 500
    assert (await topup_now(gateway, topup)).payment_id == "pay_1"
    failed = (await gateway.get(f"/wallets/{wallet}/transactions?status=failed")).json["data"]
    assert [(each["payment_id"], each["code"]) for each in failed] == [
        ("pay_2", "topup_already_paid")
    ]


async def test_a_payment_that_is_not_applied_is_shown_with_its_code(
    gateway: RunningGateway, payments: Payments
) -> None:
    wallet = await gateway.open_wallet()
    topup = await gateway.create_topup(wallet, 500)
    await gateway.post(f"/wallets/{wallet}/freeze", {"scope": "credits"})
    await payments.come(topup, 500, "pay_1")
    found = await topup_now(gateway, topup)
    assert (found.status, found.payment_id, found.code) == ("unapplied", "pay_1", "wallet_frozen")
    line = (await gateway.get(f"/transactions/{found.transaction_id}")).json
    assert (line["status"], line["code"], line["type"]) == ("failed", "wallet_frozen", "topup")
    listed = await gateway.get(f"/wallets/{wallet}/topups?status=unapplied")
    assert [entry["id"] for entry in listed.json["data"]] == [topup]
    assert (await gateway.get(f"/wallets/{wallet}")).json["balance"] == 0


async def test_a_cancelled_one_is_over_but_its_payment_still_counts(
    gateway: RunningGateway, payments: Payments
) -> None:
    wallet = await gateway.open_wallet()
    topup = await gateway.create_topup(wallet, 500)
    cancelled = await gateway.post(f"/topups/{topup}/cancel", {})
    assert topup_in(cancelled).status == "cancelled"
    await gateway.project()
    assert (await gateway.get(f"/topups/{topup}")).body == cancelled.body
    again = await gateway.post(f"/topups/{topup}/cancel")
    assert (again.status, again.code) == (409, "topup_not_pending")
    assert again.json["topup_id"] == topup
    await payments.come(topup, 500, "pay_1")
    assert (await topup_now(gateway, topup)).status == "completed"
    assert (await gateway.get(f"/wallets/{wallet}")).json["balance"] == 500


async def test_it_expires_when_its_moment_has_come(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    soon = datetime.now(UTC) + timedelta(seconds=0.4)
    topup = await gateway.create_topup(wallet, 500, expires_at=soon.isoformat())
    await asyncio.sleep(0.5)
    # Nothing has swept: the next command lets it lapse first.
    over = await gateway.post(f"/topups/{topup}/cancel")
    assert (over.status, over.code) == (409, "topup_not_pending")
    found = await topup_now(gateway, topup)
    assert (found.status, found.expires_at) == ("expired", soon)


async def test_closing_ends_what_is_pending(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    topup = await gateway.create_topup(wallet, 500)
    assert (await gateway.post(f"/wallets/{wallet}/close")).status == 200
    assert (await topup_now(gateway, topup)).status == "cancelled"


async def test_what_the_wallets_state_forbids(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    path = f"/wallets/{wallet}/topups"
    past = await gateway.post(path, GOOD | {"expires_at": "2020-01-01"})
    assert (past.status, past.code, past.json["param"]) == (422, "expiry_not_ahead", "expires_at")
    await gateway.credit(wallet, 2**53 - 1, "all the money")
    over = await gateway.post(path, GOOD)
    assert (over.status, over.code) == (409, "balance_limit_exceeded")
    assert (over.json["wallet_id"], over.json["limit"]) == (wallet, 2**53 - 1)
    await gateway.post(f"/wallets/{wallet}/freeze", {"scope": "credits"})
    assert (await gateway.post(path, GOOD)).code == "wallet_frozen"
    await gateway.post(f"/wallets/{wallet}/unfreeze")
    await gateway.post(f"/wallets/{wallet}/close", {"remaining_balance": "forfeit"})
    assert (await gateway.post(path, GOOD)).code == "wallet_closed"
    # None of them has used the reference up.
    other = await gateway.open_wallet("cus_2")
    await gateway.post(f"/wallets/{other}/freeze", {"scope": "debits"})
    assert (await gateway.post(f"/wallets/{other}/topups", GOOD)).status == 201


async def test_a_wallet_has_so_many_pending_at_once(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    named = await asyncio.gather(*(gateway.create_topup(wallet, 5) for _ in range(100)))
    refused = await gateway.post(f"/wallets/{wallet}/topups", GOOD)
    assert (refused.status, refused.code) == (409, "too_many_topups")
    assert (refused.json["limit"], refused.json["wallet_id"]) == (100, wallet)
    await gateway.post(f"/topups/{named[0]}/cancel")
    assert (await gateway.post(f"/wallets/{wallet}/topups", GOOD)).status == 201


async def test_topups_are_listed_page_by_page(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    named = [await gateway.create_topup(wallet, 5) for _ in range(5)]
    await gateway.post(f"/topups/{named[2]}/cancel")
    await gateway.project()
    path = f"/wallets/{wallet}/topups"
    everything = await gateway.get(path)
    ids = [entry["id"] for entry in everything.json["data"]]
    assert (ids, everything.json["has_more"]) == ([*reversed(named)], False)
    assert {entry["checkout_url"] for entry in everything.json["data"]} == {
        f"{PUBLIC_URL}/checkout/{name}" for name in named
    }
    first = (await gateway.get(f"{path}?status=pending&limit=2")).json
    assert [entry["id"] for entry in first["data"]] == [named[4], named[3]]
    cursor = first["next_cursor"]
    second = (await gateway.get(f"{path}?status=pending&limit=2&after={cursor}")).json
    assert [entry["id"] for entry in second["data"]] == [named[1], named[0]]
    assert (second["has_more"], second["next_cursor"]) == (False, None)
    assert (await gateway.get(f"{path}?limit=2&after={cursor}")).code == "invalid_cursor"
    only = (await gateway.get(f"{path}?status=cancelled")).json["data"]
    assert [entry["id"] for entry in only] == [named[2]]


async def test_it_is_read_by_its_merchant_and_not_before_it_is_shown(
    gateway: RunningGateway,
) -> None:
    wallet = await gateway.open_wallet()
    await gateway.project()
    topup = await gateway.create_topup(wallet, 5)
    behind = await gateway.get(f"/topups/{topup}")
    assert (behind.status, behind.code) == (503, "read_model_behind")
    await gateway.project()
    for who in ("stranger", "live"):
        for reply in (
            await gateway.get(f"/topups/{topup}", who=who),
            await gateway.post(f"/topups/{topup}/cancel", who=who),
        ):
            assert (reply.status, reply.code) == (404, "topup_not_found")
    eventual = await gateway.get(
        f"/topups/{topup}", headers={"Ledger-Consistency": "eventual"}, who="reader"
    )
    assert (eventual.status, eventual.headers["Ledger-Lag"]) == (200, "0")


async def test_all_that_is_wrong_is_named_at_once(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    body = {"amount": 0, "redirect_url": "javascript:alert(1)", "cancel_url": "//evil.example"}
    reply = await gateway.post(f"/wallets/{wallet}/topups", body)
    assert (reply.status, reply.code) == (422, "validation_failed")
    assert [(error["param"], error["code"]) for error in reply.json["errors"]] == [
        ("amount", "out_of_range"),
        ("redirect_url", "redirect_not_allowed"),
        ("cancel_url", "redirect_not_allowed"),
    ]
    assert b"evil" not in reply.body, "what is refused is not repeated"


async def test_a_live_tenant_has_no_provider_yet(gateway: RunningGateway) -> None:
    reply = await gateway.post("/wallets", {"customer_id": "cus_1", "currency": "GHS"}, who="live")
    refused = await gateway.post(f"/wallets/{reply.json['id']}/topups", GOOD, who="live")
    assert (refused.status, refused.code) == (409, "topups_unavailable")


async def test_a_merchants_list_of_origins_is_kept_to(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    path = f"/wallets/{wallet}/topups"
    body = {"amount": 5, "redirect_url": "http://localhost:3000/thanks"}
    assert (await gateway.post(path, body)).status == 201
    merchant_id = UUID(gateway.merchant.merchant_id)
    await gateway.administrator.allow_redirect(merchant_id, "https://shop.example")
    # What the gateway has read of a merchant is never older than this.
    await asyncio.sleep(MAX_CREDENTIAL_AGE_SECONDS)
    refused = await gateway.post(path, body)
    assert (refused.status, refused.code) == (422, "validation_failed")
    assert refused.json["param"] == "redirect_url"
    assert (await gateway.post(path, body | {"redirect_url": THANKS})).status == 201
    back = body | {"redirect_url": THANKS, "cancel_url": "https://other.example/"}
    assert (await gateway.post(path, back)).json["param"] == "cancel_url"
