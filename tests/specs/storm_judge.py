"""What must hold after a storm of every wish, every answer and every read.

Each rule gives the list of what breaks it, in words.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from schemas.commands import Command, CreateWallet, VoidHold
from tests.specs.coins import Purse
from tests.specs.storm_journal import Journal, Payment
from tests.specs.storm_log import Index, is_one_effect, names_made
from tests.specs.storm_purses import PAYMENTS, Purses, Row
from tests.specs.storm_wishes import FREEZES_NOTHING, Told, Wish, code_of

_NAMED_BY_EVENT = ("txn_", "hol_", "top_")
_SHOWN = {
    "amount": "amount",
    "balance_before": "balance_before",
    "balance_after": "balance_after",
    "available_balance": "available_after",
    "reference": "reference",
}
"""A transaction's members, and where its event has them."""
_UNFROZEN = FREEZES_NOTHING | {"batch_declined"}


def effects(journal: Journal, index: Index) -> Iterator[str]:
    """Acknowledged: one effect. Refused: none. Unclear: one at most. And nobody else's."""
    yield from (f"nobody asked for {row}" for row in index.strangers)
    for wish in journal.wishes:
        yield from _effects_of(wish, index)


def _effects_of(wish: Wish, index: Index) -> Iterator[str]:
    done, declined = index.of(wish)
    if done and not is_one_effect(wish, done):
        yield f"not one effect: {wish} made {done}"
    if wish.key is not None and len(declined) + bool(done) > 1:
        yield f"decided more than once: {wish} made {done} {declined}"
    told = wish.told
    if told is None:
        if not wish.doubts and (done or declined):
            yield f"nothing was to have happened: {wish} made {done} {declined}"
        return
    if any(each.is_accepted for each in wish.answers):
        moves = getattr(wish.command, "reference", None) is not None
        if not done and (moves or isinstance(wish.command, CreateWallet)):
            yield f"acknowledged and not there: {wish}"
        return
    code = code_of(told)
    is_recorded = code not in FREEZES_NOTHING and code != "batch_declined"
    if done and (wish.key is not None or not wish.doubts) and is_recorded:
        yield f"refused and done: {wish} made {done}"
    if not declined and is_recorded:
        yield f"refused, which nobody wrote down: {wish}"
    if code not in {None, "batch_declined", *FREEZES_NOTHING, *(r.data["code"] for r in declined)}:
        yield f"refused for another reason than the log's: {wish} {declined}"


def answers(journal: Journal, index: Index) -> Iterator[str]:
    """Repeated answers are the first again, and each says what the log has."""
    for call in journal.calls:
        for wish in call.wishes:
            final = [each for each in wish.answers if each.is_accepted or wish.key is not None]
            bodies = {each.body for each in final}
            refused = {code_of(e) for e in final}
            if len(bodies) > 1 and not refused & FREEZES_NOTHING:
                yield f"another answer: {wish} {wish.answers}"
            firsts = sum(not each.is_replayed for each in final)
            if firsts > 1 and call.door != "kafka" and not refused & _UNFROZEN:
                yield f"done twice by its own word: {wish} {wish.answers}"
            done = index.of(wish).done
            for told in wish.answers[:1]:
                if told.is_accepted and done and call.door != "b":
                    yield from _differences(wish, told, done)


def _differences(wish: Wish, told: Told, done: Sequence[Row]) -> Iterator[str]:
    shown = told.shown
    names = names_made(done).values()
    is_made = str(shown["id"])[:4] in _NAMED_BY_EVENT and not isinstance(wish.command, VoidHold)
    if is_made and shown["id"] not in names:
        yield f"told of another: {wish} {done}"
    row = next((row for row in done if shown["id"] == "txn_" + row.event_id), None)
    if row is not None and "balance_after" in row.data:
        for member, field in _SHOWN.items():
            if shown[member] != row.data.get(field):
                yield f"told {member} {shown[member]}: {wish} {row}"


def order(journal: Journal, index: Index) -> Iterator[str]:
    """What was asked for after something was told of, is behind it in the log."""
    placed = sorted(
        (
            (max(row.position for row in rows), wish)
            for wish in journal.wishes
            if (rows := index.of(wish).done or (index.of(wish).declined if wish.key else []))
        ),
        key=lambda each: each[0],
        reverse=True,
    )
    soonest, whose = float("inf"), None
    for position, wish in placed:
        if wish.began > soonest:
            yield f"{wish} at {position} began after {whose} was told of, and is before it"
        # Without a key what was declined can be done later: then that is what it was told of.
        is_done = bool(index.of(wish).done)
        told = next((each for each in wish.answers if each.is_accepted == is_done), None)
        if told is not None and told.at < soonest:
            soonest, whose = told.at, wish


def reads(journal: Journal, rows: Sequence[Row]) -> Iterator[str]:
    """Each wallet was shown as the log has it at that version."""
    at: dict[tuple[str, int], tuple[int, int]] = {}
    newest: dict[str, tuple[int, int]] = {}
    for row in rows:
        data = row.data
        before = newest.get(row.wallet_id, (0, 0))
        balance = data.get("balance_after", data.get("balance", before[0]))
        available = data.get("available_after", before[1])
        newest[row.wallet_id] = at[row.wallet_id, row.version] = (balance, available)
    for read in journal.reads:
        if at.get((read.wallet_id, read.version)) != (read.balance, read.available):
            yield f"{read}, the log has {at.get((read.wallet_id, read.version))}"


