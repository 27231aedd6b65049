"""The tenants that exist. Those once seen are remembered: a tenant is never removed."""

from collections.abc import Iterable
from uuid import UUID

from services.runtime.postgres import Pool
from services.runtime.sql import load_statement

_KNOWN_TENANTS = load_statement(__file__, "known_tenants")
_REACHABLE = load_statement(__file__, "reachable")


class KnownTenants:
    """Tells tenants that exist from those that do not, at one query per batch at most."""

    def __init__(self, pool: Pool) -> None:
        """`pool` is only read from."""
        self._pool = pool
        self._known: set[str] = set()

    async def unknown_of(self, tenant_ids: Iterable[str]) -> set[str]:
        """Those of the tenants that do not exist."""
        unseen = set(tenant_ids) - self._known
        if unseen:
            rows = await self._pool.fetch(_KNOWN_TENANTS, [UUID(each) for each in unseen])
            found = {str(row["tenant_id"]) for row in rows}
            self._known |= found
            unseen -= found
        return unseen

    async def reach(self) -> None:
        """Come back if the database answers, raise if it does not."""
        await self._pool.fetchval(_REACHABLE)
