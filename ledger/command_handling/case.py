"""One command under decision, and the answers that no event alone gives. Pure."""

from typing import NamedTuple

from msgspec.structs import replace

from ledger.command_handling.submission import Submission
from ledger.command_handling.targets import Target
from ledger.command_handling.views import released_hold, wallet_view
from ledger.command_handling.wallet_cache import Known
from ledger.domain.wallet import Decision, Facts, Wallet
from schemas.events import (
    ChangeDeclined,
    CreditDeclined,
    DebitDeclined,
    HoldPlaced,
    HoldReleased,
    RecordedEvent,
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
    """What no event alone says: the wallet, the hold that was voided, or why there is none."""
    if decision.rejection is not None:
        return CommandResult(status="declined", rejection=decision.rejection)
    if answer is not None:
        placed, hold = case.target.recorded, case.target.original
        assert placed is not None, "a void names its hold"
        assert isinstance(hold, HoldPlaced), "a void names its hold"
        assert isinstance(decision.answer, HoldReleased), "every other answer says it all"
        view = released_hold(placed, hold, answer, decision.answer)
        return CommandResult(
            status="accepted", hold=view, position=answer.position, version=answer.version
        )
    assert known.wallet is not None, "an accepted command leaves a wallet"
    return CommandResult(
        status="accepted",
        wallet=wallet_view(known.wallet),
        position=position,
        version=known.version,
    )


def as_it_stands(event: WalletEvent, wallet: Wallet) -> WalletEvent:
    """A decline that was decided on a state that did not come to be, on the one that did.

    What there would have been stays as its limit.
    """
    match event:
        case DebitDeclined() | CreditDeclined():
            there_was = event.available
            if event.code == "balance_limit_exceeded":
                there_was = event.balance
            limit = there_was if event.limit is None else event.limit
            return replace(event, balance=wallet.balance, available=wallet.available, limit=limit)
        case ChangeDeclined() | VoidDeclined():
            return replace(event, balance=wallet.balance)
        case _:
            raise AssertionError(f"{event} is no decline")
