"""What an event does to a wallet's row. Pure, total over all events, and it checks them.

The same fold serves the projector, a `GET` whose row is behind, and `ledger verify`.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

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
from schemas.results import WalletStatus, WalletView


def fold(view: WalletView | None, events: Iterable[ProjectedEvent]) -> WalletView | None:
    """The row after these events, which must be the next ones of its wallet."""
    for event in events:
        view = evolve(view, event)
    return view


def evolve(view: WalletView | None, recorded: ProjectedEvent) -> WalletView:
    """The row after one more event. Raises `ProjectionMismatchError` where they disagree."""
    event = decode_event(recorded.type, recorded.schema_version, recorded.data)
    if isinstance(event, WalletOpened):
        _check(view is None and recorded.version == 1, recorded, "the wallet is open already")
        return WalletView(
            id=recorded.wallet.wallet_id,
            customer_id=event.customer_id,
            user_id=event.user_id,
            currency=event.currency,
            balance=0,
            available_balance=0,
            status="active",
            created_at=recorded.recorded_at,
            updated_at=recorded.recorded_at,
            version=1,
            metadata=event.metadata.copy(),
        )
    if view is None or recorded.version != view.version + 1:
        found = "no row" if view is None else f"version {view.version}"
        raise _mismatch(recorded, f"it follows {found}")
    match event:
        case WalletDebited() | BalanceForfeited():
            leads_to = event.balance_before - event.amount
            _check(leads_to == event.balance_after, recorded, f"its sum is {leads_to}")
            return _moved(view, recorded, event)
        case WalletCredited():
            leads_to = event.balance_before + event.amount
            _check(leads_to == event.balance_after, recorded, f"its sum is {leads_to}")
            return _moved(view, recorded, event)
        case WalletFrozen():
            return _next(view, recorded, recorded.recorded_at, status="frozen")
        case WalletUnfrozen():
            return _next(view, recorded, recorded.recorded_at, status="active")
        case WalletClosed():
            _check(view.balance == 0, recorded, f"the row holds {view.balance}")
            return _next(view, recorded, recorded.recorded_at, status="closed")
        case DebitDeclined() | CreditDeclined() | ChangeDeclined():
            _check(event.balance == view.balance, recorded, f"the row holds {view.balance}")
            return _next(view, recorded, view.updated_at)
        case _:
            assert_never(event)


def _moved(
    view: WalletView,
    recorded: ProjectedEvent,
    event: WalletCredited | WalletDebited | BalanceForfeited,
) -> WalletView:
    if event.balance_before != view.balance or event.currency != view.currency:
        raise _mismatch(
            recorded,
            f"it starts at {event.balance_before} {event.currency}, "
            f"the row holds {view.balance} {view.currency}",
        )
    return _next(
        view,
        recorded,
        recorded.recorded_at,
        balance=event.balance_after,
        available=event.available_after,
    )


def _next(
    view: WalletView,
    recorded: ProjectedEvent,
    updated_at: datetime,
    *,
    status: WalletStatus | None = None,
    balance: int | None = None,
    available: int | None = None,
) -> WalletView:
    return WalletView(
        id=view.id,
        customer_id=view.customer_id,
        user_id=view.user_id,
        currency=view.currency,
        balance=view.balance if balance is None else balance,
        available_balance=view.available_balance if available is None else available,
        status=status or view.status,
        created_at=view.created_at,
        updated_at=updated_at,
        version=recorded.version,
        metadata=view.metadata,
    )


def _check(holds: bool, recorded: ProjectedEvent, otherwise: str) -> None:
    if not holds:
        raise _mismatch(recorded, otherwise)


def _mismatch(recorded: ProjectedEvent, found: str) -> ProjectionMismatchError:
    return ProjectionMismatchError(
        f"{recorded.wallet.wallet_id} of tenant {recorded.wallet.tenant_id}: {recorded.type} "
        f"with version {recorded.version} at position {recorded.position}: {found}"
    )
