"""People become customers through the BaaS API, on real PostgreSQL, with a vault of their own."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
import structlog

from schemas.http.baas_wallets import WalletAnswer
from services.runtime.settings import Settings
from tests.specs.baas_client import BaasClient, baas_with_vault, failure, in_credit_wallets
from tests.specs.people import PERSONAL_STRINGS, TIER_ONE, TIER_TWO
from tests.specs.running_gateway import running_gateway

KEY = {"Idempotency-Key": "enrolment-1"}
SPOILING = {
    "wrapped_key": "UPDATE customer_keys SET wrapped_key = overlay(wrapped_key PLACING $2 FROM 20)"
    " WHERE user_id = $1",
    "row": "DELETE FROM customer_keys WHERE user_id = $1 AND $2::bytea IS NOT NULL",
}


@pytest.fixture
async def baas(database: str, empty_database: str, tmp_path: Path) -> AsyncIterator[BaasClient]:
    async with baas_with_vault(database, empty_database, tmp_path) as client:
        yield client


async def enrolled(baas: BaasClient, **change: object) -> Any:
    """The wallet of a customer at tier one."""
    reply = await baas.post("/wallets", TIER_ONE | change)
    assert reply.status == 201, reply
    return reply.json["data"]


async def test_a_customer_at_tier_one(baas: BaasClient) -> None:
    reply = await baas.post("/wallets", TIER_ONE)
    assert reply.status == 201
    answer = msgspec.json.decode(reply.body, type=WalletAnswer)
    assert answer.message == "Customer wallet created successfully"
    wallet = reply.json["data"]
    made_up = ("id", "user_id", "merchant_id", "created_at", "updated_at")
    assert {name: wallet[name] for name in wallet if name not in made_up} == {
        "environment": "SANDBOX",
        "currency": "NGN",
        "bank_name": "Sandbox Bank",
        "bank_code": "999999",
        "account_name": "Ngozi Adéyemí-O'Neill",
        "account_number": "0000000006",
        "booked_balance": 0,
        "available_balance": 0,
        "status": "ACTIVE",
        "updated": False,
        "wallet_type": "Customer",
    }
    assert (await baas.get(f"/wallets/{wallet['user_id']}")).json["data"] == wallet
    await baas.gateway.project()
    assert (await baas.get("/wallets")).json["data"] == [wallet]
    there = (await baas.gateway.get(f"/wallets/{in_credit_wallets(wallet['id'])}")).json
    assert there["customer_id"] == there["user_id"] == wallet["user_id"]


async def test_a_customer_at_tier_two(baas: BaasClient) -> None:
    reply = await baas.post("/wallets/tier-2", TIER_TWO)
    assert (reply.status, reply.json["message"]) == (201, "Customer wallet created successfully")
    assert reply.json["data"]["updated"] is False
    user_id = reply.json["data"]["user_id"]
    # Tier one may have 50 000 at once, tier two more.
    body = {"amount": 90_000, "customer_id": user_id, "reference": "r"}
    assert (await baas.post("/wallets/credit", body)).status == 201


async def test_tiers_mean_something(baas: BaasClient) -> None:
    user_id = (await enrolled(baas))["user_id"]
    body = {"amount": 50_000.01, "customer_id": user_id, "reference": "r"}
    assert failure(await baas.post("/wallets/credit", body)) == (
        409,
        "Limit of the tier exceeded",
        {"amount": "must not be over 50000, the largest credit of TIER_ONE"},
    )
    failed = (await baas.get("/transactions/r")).json["data"]
    assert (failed["status"], failed["description"]) == ("FAILED", "Limit of the tier exceeded")


async def test_account_numbers_follow_each_other(baas: BaasClient) -> None:
    wallets = [await enrolled(baas, bvn=f"2222222222{number}") for number in range(3)]
    assert [wallet["account_number"][:9] for wallet in wallets] == [
        "000000000",
        "000000001",
        "000000002",
    ]


async def test_names_that_are_left_out_in_the_sandbox(baas: BaasClient) -> None:
    nameless = {name: value for name, value in TIER_ONE.items() if not name.endswith("_name")}
    reply = await baas.post("/wallets", nameless)
    assert reply.json["data"]["account_name"] == "John Doe"


async def test_the_same_person_with_the_same_details_has_one_wallet(baas: BaasClient) -> None:
    """However the details are spelled; also at once, and by many."""
    replies = await asyncio.gather(*(baas.post("/wallets", TIER_ONE) for _ in range(8)))
    replies.append(await baas.post("/wallets", TIER_ONE | {"phone_number": "+2348012345678"}))
    assert {reply.status for reply in replies} == {201}
    assert len({reply.json["data"]["id"] for reply in replies}) == 1
    assert len({reply.body for reply in replies}) == 1
    count = "SELECT count(*) FROM wallets"
    assert await baas.gateway.connection.fetchval(count) == 1


async def test_the_same_person_with_other_details_is_refused(baas: BaasClient) -> None:
    await enrolled(baas)
    before = await baas.gateway.position()
    for change in ({"email": "other@example.com"}, {"first_name": "Ada"}, {"address": "else"}):
        reply = await baas.post("/wallets", TIER_ONE | change)
        assert failure(reply) == (
            422,
            "BVN is known with other details",
            {"bvn": "is known with other details"},
        )
    assert (await baas.post("/wallets/tier-2", TIER_TWO)).status == 422
    assert await baas.gateway.position() == before


async def test_a_person_is_one_customer_of_each_tenant(baas: BaasClient) -> None:
    here = await enrolled(baas)
    there = await baas.post("/wallets", TIER_ONE | {"email": "x@example.com"}, who="stranger")
    assert there.status == 201
    assert there.json["data"]["user_id"] != here["user_id"]
    assert there.json["data"]["account_number"] == here["account_number"]


async def test_a_person_whose_wallet_is_closed_gets_another(baas: BaasClient) -> None:
    first = await enrolled(baas)
    await baas.gateway.post(f"/wallets/{in_credit_wallets(first['id'])}/close")
    second = await enrolled(baas)
    assert second["user_id"] == first["user_id"]
    assert second["id"] != first["id"]
    assert second["account_number"] == "0000000013"


async def test_a_wallet_of_the_other_contract_hides_nobody(baas: BaasClient) -> None:
    """Closed, and opened again without KYC: the person is who it was, and has that wallet."""
    first = await enrolled(baas)
    await baas.gateway.post(f"/wallets/{in_credit_wallets(first['id'])}/close")
    user_id, wallet_id = await baas.open_wallet(first["user_id"])
    assert user_id == first["user_id"]
    again = await enrolled(baas)
    assert (again["id"], again["account_number"]) == (wallet_id, None)
    other = await baas.post("/wallets", TIER_ONE | {"address": "else"})
    assert failure(other)[:2] == (422, "BVN is known with other details")


@pytest.mark.parametrize("people_at_once", [1, 6])
async def test_a_repeated_key_is_the_first_answer(baas: BaasClient, people_at_once: int) -> None:
    calls = (baas.post("/wallets", TIER_ONE, headers=KEY) for _ in range(people_at_once))
    replies = await asyncio.gather(*calls)
    wallet = replies[0].json["data"]
    await baas.credit(wallet["user_id"], 5, "in")
    again = await baas.post("/wallets", TIER_ONE, headers=KEY)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert {reply.body for reply in [*replies, again]} == {replies[0].body}
    without = await baas.post("/wallets", TIER_ONE)
    assert without.json["data"]["booked_balance"] == 5


async def test_a_key_of_another_call_is_refused(baas: BaasClient) -> None:
    await baas.post("/wallets", TIER_ONE, headers=KEY)
    for change in ({"email": "other@example.com"}, {"bvn": "22222222229"}):
        reply = await baas.post("/wallets", TIER_ONE | change, headers=KEY)
        assert failure(reply)[:2] == (409, "Reference was used before")
    tier_two = await baas.post("/wallets/tier-2", TIER_TWO, headers=KEY)
    assert failure(tier_two)[:2] == (409, "Reference was used before")


async def test_keys_of_two_calls_for_one_person_at_once(baas: BaasClient) -> None:
    """Whichever comes second gets the wallet of the first, and gets it again."""
    keys = [{"Idempotency-Key": f"k{number}"} for number in range(6)]
    replies = [
        reply
        for _ in range(2)
        for reply in await asyncio.gather(
            *(baas.post("/wallets", TIER_ONE, headers=key) for key in keys)
        )
    ]
    assert {(reply.status, reply.json["data"]["id"]) for reply in replies} == {
        (201, replies[0].json["data"]["id"])
    }


@pytest.mark.parametrize(
    ("change", "status", "fields"),
    [
        ({"bvn": "2220000040"}, 422, {"bvn": "must be 11 digits"}),
        ({"bvn": "22200000404"}, 422, {"bvn": "is known to nobody"}),
        ({"bvn": "22200000409"}, 422, {"bvn": "belongs to another person"}),
        ({"bvn": "00000000000"}, 422, {"bvn": "is known to nobody"}),
        ({"bvn": "22200000503"}, 503, {}),
        ({"nin": "70000000404"}, 422, {"nin": "is known to nobody"}),
        ({"nin": "70000000409"}, 422, {"nin": "belongs to another person"}),
        ({"nin": "70000000503"}, 503, {}),
        ({"bvn": None}, 400, {"bvn": "is required"}),
        (
            {"date_of_birth": "1992-02-29"},
            400,
            {"date_of_birth": "must be a day, written DD-MM-YYYY"},
        ),
    ],
)
async def test_who_is_refused_leaves_nothing(
    baas: BaasClient, change: dict[str, object], status: int, fields: dict[str, str]
) -> None:
    reply = await baas.post("/wallets/tier-2", TIER_TWO | change)
    found = failure(reply)
    assert (found[0], found[2]) == (status, fields)
    assert ("Retry-After" in reply.headers) == (status == 503)
    assert await baas.gateway.position() == baas.gateway.begun
    assert await baas.vault.fetch("SELECT 1 FROM customer_keys") == []


async def test_every_offending_field_is_named_at_once(baas: BaasClient) -> None:
    status, _, fields = failure(await baas.post("/wallets", {}))
    assert (status, list(fields)) == (
        400,
        ["bvn", "date_of_birth", "phone_number", "email", "address"],
    )


async def test_for_live_nobody_verifies(baas: BaasClient) -> None:
    reply = await baas.post("/wallets", TIER_ONE, who="live")
    assert failure(reply)[:2] == (503, "Identity verification is unavailable, try again")


async def test_nothing_of_a_person_is_in_clear(
    baas: BaasClient, capsys: pytest.CaptureFixture[str]
) -> None:
    await enrolled(baas)
    await baas.post("/wallets", TIER_ONE | {"email": "other@example.com"})
    await baas.gateway.project()
    tables = await baas.gateway.connection.fetch(
        "SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public'"
    )
    dump = ""
    for (table,) in tables:
        rows = await baas.gateway.connection.fetch(f"SELECT t::text FROM {table} AS t")  # noqa: S608
        dump += "\n".join(row[0] for row in rows)
    said = dump + await baas.vault.dump() + capsys.readouterr().out
    assert "wallet.opened" in said
    for personal in PERSONAL_STRINGS:
        assert personal.lower() not in said.lower(), personal


async def test_without_a_vault_money_still_moves(database: str, tmp_path: Path) -> None:
    """And nobody is enrolled."""
    async with running_gateway(database, settings=Settings(home=tmp_path)) as gateway:
        baas = BaasClient(gateway)
        user_id, _ = await baas.open_wallet()
        await baas.credit(user_id, 1, "r")
        reply = await baas.post("/wallets", TIER_ONE)
        assert failure(reply)[:2] == (
            503,
            (
                "Personal data is unavailable: this ledger cannot keep persons, until who runs it "
                "sets up its vault and keys; trying again does not help"
            ),
        )


async def test_names_are_left_out_while_the_vault_is_away(
    database: str, empty_database: str, tmp_path: Path
) -> None:
    async with baas_with_vault(database, empty_database, tmp_path) as baas:
        wallet = await enrolled(baas)
        await baas.gateway.project()
        secret = baas.gateway.secrets
    async with running_gateway(database, settings=Settings(home=tmp_path)) as gateway:
        gateway.secrets = secret
        shown = (await BaasClient(gateway).get(f"/wallets/{wallet['user_id']}")).json["data"]
        assert shown == wallet | {"account_name": None}


async def spoiled(baas: BaasClient, wallet: Any, column: str) -> None:
    """What a wrong master key, or a key store that was restored, leaves of a customer's key."""
    connection = await asyncpg.connect(baas.vault.settings.require_vault_database_url())
    try:
        await connection.execute("SET session_replication_role = replica")
        await connection.execute(SPOILING[column], UUID(wallet["user_id"]), bytes(8))
    finally:
        await connection.close()


