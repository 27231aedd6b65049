"""Holds that end together: decided in one pass, the events are those of one after the other."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from ledger.domain.wallet import Wallet
from ledger.domain.wallet.decision import after
from ledger.domain.wallet.evolve import debt_of
from ledger.domain.wallet.holds import released
from ledger.domain.wallet.lapses import due
from ledger.domain.wallet.lots import expiring, listed, put, total
from ledger.domain.wallet.state import OpenHold
from schemas.events import HoldReleased, LotAmount, Lots, WalletEvent, encode_event
from tests.specs.decider import OPENED, START, WALLET_ID, Given, hold_named

NOW = START + timedelta(days=5)
moments = st.integers(1, 9).map(lambda day: START + timedelta(days=day))
amounts = st.integers(1, 5)


@st.composite
def parts(draw: st.DrawFn) -> list[LotAmount]:
    """By moment, soonest first; what never lapses comes last."""
    some = draw(st.dictionaries(moments, amounts, max_size=4))
    found = [LotAmount(amount=some[moment], expires_at=moment) for moment in sorted(some)]
    return [*found, LotAmount(amount=draw(amounts))] if draw(st.booleans()) or not some else found


@st.composite
def open_holds(draw: st.DrawFn) -> OpenHold:
    allocated = draw(parts())
    return OpenHold(
        amount=sum(part.amount for part in allocated),
        allocated=listed(allocated),
        expires_at=draw(st.none() | moments),
        reference="h",
    )


@st.composite
def wallets(draw: st.DrawFn) -> Wallet:
    """With lots or with a debt, and with holds out of either time."""
    lots: Lots = ()
    available = -draw(st.integers(0, 12))
    if not available:
        lots = tuple(part for part in draw(parts()) if part.expires_at is not None)
        available = total(lots) + draw(st.integers(0, 5))
    named = enumerate(draw(st.lists(open_holds(), max_size=8)))
    holds = {hold_named(f"h{number}"): hold for number, hold in named}
    ends = [each.expires_at for each in holds.values()] + [lot.expires_at for lot in lots]
    return replace(
        Given(OPENED).wallets[WALLET_ID],
        balance=available + sum(hold.amount for hold in holds.values()),
        available=available,
        lots=lots,
        holds=holds,
        next_due=min((moment for moment in ends if moment is not None), default=None),
    )


def one_by_one(
    wallet: Wallet, names: Iterable[str], cause: Literal["expired", "wallet_closed"]
) -> tuple[list[HoldReleased], Wallet]:
    """Each on the wallet that the one before it left."""
    events: list[HoldReleased] = []
    for name in names:
        hold = wallet.holds[name]
        event = HoldReleased(
            hold_id=name,
            cause=cause,
            amount=hold.amount,
            balance=wallet.balance,
            available_after=wallet.available + hold.amount,
            expiring_after=expiring(put(wallet.lots, hold.allocated, debt_of(wallet))),
            currency=wallet.currency,
            returned=hold.allocated,
        )
        events.append(event)
        wallet = after(wallet, (event,), NOW)
    return events, wallet


def spelled(events: Iterable[WalletEvent]) -> list[bytes]:
    return [encode_event(event) for event in events]


@settings(max_examples=300, deadline=None)
@given(wallets())
def test_all_holds_at_once_are_released_as_one_by_one(wallet: Wallet) -> None:
    before = dict(wallet.holds)
    events, freed = released(wallet, wallet.holds, "wallet_closed")
    expected, left = one_by_one(wallet, wallet.holds, "wallet_closed")
    assert spelled(events) == spelled(expected)
    assert freed == replace(left, changed_at=wallet.changed_at)
    assert wallet.holds == before


@settings(max_examples=300, deadline=None)
@given(wallets())
def test_what_is_due_is_what_would_be_due_one_by_one(wallet: Wallet) -> None:
    over: list[tuple[datetime, str]] = sorted(
        (hold.expires_at, name)
        for name, hold in wallet.holds.items()
        if hold.expires_at is not None and hold.expires_at <= NOW
    )
    expected, left = one_by_one(wallet, [name for _, name in over], "expired")
    events = due(wallet, NOW)
    assert spelled(events) == spelled([*expected, *due(left, NOW)])
    assert due(after(wallet, events, NOW), NOW) == ()
