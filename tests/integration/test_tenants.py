"""Merchants and credentials: made once, shown once, stored as hashes."""

from collections.abc import AsyncIterator
from uuid import UUID, uuid4

import pytest

from ledger.tenants import store, usage
from ledger.tenants.administrator import Administrator
from ledger.tenants.errors import UnknownMerchantError, UnknownTenantError
from ledger.tenants.limits import RateLimit
from services.intake.tenants import MAX_RULE_AGE_SECONDS, KnownTenants
from services.runtime.administration import administering
from services.runtime.postgres import Connection, connect, pool


@pytest.fixture
async def connection(database: str) -> AsyncIterator[Connection]:
    opened = await connect(database, "test")
    yield opened
    await opened.close()


@pytest.fixture
async def administrator(database: str) -> AsyncIterator[Administrator]:
    async with administering(database, "operator:test") as administrator:
        yield administrator


async def test_a_merchant_has_two_tenants(
    connection: Connection, administrator: Administrator
) -> None:
    merchant = await administrator.create_merchant("Kiosk")
    live = await administrator.create_credential(merchant.live_tenant_id, ["admin"])

    found = await store.find_credential(connection, live.key_id)

    assert merchant.live_tenant_id != merchant.sandbox_tenant_id
    assert found is not None
    assert found.environment == "live"
    assert found.tenant_id == merchant.live_tenant_id
    assert found.merchant_id == merchant.merchant_id
    assert found.scopes == {"admin"}


async def test_only_the_secret_is_accepted_and_it_is_not_stored(
    connection: Connection, administrator: Administrator
) -> None:
    merchant = await administrator.create_merchant("Kiosk")
    made = await administrator.create_credential(merchant.sandbox_tenant_id, store.MERCHANT_SCOPES)

    found = await store.find_credential(connection, made.key_id)

    assert found is not None
    assert found.accepts(made.secret)
    assert not found.accepts(made.secret + "x")
    assert not found.accepts("\ud800")
    assert made.secret.encode() not in found.secret_hash
    assert store.split_api_key(made.api_key()) == made


async def test_a_revoked_credential_is_found_and_accepts_nothing(
    connection: Connection, administrator: Administrator
) -> None:
    merchant = await administrator.create_merchant("Kiosk")
    old, new = [
        await administrator.create_credential(merchant.live_tenant_id, ["wallets:read"])
        for _ in range(2)
    ]

    assert await administrator.revoke_credential(old.key_id)
    first = await store.find_credential(connection, old.key_id)
    assert await administrator.revoke_credential(old.key_id)
    second = await store.find_credential(connection, old.key_id)
    other = await store.find_credential(connection, new.key_id)

    assert first is not None
    assert first.revoked_at is not None
    assert first == second
    assert not first.accepts(old.secret)
    assert other is not None
    assert other.accepts(new.secret)


@pytest.mark.parametrize("key_id", ["", "key_", "key_" + "0" * 24, "\x00", "\ud800", "'; --"])
async def test_any_text_may_be_asked_for(
    connection: Connection, administrator: Administrator, key_id: str
) -> None:
    assert await store.find_credential(connection, key_id) is None
    assert not await administrator.revoke_credential(key_id)
    assert store.split_api_key(key_id) is None


async def test_a_credential_needs_a_tenant_and_known_scopes(administrator: Administrator) -> None:
    merchant = await administrator.create_merchant("Kiosk")

    for nobody in (str(uuid4()), "no uuid"):
        with pytest.raises(UnknownTenantError):
            await administrator.create_credential(nobody, ["admin"])
    for scopes in ([], ["wallets:burn"]):
        with pytest.raises(ValueError, match="scopes must be some of"):
            await administrator.create_credential(merchant.live_tenant_id, scopes)


