"""The tenants that exist, and to where each lets browsers be sent.

A tenant is never removed, so those once seen are remembered. A list of origins may change: what
was read of it is used for a second at most, as the gateway does.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, NamedTuple
from uuid import UUID

from ledger.tenants import Environment
from services.runtime.postgres import Pool
from services.runtime.sql import load_statement

MAX_RULE_AGE_SECONDS: Final = 1.0

_KNOWN_TENANTS = load_statement(__file__, "known_tenants")
_REDIRECT_RULES = load_statement(__file__, "redirect_rules")
_REACHABLE = load_statement(__file__, "reachable")


class RedirectRule(NamedTuple):
    """What a tenant's redirects must keep to. Without any origin all are allowed."""

    environment: Environment
    allowed_origins: frozenset[str]


class KnownTenants:
    """Tells tenants that exist from those that do not, at one query per batch at most."""

    def __init__(self, pool: Pool, monotonic: Callable[[], float]) -> None:
        """`pool` is only read from."""
        self._pool = pool
        self._monotonic = monotonic
        self._known: set[str] = set()
        self._rules: dict[str, RedirectRule] = {}
        self._rules_read_at: dict[str, float] = {}

    async def unknown_of(self, tenant_ids: Iterable[str]) -> set[str]:
        """Those of the tenants that do not exist."""
        unseen = set(tenant_ids) - self._known
        if unseen:
            rows = await self._pool.fetch(_KNOWN_TENANTS, [UUID(each) for each in unseen])
            found = {str(row["tenant_id"]) for row in rows}
            self._known |= found
            unseen -= found
        return unseen

    async def redirect_rules(self, tenant_ids: Iterable[str]) -> Mapping[str, RedirectRule]:
        """The rule of each of these tenants, which exist; perhaps of others, too."""
        # The age counts from before the query: what it returns may be as old as that.
        now = self._monotonic()
        never = now - 2 * MAX_RULE_AGE_SECONDS
        old = [
            each
            for each in tenant_ids
            if now - self._rules_read_at.get(each, never) > MAX_RULE_AGE_SECONDS
        ]
        if old:
            rows = await self._pool.fetch(_REDIRECT_RULES, [UUID(each) for each in old])
            for row in rows:
                tenant_id = str(row["tenant_id"])
                self._rules[tenant_id] = RedirectRule(
                    row["environment"], frozenset(row["redirect_origins"])
                )
                self._rules_read_at[tenant_id] = now
        return self._rules

    async def reach(self) -> None:
        """Come back if the database answers, raise if it does not."""
        await self._pool.fetchval(_REACHABLE)