async def test_a_key_that_opens_no_more_hides_no_other_customer(baas: BaasClient) -> None:
    """Lists and changes go on, without this one name; who runs the ledger is told."""
    wallet, other = await enrolled(baas), await enrolled(baas, bvn="22222222223")
    await baas.gateway.project()
    await spoiled(baas, wallet, "wrapped_key")
    with structlog.testing.capture_logs() as logged:
        listed = await baas.get("/wallets")
    names = {each["id"]: each["account_name"] for each in listed.json["data"]}
    assert names == {wallet["id"]: None, other["id"]: other["account_name"]}
    body = {"account_number": wallet["account_number"], "reason": "r"}
    frozen = await baas.post("/wallets/freeze", body)
    assert (frozen.status, frozen.json["data"]["account_name"]) == (200, None)
    told = [(line["event"], line["user_id"]) for line in logged if "user_id" in line]
    assert ("customer_unreadable", wallet["user_id"]) in told


@pytest.mark.parametrize("what", ["wrapped_key", "row"])
async def test_a_person_who_cannot_be_opened_is_waited_for(baas: BaasClient, what: str) -> None:
    """As after a restore of the key store from before the customer: nothing is made up."""
    wallet = (await baas.post("/wallets", TIER_ONE, headers=KEY)).json["data"]
    before = await baas.gateway.position()
    await spoiled(baas, wallet, what)
    keys = await baas.vault.dump()
    nin = {"nin": "11111111111", "account_number": wallet["account_number"]}
    for path, body, key in (
        ("/wallets", TIER_ONE, {}),
        ("/wallets", TIER_ONE, KEY),
        ("/wallets/upgrade-tier-2", nin, {}),
    ):
        reply = await baas.post(path, body, headers=key)
        assert failure(reply)[:2] == (
            503,
            (
                "Personal data is unavailable: the customer's key is missing or another; who runs "
                "this ledger was told"
            ),
        )
    assert await baas.gateway.position() == before
    assert await baas.vault.dump() == keys
