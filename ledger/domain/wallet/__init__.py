"""A wallet is a decider: `INITIAL`, `decide`, `evolve`. All its rules live in this folder."""

from ledger.domain.wallet.decide import Decision, Facts, decide
from ledger.domain.wallet.evolve import evolve
from ledger.domain.wallet.state import INITIAL, Wallet

__all__ = ["INITIAL", "Decision", "Facts", "Wallet", "decide", "evolve"]
