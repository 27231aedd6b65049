"""What the contract's second part decides: one check for each of its lines."""

import asyncio
from uuid import uuid4

from tests.end_to_end.contract_merchant import Check, Merchant, money, soon
from tests.specs.running_gateway import Reply
from tests.specs.running_stack import eventually

_MOST = 9_007_199_254_740_991
_NO_WALLET = "wal_" + "0" * 32


async def problem_details(on: Merchant) -> None:
    reply = await on.refused("/wallets", {"currency": "GHS"}, 422, "validation_failed")
    assert reply.headers["Content-Type"] == "application/problem+json"
    problem = reply.json
    assert (problem["status"], problem["param"]) == (422, "customer_id")
    assert problem["request_id"] == reply.headers["X-Request-Id"]
    assert {"type", "title", "detail"} <= problem.keys()


async def bad_request(on: Merchant) -> None:
    reply = await on.curl._run(
        "/wallets", "-X", "POST", "-d", "{", "-H", "Content-Type: application/json"
    )
    assert (reply.status, reply.code) == (400, "malformed_request")


async def unknown(on: Merchant) -> None:
    await on.refused(f"/wallets/{_NO_WALLET}/debit", money(1), 404, "wallet_not_found")


async def conflicts(on: Merchant) -> None:
    customer = f"cus_{uuid4().hex}"
    wallet = await on.open(10, customer=customer)
    again = {"customer_id": customer, "currency": "GHS"}
    reply = await on.refused("/wallets", again, 409, "wallet_exists")
    assert reply.json["wallet_id"] == wallet
    path = f"/wallets/{wallet}"
    await on.refused(f"{path}/debit", money(11), 409, "insufficient_funds")
    await on.refused(f"{path}/close", None, 409, "wallet_not_empty")
    spent = await on.debit(wallet, 4)
    reused = money(5, reference=spent["reference"])
    await on.refused(f"{path}/debit", reused, 409, "reference_reused")
    await on.post(f"{path}/freeze")
    await on.refused(f"{path}/debit", money(1), 409, "wallet_frozen")
    await on.post(f"{path}/unfreeze")
    await on.post(f"{path}/close", {"remaining_balance": "forfeit"})
    await on.refused(f"{path}/debit", money(1), 409, "wallet_closed")


async def too_large_and_of_a_wrong_kind(on: Merchant) -> None:
    wallet = await on.open()
    huge = money(1, description="d" * 150_000)
    # A body of this size does not fit into an argument of curl.
    reply = await on.curl._run(
        *(f"/wallets/{wallet}/credit", "-X", "POST", "-H", "Content-Type: application/json"),
        *("-H", "Content-Length: 200000", "-H", "Expect: 100-continue", "-d", str(huge)[:1000]),
    )
    assert (reply.status, reply.code) == (413, "payload_too_large")
    reply = await on.curl._run(f"/wallets/{wallet}/credit", "-d", "amount=1")
    assert (reply.status, reply.code) == (415, "unsupported_media_type")


async def all_fields_at_once(on: Merchant) -> None:
    wallet = await on.open()
    body = {"amount": 0, "description": 5, "metadata": []}
    reply = await on.refused(f"/wallets/{wallet}/debit", body, 422, "validation_failed")
    named = {each["param"] for each in reply.json["errors"]}
    assert named == {"amount", "description", "reference", "metadata"}


async def a_reference_is_consumed_by_a_success_only(on: Merchant) -> None:
    wallet, body = await on.open(5), money(10)
    await on.refused(f"/wallets/{wallet}/debit", body, 409, "insufficient_funds")
    await on.credit(wallet, 5)
    assert (await on.post(f"/wallets/{wallet}/debit", body))["balance_after"] == 0


async def the_same_reference_is_the_first_answer(on: Merchant) -> None:
    wallet, body = await on.open(10), money(10)
    first = await on.curl.post(f"/wallets/{wallet}/debit", body)
    again = await on.curl.post(f"/wallets/{wallet}/debit", body)
    assert (again.status, again.body) == (200, first.body)
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await on.balance(wallet) == 0