async def test_a_merchants_list_holds_for_both_of_its_tenants(
    connection: Connection, administrator: Administrator
) -> None:
    merchant = await administrator.create_merchant("Kiosk")
    other = await administrator.create_merchant("Another")
    merchant_id = UUID(merchant.merchant_id)
    assert await store.redirect_origins(connection, merchant_id) == []

    spelled = await administrator.allow_redirect(merchant_id, "https://Shop.example.com:443")
    await administrator.allow_redirect(merchant_id, "https://shop.example.com")
    await administrator.allow_redirect(merchant_id, "http://localhost:3000")

    assert spelled == "https://shop.example.com"
    kept = ["http://localhost:3000", "https://shop.example.com"]
    assert await store.redirect_origins(connection, merchant_id) == kept
    for tenant_id, origins in {
        merchant.live_tenant_id: set(kept),
        merchant.sandbox_tenant_id: set(kept),
        other.live_tenant_id: set(),
    }.items():
        made = await administrator.create_credential(tenant_id, ["wallets:read"])
        found = await store.find_credential(connection, made.key_id)
        assert found is not None
        assert found.redirect_origins == origins

    assert await administrator.disallow_redirect(merchant_id, "https://SHOP.example.com")
    assert not await administrator.disallow_redirect(merchant_id, "https://shop.example.com")
    assert await store.redirect_origins(connection, merchant_id) == kept[:1]


async def test_a_list_takes_origins_of_merchants_that_there_are(
    connection: Connection, administrator: Administrator
) -> None:
    merchant = await administrator.create_merchant("Kiosk")
    for wrong in ("https://shop.example.com/wallet", "shop.example.com", "https://*.example.com"):
        with pytest.raises(ValueError, match="an origin is"):
            await administrator.allow_redirect(UUID(merchant.merchant_id), wrong)
    with pytest.raises(UnknownMerchantError):
        await administrator.allow_redirect(uuid4(), "https://shop.example.com")
    with pytest.raises(UnknownMerchantError):
        await store.redirect_origins(connection, uuid4())


async def test_the_intake_uses_what_it_read_of_a_list_for_a_second(
    database: str, administrator: Administrator
) -> None:
    merchant = await administrator.create_merchant("Kiosk")
    tenant_id = merchant.live_tenant_id
    now = 100.0
    async with await pool(database, "test", min_size=1, max_size=1) as reading:
        tenants = KnownTenants(reading, lambda: now)
        rule = (await tenants.redirect_rules([tenant_id]))[tenant_id]
        assert rule == ("live", frozenset())
        origin = "https://shop.example.com"
        await administrator.allow_redirect(UUID(merchant.merchant_id), origin)
        now += MAX_RULE_AGE_SECONDS
        assert (await tenants.redirect_rules([tenant_id]))[tenant_id] == rule
        now += 0.01
        assert (await tenants.redirect_rules([tenant_id]))[tenant_id] == (
            "live",
            frozenset({origin}),
        )


async def test_a_credentials_limit_is_kept_with_it(
    connection: Connection, administrator: Administrator
) -> None:
    merchant = await administrator.create_merchant("Kiosk")
    made = await administrator.create_credential(merchant.live_tenant_id, ["admin"])
    for limit in (RateLimit(per_s=5, burst=9), None):
        assert await administrator.limit_credential(made.key_id, limit)
        found = await store.find_credential(connection, made.key_id)
        assert found is not None
        assert found.rate_limit == limit
    for key_id in ("", "\x00", "key_" + "0" * 24):
        assert not await administrator.limit_credential(key_id, None)


async def test_use_adds_up_and_the_last_moment_stays(
    connection: Connection, administrator: Administrator
) -> None:
    merchant = await administrator.create_merchant("Kiosk")
    first, second = [
        (await administrator.create_credential(merchant.live_tenant_id, ["admin"])).key_id
        for _ in range(2)
    ]
    gone = "key_" + "0" * 24

    def used(key_id: str, units: int, used_ms_ago: int) -> usage.UsedCredential:
        return usage.UsedCredential(key_id=key_id, units=units, used_ms_ago=used_ms_ago)

    told = [used(second, 5, 0), used(gone, 1, 0), used(first, 3, 60_000)]
    assert await usage.exchange_usage(connection, told, []) == {first: 3, second: 5}
    assert await usage.exchange_usage(connection, [used(first, 4, 0)], [second, gone]) == {
        first: 7,
        second: 5,
    }
    before = {each.key_id: each for each in await usage.list_credentials(connection)}
    await usage.exchange_usage(connection, [used(first, 0, 5_000)], [])
    after = {each.key_id: each for each in await usage.list_credentials(connection)}
    assert after == before, "it was used later than that"
    found = await store.find_credential(connection, first)
    assert found is not None
    assert found.used_units == 7
