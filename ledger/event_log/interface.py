"""The port of the event log. Two logs stand behind it and pass one conformance suite.

A writer looks up what its batch needs, decides, and appends on condition that it has
seen the newest append. The condition, not a lock, is what keeps two writers apart; the
lock (`exclusively`) only makes them take turns instead of losing again and again.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from msgspec import Struct, field

from ledger.domain.wallet import Payment
from ledger.event_log.tenancy import TenancyFindings, TenancyQuestion, TenancyRows
from schemas.events import RecordedEvent
from schemas.identifiers import StreamKey

GENESIS_HASH = bytes(32)
"""The previous hash at the beginning of a stream, and of the log."""


COLD_WALLET_EVENTS = 128
"""A look-up returns at least this many events of one wallet, if there are so many."""


class LogUnavailableError(Exception):
    """The log cannot be reached; nothing was written by this call."""


class CommitUnclearError(Exception):
    """The connection broke while an append was under way: it may have been committed."""


class AppendRefusedError(Exception):
    """The log refuses the content of a batch (SQLSTATE classes 22, 23, 54); nothing was written.

    One command of the batch is the cause: halve the batch until it stands alone.
    """


class LogDivergedError(Exception):
    """The log no longer holds an append that this process has seen: it was restored or replaced."""


class Head(Struct, frozen=True, kw_only=True):
    """The newest append. Number 0 is the empty log."""

    number: int
    hash: bytes
    last_position: int
    recorded_at: datetime


class CommandKey(NamedTuple):
    """A command id or a reference; both are unique per tenant."""

    tenant_id: str
    key: str


class EventKey(NamedTuple):
    """An event by its own id, 32 hexadecimal digits; holds, transfers and transactions have it."""

    tenant_id: str
    event_id: str


class PaymentKey(NamedTuple):
    """A payment for a top-up, by the top-up's event and the provider's name for the payment."""

    tenant_id: str
    event_id: str
    payment_id: str


def topup_of(key: PaymentKey) -> EventKey:
    """The top-up that a payment is for."""
    return EventKey(key.tenant_id, key.event_id)


class CustomerKey(NamedTuple):
    """The one slot for a customer's open wallet in a currency."""

    tenant_id: str
    customer_id: str
    currency: str


class IdentityKey(NamedTuple):
    """A person, by the blind index of the BVN, 64 hexadecimal digits."""

    tenant_id: str
    identity_index: str


class Record(Struct, frozen=True, kw_only=True):
    """What idempotency remembers. Without `outcome`, `event` says it all."""

    fingerprint: bytes
    position: int | None
    outcome: bytes | None
    event: RecordedEvent | None


class Snapshot(Struct, frozen=True, kw_only=True):
    """A wallet's state at a version, with that event's hash and the shape of the state."""

    version: int
    event_hash: bytes
    state_version: int
    state: bytes


class StoredWallet(Struct, frozen=True, kw_only=True):
    """A wallet as the log holds it: the newest snapshot, if any, and the events after it.

    `snapshot_event_hash` is the hash that the log itself has at the snapshot's version.
    """

    snapshot: Snapshot | None
    snapshot_event_hash: bytes | None
    events: Sequence[RecordedEvent]


class Question(Struct, frozen=True, kw_only=True):
    """Everything that one batch needs to know beyond the cached wallets."""

    command_ids: Sequence[CommandKey] = ()
    references: Sequence[CommandKey] = ()
    wallets: Sequence[StreamKey] = ()
    customers: Sequence[CustomerKey] = ()
    transactions: Sequence[EventKey] = ()
    """The transactions to reverse."""
    payments: Sequence[PaymentKey] = ()
    """Payments that may have been reported before."""
    identities: Sequence[IdentityKey] = ()
    """The persons to enrol."""
    serials: Sequence[str] = ()
    """Tenants that need a new account number."""
    tenancy: TenancyQuestion | None = None
    """Asked by administrators only."""


class Findings(Struct, frozen=True, kw_only=True):
    """The answer. What is not there is left out of the dicts."""

    head_number: int
    head_hash: bytes
    now: datetime
    command_outcomes: dict[CommandKey, Record]
    references: dict[CommandKey, Record]
    wallets: dict[StreamKey, StoredWallet]
    open_wallets: dict[CustomerKey, str]
    user_id_owners: dict[tuple[str, str], str]
    """(tenant, user id) → customer id, for the user ids of `customers` that are taken."""
    reversed_amounts: dict[EventKey, int] = field(default_factory=dict)
    """How much of a transaction is already reversed."""
    payments: dict[EventKey, tuple[Payment, ...]] = field(default_factory=dict)
    """For a top-up, in the log's order: the applied payment, and those asked for."""
    identity_owners: dict[IdentityKey, str] = field(default_factory=dict)
    """The customer ids of the persons who are enrolled."""
    next_serials: dict[str, int] = field(default_factory=dict)
    """By tenant: the serial of its next account number, the first being 0."""
    tenancy: TenancyFindings = TenancyFindings()


