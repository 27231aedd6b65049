"""Lots: a wallet's money by the moment at which it lapses. Pure arithmetic on sorted tuples.

Money that never lapses is not listed: it is the rest. If some of an amount lapses and some does
not, the part that does not is listed last, without a moment.
"""

from collections.abc import Iterable
from datetime import datetime

from schemas.events import Expiring, LotAmount, Lots


def total(lots: Lots) -> int:
    """The sum of the lots."""
    return sum(lot.amount for lot in lots)


def expiring(lots: Lots) -> Expiring | None:
    """What an answer says about a wallet's lots."""
    if not lots:
        return None
    first = lots[0]
    assert first.expires_at is not None, "a wallet lists only what lapses"
    return Expiring(amount=total(lots), next_at=first.expires_at, next_amount=first.amount)


def take(lots: Lots, amount: int) -> tuple[Lots, Lots]:
    """Take an amount, soonest first, then from the rest: what was taken, and what is left."""
    if not lots:
        return (), ()
    taken: list[LotAmount] = []
    left: list[LotAmount] = []
    for lot in lots:
        part = min(lot.amount, amount)
        if part:
            taken.append(LotAmount(amount=part, expires_at=lot.expires_at))
            amount -= part
        if part < lot.amount:
            left.append(LotAmount(amount=lot.amount - part, expires_at=lot.expires_at))
    if amount:
        taken.append(LotAmount(amount=amount))
    return listed(taken), listed(left)


def take_back(lots: Lots, own: Lots, amount: int, available: int) -> tuple[Lots, Lots]:
    """Take back what came in as `own`: its own parts, what never lapses, then soonest first.

    Its own parts go in their order; more than there is becomes a debt of what never lapses.
    Returns what was taken and what is left.
    """
    if not lots:
        return (), ()
    left: dict[datetime | None, int] = {lot.expires_at: lot.amount for lot in lots}
    left[None] = never = max(available - total(lots), 0)
    wanted = [(part.expires_at, part.amount) for part in own if part.expires_at in left]
    wanted += [(None, never), *((lot.expires_at, lot.amount) for lot in lots)]
    taken: dict[datetime | None, int] = {}
    for expires_at, most in wanted:
        part = min(most, amount, left[expires_at])
        if part:
            taken[expires_at] = taken.get(expires_at, 0) + part
            left[expires_at] -= part
            amount -= part
    del left[None]
    if amount:
        taken[None] = taken.get(None, 0) + amount
    return _from_amounts(taken), _from_amounts(left)


def put(lots: Lots, parts: Lots, debt: int = 0) -> Lots:
    """The lots with these parts among them, less what fills a debt, soonest first."""
    if debt:
        _, parts = take(parts, debt)
    if all(part.expires_at is None for part in parts):
        return lots
    amounts = {lot.expires_at: lot.amount for lot in lots}
    for part in parts:
        if part.expires_at is not None:
            amounts[part.expires_at] = amounts.get(part.expires_at, 0) + part.amount
    return _from_amounts(amounts)


class Growing:
    """Lots into which parts are put, one after the other, in one pass: there may be thousands."""

    def __init__(self, lots: Lots) -> None:
        self._amounts = {lot.expires_at: lot.amount for lot in lots}
        self._total = total(lots)
        self._next_at = lots[0].expires_at if lots else None

    def put(self, parts: Lots, debt: int = 0) -> None:
        """As the function `put`."""
        if debt:
            _, parts = take(parts, debt)
        for part in parts:
            if part.expires_at is not None:
                amount = self._amounts.get(part.expires_at, 0) + part.amount
                self._amounts[part.expires_at] = amount
                self._total += part.amount
                if self._next_at is None or part.expires_at < self._next_at:
                    self._next_at = part.expires_at

    def expiring(self) -> Expiring | None:
        """As the function `expiring`."""
        if self._next_at is None:
            return None
        next_amount = self._amounts[self._next_at]
        return Expiring(amount=self._total, next_at=self._next_at, next_amount=next_amount)

    def lots(self) -> Lots:
        """The lots with all that was put in."""
        return _from_amounts(dict(self._amounts))


def ahead(parts: Lots, now: datetime) -> Lots:
    """The parts that stay: a part that is due lapses as soon as it is a lot."""
    return tuple(part for part in parts if part.expires_at is None or part.expires_at > now)


def without(lots: Lots, parts: Lots) -> Lots:
    """The lots less these parts, which must be in them; otherwise the log is broken."""
    if not parts:
        return lots
    if len(parts) == 1 and lots and lots[0] == parts[0]:
        # Every lapse takes this path, and a thousand may lapse at once.
        return lots[1:]
    amounts = {lot.expires_at: lot.amount for lot in lots}
    for part in parts:
        if part.expires_at is not None:
            left = amounts.get(part.expires_at, 0) - part.amount
            assert left >= 0, f"{part.amount} of the lot of {part.expires_at}: {left} too many"
            amounts[part.expires_at] = left
    return _from_amounts(amounts)


def unwound(spent: Lots, already: int, amount: int) -> Lots:
    """The next amount of what was spent, last part first, after the `already` that is back."""
    parts: list[LotAmount] = []
    for lot in reversed(spent):
        skipped = min(lot.amount, already)
        already -= skipped
        part = min(lot.amount - skipped, amount)
        if part:
            parts.append(LotAmount(amount=part, expires_at=lot.expires_at))
            amount -= part
    return listed(reversed(parts))


def listed(parts: Iterable[LotAmount]) -> Lots:
    """The parts as an event lists them: empty if none of them lapses."""
    found = tuple(parts)
    return found if any(part.expires_at is not None for part in found) else ()


def _from_amounts(amounts: dict[datetime | None, int]) -> Lots:
    never = amounts.pop(None, 0)
    moments = sorted(
        (expires_at, amount) for expires_at, amount in amounts.items() if expires_at and amount
    )
    lots = [LotAmount(amount=amount, expires_at=expires_at) for expires_at, amount in moments]
    if never and lots:
        lots.append(LotAmount(amount=never))
    return tuple(lots)
