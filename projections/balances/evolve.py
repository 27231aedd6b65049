"""What an event does to a wallet's row, and to a hold's. Pure, total, and it checks the events.

The same fold serves the projector, a `GET` whose row is behind, and `ledger verify`.
"""

from collections.abc import Iterable
from typing import assert_never

from msgspec.structs import replace

from projections.events import ProjectedEvent, ProjectionMismatchError
from schemas.commands import FreezeScope
from schemas.events import (
    BalanceForfeited,
    ChangeDeclined,
    CreditDeclined,
    CreditLapsed,
    CreditReversed,
    DebitDeclined,
    DebitReversed,
    Decode,
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    TransferReceived,
    TransferSent,
    VoidDeclined,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletFrozen,
    WalletOpened,
    WalletUnfrozen,
    decode_event,
)
from schemas.identifiers import hex_of
from schemas.results import HoldView, WalletView

MoneyIn = WalletCredited | TransferReceived | DebitReversed
MoneyOut = WalletDebited | CreditLapsed | TransferSent | CreditReversed | BalanceForfeited
HoldEvent = HoldPlaced | HoldCaptured | HoldReleased

_HOLD_TYPES = frozenset({"wallet.hold_placed", "wallet.hold_captured", "wallet.hold_released"})


def fold(view: WalletView | None, events: Iterable[ProjectedEvent]) -> WalletView | None:
    """The row after these events, which must be the next ones of its wallet."""
    for event in events:
        view = evolve(view, event)
    return view


def evolve(  # noqa: C901 - one line for each event
    view: WalletView | None, recorded: ProjectedEvent, decode: Decode = decode_event
) -> WalletView:
    """The row after one more event. Raises `ProjectionMismatchError` where they disagree."""
    event = decode(recorded.type, recorded.schema_version, recorded.data)
    if isinstance(event, WalletOpened):
        _check(view is None and recorded.version == 1, recorded, "the wallet is open already")
        return _opened(recorded, event)
    if view is None or recorded.version != view.version + 1:
        found = "no row" if view is None else f"version {view.version}"
        raise _mismatch(recorded, f"it follows {found}")
    at, version = recorded.recorded_at, recorded.version
    match event:
        case (
            WalletDebited()
            | CreditLapsed()
            | TransferSent()
            | CreditReversed()
            | BalanceForfeited()
        ):
            return _moved(view, recorded, event, -event.amount, -event.amount)
        case WalletCredited() | TransferReceived() | DebitReversed():
            return _moved(view, recorded, event, event.amount, event.amount)
        case HoldCaptured():
            return _moved(view, recorded, event, -event.amount, event.released)
        case HoldPlaced():
            return _set_aside(view, recorded, event, event.amount)
        case HoldReleased():
            return _set_aside(view, recorded, event, -event.amount)
        case WalletFrozen():
            scope = _frozen_by(view.frozen, event.scope)
            return replace(view, status="frozen", frozen=scope, updated_at=at, version=version)
        case WalletUnfrozen():
            return replace(view, status="active", frozen=None, updated_at=at, version=version)
        case WalletClosed():
            empty = view.balance == 0 and view.available_balance == 0
            _check(empty, recorded, _held_by(view))
            return replace(view, status="closed", frozen=None, updated_at=at, version=version)
        case DebitDeclined() | CreditDeclined() | ChangeDeclined() | VoidDeclined():
            _check(event.balance == view.balance, recorded, f"the row holds {view.balance}")
            return replace(view, version=version)
        case _:
            assert_never(event)


def hold_event(recorded: ProjectedEvent) -> HoldEvent | None:
    """The event, if it is a hold's. Any other is not even decoded."""
    if recorded.type not in _HOLD_TYPES:
        return None
    event = decode_event(recorded.type, recorded.schema_version, recorded.data)
    assert isinstance(event, HoldEvent), "the types are those of a hold's events"
    return event


