"""Every rule of a wallet, as given, when, then."""

import pytest

from ledger.domain.wallet import Facts
from schemas.commands import (
    CloseWallet,
    Command,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    FreezeWallet,
    UnfreezeWallet,
)
from schemas.events import (
    BalanceForfeited,
    ChangeDeclined,
    CreditDeclined,
    DebitDeclined,
    WalletClosed,
    WalletCredited,
    WalletDebited,
    WalletEvent,
    WalletFrozen,
    WalletOpened,
    WalletUnfrozen,
)
from schemas.events.wallet import DeclineCode
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    BalanceLimitExceeded,
    CustomerIdConflict,
    InsufficientFunds,
    Rejection,
    WalletExists,
    WalletNotEmpty,
    WalletUnknown,
)
from schemas.rejections import WalletClosed as IsClosed
from schemas.rejections import WalletFrozen as IsFrozen
from tests.specs.decider import WALLET_ID, Given

USER_ID = "ab74cbaf-c46b-5cd4-bf2f-8cdf19545a44"
OPENED = WalletOpened(customer_id="ama", user_id=USER_ID, currency="GHS")
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


def debit_declined(amount: int, code: DeclineCode, balance: int) -> DebitDeclined:
    return DebitDeclined(
        code=code,
        amount=amount,
        balance=balance,
        available=balance,
        currency="GHS",
        reference="r",
        description="",
    )


def credit_declined(amount: int, code: DeclineCode, balance: int) -> CreditDeclined:
    return CreditDeclined(
        code=code,
        amount=amount,
        balance=balance,
        available=balance,
        currency="GHS",
        reference="r",
        description="",
    )


def credit(amount: int) -> CreditWallet:
    return CreditWallet(wallet_id=WALLET_ID, amount=amount, reference="r")


def debit(amount: int) -> DebitWallet:
    return DebitWallet(wallet_id=WALLET_ID, amount=amount, reference="r")


FREEZE = FreezeWallet(wallet_id=WALLET_ID)
UNFREEZE = UnfreezeWallet(wallet_id=WALLET_ID)
CLOSE = CloseWallet(wallet_id=WALLET_ID)
FORFEIT = CloseWallet(wallet_id=WALLET_ID, remaining_balance="forfeit")


def test_a_wallet_is_opened_empty_and_active() -> None:
    wallet = Given().when(CREATE, Facts(user_id=USER_ID)).then(OPENED)
    assert (wallet.status, wallet.balance, wallet.version) == ("active", 0, 1)


