"""What an event does to a wallet. Total over all events; checks what each event claims."""

from collections.abc import Iterable
from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from ledger.domain.wallet.lots import expiring, put, take, without
from ledger.domain.wallet.profiles import Told, counted, profile_of, told
from ledger.domain.wallet.state import OpenHold, PendingTopup, Wallet
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
    HoldCaptured,
    HoldPlaced,
    HoldReleased,
    IdentityDeclined,
    LotAmount,
    Lots,
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
    WalletEvent,
    WalletFrozen,
    WalletOpened,
    WalletReviewed,
    WalletToppedUp,
    WalletUnfrozen,
)
from schemas.results import WalletStatus

MoneyOut = WalletDebited | CreditLapsed | BalanceForfeited | TransferSent | CreditReversed
MoneyIn = WalletCredited | TransferReceived | DebitReversed | WalletToppedUp
Holding = HoldPlaced | HoldCaptured | HoldReleased


def evolve(  # noqa: C901, PLR0912 - one line for each event
    wallet: Wallet | None, event: WalletEvent, *, wallet_id: str, version: int, at: datetime
) -> Wallet:
    """The wallet after one more event, which must be the next in its stream.

    An event that contradicts the state means a broken log, not a refusal: an assertion fails.
    """
    if isinstance(event, WalletOpened):
        assert wallet is None, f"{wallet_id} was opened twice"
        assert version == 1, f"{wallet_id} was opened by event {version}"
        return _opened(event, wallet_id, at)
    assert wallet is not None, f"{wallet_id} has event {version} but was never opened"
    assert version == wallet.version + 1, f"{wallet_id}: {version} follows {wallet.version}"
    match event:
        case WalletDebited():
            moved = _money_out(wallet, event, without(wallet.lots, event.spent), version, at)
            return moved if event.day is None else _counted(moved, event)
        case WalletCredited():
            parts = (LotAmount(amount=event.amount, expires_at=event.expires_at),)
            return _money_in(wallet, event, parts, version, at)
        case CreditReversed():
            return _money_out(wallet, event, without(wallet.lots, event.spent), version, at)
        case CreditLapsed():
            lapsed = (LotAmount(amount=event.amount, expires_at=event.expires_at),)
            return _money_out(wallet, event, without(wallet.lots, lapsed), version, at)
        case BalanceForfeited():
            return _money_out(wallet, event, (), version, at)
        case TransferSent():
            moved = _money_out(wallet, event, without(wallet.lots, event.sent), version, at)
            return moved if event.day is None else _counted(moved, event)
        case TransferReceived():
            return _money_in(wallet, event, event.sent, version, at)
        case DebitReversed():
            return _money_in(wallet, event, event.returned, version, at)
        case HoldPlaced():
            placed = _hold_placed(wallet, event, version, at)
            return placed if event.day is None else _counted(placed, event)
        case HoldCaptured():
            return _hold_captured(wallet, event, version, at)
        case HoldReleased():
            return _hold_released(wallet, event, version, at)
        case TopupCreated() | TopupEnded() | WalletToppedUp() | TopupUnapplied():
            return _with_topup(wallet, event, version, at)
        case WalletFrozen() | WalletUnfrozen() | WalletClosed():
            return _with_status(wallet, event, version, at)
        case TierRaised() | WalletReviewed() | CustomerErased():
            return _told(wallet, event, version, at)
        case (
            DebitDeclined()
            | CreditDeclined()
            | ChangeDeclined()
            | VoidDeclined()
            | TopupDeclined()
            | IdentityDeclined()
        ):
            return _next(wallet, version, wallet.changed_at)
        case _:
            assert_never(event)


def _opened(event: WalletOpened, wallet_id: str, at: datetime) -> Wallet:
    return Wallet(
        wallet_id=wallet_id,
        customer_id=event.customer_id,
        user_id=event.user_id,
        currency=event.currency,
        status="active",
        balance=0,
        available=0,
        opened_at=at,
        changed_at=at,
        metadata=event.metadata.copy(),
        version=1,
        profile=profile_of(event),
    )


def _money_out(wallet: Wallet, event: MoneyOut, lots: Lots, version: int, at: datetime) -> Wallet:
    assert event.balance_before == wallet.balance, _starts_elsewhere(wallet, event, version)
    assert event.balance_before - event.amount == event.balance_after
    available = wallet.available - event.amount
    moved = _next(wallet, version, at, balance=event.balance_after, available=available, lots=lots)
    return _checked(moved, event)


