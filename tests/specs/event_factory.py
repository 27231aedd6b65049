"""Makes valid logs: wallets' events with right balances, versions, hashes and appends.

`EventFactory` is in memory; `write_log` puts what it made into PostgreSQL by SQL, as the
ledger would have, and `message_of` is what the relay publishes.
"""

import random
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

from msgspec import Raw, Struct
from msgspec.structs import replace

from ledger.event_log.hashing import append_hash, event_hash
from ledger.event_log.interface import GENESIS_HASH
from projections.interface import ProjectedEvent, WalletKey
from schemas.events import (
    SCHEMA_VERSION,
    BalanceForfeited,
    ChangeDeclined,
    CreditDeclined,
    DebitDeclined,
    RecordedEvent,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletFrozen,
    WalletOpened,
    WalletUnfrozen,
    encode_event,
    type_of,
)
from schemas.identifiers import hex_of, user_id_of, uuid7s, wallet_id

if TYPE_CHECKING:
    import asyncpg

TENANT_ID = "5b1f7c52-0c5e-4a6c-8a59-6d0a3f2f6d11"
EPOCH = datetime(2026, 5, 24, 10, 0, tzinfo=UTC)

Message = tuple[bytes, bytes, list[tuple[str, bytes]]]
"""Key, value and headers."""


class _Wallet(Struct):
    tenant_id: str
    currency: str
    version: int = 0
    hash: bytes = GENESIS_HASH
    balance: int = 0
    status: Literal["active", "frozen", "closed"] = "active"


class EventFactory:
    """One log that grows by valid events; `new` holds those that were not taken yet."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)  # noqa: S311 - test data is to be the same every time
        self.position = 0
        self.append_number = 0
        self.append_hash = GENESIS_HASH
        self.wallets: dict[str, _Wallet] = {}
        self.new: list[RecordedEvent] = []

    def open(
        self,
        *,
        tenant_id: str = TENANT_ID,
        customer_id: str | None = None,
        currency: str = "GHS",
        metadata: bytes = b"null",
    ) -> str:
        """A new wallet's id."""
        identifier = wallet_id(self._uuid())
        self.wallets[identifier] = _Wallet(tenant_id, currency)
        customer = customer_id or f"cus_{self.position}"
        opened = WalletOpened(
            customer_id=customer,
            user_id=user_id_of(tenant_id, customer),
            currency=currency,
            metadata=Raw(metadata),
        )
        self._record(identifier, opened)
        return identifier

    def credit(self, identifier: str, amount: int, metadata: bytes = b"null") -> RecordedEvent:
        """Money comes in."""
        wallet = self.wallets[identifier]
        before, wallet.balance = wallet.balance, wallet.balance + amount
        return self._record(
            identifier,
            WalletCredited(
                amount=amount,
                balance_before=before,
                balance_after=wallet.balance,
                available_after=wallet.balance,
                currency=wallet.currency,
                reference=f"credit-{self.position}",
                description="A credit",
                metadata=Raw(metadata),
            ),
        )

    def debit(self, identifier: str, amount: int) -> RecordedEvent:
        """Money goes out."""
        wallet = self.wallets[identifier]
        before, wallet.balance = wallet.balance, wallet.balance - amount
        assert wallet.balance >= 0, "a valid log has no overdrawn wallet"
        return self._record(
            identifier,
            WalletDebited(
                amount=amount,
                balance_before=before,
                balance_after=wallet.balance,
                available_after=wallet.balance,
                currency=wallet.currency,
                reference=f"debit-{self.position}",
                description="A debit",
            ),
        )

    def decline(self, identifier: str, direction: Literal["debit", "credit"]) -> RecordedEvent:
        """A debit or credit is declined."""
        wallet = self.wallets[identifier]
        declined = DebitDeclined if direction == "debit" else CreditDeclined
        return self._record(
            identifier,
            declined(
                code="insufficient_funds" if direction == "debit" else "balance_limit_exceeded",
                amount=wallet.balance + 1,
                balance=wallet.balance,
                available=wallet.balance,
                currency=wallet.currency,
                reference=f"declined-{self.position}",
                description="Declined",
            ),
        )

    def freeze(self, identifier: str) -> RecordedEvent:
        """The wallet freezes."""
        self.wallets[identifier].status = "frozen"
        return self._record(identifier, WalletFrozen())

    def unfreeze(self, identifier: str) -> RecordedEvent:
        """The wallet thaws."""
        self.wallets[identifier].status = "active"
        return self._record(identifier, WalletUnfrozen())

    def close(self, identifier: str) -> list[RecordedEvent]:
        """The wallet closes; what it held is forfeited first."""
        wallet = self.wallets[identifier]
        events: list[RecordedEvent] = []
        if wallet.balance:
            forfeited = BalanceForfeited(
                amount=wallet.balance,
                balance_before=wallet.balance,
                balance_after=0,
                available_after=0,
                currency=wallet.currency,
            )
            wallet.balance = 0
            events.append(self._record(identifier, forfeited))
        wallet.status = "closed"
        return [*events, self._record(identifier, WalletClosed())]

    def decline_change(self, identifier: str) -> RecordedEvent:
        """A close is declined."""
        balance = self.wallets[identifier].balance
        declined = ChangeDeclined(change="close", code="wallet_not_empty", balance=balance)
        return self._record(identifier, declined)

    def some_event(self, identifiers: Sequence[str]) -> None:
        """One more event, of any kind that is valid for one of these wallets."""
        identifier = self.random.choice(identifiers)
        wallet = self.wallets[identifier]
        if wallet.status == "closed":
            self.decline(identifier, "credit")
            return
        dice = self.random.random()
        if dice < 0.45:
            self.credit(identifier, self.random.randint(1, 10_000), b'{"a": [1,  2.50]}')
        elif dice < 0.80 and wallet.balance and wallet.status == "active":
            self.debit(identifier, self.random.randint(1, wallet.balance))
        elif dice < 0.88:
            self.decline(identifier, self.random.choice(("debit", "credit")))
        elif dice < 0.95:
            self.unfreeze(identifier) if wallet.status == "frozen" else self.freeze(identifier)
        elif dice < 0.99:
            self.decline_change(identifier)
        else:
            self.close(identifier)

    def history(self, wallet_count: int, event_count: int) -> list[str]:
        """Open wallets and let `event_count` events happen to them; the wallets' ids."""
        identifiers = [
            self.open(currency=self.random.choice(("GHS", "NGN", "JPY")))
            for _ in range(wallet_count)
        ]
        for _ in range(event_count):
            self.some_event(identifiers)
        return identifiers

    def take(self) -> list[RecordedEvent]:
        """The events that were made since the last time."""
        taken, self.new = self.new, []
        return taken

    def _record(self, identifier: str, event: WalletEvent) -> RecordedEvent:
        wallet = self.wallets[identifier]
        self.position += 1
        wallet.version += 1
        unhashed = RecordedEvent(
            position=self.position,
            tenant_id=wallet.tenant_id,
            stream_id=identifier,
            version=wallet.version,
            event_id=self._uuid(),
            type=type_of(event),
            schema_version=SCHEMA_VERSION,
            data=encode_event(event).decode(),
            metadata='{"who":"client:tests"}',
            recorded_at=EPOCH + timedelta(milliseconds=self.position),
            hash=b"",
        )
        recorded = replace(unhashed, hash=event_hash(wallet.hash, unhashed))
        wallet.hash = recorded.hash
        self.new.append(recorded)
        return recorded

    def _uuid(self) -> str:
        return next(uuid7s(1_780_000_000_000 + self.position, self.random.randbytes(10)))


