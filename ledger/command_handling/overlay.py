"""The overlay: what a batch changes, so that its later commands see its earlier ones.

It counts only when the append that it makes was committed. A part of it can be taken back.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from ledger.command_handling.submission import Submission
from ledger.command_handling.wallet_cache import Known, WalletCache
from ledger.domain.wallet import Payment, Wallet, evolve
from ledger.event_log.hashing import append_hash, event_hash_of_parts, unix_us
from ledger.event_log.interface import (
    AccountNumberRow,
    Append,
    ClosureRow,
    CommandKey,
    CustomerKey,
    EventKey,
    Findings,
    Head,
    IdentityKey,
    IdentityRow,
    OutcomeRow,
    Question,
    Record,
    ReferenceRow,
    WalletRow,
)
from schemas.events import (
    SCHEMA_VERSION,
    CreditReversed,
    CustomerErased,
    DebitReversed,
    RecordedEvent,
    TopupUnapplied,
    WalletClosed,
    WalletEvent,
    WalletOpened,
    WalletReviewed,
    WalletToppedUp,
    encode_event,
    type_of,
)
from schemas.identifiers import StreamKey, hex_of

_REVERSALS = (DebitReversed, CreditReversed)
_PAYMENTS = (WalletToppedUp, TopupUnapplied)
_NUMBERING = (WalletOpened, WalletReviewed)


class Savepoint(NamedTuple):
    """How far the overlay had come."""

    lengths: list[int]
    contents: list[dict[Any, Any]]


class Overlay:
    """What is known of the log, with what the batch has added so far."""

    def __init__(
        self,
        *,
        head: Head,
        findings: Findings,
        now: datetime,
        known: Mapping[StreamKey, Known],
        cache: WalletCache,
    ) -> None:
        self._head = head
        self._now = now
        self._known = known
        self._cache = cache
        self._recorded_us = unix_us(now)
        self.recorded = findings.command_outcomes
        self.consumed = findings.references
        self.open_wallets: dict[CustomerKey, str | None] = dict(findings.open_wallets)
        self.user_id_owners = dict(findings.user_id_owners)
        self.reversed_amounts = dict(findings.reversed_amounts)
        self.payments = dict(findings.payments)
        self.identity_owners = dict(findings.identity_owners)
        self.next_serials = dict(findings.next_serials)
        self._identities: dict[tuple[str, str], IdentityRow] = {}
        self.changed: dict[StreamKey, Known] = {}
        self.events: list[RecordedEvent] = []
        self._outcomes: list[OutcomeRow] = []
        self._references: list[ReferenceRow] = []
        self._wallets: list[WalletRow] = []
        self._closures: list[ClosureRow] = []
        self._account_numbers: list[AccountNumberRow] = []

    def known_of(self, key: StreamKey) -> Known | None:
        """The wallet as it stands now; None if it does not exist."""
        known = self.changed.get(key) or self._known.get(key) or self._cache.get(key)
        return None if known is None or known.wallet is None else known

    def add_event(
        self, key: StreamKey, known: Known, event: WalletEvent, event_id: str, metadata: str
    ) -> Known:
        """Append an event to a wallet; the wallet after it."""
        version = known.version + 1
        type_name = type_of(event)
        data = encode_event(event).decode()
        envelope = (
            f"{key.stream_id}\n{version}\n{event_id}\n{type_name}\n"
            f"{SCHEMA_VERSION}\n{key.tenant_id}\n{self._recorded_us}"
        )
        digest = event_hash_of_parts(known.hash, envelope, data, metadata)
        self.events.append(
            RecordedEvent(
                position=self._head.last_position + len(self.events) + 1,
                tenant_id=key.tenant_id,
                stream_id=key.stream_id,
                version=version,
                event_id=event_id,
                type=type_name,
                schema_version=SCHEMA_VERSION,
                data=data,
                metadata=metadata,
                recorded_at=self._now,
                hash=digest,
            )
        )
        wallet = evolve(known.wallet, event, wallet_id=key.stream_id, version=version, at=self._now)
        known = Known(wallet, digest, known.snapshot_version)
        self.changed[key] = known
        if isinstance(event, WalletClosed):
            self._free_slot(key, wallet)
        elif isinstance(event, _REVERSALS):
            reversed_key = EventKey(key.tenant_id, hex_of(event.transaction_id))
            self.reversed_amounts[reversed_key] = event.reversed_after
        elif isinstance(event, _PAYMENTS):
            topup_key = EventKey(key.tenant_id, hex_of(event.topup_id))
            is_applied = isinstance(event, WalletToppedUp)
            payment = Payment(payment_id=event.payment_id, is_applied=is_applied)
            self.payments[topup_key] = (*self.payments.get(topup_key, ()), payment)
        elif isinstance(event, _NUMBERING):
            self._allot(key, event)
        elif isinstance(event, CustomerErased):
            self.know_customer(key.tenant_id, wallet.customer_id, wallet.user_id, None)
        return known

    def add_wallet(self, row: WalletRow) -> None:
        """Make a wallet and its customer known by name."""
        slot = CustomerKey(row.tenant_id, row.customer_id, row.currency)
        self.open_wallets[slot] = row.wallet_id
        self.user_id_owners[row.tenant_id, row.user_id] = row.customer_id
        self._wallets.append(row)

    def know_customer(
        self, tenant_id: str, customer_id: str, user_id: str, index: str | None
    ) -> None:
        """The customer is this person from now on; without an index, nobody knows who."""
        for key, owner in list(self.identity_owners.items()):
            if (key.tenant_id, owner) == (tenant_id, customer_id):
                del self.identity_owners[key]
        if index is not None:
            self.identity_owners[IdentityKey(tenant_id, index)] = customer_id
        row = IdentityRow(tenant_id, customer_id, user_id, index)
        self._identities[tenant_id, customer_id] = row

    def consume(self, tenant_id: str, reference: str, record: Record) -> None:
        """The reference stands for this from now on."""
        assert record.position is not None, "a success has an event"
        self.consumed[CommandKey(tenant_id, reference)] = record
        self._references.append(
            ReferenceRow(tenant_id, reference, record.fingerprint, record.position)
        )

    def freeze(self, submission: Submission, record: Record) -> None:
        """The command id, if there is one, stands for this from now on."""
        if submission.command_id is None:
            return
        key = CommandKey(submission.tenant_id, submission.command_id)
        self.recorded[key] = record
        self._outcomes.append(OutcomeRow(*key, record.fingerprint, record.position, record.outcome))

    def event_at(self, position: int) -> RecordedEvent:
        """An event that this batch has added."""
        return self.events[position - self._head.last_position - 1]

    def event_named(self, event_id: str) -> RecordedEvent:
        """An event that this batch has added, lately."""
        return next(event for event in reversed(self.events) if event.event_id == event_id)

    def savepoint(self) -> Savepoint:
        """To come back to."""
        return Savepoint(
            [len(rows) for rows in self._lists()], [dict(content) for content in self._dicts()]
        )

    def restore(self, savepoint: Savepoint) -> None:
        """Forget what was added since."""
        for rows, length in zip(self._lists(), savepoint.lengths, strict=True):
            del rows[length:]
        for content, kept in zip(self._dicts(), savepoint.contents, strict=True):
            content.clear()
            content.update(kept)

    def append(self, append_id: str, unless_known: Question) -> Append | None:
        """All of it as one append; None if there is nothing to write."""
        if not self.events and not self._outcomes:
            return None
        return Append(
            append_id=append_id,
            head=Head(
                number=self._head.number + 1,
                hash=append_hash(self._head.hash, (event.hash for event in self.events)),
                last_position=self._head.last_position + len(self.events),
                recorded_at=self._now,
            ),
            previous_hash=self._head.hash,
            events=self.events,
            outcomes=self._outcomes,
            references=self._references,
            wallets=self._wallets,
            closures=self._closures,
            identities=list(self._identities.values()),
            account_numbers=self._account_numbers,
            unless_known=unless_known,
        )

    def _free_slot(self, key: StreamKey, wallet: Wallet) -> None:
        slot = CustomerKey(key.tenant_id, wallet.customer_id, wallet.currency)
        self.open_wallets[slot] = None
        position = self.events[-1].position
        self._closures.append(ClosureRow(key.tenant_id, key.stream_id, position))

    def _allot(self, key: StreamKey, event: WalletOpened | WalletReviewed) -> None:
        if event.account_number is None or event.bank_code is None:
            return
        serial = self.next_serials[key.tenant_id]
        self.next_serials[key.tenant_id] = serial + 1
        position = self.events[-1].position
        self._account_numbers.append(
            AccountNumberRow(
                key.tenant_id,
                serial,
                event.bank_code,
                event.account_number,
                key.stream_id,
                position,
            )
        )

    def _lists(self) -> list[list[Any]]:
        return [
            self.events,
            self._outcomes,
            self._references,
            self._wallets,
            self._closures,
            self._account_numbers,
        ]

    def _dicts(self) -> list[dict[Any, Any]]:
        return [
            self.recorded,
            self.consumed,
            self.open_wallets,
            self.user_id_owners,
            self.reversed_amounts,
            self.payments,
            self.identity_owners,
            self.next_serials,
            self._identities,
            self.changed,
        ]
