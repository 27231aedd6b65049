"""The contract's calls and shapes: one check for each of its lines."""

import json
import re
from uuid import uuid4

from tests.end_to_end.contract_merchant import Check, Merchant, money, soon
from tests.end_to_end.curl import Curl
from tests.specs.running_stack import eventually

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_WALLET = {
    *("id", "customer_id", "currency", "balance", "balance_formatted", "status", "created_at"),
}
_TRANSACTION = {"id", "type", "amount", "balance_before", "balance_after", "reference"}


async def base_path_and_json(on: Merchant) -> None:
    wallet = await on.open()
    text = {"Grüße": "¡日本語! 💰"}
    credited = await on.credit(wallet, 1, metadata=text)
    assert credited["metadata"] == text
    reply = await on.curl.get(f"/wallets/{wallet}/transactions")
    assert reply.headers["Content-Type"] == "application/json"
    assert json.loads(reply.body.decode("utf-8"))["data"] == [credited]


async def basic_authentication(on: Merchant) -> None:
    wallet = await on.open()
    assert (await on.curl.get(f"/wallets/{wallet}")).status == 200
    for user in (f"{on.curl.user}x", f"x{on.curl.user}", "a:b"):
        reply = await Curl(on.curl.url, user).get(f"/wallets/{wallet}")
        assert (reply.status, reply.code) == (401, "unauthorized")
        assert reply.headers["WWW-Authenticate"].startswith("Basic ")


async def money_in_the_smallest_unit(on: Merchant) -> None:
    for currency, shown in (("GHS", "GH₵15.00"), ("JPY", "¥1,500"), ("KWD", "1.500")):
        wallet = await on.get(f"/wallets/{await on.open(1500, currency=currency)}")
        assert wallet["balance"] == 1500
        assert shown in wallet["balance_formatted"]


async def times_in_utc(on: Merchant) -> None:
    wallet = await on.open()
    credited = await on.credit(wallet, 1, expires_at="2999-01-01T02:00:00+02:00")
    assert credited["expires_at"] == "2999-01-01T00:00:00.000000Z", credited
    shown = await on.get(f"/wallets/{wallet}")
    assert all(_TIME.fullmatch(each["created_at"]) for each in (credited, shown))


async def prefixed_ids(on: Merchant) -> None:
    wallet = await on.open()
    credited = await on.credit(wallet, 1)
    assert wallet.startswith("wal_")
    assert credited["id"].startswith("txn_")


async def create(on: Merchant) -> None:
    customer = f"cus_{uuid4().hex}"
    body = {"customer_id": customer, "currency": "GHS"}
    created = await on.post("/wallets", body, 201)
    assert created.keys() >= _WALLET
    assert (created["customer_id"], created["currency"]) == (customer, "GHS")
    assert (created["balance"], created["balance_formatted"]) == (0, "GH₵0.00")
    assert created["status"] == "active"
    for missing in body:
        rest = {name: value for name, value in body.items() if name != missing}
        reply = await on.refused("/wallets", rest, 422, "validation_failed")
        assert reply.json["param"] == missing


async def create_with_metadata(on: Merchant) -> None:
    metadata = {"plan": "gold", "nested": {"n": [1, 2.5, None, True]}}
    body = {"customer_id": f"cus_{uuid4().hex}", "currency": "GHS", "metadata": metadata}
    created = await on.post("/wallets", body, 201)
    assert created["metadata"] == metadata
    assert (await on.get(f"/wallets/{created['id']}"))["metadata"] == metadata


async def get(on: Merchant) -> None:
    wallet = await on.open(700)
    shown = await on.get(f"/wallets/{wallet}")
    assert shown.keys() >= _WALLET
    assert (shown["id"], shown["balance"]) == (wallet, 700)


async def list_wallets(on: Merchant) -> None:
    customer = f"cus_{uuid4().hex}"
    cedis, yen = [await on.open(currency=each, customer=customer) for each in ("GHS", "JPY")]
    await on.post(f"/wallets/{yen}/freeze")

    async def listed(query: str) -> list[str]:
        page = await on.get(f"/wallets?customer_id={customer}{query}")
        assert all(wallet.keys() >= _WALLET for wallet in page["data"])
        return [wallet["id"] for wallet in page["data"]]

    assert await listed("") == [yen, cedis]
    assert await listed("&currency=GHS") == [cedis]
    assert await listed("&status=frozen") == [yen]
    assert await listed("&status=closed") == []


async def freeze(on: Merchant) -> None:
    wallet = await on.open(100)
    assert (await on.post(f"/wallets/{wallet}/freeze"))["status"] == "frozen"
    await on.refused(f"/wallets/{wallet}/debit", money(1), 409, "wallet_frozen")
    assert (await on.credit(wallet, 5))["balance_after"] == 105


async def unfreeze(on: Merchant) -> None:
    wallet = await on.open(100)
    await on.post(f"/wallets/{wallet}/freeze")
    assert (await on.post(f"/wallets/{wallet}/unfreeze"))["status"] == "active"
    assert (await on.debit(wallet, 100))["balance_after"] == 0


async def close(on: Merchant) -> None:
    wallet = await on.open()
    assert (await on.post(f"/wallets/{wallet}/close"))["status"] == "closed"
    for path, body in (("credit", money(1)), ("debit", money(1)), ("unfreeze", None)):
        await on.refused(f"/wallets/{wallet}/{path}", body, 409, "wallet_closed")
    assert (await on.get(f"/wallets/{wallet}"))["status"] == "closed"


