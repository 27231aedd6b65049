"""The BaaS API on real PostgreSQL: money moved, and found again, on wallets of both APIs."""

import asyncio
import re
from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from schemas.http.baas_wallets import (
    CustomerTransactionAnswer,
    CustomerTransactionListAnswer,
    TransactionAnswer,
    WalletAnswer,
    WalletListAnswer,
)
from tests.specs.baas_client import UNKNOWN, BaasClient, failure, in_credit_wallets, metadata_of
from tests.specs.running_gateway import FAST, running_gateway


@pytest.fixture
async def baas(database: str) -> AsyncIterator[BaasClient]:
    async with running_gateway(database) as gateway:
        yield BaasClient(gateway)


async def test_a_wallet_of_the_other_contract_is_shown(baas: BaasClient) -> None:
    """Without KYC: null names, account number and tier."""
    user_id, wallet_id = await baas.open_wallet()
    await baas.gateway.credit(in_credit_wallets(wallet_id), 100_055, "salary")
    await baas.gateway.place_hold(in_credit_wallets(wallet_id), 5, "ride")
    reply = await baas.get(f"/wallets/{user_id}")
    assert reply.status == 200
    answer = msgspec.json.decode(reply.body, type=WalletAnswer)
    assert answer.message == "Successfully fetched wallet"
    shown = reply.json["data"]
    assert {name: shown[name] for name in shown if not name.endswith("_at")} == {
        "id": wallet_id,
        "merchant_id": baas.gateway.merchant.merchant_id,
        "environment": "SANDBOX",
        "currency": "NGN",
        "bank_name": "Sandbox Bank",
        "bank_code": "999999",
        "account_name": None,
        "account_number": None,
        "booked_balance": 1000.55,
        "available_balance": 1000.5,
        "status": "ACTIVE",
        "updated": False,
        "wallet_type": "Customer",
        "user_id": user_id,
        "tier": None,
    }
    assert re.fullmatch(r"[0-9T:-]{19}\.[0-9]{6}Z", shown["created_at"])
    assert (await baas.get(f"/wallets/{user_id.upper()}")).json == reply.json


async def test_the_statuses_of_a_wallet(baas: BaasClient) -> None:
    """And: the open wallet is the customer's, or else the one that was closed last."""
    user_id, first = await baas.open_wallet("cus_1")

    async def shown() -> tuple[str, str]:
        wallet = (await baas.get(f"/wallets/{user_id}")).json["data"]
        return wallet["id"], wallet["status"]

    await baas.gateway.post(f"/wallets/{in_credit_wallets(first)}/freeze")
    assert await shown() == (first, "FROZEN")
    await baas.gateway.post(f"/wallets/{in_credit_wallets(first)}/unfreeze")
    await baas.gateway.post(f"/wallets/{in_credit_wallets(first)}/close")
    assert await shown() == (first, "CLOSED")
    _, second = await baas.open_wallet("cus_1")
    assert await shown() == (second, "ACTIVE")
    await baas.gateway.post(f"/wallets/{in_credit_wallets(second)}/close")
    assert await shown() == (second, "CLOSED")


async def test_a_customer_id_that_is_a_uuid_is_the_user_id(baas: BaasClient) -> None:
    name = "ed380000-b6f6-4210-bc8b-5dd7d6721caa"
    user_id, wallet_id = await baas.open_wallet(name)
    assert user_id == name
    assert (await baas.get(f"/wallets/{name}")).json["data"]["id"] == wallet_id


