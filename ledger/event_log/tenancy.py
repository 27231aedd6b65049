"""What an administrator's append needs to know of tenants, and the rows that it writes of them.

A change of these tables and the event that tells of it are one append, so that neither can be
without the other. Such appends are rare and made in a turn; those of wallets have none of it.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from msgspec import Struct, field

from schemas.tenants import Environment


class TenancyQuestion(Struct, frozen=True, kw_only=True):
    """Whose credentials, tenants, merchants and streams are asked for."""

    key_ids: Sequence[str] = ()
    """The tenants of those that are found are answered, too."""
    tenant_ids: Sequence[str] = ()
    merchant_ids: Sequence[str] = ()
    """Both tenants of each."""
    stream_tenant_ids: Sequence[str] = ()
    """Tenants whose streams are asked for although they are not among the tenants."""


class StoredCredential(Struct, frozen=True, kw_only=True):
    """A credential as an administrator has to know it. Its secret's hash is not among that."""

    key_id: str
    tenant_id: str
    scopes: tuple[str, ...]
    revoked_at: datetime | None
    expires_at: datetime | None
    rate_limit_per_s: int | None = None
    rate_limit_burst: int | None = None
    """Both none: what the gateways allow every credential."""


class StoredTenant(Struct, frozen=True, kw_only=True):
    """A tenant, and the origins on its merchant's list."""

    tenant_id: str
    merchant_id: str
    environment: Environment
    redirect_origins: frozenset[str]


class StreamHead(NamedTuple):
    """The newest event of a tenant's own stream."""

    version: int
    hash: bytes


class TenancyFindings(Struct, frozen=True, kw_only=True):
    """The answer. What is not there is left out of the dicts."""

    credentials: dict[str, StoredCredential] = field(default_factory=dict)
    tenants: dict[str, StoredTenant] = field(default_factory=dict)
    heads: dict[str, StreamHead] = field(default_factory=dict)
    """By tenant; those whose stream has no event yet are left out."""

    def tenants_of(self, merchant_id: str) -> list[StoredTenant]:
        """A merchant's two tenants, live first; empty if there is no such merchant."""
        found = [each for each in self.tenants.values() if each.merchant_id == merchant_id]
        return sorted(found, key=lambda tenant: tenant.environment)


class MerchantRow(NamedTuple):
    """A merchant and its two tenants."""

    merchant_id: str
    name: str
    live_tenant_id: str
    sandbox_tenant_id: str


class CredentialRow(NamedTuple):
    """A new credential."""

    key_id: str
    tenant_id: str
    secret_hash: bytes
    scopes: tuple[str, ...]
    position: int
    rate_limit_per_s: int | None = None
    rate_limit_burst: int | None = None


class CredentialEndRow(NamedTuple):
    """An end of a credential: it is revoked, or stops by itself at a moment."""

    key_id: str
    revoked_at: datetime | None
    expires_at: datetime | None
    """None leaves what there was, as it does of the other."""
    position: int


class CredentialLimitRow(NamedTuple):
    """What a credential may ask for from now on; none: what all may."""

    key_id: str
    rate_limit_per_s: int | None
    rate_limit_burst: int | None
    position: int


class RedirectRow(NamedTuple):
    """An origin on a merchant's list."""

    merchant_id: str
    origin: str


class TenancyRows(Struct, frozen=True, kw_only=True):
    """What one append changes of these tables."""

    merchants: Sequence[MerchantRow] = ()
    credentials: Sequence[CredentialRow] = ()
    credential_ends: Sequence[CredentialEndRow] = ()
    credential_limits: Sequence[CredentialLimitRow] = ()
    redirects: Sequence[RedirectRow] = ()
    removed_redirects: Sequence[RedirectRow] = ()