def _money_in(
    wallet: Wallet,
    event: MoneyIn,
    parts: Lots,
    version: int,
    at: datetime,
    *,
    topups: dict[str, PendingTopup] | None = None,
) -> Wallet:
    assert event.balance_before == wallet.balance, _starts_elsewhere(wallet, event, version)
    assert event.balance_before + event.amount == event.balance_after
    available = wallet.available + event.amount
    lots = put(wallet.lots, parts, debt_of(wallet))
    moved = _next(
        wallet,
        version,
        at,
        balance=event.balance_after,
        available=available,
        lots=lots,
        topups=topups,
    )
    return _checked(moved, event)


def _hold_placed(wallet: Wallet, event: HoldPlaced, version: int, at: datetime) -> Wallet:
    assert event.balance == wallet.balance, _starts_elsewhere(wallet, event, version)
    assert event.hold_id not in wallet.holds, f"{event.hold_id} was placed twice"
    hold = OpenHold(
        amount=event.amount,
        allocated=event.allocated,
        expires_at=event.expires_at,
        reference=event.reference,
    )
    placed = _next(
        wallet,
        version,
        at,
        available=wallet.available - event.amount,
        lots=without(wallet.lots, event.allocated),
        holds={**wallet.holds, event.hold_id: hold},
    )
    return _checked(placed, event)


def _hold_captured(wallet: Wallet, event: HoldCaptured, version: int, at: datetime) -> Wallet:
    assert event.balance_before == wallet.balance, _starts_elsewhere(wallet, event, version)
    assert event.balance_before - event.amount == event.balance_after
    hold = wallet.holds[event.hold_id]
    assert hold.amount == event.amount + event.released + event.held_after, event.hold_id
    holds = dict(wallet.holds)
    if event.held_after:
        _, allocated = take(hold.allocated, event.amount)
        holds[event.hold_id] = OpenHold(
            amount=event.held_after,
            allocated=allocated,
            expires_at=hold.expires_at,
            reference=hold.reference,
        )
    else:
        del holds[event.hold_id]
    captured = _next(
        wallet,
        version,
        at,
        balance=event.balance_after,
        available=wallet.available + event.released,
        lots=put(wallet.lots, event.returned, debt_of(wallet)),
        holds=holds,
    )
    return _checked(captured, event)


def _hold_released(wallet: Wallet, event: HoldReleased, version: int, at: datetime) -> Wallet:
    assert event.balance == wallet.balance, _starts_elsewhere(wallet, event, version)
    holds = dict(wallet.holds)
    hold = holds.pop(event.hold_id)
    assert hold.amount == event.amount, event.hold_id
    released = _next(
        wallet,
        version,
        at,
        available=wallet.available + event.amount,
        lots=put(wallet.lots, event.returned, debt_of(wallet)),
        holds=holds,
    )
    return _checked(released, event)


def _counted(wallet: Wallet, event: WalletDebited | HoldPlaced | TransferSent) -> Wallet:
    return replace(wallet, profile=counted(wallet.profile, event))


def _told(wallet: Wallet, event: Told, version: int, at: datetime) -> Wallet:
    if isinstance(event, WalletReviewed) and event.outcome == "approved":
        assert event.frozen == wallet.frozen, f"{wallet.wallet_id}: {event} of {wallet.frozen}"
    profile = told(wallet.profile, event)
    return replace(wallet, profile=profile, version=version, changed_at=at)


def _with_topup(
    wallet: Wallet,
    event: TopupCreated | TopupEnded | WalletToppedUp | TopupUnapplied,
    version: int,
    at: datetime,
) -> Wallet:
    """A wallet does not show its pending top-ups: only money changes what it shows."""
    topups = dict(wallet.topups)
    match event:
        case TopupCreated():
            assert event.topup_id not in topups, f"{event.topup_id} was made twice"
            topups[event.topup_id] = PendingTopup(amount=event.amount, expires_at=event.expires_at)
            return _next(wallet, version, wallet.changed_at, topups=topups)
        case TopupEnded():
            ended = topups.pop(event.topup_id)
            assert ended.amount == event.amount, event.topup_id
            return _next(wallet, version, wallet.changed_at, topups=topups)
        case TopupUnapplied():
            # A payment has arrived, so none is pending; people decide what happens to it.
            topups.pop(event.topup_id, None)
            return _next(wallet, version, wallet.changed_at, topups=topups)
        case WalletToppedUp():
            # The top-up may have ended before: its payment still counts.
            topups.pop(event.topup_id, None)
            return _money_in(wallet, event, (), version, at, topups=topups)
        case _:
            assert_never(event)


