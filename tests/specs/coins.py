"""A naive wallet to compare with: every minor unit is a coin with the day on which it lapses.

Slow and plain on purpose: no lots, no balances, no merging. It lapses day by day, at the very
day, whereas the ledger does when it next looks.
"""

from collections import Counter
from typing import Literal

FOREVER = 1_000_000
"""The day on which a coin that never lapses does."""

Refused = Literal[
    "wallet_closed",
    "wallet_frozen",
    "insufficient_funds",
    "hold_not_open",
    "capture_exceeds_hold",
    "reversal_exceeds_transaction",
    "wallet_not_empty",
    "topup_not_pending",
    "topup_already_paid",
    "payment_mismatch",
]


class Purse:
    """The coins of one wallet: loose ones, those set aside, and how many are owed."""

    def __init__(self) -> None:
        self.loose: list[int] = []
        self.aside: dict[str, list[int]] = {}
        self.ends: dict[str, int] = {}
        self.owed = 0
        self.stopped: set[str] = set()
        self.closed = False

    @property
    def booked(self) -> int:
        """All coins, less what is owed."""
        return len(self.loose) + sum(map(len, self.aside.values())) - self.owed

    @property
    def available(self) -> int:
        """The loose coins, less what is owed."""
        return len(self.loose) - self.owed

    def shown(self) -> dict[int, int]:
        """How much is available, by the day on which it lapses; what is owed never does."""
        shown = dict(Counter(self.loose))
        return shown | ({FOREVER: -self.owed} if self.owed else {})

    def live(self, today: int) -> None:
        """A day comes: holds end in the order in which they were placed, then coins lapse."""
        for name in [name for name, day in self.ends.items() if day <= today]:
            self.release(name)
        self.loose = [coin for coin in self.loose if coin > today]

    def refuses(self, movement: Literal["debits", "credits"]) -> Refused | None:
        """Why nothing goes out, or in."""
        if self.closed:
            return "wallet_closed"
        return "wallet_frozen" if movement in self.stopped else None

    def refuses_to_give(self, count: int) -> Refused | None:
        """Why so many coins do not go out."""
        return self.refuses("debits") or ("insufficient_funds" if count > self.available else None)

    def put(self, coins: list[int]) -> None:
        """Coins come in, the soonest first; each pays what is owed, or is loose."""
        for coin in sorted(coins):
            if self.owed:
                self.owed -= 1
            else:
                self.loose.append(coin)

    def give(self, count: int) -> list[int]:
        """So many coins go, the soonest first."""
        self.loose.sort()
        given, self.loose = self.loose[:count], self.loose[count:]
        return given

    def give_back(self, going: list[int], own: list[int], count: int) -> None:
        """So many go: like those, then as the own ones, then lasting ones, then the soonest."""
        wanted = [coin for coin in sorted(own) if coin != FOREVER]
        for coin in [*going, *wanted, *[FOREVER] * len(self.loose), *sorted(self.loose)]:
            if count and coin in self.loose:
                self.loose.remove(coin)
                count -= 1
        self.owed += count

    def set_aside(self, name: str, count: int, ends: int) -> None:
        """So many coins are held, until a day."""
        self.aside[name] = self.give(count)
        self.ends[name] = ends

    def capture(self, name: str, count: int, *, final: bool) -> list[int]:
        """So many of the coins that are held go."""
        held = self.aside[name]
        spent, self.aside[name] = held[:count], held[count:]
        if final or not self.aside[name]:
            self.release(name)
        return spent

    def release(self, name: str) -> None:
        """What is left of a hold is loose again."""
        del self.ends[name]
        self.put(self.aside.pop(name))
