"""`ledger reviews` and `ledger customers erase`, as processes beside a gateway that serves."""

import json
import os
import re
import stat
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.specs.baas_client import UNKNOWN, baas_with_vault, failure, in_credit_wallets
from tests.specs.customers_line import Line, at_tier_three
from tests.specs.people import PERSONAL_STRINGS, TIER_ONE
from tests.specs.pictures import png
from tests.specs.vault_line import NOTHING_LEFT

pytestmark = pytest.mark.long

KEY = {"Idempotency-Key": "enrolment-1"}


@pytest.fixture
async def line(database: str, empty_database: str, tmp_path: Path) -> AsyncIterator[Line]:
    async with baas_with_vault(database, empty_database, tmp_path) as baas:
        yield Line(baas, database)


async def test_reviews_are_listed_and_settled(line: Line) -> None:
    assert await line.run("reviews", "list") == (0, "no wallet waits for a review\n")
    wallet = await at_tier_three(line.baas)
    await line.baas.gateway.project()
    identifier = in_credit_wallets(wallet["id"])
    listed = await line.run("reviews", "list")
    assert listed.output.startswith(identifier)
    assert listed.output.endswith("  sandbox  merchant\n")
    assert await line.run("reviews", "approve", identifier, "--by", "ama") == (
        0,
        f"approved {identifier}, account 0000000006\n",
    )
    shown = (await line.baas.get(f"/wallets/{wallet['user_id']}")).json["data"]
    assert (shown["status"], shown["account_number"]) == ("ACTIVE", "0000000006")
    again = await line.run("reviews", "reject", identifier)
    assert again == (1, f"Error: {identifier} was not rejected: review_not_pending\n")
    await line.baas.gateway.project()
    assert (await line.run("reviews", "list")).output == "no wallet waits for a review\n"
    entry = (await line.baas.gateway.get("/audit-log?limit=1", who="admin")).json["data"][0]
    assert (entry["action"], entry["who"]) == ("wallet.reviewed", "operator:ama")
    assert (entry["wallet_id"], entry["details"]["outcome"]) == (identifier, "approved")


async def test_a_review_of_no_wallet(line: Line) -> None:
    for unknown in ("wal_" + "0a" * 16, "nothing"):
        ended = await line.run("reviews", "reject", unknown)
        assert (ended.status, ended.output.startswith("Error: there is no wallet")) == (1, True)


async def test_who_waits_is_shown_and_the_look_is_kept(line: Line, tmp_path: Path) -> None:
    wallet = await at_tier_three(line.baas)
    await line.baas.gateway.project()
    identifier = in_credit_wallets(wallet["id"])
    bill = tmp_path / "bill"

    ended = await line.run("reviews", "show", identifier, "--bill", str(bill))

    assert ended.status == 0, ended
    shown = dict(re.split(r"  +", each, maxsplit=1) for each in ended.output.splitlines()[:-1])
    assert shown["wallet"] == identifier
    assert (shown["first name"], shown["bvn"]) == ("Ngozi", "22222222222")
    assert shown["date of birth"] == "1992-02-29"
    assert shown["utility bill"] == "there is one"
    assert ended.output.splitlines()[-1] == f"wrote {bill} (image/png)"
    assert (bill.read_bytes(), stat.S_IMODE(bill.stat().st_mode)) == (png(), 0o600)
    looks = line.baas.vault.home / "logs" / "looks.jsonl"
    told = [json.loads(each) for each in looks.read_text().splitlines()]
    assert [each["shown"] for each in told] == ["person", "utility_bill"]
    assert {each["user_id"] for each in told} == {wallet["user_id"]}
    assert all(each["who"].startswith("operator:") for each in told)
    assert stat.S_IMODE(looks.stat().st_mode) == 0o600
    assert not any(text in looks.read_text() for text in PERSONAL_STRINGS)

    again = await line.run("reviews", "show", identifier, "--bill", str(bill))
    assert again == (1, f"Error: {bill} is there already: name another file\n")
    assert len(looks.read_text().splitlines()) == 2
    left = os.listdir(tmp_path)  # noqa: PTH208 - a test may block
    assert not any(name.endswith(".new") for name in left)


