"""What a reviewer sees of who waits, over HTTP: only as long as it is needed, and on record."""

import errno
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import structlog

from ledger.tenants.store import SCOPES
from schemas.http.reviews import PendingReview
from services.vault.document_store import FileDocumentStore
from services.vault.places import documents_path
from tests.specs.baas_client import BaasClient, baas_with_vault, in_credit_wallets
from tests.specs.form_server import BOUNDARY, form
from tests.specs.people import PERSONAL_STRINGS, TIER_ONE, TIER_THREE
from tests.specs.pictures import PDF, png
from tests.specs.running_gateway import Reply, basic

FORM = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
PERSON: dict[str, str] = {name: str(value) for name, value in TIER_THREE.items()}


@pytest.fixture
async def baas(database: str, empty_database: str, tmp_path: Path) -> AsyncIterator[BaasClient]:
    async with baas_with_vault(database, empty_database, tmp_path) as client:
        yield client


async def waiting(baas: BaasClient, bill: bytes, content_type: str = "image/png") -> str:
    """A wallet of the Credit Wallets API that waits, with this bill."""
    body = form(PERSON, bill).replace(b"image/png", content_type.encode())
    reply = await baas.post("/wallets/tier-3", data=body, headers=FORM)
    assert reply.status == 201, reply
    return in_credit_wallets(reply.json["data"]["id"])


async def seen(baas: BaasClient, wallet: str, more: str = "", **options: Any) -> Reply:
    """What a reviewer is answered."""
    return await baas.gateway.get(f"/reviews/{wallet}{more}", **{"who": "admin", **options})


async def test_a_reviewer_sees_who_waits(baas: BaasClient) -> None:
    wallet = await waiting(baas, png())
    reply = await seen(baas, wallet)
    assert (reply.status, reply.headers["Cache-Control"]) == (200, "no-store")
    shown = msgspec.json.decode(reply.body, type=PendingReview, strict=True)
    assert (shown.wallet_id, shown.tier, shown.review) == (wallet, "TIER_THREE", "pending")
    assert shown.utility_bill == f"/v1/reviews/{wallet}/utility-bill"
    assert reply.json["person"] == {
        "first_name": "Ngozi",
        "last_name": "Adéyemí-O'Neill",
        "date_of_birth": "1992-02-29",
        "phone_number": "+2348012345678",
        "email": "ngozi@example.com",
        "address": "12 Marina Road",
        "postal_code": "101-233",
        "country": "Nigeria",
        "state": "Lagos",
        "lga": "Lagos Island",
        "city": "Lagos",
        "bvn": "22222222222",
        "nin": "11111111111",
    }
    assert "Ngozi" not in repr(shown)


@pytest.mark.parametrize(
    ("bill", "content_type", "ending"),
    [
        (png(), "image/png", "png"),
        (png(picture=b"bill" * 100_000), "image/png", "png"),
        (PDF, "application/pdf", "pdf"),
    ],
)
async def test_the_bill_comes_out_as_it_was_sent(
    baas: BaasClient, bill: bytes, content_type: str, ending: str
) -> None:
    wallet = await waiting(baas, bill, content_type)
    reply = await seen(baas, wallet, "/utility-bill")
    assert (reply.status, reply.body == bill) == (200, True)
    headers = {name: reply.headers[name] for name in ("Content-Type", "Content-Disposition")}
    assert headers == {
        "Content-Type": content_type,
        "Content-Disposition": f'attachment; filename="utility-bill-{wallet}.{ending}"',
    }
    assert reply.headers["X-Content-Type-Options"] == "nosniff"
    assert reply.headers["Cache-Control"] == "no-store"
    assert reply.headers["X-Request-Id"]


async def test_a_head_of_the_bill_has_no_body(baas: BaasClient) -> None:
    wallet = await waiting(baas, png())
    path = f"/v1/reviews/{wallet}/utility-bill"
    reply = await baas.gateway.call("HEAD", path, who="admin")
    assert (reply.status, reply.body, reply.headers["Content-Type"]) == (200, b"", "image/png")
    # The connection, if it is kept, is in order.
    assert (await seen(baas, wallet)).status == 200


