"""Transfers: money and its moments from one wallet to another."""

import pytest

from ledger.domain.wallet.state import MAX_OPEN_LOTS
from schemas.events import (
    CreditLapsed,
    DebitDeclined,
    Expiring,
    LotAmount,
    TransferReceived,
    TransferSent,
    WalletClosed,
    WalletFrozen,
)
from schemas.identifiers import transfer_id
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    BalanceLimitExceeded,
    CurrencyMismatch,
    InsufficientFunds,
    Rejection,
    SameWallet,
    TooManyLots,
    WalletUnknown,
)
from schemas.rejections import WalletClosed as IsClosed
from schemas.rejections import WalletFrozen as IsFrozen
from tests.specs.decider import (
    NEVER,
    OPENED,
    OTHER_ID,
    OTHER_OPENED,
    THIRD_ID,
    THIRD_OPENED,
    WALLET_ID,
    Given,
    Step,
    id_named,
    received_named,
    transaction_named,
)
from tests.specs.wallet_commands import (
    AUGUST,
    JULY,
    JUNE,
    credit,
    debit,
    freeze,
    reverse,
    transfer,
)

TWO: list[Step] = [OPENED, OTHER_OPENED, credit(5), credit(10, JUNE)]


def test_both_legs_say_the_same_and_each_its_own_balance() -> None:
    when = Given(*TWO).when(transfer(12))
    sent = TransferSent(
        transfer_id=transfer_id(id_named("t")),
        from_wallet_id=WALLET_ID,
        to_wallet_id=OTHER_ID,
        amount=12,
        balance_before=15,
        balance_after=3,
        available_after=3,
        currency="GHS",
        sent=(LotAmount(amount=10, expires_at=JUNE), LotAmount(amount=2)),
        sent_transaction_id=transaction_named("t"),
        received_transaction_id=received_named("t"),
        reference="t",
    )
    when.then(sent)
    received = TransferReceived(
        transfer_id=sent.transfer_id,
        from_wallet_id=WALLET_ID,
        to_wallet_id=OTHER_ID,
        amount=12,
        balance_before=0,
        balance_after=12,
        available_after=12,
        expiring_after=Expiring(amount=10, next_at=JUNE, next_amount=10),
        currency="GHS",
        sent=sent.sent,
        sent_transaction_id=sent.sent_transaction_id,
        received_transaction_id=sent.received_transaction_id,
        reference="t",
    )
    assert when.decision.others == (received,)
    assert when.decision.answer == sent


def test_a_transfer_carries_its_lots_with_their_dates() -> None:
    given = Given(*TWO, credit(1, JUNE, of=OTHER_ID), credit(1, JULY, of=OTHER_ID))
    when = given.when(transfer(12)).then_has(booked=3, lots={NEVER: 3})
    when.then_has(booked=14, lots={JUNE: 11, JULY: 1, NEVER: 2}, of=OTHER_ID)


def test_there_and_back_does_not_launder_an_expiry() -> None:
    given = Given(OPENED, OTHER_OPENED, credit(10, JUNE), transfer(10))
    back = transfer(10, sender=OTHER_ID, receiver=WALLET_ID)
    given.when(back).then_has(booked=10, lots={JUNE: 10}, of=WALLET_ID)


def test_what_is_due_lapses_in_both_wallets_first() -> None:
    given = Given(*TWO, credit(7, JUNE, of=OTHER_ID))
    when = given.when(transfer(5), now=JUNE).then_kinds(CreditLapsed, TransferSent)
    assert [type(event) for event in when.decision.others] == [CreditLapsed, TransferReceived]
    when.then_has(booked=0, lots={})
    when.then_has(booked=5, lots={NEVER: 5}, of=OTHER_ID)


def test_a_transfer_that_is_declined_leaves_the_other_wallet_alone() -> None:
    given = Given(*TWO, credit(7, JUNE, of=OTHER_ID))
    when = given.when(transfer(6), now=JUNE)
    assert [type(event) for event in when.decision.events] == [CreditLapsed, DebitDeclined]
    assert when.decision.others == ()


def declined(
    code: str, amount: int, other: str | None = None, *, limit: int | None = None
) -> DebitDeclined:
    return DebitDeclined(
        code=code,
        kind="transfer",
        amount=amount,
        balance=15,
        available=15,
        currency="GHS",
        reference="t",
        description="",
        wallet_id=other,
        limit=limit,
    )


