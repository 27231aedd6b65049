"""Reversals: a new, opposite entry. Never more in total than the original, linked both ways."""

from datetime import datetime
from functools import partial
from typing import NamedTuple

from ledger.domain.wallet.decision import Decision, Facts, answered
from ledger.domain.wallet.declines import declined_credit, declined_debit
from ledger.domain.wallet.evolve import debt_of
from ledger.domain.wallet.lots import ahead, expiring, put, take_back, total, unwound
from ledger.domain.wallet.movements import beyond_debt, refusal_of_credit
from ledger.domain.wallet.standing import keeps_money_in
from ledger.domain.wallet.state import Wallet
from schemas.commands import ReverseTransaction
from schemas.events import (
    CreditReversed,
    DebitReversed,
    HoldCaptured,
    LotAmount,
    Lots,
    TransferReceived,
    TransferSent,
    WalletCredited,
    WalletDebited,
)
from schemas.money import MAX_AMOUNT_MINOR
from schemas.rejections import (
    BalanceLimitExceeded,
    InsufficientFunds,
    NotReversible,
    Rejection,
    ReversalExceedsTransaction,
)


class _Undoing(NamedTuple):
    """Which transaction goes back, how much of it by then, and the transfer it belongs to."""

    transaction_id: str
    reversed_after: int
    transfer_id: str | None = None


_declined_return = partial(declined_credit, kind="reversal")
_declined_taking = partial(declined_debit, kind="reversal")


def reverse(wallet: Wallet, command: ReverseTransaction, now: datetime, facts: Facts) -> Decision:
    """The wallet is that of the named transaction; for a transfer, both legs go back."""
    original = facts.original
    match original:
        case WalletDebited() | HoldCaptured():
            amount, refusal = _amount(command, original.amount, facts)
            back = unwound(_whole(original.spent, original.amount), facts.reversed_amount, amount)
            kept = ahead(beyond_debt(wallet, back), now)
            refusal = refusal or refusal_of_credit(wallet, amount, kept)
            if refusal is not None:
                return _declined_return(wallet, command, amount, refusal)
            undoing = _Undoing(command.transaction_id, facts.reversed_amount + amount)
            return answered(_returned(wallet, command, amount, back, undoing))
        case WalletCredited():
            amount, refusal = _amount(command, original.amount, facts)
            refusal = refusal or _refusal_of_taking(wallet, command, amount)
            if refusal is not None:
                return _declined_taking(wallet, command, amount, refusal)
            own = (LotAmount(amount=original.amount, expires_at=original.expires_at),)
            undoing = _Undoing(command.transaction_id, facts.reversed_amount + amount)
            return answered(_taken_back(wallet, command, amount, own, undoing))
        case TransferSent() | TransferReceived() if original.cause == "transfer":
            return _reverse_transfer(wallet, command, original, now, facts)
        case _:
            return Decision((), NotReversible(transaction_id=command.transaction_id))


def _reverse_transfer(
    wallet: Wallet,
    command: ReverseTransaction,
    original: TransferSent | TransferReceived,
    now: datetime,
    facts: Facts,
) -> Decision:
    other = facts.other
    assert other is not None, "a transfer has two wallets"
    names_sender = isinstance(original, TransferSent)
    sender, receiver = (wallet, other) if names_sender else (other, wallet)
    amount, refusal = _amount(command, original.amount, facts)
    back = unwound(_whole(original.sent, original.amount), facts.reversed_amount, amount)
    because_of: str | None = None
    if refusal is None:
        because_of = None if names_sender else sender.wallet_id
        kept = ahead(beyond_debt(sender, back), now)
        refusal = refusal_of_credit(sender, amount, kept, because_of)
    if refusal is None:
        because_of = receiver.wallet_id if names_sender else None
        refusal = _refusal_of_taking(receiver, command, amount, because_of)
    if refusal is not None:
        decline = _declined_return if names_sender else _declined_taking
        return decline(wallet, command, amount, refusal, other_wallet_id=because_of)
    undone = facts.reversed_amount + amount
    way_out = _Undoing(original.sent_transaction_id, undone, original.transfer_id)
    way_in = _Undoing(original.received_transaction_id, undone, original.transfer_id)
    returned = _returned(sender, command, amount, back, way_out)
    # Of the receiver the same lots as the sender gets, then the rest of what came: else moments
    # at which money lapses would be lost on the way.
    own = (*_whole(back, amount), *original.sent)
    taken = _taken_back(receiver, command, amount, own, way_in)
    return answered(returned, taken) if names_sender else answered(taken, returned)


def _amount(
    command: ReverseTransaction, original_amount: int, facts: Facts
) -> tuple[int, Rejection | None]:
    reversible = original_amount - facts.reversed_amount
    amount = command.amount or reversible or original_amount
    if amount > reversible:
        return amount, ReversalExceedsTransaction(amount=amount, reversible=reversible)
    return amount, None


def _whole(spent: Lots, amount: int) -> Lots:
    """All of an amount as parts; an event lists none if nothing of it lapses."""
    return spent or (LotAmount(amount=amount),)


def _refusal_of_taking(
    wallet: Wallet, command: ReverseTransaction, amount: int, wallet_id: str | None = None
) -> Rejection | None:
    if (refusal := keeps_money_in(wallet, wallet_id)) is not None:
        return refusal
    if amount > wallet.available and not command.allow_negative:
        return InsufficientFunds(amount=amount, available=wallet.available, wallet_id=wallet_id)
    if amount - wallet.available > MAX_AMOUNT_MINOR:
        return BalanceLimitExceeded(
            amount=amount, balance=wallet.balance, limit=MAX_AMOUNT_MINOR, wallet_id=wallet_id
        )
    return None


def _returned(
    wallet: Wallet,
    command: ReverseTransaction,
    amount: int,
    back: Lots,
    undoing: _Undoing,
) -> DebitReversed:
    return DebitReversed(
        transaction_id=undoing.transaction_id,
        transfer_id=undoing.transfer_id,
        reversed_after=undoing.reversed_after,
        amount=amount,
        balance_before=wallet.balance,
        balance_after=wallet.balance + amount,
        available_after=wallet.available + amount,
        expiring_after=expiring(put(wallet.lots, back, debt_of(wallet))),
        currency=wallet.currency,
        returned=back,
        reference=command.reference,
        description=command.description,
        metadata=command.metadata,
    )


def _taken_back(
    wallet: Wallet,
    command: ReverseTransaction,
    amount: int,
    own: Lots,
    undoing: _Undoing,
) -> CreditReversed:
    spent, left = take_back(wallet.lots, own, amount, wallet.available)
    assert not wallet.lots or total(spent or (LotAmount(amount=amount),)) == amount
    return CreditReversed(
        transaction_id=undoing.transaction_id,
        transfer_id=undoing.transfer_id,
        reversed_after=undoing.reversed_after,
        amount=amount,
        balance_before=wallet.balance,
        balance_after=wallet.balance - amount,
        available_after=wallet.available - amount,
        expiring_after=expiring(left),
        currency=wallet.currency,
        spent=spent,
        reference=command.reference,
        description=command.description,
        metadata=command.metadata,
    )
