"""A wallet is a decider: `INITIAL`, `decide`, `evolve`. All its rules live in this folder."""

from ledger.domain.wallet.decide import decide
from ledger.domain.wallet.decision import NO_FACTS, Decision, Facts, Payment
from ledger.domain.wallet.evolve import evolve
from ledger.domain.wallet.state import INITIAL, Wallet

__all__ = ["INITIAL", "NO_FACTS", "Decision", "Facts", "Payment", "Wallet", "decide", "evolve"]
