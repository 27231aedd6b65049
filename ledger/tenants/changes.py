"""What administrators may change of tenants, and the events and rows that it comes to. Pure.

Each function gets what the log knows, and answers None where there is nothing left to change.
`position` is where the first new event will stand.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from ledger.event_log.tenancy import (
    CredentialEndRow,
    CredentialLimitRow,
    CredentialRow,
    MerchantRow,
    RedirectRow,
    TenancyFindings,
    TenancyRows,
)
from ledger.tenants.errors import (
    CredentialEndedError,
    UnknownCredentialError,
    UnknownMerchantError,
    UnknownTenantError,
)
from ledger.tenants.limits import RateLimit
from schemas.events import (
    CredentialCreated,
    CredentialLimited,
    CredentialRevoked,
    CredentialRotated,
    MerchantCreated,
    RedirectAllowed,
    RedirectDisallowed,
    TenantEvent,
)


class Change(Struct, frozen=True, kw_only=True):
    """Events, each with the tenant in whose stream it stands, and the rows that go with them."""

    events: Sequence[tuple[str, TenantEvent]]
    rows: TenancyRows = TenancyRows()


class NewKey(Struct, frozen=True, kw_only=True):
    """A credential that is being made, without its secret."""

    key_id: str
    secret_hash: bytes


def create_merchant(merchant: MerchantRow, reason: str | None) -> Change:
    """Make a merchant, who is known in both of its streams."""
    tenants = (("live", merchant.live_tenant_id), ("sandbox", merchant.sandbox_tenant_id))
    return Change(
        events=[
            (
                tenant_id,
                MerchantCreated(
                    merchant_id=merchant.merchant_id,
                    name=merchant.name,
                    environment="live" if environment == "live" else "sandbox",
                    reason=reason,
                ),
            )
            for environment, tenant_id in tenants
        ],
        rows=TenancyRows(merchants=[merchant]),
    )


def create_credential(
    found: TenancyFindings,
    position: int,
    *,
    tenant_id: str,
    key: NewKey,
    scopes: Sequence[str],
    reason: str | None,
) -> Change:
    """Make a credential of a tenant. Raises `UnknownTenantError`."""
    tenant = found.tenants.get(tenant_id)
    if tenant is None:
        message = f"there is no tenant {tenant_id}"
        raise UnknownTenantError(message)
    event = CredentialCreated(
        key_id=key.key_id, scopes=tuple(scopes), environment=tenant.environment, reason=reason
    )
    row = CredentialRow(key.key_id, tenant_id, key.secret_hash, tuple(scopes), position)
    return Change(events=[(tenant_id, event)], rows=TenancyRows(credentials=[row]))


def rotate_credential(
    found: TenancyFindings,
    position: int,
    now: datetime,
    *,
    key_id: str,
    key: NewKey,
    overlap: timedelta,
    reason: str | None,
) -> Change:
    """Put a credential in another's place, which stops when the overlap is over.

    Raises `UnknownCredentialError`, `CredentialEndedError`.
    """
    old = found.credentials.get(key_id)
    if old is None:
        raise UnknownCredentialError(unknown_credential(key_id))
    if old.revoked_at is not None:
        message = f"{key_id} is revoked: make a new one with `ledger keys create`"
        raise CredentialEndedError(message)
    if old.expires_at is not None:
        message = f"{key_id} was replaced already, and stops at {old.expires_at:%Y-%m-%dT%H:%M:%SZ}"
        raise CredentialEndedError(message)
    event = CredentialRotated(
        key_id=key.key_id,
        replaces_key_id=key_id,
        ends_at=now + overlap,
        scopes=old.scopes,
        environment=found.tenants[old.tenant_id].environment,
        reason=reason,
    )
    return Change(
        events=[(old.tenant_id, event)],
        rows=TenancyRows(
            credentials=[
                CredentialRow(
                    key.key_id,
                    old.tenant_id,
                    key.secret_hash,
                    old.scopes,
                    position,
                    old.rate_limit_per_s,
                    old.rate_limit_burst,
                )
            ],
            credential_ends=[CredentialEndRow(key_id, None, event.ends_at, position)],
        ),
    )


def revoke_credential(
    found: TenancyFindings, position: int, now: datetime, *, key_id: str, reason: str | None
) -> Change | None:
    """End a credential at once; None if it is revoked already. Raises `UnknownCredentialError`."""
    old = found.credentials.get(key_id)
    if old is None:
        raise UnknownCredentialError(unknown_credential(key_id))
    if old.revoked_at is not None:
        return None
    event = CredentialRevoked(key_id=key_id, reason=reason)
    ended = CredentialEndRow(key_id, now, None, position)
    return Change(events=[(old.tenant_id, event)], rows=TenancyRows(credential_ends=[ended]))


def limit_credential(
    found: TenancyFindings,
    position: int,
    *,
    key_id: str,
    limit: RateLimit | None,
    reason: str | None,
) -> Change | None:
    """Say what a credential may ask for; None if it is so already. None is what all may.

    Raises `UnknownCredentialError`.
    """
    known = found.credentials.get(key_id)
    if known is None:
        raise UnknownCredentialError(unknown_credential(key_id))
    per_s, burst = (None, None) if limit is None else (limit.per_s, limit.burst)
    if (known.rate_limit_per_s, known.rate_limit_burst) == (per_s, burst):
        return None
    event = CredentialLimited(key_id=key_id, per_s=per_s, burst=burst, reason=reason)
    row = CredentialLimitRow(key_id, per_s, burst, position)
    return Change(events=[(known.tenant_id, event)], rows=TenancyRows(credential_limits=[row]))


def allow_redirect(
    found: TenancyFindings, *, merchant_id: str, origin: str, reason: str | None
) -> Change | None:
    """Put an origin on a merchant's list, for both tenants; None if it is there already.

    Raises `UnknownMerchantError`.
    """
    tenants = found.tenants_of(merchant_id)
    if not tenants:
        raise UnknownMerchantError(unknown_merchant(merchant_id))
    if origin in tenants[0].redirect_origins:
        return None
    event = RedirectAllowed(merchant_id=merchant_id, origin=origin, reason=reason)
    return Change(
        events=[(tenant.tenant_id, event) for tenant in tenants],
        rows=TenancyRows(redirects=[RedirectRow(merchant_id, origin)]),
    )


def disallow_redirect(
    found: TenancyFindings, *, merchant_id: str, origin: str, reason: str | None
) -> Change | None:
    """Take an origin off a merchant's list; None if it is not on it."""
    tenants = found.tenants_of(merchant_id)
    if not tenants or origin not in tenants[0].redirect_origins:
        return None
    event = RedirectDisallowed(merchant_id=merchant_id, origin=origin, reason=reason)
    return Change(
        events=[(tenant.tenant_id, event) for tenant in tenants],
        rows=TenancyRows(removed_redirects=[RedirectRow(merchant_id, origin)]),
    )


def unknown_credential(key_id: str) -> str:
    """What is said of a credential that there is not."""
    return f"there is no credential {key_id}"


def unknown_merchant(merchant_id: object) -> str:
    """What is said of a merchant that there is not."""
    return f"there is no merchant {merchant_id}"
