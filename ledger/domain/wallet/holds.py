"""Holds: money set aside, then captured, voided or expired. Booked, but not available."""

from collections.abc import Iterable
from datetime import datetime
from typing import Literal

from ledger.domain.wallet.decision import Decision, Facts, answered
from ledger.domain.wallet.declines import declined_debit, declined_void
from ledger.domain.wallet.evolve import debt_of, with_holds
from ledger.domain.wallet.limits import day_with, excess_of_debit
from ledger.domain.wallet.lots import Growing, expiring, put, take
from ledger.domain.wallet.standing import keeps_money_in
from ledger.domain.wallet.state import MAX_HELD_LOTS, MAX_OPEN_HOLDS, Wallet
from schemas.commands import CaptureHold, PlaceHold, VoidHold
from schemas.events import HoldCaptured, HoldPlaced, HoldReleased, Lots
from schemas.identifiers import hold_id
from schemas.rejections import (
    CaptureExceedsHold,
    ExpiryNotAhead,
    HoldNotOpen,
    HoldUnknown,
    InsufficientFunds,
    Rejection,
    TooManyHeldLots,
    TooManyHolds,
    WalletClosed,
)


def place_hold(wallet: Wallet, command: PlaceHold, now: datetime, facts: Facts) -> Decision:
    """Set money aside, soonest lot first, as a debit would spend it."""
    if command.expires_at is not None and command.expires_at <= now:
        return Decision((), ExpiryNotAhead())
    allocated, left = take(wallet.lots, command.amount)
    if (refusal := _refusal_of_hold(wallet, command.amount, allocated, facts)) is not None:
        return declined_debit(wallet, command, command.amount, refusal, kind="hold")
    return answered(
        HoldPlaced(
            hold_id=hold_id(facts.event_id),
            amount=command.amount,
            balance=wallet.balance,
            available_after=wallet.available - command.amount,
            expiring_after=expiring(left),
            currency=wallet.currency,
            reference=command.reference,
            description=command.description,
            allocated=allocated,
            expires_at=command.expires_at,
            day=day_with(wallet, command.amount, facts.day),
            metadata=command.metadata,
        )
    )


def _refusal_of_hold(
    wallet: Wallet, amount: int, allocated: Lots, facts: Facts
) -> Rejection | None:
    if (refusal := keeps_money_in(wallet)) is not None:
        return refusal
    if len(wallet.holds) >= MAX_OPEN_HOLDS:
        return TooManyHolds(limit=MAX_OPEN_HOLDS)
    if amount > wallet.available:
        return InsufficientFunds(amount=amount, available=wallet.available)
    if allocated:
        held = sum(len(hold.allocated) for hold in wallet.holds.values())
        if held + len(allocated) > MAX_HELD_LOTS:
            return TooManyHeldLots(limit=MAX_HELD_LOTS)
    return excess_of_debit(wallet, amount, facts)


def capture_hold(wallet: Wallet, command: CaptureHold, facts: Facts) -> Decision:
    """Spend from the hold's own lots, in their order, even after their moment."""
    placed = facts.original
    if not isinstance(placed, HoldPlaced):
        return Decision((), HoldUnknown())
    hold = wallet.holds.get(command.hold_id)
    held = 0 if hold is None else hold.amount
    amount = command.amount or held or placed.amount
    reference = command.reference or placed.reference
    refusal: Rejection | None = keeps_money_in(wallet)
    if hold is None and wallet.status != "closed":
        refusal = HoldNotOpen(hold_id=command.hold_id)
    elif refusal is None and amount > held:
        refusal = CaptureExceedsHold(amount=amount, held=held)
    if hold is None or refusal is not None:
        assert refusal is not None, "a capture without an open hold is refused"
        return declined_debit(wallet, command, amount, refusal, kind="capture", reference=reference)
    spent, kept = take(hold.allocated, amount)
    freed = held - amount if command.final else 0
    returned = kept if command.final else ()
    return answered(
        HoldCaptured(
            hold_id=command.hold_id,
            amount=amount,
            balance_before=wallet.balance,
            balance_after=wallet.balance - amount,
            available_after=wallet.available + freed,
            expiring_after=expiring(put(wallet.lots, returned, debt_of(wallet))),
            currency=wallet.currency,
            held_after=held - amount - freed,
            released=freed,
            returned=returned,
            spent=spent,
            reference=reference,
            description=command.description,
            metadata=command.metadata,
        )
    )


def void_hold(wallet: Wallet, command: VoidHold, facts: Facts) -> Decision:
    """Free what is left of a hold. A freeze does not prevent this."""
    if not isinstance(facts.original, HoldPlaced):
        return Decision((), HoldUnknown())
    if wallet.status == "closed":
        return declined_void(wallet, command.hold_id, WalletClosed())
    if command.hold_id not in wallet.holds:
        refusal = HoldNotOpen(hold_id=command.hold_id)
        return declined_void(wallet, command.hold_id, refusal)
    (event,), _ = released(wallet, [command.hold_id], "voided")
    return answered(event)


def released(
    wallet: Wallet, names: Iterable[str], cause: Literal["voided", "expired", "wallet_closed"]
) -> tuple[tuple[HoldReleased, ...], Wallet]:
    """The events that free open holds and give their money back to its lots, and the wallet then.

    In one pass, as there may be a thousand. The wallet's `changed_at` stays as it was.
    """
    events: list[HoldReleased] = []
    available, lots, holds = wallet.available, Growing(wallet.lots), dict(wallet.holds)
    for name in names:
        hold = holds.pop(name)
        lots.put(hold.allocated, max(-available, 0))
        available += hold.amount
        events.append(
            HoldReleased(
                hold_id=name,
                cause=cause,
                amount=hold.amount,
                balance=wallet.balance,
                available_after=available,
                expiring_after=lots.expiring(),
                currency=wallet.currency,
                returned=hold.allocated,
            )
        )
    return tuple(events), with_holds(wallet, available, lots.lots(), holds, len(events))
