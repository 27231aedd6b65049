"""The envelope: an event as it was recorded, with its place in the log.

On Kafka it travels as CloudEvents 1.0 in binary mode: the fields below are headers,
`data` is the value, verbatim.
"""

from datetime import datetime

from msgspec import Struct

from schemas.identifiers import StreamId, TenantId


class EventMetadata(Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """Where an event came from. `who` is what the request's credential or message claims."""

    who: str
    correlation_id: str | None = None
    causation_id: str | None = None
    """The command id (Idempotency-Key or CloudEvents id), if the request had one."""


class RecordedEvent(Struct, frozen=True, kw_only=True, gc=False):
    """One row of the log. `data` and `metadata` are JSON text, kept verbatim."""

    position: int
    """Position in the whole log: gapless, in commit order, the first is 1."""
    tenant_id: TenantId
    stream_id: StreamId
    version: int
    """Place in its stream: gapless, the first is 1."""
    event_id: str
    """A UUIDv7 as 32 hexadecimal digits."""
    type: str
    schema_version: int
    data: str
    metadata: str
    recorded_at: datetime
    hash: bytes
    """SHA-256 over the stream's previous hash and everything above but the position."""
