"""Originals: the events that commands name by id, such as the hold of a capture.

An event never changes, so one that was found may be kept, as long as the log is the same; no turn
is needed to read it.
"""

from collections import OrderedDict
from collections.abc import Sequence

from ledger.command_handling.submission import Submission
from ledger.event_log.interface import EventKey, EventLog
from schemas.commands import (
    CancelTopup,
    CaptureHold,
    CompleteTopup,
    ReverseTransaction,
    VoidHold,
)
from schemas.events import RecordedEvent
from schemas.identifiers import hex_of

_BYTES_PER_PLACE = 1024
_NAMING = (CaptureHold, VoidHold, ReverseTransaction, CompleteTopup, CancelTopup)


def original_of(submission: Submission) -> EventKey | None:
    """The event that the command names, if it names one."""
    command = submission.command
    match command:
        case CaptureHold() | VoidHold():
            named = command.hold_id
        case ReverseTransaction():
            named = command.transaction_id
        case CompleteTopup() | CancelTopup():
            named = command.topup_id
        case _:
            return None
    return EventKey(submission.tenant_id, hex_of(named))


class Originals:
    """Events of one process's commands, least recently used out first.

    `places` bounds them; an event with much metadata takes several.
    """

    def __init__(self, log: EventLog, places: int) -> None:
        self._log = log
        self._places = places
        self._taken = 0
        self._events: OrderedDict[EventKey, RecordedEvent] = OrderedDict()

    def get(self, key: EventKey) -> RecordedEvent | None:
        """The event, if it was found before."""
        return self._events.get(key)

    def clear(self) -> None:
        """Forget all of them: the log is not the one that they were found in."""
        self._events.clear()
        self._taken = 0

    def lacks(self, submissions: Sequence[Submission]) -> list[EventKey]:
        """The events that have to be looked for before these can be decided."""
        return [key for key in _named_by(submissions) if key not in self._events]

    async def bring(self, submissions: Sequence[Submission]) -> None:
        """Look for what these name. Raises `LogUnavailableError`."""
        named = _named_by(submissions)
        missing = [key for key in named if key not in self._events]
        for key in named:
            if key in self._events:
                self._events.move_to_end(key)
        if not missing:
            return
        for key, event in (await self._log.find_events(missing)).items():
            # Another batch may have brought it meanwhile.
            if key not in self._events:
                self._events[key] = event
                self._taken += _places(event)
        # Those of this batch are the newest, so they stay however large they are.
        while self._taken > self._places and len(self._events) > len(named):
            _, dropped = self._events.popitem(last=False)
            self._taken -= _places(dropped)


def _named_by(submissions: Sequence[Submission]) -> dict[EventKey, None]:
    """The events that these name, each once, in order."""
    return dict.fromkeys(
        key
        for submission in submissions
        if isinstance(submission.command, _NAMING) and (key := original_of(submission)) is not None
    )


def _places(event: RecordedEvent) -> int:
    return 1 + (len(event.data) + len(event.metadata)) // _BYTES_PER_PLACE
