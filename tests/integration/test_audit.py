"""The audit log over HTTP, and what must not take a tenant's own stream for a wallet."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from uuid import UUID

import asyncpg
import pytest

from ledger.tenants.store import find_credential
from projections.trial_balance.read_model import read_reached
from tests.specs.running_gateway import OPERATOR, RunningGateway, basic, running_gateway


@pytest.fixture
async def gateway(database: str) -> AsyncIterator[RunningGateway]:
    async with running_gateway(database) as gateway:
        yield gateway


async def test_an_administrator_sees_what_was_done_to_the_tenant(gateway: RunningGateway) -> None:
    merchant = gateway.merchant
    made = await gateway.administrator.create_credential(
        merchant.sandbox_tenant_id, ["wallets:read"], "for the shop"
    )
    rotated = await gateway.administrator.rotate_credential(made.key_id, timedelta(hours=1))
    await gateway.administrator.allow_redirect(
        UUID(merchant.merchant_id), "https://shop.example.com"
    )

    reply = await gateway.get("/audit-log", who="admin")

    assert reply.status == 200
    entries = reply.json["data"]
    assert (reply.json["has_more"], reply.json["next_cursor"]) == (False, None)
    assert [entry["action"] for entry in entries] == [
        "tenant.redirect_allowed",
        "tenant.credential_rotated",
        *["tenant.credential_created"] * 5,
        "tenant.merchant_created",
    ]
    assert {entry["who"] for entry in entries} == {OPERATOR}
    assert [entry["reason"] for entry in entries[1:3]] == [None, "for the shop"]
    ends_at = entries[1]["details"].pop("ends_at")
    assert ends_at.startswith(f"{rotated.ends_at:%Y-%m-%dT%H:%M:%S}")
    assert entries[1]["details"] == {
        "key_id": rotated.secret.key_id,
        "replaces_key_id": made.key_id,
        "scopes": ["wallets:read"],
        "environment": "sandbox",
    }
    assert entries[0]["wallet_id"] is None
    for secret in (made.secret, rotated.secret.secret):
        assert secret not in reply.body.decode()


async def test_pages_hold_every_entry_once(gateway: RunningGateway) -> None:
    whole = (await gateway.get("/audit-log", who="admin")).json["data"]
    found, after = [], ""
    for _ in whole:
        page = (await gateway.get(f"/audit-log?limit=2{after}", who="admin")).json
        found += page["data"]
        after = f"&after={page['next_cursor']}"
        if not page["has_more"]:
            break
    assert found == whole
    assert len(whole) == 5


async def test_the_audit_log_is_for_administrators_of_the_tenant(gateway: RunningGateway) -> None:
    for who in ("merchant", "reader", "stranger"):
        assert (await gateway.get("/audit-log", who=who)).code == "forbidden"
    assert (await gateway.get("/audit-log", who=None)).status == 401
    cursor = (await gateway.get("/audit-log?limit=1", who="admin")).json["next_cursor"]
    made = await gateway.administrator.create_credential(gateway.merchant.live_tenant_id, ["admin"])
    other = {"Authorization": basic(*made)}
    theirs = await gateway.get("/audit-log", who=None, headers=other)
    assert [entry["action"] for entry in theirs.json["data"]] == [
        "tenant.credential_created",
        "tenant.credential_created",
        "tenant.merchant_created",
    ]
    borrowed = await gateway.get(f"/audit-log?after={cursor}", who=None, headers=other)
    assert borrowed.code == "invalid_cursor"
    assert (await gateway.get("/audit-log?limit=0", who="admin")).code == "invalid_limit"


async def test_a_rotated_credential_works_until_its_overlap_is_over(
    gateway: RunningGateway,
) -> None:
    old = gateway.secrets["reader"]
    lasting = await gateway.administrator.rotate_credential(old.key_id, timedelta(hours=1))
    both = [{"Authorization": basic(*secret)} for secret in (old, lasting.secret)]
    for header in both:
        assert (await gateway.get("/wallets", who=None, headers=header)).status == 200

    at_once = await gateway.administrator.rotate_credential(
        lasting.secret.key_id, timedelta(seconds=0)
    )

    new = {"Authorization": basic(*at_once.secret)}
    assert (await gateway.get("/wallets", who=None, headers=new)).status == 200
    async with asyncio.timeout(2):
        while (await gateway.get("/wallets", who=None, headers=both[1])).status == 200:  # noqa: ASYNC110 - a moment passes
            await asyncio.sleep(0.05)
    assert (await gateway.get("/wallets", who=None, headers=both[0])).status == 200
    ended = await find_credential(gateway.connection, lasting.secret.key_id)
    assert ended is not None
    assert ended.revoked_at == at_once.ends_at
    assert not ended.accepts(lasting.secret.secret)


async def test_a_tenants_own_stream_is_no_wallet_of_its(gateway: RunningGateway) -> None:
    wallet = "wal_" + gateway.merchant.sandbox_tenant_id.replace("-", "")
    for path in ("", "/transactions", "/transactions?type=debit", "/holds", "/topups"):
        reply = await gateway.get(f"/wallets/{wallet}{path}")
        assert (reply.status, reply.code) == (404, "wallet_not_found"), path
    filters = ("/holds?status=open", "/topups?status=pending")
    for path in filters:
        assert (await gateway.get(f"/wallets/{wallet}{path}")).status == 404, path
    money = {"amount": 1, "reference": "r"}
    for verb, body in {"credit": money, "debit": money, "freeze": {}, "holds": money}.items():
        reply = await gateway.post(f"/wallets/{wallet}/{verb}", body)
        assert (reply.status, reply.code) == (404, "wallet_not_found"), verb


async def test_an_administrators_event_is_nothing_that_a_client_can_name(
    gateway: RunningGateway,
) -> None:
    event = (await gateway.get("/audit-log", who="admin")).json["data"][0]["id"].replace("-", "")
    for path in (
        f"/transactions/txn_{event}",
        f"/holds/hol_{event}",
        f"/topups/top_{event}",
        f"/transfers/trf_{event}",
    ):
        assert (await gateway.get(path)).status == 404, path
    for path, body in {
        f"/transactions/txn_{event}/reverse": {"reference": "r"},
        f"/holds/hol_{event}/capture": {},
        f"/holds/hol_{event}/void": {},
        f"/topups/top_{event}/cancel": {},
    }.items():
        assert (await gateway.post(path, body)).status == 404, path


async def test_read_models_go_on_over_what_administrators_did(gateway: RunningGateway) -> None:
    wallet = await gateway.open_wallet()
    await gateway.credit(wallet, 500, "before")
    await gateway.administrator.create_merchant("Another")
    await gateway.credit(wallet, 200, "behind")
    await gateway.administrator.revoke_credential(gateway.secrets["writer"].key_id)

    await gateway.project()

    assert (await gateway.get(f"/wallets/{wallet}")).json["balance"] == 700
    listed = (await gateway.get(f"/wallets/{wallet}/transactions")).json["data"]
    assert [line["amount"] for line in listed] == [200, 500]
    reached = await read_reached(gateway.connection)
    assert reached.position == reached.head == await gateway.position()
    for table in ("balances", "transaction_progress", "journal_progress"):
        assert await gateway.connection.fetchval(f"SELECT count(*) FROM {table}") == 1  # noqa: S608


_INSERT = (
    "INSERT INTO credentials (key_id, tenant_id, secret_hash, scopes, position)"
    " SELECT 'key_' || repeat('0a', 12), tenant_id, sha256('x'), '{admin}',"
)
GUARDED = [
    f"{_INSERT} 0 FROM tenants LIMIT 1",
    f"{_INSERT} 1000000 FROM tenants LIMIT 1",
    "UPDATE credentials SET position = 0, scopes = '{admin}'",
    "UPDATE credentials SET position = position + 1000, revoked_at = NULL",
    "DELETE FROM credentials",
    "TRUNCATE credentials, credential_usage",
]


@pytest.mark.parametrize("statement", GUARDED)
async def test_the_database_refuses_a_change_without_its_event(
    gateway: RunningGateway, statement: str
) -> None:
    before = await gateway.connection.fetch("SELECT * FROM credentials ORDER BY key_id")
    with pytest.raises(asyncpg.RestrictViolationError):
        await gateway.connection.execute(statement)
    assert await gateway.connection.fetch("SELECT * FROM credentials ORDER BY key_id") == before


async def test_a_credential_from_before_the_log_told_of_it_goes_on(
    gateway: RunningGateway,
) -> None:
    """As migration 0007 leaves it: position 0, and no event."""
    tenant_id = gateway.merchant.live_tenant_id
    old = gateway.secrets["live"]
    async with gateway.connection.transaction():
        await gateway.connection.execute("SET LOCAL session_replication_role = replica")
        await gateway.connection.execute(
            "UPDATE credentials SET position = 0 WHERE key_id = $1", old.key_id
        )
    header = {"Authorization": gateway.authorization("live")}
    assert (await gateway.get("/wallets", who=None, headers=header)).status == 200

    rotated = await gateway.administrator.rotate_credential(old.key_id, timedelta(hours=1))

    found = await find_credential(gateway.connection, rotated.secret.key_id)
    assert found is not None
    assert found.tenant_id == tenant_id
    assert (
        await gateway.connection.fetchval(
            "SELECT position FROM credentials WHERE key_id = $1", old.key_id
        )
        == await gateway.position()
    )
