"""One command under decision, and the answers that no event alone gives. Pure."""

from typing import NamedTuple

from msgspec.structs import replace

from ledger.command_handling.submission import Submission
from ledger.command_handling.targets import Target
from ledger.command_handling.views import cancelled_topup, released_hold, wallet_view
from ledger.command_handling.wallet_cache import Known
from ledger.domain.wallet import Decision, Facts, Wallet
from schemas.events import (
    ChangeDeclined,
    CreditDeclined,
    DebitDeclined,
    HoldPlaced,
    HoldReleased,
    IdentityDeclined,
    RecordedEvent,
    TopupCreated,
    TopupDeclined,
    TopupEnded,
    TopupUnapplied,
    VoidDeclined,
    WalletEvent,
)
from schemas.results import CommandResult


class Case(NamedTuple):
    """One command under decision: what it asks, of whom, and what it needed to know."""

    submission: Submission
    fingerprint: bytes
    target: Target
    facts: Facts


def result_beside_the_events(
    case: Case,
    known: Known,
    decision: Decision,
    answer: RecordedEvent | None,
    position: int | None,
) -> CommandResult:
    """What no event alone says: the wallet, what was voided or cancelled, or why nothing was."""
    if decision.rejection is not None:
        return CommandResult(status="declined", rejection=decision.rejection)
    if answer is not None:
        return _ended(case.target, decision, answer)
    assert known.wallet is not None, "an accepted command leaves a wallet"
    return CommandResult(
        status="accepted",
        wallet=wallet_view(known.wallet),
        position=position,
        version=known.version,
    )


def _ended(target: Target, decision: Decision, answer: RecordedEvent) -> CommandResult:
    """The hold or the top-up as it was made, and over."""
    made, position, version = target.recorded, answer.position, answer.version
    assert made is not None, "it was named"
    match target.original, decision.answer:
        case HoldPlaced() as hold, HoldReleased() as released:
            view = released_hold(made, hold, answer, released)
            return CommandResult(status="accepted", hold=view, position=position, version=version)
        case TopupCreated() as topup, TopupEnded() as ended:
            shown = cancelled_topup(made, topup, answer, ended)
            return CommandResult(status="accepted", topup=shown, position=position, version=version)
        case _:
            raise AssertionError("every other answer says it all")


def as_it_stands(event: WalletEvent, wallet: Wallet) -> WalletEvent:
    """A decline that was decided on a state that did not come to be, on the one that did.

    What there would have been stays as its limit, or as what a change was decided on.
    """
    match event:
        case DebitDeclined() | CreditDeclined():
            there_was = event.available
            if event.code == "balance_limit_exceeded":
                there_was = event.balance
            limit = there_was if event.limit is None else event.limit
            return replace(event, balance=wallet.balance, available=wallet.available, limit=limit)
        case TopupDeclined() | TopupUnapplied():
            if event.limit is None and event.code == "balance_limit_exceeded":
                event = replace(event, limit=event.balance)
            if isinstance(event, TopupUnapplied):
                event = replace(event, available=wallet.available)
            return replace(event, balance=wallet.balance)
        case ChangeDeclined():
            there_was = event.balance if event.decided_on is None else event.decided_on
            decided_on = None if there_was == wallet.balance else there_was
            return replace(event, balance=wallet.balance, decided_on=decided_on)
        case VoidDeclined() | IdentityDeclined():
            return replace(event, balance=wallet.balance)
        case _:
            raise AssertionError(f"{event} is no decline")