async def test_money_goes_in_and_out(baas: BaasClient) -> None:
    user_id, wallet_id = await baas.open_wallet()
    body = (
        b'{"amount": 100.50, "customer_id": "%s", "reference": "pay 1", '
        b'"metadata": {"b":1.50,"a":"x"}}' % user_id.encode()
    )
    reply = await baas.post("/wallets/credit", data=body)
    assert reply.status == 201
    answer = msgspec.json.decode(reply.body, type=TransactionAnswer)
    assert answer.message == "Successfully credit customer wallet"
    credited = reply.json["data"]
    assert metadata_of(credited) == '{"b": 1.50, "a": "x"}'
    assert b'"amount":100.5,"balance_before":0,"balance_after":100.5' in reply.body
    assert {name: credited[name] for name in credited if name not in ("id", "metadata")} == {
        "user_id": user_id,
        "merchant_id": baas.gateway.merchant.merchant_id,
        "reference": "pay 1",
        "currency": "NGN",
        "environment": "SANDBOX",
        "amount": 100.5,
        "balance_before": 0,
        "balance_after": 100.5,
        "status": "COMPLETED",
        "destination": None,
        "description": None,
        "type": "CREDIT",
        "category": "CREDIT_CUSTOMER_WALLET",
    }
    debited = await baas.post(
        "/wallets/debit", {"amount": 0.05, "customer_id": user_id, "reference": "d"}
    )
    assert debited.status == 201
    shown = debited.json["data"]
    assert (shown["type"], shown["category"]) == ("DEBIT", "DEBIT_CUSTOMER_WALLET")
    assert (shown["balance_before"], shown["balance_after"]) == (100.5, 100.45)
    assert shown["metadata"] is None
    there = await baas.gateway.get(f"/wallets/{in_credit_wallets(wallet_id)}")
    assert there.json["balance"] == 10_045


async def test_a_reference_is_made_where_none_is_sent(baas: BaasClient) -> None:
    user_id, _ = await baas.open_wallet()
    body = {"amount": 1, "customer_id": user_id}
    first, second = [(await baas.post("/wallets/credit", body)).json["data"] for _ in range(2)]
    for made in (first, second):
        assert re.fullmatch(r"TXN-[0-9]{10}-[0-9a-f]{16}", made["reference"])
    assert first["reference"] != second["reference"]
    assert (first["balance_after"], second["balance_after"]) == (1, 2)


async def test_a_key_without_a_reference_is_one_effect(baas: BaasClient) -> None:
    """Whoever repeats the key gets the reference that was made first; also all at once."""
    user_id, _ = await baas.open_wallet()
    body = {"amount": 1, "customer_id": user_id}
    key = {"Idempotency-Key": "once"}
    replies = await asyncio.gather(
        *(baas.post("/wallets/credit", body, headers=key) for _ in range(8))
    )
    replies.append(await baas.post("/wallets/credit", body, headers=key))
    assert {reply.status for reply in replies} == {201}
    assert len({reply.body for reply in replies}) == 1
    assert sum("Idempotent-Replayed" in reply.headers for reply in replies) == 8
    other = await baas.post("/wallets/credit", body | {"amount": 2}, headers=key)
    assert failure(other)[0] == 409
    assert (await baas.get(f"/wallets/{user_id}")).json["data"]["booked_balance"] == 1


async def test_a_reference_is_one_effect_in_both_contracts(baas: BaasClient) -> None:
    user_id, wallet_id = await baas.open_wallet()
    body = {"amount": 7.25, "customer_id": user_id, "reference": "r"}
    first = await baas.post("/wallets/credit", body)
    again = await baas.post("/wallets/credit", body)
    assert again.body == first.body
    assert again.headers["Idempotent-Replayed"] == "true"
    there = await baas.gateway.post(
        f"/wallets/{in_credit_wallets(wallet_id)}/credit", {"amount": 725, "reference": "r"}
    )
    assert (there.status, there.headers["Idempotent-Replayed"]) == (200, "true")
    other = await baas.post("/wallets/credit", body | {"amount": 7.26})
    assert failure(other) == (
        409,
        "Reference was used before",
        {"reference": "was used before, for something else"},
    )


async def test_a_repeated_call_is_about_the_wallet_that_it_was_about(baas: BaasClient) -> None:
    """Also when the customer has another wallet by now."""
    user_id, first = await baas.open_wallet()
    credit = {"amount": 5, "customer_id": user_id, "reference": "in"}
    debit = {"amount": 5, "customer_id": user_id}
    credited = await baas.post("/wallets/credit", credit)
    debited = await baas.post("/wallets/debit", debit, headers={"Idempotency-Key": "k"})
    await baas.gateway.post(f"/wallets/{in_credit_wallets(first)}/close")
    await baas.open_wallet()
    assert (await baas.post("/wallets/credit", credit)).body == credited.body
    again = await baas.post("/wallets/debit", debit, headers={"Idempotency-Key": "k"})
    assert again.body == debited.body
    assert (await baas.get(f"/wallets/{user_id}")).json["data"]["booked_balance"] == 0


