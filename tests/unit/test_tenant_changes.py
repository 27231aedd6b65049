"""What administrators may change, by what is known: events and rows, or a refusal."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from ledger.event_log.tenancy import (
    CredentialEndRow,
    CredentialRow,
    MerchantRow,
    RedirectRow,
    StoredCredential,
    StoredTenant,
    TenancyFindings,
)
from ledger.tenants import changes
from ledger.tenants.changes import NewKey
from ledger.tenants.errors import (
    CredentialEndedError,
    UnknownCredentialError,
    UnknownMerchantError,
    UnknownTenantError,
)
from schemas.events import CredentialRotated, MerchantCreated, encode_event

NOW = datetime(2026, 5, 24, 10, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LIVE, SANDBOX = (f"7d3f0000-0000-4000-8000-00000000000{n}" for n in (1, 2))
MERCHANT = "7d3f0000-0000-4000-8000-000000000003"
SHOP = "https://shop.example.com"
OLD = "key_" + "0a" * 12
NEW = NewKey(key_id="key_" + "0b" * 12, secret_hash=bytes(range(32)))
CREDENTIAL = StoredCredential(
    key_id=OLD,
    tenant_id=LIVE,
    scopes=("wallets:read", "wallets:write"),
    revoked_at=None,
    expires_at=None,
)
TENANT = StoredTenant(
    tenant_id=LIVE, merchant_id=MERCHANT, environment="live", redirect_origins=frozenset()
)
NOTHING = TenancyFindings()


def known(credential: StoredCredential = CREDENTIAL, origins: str = "") -> TenancyFindings:
    live = replace(TENANT, redirect_origins=frozenset(origins.split()))
    sandbox = replace(live, tenant_id=SANDBOX, environment="sandbox")
    return TenancyFindings(
        credentials={credential.key_id: credential}, tenants={SANDBOX: sandbox, LIVE: live}
    )


def rotate(found: TenancyFindings) -> changes.Change:
    return changes.rotate_credential(
        found, 5, NOW, key_id=OLD, key=NEW, overlap=DAY, reason="once a year"
    )


def test_a_merchant_is_told_to_both_of_its_tenants() -> None:
    row = MerchantRow(MERCHANT, "Kiosk", LIVE, SANDBOX)
    change = changes.create_merchant(row, None)
    told = [
        (tenant_id, event.environment)
        for tenant_id, event in change.events
        if isinstance(event, MerchantCreated)
    ]
    assert told == [(LIVE, "live"), (SANDBOX, "sandbox")]
    assert change.rows.merchants == [row]


def test_a_rotation_makes_one_credential_and_ends_another() -> None:
    change = rotate(known())
    event = CredentialRotated(
        key_id=NEW.key_id,
        replaces_key_id=OLD,
        ends_at=NOW + DAY,
        scopes=CREDENTIAL.scopes,
        environment="live",
        reason="once a year",
    )
    assert change.events == [(LIVE, event)]
    assert change.rows.credentials == [
        CredentialRow(NEW.key_id, LIVE, NEW.secret_hash, CREDENTIAL.scopes, 5)
    ]
    assert change.rows.credential_ends == [CredentialEndRow(OLD, None, NOW + DAY, 5)]
    assert NEW.secret_hash.hex() not in encode_event(event).decode()


def test_what_has_ended_is_not_replaced() -> None:
    with pytest.raises(UnknownCredentialError, match="there is no credential"):
        rotate(NOTHING)
    with pytest.raises(CredentialEndedError, match="is revoked"):
        rotate(known(replace(CREDENTIAL, revoked_at=NOW)))
    with pytest.raises(CredentialEndedError, match="stops at 2026-05-25T10:00:00Z"):
        rotate(known(replace(CREDENTIAL, expires_at=NOW + DAY)))


def test_revoking_ends_it_now_and_twice_is_once() -> None:
    for credential in (CREDENTIAL, replace(CREDENTIAL, expires_at=NOW + DAY)):
        change = changes.revoke_credential(known(credential), 7, NOW, key_id=OLD, reason=None)
        assert change is not None
        assert change.rows.credential_ends == [CredentialEndRow(OLD, NOW, None, 7)]
    revoked = known(replace(CREDENTIAL, revoked_at=NOW))
    assert changes.revoke_credential(revoked, 7, NOW, key_id=OLD, reason=None) is None
    with pytest.raises(UnknownCredentialError):
        changes.revoke_credential(NOTHING, 7, NOW, key_id=OLD, reason=None)


def test_a_credential_is_of_a_tenant_that_there_is() -> None:
    with pytest.raises(UnknownTenantError):
        changes.create_credential(
            NOTHING, 1, tenant_id=LIVE, key=NEW, scopes=["admin"], reason=None
        )


def test_a_list_changes_for_both_tenants_or_not_at_all() -> None:
    allowed = changes.allow_redirect(known(), merchant_id=MERCHANT, origin=SHOP, reason=None)
    assert allowed is not None
    assert [tenant_id for tenant_id, _ in allowed.events] == [LIVE, SANDBOX]
    assert allowed.rows.redirects == [RedirectRow(MERCHANT, SHOP)]
    listed = known(origins=SHOP)
    again = changes.allow_redirect(listed, merchant_id=MERCHANT, origin=SHOP, reason=None)
    assert again is None
    taken = changes.disallow_redirect(listed, merchant_id=MERCHANT, origin=SHOP, reason=None)
    assert taken is not None
    assert taken.rows.removed_redirects == [RedirectRow(MERCHANT, SHOP)]
    for found in (known(), NOTHING):
        nothing = changes.disallow_redirect(found, merchant_id=MERCHANT, origin=SHOP, reason=None)
        assert nothing is None
    with pytest.raises(UnknownMerchantError):
        changes.allow_redirect(NOTHING, merchant_id=MERCHANT, origin=SHOP, reason=None)