@pytest.mark.parametrize("more", ["", "/utility-bill"])
async def test_nobody_is_shown_when_it_is_not_needed(baas: BaasClient, more: str) -> None:
    """Without the scope, to another tenant, with the review settled, and without a review."""
    wallet = await waiting(baas, png())
    for who, code in {
        "merchant": "forbidden",
        "reader": "forbidden",
        "stranger": "forbidden",
    }.items():
        assert (await seen(baas, wallet, more, who=who)).code == code
    for unknown in ("wal_" + "0a" * 16, "wal_1", "%00"):
        reply = await seen(baas, unknown, more)
        assert (reply.status, reply.code) == (404, "wallet_not_found")
    known = (await baas.post("/wallets", TIER_ONE | {"bvn": "22222222223"})).json["data"]
    assert (await seen(baas, in_credit_wallets(known["id"]), more)).code == "review_not_pending"

    approval = {"outcome": "approved"}
    await baas.gateway.post(f"/wallets/{wallet}/review", approval, who="admin")
    reply = await seen(baas, wallet, more)
    assert (reply.status, reply.code) == (409, "review_not_pending")


@pytest.mark.parametrize("more", ["", "/utility-bill"])
async def test_a_reviewer_of_another_tenant_finds_nobody(baas: BaasClient, more: str) -> None:
    wallet = await waiting(baas, png())
    gateway = baas.gateway
    other = await gateway.administrator.create_merchant("other")
    for tenant_id in (other.sandbox_tenant_id, gateway.merchant.live_tenant_id):
        secret = await gateway.administrator.create_credential(tenant_id, SCOPES)
        headers = {"Authorization": basic(*secret)}
        reply = await seen(baas, wallet, more, who=None, headers=headers)
        assert (reply.status, reply.code) == (404, "wallet_not_found")


@pytest.mark.parametrize("more", ["", "/utility-bill"])
@pytest.mark.parametrize("is_there", [True, False])
async def test_a_person_who_cannot_be_opened_is_waited_for(
    baas: BaasClient, more: str, is_there: bool
) -> None:
    """The customer's key is of another master key, or gone; who runs the ledger is told."""
    wallet = await waiting(baas, png())
    spoiled = [
        tuple(bytes(8) if name == "wrapped_key" else value for name, value in row.items())
        for row in await baas.vault.copy_rows()
    ]
    await baas.vault.put_back(spoiled if is_there else [])
    with structlog.testing.capture_logs() as logged:
        reply = await seen(baas, wallet, more)
    assert (reply.status, reply.code) == (503, "vault_unavailable")
    assert "customer_unreadable" in [line["event"] for line in logged]


async def test_a_bill_that_the_disk_does_not_give(
    baas: BaasClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    wallet = await waiting(baas, png())

    async def broken(_: FileDocumentStore, name: str) -> AsyncIterator[bytes]:
        raise OSError(errno.EIO, "Input/output error", name)
        yield b""

    monkeypatch.setattr(FileDocumentStore, "read", broken)
    with structlog.testing.capture_logs() as logged:
        reply = await seen(baas, wallet, "/utility-bill")
    assert (reply.status, reply.code) == (503, "vault_unavailable")
    told = [line for line in logged if line["event"] == "documents_unavailable"]
    assert [(line["error"], line["errno"]) for line in told] == [("OSError", errno.EIO)]


async def test_a_bill_that_is_gone(baas: BaasClient) -> None:
    wallet = await waiting(baas, png())
    (file,) = [each for each in documents_path(baas.vault.settings).rglob("*") if each.is_file()]
    file.unlink()
    reply = await seen(baas, wallet, "/utility-bill")
    assert (reply.status, reply.code) == (404, "utility_bill_not_found")


async def test_a_bill_that_was_changed_is_never_taken_for_whole(baas: BaasClient) -> None:
    wallet = await waiting(baas, png(picture=b"bill" * 100_000))
    (file,) = [each for each in documents_path(baas.vault.settings).rglob("*") if each.is_file()]
    whole = file.read_bytes()
    file.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(aiohttp.ClientError):
        await seen(baas, wallet, "/utility-bill")
    file.write_bytes(whole[:100] + bytes([whole[100] ^ 1]) + whole[101:])
    assert (await seen(baas, wallet, "/utility-bill")).code == "internal_error"


async def test_who_looked_is_in_the_log_at_any_level(baas: BaasClient) -> None:
    wallet = await waiting(baas, png())
    customer = (await seen(baas, wallet)).json["user_id"]
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        with structlog.testing.capture_logs() as logged:
            await seen(baas, wallet)
            await seen(baas, wallet, "/utility-bill")
    finally:
        structlog.configure(**before)
    assert [(line["event"], line["shown"]) for line in logged] == [
        ("customer_shown", "person"),
        ("customer_shown", "utility_bill"),
    ]
    for line in logged:
        assert line["who"] == f"client:{baas.gateway.secrets['admin'].key_id}"
        assert (line["wallet_id"], line["user_id"]) == (wallet, customer)
        assert line["tenant_id"] == baas.gateway.merchant.sandbox_tenant_id
        assert line["request_id"]
    assert not any(text in str(logged) for text in PERSONAL_STRINGS)
