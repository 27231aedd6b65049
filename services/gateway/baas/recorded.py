"""Transactions out of the log itself: found by their reference, or by the event that they are.

What the log has is never behind, so nothing is waited for here.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import asyncpg

from projections.interface import ProjectedEvent
from projections.transactions.evolve import transaction_of
from schemas.events import (
    CreditReversed,
    DebitReversed,
    RecordedEvent,
    TopupCreated,
    TransferReceived,
    TransferSent,
    WalletEvent,
    decode_event,
)
from schemas.identifiers import StreamKey, hex_of, is_topup_id, wallet_id
from schemas.results import TransactionView
from services.gateway.baas.amounts import CURRENCY
from services.gateway.database import Database, Pool
from services.runtime.sql import load_statement

_FIND_CONSUMED: Final = load_statement(__file__, "find_consumed")
_FIND_EVENT: Final = load_statement(__file__, "find_event")
_FIND_REVERSAL: Final = load_statement(__file__, "find_reversal")
_FIND_DECLINED: Final = load_statement(__file__, "find_declined")


class Recorded(NamedTuple):
    """An event of the log, and what it says."""

    source: ProjectedEvent
    event: WalletEvent

    @property
    def transaction(self) -> TransactionView | None:
        """The transaction that it is, if it is one in this dialect's currency."""
        view = transaction_of(self.source)
        return view if view is not None and view.currency == CURRENCY else None


class Log:
    """Finds events. Raises `ReadsUnavailableError` while the database is away."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def named(self, tenant_id: str, reference: str) -> Recorded | None:
        """What consumed a reference. A top-up without one of its own has its id instead."""
        found = await self._find(tenant_id, _FIND_CONSUMED, tenant_id, reference)
        if found is None and is_topup_id(reference):
            found = await self.event(tenant_id, hex_of(reference))
            if found is not None and not isinstance(found.event, TopupCreated):
                return None
        return found

    async def event(self, tenant_id: str, event_id: str) -> Recorded | None:
        """An event by its id, as 32 hexadecimal digits."""
        return await self._find(tenant_id, _FIND_EVENT, tenant_id, event_id)

    async def transaction(self, tenant_id: str, identifier: str) -> TransactionView | None:
        """A transaction by its id."""
        found = await self.event(tenant_id, hex_of(identifier))
        return None if found is None else found.transaction

    async def other_leg(
        self, tenant_id: str, reversal: DebitReversed | CreditReversed
    ) -> Recorded | None:
        """What the reversal of a transfer did in the other wallet."""
        original = await self.event(tenant_id, hex_of(reversal.transaction_id))
        match None if original is None else original.event:
            case TransferSent() as sent:
                other = sent.received_transaction_id
            case TransferReceived() as received:
                other = received.sent_transaction_id
            case _:
                return None
        return await self._find(tenant_id, _FIND_REVERSAL, tenant_id, other, reversal.reference)

    async def declined(
        self, tenant_id: str, reference: str, wallet_ids: Sequence[str] | None = None
    ) -> TransactionView | None:
        """The latest declined transaction of a reference; of these wallets, if they are given."""
        wallets = None if wallet_ids is None else [hex_of(each) for each in wallet_ids]
        found = await self._find(tenant_id, _FIND_DECLINED, tenant_id, reference, CURRENCY, wallets)
        return None if found is None else found.transaction

    async def _find(self, tenant_id: str, statement: str, *arguments: object) -> Recorded | None:
        async def ask(pool: Pool) -> Recorded | None:
            row = await pool.fetchrow(statement, *arguments)
            return None if row is None else _recorded(tenant_id, row)

        return await self._database.read(tenant_id, ask)


def as_recorded(event: RecordedEvent) -> Recorded:
    """The same of an event that was just appended: nothing is asked for it."""
    source = ProjectedEvent(
        position=event.position,
        wallet=StreamKey(event.tenant_id, event.stream_id),
        version=event.version,
        event_id=event.event_id,
        type=event.type,
        schema_version=event.schema_version,
        data=event.data,
        recorded_at=event.recorded_at,
    )
    return Recorded(source, decode_event(source.type, source.schema_version, source.data))


def _recorded(tenant_id: str, row: asyncpg.Record) -> Recorded:
    source = ProjectedEvent(
        position=row["position"],
        wallet=StreamKey(tenant_id, wallet_id(row["stream_id"].hex)),
        version=row["version"],
        event_id=row["event_id"].hex,
        type=row["type"],
        schema_version=row["schema_version"],
        data=row["data"],
        recorded_at=row["recorded_at"],
    )
    return Recorded(source, decode_event(source.type, source.schema_version, source.data))
