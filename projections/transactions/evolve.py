"""Which transaction an event is, if it is one. Pure, and total over all events."""

from typing import assert_never

from msgspec.structs import replace

from projections.events import ProjectedEvent, ProjectionMismatchError
from schemas.commands import NO_METADATA
from schemas.events import (
    BalanceForfeited,
    ChangeDeclined,
    CreditDeclined,
    CreditLapsed,
    CreditReversed,
    CustomerErased,
    DebitDeclined,
    DebitReversed,
    Decode,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    IdentityDeclined,
    TierRaised,
    TopupCreated,
    TopupDeclined,
    TopupEnded,
    TopupUnapplied,
    TransferReceived,
    TransferSent,
    VoidDeclined,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletFrozen,
    WalletOpened,
    WalletReviewed,
    WalletToppedUp,
    WalletUnfrozen,
    decode_event,
)
from schemas.identifiers import transaction_id
from schemas.results import TransactionKind, TransactionType, TransactionView

Movement = (
    WalletDebited
    | WalletCredited
    | CreditLapsed
    | HoldCaptured
    | TransferSent
    | TransferReceived
    | DebitReversed
    | CreditReversed
    | WalletToppedUp
    | BalanceForfeited
)

_REVERSAL_TYPES = frozenset({"wallet.debit_reversed", "wallet.credit_reversed"})


def transaction_of(  # noqa: C901, PLR0912 - one line for each event
    recorded: ProjectedEvent, decode: Decode = decode_event
) -> TransactionView | None:
    """The event as a line of its wallet's history; None if it moved no money and was to move none.

    Raises `ProjectionMismatchError` for a movement whose sum is wrong.
    """
    event = decode(recorded.type, recorded.schema_version, recorded.data)
    match event:
        case WalletDebited():
            return _completed(recorded, event, "debit", "debit")
        case WalletCredited():
            line = _completed(recorded, event, "credit", "credit")
            return line if event.expires_at is None else replace(line, expires_at=event.expires_at)
        case CreditLapsed():
            line = _completed(recorded, event, "expiry", "expiry")
            return replace(line, expires_at=event.expires_at)
        case HoldCaptured():
            line = _completed(recorded, event, "debit", "capture")
            return replace(line, hold_id=event.hold_id, held_after=event.held_after)
        case TransferSent():
            line = _completed(recorded, event, "debit", "transfer")
            transfer_id, other = event.transfer_id, event.to_wallet_id
            return replace(line, transfer_id=transfer_id, other_wallet_id=other)
        case TransferReceived():
            line = _completed(recorded, event, "credit", "transfer")
            transfer_id, other = event.transfer_id, event.from_wallet_id
            return replace(line, transfer_id=transfer_id, other_wallet_id=other)
        case DebitReversed():
            line = _completed(recorded, event, "credit", "reversal")
            return replace(line, reverses=event.transaction_id, transfer_id=event.transfer_id)
        case CreditReversed():
            line = _completed(recorded, event, "debit", "reversal")
            return replace(line, reverses=event.transaction_id, transfer_id=event.transfer_id)
        case WalletToppedUp() | TopupUnapplied():
            return _payment(recorded, event)
        case BalanceForfeited():
            return _completed(recorded, event, "debit", "forfeiture")
        case DebitDeclined():
            return replace(_failed(recorded, event, "debit", event.kind), hold_id=event.hold_id)
        case CreditDeclined():
            return _failed(recorded, event, "credit", event.kind)
        case (
            WalletOpened()
            | HoldPlaced()
            | HoldReleased()
            | WalletFrozen()
            | WalletUnfrozen()
            | WalletClosed()
            | ChangeDeclined()
            | VoidDeclined()
            | TopupCreated()
            | TopupEnded()
            | TopupDeclined()
        ):
            return None
        case TierRaised() | WalletReviewed() | CustomerErased() | IdentityDeclined():
            return None
        case _:
            assert_never(event)


def _payment(recorded: ProjectedEvent, event: WalletToppedUp | TopupUnapplied) -> TransactionView:
    if isinstance(event, WalletToppedUp):
        line = _completed(recorded, event, "topup", "topup")
    else:
        line = _failed(recorded, event, "topup", "topup")
    return replace(line, topup_id=event.topup_id, payment_id=event.payment_id)


def reversed_after(recorded: ProjectedEvent) -> int | None:
    """Of a reversal: how much of what it reverses is reversed by then. Else None."""
    if recorded.type not in _REVERSAL_TYPES:
        return None
    event = decode_event(recorded.type, recorded.schema_version, recorded.data)
    assert isinstance(event, DebitReversed | CreditReversed), "the types are those of reversals"
    return event.reversed_after


def _completed(
    recorded: ProjectedEvent,
    event: Movement,
    transaction_type: TransactionType,
    kind: TransactionKind,
) -> TransactionView:
    change = event.amount if transaction_type in ("credit", "topup") else -event.amount
    if event.balance_before + change != event.balance_after:
        message = (
            f"{recorded.wallet.stream_id} of tenant {recorded.wallet.tenant_id}: "
            f"{recorded.type} at position {recorded.position} leads from {event.balance_before} "
            f"to {event.balance_after} by {change}"
        )
        raise ProjectionMismatchError(message)
    # Nobody asked for a lapse or a forfeiture, so nothing was said of it.
    told = None if isinstance(event, CreditLapsed | BalanceForfeited) else event
    return TransactionView(
        id=transaction_id(recorded.event_id.replace("-", "")),
        wallet_id=recorded.wallet.stream_id,
        type=transaction_type,
        kind=kind,
        status="completed",
        amount=event.amount,
        balance_before=event.balance_before,
        balance_after=event.balance_after,
        available_balance=event.available_after,
        currency=event.currency,
        reference=None if told is None else told.reference,
        description=None if told is None else told.description,
        code=None,
        created_at=recorded.recorded_at,
        version=recorded.version,
        metadata=NO_METADATA if told is None else told.metadata,
    )


def _failed(
    recorded: ProjectedEvent,
    event: DebitDeclined | CreditDeclined | TopupUnapplied,
    transaction_type: TransactionType,
    kind: TransactionKind,
) -> TransactionView:
    return TransactionView(
        id=transaction_id(recorded.event_id.replace("-", "")),
        wallet_id=recorded.wallet.stream_id,
        type=transaction_type,
        kind=kind,
        status="failed",
        amount=event.amount,
        balance_before=event.balance,
        balance_after=event.balance,
        available_balance=event.available,
        currency=event.currency,
        reference=event.reference,
        description=event.description,
        code=event.code,
        created_at=recorded.recorded_at,
        version=recorded.version,
        other_wallet_id=event.wallet_id,
        reverses=event.transaction_id,
        metadata=event.metadata,
    )