async def test_who_does_not_wait_is_not_shown(line: Line) -> None:
    wallet = await at_tier_three(line.baas)
    await line.baas.gateway.project()
    identifier = in_credit_wallets(wallet["id"])
    await line.run("reviews", "approve", identifier)
    await line.baas.gateway.project()
    assert await line.run("reviews", "show", identifier) == (
        1,
        f"Error: {identifier} waits for no review\n",
    )
    await line.erase(wallet["user_id"])
    ended = await line.run("reviews", "show", identifier)
    assert ended == (1, f"Error: {identifier} waits for no review\n")
    await line.baas.gateway.project()
    ended = await line.run("reviews", "show", identifier)
    assert ended == (1, f"Error: the customer of {identifier} was erased\n")
    ended = await line.run("reviews", "show", "wal_1")
    assert (ended.status, ended.output.startswith("Error: there is no wallet")) == (1, True)


async def test_nobody_is_shown_once_erased(line: Line) -> None:
    """Whoever waits and is erased: the call is gone, and so is the file."""
    wallet = await at_tier_three(line.baas)
    await line.baas.gateway.project()
    identifier = in_credit_wallets(wallet["id"])
    await line.erase(wallet["user_id"])
    for _ in ("while the read model does not know it", "and after"):
        ended = await line.run("reviews", "show", identifier)
        assert ended == (1, f"Error: the customer of {identifier} was erased\n")
        await line.baas.gateway.project()
    for more in ("", "/utility-bill"):
        reply = await line.baas.gateway.get(f"/reviews/{identifier}{more}", who="admin")
        assert (reply.status, reply.code) == (410, "customer_erased")


async def test_an_erased_customer_is_nobody_any_more(line: Line) -> None:
    baas = line.baas
    replied = await baas.post("/wallets", TIER_ONE, headers=KEY)
    wallet = replied.json["data"]
    await baas.credit(wallet["user_id"], 5, "in")
    ended = await line.erase(wallet["user_id"], "--reason", "asked for")
    assert (ended.status, ended.output.splitlines()) == (
        0,
        [
            f"erased {wallet['user_id']}",
            "wallets    1",
            "key        destroyed",
            "documents  0 removed",
        ],
    )

    shown = (await baas.get(f"/wallets/{wallet['user_id']}")).json["data"]
    assert shown["account_name"] is None
    assert (shown["booked_balance"], shown["account_number"]) == (5, wallet["account_number"])
    await baas.gateway.project()
    assert (await baas.get("/wallets")).json["data"][0]["account_name"] is None
    assert await baas.vault.fetch("SELECT 1 FROM customer_keys WHERE wrapped_key IS NOT NULL") == []
    (index,) = await baas.gateway.connection.fetch("SELECT identity_index FROM customers")
    assert index["identity_index"] is None
    listed = (baas.vault.home / "vault" / "destroyed.jsonl").read_text()
    assert wallet["user_id"] in listed

    replay = await baas.post("/wallets", TIER_ONE, headers=KEY)
    assert failure(replay) == (410, "Customer was erased", {})
    upgrade = {"nin": "11111111111", "account_number": wallet["account_number"]}
    assert failure(await baas.post("/wallets/upgrade-tier-2", upgrade))[0] == 410
    frozen = await baas.post(
        "/wallets/freeze", {"account_number": wallet["account_number"], "reason": "r"}
    )
    assert (frozen.status, frozen.json["data"]["account_name"]) == (200, None)


async def test_an_erased_person_may_come_again(line: Line) -> None:
    baas = line.baas
    first = (await baas.post("/wallets", TIER_ONE)).json["data"]
    assert (await line.erase(first["user_id"])).status == 0
    second = await baas.post("/wallets", TIER_ONE | {"email": "new@example.com"})
    assert second.status == 201
    assert second.json["data"]["user_id"] != first["user_id"]
    assert second.json["data"]["account_name"] == first["account_name"]


async def test_an_erasure_takes_the_utility_bill(line: Line) -> None:
    wallet = await at_tier_three(line.baas)
    assert len(line.documents()) == 1
    ended = await line.erase(wallet["user_id"])
    assert ended.output.endswith("documents  1 removed\n")
    assert line.documents() == []


async def test_an_erasure_may_be_repeated(line: Line) -> None:
    wallet = (await line.baas.post("/wallets", TIER_ONE)).json["data"]
    await line.erase(wallet["user_id"], "--by", "kofi", "--reason", "asked for")
    entry = (await line.baas.gateway.get("/audit-log?limit=1", who="admin")).json["data"][0]
    assert (entry["action"], entry["who"]) == ("wallet.customer_erased", "operator:kofi")
    assert (entry["details"], entry["reason"]) == ({"user_id": wallet["user_id"]}, "asked for")
    before = await line.baas.gateway.position()
    again = await line.erase(wallet["user_id"])
    assert (again.status, "there was none any more" in again.output) == (0, True)
    assert await line.baas.gateway.position() == before


