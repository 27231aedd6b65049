"""Transfers: money and its lots from one wallet to another, in one append."""

from typing import Literal

from msgspec import Raw

from ledger.domain.wallet.decision import Decision, Facts, answered
from ledger.domain.wallet.declines import declined_debit
from ledger.domain.wallet.evolve import debt_of
from ledger.domain.wallet.limits import day_with, excess_of_credit
from ledger.domain.wallet.lots import expiring, put, take
from ledger.domain.wallet.movements import beyond_debt, refusal_of_credit, refusal_of_debit
from ledger.domain.wallet.state import Wallet
from schemas.commands import NO_METADATA, TransferMoney
from schemas.events import TransferReceived, TransferSent
from schemas.identifiers import transaction_id, transfer_id
from schemas.rejections import CurrencyMismatch, Rejection, SameWallet, WalletUnknown


def transfer(sender: Wallet, command: TransferMoney, facts: Facts) -> Decision:
    """Both wallets must agree: the sender first, then the receiver."""
    if command.to_wallet_id == sender.wallet_id:
        return Decision((), SameWallet())
    receiver = facts.other
    if receiver is None:
        return Decision((), WalletUnknown(wallet_id=command.to_wallet_id))
    if receiver.currency != sender.currency:
        return Decision((), CurrencyMismatch())
    if (refusal := refusal_of_debit(sender, command.amount, facts)) is not None:
        return declined_debit(sender, command, command.amount, refusal, kind="transfer")
    if (refusal := refusal_of_receiver(sender, receiver, command.amount, facts)) is not None:
        return declined_debit(
            sender,
            command,
            command.amount,
            refusal,
            kind="transfer",
            other_wallet_id=receiver.wallet_id,
        )
    return answered(
        *legs(
            sender,
            receiver,
            command.amount,
            facts,
            reference=command.reference,
            description=command.description,
            metadata=command.metadata,
        )
    )


def refusal_of_receiver(
    sender: Wallet, receiver: Wallet, amount: int, facts: Facts
) -> Rejection | None:
    """Why the receiver may not take what the sender would send."""
    parts, _ = take(sender.lots, amount)
    kept = beyond_debt(receiver, parts)
    refusal = refusal_of_credit(receiver, amount, kept, receiver.wallet_id)
    if refusal is not None:
        return refusal
    return excess_of_credit(receiver, amount, facts.other_limits, receiver.wallet_id)


def legs(
    sender: Wallet,
    receiver: Wallet,
    amount: int,
    facts: Facts,
    *,
    cause: Literal["transfer", "closing"] = "transfer",
    reference: str | None = None,
    description: str = "",
    metadata: Raw = NO_METADATA,
) -> tuple[TransferSent, TransferReceived]:
    """The two events. The lots move with their moments."""
    parts, left = take(sender.lots, amount)
    sent = TransferSent(
        transfer_id=transfer_id(facts.event_id),
        from_wallet_id=sender.wallet_id,
        to_wallet_id=receiver.wallet_id,
        cause=cause,
        amount=amount,
        balance_before=sender.balance,
        balance_after=sender.balance - amount,
        available_after=sender.available - amount,
        expiring_after=expiring(left),
        currency=sender.currency,
        sent=parts,
        # Closing ends the wallet; a day's limit does not apply to it.
        day=day_with(sender, amount, facts.day) if cause == "transfer" else None,
        sent_transaction_id=transaction_id(facts.event_id),
        received_transaction_id=transaction_id(facts.other_event_id),
        reference=reference,
        description=description,
        metadata=metadata,
    )
    received = TransferReceived(
        transfer_id=sent.transfer_id,
        from_wallet_id=sent.from_wallet_id,
        to_wallet_id=sent.to_wallet_id,
        cause=cause,
        amount=amount,
        balance_before=receiver.balance,
        balance_after=receiver.balance + amount,
        available_after=receiver.available + amount,
        expiring_after=expiring(put(receiver.lots, parts, debt_of(receiver))),
        currency=receiver.currency,
        sent=parts,
        sent_transaction_id=sent.sent_transaction_id,
        received_transaction_id=sent.received_transaction_id,
        reference=reference,
        description=description,
        metadata=metadata,
    )
    return sent, received
