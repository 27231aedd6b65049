"""Events of a tenant: what administrators did to it. Facts, never changed once published.

They stand in a stream of the tenant's own, `ten_` and the tenant's digits, in the same log as
the wallets' events. Who did it and when is in the envelope. No event has a secret, or a hash of
one.
"""

from typing import Annotated

from msgspec import Meta, Struct

from schemas.tenants import (
    AdminReason,
    Environment,
    KeyId,
    MerchantId,
    MerchantName,
    Origin,
    RateLimitBurst,
    RateLimitPerS,
    ScopeName,
)
from schemas.times import Moment

VaultWork = Annotated[
    str,
    Meta(
        pattern="^[a-z_]+$",
        description="The work on the vault. New kinds may come.",
        examples=["rotate_master_key", "restore", "reconcile"],
    ),
]


class _Event(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """What every event is; a field at its default is left out of the JSON."""


class MerchantCreated(_Event, frozen=True, kw_only=True, tag="tenant.merchant_created"):
    """The merchant was created, and this tenant is one of its two."""

    merchant_id: MerchantId
    name: MerchantName
    environment: Environment
    reason: AdminReason | None = None


class CredentialCreated(_Event, frozen=True, kw_only=True, tag="tenant.credential_created"):
    """The tenant has a new credential."""

    key_id: KeyId
    scopes: tuple[ScopeName, ...]
    environment: Environment
    reason: AdminReason | None = None


class CredentialRotated(_Event, frozen=True, kw_only=True, tag="tenant.credential_rotated"):
    """A new credential with the same scopes replaces another one, which stops by itself."""

    key_id: KeyId
    """The new one."""
    replaces_key_id: KeyId
    ends_at: Moment
    """From then on the replaced one no longer works."""
    scopes: tuple[ScopeName, ...]
    environment: Environment
    reason: AdminReason | None = None


class CredentialRevoked(_Event, frozen=True, kw_only=True, tag="tenant.credential_revoked"):
    """The credential no longer works."""

    key_id: KeyId
    reason: AdminReason | None = None


class CredentialLimited(_Event, frozen=True, kw_only=True, tag="tenant.credential_limited"):
    """The credential has this rate limit from now on; without numbers, the default one."""

    key_id: KeyId
    per_s: RateLimitPerS | None = None
    burst: RateLimitBurst | None = None
    reason: AdminReason | None = None


class RedirectAllowed(_Event, frozen=True, kw_only=True, tag="tenant.redirect_allowed"):
    """An origin is on the merchant's list: browsers may be sent there after a top-up."""

    merchant_id: MerchantId
    origin: Origin
    reason: AdminReason | None = None


class RedirectDisallowed(_Event, frozen=True, kw_only=True, tag="tenant.redirect_disallowed"):
    """An origin is off the merchant's list."""

    merchant_id: MerchantId
    origin: Origin
    reason: AdminReason | None = None


class VaultMaintenanceBegun(_Event, frozen=True, kw_only=True, tag="vault.maintenance_begun"):
    """An operator is about to work on the customers' data keys.

    The vault serves the whole ledger, so this event is in the stream of a tenant that is nobody's:
    its UUID is all zeros.
    """

    work: VaultWork
    reason: AdminReason | None = None


TenantEvent = (
    MerchantCreated
    | CredentialCreated
    | CredentialRotated
    | CredentialRevoked
    | CredentialLimited
    | RedirectAllowed
    | RedirectDisallowed
    | VaultMaintenanceBegun
)
