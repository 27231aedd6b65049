"""What a wallet does with a command: first what is due, then the command's own rule.

A decision is events and, if the command was refused, the rejection. A refusal because of the
wallet's state is a fact and has an event; one for what does not exist has none.
"""

from datetime import datetime
from typing import assert_never

from msgspec.structs import replace

from ledger.domain.wallet import holds, identity, lifecycle, movements, reversals, topups, transfers
from ledger.domain.wallet.decision import NO_FACTS, Decision, Facts, after
from ledger.domain.wallet.lapses import due
from ledger.domain.wallet.state import Wallet
from schemas.commands import (
    CancelTopup,
    CaptureHold,
    CloseWallet,
    Command,
    CompleteTopup,
    CreateTopup,
    CreateWallet,
    CreditWallet,
    DebitWallet,
    EnrollCustomer,
    EraseCustomer,
    ExpireDue,
    FreezeWallet,
    PlaceHold,
    RaiseTier,
    ReverseTransaction,
    ReviewWallet,
    TransferMoney,
    UnfreezeWallet,
    VoidHold,
)
from schemas.events import WalletEvent
from schemas.rejections import WalletUnknown

_RETURNS_NOTHING = (DebitWallet, CreditWallet)
"""Commands that return nothing to a lot: if nothing is due before, nothing is due after."""


def decide(
    wallet: Wallet | None, command: Command, now: datetime, facts: Facts = NO_FACTS
) -> Decision:
    """Decide one command against the wallet that it names (None: no such wallet)."""
    if wallet is None:
        return _without_wallet(command, facts)
    if wallet.next_due is None and isinstance(command, _RETURNS_NOTHING):
        return _rule(wallet, command, now, facts)
    lapsed = due(wallet, now)
    ready = after(wallet, lapsed, now)
    other = facts.other
    others_lapsed: tuple[WalletEvent, ...] = ()
    if other is not None:
        others_lapsed = due(other, now)
        other = after(other, others_lapsed, now)
        facts = replace(facts, other=other)
    decision = _rule(ready, command, now, facts)
    if decision.rejection is not None and not decision.events:
        return decision
    # Money that came back to a lot that is due lapses at once.
    left = due(after(ready, decision.events, now), now)
    others_left = () if other is None else due(after(other, decision.others, now), now)
    return Decision(
        (*lapsed, *decision.events, *left),
        decision.rejection,
        decision.answer,
        (*others_lapsed, *decision.others, *others_left) if decision.others else (),
    )


def _without_wallet(command: Command, facts: Facts) -> Decision:
    if isinstance(command, CreateWallet):
        return lifecycle.create(command, facts)
    if isinstance(command, EnrollCustomer):
        return identity.enroll(command, facts)
    return Decision((), WalletUnknown())


def _rule(  # noqa: C901, PLR0912 - one line for each command
    wallet: Wallet, command: Command, now: datetime, facts: Facts
) -> Decision:
    match command:
        case DebitWallet():
            return movements.debit(wallet, command, facts)
        case CreditWallet():
            return movements.credit(wallet, command, now, facts)
        case PlaceHold():
            return holds.place_hold(wallet, command, now, facts)
        case CaptureHold():
            return holds.capture_hold(wallet, command, facts)
        case VoidHold():
            return holds.void_hold(wallet, command, facts)
        case TransferMoney():
            return transfers.transfer(wallet, command, facts)
        case ReverseTransaction():
            return reversals.reverse(wallet, command, now, facts)
        case CreateTopup():
            return topups.create_topup(wallet, command, now, facts)
        case CompleteTopup():
            return topups.complete_topup(wallet, command, facts)
        case CancelTopup():
            return topups.cancel_topup(wallet, command, facts)
        case FreezeWallet():
            return lifecycle.freeze(wallet, command)
        case UnfreezeWallet():
            return lifecycle.unfreeze(wallet, command)
        case CloseWallet():
            return lifecycle.close(wallet, command, now, facts)
        case ExpireDue():
            return lifecycle.NOTHING_TO_DO
        case RaiseTier():
            return identity.raise_tier(wallet, command)
        case ReviewWallet():
            return identity.review(wallet, command, facts)
        case EraseCustomer():
            return identity.erase(wallet, command)
        case CreateWallet() | EnrollCustomer():
            raise AssertionError("an opening is decided without a wallet")
        case _:
            assert_never(command)
