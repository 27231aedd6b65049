"""Which transaction an event is, if it is one. Pure, and total over all events."""

from typing import Literal, assert_never

from projections.events import ProjectedEvent, ProjectionMismatchError
from schemas.events import (
    BalanceForfeited,
    ChangeDeclined,
    CreditDeclined,
    DebitDeclined,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletFrozen,
    WalletOpened,
    WalletUnfrozen,
    decode_event,
)
from schemas.identifiers import transaction_id
from schemas.results import TransactionView


def transaction_of(recorded: ProjectedEvent) -> TransactionView | None:
    """The event as a line of its wallet's history; None if it moved no money and was to move none.

    Raises `ProjectionMismatchError` for a movement whose sum is wrong.
    """
    event = decode_event(recorded.type, recorded.schema_version, recorded.data)
    match event:
        case WalletDebited():
            _check_sum(recorded, event, -event.amount)
            return _completed(recorded, event, "debit")
        case WalletCredited():
            _check_sum(recorded, event, event.amount)
            return _completed(recorded, event, "credit")
        case DebitDeclined():
            return _failed(recorded, event, "debit")
        case CreditDeclined():
            return _failed(recorded, event, "credit")
        case BalanceForfeited():
            _check_sum(recorded, event, -event.amount)
            return _forfeited(recorded, event)
        case WalletOpened() | WalletFrozen() | WalletUnfrozen() | WalletClosed() | ChangeDeclined():
            return None
        case _:
            assert_never(event)


def _completed(
    recorded: ProjectedEvent,
    event: WalletCredited | WalletDebited,
    direction: Literal["credit", "debit"],
) -> TransactionView:
    return TransactionView(
        id=transaction_id(recorded.event_id.replace("-", "")),
        wallet_id=recorded.wallet.wallet_id,
        type=direction,
        kind=direction,
        status="completed",
        amount=event.amount,
        balance_before=event.balance_before,
        balance_after=event.balance_after,
        available_balance=event.available_after,
        currency=event.currency,
        reference=event.reference,
        description=event.description,
        code=None,
        created_at=recorded.recorded_at,
        version=recorded.version,
        metadata=event.metadata,
    )


def _forfeited(recorded: ProjectedEvent, event: BalanceForfeited) -> TransactionView:
    return TransactionView(
        id=transaction_id(recorded.event_id.replace("-", "")),
        wallet_id=recorded.wallet.wallet_id,
        type="debit",
        kind="forfeiture",
        status="completed",
        amount=event.amount,
        balance_before=event.balance_before,
        balance_after=event.balance_after,
        available_balance=event.available_after,
        currency=event.currency,
        reference=None,
        description=None,
        code=None,
        created_at=recorded.recorded_at,
        version=recorded.version,
    )


def _failed(
    recorded: ProjectedEvent,
    event: DebitDeclined | CreditDeclined,
    direction: Literal["credit", "debit"],
) -> TransactionView:
    return TransactionView(
        id=transaction_id(recorded.event_id.replace("-", "")),
        wallet_id=recorded.wallet.wallet_id,
        type=direction,
        kind=direction,
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
        metadata=event.metadata,
    )


def _check_sum(
    recorded: ProjectedEvent,
    event: WalletCredited | WalletDebited | BalanceForfeited,
    change: int,
) -> None:
    if event.balance_before + change != event.balance_after:
        message = (
            f"{recorded.wallet.wallet_id} of tenant {recorded.wallet.tenant_id}: "
            f"{recorded.type} at position {recorded.position} leads from {event.balance_before} "
            f"to {event.balance_after} by {change}"
        )
        raise ProjectionMismatchError(message)
