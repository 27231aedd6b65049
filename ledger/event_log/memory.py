"""An event log in memory: for tests, with the PostgreSQL log's semantics.

Writers that share one `MemoryStore` compete as processes on one database do. `fate` may
be set to play a connection that breaks during a commit.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Literal

from ledger.domain.wallet import Payment
from ledger.event_log.interface import (
    GENESIS_HASH,
    AccountNumberRow,
    Append,
    Appended,
    AppendRefusedError,
    CommandKey,
    CommitUnclearError,
    CustomerKey,
    EventKey,
    Findings,
    Head,
    IdentityKey,
    LogDivergedError,
    LogUnavailableError,
    News,
    OutcomeRow,
    PaymentKey,
    Question,
    Record,
    ReferenceRow,
    Snapshot,
    StoredWallet,
    topup_of,
)
from ledger.event_log.memory_tenancy import MemoryTenancy
from schemas.events import (
    CreditReversed,
    DebitReversed,
    RecordedEvent,
    TopupUnapplied,
    WalletToppedUp,
    decode_any_event,
)
from schemas.identifiers import StreamKey, hex_of, is_wallet_stream, user_id_of

Fate = Literal["lost", "committed"]


class MemoryStore:
    """What a database would hold. Shared by all logs that stand for one ledger."""

    def __init__(self, clock: Callable[[], datetime], turn_limit_s: float = 2.0) -> None:
        self.clock = clock
        self.turn_limit_s = turn_limit_s
        self.appends: list[Append] = []
        self.events: list[RecordedEvent] = []
        self.streams: dict[StreamKey, list[RecordedEvent]] = {}
        self.outcomes: dict[CommandKey, OutcomeRow] = {}
        self.references: dict[CommandKey, ReferenceRow] = {}
        self.user_ids: dict[tuple[str, str], str] = {}
        self.open_wallets: dict[CustomerKey, str] = {}
        self.slots: dict[StreamKey, CustomerKey] = {}
        self.identities: dict[IdentityKey, str] = {}
        self.serials: dict[str, list[AccountNumberRow]] = {}
        self.tenancy = MemoryTenancy()
        self.snapshots: dict[StreamKey, Snapshot] = {}
        self.turn_holder: _MemoryTurn | None = None
        self.turn_passed = asyncio.Condition()

    def head(self) -> Head:
        """The newest append."""
        if not self.appends:
            epoch = datetime(1970, 1, 1, tzinfo=UTC)
            return Head(number=0, hash=GENESIS_HASH, last_position=0, recorded_at=epoch)
        return self.appends[-1].head

    def takes(self, append: Append) -> bool:
        """Whether its number is free, and nothing is known that it did not look up."""
        return (
            append.head.number == self.head().number + 1
            and append.previous_hash == self.head().hash
            and not any(key in self.outcomes for key in append.unless_known.command_ids)
            and not any(key in self.references for key in append.unless_known.references)
        )

    def write(self, append: Append) -> None:
        """Apply an append whose number is free. Refuses what PostgreSQL's text refuses."""
        _refuse_what_text_cannot_hold(append)
        self.appends.append(append)
        for event in append.events:
            assert event.position == len(self.events) + 1, "positions are gapless"
            stream = self.streams.setdefault(StreamKey(event.tenant_id, event.stream_id), [])
            assert event.version == len(stream) + 1, "versions are gapless"
            stream.append(event)
            self.events.append(event)
        for outcome in append.outcomes:
            key = CommandKey(outcome.tenant_id, outcome.command_id)
            assert key not in self.outcomes, "a command id is frozen once"
            self.outcomes[key] = outcome
        for reference in append.references:
            key = CommandKey(reference.tenant_id, reference.reference)
            assert key not in self.references, "a reference is consumed once"
            self.references[key] = reference
        closed = {StreamKey(row.tenant_id, row.wallet_id) for row in append.closures}
        for row in append.wallets:
            slot = CustomerKey(row.tenant_id, row.customer_id, row.currency)
            wallet = StreamKey(row.tenant_id, row.wallet_id)
            self.slots[wallet] = slot
            self.user_ids[row.tenant_id, row.user_id] = row.customer_id
            if wallet not in closed:
                self.open_wallets[slot] = row.wallet_id
        for wallet in closed:
            if self.open_wallets.get(self.slots[wallet]) == wallet.stream_id:
                del self.open_wallets[self.slots[wallet]]
        self._write_identities(append)
        if append.tenancy is not None:
            self.tenancy.write(append.tenancy)

    def _write_identities(self, append: Append) -> None:
        told = {(row.tenant_id, row.customer_id) for row in append.identities}
        self.identities = {
            key: customer_id
            for key, customer_id in self.identities.items()
            if (key.tenant_id, customer_id) not in told
        }
        for row in append.identities:
            if row.identity_index is not None:
                key = IdentityKey(row.tenant_id, row.identity_index)
                assert key not in self.identities, "a person is one customer"
                self.identities[key] = row.customer_id
        for number in append.account_numbers:
            allotted = self.serials.setdefault(number.tenant_id, [])
            assert number.serial == len(allotted), "serials are gapless"
            allotted.append(number)

    def find(self, question: Question) -> Findings:
        """Answer a question from what is committed."""
        open_wallets = {
            slot: self.open_wallets[slot]
            for slot in question.customers
            if slot in self.open_wallets
        }
        owners = {
            owner: self.user_ids[owner]
            for slot in question.customers
            if (owner := (slot.tenant_id, user_id_of(slot.tenant_id, slot.customer_id)))
            in self.user_ids
        }
        return Findings(
            head_number=self.head().number,
            head_hash=self.head().hash,
            now=self.clock(),
            command_outcomes={
                key: self._record(self.outcomes[key])
                for key in question.command_ids
                if key in self.outcomes
            },
            references={
                key: self._record(self.references[key])
                for key in question.references
                if key in self.references
            },
            wallets={key: self._stored(key) for key in question.wallets if key in self.streams},
            open_wallets=open_wallets,
            user_id_owners=owners,
            reversed_amounts=self._reversed_amounts(question.transactions),
            payments=self._payments(question.payments),
            identity_owners={
                key: self.identities[key] for key in question.identities if key in self.identities
            },
            next_serials={
                tenant_id: len(self.serials.get(tenant_id, ())) for tenant_id in question.serials
            },
            tenancy=self.tenancy.find(question.tenancy, self.streams),
        )

    def _reversed_amounts(self, transactions: Sequence[EventKey]) -> dict[EventKey, int]:
        found: dict[EventKey, int] = {}
        for recorded in self.events if transactions else ():
            event = decode_any_event(recorded.type, recorded.schema_version, recorded.data)
            if isinstance(event, DebitReversed | CreditReversed):
                key = EventKey(recorded.tenant_id, hex_of(event.transaction_id))
                found[key] = event.reversed_after
        return {key: found[key] for key in transactions if key in found}

    def _payments(self, asked: Sequence[PaymentKey]) -> dict[EventKey, tuple[Payment, ...]]:
        found: dict[EventKey, tuple[Payment, ...]] = {}
        wanted, topups = set(asked), {topup_of(key) for key in asked}
        for recorded in self.events if asked else ():
            event = decode_any_event(recorded.type, recorded.schema_version, recorded.data)
            if not isinstance(event, WalletToppedUp | TopupUnapplied):
                continue
            key = EventKey(recorded.tenant_id, hex_of(event.topup_id))
            is_applied = isinstance(event, WalletToppedUp)
            if key in topups and (is_applied or PaymentKey(*key, event.payment_id) in wanted):
                payment = Payment(payment_id=event.payment_id, is_applied=is_applied)
                found[key] = (*found.get(key, ()), payment)
        return found

    def _record(self, row: OutcomeRow | ReferenceRow) -> Record:
        return Record(
            fingerprint=row.fingerprint,
            position=row.position,
            outcome=row.outcome if isinstance(row, OutcomeRow) else None,
            event=None if row.position is None else self.events[row.position - 1],
        )

    def _stored(self, key: StreamKey) -> StoredWallet:
        stream = self.streams[key]
        snapshot = self.snapshots.get(key)
        if snapshot is None:
            return StoredWallet(snapshot=None, snapshot_event_hash=None, events=list(stream))
        return StoredWallet(
            snapshot=snapshot,
            snapshot_event_hash=stream[snapshot.version - 1].hash,
            events=stream[snapshot.version :],
        )


