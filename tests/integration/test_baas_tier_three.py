"""Tier three through the BaaS API: the form, the bill that is kept sealed, and the review."""

import asyncio
import errno
import os
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from schemas.http.baas_wallets import UTILITY_BILL_FIELD
from services.vault.document_store import FileDocumentStore
from services.vault.places import documents_path
from tests.specs.baas_client import UNKNOWN, BaasClient, baas_with_vault, failure, in_credit_wallets
from tests.specs.form_server import BOUNDARY, END, field, file, form, head
from tests.specs.people import TIER_THREE
from tests.specs.pictures import PDF, png
from tests.specs.running_gateway import Reply

FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
PERSON: dict[str, str] = {name: str(value) for name, value in TIER_THREE.items()}
MAX_FILE_BYTES = 10 * 1024 * 1024


@pytest.fixture
async def baas(database: str, empty_database: str, tmp_path: Path) -> AsyncIterator[BaasClient]:
    async with baas_with_vault(database, empty_database, tmp_path) as client:
        yield client


async def sent(
    baas: BaasClient, content: bytes | None = None, *, key: str | None = None, **change: str
) -> Reply:
    """What the gateway answers to a form."""
    body = form(PERSON | change, png(picture=b"bill" * 50) if content is None else content)
    headers = FORM | ({} if key is None else {"Idempotency-Key": key})
    return await baas.post("/wallets/tier-3", data=body, headers=headers)


def documents(baas: BaasClient) -> list[Path]:
    """Every file that the document store has."""
    folder = documents_path(baas.vault.settings)
    return [path for path in folder.rglob("*") if path.is_file()]


async def reviewed(baas: BaasClient, wallet: Any, outcome: str, **options: Any) -> Reply:
    """What the Credit Wallets API answers to a review."""
    path = f"/wallets/{in_credit_wallets(wallet['id'])}/review"
    return await baas.gateway.post(path, {"outcome": outcome}, **{"who": "admin", **options})


async def test_a_wallet_waits_for_its_review(baas: BaasClient) -> None:
    reply = await sent(baas)
    assert (reply.status, reply.json["message"]) == (201, "Wallet created successfully")
    wallet = reply.json["data"]
    assert wallet["status"] == "IN_ACTIVE"
    assert wallet["account_number"] is None
    assert wallet["account_name"] == "Ngozi Adéyemí-O'Neill"
    assert {name: wallet[name] for name in ("account_type", "account_category", "tier")} == {
        "account_type": "WALLET",
        "account_category": "CUSTOMER",
        "tier": "TIER_THREE",
    }
    assert wallet["expiry_time"] is None
    (bill,) = documents(baas)
    assert b"bill" not in bill.read_bytes()
    for verb in ("credit", "debit"):
        body = {"amount": 1, "customer_id": wallet["user_id"]}
        declined = await baas.post(f"/wallets/{verb}", body)
        assert failure(declined)[:2] == (409, "Wallet is not active")
    shown = await baas.get(f"/wallets/tier-3?reference={wallet['id']}")
    assert shown.status == 200
    assert shown.json["data"] == wallet | {"review_status": "PENDING"}


async def test_an_approved_wallet_is_active(baas: BaasClient) -> None:
    wallet = (await sent(baas)).json["data"]
    approval = await reviewed(baas, wallet, "approved")
    assert (approval.status, approval.json["status"]) == (200, "active")
    shown = (await baas.get(f"/wallets/tier-3?reference={wallet['id']}")).json["data"]
    assert (shown["status"], shown["account_number"]) == ("ACTIVE", "0000000006")
    assert shown["review_status"] == "APPROVED"
    await baas.credit(wallet["user_id"], 9_000_000, "large")
    again = await reviewed(baas, wallet, "rejected")
    assert (again.status, again.code) == (409, "review_not_pending")


