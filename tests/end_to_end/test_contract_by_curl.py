"""The Credit Wallets API as its reader would try it: every call, by curl, field by field."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from tests.end_to_end.curl import Curl, merchant
from tests.specs.running_stack import RunningStack

WALLET_FIELDS = {
    *("id", "customer_id", "currency", "balance", "balance_formatted", "status", "created_at"),
    # Beside those that the contract fixes:
    *("user_id", "available_balance", "held_balance", "expiring", "frozen", "metadata"),
    "updated_at",
}
TRANSACTION_FIELDS = {
    *("id", "type", "amount", "balance_before", "balance_after", "reference"),
    # Beside those that the contract fixes:
    *("wallet_id", "kind", "status", "code", "currency", "description", "metadata", "created_at"),
    *("available_balance", "expires_at", "hold_id", "held_amount", "transfer_id"),
    *("other_wallet_id", "reverses", "reversed_amount", "topup_id", "payment_id"),
}
HOLD_FIELDS = {
    *("id", "wallet_id", "status", "amount", "captured_amount", "held_amount", "currency"),
    *("reference", "description", "expires_at", "metadata", "created_at", "updated_at"),
}
TRANSFER_FIELDS = {
    *("id", "from", "to", "amount", "currency", "reference", "description", "metadata"),
    *("sent_transaction_id", "received_transaction_id", "created_at"),
}


@pytest.fixture
def curl(stack: RunningStack) -> Curl:
    """The sandbox's merchant, typing."""
    return merchant(stack)


async def open_wallet(curl: Curl, customer_id: str = "", currency: str = "GHS") -> str:
    body = {"customer_id": customer_id or f"cus_{uuid4().hex}", "currency": currency}
    reply = await curl.post("/wallets", body)
    assert reply.status == 201, reply
    return str(reply.json["id"])


def money(amount: int, reference: str, **more: object) -> dict[str, object]:
    return {"amount": amount, "description": "Airtime", "reference": reference, **more}


async def test_a_wallet_is_created_and_got(curl: Curl) -> None:
    customer = f"cus_{uuid4().hex}"
    body = {"customer_id": customer, "currency": "GHS", "metadata": {"plan": "gold", "n": 1.5}}
    created = await curl.post("/wallets", body)
    wallet = created.json
    assert created.status == 201
    assert created.headers["Content-Type"] == "application/json"
    assert wallet.keys() == WALLET_FIELDS
    assert wallet["id"].startswith("wal_")
    assert (wallet["customer_id"], wallet["currency"]) == (customer, "GHS")
    assert (wallet["balance"], wallet["balance_formatted"]) == (0, "GH₵0.00")
    assert (wallet["status"], wallet["metadata"]) == ("active", body["metadata"])
    assert wallet["created_at"].endswith("Z")
    assert datetime.fromisoformat(wallet["created_at"]).utcoffset() is not None

    got = await curl.get(f"/wallets/{wallet['id']}")
    assert (got.status, got.body) == (200, created.body)
    assert got.headers["ETag"] == '"1"'


async def test_a_second_wallet_of_the_same_kind_is_refused_and_names_the_first(curl: Curl) -> None:
    customer = f"cus_{uuid4().hex}"
    first = await open_wallet(curl, customer)
    second = await curl.post("/wallets", {"customer_id": customer, "currency": "GHS"})
    assert (second.status, second.code, second.json["wallet_id"]) == (409, "wallet_exists", first)