async def test_a_restored_key_does_not_bring_the_customer_back(line: Line) -> None:
    """What the log says is destroyed again before the vault serves, whatever else was lost."""
    baas = line.baas
    wallet = (await baas.post("/wallets", TIER_ONE)).json["data"]
    rows = await baas.vault.copy_rows()
    await line.erase(wallet["user_id"])
    await baas.vault.put_back(rows)
    (baas.vault.home / "vault" / "destroyed.jsonl").unlink()
    assert (await line.erase(wallet["user_id"])).status == 0
    assert await baas.vault.fetch("SELECT 1 FROM customer_keys WHERE wrapped_key IS NOT NULL") == []
    listed = (baas.vault.home / "vault" / "destroyed.jsonl").read_text()
    assert wallet["user_id"] in listed


async def _forgotten_but_by_the_log(line: Line, rows: list[Any]) -> Any:
    """A customer whose erasure only the log knows of; these are the key store's rows now."""
    wallet = (await line.baas.post("/wallets", TIER_ONE)).json["data"]
    assert (await line.erase(wallet["user_id"])).status == 0
    await line.baas.vault.put_back(rows)
    (line.baas.vault.home / "vault" / "destroyed.jsonl").unlink()
    return wallet


async def test_reconciling_asks_the_log(line: Line) -> None:
    await line.baas.post("/wallets", TIER_ONE)
    rows = await line.baas.vault.copy_rows()
    await _forgotten_but_by_the_log(line, rows)
    ended = await line.run("vault", "reconcile", "--by", "kofi")
    assert ended == (0, "destroyed again  1\nadded to list    1\n" + NOTHING_LEFT)
    living = "SELECT 1 FROM customer_keys WHERE wrapped_key IS NOT NULL"
    assert await line.baas.vault.fetch(living) == []
    again = await line.run("vault", "reconcile")
    assert again == (0, "destroyed again  0\nadded to list    0\n" + NOTHING_LEFT)
    told = [each for each in (await line.run("audit")).output.splitlines() if "vault." in each]
    assert len(told) == 2
    assert told[0].endswith("vault.maintenance_begun      operator:kofi  work=reconcile")


async def test_restoring_asks_the_log(line: Line, tmp_path: Path) -> None:
    await line.baas.post("/wallets", TIER_ONE)
    folder = tmp_path / "backups"
    assert (await line.run("vault", "backup", str(folder))).status == 0
    [backup] = folder.iterdir()
    await _forgotten_but_by_the_log(line, [])
    ended = await line.run("vault", "restore", str(backup))
    said = "put back       0\nthere already  0\ndestroyed      1 (not put back)\n"
    assert ended == (0, said)


async def test_without_the_log_nothing_is_restored(line: Line, tmp_path: Path) -> None:
    """Who was erased would not be known: what the list lacks would come back."""
    await line.baas.post("/wallets", TIER_ONE)
    folder = tmp_path / "backups"
    await line.run("vault", "backup", str(folder))
    [backup] = folder.iterdir()
    nowhere = line._replace(database=line.database.rsplit("/", 1)[0] + "/nowhere")
    for words in (("restore", str(backup)), ("reconcile",)):
        ended = await nowhere.run("vault", *words)
        said = "Error: the log, which says who was erased, cannot be read: "
        assert (ended.status, ended.output.startswith(said)) == (1, True), ended


async def test_erasures_that_are_refused(line: Line) -> None:
    ended = await line.erase(UNKNOWN)
    assert ended == (1, f"Error: there is no customer {UNKNOWN}\n")
    name = "ed380000-b6f6-4210-bc8b-5dd7d6721caa"
    body = {"customer_id": name, "currency": "NGN"}
    for who in ("merchant", "stranger"):
        await line.baas.gateway.post("/wallets", body, who=who)
    ended = await line.erase(name)
    assert (ended.status, "of several tenants" in ended.output) == (1, True)
    tenant_id = line.baas.gateway.merchant.sandbox_tenant_id
    assert (await line.erase(name, "--tenant", tenant_id)).status == 0
