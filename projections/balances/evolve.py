"""What an event does to a wallet's row, a hold's, a top-up's. Pure, total; it checks the events.

The same fold serves the projector, a `GET` whose row is behind, and `ledger verify`.
"""

from collections.abc import Iterable
from typing import assert_never

from msgspec.structs import replace

from projections.balances.standing import stopped, told
from projections.events import ProjectedEvent, ProjectionMismatchError
from schemas.commands import FreezeScope
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
from schemas.identifiers import hex_of, transaction_id
from schemas.results import HoldView, TopupStatus, TopupView, WalletView

MoneyIn = WalletCredited | TransferReceived | DebitReversed | WalletToppedUp
MoneyOut = WalletDebited | CreditLapsed | TransferSent | CreditReversed | BalanceForfeited
HoldEvent = HoldPlaced | HoldCaptured | HoldReleased
TopupEvent = TopupCreated | WalletToppedUp | TopupEnded | TopupUnapplied

_HOLD_TYPES = frozenset({"wallet.hold_placed", "wallet.hold_captured", "wallet.hold_released"})
_TOPUP_TYPES = frozenset(
    {"wallet.topup_created", "wallet.topped_up", "wallet.topup_ended", "wallet.topup_unapplied"}
)


def fold(view: WalletView | None, events: Iterable[ProjectedEvent]) -> WalletView | None:
    """The row after these events, which must be the next ones of its wallet."""
    for event in events:
        view = evolve(view, event)
    return view


def evolve(  # noqa: C901, PLR0912 - one line for each event
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
        case WalletCredited() | TransferReceived() | DebitReversed() | WalletToppedUp():
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
            status, frozen = stopped(view.review, None)
            return replace(view, status=status, frozen=frozen, updated_at=at, version=version)
        case WalletClosed():
            empty = view.balance == 0 and view.available_balance == 0
            _check(empty, recorded, _held_by(view))
            return replace(view, status="closed", frozen=None, updated_at=at, version=version)
        case TierRaised() | WalletReviewed() | CustomerErased():
            return _told(view, recorded, event)
        case TopupCreated() | TopupEnded():
            _check(event.currency == view.currency, recorded, _held_by(view))
            return replace(view, version=version)
        case (
            DebitDeclined()
            | CreditDeclined()
            | ChangeDeclined()
            | VoidDeclined()
            | TopupDeclined()
            | TopupUnapplied()
            | IdentityDeclined()
        ):
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
    if view.status != "open" or view.wallet_id != recorded.wallet.stream_id:
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


def topup_event(recorded: ProjectedEvent) -> TopupEvent | None:
    """The event, if it says something of a top-up. Any other is not even decoded."""
    if recorded.type not in _TOPUP_TYPES:
        return None
    event = decode_event(recorded.type, recorded.schema_version, recorded.data)
    assert isinstance(event, TopupEvent), "the types are those of a top-up's events"
    return event


def evolve_topup(view: TopupView | None, recorded: ProjectedEvent, event: TopupEvent) -> TopupView:
    """The top-up's row after one more event of it. Raises `ProjectionMismatchError` as above.

    A payment that was credited has the last word: nothing changes the row after it.
    """
    if isinstance(event, TopupCreated):
        _check(view is None, recorded, f"{event.topup_id} is there already")
        named = recorded.event_id.replace("-", "")
        _check(hex_of(event.topup_id) == named, recorded, f"{event.topup_id} is no id of its own")
        return _asked_for(recorded, event)
    if view is None:
        raise _mismatch(recorded, f"there is no {event.topup_id}")
    of_wallet = view.wallet_id == recorded.wallet.stream_id
    _check(of_wallet, recorded, f"{view.id} is of {view.wallet_id}")
    at, version = recorded.recorded_at, recorded.version
    match event:
        case WalletToppedUp():
            _check(view.status != "completed", recorded, f"{view.id} is completed")
            _check(event.amount == view.amount, recorded, f"{view.id} asks for {view.amount}")
            return replace(
                view,
                status="completed",
                transaction_id=_named(recorded),
                payment_id=event.payment_id,
                code=None,
                updated_at=at,
                version=version,
            )
        case TopupUnapplied():
            if view.status == "completed":
                return view
            return replace(
                view,
                status="unapplied",
                transaction_id=_named(recorded),
                payment_id=event.payment_id,
                code=event.code,
                updated_at=at,
                version=version,
            )
        case TopupEnded():
            _check(view.status == "pending", recorded, f"{view.id} is {view.status}")
            status: TopupStatus = "expired" if event.cause == "expired" else "cancelled"
            return replace(view, status=status, updated_at=at, version=version)
        case _:
            assert_never(event)


def _named(recorded: ProjectedEvent) -> str:
    """The transaction that the event is."""
    return transaction_id(recorded.event_id.replace("-", ""))


def _told(
    view: WalletView, recorded: ProjectedEvent, event: TierRaised | WalletReviewed | CustomerErased
) -> WalletView:
    if isinstance(event, WalletReviewed):
        _check(view.review == "pending", recorded, f"the row's review is {view.review}")
    known = told(view, event)
    return replace(known, updated_at=recorded.recorded_at, version=recorded.version)


def _opened(recorded: ProjectedEvent, event: WalletOpened) -> WalletView:
    status, frozen = stopped(event.review, None)
    return WalletView(
        id=recorded.wallet.stream_id,
        customer_id=event.customer_id,
        user_id=event.user_id,
        currency=event.currency,
        balance=0,
        available_balance=0,
        status=status,
        frozen=frozen,
        created_at=recorded.recorded_at,
        updated_at=recorded.recorded_at,
        version=1,
        metadata=event.metadata.copy(),
        tier=event.tier,
        review=event.review,
        bank_code=event.bank_code,
        account_number=event.account_number,
        identity=event.identity,
    )


def _placed(recorded: ProjectedEvent, event: HoldPlaced) -> HoldView:
    return HoldView(
        id=event.hold_id,
        wallet_id=recorded.wallet.stream_id,
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


def _asked_for(recorded: ProjectedEvent, event: TopupCreated) -> TopupView:
    return TopupView(
        id=event.topup_id,
        wallet_id=recorded.wallet.stream_id,
        status="pending",
        amount=event.amount,
        currency=event.currency,
        reference=event.reference,
        description=event.description,
        redirect_url=event.redirect_url,
        cancel_url=event.cancel_url,
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
        f"{recorded.wallet.stream_id} of tenant {recorded.wallet.tenant_id}: {recorded.type} "
        f"with version {recorded.version} at position {recorded.position}: {found}"
    )
