"""Given what was done, when a command, then events or a rejection: a wallet's rules as tests.

Facts are looked up here as the command handling looks them up, but in a plain dict. What
comes of a command is known by its reference, so that a test can name it beforehand.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from msgspec.structs import replace

from ledger.domain.wallet import NO_FACTS, Decision, Facts, Payment, Wallet, decide, evolve
from schemas.commands import (
    CancelTopup,
    CaptureHold,
    CloseWallet,
    Command,
    CompleteTopup,
    CreateWallet,
    EnrollCustomer,
    ReverseTransaction,
    TransferMoney,
    TransferTo,
    VoidHold,
)
from schemas.events import (
    CreditReversed,
    DebitReversed,
    TopupUnapplied,
    TransferReceived,
    TransferSent,
    WalletEvent,
    WalletOpened,
    WalletToppedUp,
)
from schemas.identifiers import hex_of, hold_id, topup_id, transaction_id
from schemas.rejections import Rejection

WALLET_ID = "wal_" + "0a" * 16
OTHER_ID = "wal_" + "0b" * 16
THIRD_ID = "wal_" + "0c" * 16
USER_ID = "ab74cbaf-c46b-5cd4-bf2f-8cdf19545a44"
START = datetime(2026, 1, 1, tzinfo=UTC)
NEVER = None
OPENED = WalletOpened(customer_id="ama", user_id=USER_ID, currency="GHS")

Amounts = dict[datetime | None, int]
Step = WalletEvent | tuple[str, WalletEvent] | Command | datetime
"""What was done: a command; an event of the first wallet or of another; or time went on."""

OTHER_OPENED = (OTHER_ID, WalletOpened(customer_id="kofi", user_id=USER_ID, currency="GHS"))
THIRD_OPENED = (THIRD_ID, WalletOpened(customer_id="abena", user_id=USER_ID, currency="NGN"))


class Given:
    """Wallets with this past. A command in it must have been accepted."""

    def __init__(self, *past: Step) -> None:
        self.now = START
        self.wallets: dict[str, Wallet] = {}
        self.events: dict[str, tuple[str, WalletEvent]] = {}
        self.reversed: dict[str, int] = {}
        self.payments: dict[str, tuple[Payment, ...]] = {}
        for step in past:
            if isinstance(step, datetime):
                self.now = step
            elif isinstance(step, WalletEvent):
                self._fold(WALLET_ID, (step,))
            elif isinstance(step, tuple):
                self._fold(step[0], (step[1],))
            else:
                refused = self.when(step).decision.rejection
                assert refused is None, f"{step} was refused: {refused}"

    def when(
        self, command: Command, facts: Facts = NO_FACTS, *, now: datetime | None = None
    ) -> "When":
        """Decide a command. Facts of a create are given; all others are looked up."""
        self.now = now or self.now
        wallet_id, facts = self._looked_up(command, facts)
        other_id = None if facts.other is None else facts.other.wallet_id
        decision = decide(self.wallets.get(wallet_id), command, self.now, facts)
        self._fold(wallet_id, decision.events, decision.answer, facts.event_id)
        if other_id is not None:
            leg = next((event for event in decision.others if _is_leg(event)), None)
            self._fold(other_id, decision.others, leg, facts.other_event_id)
        if isinstance(decision.answer, DebitReversed | CreditReversed):
            counted = self._counted(decision.answer.transaction_id)
            self.reversed[counted] = decision.answer.reversed_after
        if isinstance(decision.answer, WalletToppedUp | TopupUnapplied):
            is_applied = isinstance(decision.answer, WalletToppedUp)
            came = Payment(payment_id=decision.answer.payment_id, is_applied=is_applied)
            before = self.payments.get(decision.answer.topup_id, ())
            self.payments[decision.answer.topup_id] = (*before, came)
        return When(self, decision, wallet_id, other_id)

    def _looked_up(self, command: Command, facts: Facts) -> tuple[str, Facts]:
        """Which wallet the command is of, and what its rule needs to know besides."""
        reference = getattr(command, "reference", None) or type(command).__name__
        if isinstance(command, CompleteTopup):
            reference = command.payment_id
        facts = replace(
            facts, event_id=id_named(reference), other_event_id=id_named(f"{reference}, received")
        )
        match command:
            case CaptureHold() | VoidHold():
                wallet_id, original = self.events.get(hex_of(command.hold_id), (WALLET_ID, None))
                return wallet_id, replace(facts, original=original)
            case CompleteTopup() | CancelTopup():
                wallet_id, original = self.events.get(hex_of(command.topup_id), (WALLET_ID, None))
                payments = self.payments.get(command.topup_id, ())
                return wallet_id, replace(facts, original=original, payments=payments)
            case ReverseTransaction():
                named = hex_of(command.transaction_id)
                wallet_id, original = self.events.get(named, (WALLET_ID, None))
                already = self.reversed.get(self._counted(command.transaction_id), 0)
                other = self._other_side(original)
                facts = replace(facts, original=original, reversed_amount=already, other=other)
                return wallet_id, facts
            case TransferMoney():
                other = self.wallets.get(command.to_wallet_id)
                return command.from_wallet_id, replace(facts, other=other)
            case CloseWallet(remaining_balance=TransferTo(transfer_to=receiver)):
                return command.wallet_id, replace(facts, other=self.wallets.get(receiver))
            case CreateWallet() | EnrollCustomer():
                return WALLET_ID, facts
            case _:
                return command.wallet_id, facts

    def _other_side(self, original: WalletEvent | None) -> Wallet | None:
        match original:
            case TransferSent():
                return self.wallets[original.to_wallet_id]
            case TransferReceived():
                return self.wallets[original.from_wallet_id]
            case _:
                return None

    def _counted(self, transaction: str) -> str:
        """Both legs of a transfer are reversed at once, and count as one."""
        _, event = self.events.get(hex_of(transaction), (None, None))
        if isinstance(event, TransferSent | TransferReceived):
            return event.sent_transaction_id
        return transaction

    def _fold(
        self,
        wallet_id: str,
        events: Sequence[WalletEvent],
        answer: WalletEvent | None = None,
        event_id: str = "",
    ) -> None:
        for event in events:
            folded = fold(self.wallets.get(wallet_id), [event], wallet_id, self.now)
            assert folded is not None
            self.wallets[wallet_id] = folded
            known_by = event_id if event is answer else id_named(f"{wallet_id} {folded.version}")
            if isinstance(event, TransferSent):
                known_by = hex_of(event.sent_transaction_id)
            if isinstance(event, TransferReceived):
                known_by = hex_of(event.received_transaction_id)
            self.events[known_by] = (wallet_id, event)


class When:
    """A decision, to be looked at."""

    def __init__(
        self, given: Given, decision: Decision, wallet_id: str, other_id: str | None
    ) -> None:
        self.given = given
        self.decision = decision
        self.wallet_id = wallet_id
        self.other_id = other_id

    def then(self, *events: WalletEvent) -> Wallet:
        """It was accepted, with exactly these events."""
        assert self.decision.rejection is None, self.decision.rejection
        assert self.decision.events == events
        return self.given.wallets[self.wallet_id]

    def then_kinds(self, *kinds: type[WalletEvent]) -> "When":
        """It was accepted, with events of these types in this order."""
        assert self.decision.rejection is None, self.decision.rejection
        assert tuple(type(event) for event in self.decision.events) == kinds
        return self

    def then_declined(self, rejection: Rejection, *events: WalletEvent) -> None:
        """It was refused for this reason, and exactly these events say so."""
        assert self.decision.rejection == rejection
        assert self.decision.events == events
        assert self.decision.others == ()

    def then_has(
        self,
        *,
        booked: int,
        lots: Amounts,
        held: int = 0,
        of: str | None = None,
    ) -> "When":
        """The wallet now has this much, and of what is available so much lapses when."""
        wallet = self.given.wallets[of or self.wallet_id]
        assert (wallet.balance, wallet.balance - wallet.available) == (booked, held)
        assert amounts_of(wallet) == lots
        return self


def amounts_of(wallet: Wallet) -> Amounts:
    """What is available, by when it lapses; a debt is money below zero that never does."""
    amounts: Amounts = {lot.expires_at: lot.amount for lot in wallet.lots}
    never = wallet.available - sum(amounts.values())
    return amounts | ({NEVER: never} if never else {})


def id_named(name: str) -> str:
    """The 32 hexadecimal digits of an event: of an answer, by its command's reference."""
    return sha256(name.encode()).hexdigest()[:32]