def projected(event: RecordedEvent) -> ProjectedEvent:
    """The event as a projection gets it."""
    return ProjectedEvent(
        position=event.position,
        wallet=WalletKey(event.tenant_id, event.stream_id),
        version=event.version,
        event_id=event.event_id,
        type=event.type,
        schema_version=event.schema_version,
        data=event.data,
        recorded_at=event.recorded_at,
    )


def message_of(event: RecordedEvent) -> Message:
    """The event as it stands in the topic."""
    time = event.recorded_at.isoformat(timespec="microseconds").replace("+00:00", "Z")
    headers = {
        "ce_specversion": "1.0",
        "ce_id": str(UUID(event.event_id)),
        "ce_source": f"/ledger/{event.tenant_id}",
        "ce_type": f"ledger.{event.type}.v{event.schema_version}",
        "ce_subject": event.stream_id,
        "ce_time": time,
        "ce_tenantid": event.tenant_id,
        "ce_position": str(event.position),
        "ce_version": str(event.version),
        "ce_hash": event.hash.hex(),
        "ce_who": "client:tests",
        "content-type": "application/json",
    }
    return (
        event.stream_id.encode(),
        event.data.encode(),
        [(name, value.encode()) for name, value in headers.items()],
    )


_APPEND = """
INSERT INTO appends (number, append_id, last_position, hash, recorded_at)
VALUES ($1, gen_random_uuid(), $2, $3, $4)
"""
_EVENTS = """
INSERT INTO events (position, tenant_id, stream_id, version, event_id, type, schema_version,
                    data, metadata, recorded_at, hash)
SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::uuid[], $4::bigint[], $5::uuid[], $6::text[],
                     $7::smallint[], $8::json[], $9::json[], $10::timestamptz[], $11::bytea[])
"""
_CUSTOMERS = """
INSERT INTO customers (tenant_id, customer_id, user_id)
SELECT stream.tenant_id, stream.data ->> 'customer_id', (stream.data ->> 'user_id')::uuid
FROM events AS stream
WHERE stream.type = 'wallet.opened' AND stream.position BETWEEN $1 AND $2
ON CONFLICT DO NOTHING
"""
_WALLETS = """
INSERT INTO wallets (tenant_id, wallet_id, customer_id, currency, position)
SELECT tenant_id, stream_id, data ->> 'customer_id', data ->> 'currency', position
FROM events
WHERE type = 'wallet.opened' AND position BETWEEN $1 AND $2
"""


async def write_log(
    connection: "asyncpg.Connection[Any]", factory: EventFactory, append_size: int = 100
) -> list[RecordedEvent]:
    """Append what the factory made since the last time; those events."""
    events = factory.take()
    for start in range(0, len(events), append_size):
        await _write_append(connection, factory, events[start : start + append_size])
    return events


async def _write_append(
    connection: "asyncpg.Connection[Any]", factory: EventFactory, events: Sequence[RecordedEvent]
) -> None:
    first, last = events[0].position, events[-1].position
    factory.append_number += 1
    factory.append_hash = append_hash(factory.append_hash, [event.hash for event in events])
    async with connection.transaction():
        await connection.execute(
            _APPEND, factory.append_number, last, factory.append_hash, events[-1].recorded_at
        )
        await connection.execute(_EVENTS, *_columns(events))
        await connection.execute(_CUSTOMERS, first, last)
        await connection.execute(_WALLETS, first, last)


def _columns(events: Iterable[RecordedEvent]) -> list[list[object]]:
    rows = [
        (
            event.position,
            event.tenant_id,
            hex_of(event.stream_id),
            event.version,
            event.event_id,
            event.type,
            event.schema_version,
            event.data,
            event.metadata,
            event.recorded_at,
            event.hash,
        )
        for event in events
    ]
    return [list(column) for column in zip(*rows, strict=True)]
