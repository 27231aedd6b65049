"""Expiring credits, holds, transfers, reversals and freezes over HTTP, on real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from schemas.http.credit_wallets import Hold, Transaction, Transfer, Wallet
from schemas.identifiers import hex_of
from tests.specs.running_gateway import Reply, RunningGateway, running_gateway


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database) as gateway:
        yield gateway


def money(amount: int, reference: str, **more: object) -> dict[str, object]:
    return {"amount": amount, "reference": reference, **more}


async def wallet_now(gateway: RunningGateway, wallet: str) -> Any:
    """The wallet as a GET shows it, which it does whether or not a projector has run."""
    reply = await gateway.get(f"/wallets/{wallet}")
    assert reply.status == 200, reply
    msgspec.json.decode(reply.body, type=Wallet, strict=True)
    return reply.json


async def history(gateway: RunningGateway, wallet: str, query: str = "") -> list[Any]:
    """The wallet's transactions, newest first."""
    await gateway.project()
    reply = await gateway.get(f"/wallets/{wallet}/transactions{query}")
    assert reply.status == 200, reply
    return list(reply.json["data"])


def transaction_in(reply: Reply) -> Transaction:
    assert reply.status == 200, reply
    return msgspec.json.decode(reply.body, type=Transaction, strict=True)


# Expiring credits.


