"""Every rule of a wallet, as given, when, then: opening, money in and out, freezing, closing."""

import pytest

from ledger.domain.wallet import Facts
from schemas.commands import Command, CreateWallet, FreezeScope, FreezeWallet, UnfreezeWallet
from schemas.events import (
    BalanceForfeited,
    ChangeDeclined,
    CreditDeclined,
    CreditLapsed,
    DebitDeclined,
    HoldReleased,
    TransferReceived,
    TransferSent,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletFrozen,
    WalletUnfrozen,
)
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    BalanceLimitExceeded,
    CurrencyMismatch,
    CustomerIdConflict,
    InsufficientFunds,
    Rejection,
    SameWallet,
    WalletExists,
    WalletNotEmpty,
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
    USER_ID,
    WALLET_ID,
    Given,
    Step,
)
from tests.specs.wallet_commands import (
    CLOSE,
    EXPIRE_DUE,
    FORFEIT,
    JUNE,
    UNFREEZE,
    capture,
    close_into,
    credit,
    debit,
    freeze,
    hold,
    reverse,
    transfer,
    void,
)

CREATE = CreateWallet(customer_id="ama", currency="GHS")


def credited(amount: int, before: int = 0) -> WalletCredited:
    return WalletCredited(
        amount=amount,
        balance_before=before,
        balance_after=before + amount,
        available_after=before + amount,
        currency="GHS",
        reference="r",
        description="",
    )


def debited(amount: int, before: int) -> WalletDebited:
    return WalletDebited(
        amount=amount,
        balance_before=before,
        balance_after=before - amount,
        available_after=before - amount,
        currency="GHS",
        reference="r",
        description="",
    )


def debit_declined(amount: int, code: str, balance: int) -> DebitDeclined:
    return DebitDeclined(
        code=code,
        amount=amount,
        balance=balance,
        available=balance,
        currency="GHS",
        reference="r",
        description="",
    )


def credit_declined(amount: int, code: str, balance: int) -> CreditDeclined:
    return CreditDeclined(
        code=code,
        amount=amount,
        balance=balance,
        available=balance,
        currency="GHS",
        reference="r",
        description="",
    )


def test_a_wallet_is_opened_empty_and_active() -> None:
    wallet = Given().when(CREATE, Facts(user_id=USER_ID)).then(OPENED)
    assert (wallet.status, wallet.balance, wallet.version) == ("active", 0, 1)