class OutcomeRow(NamedTuple):
    """Freezes a command id. `position` or `outcome`, or both."""

    tenant_id: str
    command_id: str
    fingerprint: bytes
    position: int | None
    outcome: bytes | None


class ReferenceRow(NamedTuple):
    """Consumes a reference."""

    tenant_id: str
    reference: str
    fingerprint: bytes
    position: int


class WalletRow(NamedTuple):
    """Makes a wallet, and its customer, known by name."""

    tenant_id: str
    wallet_id: str
    customer_id: str
    user_id: str
    currency: str
    position: int


class ClosureRow(NamedTuple):
    """Frees the slot of a closed wallet's customer."""

    tenant_id: str
    wallet_id: str
    position: int


class IdentityRow(NamedTuple):
    """Makes a person known as a customer, or, without an index, forgets who the customer is."""

    tenant_id: str
    customer_id: str
    user_id: str
    identity_index: str | None


class AccountNumberRow(NamedTuple):
    """Allots the tenant's next account number."""

    tenant_id: str
    serial: int
    bank_code: str
    account_number: str
    wallet_id: str
    position: int


class Append(Struct, frozen=True, kw_only=True):
    """One batch of outcomes: all of it is written, or nothing."""

    append_id: str
    """A UUID as 32 hexadecimal digits, by which an unclear commit is looked up."""
    head: Head
    """The head that this append makes; its number is the newest seen plus one."""
    previous_hash: bytes
    """The hash of the newest append seen, which must still be the newest."""
    events: Sequence[RecordedEvent]
    outcomes: Sequence[OutcomeRow]
    references: Sequence[ReferenceRow]
    wallets: Sequence[WalletRow]
    closures: Sequence[ClosureRow]
    identities: Sequence[IdentityRow] = ()
    """At most one for each customer."""
    account_numbers: Sequence[AccountNumberRow] = ()
    tenancy: TenancyRows | None = None
    """Changes of merchants and credentials; only an append within a turn may have them."""
    unless_known: Question = Question()
    """Command ids and references that were not looked up; if one is known, nothing is written."""


class Appended(NamedTuple):
    """The outcome of an append, and the database's time then."""

    is_written: bool
    now: datetime


class News(Struct, frozen=True, kw_only=True):
    """What others appended since a head was seen.

    `events` is None if there were too many to be worth reading: then drop the cache.
    """

    head: Head
    events: Sequence[RecordedEvent] | None


class Turn(Protocol):
    """The log while only this writer may append. Every call reads the newest state."""

    async def catch_up(self, seen: Head | None) -> News:
        """The newest head, and the events since `seen` (None: nothing was seen).

        Raises `LogDivergedError` when the log does not hold what was seen.
        """

    async def find_append(self, append_id: str, after_number: int) -> bool:
        """Whether the append was committed, looking at those numbered above `after_number`."""

    async def look_up(self, question: Question) -> Findings:
        """As `EventLog.look_up`."""

    async def append(self, append: Append) -> Appended:
        """As `EventLog.append`; durable when the turn has ended without an error."""


class EventLog(Protocol):
    """One gapless, append-only log of every wallet's events."""

    async def head(self) -> Head:
        """The newest append."""

    async def look_up(self, question: Question) -> Findings:
        """Answer a batch's questions and tell the time.

        Several statements; the head is read first, so whatever is committed after it makes the
        append fail.
        """

    async def append(self, append: Append) -> Appended:
        """Write the append, durably, if it follows the newest and nobody else holds the turn.

        Otherwise, or if anything in `unless_known` is known, nothing is written.
        Raises `AppendRefusedError`, `CommitUnclearError`, `LogUnavailableError`.
        """

    def exclusively(self) -> AbstractAsyncContextManager[Turn]:
        """Wait for the turn to append; leaving without an error commits.

        Leaving raises `CommitUnclearError` if the outcome of the commit is unknown.
        """

    async def read(self, after_position: int, limit: int) -> list[RecordedEvent]:
        """Up to `limit` events after a position, in order."""

    async def read_stream(
        self, wallet: StreamKey, after_version: int, limit: int
    ) -> list[RecordedEvent]:
        """Up to `limit` events of one stream after a version, in order."""

    async def find_events(self, keys: Sequence[EventKey]) -> dict[EventKey, RecordedEvent]:
        """Wallets' events by their ids; events that the tenant does not have are left out."""

    async def save_snapshots(self, snapshots: Sequence[tuple[StreamKey, Snapshot]]) -> None:
        """Store snapshots, each only if it is newer than the stored one."""