async def test_a_credit_says_when_it_lapses(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    body = money(100, "bonus", expires_at="2099-07-01T02:00:00.5+02:00")
    credited = await gateway.post(f"/wallets/{wallet}/credit", body)
    assert transaction_in(credited).expires_at == datetime(2099, 7, 1, 0, 0, 0, 500_000, UTC)
    assert credited.json["expires_at"] == "2099-07-01T00:00:00.500000Z"
    await gateway.post(f"/wallets/{wallet}/credit", money(50, "later", expires_at="2100-01-01"))
    await gateway.credit(wallet, 25, "for good")
    shown = await wallet_now(gateway, wallet)
    assert shown["expiring"] == {
        "amount": 150,
        "next_at": "2099-07-01T00:00:00.500000Z",
        "next_amount": 100,
    }
    await gateway.post(f"/wallets/{wallet}/debit", money(150, "spent"))
    assert (await wallet_now(gateway, wallet))["expiring"] is None


async def test_one_moment_spelled_twice_is_one_content(gateway: RunningGateway) -> None:
    """A date alone and a time without an offset are UTC, so a replay may spell it otherwise."""
    wallet = await gateway.open_wallet()
    path = f"/wallets/{wallet}/credit"
    first = await gateway.post(path, money(5, "bonus", expires_at="2099-01-01"))
    for spelled in ("2099-01-01T00:00:00", "2099-01-01T01:00:00+01:00"):
        again = await gateway.post(path, money(5, "bonus", expires_at=spelled))
        assert (again.status, again.body) == (200, first.body)
        assert again.headers["Idempotent-Replayed"] == "true"
    other = await gateway.post(path, money(5, "bonus", expires_at="2099-01-02"))
    assert other.code == "reference_reused"


async def test_what_has_lapsed_cannot_be_spent(gateway: RunningGateway) -> None:
    """Nothing has swept: the debit itself lets it lapse. The credit's replay stays the same."""
    wallet = await gateway.open_wallet()
    soon = (datetime.now(UTC) + timedelta(seconds=0.4)).isoformat()
    body = money(100, "bonus", expires_at=soon)
    credited = await gateway.post(f"/wallets/{wallet}/credit", body)
    await gateway.credit(wallet, 30, "for good")
    await asyncio.sleep(0.5)
    refused = await gateway.post(f"/wallets/{wallet}/debit", money(31, "too much"))
    assert (refused.code, refused.json["available"]) == ("insufficient_funds", 30)
    assert (await gateway.post(f"/wallets/{wallet}/credit", body)).body == credited.body
    (expiry,) = await history(gateway, wallet, "?type=expiry")
    assert (expiry["type"], expiry["kind"], expiry["amount"]) == ("expiry", "expiry", 100)
    assert expiry["expires_at"] == credited.json["expires_at"]


# Freezes.


async def test_a_freeze_stops_what_its_scope_names(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "salary")
    frozen = await gateway.post(
        f"/wallets/{wallet}/freeze", {"scope": "credits", "reason": "looked odd"}
    )
    assert (frozen.json["status"], frozen.json["frozen"]) == ("frozen", "credits")
    refused = await gateway.post(f"/wallets/{wallet}/credit", money(5, "gift"))
    assert (refused.status, refused.code) == (409, "wallet_frozen")
    assert (await gateway.post(f"/wallets/{wallet}/debit", money(5, "bill"))).status == 200

    more = await gateway.post(f"/wallets/{wallet}/freeze")
    assert more.json["frozen"] == "all"
    assert (await wallet_now(gateway, wallet))["frozen"] == "all"
    refused = await gateway.post(f"/wallets/{wallet}/debit", money(5, "bill-2"))
    assert refused.code == "wallet_frozen"
    free = await gateway.post(f"/wallets/{wallet}/unfreeze", {"reason": "it was fine"})
    assert (free.json["status"], free.json["frozen"]) == ("active", None)
    texts = await gateway.connection.fetch(
        "SELECT data::text FROM events WHERE type IN ('wallet.frozen', 'wallet.unfrozen')"
        " ORDER BY position"
    )
    reasons = [msgspec.json.decode(row["data"]).get("reason") for row in texts]
    assert reasons == ["looked odd", None, "it was fine"]


# Holds.


async def test_a_hold_is_placed_captured_and_over(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 1000, "salary")
    body = money(400, "ride", description="Ride", expires_at="2099-01-01", metadata={"a": [1]})
    placed = await gateway.post(f"/wallets/{wallet}/holds", body)
    hold = msgspec.json.decode(placed.body, type=Hold, strict=True)
    assert placed.status == 201
    assert placed.headers["Location"] == f"/v1/holds/{hold.id}"
    assert placed.headers["ETag"] == '"3"'
    assert (hold.wallet_id, hold.status, hold.reference) == (wallet, "open", "ride")
    assert (hold.amount, hold.captured_amount, hold.held_amount) == (400, 0, 400)
    assert (placed.json["metadata"], placed.json["description"]) == ({"a": [1]}, "Ride")
    shown = await wallet_now(gateway, wallet)
    assert (shown["balance"], shown["available_balance"], shown["held_balance"]) == (1000, 600, 400)

    await gateway.project()
    got = await gateway.get(f"/holds/{hold.id}")
    assert (got.status, got.body, got.headers["ETag"]) == (200, placed.body, '"3"')

    part = transaction_in(
        await gateway.post(f"/holds/{hold.id}/capture", {"amount": 150, "reference": "leg-1"})
    )
    assert (part.type, part.kind, part.hold_id) == ("debit", "capture", hold.id)
    assert (part.amount, part.held_amount, part.balance_after) == (150, 250, 850)
    assert part.reference == "leg-1"
    last = await gateway.post(f"/holds/{hold.id}/capture", {"amount": 50, "final": True})
    assert (transaction_in(last).held_amount, last.json["reference"]) == (0, "ride")
    await gateway.project()
    over = (await gateway.get(f"/holds/{hold.id}")).json
    assert (over["status"], over["captured_amount"], over["held_amount"]) == ("captured", 200, 0)
    shown = await wallet_now(gateway, wallet)
    assert (shown["balance"], shown["available_balance"], shown["held_balance"]) == (800, 800, 0)


async def test_an_empty_capture_takes_all(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "salary")
    hold = await gateway.place_hold(wallet, 60, "ride")
    captured = transaction_in(await gateway.post(f"/holds/{hold}/capture"))
    assert (captured.amount, captured.held_amount, captured.balance_after) == (60, 0, 40)
    refused = await gateway.post(f"/holds/{hold}/capture")
    assert (refused.status, refused.code) == (409, "hold_not_open")
    assert (refused.json["hold_id"], refused.json["wallet_id"]) == (hold, wallet)
    assert refused.json["transaction_id"].startswith("txn_")
    refused = await gateway.post(f"/holds/{hold}/void")
    assert (refused.status, refused.code) == (409, "hold_not_open")


async def test_a_void_frees_the_rest(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "salary")
    hold = await gateway.place_hold(wallet, 60, "ride")
    await gateway.post(f"/holds/{hold}/capture", {"amount": 10, "reference": "leg-1"})
    voided = await gateway.post(f"/holds/{hold}/void", {})
    msgspec.json.decode(voided.body, type=Hold, strict=True)
    assert (voided.status, voided.json["status"]) == (200, "voided")
    assert (voided.json["captured_amount"], voided.json["held_amount"]) == (10, 0)
    await gateway.project()
    assert (await gateway.get(f"/holds/{hold}")).body == voided.body
    assert (await wallet_now(gateway, wallet))["available_balance"] == 90


async def test_holds_that_are_declined(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "salary")
    refused = await gateway.post(f"/wallets/{wallet}/holds", money(101, "ride"))
    assert (refused.status, refused.code) == (409, "insufficient_funds")
    assert (refused.json["wallet_id"], refused.json["available"]) == (wallet, 100)
    (failed,) = await history(gateway, wallet, "?status=failed")
    assert (failed["id"], failed["kind"]) == (refused.json["transaction_id"], "hold")
    # A declined hold is none, so that it can never be captured.
    never = "hol_" + hex_of(refused.json["transaction_id"])
    assert (await gateway.post(f"/holds/{never}/capture")).code == "hold_not_found"

    hold = await gateway.place_hold(wallet, 60, "ride")
    refused = await gateway.post(f"/holds/{hold}/capture", {"amount": 61})
    assert (refused.status, refused.code) == (409, "capture_exceeds_hold")
    assert (refused.json["amount"], refused.json["held"]) == (61, 60)
    await gateway.post(f"/wallets/{wallet}/freeze")
    assert (await gateway.post(f"/holds/{hold}/capture")).code == "wallet_frozen"
    refused = await gateway.post(f"/wallets/{wallet}/holds", money(1, "ride-2"))
    assert refused.code == "wallet_frozen"
    assert (await gateway.post(f"/holds/{hold}/void")).status == 200


async def test_one_of_many_captures_and_voids_wins(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "salary")
    hold = await gateway.place_hold(wallet, 60, "ride")
    replies = await asyncio.gather(
        *(gateway.post(f"/holds/{hold}/{verb}") for verb in ("capture", "void") * 8)
    )
    assert sorted(reply.status for reply in replies) == [200] + [409] * 15
    assert {reply.code for reply in replies if reply.status == 409} == {"hold_not_open"}


async def test_names_make_holds_and_captures_repeatable(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "salary")
    first = await gateway.post(f"/wallets/{wallet}/holds", money(60, "ride"))
    again = await gateway.post(f"/wallets/{wallet}/holds", money(60, "ride"))
    assert (again.status, again.body) == (201, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    path, key = f"/holds/{first.json['id']}/capture", {"Idempotency-Key": "leg"}
    captured = await gateway.post(path, {"amount": 20}, headers=key)
    repeated = await gateway.post(path, {"amount": 20}, headers=key)
    assert (captured.status, repeated.body) == (200, captured.body)
    assert (await gateway.post(path, {"amount": 21}, headers=key)).code == "reference_reused"
    assert (await wallet_now(gateway, wallet))["held_balance"] == 40


# Transfers.


async def test_a_transfer_moves_money_at_once(gateway: RunningGateway) -> None:
    sender, receiver = await gateway.open_wallet("cus_1"), await gateway.open_wallet("cus_2")
    await gateway.credit(sender, 100, "salary")
    body = {"from": sender, "to": receiver, **money(40, "rent", description="June")}
    sent = await gateway.post("/transfers", body | {"metadata": {"flat": 7}})
    transfer = msgspec.json.decode(sent.body, type=Transfer, strict=True)
    assert sent.status == 201
    assert sent.headers["Location"] == f"/v1/transfers/{transfer.id}"
    assert (sent.json["from"], sent.json["to"]) == (sender, receiver)
    assert (transfer.amount, transfer.currency, transfer.reference) == (40, "GHS", "rent")
    assert (transfer.description, sent.json["metadata"]) == ("June", {"flat": 7})

    # Out of the log itself, so no projector has to run.
    got = await gateway.get(f"/transfers/{transfer.id}")
    assert (got.status, got.body) == (200, sent.body)
    received = f"trf_{hex_of(transfer.received_transaction_id)}"
    assert (await gateway.get(f"/transfers/{received}")).code == "transfer_not_found"
    (line, _) = await history(gateway, sender)
    assert (line["id"], line["type"], line["kind"]) == (
        transfer.sent_transaction_id,
        "debit",
        "transfer",
    )
    assert (line["transfer_id"], line["other_wallet_id"]) == (transfer.id, receiver)
    (line,) = await history(gateway, receiver)
    assert (line["id"], line["type"]) == (transfer.received_transaction_id, "credit")
    assert (line["transfer_id"], line["other_wallet_id"]) == (transfer.id, sender)
    assert (await wallet_now(gateway, sender))["balance"] == 60
    assert (await wallet_now(gateway, receiver))["balance"] == 40

    again = await gateway.post("/transfers", body | {"metadata": {"flat": 7}})
    assert (again.status, again.body) == (201, sent.body)
    assert (await gateway.post("/transfers", body)).code == "reference_reused"


async def test_transfers_that_are_declined_name_the_wallet(gateway: RunningGateway) -> None:
    sender, receiver = await gateway.open_wallet("cus_1"), await gateway.open_wallet("cus_2")
    await gateway.credit(sender, 100, "salary")
    body = {"from": sender, "to": receiver, **money(101, "rent")}
    refused = await gateway.post("/transfers", body)
    assert (refused.status, refused.code) == (409, "insufficient_funds")
    assert (refused.json["wallet_id"], refused.json["available"]) == (sender, 100)
    assert refused.json["transaction_id"].startswith("txn_")
    await gateway.post(f"/wallets/{receiver}/freeze", {"scope": "credits"})
    body["amount"] = 5
    refused = await gateway.post("/transfers", body)
    assert (refused.code, refused.json["wallet_id"]) == ("wallet_frozen", receiver)
    await gateway.post(f"/wallets/{receiver}/close")
    refused = await gateway.post("/transfers", body)
    assert (refused.code, refused.json["wallet_id"]) == ("wallet_closed", receiver)
    # None of them has used the reference up.
    other = await gateway.open_wallet("cus_3")
    assert (await gateway.post("/transfers", body | {"to": other})).status == 201


async def test_transfers_both_ways_lose_nothing(gateway: RunningGateway) -> None:
    wallets = [await gateway.open_wallet(f"cus_{number}") for number in range(2)]
    for wallet in wallets:
        await gateway.credit(wallet, 50, f"salary-{wallet}")
    replies = await asyncio.gather(
        *(
            gateway.post(
                "/transfers",
                {"from": wallets[n % 2], "to": wallets[1 - n % 2], **money(7, f"r{n}")},
            )
            for n in range(40)
        )
    )
    assert {reply.status for reply in replies} <= {201, 409}
    balances = [(await wallet_now(gateway, wallet))["balance"] for wallet in wallets]
    assert sum(balances) == 100
    assert min(balances) >= 0


async def test_closing_into_another_wallet(gateway: RunningGateway) -> None:
    """Open holds are released first, and what is left goes over with its moments."""
    wallet, heir = await gateway.open_wallet("cus_1"), await gateway.open_wallet("cus_2")
    await gateway.post(f"/wallets/{wallet}/credit", money(70, "bonus", expires_at="2099-01-01"))
    await gateway.credit(wallet, 30, "salary")
    hold = await gateway.place_hold(wallet, 80, "ride")
    wish = {"remaining_balance": {"transfer_to": heir}}
    closed = await gateway.post(f"/wallets/{wallet}/close", wish)
    assert (closed.status, closed.json["status"], closed.json["balance"]) == (200, "closed", 0)
    assert (await gateway.post(f"/wallets/{wallet}/close", wish)).status == 200
    shown = await wallet_now(gateway, heir)
    assert (shown["balance"], shown["expiring"]["amount"]) == (100, 70)
    (line,) = await history(gateway, heir)
    transfer = (await gateway.get(f"/transfers/{line['transfer_id']}")).json
    assert (transfer["from"], transfer["to"]) == (wallet, heir)
    assert (transfer["amount"], transfer["reference"]) == (100, None)
    assert (await gateway.get(f"/holds/{hold}")).json["status"] == "voided"


# Reversals.


async def test_a_debit_is_reversed_in_parts(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 100, "salary")
    debit = (await gateway.post(f"/wallets/{wallet}/debit", money(60, "bill"))).json["id"]
    path = f"/transactions/{debit}/reverse"
    part = await gateway.post(path, money(25, "refund-1", description="Half", metadata={"n": 1}))
    assert (part.json["type"], part.json["kind"]) == ("credit", "reversal")
    assert (transaction_in(part).reverses, part.json["amount"]) == (debit, 25)
    assert (part.json["description"], part.json["metadata"]) == ("Half", {"n": 1})
    refused = await gateway.post(path, money(36, "refund-2"))
    assert (refused.status, refused.code) == (409, "reversal_exceeds_transaction")
    assert (refused.json["amount"], refused.json["reversible"]) == (36, 35)
    rest = transaction_in(await gateway.post(path, {"reference": "refund-2"}))
    assert (rest.amount, rest.balance_after) == (35, 100)
    # Both ways: the reversal names the debit, and the debit says how much was reversed.
    await gateway.project()
    assert (await gateway.get(f"/transactions/{debit}")).json["reversed_amount"] == 60
    lines = await history(gateway, wallet, "?type=debit")
    assert [line["reversed_amount"] for line in lines] == [60]
    refused = await gateway.post(f"/transactions/{rest.id}/reverse", {"reference": "again"})
    assert (refused.status, refused.code) == (409, "not_reversible")
    assert refused.json["transaction_id"] == rest.id


async def test_only_an_admin_may_take_a_wallet_below_zero(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    credit = (await gateway.credit(wallet, 100, "salary")).json["id"]
    await gateway.post(f"/wallets/{wallet}/debit", money(60, "bill"))
    path, body = f"/transactions/{credit}/reverse", {"reference": "mistake"}
    refused = await gateway.post(path, body)
    assert (refused.status, refused.code) == (409, "insufficient_funds")
    before = await gateway.position()
    refused = await gateway.post(path, body | {"allow_negative": True})
    assert (refused.status, refused.code) == (403, "forbidden")
    assert refused.json["param"] == "allow_negative"
    assert await gateway.position() == before
    reply = await gateway.post(path, body | {"allow_negative": True}, who="admin")
    assert transaction_in(reply).balance_after == -60
    shown = await wallet_now(gateway, wallet)
    assert (shown["balance"], shown["balance_formatted"]) == (-60, "-GH₵0.60")
    assert (shown["available_balance"], shown["held_balance"]) == (-60, 0)


async def test_a_transfer_is_reversed_on_both_sides(gateway: RunningGateway) -> None:
    sender, receiver = await gateway.open_wallet("cus_1"), await gateway.open_wallet("cus_2")
    await gateway.credit(sender, 100, "salary")
    body = {"from": sender, "to": receiver, **money(40, "rent")}
    transfer = (await gateway.post("/transfers", body)).json
    reply = await gateway.post(
        f"/transactions/{transfer['sent_transaction_id']}/reverse", {"reference": "undo"}
    )
    assert (reply.json["kind"], reply.json["transfer_id"]) == ("reversal", transfer["id"])
    assert (await wallet_now(gateway, sender))["balance"] == 100
    assert (await wallet_now(gateway, receiver))["balance"] == 0
    (line, _) = await history(gateway, receiver)
    assert (line["kind"], line["reverses"]) == ("reversal", transfer["received_transaction_id"])
