"""Calls of the BaaS API that name an account: freeze, unfreeze, and a higher tier."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, NoReturn

import pytest

from services.gateway.baas.history_reads import HistoryReads
from services.gateway.problems import ReadsUnavailableError
from tests.specs.baas_client import BaasClient, baas_with_vault, failure, in_credit_wallets
from tests.specs.people import TIER_ONE, TIER_TWO

NIN = "11111111111"


@pytest.fixture
async def baas(database: str, empty_database: str, tmp_path: Path) -> AsyncIterator[BaasClient]:
    async with baas_with_vault(database, empty_database, tmp_path) as client:
        yield client


@pytest.fixture
async def wallet(baas: BaasClient) -> Any:
    reply = await baas.post("/wallets", TIER_ONE)
    assert reply.status == 201, reply
    return reply.json["data"]


async def test_freeze_and_unfreeze(baas: BaasClient, wallet: Any) -> None:
    """Both may be repeated; the money stays where it is meanwhile."""
    body = {"account_number": wallet["account_number"], "reason": "a complaint"}
    await baas.post("/wallets/freeze", body)
    frozen = await baas.post("/wallets/freeze", body)
    assert (frozen.status, frozen.json["message"]) == (200, "Successfully froze wallet")
    assert (frozen.json["data"]["status"], frozen.json["data"]["account_name"]) == (
        "FROZEN",
        wallet["account_name"],
    )
    for verb in ("credit", "debit"):
        movement = {"amount": 1, "customer_id": wallet["user_id"]}
        reply = await baas.post(f"/wallets/{verb}", movement)
        assert failure(reply)[:2] == (409, "Wallet is frozen")
    shown = (await baas.get(f"/wallets/{wallet['user_id']}")).json["data"]
    assert shown == frozen.json["data"]
    active = await baas.post("/wallets/unfreeze", body)
    assert (active.status, active.json["message"]) == (200, "Successfully unfroze wallet")
    assert active.json["data"]["status"] == "ACTIVE"


async def test_freeze_by_bearer(baas: BaasClient, wallet: Any) -> None:
    """Freeze and unfreeze take the API key in either header; the scope is needed all the same."""
    body = {"account_number": wallet["account_number"], "reason": "r"}
    for verb in ("freeze", "unfreeze"):
        bearer = {"Authorization": f"Bearer {baas.api_key()}"}
        reply = await baas.post(f"/wallets/{verb}", body, who=None, headers=bearer)
        assert reply.status == 200
        bearer = {"Authorization": f"Bearer {baas.api_key('reader')}"}
        assert (await baas.post(f"/wallets/{verb}", body, who=None, headers=bearer)).status == 403
        assert (await baas.post(f"/wallets/{verb}", body, who=None)).status == 401


@pytest.mark.parametrize("verb", ["freeze", "unfreeze"])
async def test_freezes_that_are_refused(baas: BaasClient, wallet: Any, verb: str) -> None:
    good = {"account_number": wallet["account_number"], "reason": "r"}
    unknown = good | {"account_number": "0000000013"}
    message = "Account number not found"
    field = {"account_number": "is not the number of any account"}
    before = await baas.gateway.position()
    assert failure(await baas.post(f"/wallets/{verb}", unknown)) == (404, message, field)
    stranger = await baas.post(f"/wallets/{verb}", good, who="stranger")
    assert failure(stranger) == (404, message, field)
    assert failure(await baas.post(f"/wallets/{verb}", {})) == (
        400,
        "Validation failed",
        {"account_number": "is required", "reason": "is required"},
    )
    short = await baas.post(f"/wallets/{verb}", good | {"account_number": "1"})
    assert failure(short)[2] == {"account_number": "must be 10 digits"}
    assert await baas.gateway.position() == before
    await baas.gateway.post(f"/wallets/{in_credit_wallets(wallet['id'])}/close")
    closed = await baas.post(f"/wallets/{verb}", good)
    assert failure(closed)[:2] == (409, "Wallet is closed")


async def test_a_key_makes_a_freeze_repeatable(baas: BaasClient, wallet: Any) -> None:
    body = {"account_number": wallet["account_number"], "reason": "r"}
    key = {"Idempotency-Key": "k"}
    first = await baas.post("/wallets/freeze", body, headers=key)
    await baas.post("/wallets/unfreeze", body)
    again = await baas.post("/wallets/freeze", body, headers=key)
    assert (again.body, again.headers["Idempotent-Replayed"]) == (first.body, "true")
    other = await baas.post("/wallets/unfreeze", body, headers=key)
    assert failure(other)[:2] == (409, "Reference was used before")
    unknown = body | {"account_number": "0000000013"}
    assert (await baas.post("/wallets/freeze", unknown, headers=key)).status == 409


async def test_nothing_is_read_after_a_freeze(
    baas: BaasClient, wallet: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where it cannot be read who the customer is, the wallet is frozen, and shown without."""

    async def away(*_: object) -> NoReturn:
        raise ReadsUnavailableError("the database cannot be reached")

    body = {"account_number": wallet["account_number"], "reason": "r"}
    with monkeypatch.context() as patched:
        patched.setattr(HistoryReads, "newest_wallet", away)
        reply = await baas.post("/wallets/freeze", body)
    assert reply.status == 200
    shown = reply.json["data"]
    assert (shown["status"], shown["account_name"]) == ("FROZEN", None)
    again = (await baas.post("/wallets/freeze", body)).json["data"]
    assert again | {"account_name": None} == shown
    assert again["account_name"] == wallet["account_name"]