def payments(journal: Journal, rows: Sequence[Row]) -> Iterator[str]:
    """What the provider has taken is in the log, each payment once, and nothing else is."""
    told = Counter(
        Payment(row.data["payment_id"], row.data["topup_id"], row.data["amount"])
        for row in rows
        if row.type in PAYMENTS
    )
    taken = Counter(journal.payments)
    yield from (f"paid, and not there: {payment}" for payment in taken - told)
    yield from (f"there, and not paid: {payment}" for payment in told - taken)


def outages(journal: Journal) -> Iterator[str]:
    """A call goes unanswered, or is answered 503, only while there is a fault."""
    for at, why in journal.unanswered:
        if not any(window.began <= at <= window.ended for window in journal.windows):
            yield f"{why} without any fault, at {at:.1f}"


def gaps(rows: Sequence[Row]) -> Iterator[str]:
    """Time and order in the log never go back."""
    for one, next_one in pairwise(rows):
        if next_one.at < one.at:
            yield f"time goes back from {one} to {next_one}"


class Retelling:
    """The log told again with coins."""

    def __init__(self, journal: Journal, rows: Sequence[Row], index: Index, now: datetime) -> None:
        self._rows = rows
        self._index = index
        ends = [end for each in journal.wishes if (end := _end_of(each.command))]
        self.purses = Purses([*(row.at for row in rows), *ends, now])
        self._told: set[int] = set()

    def wrong(self, batches: dict[str, Sequence[Wish]]) -> Iterator[str]:
        """What the purses see otherwise, until they are too far from the log to go on.

        `batches`: the members of each one of all or none.
        """
        for row in self._rows:
            found = [*self._wrong_with(row, batches)]
            yield from found
            if found:
                return

    def _wrong_with(self, row: Row, batches: dict[str, Sequence[Wish]]) -> Iterator[str]:
        if row.is_lapse:
            # Coins lapse when their purse is looked at next. To look now would be too soon where
            # the other half of a reversal, which is behind this row, has brought some back late.
            return
        wish = self._index.wish_of.get(row.position)
        if row.type == "wallet.opened":
            self.purses.of[row.wallet_id] = Purse()
        elif row.is_of_a_payer:
            yield from self._paid(row)
        elif wish is None or not self.purses.knows(wish.command):
            yield f"unknown to the coins: {row} of {wish}"
        elif row.is_decline:
            yield from self._declined(row, wish, batches)
        else:
            yield from self._done(row, wish)

    def _paid(self, row: Row) -> Iterator[str]:
        purse = self.purses.live(row.wallet_id, row.at)
        if row.type not in PAYMENTS:
            return
        refused = purse.refuses("credits")
        if refused != row.data.get("code"):
            yield f"{refused} by the coins: {row}"
        elif refused is None:
            yield from self._compare(row, "balance_before", "")
            self.purses.top_up(row.wallet_id, row.data["amount"])
            yield from self._compare(row, "balance_after", "available_after")
        else:
            yield from self._compare(row, "balance", "available")

    def _done(self, row: Row, wish: Wish) -> Iterator[str]:
        is_first = id(wish) not in self._told
        if is_first:
            if row.data.get("cause") not in ("closing", "wallet_closed") and row.type not in (
                "wallet.closed",
                "wallet.balance_forfeited",
            ):
                self.purses.live(row.wallet_id, row.at)
                yield from self._compare(row, "balance_before", "")
            refused = self.purses.refuses(wish.command, row.at)
            if refused is not None:
                yield f"{refused}, and done: {wish} {row}"
                return
            self._told.add(id(wish))
            made = names_made(self._index.of(wish).done)
            self.purses.do(wish.command, row.at, made)
        if row.data.get("cause") == "wallet_closed" or row.type == "wallet.balance_forfeited":
            return
        if (row.type, row.data.get("cause")) == ("wallet.transfer_sent", "closing"):
            return
        yield from self._compare(row, "balance_after", "available_after")

    def _declined(self, row: Row, wish: Wish, batches: dict[str, Sequence[Wish]]) -> Iterator[str]:
        purses = self.purses
        name, _, index = (wish.key or "").rpartition("/")
        if name in batches:
            purses = purses.copied()
            for place, each in enumerate(batches[name][: int(index)]):
                if purses.refuses(each.command, row.at) is not None:
                    yield f"command {place} was the first to be refused: {wish} {row}"
                    return
                purses.do(each.command, row.at, {"": f"{name}/{place}"})
        refused = purses.refuses(wish.command, row.at)
        if refused != row.data["code"]:
            yield f"{refused} is why, by the coins: {wish} {row}"
        if name not in batches:
            self.purses.live(row.wallet_id, row.at)
            yield from self._compare(row, "balance", "available")

    def _compare(self, row: Row, booked: str, available: str) -> Iterator[str]:
        purse = self.purses.of[row.wallet_id]
        if booked in row.data and row.data[booked] != purse.booked:
            yield f"{booked} is {purse.booked} by the coins: {row}"
        if available in row.data and row.data[available] != purse.available:
            yield f"{available} is {purse.available} by the coins: {row}"


def _end_of(command: Command) -> Any:
    return getattr(command, "expires_at", None)
