"""What the clients of a storm have written down: calls, reads, what was not as promised."""

import sys
import time
from collections import Counter, defaultdict
from typing import NamedTuple

from tests.specs.storm_wishes import Call, Told, Unclear, Wish


class Read(NamedTuple):
    """A wallet as somebody was shown it."""

    wallet_id: str
    version: int
    balance: int
    available: int


class Unanswered(NamedTuple):
    """A moment at which a call got no answer, or a 503; and why."""

    at: float
    why: str


class Payment(NamedTuple):
    """Money that the payment provider has taken for a top-up."""

    payment_id: str
    topup_id: str
    amount: int


class Window(NamedTuple):
    """A fault, and from when to when it may be felt."""

    name: str
    began: float
    ended: float


class Journal:
    """One for all clients, so that each knows what any of them was told."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.reads: list[Read] = []
        self.unanswered: list[Unanswered] = []
        self.windows: list[Window] = []
        self.payments: list[Payment] = []
        self.wrong: list[str] = []
        """What nothing excuses."""
        self.newest: defaultdict[str, int] = defaultdict(int)
        """The newest version of each wallet that anybody was told of."""
        self.counts: Counter[str] = Counter()

    @property
    def wishes(self) -> list[Wish]:
        """Every wish that was ever sent, once, however many calls have sent it."""
        return list({id(wish): wish for call in self.calls for wish in call.wishes}.values())

    def say(self, text: str) -> None:
        """Tell whoever reads the output of a run; pytest shows it if the run fails."""
        sys.stdout.write(f"storm: {text}\n")
        sys.stdout.flush()

    def learn(self, wallet_id: str, version: int) -> None:
        """Somebody was told of this version of a wallet."""
        self.newest[wallet_id] = max(self.newest[wallet_id], version)

    def take(self, call: Call, answers: list[Told | Unclear]) -> None:
        """Write down what an answer says of each wish."""
        for wish, answer in zip(call.wishes, answers, strict=True):
            if isinstance(answer, Told):
                self._take(call, wish, answer)
                continue
            self.refused(answer, repr(wish))
            if answer.code == "outcome_unknown" or call.door == "b":
                wish.doubts += 1

    def _take(self, call: Call, wish: Wish, told: Told) -> None:
        if told.status >= 500 or told.status in (400, 401, 403, 404, 405, 413, 415, 429):
            self.wrong.append(f"{told.status} {told.body.decode()} for {wish}")
            wish.doubts += 1
            return
        wish.answers.append(told)
        # A refusal may name another wallet than the one whose history, and version, has it.
        if call.door == "b" or told.version is None or not told.is_accepted:
            return
        shown = told.shown
        named = shown.get("wallet_id") or shown.get("id") or ""
        if named.startswith("wal_"):
            self.learn(named, told.version)

    def failed(self, call: Call, why: str) -> None:
        """A call had no answer: any of its wishes may have come true."""
        self.not_answered(why)
        for wish in call.wishes:
            wish.doubts += 1

    def not_answered(self, why: str) -> None:
        """There was no answer."""
        self.unanswered.append(Unanswered(time.monotonic(), why))

    def refused(self, unclear: Unclear, what: str) -> None:
        """There was a 503."""
        self.not_answered(unclear.code)
        if not unclear.has_retry_after:
            self.wrong.append(f"503 {unclear.code} without Retry-After for {what}")
