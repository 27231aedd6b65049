"""Targets: which wallets a command is about, and what it names in their past. Pure."""

from typing import NamedTuple, assert_never

from ledger.command_handling.originals import Originals, original_of
from ledger.command_handling.submission import Submission
from ledger.event_log.interface import EventKey, PaymentKey
from schemas.commands import (
    CancelTopup,
    CaptureHold,
    CloseWallet,
    CompleteTopup,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    EnrollCustomer,
    ReverseTransaction,
    TransferMoney,
    TransferTo,
    VoidHold,
)
from schemas.events import (
    BalanceForfeited,
    CreditDeclined,
    CreditLapsed,
    CreditReversed,
    DebitDeclined,
    DebitReversed,
    HoldCaptured,
    HoldPlaced,
    RecordedEvent,
    TopupCreated,
    TopupUnapplied,
    TransferReceived,
    TransferSent,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletToppedUp,
    decode_event,
)
from schemas.identifiers import StreamKey
from schemas.rejections import HoldUnknown, Rejection, TopupUnknown, TransactionUnknown

_TRANSACTIONS = (
    WalletCredited,
    WalletDebited,
    CreditLapsed,
    HoldCaptured,
    TransferSent,
    TransferReceived,
    DebitReversed,
    CreditReversed,
    BalanceForfeited,
    DebitDeclined,
    CreditDeclined,
    WalletToppedUp,
    TopupUnapplied,
)

_Naming = CaptureHold | VoidHold | ReverseTransaction | CompleteTopup | CancelTopup


class Target(NamedTuple):
    """The wallet whose decision it is, the other one that it needs, and what is named."""

    wallet: StreamKey
    other: StreamKey | None = None
    recorded: RecordedEvent | None = None
    original: WalletEvent | None = None
    reversed_key: EventKey | None = None
    """The transaction of which the reversed amount is needed."""
    payment_key: PaymentKey | None = None
    """The payment of which it is asked whether it has come before."""


def target_of(submission: Submission, originals: Originals) -> Target | Rejection:
    """The target, or that what the command names is not there. Not for openings."""
    tenant_id, command = submission.tenant_id, submission.command
    match command:
        case DebitWallet() | CreditWallet():
            # First, since nearly all commands are these.
            return Target(StreamKey(tenant_id, command.wallet_id))
        case CaptureHold() | VoidHold() | ReverseTransaction() | CompleteTopup() | CancelTopup():
            return _named(submission, command, originals)
        case TransferMoney():
            sender = StreamKey(tenant_id, command.from_wallet_id)
            return Target(sender, StreamKey(tenant_id, command.to_wallet_id))
        case CloseWallet(remaining_balance=TransferTo(transfer_to=receiver)):
            wallet = StreamKey(tenant_id, command.wallet_id)
            return Target(wallet, StreamKey(tenant_id, receiver))
        case CreateWallet() | EnrollCustomer():
            raise AssertionError("there is no wallet yet")
        case _:
            return Target(StreamKey(tenant_id, command.wallet_id))


def _named(submission: Submission, command: _Naming, originals: Originals) -> Target | Rejection:
    key = original_of(submission)
    assert key is not None, "these commands name an event"
    recorded = originals.get(key)
    if recorded is None:
        return _unknown(command)
    event = decode_event(recorded.type, recorded.schema_version, recorded.data)
    wallet = StreamKey(recorded.tenant_id, recorded.stream_id)
    match command, event:
        case CaptureHold() | VoidHold(), HoldPlaced():
            return Target(wallet, recorded=recorded, original=event)
        case CancelTopup(), TopupCreated():
            return Target(wallet, recorded=recorded, original=event)
        case CompleteTopup(), TopupCreated():
            payment_key = PaymentKey(*key, command.payment_id)
            return Target(wallet, recorded=recorded, original=event, payment_key=payment_key)
        case ReverseTransaction(), TransferSent():
            other = StreamKey(recorded.tenant_id, event.to_wallet_id)
            return Target(wallet, other, recorded, event, key)
        case ReverseTransaction(), TransferReceived():
            other = StreamKey(recorded.tenant_id, event.from_wallet_id)
            return Target(wallet, other, recorded, event, key)
        case ReverseTransaction(), _ if isinstance(event, _TRANSACTIONS):
            return Target(wallet, None, recorded, event, key)
        case _:
            return _unknown(command)


def _unknown(command: _Naming) -> Rejection:
    match command:
        case CaptureHold() | VoidHold():
            return HoldUnknown()
        case CompleteTopup() | CancelTopup():
            return TopupUnknown()
        case ReverseTransaction():
            return TransactionUnknown()
        case _:
            assert_never(command)