async def test_a_higher_tier(baas: BaasClient, wallet: Any) -> None:
    """More is allowed then, and the details of tier two are the customer's own."""
    body = {"nin": NIN, "account_number": wallet["account_number"]}
    key = {"Idempotency-Key": "k"}
    reply = await baas.post("/wallets/upgrade-tier-2", body, headers=key)
    assert (reply.status, reply.json["message"]) == (201, "Customer wallet created successfully")
    raised = reply.json["data"]
    assert raised == wallet | {"updated": True, "updated_at": raised["updated_at"]}
    assert (await baas.get(f"/wallets/{wallet['user_id']}")).json["data"] == raised
    assert (await baas.post("/wallets/upgrade-tier-2", body, headers=key)).body == reply.body

    large = {"amount": 90_000, "customer_id": wallet["user_id"]}
    assert (await baas.post("/wallets/credit", large)).status == 201
    for path, person in (("/wallets", TIER_ONE), ("/wallets/tier-2", TIER_TWO)):
        again = await baas.post(path, person)
        assert (again.status, again.json["data"]["id"]) == (201, wallet["id"])
    other = await baas.post("/wallets/tier-2", TIER_TWO | {"nin": "11111111112"})
    assert failure(other)[:2] == (422, "BVN is known with other details")

    second = await baas.post("/wallets/upgrade-tier-2", body)
    assert failure(second)[:2] == (409, "Tier cannot be raised")


async def test_upgrades_that_are_refused(baas: BaasClient, wallet: Any) -> None:
    good = {"nin": NIN, "account_number": wallet["account_number"]}
    before = await baas.gateway.position()

    async def refused(who: Any = "merchant", **change: object) -> tuple[int, dict[str, str]]:
        reply = await baas.post("/wallets/upgrade-tier-2", good | change, who=who)
        status, _, fields = failure(reply)
        return status, fields

    unknown = {"account_number": "is not the number of any account"}
    assert await refused(account_number="0000000013") == (404, unknown)
    assert await refused("stranger") == (404, unknown)
    assert await refused(nin="1") == (422, {"nin": "must be 11 digits"})
    assert await refused(nin=None) == (400, {"nin": "is required"})
    assert await refused(nin="70000000404") == (422, {"nin": "is known to nobody"})
    assert await refused(nin="70000000409") == (422, {"nin": "belongs to another person"})
    assert await refused(nin="70000000503") == (503, {})
    assert await baas.gateway.position() == before