ACCEPTED: list[tuple[str, list[WalletEvent], Command, list[WalletEvent]]] = [
    ("credit", [OPENED], credit(5), [credited(5)]),
    ("debit", [OPENED, credited(5)], debit(3), [debited(3, 5)]),
    ("debit of all", [OPENED, credited(5)], debit(5), [debited(5, 5)]),
    ("credit while frozen", [OPENED, WalletFrozen()], credit(5), [credited(5)]),
    ("credit to the limit", [OPENED], credit(MAX_AMOUNT_MINOR), [credited(MAX_AMOUNT_MINOR)]),
    ("freeze", [OPENED], FREEZE, [WalletFrozen()]),
    ("freeze again", [OPENED, WalletFrozen()], FREEZE, []),
    ("unfreeze", [OPENED, WalletFrozen()], UNFREEZE, [WalletUnfrozen()]),
    ("unfreeze again", [OPENED], UNFREEZE, []),
    ("debit after unfreezing", [OPENED, credited(5), WalletFrozen(), WalletUnfrozen()],
     debit(5), [debited(5, 5)]),
    ("close", [OPENED], CLOSE, [WalletClosed()]),
    ("close while frozen and empty", [OPENED, WalletFrozen()], CLOSE, [WalletClosed()]),
    ("close again", [OPENED, WalletClosed()], CLOSE, []),
    ("close, forfeiting the rest", [OPENED, credited(5)], FORFEIT, [
        BalanceForfeited(amount=5, balance_before=5, balance_after=0, available_after=0,
                         currency="GHS"),
        WalletClosed(),
    ]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("history", "command", "events"),
    [row[1:] for row in ACCEPTED],
    ids=[row[0] for row in ACCEPTED],
)
def test_accepted(history: list[WalletEvent], command: Command, events: list[WalletEvent]) -> None:
    Given(*history).when(command).then(*events)


CLOSED: list[WalletEvent] = [OPENED, WalletClosed()]
FROZEN: list[WalletEvent] = [OPENED, credited(5), WalletFrozen()]
FULL: list[WalletEvent] = [OPENED, credited(MAX_AMOUNT_MINOR)]
DECLINED: list[tuple[str, list[WalletEvent], Command, Rejection, list[WalletEvent]]] = [
    ("debit of too much", [OPENED, credited(5)], debit(6),
     InsufficientFunds(amount=6, available=5), [debit_declined(6, "insufficient_funds", 5)]),
    ("debit while frozen", FROZEN, debit(1), IsFrozen(),
     [debit_declined(1, "wallet_frozen", 5)]),
    ("frozen comes before funds", FROZEN, debit(9), IsFrozen(),
     [debit_declined(9, "wallet_frozen", 5)]),
    ("debit of a closed wallet", CLOSED, debit(1), IsClosed(),
     [debit_declined(1, "wallet_closed", 0)]),
    ("credit of a closed wallet", CLOSED, credit(1), IsClosed(),
     [credit_declined(1, "wallet_closed", 0)]),
    ("credit over the limit", FULL, credit(1),
     BalanceLimitExceeded(amount=1, balance=MAX_AMOUNT_MINOR, limit=MAX_AMOUNT_MINOR),
     [credit_declined(1, "balance_limit_exceeded", MAX_AMOUNT_MINOR)]),
    ("freeze of a closed wallet", CLOSED, FREEZE, IsClosed(),
     [ChangeDeclined(change="freeze", code="wallet_closed", balance=0)]),
    ("unfreeze of a closed wallet", CLOSED, UNFREEZE, IsClosed(),
     [ChangeDeclined(change="unfreeze", code="wallet_closed", balance=0)]),
    ("close of a wallet with money", [OPENED, credited(5)], CLOSE, WalletNotEmpty(balance=5),
     [ChangeDeclined(change="close", code="wallet_not_empty", balance=5)]),
    ("close, forfeiting, while frozen", FROZEN, FORFEIT, IsFrozen(),
     [ChangeDeclined(change="close", code="wallet_frozen", balance=5)]),
    ("a wallet that is not there", [], debit(1), WalletUnknown(), []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("history", "command", "rejection", "events"),
    [row[1:] for row in DECLINED],
    ids=[row[0] for row in DECLINED],
)
def test_declined(
    history: list[WalletEvent], command: Command, rejection: Rejection, events: list[WalletEvent]
) -> None:
    Given(*history).when(command).then_declined(rejection, *events)


def test_a_customer_has_one_open_wallet_in_a_currency() -> None:
    facts = Facts(user_id=USER_ID, open_wallet_id=WALLET_ID)
    Given().when(CREATE, facts).then_declined(WalletExists(wallet_id=WALLET_ID))


def test_a_customer_id_cannot_be_another_customers_uuid() -> None:
    facts = Facts(user_id=USER_ID, user_id_owner="kofi")
    Given().when(CREATE, facts).then_declined(CustomerIdConflict())


def test_an_event_that_contradicts_the_history_is_not_believed() -> None:
    for history in ([OPENED, debited(1, 1)], [OPENED, credited(1, 7)], [OPENED, OPENED]):
        with pytest.raises(AssertionError):
            Given(*history)
    with pytest.raises(AssertionError):
        Given(OPENED, credited(5), WalletClosed())