async def test_a_used_name_comes_before_an_unknown_customer(baas: BaasClient) -> None:
    user_id, _ = await baas.open_wallet()
    await baas.credit(user_id, 1, "r")
    body = {"amount": 1, "customer_id": UNKNOWN, "reference": "r"}
    assert failure(await baas.post("/wallets/credit", body))[0] == 409
    fresh = await baas.post("/wallets/credit", body | {"reference": "fresh"})
    assert failure(fresh) == (404, "Customer not found: there is no such customer", {})


async def test_a_transfer(baas: BaasClient) -> None:
    sender, from_wallet = await baas.open_wallet("cus_1")
    receiver, to_wallet = await baas.open_wallet("cus_2")
    await baas.credit(sender, 10, "in")
    body = {
        "amount": 2.5,
        "from_wallet_id": from_wallet,
        "to_wallet_id": to_wallet,
        "narration": "rent",
        "reference": "t",
        "metadata": {"month": 5},
    }
    reply = await baas.post("/wallets/transfer/bank", body)
    assert reply.status == 201
    way_in = reply.json["data"]
    assert (way_in["type"], way_in["category"], way_in["user_id"]) == (
        "CREDIT",
        "TRANSFER",
        receiver,
    )
    assert (way_in["from_wallet_id"], way_in["to_wallet_id"]) == (from_wallet, to_wallet)
    assert (way_in["description"], metadata_of(way_in)) == ("rent", '{"month": 5}')
    assert (way_in["balance_before"], way_in["balance_after"]) == (0, 2.5)
    assert (await baas.post("/wallets/transfer/bank", body)).body == reply.body

    assert (await baas.get("/transactions/t")).json["data"] == way_in
    own = (await baas.get(f"/transactions/customer/{receiver}/t")).json["data"]
    assert own == way_in
    way_out = (await baas.get(f"/transactions/customer/{sender}/t")).json["data"]
    assert (way_out["type"], way_out["user_id"]) == ("DEBIT", sender)
    assert (way_out["balance_before"], way_out["balance_after"]) == (10, 7.5)
    assert (way_out["from_wallet_id"], way_out["to_wallet_id"]) == (from_wallet, to_wallet)


async def test_transfers_that_are_refused(baas: BaasClient) -> None:
    """A wallet in another currency is as unknown as one that there is not."""
    sender, from_wallet = await baas.open_wallet("cus_1")
    _, to_wallet = await baas.open_wallet("cus_2")
    _, yen_wallet = await baas.open_wallet("cus_3", "JPY")
    await baas.credit(sender, 10, "in")

    async def refused(**change: object) -> tuple[int, str, dict[str, str]]:
        body = {"amount": 1, "from_wallet_id": from_wallet, "to_wallet_id": to_wallet} | change
        return failure(await baas.post("/wallets/transfer/bank", body))

    for unknown in (UNKNOWN, yen_wallet):
        assert (await refused(to_wallet_id=unknown))[:2] == (404, "Wallet not found")
        assert (await refused(from_wallet_id=unknown))[:2] == (404, "Wallet not found")
    assert await refused(to_wallet_id=from_wallet) == (
        400,
        "Wallets must be different",
        {"to_wallet_id": "is the wallet that the money comes from"},
    )
    assert await refused(amount=11, reference="too much") == (
        409,
        "Insufficient balance",
        {"amount": "must not be over 10, the available"},
    )
    failed = (await baas.get("/transactions/too much".replace(" ", "%20"))).json["data"]
    assert (failed["status"], failed["description"]) == ("FAILED", "Insufficient balance")
    assert (failed["type"], failed["category"]) == ("DEBIT", "TRANSFER")
    assert failed["from_wallet_id"] == from_wallet


