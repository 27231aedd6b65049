"""Snapshots save time and decide nothing: where one cannot be used, the events are folded."""

from collections.abc import Sequence
from typing import cast

import pytest
from msgspec.structs import replace

from ledger.command_handling import snapshots
from ledger.command_handling.snapshots import SNAPSHOT_EVERY_EVENTS, is_due, load, snapshot_of
from ledger.command_handling.wallet_cache import NOTHING_KNOWN, Known, fold
from ledger.event_log.interface import EventLog, Snapshot, StoredWallet
from schemas.events import RecordedEvent
from schemas.identifiers import StreamKey
from tests.specs.event_factory import EventFactory

COVERED = 4


def _events(count: int) -> list[RecordedEvent]:
    factory = EventFactory()
    wallet = factory.open()
    for number in range(1, count):
        factory.credit(wallet, number)
    return factory.take()


EVENTS = _events(10)
KEY = StreamKey(EVENTS[0].tenant_id, EVENTS[0].stream_id)
NEWEST = fold(NOTHING_KNOWN, EVENTS)
SNAPSHOT = snapshot_of(fold(NOTHING_KNOWN, EVENTS[:COVERED]))


class _Log:
    """One wallet's stream, and after which versions it was read."""

    def __init__(self, events: Sequence[RecordedEvent] = EVENTS) -> None:
        self.events = events
        self.read_after: list[int] = []

    async def read_stream(
        self, wallet: StreamKey, after_version: int, limit: int
    ) -> list[RecordedEvent]:
        """See `EventLog`."""
        assert wallet == KEY
        self.read_after.append(after_version)
        return list(self.events[after_version : after_version + limit])


async def _loaded(log: _Log, stored: StoredWallet) -> Known:
    return await load(cast("EventLog", log), KEY, stored)


async def test_a_snapshot_stands_for_the_events_that_it_covers() -> None:
    log = _Log()
    stored = StoredWallet(
        snapshot=SNAPSHOT,
        snapshot_event_hash=EVENTS[COVERED - 1].hash,
        events=EVENTS[COVERED:],
    )
    assert await _loaded(log, stored) == Known(NEWEST.wallet, NEWEST.hash, COVERED)
    assert log.read_after == []


def test_events_that_were_seen_already_change_nothing_and_none_may_be_missing() -> None:
    known = fold(NOTHING_KNOWN, EVENTS[:COVERED])
    assert fold(known, EVENTS) == NEWEST
    with pytest.raises(AssertionError):
        fold(known, EVENTS[COVERED + 1 :])


USELESS: list[tuple[str, Snapshot]] = [
    ("of another shape", replace(SNAPSHOT, state_version=SNAPSHOT.state_version + 1)),
    ("of an older shape", replace(SNAPSHOT, state_version=SNAPSHOT.state_version - 1)),
    ("of another log", replace(SNAPSHOT, event_hash=EVENTS[COVERED].hash)),
    ("of another version than it says", replace(SNAPSHOT, version=COVERED + 1)),
    ("of something else", replace(SNAPSHOT, state=b"{}")),
]


@pytest.mark.parametrize("snapshot", [row[1] for row in USELESS], ids=[row[0] for row in USELESS])
async def test_a_snapshot_that_cannot_be_used_is_as_if_it_were_not_there(
    snapshot: Snapshot,
) -> None:
    log = _Log()
    stored = StoredWallet(
        snapshot=snapshot,
        snapshot_event_hash=EVENTS[COVERED - 1].hash,
        events=EVENTS[COVERED:],
    )
    assert await _loaded(log, stored) == NEWEST
    assert log.read_after == [0]


@pytest.mark.parametrize("count", [8, 9, 10])
async def test_a_long_stream_is_read_page_by_page_to_its_end(
    count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look-up gives so many events of a cold wallet; the rest are read where it stopped."""
    monkeypatch.setattr(snapshots, "_PAGE_EVENTS", 3)
    monkeypatch.setattr(snapshots, "COLD_WALLET_EVENTS", COVERED)
    log = _Log(EVENTS[:count])
    stored = StoredWallet(snapshot=None, snapshot_event_hash=None, events=EVENTS[:COVERED])
    assert await _loaded(log, stored) == fold(NOTHING_KNOWN, EVENTS[:count])
    assert log.read_after[:2] == [COVERED, COVERED + 3]


async def test_what_a_look_up_gave_whole_is_not_read_again() -> None:
    log = _Log()
    stored = StoredWallet(snapshot=None, snapshot_event_hash=None, events=EVENTS)
    assert await _loaded(log, stored) == NEWEST
    assert log.read_after == []


def test_a_snapshot_is_due_when_so_much_happened_since_the_newest() -> None:
    known = fold(NOTHING_KNOWN, _events(SNAPSHOT_EVERY_EVENTS + 5))
    assert [is_due(Known(known.wallet, known.hash, covered)) for covered in (4, 5, 6)] == [
        True,
        True,
        False,
    ]