async def test_money_goes_in_and_out(curl: Curl) -> None:
    wallet, paid, spent = await open_wallet(curl), uuid4().hex, uuid4().hex
    credited = await curl.post(f"/wallets/{wallet}/credit", money(15000, paid))
    assert credited.status == 200
    _check_transaction(credited.json, wallet, "credit", (15000, 0, 15000), paid)

    debit = money(500, spent, metadata={"batch": [1, 2]})
    debited = await curl.post(f"/wallets/{wallet}/debit", debit)
    assert debited.status == 200
    _check_transaction(debited.json, wallet, "debit", (500, 15000, 14500), spent)
    assert debited.json["metadata"] == {"batch": [1, 2]}

    again = await curl.post(f"/wallets/{wallet}/debit", debit)
    assert (again.status, again.body) == (200, debited.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    other = await curl.post(f"/wallets/{wallet}/debit", money(501, spent))
    assert (other.status, other.code) == (409, "reference_reused")

    too_much = await curl.post(f"/wallets/{wallet}/debit", money(14501, uuid4().hex))
    assert (too_much.status, too_much.code) == (409, "insufficient_funds")
    assert (too_much.json["amount"], too_much.json["available"]) == (14501, 14500)
    assert (await curl.get(f"/wallets/{wallet}")).json["balance"] == 14500


def _check_transaction(
    shown: dict[str, Any], wallet: str, kind: str, amounts: tuple[int, int, int], reference: str
) -> None:
    assert shown.keys() == TRANSACTION_FIELDS
    assert shown["id"].startswith("txn_")
    assert (shown["type"], shown["wallet_id"], shown["reference"]) == (kind, wallet, reference)
    assert (shown["amount"], shown["balance_before"], shown["balance_after"]) == amounts


async def test_a_frozen_wallet_takes_money_and_gives_none(curl: Curl) -> None:
    wallet = await open_wallet(curl)
    await curl.post(f"/wallets/{wallet}/credit", money(100, uuid4().hex))
    frozen = await curl.post(f"/wallets/{wallet}/freeze")
    assert (frozen.status, frozen.json["status"]) == (200, "frozen")
    debit = money(10, uuid4().hex)
    refused = await curl.post(f"/wallets/{wallet}/debit", debit)
    assert (refused.status, refused.code) == (409, "wallet_frozen")
    assert refused.json["wallet_id"] == wallet
    credited = await curl.post(f"/wallets/{wallet}/credit", money(11, uuid4().hex))
    assert (credited.status, credited.json["balance_after"]) == (200, 111)

    unfrozen = await curl.post(f"/wallets/{wallet}/unfreeze")
    assert (unfrozen.status, unfrozen.json["status"]) == (200, "active")
    # The decline did not consume the reference.
    debited = await curl.post(f"/wallets/{wallet}/debit", debit)
    assert (debited.status, debited.json["balance_after"]) == (200, 101)


async def test_closing_is_for_good(curl: Curl) -> None:
    wallet = await open_wallet(curl)
    await curl.post(f"/wallets/{wallet}/credit", money(100, uuid4().hex))
    full = await curl.post(f"/wallets/{wallet}/close")
    assert (full.status, full.code, full.json["balance"]) == (409, "wallet_not_empty", 100)
    await curl.post(f"/wallets/{wallet}/debit", money(100, uuid4().hex))
    closed = await curl.post(f"/wallets/{wallet}/close")
    assert (closed.status, closed.json["status"]) == (200, "closed")
    for verb, body in (("debit", money(1, uuid4().hex)), ("credit", money(1, uuid4().hex))):
        refused = await curl.post(f"/wallets/{wallet}/{verb}", body)
        assert (refused.status, refused.code) == (409, "wallet_closed")
    for verb in ("freeze", "unfreeze"):
        refused = await curl.post(f"/wallets/{wallet}/{verb}")
        assert (refused.status, refused.code) == (409, "wallet_closed")
    assert (await curl.post(f"/wallets/{wallet}/close")).body == closed.body


async def test_what_is_left_can_be_forfeited(curl: Curl) -> None:
    wallet = await open_wallet(curl)
    await curl.post(f"/wallets/{wallet}/credit", money(7, uuid4().hex))
    closed = await curl.post(f"/wallets/{wallet}/close", {"remaining_balance": "forfeit"})
    assert (closed.status, closed.json["status"], closed.json["balance"]) == (200, "closed", 0)
    (newest, _) = (await curl.get(f"/wallets/{wallet}/transactions")).json["data"]
    assert (newest["type"], newest["kind"], newest["amount"]) == ("debit", "forfeiture", 7)


async def test_an_expiring_credit_lapses_and_is_never_spent(curl: Curl) -> None:
    wallet, bonus = await open_wallet(curl), uuid4().hex
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    body = money(40, bonus, expires_at=soon)
    credited = await curl.post(f"/wallets/{wallet}/credit", body)
    assert credited.status == 200
    assert datetime.fromisoformat(credited.json["expires_at"]) == datetime.fromisoformat(soon)
    await curl.post(f"/wallets/{wallet}/credit", money(60, uuid4().hex))
    shown = (await curl.get(f"/wallets/{wallet}")).json
    assert (shown["expiring"]["amount"], shown["expiring"]["next_amount"]) == (40, 40)
    await asyncio.sleep(1.1)
    refused = await curl.post(f"/wallets/{wallet}/debit", money(61, uuid4().hex))
    assert (refused.code, refused.json["available"]) == ("insufficient_funds", 60)
    assert (await curl.post(f"/wallets/{wallet}/credit", body)).body == credited.body
    (expiry,) = (await curl.get(f"/wallets/{wallet}/transactions?type=expiry")).json["data"]
    assert (expiry["amount"], expiry["expires_at"]) == (40, credited.json["expires_at"])
    past = await curl.post(
        f"/wallets/{wallet}/credit", money(1, uuid4().hex, expires_at="2020-01-01")
    )
    assert (past.status, past.code, past.json["param"]) == (422, "expiry_not_ahead", "expires_at")


async def test_a_hold_is_placed_captured_and_voided(curl: Curl) -> None:
    wallet = await open_wallet(curl)
    await curl.post(f"/wallets/{wallet}/credit", money(100, uuid4().hex))
    placed = await curl.post(f"/wallets/{wallet}/holds", money(70, uuid4().hex))
    hold = placed.json["id"]
    assert (placed.status, placed.json.keys()) == (201, HOLD_FIELDS)
    assert placed.headers["Location"] == f"/v1/holds/{hold}"
    shown = (await curl.get(f"/wallets/{wallet}")).json
    assert (shown["balance"], shown["available_balance"], shown["held_balance"]) == (100, 30, 70)
    captured = await curl.post(f"/holds/{hold}/capture", {"amount": 20})
    assert (captured.status, captured.json.keys()) == (200, TRANSACTION_FIELDS)
    assert (captured.json["type"], captured.json["kind"]) == ("debit", "capture")
    assert (captured.json["hold_id"], captured.json["held_amount"]) == (hold, 50)
    voided = await curl.post(f"/holds/{hold}/void")
    assert (voided.status, voided.json["status"]) == (200, "voided")
    assert (await curl.get(f"/holds/{hold}")).body == voided.body
    over = await curl.post(f"/holds/{hold}/capture")
    assert (over.status, over.code) == (409, "hold_not_open")
    page = (await curl.get(f"/wallets/{wallet}/holds?status=voided")).json
    assert page == {"data": [voided.json], "has_more": False, "next_cursor": None}


async def test_a_transfer_and_its_reversal(curl: Curl) -> None:
    sender, receiver = await open_wallet(curl), await open_wallet(curl)
    await curl.post(f"/wallets/{sender}/credit", money(100, uuid4().hex))
    body = {"from": sender, "to": receiver, **money(40, uuid4().hex)}
    sent = await curl.post("/transfers", body)
    assert (sent.status, sent.json.keys()) == (201, TRANSFER_FIELDS)
    assert (await curl.get(f"/transfers/{sent.json['id']}")).body == sent.body
    assert (await curl.post("/transfers", body)).body == sent.body
    (line,) = (await curl.get(f"/wallets/{receiver}/transactions")).json["data"]
    assert line["id"] == sent.json["received_transaction_id"]
    assert (line["type"], line["kind"], line["other_wallet_id"]) == ("credit", "transfer", sender)

    transaction = f"/transactions/{sent.json['sent_transaction_id']}"
    undone = await curl.post(f"{transaction}/reverse", money(15, uuid4().hex))
    assert (undone.status, undone.json.keys()) == (200, TRANSACTION_FIELDS)
    assert undone.json["reverses"] == sent.json["sent_transaction_id"]
    assert (await curl.get(transaction)).json["reversed_amount"] == 15
    over = await curl.post(f"{transaction}/reverse", money(26, uuid4().hex))
    assert (over.code, over.json["reversible"]) == ("reversal_exceeds_transaction", 25)
    balances = [(await curl.get(f"/wallets/{each}")).json["balance"] for each in (sender, receiver)]
    assert balances == [75, 25]


async def test_a_wallet_is_closed_into_another(curl: Curl) -> None:
    wallet, heir = await open_wallet(curl), await open_wallet(curl)
    await curl.post(f"/wallets/{wallet}/credit", money(7, uuid4().hex))
    wish = {"remaining_balance": {"transfer_to": heir}}
    closed = await curl.post(f"/wallets/{wallet}/close", wish)
    assert (closed.status, closed.json["status"], closed.json["balance"]) == (200, "closed", 0)
    assert (await curl.get(f"/wallets/{heir}")).json["balance"] == 7


async def test_a_freeze_has_a_scope_and_a_reason(curl: Curl) -> None:
    wallet = await open_wallet(curl)
    frozen = await curl.post(f"/wallets/{wallet}/freeze", {"scope": "credits", "reason": "odd"})
    assert (frozen.status, frozen.json["frozen"]) == (200, "credits")
    refused = await curl.post(f"/wallets/{wallet}/credit", money(1, uuid4().hex))
    assert (refused.status, refused.code) == (409, "wallet_frozen")
    free = await curl.post(f"/wallets/{wallet}/unfreeze", {"reason": "fine"})
    assert (free.json["status"], free.json["frozen"]) == ("active", None)


async def test_wallets_are_listed_by_customer_currency_and_status(curl: Curl) -> None:
    customer = f"cus_{uuid4().hex}"
    cedis, yen, dollars = [await open_wallet(curl, customer, c) for c in ("GHS", "JPY", "USD")]
    await curl.post(f"/wallets/{yen}/freeze")

    async def listed(query: str) -> list[str]:
        reply = await curl.get(f"/wallets?customer_id={customer}{query}")
        assert reply.status == 200, reply
        assert reply.json.keys() == {"data", "has_more", "next_cursor"}
        assert all(wallet.keys() == WALLET_FIELDS for wallet in reply.json["data"])
        return [wallet["id"] for wallet in reply.json["data"]]

    assert await listed("") == [dollars, yen, cedis]
    assert await listed("&currency=GHS") == [cedis]
    assert await listed("&status=frozen") == [yen]
    assert await listed("&status=active") == [dollars, cedis]
    assert await listed("&status=active&currency=JPY") == []
    page = (await curl.get(f"/wallets?customer_id={customer}&limit=2")).json
    assert ([wallet["id"] for wallet in page["data"]], page["has_more"]) == ([dollars, yen], True)
    assert await listed(f"&limit=2&after={page['next_cursor']}") == [cedis]


async def test_transactions_are_listed_by_type_page_by_page(curl: Curl) -> None:
    wallet = await open_wallet(curl)
    paid_in = [
        (await curl.post(f"/wallets/{wallet}/credit", money(100, uuid4().hex))).json
        for _ in range(3)
    ]
    paid_out = [
        (await curl.post(f"/wallets/{wallet}/debit", money(10, uuid4().hex))).json for _ in range(4)
    ]
    await curl.post(f"/wallets/{wallet}/debit", money(9999, uuid4().hex))
    newest_first = [*reversed(paid_out), *reversed(paid_in)]

    everything = await curl.get(f"/wallets/{wallet}/transactions")
    assert everything.status == 200
    assert everything.json == {"data": newest_first, "has_more": False, "next_cursor": None}
    only = await curl.get(f"/wallets/{wallet}/transactions?type=credit")
    assert only.json["data"] == [*reversed(paid_in)]
    assert (await curl.get(f"/wallets/{wallet}/transactions?type=topup")).json["data"] == []
    failed = await curl.get(f"/wallets/{wallet}/transactions?status=failed")
    assert [line["code"] for line in failed.json["data"]] == ["insufficient_funds"]

    first = await curl.get(f"/wallets/{wallet}/transactions?type=debit&limit=3")
    assert (first.json["data"], first.json["has_more"]) == ([*reversed(paid_out)][:3], True)
    # A movement between two pages moves nothing into them.
    await curl.post(f"/wallets/{wallet}/debit", money(10, uuid4().hex))
    cursor = first.json["next_cursor"]
    last = await curl.get(f"/wallets/{wallet}/transactions?type=debit&limit=3&after={cursor}")
    assert last.json == {"data": paid_out[:1], "has_more": False, "next_cursor": None}


async def test_mistakes_are_problems(curl: Curl) -> None:
    wallet = await open_wallet(curl)
    nobody = Curl(curl.url, f"{curl.user}x")
    for reply, status, code in (
        (await nobody.get(f"/wallets/{wallet}"), 401, "unauthorized"),
        (await curl.get(f"/wallets/wal_{'0' * 32}"), 404, "wallet_not_found"),
        (await curl.post("/wallets", {"currency": "GHS"}), 422, "validation_failed"),
        (await curl.post(f"/wallets/{wallet}/debit", money(-1, "r")), 422, "validation_failed"),
        (await curl.get(f"/wallets/{wallet}/transactions?after=x"), 400, "invalid_cursor"),
    ):
        assert (reply.status, reply.code) == (status, code)
        assert reply.json["request_id"] == reply.headers["X-Request-Id"]
