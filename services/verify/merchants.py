"""Merchants, their tenants and their redirect origins against administrators' events.

They are few, so all that the events come to is kept in memory. What is from before there were such
events has none: a merchant of whom no event tells is not compared, nor what its list had by then.
"""

from datetime import datetime
from uuid import UUID

import msgspec

from projections.interface import Connection
from schemas.events import (
    MerchantCreated,
    RecordedEvent,
    RedirectAllowed,
    RedirectDisallowed,
    TenantEvent,
    UnknownEventError,
    decode_tenant_event,
)
from services.runtime.sql import load_statement
from services.verify.report import Report

_PAGE_TENANTS = load_statement(__file__, "page_tenants")
_PAGE_ORIGINS = load_statement(__file__, "page_origins")
_READ_REDIRECTS = load_statement(__file__, "read_redirects")
_PAGE = 5000
_BEFORE_ALL = UUID(int=0)

_Tenant = tuple[str, str, str, datetime]
"""Merchant, its name, environment, and when it was made."""
_Origin = tuple[str, str]
"""Merchant and origin."""


class Merchants:
    """Checks `merchants`, `tenants` and `redirect_origins`."""

    def __init__(self, connection: Connection, report: Report) -> None:
        self._connection = connection
        self._tenants = report.invariant("merchants and tenants are those of the events")
        self._origins = report.invariant("redirect origins are those of the events")
        self._told: dict[str, _Tenant] = {}
        self._listed: dict[_Origin, datetime | None] = {}
        """Since when each origin is on the list; None where it was taken off."""
        self._first_told_at: datetime | None = None

    def fold(self, recorded: RecordedEvent, event: TenantEvent) -> None:
        """Take in one event of a tenant's own stream."""
        if self._first_told_at is None:
            self._first_told_at = recorded.recorded_at
        match event:
            case MerchantCreated():
                self._told[recorded.tenant_id] = (
                    event.merchant_id,
                    event.name,
                    event.environment,
                    recorded.recorded_at,
                )
            case RedirectAllowed():
                self._listed[event.merchant_id, event.origin] = recorded.recorded_at
            case RedirectDisallowed():
                self._listed[event.merchant_id, event.origin] = None
            case _:
                return

    async def finish(self, position: int) -> None:
        """Compare the tables, when the log has been read up to a position."""
        await self._check_tenants()
        await self._check_origins(position)

    async def _check_tenants(self) -> None:
        told = dict(self._told)
        after = _BEFORE_ALL
        while rows := await self._connection.fetch(_PAGE_TENANTS, after, _PAGE):
            for row in rows:
                tenant_id = str(row["tenant_id"])
                expected = told.pop(tenant_id, None)
                found = (str(row["merchant_id"]), row["name"], row["environment"], row["made_at"])
                if expected is not None:
                    said = f"{tenant_id}: {found}, the log says {expected}"
                    self._tenants.check(found == expected, said)
            after = rows[-1]["tenant_id"]
        for tenant_id, expected in sorted(told.items()):
            self._tenants.fail(f"{tenant_id}: it is gone, the log says {expected}")

    async def _check_origins(self, position: int) -> None:
        expected = {origin: since for origin, since in self._listed.items() if since is not None}
        found: dict[_Origin, datetime] = {}
        after: tuple[UUID, str] = (_BEFORE_ALL, "")
        while rows := await self._connection.fetch(_PAGE_ORIGINS, *after, _PAGE):
            for row in rows:
                found[str(row["merchant_id"]), row["origin"]] = row["created_at"]
            after = (rows[-1]["merchant_id"], rows[-1]["origin"])
        # What was changed behind the log as it was read is left to the next run.
        since = await self._changed_since(position)
        merchants = {merchant_id for merchant_id, *_ in self._told.values()}
        for origin in sorted((expected.keys() | found.keys()) - since):
            listed, told = found.get(origin), expected.get(origin)
            if told is None and self._is_older(origin, listed, merchants):
                continue
            said = f"{origin}: listed since {listed}, the log says since {told}"
            self._origins.check(listed == told, said)

    def _is_older(self, origin: _Origin, listed: datetime | None, merchants: set[str]) -> bool:
        """Whether it may be from before there were events of it."""
        if origin in self._listed or origin[0] in merchants or listed is None:
            return False
        return self._first_told_at is None or listed < self._first_told_at

    async def _changed_since(self, position: int) -> set[_Origin]:
        changed: set[_Origin] = set()
        for row in await self._connection.fetch(_READ_REDIRECTS, position):
            try:
                event = decode_tenant_event(row["type"], row["schema_version"], row["data"])
            except (UnknownEventError, msgspec.DecodeError):
                continue  # The next run says so.
            if isinstance(event, RedirectAllowed | RedirectDisallowed):
                changed.add((event.merchant_id, event.origin))
        return changed