def _with_status(
    wallet: Wallet, event: WalletFrozen | WalletUnfrozen | WalletClosed, version: int, at: datetime
) -> Wallet:
    status: WalletStatus
    scope: FreezeScope | None = None
    match event:
        case WalletFrozen():
            status, scope = "frozen", frozen_by(wallet.frozen, event.scope)
        case WalletUnfrozen():
            status = "active"
        case WalletClosed():
            status = "closed"
            assert wallet.balance == 0, f"{wallet.wallet_id} was closed holding {wallet.balance}"
            assert not wallet.holds, f"{wallet.wallet_id} was closed with open holds"
            assert not wallet.topups, f"{wallet.wallet_id} was closed with pending top-ups"
        case _:
            assert_never(event)
    return replace(wallet, status=status, frozen=scope, version=version, changed_at=at)


def frozen_by(before: FreezeScope | None, scope: FreezeScope) -> FreezeScope:
    """What is stopped after one more freeze."""
    return scope if before in (None, scope) else "all"


def with_holds(
    wallet: Wallet, available: int, lots: Lots, holds: dict[str, OpenHold], events: int
) -> Wallet:
    """The wallet after so many events that changed what it holds, and nothing that is booked."""
    return _next(
        wallet,
        wallet.version + events,
        wallet.changed_at,
        available=available,
        lots=lots,
        holds=holds,
    )


def debt_of(wallet: Wallet) -> int:
    """The debt, which incoming money pays first."""
    return max(-wallet.available, 0)


def _next(
    wallet: Wallet,
    version: int,
    changed_at: datetime,
    *,
    balance: int | None = None,
    available: int | None = None,
    lots: Lots | None = None,
    holds: dict[str, OpenHold] | None = None,
    topups: dict[str, PendingTopup] | None = None,
) -> Wallet:
    lots = wallet.lots if lots is None else lots
    next_due = wallet.next_due
    if holds is not None or topups is not None or lots is not wallet.lots:
        next_due = _next_due(
            lots,
            (wallet.holds if holds is None else holds).values(),
            (wallet.topups if topups is None else topups).values(),
        )
    return Wallet(
        wallet_id=wallet.wallet_id,
        customer_id=wallet.customer_id,
        user_id=wallet.user_id,
        currency=wallet.currency,
        status=wallet.status,
        balance=wallet.balance if balance is None else balance,
        available=wallet.available if available is None else available,
        opened_at=wallet.opened_at,
        changed_at=changed_at,
        metadata=wallet.metadata,
        version=version,
        frozen=wallet.frozen,
        lots=lots,
        holds=wallet.holds if holds is None else holds,
        topups=wallet.topups if topups is None else topups,
        next_due=next_due,
        profile=wallet.profile,
    )


def _next_due(
    lots: Lots, holds: Iterable[OpenHold], topups: Iterable[PendingTopup]
) -> datetime | None:
    moments = [hold.expires_at for hold in holds if hold.expires_at is not None]
    moments += [topup.expires_at for topup in topups]
    if lots and lots[0].expires_at is not None:
        moments.append(lots[0].expires_at)
    return min(moments, default=None)


def _checked(wallet: Wallet, event: MoneyOut | MoneyIn | Holding) -> Wallet:
    # The message is built only on failure, because this runs with every movement.
    assert event.available_after == wallet.available, _leads_to(wallet)
    if wallet.lots or event.expiring_after is not None:
        assert event.expiring_after == expiring(wallet.lots), _leads_to(wallet)
    return wallet


def _leads_to(wallet: Wallet) -> str:
    return f"{wallet.wallet_id}: event {wallet.version}: {wallet.available} in {wallet.lots}"


def _starts_elsewhere(wallet: Wallet, event: WalletEvent, version: int) -> str:
    return f"{wallet.wallet_id}: event {version} ({event}) finds a balance of {wallet.balance}"