async def test_a_rejected_wallet_stays_inactive(baas: BaasClient) -> None:
    wallet = (await sent(baas)).json["data"]
    assert (await reviewed(baas, wallet, "rejected")).status == 200
    bearer = {"Authorization": f"Bearer {baas.api_key()}"}
    path = f"/wallets/tier-3?reference={wallet['id']}"
    shown = (await baas.get(path, who=None, headers=bearer)).json["data"]
    assert (shown["status"], shown["review_status"]) == ("IN_ACTIVE", "REJECTED")
    assert shown["account_number"] is None


async def test_a_review_needs_the_scope_admin(baas: BaasClient) -> None:
    wallet = (await sent(baas)).json["data"]
    assert (await reviewed(baas, wallet, "approved", who="merchant")).code == "forbidden"
    assert (await reviewed(baas, wallet, "perhaps")).code == "validation_failed"
    missing = await baas.gateway.post(
        f"/wallets/{in_credit_wallets(UNKNOWN)}/review", {"outcome": "approved"}, who="admin"
    )
    assert missing.code == "wallet_not_found"


async def test_the_same_form_has_one_wallet_and_one_bill(baas: BaasClient) -> None:
    """Also at once; and a repeated key is the first answer."""
    replies = await asyncio.gather(*(sent(baas) for _ in range(4)))
    replies.append(await sent(baas, PDF_AS_PNG))
    assert [reply.status for reply in replies] == [201] * 4 + [400]
    assert len({reply.json["data"]["id"] for reply in replies[:4]}) == 1
    assert len(documents(baas)) == 1
    other = await sent(baas, lga="Ikeja")
    assert failure(other)[:2] == (422, "BVN is known with other details")
    assert len(documents(baas)) == 1


async def test_who_loses_the_race_for_a_person_leaves_no_bill(baas: BaasClient) -> None:
    """One of several tellings of a person is taken; the others' files go with their refusal."""
    replies = await asyncio.gather(*(sent(baas, lga=f"Ikeja {place}") for place in "abcdef"))
    assert sorted(reply.status for reply in replies) == [201] + [422] * 5
    assert len(documents(baas)) == 1


async def test_a_repeated_key_is_the_first_answer(baas: BaasClient) -> None:
    first = await sent(baas, key="k")
    await reviewed(baas, first.json["data"], "approved")
    again = await sent(baas, key="k")
    assert (again.body, again.headers["Idempotent-Replayed"]) == (first.body, "true")
    assert len(documents(baas)) == 1


async def test_the_originals_example_is_taken(baas: BaasClient) -> None:
    reply = await sent(baas, bvn="0" * 11, nin="0" * 11)
    assert reply.status == 201


PDF_AS_PNG = PDF


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        (form(PERSON, PDF), 400, [UTILITY_BILL_FIELD]),
        (form(PERSON, b"text"), 400, [UTILITY_BILL_FIELD]),
        (form(PERSON, png()[:-5]), 400, [UTILITY_BILL_FIELD]),
        (form(PERSON, png(100_000, 100_000)), 400, [UTILITY_BILL_FIELD]),
        (form(PERSON, b""), 400, [UTILITY_BILL_FIELD]),
        (form(PERSON, b"x" * (MAX_FILE_BYTES + 1)), 413, [UTILITY_BILL_FIELD]),
        (form({}, png()), 400, [*(name for name in PERSON if not name.endswith("_name"))]),
        (form(PERSON | {"bvn": "1"}, png()), 422, ["bvn"]),
        (form(PERSON | {"bvn": "22200000404"}, png()), 422, ["bvn"]),
        (form(PERSON | {"nin": "70000000503"}, png()), 503, []),
        (b"".join(field(*each) for each in PERSON.items()) + END, 400, [UTILITY_BILL_FIELD]),
        (file(png()) + file(png()) + END, 400, [UTILITY_BILL_FIELD]),
        (field("bvn", "1") + field("bvn", "1") + END, 400, ["bvn"]),
        (form(PERSON, png())[:-20], 400, []),
        (b"", 400, []),
    ],
)
async def test_a_refused_form_leaves_nothing(
    baas: BaasClient, body: bytes, status: int, fields: list[str]
) -> None:
    reply = await baas.post("/wallets/tier-3", data=body, headers=FORM)
    found = failure(reply)
    assert (found[0], list(found[2])) == (status, fields)
    assert documents(baas) == []
    assert await baas.gateway.position() == baas.gateway.begun


