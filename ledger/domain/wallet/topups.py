"""Top-ups: requesting a payment from a customer, and what happens when it arrives.

A payment is credited whenever the wallet can take it, however late: the money has already left
the customer, so a top-up that has ended does not prevent the credit.
"""

from datetime import datetime, timedelta
from typing import Literal

from ledger.domain.wallet.decision import Decision, Facts, answered
from ledger.domain.wallet.declines import declined_topup, unapplied
from ledger.domain.wallet.limits import excess_of_credit
from ledger.domain.wallet.lots import expiring
from ledger.domain.wallet.movements import refusal_of_credit
from ledger.domain.wallet.standing import keeps_money_out
from ledger.domain.wallet.state import MAX_PENDING_TOPUPS, Wallet
from schemas.commands import CancelTopup, CompleteTopup, CreateTopup
from schemas.events import TopupCreated, TopupEnded, WalletToppedUp
from schemas.identifiers import topup_id
from schemas.rejections import (
    ExpiryNotAhead,
    PaymentMismatch,
    Rejection,
    TooManyTopups,
    TopupAlreadyPaid,
    TopupNotPending,
    TopupUnknown,
    WalletClosed,
)

TOPUP_LIFETIME = timedelta(minutes=30)
"""How long a top-up is pending unless the command says otherwise."""


def create_topup(wallet: Wallet, command: CreateTopup, now: datetime, facts: Facts) -> Decision:
    """Request a payment, if the wallet could take its money now."""
    if command.expires_at is not None and command.expires_at <= now:
        return Decision((), ExpiryNotAhead())
    if (refusal := _refusal_of_topup(wallet, command.amount, facts)) is not None:
        return declined_topup(
            wallet, "create", command.amount, refusal, reference=command.reference
        )
    name = topup_id(facts.event_id)
    return answered(
        TopupCreated(
            topup_id=name,
            amount=command.amount,
            currency=wallet.currency,
            redirect_url=command.redirect_url,
            cancel_url=command.cancel_url,
            expires_at=command.expires_at or now + TOPUP_LIFETIME,
            reference=command.reference or name,
            description=command.description,
            metadata=command.metadata,
        )
    )


def _refusal_of_topup(wallet: Wallet, amount: int, facts: Facts) -> Rejection | None:
    if (refusal := keeps_money_out(wallet)) is not None:
        return refusal
    if len(wallet.topups) >= MAX_PENDING_TOPUPS:
        return TooManyTopups(limit=MAX_PENDING_TOPUPS)
    beyond = refusal_of_credit(wallet, amount, ())
    return beyond or excess_of_credit(wallet, amount, facts.limits)


def complete_topup(wallet: Wallet, command: CompleteTopup, facts: Facts) -> Decision:
    """Credit a payment once, or keep it as unapplied once."""
    topup = facts.original
    if not isinstance(topup, TopupCreated):
        return Decision((), TopupUnknown())
    if any(payment.payment_id == command.payment_id for payment in facts.payments):
        return Decision(())
    if (refusal := _refusal_of_payment(wallet, topup, command, facts)) is not None:
        return unapplied(wallet, topup, command, refusal)
    return answered(
        WalletToppedUp(
            topup_id=command.topup_id,
            payment_id=command.payment_id,
            amount=command.amount,
            balance_before=wallet.balance,
            balance_after=wallet.balance + command.amount,
            available_after=wallet.available + command.amount,
            expiring_after=expiring(wallet.lots),
            currency=wallet.currency,
            reference=topup.reference,
            description=topup.description,
            metadata=topup.metadata,
        )
    )


def _refusal_of_payment(
    wallet: Wallet, topup: TopupCreated, command: CompleteTopup, facts: Facts
) -> Rejection | None:
    if wallet.status == "closed":
        return WalletClosed()
    if any(payment.is_applied for payment in facts.payments):
        return TopupAlreadyPaid(topup_id=command.topup_id)
    if (command.amount, command.currency) != (topup.amount, topup.currency):
        return PaymentMismatch(amount=topup.amount, currency=topup.currency)
    refusal = refusal_of_credit(wallet, command.amount, ())
    return refusal or excess_of_credit(wallet, command.amount, facts.limits)


def cancel_topup(wallet: Wallet, command: CancelTopup, facts: Facts) -> Decision:
    """Stop waiting. Neither a freeze nor a payment in progress prevents this."""
    topup = facts.original
    if not isinstance(topup, TopupCreated):
        return Decision((), TopupUnknown())
    if command.topup_id not in wallet.topups:
        refusal = TopupNotPending(topup_id=command.topup_id)
        return declined_topup(wallet, "cancel", topup.amount, refusal, topup_id=command.topup_id)
    return answered(ended(wallet, command.topup_id, "cancelled"))


def ended(
    wallet: Wallet, topup: str, cause: Literal["cancelled", "expired", "wallet_closed"]
) -> TopupEnded:
    """The event that ends a pending top-up."""
    return TopupEnded(
        topup_id=topup,
        cause=cause,
        amount=wallet.topups[topup].amount,
        currency=wallet.currency,
    )