WITH_5: list[Step] = [OPENED, credited(5)]
STOPPED: list[Step] = [*WITH_5, WalletFrozen()]
ACCEPTED: list[tuple[str, list[Step], Command, list[WalletEvent]]] = [
    ("credit", [OPENED], credit(5), [credited(5)]),
    ("debit", WITH_5, debit(3), [debited(3, 5)]),
    ("debit of all", WITH_5, debit(5), [debited(5, 5)]),
    ("credit while debits are stopped", STOPPED, credit(5), [credited(5, 5)]),
    ("debit while credits are stopped", [*WITH_5, WalletFrozen(scope="credits")],
     debit(5), [debited(5, 5)]),
    ("credit to the limit", [OPENED], credit(MAX_AMOUNT_MINOR), [credited(MAX_AMOUNT_MINOR)]),
    ("freeze", [OPENED], freeze(), [WalletFrozen()]),
    ("freeze of everything", [OPENED], freeze("all"), [WalletFrozen(scope="all")]),
    ("freeze again", [OPENED, WalletFrozen()], freeze(), []),
    ("freeze of what all has stopped", [OPENED, WalletFrozen(scope="all")], freeze("credits"), []),
    ("freeze of the rest", [OPENED, WalletFrozen()], freeze("credits"),
     [WalletFrozen(scope="credits")]),
    ("unfreeze", [OPENED, WalletFrozen()], UNFREEZE, [WalletUnfrozen()]),
    ("unfreeze again", [OPENED], UNFREEZE, []),
    ("debit after unfreezing", [*STOPPED, WalletUnfrozen()], debit(5), [debited(5, 5)]),
    ("nothing is due", WITH_5, EXPIRE_DUE, []),
    ("close", [OPENED], CLOSE, [WalletClosed()]),
    ("close while frozen and empty", [OPENED, WalletFrozen()], CLOSE, [WalletClosed()]),
    ("close again", [OPENED, WalletClosed()], CLOSE, []),
    ("close, forfeiting nothing", [OPENED], FORFEIT, [WalletClosed()]),
    ("close, forfeiting the rest", WITH_5, FORFEIT, [
        BalanceForfeited(amount=5, balance_before=5, balance_after=0, available_after=0,
                         currency="GHS"),
        WalletClosed(),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "command", "events"),
    [row[1:] for row in ACCEPTED],
    ids=[row[0] for row in ACCEPTED],
)
def test_accepted(past: list[Step], command: Command, events: list[WalletEvent]) -> None:
    Given(*past).when(command).then(*events)


CLOSED: list[Step] = [OPENED, WalletClosed()]
FULL: list[Step] = [OPENED, credited(MAX_AMOUNT_MINOR)]
DECLINED: list[tuple[str, list[Step], Command, Rejection, list[WalletEvent]]] = [
    ("debit of too much", WITH_5, debit(6),
     InsufficientFunds(amount=6, available=5), [debit_declined(6, "insufficient_funds", 5)]),
    ("debit while frozen", STOPPED, debit(1), IsFrozen(),
     [debit_declined(1, "wallet_frozen", 5)]),
    ("debit while all is frozen", [*WITH_5, WalletFrozen(scope="all")], debit(1), IsFrozen(),
     [debit_declined(1, "wallet_frozen", 5)]),
    ("debit after two freezes",
     [*WITH_5, WalletFrozen(scope="credits"), WalletFrozen(scope="debits")], debit(1), IsFrozen(),
     [debit_declined(1, "wallet_frozen", 5)]),
    ("credit while credits are frozen", [*WITH_5, WalletFrozen(scope="credits")], credit(1),
     IsFrozen(), [credit_declined(1, "wallet_frozen", 5)]),
    ("frozen comes before funds", STOPPED, debit(9), IsFrozen(),
     [debit_declined(9, "wallet_frozen", 5)]),
    ("debit of a closed wallet", CLOSED, debit(1), IsClosed(),
     [debit_declined(1, "wallet_closed", 0)]),
    ("credit of a closed wallet", CLOSED, credit(1), IsClosed(),
     [credit_declined(1, "wallet_closed", 0)]),
    ("credit over the limit", FULL, credit(1),
     BalanceLimitExceeded(amount=1, balance=MAX_AMOUNT_MINOR, limit=MAX_AMOUNT_MINOR),
     [credit_declined(1, "balance_limit_exceeded", MAX_AMOUNT_MINOR)]),
    ("freeze of a closed wallet", CLOSED, freeze(), IsClosed(),
     [ChangeDeclined(change="freeze", code="wallet_closed", balance=0)]),
    ("unfreeze of a closed wallet", CLOSED, UNFREEZE, IsClosed(),
     [ChangeDeclined(change="unfreeze", code="wallet_closed", balance=0)]),
    ("close of a wallet with money", WITH_5, CLOSE, WalletNotEmpty(balance=5),
     [ChangeDeclined(change="close", code="wallet_not_empty", balance=5)]),
    ("close, forfeiting, while frozen", STOPPED, FORFEIT, IsFrozen(),
     [ChangeDeclined(change="close", code="wallet_frozen", balance=5)]),
    ("close, forfeiting, while only credits are frozen", [*WITH_5, WalletFrozen(scope="credits")],
     FORFEIT, IsFrozen(), [ChangeDeclined(change="close", code="wallet_frozen", balance=5)]),
    ("a wallet that is not there", [], debit(1), WalletUnknown(), []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "command", "rejection", "events"),
    [row[1:] for row in DECLINED],
    ids=[row[0] for row in DECLINED],
)
def test_declined(
    past: list[Step], command: Command, rejection: Rejection, events: list[WalletEvent]
) -> None:
    Given(*past).when(command).then_declined(rejection, *events)


def test_a_customer_has_one_open_wallet_in_a_currency() -> None:
    facts = Facts(user_id=USER_ID, open_wallet_id=WALLET_ID)
    Given().when(CREATE, facts).then_declined(WalletExists(wallet_id=WALLET_ID))


def test_a_customer_id_cannot_be_another_customers_uuid() -> None:
    facts = Facts(user_id=USER_ID, user_id_owner="kofi")
    Given().when(CREATE, facts).then_declined(CustomerIdConflict())


@pytest.mark.parametrize(
    "command",
    [credit(1), debit(1), freeze(), UNFREEZE, CLOSE, hold(1), transfer(1), EXPIRE_DUE,
     capture(), void(), reverse("r")],
    ids=lambda command: type(command).__name__,
)  # fmt: skip
def test_a_wallet_that_is_not_there_takes_no_command(command: Command) -> None:
    Given().when(command).then_declined(WalletUnknown())


def test_why_it_was_frozen_is_in_the_history() -> None:
    given = Given(OPENED)
    frozen = given.when(FreezeWallet(wallet_id=WALLET_ID, reason="lost card"))
    frozen.then(WalletFrozen(reason="lost card"))
    unfrozen = given.when(UnfreezeWallet(wallet_id=WALLET_ID, reason="found it"))
    wallet = unfrozen.then(WalletUnfrozen(reason="found it"))
    assert (wallet.status, wallet.frozen) == ("active", None)


def test_freezes_add_up_and_one_unfreeze_lifts_them_all() -> None:
    given = Given(OPENED, freeze("debits"), freeze("credits"))
    assert given.wallets[WALLET_ID].frozen == "all"
    given.when(UNFREEZE).then(WalletUnfrozen())
    given.when(credit(1)).then(credited(1))


@pytest.mark.parametrize(
    ("scope", "moves", "stopped"),
    [("credits", debit(1), credit(1)), ("debits", credit(1), debit(1))],
)
def test_a_freeze_outlasts_what_it_does_not_stop(
    scope: FreezeScope, moves: Command, stopped: Command
) -> None:
    given = Given(OPENED, credited(5), freeze(scope), moves)
    assert given.when(stopped).decision.rejection == IsFrozen()
    assert given.wallets[WALLET_ID].frozen == scope


def test_closing_releases_the_holds_first_and_what_is_due_then_lapses() -> None:
    given = Given(OPENED, credit(10, JUNE), hold(10), JUNE)
    when = given.when(CLOSE).then_kinds(HoldReleased, CreditLapsed, WalletClosed)
    when.then_has(booked=0, lots={})
    assert isinstance(when.decision.events[0], HoldReleased)
    assert when.decision.events[0].cause == "wallet_closed"


def test_a_close_that_is_declined_leaves_the_holds_as_they_are() -> None:
    given = Given(OPENED, credit(10), hold(4))
    given.when(CLOSE).then_declined(
        WalletNotEmpty(balance=10),
        ChangeDeclined(change="close", code="wallet_not_empty", balance=10),
    )
    assert given.wallets[WALLET_ID].holds


def test_closing_into_another_wallet_moves_the_rest_with_its_moments() -> None:
    given = Given(OPENED, OTHER_OPENED, credit(10, JUNE), credit(5), hold(3))
    when = given.when(close_into()).then_kinds(HoldReleased, TransferSent, WalletClosed)
    assert [type(event) for event in when.decision.others] == [TransferReceived]
    when.then_has(booked=0, lots={})
    when.then_has(booked=15, lots={JUNE: 10, NEVER: 5}, of=OTHER_ID)
    sent = when.decision.events[1]
    assert isinstance(sent, TransferSent)
    assert (sent.cause, sent.amount) == ("closing", 15)


OTHER_STOPPED = (OTHER_ID, WalletFrozen(scope="credits"))
CLOSES_DECLINED: list[tuple[str, list[Step], str, Rejection, str | None]] = [
    ("into itself", [], WALLET_ID, SameWallet(), None),
    ("into a wallet that is not there", [], "wal_" + "9" * 32,
     WalletUnknown(wallet_id="wal_" + "9" * 32), None),
    ("into another currency", [THIRD_OPENED], THIRD_ID, CurrencyMismatch(), None),
    ("into a closed wallet", [OTHER_OPENED, (OTHER_ID, WalletClosed())], OTHER_ID,
     IsClosed(wallet_id=OTHER_ID), "wallet_closed"),
    ("into one whose credits are frozen", [OTHER_OPENED, OTHER_STOPPED], OTHER_ID,
     IsFrozen(wallet_id=OTHER_ID), "wallet_frozen"),
    ("into a full one", [OTHER_OPENED, credit(MAX_AMOUNT_MINOR, of=OTHER_ID)], OTHER_ID,
     BalanceLimitExceeded(amount=5, balance=MAX_AMOUNT_MINOR, limit=MAX_AMOUNT_MINOR,
                          wallet_id=OTHER_ID),
     "balance_limit_exceeded"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("past", "receiver", "rejection", "code"),
    [row[1:] for row in CLOSES_DECLINED],
    ids=[row[0] for row in CLOSES_DECLINED],
)
def test_a_close_into_another_wallet_that_is_declined(
    past: list[Step], receiver: str, rejection: Rejection, code: str | None
) -> None:
    said: list[WalletEvent] = []
    if code is not None:
        limit = rejection.balance if isinstance(rejection, BalanceLimitExceeded) else None
        said = [
            ChangeDeclined(change="close", code=code, balance=5, wallet_id=receiver, limit=limit)
        ]
    Given(OPENED, credited(5), *past).when(close_into(receiver)).then_declined(rejection, *said)


def test_an_event_that_contradicts_the_history_is_not_believed() -> None:
    for past in ([OPENED, debited(1, 1)], [OPENED, credited(1, 7)], [OPENED, OPENED]):
        with pytest.raises(AssertionError):
            Given(*past)
    with pytest.raises(AssertionError):
        Given(OPENED, credited(5), WalletClosed())
    with pytest.raises(AssertionError):
        Given(debited(1, 1))
