"""What the hashes cover, byte by byte: whoever kept one must find it again in every release."""

from datetime import UTC, datetime
from hashlib import sha256

import pytest
from msgspec.structs import replace

from ledger.event_log.hashing import append_hash, event_hash
from ledger.event_log.interface import GENESIS_HASH
from schemas.events import RecordedEvent

EVENT = RecordedEvent(
    position=9,
    tenant_id="7d3f0000-0000-4000-8000-000000000001",
    stream_id="wal_" + "0a" * 16,
    version=2,
    event_id="0b" * 16,
    type="wallet.credited",
    schema_version=1,
    data='{"description":"für Ama"}',
    metadata='{"who":"test"}',
    recorded_at=datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    hash=b"",
)
KEPT = "9b75ed128d97706a524b2a587dd1a66643f0bb03ae92179fa7d197a134936781"
ENVELOPE = (
    b"wal_0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a\n2\n0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b\n"
    b"wallet.credited\n1\n7d3f0000-0000-4000-8000-000000000001\n1767323045678901"
)


def test_an_event_is_hashed_as_it_always_was() -> None:
    parts = (bytes(range(32)), ENVELOPE, EVENT.data.encode(), EVENT.metadata.encode())
    covered = b"".join(b"%d:%b" % (len(part), part) for part in parts)
    assert event_hash(bytes(range(32)), EVENT) == sha256(covered).digest()
    assert event_hash(GENESIS_HASH, EVENT).hex() == KEPT


def test_an_append_is_hashed_as_it_always_was() -> None:
    events = [sha256(b"one").digest(), sha256(b"two").digest()]
    covered = GENESIS_HASH + events[0] + events[1]
    assert append_hash(GENESIS_HASH, iter(events)) == sha256(covered).digest()


@pytest.mark.parametrize(
    "other",
    [
        replace(EVENT, stream_id="wal_" + "0c" * 16),
        replace(EVENT, version=3),
        replace(EVENT, data=EVENT.data[:-1], metadata=EVENT.data[-1] + EVENT.metadata),
        replace(EVENT, recorded_at=EVENT.recorded_at.replace(microsecond=678902)),
    ],
)
def test_no_other_event_has_the_same_hash(other: RecordedEvent) -> None:
    assert event_hash(GENESIS_HASH, other) != event_hash(GENESIS_HASH, EVENT)
