"""An administrator's changes: each is one append, with its event, whoever else appends."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Literal
from uuid import UUID, uuid4

import pytest

from ledger.event_log.interface import EventLog, Question
from ledger.event_log.tenancy import StoredCredential, TenancyFindings, TenancyQuestion
from ledger.tenants.administrator import Administrator
from ledger.tenants.errors import (
    CredentialEndedError,
    UnknownCredentialError,
    UnknownMerchantError,
    UnknownTenantError,
)
from ledger.tenants.limits import RateLimit
from ledger.tenants.store import Merchant
from schemas.commands import DebitWallet, ReverseTransaction
from schemas.events import (
    CredentialRotated,
    Event,
    decode_any_event,
    decode_tenant_event,
)
from schemas.identifiers import tenant_stream
from schemas.rejections import TransactionUnknown, WalletUnknown
from tests.conformance.backends import Backend
from tests.specs.invariants import all_events, check
from tests.specs.world import SeededEnvironment, Writer

SHOP = "https://shop.example.com"
DAY = timedelta(days=1)


def administrator_on(log: EventLog, seed: int = 7) -> Administrator:
    return Administrator(log, SeededEnvironment(seed), "operator:ama")


async def told(log: EventLog, tenant_id: str) -> list[Event]:
    """What the tenant's own stream tells."""
    return [
        decode_any_event(each.type, each.schema_version, each.data)
        for each in await all_events(log)
        if each.stream_id == tenant_stream(tenant_id)
    ]


async def found(log: EventLog, merchant: Merchant, *key_ids: str) -> TenancyFindings:
    asked = TenancyQuestion(key_ids=key_ids, merchant_ids=[merchant.merchant_id])
    return (await log.look_up(Question(tenancy=asked))).tenancy


async def credential(log: EventLog, merchant: Merchant, key_id: str) -> StoredCredential:
    return (await found(log, merchant, key_id)).credentials[key_id]


def types(events: Sequence[Event]) -> list[str]:
    return [str(type(event).__struct_config__.tag) for event in events]


async def test_a_merchant_and_its_two_events_are_one_append(backend: Backend) -> None:
    log = await backend.log()

    merchant = await administrator_on(log).create_merchant("Kiosk", "signed in May")

    assert (await log.head()).number == 1
    tenants = (await found(log, merchant)).tenants_of(merchant.merchant_id)
    assert [(each.tenant_id, each.environment) for each in tenants] == [
        (merchant.live_tenant_id, "live"),
        (merchant.sandbox_tenant_id, "sandbox"),
    ]
    for tenant in tenants:
        [event] = await told(log, tenant.tenant_id)
        assert event.__struct_config__.tag == "tenant.merchant_created"
    for recorded in await all_events(log):
        assert recorded.metadata == '{"who":"operator:ama"}'
        assert '"reason":"signed in May"' in recorded.data
    check(await all_events(log))


async def test_a_credentials_life_is_in_the_table_and_in_the_stream(backend: Backend) -> None:
    log = await backend.log()
    administrator = administrator_on(log)
    merchant = await administrator.create_merchant("Kiosk")
    tenant_id = merchant.live_tenant_id

    old = await administrator.create_credential(tenant_id, ["wallets:write", "wallets:read"])
    rotated = await administrator.rotate_credential(old.key_id, DAY, "once a year")
    new = rotated.secret
    limit = RateLimit(per_s=5, burst=9)
    assert await administrator.limit_credential(new.key_id, limit, "their batch job")
    assert await administrator.limit_credential(new.key_id, limit)
    assert await administrator.revoke_credential(new.key_id, "it was in a log")

    assert types(await told(log, tenant_id))[1:] == [
        "tenant.credential_created",
        "tenant.credential_rotated",
        "tenant.credential_limited",
        "tenant.credential_revoked",
    ]
    event = (await told(log, tenant_id))[2]
    assert isinstance(event, CredentialRotated)
    assert (event.key_id, event.replaces_key_id) == (new.key_id, old.key_id)
    assert event.scopes == ("wallets:read", "wallets:write")
    stored = {key: await credential(log, merchant, key) for key in (old.key_id, new.key_id)}
    assert stored[old.key_id].revoked_at is None
    assert stored[old.key_id].expires_at == rotated.ends_at == event.ends_at
    assert stored[new.key_id].scopes == event.scopes
    events = await all_events(log)
    assert stored[new.key_id].revoked_at == events[-1].recorded_at
    assert event.ends_at - events[-3].recorded_at == DAY
    limited = stored[new.key_id].rate_limit_per_s, stored[new.key_id].rate_limit_burst
    assert limited == (limit.per_s, limit.burst)
    for made in (old, new):
        assert not any(made.secret in each.data for each in events)
    check(events)


async def test_a_list_of_origins_is_told_to_both_tenants(backend: Backend) -> None:
    log = await backend.log()
    administrator = administrator_on(log)
    merchant = await administrator.create_merchant("Kiosk")
    merchant_id = UUID(merchant.merchant_id)

    await administrator.allow_redirect(merchant_id, f"{SHOP}:443")
    await administrator.allow_redirect(merchant_id, SHOP)
    listed = await found(log, merchant)
    assert await administrator.disallow_redirect(merchant_id, SHOP)
    assert not await administrator.disallow_redirect(merchant_id, SHOP)

    for tenant_id in (merchant.live_tenant_id, merchant.sandbox_tenant_id):
        assert listed.tenants[tenant_id].redirect_origins == {SHOP}
        assert types(await told(log, tenant_id))[1:] == [
            "tenant.redirect_allowed",
            "tenant.redirect_disallowed",
        ]
    assert not (await found(log, merchant)).tenants[merchant.live_tenant_id].redirect_origins


