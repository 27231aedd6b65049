"""Targets: which wallets a command is about, and what it names in their past. Pure."""

from typing import NamedTuple

from ledger.command_handling.originals import Originals, original_of
from ledger.command_handling.submission import Submission
from ledger.event_log.interface import EventKey, WalletKey
from schemas.commands import (
    CaptureHold,
    CloseWallet,
    CreateWallet,
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
    TransferReceived,
    TransferSent,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    decode_event,
)
from schemas.rejections import HoldUnknown, Rejection, TransactionUnknown

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
)


class Target(NamedTuple):
    """The wallet whose decision it is, the other one that it needs, and what is named."""

    wallet: WalletKey
    other: WalletKey | None = None
    recorded: RecordedEvent | None = None
    original: WalletEvent | None = None
    reversed_key: EventKey | None = None
    """The transaction of which the reversed amount is needed."""


def target_of(submission: Submission, originals: Originals) -> Target | Rejection:
    """The target, or that what the command names is not there. Not for creates."""
    tenant_id, command = submission.tenant_id, submission.command
    match command:
        case CaptureHold() | VoidHold() | ReverseTransaction():
            return _named(submission, originals)
        case TransferMoney():
            sender = WalletKey(tenant_id, command.from_wallet_id)
            return Target(sender, WalletKey(tenant_id, command.to_wallet_id))
        case CloseWallet(remaining_balance=TransferTo(transfer_to=receiver)):
            wallet = WalletKey(tenant_id, command.wallet_id)
            return Target(wallet, WalletKey(tenant_id, receiver))
        case CreateWallet():
            raise AssertionError("a create has no wallet yet")
        case _:
            return Target(WalletKey(tenant_id, command.wallet_id))


def _named(submission: Submission, originals: Originals) -> Target | Rejection:
    command = submission.command
    key = original_of(submission)
    assert key is not None, "these commands name an event"
    is_reversal = isinstance(command, ReverseTransaction)
    recorded = originals.get(key)
    event = None
    if recorded is not None:
        event = decode_event(recorded.type, recorded.schema_version, recorded.data)
    if recorded is None or not isinstance(event, _TRANSACTIONS if is_reversal else HoldPlaced):
        return TransactionUnknown() if is_reversal else HoldUnknown()
    wallet = WalletKey(recorded.tenant_id, recorded.stream_id)
    other = None
    if is_reversal and isinstance(event, (TransferSent, TransferReceived)):
        is_sender = isinstance(event, TransferSent)
        other_id = event.to_wallet_id if is_sender else event.from_wallet_id
        other = WalletKey(recorded.tenant_id, other_id)
    return Target(wallet, other, recorded, event, key if is_reversal else None)