async def test_a_declined_movement_is_a_failed_transaction(baas: BaasClient) -> None:
    """Until the reference is used with success: then that one is found, and the list has both."""
    user_id, _ = await baas.open_wallet()
    debit = {"amount": 5, "customer_id": user_id, "reference": "ref/1 %"}
    assert failure(await baas.post("/wallets/debit", debit))[:2] == (409, "Insufficient balance")
    path = "/transactions/ref%2F1%20%25"
    first = (await baas.get(path)).json["data"]
    assert (first["status"], first["balance_before"], first["balance_after"]) == ("FAILED", 0, 0)
    await baas.post("/wallets/debit", debit | {"amount": 6})
    assert (await baas.get(path)).json["data"]["amount"] == 6
    await baas.credit(user_id, 5, "in")
    made = await baas.post("/wallets/debit", debit)
    assert (await baas.get(path)).json["data"] == made.json["data"]
    of_customer = await baas.get(f"/transactions/customer/{user_id}/ref%2F1%20%25")
    msgspec.json.decode(of_customer.body, type=CustomerTransactionAnswer)
    assert of_customer.json["data"] == made.json["data"]

    await baas.gateway.project()
    listed = (await baas.get(f"/transactions/customer/{user_id}")).json["data"]
    assert [each["status"] for each in listed] == ["COMPLETED", "COMPLETED", "FAILED", "FAILED"]
    assert [each["amount"] for each in listed] == [5, 5, 6, 5]


async def test_what_only_the_other_contract_can_do_is_found_here(baas: BaasClient) -> None:
    """Holds' captures, reversals, lapses: each with a category of its own."""
    user_id, wallet_id = await baas.open_wallet()
    wallet = in_credit_wallets(wallet_id)
    gateway = baas.gateway
    credited = await gateway.credit(wallet, 1000, "in")
    hold = await gateway.place_hold(wallet, 300, "ride")
    assert (await baas.get("/transactions/ride", headers=FAST)).status == 404
    await gateway.post(f"/holds/{hold}/capture", {"amount": 100})
    await gateway.post(f"/holds/{hold}/capture", {"amount": 50, "reference": "own"})
    body = {"amount": 200, "reference": "undo"}
    await gateway.post(f"/transactions/{credited.json['id']}/reverse", body)
    await gateway.project()

    async def found(reference: str) -> tuple[Any, ...]:
        shown = (await baas.get(f"/transactions/{reference}")).json["data"]
        assert shown["user_id"] == user_id
        return shown["category"], shown["type"], shown["amount"], shown["reference"]

    assert await found("ride") == ("HOLD_CAPTURE", "DEBIT", 1, "ride")
    assert await found("own") == ("HOLD_CAPTURE", "DEBIT", 0.5, "own")
    assert await found("undo") == ("REVERSAL", "DEBIT", 2, "undo")


async def test_of_a_transfer_that_was_undone_each_has_its_own_leg(baas: BaasClient) -> None:
    (one, sender), (other, receiver) = [await baas.open_wallet(f"cus_{each}") for each in "12"]
    await baas.credit(one, 5, "in")
    body = {"from": in_credit_wallets(sender), "to": in_credit_wallets(receiver), "amount": 300}
    sent = (await baas.gateway.post("/transfers", body | {"reference": "over"})).json
    for way, amount in (("sent", 100), ("received", 200)):
        path = f"/transactions/{sent[f'{way}_transaction_id']}/reverse"
        await baas.gateway.post(path, {"amount": amount, "reference": way})
        for user_id, type_ in ((one, "CREDIT"), (other, "DEBIT")):
            leg = (await baas.get(f"/transactions/customer/{user_id}/{way}")).json["data"]
            assert (leg["user_id"], leg["type"], leg["amount"]) == (user_id, type_, amount / 100)