async def test_what_changes_nothing_or_cannot_be_writes_nothing(backend: Backend) -> None:
    log = await backend.log()
    administrator = administrator_on(log)
    merchant = await administrator.create_merchant("Kiosk")
    key_id = (await administrator.create_credential(merchant.live_tenant_id, ["admin"])).key_id
    await administrator.rotate_credential(key_id, DAY)
    await administrator.revoke_credential(key_id)
    before = await log.head()

    assert await administrator.revoke_credential(key_id)
    assert not await administrator.revoke_credential("key_" + "0" * 24)
    assert not await administrator.limit_credential("key_" + "0" * 24, None)
    assert await administrator.limit_credential(key_id, None)
    with pytest.raises(CredentialEndedError, match="is revoked"):
        await administrator.rotate_credential(key_id, DAY)
    for unknown in ("key_" + "0" * 24, "\x00", "'; --"):
        with pytest.raises(UnknownCredentialError):
            await administrator.rotate_credential(unknown, DAY)
    with pytest.raises(UnknownTenantError):
        await administrator.create_credential(str(uuid4()), ["admin"])
    with pytest.raises(UnknownMerchantError):
        await administrator.allow_redirect(uuid4(), SHOP)
    for text in ("", "\x00", "a\nb", "\ud800", "x" * 256):
        with pytest.raises(ValueError, match="printable"):
            await administrator.create_merchant(text)
        with pytest.raises(ValueError, match="printable"):
            await administrator.create_merchant("Kiosk", text)
    for overlap in (-DAY, 400 * DAY):
        with pytest.raises(ValueError, match="an overlap is"):
            await administrator.rotate_credential(key_id, overlap)

    assert await log.head() == before


@pytest.mark.parametrize("fate", ["lost", "committed"])
async def test_a_commit_whose_fate_is_unknown_is_made_once(
    backend: Backend, fate: Literal["lost", "committed"]
) -> None:
    merchant = await administrator_on(await backend.log(), 1).create_merchant("Kiosk")
    log = await backend.breaking_log("turn", fate)

    made = await administrator_on(log, 2).create_credential(merchant.live_tenant_id, ["admin"])

    assert types(await told(log, merchant.live_tenant_id)) == [
        "tenant.merchant_created",
        "tenant.credential_created",
    ]
    assert (await credential(log, merchant, made.key_id)).scopes == ("admin",)
    check(await all_events(log))


async def test_of_two_who_replace_one_credential_one_is_told_so(backend: Backend) -> None:
    logs = [await backend.log() for _ in range(2)]
    merchant = await administrator_on(logs[0], 1).create_merchant("Kiosk")
    old = await administrator_on(logs[0], 2).create_credential(
        merchant.live_tenant_id, ["wallets:read"]
    )

    ends = await asyncio.gather(
        *(
            administrator_on(log, seed).rotate_credential(old.key_id, DAY)
            for seed, log in enumerate(logs, start=3)
        ),
        return_exceptions=True,
    )

    assert sorted(isinstance(end, CredentialEndedError) for end in ends) == [False, True]
    assert (
        types(await told(logs[0], merchant.live_tenant_id)).count("tenant.credential_rotated") == 1
    )


async def test_wallets_and_administrators_take_turns_in_one_log(backend: Backend) -> None:
    writer = await Writer(await backend.log()).start()
    log = await backend.log()
    administrator = administrator_on(log)
    try:
        wallet = await writer.open_wallet()
        merchant = await administrator.create_merchant("Kiosk")
        names = [f"c{number}" for number in range(20)]
        await asyncio.gather(
            *(writer.credit(wallet, 1, name) for name in names),
            *(
                administrator.create_credential(merchant.live_tenant_id, ["wallets:read"])
                for _ in range(5)
            ),
        )
        debited = await writer.debit(wallet, 20, "all of it")
    finally:
        await writer.stop()
    assert debited.result.status == "accepted"
    events = await all_events(log)
    assert len(events) == 1 + 2 + len(names) + 5 + 1
    check(events)


async def test_a_tenants_own_stream_is_no_wallet_and_its_events_no_transactions(
    backend: Backend,
) -> None:
    writer = await Writer(await backend.log()).start()
    log = await backend.log()
    merchant = await administrator_on(log).create_merchant("Kiosk")
    tenant_id = merchant.live_tenant_id
    digits = tenant_id.replace("-", "")
    [event] = [each for each in await all_events(log) if each.tenant_id == tenant_id]
    try:
        debited = await writer.send(
            DebitWallet(wallet_id=f"wal_{digits}", amount=1, reference="r1"), tenant_id=tenant_id
        )
        reversed_ = await writer.send(
            ReverseTransaction(transaction_id=f"txn_{event.event_id}", reference="r2"),
            tenant_id=tenant_id,
        )
    finally:
        await writer.stop()
    assert debited.result.rejection == WalletUnknown()
    assert reversed_.result.rejection == TransactionUnknown()
    assert len(await all_events(log)) == 2


async def test_work_on_the_vault_is_told_in_nobodys_stream(backend: Backend) -> None:
    log = await backend.log()
    for _ in range(2):
        await administrator_on(log).begin_vault_maintenance("rotate_master_key", "once a year")

    for version, recorded in enumerate(await all_events(log), start=1):
        event = decode_tenant_event(recorded.type, recorded.schema_version, recorded.data)
        assert recorded.stream_id == "ten_" + "0" * 32
        assert recorded.version == version
        assert (recorded.type, event.reason) == ("vault.maintenance_begun", "once a year")
    check(await all_events(log))


def test_who_does_it_has_to_be_said() -> None:
    for who in ("", "a\nb"):
        with pytest.raises(ValueError, match="who did it"):
            Administrator(None, SeededEnvironment(0), who)  # type: ignore[arg-type]