def hold_named(reference: str) -> str:
    """The hold that was placed with this reference."""
    return hold_id(id_named(reference))


def topup_named(reference: str) -> str:
    """The top-up that was asked for with this reference."""
    return topup_id(id_named(reference))


def transaction_named(reference: str) -> str:
    """The transaction that has this reference; of a transfer, the way out; or a payment's."""
    return transaction_id(id_named(reference))


def received_named(reference: str) -> str:
    """The way in of the transfer that has this reference."""
    return transaction_named(f"{reference}, received")


def transaction_at(version: int, wallet_id: str = WALLET_ID) -> str:
    """The transaction that no command asked for, by its place in the wallet's stream."""
    return transaction_named(f"{wallet_id} {version}")


def fold(
    wallet: Wallet | None,
    events: Sequence[WalletEvent],
    wallet_id: str = WALLET_ID,
    now: datetime | None = None,
) -> Wallet | None:
    """The wallet after these events, all of one moment, or one second apart."""
    for event in events:
        version = 1 if wallet is None else wallet.version + 1
        at = now or START + timedelta(seconds=version)
        wallet = evolve(wallet, event, wallet_id=wallet_id, version=version, at=at)
    return wallet


def _is_leg(event: WalletEvent) -> bool:
    return isinstance(event, TransferReceived | DebitReversed | CreditReversed)
