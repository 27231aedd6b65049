"""Merchants, tenants and credentials in memory, as the log in memory has them."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from ledger.event_log.tenancy import (
    MerchantRow,
    RedirectRow,
    StoredCredential,
    StoredTenant,
    StreamHead,
    TenancyFindings,
    TenancyQuestion,
    TenancyRows,
)
from schemas.events import RecordedEvent
from schemas.identifiers import StreamKey, tenant_stream


class MemoryTenancy:
    """What the tables would hold."""

    def __init__(self) -> None:
        self.merchants: dict[str, MerchantRow] = {}
        self.credentials: dict[str, StoredCredential] = {}
        self.positions: dict[str, int] = {}
        """By key id: the newest event that changed the credential."""
        self.redirects: set[RedirectRow] = set()

    def write(self, rows: TenancyRows) -> None:
        """Apply the changes of an append."""
        for merchant in rows.merchants:
            assert merchant.merchant_id not in self.merchants, "a merchant is made once"
            self.merchants[merchant.merchant_id] = merchant
        for row in rows.credentials:
            assert row.key_id not in self.credentials, "a credential is made once"
            assert row.tenant_id in self._tenants(), "a credential is of a tenant that there is"
            self.credentials[row.key_id] = StoredCredential(
                key_id=row.key_id,
                tenant_id=row.tenant_id,
                scopes=row.scopes,
                revoked_at=None,
                expires_at=None,
                rate_limit_per_s=row.rate_limit_per_s,
                rate_limit_burst=row.rate_limit_burst,
            )
            self.positions[row.key_id] = row.position
        for end in rows.credential_ends:
            stored = self.credentials[end.key_id]
            self.credentials[end.key_id] = replace(
                stored,
                revoked_at=end.revoked_at or stored.revoked_at,
                expires_at=end.expires_at or stored.expires_at,
            )
            self.positions[end.key_id] = end.position
        for limit in rows.credential_limits:
            self.credentials[limit.key_id] = replace(
                self.credentials[limit.key_id],
                rate_limit_per_s=limit.rate_limit_per_s,
                rate_limit_burst=limit.rate_limit_burst,
            )
            self.positions[limit.key_id] = limit.position
        self.redirects = (self.redirects | set(rows.redirects)) - set(rows.removed_redirects)

    def find(
        self,
        asked: TenancyQuestion | None,
        streams: Mapping[StreamKey, Sequence[RecordedEvent]],
    ) -> TenancyFindings:
        """Answer an administrator's question; `streams` are the log's, by tenant and stream."""
        if asked is None:
            return TenancyFindings()
        credentials = {
            key_id: self.credentials[key_id]
            for key_id in asked.key_ids
            if key_id in self.credentials
        }
        wanted = {*asked.tenant_ids, *(each.tenant_id for each in credentials.values())}
        tenants = {
            tenant_id: tenant
            for tenant_id, tenant in self._tenants().items()
            if tenant_id in wanted or tenant.merchant_id in asked.merchant_ids
        }
        heads = {
            tenant_id: StreamHead(stream[-1].version, stream[-1].hash)
            for tenant_id in (*tenants, *asked.stream_tenant_ids)
            if (stream := streams.get(StreamKey(tenant_id, tenant_stream(tenant_id))))
        }
        return TenancyFindings(credentials=credentials, tenants=tenants, heads=heads)

    def _tenants(self) -> dict[str, StoredTenant]:
        found: dict[str, StoredTenant] = {}
        for merchant in self.merchants.values():
            origins = frozenset(
                each.origin for each in self.redirects if each.merchant_id == merchant.merchant_id
            )
            live, sandbox = merchant.live_tenant_id, merchant.sandbox_tenant_id
            found[live] = StoredTenant(
                tenant_id=live,
                merchant_id=merchant.merchant_id,
                environment="live",
                redirect_origins=origins,
            )
            found[sandbox] = replace(found[live], tenant_id=sandbox, environment="sandbox")
        return found
