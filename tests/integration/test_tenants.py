"""Merchants and credentials: made once, shown once, stored as hashes."""

from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from ledger.tenants import store
from services.runtime.postgres import Connection, connect


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    opened = await connect(database, "test")
    yield opened
    await opened.close()


async def test_a_merchant_has_two_tenants(connection: Connection) -> None:
    merchant = await store.create_merchant(connection, "Kiosk")
    live = await store.create_credential(connection, merchant.live_tenant_id, ["admin"])

    found = await store.find_credential(connection, live.key_id)

    assert merchant.live_tenant_id != merchant.sandbox_tenant_id
    assert found is not None
    assert found.environment == "live"
    assert found.tenant_id == merchant.live_tenant_id
    assert found.merchant_id == merchant.merchant_id
    assert found.scopes == {"admin"}


async def test_only_the_secret_is_accepted_and_it_is_not_stored(connection: Connection) -> None:
    merchant = await store.create_merchant(connection, "Kiosk")
    made = await store.create_credential(
        connection, merchant.sandbox_tenant_id, store.MERCHANT_SCOPES
    )

    found = await store.find_credential(connection, made.key_id)

    assert found is not None
    assert found.accepts(made.secret)
    assert not found.accepts(made.secret + "x")
    assert not found.accepts("\ud800")
    assert made.secret.encode() not in found.secret_hash
    assert store.split_api_key(made.api_key()) == made


async def test_a_revoked_credential_is_found_and_accepts_nothing(connection: Connection) -> None:
    merchant = await store.create_merchant(connection, "Kiosk")
    old, new = [
        await store.create_credential(connection, merchant.live_tenant_id, ["wallets:read"])
        for _ in range(2)
    ]

    assert await store.revoke_credential(connection, old.key_id)
    first = await store.find_credential(connection, old.key_id)
    assert await store.revoke_credential(connection, old.key_id)
    second = await store.find_credential(connection, old.key_id)
    other = await store.find_credential(connection, new.key_id)

    assert first is not None
    assert first.revoked_at is not None
    assert first == second
    assert not first.accepts(old.secret)
    assert other is not None
    assert other.accepts(new.secret)


@pytest.mark.parametrize("key_id", ["", "key_", "key_" + "0" * 24, "\x00", "\ud800", "'; --"])
async def test_any_text_may_be_asked_for(connection: Connection, key_id: str) -> None:
    assert await store.find_credential(connection, key_id) is None
    assert not await store.revoke_credential(connection, key_id)
    assert store.split_api_key(key_id) is None


async def test_a_credential_needs_a_tenant_and_known_scopes(connection: Connection) -> None:
    merchant = await store.create_merchant(connection, "Kiosk")

    for nobody in (str(uuid4()), "no uuid"):
        with pytest.raises(store.UnknownTenantError):
            await store.create_credential(connection, nobody, ["admin"])
    for scopes in ([], ["wallets:burn"]):
        with pytest.raises(ValueError, match="scopes must be some of"):
            await store.create_credential(connection, merchant.live_tenant_id, scopes)