async def debit(on: Merchant) -> None:
    wallet = await on.open(15000)
    debited = await on.debit(wallet, 500, reference=(reference := uuid4().hex))
    assert debited.keys() >= _TRANSACTION
    assert (debited["type"], debited["amount"], debited["reference"]) == ("debit", 500, reference)
    assert (debited["balance_before"], debited["balance_after"]) == (15000, 14500)
    metadata = {"batch": 8821}
    assert (await on.debit(wallet, 1, metadata=metadata))["metadata"] == metadata


async def credit(on: Merchant) -> None:
    wallet = await on.open()
    credited = await on.credit(wallet, 100, reference=(reference := uuid4().hex))
    assert credited.keys() >= _TRANSACTION
    assert (credited["type"], credited["amount"]) == ("credit", 100)
    assert (credited["reference"], credited["balance_after"]) == (reference, 100)


async def expiring_credit(on: Merchant) -> None:
    wallet = await on.open(5)
    await on.credit(wallet, 100, expires_at=soon())

    async def has_lapsed() -> bool:
        return await on.balance(wallet) == 5

    await eventually(has_lapsed, "the credit has lapsed")
    (expiry,) = await on.history(wallet, "?type=expiry")
    assert (expiry["amount"], expiry["balance_after"]) == (100, 5)


async def list_transactions(on: Merchant) -> None:
    wallet = await on.open(100)
    spent = [await on.debit(wallet, 1) for _ in range(22)]
    newest_first = [each["id"] for each in reversed(spent)]
    page = await on.get(f"/wallets/{wallet}/transactions")
    assert [each["id"] for each in page["data"]] == newest_first[:20]
    after = page["next_cursor"]
    rest = await on.history(wallet, f"?after={after}")
    assert [each["id"] for each in rest[:2]] == newest_first[20:]
    assert len(await on.history(wallet, "?limit=100")) == 23
    for limit in ("0", "101"):
        reply = await on.curl.get(f"/wallets/{wallet}/transactions?limit={limit}")
        assert (reply.status, reply.code) == (400, "invalid_limit")


async def list_transactions_by_type(on: Merchant) -> None:
    wallet = await on.open(100)
    await on.debit(wallet, 1)
    for kind, count in (("credit", 1), ("debit", 1), ("expiry", 0), ("topup", 0)):
        found = await on.history(wallet, f"?type={kind}")
        assert [each["type"] for each in found] == [kind] * count
    reply = await on.curl.get(f"/wallets/{wallet}/transactions?type=transfer")
    assert (reply.status, reply.code) == (400, "invalid_type")


async def statuses(on: Merchant) -> None:
    wallet = await on.open()
    seen = [(await on.get(f"/wallets/{wallet}"))["status"]]
    seen += [
        (await on.post(f"/wallets/{wallet}/{change}"))["status"] for change in ("freeze", "close")
    ]
    assert seen == ["active", "frozen", "closed"]


async def transfer(on: Merchant) -> None:
    sender, receiver = await on.open(100), await on.open()
    sent = await on.post("/transfers", {"from": sender, "to": receiver, **money(30)}, 201)
    assert sent["id"].startswith("trf_")
    assert [await on.balance(each) for each in (sender, receiver)] == [70, 30]


async def hold(on: Merchant) -> None:
    wallet = await on.open(100)
    placed = await on.post(f"/wallets/{wallet}/holds", money(60), 201)
    captured = await on.post(f"/holds/{placed['id']}/capture", {"amount": 10})
    assert (captured["type"], captured["balance_after"]) == ("debit", 90)
    assert (await on.post(f"/holds/{placed['id']}/void"))["status"] == "voided"
    assert (await on.get(f"/wallets/{wallet}"))["available_balance"] == 90


async def reversal(on: Merchant) -> None:
    wallet = await on.open(100)
    debited = await on.debit(wallet, 40)
    undone = await on.post(f"/transactions/{debited['id']}/reverse", money(15))
    assert (undone["type"], undone["reverses"]) == ("credit", debited["id"])
    assert undone["balance_after"] == 75


async def batch(on: Merchant) -> None:
    wallet = await on.open()
    commands = [
        {"type": "credit", "wallet_id": wallet, **money(10)},
        {"type": "debit", "wallet_id": wallet, **money(11)},
        {"type": "debit", "wallet_id": wallet, **money(4)},
    ]
    results = (await on.post("/batch", {"commands": commands}))["results"]
    assert [each["status"] for each in results] == [200, 409, 200]
    assert await on.balance(wallet) == 6


CALLS: dict[str, Check] = {
    "base path /v1, JSON in and out, UTF-8": base_path_and_json,
    "HTTP Basic with client id and secret": basic_authentication,
    "money is an integer in the currency's smallest unit": money_in_the_smallest_unit,
    "times are RFC 3339 in UTC, with Z": times_in_utc,
    "ids are prefixed wal_ and txn_": prefixed_ids,
    "POST /wallets answers 201 and the wallet": create,
    "POST /wallets takes metadata": create_with_metadata,
    "GET /wallets/:id answers 200 and the wallet": get,
    "GET /wallets filters by customer_id, currency and status": list_wallets,
    "freeze refuses debits and still takes credits": freeze,
    "unfreeze makes the wallet active again": unfreeze,
    "close is permanent": close,
    "debit takes amount, description, reference, metadata": debit,
    "credit is an admin credit without a payment": credit,
    "an expiring credit lapses at its moment": expiring_credit,
    "GET transactions: newest first, limit 1-100, default 20, after": list_transactions,
    "GET transactions by the type topup, debit, credit or expiry": list_transactions_by_type,
    "status is active, frozen or closed": statuses,
    "POST /transfers": transfer,
    "POST /wallets/:id/holds, /holds/:id/capture, /holds/:id/void": hold,
    "POST /transactions/:id/reverse": reversal,
    "POST /batch": batch,
}
