"""Given events, when a command, then events or a rejection: the rules of a wallet as tests."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from ledger.domain.wallet import Decision, Facts, Wallet, decide, evolve
from ledger.domain.wallet.decide import NO_FACTS
from schemas.commands import Command
from schemas.events import WalletEvent
from schemas.rejections import Rejection

WALLET_ID = "wal_" + "0a" * 16
START = datetime(2026, 1, 1, tzinfo=UTC)


class Given:
    """A wallet with this history."""

    def __init__(self, *history: WalletEvent) -> None:
        self.wallet = fold(None, history)

    def when(self, command: Command, facts: Facts = NO_FACTS) -> "When":
        """Decide a command."""
        return When(self.wallet, decide(self.wallet, command, facts))


class When:
    """A decision, to be looked at."""

    def __init__(self, wallet: Wallet | None, decision: Decision) -> None:
        self.decision = decision
        self.after = fold(wallet, decision.events)

    def then(self, *events: WalletEvent) -> Wallet:
        """It was accepted, with exactly these events."""
        assert self.decision.rejection is None, self.decision.rejection
        assert self.decision.events == events
        assert self.after is not None
        return self.after

    def then_declined(self, rejection: Rejection, *events: WalletEvent) -> None:
        """It was refused for this reason, and exactly these events say so."""
        assert self.decision.rejection == rejection
        assert self.decision.events == events


def fold(wallet: Wallet | None, events: Sequence[WalletEvent]) -> Wallet | None:
    """The wallet after these events, one second apart."""
    for event in events:
        version = 1 if wallet is None else wallet.version + 1
        at = START + timedelta(seconds=version)
        wallet = evolve(wallet, event, wallet_id=WALLET_ID, version=version, at=at)
    return wallet