def failing(monkeypatch: pytest.MonkeyPatch, call: str, number: int) -> None:
    """Let the disk fail with each call of the document store of that name."""

    async def fail(_: FileDocumentStore, name: str, *__: object) -> None:
        raise OSError(number, os.strerror(number), f"/documents/{name}")

    monkeypatch.setattr(FileDocumentStore, call, fail)


async def test_a_file_that_cannot_be_removed_undoes_no_enrolment(
    baas: BaasClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wallet is there, and that is told; so is a refusal, and that the wallet was there."""
    failing(monkeypatch, "delete", errno.EIO)
    with structlog.testing.capture_logs() as logged:
        reply = await sent(baas)
        again = await sent(baas)
        other = await sent(baas, lga="Ikeja")
    assert [each.status for each in (reply, again, other)] == [201, 201, 422]
    assert reply.json["data"]["id"] == again.json["data"]["id"]
    told = [line for line in logged if line["event"] == "document_not_removed"]
    assert len(told) >= 3
    assert {(line["error"], line["errno"], line["reason"]) for line in told} == {
        ("OSError", errno.EIO, None)
    }


async def test_a_full_disk_is_told(baas: BaasClient, monkeypatch: pytest.MonkeyPatch) -> None:
    failing(monkeypatch, "write", errno.ENOSPC)
    with structlog.testing.capture_logs() as logged:
        reply = await sent(baas)
    assert failure(reply)[:2] == (
        503,
        "Personal data is unavailable: the file cannot be kept now, try again",
    )
    told = [line for line in logged if line["event"] == "documents_unavailable"]
    assert [(line["error"], line["errno"]) for line in told] == [("OSError", errno.ENOSPC)]
    assert "/documents/" not in str(logged)
    assert await baas.gateway.position() == baas.gateway.begun


async def test_a_form_that_breaks_off_leaves_nothing(baas: BaasClient) -> None:
    body = form(PERSON, png(picture=b"x" * 500_000))
    for cut in (100, 200_000, len(body) - 10):
        _, writer = await asyncio.open_connection("127.0.0.1", baas.gateway.port)
        start = head(len(body), X_API_Key=baas.api_key()).replace(
            b"POST / ", b"POST /baas/v1/wallets/tier-3 "
        )
        writer.write(start + body[:cut])
        await writer.drain()
        writer.close()
        await writer.wait_closed()
    # A whole one after them is answered when they have been dealt with, or soon after.
    assert (await sent(baas)).status == 201
    async with asyncio.timeout(10):
        while len(documents(baas)) != 1:  # noqa: ASYNC110 - files tell nobody when they go
            await asyncio.sleep(0.01)
    assert await baas.gateway.position() == baas.gateway.begun + 1


@pytest.mark.parametrize("reference", ["", "?reference=", "?reference=wal_1"])
async def test_a_review_of_no_wallet(baas: BaasClient, reference: str) -> None:
    assert failure(await baas.get(f"/wallets/tier-3{reference}"))[0] == 400


async def test_a_review_of_another_wallet(baas: BaasClient) -> None:
    _, wallet_id = await baas.open_wallet()
    for unknown in (UNKNOWN, wallet_id):
        reply = await baas.get(f"/wallets/tier-3?reference={unknown}")
        assert failure(reply)[0] == 404
    wallet = (await sent(baas)).json["data"]
    path = f"/wallets/tier-3?reference={wallet['id']}"
    assert failure(await baas.get(path, who="stranger"))[0] == 404