FULL = credit(MAX_AMOUNT_MINOR, of=OTHER_ID)
DECLINED: list[tuple[str, list[Step], int, Rejection, DebitDeclined]] = [
    ("of too much", TWO, 16, InsufficientFunds(amount=16, available=15),
     declined("insufficient_funds", 16)),
    ("from a frozen wallet", [*TWO, freeze()], 16, IsFrozen(), declined("wallet_frozen", 16)),
    ("to one whose credits are frozen", [*TWO, freeze("credits", OTHER_ID)], 1,
     IsFrozen(wallet_id=OTHER_ID), declined("wallet_frozen", 1, OTHER_ID)),
    ("to a closed wallet", [*TWO, (OTHER_ID, WalletClosed())], 1,
     IsClosed(wallet_id=OTHER_ID), declined("wallet_closed", 1, OTHER_ID)),
    ("to a full wallet", [*TWO, FULL], 1,
     BalanceLimitExceeded(amount=1, balance=MAX_AMOUNT_MINOR, limit=MAX_AMOUNT_MINOR,
                          wallet_id=OTHER_ID),
     declined("balance_limit_exceeded", 1, OTHER_ID, limit=MAX_AMOUNT_MINOR)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "amount", "rejection", "event"),
    [row[1:] for row in DECLINED],
    ids=[row[0] for row in DECLINED],
)
def test_declined(
    past: list[Step], amount: int, rejection: Rejection, event: DebitDeclined
) -> None:
    Given(*past).when(transfer(amount)).then_declined(rejection, event)


def test_a_transfer_from_a_closed_wallet() -> None:
    given = Given(OPENED, OTHER_OPENED, WalletClosed())
    assert given.when(transfer(1)).decision.rejection == IsClosed()


def test_a_debit_freeze_of_the_receiver_and_a_credit_freeze_of_the_sender_stop_nothing() -> None:
    given = Given(*TWO, freeze("credits"), (OTHER_ID, WalletFrozen()))
    given.when(transfer(15)).then_kinds(TransferSent)


NO_FACT: list[tuple[str, str, Rejection]] = [
    ("to itself", WALLET_ID, SameWallet()),
    ("to a wallet that is not there", "wal_" + "9" * 32,
     WalletUnknown(wallet_id="wal_" + "9" * 32)),
    ("to another currency", THIRD_ID, CurrencyMismatch()),
]  # fmt: skip


@pytest.mark.parametrize(
    ("receiver", "rejection"), [row[1:] for row in NO_FACT], ids=[row[0] for row in NO_FACT]
)
def test_refused_without_an_event(receiver: str, rejection: Rejection) -> None:
    given = Given(*TWO, THIRD_OPENED)
    given.when(transfer(1, receiver=receiver)).then_declined(rejection)


def test_a_receiver_keeps_so_many_moments_apart_and_no_more() -> None:
    later = [AUGUST.replace(microsecond=number) for number in range(MAX_OPEN_LOTS)]
    given = Given(*TWO, *(credit(1, moment, of=OTHER_ID) for moment in later))
    refused = given.when(transfer(1)).decision
    assert refused.rejection == TooManyLots(limit=MAX_OPEN_LOTS, wallet_id=OTHER_ID)
    assert refused.events == (declined("too_many_lots", 1, OTHER_ID),)


def test_reversing_part_of_a_transfer_keeps_every_moment() -> None:
    """What lapses is as much as before, in two wallets now."""
    given = Given(OPENED, OTHER_OPENED, credit(10, JUNE), credit(10), transfer(20))
    when = given.when(reverse("t", 10))
    when.then_has(booked=10, lots={NEVER: 10})
    when.then_has(booked=10, lots={JUNE: 10}, of=OTHER_ID)
    when = given.when(reverse("t", 4, "again"))
    when.then_has(booked=14, lots={JUNE: 4, NEVER: 10})
    when.then_has(booked=6, lots={JUNE: 6}, of=OTHER_ID)


def test_of_a_transfer_the_rest_of_what_came_is_taken_before_other_money() -> None:
    given = Given(
        OPENED,
        OTHER_OPENED,
        credit(4, JUNE),
        credit(4),
        credit(9, AUGUST, of=OTHER_ID),
        transfer(8),
        debit(2, of=OTHER_ID),
    )
    when = given.when(reverse("t", 6))
    when.then_has(booked=6, lots={JUNE: 2, NEVER: 4})
    when.then_has(booked=9, lots={AUGUST: 9}, of=OTHER_ID)
