"""Tamper evidence: what the hashes of events and appends cover. Pure.

An event's hash chains its stream; an append's hash chains the whole log. Every part is
length-prefixed, so that no two different contents can be written as the same bytes.
"""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from schemas.events import RecordedEvent

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def event_hash(previous: bytes, event: RecordedEvent) -> bytes:
    """SHA-256 over the stream's previous hash and all of the event but position and hash."""
    envelope = (
        f"{event.stream_id}\n{event.version}\n{event.event_id}\n{event.type}\n"
        f"{event.schema_version}\n{event.tenant_id}\n{unix_us(event.recorded_at)}"
    )
    return event_hash_of_parts(previous, envelope, event.data, event.metadata)


def event_hash_of_parts(previous: bytes, envelope: str, data: str, metadata: str) -> bytes:
    """The same from parts that are at hand already: the append computes many at once."""
    envelope_bytes = envelope.encode()
    data_bytes = data.encode()
    metadata_bytes = metadata.encode()
    return sha256(
        b"%d:%b%d:%b%d:%b%d:%b"
        % (
            len(previous),
            previous,
            len(envelope_bytes),
            envelope_bytes,
            len(data_bytes),
            data_bytes,
            len(metadata_bytes),
            metadata_bytes,
        )
    ).digest()


def append_hash(previous: bytes, event_hashes: Iterable[bytes]) -> bytes:
    """SHA-256 over the previous append's hash and the new events' hashes in order."""
    return sha256(previous + b"".join(event_hashes)).digest()


def unix_us(at: datetime) -> int:
    """Microseconds since 1970, exactly: what PostgreSQL keeps, and what is hashed."""
    return (at - _EPOCH) // _MICROSECOND