class MemoryEventLog:
    """One writer's access to a `MemoryStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self.store = store
        self.fate: Fate | None = None
        """What the next commit comes to before its connection breaks; None: it does not."""

    async def start(self) -> None:
        """Nothing to connect to."""

    async def close(self) -> None:
        """Nothing to close."""

    async def head(self) -> Head:
        """See `EventLog`."""
        return self.store.head()

    async def look_up(self, question: Question) -> Findings:
        """See `EventLog`."""
        await asyncio.sleep(0)
        return self.store.find(question)

    async def append(self, append: Append) -> Appended:
        """See `EventLog`."""
        assert append.tenancy is None, "that needs a turn"
        await asyncio.sleep(0)
        if self.store.turn_holder is not None:
            return Appended(is_written=False, now=self.store.clock())
        return Appended(self.commit(append), self.store.clock())

    def commit(self, append: Append) -> bool:
        """Write an append now, or break as `fate` says."""
        fate, self.fate = self.fate, None
        if fate == "lost":
            raise CommitUnclearError("the connection broke before the commit")
        if not self.store.takes(append):
            return False
        self.store.write(append)
        if fate == "committed":
            raise CommitUnclearError("the connection broke after the commit")
        return True

    @asynccontextmanager
    async def exclusively(self) -> AsyncIterator["_MemoryTurn"]:
        """See `EventLog`. A turn that is held too long is taken away."""
        store = self.store
        turn = _MemoryTurn(self)
        async with store.turn_passed:
            while store.turn_holder is not None:
                try:
                    async with asyncio.timeout(store.turn_limit_s):
                        await store.turn_passed.wait()
                except TimeoutError:
                    store.turn_holder = None
            store.turn_holder = turn
        try:
            yield turn
            turn.commit()
        finally:
            async with store.turn_passed:
                if store.turn_holder is turn:
                    store.turn_holder = None
                store.turn_passed.notify_all()

    async def read(self, after_position: int, limit: int) -> list[RecordedEvent]:
        """See `EventLog`."""
        return self.store.events[after_position : after_position + limit]

    async def read_stream(
        self, wallet: StreamKey, after_version: int, limit: int
    ) -> list[RecordedEvent]:
        """See `EventLog`."""
        return self.store.streams.get(wallet, [])[after_version : after_version + limit]

    async def find_events(self, keys: Sequence[EventKey]) -> dict[EventKey, RecordedEvent]:
        """See `EventLog`."""
        await asyncio.sleep(0)
        wanted = set(keys)
        by_key = (
            (EventKey(each.tenant_id, each.event_id), each)
            for each in self.store.events
            if is_wallet_stream(each.stream_id)
        )
        return {key: event for key, event in by_key if key in wanted}

    async def save_snapshots(self, snapshots: Sequence[tuple[StreamKey, Snapshot]]) -> None:
        """See `EventLog`."""
        for wallet, snapshot in snapshots:
            kept = self.store.snapshots.get(wallet)
            if kept is None or kept.version < snapshot.version:
                self.store.snapshots[wallet] = snapshot


class _MemoryTurn:
    """The turn to append; what it appended counts only when it ends."""

    def __init__(self, log: MemoryEventLog) -> None:
        self._log = log
        self._staged: Append | None = None

    def _require_turn(self) -> MemoryStore:
        if self._log.store.turn_holder is not self:
            raise LogUnavailableError("the turn was held too long and passed to another writer")
        return self._log.store

    async def catch_up(self, seen: Head | None) -> News:
        """See `Turn`."""
        store = self._require_turn()
        if seen is None:
            return News(head=store.head(), events=None)
        if seen.number > 0 and (
            len(store.appends) < seen.number
            or store.appends[seen.number - 1].head.hash != seen.hash
        ):
            raise LogDivergedError(f"append {seen.number} is not the one that was seen")
        return News(head=store.head(), events=store.events[seen.last_position :])

    async def find_append(self, append_id: str, after_number: int) -> bool:
        """See `Turn`."""
        store = self._require_turn()
        return any(append.append_id == append_id for append in store.appends[after_number:])

    async def look_up(self, question: Question) -> Findings:
        """See `Turn`."""
        await asyncio.sleep(0)
        return self._require_turn().find(question)

    async def append(self, append: Append) -> Appended:
        """See `Turn`."""
        store = self._require_turn()
        _refuse_what_text_cannot_hold(append)
        if store.takes(append):
            self._staged = append
        return Appended(self._staged is not None, store.clock())

    def commit(self) -> None:
        """Make the staged append count, as COMMIT does."""
        self._require_turn()
        if self._staged is not None:
            self._log.commit(self._staged)


def _refuse_what_text_cannot_hold(append: Append) -> None:
    texts = [row.reference for row in append.references]
    texts += [row.command_id for row in append.outcomes]
    texts += [row.customer_id for row in append.wallets]
    if any("\x00" in text for text in texts):
        raise AppendRefusedError("22021: a text holds a NUL")