async def test_lists_by_page(baas: BaasClient) -> None:
    """Newest first, with how many there are in all; a page behind the end is empty."""
    user_id, first = await baas.open_wallet("cus_1")
    for number in range(3):
        await baas.credit(user_id, 1, f"r{number}")
    await baas.post("/wallets/debit", {"amount": 3, "customer_id": user_id, "reference": "out"})
    await baas.gateway.post(f"/wallets/{in_credit_wallets(first)}/close")
    _, second = await baas.open_wallet("cus_1")
    await baas.credit(user_id, 1, "r4")
    await baas.open_wallet("cus_2")
    await baas.open_wallet("cus_3", "GHS")
    await baas.gateway.project()

    async def page(query: str) -> tuple[list[str], dict[str, int]]:
        reply = await baas.get(f"/transactions/customer/{user_id}{query}")
        msgspec.json.decode(reply.body, type=CustomerTransactionListAnswer)
        body = reply.json
        assert (body["statusCode"], body["status"]) == (200, "success")
        assert all(each["total_items"] == body["meta"]["totalItems"] for each in body["data"])
        return [each["reference"] for each in body["data"]], body["meta"]

    everything = ["r4", "out", "r2", "r1", "r0"]
    assert await page("") == (
        everything,
        {"page": 1, "limit": 10, "totalItems": 5, "totalPages": 1},
    )
    meta = {"page": 2, "limit": 2, "totalItems": 5, "totalPages": 3}
    assert await page("?page=2&limit=2") == (everything[2:4], meta)
    assert await page("?page_number=2&page_size=2") == (everything[2:4], meta)
    assert await page("?page=1000000000&limit=100") == (
        [],
        {"page": 1_000_000_000, "limit": 100, "totalItems": 5, "totalPages": 1},
    )

    reply = await baas.get("/wallets?limit=2")
    msgspec.json.decode(reply.body, type=WalletListAnswer)
    assert reply.json["message"] == "Successfully fetched wallets"
    assert reply.json["meta"] == {"page": 1, "limit": 2, "totalItems": 3, "totalPages": 2}
    last = await baas.get("/wallets?limit=2&page=2")
    assert [each["id"] for each in reply.json["data"] + last.json["data"]][1:] == [second, first]
    behind = await baas.get("/wallets?limit=2&page=3")
    assert (behind.json["data"], behind.json["meta"]["totalItems"]) == ([], 3)


async def test_lists_without_anything(baas: BaasClient) -> None:
    user_id, _ = await baas.open_wallet()
    await baas.gateway.project()
    nothing = {"page": 1, "limit": 10, "totalItems": 0, "totalPages": 0}
    history = await baas.get(f"/transactions/customer/{user_id}")
    assert (history.json["data"], history.json["meta"]) == ([], nothing)
    live = await baas.get("/wallets", who="live")
    assert (live.json["data"], live.json["meta"]) == ([], nothing)


async def test_a_history_that_is_behind_is_refused(baas: BaasClient) -> None:
    """One transaction by its reference never is."""
    user_id, _ = await baas.open_wallet()
    await baas.credit(user_id, 1, "r")
    assert (await baas.get("/transactions/r")).status == 200
    path = f"/transactions/customer/{user_id}"
    refused = await baas.get(path)
    assert failure(refused)[0] == 503
    assert refused.headers["Retry-After"] == "1"
    assert (await baas.get(path, headers=FAST)).json["data"] == []
    await baas.gateway.project()
    assert [each["reference"] for each in (await baas.get(path)).json["data"]] == ["r"]


async def test_a_reference_may_be_called_customer(baas: BaasClient) -> None:
    user_id, _ = await baas.open_wallet()
    await baas.credit(user_id, 1, "customer")
    assert (await baas.get("/transactions/customer")).json["data"]["reference"] == "customer"


async def test_live_and_sandbox_are_two(baas: BaasClient) -> None:
    body = {"customer_id": "cus_1", "currency": "NGN"}
    made = (await baas.gateway.post("/wallets", body, who="live")).json
    assert (await baas.get(f"/wallets/{made['user_id']}")).status == 404
    shown = (await baas.get(f"/wallets/{made['user_id']}", who="live")).json["data"]
    assert shown["environment"] == "LIVE"
    assert shown["merchant_id"] == baas.gateway.merchant.merchant_id
