"""Wallets' streams, in memory: the wallets' own rules make the events, so every log is valid."""

import random
from datetime import UTC, datetime, timedelta

from msgspec import Struct, field
from msgspec.structs import replace

from ledger.command_handling.fingerprint import fingerprint
from ledger.command_handling.question import reference_of
from ledger.domain.wallet import Decision, Facts, Payment, Wallet, decide, evolve
from ledger.event_log.hashing import event_hash
from ledger.event_log.interface import GENESIS_HASH, ReferenceRow
from schemas.commands import (
    CancelTopup,
    CaptureHold,
    Command,
    CompleteTopup,
    ReverseTransaction,
    TransferMoney,
    VoidHold,
)
from schemas.events import (
    SCHEMA_VERSION,
    CreditReversed,
    DebitReversed,
    HoldPlaced,
    RecordedEvent,
    TopupCreated,
    TopupUnapplied,
    TransferReceived,
    TransferSent,
    WalletEvent,
    WalletToppedUp,
    encode_event,
    type_of,
)
from schemas.identifiers import hex_of, uuid7s

EPOCH = datetime(2026, 5, 24, 10, 0, tzinfo=UTC)
_NEWEST = 50


class Stream(Struct):
    """One wallet's, as far as it goes."""

    tenant_id: str
    hash: bytes = GENESIS_HASH
    wallet: Wallet | None = None
    event_ids: list[str] = field(default_factory=list)


class EventStreams:
    """One log that grows; `new` holds the events that were not taken yet.

    Each event is a millisecond after the one before it; `passed` is what went by beside that.
    """

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)  # noqa: S311 - test data is to be the same every time
        self.position = 0
        self.passed = timedelta()
        self.streams: dict[str, Stream] = {}
        self.made: dict[str, WalletEvent] = {}
        """Every event by its id."""
        self.reversed: dict[str, int] = {}
        """How much of a transaction was reversed, by its event's id."""
        self.payments: dict[str, tuple[Payment, ...]] = {}
        """What has come for a top-up, by its event's id."""
        self.new: list[RecordedEvent] = []
        self.consumed: list[ReferenceRow] = []
        """The references that were consumed since the last time they were taken."""

    @property
    def now(self) -> datetime:
        """When the next event happens."""
        return EPOCH + self.passed + timedelta(milliseconds=self.position + 1)

    def wallet(self, identifier: str) -> Wallet:
        """A wallet as the write side has it."""
        wallet = self.streams[identifier].wallet
        assert wallet is not None, "it was opened"
        return wallet

    def made_of(self, identifier: str) -> list[tuple[str, WalletEvent]]:
        """A wallet's newest events by their ids."""
        newest = self.streams[identifier].event_ids[-_NEWEST:]
        return [(event_id, self.made[event_id]) for event_id in newest]

    def do(self, identifier: str, command: Command) -> list[RecordedEvent]:
        """What comes of a command by the wallets' rules; a decline may be among it."""
        return self._decided(identifier, command)[0]

    def answer(self, identifier: str, command: Command) -> RecordedEvent:
        """The event that says what came of a command, which must be accepted."""
        recorded, decision = self._decided(identifier, command)
        assert decision.rejection is None, f"{command} was refused: {decision.rejection}"
        place = decision.events.index(decision.answer or decision.events[-1])
        return recorded[place]

    def _decided(self, identifier: str, command: Command) -> tuple[list[RecordedEvent], Decision]:
        facts, other = self._looked_up(identifier, command)
        decision = decide(self.wallet(identifier), command, self.now, facts)
        recorded = [self.record(identifier, event) for event in decision.events]
        if other is not None:
            recorded += [self.record(other, event) for event in decision.others]
        reference = reference_of(command)
        if reference is not None and decision.rejection is None and decision.answer is not None:
            answer = recorded[decision.events.index(decision.answer)]
            asked = fingerprint(command)
            row = ReferenceRow(answer.tenant_id, reference, asked, answer.position)
            self.consumed.append(row)
        return recorded, decision

    def take(self) -> list[RecordedEvent]:
        """The events that were made since the last time."""
        taken, self.new = self.new, []
        return taken

    def take_consumed(self) -> list[ReferenceRow]:
        """The references that were consumed since the last time."""
        taken, self.consumed = self.consumed, []
        return taken

    def record(self, identifier: str, event: WalletEvent) -> RecordedEvent:
        """Put an event at the end of the log."""
        stream = self.streams[identifier]
        at = self.now
        version = 1 if stream.wallet is None else stream.wallet.version + 1
        stream.wallet = evolve(stream.wallet, event, wallet_id=identifier, version=version, at=at)
        self.position += 1
        unhashed = RecordedEvent(
            position=self.position,
            tenant_id=stream.tenant_id,
            stream_id=identifier,
            version=version,
            event_id=self._id_of(event),
            type=type_of(event),
            schema_version=SCHEMA_VERSION,
            data=encode_event(event).decode(),
            metadata='{"who":"client:tests"}',
            recorded_at=at,
            hash=b"",
        )
        recorded = replace(unhashed, hash=event_hash(stream.hash, unhashed))
        stream.hash = recorded.hash
        stream.event_ids.append(recorded.event_id)
        self.made[recorded.event_id] = event
        if isinstance(event, DebitReversed | CreditReversed):
            self.reversed[hex_of(event.transaction_id)] = event.reversed_after
        if isinstance(event, WalletToppedUp | TopupUnapplied):
            named, is_applied = hex_of(event.topup_id), isinstance(event, WalletToppedUp)
            came = Payment(payment_id=event.payment_id, is_applied=is_applied)
            self.payments[named] = (*self.payments.get(named, ()), came)
        self.new.append(recorded)
        return recorded

    def new_id(self) -> str:
        """An id that nothing has yet."""
        return next(uuid7s(1_780_000_000_000 + self.position, self.random.randbytes(10)))

    def _looked_up(self, identifier: str, command: Command) -> tuple[Facts, str | None]:
        """What the rule needs beside its wallet, and which other wallet it concerns."""
        facts = Facts(event_id=self.new_id(), other_event_id=self.new_id())
        other = None
        if isinstance(command, TransferMoney):
            other = command.to_wallet_id
        elif isinstance(command, CaptureHold | VoidHold):
            facts = replace(facts, original=self.made[hex_of(command.hold_id)])
        elif isinstance(command, CompleteTopup | CancelTopup):
            named = hex_of(command.topup_id)
            payments = self.payments.get(named, ())
            facts = replace(facts, original=self.made[named], payments=payments)
        elif isinstance(command, ReverseTransaction):
            named = hex_of(command.transaction_id)
            original = self.made[named]
            already = self.reversed.get(named, 0)
            facts = replace(facts, original=original, reversed_amount=already)
            if isinstance(original, TransferSent | TransferReceived):
                (other,) = {original.from_wallet_id, original.to_wallet_id} - {identifier}
        if other is not None and other in self.streams:
            facts = replace(facts, other=self.wallet(other))
        return facts, other

    def _id_of(self, event: WalletEvent) -> str:
        match event:
            case HoldPlaced():
                return hex_of(event.hold_id)
            case TopupCreated():
                return hex_of(event.topup_id)
            case TransferSent():
                return hex_of(event.sent_transaction_id)
            case TransferReceived():
                return hex_of(event.received_transaction_id)
            case _:
                return self.new_id()
