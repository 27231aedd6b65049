"""The log itself: positions, versions, appends, hashes, money. One pass, page by page."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import AsyncGenerator, Callable, Coroutine, Sequence
from contextlib import aclosing
from datetime import UTC, datetime

import asyncpg
import msgspec

from ledger.domain import wallet as writers
from ledger.domain.postings import Account, postings
from ledger.domain.wallet import Wallet
from ledger.event_log.hashing import append_hash, event_hash
from ledger.event_log.interface import GENESIS_HASH
from ledger.event_log.rows import recorded_event
from projections.balances.evolve import evolve
from projections.interface import Connection, ProjectedEvent, ProjectionMismatchError
from schemas.events import CreditReversed, RecordedEvent, UnknownEventError
from schemas.identifiers import StreamKey, is_wallet_stream
from schemas.results import WalletView
from services.runtime.sql import load_statement
from services.verify.decoding import decode_once
from services.verify.idempotency import Idempotency
from services.verify.report import Report
from services.verify.snapshots import Snapshots
from services.verify.wallet_states import WalletState, WalletStates

_READ_HEAD = load_statement(__file__, "read_head")
_READ_APPENDS = load_statement(__file__, "read_appends")
_READ_EVENTS = load_statement(__file__, "read_events")
_APPENDS_PAGE = 500
_EVENTS_PAGE = 2000
_STATES_PAGE = 5000

TenantsHook = Callable[[RecordedEvent], None]
EventsHook = Callable[[Sequence[ProjectedEvent]], Coroutine[None, None, None]]


class LogChain:
    """Reads the log once from the beginning to what was its head when it started."""

    def __init__(self, connection: Connection, states: WalletStates, report: Report) -> None:
        self._connection = connection
        self._states = states
        self._numbers = report.invariant("append numbers are gapless")
        self._appends = report.invariant("append hashes chain the log")
        self._positions = report.invariant("positions are gapless")
        self._versions = report.invariant("versions of each wallet are gapless")
        self._hashes = report.invariant("event hashes chain each wallet")
        self._money = report.invariant("each event leads from the balance before it")
        self._totals = report.invariant("movements add up to the balances, by currency")
        self._transit = report.invariant("nothing stays in transit between wallets")
        self._accounts: dict[Account, Counter[str]] = defaultdict(Counter)
        self._of_tenants: TenantsHook
        self._snapshots: Snapshots
        self._idempotency: Idempotency
        self._append_hash = GENESIS_HASH
        self._recorded_at = datetime.min.replace(tzinfo=UTC)
        self._appended_at = self._recorded_at
        """Of the event that came last, in the append that is being looked at."""
        self.position = 0
        """Up to where the log has been read."""

    async def check(
        self,
        also: EventsHook,
        of_tenants: TenantsHook,
        *,
        snapshots: Snapshots,
        idempotency: Idempotency,
    ) -> None:
        """Check everything; `also` sees each page of wallets' events after it.

        Each event of a tenant's own stream is for `of_tenants`; `snapshots` and `idempotency` see
        each of a wallet with the wallet as the write side has it.
        """
        self._of_tenants, self._snapshots, self._idempotency = of_tenants, snapshots, idempotency
        head = await self._connection.fetchrow(_READ_HEAD)
        last_number = 0 if head is None else head["number"]
        for page_start in range(0, last_number, _APPENDS_PAGE):
            page_end = min(page_start + _APPENDS_PAGE, last_number)
            appends = await self._connection.fetch(_READ_APPENDS, page_start, page_end)
            numbers = [append["number"] for append in appends]
            for missing in sorted(set(range(page_start + 1, page_end + 1)) - set(numbers)):
                self._numbers.fail(f"{missing} is missing")
            self._numbers.hold(len(numbers))
            await self._check_appends(appends, also)
        self._check_totals()

    async def _check_appends(self, appends: Sequence[asyncpg.Record], also: EventsHook) -> None:
        """Check a page of appends against the events that they say they appended."""
        waiting = deque(appends)
        hashes: list[bytes] = []
        last_position = appends[-1]["last_position"] if appends else self.position
        async with aclosing(self._pages(self.position, last_position)) as pages:
            async for page_end, rows in pages:
                events = [recorded_event(row) for row in rows]
                await self._check_page(events, page_end, also)
                for event in events:
                    while waiting[0]["last_position"] < event.position:
                        self._end_append(waiting.popleft(), hashes)
                    hashes.append(event.hash)
                    self._appended_at = event.recorded_at
        while waiting:
            self._end_append(waiting.popleft(), hashes)

    async def _pages(
        self, position: int, last_position: int
    ) -> AsyncGenerator[tuple[int, Sequence[asyncpg.Record]]]:
        """The events up to a position, and where each page ends; the next is on its way by then."""
        reading: asyncio.Task[list[asyncpg.Record]] | None = None
        try:
            while position < last_position:
                page_end = min(position + _EVENTS_PAGE, last_position)
                rows = await (reading or self._connection.fetch(_READ_EVENTS, position, page_end))
                position, reading = page_end, None
                if position < last_position:
                    next_end = min(position + _EVENTS_PAGE, last_position)
                    reading = asyncio.create_task(
                        self._connection.fetch(_READ_EVENTS, position, next_end)
                    )
                yield page_end, rows
        finally:
            if reading is not None:
                reading.cancel()

    async def _check_page(
        self, events: Sequence[RecordedEvent], page_end: int, also: EventsHook
    ) -> None:
        # What administrators did is of no wallet: no read model has it, and no money moves.
        of_wallets = [event for event in events if is_wallet_stream(event.stream_id)]
        projected = [_projected(event) for event in of_wallets]
        await self._snapshots.read(projected)
        # What it asks for is on its way, too, while this page is checked.
        others = asyncio.create_task(also(projected))
        await asyncio.sleep(0)
        try:
            self._check_positions(events, page_end)
            self._check_events(of_wallets, projected)
            for event in events:
                if not is_wallet_stream(event.stream_id):
                    self._of_tenants(event)
        finally:
            await others

    def _end_append(self, append: asyncpg.Record, hashes: list[bytes]) -> None:
        computed = append_hash(self._append_hash, hashes)
        is_dated = not hashes or append["recorded_at"] == self._appended_at
        self._appends.check(computed == append["hash"] and is_dated, f"append {append['number']}")
        self._append_hash = append["hash"]
        hashes.clear()

    def _check_positions(self, events: Sequence[RecordedEvent], page_end: int) -> None:
        present = {event.position for event in events}
        for missing in sorted(set(range(self.position + 1, page_end + 1)) - present):
            self._positions.fail(f"{missing} is missing")
        for event in events:
            # What is asked as of a moment is found by halving, so time goes along the positions.
            if event.recorded_at < self._recorded_at:
                self._positions.fail(f"{event.position} was recorded before the one before it")
            self._recorded_at = event.recorded_at
        self._positions.hold(len(present))
        self.position = page_end

    def _check_events(
        self, events: Sequence[RecordedEvent], projected: Sequence[ProjectedEvent]
    ) -> None:
        """Check each event against its wallet as it stood before."""
        states: dict[StreamKey, WalletState | None] = {}
        for event, as_projected in zip(events, projected, strict=True):
            wallet = as_projected.wallet
            if wallet not in states:
                states[wallet] = self._states.get(wallet)
            before = states[wallet]
            version = 0 if before is None else before.version
            # What would be said is made only where it is: words for every event take long.
            if event.version == version + 1:
                self._versions.hold()
            else:
                self._versions.fail(f"{_named(event)}: {event.version} follows {version}")
            previous = GENESIS_HASH if before is None else before.hash
            if event_hash(previous, event) == event.hash:
                self._hashes.hold()
            else:
                self._hashes.fail(_named(event))
            view = self._evolve(before, as_projected)
            state = WalletState(
                version=event.version,
                hash=event.hash,
                view=view,
                wallet=None if view is None else self._folded(before, event),
                opened_position=event.position if before is None else before.opened_position,
            )
            self._snapshots.compare(wallet, state)
            self._idempotency.fold(event, None if before is None else before.wallet, state.wallet)
            states[wallet] = state
        self._states.put({wallet: state for wallet, state in states.items() if state is not None})

    def _evolve(self, before: WalletState | None, recorded: ProjectedEvent) -> WalletView | None:
        """The wallet after the event; None once an event has contradicted it."""
        if before is not None and before.view is None:
            return None
        try:
            view = evolve(None if before is None else before.view, recorded, decode_once)
        except (ProjectionMismatchError, UnknownEventError, msgspec.DecodeError) as error:
            self._money.fail(str(error))
            return None
        event = decode_once(recorded.type, recorded.schema_version, recorded.data)
        entry = postings(event)
        for posting in entry:
            self._accounts[posting.account][posting.currency] += posting.amount
        if not entry:
            return view
        available_before = 0
        if before is not None and before.view is not None:
            available_before = before.view.available_balance
        # Below zero only where a credit was reversed that had been spent; then upwards.
        may_be_owed = isinstance(event, CreditReversed) or (
            view.available_balance >= available_before
        )
        if view.available_balance <= view.balance and (view.available_balance >= 0 or may_be_owed):
            self._money.hold()
        else:
            self._money.fail(f"{view.id} at position {recorded.position}: {view}")
        return view

    def _folded(self, before: WalletState | None, recorded: RecordedEvent) -> Wallet | None:
        """The same as the write side folds it; None once an event has contradicted it."""
        if before is not None and before.wallet is None:
            return None
        try:
            return writers.evolve(
                None if before is None else before.wallet,
                decode_once(recorded.type, recorded.schema_version, recorded.data),
                wallet_id=recorded.stream_id,
                version=recorded.version,
                at=recorded.recorded_at,
            )
        except (AssertionError, KeyError) as error:
            # Whoever decides on it must stop there; here it is what is looked for.
            self._money.fail(f"{_named(recorded)}, as the write side folds it: {error!r}")
            return None

    def _check_totals(self) -> None:
        """Compare what moved with what is there, which were counted apart from each other."""
        held: Counter[str] = Counter()
        for page in self._states.pages(_STATES_PAGE):
            for _, state in page:
                if state.view is None:
                    self._totals.skipped = "an event contradicts its wallet"
                    return
                held[state.view.currency] += state.view.balance
        for currency in sorted(held):
            moved = -self._accounts["customer_wallet"][currency]
            self._totals.check(
                moved == held[currency], f"{currency}: {moved} moved, {held[currency]} are held"
            )
        for currency, amount in sorted(self._accounts["transfers_in_transit"].items()):
            self._transit.check(amount == 0, f"{currency}: {amount}")


def _named(event: RecordedEvent) -> str:
    return f"{event.stream_id} at position {event.position}"


def _projected(event: RecordedEvent) -> ProjectedEvent:
    return ProjectedEvent(
        position=event.position,
        wallet=StreamKey(event.tenant_id, event.stream_id),
        version=event.version,
        event_id=event.event_id,
        type=event.type,
        schema_version=event.schema_version,
        data=event.data,
        recorded_at=event.recorded_at,
    )
