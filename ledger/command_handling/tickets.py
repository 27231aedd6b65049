"""Commands that wait for their batch, each with the future that its result goes to."""

import asyncio
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ledger.command_handling.submission import Settled, Submission


class Ticket(NamedTuple):
    """A command that waits, and who waits for it."""

    submission: Submission
    settled: asyncio.Future[Settled]


def are_together(one: Ticket, next_one: Ticket) -> bool:
    """Whether both are of one batch that is applied all or none."""
    together = one.submission.together
    return together is not None and together is next_one.submission.together


def middle_of(tickets: Sequence[Ticket]) -> int:
    """Where to halve without parting what belongs together, or 0 if that cannot be."""
    places = [
        place
        for place in range(1, len(tickets))
        if not are_together(tickets[place - 1], tickets[place])
    ]
    return min(places, key=lambda place: abs(place - len(tickets) // 2), default=0)


def refuse(tickets: Iterable[Ticket], error: Exception) -> None:
    """Give each the error, but for those that have their result."""
    for ticket in tickets:
        if not ticket.settled.done():
            ticket.settled.set_exception(error)