async def a_reference_is_unique_per_tenant(on: Merchant) -> None:
    one, other, body = await on.open(10), await on.open(10), money(1)
    await on.post(f"/wallets/{one}/debit", body)
    for path in (f"/wallets/{other}/debit", f"/wallets/{one}/credit"):
        await on.refused(path, body, 409, "reference_reused")


async def an_idempotency_key_freezes_what_was_decided(on: Merchant) -> None:
    wallet, body, key = await on.open(), money(10), f"Idempotency-Key: {uuid4().hex}"
    path = f"/wallets/{wallet}/debit"
    declined = await on.curl.post(path, body, key)
    assert (declined.status, declined.code) == (409, "insufficient_funds")
    await on.credit(wallet, 10)
    again = await on.curl.post(path, body, key)
    assert (again.status, again.body) == (409, declined.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    success = f"Idempotency-Key: {uuid4().hex}"
    first = await on.curl.post(path, body, success)
    assert (await on.curl.post(path, body, success)).body == first.body
    assert await on.balance(wallet) == 0


async def an_idempotency_key_freezes_no_mistake(on: Merchant) -> None:
    wallet, key = await on.open(10), f"Idempotency-Key: {uuid4().hex}"
    path = f"/wallets/{wallet}/debit"
    for mistaken in (await on.curl.post(path, money(0), key), await _missing(on, key)):
        assert mistaken.status in {404, 422}
    assert (await on.curl.post(path, money(10), key)).status == 200


async def _missing(on: Merchant, key: str) -> Reply:
    return await on.curl.post(f"/wallets/{_NO_WALLET}/debit", money(1), key)


async def the_largest_amount(on: Merchant) -> None:
    wallet = await on.open()
    assert (await on.credit(wallet, _MOST))["balance_after"] == _MOST
    await on.refused(f"/wallets/{wallet}/credit", money(1), 409, "balance_limit_exceeded")
    assert (await on.debit(wallet, 1))["balance_after"] == _MOST - 1


async def amounts_that_are_refused(on: Merchant) -> None:
    wallet = await on.open(10)
    wrong: tuple[object, ...] = (0, -1, 1.0, 1e2, "1", True, None, _MOST + 1)
    for amount in wrong:
        body = {**money(1), "amount": amount}
        reply = await on.refused(f"/wallets/{wallet}/debit", body, 422, "validation_failed")
        assert reply.json["param"] == "amount"
    assert await on.balance(wallet) == 10


async def one_open_wallet(on: Merchant) -> None:
    customer = f"cus_{uuid4().hex}"
    first = await on.open(customer=customer)
    body = {"customer_id": customer, "currency": "GHS"}
    refused = await on.refused("/wallets", body, 409, "wallet_exists")
    assert refused.json["wallet_id"] == first
    await on.open(customer=customer, currency="NGN")
    await on.post(f"/wallets/{first}/close")
    assert await on.open(customer=customer) != first


async def repeating_changes_nothing(on: Merchant) -> None:
    wallet = await on.open()
    for change, status in (("freeze", "frozen"), ("unfreeze", "active"), ("close", "closed")):
        await on.post(f"/wallets/{wallet}/{change}")
        before = await on.version(wallet)
        assert (await on.post(f"/wallets/{wallet}/{change}"))["status"] == status
        assert await on.version(wallet) == before
    for change in ("freeze", "unfreeze"):
        await on.refused(f"/wallets/{wallet}/{change}", None, 409, "wallet_closed")


async def closing_with_money(on: Merchant) -> None:
    wallet, other, heir = await on.open(7), await on.open(8), await on.open()
    await on.refused(f"/wallets/{wallet}/close", None, 409, "wallet_not_empty")
    closed = await on.post(f"/wallets/{wallet}/close", {"remaining_balance": "forfeit"})
    assert (closed["status"], closed["balance"]) == ("closed", 0)
    wish = {"remaining_balance": {"transfer_to": heir}}
    assert (await on.post(f"/wallets/{other}/close", wish))["status"] == "closed"
    assert await on.balance(heir) == 8


async def the_heir_is_active_of_the_same_currency_and_another(on: Merchant) -> None:
    wallet, yen, closed = await on.open(7), await on.open(currency="JPY"), await on.open()
    await on.post(f"/wallets/{closed}/close")
    for heir, status, code in (
        (wallet, 422, "same_wallet"),
        (yen, 422, "currency_mismatch"),
        (_NO_WALLET, 404, "wallet_not_found"),
        (closed, 409, "wallet_closed"),
    ):
        wish = {"remaining_balance": {"transfer_to": heir}}
        await on.refused(f"/wallets/{wallet}/close", wish, status, code)
    assert await on.balance(wallet) == 7


async def closing_releases_holds_first(on: Merchant) -> None:
    wallet = await on.open(10)
    hold = (await on.post(f"/wallets/{wallet}/holds", money(10), 201))["id"]
    await on.refused(f"/wallets/{wallet}/close", None, 409, "wallet_not_empty")
    # The refused close has released nothing.
    assert (await on.get(f"/holds/{hold}"))["status"] == "open"
    await on.post(f"/wallets/{wallet}/close", {"remaining_balance": "forfeit"})
    assert (await on.get(f"/holds/{hold}"))["status"] == "voided"


async def a_frozen_wallet_is_closed_only_if_empty(on: Merchant) -> None:
    full, empty = await on.open(1), await on.open()
    for wallet in (full, empty):
        await on.post(f"/wallets/{wallet}/freeze")
    wish = {"remaining_balance": "forfeit"}
    await on.refused(f"/wallets/{full}/close", wish, 409, "wallet_frozen")
    assert (await on.post(f"/wallets/{empty}/close"))["status"] == "closed"


async def expiring_money_is_spent_first(on: Merchant) -> None:
    wallet = await on.open(100)
    for moment in ("2999-03-01", "2999-01-01", "2999-02-01"):
        await on.credit(wallet, 10, expires_at=moment)
    left = []
    for _ in range(3):
        await on.debit(wallet, 10)
        expiring = (await on.get(f"/wallets/{wallet}"))["expiring"]
        left.append(expiring and expiring["next_at"][:10])
    assert left == ["2999-02-01", "2999-03-01", None]


async def what_is_due_is_never_spent(on: Merchant) -> None:
    wallet = await on.open()
    await on.credit(wallet, 10, expires_at=soon(0.5))
    await asyncio.sleep(0.5)
    # Whether or not anything has swept it by now.
    await on.refused(f"/wallets/{wallet}/debit", money(1), 409, "insufficient_funds")
    await on.refused(f"/wallets/{wallet}/holds", money(1), 409, "insufficient_funds")
    (expiry,) = await on.history(wallet, "?type=expiry")
    assert (expiry["type"], expiry["amount"]) == ("expiry", 10)


async def moments_without_offset_are_utc(on: Merchant) -> None:
    wallet = await on.open()
    for spelled, shown in (
        ("2999-05-24", "2999-05-24T00:00:00.000000Z"),
        ("2999-05-24T10:00:00", "2999-05-24T10:00:00.000000Z"),
        ("2999-05-24T10:00:00+01:00", "2999-05-24T09:00:00.000000Z"),
    ):
        credited = await on.credit(wallet, 1, expires_at=spelled)
        assert credited["expires_at"] == shown, credited


async def kinds_say_more_than_types(on: Merchant) -> None:
    wallet, other = await on.open(100), await on.open(100)
    debited = await on.debit(wallet, 1)
    await on.post(f"/transactions/{debited['id']}/reverse", money(1))
    credited = await on.credit(wallet, 2)
    await on.post(f"/transactions/{credited['id']}/reverse", money(2))
    hold = await on.post(f"/wallets/{wallet}/holds", money(3), 201)
    await on.post(f"/holds/{hold['id']}/capture")
    await on.post("/transfers", {"from": wallet, "to": other, **money(4)}, 201)
    await on.post("/transfers", {"from": other, "to": wallet, **money(5)}, 201)
    seen = [(each["type"], each["kind"]) for each in reversed(await on.history(wallet))]
    assert seen == [
        *(("credit", "credit"), ("debit", "debit"), ("credit", "reversal")),
        *(("credit", "credit"), ("debit", "reversal"), ("debit", "capture")),
        *(("debit", "transfer"), ("credit", "transfer")),
    ]


async def declines_are_listed_apart(on: Merchant) -> None:
    wallet = await on.open(1)
    await on.refused(f"/wallets/{wallet}/debit", money(2), 409, "insufficient_funds")
    assert [each["amount"] for each in await on.history(wallet)] == [1]
    (declined,) = await on.history(wallet, "?status=failed")
    assert (declined["amount"], declined["code"]) == (2, "insufficient_funds")


async def pages_survive_inserts(on: Merchant) -> None:
    wallet = await on.open(100)
    spent = [(await on.debit(wallet, 1))["id"] for _ in range(7)]
    path, seen, after = f"/wallets/{wallet}/transactions?type=debit&limit=2", [], ""
    while True:
        page = await on.get(path + after)
        assert page.keys() == {"data", "has_more", "next_cursor"}
        seen += [each["id"] for each in page["data"]]
        if not page["has_more"]:
            break
        after = f"&after={page['next_cursor']}"
        await on.debit(wallet, 1)
    assert seen == spent[::-1]
    broken = await on.curl.get(f"{path}&after=x")
    assert (broken.status, broken.code) == (400, "invalid_cursor")


async def reading_ones_own_write(on: Merchant) -> None:
    wallet = await on.open(100)
    for _ in range(10):
        debited = await on.curl.post(f"/wallets/{wallet}/debit", money(1))
        shown = await on.curl.get(f"/wallets/{wallet}")
        assert shown.json["balance"] == debited.json["balance_after"]
        assert shown.headers["ETag"] == debited.headers["ETag"]
        assert (await on.history(wallet))[0] == debited.json
        held = await on.post(f"/wallets/{wallet}/holds", money(1), 201)
        assert (await on.get(f"/wallets/{wallet}/holds"))["data"][0] == held


async def eventual_reads_skip_the_wait(on: Merchant) -> None:
    wallet = await on.open(100)

    async def is_shown() -> bool:
        reply = await on.curl._run(f"/wallets/{wallet}", "-H", "Ledger-Consistency: eventual")
        return reply.status == 200 and reply.headers["Ledger-Lag"] == "0"

    await eventually(is_shown, "the read model shows the wallet")


RULES: dict[str, Check] = {
    "errors are problem details with code, param and request_id": problem_details,
    "400 malformed": bad_request,
    "404 unknown": unknown,
    "409 state, with its six codes": conflicts,
    "413 and 415": too_large_and_of_a_wrong_kind,
    "422 names all the offending fields at once": all_fields_at_once,
    "a reference is consumed by a success only": a_reference_is_consumed_by_a_success_only,
    "the same reference with the same content is the first answer": (
        the_same_reference_is_the_first_answer
    ),
    "with other content, or elsewhere, it is 409 reference_reused": (
        a_reference_is_unique_per_tenant
    ),
    "an Idempotency-Key freezes success and decline": an_idempotency_key_freezes_what_was_decided,
    "an Idempotency-Key does not freeze 404 or 422": an_idempotency_key_freezes_no_mistake,
    "amounts up to 9007199254740991, and no balance over it": the_largest_amount,
    "a float, string, bool, exponent or overflow is refused": amounts_that_are_refused,
    "one open wallet per tenant, customer and currency": one_open_wallet,
    "repeating freeze, unfreeze or close is 200 and no event": repeating_changes_nothing,
    "closing a wallet with money forfeits it or transfers it": closing_with_money,
    "the heir is active, of the same currency, not itself": (
        the_heir_is_active_of_the_same_currency_and_another
    ),
    "closing releases open holds, then judges emptiness": closing_releases_holds_first,
    "a frozen wallet is closed only if it is empty": a_frozen_wallet_is_closed_only_if_empty,
    "expiring credits are spent first, soonest first": expiring_money_is_spent_first,
    "what is due is never spent, swept or not": what_is_due_is_never_spent,
    "a date alone, or a time without offset, is UTC": moments_without_offset_are_utc,
    "type is one of four, kind says more": kinds_say_more_than_types,
    "declines are listed only with status=failed": declines_are_listed_apart,
    "pages: cursors survive inserts, a broken one is 400": pages_survive_inserts,
    "a read shows one's own write, with the version as ETag": reading_ones_own_write,
    "Ledger-Consistency: eventual skips the wait": eventual_reads_skip_the_wait,
}