def evolve_hold(view: HoldView | None, recorded: ProjectedEvent, event: HoldEvent) -> HoldView:
    """The hold's row after one more event of it. Raises `ProjectionMismatchError` as above."""
    if isinstance(event, HoldPlaced):
        _check(view is None, recorded, f"{event.hold_id} is there already")
        named = recorded.event_id.replace("-", "")
        _check(hex_of(event.hold_id) == named, recorded, f"{event.hold_id} is no id of its own")
        return _placed(recorded, event)
    if view is None:
        raise _mismatch(recorded, f"there is no {event.hold_id}")
    if view.status != "open" or view.wallet_id != recorded.wallet.wallet_id:
        raise _mismatch(recorded, f"{view.id} of {view.wallet_id} is {view.status}")
    match event:
        case HoldCaptured():
            taken = event.amount + event.released
            left = view.held_amount - taken
            _check(left == event.held_after, recorded, f"{view.id} sets {view.held_amount} aside")
            return replace(
                view,
                status="open" if left else "captured",
                captured_amount=view.captured_amount + event.amount,
                held_amount=left,
                updated_at=recorded.recorded_at,
                version=recorded.version,
            )
        case HoldReleased():
            whole = event.amount == view.held_amount
            _check(whole, recorded, f"{view.id} sets {view.held_amount} aside")
            return replace(
                view,
                status="expired" if event.cause == "expired" else "voided",
                held_amount=0,
                updated_at=recorded.recorded_at,
                version=recorded.version,
            )
        case _:
            assert_never(event)


def _opened(recorded: ProjectedEvent, event: WalletOpened) -> WalletView:
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


def _placed(recorded: ProjectedEvent, event: HoldPlaced) -> HoldView:
    return HoldView(
        id=event.hold_id,
        wallet_id=recorded.wallet.wallet_id,
        status="open",
        amount=event.amount,
        captured_amount=0,
        held_amount=event.amount,
        currency=event.currency,
        reference=event.reference,
        description=event.description,
        expires_at=event.expires_at,
        created_at=recorded.recorded_at,
        updated_at=recorded.recorded_at,
        version=recorded.version,
        metadata=event.metadata.copy(),
    )


def _moved(
    view: WalletView,
    recorded: ProjectedEvent,
    event: MoneyIn | MoneyOut | HoldCaptured,
    by: int,
    available_by: int,
) -> WalletView:
    if event.balance_before != view.balance or event.currency != view.currency:
        raise _mismatch(
            recorded, f"it starts at {event.balance_before} {event.currency}, {_held_by(view)}"
        )
    balance = view.balance + by
    available = view.available_balance + available_by
    _check(event.balance_after == balance, recorded, f"its sum is {balance}")
    _check(event.available_after == available, recorded, f"{available} is available after it")
    return replace(
        view,
        balance=balance,
        available_balance=available,
        expiring=event.expiring_after,
        updated_at=recorded.recorded_at,
        version=recorded.version,
    )


def _set_aside(
    view: WalletView, recorded: ProjectedEvent, event: HoldPlaced | HoldReleased, amount: int
) -> WalletView:
    if event.balance != view.balance or event.currency != view.currency:
        raise _mismatch(recorded, f"it finds {event.balance} {event.currency}, {_held_by(view)}")
    available = view.available_balance - amount
    _check(event.available_after == available, recorded, f"{available} is available after it")
    return replace(
        view,
        available_balance=available,
        expiring=event.expiring_after,
        updated_at=recorded.recorded_at,
        version=recorded.version,
    )


def _frozen_by(before: FreezeScope | None, scope: FreezeScope) -> FreezeScope:
    """Freezes add up: what stops after one more."""
    return scope if before in (None, scope) else "all"


def _held_by(view: WalletView) -> str:
    return f"the row holds {view.balance} {view.currency}, {view.available_balance} available"


def _check(holds: bool, recorded: ProjectedEvent, otherwise: str) -> None:
    if not holds:
        raise _mismatch(recorded, otherwise)


def _mismatch(recorded: ProjectedEvent, found: str) -> ProjectionMismatchError:
    return ProjectionMismatchError(
        f"{recorded.wallet.wallet_id} of tenant {recorded.wallet.tenant_id}: {recorded.type} "
        f"with version {recorded.version} at position {recorded.position}: {found}"
    )
